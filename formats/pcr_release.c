/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the software released with the paper on Progressive Compressed Records (PVLDB 2021).
 *
 * A file is a message MetadataRecord {labels = 1, progressive_levels = 2, version = 3}, then for
 * each level a ScanGroup {image_bytes = 1} with that scan of each image; a missing one is empty.
 * Nothing stands between the messages: their lengths are in an index (SQLite, or a message). It is
 * not needed here: the metadata's last field has another number than 1, and after it each field is
 * the part of an image; there are as many in each group as there are labels. */
#include <stdlib.h>

#include "../libpcr/io/io.h"
#include "../libpcr/io/stream.h"
#include "example.h"
#include "protobuf.h"

enum { LABELS = 1, LEVELS = 2, VERSION = 3, RAW_VERSION = 2, MOST_LEVELS = 1000 };

/* One scan of one image. */
struct image_part {
    uint64_t offset, nbytes;
};

struct release {
    struct pcri_container *s;
    struct pcri_file_stream *stream;
    struct pcri_example x;
    int64_t *labels;
    size_t label_count, label_room;
    uint64_t levels, version;
    struct image_part *parts; /* by group, then by image */
    size_t part_count, part_room;
    uint64_t offset; /* of the next field */
    struct pcr_buffer file, piece;
};

static bool probe(const struct pcri_candidate *c)
{
    const char *dot = strrchr(c->path, '.');
    /* labels, unpacked or packed, come first; our own records begin with other bytes */
    return S_ISREG(c->st.st_mode) && dot && !strcmp(dot, ".pcr") && c->head_nbytes > 4 &&
           (c->head[0] == (LABELS << 3 | PCRI_WIRE_VARINT) ||
            c->head[0] == (LABELS << 3 | PCRI_WIRE_BYTES));
}

static int damaged(struct release *r, uint64_t offset, const char *what, struct pcr_error *err)
{
    return pcri_container_damaged(r->s, NULL, offset, err, "%s", what);
}

/* --- the fields --- */

/* The next field's number and type; of bytes their place. *there: false at the end of the file.
 * *bad: it is none. */
static int next_field(struct release *r, struct pcri_wire_field *f, struct image_part *bytes,
                      bool *there, bool *bad, struct pcr_error *err)
{
    enum { MOST_HEAD = 20 };
    const uint8_t *p;
    size_t have;
    int rc = pcri_stream_get(r->stream, r->offset, MOST_HEAD, &p, &have, err);
    *there = !rc && have;
    *f = (struct pcri_wire_field) { 0 };
    if (rc || !have)
        return rc;
    struct pcri_cursor c = pcri_wire_message(p, have);
    uint64_t key = pcri_get_varint(&c), value = pcri_get_varint(&c);
    uint64_t at = r->offset + (size_t) (c.p - p), end = pcri_stream_nbytes(r->stream);
    f->type = key & 7;
    f->number = key >> 3 <= 1000 ? (uint32_t) (key >> 3) : 0;
    f->value = value;
    *bad = c.bad || !f->number ||
           (f->type != PCRI_WIRE_VARINT && f->type != PCRI_WIRE_BYTES) ||
           (f->type == PCRI_WIRE_BYTES && value > end - at);
    *bytes = (struct image_part) { at, f->type == PCRI_WIRE_BYTES ? value : 0 };
    r->offset = at + bytes->nbytes;
    return 0;
}

static int add_label(struct release *r, uint64_t value, struct pcr_error *err)
{
    if (PCRI_GROW(r->labels, r->label_room, r->label_count + 1, err))
        return PCR_ERR_NOMEM;
    r->labels[r->label_count++] = (int64_t) value;
    return 0;
}

static int add_labels(struct release *r, const struct image_part *bytes, bool *bad,
                      struct pcr_error *err)
{
    const uint8_t *p;
    size_t have;
    int rc = bytes->nbytes > PCRI_STREAM_MOST
                 ? pcri_fail(err, PCR_ERR_LIMIT, "%s: too many labels", r->s->path)
                 : pcri_stream_get(r->stream, bytes->offset, (size_t) bytes->nbytes, &p, &have,
                                   err);
    if (rc)
        return rc;
    struct pcri_cursor c = pcri_wire_message(p, have);
    while (!rc && !c.bad && c.p < c.end) {
        uint64_t value = pcri_get_varint(&c);
        rc = c.bad ? 0 : add_label(r, value, err);
    }
    *bad |= c.bad;
    return rc;
}

