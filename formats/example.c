/* SPDX-License-Identifier: BSD-2-Clause */
/* Named values of a record made into a row: which is the image, the label, the key. */
#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/base/utf8.h"
#include "example.h"
#include "exported.h"
#include "folder_names.h"
#include "label.h"
#include "shapes.h"

struct pcri_value *pcri_example_value(struct pcri_example *x, const char *name,
                                      size_t name_nbytes, struct pcr_error *err)
{
    if (PCRI_GROW(x->values, x->capacity, x->count + 1, err))
        return NULL;
    struct pcri_value *v = &x->values[x->count++];
    *v = (struct pcri_value) { .name = name, .name_nbytes = name_nbytes };
    return v;
}

void pcri_example_clear(struct pcri_example *x)
{
    for (size_t i = 0; i < x->count; i++)
        json_decref(x->values[i].json);
    x->count = 0;
}

void pcri_example_free(struct pcri_example *x)
{
    pcri_example_clear(x);
    free(x->values);
    x->values = NULL;
    x->capacity = 0;
}

int pcri_value_number(struct pcri_value *v, char kind, const uint8_t *data, size_t nbytes,
                      bool *bad, struct pcr_error *err)
{
    uint64_t u = 0;
    for (size_t i = 0; i < nbytes && i < 8; i++)
        u |= (uint64_t) data[i] << 8 * i;
    if (kind == 'f' && (nbytes == 4 || nbytes == 8)) {
        double d;
        float f = 0;
        if (nbytes == 4) {
            uint32_t low = (uint32_t) u;
            memcpy(&f, &low, 4);
            d = (double) f;
        } else {
            memcpy(&d, &u, 8);
        }
        if (!isfinite(d)) {
            v->unknown = "numbers that are not finite";
            return 0;
        }
        v->json = json_real(d);
    } else if (kind == 'f' || !nbytes || nbytes > 8) {
        *bad = true;
        return 0;
    } else {
        if (kind == 'i' && nbytes < 8 && u >> (8 * nbytes - 1))
            u |= UINT64_MAX << 8 * nbytes;
        if (kind == 'u' && u > INT64_MAX) {
            v->unknown = "numbers of 2^63 and more";
            return 0;
        }
        v->json = json_integer((int64_t) u);
    }
    return v->json ? 0 : pcri_fail_nomem(err, 64);
}

/* --- the choice --- */

static struct pcri_value *find(const struct pcri_example *x, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < x->count; i++)
        if (x->values[i].name_nbytes == n && !memcmp(x->values[i].name, name, n))
            return &x->values[i];
    return NULL;
}

static struct pcri_value *find_first(const struct pcri_example *x, const char *const *names)
{
    struct pcri_value *v = NULL;
    for (; *names && !v; names++) {
        v = find(x, *names);
        if (v && !v->data && !v->json)
            v = NULL;
    }
    return v;
}

static bool is_image(const struct pcri_value *v)
{
    return v->data && pcri_is_image_start(v->data, v->nbytes);
}

static struct pcri_value *find_image(const struct pcri_container *s,
                                     const struct pcri_example *x)
{
    static const char *const usual[] = { "image/encoded", "image", "jpg",  "jpeg",
                                         "png",           "img",   "photo" };
    struct pcri_value *v;
    if (s->opts->image_field) {
        v = find(x, s->opts->image_field);
        return v && v->data ? v : NULL;
    }
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if ((v = find(x, usual[i])) && is_image(v))
            return v;
    for (size_t i = 0; i < x->count; i++)
        if (is_image(&x->values[i]))
            return &x->values[i];
    /* Damaged, or of a format that only its name tells of: for the writer to judge. */
    v = find(x, usual[0]);
    return v && v->data ? v : NULL;
}

static const char *const label_names[] = {
    "image/class/label", "label", "labels", "class", "cls", "target", "image/class/text", NULL
};
static const char *const key_names[] = { "image/filename", "filename", "file_name", "key",
                                         "__key__",        NULL };

bool pcri_value_is_text(const uint8_t *data, size_t nbytes)
{
    return !memchr(data, 0, nbytes) && pcri_utf8_valid(data, nbytes);
}

