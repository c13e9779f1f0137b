/* SPDX-License-Identifier: BSD-2-Clause */
/* COCO's annotation files: images, boxes and their categories. A file is read once, part by part;
 * of an annotation stays what is used. Annotations may come before the images and categories that
 * they name, so these are looked up at the end. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "annotated.h"
#include "json_file.h"

/* Of an image, a category or an annotation: a number, or a text. */
struct id {
    int64_t number;
    const char *text; /* NULL: the number */
};

/* What images and categories begin with. */
struct numbered {
    struct id id;
    uint64_t offset; /* in the file */
};

struct image {
    struct numbered own;
    const char *name;
    double width, height; /* 0: not known */
    size_t first, count;  /* its annotations, in `order` */
    bool is_repeated;     /* another has the id */
};

struct category {
    struct numbered own;
    const char *name;
    bool is_used; /* by an annotation */
};

struct annotation {
    struct id image, category;
    struct pcri_box box;
    double area;
    int iscrowd;
    const char *name; /* "annotation 77", for messages */
    uint64_t offset;
    struct pcri_json_slice segmentation;
    size_t image_index; /* SIZE_MAX: left out */
    const char *category_name;
};

struct coco {
    struct pcri_container *s;
    struct pcri_arena arena; /* for what is not kept */
    struct image *images;
    struct category *categories;
    struct annotation *annotations;
    size_t image_count, image_room, category_count, category_room, annotation_count,
        annotation_room;
    size_t *order; /* of annotations: those of each image together, in the file's order */
    bool has[3];   /* lists of images, annotations, categories */
};

/* --- values --- */

static int compare_ids(const struct id *a, const struct id *b)
{
    if (!a->text != !b->text)
        return a->text ? 1 : -1;
    return a->text                 ? strcmp(a->text, b->text)
           : a->number < b->number ? -1
                                   : a->number > b->number;
}

struct id_text {
    char text[80];
};

static struct id_text show(const struct id *id)
{
    struct id_text t;
    if (id->text)
        snprintf(t.text, sizeof(t.text), "'%.60s'", id->text);
    else
        snprintf(t.text, sizeof(t.text), "%lld", (long long) id->number);
    return t;
}

/* The value of a slice; NULL where there is none. */
static int parse(const struct pcri_json_slice *slice, json_t **out, struct pcr_error *err)
{
    *out = NULL;
    return slice->text ? pcri_json_parse(slice->text, slice->nbytes,
                                         PCRI_JSON_ANY | PCRI_JSON_DUPLICATES, out, NULL, err)
                       : 0;
}

/* A number of moderate size: products of two are finite. */
static bool is_moderate(const json_t *v)
{
    return json_is_number(v) && fabs(json_number_value(v)) < 1e150;
}

static int take_id(struct coco *c, const struct pcri_json_slice *slice, struct id *out,
                   bool *good, struct pcr_error *err)
{
    json_t *v;
    int rc = parse(slice, &v, err);
    *good = !rc && (json_is_integer(v) || json_is_string(v));
    *out = (struct id) { .number = json_integer_value(v) };
    if (!rc && json_is_string(v) &&
        !(out->text = pcri_arena_strndup(&c->arena, json_string_value(v),
                                         json_string_length(v), err)))
        rc = PCR_ERR_NOMEM;
    json_decref(v);
    return rc < 0 ? rc : 0;
}

/* A text that is not empty; else NULL. */
static int take_text(struct coco *c, const struct pcri_json_slice *slice, const char **out,
                     struct pcr_error *err)
{
    json_t *v;
    int rc = parse(slice, &v, err);
    *out = NULL;
    if (!rc && json_string_length(v) &&
        !(*out = pcri_arena_strndup(&c->arena, json_string_value(v), json_string_length(v),
                                    err)))
        rc = PCR_ERR_NOMEM;
    json_decref(v);
    return rc < 0 ? rc : 0;
}

