/* SPDX-License-Identifier: BSD-2-Clause */
/* The importers, and the choice between them. */
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

int pcr_source_open(const char *path, const struct pcr_source_options *opts,
                    struct pcr_source **out, struct pcr_error *err)
{
    struct pcr_source_options own;
    struct stat st;

    if (!path || !out)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_open: path or out is NULL");
    int rc = pcri_options_copy(&own, sizeof(own), opts, "pcr_source_options", err);
    if (rc || (rc = pcri_flags_check("pcr_source_options", own.flags, 0, err)))
        return rc;
    if (own.layout > PCR_FOLDERS_FLAT)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.layout is %u, at most %u",
                         (unsigned) own.layout, (unsigned) PCR_FOLDERS_FLAT);
    if (own.class_count && !own.classes)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.classes is NULL");
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