static bool is_text(const struct pcri_value *v)
{
    return v->data && v->nbytes && pcri_value_is_text(v->data, v->nbytes);
}

/* A JSON text of bytes, which are UTF-8; NULL for lack of memory. */
static json_t *text_of(const struct pcri_value *v, struct pcr_error *err)
{
    json_t *text = json_stringn((const char *) v->data, v->nbytes);
    if (!text)
        pcri_fail_nomem(err, v->nbytes);
    return text;
}

/* An array of one stands for its element. */
static const json_t *json_of(const struct pcri_value *v)
{
    return json_array_size(v->json) == 1 ? json_array_get(v->json, 0) : v->json;
}

static int set_label(struct pcri_container *s, struct pcri_list_row *row,
                     const struct pcri_value *v, struct pcr_error *err)
{
    if (!v->data)
        return pcri_row_json_label(s->rows, row, json_of(v), err);
    if (!is_text(v))
        return pcri_row_fail(err, row, "the label '%.*s' is bytes that are no text",
                             (int) (v->name_nbytes < 64 ? v->name_nbytes : 64), v->name);
    json_t *text = text_of(v, err);
    int rc = text ? pcri_row_json_label(s->rows, row, text, err) : PCR_ERR_NOMEM;
    json_decref(text);
    return rc;
}

/* --- the key --- */

static const char *ending_of(const struct pcri_value *image)
{
    static const struct {
        uint8_t at, nbytes;
        const char *bytes, *ending;
    } formats[] = {
        { 0, 3, "\xff\xd8\xff", "jpg" }, { 0, 4, "\x89PNG", "png" }, { 0, 4, "GIF8", "gif" },
        { 8, 4, "WEBP", "webp" },        { 0, 2, "BM", "bmp" },      { 0, 4, "II*\0", "tif" },
        { 0, 4, "MM\0*", "tif" },        { 0, 2, "P5", "pgm" },      { 0, 2, "P6", "ppm" }
    };
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (image->nbytes >= (size_t) formats[i].at + formats[i].nbytes &&
            !memcmp(image->data + formats[i].at, formats[i].bytes, formats[i].nbytes))
            return formats[i].ending;
    return "img";
}

/* The value that is the key; NULL: it is made of the number. */
static struct pcri_value *find_key(const struct pcri_container *s,
                                   const struct pcri_example *x)
{
    const char *name = s->opts->key_field;
    struct pcri_value *v = name ? find(x, name) : find_first(x, key_names);
    if (!v || v->data)
        return v && is_text(v) ? v : NULL;
    return json_is_integer(json_of(v)) || json_string_length(json_of(v)) ? v : NULL;
}

static const char *make_key(struct pcri_container *s, const struct pcri_example *x,
                            const struct pcri_value *v, const struct pcri_value *image,
                            struct pcr_error *err)
{
    char number[64];
    const json_t *value = v && !v->data ? json_of(v) : NULL;
    if (v && v->data)
        return pcri_arena_strndup(s->rows->arena, v->data, v->nbytes, err);
    if (json_is_string(value))
        return pcri_arena_strndup(s->rows->arena, json_string_value(value),
                                  json_string_length(value), err);
    if (value) {
        snprintf(number, sizeof(number), "%lld", (long long) json_integer_value(value));
        return pcri_arena_strndup(s->rows->arena, number, strlen(number), err);
    }
    snprintf(number, sizeof(number), "%08llu.%s", (unsigned long long) x->number,
             ending_of(image));
    return pcri_arena_join(s->rows->arena, x->prefix, strlen(x->prefix), true, number, err);
}

/* --- attributes --- */

static int add_attribute(struct pcri_container *s, json_t *object, const char *name,
                         const struct pcri_value *v, struct pcr_error *err)
{
    json_t *value = json_incref(v->json);
    const char *why = v->unknown;
    if (v->data && !(value = text_of(v, err))) /* others are blobs */
        return PCR_ERR_NOMEM;
    if (!value)
        return why ? pcri_container_note(s, err, "'%.80s' is left out: %s", name, why) : 0;
    int rc = 0;
    if (v->listed) /* bytes are one text */
        rc = pcri_shapes_count(&s->shapes, name, v->data ? 1 : json_array_size(value), err);
    if (!rc && v->listed && json_array_size(value) == 1) {
        json_t *only = json_incref(json_array_get(value, 0));
        json_decref(value);
        value = only;
    }
    if (!rc && json_object_set(object, name, value))
        rc = pcri_fail_nomem(err, 64);
    json_decref(value);
    return rc;
}

