/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a record's head: all that an accepted one says is within bounds. */
#include "record_input.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

/* Reads every byte, so that sanitizers see each that is out of bounds. */
static volatile uint64_t sink;

static void touch(const void *p, size_t nbytes)
{
    sink += pcri_xxh3(p, nbytes);
}

static void check_sample(const struct pcri_head *h, uint32_t i)
{
    uint32_t n;
    const char *key = pcri_text(&h->keys, i, &n);
    FUZZ_CHECK(strlen(key) == n, "key of %u bytes", n);
    struct pcr_buffer attributes = { 0 };
    if (!pcri_attributes_text(h->attributes, i, &attributes, NULL)) {
        json_t *object = NULL;
        FUZZ_CHECK(!pcri_json_parse((const char *) attributes.data, attributes.nbytes, 0,
                                    &object, NULL, NULL) &&
                       json_is_object(object),
                   "attributes %s", (const char *) attributes.data);
        json_decref(object);
    }
    pcr_buffer_free(&attributes);
    FUZZ_CHECK(h->components[i] <= 4 && h->orientation[i] - 1u < 8 &&
                   h->coded_groups[i] >= 1 && h->coded_groups[i] <= h->group_count,
               "sample %u", i);
    FUZZ_CHECK(h->label_first[i] <= h->label_first[i + 1], "labels of %u", i);
    for (uint32_t k = h->label_first[i]; k < h->label_first[i + 1]; k++)
        sink += (uint64_t) h->labels[k];
    uint32_t float_count = 0;
    if (h->float_labels) {
        const uint32_t *first = h->float_label_first + i;
        FUZZ_CHECK(first[0] <= first[1], "float labels of %u", i);
        float_count = first[1] - first[0];
        touch(h->float_labels + first[0], float_count * sizeof(*h->float_labels));
    }
    FUZZ_CHECK(!float_count || h->label_first[i] == h->label_first[i + 1],
               "labels of both kinds of %u", i);
    for (uint32_t k = h->item_first[i]; k < h->item_first[i + 1]; k++)
        FUZZ_CHECK(h->items[k] & 1 || h->items[k] / 2 < h->dictionary.count, "item %u", k);
    for (uint32_t p = 0; p < h->piece_count; p++) {
        size_t cell = (size_t) p * h->sample_count + i;
        FUZZ_CHECK(h->piece_string[cell] <= h->dictionary.count, "piece %u", p);
        sink += h->piece_nbytes[cell];
    }
    for (uint32_t g = 0; g < h->group_count; g++) {
        uint64_t begin = pcri_chunk_offset(h, g, i), end = pcri_chunk_offset(h, g, i + 1);
        FUZZ_CHECK(begin <= end && end <= h->group_begin[g + 1] - h->group_begin[g],
                   "sample %u, group %u", i, g);
        sink += h->check[(size_t) g * h->sample_count + i];
    }
    sink += h->width[i] + h->height[i] + h->sampling[i] + h->script[i] + h->source_nbytes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct record_input in;
    record_input_parse(data, nbytes, &in);
    struct pcri_head *h = in.head;
    if (!h)
        return 0;
    FUZZ_CHECK(h->sample_count == in.header.sample_count, "%u samples", h->sample_count);
    for (uint32_t i = 0; i < h->sample_count; i++)
        check_sample(h, i);
    for (uint32_t i = 0; i < h->dictionary.count; i++)
        touch(h->dictionary.bytes + h->dictionary.offsets[i],
              (size_t) pcri_string_nbytes(&h->dictionary, i));
    if (h->ladder)
        touch(h->ladder, strlen(h->ladder));
    for (uint32_t g = 0; g < h->group_count; g++)
        FUZZ_CHECK(pcri_chunk_offset(h, g, h->sample_count) ==
                       h->group_begin[g + 1] - h->group_begin[g],
                   "group %u", g);
    FUZZ_CHECK(pcri_head_footprint(h) >= sizeof(*h), "%zu", pcri_head_footprint(h));
    pcri_head_destroy(&h);
    return 0;
}
