/* SPDX-License-Identifier: BSD-2-Clause */
/* Tar and zip archives made byte by byte: what each field of a header means, and what is said of
 * wrong ones. */
#include <check.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/base.h"
#include "suite.h"
#include "top.h"
#include <pcr/source.h>

enum { BLOCK = 512 };
static const char photo[] = "\xff\xd8\xff not decoded here"; /* it begins like an image */
enum { PHOTO = sizeof(photo) - 1 };

static struct pcr_buffer made, directory;
static struct pcr_source *source;
static struct pcr_error err;
static unsigned entries;
static uint32_t layout;

static void set_up(void)
{
    top_make();
    made = directory = (struct pcr_buffer) { 0 };
    source = NULL;
    entries = 0;
    layout = PCR_FOLDERS_AUTO;
}

static void tear_down(void)
{
    pcr_source_close(&source);
    pcr_buffer_free(&made);
    pcr_buffer_free(&directory);
    top_free();
}

static void put_to(struct pcr_buffer *b, const void *data, size_t nbytes)
{
    ck_assert_int_eq(pcri_buffer_append(b, data, nbytes, NULL), 0);
}

static void put(const void *data, size_t nbytes)
{
    put_to(&made, data, nbytes);
}

static int open_as(const char *name, uint32_t flags)
{
    const struct pcr_source_options o = {
        .size = sizeof(o), .flags = flags, .layout = layout, .spool_folder = top.path
    };
    test_put(&top, name, made.data, made.nbytes);
    pcr_source_close(&source);
    return pcr_source_open(at(name), &o, &source, &err);
}

/* What is made opens, and has these keys, all with the photo's bytes. */
static void has(const char *name, uint32_t count, const char *const *keys)
{
    int rc = open_as(name, 0);
    ck_assert_msg(!rc, "%s", err.message);
    ck_assert_uint_eq(source->sample_count, count);
    for (uint32_t i = 0; i < count; i++) {
        struct pcr_source_sample s = { .size = sizeof(s) };
        struct pcr_buffer file = { 0 };
        ck_assert_int_eq(source->describe(source->context, i, &s, &err), 0);
        ck_assert_str_eq(s.key, keys[i]);
        rc = source->load(source->context, i, 1 << 20, &file, &err);
        ck_assert_msg(!rc, "%s", err.message);
        ck_assert_uint_eq(file.nbytes, PHOTO);
        ck_assert_mem_eq(file.data, photo, PHOTO);
        pcr_buffer_free(&file);
    }
}

#define HAS(name, ...) \
    has(name, sizeof((const char *const[]) { __VA_ARGS__ }) / sizeof(char *), \
        (const char *const[]) { __VA_ARGS__ })

/* It is damaged, at this byte. With damage passed over there is this key, or none. */
static void damaged(const char *name, size_t where, const char *says, const char *left)
{
    char at_byte[64];
    int rc = open_as(name, 0);
    snprintf(at_byte, sizeof(at_byte), "%s, byte %zu: ", name, where);
    ck_assert_msg(rc == PCR_ERR_CORRUPT && strstr(err.message, at_byte) &&
                      strstr(err.message, says),
                  "%d: %s, expected %s%s", rc, err.message, at_byte, says);
    rc = open_as(name, PCR_SOURCE_SKIP_DAMAGED);
    ck_assert_msg(left ? !rc : rc == PCR_ERR_INVAL, "%s", err.message);
    if (!left)
        return;
    struct pcr_source_sample s = { .size = sizeof(s) };
    ck_assert_uint_eq(source->sample_count, 1);
    ck_assert_int_eq(source->describe(source->context, 0, &s, &err), 0);
    ck_assert_str_eq(s.key, left);
    ck_assert_uint_ge(source->left_out_count, 1);
}

/* --- tar --- */

enum {
    NAME = 0,
    SIZE = 124,
    CHECKSUM = 148,
    TYPE = 156,
    LINK = 157,
    MAGIC = 257,
    PREFIX = 345
};

