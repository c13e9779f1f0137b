/* SPDX-License-Identifier: BSD-2-Clause */
/* The importers, and the choice between them. */
#include "../libpcr/io/storage.h"
#include "importer.h"

const struct pcri_importer *const pcri_importers[] = {
    &pcri_import_folder,
    &pcri_import_list,
    NULL,
};

const char *pcr_source_format(uint32_t index)
{
    uint32_t i = 0;
    while (pcri_importers[i] && i < index)
        i++;
    return pcri_importers[i] ? pcri_importers[i]->name : NULL;
}

static const struct pcri_importer *find(const char *path, const struct stat *st,
                                        const char *format)
{
    for (size_t i = 0; pcri_importers[i]; i++) {
        const struct pcri_importer *im = pcri_importers[i];
        if (format ? !strcmp(im->name, format) : im->probe(path, st))
            return im;
    }
    return NULL;
}

static int check_options(const struct pcr_source_options *o, struct pcr_error *err)
{
    int rc = pcri_flags_check("pcr_source_options", o->flags, PCR_SOURCE_ALL_FILES, err);
    if (rc)
        return rc;
    if (o->layout > PCR_FOLDERS_FLAT)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.layout is %u, at most %u",
                         (unsigned) o->layout, (unsigned) PCR_FOLDERS_FLAT);
    if (o->class_count && !o->classes)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.classes is NULL");
    if (o->extension_count && !o->extensions)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.extensions is NULL");
    for (uint32_t i = 0; i < o->extension_count; i++)
        if (!o->extensions[i] || !o->extensions[i][0] || strpbrk(o->extensions[i], "./"))
            return pcri_fail(err, PCR_ERR_INVAL,
                             "'%.40s' is no extension: expected one such as jpg",
                             o->extensions[i] ? o->extensions[i] : "");
    return 0;
}

/* The next run would take the dataset for a part of the source. */
static int check_target(const char *path, const struct pcr_source_options *o,
                        struct pcr_error *err)
{
    bool inside = false;
    int rc = o->target ? pcri_is_inside(o->target, path, &inside, err) : 0;
    return inside ? pcri_fail(err, PCR_ERR_INVAL, "%s is inside %s: choose another folder",
                              o->target, path)
                  : rc;
}

int pcr_source_open(const char *path, const struct pcr_source_options *opts,
                    struct pcr_source **out, struct pcr_error *err)
{
    struct pcr_source_options own;
    struct stat st;

    if (!path || !out)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_open: path or out is NULL");
    int rc = pcri_options_copy(&own, sizeof(own), opts, "pcr_source_options", err);
    if (rc || (rc = check_options(&own, err)) || (rc = check_target(path, &own, err)))
        return rc;
    if (PCRI_UNINTERRUPTED(stat(path, &st)))
        return pcri_fail_sys(err, errno, "%s", path);

    const struct pcri_importer *im = find(path, &st, own.format);
    if (!im && own.format)
        return pcri_fail(err, PCR_ERR_INVAL, "unknown source format '%s'", own.format);
    if (!im)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "%s: neither a folder nor a .csv, .tsv or .jsonl list", path);
    return im->open(path, &own, out, err);
}
