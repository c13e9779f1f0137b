/* SPDX-License-Identifier: BSD-2-Clause */
/* A packed image in its pieces: decoded at one fidelity and raised step by step, it is at each
 * the picture of the whole file, also where bytes of its groups were changed. The input is a JPEG
 * file after four bytes: from which fidelity, in which way, and which byte is changed by what. */
#include "fuzz.h"

#include <pcr/image.h>

#include "jpeg/coding.h"
#include "jpeg/ladder.h"

enum { WAYS = 6 };

static const struct pcr_limits limits = { .size = sizeof(limits), .max_pixels = 1 << 14,
                                          .max_scans = 24 };
static struct pcr_ladder *ladder;
static struct pcri_coder *coder;
static struct pcr_decoder *decoder, *other;
static struct pcr_buffer file, wanted, pixels;
static struct pcr_spans groups[PCRI_LADDER_MAX_GROUPS]; /* the first with the header */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    int rc = pcr_ladder_create(NULL, &ladder, NULL);
    if (!rc)
        rc = pcri_coder_create(&pcri_coding_scans, ladder, &limits, NULL, &coder, NULL);
    if (!rc)
        rc = pcr_decoder_create(&decoder, NULL);
    return rc ? rc : pcr_decoder_create(&other, NULL);
}

static bool lay_out(const struct pcri_packed *p)
{
    const uint8_t *s = p->strings.data, *b = p->bytes.data;
    int rc = 0;
    for (uint32_t g = 0; g < ladder->group_count; g++)
        groups[g].count = 0;
    for (uint32_t i = 0; !rc && i < p->item_count; s += p->items[i++].nbytes)
        rc = pcri_spans_add(&groups[0], s, p->items[i].nbytes, NULL);
    uint32_t piece = 0;
    for (uint32_t g = 0; g < ladder->group_count; g++)
        for (uint32_t k = 0; !rc && k < ladder->piece_counts[g]; k++, piece++) {
            const struct pcri_piece *q = &p->pieces[piece];
            rc = pcri_spans_add(&groups[g], s, q->string_nbytes, NULL);
            if (!rc)
                rc = pcri_spans_add(&groups[g], b, q->nbytes, NULL);
            s += q->string_nbytes;
            b += q->nbytes;
        }
    return !rc;
}

static struct pcr_decode_options way(uint8_t which)
{
    struct pcr_decode_options o = { .size = sizeof(o) }; /* a ladder may have more scans */
    switch (which % WAYS) {
    case 1: o.flags = PCR_DECODE_IDENTICAL; break;
    case 2: o.color = PCR_COLOR_GRAY; o.orientation = 6; break;
    case 3: o.scale = 3; o.flags = PCR_DECODE_PLANAR; break;
    case 4: o.crop_x = o.crop_y = 1; o.crop_width = o.crop_height = 3; break;
    default: break;
    }
    return o;
}

static bool append(const struct pcr_spans *spans)
{
    int rc = 0;
    for (uint32_t i = 0; !rc && i < spans->count; i++)
        rc = pcri_buffer_append(&file, spans->items[i].data, spans->items[i].nbytes, NULL);
    return !rc;
}

/* Groups 1..g as a file, decoded by a decoder of its own. */
static int decode_file(uint32_t g, const struct pcr_decode_options *o, struct pcr_error *err)
{
    file.nbytes = 0;
    for (uint32_t k = 0; k < g; k++)
        if (!append(&groups[k]))
            return PCR_ERR_NOMEM;
    if (pcri_buffer_append(&file, "\xFF\xD9", 2, NULL))
        return PCR_ERR_NOMEM;
    return pcr_decoder_decode_alloc(other, file.data, file.nbytes, o, &wanted, NULL, err);
}

static void check_rising(uint32_t from, struct pcr_decode_options o, bool damaged)
{
    struct pcr_spans start = { 0 };
    struct pcr_error err = { 0 }, file_err = { 0 };
    bool gone_on = true;
    for (uint32_t k = 0; k < from && gone_on; k++)
        for (uint32_t i = 0; i < groups[k].count && gone_on; i++)
            gone_on = !pcri_spans_add(&start, groups[k].items[i].data, groups[k].items[i].nbytes,
                                      NULL);
    o.ladder = ladder;
    for (uint32_t g = from; gone_on && g <= ladder->group_count; g++) {
        int rc = g == from ? pcr_decoder_decode_spans(decoder, &start, &o, &pixels, NULL, &err)
                           : pcr_decoder_continue(decoder, &groups[g - 1], &pixels, NULL, &err);
        int whole = decode_file(g, &o, &file_err);
        FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
        /* Of damage a piece may say more: what is stray in a file is none of a piece. */
        FUZZ_CHECK(damaged || !rc == !whole || rc == PCR_ERR_NOMEM || whole == PCR_ERR_NOMEM,
                   "fidelity %u from %u: %s, the file: %s", g, from,
                   rc ? err.message : "good", whole ? file_err.message : "good");
        FUZZ_CHECK(damaged || !rc || rc == PCR_ERR_UNSUPPORTED || rc == PCR_ERR_NOMEM ||
                   rc == PCR_ERR_INVAL, "%s", err.message);
        gone_on = !rc;
        if (gone_on && !whole)
            FUZZ_CHECK(pixels.nbytes == wanted.nbytes &&
                       !memcmp(pixels.data, wanted.data, wanted.nbytes),
                       "fidelity %u from %u: other pixels", g, from);
    }
    if (!gone_on) {
        int rc = pcr_decoder_continue(decoder, &groups[0], &pixels, NULL, &err);
        FUZZ_CHECK(rc == PCR_ERR_INVAL, "went on after an error: %d", rc);
    }
    pcr_spans_free(&start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcri_packed p;
    struct pcr_error err = { 0 };
    if (nbytes < 4)
        return 0;
    if (pcri_coder_pack(coder, NULL, data + 4, nbytes - 4, &p, &err))
        return 0;
    bool damaged = data[3] && p.bytes.nbytes;
    if (damaged)
        p.bytes.data[(data[1] * 256u + data[2]) % p.bytes.nbytes] ^= data[3];
    if (lay_out(&p))
        check_rising(1 + data[0] % ladder->group_count, way(data[0] / 16), damaged);
    pcri_packed_free(&p);
    return 0;
}
