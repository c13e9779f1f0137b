/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of lists: made into names of files below a folder, so that what was converted can be
 * extracted again. */
#include <stdlib.h>

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

static int fail_rows(struct pcr_error *err, const struct pcri_list_row *a,
                     const struct pcri_list_row *b, const char *what)
{
    const struct pcri_list_row *first = a < b ? a : b, *second = a < b ? b : a;
    return pcri_fail(err, PCR_ERR_INVAL, "%s and %s: %s '%.160s' (of '%.80s' and '%.80s')",
                     pcri_row_place(first).text, pcri_row_place(second).text, what,
                     a->safe_key, first->key ? first->key : first->path,
                     second->key ? second->key : second->path);
}

static int compare_keys(const void *a, const void *b)
{
    const struct pcri_list_row *x = *(const struct pcri_list_row *const *) a;
    const struct pcri_list_row *y = *(const struct pcri_list_row *const *) b;
    int order = strcmp(x->safe_key, y->safe_key);
    return order ? order : x < y ? -1 : x > y;
}

/* 0: `other` lies below the folder that is the first n bytes of `key`. */
static int compare_below(const char *other, const char *key, size_t n)
{
    int order = strncmp(other, key, n);
    return order ? order : (unsigned char) other[n] - '/';
}

/* The first row from `begin` on whose key lies below the folder `key`, or NULL. */
static const struct pcri_list_row *find_below(const struct pcri_list_row **rows, size_t begin,
                                              size_t end, const char *key)
{
    size_t n = strlen(key);
    size_t i = (size_t) PCRI_FIRST(k, begin, end,
                                   compare_below(rows[k]->safe_key, key, n) >= 0);
    return i < end && !compare_below(rows[i]->safe_key, key, n) ? rows[i] : NULL;
}

static int check_sorted(const struct pcri_list_row **rows, size_t count, struct pcr_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (i && !strcmp(rows[i - 1]->safe_key, rows[i]->safe_key))
            return fail_rows(err, rows[i - 1], rows[i], "the same key");
        const struct pcri_list_row *below = find_below(rows, i + 1, count, rows[i]->safe_key);
        if (below)
            return fail_rows(err, rows[i], below, "a file and a folder would have the key");
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
        rc = make_key(&l->rows[i], l->arena, err);
    const struct pcri_list_row **sorted = rc ? NULL
                                             : pcri_malloc(l->count, sizeof(*sorted), err);
    if (!sorted)
        return rc ? rc : PCR_ERR_NOMEM;
    for (size_t i = 0; i < l->count; i++)
        sorted[i] = &l->rows[i];
    qsort(sorted, l->count, sizeof(*sorted), compare_keys);
    rc = check_sorted(sorted, l->count, err);
    free(sorted);
    return rc;
}