static void write_checksum(uint8_t *block)
{
    unsigned sum = 0;
    memset(block + CHECKSUM, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf((char *) block + CHECKSUM, 8, "%06o", sum);
}

/* A header of 512 bytes; magic: "ustar" with NUL and "00", GNU's "ustar  ", or "" (of 1979). */
static uint8_t *header(char type, const char *name, size_t nbytes, const char *magic)
{
    static const uint8_t zeros[BLOCK];
    put(zeros, BLOCK);
    uint8_t *b = (uint8_t *) made.data + made.nbytes - BLOCK;
    memcpy(b + NAME, name, strnlen(name, 100));
    snprintf((char *) b + SIZE, 12, "%011zo", nbytes);
    b[TYPE] = (uint8_t) type;
    memcpy(b + MAGIC, magic, *magic ? 8 : 0);
    write_checksum(b);
    return b;
}

static const char posix[] = "ustar\00000", gnu[] = "ustar  ";

static void body(const void *data, size_t nbytes)
{
    static const uint8_t zeros[BLOCK];
    put(data, nbytes);
    put(zeros, (BLOCK - nbytes % BLOCK) % BLOCK);
}

static void member(char type, const char *name, const void *data, size_t nbytes)
{
    header(type, name, nbytes, posix);
    body(data, nbytes);
}

static void image(const char *name)
{
    member('0', name, photo, PHOTO);
}

static void end(void)
{
    static const uint8_t zeros[2 * BLOCK];
    put(zeros, sizeof(zeros));
}

/* The header at the end, changed and with a right checksum. */
static void change(size_t where, const void *bytes, size_t nbytes)
{
    uint8_t *b = (uint8_t *) made.data + made.nbytes - BLOCK;
    memcpy(b + where, bytes, nbytes);
    write_checksum(b);
}

START_TEST(names)
{
    char full[101], longest[256];
    layout = PCR_FOLDERS_FLAT;
    memset(full, 'n', 100);
    full[100] = '\0';
    memcpy(full + 96, ".jpg", 4);
    image(full); /* without a NUL behind it */
    header('0', "b.jpg", PHOTO, posix);
    memset(longest, 'p', 155);
    change(PREFIX, longest, 155);
    body(photo, PHOTO);
    snprintf(longest + 155, 100, "/b.jpg");
    header('0', "./c.jpg", PHOTO, gnu); /* what is in the prefix's place means nothing there */
    change(PREFIX, "wrong", 5);
    body(photo, PHOTO);
    header('0', "d.jpg", PHOTO, "");
    body(photo, PHOTO);
    header('\0', "../e//f.jpg", PHOTO, posix);
    body(photo, PHOTO);
    header('7', "g.jpg", PHOTO, posix);
    body(photo, PHOTO);
    end();
    HAS("a.tar", "c.jpg", "d.jpg", "e/f.jpg", "g.jpg", full, longest);
}
END_TEST

START_TEST(long_names)
{
    char name[201], record[300];
    memset(name, 'x', 200);
    name[200] = '\0';
    memcpy(name + 196, ".jpg", 4);
    member('L', "././@LongLink", name, sizeof(name)); /* with its NUL */
    image("short.jpg");
    name[0] = 'y';
    snprintf(record, sizeof(record), "13 junk=junk\n210 path=%s\n", name);
    member('x', "PaxHeaders/x", record, strlen(record));
    image("short.jpg");
    member('g', "PaxHeaders/g", "14 path=other\n", 14); /* of all: means nothing */
    image("a.jpg");
    name[0] = 'x';
    member('K', "././@LongLink", name, sizeof(name));
    header('1', "b.jpg", 0, gnu);
    end();
    char other[201];
    memcpy(other, name, sizeof(other));
    other[0] = 'y';
    HAS("a.tar", "a.jpg", "b.jpg", name, other);
}
END_TEST

START_TEST(sizes)
{
    uint8_t number[12] = { 0x80 };
    number[11] = PHOTO;
    header('0', "a.jpg", 0, gnu);
    change(SIZE, number, 12); /* binary */
    body(photo, PHOTO);
    header('0', "b.jpg", 0, posix);
    char digits[13];
    snprintf(digits, sizeof(digits), "   %o ", (unsigned) PHOTO); /* blanks around it */
    change(SIZE, digits, strlen(digits));
    body(photo, PHOTO);
    header('0', "c.jpg", 0, posix);
    snprintf(digits, sizeof(digits), "%012o", (unsigned) PHOTO); /* all of the field */
    change(SIZE, digits, 12);
    body(photo, PHOTO);
    char record[40];
    snprintf(record, sizeof(record), "11 size=%u\n", (unsigned) PHOTO);
    ck_assert_uint_eq(strlen(record), 11);
    member('x', "x", record, 11);
    header('0', "d.jpg", 0, posix); /* its own size does not count */
    body(photo, PHOTO);
    header('1', "e.jpg", PHOTO, posix); /* of a hard link neither */
    change(LINK, "a.jpg", 5);
    header('5', "folder", 700, posix);
    image("f.jpg");
    end();
    HAS("a.tar", "a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg");
}
END_TEST

START_TEST(sizes_that_cannot_be)
{
    static const struct {
        const char *bytes;
        size_t nbytes;
    } wrong[] = { { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12 },
                  { "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12 },
                  { "\x80\1\0\0\0\0\0\0\0\0\0\0", 12 },
                  { "-0000000001\0", 12 },
                  { "00000000x01\0", 12 } };
    header('0', "a.jpg", 0, posix);
    change(SIZE, wrong[_i].bytes, wrong[_i].nbytes);
    body(photo, PHOTO);
    image("b.jpg");
    end();
    damaged("a.tar", 0, "'a.jpg' has no valid size", "b.jpg");
}
END_TEST

START_TEST(checksums)
{
    header('0', "a.jpg", PHOTO, posix);
    uint8_t *b = (uint8_t *) made.data;
    b[NAME] = 0xe9; /* of bytes above 127, as signed ones */
    int sum = 0;
    memset(b + CHECKSUM, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += (int8_t) b[i];
    snprintf((char *) b + CHECKSUM, 8, "%06o", (unsigned) sum);
    body(photo, PHOTO);
    end();
    HAS("a.tar", "\xe9.jpg");
    ((uint8_t *) made.data)[NAME] ^= 1;
    damaged("a.tar", 0, "checksum is wrong", NULL);
}
END_TEST

START_TEST(wrong_headers)
{
    image("a.jpg");
    const size_t second = made.nbytes;
    image("b.jpg");
    end();
    ((uint8_t *) made.data)[second + 20] ^= 64;
    damaged("a.tar", second, "checksum is wrong", "a.jpg");
    ((uint8_t *) made.data)[second + 20] ^= 64;
    ((uint8_t *) made.data)[0] ^= 64;
    damaged("a.tar", 0, "checksum is wrong", "b.jpg");
}
END_TEST

/* Wherever an archive ends too early. */
START_TEST(cut_off)
{
    static const struct {
        size_t nbytes, where;
        const char *says;
    } cuts[] = { { 4 * BLOCK, 4 * BLOCK, "the blocks that end an archive are missing" },
                 { 3 * BLOCK + 7, 2 * BLOCK, "cut off: 'b.jpg' ends at byte 1543" },
                 { 3 * BLOCK, 2 * BLOCK, "cut off: 'b.jpg'" },
                 { 2 * BLOCK + 300, 2 * BLOCK, "cut off within a header" },
                 { 2 * BLOCK, 2 * BLOCK, "the blocks that end an archive are missing" } };
    image("a.jpg");
    image("b.jpg");
    end();
    made.nbytes = cuts[_i].nbytes;
    if (_i) {
        damaged("a.tar", cuts[_i].where, cuts[_i].says, "a.jpg");
        return;
    }
    ck_assert_int_eq(open_as("a.tar", 0), PCR_ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, cuts[_i].says) != NULL, "%s", err.message);
    ck_assert_int_eq(open_as("a.tar", PCR_SOURCE_SKIP_DAMAGED), 0);
    ck_assert_uint_eq(source->sample_count, 2);
}
END_TEST

START_TEST(ends)
{
    image("a.jpg");
    put("\0", 1);
    made.nbytes--;
    static const uint8_t zeros[BLOCK];
    put(zeros, BLOCK); /* one block is enough */
    HAS("a.tar", "a.jpg");
    put("not zeros", 9);
    put(zeros, BLOCK - 9);
    damaged("a.tar", 3 * BLOCK, "neither zeros nor an archive follows its end", "a.jpg");
    made.nbytes -= BLOCK;
    image("b.jpg"); /* another archive */
    end();
    HAS("a.tar", "a.jpg", "b.jpg");
    made.nbytes = 0;
    ck_assert_int_eq(open_as("a.tar", 0), PCR_ERR_INVAL);
    ck_assert_msg(strstr(err.message, "an empty file") != NULL, "%s", err.message);
    put("short", 5);
    ck_assert_int_eq(open_as("a.tar", 0), PCR_ERR_INVAL);
    ck_assert_msg(strstr(err.message, "too short") != NULL, "%s", err.message);
}
END_TEST

START_TEST(pax_that_cannot_be)
{
    static const char *const wrong[] = { "99 path=a\n", "2 path=a\n",  "10 path=a ",
                                         "x path=a\n",  "10path=ab\n", "0 \n" };
    member('x', "x", wrong[_i], strlen(wrong[_i]));
    image("a.jpg"); /* left out: what it is called is not known */
    image("b.jpg");
    end();
    damaged("a.tar", 0, "an extended header that is not valid", "b.jpg");
}
END_TEST

START_TEST(other_members)
{
    image("a.jpg");
    const size_t twice = made.nbytes;
    image("a.jpg");
    end();
    damaged("a.tar", twice, "'a.jpg' is in it already, at byte 0", "a.jpg");

    made.nbytes = twice;
    header('S', "sparse.jpg", PHOTO, gnu);
    change(482, "\1", 1); /* more of its map follows */
    uint8_t more[BLOCK] = { 0 };
    put(more, BLOCK);
    body(photo, PHOTO);
    member('D', "list", "Ya.jpg", 7);
    member('3', "device", "", 0);
    header('2', "link.jpg", 0, posix);
    change(LINK, "a.jpg", 5);
    header('2', "away.jpg", 0, posix);
    change(LINK, "/etc/passwd", 11);
    end();
    HAS("a.tar", "a.jpg", "link.jpg");
    ck_assert_uint_eq(source->left_out_count, 2);
    ck_assert_str_eq(source->left_out[0].reason, "a sparse member, which is not read");
    ck_assert_msg(strstr(source->left_out[1].reason, "a link to 'etc/passwd'") != NULL, "%s",
                  source->left_out[1].reason);
}
END_TEST

START_TEST(tar_in_a_tar)
{
    image("1.jpg");
    image("2.jpg");
    end();
    struct pcr_buffer inner = made;
    made = (struct pcr_buffer) { 0 };
    member('0', "cat.tar", inner.data, inner.nbytes);
    member('0', "dog.tar", inner.data, inner.nbytes);
    end();
    HAS("a.tar", "cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg");
    ck_assert_uint_eq(source->class_count, 2);
    ((uint8_t *) made.data)[3 * BLOCK + 9] ^= 1; /* the second header of the first */
    const int rc = open_as("a.tar", 0);
    ck_assert_msg(rc == PCR_ERR_CORRUPT && strstr(err.message, "byte 1536: "), "%s",
                  err.message);
    pcr_buffer_free(&inner);
}
END_TEST

/* --- zip --- */

static void put_number(struct pcr_buffer *b, uint64_t v, size_t nbytes)
{
    uint8_t bytes[8];
    pcri_store64(bytes, v);
    put_to(b, bytes, nbytes);
}

/* How an entry is written. */
struct zipped {
    const char *name;
    bool packed, descriptor, large; /* large: sizes are in an extra field */
    uint32_t flags, method, crc;    /* method, crc: instead of the right ones; 0: these */
};

static void put_entry(const struct zipped *e)
{
    uint8_t body_bytes[256];
    size_t nbytes = PHOTO;
    const size_t begin = made.nbytes;
    const uint32_t crc = e->crc ? e->crc : (uint32_t) crc32(0, (const void *) photo, PHOTO);
    memcpy(body_bytes, photo, PHOTO);
    if (e->packed) {
        z_stream z = { .next_in = (void *) (uintptr_t) photo,
                       .avail_in = PHOTO,
                       .next_out = body_bytes,
                       .avail_out = sizeof(body_bytes) };
        ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, 0), Z_OK);
        ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
        nbytes = z.total_out;
        deflateEnd(&z);
    }
    const uint32_t flags = e->flags | (e->descriptor ? 8 : 0);
    const uint32_t method = e->method ? e->method : e->packed ? 8 : 0;
    const bool later = e->descriptor;
    for (int turn = 0; turn < 2; turn++) {
        struct pcr_buffer *b = turn ? &directory : &made;
        const bool none = later && !turn;
        put_to(b, turn ? "PK\1\2\24\0" : "PK\3\4", turn ? 6 : 4);
        put_number(b, 20, 2);
        put_number(b, flags, 2);
        put_number(b, method, 2);
        put_number(b, 0, 4);
        put_number(b, none ? 0 : crc, 4);
        put_number(b, none ? 0 : e->large ? UINT32_MAX : nbytes, 4);
        put_number(b, none ? 0 : e->large ? UINT32_MAX : PHOTO, 4);
        put_number(b, strlen(e->name), 2);
        put_number(b, e->large ? 4 + 16 + (turn ? 8 : 0) : 0, 2);
        if (turn) {
            put_number(b, 0, 8); /* no comment, on the first disk, no attributes */
            put_number(b, 0, 2);
            put_number(b, e->large ? UINT32_MAX : begin, 4);
        }
        put_to(b, e->name, strlen(e->name));
        if (e->large) {
            put_number(b, 1, 2);
            put_number(b, turn ? 24 : 16, 2);
            put_number(b, PHOTO, 8);
            put_number(b, nbytes, 8);
            if (turn)
                put_number(b, begin, 8);
        }
        if (!turn)
            put(body_bytes, nbytes);
    }
    if (later) {
        put("PK\7\10", 4);
        put_number(&made, crc, 4);
        put_number(&made, nbytes, 4);
        put_number(&made, PHOTO, 4);
    }
    entries++;
}

