/* SPDX-License-Identifier: BSD-2-Clause */
/* What subcommands that read have in common: opening, choosing and naming samples. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "output.h"

/* Only decimal digits. */
static bool parse_index(const char *text, uint64_t *out)
{
    uint64_t v = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t) (*text - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

static int find_class(struct pcrtool_input *in, const char *name)
{
    uint64_t index;
    in->has_class = true;
    for (uint32_t i = 0; i < in->info.class_count; i++) {
        if (!strcmp(pcr_dataset_class_name(in->dataset, i), name)) {
            in->class_index = i;
            return PCRTOOL_DONE;
        }
    }
    if (!in->info.class_count) {
        pcrtool_error(in->command, "--class %s: the dataset has no classes", name);
        return PCRTOOL_USAGE;
    }
    if (!parse_index(name, &index) || index >= in->info.class_count) {
        pcrtool_error(in->command,
                      "--class %s: neither the name of a class nor a number below %" PRIu32
                      "; pcrtool info lists the classes",
                      name, in->info.class_count);
        return PCRTOOL_USAGE;
    }
    in->class_index = (uint32_t) index;
    return PCRTOOL_DONE;
}

int pcrtool_input_open(struct pcrtool_input *in, const struct pcrtool_command *command,
                       const char *path, const char *split, const char *class_name,
                       const struct pcr_limits *limits)
{
    struct pcr_error err;
    const struct pcr_dataset_options options = { .size = sizeof(options),
                                                 .split = split,
                                                 .limits = limits };

    memset(in, 0, sizeof(*in));
    in->command = command;
    in->info.size = sizeof(in->info);
    int opened = pcr_dataset_open(path, &options, &in->dataset, &err);
    if (opened == PCR_ERR_INVAL && split) { /* as for a class that does not exist */
        pcrtool_error(command, "--split %s: %s", split, err.message);
        return PCRTOOL_USAGE;
    }
    if (opened)
        return pcrtool_failed(command, &err);

    int rc = PCRTOOL_DONE;
    if (pcr_dataset_describe(in->dataset, &in->info, &err))
        rc = pcrtool_failed(command, &err);
    else if (class_name)
        rc = find_class(in, class_name);
    if (rc)
        pcrtool_input_close(in);
    return rc;
}

struct pcr_system_info pcrtool_system(void)
{
    struct pcr_system_info info = { .size = sizeof(info) };
    int rc = pcr_system_describe(&info, NULL);
    (void) rc; /* only a wrong size would be an error */
    return info;
}

void pcrtool_input_close(struct pcrtool_input *in)
{
    pcr_dataset_close(&in->dataset);
}

int pcrtool_input_fidelity(const struct pcrtool_input *in, uint64_t setting,
                           uint32_t *fidelity_out)
{
    if (setting > in->info.group_count) {
        pcrtool_error(in->command,
                      "--fidelity %" PRIu64 ": the dataset has fidelities 1 to %" PRIu32,
                      setting, in->info.group_count);
        return PCRTOOL_USAGE;
    }
    *fidelity_out = setting ? (uint32_t) setting : in->info.group_count;
    return PCRTOOL_DONE;
}

int pcrtool_input_find(const struct pcrtool_input *in, const char *name, uint64_t *index_out)
{
    struct pcr_error err;
    if (name[0] == '@' && parse_index(name + 1, index_out)) {
        if (*index_out < in->info.sample_count)
            return PCRTOOL_DONE;
        pcrtool_error(in->command, "%s: there are %" PRIu64 " samples, counted from @0", name,
                      in->info.sample_count);
        return PCRTOOL_FAILED;
    }
    int rc = pcr_dataset_find(in->dataset, name, strlen(name), index_out, &err);
    if (rc < 0)
        return pcrtool_failed(in->command, &err);
    if (rc == PCR_END) {
        pcrtool_error(in->command, "%s: no sample has this key; pcrtool ls lists them", name);
        return PCRTOOL_FAILED;
    }
    return PCRTOOL_DONE;
}

bool pcrtool_input_wants(const struct pcrtool_input *in, const struct pcr_sample_info *sample)
{
    if (!in->has_class)
        return true;
    return sample->label_count && sample->labels &&
           sample->labels[0] == (int64_t) in->class_index;
}

int pcrtool_input_sample(const struct pcrtool_input *in, uint64_t index,
                         struct pcr_sample **sample_out, struct pcr_sample_info *info_out,
                         struct pcr_error *err)
{
    int rc = pcr_sample_acquire(in->dataset, index, sample_out, err);
    if (rc)
        return rc;
    memset(info_out, 0, sizeof(*info_out));
    info_out->size = sizeof(*info_out);
    rc = pcr_sample_describe(*sample_out, info_out, err);
    if (rc)
        pcr_sample_release(sample_out);
    return rc;
}

const char *pcrtool_class_name(const struct pcrtool_input *in, int64_t label)
{
    if (label < 0 || label >= (int64_t) in->info.class_count)
        return NULL;
    return pcr_dataset_class_name(in->dataset, (uint32_t) label);
}

int pcrtool_label_digits(const struct pcr_sample_info *sample)
{
    int digits = 1;
    for (uint32_t i = 0; sample->float_labels && i < sample->label_count; i++)
        for (; digits < 17; digits++) {
            char text[32];
            snprintf(text, sizeof(text), "%.*g", digits, sample->float_labels[i]);
            if (strtod(text, NULL) == sample->float_labels[i])
                break;
        }
    return digits;
}

void pcrtool_print_labels(FILE *stream, const struct pcrtool_input *in,
                          const struct pcr_sample_info *sample)
{
    if (!sample->label_count)
        putc('-', stream);
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const char *name = sample->labels ? pcrtool_class_name(in, sample->labels[i]) : NULL;
        if (i)
            putc(',', stream);
        if (sample->float_labels)
            fprintf(stream, "%.*g", pcrtool_label_digits(sample), sample->float_labels[i]);
        else if (name)
            pcrtool_print_name(stream, name, strlen(name));
        else
            fprintf(stream, "%" PRId64, sample->labels[i]);
    }
}