/* A number, or what stands for one that is not there. */
static int take_number(const struct pcri_json_slice *slice, double absent, double *out,
                       bool *good, struct pcr_error *err)
{
    json_t *v;
    int rc = parse(slice, &v, err);
    const bool none = !v || json_is_null(v);
    *good = !rc && (none || is_moderate(v));
    *out = none ? absent : json_number_value(v);
    json_decref(v);
    return rc < 0 ? rc : 0;
}

/* --- parts of the file --- */

static int damaged_part(struct coco *c, const struct pcri_json_part *part, const char *what,
                        const struct pcri_json_fault *fault, struct pcr_error *err)
{
    return pcri_container_damaged(c->s, NULL, part->offset + fault->offset, err,
                                  "%s at place %llu: %s", what,
                                  (unsigned long long) part->index, fault->what);
}

static int fail_side(struct coco *c, const struct image *image, struct pcr_error *err)
{
    return pcri_container_damaged(c->s, NULL, image->own.offset, err,
                                  "image %s: width and height are no numbers",
                                  show(&image->own.id).text);
}

static int take_image(struct coco *c, const struct pcri_json_part *part, struct pcr_error *err)
{
    static const char *const names[] = { "id", "file_name", "width", "height" };
    struct pcri_json_slice v[4];
    struct pcri_json_fault fault;
    struct image image = { .own.offset = part->offset };
    bool good = true, wide = true, high = true;
    int rc = pcri_json_members(part->text, part->nbytes, names, 4, v, &fault, err);
    if (rc > 0)
        return damaged_part(c, part, "the image", &fault, err);
    if (!rc)
        rc = take_id(c, &v[0], &image.own.id, &good, err);
    if (!rc)
        rc = take_text(c, &v[1], &image.name, err);
    if (!rc)
        rc = take_number(&v[2], 0, &image.width, &wide, err);
    if (!rc)
        rc = take_number(&v[3], 0, &image.height, &high, err);
    if (rc)
        return rc;
    if (!good || !image.name)
        return pcri_container_damaged(
            c->s, NULL, part->offset, err,
            "the image at place %llu: expected an id and a file_name",
            (unsigned long long) part->index);
    if (!wide || !high)
        return fail_side(c, &image, err);
    if (PCRI_GROW(c->images, c->image_room, c->image_count + 1, err))
        return PCR_ERR_NOMEM;
    c->images[c->image_count++] = image;
    return 0;
}

static int take_category(struct coco *c, const struct pcri_json_part *part,
                         struct pcr_error *err)
{
    static const char *const names[] = { "id", "name" };
    struct pcri_json_slice v[2];
    struct pcri_json_fault fault;
    struct category category = { .own.offset = part->offset };
    bool good;
    int rc = pcri_json_members(part->text, part->nbytes, names, 2, v, &fault, err);
    if (rc > 0)
        return damaged_part(c, part, "the category", &fault, err);
    if (!rc)
        rc = take_id(c, &v[0], &category.own.id, &good, err);
    if (!rc)
        rc = take_text(c, &v[1], &category.name, err);
    if (rc)
        return rc;
    if (!good || !category.name)
        return pcri_container_damaged(c->s, NULL, part->offset, err,
                                      "the category at place %llu: expected an id and a name",
                                      (unsigned long long) part->index);
    if (PCRI_GROW(c->categories, c->category_room, c->category_count + 1, err))
        return PCR_ERR_NOMEM;
    c->categories[c->category_count++] = category;
    return 0;
}

static int take_box(const struct pcri_json_slice *slice, struct pcri_box *box, bool *good,
                    struct pcr_error *err)
{
    json_t *v;
    double n[4] = { 0 };
    int rc = parse(slice, &v, err);
    *good = !rc && json_array_size(v) == 4;
    for (size_t i = 0; i < 4 && *good; i++) {
        *good = is_moderate(json_array_get(v, i));
        n[i] = json_number_value(json_array_get(v, i));
    }
    *box = (struct pcri_box) { n[0], n[1], n[0] + n[2], n[1] + n[3] };
    json_decref(v);
    return rc < 0 ? rc : 0;
}

