/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes in batches: each sample's are taken from its slice, whose head is in memory, when the
 * sample is made; a batch's are joined when it is handed over. */
#include <stdlib.h>

#include "columns.h"

/* Whether the dataset has the attribute, and its type. */
static int find_column(const struct pcr_dataset *ds, const char *name,
                       struct pcr_column_info *out, bool *found, struct pcr_error *err)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    int rc = pcr_dataset_describe(ds, &info, err);
    *found = false;
    for (uint32_t i = 0; i < info.column_count && !rc && !*found; i++) {
        *out = (struct pcr_column_info) { .size = sizeof(*out) };
        rc = pcr_dataset_column_info(ds, i, out, err);
        *found = !rc && !strcmp(out->name, name);
    }
    return rc;
}

/* What is before, and the dataset's, as one without samples: where only the lengths of lists
 * differ, they do in all batches. */
static int unite(struct pcr_dataset *ds, const struct pcr_column_info *info,
                 struct pcr_column **none, struct pcr_error *err)
{
    struct pcr_column *one = NULL, *both = NULL;
    int rc = pcr_dataset_column(ds, info->name, 0, 0, &one, err);
    if (!rc && *none) {
        const struct pcr_column *const parts[] = { one };
        rc = pcr_column_join(*none, parts, 1, &both, err);
        pcr_column_free(&one);
        one = both;
    }
    if (rc)
        return rc;
    pcr_column_free(none);
    *none = one;
    return 0;
}

static int init_column(struct pcr_dataset *const *datasets, uint32_t dataset_count,
                       const char *name, struct pcr_column **none, struct pcr_error *err)
{
    const char *type = NULL;
    int rc = 0;
    for (uint32_t k = 0; k < dataset_count && !rc; k++) {
        struct pcr_column_info info;
        bool found;
        rc = find_column(datasets[k], name, &info, &found, err);
        if (rc || !found)
            continue;
        if (!type || strcmp(type, info.type) != 0)
            rc = unite(datasets[k], &info, none, err);
        if (rc == PCR_ERR_INVAL)
            rc = pcri_fail(err, PCR_ERR_INVAL,
                           "attribute '%.100s' is %s in dataset %u, %s in one before it", name,
                           info.type, (unsigned) k, type);
        type = info.type;
    }
    if (!rc && !type)
        rc = pcri_fail(err, PCR_ERR_INVAL, "loader option columns: no attribute '%.100s'",
                       name);
    return rc;
}

int pcri_loader_columns_init(struct pcri_loader_columns *c, struct pcr_loader_options *o,
                             struct pcr_dataset *const *datasets, uint32_t dataset_count,
                             struct pcr_error *err)
{
    const char *const *names = o->output.columns;
    const uint32_t count = o->output.column_count;
    if (!names != !count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option column_count is %u, but columns %s", (unsigned) count,
                         names ? "is set" : "is NULL");
    c->names = pcri_calloc(count, sizeof(*c->names), err);
    c->none = pcri_calloc(count, sizeof(*c->none), err);
    int rc = c->names && c->none ? 0 : PCR_ERR_NOMEM;
    c->count = rc ? 0 : count;
    o->output.columns = (const char *const *) c->names;
    for (uint32_t i = 0; i < count && !rc; i++) {
        if (!names[i])
            rc = pcri_fail(err, PCR_ERR_INVAL, "loader option columns[%u] is NULL",
                           (unsigned) i);
        else if (!(c->names[i] = pcri_strndup(names[i], strlen(names[i]), err)))
            rc = PCR_ERR_NOMEM;
        else
            rc = init_column(datasets, dataset_count, names[i], &c->none[i], err);
    }
    return rc;
}

void pcri_loader_columns_free(struct pcri_loader_columns *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        free(c->names[i]);
        pcr_column_free(&c->none[i]);
    }
    free(c->names);
    free(c->none);
    *c = (struct pcri_loader_columns) { 0 };
}

void pcri_sample_columns_free(struct pcr_column ***columns, uint32_t count)
{
    for (uint32_t i = 0; *columns && i < count; i++)
        pcr_column_free(&(*columns)[i]);
    free(*columns);
    *columns = NULL;
}

int pcri_sample_columns(const struct pcr_loader_options *options,
                        const struct pcr_slice *slice, uint32_t place,
                        struct pcr_column ***out, struct pcr_error *err)
{
    const uint32_t count = options->output.column_count;
    int rc = 0;
    *out = NULL;
    if (!count)
        return 0;
    if (!(*out = pcri_calloc(count, sizeof(**out), err)))
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count && !rc; i++) {
        rc = pcr_slice_column(slice, options->output.columns[i], place, 1, &(*out)[i], err);
        if (rc == PCR_ERR_INVAL) /* only other datasets know it */
            rc = 0;
    }
    if (rc)
        pcri_sample_columns_free(out, count);
    return rc;
}

int pcri_batch_join_columns(struct pcri_batch *b, const struct pcri_loader_columns *c,
                            struct pcr_error *err)
{
    const uint32_t n = b->slot_count;
    if (!c->count)
        return 0;
    const struct pcr_column **parts = pcri_calloc(n, sizeof(*parts), err);
    int rc = parts ? 0 : PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < c->count && !rc; i++) {
        for (uint32_t k = 0; k < n; k++)
            parts[k] = b->sample_columns[k] ? b->sample_columns[k][i] : NULL;
        rc = pcr_column_join(c->none[i], parts, n, &b->columns[i], err);
    }
    free(parts);
    return rc;
}
