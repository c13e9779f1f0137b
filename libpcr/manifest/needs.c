/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding out what a dataset's readers need, and giving it to those that set no limit. */
#include "needs.h"

static void at_least(uint64_t *n, uint64_t value)
{
    if (*n < value)
        *n = value;
}

void pcri_needs_add(struct pcri_needs *n, const struct pcri_needs *more)
{
    at_least(&n->pixels, more->pixels);
    at_least(&n->samples, more->samples);
    at_least(&n->sample_nbytes, more->sample_nbytes);
    at_least(&n->head_nbytes, more->head_nbytes);
}

static void add_pixels(struct pcri_needs *n, uint64_t width, uint64_t height,
                       uint64_t max_pixels)
{
    if (width * height <= max_pixels)
        at_least(&n->pixels, width * height);
}

void pcri_needs_add_coded(struct pcri_needs *n, const struct pcri_coded *p,
                          uint64_t max_pixels)
{
    add_pixels(n, p->width, p->height, max_pixels);
    at_least(&n->sample_nbytes, (uint64_t) p->strings.nbytes + p->bytes.nbytes + 2);
}

void pcri_needs_add_header(struct pcri_needs *n, const struct pcri_header *h)
{
    at_least(&n->samples, h->sample_count);
    at_least(&n->head_nbytes, h->head_raw_nbytes);
    at_least(&n->head_nbytes, h->tail_raw_nbytes);
}

void pcri_needs_add_head(struct pcri_needs *n, const struct pcri_head *h, uint64_t max_pixels)
{
    for (uint32_t i = 0; i < h->sample_count; i++) {
        add_pixels(n, h->width[i], h->height[i], max_pixels);
        at_least(&n->sample_nbytes, pcri_head_sample_nbytes(h, i));
    }
}

void pcri_needs_settle(struct pcri_needs *n)
{
    struct pcr_limits l = { 0 };
    pcri_limits_fill(&l);
    n->pixels = n->pixels > l.max_pixels ? n->pixels : 0;
    n->samples = n->samples > l.max_samples ? n->samples : 0;
    n->sample_nbytes = n->sample_nbytes > l.max_sample_nbytes ? n->sample_nbytes : 0;
    n->head_nbytes = n->head_nbytes > l.max_head_nbytes ? n->head_nbytes : 0;
}

void pcri_needs_raise(const struct pcri_needs *n, struct pcr_limits *limits)
{
    struct pcri_needs beyond = *n;
    pcri_needs_settle(&beyond);
    if (!limits->max_pixels)
        limits->max_pixels = beyond.pixels;
    if (!limits->max_samples)
        limits->max_samples = (uint32_t) beyond.samples;
    if (!limits->max_sample_nbytes)
        limits->max_sample_nbytes = beyond.sample_nbytes;
    if (!limits->max_head_nbytes)
        limits->max_head_nbytes = beyond.head_nbytes;
}
