/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of a source's first sample become. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "example.h"
#include "output.h"

static void set_labels(json_t *o, const struct pcr_source *source,
                       const struct pcr_source_sample *s)
{
    if (s->labels && s->label_count == 1 && s->labels[0] >= 0 &&
        (uint64_t) s->labels[0] < source->class_count) {
        const char *name = source->class_names[s->labels[0]];
        pcrtool_json_set_text(o, "class", name, strlen(name));
        return;
    }
    json_t *labels = json_array();
    for (uint32_t i = 0; i < s->label_count; i++)
        json_array_append_new(labels, s->float_labels ? json_real(s->float_labels[i])
                                                      : json_integer(s->labels[i]));
    json_object_set_new(o, "labels", labels);
}

json_t *pcrtool_example(const struct pcr_source *source)
{
    struct pcr_source_sample s = { .size = sizeof(s) };
    if (!source->sample_count || source->describe(source->context, 0, &s, NULL))
        return NULL;
    json_t *o = json_object(), *blobs = json_object();
    pcrtool_json_set_text(o, "key", s.key, strlen(s.key));
    const char *path = s.path ? s.path : s.key;
    pcrtool_json_set_text(o, "path", path, strlen(path));
    json_object_set_new(o, "nbytes",
                        s.nbytes ? json_integer((json_int_t) s.nbytes) : json_null());
    if (source->split_names) {
        const char *split = source->split_names[s.split];
        pcrtool_json_set_text(o, "split", split, strlen(split));
    }
    set_labels(o, source, &s);
    json_t *attributes = s.attributes ? json_loads(s.attributes, 0, NULL) : NULL;
    json_object_set_new(o, "attributes", attributes ? attributes : json_object());
    for (uint32_t i = 0; i < s.blob_count; i++)
        json_object_set_new(blobs, s.blobs[i].name,
                            json_integer((json_int_t) s.blobs[i].nbytes));
    json_object_set_new(o, "blobs", blobs);
    return o;
}

/* --- text --- */

enum { MOST_TEXT = 60 }; /* of a value */

static void print_text(const json_t *string)
{
    pcrtool_print_name(stdout, json_string_value(string), json_string_length(string));
}

/* A value, or its beginning. */
static void print_value(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    size_t n = text ? strlen(text) : 0;
    const bool cut = n > MOST_TEXT;
    if (cut)
        n = MOST_TEXT;
    while (cut && n && ((unsigned char) text[n] & 0xc0) == 0x80) /* a whole character */
        n--;
    pcrtool_print_name(stdout, text ? text : "", n);
    if (cut)
        printf("...");
    free(text);
}

static void print_members(const char *title, const json_t *object, bool sizes)
{
    const char *name;
    json_t *value;
    char size[PCRTOOL_SIZE_NBYTES];
    json_object_foreach ((json_t *) (uintptr_t) object, name, value) {
        printf("  %-11s ", title);
        pcrtool_print_name(stdout, name, strlen(name));
        printf(": ");
        if (sizes)
            printf("%s", pcrtool_size(size, (uint64_t) json_integer_value(value)));
        else
            print_value(value);
        putchar('\n');
    }
}

void pcrtool_example_print(const json_t *e)
{
    char size[PCRTOOL_SIZE_NBYTES];
    if (!e)
        return;
    printf("first sample  ");
    print_text(json_object_get(e, "key"));
    printf("\n  image       ");
    print_text(json_object_get(e, "path"));
    if (json_is_integer(json_object_get(e, "nbytes")))
        printf(", %s", pcrtool_size(
                           size, (uint64_t) json_integer_value(json_object_get(e, "nbytes"))));
    if (json_object_get(e, "split")) {
        printf("\n  split       ");
        print_text(json_object_get(e, "split"));
    }
    const json_t *labels = json_object_get(e, "labels");
    if (json_object_get(e, "class")) {
        printf("\n  class       ");
        print_text(json_object_get(e, "class"));
    } else {
        printf("\n  labels      ");
        if (json_array_size(labels))
            print_value(labels);
        else
            printf("none");
    }
    putchar('\n');
    print_members("attribute", json_object_get(e, "attributes"), false);
    print_members("blob", json_object_get(e, "blobs"), true);
}
