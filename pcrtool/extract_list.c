/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of extracted samples, from which `pcrtool convert` makes the same dataset again. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "extract_list.h"
#include "files.h"
#include "output.h"

static bool classes_are_numbers(const struct pcrtool_input *in)
{
    char number[16];
    bool same = in->info.class_count > 0;
    for (uint32_t i = 0; same && i < in->info.class_count; i++) {
        snprintf(number, sizeof(number), "%" PRIu32, i);
        same = !strcmp(pcr_dataset_class_name(in->dataset, i), number);
    }
    return same;
}

static int fail(const struct pcrtool_list *l, const char *name, int code)
{
    pcrtool_error(l->in->command, "%s: %s", name, strerror(code));
    return PCRTOOL_FAILED;
}

void pcrtool_list_begin(struct pcrtool_list *l, const struct pcrtool_input *in,
                        const char *split)
{
    *l = (struct pcrtool_list) { .in = in, .split = split };
    l->numbered = classes_are_numbers(in);
}

void pcrtool_list_free(struct pcrtool_list *l)
{
    pcr_buffer_free(&l->text);
    *l = (struct pcrtool_list) { 0 };
}

/* The sample's split; NULL if the dataset has only one, "all". */
static const char *split_of(const struct pcrtool_list *l, uint64_t index)
{
    const char *name = l->split;
    uint64_t end = 0, count = 0;
    for (uint32_t i = 0; !l->split && i < l->in->info.split_count && index >= end; i++) {
        name = pcr_dataset_split_name(l->in->dataset, i, &count);
        end += count;
    }
    return l->in->info.split_count == 1 && name && !strcmp(name, "all") ? NULL : name;
}

/* A number, a class's name, an array of numbers, or null. */
static json_t *labels_of(const struct pcrtool_list *l, const struct pcr_sample_info *s)
{
    const char *name = s->label_count == 1 && s->labels && !l->numbered
                           ? pcrtool_class_name(l->in, s->labels[0])
                           : NULL;
    if (name)
        return json_string(name);
    json_t *array = json_array();
    for (uint32_t i = 0; i < s->label_count; i++)
        json_array_append_new(array, s->float_labels ? json_real(s->float_labels[i])
                                                     : json_integer(s->labels[i]));
    if (s->label_count > 1)
        return array;
    json_t *one = s->label_count ? json_incref(json_array_get(array, 0)) : json_null();
    json_decref(array);
    return one;
}

bool pcrtool_list_add(struct pcrtool_list *l, const struct pcr_sample *sample,
                      const struct pcr_sample_info *info, int *rc)
{
    json_t *key = json_stringn(info->key, info->key_nbytes);
    const char *split = split_of(l, info->index);
    *rc = PCRTOOL_DONE;
    if (!key && !pcrtool_json_failed())
        return false;
    json_t *object = json_pack("{so so}", "path", key, "label", labels_of(l, info));
    if (split)
        json_object_set_new(object, "split", json_string(split));
    *rc = pcrtool_json_set_attributes(object, l->in, sample);
    size_t digits = (size_t) pcrtool_label_digits(info);
    if (*rc)
        json_decref(object);
    else if (pcrtool_json_append(&l->text, object, JSON_COMPACT | JSON_REAL_PRECISION(digits)))
        *rc = fail(l, PCRTOOL_LIST_NAME, errno);
    return true;
}

static int publish(const struct pcrtool_list *l, int folder_fd, const char *name,
                   const struct pcr_buffer *text, bool replace)
{
    if (!pcrtool_write_file(folder_fd, name, text->data, text->nbytes, replace))
        return PCRTOOL_DONE;
    if (errno != EEXIST)
        return fail(l, name, errno);
    pcrtool_error(l->in->command, "%s: the file exists already; --force replaces it", name);
    return PCRTOOL_FAILED;
}

/* A file as `convert --classes` takes it. */
static int publish_classes(const struct pcrtool_list *l, int folder_fd, bool replace)
{
    struct pcr_buffer text = { 0 };
    bool one_line = true, whole = true;
    for (uint32_t i = 0; whole && one_line && i < l->in->info.class_count; i++) {
        const char *name = pcr_dataset_class_name(l->in->dataset, i);
        one_line = !name[strcspn(name, "\r\n")];
        whole = !pcrtool_append(&text, "%s\n", name);
    }
    int rc = PCRTOOL_FAILED;
    if (!whole)
        fail(l, PCRTOOL_CLASSES_NAME, ENOMEM);
    else if (!one_line)
        pcrtool_error(l->in->command, "%s: the name of a class has a line end",
                      PCRTOOL_CLASSES_NAME);
    else
        rc = publish(l, folder_fd, PCRTOOL_CLASSES_NAME, &text, replace);
    pcr_buffer_free(&text);
    return rc;
}

int pcrtool_list_end(struct pcrtool_list *l, int folder_fd, bool replace)
{
    int rc = publish(l, folder_fd, PCRTOOL_LIST_NAME, &l->text, replace);
    if (!rc && l->in->info.class_count && !l->numbered)
        rc = publish_classes(l, folder_fd, replace);
    return rc;
}
