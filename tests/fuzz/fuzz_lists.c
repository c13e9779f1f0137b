/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a list of images. The first byte says which kind: CSV or JSON lines, for itself
 * or beside images. What is accepted has safe and different keys, and printed as JSON lines it
 * is read again as the same. */
#include "fuzz.h"

#include "../../formats/list.h"

enum { JSON_LINES = 1, BESIDE = 2, KEEP_LABELS = 4 };

static struct pcr_buffer text;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

static void check_code(int rc, const struct pcr_error *err)
{
    FUZZ_CHECK(!rc || rc == PCR_ERR_INVAL || rc == PCR_ERR_NOMEM, "%d", rc);
    FUZZ_CHECK(!rc || (err->code == rc && err->message[0]), "%d", rc);
}

static void check_keys(struct pcri_list *l)
{
    struct pcr_error err = { 0 };
    int rc = pcri_list_make_keys(l, &err);
    check_code(rc, &err);
    for (size_t i = 0; !rc && i < l->count; i++) {
        const char *key = pcri_list_at(l, i)->safe_key;
        FUZZ_CHECK(*key && *key != '/' && strcmp(key, "..") && strncmp(key, "../", 3) &&
                       !strstr(key, "/../") && !strstr(key, "//"),
                   "%s", key);
        FUZZ_CHECK(i > 300 || i == 0 || strcmp(key, pcri_list_at(l, i - 1)->safe_key), "%s",
                   key);
    }
}

static json_t *labels_of(const struct pcri_list_row *r)
{
    json_t *list = json_array();
    for (uint32_t k = 0; k < r->label_count; k++)
        json_array_append_new(list, r->float_labels ? json_real(r->float_labels[k])
                                                    : json_integer(r->labels[k]));
    return list;
}

/* One row as a line; false where its text cannot be said in JSON. */
static bool print_row(const struct pcri_list_row *r)
{
    json_t *o = json_object();
    const char *class_name = r->class_name ? r->class_name : r->label_text;
    int bad = json_object_set_new(o, "path", json_string(r->path));
    if (r->key)
        bad |= json_object_set_new(o, "key", json_string(r->key));
    if (r->split)
        bad |= json_object_set_new(o, "split", json_string(r->split));
    if (class_name)
        bad |= json_object_set_new(o, "label", json_string(class_name));
    else if (r->label_count)
        bad |= json_object_set_new(o, "labels", labels_of(r));
    if (r->attributes)
        bad |= json_object_set_new(o, "attributes", json_loads(r->attributes, 0, NULL));
    char *line = bad ? NULL : json_dumps(o, JSON_REAL_PRECISION(17));
    bool good = line && !pcri_print(&text, NULL, "%s\n", line);
    free(line);
    json_decref(o);
    return good;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void compare_row(const struct pcri_list_row *a, const struct pcri_list_row *b)
{
    FUZZ_CHECK(same_text(a->path, b->path) && same_text(a->key, b->key) &&
                   same_text(a->split, b->split),
               "line %llu", (unsigned long long) a->line);
    FUZZ_CHECK(same_text(a->class_name ? a->class_name : a->label_text, b->class_name),
               "label, line %llu", (unsigned long long) a->line);
    FUZZ_CHECK(same_text(a->attributes, b->attributes), "%s, then %s",
               a->attributes ? a->attributes : "none", b->attributes ? b->attributes : "none");
    FUZZ_CHECK(a->label_count == b->label_count && !a->labels == !b->labels, "line %llu",
               (unsigned long long) a->line);
    if (a->label_count)
        FUZZ_CHECK(!memcmp(a->labels ? (const void *) a->labels : a->float_labels,
                           a->labels ? (const void *) b->labels : b->float_labels,
                           8 * (size_t) a->label_count),
                   "line %llu", (unsigned long long) a->line);
}

static void check_printed(const struct pcri_list *l)
{
    struct pcri_arena arena = { 0 };
    struct pcri_list again = { .arena = &arena };
    struct pcr_error err = { 0 };
    bool good = true;
    text.nbytes = 0;
    for (size_t i = 0; good && i < l->count; i++)
        good = print_row(pcri_list_at(l, i));
    if (good) {
        int rc = pcri_jsonl_parse((const char *) text.data, text.nbytes, &again, &err);
        FUZZ_CHECK(!rc, "%s", err.message);
        FUZZ_CHECK(again.count == l->count, "%zu rows of %zu", again.count, l->count);
        for (size_t i = 0; i < l->count; i++)
            compare_row(pcri_list_at(l, i), pcri_list_at(&again, i));
    }
    pcri_list_free(&again);
    pcri_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcri_arena arena = { 0 };
    struct pcri_list l = { .arena = &arena };
    struct pcr_error err = { 0 };
    bool is;
    if (!nbytes)
        return 0;
    uint8_t how = *data;
    const char *list = (const char *) data + 1;
    l.beside = how & BESIDE;
    l.keep_labels = l.beside && how & KEEP_LABELS;
    int rc = how & JSON_LINES ? pcri_jsonl_is_metadata(list, nbytes - 1, &is, &err)
                              : pcri_csv_is_metadata(list, nbytes - 1, &is, &err);
    FUZZ_CHECK(!rc || rc == PCR_ERR_NOMEM, "%d", rc);
    rc = how & JSON_LINES ? pcri_jsonl_parse(list, nbytes - 1, &l, &err)
                          : pcri_csv_parse(list, nbytes - 1, &l, &err);
    check_code(rc, &err);
    if (!rc && l.count) {
        check_keys(&l);
        check_printed(&l);
    }
    pcri_list_free(&l);
    pcri_arena_free(&arena);
    return 0;
}