/* 0, 1, false, true, or nothing. */
static int take_flag(const struct pcri_json_slice *slice, int *out, bool *good,
                     struct pcr_error *err)
{
    json_t *v;
    int rc = parse(slice, &v, err);
    *out = json_is_true(v) || json_number_value(v) == 1;
    *good = !rc &&
            (!v || json_is_boolean(v) || (json_is_number(v) && json_number_value(v) == *out));
    json_decref(v);
    return rc < 0 ? rc : 0;
}

/* What an annotation is called in messages. */
static const char *name_of(struct coco *c, const struct pcri_json_part *part,
                           const struct pcri_json_slice *id, struct pcr_error *err)
{
    char text[120];
    struct id found;
    bool good;
    if (take_id(c, id, &found, &good, err))
        return NULL;
    if (good)
        snprintf(text, sizeof(text), "annotation %s", show(&found).text);
    else
        snprintf(text, sizeof(text), "annotation at place %llu",
                 (unsigned long long) part->index);
    return pcri_arena_strndup(&c->arena, text, strlen(text), err);
}

enum annotation_member {
    ID,
    IMAGE_ID,
    CATEGORY_ID,
    BBOX,
    AREA,
    ISCROWD,
    SEGMENTATION,
    MEMBER_COUNT
};

/* Reads the members; *wrong is the one that is not as it should be. */
static int take_members(struct coco *c, const struct pcri_json_slice *v, struct annotation *a,
                        enum annotation_member *wrong, struct pcr_error *err)
{
    bool good[MEMBER_COUNT] = { 0 };
    int rc = take_id(c, &v[IMAGE_ID], &a->image, &good[IMAGE_ID], err);
    if (!rc)
        rc = take_id(c, &v[CATEGORY_ID], &a->category, &good[CATEGORY_ID], err);
    if (!rc)
        rc = take_box(&v[BBOX], &a->box, &good[BBOX], err);
    if (!rc)
        rc = take_number(&v[AREA],
                         good[BBOX] ? (a->box.x1 - a->box.x0) * (a->box.y1 - a->box.y0) : 0,
                         &a->area, &good[AREA], err);
    if (!rc)
        rc = take_flag(&v[ISCROWD], &a->iscrowd, &good[ISCROWD], err);
    *wrong = IMAGE_ID;
    while (*wrong < SEGMENTATION && good[*wrong])
        ++*wrong;
    return rc;
}

static int fail_member(struct coco *c, const struct annotation *a,
                       enum annotation_member member, const struct pcri_json_slice *v,
                       struct pcr_error *err)
{
    static const struct {
        const char *name, *expected;
    } of[] = { [IMAGE_ID] = { "image_id", "a number or a text" },
               [CATEGORY_ID] = { "category_id", "a number or a text" },
               [BBOX] = { "bbox", "[x, y, width, height]" },
               [AREA] = { "area", "a number" },
               [ISCROWD] = { "iscrowd", "0 or 1" } };
    return pcri_container_damaged(c->s, NULL, a->offset, err, "%s: %s is %.*s, expected %s",
                                  a->name, of[member].name,
                                  (int) (v->nbytes < 100 ? v->nbytes : 100),
                                  v->text ? v->text : "", of[member].expected);
}

