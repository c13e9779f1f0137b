/* SPDX-License-Identifier: BSD-2-Clause */
/* The importers, and the choice between them. */
#include "../libpcr/io/storage.h"
#include "annotated.h"

const struct pcri_importer *const pcri_importers[] = {
    &pcri_import_folder,
    &pcri_import_list,
    &pcri_import_tar,
    &pcri_import_zip,
    &pcri_import_tfrecord,
    &pcri_import_mds,
    &pcri_import_litdata,
    &pcri_import_beton,
    &pcri_import_pcr_release,
    &pcri_import_lmdb,
    &pcri_import_coco,
    &pcri_import_voc,
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
    const size_t n = strlen(path);
    return pcri_fail(err, PCR_ERR_INVAL,
                     "%s: neither a folder nor a .csv, .tsv or .jsonl list, nor of a format "
                     "that docs/formats.md has%s",
                     path,
                     n > 5 && !strcmp(path + n - 5, ".json")
                         ? "; annotations go with a folder of images (pcrtool: --annotations)"
                         : "");
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
                                  PCR_SOURCE_LAST_DOT | PCR_SOURCE_SEGMENTATIONS |
                                  PCR_SOURCE_ZERO_BASED | PCR_SOURCE_CHOOSE_BLOBS,
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
    if (o->blob_count && !o->blobs)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.blobs is NULL");
    if (o->blob_count && !(o->flags & PCR_SOURCE_CHOOSE_BLOBS))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "pcr_source_options.blobs applies to PCR_SOURCE_CHOOSE_BLOBS");
    for (uint32_t i = 0; i < o->blob_count; i++)
        if (!o->blobs[i] || !*o->blobs[i])
            return pcri_fail(err, PCR_ERR_INVAL, "blob %u of those given has no name",
                             (unsigned) i);
    if (o->list_count && !o->lists)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_source_options.lists is NULL");
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

/* --- annotations --- */

/* What was written of annotations and of their lists, `count` texts each. */
static int add_given(struct pcri_inputs *in, const char *const *texts, uint32_t count,
                     struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = texts[i] ? pcri_inputs_add(in, texts[i], err)
                      : pcri_fail(err, PCR_ERR_INVAL, "the path of annotations is NULL");
    return rc ? rc : pcri_inputs_guess_splits(in, err);
}

/* Lists stand for the folder that their files are in. */
static int replace_by_lists(const struct pcri_inputs *annotations, struct pcri_inputs *lists,
                            struct pcr_error *err)
{
    if (annotations->count != 1)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "%s and %s: lists are of one folder of annotations",
                         annotations->items[0].path, annotations->items[1].path);
    for (size_t i = 0; i < lists->count; i++) {
        lists->items[i].list = lists->items[i].path;
        lists->items[i].path = annotations->items[0].path;
    }
    return 0;
}

/* COCO's are files, VOC's are folders. */
static int find_annotated(const struct pcri_inputs *in, const struct pcr_source_options *o,
                          const struct pcri_importer **im, struct pcr_error *err)
{
    struct pcri_candidate c;
    int rc = 0;
    *im = NULL;
    for (size_t i = 0; i < in->count && !rc; i++) {
        const char *path = in->items[i].path;
        rc = examine(path, &c, err);
        const struct pcri_importer *found = S_ISDIR(c.st.st_mode) ? &pcri_import_voc
                                                                  : &pcri_import_coco;
        if (!rc && *im && found != *im)
            rc = pcri_fail(err, PCR_ERR_INVAL,
                           "%s and %s: one is a folder, as VOC's annotations are, one a file",
                           in->items[0].path, path);
        *im = found;
    }
    if (!rc && o->format && strcmp(o->format, (*im)->name) != 0)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: annotations of format %s, not of %s",
                       in->items[0].path, (*im)->name, o->format);
    const char *of_voc = o->list_count                      ? "lists"
                         : o->flags & PCR_SOURCE_ZERO_BASED ? "PCR_SOURCE_ZERO_BASED"
                                                            : NULL;
    if (!rc && *im == &pcri_import_coco && of_voc)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: %s: only for VOC's annotations",
                       in->items[0].path, of_voc);
    if (!rc && *im == &pcri_import_voc && o->flags & PCR_SOURCE_SEGMENTATIONS)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "%s: PCR_SOURCE_SEGMENTATIONS: only for COCO's annotations",
                       in->items[0].path);
    return rc;
}

/* Images whose boxes are in files beside them: `in` are their folders. */
static int open_annotated(const struct pcri_inputs *in, const struct pcr_source_options *o,
                          struct pcr_source **out, struct pcr_error *err)
{
    const struct pcri_importer *im = NULL;
    struct pcri_inputs annotations = { 0 }, lists = { 0 };
    const char *other = o->class_count                       ? "classes"
                        : o->layout                          ? "layout"
                        : o->image_field                     ? "image_field"
                        : o->label_field                     ? "label_field"
                        : o->key_field                       ? "key_field"
                        : o->flags & PCR_SOURCE_LAST_DOT     ? "PCR_SOURCE_LAST_DOT"
                        : o->flags & PCR_SOURCE_CHOOSE_BLOBS ? "blobs"
                                                             : NULL;
    if (other)
        return pcri_fail(err, PCR_ERR_INVAL, "%s does not go with annotations", other);
    int rc = add_given(&annotations, o->annotations, o->annotation_count, err);
    if (!rc)
        rc = find_annotated(&annotations, o, &im, err);
    if (!rc)
        rc = add_given(&lists, o->lists, o->list_count, err);
    if (!rc && lists.count)
        rc = replace_by_lists(&annotations, &lists, err);
    struct pcri_inputs *given = lists.count ? &lists : &annotations;
    if (!rc)
        rc = pcri_annotated_pair(given, in, err);
    if (!rc)
        rc = pcri_containers_open(im, given, o, out, err);
    pcri_inputs_free(&annotations);
    pcri_inputs_free(&lists);
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
    const char *of_containers = o->image_field                       ? "image_field"
                                : o->label_field                     ? "label_field"
                                : o->key_field                       ? "key_field"
                                : o->flags & PCR_SOURCE_LAST_DOT     ? "PCR_SOURCE_LAST_DOT"
                                : o->flags & PCR_SOURCE_CHOOSE_BLOBS ? "blobs"
                                                                     : NULL;
    if (!rc && !im->scan && of_containers)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: %s applies to containers, not to a %s",
                       in->items[0].path, of_containers, im->name);
    const char *of_annotations = o->list_count ? "lists"
                                 : o->flags & PCR_SOURCE_SEGMENTATIONS
                                     ? "PCR_SOURCE_SEGMENTATIONS"
                                 : o->flags & PCR_SOURCE_ZERO_BASED ? "PCR_SOURCE_ZERO_BASED"
                                                                    : NULL;
    if (!rc && of_annotations)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: only for annotations", of_annotations);
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
