/* SPDX-License-Identifier: BSD-2-Clause */
/* Pascal VOC's annotations: an XML file for each image. */
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/io/storage.h"
#include "annotated.h"
#include "label.h"
#include "xml.h"

enum { FILE_MAX_NBYTES = 64 << 20, LIST_MAX_NBYTES = 1 << 30 };

/* One XML file. */
struct voc {
    struct pcri_container *s;
    const char *path;
    double width, height;                            /* 0: not known */
    json_t *boxes, *classes, *difficult, *truncated; /* borrowed from the attributes */
};

/* --- objects --- */

/* A finite number; false where there is none. */
static bool read_number(const char *text, double *out)
{
    int64_t i;
    double d = 0;
    enum pcri_number kind = pcri_number_parse(text, &i, &d);
    *out = kind == PCRI_NUMBER_INT ? (double) i : d;
    return kind == PCRI_NUMBER_INT || kind == PCRI_NUMBER_FLOAT;
}

/* 0 or 1; 0 where there is nothing. */
static bool read_flag(const struct pcri_xml *object, const char *name, int *out)
{
    double v = 0;
    const struct pcri_xml *e = pcri_xml_child(object, name);
    bool good = !e || read_number(e->text, &v);
    *out = v == 1;
    return good && v == *out;
}

static bool read_box(const struct voc *v, const struct pcri_xml *object, struct pcri_box *b)
{
    const struct pcri_xml *e = pcri_xml_child(object, "bndbox");
    const double first = v->s->opts->flags & PCR_SOURCE_ZERO_BASED ? 0 : 1;
    bool good = read_number(pcri_xml_text(e, "xmin"), &b->x0) &&
                read_number(pcri_xml_text(e, "ymin"), &b->y0) &&
                read_number(pcri_xml_text(e, "xmax"), &b->x1) &&
                read_number(pcri_xml_text(e, "ymax"), &b->y1);
    b->x0 -= first;
    b->y0 -= first;
    return good;
}

static int add_object(struct voc *v, const struct pcri_xml *object, size_t place,
                      struct pcr_error *err)
{
    struct pcri_box box;
    int difficult, truncated;
    const char *name = pcri_xml_text(object, "name");
    const char *why = !*name                       ? "no name"
                      : !read_box(v, object, &box) ? "no bndbox of four numbers"
                      : !read_flag(object, "difficult", &difficult) ||
                              !read_flag(object, "truncated", &truncated)
                          ? "difficult and truncated are 0 or 1"
                          : NULL;
    const char *wrong = why ? NULL : pcri_box_complaint(&box, v->width, v->height);
    if (why)
        return pcri_container_damaged(v->s, v->path, object->offset, err, "object %zu: %s",
                                      place, why);
    if (wrong)
        return pcri_container_damaged(
            v->s, v->path, object->offset, err,
            "object %zu: the box from %g, %g to %g, %g is %s of %g x %g", place, box.x0,
            box.y0, box.x1, box.y1, wrong, v->width, v->height);
    if (json_array_append_new(v->classes, json_string_nocheck(name)) ||
        json_array_append_new(v->difficult, json_integer(difficult)) ||
        json_array_append_new(v->truncated, json_integer(truncated)))
        return pcri_fail_nomem(err, 64);
    return pcri_box_append(v->boxes, &box, err);
}

/* --- files --- */

static double side(const struct pcri_xml *root, const char *name)
{
    double v;
    return read_number(pcri_xml_text(pcri_xml_child(root, "size"), name), &v) && v > 0 ? v : 0;
}

static int add_image(struct voc *v, const struct pcri_xml *root, const char *name,
                     struct pcr_error *err)
{
    size_t place = 0;
    json_t *all = json_object();
    int rc = 0;
    v->width = side(root, "width");
    v->height = side(root, "height");
    if (!all || json_object_set_new_nocheck(all, "boxes", v->boxes = json_array()) ||
        json_object_set_new_nocheck(all, "box_classes", v->classes = json_array()) ||
        json_object_set_new_nocheck(all, "box_difficult", v->difficult = json_array()) ||
        json_object_set_new_nocheck(all, "box_truncated", v->truncated = json_array()))
        rc = pcri_fail_nomem(err, 64);
    for (const struct pcri_xml *e = root->child; e && !rc; e = e->next)
        if (!strcmp(e->name, "object"))
            rc = add_object(v, e, place++, err);
    if (!rc)
        rc = pcri_annotated_add(v->s, v->path, name, all, err);
    json_decref(all);
    return rc;
}