#define ENTRY(...) put_entry(&(const struct zipped) { __VA_ARGS__ })

/* The directory and its end. large: sizes are in a record in front of that. */
static void put_end(bool large, const char *comment)
{
    const size_t begin = made.nbytes;
    put(directory.data, directory.nbytes);
    if (large) {
        const size_t record = made.nbytes;
        put("PK\6\6", 4);
        put_number(&made, 44, 8);
        put_number(&made, 45 | 45 << 16, 4);
        put_number(&made, 0, 8);
        put_number(&made, entries, 8);
        put_number(&made, entries, 8);
        put_number(&made, directory.nbytes, 8);
        put_number(&made, begin, 8);
        put("PK\6\7\0\0\0\0", 8);
        put_number(&made, record, 8);
        put_number(&made, 1, 4);
    }
    put("PK\5\6\0\0\0\0", 8);
    put_number(&made, large ? UINT16_MAX : entries, 2);
    put_number(&made, large ? UINT16_MAX : entries, 2);
    put_number(&made, large ? UINT32_MAX : directory.nbytes, 4);
    put_number(&made, large ? UINT32_MAX : begin, 4);
    put_number(&made, strlen(comment), 2);
    put(comment, strlen(comment));
}

START_TEST(zip_entries)
{
    ENTRY(.name = "a.jpg");
    ENTRY(.name = "b.jpg", .packed = true);
    ENTRY(.name = "c.jpg", .packed = true, .descriptor = true);
    ENTRY(.name = "d.jpg", .descriptor = true);
    ENTRY(.name = "e.jpg", .large = true);
    ENTRY(.name = "f.jpg", .large = true, .packed = true);
    ENTRY(.name = "g\\h.jpg");
    put_end(_i, "a comment with PK\5\6 in it, and more than that");
    HAS("a.zip", "a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg", "g\\h.jpg");
}
END_TEST

