/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes finished JPEG files step by step. */
#include "edit.h"

#include <stdlib.h>

#include "base/random.h"

/* The segment at *off: its marker code and size; 0 at the end or where nothing parses. */
static int marker_at(const struct pcr_buffer *b, size_t off, size_t *nbytes_out)
{
    if (off + 2 > b->nbytes || b->data[off] != 0xFF)
        return 0;
    int code = b->data[off + 1];
    *nbytes_out = 2;
    if (code == SOI || code == EOI || (code >= RST0 && code < SOI))
        return code;
    if (off + 4 > b->nbytes)
        return 0;
    *nbytes_out = 2u + ((size_t) b->data[off + 2] << 8 | b->data[off + 3]);
    return off + *nbytes_out <= b->nbytes ? code : 0;
}

bool gen_find_marker(const struct pcr_buffer *b, int code, int nth, size_t *off_out,
                     size_t *nbytes_out)
{
    size_t off = 0, nbytes;
    int found;

    while ((found = marker_at(b, off, &nbytes))) {
        if (found == code && !nth--) {
            *off_out = off;
            *nbytes_out = nbytes;
            return true;
        }
        off += nbytes;
        while (off + 1 < b->nbytes && (b->data[off] != 0xFF || !b->data[off + 1]))
            off++; /* entropy-coded data: none after segments other than SOS and RSTm */
    }
    return false;
}

int gen_splice(struct pcr_buffer *b, size_t off, size_t old_nbytes, const void *p,
               size_t nbytes, struct pcr_error *err)
{
    int rc = pcri_buffer_reserve(b, b->nbytes + nbytes, err);
    if (rc)
        return rc;
    memmove(b->data + off + nbytes, b->data + off + old_nbytes, b->nbytes - off - old_nbytes);
    if (nbytes)
        memcpy(b->data + off, p, nbytes);
    b->nbytes += nbytes - old_nbytes;
    return 0;
}

static int drop_all(struct pcr_buffer *b, int code, struct pcr_error *err)
{
    size_t off, nbytes;
    int rc = 0;
    while (!rc && gen_find_marker(b, code, 0, &off, &nbytes))
        rc = gen_splice(b, off, nbytes, NULL, 0, err);
    return rc;
}

static int fill_markers(struct pcr_buffer *b, size_t count, struct pcr_error *err)
{
    static const uint8_t fill[] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
    size_t off = 2, nbytes;
    int rc = 0;

    while (!rc && marker_at(b, off, &nbytes)) {
        rc = gen_splice(b, off, 0, fill, count, err);
        off += count + nbytes;
        while (off + 1 < b->nbytes && (b->data[off] != 0xFF || !b->data[off + 1]))
            off++;
    }
    return rc;
}

/* Single bits of entropy-coded data; FF and the byte after it stay, so that no marker
 * comes or goes. */
static void flip_bits(struct pcr_buffer *b, size_t off, uint64_t seed, long count)
{
    size_t end = off;
    while (end + 1 < b->nbytes && (b->data[end] != 0xFF || !b->data[end + 1]))
        end++;
    for (long i = 0; i < count && end > off; i++) {
        uint64_t key = pcri_key(seed, (uint64_t) i, 0x666C6970);
        size_t at = off + (size_t) (key % (end - off));
        uint8_t v = b->data[at] ^ (uint8_t) (1u << (key >> 60 & 7));
        if (b->data[at] != 0xFF && b->data[at - 1] != 0xFF && v != 0xFF)
            b->data[at] = v;
    }
}

static int widen_tables(struct pcr_buffer *b, struct pcr_error *err)
{
    size_t off, nbytes;
    int rc = 0;
    for (int n = 0; !rc && gen_find_marker(b, DQT, n, &off, &nbytes); n++) {
        uint8_t wide[2 + 2 + 4 * 129], *o = wide + 4;
        for (size_t p = off + 4; p < off + nbytes && o < wide + sizeof(wide); p += 65) {
            *o++ = (uint8_t) (0x10 | b->data[p]);
            for (size_t k = 1; k < 65; k++) {
                *o++ = 0;
                *o++ = b->data[p + k];
            }
        }
        size_t size = (size_t) (o - wide);
        wide[0] = 0xFF;
        wide[1] = DQT;
        wide[2] = (uint8_t) ((size - 2) >> 8);
        wide[3] = (uint8_t) (size - 2);
        rc = gen_splice(b, off, nbytes, wide, size, err);
    }
    return rc;
}