static int take_text(struct voc *v, const struct pcr_buffer *text, struct pcri_arena *arena,
                     struct pcr_error *err)
{
    struct pcri_xml *root = NULL;
    struct pcri_xml_fault fault = { 0 };
    int rc = pcri_xml_parse((const char *) text->data, text->nbytes, arena, &root, &fault,
                            err);
    const char *name = rc ? "" : pcri_xml_text(root, "filename");
    if (!rc && (strcmp(root->name, "annotation") != 0 || !*name)) {
        fault = (struct pcri_xml_fault) { "it has no filename", root->offset };
        rc = 1;
    }
    if (rc > 0)
        return pcri_container_damaged(v->s, v->path, fault.offset, err,
                                      "not an annotation of VOC: %s", fault.what);
    return rc ? rc : add_image(v, root, name, err);
}

static int read_file(struct pcri_container *s, const char *name, struct pcr_error *err)
{
    struct pcri_arena arena = { 0 };
    struct pcr_buffer text = { 0 };
    struct voc v = { .s = s };
    if (!pcri_is_below(name))
        return pcri_container_damaged(s, s->list, 0, err,
                                      "'%.200s' is no file's name below the folder", name);
    v.path = pcri_arena_join(&s->e->arena, s->path, strlen(s->path),
                             s->path[strlen(s->path) - 1] != '/', name, err);
    if (!v.path)
        return PCR_ERR_NOMEM;
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    int rc = pcri_storage_read(&pcri_files, v.path, FILE_MAX_NBYTES, PCRI_TRIES_AGAIN, &text,
                               &why);
    if (rc == PCR_ERR_IO && s->opts->flags & PCR_SOURCE_SKIP_DAMAGED &&
        pcri_is_unreachable(why.sys_errno))
        rc = pcri_container_damaged(s, v.path, 0, err, "it cannot be opened");
    else
        rc = rc ? pcri_hand_on(err, rc, &why) : take_text(&v, &text, &arena, err);
    pcr_buffer_free(&text);
    pcri_arena_free(&arena);
    return rc;
}

/* --- which files --- */

struct file_names {
    struct pcri_arena arena;
    const char **items;
    size_t count, room;
};

static int add_name(struct file_names *n, const char *name, size_t nbytes, const char *ending,
                    struct pcr_error *err)
{
    if (PCRI_GROW(n->items, n->room, n->count + 1, err))
        return PCR_ERR_NOMEM;
    const char *whole = pcri_arena_strndup(&n->arena, name, nbytes, err);
    if (whole && *ending)
        whole = pcri_arena_join(&n->arena, whole, nbytes, false, ending, err);
    n->items[n->count] = whole;
    n->count += whole != NULL;
    return whole ? 0 : PCR_ERR_NOMEM;
}

static int visit(void *context, const char *name, struct pcr_error *err)
{
    size_t n = strlen(name);
    if (n < 5 || *name == '.' || strcmp(name + n - 4, ".xml") != 0)
        return 0;
    return add_name(context, name, n, "", err);
}

/* The first word of each line names a file, without its ending. */
static int read_list(const char *path, struct file_names *n, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    int rc = pcri_storage_read(&pcri_files, path, LIST_MAX_NBYTES, PCRI_TRIES_AGAIN, &text,
                               err);
    const uint8_t *zero = !rc && text.nbytes ? memchr(text.data, 0, text.nbytes) : NULL;
    if (zero)
        rc = pcri_fail(err, PCR_ERR_FORMAT, "%s, byte %zu: a zero byte: no list of names",
                       path, (size_t) (zero - text.data));
    if (!rc)
        rc = pcri_buffer_append(&text, "", 1, err);
    const char *p = (const char *) text.data;
    while (!rc && *p) {
        p += strspn(p, " \t\r\n");
        size_t word = strcspn(p, " \t\r\n");
        if (word)
            rc = add_name(n, p, word, ".xml", err);
        p += word;
        p += strcspn(p, "\n");
    }
    pcr_buffer_free(&text);
    return rc;
}

static int scan(struct pcri_container *s, struct pcr_error *err)
{
    struct file_names n = { 0 };
    int rc = pcri_annotated_check(s, err);
    if (!rc)
        rc = s->list ? read_list(s->list, &n, err)
                     : pcri_storage_list(&pcri_files, s->path, visit, &n, err);
    if (!rc && !s->list && n.count)
        qsort(n.items, n.count, sizeof(*n.items), pcri_compare_texts);
    for (size_t i = 0; i < n.count && !rc; i++)
        rc = read_file(s, n.items[i], err);
    free(n.items);
    pcri_arena_free(&n.arena);
    return rc;
}

const struct pcri_importer pcri_import_voc = {
    .name = "voc",
    .probe = pcri_annotated_probe,
    .scan = scan,
    .finish = pcri_annotated_finish,
};
