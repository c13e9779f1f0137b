/* SPDX-License-Identifier: BSD-2-Clause */
/* pcr_decoder_baseline(): an image's coefficients as a baseline JPEG, without pixels. */
#include "../residual/residual.h"
#include "image.h"
#include "judge.h"
#include "own_segments.h"

enum { DEFAULT_RESTART_ROWS = 1, HELD_NBYTES = 8 /* a pixel, as for decoding */ };

static int take_options(const struct pcr_baseline_options *opts,
                        struct pcr_baseline_options *out, struct pcri_decode_params *params,
                        struct pcr_error *err)
{
    int rc = pcri_options_copy(out, sizeof(*out), opts, "pcr_baseline_options", err);
    if (!rc)
        rc = pcri_flags_check("pcr_baseline_options", out->flags, 0, err);
    if (!rc && out->reserved)
        rc = pcri_fail(err, PCR_ERR_INVAL, "baseline options reserved is %u, expected 0",
                       (unsigned) out->reserved);
    if (rc || (rc = pcri_limits_take(out->limits, &params->limits, err)))
        return rc;
    pcri_limits_fill(&params->limits);
    params->ladder = out->ladder;
    if (!out->restart_rows)
        out->restart_rows = DEFAULT_RESTART_ROWS;
    if (out->restart_rows == PCR_NO_RESTARTS)
        out->restart_rows = 0;
    return 0;
}

bool pcri_is_own_segment(const struct pcri_coding *coding, const struct pcri_walked *s)
{
    enum { MARKER_AT = 3, NAME_AT = 6, NAME_NBYTES = 3 };
    return coding->magic_nbytes >= NAME_AT + NAME_NBYTES &&
           s->marker == coding->magic[MARKER_AT] && s->nbytes >= NAME_NBYTES &&
           !memcmp(s->payload, coding->magic + NAME_AT, NAME_NBYTES);
}

/* Quantisation tables as a header's segments have them. */
struct tables {
    uint16_t steps[4][64];
    bool defined[4], wide; /* wide: of 16 bits, which baseline does not have */
};

static bool read_tables(const struct pcri_walked *s, struct tables *t)
{
    for (size_t at = 0; at < s->nbytes;) {
        unsigned bytes = (s->payload[at] >> 4) + 1u, slot = s->payload[at] & 15;
        if (bytes > 2 || slot > 3 || s->nbytes - at - 1 < 64 * (size_t) bytes)
            return false;
        const uint8_t *p = s->payload + at + 1;
        for (int k = 0; k < 64; k++, p += bytes)
            t->steps[slot][k] = (uint16_t) (bytes > 1 ? p[0] << 8 | p[1] : p[0]);
        t->defined[slot] = true;
        t->wide |= bytes > 1;
        at += 1 + 64 * (size_t) bytes;
    }
    return true;
}

static bool is_frame(uint8_t marker)
{
    return marker >= M_SOF0 && marker <= M_SOF2;
}

/* Does the header itself have the frame and the tables that were parsed? Some come later. */
static bool is_whole(const struct pcr_spans *header, const struct pcri_jpeg_file *f,
                     struct tables *t)
{
    struct pcri_segment_walk w = pcri_segment_walk(header);
    struct pcri_walked s;
    uint32_t frames = 0;
    bool whole = true;
    *t = (struct tables) { 0 };
    while (whole && pcri_segment_next(&w, &s)) {
        frames += is_frame(s.marker);
        whole = s.marker != M_DQT || read_tables(&s, t);
    }
    for (uint32_t i = 0; whole && i < f->component_count; i++) {
        uint8_t slot = f->components[i].quant_slot;
        whole = t->defined[slot] &&
                !memcmp(t->steps[slot], f->quant[slot], sizeof(f->quant[slot]));
    }
    return whole && frames == 1;
}

/* SOI, metadata, and where the header has them quantisation and frame, all in their places;
 * *framed_out: it has them. */
static int copy_header(const struct pcri_coding *coding, const struct pcr_spans *spans,
                       const struct pcri_jpeg_file *f, bool *framed_out,
                       struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_spans header = *spans; /* a part of the list */
    struct pcri_walked s;
    struct tables t;
    if (coding->header_spans)
        header.count = coding->header_spans(spans);
    *framed_out = is_whole(&header, f, &t);
    struct pcri_segment_walk w = pcri_segment_walk(&header);
    int rc = pcri_buffer_append(out, "\xFF\xD8", 2, err);
    while (!rc && pcri_segment_next(&w, &s)) {
        bool metadata = (s.marker >= M_APP0 && s.marker <= M_APP0 + 15) || s.marker == M_COM;
        bool frame = *framed_out && is_frame(s.marker);
        uint8_t marker = !frame ? s.marker : t.wide ? M_SOF1 : M_SOF0;
        if (frame || (*framed_out && s.marker == M_DQT) ||
            (metadata && !pcri_is_own_segment(coding, &s)))
            rc = pcri_segment_append(marker, s.payload, s.nbytes, out, err);
    }
    return rc;
}

int pcri_check_blocks(const struct pcri_jpeg_file *f, uint64_t max_pixels,
                      struct pcr_error *err)
{
    uint64_t held = pcri_block_count(f) * 64 * sizeof(int16_t);
    if ((uint64_t) f->width * f->height <= max_pixels && held / HELD_NBYTES <= max_pixels)
        return 0;
    return pcri_fail(err, PCR_ERR_LIMIT, "%u x %u pixels, at most %llu allowed",
                     (unsigned) f->width, (unsigned) f->height,
                     (unsigned long long) max_pixels);
}

static int make(struct pcr_decoder *d, const struct pcri_coding *coding,
                const struct pcr_spans *spans, const struct pcri_decode_params *params,
                uint32_t restart_rows, struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcri_native_blocks b;
    bool framed;
    int rc = pcri_native_open(d->states[0], spans, params, &b, err);
    if (!rc)
        rc = pcri_check_blocks(b.source->file, params->limits.max_pixels, err);
    if (!rc)
        rc = b.decoder->run(b.state, err);
    if (!rc)
        rc = copy_header(coding, spans, b.source->file, &framed, out, err);
    if (!rc && !framed)
        rc = pcri_baseline_frame(b.source->file, out, err);
    if (!rc)
        rc = pcri_baseline_write(&d->baseline, b.source, restart_rows, out, err);
    int damaged = b.decoder && !rc ? b.decoder->finish(b.state, err) : 0;
    return rc ? rc : damaged;
}

int pcr_decoder_baseline(struct pcr_decoder *d, const struct pcr_spans *spans,
                         const struct pcr_baseline_options *opts, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    struct pcr_baseline_options o;
    struct pcri_decode_params params = { .scale = 8 };
    if (!d || !spans || !out)
        return pcri_fail(err, PCR_ERR_INVAL, "no decoder, no spans or no buffer");
    int rc = take_options(opts, &o, &params, err);
    if (rc)
        return rc;
    pcri_decoder_close(d);
    if (!spans->count || !spans->items[0].data)
        return pcri_fail(err, PCR_ERR_TRUNCATED, "image of 0 bytes: an empty file");
    int of = pcri_coding_of_bytes(spans->items[0].data, spans->items[0].nbytes);
    if (of < 0)
        return pcri_fail(err, PCR_ERR_FORMAT, "no JPEG image");
    if (pcri_rs_find(spans).data)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "no JPEG has the exact pixels of full fidelity: ask for a lower one");
    out->nbytes = 0;
    return make(d, pcri_codings[of], spans, &params, o.restart_rows, out, err);
}