static int take_annotation(struct coco *c, const struct pcri_json_part *part,
                           struct pcr_error *err)
{
    static const char *const names[] = { "id",   "image_id", "category_id", "bbox",
                                         "area", "iscrowd",  "segmentation" };
    static const struct pcri_json_slice missing = { "missing", 7 };
    const bool segmentations = c->s->opts->flags & PCR_SOURCE_SEGMENTATIONS;
    struct pcri_json_slice v[MEMBER_COUNT];
    struct pcri_json_fault fault;
    struct annotation a = { .offset = part->offset };
    enum annotation_member wrong;
    int rc = pcri_json_members(part->text, part->nbytes, names, MEMBER_COUNT, v, &fault, err);
    if (rc > 0)
        return damaged_part(c, part, "the annotation", &fault, err);
    if (!rc && !(a.name = name_of(c, part, &v[ID], err)))
        rc = PCR_ERR_NOMEM;
    if (!rc)
        rc = take_members(c, v, &a, &wrong, err);
    if (rc)
        return rc;
    if (wrong != SEGMENTATION)
        return fail_member(c, &a, wrong, v[wrong].text ? &v[wrong] : &missing, err);
    if (segmentations && v[SEGMENTATION].text) {
        a.segmentation = v[SEGMENTATION];
        a.segmentation.text = pcri_arena_strndup(&c->arena, a.segmentation.text,
                                                 a.segmentation.nbytes, err);
        if (!a.segmentation.text)
            return PCR_ERR_NOMEM;
    }
    if (PCRI_GROW(c->annotations, c->annotation_room, c->annotation_count + 1, err))
        return PCR_ERR_NOMEM;
    c->annotations[c->annotation_count++] = a;
    return 0;
}

/* What is not used must be JSON. */
static int check_part(struct coco *c, const struct pcri_json_part *part, struct pcr_error *err)
{
    struct pcri_json_reader r = pcri_json_reader(part->text, part->nbytes, err);
    int rc = pcri_json_pass(&r);
    if (!rc)
        rc = pcri_json_end(&r);
    if (rc > 0)
        rc = pcri_fail(err, PCR_ERR_FORMAT, "%s, byte %llu: not JSON: %s", c->s->path,
                       (unsigned long long) (part->offset + r.fault.offset), r.fault.what);
    pcri_json_close(&r);
    return rc;
}

static int take_part(void *context, const struct pcri_json_part *part, struct pcr_error *err)
{
    struct coco *c = context;
    static const struct {
        const char *name;
        int (*take)(struct coco *c, const struct pcri_json_part *part, struct pcr_error *err);
    } kinds[] = { { "images", take_image },
                  { "annotations", take_annotation },
                  { "categories", take_category } };
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(part->member, kinds[i].name) != 0)
            continue;
        c->has[i] |= part->is_element || *part->text == '[';
        if (part->is_element)
            return kinds[i].take(c, part, err);
    }
    return check_part(c, part, err);
}

static int check_lists(const struct coco *c, struct pcr_error *err)
{
    static const char *const names[] = { "images", "annotations", "categories" };
    for (size_t i = 0; i < 3; i++)
        if (!c->has[i])
            return pcri_fail(err, PCR_ERR_FORMAT,
                             "%s: no list of %s, as COCO's annotations have it", c->s->path,
                             names[i]);
    return 0;
}

/* --- annotations to images --- */