/* The name as a C string of UTF-8. */
static int name_of(const struct pcri_value *v, struct pcr_buffer *out, struct pcr_error *err)
{
    out->nbytes = 0;
    int rc = pcri_utf8_escape(v->name, strnlen(v->name, v->name_nbytes), out, err);
    return rc ? rc : pcri_buffer_append(out, "", 1, err);
}

/* --- blobs --- */

static bool is_in(const json_t *names, const char *name)
{
    size_t i;
    json_t *value;
    json_array_foreach (names, i, value)
        if (json_is_string(value) && !strcmp(json_string_value(value), name))
            return true;
    return false;
}

/* What becomes of the values of a record. */
struct taking {
    struct pcri_container *s;
    struct pcri_list_row *row;
    const struct pcri_example *x;
    const struct pcri_value *used[3]; /* image, label, key */
    bool is_exported;              /* it is of one of this library's exports: what is a blob */
    json_t *blob_names;            /* is here; or NULL */
    struct pcr_source_blob *blobs; /* of the row; or NULL */
    struct pcri_place *places;
};

static bool is_used(const struct taking *t, const struct pcri_value *v)
{
    return v == t->used[0] || v == t->used[1] || v == t->used[2];
}

static bool is_blob(const struct taking *t, const struct pcri_value *v, const char *name)
{
    if (!v->data || v == t->used[0])
        return false;
    if (t->is_exported)
        return is_in(t->blob_names, name);
    return pcri_container_names_blob(t->s, name) ||
           (!is_used(t, v) && !pcri_value_is_text(v->data, v->nbytes));
}

/* Room for all values. */
static int make_room(struct taking *t, struct pcr_error *err)
{
    struct pcri_arena *arena = &t->s->e->arena;
    const size_t count = t->x->count;
    t->blobs = pcri_arena_alloc(arena, count * sizeof(*t->blobs), alignof(uint64_t), err);
    t->places = pcri_arena_alloc(arena, count * sizeof(*t->places), alignof(uint64_t), err);
    t->row->blobs = t->blobs;
    t->row->blob_places = t->places;
    return t->blobs && t->places ? 0 : PCR_ERR_NOMEM;
}

static int add_blob(struct taking *t, const struct pcri_value *v, const char *name,
                    struct pcr_error *err)
{
    struct pcri_place place = { .file = t->row->file,
                                .offset = v->offset,
                                .nbytes = v->nbytes };
    int rc = 0;
    if (!*name || !pcri_container_takes_blob(t->s, name))
        return 0;
    if (t->x->spool) {
        place.spooled = true;
        place.offset = t->s->spool_nbytes;
        rc = pcri_container_put(t->s, v->data, v->nbytes, err);
    }
    if (!rc && !t->blobs)
        rc = make_room(t, err);
    const char *kept = rc ? NULL : pcri_list_text(t->s->rows, name, strlen(name), err);
    if (!kept)
        return rc ? rc : PCR_ERR_NOMEM;
    t->places[t->row->blob_count] = place;
    t->blobs[t->row->blob_count++] = (struct pcr_source_blob) { kept, NULL, v->nbytes };
    return 0;
}

/* --- all but image, label and key --- */

/* What one of this library's exports says in the value `json` is all there is to say, but for
 * blobs. */
