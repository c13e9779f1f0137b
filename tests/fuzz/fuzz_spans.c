/* SPDX-License-Identifier: BSD-2-Clause */
/* An image of either coding in its pieces: decoded at one fidelity and raised step by step, it is
 * at each the picture of the file that it stands for, also where bytes of its groups or header were
 * changed. The input is a JPEG file after four bytes: which coding, from which fidelity, in which
 * way, and which byte is changed by what. */
#include "fuzz.h"

#include <pcr/image.h>

#include "coding/codings.h"
#include "jpeg/ladder.h"

enum { WAYS = 6 };

static const struct pcr_limits limits = { .size = sizeof(limits),
                                          .max_pixels = 1 << 14,
                                          .max_scans = 24 };
static struct pcr_ladder *ladders[2], *ladder; /* of scans, packed; and of the image */
static struct pcri_coder *coders[2];
static const struct pcri_coding *coding; /* of the image */
static bool header_damaged;
static struct pcr_decoder *decoder, *other;
static struct pcr_buffer written, file, wanted, pixels, flat;
static struct pcr_spans groups[PCRI_LADDER_MAX_GROUPS]; /* the first with the header */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < 2; i++) {
        rc = pcr_ladder_create(i ? "packed" : "bitplane", &ladders[i], NULL);
        if (!rc)
            rc = pcri_coder_create(pcri_coding_numbered(1 + i), ladders[i], &limits, NULL,
                                   &coders[i], NULL);
    }
    if (!rc)
        rc = pcr_decoder_create(&decoder, NULL);
    return rc ? rc : pcr_decoder_create(&other, NULL);
}

static bool lay_out(const struct pcri_coded *p)
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
    case 1:
        o.flags = PCR_DECODE_IDENTICAL;
        break;
    case 2:
        o.color = PCR_COLOR_GRAY;
        o.orientation = 6;
        break;
    case 3:
        o.scale = 3;
        o.flags = PCR_DECODE_PLANAR;
        break;
    case 4:
        o.crop_x = o.crop_y = 1;
        o.crop_width = o.crop_height = 3;
        break;
    default:
        break;
    }
    return o;
}

/* Groups 1..g as a file, decoded by a decoder of its own. */
static int decode_file(uint32_t g, const struct pcr_decode_options *o, struct pcr_error *err)
{
    static struct pcr_spans all;
    struct pcr_decode_options own = *o;
    int rc = 0;
    all.count = 0;
    for (uint32_t k = 0; k < g; k++)
        for (uint32_t i = 0; !rc && i < groups[k].count; i++)
            rc = pcri_spans_add(&all, groups[k].items[i].data, groups[k].items[i].nbytes,
                                NULL);
    if (!rc)
        rc = coding->to_jpeg(&all, &written, err);
    if (!rc)
        rc = pcri_spans_join(&all, &file, err);
    if (written.nbytes)
        own.ladder = NULL; /* it has all its tables, which no ladder's scans begin with */
    return rc ? rc
              : pcr_decoder_decode_alloc(other, file.data, file.nbytes, &own, &wanted, NULL,
                                         err);
}

/* What is written of them as baseline JPEG has the pixels of the file. */
static void check_baseline(uint32_t g, struct pcr_decode_options o, bool whole)
{
    const struct pcr_baseline_options b = { .size = sizeof(b), .ladder = ladder };
    struct pcr_spans all = { 0 };
    struct pcr_error err = { 0 };
    bool listed = true;
    for (uint32_t k = 0; k < g; k++)
        for (uint32_t i = 0; listed && i < groups[k].count; i++)
            listed = !pcri_spans_add(&all, groups[k].items[i].data, groups[k].items[i].nbytes,
                                     NULL);
    int rc = listed ? pcr_decoder_baseline(other, &all, &b, &flat, &err) : PCR_ERR_NOMEM;
    pcr_spans_free(&all);
    FUZZ_CHECK(rc <= 0 && (!rc || !listed || (err.code == rc && err.message[0])), "%d", rc);
    FUZZ_CHECK(!rc || !whole || rc == PCR_ERR_NOMEM, "%s", err.message);
    if (rc || !whole)
        return;
    o.flags |= PCR_DECODE_IDENTICAL;
    if (pcr_decoder_decode_alloc(other, file.data, file.nbytes, &o, &wanted, NULL, NULL))
        return;
    rc = pcr_decoder_decode_alloc(other, flat.data, flat.nbytes, &o, &pixels, NULL, &err);
    FUZZ_CHECK(!rc || rc == PCR_ERR_NOMEM, "%s", err.message);
    FUZZ_CHECK(rc || (pixels.nbytes == wanted.nbytes &&
                      !memcmp(pixels.data, wanted.data, wanted.nbytes)),
               "fidelity %u as baseline: other pixels", g);
}