int pcrtool_json_set_attributes(json_t *object, const struct pcrtool_input *in,
                                const struct pcr_sample *sample)
{
    struct pcr_buffer text = { 0 };
    struct pcr_error err;
    if (pcr_sample_attributes(sample, &text, &err))
        return pcrtool_failed(in->command, &err);
    json_t *attributes = json_loadb((const char *) text.data, text.nbytes, 0, NULL);
    pcr_buffer_free(&text);
    if (json_object_size(attributes) || !attributes)
        json_object_set_new(object, "attributes", attributes);
    else
        json_decref(attributes);
    return PCRTOOL_DONE;
}

void pcrtool_json_set_labels(json_t *object, const struct pcrtool_input *in,
                             const struct pcr_sample_info *sample)
{
    json_t *labels = json_array();
    for (uint32_t i = 0; i < sample->label_count; i++)
        json_array_append_new(labels, sample->float_labels ? json_real(sample->float_labels[i])
                                                           : json_integer(sample->labels[i]));
    json_object_set_new(object, "labels", labels);
    bool has = sample->label_count && sample->labels;
    const char *name = has ? pcrtool_class_name(in, sample->labels[0]) : NULL;
    if (name)
        pcrtool_json_set_text(object, "class", name, strlen(name));
}

int pcrtool_input_decoder(const struct pcrtool_input *in, uint32_t jpeg,
                          struct pcr_decoder **out)
{
    struct pcr_error err;
    *out = NULL;
    if (jpeg != PCRTOOL_JPEG_BASELINE)
        return PCRTOOL_DONE;
    return pcr_decoder_create(out, &err) ? pcrtool_failed(in->command, &err) : PCRTOOL_DONE;
}

int pcrtool_input_file(const struct pcr_sample *sample, uint32_t fidelity,
                       struct pcr_decoder *baseline, struct pcr_buffer *out,
                       struct pcr_error *err)
{
    return baseline ? pcr_sample_baseline(sample, fidelity, baseline, NULL, out, err)
                    : pcr_sample_read(sample, fidelity, out, err);
}
