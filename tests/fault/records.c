/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of record formats that scenarios import, two samples each. */
#include <check.h>
#include <zlib.h>

#include "records.h"

#define COLUMNS \
    "\"column_encodings\":[\"jpeg\",\"json\",\"int\"],\"column_names\":[\"image\",\"box\"," \
    "\"label\"],\"column_sizes\":[null,null,8]"
const char mds_index[] = "{\"version\":2,\"shards\":[{" COLUMNS
                         ",\"format\":\"mds\",\"samples\":2,\"raw_data\":{\"basename\":"
                         "\"shard.00000.mds\",\"hashes\":{\"sha1\":\"0\"}}}]}";
const char litdata_index[] =
    "{\"chunks\":[{\"filename\":\"chunk-0-0.bin\",\"chunk_size\":2}],\"config\":{"
    "\"data_format\":[\"jpeg\",\"str\",\"int\"],\"data_spec\":\"[1, {\\\"type\\\": \\\"dict\\\", "
    "\\\"context\\\": \\\"[\\\\\\\"image\\\\\\\",\\\\\\\"box\\\\\\\",\\\\\\\"label\\\\\\\"]\\\", "
    "\\\"children_spec\\\": [{\\\"type\\\": null}, {\\\"type\\\": null}, "
    "{\\\"type\\\": null}]}]\"}}";

static const char box[] = "[1,{\"a name of some length\":2.5}]";

static void append(struct pcr_buffer *out, const void *data, size_t nbytes)
{
    ck_assert_int_eq(pcri_buffer_append(out, data, nbytes, NULL), 0);
}

static void append_number(struct pcr_buffer *out, uint64_t v, size_t nbytes)
{
    uint8_t bytes[8];
    pcri_store64(bytes, v);
    append(out, bytes, nbytes);
}

/* A field of bytes. */
static void append_field(struct pcr_buffer *out, unsigned number, const void *data,
                         size_t nbytes)
{
    append_number(out, number << 3 | 2, 1);
    ck_assert_int_eq(pcri_buffer_append_varint(out, nbytes, NULL), 0);
    append(out, data, nbytes);
}

static void append_feature(struct pcr_buffer *out, const char *name, unsigned kind,
                           const void *data, size_t nbytes)
{
    struct pcr_buffer list = { 0 }, feature = { 0 }, entry = { 0 };
    append_field(&list, 1, data, nbytes);
    append_field(&feature, kind, list.data, list.nbytes);
    append_field(&entry, 1, name, strlen(name));
    append_field(&entry, 2, feature.data, feature.nbytes);
    append_field(out, 1, entry.data, entry.nbytes);
    pcr_buffer_free(&list);
    pcr_buffer_free(&feature);
    pcr_buffer_free(&entry);
}

