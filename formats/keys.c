/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of lists: made into names of files below a folder, so that what was converted can be
 * extracted again. */
#include <stdlib.h>

#include "../libpcr/base/marks.h"
#include "label.h"
#include "list.h"

/* Whether the key is already a relative path without empty, "." and ".." parts. */
static bool is_safe(const char *key)
{
    for (const char *p = key;; p++) {
        size_t n = strcspn(p, "/");
        if (!n || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        p += n;
        if (!*p)
            return true;
    }
}

const char *pcri_safe_key(const char *key, struct pcri_arena *arena, struct pcr_error *err)
{
    if (is_safe(key))
        return key;
    char *out = pcri_arena_strndup(arena, key, strlen(key), err);
    if (!out)
        return NULL;
    size_t used = 0;
    for (const char *p = key; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.') {
            while (used && out[used - 1] != '/')
                used--;
            used -= used > 0;
        } else if (n && !(n == 1 && p[0] == '.')) {
            if (used)
                out[used++] = '/';
            memmove(out + used, p, n);
            used += n;
        }
        p += n + (p[n] == '/');
    }
    out[used] = '\0';
    return out;
}

/* --- equal keys --- */

/* The checksums of keys and their numbers, sorted: equal keys are neighbours. malloc'd. */
static struct pcri_mark *mark_keys(const char *(*key)(const void *of, size_t i),
                                   const void *of, size_t count, struct pcr_error *err)
{
    struct pcri_mark *marks = pcri_malloc(count, sizeof(*marks), err);
    for (size_t i = 0; marks && i < count; i++) {
        const char *text = key(of, i);
        marks[i] = (struct pcri_mark) { pcri_xxh3(text, strlen(text)), i };
    }
    if (marks)
        pcri_marks_sort(marks, count);
    return marks;
}

/* Whether two keys are equal: of all pairs, the one whose later key is the first. */
static bool find_repeat(const char *(*key)(const void *of, size_t i), const void *of,
                        const struct pcri_mark *marks, size_t count, size_t pair_out[2])
{
    bool found = false;
    for (size_t k = 1; k < count; k++) {
        const size_t first = (size_t) marks[k - 1].index, second = (size_t) marks[k].index;
        if (marks[k - 1].check != marks[k].check || (found && second > pair_out[1]) ||
            strcmp(key(of, first), key(of, second)) != 0)
            continue;
        found = true;
        pair_out[0] = first;
        pair_out[1] = second;
    }
    return found;
}

int pcri_keys_any_repeat(const char *(*key)(const void *of, size_t i), const void *of,
                         size_t count, bool *found, struct pcr_error *err)
{
    struct pcri_mark *marks = mark_keys(key, of, count, err);
    size_t pair[2];
    *found = marks && find_repeat(key, of, marks, count, pair);
    free(marks);
    return marks ? 0 : PCR_ERR_NOMEM;
}

const char *pcri_list_key(const void *list, size_t i)
{
    return pcri_list_at(list, i)->key;
}

static const char *key_of(const void *of, size_t i)
{
    return pcri_list_at(of, i)->safe_key;
}

/* --- of a list --- */

static int fail_rows(struct pcr_error *err, const struct pcri_list_row *first,
                     const struct pcri_list_row *second, const char *key, const char *what)
{
    return pcri_fail(err, PCR_ERR_INVAL, "%s and %s: %s '%.160s' (of '%.80s' and '%.80s')",
                     pcri_row_place(first).text, pcri_row_place(second).text, what, key,
                     first->key ? first->key : first->path,
                     second->key ? second->key : second->path);
}

/* The row whose key is the first n bytes of `key`; SIZE_MAX: none. */
static size_t find_key(const struct pcri_list *l, const struct pcri_mark *marks,
                       const char *key, size_t n)
{
    const uint64_t check = pcri_xxh3(key, n);
    size_t k = (size_t) PCRI_FIRST(i, 0, l->count, marks[i].check >= check);
    for (; k < l->count && marks[k].check == check; k++) {
        const char *other = key_of(l, (size_t) marks[k].index);
        if (!strncmp(other, key, n) && !other[n])
            return (size_t) marks[k].index;
    }
    return SIZE_MAX;
}

/* How many bytes of a key are those of a folder, with its slash, that `other` is in, too. */
static size_t common_folder(const char *key, const char *other)
{
    size_t nbytes = 0;
    for (size_t i = 0; key[i] && key[i] == other[i]; i++)
        if (key[i] == '/')
            nbytes = i + 1;
    return nbytes;
}

/* Keys that would be names of files, and of folders that others are in. */
static int check_folders(const struct pcri_list *l, const struct pcri_mark *marks,
                         struct pcr_error *err)
{
    const char *last = ""; /* all of whose folders are none of these */
    for (size_t i = 0; i < l->count; i++) {
        const char *key = key_of(l, i), *slash = key + common_folder(key, last);
        while ((slash = strchr(slash, '/'))) {
            const size_t k = find_key(l, marks, key, (size_t) (slash - key));
            slash++;
            if (k != SIZE_MAX)
                return fail_rows(err, pcri_list_at(l, i < k ? i : k),
                                 pcri_list_at(l, i < k ? k : i), key_of(l, k),
                                 "a file and a folder would have the key");
        }
        last = key;
    }
    return 0;
}

static int make_key(struct pcri_list_row *row, struct pcri_arena *arena, struct pcr_error *err)
{
    if (!row->path || !*row->path)
        return pcri_row_fail(err, row, "no path");
    if (row->key && !*row->key)
        return pcri_row_fail(err, row, "an empty key");
    const char *key = row->key ? row->key : row->path;
    row->safe_key = pcri_safe_key(key, arena, err);
    if (!row->safe_key)
        return PCR_ERR_NOMEM;
    if (!*row->safe_key)
        return pcri_row_fail(err, row, "'%.200s' cannot name a file", key);
    return 0;
}

int pcri_list_make_keys(struct pcri_list *l, struct pcr_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < l->count && !rc; i++)
        rc = make_key(pcri_list_at(l, i), l->arena, err);
    struct pcri_mark *marks = rc ? NULL : mark_keys(key_of, l, l->count, err);
    size_t pair[2] = { 0 };
    if (!marks)
        return rc ? rc : PCR_ERR_NOMEM;
    if (find_repeat(key_of, l, marks, l->count, pair))
        rc = fail_rows(err, pcri_list_at(l, pair[0]), pcri_list_at(l, pair[1]),
                       key_of(l, pair[0]), "the same key");
    else
        rc = check_folders(l, marks, err);
    free(marks);
    return rc;
}
