/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample's spans and file from its chunks, by its coding (docs/FORMAT.md 3.4). */
#include <pcr/dataset.h>

#include "../coding/codings.h"
#include "../image/exact.h"
#include "../residual/residual.h"
#include "materialise.h"

/* NULL: the sample is opaque. */
static int find_coding(const struct pcri_head *h, uint32_t i, const struct pcri_coding **out,
                       struct pcr_error *err)
{
    *out = NULL;
    return h->coding[i] == PCRI_CODING_OPAQUE ? 0 : pcri_coding_find(h->coding[i], out, err);
}

const char *pcr_coding_name(uint32_t coding)
{
    const struct pcri_coding *c = pcri_coding_numbered(coding);
    return coding == PCR_CODING_OPAQUE ? "opaque" : c ? c->name : "unknown";
}

/* Whether there is a residual is said twice. */
static int check_residual(const struct pcri_head *h, uint32_t i, uint32_t g,
                          const struct pcr_spans *spans, struct pcr_error *err)
{
    const bool wanted = h->exact[i] && g == h->group_count;
    return wanted == (pcri_rs_find(spans).data != NULL)
               ? 0
               : pcri_fail(err, PCR_ERR_CORRUPT,
                           wanted ? "it lacks its residual"
                                  : "a residual that its coding lacks");
}

int pcri_known_spans(const struct pcri_head *h, uint32_t i, uint32_t after, uint32_t g,
                     const uint8_t *const chunks[], struct pcr_spans *out,
                     struct pcr_error *err)
{
    const struct pcri_coding *coding;
    int rc = find_coding(h, i, &coding, err);
    if (!rc)
        rc = pcri_sample_spans(h, i, after, g, chunks, out, err);
    return rc || !coding || after ? rc : check_residual(h, i, g, out, err);
}

/* Makes the file of an exact picture's spans, which becomes the only one. */
static int write_png(struct pcr_spans *spans, struct pcr_buffer *memory, struct pcr_error *err)
{
    int rc = pcri_exact_png(spans, memory, err);
    spans->count = 0;
    return rc ? rc : pcri_spans_add(spans, memory->data, memory->nbytes, err);
}

int pcri_materialise_spans(const struct pcri_head *h, uint32_t i, uint32_t g,
                           const uint8_t *const chunks[], struct pcr_spans *out,
                           struct pcr_buffer *memory, struct pcr_error *err)
{
    const struct pcri_coding *coding;
    int rc = find_coding(h, i, &coding, err);
    if (!rc)
        rc = pcri_known_spans(h, i, 0, g, chunks, out, err);
    if (rc || !coding)
        return rc;
    return h->exact[i] && g == h->group_count ? write_png(out, memory, err)
                                              : coding->to_jpeg(out, memory, err);
}

int pcri_materialise(const struct pcri_head *h, uint32_t i, uint32_t g,
                     const uint8_t *const chunks[], struct pcr_buffer *out,
                     struct pcr_error *err)
{
    struct pcr_spans spans = { 0 };
    struct pcr_buffer memory = { 0 };
    int rc = pcri_materialise_spans(h, i, g, chunks, &spans, &memory, err);
    if (!rc)
        rc = pcri_spans_join(&spans, out, err);
    pcr_spans_free(&spans);
    pcr_buffer_free(&memory);
    return rc;
}
