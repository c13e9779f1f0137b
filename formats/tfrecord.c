/* SPDX-License-Identifier: BSD-2-Clause */
/* TFRecord files, plain or compressed by zlib, of tf.train.Example messages or of images.
 *
 * A record is its length (8 bytes), a checksum of that (4), the data, and a checksum of it (4), all
 * little-endian. Checksums are CRC-32C, masked. */
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "../libpcr/io/sequential.h"
#include "../libpcr/io/stream.h"
#include "example.h"
#include "folder_names.h"
#include "protobuf.h"

enum { HEAD_NBYTES = 12, CRC_NBYTES = 4 };

static uint32_t masked_crc(const uint8_t *p, size_t nbytes)
{
    uint32_t crc = pcri_crc32c(p, nbytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static bool is_head(const uint8_t *p)
{
    return pcri_load32(p + 8) == masked_crc(p, 8);
}

/* --- what a file is --- */

/* How it is compressed, by its first bytes; NULL: not. A zlib header is divisible by 31. */
static const char *packing_of(const uint8_t *p, size_t nbytes)
{
    if (nbytes < 2 || (nbytes >= HEAD_NBYTES && is_head(p)))
        return NULL;
    if (p[0] == 0x1f && p[1] == 0x8b)
        return "gzip";
    return (p[0] & 15) == 8 && ((unsigned) p[0] << 8 | p[1]) % 31 == 0 ? "zlib" : NULL;
}

static bool has_ending(const char *path)
{
    const char *slash = strrchr(path, '/');
    for (const char *p = slash ? slash : path; (p = strchr(p, '.')); p++)
        if (!strncasecmp(p, ".tfrec", 6))
            return true;
    return false;
}

static bool probe(const struct pcri_candidate *c)
{
    uint8_t first[HEAD_NBYTES];
    if (!S_ISREG(c->st.st_mode))
        return false;
    if (c->head_nbytes >= HEAD_NBYTES && is_head(c->head))
        return true;
    const char *packing = packing_of(c->head, c->head_nbytes);
    if (packing &&
        pcri_sequential_peek(packing, c->head, c->head_nbytes, first, HEAD_NBYTES) ==
            HEAD_NBYTES &&
        is_head(first))
        return true;
    return has_ending(c->path); /* damaged, or without any record */
}

/* --- messages --- */

/* The whole message of a Feature's list: field 1 is repeated bytes, floats or integers. */
static json_t *numbers_of(const uint8_t *data, size_t nbytes, bool floats,
                          const char **unknown, bool *bad, struct pcr_error *err)
{
    struct pcri_cursor m = pcri_wire_message(data, nbytes);
    struct pcri_wire_field f;
    json_t *list = json_array();
    uint32_t type = floats ? PCRI_WIRE_32 : PCRI_WIRE_VARINT;
    bool failed = !list;
    while (!failed && pcri_wire_next(&m, &f)) {
        struct pcri_cursor packed = { 0 };
        uint64_t v;
        while (f.number == 1 && !failed && pcri_wire_number(&f, type, &packed, &v)) {
            float number = floats ? pcri_wire_float(v) : 0;
            if (floats && !isfinite(number))
                *unknown = "numbers that are not finite";
            else
                failed = json_array_append_new(list, floats ? json_real((double) number)
                                                            : json_integer((int64_t) v));
        }
        m.bad |= packed.bad;
    }
    *bad |= m.bad;
    if (failed)
        pcri_fail_nomem(err, 64);
    if (failed || m.bad || *unknown) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* The elements of a BytesList: one is bytes, others are an array of texts. */
static int take_bytes(const uint8_t *data, size_t nbytes, struct pcri_value *v, bool *bad,
                      struct pcr_error *err)
{
    struct pcri_cursor m = pcri_wire_message(data, nbytes);
    struct pcri_wire_field f;
    size_t count = 0;
    while (pcri_wire_next(&m, &f))
        if (f.number == 1 && f.type == PCRI_WIRE_BYTES && !count++) {
            v->data = f.data;
            v->nbytes = f.nbytes;
        }
    v->listed = true;
    *bad |= m.bad;
    if (m.bad || count == 1)
        return 0;
    v->data = NULL;
    json_t *list = json_array();
    bool failed = !list;
    m = pcri_wire_message(data, nbytes);
    while (!failed && !v->unknown && pcri_wire_next(&m, &f)) {
        if (f.number != 1 || f.type != PCRI_WIRE_BYTES)
            continue;
        if (!pcri_value_is_text(f.data, f.nbytes))
            v->unknown = "several values of bytes that are no text";
        else
            failed = json_array_append_new(list,
                                           json_stringn((const char *) f.data, f.nbytes));
    }
    if (failed || v->unknown)
        json_decref(list);
    else
        v->json = list;
    return failed ? pcri_fail_nomem(err, 64) : 0;
}

/* A Feature: one of bytes_list = 1, float_list = 2, int64_list = 3. */
static int take_feature(const uint8_t *data, size_t nbytes, struct pcri_value *v, bool *bad,
                        struct pcr_error *err)
{
    struct pcri_cursor m = pcri_wire_message(data, nbytes);
    struct pcri_wire_field f;
    int rc = 0;
    while (!rc && pcri_wire_next(&m, &f)) {
        if (f.type != PCRI_WIRE_BYTES || f.number > 3)
            continue;
        json_decref(v->json);
        v->json = NULL;
        v->data = NULL;
        v->unknown = NULL;
        if (f.number == 1) {
            rc = take_bytes(f.data, f.nbytes, v, bad, err);
        } else {
            v->json = numbers_of(f.data, f.nbytes, f.number == 2, &v->unknown, bad, err);
            v->listed = true;
            rc = v->json || v->unknown || *bad ? 0 : PCR_ERR_NOMEM;
        }
    }
    *bad |= m.bad;
    return rc;
}

/* An entry of the map of features: key = 1, value = 2. */
static int take_entry(const uint8_t *data, size_t nbytes, struct pcri_example *x, bool *bad,
                      struct pcr_error *err)
{
    struct pcri_cursor m = pcri_wire_message(data, nbytes);
    struct pcri_wire_field f, name = { .data = (const uint8_t *) "" }, value = { 0 };
    while (pcri_wire_next(&m, &f)) {
        if (f.type == PCRI_WIRE_BYTES && f.number == 1)
            name = f;
        if (f.type == PCRI_WIRE_BYTES && f.number == 2)
            value = f;
    }
    *bad |= m.bad;
    if (m.bad || !value.data)
        return 0;
    struct pcri_value *v = pcri_example_value(x, (const char *) name.data, name.nbytes, err);
    return v ? take_feature(value.data, value.nbytes, v, bad, err) : PCR_ERR_NOMEM;
}

/* An Example, {features = 1}, of Features, {repeated feature = 1}. *sequence: it is a
 * SequenceExample, {context = 1, feature_lists = 2}. */
static int parse(const uint8_t *data, size_t nbytes, struct pcri_example *x, bool *sequence,
                 bool *bad, struct pcr_error *err)
{
    struct pcri_cursor m = pcri_wire_message(data, nbytes);
    struct pcri_wire_field f, entry;
    int rc = 0;
    while (!rc && !*bad && pcri_wire_next(&m, &f)) {
        *sequence |= f.number == 2;
        if (f.number != 1 || f.type != PCRI_WIRE_BYTES)
            continue;
        struct pcri_cursor features = pcri_wire_message(f.data, f.nbytes);
        while (!rc && !*bad && pcri_wire_next(&features, &entry))
            if (entry.number == 1 && entry.type == PCRI_WIRE_BYTES)
                rc = take_entry(entry.data, entry.nbytes, x, bad, err);
        *bad |= features.bad;
    }
    *bad |= m.bad;
    return rc;
}

/* --- records --- */

static int add_record(struct pcri_container *s, struct pcri_example *x, const uint8_t *data,
                      size_t nbytes, struct pcr_error *err)
{
    bool sequence = false, bad = false;
    int rc = 0;
    if (pcri_is_image_start(data, nbytes)) { /* the image itself, without a message */
        struct pcri_value *v = pcri_example_value(x, "image", 5, err);
        if (!v)
            return PCR_ERR_NOMEM;
        v->data = data;
        v->nbytes = nbytes;
    } else {
        rc = parse(data, nbytes, x, &sequence, &bad, err);
    }
    if (rc)
        return rc;
    if (bad)
        return pcri_container_damaged(s, NULL, x->offset, err,
                                      "record %llu is no tf.train.Example message",
                                      (unsigned long long) x->number);
    if (sequence)
        return pcri_container_damaged(
            s, NULL, x->offset, err,
            "record %llu is a tf.train.SequenceExample, which has no single image",
            (unsigned long long) x->number);
    for (size_t i = 0; i < x->count; i++)
        if (x->values[i].data)
            x->values[i].offset = x->offset + HEAD_NBYTES +
                                  (size_t) (x->values[i].data - data);
    return pcri_example_add(s, x, err);
}

/* The next place from `offset` on where a record may begin: its length has a right checksum and,
 * if the file's size is known, fits. *offset is the end of the file if there is none. */
static int find_record(struct pcri_file_stream *f, uint64_t *offset, uint64_t end,
                       struct pcr_error *err)
{
    enum { ROOM = 64 << 10 };
    for (;;) {
        const uint8_t *p;
        size_t have;
        int rc = pcri_stream_get(f, *offset, ROOM, &p, &have, err);
        if (rc)
            return rc;
        size_t at = 0;
        while (at + HEAD_NBYTES <= have &&
               (!is_head(p + at) || pcri_load64(p + at) > end - (*offset + at)))
            at++;
        if (at + HEAD_NBYTES <= have) {
            *offset += at;
            return 0;
        }
        *offset += have < ROOM ? have : at;
        if (have < ROOM)
            return 0;
    }
}

struct scanning {
    struct pcri_file_stream *stream;
    struct pcri_example x;
    uint64_t offset; /* of the next record */
    uint64_t end;    /* of the file; UINT64_MAX: not known */
    bool done;
};

/* After a damaged record head. */
static int pass_over(struct pcri_container *s, struct scanning *n, const char *what,
                     struct pcr_error *err)
{
    int rc = pcri_container_damaged(s, NULL, n->offset, err, "record %llu: %s",
                                    (unsigned long long) n->x.number, what);
    n->offset++;
    n->x.number++;
    return rc ? rc : find_record(n->stream, &n->offset, n->end, err);
}

static int scan_record(struct pcri_container *s, struct scanning *n, struct pcr_error *err)
{
    const uint8_t *p;
    size_t have;
    int rc = pcri_stream_get(n->stream, n->offset, HEAD_NBYTES, &p, &have, err);
    n->done = !rc && !have;
    if (rc || n->done)
        return rc;
    if (have < HEAD_NBYTES || !is_head(p))
        return pass_over(s, n,
                         have < HEAD_NBYTES ? "the file ends within it"
                                            : "its length has a wrong checksum",
                         err);
    uint64_t nbytes = pcri_load64(p);
    if (nbytes > PCRI_STREAM_MOST - HEAD_NBYTES - CRC_NBYTES) {
        bool cut = nbytes > n->end - n->offset;
        return pass_over(s, n, cut ? "the file ends within it" : "it has more than 2^30 bytes",
                         err);
    }
    size_t total = HEAD_NBYTES + (size_t) nbytes + CRC_NBYTES;
    rc = pcri_stream_get(n->stream, n->offset, total, &p, &have, err);
    if (rc)
        return rc;
    if (have < total)
        return pass_over(s, n, "the file ends within it", err);
    p += HEAD_NBYTES;
    n->x.offset = n->offset;
    pcri_example_clear(&n->x);
    if (pcri_load32(p + nbytes) != masked_crc(p, (size_t) nbytes))
        rc = pcri_container_damaged(s, NULL, n->offset, err,
                                    "record %llu: its data has a wrong checksum",
                                    (unsigned long long) n->x.number);
    else
        rc = add_record(s, &n->x, p, (size_t) nbytes, err);
    n->offset += total;
    n->x.number++;
    return rc;
}

/* Of a pipe nothing is known before it is read: a record whose length looks like gzip's first
 * bytes would be taken for that. */
static int open_file(struct pcri_container *s, struct scanning *n, struct pcr_error *err)
{
    const uint8_t *p;
    size_t have;
    const char *packing = "?";
    int rc = 0;
    if (s->revision) {
        rc = pcri_stream_open(s->path, NULL, &n->stream, err);
        if (!rc)
            rc = pcri_stream_get(n->stream, 0, HEAD_NBYTES, &p, &have, err);
        packing = rc ? NULL : packing_of(p, have);
    }
    if (packing) {
        pcri_stream_close(&n->stream);
        rc = pcri_stream_open(s->path, packing, &n->stream, err);
        n->x.spool = true;
    }
    n->end = rc ? 0 : pcri_stream_nbytes(n->stream);
    return rc;
}

static int scan(struct pcri_container *s, struct pcr_error *err)
{
    struct scanning n = { .x = { .prefix = s->name } };
    int rc = open_file(s, &n, err);
    while (!rc && !n.done) {
        struct pcr_error why = { 0 };
        rc = scan_record(s, &n, &why);
        bool broken = rc == PCR_ERR_TRUNCATED ||
                      (rc == PCR_ERR_CORRUPT && why.offset != PCR_NO_OFFSET);
        if (n.x.spool && broken) {
            n.done = true; /* what is compressed cannot be read any further */
            rc = pcri_container_damaged(s, NULL, why.offset, err, "%s", why.message);
        } else {
            pcri_hand_on(err, rc, &why);
        }
    }
    pcri_stream_close(&n.stream);
    pcri_example_free(&n.x);
    return rc;
}

static const char *const endings[] = { ".tfrecord", ".tfrecords", ".tfrec", ".tfrecord.gz",
                                       NULL };

const struct pcri_importer pcri_import_tfrecord = {
    .name = "tfrecord",
    .probe = probe,
    .scan = scan,
    .endings = endings,
};
