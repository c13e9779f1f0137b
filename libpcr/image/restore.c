/* SPDX-License-Identifier: BSD-2-Clause */
/* The source file of a coded image, byte for byte: its header, its coefficients, and what else its
 * record has of it. */
#include "../jpeg/segment_walk.h"
#include "image.h"
#include "judge.h"
#include "own_segments.h"

/* SOI and the segments that are not the coding's own. Those of a scan begin with its tables. */
static int collect_header(const struct pcri_coding *coding, const struct pcr_spans *spans,
                          struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_spans header = *spans; /* a part of the list */
    struct pcri_walked s;
    if (coding->header_spans)
        header.count = coding->header_spans(spans);
    struct pcri_segment_walk w = pcri_segment_walk(&header);
    out->nbytes = 0;
    int rc = pcri_buffer_append(out, "\xFF\xD8", 2, err);
    while (!rc && pcri_segment_next(&w, &s) && s.marker != M_DHT)
        if (!pcri_is_own_segment(coding, &s))
            rc = pcri_segment_append(s.marker, s.payload, s.nbytes, out, err);
    return rc;
}

int pcri_decoder_restore(struct pcr_decoder *d, const struct pcr_spans *spans,
                         const struct pcr_limits *limits, const struct pcr_span *program,
                         uint64_t nbytes, struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcri_decode_params params = { .scale = 8, .limits = *limits };
    struct pcri_restore_input in = { .program = program->data,
                                     .program_nbytes = program->nbytes,
                                     .max_nbytes = nbytes };
    struct pcri_native_blocks b = { 0 };
    pcri_decoder_close(d);
    int of = spans->count ? pcri_coding_of_bytes(spans->items[0].data, spans->items[0].nbytes)
                          : -1;
    if (of < 0)
        return pcri_fail(err, PCR_ERR_CORRUPT, "a coded sample that is no JPEG image");
    int rc = pcri_native_open(d->states[0], spans, &params, &b, err);
    if (!rc)
        rc = pcri_check_blocks(b.source->file, limits->max_pixels, err);
    if (!rc)
        rc = b.decoder->run(b.state, err);
    if (!rc)
        rc = collect_header(pcri_codings[of], spans, &d->written, err);
    in.header = (struct pcr_span) { d->written.data, d->written.nbytes };
    in.source = b.source;
    if (!rc)
        rc = pcri_restore_run(&d->restorer, &in, out, err);
    int damaged = b.decoder && !rc ? b.decoder->finish(b.state, err) : 0;
    return rc ? rc : damaged;
}
