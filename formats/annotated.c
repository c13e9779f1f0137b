/* SPDX-License-Identifier: BSD-2-Clause */
/* Images whose boxes are in files beside them: which folder, which file, which key. */
#include <stdio.h>
#include <stdlib.h>

#include "annotated.h"

/* --- boxes --- */

static bool is_outside(double first, double last, double side)
{
    const double tolerance = 1;
    return first < -tolerance || (side > 0 && last > side + tolerance);
}

const char *pcri_box_complaint(const struct pcri_box *b, double width, double height)
{
    if (b->x1 < b->x0 || b->y1 < b->y0)
        return "of negative size";
    return is_outside(b->x0, b->x1, width) || is_outside(b->y0, b->y1, height)
               ? "outside of its image"
               : NULL;
}

int pcri_box_append(json_t *boxes, const struct pcri_box *b, struct pcr_error *err)
{
    json_t *box = json_array();
    bool good = box && !json_array_append_new(box, json_real(b->x0)) &&
                !json_array_append_new(box, json_real(b->y0)) &&
                !json_array_append_new(box, json_real(b->x1)) &&
                !json_array_append_new(box, json_real(b->y1)) &&
                !json_array_append(boxes, box);
    json_decref(box);
    return good ? 0 : pcri_fail_nomem(err, 4 * sizeof(double));
}

/* --- images --- */

bool pcri_is_below(const char *name)
{
    if (*name == '/')
        return false;
    for (const char *p = name; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.')
            return false;
        p += n + (p[n] == '/');
    }
    return *name;
}

static int examine(struct pcri_container *s, const char *what, struct pcri_list_row *row,
                   struct pcr_error *err)
{
    struct stat st;
    if (!PCRI_UNINTERRUPTED(stat(row->file, &st))) {
        row->nbytes = (uint64_t) st.st_size;
        row->revision = pcri_revision(&st);
        return 0;
    }
    if (pcri_is_unreachable(errno) && s->opts->flags & PCR_SOURCE_SKIP_DAMAGED)
        return 0; /* loading it says why not */
    return pcri_fail_sys(err, errno, "%s, %s: %s", s->path, what, row->file);
}

int pcri_annotated_add(struct pcri_container *s, const char *what, const char *name,
                       const json_t *attributes, struct pcr_error *err)
{
    struct pcri_arena *arena = &s->e->arena;
    const size_t n = strlen(s->images);
    if (!pcri_is_below(name))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "%s, %s: the file's name is '%.200s', expected one below the images' "
                         "folder",
                         s->path, what, name);
    struct pcri_list_row *row = pcri_list_add(s->rows, 0, err);
    if (!row)
        return PCR_ERR_NOMEM;
    row->split = s->split;
    row->file = row->path = pcri_arena_join(arena, s->images, n, n && s->images[n - 1] != '/',
                                            name, err);
    row->key = pcri_arena_strndup(arena, name, strlen(name), err);
    if (!row->path || !row->key)
        return PCR_ERR_NOMEM;
    int rc = pcri_row_attributes(s->rows, row, attributes, err);
    return rc ? rc : examine(s, what, row, err);
}

bool pcri_annotated_probe(const struct pcri_candidate *c)
{
    (void) c;
    return false;
}

int pcri_annotated_check(const struct pcri_container *s, struct pcr_error *err)
{
    return s->images
               ? 0
               : pcri_fail(err, PCR_ERR_INVAL,
                           "%s: name the folder of the images as the source, and this as "
                           "its annotations (pcrtool: --annotations)",
                           s->path);
}

/* --- keys --- */

int pcri_annotated_finish(struct pcri_container *s, struct pcr_error *err)
{
    struct pcri_list *l = s->rows;
    bool repeated = false;
    int rc = pcri_keys_any_repeat(pcri_list_key, l, l->count, &repeated, err);
    for (size_t i = 0; i < l->count && repeated && !rc; i++) {
        struct pcri_list_row *r = pcri_list_at(l, i);
        if (r->split && !(r->key = pcri_arena_join(l->arena, r->split, strlen(r->split), true,
                                                   r->key, err)))
            rc = PCR_ERR_NOMEM;
    }
    if (!rc)
        rc = pcri_list_finish(l, s->opts, "", s->e, err);
    for (size_t i = 0; i < s->e->count; i++) /* the image is the whole file */
        pcri_entries_at(s->e, i)->file = NULL;
    return rc;
}

/* --- folders --- */

static bool is_split(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

/* One folder has the images of all annotations, unless a user says of which split each is. */
static const struct pcri_given *find_folder(const struct pcri_inputs *images,
                                            const struct pcri_given *a)
{
    const struct pcri_given *first = &images->items[0];
    if (images->count == 1 && (!first->split || !a->split || a->is_guess))
        return first;
    for (size_t i = 0; i < images->count; i++)
        if (is_split(images->items[i].split, a->split))
            return &images->items[i];
    return NULL;
}

static int check_folders(const struct pcri_inputs *images, struct pcr_error *err)
{
    for (size_t i = 0; i < images->count; i++) {
        const struct pcri_given *g = &images->items[i];
        struct stat st;
        if (PCRI_UNINTERRUPTED(stat(g->path, &st)))
            return pcri_fail_sys(err, errno, "%s", g->path);
        if (!S_ISDIR(st.st_mode))
            return pcri_fail(
                err, PCR_ERR_INVAL,
                "%s is no folder: with annotations a source is that of the images", g->path);
        for (size_t k = 0; k < i; k++)
            if (!g->split || !images->items[k].split ||
                is_split(g->split, images->items[k].split))
                return pcri_fail(
                    err, PCR_ERR_INVAL,
                    "%s and %s: say of which split each folder is, by NAME=FOLDER",
                    images->items[k].path, g->path);
    }
    return 0;
}

int pcri_annotated_pair(struct pcri_inputs *annotations, const struct pcri_inputs *images,
                        struct pcr_error *err)
{
    int rc = check_folders(images, err);
    for (size_t i = 0; i < annotations->count && !rc; i++) {
        struct pcri_given *a = &annotations->items[i];
        const struct pcri_given *folder = find_folder(images, a);
        if (!folder)
            rc = pcri_fail(err, PCR_ERR_INVAL, "%s is of %s%s, but no folder of images is",
                           a->path, a->split ? "split " : "no split",
                           a->split ? a->split : "");
        else if (folder->split)
            a->split = folder->split;
        a->images = folder ? folder->path : NULL;
    }
    for (size_t i = 0; i < images->count && !rc; i++) {
        bool used = false;
        for (size_t k = 0; k < annotations->count; k++)
            used |= annotations->items[k].images == images->items[i].path;
        if (!used)
            rc = pcri_fail(err, PCR_ERR_INVAL, "%s is of split %s, but no annotations are",
                           images->items[i].path, images->items[i].split);
    }
    return rc;
}
