/* SPDX-License-Identifier: BSD-2-Clause */
/* Archives that scenarios import. */
#include <check.h>
#include <stdio.h>
#include <zlib.h>

#include "archives.h"

enum { BLOCK = 512, LONG = 120 };

static void append(struct pcr_buffer *out, const void *data, size_t nbytes)
{
    ck_assert_int_eq(pcri_buffer_append(out, data, nbytes, NULL), 0);
}

static void add_header(struct pcr_buffer *out, char type, const char *name, const char *link,
                       size_t nbytes)
{
    char h[BLOCK + 1] = "";
    unsigned sum = 0;
    snprintf(h, 100, "%s", name);
    snprintf(h + 100, 8, "0000644");
    snprintf(h + 124, 12, "%011zo", nbytes);
    snprintf(h + 157, 100, "%s", link);
    memcpy(h + 257, "ustar\00000", 8);
    h[156] = type;
    memset(h + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += (unsigned char) h[i];
    snprintf(h + 148, 8, "%06o", sum);
    append(out, h, BLOCK);
}

static void add_member(struct pcr_buffer *out, char type, const char *name, const void *data,
                       size_t nbytes)
{
    static const char zeros[BLOCK];
    add_header(out, type, name, "", nbytes);
    append(out, data, nbytes);
    append(out, zeros, (BLOCK - nbytes % BLOCK) % BLOCK);
}

static void add_text_member(struct pcr_buffer *out, const char *name, const char *text)
{
    add_member(out, '0', name, text, strlen(text));
}

static void put_tar(struct pcr_buffer *out, bool labels, const struct pcr_buffer *photo,
                    const struct pcr_buffer *png)
{
    static const char zeros[2 * BLOCK];
    char record[LONG + 32], name[LONG + 1];
    memset(name, 'n', LONG);
    name[LONG] = '\0';
    snprintf(record, sizeof(record), "%d path=%s.jpg\n", LONG + 14, name);
    add_member(out, '0', "ape/1.jpg", photo->data, photo->nbytes);
    if (labels) {
        add_text_member(out, "ape/1.cls", "ape\n");
        add_text_member(out, "ape/1.json", "{\"a name of some length\": [1, \"text\"]}");
        add_text_member(out, "ape/1.txt", "a caption that is longer than others are");
        add_text_member(out, "2.cls", "bee");
        add_text_member(out, "3.cls", "bee");
        add_text_member(out, "3.npy", "\x93NUMPY");
    }
    add_member(out, 'x', "PaxHeader", record, strlen(record));
    add_member(out, '0', "short", photo->data, photo->nbytes);
    if (labels) {
        memcpy(record + LONG + 10, "cls", 3);
        add_member(out, 'x', "PaxHeader", record, strlen(record));
        add_text_member(out, "short", "ape");
    }
    add_member(out, '0', labels ? "2" : "bee/2", png->data, png->nbytes);
    add_header(out, '1', labels ? "3.jpg" : "bee/3.jpg", "ape/1.jpg", 0);
    add_header(out, '2', "bee/4.jpg", "nowhere.jpg", 0);
    add_text_member(out, "bee/README.md", "no image");
    append(out, zeros, sizeof(zeros));
}

static size_t deflate_all(const void *data, size_t nbytes, int window, struct pcr_buffer *out)
{
    z_stream z = { .next_in = (void *) (uintptr_t) data, .avail_in = (uInt) nbytes };
    const size_t before = out->nbytes;
    ck_assert_int_eq(deflateInit2(&z, 1, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    const size_t most = deflateBound(&z, (uLong) nbytes);
    ck_assert_int_eq(pcri_buffer_reserve(out, before + most, NULL), 0);
    z.next_out = out->data + before;
    z.avail_out = (uInt) most;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->nbytes += z.total_out;
    deflateEnd(&z);
    return out->nbytes - before;
}

static void put16(struct pcr_buffer *out, size_t v)
{
    append(out, (const uint8_t[]) { (uint8_t) v, (uint8_t) (v >> 8) }, 2);
}

static void put32(struct pcr_buffer *out, size_t v)
{
    put16(out, v & 0xffff);
    put16(out, v >> 16);
}

static void put_fields(struct pcr_buffer *out, int method, size_t crc, size_t packed,
                       size_t nbytes, const char *name)
{
    put16(out, 20);
    put16(out, 0);
    put16(out, (size_t) method);
    put32(out, 0);
    put32(out, crc);
    put32(out, packed);
    put32(out, nbytes);
    put16(out, strlen(name));
    put16(out, 0);
}

static void add_zipped(struct pcr_buffer *out, struct pcr_buffer *directory, const char *name,
                       const void *data, size_t nbytes, bool packed)
{
    struct pcr_buffer body = { 0 };
    const size_t at = out->nbytes, crc = crc32(0, data, (uInt) nbytes);
    if (packed)
        deflate_all(data, nbytes, -MAX_WBITS, &body);
    else
        append(&body, data, nbytes);
    append(out, "PK\3\4", 4);
    put_fields(out, packed ? 8 : 0, crc, body.nbytes, nbytes, name);
    append(out, name, strlen(name));
    append(out, body.data, body.nbytes);
    append(directory, "PK\1\2\24", 6);
    put_fields(directory, packed ? 8 : 0, crc, body.nbytes, nbytes, name);
    put16(directory, 0);
    put32(directory, 0);
    put32(directory, 0);
    put32(directory, at);
    append(directory, name, strlen(name));
    pcr_buffer_free(&body);
}

static void put_zip(struct pcr_buffer *out, const struct pcr_buffer *photo,
                    const struct pcr_buffer *png)
{
    struct pcr_buffer directory = { 0 };
    add_zipped(out, &directory, "1.jpg", photo->data, photo->nbytes, false);
    add_zipped(out, &directory, "1.cls", "ape", 3, false);
    add_zipped(out, &directory, "2", png->data, png->nbytes, true);
    add_zipped(out, &directory, "2.cls", "bee", 3, true);
    add_zipped(out, &directory, "2.npy", "\x93NUMPY", 6, true);
    const size_t at = out->nbytes;
    append(out, directory.data, directory.nbytes);
    append(out, "PK\5\6\0\0\0\0", 8);
    put16(out, 5);
    put16(out, 5);
    put32(out, directory.nbytes);
    put32(out, at);
    put16(out, 0);
    pcr_buffer_free(&directory);
}

void put_archive(const char *kind, const struct pcr_buffer *photo,
                 const struct pcr_buffer *png, struct pcr_buffer *out)
{
    struct pcr_buffer tar = { 0 };
    if (!strcmp(kind, "%zip")) {
        put_zip(out, photo, png);
        return;
    }
    put_tar(&tar, strcmp(kind, "%folders") != 0, photo, png);
    if (!strcmp(kind, "%damaged"))
        tar.data[4] ^= 1;
    if (!strcmp(kind, "%gzip"))
        deflate_all(tar.data, tar.nbytes, 16 + MAX_WBITS, out);
    else
        append(out, tar.data, tar.nbytes);
    pcr_buffer_free(&tar);
}