static int compare_numbered(const void *a, const void *b)
{
    const struct numbered *x = *(const struct numbered *const *) a;
    const struct numbered *y = *(const struct numbered *const *) b;
    int order = compare_ids(&x->id, &y->id);
    return order ? order : x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int compare_to_numbered(const void *id, const void *b)
{
    return compare_ids(id, &(*(const struct numbered *const *) b)->id);
}

/* Images or categories, sorted by ids. */
struct index {
    const struct numbered **entries;
    size_t count;
};

/* Makes an index of `count` items of `nbytes` each. Those with an id that is there before are not
 * in it, and told. */
static int make_index(struct coco *c, const void *items, size_t count, size_t nbytes,
                      const char *what, struct index *out, struct pcr_error *err)
{
    const struct numbered **e = pcri_malloc(count + 1, sizeof(*e), err);
    int rc = e ? 0 : PCR_ERR_NOMEM;
    *out = (struct index) { .entries = e };
    for (size_t i = 0; i < count && !rc; i++)
        e[i] = (const void *) ((const char *) items + i * nbytes);
    if (count && !rc)
        qsort(e, count, sizeof(*e), compare_numbered);
    for (size_t i = 0; i < count && !rc; i++) {
        if (!out->count || compare_ids(&e[out->count - 1]->id, &e[i]->id))
            e[out->count++] = e[i];
        else
            rc = pcri_container_damaged(c->s, NULL, e[i]->offset, err, "%s %s is there twice",
                                        what, show(&e[i]->id).text);
    }
    return rc;
}

static const void *find(const struct index *index, const struct id *id)
{
    const struct numbered **hit = index->count
                                      ? bsearch(id, index->entries, index->count,
                                                sizeof(*index->entries), compare_to_numbered)
                                      : NULL;
    return hit ? *hit : NULL;
}

static int leave_out(struct coco *c, struct annotation *a, struct pcr_error *err,
                     const char *format, ...) PCRI_PRINTF(4, 5);
static int leave_out(struct coco *c, struct annotation *a, struct pcr_error *err,
                     const char *format, ...)
{
    char what[PCR_MESSAGE_NBYTES / 2];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    a->image_index = SIZE_MAX;
    return pcri_container_damaged(c->s, NULL, a->offset, err, "%s: %s", a->name, what);
}

/* Two categories of one name would become one: all annotations of the second one are wrong. */
static int check_name(struct coco *c, struct annotation *a, const struct category *category,
                      struct pcr_error *err)
{
    for (size_t i = 0; i < c->category_count; i++) {
        const struct category *other = &c->categories[i];
        if (other != category && other->is_used && !strcmp(other->name, category->name))
            return leave_out(c, a, err, "category %s has the name of %s, '%.100s'",
                             show(&category->own.id).text, show(&other->own.id).text,
                             other->name);
    }
    c->categories[category - c->categories].is_used = true;
    return 0;
}

static int settle(struct coco *c, struct annotation *a, const struct image *image,
                  const struct category *category, struct pcr_error *err)
{
    if (!image)
        return leave_out(c, a, err, "image %s is not among the images", show(&a->image).text);
    if (!category)
        return leave_out(c, a, err, "category %s is not among the categories",
                         show(&a->category).text);
    const char *why = pcri_box_complaint(&a->box, image->width, image->height);
    if (why)
        return leave_out(c, a, err, "bbox from %g, %g to %g, %g is %s of %g x %g", a->box.x0,
                         a->box.y0, a->box.x1, a->box.y1, why, image->width, image->height);
    a->image_index = (size_t) (image - c->images);
    a->category_name = category->name;
    return category->is_used ? 0 : check_name(c, a, category, err);
}

static int settle_all(struct coco *c, struct pcr_error *err)
{
    struct index images = { 0 }, categories = { 0 };
    int rc = make_index(c, c->images, c->image_count, sizeof(*c->images), "image", &images,
                        err);
    if (!rc)
        rc = make_index(c, c->categories, c->category_count, sizeof(*c->categories),
                        "category", &categories, err);
    for (size_t i = 0; i < c->annotation_count && !rc; i++) {
        struct annotation *a = &c->annotations[i];
        rc = settle(c, a, find(&images, &a->image), find(&categories, &a->category), err);
    }
    for (size_t i = 0; i < c->image_count && !rc; i++)
        c->images[i].is_repeated = find(&images, &c->images[i].own.id) != &c->images[i];
    free(images.entries);
    free(categories.entries);
    return rc;
}

/* Puts the annotations of each image together. */
static int sort_annotations(struct coco *c, struct pcr_error *err)
{
    size_t first = 0;
    c->order = pcri_malloc(c->annotation_count + 1, sizeof(*c->order), err);
    if (!c->order)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < c->annotation_count; i++)
        if (c->annotations[i].image_index != SIZE_MAX)
            c->images[c->annotations[i].image_index].count++;
    for (size_t i = 0; i < c->image_count; i++) {
        c->images[i].first = first;
        first += c->images[i].count;
        c->images[i].count = 0;
    }
    for (size_t i = 0; i < c->annotation_count; i++)
        if (c->annotations[i].image_index != SIZE_MAX) {
            struct image *image = &c->images[c->annotations[i].image_index];
            c->order[image->first + image->count++] = i;
        }
    return 0;
}

