/* SPDX-License-Identifier: BSD-2-Clause */
/* The importers, and the choice between them. */
#include "../libpcr/io/storage.h"
#include "annotated.h"

const struct pcri_importer *const pcri_importers[] = {
    &pcri_import_folder,      &pcri_import_list, &pcri_import_tar,     &pcri_import_zip,
    &pcri_import_tfrecord,    &pcri_import_mds,  &pcri_import_litdata, &pcri_import_beton,
    &pcri_import_pcr_release, &pcri_import_lmdb, &pcri_import_coco,    NULL,
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
    *c = (struct pcri_candidate) { .path = path, .is_stream = !strcmp(path, "-") };
    if (c->is_stream)
        return 0;
    if (PCRI_UNINTERRUPTED(stat(path, &c->st)))
        return pcri_fail_sys(err, errno, "%s", path);
    c->is_stream = S_ISFIFO(c->st.st_mode);
    if (!S_ISREG(c->st.st_mode))
        return 0;
    int rc = pcri_read_beginning(path, c->head, sizeof(c->head), &c->head_nbytes, err);
    return rc ? pcri_prefix(err, rc, "%s", path) : 0;
}

static const struct pcri_importer *find(const struct pcri_candidate *c, const char *format)
{
    for (size_t i = 0; pcri_importers[i]; i++) {
        const struct pcri_importer *im = pcri_importers[i];
        if (format ? !strcmp(im->name, format) : im != &pcri_import_folder && im->probe(c))
            return im;
    }
    /* It takes any folder, also those that are of another format. */
    return !format && pcri_import_folder.probe(c) ? &pcri_import_folder : NULL;
}

static int find_one(const char *path, const char *format, const struct pcri_importer **out,
                    struct pcr_error *err)
{
    struct pcri_candidate c;
    int rc = examine(path, &c, err);
    *out = rc ? NULL : find(&c, format);
    if (rc || *out)
        return rc;
    if (format)
        return pcri_fail(err, PCR_ERR_INVAL, "unknown source format '%s'", format);
    return pcri_fail(err, PCR_ERR_INVAL,
                     "%s: neither a folder nor a .csv, .tsv or .jsonl list, nor of a format "
                     "that docs/formats.md has",
                     path);
}

/* The importer of all inputs; folders of containers are replaced by these. */
static int find_all(struct pcri_inputs *in, const char *format,
                    const struct pcri_importer **out, struct pcr_error *err)
{
    const struct pcri_importer *im = NULL, *found = NULL;
    const char *first = in->items[0].path;
    int rc = find_one(first, format, &im, err);
    const struct pcri_importer *const only[] = { im, NULL };
    if (!rc && (format ? im->endings != NULL : im == &pcri_import_folder))
        rc = pcri_inputs_search(in, format ? only : pcri_importers, &found, err);
    *out = found ? found : im;
    for (size_t i = 0; i < in->count && !rc; i++) {
        const char *path = in->items[i].path;
        rc = find_one(path, format ? format : found ? found->name : NULL, &im, err);
        if (!rc && im != *out)
            rc = pcri_fail(err, PCR_ERR_INVAL, "%s is of format %s, but %s is of %s", path,
                           im->name, first, (*out)->name);
        if (!rc && !im->scan && in->count > 1)
            rc = pcri_fail(err, PCR_ERR_INVAL, "%s and %s: a %s is imported alone",
                           in->items[0].path, in->items[1].path, im->name);
        if (!rc && !im->scan && in->items[i].split)
            rc = pcri_fail(err, PCR_ERR_INVAL, "%s: a %s has splits of its own", path,
                           im->name);
    }
    return rc;
}

static int check_options(const struct pcr_source_options *o, struct pcr_error *err)
{
    int rc = pcri_flags_check("pcr_source_options", o->flags,
                              PCR_SOURCE_ALL_FILES | PCR_SOURCE_SKIP_DAMAGED |
                                  PCR_SOURCE_LAST_DOT | PCR_SOURCE_SEGMENTATIONS,
                              err);
    if (rc)
        return rc;
    if (o->layout > PCR_FOLDERS_FLAT)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.layout is %u, at most %u",
                         (unsigned) o->layout, (unsigned) PCR_FOLDERS_FLAT);
    if (o->class_count && !o->classes)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.classes is NULL");
    if (o->annotation_count && !o->annotations)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.annotations is NULL");
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
    int rc = o->target && strcmp(path, "-") != 0
                 ? pcri_is_inside(o->target, path, &inside, err)
                 : 0;
    return inside ? pcri_fail(err, PCR_ERR_INVAL, "%s is inside %s: choose another folder",
                              o->target, path)
                  : rc;
}

