/* SPDX-License-Identifier: BSD-2-Clause */
/* The input of the targets that parse heads: a fixed header, the head as it is when
 * decompressed (head_raw_nbytes of the header), and the groups. So a fuzzer need not find
 * its way through zstd. */
#ifndef PCR_FUZZ_RECORD_INPUT_H
#define PCR_FUZZ_RECORD_INPUT_H

#include "fuzz.h"
#include "record/record.h"

struct record_input {
    struct pcri_header header;
    struct pcri_head *head;
    const uint8_t *groups; /* what is there of them */
    size_t groups_nbytes;
};

static const struct pcr_limits record_limits = {
    .size = sizeof(record_limits),
    .max_samples = 1 << 16,
    .max_head_nbytes = 1 << 20,
    .max_sample_nbytes = 1 << 20,
};

/* NULL head where the input is refused. The caller destroys the head. */
static inline void record_input_parse(const uint8_t *data, size_t nbytes,
                                      struct record_input *in)
{
    struct pcr_buffer raw = { 0 };
    struct pcr_error err = { 0 };

    in->head = NULL;
    if (pcri_header_parse(data, nbytes, 0, &record_limits, PCRI_PARSE_NO_VERIFY, &in->header,
                          &err))
        return;
    size_t begin = (size_t) in->header.header_nbytes, left = nbytes - begin;
    size_t raw_nbytes = (size_t) in->header.head_raw_nbytes;
    if (raw_nbytes > left)
        raw_nbytes = left;
    if (pcri_buffer_append(&raw, data + begin, raw_nbytes, &err)) {
        pcr_buffer_free(&raw);
        return;
    }
    int rc = pcri_head_parse(&in->header, &raw, &record_limits, &in->head, &err);
    FUZZ_CHECK(rc <= 0 && !rc == (in->head != NULL), "%d", rc);
    FUZZ_CHECK(!rc || (err.code == rc && err.message[0]), "%d", rc);
    FUZZ_CHECK(!raw.data, "the raw head was not taken over");
    in->groups = data + begin + raw_nbytes;
    in->groups_nbytes = left - raw_nbytes;
}

#endif