/* A program that unpacks itself. */
START_TEST(zip_behind_a_program)
{
    ENTRY(.name = "a.jpg");
    ENTRY(.name = "b.jpg", .packed = true);
    put_end(false, "");
    struct pcr_buffer archive = made;
    made = (struct pcr_buffer) { 0 };
    put("#!/bin/sh\nexit 1\n", 17);
    put(archive.data, archive.nbytes);
    HAS("a.zip", "a.jpg", "b.jpg");
    pcr_buffer_free(&archive);
}
END_TEST

START_TEST(zip_members_that_are_left_out)
{
    ENTRY(.name = "a.jpg");
    ENTRY(.name = "b.jpg", .flags = 1);
    ENTRY(.name = "c.jpg", .method = 12);
    put_end(false, "");
    HAS("a.zip", "a.jpg");
    ck_assert_uint_eq(source->left_out_count, 2);
    ck_assert_str_eq(source->left_out[0].reason, "an encrypted member");
    ck_assert_str_eq(source->left_out[1].reason, "compressed by method 12");
}
END_TEST

/* Of stored images the CRC is checked when they are loaded, of others at once. */
START_TEST(zip_checksums)
{
    ENTRY(.name = "a.jpg", .crc = 7);
    ENTRY(.name = "b.jpg");
    const size_t third = made.nbytes;
    ENTRY(.name = "c.jpg", .crc = 7, .packed = true);
    put_end(false, "");
    struct pcr_buffer file = { 0 };
    ck_assert_int_eq(open_as("a.zip", 0), PCR_ERR_CORRUPT);
    char where[64];
    snprintf(where, sizeof(where), "byte %zu: 'c.jpg' is damaged", third);
    ck_assert_msg(strstr(err.message, where) != NULL, "%s", err.message);
    ck_assert_int_eq(open_as("a.zip", PCR_SOURCE_SKIP_DAMAGED), 0);
    ck_assert_uint_eq(source->sample_count, 2);
    ck_assert_int_eq(source->load(source->context, 0, 1 << 20, &file, &err), PCR_ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "CRC-32") != NULL, "%s", err.message);
    ck_assert_int_eq(source->load(source->context, 1, 1 << 20, &file, &err), 0);
    pcr_buffer_free(&file);
}
END_TEST