static uint32_t masked(const void *p, size_t nbytes)
{
    uint32_t crc = pcri_crc32c(p, nbytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_tfrecord(const struct pcr_buffer *photo, struct pcr_buffer *out)
{
    for (int i = 0; i < 2; i++) {
        struct pcr_buffer features = { 0 }, example = { 0 };
        append_feature(&features, "image/encoded", 1, photo->data, photo->nbytes);
        append_feature(&features, "image/class/label", 3, i ? "\7" : "\1", 1);
        append_feature(&features, "image/class/text", 1, box, strlen(box));
        append_feature(&features, "lengths", 3, "\1\2\3", i ? 3 : 1);
        append_feature(&features, "raw", 1, "\xff", 1);
        append_field(&example, 1, features.data, features.nbytes);
        size_t at = out->nbytes;
        append_number(out, example.nbytes, 8);
        append_number(out, masked(out->data + at, 8), 4);
        append(out, example.data, example.nbytes);
        append_number(out, masked(example.data, example.nbytes), 4);
        pcr_buffer_free(&features);
        pcr_buffer_free(&example);
    }
}

static void put_gzip(const struct pcr_buffer *photo, struct pcr_buffer *out)
{
    struct pcr_buffer plain = { 0 };
    put_tfrecord(photo, &plain);
    z_stream z = { .next_in = plain.data, .avail_in = (uInt) plain.nbytes };
    ck_assert_int_eq(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, 0), Z_OK);
    ck_assert_int_eq(pcri_buffer_reserve(out, deflateBound(&z, plain.nbytes), NULL), 0);
    z.next_out = out->data;
    z.avail_out = (uInt) out->capacity;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->nbytes = z.total_out;
    deflateEnd(&z);
    pcr_buffer_free(&plain);
}

/* Columns image, box, label; the last one's size is known, or stands there, too. */
static void put_shard(const struct pcr_buffer *photo, bool fixed, struct pcr_buffer *out)
{
    size_t text = strlen(box), nbytes = photo->nbytes + text + 8 + (fixed ? 8 : 12);
    append_number(out, 2, 4);
    for (int i = 0; i < 3; i++)
        append_number(out, 16 + (uint64_t) i * nbytes, 4);
    for (uint64_t i = 0; i < 2; i++) {
        append_number(out, photo->nbytes, 4);
        append_number(out, text, 4);
        append_number(out, 8, fixed ? 0 : 4);
        append(out, photo->data, photo->nbytes);
        append(out, box, text);
        append_number(out, i, 8);
    }
}

static void put_beton(const struct pcr_buffer *photo, struct pcr_buffer *out)
{
    static const uint8_t zeros[1024];
    const uint64_t rows = 24 + 2 * 1041, data = rows + 2 * 24, end = data + photo->nbytes;
    append_number(out, 2 | 2 << 16, 4);
    append_number(out, 1 << 21, 4);
    append_number(out, 2, 8);
    append_number(out, end, 8);
    append(out, "\2image\0\0\0\0\0\0\0\0\0\0\0", 17);
    append(out, zeros, 1024);
    append(out, "\1label\0\0\0\0\0\0\0\0\0\0\0", 17);
    append(out, zeros, 1024);
    for (uint64_t i = 0; i < 2; i++) {
        append(out, "\0\1\0\1\0", 5);
        append_number(out, data, 8);
        append(out, zeros, 3);
        append_number(out, i, 8);
    }
    append(out, photo->data, photo->nbytes);
    append_number(out, 0, 8);
    append_number(out, data, 8);
    append_number(out, photo->nbytes, 8);
}

static void put_release(const struct pcr_buffer *photo, struct pcr_buffer *out)
{
    append(out, "\x0a\2\0\1\x10\2", 6); /* two labels, two levels */
    for (int i = 0; i < 2; i++)
        append_field(out, 1, photo->data, photo->nbytes / 2);
    for (int i = 0; i < 2; i++)
        append_field(out, 1, photo->data + photo->nbytes / 2,
                     photo->nbytes - photo->nbytes / 2);
}

/* Two descriptions, a leaf with two nodes, and a value in pages of its own. */
static void put_lmdb(const struct pcr_buffer *photo, struct pcr_buffer *out)
{
    enum { PAGE = 512 };
    uint8_t page[PAGE];
    for (int i = 0; i < 2; i++) {
        memset(page, 0, PAGE);
        pcri_store32(page + 16, 0xbeefc0deu);
        pcri_store32(page + 20, 1);
        pcri_store32(page + 40, PAGE);
        pcri_store64(page + 128, 2);
        append(out, page, PAGE);
    }
    memset(page, 0, PAGE);
    pcri_store16(page + 10, 2);
    pcri_store16(page + 12, 20);
    for (int i = 0; i < 2; i++) {
        static const char names[2][8] = { "image-1", "label-1" };
        unsigned at = 300 + 100 * (unsigned) i;
        pcri_store16(page + 16 + 2 * i, (uint16_t) at);
        pcri_store32(page + at, i ? 4 : (uint32_t) photo->nbytes);
        pcri_store16(page + at + 4, i ? 0 : 1);
        pcri_store16(page + at + 6, 7);
        memcpy(page + at + 8, names[i], 7);
        if (i)
            memcpy(page + at + 15, "text", 4);
        else
            pcri_store64(page + at + 15, 3);
    }
    append(out, page, PAGE);
    memset(page, 0, PAGE);
    append(out, page, 16);
    append(out, photo->data, photo->nbytes);
}

void put_records(const char *kind, const struct pcr_buffer *photo, struct pcr_buffer *out)
{
    if (!strcmp(kind, "=tfrecord"))
        put_tfrecord(photo, out);
    else if (!strcmp(kind, "=gzip"))
        put_gzip(photo, out);
    else if (!strcmp(kind, "=mds") || !strcmp(kind, "=litdata"))
        put_shard(photo, kind[1] == 'm', out);
    else if (!strcmp(kind, "=beton"))
        put_beton(photo, out);
    else if (!strcmp(kind, "=release"))
        put_release(photo, out);
    else
        put_lmdb(photo, out);
}
