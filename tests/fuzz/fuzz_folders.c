/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines as the keys of a tree of images, after a first byte that says which layout is asked
 * for. A layout that is found lies within the tree, and the same is found when it is asked for
 * by its name. */
#include "fuzz.h"

#include "../../formats/layout.h"
#include "../../formats/list.h"

enum { MOST_FILES = 64 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

/* May a walk find a file of this key beside those that are there? */
static bool is_possible(const char *key, const struct pcri_entries *e)
{
    const char *safe = pcri_safe_key(key, (struct pcri_arena *) (uintptr_t) &e->arena, NULL);
    if (!safe || strcmp(safe, key) || !*key)
        return false;
    for (size_t i = 0; i < e->count; i++) {
        const char *other = e->items[i]->key;
        size_t n = strlen(other), m = strlen(key), both = n < m ? n : m;
        if (!strncmp(other, key, both) && (n == m || (n < m ? key : other)[both] == '/'))
            return false;
    }
    return true;
}

static void add_file(struct pcri_entries *e, const char *line, size_t nbytes)
{
    bool is_image = nbytes && line[nbytes - 1] != '?';
    char *path = pcri_arena_alloc(&e->arena, nbytes + 3, 1, NULL);
    if (!path)
        return;
    memcpy(path, "r/", 2);
    memcpy(path + 2, line, nbytes);
    path[nbytes + 2] = '\0';
    if (!is_possible(path + 2, e))
        return;
    struct pcri_input *item = pcri_entries_add(e, NULL);
    if (item)
        *item = (struct pcri_input) { .path = path, .key = path + 2, .is_image = is_image };
}

static int compare_entries(const void *a, const void *b)
{
    const struct pcri_input *x = *(struct pcri_input *const *) a;
    const struct pcri_input *y = *(struct pcri_input *const *) b;
    return strcmp(x->key, y->key);
}

static void check_folder(const struct pcri_tree *t, const struct pcri_folder *f)
{
    FUZZ_CHECK(f->begin <= f->end && f->end <= t->files->count, "%zu to %zu", f->begin,
               f->end);
    FUZZ_CHECK(f->images <= f->end - f->begin && f->direct <= f->images, "%zu", f->images);
    for (size_t i = f->begin; i < f->end; i++)
        FUZZ_CHECK(strlen(t->files->items[i]->key) >= f->key_nbytes, "%s",
                   t->files->items[i]->key);
}

static void check_folders(const struct pcri_tree *t, const struct pcri_folders *f)
{
    for (size_t i = 0; i < f->count; i++) {
        check_folder(t, &f->items[i]);
        FUZZ_CHECK(!i || f->items[i - 1].end <= f->items[i].begin, "%s", f->items[i].name);
        FUZZ_CHECK(f->items[i].images, "%s is empty", f->items[i].name);
    }
}

static void check_layout(const struct pcri_tree *t, const struct pcri_layout *l)
{
    struct pcri_layout again = { 0 };
    struct pcr_error err = { 0 };
    check_folder(t, &l->base);
    check_folders(t, &l->tops);
    for (uint32_t s = 0; l->bases && s < l->split_names.count; s++) {
        check_folder(t, &l->bases[s]);
        check_folders(t, &l->classes[s]);
    }
    int rc = pcri_layout_find(t, l->kind, &again, &err);
    FUZZ_CHECK(!rc && again.kind == l->kind, "%s: %s", pcri_layout_name(l->kind), err.message);
    FUZZ_CHECK(again.split_names.count == l->split_names.count, "%u, %u splits",
               l->split_names.count, again.split_names.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcri_entries *e;
    struct pcri_layout l = { 0 };
    struct pcr_error err = { 0 };
    if (!nbytes || pcri_entries_create(NULL, &e, NULL))
        return 0;
    const char *p = (const char *) data + 1, *end = (const char *) data + nbytes;
    while (p < end && e->count < MOST_FILES) {
        const char *lf = memchr(p, '\n', (size_t) (end - p));
        const char *stop = lf ? lf : end;
        add_file(e, p, (size_t) (stop - p));
        p = stop + 1;
    }
    struct pcri_tree t = { .files = e, .root_nbytes = 2, .no_images = true };
    if (e->count)
        qsort(e->items, e->count, sizeof(*e->items), compare_entries);
    for (size_t i = 0; i < e->count; i++)
        t.no_images = t.no_images && !e->items[i]->is_image;
    if (e->count) {
        int rc = pcri_layout_find(&t, *data % 5, &l, &err);
        FUZZ_CHECK(!rc || rc == PCR_ERR_INVAL || rc == PCR_ERR_NOMEM, "%d", rc);
        FUZZ_CHECK(!rc || err.message[0], "%d", rc);
        if (!rc)
            check_layout(&t, &l);
    }
    pcri_entries_destroy(&e);
    return 0;
}