/* --- samples --- */

static json_t *make_id(const struct id *id)
{
    return id->text ? json_string_nocheck(id->text) : json_integer(id->number);
}

enum list { BOXES, CLASSES, CATEGORY_IDS, AREAS, ISCROWDS, SEGMENTATIONS, LIST_COUNT };

static int add_box(const struct annotation *a, json_t **lists, struct pcr_error *err)
{
    json_t *segmentation = NULL;
    int rc = pcri_box_append(lists[BOXES], &a->box, err);
    if (!rc && (json_array_append_new(lists[CLASSES], json_string_nocheck(a->category_name)) ||
                json_array_append_new(lists[CATEGORY_IDS], make_id(&a->category)) ||
                json_array_append_new(lists[AREAS], json_real(a->area)) ||
                json_array_append_new(lists[ISCROWDS], json_integer(a->iscrowd))))
        rc = pcri_fail_nomem(err, 64);
    if (!rc && lists[SEGMENTATIONS])
        rc = parse(&a->segmentation, &segmentation, err);
    if (!rc && lists[SEGMENTATIONS] &&
        json_array_append_new(lists[SEGMENTATIONS], segmentation ? segmentation : json_null()))
        rc = pcri_fail_nomem(err, 64);
    return rc;
}

static int add_image(struct coco *c, const struct image *image, struct pcr_error *err)
{
    static const char *const names[] = { "boxes",     "box_classes", "box_category_ids",
                                         "box_areas", "box_iscrowd", "box_segmentations" };
    const size_t count = c->s->opts->flags & PCR_SOURCE_SEGMENTATIONS ? LIST_COUNT
                                                                      : LIST_COUNT - 1;
    char what[100];
    json_t *lists[LIST_COUNT] = { 0 }, *object = json_object();
    int rc = object &&
                     !json_object_set_new_nocheck(object, "image_id", make_id(&image->own.id))
                 ? 0
                 : pcri_fail_nomem(err, 64);
    for (size_t i = 0; i < count && !rc; i++)
        if (!(lists[i] = json_array()) ||
            json_object_set_new_nocheck(object, names[i], lists[i]))
            rc = pcri_fail_nomem(err, 64);
    for (size_t i = 0; i < image->count && !rc; i++)
        rc = add_box(&c->annotations[c->order[image->first + i]], lists, err);
    snprintf(what, sizeof(what), "image %s", show(&image->own.id).text);
    if (!rc)
        rc = pcri_annotated_add(c->s, what, image->name, object, err);
    json_decref(object);
    return rc;
}

static int scan(struct pcri_container *s, struct pcr_error *err)
{
    struct coco c = { .s = s };
    int rc = pcri_annotated_check(s, err);
    if (!rc)
        rc = pcri_json_file_read(s->path, take_part, &c, err);
    if (!rc)
        rc = check_lists(&c, err);
    if (!rc)
        rc = settle_all(&c, err);
    if (!rc)
        rc = sort_annotations(&c, err);
    for (size_t i = 0; i < c.image_count && !rc; i++)
        if (!c.images[i].is_repeated)
            rc = add_image(&c, &c.images[i], err);
    free(c.images);
    free(c.categories);
    free(c.annotations);
    free(c.order);
    pcri_arena_free(&c.arena);
    return rc;
}

const struct pcri_importer pcri_import_coco = {
    .name = "coco",
    .probe = pcri_annotated_probe,
    .scan = scan,
    .finish = pcri_annotated_finish,
};
