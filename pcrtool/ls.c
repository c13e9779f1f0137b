/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool ls: one line for each sample. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "commands.h"
#include "input.h"
#include "output.h"

struct ls_settings {
    const char *split, *class_name;
    uint64_t fidelity, limit;
    bool json;
};

/* A JSON value on a line of its own, whatever the output is. */
static int print_json_line(const struct pcrtool_input *in, json_t *object, int digits)
{
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION((size_t) digits);
    if (!pcrtool_json_write(stdout, object, flags))
        return PCRTOOL_DONE;
    pcrtool_error(in->command, "cannot print JSON: %s", strerror(errno));
    return PCRTOOL_FAILED;
}

static int print_as_json(const struct pcrtool_input *in, const struct pcr_sample_info *info,
                         const struct pcr_sample *sample)
{
    json_t *nbytes = json_array();
    for (uint32_t g = 1; g <= in->info.group_count; g++)
        json_array_append_new(nbytes, json_integer((json_int_t) pcr_sample_nbytes(sample, g)));
    json_t *object = json_pack(
        "{sI ss sI sI sI si si si sI so}", "index", (json_int_t) info->index, "coding",
        pcr_coding_name(info->coding), "record", (json_int_t) info->record, "record_index",
        (json_int_t) info->record_index, "source_nbytes", (json_int_t) info->source_nbytes,
        "width", (int) info->width, "height", (int) info->height, "components",
        (int) info->component_count, "orientation", (json_int_t) info->orientation, "nbytes",
        nbytes);
    pcrtool_json_set_text(object, "key", info->key, info->key_nbytes);
    pcrtool_json_set_labels(object, in, info);
    int rc = pcrtool_json_set_attributes(object, in, sample);
    if (!rc)
        return print_json_line(in, object, pcrtool_label_digits(info));
    json_decref(object);
    return rc;
}

static void print_as_text(const struct pcrtool_input *in, const struct pcr_sample_info *info,
                          const struct pcr_sample *sample, uint32_t fidelity)
{
    printf("%" PRIu64 "\t%" PRIu64 "\t", info->index, pcr_sample_nbytes(sample, fidelity));
    if (info->width)
        printf("%" PRIu32 "x%" PRIu32, info->width, info->height);
    else
        putchar('-');
    printf("\t%s\t", pcr_coding_name(info->coding));
    pcrtool_print_labels(stdout, in, info);
    putchar('\t');
    pcrtool_print_name(stdout, info->key, info->key_nbytes);
    putchar('\n');
}

static int list(const struct pcrtool_input *in, const struct ls_settings *set,
                uint32_t fidelity)
{
    uint64_t listed = 0;
    for (uint64_t i = 0; i < in->info.sample_count; i++) {
        struct pcr_sample *sample = NULL;
        struct pcr_sample_info info;
        struct pcr_error err;
        int rc = PCRTOOL_DONE;

        if (set->limit && listed == set->limit)
            break;
        if (pcrtool_input_sample(in, i, &sample, &info, &err))
            return pcrtool_failed(in->command, &err);
        if (pcrtool_input_wants(in, &info)) {
            listed++;
            if (set->json)
                rc = print_as_json(in, &info, sample);
            else
                print_as_text(in, &info, sample, fidelity);
        }
        pcr_sample_release(&sample);
        if (rc || ferror(stdout))
            return rc;
    }
    return PCRTOOL_DONE;
}

static int run_ls(const struct pcrtool_args *args)
{
    const struct ls_settings *set = args->settings;
    struct pcrtool_input in;
    uint32_t fidelity = 0;
    int rc = pcrtool_input_open(&in, args->command, args->operands[0], set->split,
                                set->class_name, NULL);
    if (rc)
        return rc;
    rc = pcrtool_input_fidelity(&in, set->fidelity, &fidelity);
    if (!rc)
        rc = list(&in, set, fidelity);
    pcrtool_input_close(&in);
    return rc;
}

#define SETTING(member) .offset = offsetof(struct ls_settings, member)

static const struct pcrtool_option options[] = {
    { "split", "NAME", "only this split", PCRTOOL_TEXT, SETTING(split) },
    { "class", "NAME", "only this class: its name or number", PCRTOOL_TEXT,
      SETTING(class_name) },
    { "fidelity", "G", "count the bytes of this fidelity (default: the highest)",
      PCRTOOL_NUMBER, SETTING(fidelity), .letter = 'g', .min = 1,
      .max = PCRTOOL_MAX_FIDELITY },
    { "limit", "N", "at most N samples", PCRTOOL_NUMBER, SETTING(limit), .letter = 'n',
      .min = 1 },
    { "json", NULL, "print one JSON object per line, with the bytes of every fidelity",
      PCRTOOL_FLAG, SETTING(json) },
    { 0 },
};

const struct pcrtool_command pcrtool_ls = {
    .name = "ls",
    .summary = "List the samples of a dataset or record",
    .operands = "DATASET",
    .description =
        "Prints one line per sample, separated by tabs: index, bytes, width x height as\n"
        "stored, coding (scans, packed or opaque), labels, key. Reads no image bytes.\n",
    .examples = "  pcrtool ls photos.pcr --limit 10\n"
                "  pcrtool ls photos.pcr --split train --class cat --fidelity 2\n"
                "  pcrtool ls photos.pcr --json | grep '\"orientation\":6'\n",
    .options = options,
    .settings_nbytes = sizeof(struct ls_settings),
    .operand_min = 1,
    .operand_max = 1,
    .run = run_ls,
};