static void check_rising(uint32_t from, struct pcr_decode_options o, bool damaged)
{
    struct pcr_spans start = { 0 };
    struct pcr_error err = { 0 }, file_err = { 0 };
    bool gone_on = true;
    for (uint32_t k = 0; k < from && gone_on; k++)
        for (uint32_t i = 0; i < groups[k].count && gone_on; i++)
            gone_on = !pcri_spans_add(&start, groups[k].items[i].data,
                                      groups[k].items[i].nbytes, NULL);
    o.ladder = ladder;
    for (uint32_t g = from; gone_on && g <= ladder->group_count; g++) {
        int rc = g == from
                     ? pcr_decoder_decode_spans(decoder, &start, &o, &pixels, NULL, &err)
                     : pcr_decoder_continue(decoder, &groups[g - 1], &pixels, NULL, &err);
        int whole = decode_file(g, &o, &file_err);
        FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
        /* Of damage a piece may say more: what is stray in a file is none of a piece. */
        FUZZ_CHECK(damaged || !rc == !whole || rc == PCR_ERR_NOMEM || whole == PCR_ERR_NOMEM,
                   "fidelity %u from %u: %s, the file: %s", g, from, rc ? err.message : "good",
                   whole ? file_err.message : "good");
        FUZZ_CHECK(damaged || !rc || rc == PCR_ERR_UNSUPPORTED || rc == PCR_ERR_NOMEM ||
                       rc == PCR_ERR_INVAL,
                   "%s", err.message);
        gone_on = !rc;
        if (gone_on && !whole && !header_damaged)
            FUZZ_CHECK(pixels.nbytes == wanted.nbytes &&
                           !memcmp(pixels.data, wanted.data, wanted.nbytes),
                       "fidelity %u from %u: other pixels", g, from);
    }
    struct pcr_decode_options of_file = o;
    of_file.ladder = NULL;
    check_baseline(from, of_file, !decode_file(from, &of_file, &file_err) && !damaged);
    if (!gone_on) {
        int rc = pcr_decoder_continue(decoder, &groups[0], &pixels, NULL, &err);
        FUZZ_CHECK(rc == PCR_ERR_INVAL, "went on after an error: %d", rc);
    }
    pcr_spans_free(&start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcri_coded p;
    struct pcr_error err = { 0 };
    if (nbytes < 4)
        return 0;
    uint32_t which = data[0] >> 7;
    ladder = ladders[which];
    if (pcri_coder_encode(coders[which], NULL, data + 4, nbytes - 4, &p, &err))
        return 0;
    coding = pcri_coding_numbered(p.coding);
    bool damaged = data[3] && p.bytes.nbytes;
    size_t at = data[1] * 256u + data[2];
    /* A damaged header may have another reading as a file than in its pieces. */
    header_damaged = damaged && at & 1;
    if (header_damaged)
        p.strings.data[at / 2 % p.strings.nbytes] ^= data[3];
    else if (damaged)
        p.bytes.data[at / 2 % p.bytes.nbytes] ^= data[3];
    if (lay_out(&p))
        check_rising(1 + data[0] % 16 % ladder->group_count, way(data[0] / 16 % 8), damaged);
    pcri_coded_free(&p);
    return 0;
}
