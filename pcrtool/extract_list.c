/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of extracted samples, of which `pcrtool convert` makes the same dataset again. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
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

int pcrtool_list_begin(struct pcrtool_list *l, const struct pcrtool_input *in,
                       const char *split)
{
    *l = (struct pcrtool_list) { .in = in, .split = split };
    l->numbered = classes_are_numbers(in);
    l->stream = open_memstream(&l->text, &l->nbytes);
    return l->stream ? PCRTOOL_DONE : fail(l, PCRTOOL_LIST_NAME, errno);
}

void pcrtool_list_free(struct pcrtool_list *l)
{
    if (l->stream)
        fclose(l->stream);
    free(l->text);
    *l = (struct pcrtool_list) { 0 };
}

/* The sample's split; NULL where the dataset has one alone, "all". */
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

bool pcrtool_list_add(struct pcrtool_list *l, const struct pcr_sample_info *sample, int *rc)
{
    json_t *key = json_stringn(sample->key, sample->key_nbytes);
    const char *split = split_of(l, sample->index);
    *rc = PCRTOOL_DONE;
    if (!key)
        return false;
    json_t *object = json_pack("{so so}", "path", key, "label", labels_of(l, sample));
    if (split)
        json_object_set_new(object, "split", json_string(split));
    if (sample->attributes_nbytes)
        json_object_set_new(object, "attributes",
                            json_loadb(sample->attributes, sample->attributes_nbytes, 0, NULL));
    size_t digits = (size_t) pcrtool_label_digits(sample);
    if (!object || json_dumpf(object, l->stream, JSON_COMPACT | JSON_REAL_PRECISION(digits)) ||
        putc('\n', l->stream) == EOF)
        *rc = fail(l, PCRTOOL_LIST_NAME, ENOMEM);
    json_decref(object);
    return true;
}

static int publish(const struct pcrtool_list *l, int folder_fd, const char *name,
                   const char *text, size_t nbytes, bool replace)
{
    if (!pcrtool_write_file(folder_fd, name, text, nbytes, replace))
        return PCRTOOL_DONE;
    if (errno != EEXIST)
        return fail(l, name, errno);
    pcrtool_error(l->in->command, "%s: there is such a file already; --force replaces it",
                  name);
    return PCRTOOL_FAILED;
}

/* A file as `convert --classes` takes it. */
static int publish_classes(const struct pcrtool_list *l, int folder_fd, bool replace)
{
    char *text = NULL;
    size_t nbytes = 0;
    FILE *f = open_memstream(&text, &nbytes);
    bool whole = f != NULL;
    for (uint32_t i = 0; whole && i < l->in->info.class_count; i++) {
        const char *name = pcr_dataset_class_name(l->in->dataset, i);
        whole = !name[strcspn(name, "\r\n")];
        fprintf(f, "%s\n", name);
    }
    if (f && fclose(f))
        whole = false;
    int rc = PCRTOOL_FAILED;
    if (whole)
        rc = publish(l, folder_fd, PCRTOOL_CLASSES_NAME, text, nbytes, replace);
    else
        pcrtool_error(l->in->command, "%s: no memory, or a class's name has a line end",
                      PCRTOOL_CLASSES_NAME);
    free(text);
    return rc;
}

int pcrtool_list_end(struct pcrtool_list *l, int folder_fd, bool replace)
{
    FILE *stream = l->stream;
    l->stream = NULL;
    if (fclose(stream))
        return fail(l, PCRTOOL_LIST_NAME, errno);
    int rc = publish(l, folder_fd, PCRTOOL_LIST_NAME, l->text, l->nbytes, replace);
    if (!rc && l->in->info.class_count && !l->numbered)
        rc = publish_classes(l, folder_fd, replace);
    return rc;
}
