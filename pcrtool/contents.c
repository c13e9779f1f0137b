/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits and classes with their counts, attributes and blobs, as a manifest has them. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "contents.h"
#include "output.h"

enum {
    ALL_SHOWN = 10, /* up to so many classes all are shown; of more */
    FIRST_SHOWN = 5,
    LAST_SHOWN = 3,
};

/* Skips a member in valid JSON text, up to the comma or bracket after it. */
static const char *member_end(const char *p, const char *end)
{
    int depth = 0;
    bool quoted = false;
    for (; p < end; p++) {
        if (quoted) {
            p += *p == '\\';
            quoted = *p != '"';
            continue;
        }
        quoted = *p == '"';
        if (!depth && (*p == ',' || *p == '}'))
            break;
        depth += *p == '[' || *p == '{';
        depth -= *p == ']' || *p == '}';
    }
    return p;
}

static bool is_wanted(const char *p, const char *end)
{
    static const char *const names[] = { "\"classes\"", "\"schema\"", "\"splits\"" };
    while (p < end && strchr(" \t\r\n", *p) && *p)
        p++;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);
        if ((size_t) (end - p) > n && !memcmp(p, names[i], n))
            return true;
    }
    return false;
}

/* The record table is most of the text, and would take many times its bytes. */
json_t *pcrtool_contents(const void *manifest, size_t nbytes)
{
    const char *p = manifest, *end = p + nbytes;
    char *some = malloc(nbytes + 2);
    size_t n = 0;
    json_t *root = NULL;
    while (some && p < end && *p != '{')
        p++;
    while (some && p < end && (*p == '{' || *p == ',')) {
        const char *next = member_end(p + 1, end);
        if (is_wanted(p + 1, next)) {
            memcpy(some + n, p, (size_t) (next - p));
            some[n] = n ? ',' : '{';
            n += (size_t) (next - p);
        }
        p = next;
    }
    if (n) {
        some[n++] = '}';
        root = json_loadb(some, n, 0, NULL);
    }
    free(some);
    return root;
}

static const json_t *member(const json_t *manifest, const char *array, size_t index)
{
    return json_array_get(json_object_get(manifest, array), index);
}

static uint64_t number(const json_t *object, const char *name)
{
    return (uint64_t) json_integer_value(json_object_get(object, name));
}

static size_t class_count(const json_t *manifest)
{
    return json_array_size(json_object_get(manifest, "classes"));
}

uint64_t pcrtool_contents_unlabelled(const json_t *manifest, size_t index)
{
    const json_t *split = member(manifest, "splits", index);
    uint64_t count = number(split, "sample_count");
    if (!class_count(manifest))
        return 0;
    for (size_t c = 0; c < class_count(manifest); c++)
        count -= (uint64_t) json_integer_value(member(split, "class_counts", c));
    return count;
}

static uint64_t samples_of(const json_t *manifest, size_t class_index)
{
    uint64_t count = 0;
    for (size_t s = 0; s < json_array_size(json_object_get(manifest, "splits")); s++)
        count += (uint64_t) json_integer_value(
            member(member(manifest, "splits", s), "class_counts", class_index));
    return count;
}

static const char *label_kind(const json_t *manifest)
{
    const char *kind = json_string_value(
        json_object_get(json_object_get(manifest, "schema"), "label"));
    return kind ? kind : "none";
}

/* --- text --- */

static void print_text(const json_t *string)
{
    pcrtool_print_name(stdout, json_string_value(string), json_string_length(string));
}

static void print_classes(const json_t *manifest)
{
    size_t count = class_count(manifest);
    printf("classes       %zu: ", count);
    for (size_t c = 0; c < count; c++) {
        if (count > ALL_SHOWN && c == FIRST_SHOWN) {
            printf(", ...");
            c = count - LAST_SHOWN;
        }
        if (c)
            printf(", ");
        print_text(member(manifest, "classes", c));
        printf(" (%" PRIu64 ")", samples_of(manifest, c));
    }
    putchar('\n');
}

/* Attributes with their types, and blobs. */
static void print_columns(const json_t *manifest)
{
    json_t *schema = json_object_get(manifest, "schema");
    const char *before = "attributes    ", *name;
    json_t *type;
    json_object_foreach (json_object_get(schema, "attributes"), name, type) {
        printf("%s", before);
        pcrtool_print_name(stdout, name, strlen(name));
        printf(" (%s)", json_string_value(type));
        before = ", ";
    }
    if (*before == ',')
        putchar('\n');
    const json_t *blobs = json_object_get(schema, "blobs");
    for (size_t i = 0; i < json_array_size(blobs); i++) {
        printf("%s", i ? ", " : "blobs         ");
        print_text(json_array_get(blobs, i));
    }
    if (json_array_size(blobs))
        putchar('\n');
}

void pcrtool_contents_print(const json_t *manifest)
{
    for (size_t s = 0; s < json_array_size(json_object_get(manifest, "splits")); s++) {
        const json_t *split = member(manifest, "splits", s);
        uint64_t unlabelled = pcrtool_contents_unlabelled(manifest, s);
        printf("split         ");
        print_text(json_object_get(split, "name"));
        printf(": %" PRIu64 " sample(s)", number(split, "sample_count"));
        if (unlabelled)
            printf(", %" PRIu64 " without a label", unlabelled);
        putchar('\n');
    }
    if (class_count(manifest))
        print_classes(manifest);
    else if (!strcmp(label_kind(manifest), "none"))
        printf("classes       none, and no labels\n");
    else
        printf("classes       none; labels are %s\n", label_kind(manifest));
    print_columns(manifest);
}

/* --- JSON --- */

static json_t *json_splits(const json_t *manifest)
{
    json_t *array = json_array();
    for (size_t s = 0; s < json_array_size(json_object_get(manifest, "splits")); s++) {
        const json_t *split = member(manifest, "splits", s);
        json_array_append_new(
            array,
            json_pack("{sO sI sI}", "name", json_object_get(split, "name"), "sample_count",
                      (json_int_t) number(split, "sample_count"), "unlabelled_count",
                      (json_int_t) pcrtool_contents_unlabelled(manifest, s)));
    }
    return array;
}

static json_t *json_classes(const json_t *manifest)
{
    json_t *array = json_array();
    for (size_t c = 0; c < class_count(manifest); c++)
        json_array_append_new(array, json_pack("{sI sO sI}", "index", (json_int_t) c, "name",
                                               member(manifest, "classes", c), "sample_count",
                                               (json_int_t) samples_of(manifest, c)));
    return array;
}

void pcrtool_contents_json(const json_t *manifest, json_t *object)
{
    json_object_set_new(object, "splits", json_splits(manifest));
    json_object_set_new(object, "classes", json_classes(manifest));
    json_object_set_new(object, "labels", json_string(label_kind(manifest)));
    const json_t *schema = json_object_get(manifest, "schema");
    json_t *attributes = json_object_get(schema, "attributes");
    json_t *blobs = json_object_get(schema, "blobs");
    json_object_set_new(object, "attributes",
                        attributes ? json_incref(attributes) : json_object());
    json_object_set_new(object, "blobs", blobs ? json_incref(blobs) : json_array());
}
