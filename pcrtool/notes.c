/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dataset's writer noted about samples: read, listed, and summed up. */
#include "notes.h"

#include <inttypes.h>
#include <string.h>

#include "output.h"

/* Adds the objects of a record's lines, with each sample's index in the dataset. */
static int add_lines(json_t *notes, const struct pcr_buffer *lines, uint64_t first_sample)
{
    const char *p = (const char *) lines->data, *end = p + lines->nbytes;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t) (end - p));
        json_t *note = json_loadb(p, (size_t) (lf - p), 0, NULL);
        json_int_t index = json_integer_value(json_object_get(note, "index"));
        if (json_object_set_new(note, "index",
                                json_integer((json_int_t) first_sample + index)) ||
            json_array_append_new(notes, note))
            return -1;
        p = lf + 1;
    }
    return 0;
}

int pcrtool_notes_read(const struct pcrtool_input *in, json_t **out)
{
    struct pcr_buffer lines = { 0 };
    struct pcr_error err;
    int rc = PCRTOOL_DONE;
    *out = json_array();
    for (uint64_t r = 0; !rc && r < in->info.record_count; r++) {
        struct pcr_record_info record = { .size = sizeof(record) };
        if (pcr_dataset_record(in->dataset, r, &record, &err) ||
            pcr_dataset_record_notes(in->dataset, r, &lines, &err)) {
            rc = pcrtool_failed(in->command, &err);
        } else if (!*out || (lines.nbytes && add_lines(*out, &lines, record.first_sample))) {
            pcrtool_error(in->command, "out of memory");
            rc = PCRTOOL_FAILED;
        }
    }
    pcr_buffer_free(&lines);
    return rc;
}

static void print_note(const json_t *note)
{
    static const char *const members[] = { "undecodable", "salvaged", "unrestorable",
                                           "encoded", "dropped" };
    const char *key = json_string_value(json_object_get(note, "key"));
    for (size_t i = 0; key && i < 5; i++) {
        const char *text = json_string_value(json_object_get(note, members[i]));
        if (!text)
            continue;
        pcrtool_print_name(stdout, key, strlen(key));
        printf(": %s: ", members[i]);
        pcrtool_print_name(stdout, text, strlen(text));
        if (i == 4)
            printf(", %" JSON_INTEGER_FORMAT " bytes",
                   json_integer_value(json_object_get(note, "dropped_nbytes")));
        putchar('\n');
    }
}

void pcrtool_notes_print(const json_t *notes)
{
    for (size_t i = 0; i < json_array_size(notes); i++)
        print_note(json_array_get(notes, i));
}

void pcrtool_originals_print(const char *title, const struct pcr_dataset_info *info)
{
    char size[PCRTOOL_SIZE_NBYTES];
    if (info->originals)
        printf("%s%sfiles can be restored byte for byte, by %s (%.2f%%) in tails\n", title,
               info->salvaged_count ? "all but salvaged " : "",
               pcrtool_size(size, info->tail_nbytes),
               pcrtool_percent(info->tail_nbytes, info->source_nbytes));
}

void pcrtool_notes_summary(const struct pcr_dataset_info *info)
{
    char size[PCRTOOL_SIZE_NBYTES];
    if (info->undecodable_count)
        printf("undecodable  %" PRIu64 " sample(s) kept whole that no decoder here can show\n",
               info->undecodable_count);
    if (info->salvaged_count)
        printf("salvaged     %" PRIu64
               " sample(s) from damaged files, as far as they decode\n",
               info->salvaged_count);
    pcrtool_originals_print("originals    ", info);
    if (info->unrestorable_count)
        printf("whole        %" PRIu64 " sample(s) that would take too much to restore\n",
               info->unrestorable_count);
    if (info->dropped_count)
        printf("dropped      %s after the image in %" PRIu64 " file(s)\n",
               pcrtool_size(size, info->dropped_nbytes), info->dropped_count);
    if (info->skipped_count)
        printf("skipped      %" PRIu64 " bad input(s)\n", info->skipped_count);
}