/* Each 16- or 32-bit field of the directory and of the end is wrong once, and each byte of the file
 * is: an error, or fewer members; never others' bytes. */
START_TEST(zip_damage)
{
    ENTRY(.name = "a.jpg");
    ENTRY(.name = "b.jpg", .packed = true);
    ENTRY(.name = "c.jpg", .large = true);
    put_end(true, "");
    for (size_t i = 0; i < made.nbytes; i++) {
        const uint8_t masks[] = { 1, 0x80, 0xff };
        ((uint8_t *) made.data)[i] ^= masks[_i];
        int rc = open_as("a.zip", PCR_SOURCE_SKIP_DAMAGED);
        ck_assert_msg(!rc || rc == PCR_ERR_CORRUPT || rc == PCR_ERR_INVAL, "byte %zu: %s", i,
                      err.message);
        struct pcr_buffer file = { 0 };
        for (uint64_t k = 0; !rc && k < source->sample_count; k++) {
            int loaded = source->load(source->context, k, 1 << 20, &file, &err);
            ck_assert_msg(loaded ? loaded == PCR_ERR_CORRUPT || loaded == PCR_ERR_TRUNCATED
                                 : file.nbytes == PHOTO && !memcmp(file.data, photo, PHOTO),
                          "byte %zu", i);
        }
        pcr_buffer_free(&file);
        ((uint8_t *) made.data)[i] ^= masks[_i];
    }
}
END_TEST

