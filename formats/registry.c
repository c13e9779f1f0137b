/* SPDX-License-Identifier: BSD-2-Clause */
/* The importers, and the choice between them. */
#include "../libpcr/io/storage.h"
#include "container.h"

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

static int examine(const char *path, struct pcri_candidate *c, struct pcr_error *err)
{
    *c = (struct pcri_candidate) { .path = path };
    if (PCRI_UNINTERRUPTED(stat(path, &c->st)))
        return pcri_fail_sys(err, errno, "%s", path);
    if (!S_ISREG(c->st.st_mode))
        return 0;
    int rc = pcri_read_beginning(path, c->head, sizeof(c->head), &c->head_nbytes, err);
    return rc ? pcri_prefix(err, rc, "%s", path) : 0;
}

static const struct pcri_importer *find(const struct pcri_candidate *c, const char *format)
{
    for (size_t i = 0; pcri_importers[i]; i++) {
        const struct pcri_importer *im = pcri_importers[i];
        if (format ? !strcmp(im->name, format) : im->probe(c))
            return im;
    }
    return NULL;
}

/* The importer of all inputs. */
static int find_all(const char *const *paths, uint32_t count, const char *format,
                    const struct pcri_importer **out, struct pcr_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        struct pcri_candidate c;
        int rc = paths[i] ? examine(paths[i], &c, err)
                          : pcri_fail(err, PCR_ERR_INVAL, "pcr_source_open: path is NULL");
        if (rc)
            return rc;
        const struct pcri_importer *im = find(&c, format);
        if (!im && format)
            return pcri_fail(err, PCR_ERR_INVAL, "unknown source format '%s'", format);
        if (!im)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "%s: neither a folder nor a .csv, .tsv or .jsonl list", paths[i]);
        if (i && im != *out)
            return pcri_fail(err, PCR_ERR_INVAL, "%s is of format %s, but %s is of %s",
                             paths[i], im->name, paths[0], (*out)->name);
        *out = im;
    }
    if (count > 1 && !(*out)->scan)
        return pcri_fail(err, PCR_ERR_INVAL, "%s and %s: a %s is imported alone", paths[0],
                         paths[1], (*out)->name);
    return 0;
}

static int check_options(const struct pcr_source_options *o, struct pcr_error *err)
{
    int rc = pcri_flags_check("pcr_source_options", o->flags,
                              PCR_SOURCE_ALL_FILES | PCR_SOURCE_SKIP_DAMAGED, err);
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

int pcr_source_open_all(const char *const *paths, uint32_t count,
                        const struct pcr_source_options *opts, struct pcr_source **out,
                        struct pcr_error *err)
{
    struct pcr_source_options own;
    const struct pcri_importer *im = NULL;

    if (!paths || !count || !out)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_open: no path, or out is NULL");
    int rc = pcri_options_copy(&own, sizeof(own), opts, "pcr_source_options", err);
    if (!rc)
        rc = check_options(&own, err);
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = paths[i] ? check_target(paths[i], &own, err) : 0;
    if (!rc)
        rc = find_all(paths, count, own.format, &im, err);
    if (rc)
        return rc;
    return im->scan ? pcri_containers_open(im, paths, count, &own, out, err)
                    : im->open(paths[0], &own, out, err);
}

int pcr_source_open(const char *path, const struct pcr_source_options *opts,
                    struct pcr_source **out, struct pcr_error *err)
{
    return pcr_source_open_all(&path, 1, opts, out, err);
}
