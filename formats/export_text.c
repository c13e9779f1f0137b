/* SPDX-License-Identifier: BSD-2-Clause */
/* What exporters say of a sample in JSON. */
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/base/utf8.h"
#include "exporter.h"

/* Appends what stands for a character in a JSON string. */
static int escape(struct pcr_buffer *out, const char *p, size_t nbytes, struct pcr_error *err)
{
    unsigned char c = (unsigned char) *p;
    if (!nbytes)
        return pcri_buffer_append(out, "\xef\xbf\xbd", 3, err);
    if (c == '"' || c == '\\') {
        const char two[2] = { '\\', *p };
        return pcri_buffer_append(out, two, 2, err);
    }
    return c < 0x20 ? pcri_print(out, err, "\\u%04x", c)
                    : pcri_buffer_append(out, p, nbytes, err);
}

int pcri_export_string(struct pcr_buffer *out, const char *text, size_t nbytes,
                       struct pcr_error *err)
{
    int rc = pcri_buffer_append(out, "\"", 1, err);
    for (size_t i = 0; i < nbytes && !rc;) {
        size_t n = pcri_utf8_sequence(text + i, nbytes - i);
        rc = escape(out, text + i, n, err);
        i += n ? n : 1;
    }
    return rc ? rc : pcri_buffer_append(out, "\"", 1, err);
}

/* A number that reads as the same, and as a float, whatever the locale. */
static int print_float(struct pcr_buffer *out, double value, struct pcr_error *err)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    const char *point = localeconv()->decimal_point;
    char *at = strstr(text, point);
    if (at && strcmp(point, ".") != 0) {
        size_t n = strlen(point);
        *at = '.';
        memmove(at + 1, at + n, strlen(at + n) + 1);
    }
    return pcri_print(out, err, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

int pcri_export_label(const struct pcri_export_sample *s, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    const struct pcri_export *x = s->export;
    const struct pcr_sample_info *info = s->info;
    const char *name = x->numbered ? NULL : pcri_export_class(x, info);
    if (name)
        return pcri_export_string(out, name, strlen(name), err);
    if (!info->label_count)
        return pcri_print(out, err, "null");
    int rc = info->label_count > 1 ? pcri_print(out, err, "[") : 0;
    for (uint32_t i = 0; i < info->label_count && !rc; i++) {
        rc = i ? pcri_print(out, err, ",") : 0;
        if (!rc)
            rc = info->labels ? pcri_print(out, err, "%" PRId64, info->labels[i])
                              : print_float(out, info->float_labels[i], err);
    }
    return rc || info->label_count == 1 ? rc : pcri_print(out, err, "]");
}

const char *pcri_export_class(const struct pcri_export *x, const struct pcr_sample_info *info)
{
    bool is_class = info->label_count == 1 && info->labels && info->labels[0] >= 0 &&
                    (uint64_t) info->labels[0] < x->info.class_count;
    return is_class ? pcr_dataset_class_name(x->ds, (uint32_t) info->labels[0]) : NULL;
}

const char *pcri_export_split(const struct pcri_export *x, uint64_t index)
{
    const char *name = pcr_dataset_split(x->ds);
    uint64_t end = 0, count = 0;
    for (uint32_t i = 0; !pcr_dataset_split(x->ds) && i < x->info.split_count && index >= end;
         i++) {
        name = pcr_dataset_split_name(x->ds, i, &count);
        end += count;
    }
    return x->info.split_count == 1 && name && !strcmp(name, "all") ? NULL : name;
}

int pcri_export_row(const struct pcri_export_sample *s, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    const char *split = pcri_export_split(s->export, s->info->index);
    int rc = pcri_print(out, err, "{\"path\":");
    if (!rc)
        rc = pcri_export_string(out, s->info->key, s->info->key_nbytes, err);
    if (!rc)
        rc = pcri_print(out, err, ",\"label\":");
    if (!rc)
        rc = pcri_export_label(s, out, err);
    if (!rc && split)
        rc = pcri_print(out, err, ",\"split\":");
    if (!rc && split)
        rc = pcri_export_string(out, split, strlen(split), err);
    if (!rc && s->attributes)
        rc = pcri_print(out, err, ",\"attributes\":");
    if (!rc && s->attributes)
        rc = pcri_buffer_append(out, s->attributes, s->attributes_nbytes, err);
    return rc ? rc : pcri_buffer_append(out, "}\n", 2, err);
}

/* What is said of the sample that is no attribute, as exported.c reads it. */
static int print_own(const struct pcri_export_sample *s, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    const struct pcr_sample_info *info = s->info;
    const char *split = pcri_export_split(s->export, info->index);
    int rc = pcri_print(out, err, "{\"__key__\":");
    if (!rc)
        rc = pcri_utf8_valid(info->key, info->key_nbytes)
                 ? pcri_export_string(out, info->key, info->key_nbytes, err)
                 : pcri_print(out, err, "null");
    if (!rc && info->label_count)
        rc = pcri_print(out, err, ",\"__label__\":");
    if (!rc && info->label_count)
        rc = pcri_export_label(s, out, err);
    if (!rc && split)
        rc = pcri_print(out, err, ",\"__split__\":");
    if (!rc && split)
        rc = pcri_export_string(out, split, strlen(split), err);
    for (uint32_t i = 0; i < s->blob_count && !rc; i++) {
        rc = pcri_print(out, err, i ? "," : ",\"__blobs__\":[");
        if (!rc)
            rc = pcri_export_string(out, s->blobs[i].name, strlen(s->blobs[i].name), err);
    }
    return rc || !s->blob_count ? rc : pcri_print(out, err, "]");
}

int pcri_export_json(const struct pcri_export_sample *s, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    int rc = print_own(s, out, err);
    if (rc || !s->attributes)
        return rc ? rc : pcri_buffer_append(out, "}", 1, err);
    rc = pcri_buffer_append(out, ",", 1, err); /* in place of the brace */
    return rc ? rc : pcri_buffer_append(out, s->attributes + 1, s->attributes_nbytes - 1, err);
}

int pcri_export_classes(const struct pcri_export *x, struct pcri_tape *out,
                        struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < x->info.class_count && !rc; i++) {
        const char *name = pcr_dataset_class_name(x->ds, i);
        rc = name[strcspn(name, "\r\n")]
                 ? pcri_fail(err, PCR_ERR_INVAL, "the name of a class has a line end")
                 : pcri_tape_append(out, name, strlen(name), err);
        if (!rc)
            rc = pcri_tape_append(out, "\n", 1, err);
    }
    return rc;
}