static int merge_segments(struct pcr_buffer *b, int code, struct pcr_error *err)
{
    size_t off, nbytes, next, next_nbytes;
    int rc = 0;
    if (!gen_find_marker(b, code, 0, &off, &nbytes))
        return pcri_fail(err, PCR_ERR_INVAL, "no marker %02X to merge", (unsigned) code);
    while (!rc && gen_find_marker(b, code, 1, &next, &next_nbytes)) {
        uint8_t body[1024];
        size_t size = next_nbytes - 4;
        if (size > sizeof(body))
            return pcri_fail(err, PCR_ERR_INVAL, "segment %02X is too large to merge",
                             (unsigned) code);
        memcpy(body, b->data + next + 4, size);
        rc = gen_splice(b, next, next_nbytes, NULL, 0, err);
        if (!rc)
            rc = gen_splice(b, off + nbytes, 0, body, size, err);
        if (rc)
            break;
        nbytes += size;
        b->data[off + 2] = (uint8_t) ((nbytes - 2) >> 8);
        b->data[off + 3] = (uint8_t) (nbytes - 2);
    }
    return rc;
}

static int move_segment(struct pcr_buffer *b, size_t off, size_t nbytes, int before,
                        struct pcr_error *err)
{
    size_t to, to_nbytes;
    uint8_t *copy = pcri_malloc(nbytes, 1, err);
    if (!copy)
        return PCR_ERR_NOMEM;
    memcpy(copy, b->data + off, nbytes);
    int rc = gen_splice(b, off, nbytes, NULL, 0, err);
    if (!rc && !gen_find_marker(b, before & 0xFF, before >> 8, &to, &to_nbytes))
        rc = pcri_fail(err, PCR_ERR_INVAL, "no marker %02X to move to", (unsigned) before);
    if (!rc)
        rc = gen_splice(b, to, 0, copy, nbytes, err);
    free(copy);
    return rc;
}

static void change_frame_marker(struct pcr_buffer *b, uint8_t code)
{
    size_t off, nbytes;
    for (int sof = SOF0; sof <= SOF2; sof++)
        if (gen_find_marker(b, sof, 0, &off, &nbytes))
            b->data[off + 1] = code;
}

/* Steps that need one marker. */
static int edit_at_marker(const struct edit *e, uint64_t seed, struct pcr_buffer *b,
                          struct pcr_error *err)
{
    size_t off, nbytes;
    if (!gen_find_marker(b, e->marker, e->nth, &off, &nbytes))
        return pcri_fail(err, PCR_ERR_INVAL, "marker %02X number %d is not there",
                         (unsigned) e->marker, e->nth);
    switch (e->kind) {
    case EDIT_INSERT:
        return gen_splice(b, off, 0, e->bytes, e->nbytes, err);
    case EDIT_INSERT_AFTER:
        return gen_splice(b, off + nbytes, 0, e->bytes, e->nbytes, err);
    case EDIT_DROP:
        return gen_splice(b, off, nbytes, NULL, 0, err);
    case EDIT_PATCH:
        return gen_splice(b, off + (size_t) e->position, e->nbytes, e->bytes, e->nbytes, err);
    case EDIT_CUT:
        b->nbytes = off + (size_t) e->position;
        return 0;
    case EDIT_FLIP:
        flip_bits(b, off + nbytes, seed, e->position);
        return 0;
    default:
        return move_segment(b, off, nbytes, (int) e->position, err);
    }
}

static int apply(const struct edit *e, uint64_t seed, struct pcr_buffer *b,
                 struct pcr_error *err)
{
    switch (e->kind) {
    case EDIT_CUT_PERMILLE:
        b->nbytes = b->nbytes * (size_t) e->position / 1000;
        return 0;
    case EDIT_CUT_TAIL:
        b->nbytes -= (size_t) e->position;
        return 0;
    case EDIT_APPEND:
        return pcri_buffer_append(b, e->bytes, e->nbytes, err);
    case EDIT_FILL:
        return fill_markers(b, (size_t) e->position, err);
    case EDIT_WIDEN:
        return widen_tables(b, err);
    case EDIT_MERGE:
        return merge_segments(b, e->marker, err);
    case EDIT_SOF:
        change_frame_marker(b, (uint8_t) e->position);
        return 0;
    case EDIT_DROP:
        if (e->position < 0)
            return drop_all(b, e->marker, err);
        return edit_at_marker(e, seed, b, err);
    default:
        return edit_at_marker(e, seed, b, err);
    }
}

int gen_make_edited(const struct pcr_gen_case *c, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    const struct edited *spec = c->spec;
    int rc = gen_compose(spec->base, out, err);
    for (int i = 0; !rc && i < 6 && spec->steps[i].kind; i++)
        rc = apply(&spec->steps[i], spec->base->seed, out, err);
    return rc;
}