static int add_part(struct release *r, const struct image_part *bytes, struct pcr_error *err)
{
    if (PCRI_GROW(r->parts, r->part_room, r->part_count + 1, err))
        return PCR_ERR_NOMEM;
    r->parts[r->part_count++] = *bytes;
    return 0;
}

static int read_fields(struct release *r, bool *good, struct pcr_error *err)
{
    struct pcri_wire_field f;
    struct image_part bytes;
    bool there = true, bad = false;
    int rc = 0;
    uint64_t at = 0;
    while (!rc && there && !bad && r->version != RAW_VERSION) {
        at = r->offset;
        rc = next_field(r, &f, &bytes, &there, &bad, err);
        if (rc || !there || bad)
            break;
        bool is_part = r->levels && f.number == 1 && f.type == PCRI_WIRE_BYTES;
        if (is_part)
            rc = add_part(r, &bytes, err);
        else if (r->part_count)
            bad = true;
        else if (f.number == LABELS && f.type == PCRI_WIRE_BYTES)
            rc = add_labels(r, &bytes, &bad, err);
        else if (f.number == LABELS)
            rc = add_label(r, f.value, err);
        else if (f.number == LEVELS)
            r->levels = f.value;
        else if (f.number == VERSION)
            r->version = f.value;
        bad |= r->levels > MOST_LEVELS;
    }
    *good = !rc && !bad;
    return bad ? damaged(r, at, "no field of a record, or the file ends within it", err) : rc;
}

/* --- images --- */

static int join(struct release *r, size_t image, struct pcr_error *err)
{
    static const uint8_t end_of_image[2] = { 0xff, 0xd9 };
    struct pcr_buffer *file = &r->file;
    int rc = 0;
    file->nbytes = 0;
    for (uint64_t g = 0; g < r->levels && !rc; g++) {
        const struct image_part *p = &r->parts[g * r->label_count + image];
        if (!p->nbytes)
            continue;
        rc = pcri_read_part(r->s->path, p->offset, p->nbytes, PCRI_STREAM_MOST, &r->piece,
                            err);
        if (rc)
            rc = pcri_prefix(err, rc, "%s", r->s->path);
        else
            rc = pcri_buffer_append(file, r->piece.data, r->piece.nbytes, err);
    }
    if (!rc && (file->nbytes < 2 || memcmp(file->data + file->nbytes - 2, end_of_image, 2)))
        rc = pcri_buffer_append(file, end_of_image, 2, err);
    return rc;
}

static int add_image(struct release *r, size_t image, struct pcr_error *err)
{
    int rc = join(r, image, err);
    if (rc)
        return rc;
    pcri_example_clear(&r->x);
    r->x.number = image;
    r->x.offset = r->parts[image].offset;
    struct pcri_value *v = pcri_example_value(&r->x, "image", 5, err);
    if (!v)
        return PCR_ERR_NOMEM;
    v->data = r->file.data;
    v->nbytes = r->file.nbytes;
    v = pcri_example_value(&r->x, "label", 5, err);
    if (!v || !(v->json = json_integer(r->labels[image])))
        return v ? pcri_fail_nomem(err, 64) : PCR_ERR_NOMEM;
    return pcri_example_add(r->s, &r->x, err);
}

static int add_images(struct release *r, struct pcr_error *err)
{
    uint64_t images = r->label_count;
    int rc = 0;
    if (r->version == RAW_VERSION)
        return pcri_fail(
            err, PCR_ERR_UNSUPPORTED,
            "%s: written with --raw_image_bytes, so that only its index says where "
            "scans begin",
            r->s->path);
    if (!r->levels || r->part_count != images * r->levels)
        return pcri_container_damaged(
            r->s, NULL, r->offset, err, "%llu labels and %llu levels, but %zu parts of images",
            (unsigned long long) images, (unsigned long long) r->levels, r->part_count);
    for (size_t i = 0; i < images && !rc; i++)
        rc = add_image(r, i, err);
    return rc;
}

static int scan(struct pcri_container *s, struct pcr_error *err)
{
    struct release r = { .s = s, .x = { .prefix = s->name, .spool = true } };
    bool good = false;
    int rc = pcri_stream_open(s->path, NULL, &r.stream, err);
    if (!rc)
        rc = read_fields(&r, &good, err);
    if (!rc && good)
        rc = add_images(&r, err);
    pcri_stream_close(&r.stream);
    pcri_example_free(&r.x);
    pcr_buffer_free(&r.file);
    pcr_buffer_free(&r.piece);
    free(r.labels);
    free(r.parts);
    return rc;
}

const struct pcri_importer pcri_import_pcr_release = {
    .name = "pcr-release",
    .probe = probe,
    .scan = scan,
};