START_TEST(zip_ends)
{
    ENTRY(.name = "a.jpg");
    const size_t begin = made.nbytes;
    put_end(false, "");
    const size_t all = made.nbytes;
    made.nbytes = all - 1;
    damaged("a.zip", all - 1, "no directory at its end", NULL);
    made.nbytes = all;
    ((uint8_t *) made.data)[begin] ^= 1; /* of the entry */
    damaged("a.zip", begin, "no valid entry 0 of 1", NULL);
    ((uint8_t *) made.data)[begin] ^= 1;
    pcri_store32((uint8_t *) made.data + all - 10,
                 5000); /* of the directory: it is too large */
    damaged("a.zip", all - 22, "would lie beyond its end", NULL);
    pcri_store32((uint8_t *) made.data + all - 10, (uint32_t) (all - 22 - begin));
    pcri_store16((uint8_t *) made.data + all - 18, 1); /* the second disk */
    damaged("a.zip", all - 22, "a part of several files", NULL);
}
END_TEST

int main(void)
{
    TCase *tar = tests_case("tar"), *zip = tests_case("zip");
    tcase_add_checked_fixture(tar, set_up, tear_down);
    tcase_add_checked_fixture(zip, set_up, tear_down);
    tcase_add_test(tar, names);
    tcase_add_test(tar, long_names);
    tcase_add_test(tar, sizes);
    tcase_add_loop_test(tar, sizes_that_cannot_be, 0, 5);
    tcase_add_test(tar, checksums);
    tcase_add_test(tar, wrong_headers);
    tcase_add_loop_test(tar, cut_off, 0, 5);
    tcase_add_test(tar, ends);
    tcase_add_loop_test(tar, pax_that_cannot_be, 0, 6);
    tcase_add_test(tar, other_members);
    tcase_add_test(tar, tar_in_a_tar);
    tcase_add_loop_test(zip, zip_entries, 0, 2);
    tcase_add_test(zip, zip_behind_a_program);
    tcase_add_test(zip, zip_members_that_are_left_out);
    tcase_add_test(zip, zip_checksums);
    tcase_add_loop_test(zip, zip_damage, 0, 3);
    tcase_add_test(zip, zip_ends);
    return tests_run();
}