/* Images whose boxes are in files beside them: `in` are their folders. */
static int open_annotated(const struct pcri_inputs *in, const struct pcr_source_options *o,
                          struct pcr_source **out, struct pcr_error *err)
{
    const struct pcri_importer *im = &pcri_import_coco;
    struct pcri_inputs annotations = { 0 };
    int rc = 0;
    if (o->format && strcmp(o->format, im->name) != 0)
        return pcri_fail(err, PCR_ERR_INVAL, "annotations are of format %s, not of %s",
                         im->name, o->format);
    const char *other = o->class_count                   ? "classes"
                        : o->layout                      ? "layout"
                        : o->image_field                 ? "image_field"
                        : o->label_field                 ? "label_field"
                        : o->key_field                   ? "key_field"
                        : o->flags & PCR_SOURCE_LAST_DOT ? "PCR_SOURCE_LAST_DOT"
                                                         : NULL;
    if (other)
        return pcri_fail(err, PCR_ERR_INVAL, "%s does not go with annotations", other);
    for (uint32_t i = 0; i < o->annotation_count && !rc; i++)
        rc = o->annotations[i] ? pcri_inputs_add(&annotations, o->annotations[i], err)
                               : pcri_fail(err, PCR_ERR_INVAL, "an annotation's path is NULL");
    if (!rc)
        rc = pcri_inputs_guess_splits(&annotations, err);
    if (!rc)
        rc = pcri_annotated_pair(&annotations, in, err);
    if (!rc)
        rc = pcri_containers_open(im, &annotations, o, out, err);
    pcri_inputs_free(&annotations);
    return rc;
}

static int open_inputs(struct pcri_inputs *in, const struct pcr_source_options *o,
                       struct pcr_source **out, struct pcr_error *err)
{
    const struct pcri_importer *im = NULL;
    int rc = 0;
    for (size_t i = 0; i < in->count && !rc; i++)
        rc = check_target(in->items[i].path, o, err);
    if (rc || o->annotation_count)
        return rc ? rc : open_annotated(in, o, out, err);
    rc = find_all(in, o->format, &im, err);
    if (!rc && im->scan)
        rc = pcri_inputs_guess_splits(in, err);
    const char *of_containers = o->image_field                   ? "image_field"
                                : o->label_field                 ? "label_field"
                                : o->key_field                   ? "key_field"
                                : o->flags & PCR_SOURCE_LAST_DOT ? "PCR_SOURCE_LAST_DOT"
                                                                 : NULL;
    if (!rc && !im->scan && of_containers)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: %s applies to containers, not to a %s",
                       in->items[0].path, of_containers, im->name);
    if (!rc && o->flags & PCR_SOURCE_SEGMENTATIONS)
        rc = pcri_fail(err, PCR_ERR_INVAL, "PCR_SOURCE_SEGMENTATIONS applies to annotations");
    if (rc)
        return rc;
    return im->scan ? pcri_containers_open(im, in, o, out, err)
                    : im->open(in->items[0].path, o, out, err);
}

int pcr_source_open_all(const char *const *paths, uint32_t count,
                        const struct pcr_source_options *opts, struct pcr_source **out,
                        struct pcr_error *err)
{
    struct pcr_source_options own;
    struct pcri_inputs in = { 0 };

    if (!paths || !count || !out)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_open: no path, or out is NULL");
    int rc = pcri_options_copy(&own, sizeof(own), opts, "pcr_source_options", err);
    if (!rc)
        rc = check_options(&own, err);
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = paths[i] ? pcri_inputs_add(&in, paths[i], err)
                      : pcri_fail(err, PCR_ERR_INVAL, "pcr_source_open: path is NULL");
    if (!rc)
        rc = open_inputs(&in, &own, out, err);
    pcri_inputs_free(&in);
    return rc;
}

int pcr_source_open(const char *path, const struct pcr_source_options *opts,
                    struct pcr_source **out, struct pcr_error *err)
{
    return pcr_source_open_all(&path, 1, opts, out, err);
}