static int take_exported(struct taking *t, struct pcr_error *err)
{
    struct pcri_container *s = t->s;
    struct pcri_list_row *row = t->row;
    const struct pcri_example *x = t->x;
    const struct pcri_value *v = find(x, "json");
    const json_t *value = v ? json_of(v) : NULL;
    const char *text = v && v->data ? (const char *) v->data : json_string_value(value);
    size_t nbytes = v && v->data ? v->nbytes : json_string_length(value);
    json_t *object = NULL;
    int rc = 0;
    if (json_object_get(value, "__key__"))
        rc = (object = json_copy((json_t *) (uintptr_t) value)) ? 0 : pcri_fail_nomem(err, 64);
    else if (text && nbytes && *text == '{')
        rc = pcri_exported_parse(text, nbytes, &object, err);
    t->is_exported = object != NULL;
    t->blob_names = json_incref(json_object_get(object, "__blobs__"));
    if (!rc && object)
        rc = pcri_exported_take(s, row, object, err);
    if (!rc && object)
        rc = pcri_row_attributes(s->rows, row, object, err);
    json_decref(object);
    return rc;
}

static int take_value(struct taking *t, const struct pcri_value *v, json_t *object,
                      const char *name, struct pcr_error *err)
{
    if (is_blob(t, v, name))
        return add_blob(t, v, name, err);
    return t->is_exported || is_used(t, v) ? 0 : add_attribute(t->s, object, name, v, err);
}

static int take_values(struct taking *t, struct pcr_error *err)
{
    struct pcr_buffer name = { 0 };
    json_t *object = json_object();
    int rc = object ? take_exported(t, err) : pcri_fail_nomem(err, 64);
    for (size_t i = 0; i < t->x->count && !rc; i++) {
        rc = name_of(&t->x->values[i], &name, err);
        if (!rc)
            rc = take_value(t, &t->x->values[i], object, (const char *) name.data, err);
    }
    if (!rc && !t->is_exported)
        rc = pcri_row_attributes(t->s->rows, t->row, object, err);
    json_decref(object);
    json_decref(t->blob_names);
    pcr_buffer_free(&name);
    return rc;
}

/* --- the row --- */

static int add_row(struct pcri_container *s, const struct pcri_example *x,
                   const struct pcri_value *image, const char *key, struct pcri_list_row **row,
                   struct pcr_error *err)
{
    if (x->spool)
        return pcri_container_spool(s, key, image->data, image->nbytes, row, err);
    *row = pcri_container_add(s, x->file, key, image->offset, image->nbytes, err);
    return *row ? 0 : PCR_ERR_NOMEM;
}

static int fail_without_image(struct pcri_container *s, const struct pcri_example *x,
                              struct pcr_error *err)
{
    char names[300] = "";
    for (size_t i = 0, n = 0; i < x->count && n < sizeof(names) - 2; i++) {
        const struct pcri_value *v = &x->values[i];
        n += (size_t) snprintf(names + n, sizeof(names) - n, "%s%.*s%s%s%s", i ? ", " : "",
                               (int) (v->name_nbytes < 60 ? v->name_nbytes : 60), v->name,
                               v->unknown ? " (" : "", v->unknown ? v->unknown : "",
                               v->unknown ? ")" : "");
    }
    const char *wanted = s->opts->image_field;
    return pcri_container_damaged(
        s, x->file, x->offset, err, "record %llu has %s%.60s%s; its columns: %s",
        (unsigned long long) x->number, wanted ? "no bytes '" : "no image",
        wanted ? wanted : "", wanted ? "'" : " (a column that image_field can name)",
        names[0] ? names : "none");
}

int pcri_example_add(struct pcri_container *s, struct pcri_example *x, struct pcr_error *err)
{
    const struct pcri_value *image = find_image(s, x);
    if (!image)
        return fail_without_image(s, x, err);
    const char *name = s->opts->label_field;
    const struct pcri_value *label = !name   ? find_first(x, label_names)
                                     : *name ? find(x, name)
                                             : NULL;
    const struct pcri_value *from = find_key(s, x);
    const char *key = make_key(s, x, from, image, err);
    struct pcri_list_row *row = NULL;
    int rc = key ? add_row(s, x, image, key, &row, err) : PCR_ERR_NOMEM;
    if (rc)
        return rc;
    row->key = key;
    if (label && (label->data || label->json))
        rc = set_label(s, row, label, err);
    struct taking t = { .s = s, .row = row, .x = x, .used = { image, label, from } };
    return rc ? rc : take_values(&t, err);
}
