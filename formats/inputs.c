/* SPDX-License-Identifier: BSD-2-Clause */
/* The inputs of a source: patterns and folders made into a list of files, and their splits. */
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "../libpcr/io/storage.h"
#include "folder_names.h"
#include "inputs.h"

enum { MOST_INPUTS = 1000000, DEEPEST_FOLDER = 8 };

void pcri_inputs_free(struct pcri_inputs *in)
{
    free(in->items);
    pcri_arena_free(&in->arena);
    *in = (struct pcri_inputs) { 0 };
}

static int add(struct pcri_inputs *in, const char *path, const char *split, size_t below,
               struct pcr_error *err)
{
    if (in->count == MOST_INPUTS)
        return pcri_fail(err, PCR_ERR_LIMIT, "%s: more than %d inputs", path, MOST_INPUTS);
    if (PCRI_GROW(in->items, in->capacity, in->count + 1, err))
        return PCR_ERR_NOMEM;
    struct pcri_given *g = &in->items[in->count];
    *g = (struct pcri_given) { .split = split, .below_nbytes = below };
    g->path = pcri_arena_strndup(&in->arena, path, strlen(path), err);
    in->count += g->path != NULL;
    return g->path ? 0 : PCR_ERR_NOMEM;
}

/* --- order --- */

/* By letters and by the values of numbers: a2 comes before a10. */
static int compare_naturally(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        if (isdigit((unsigned char) *a) && isdigit((unsigned char) *b)) {
            const char *x = a + strspn(a, "0"), *y = b + strspn(b, "0");
            size_t n = strspn(x, "0123456789"), m = strspn(y, "0123456789");
            int order = n != m ? (n < m ? -1 : 1) : strncmp(x, y, n);
            if (order)
                return order;
            a = x + n;
            b = y + m;
            if (!*a || !*b)
                break;
        }
        if (*a != *b)
            break;
    }
    return (unsigned char) *a - (unsigned char) *b;
}

static int compare_given(const void *a, const void *b)
{
    const struct pcri_given *x = a, *y = b;
    int order = compare_naturally(x->path, y->path);
    return order ? order : strcmp(x->path, y->path);
}

static void sort_from(struct pcri_inputs *in, size_t first)
{
    if (in->count > first + 1)
        qsort(in->items + first, in->count - first, sizeof(*in->items), compare_given);
}

/* --- patterns --- */

static int match(struct pcri_inputs *in, const char *pattern, const char *split,
                 struct pcr_error *err)
{
    glob_t found = { 0 };
    const size_t first = in->count;
    errno = 0;
    int rc = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &found);
    if (rc == GLOB_NOMATCH || (rc == GLOB_ABORTED && (errno == ENOENT || errno == ENOTDIR)))
        rc = 0;
    else if (rc)
        rc = rc == GLOB_NOSPACE
                 ? pcri_fail_nomem(err, strlen(pattern))
                 : pcri_fail_sys(err, errno ? errno : EIO, "%s: cannot match", pattern);
    for (size_t i = 0; !rc && i < found.gl_pathc; i++)
        rc = add(in, found.gl_pathv[i], split, 0, err);
    sort_from(in, first);
    globfree(&found);
    return rc;
}

/* The braces of a text: what stands before them, in them and behind. */
struct braces {
    const char *open, *close;
    unsigned long long first, last; /* of a range */
    int width;
    bool is_range;
};

static bool is_range(struct braces *b)
{
    char *end;
    const char *from = b->open + 1, *to = strstr(from, "..");
    if (!to || to > b->close || !isdigit((unsigned char) *from) ||
        !isdigit((unsigned char) to[2]))
        return false;
    b->first = strtoull(from, &end, 10);
    b->width = *from == '0' ? (int) (to - from) : 0;
    if (end != to)
        return false;
    b->last = strtoull(to + 2, &end, 10);
    if (to[2] == '0' && b->close - to - 2 > b->width)
        b->width = (int) (b->close - to - 2);
    return end == b->close && b->first <= b->last && b->width < 40;
}

/* The first braces that mean something. */
static bool find_braces(const char *text, struct braces *b)
{
    for (b->open = strchr(text, '{'); b->open; b->open = strchr(b->open + 1, '{')) {
        int depth = 0;
        bool commas = false;
        const char *p = b->open;
        for (; *p; p++) {
            depth += (*p == '{') - (*p == '}');
            commas |= *p == ',' && depth == 1;
            if (!depth)
                break;
        }
        b->close = p;
        if (*p && ((b->is_range = is_range(b)) || commas))
            return true;
    }
    return false;
}

static int expand(struct pcri_inputs *in, const char *text, const char *split,
                  struct pcr_error *err);

/* The text with `part` in place of the braces, expanded further. */
static int expand_part(struct pcri_inputs *in, const char *text, const struct braces *b,
                       const char *part, size_t nbytes, const char *split,
                       struct pcr_error *err)
{
    struct pcr_buffer whole = { 0 };
    int rc = pcri_print(&whole, err, "%.*s%.*s%s", (int) (b->open - text), text, (int) nbytes,
                        part, b->close + 1);
    if (!rc)
        rc = expand(in, (const char *) whole.data, split, err);
    pcr_buffer_free(&whole);
    return rc;
}

static int expand_braces(struct pcri_inputs *in, const char *text, const struct braces *b,
                         const char *split, struct pcr_error *err)
{
    int rc = 0;
    if (b->is_range && b->last - b->first >= MOST_INPUTS)
        return pcri_fail(err, PCR_ERR_LIMIT, "%s: more than %d inputs", text, MOST_INPUTS);
    for (unsigned long long v = b->first; b->is_range && v <= b->last && !rc; v++) {
        char number[64];
        int n = snprintf(number, sizeof(number), "%0*llu", b->width, v);
        rc = expand_part(in, text, b, number, (size_t) n, split, err);
    }
    const char *part = b->open + 1;
    int depth = 0;
    for (const char *p = part; !b->is_range && p <= b->close && !rc; p++) {
        if (!depth && (*p == ',' || p == b->close)) {
            rc = expand_part(in, text, b, part, (size_t) (p - part), split, err);
            part = p + 1;
        }
        depth += (*p == '{') - (*p == '}');
    }
    return rc;
}

/* Adds all that the text stands for; nothing if that is a pattern that nothing matches. */
static int expand(struct pcri_inputs *in, const char *text, const char *split,
                  struct pcr_error *err)
{
    struct braces b = { 0 };
    if (find_braces(text, &b))
        return expand_braces(in, text, &b, split, err);
    return strpbrk(text, "*?[") ? match(in, text, split, err) : add(in, text, split, 0, err);
}

static bool is_pattern(const char *text)
{
    struct braces b = { 0 };
    return strpbrk(text, "*?[") || find_braces(text, &b);
}

/* Whether something has this very name. */
static int look_for(const char *path, bool *exists, struct pcr_error *err)
{
    struct stat st;
    *exists = !strcmp(path, "-") || !PCRI_UNINTERRUPTED(stat(path, &st));
    return *exists || pcri_is_unreachable(errno) ? 0 : pcri_fail_sys(err, errno, "%s", path);
}

/* Adds what the text means, without "NAME=". *found is false where it means nothing. */
static int add_meaning(struct pcri_inputs *in, const char *text, const char *split,
                       bool *found, struct pcr_error *err)
{
    const size_t first = in->count;
    int rc = look_for(text, found, err);
    if (rc || *found)
        return rc ? rc : add(in, text, split, 0, err);
    if (is_pattern(text))
        rc = expand(in, text, split, err);
    if (!rc && in->count > first)
        rc = look_for(in->items[first].path, found, err);
    return rc;
}

int pcri_inputs_add(struct pcri_inputs *in, const char *text, struct pcr_error *err)
{
    const size_t first = in->count, name_nbytes = strcspn(text, "=/*?[{");
    const char *split = NULL;
    bool found;
    int rc = add_meaning(in, text, NULL, &found, err);
    if (rc || found)
        return rc;
    if (name_nbytes && text[name_nbytes] == '=') {
        in->count = first;
        split = pcri_arena_strndup(&in->arena, text, name_nbytes, err);
        text += name_nbytes + 1;
        rc = split ? add_meaning(in, text, split, &found, err) : PCR_ERR_NOMEM;
    }
    if (rc || in->count > first) /* of names in braces one that is not there will be told */
        return rc;
    return is_pattern(text) ? pcri_fail(err, PCR_ERR_INVAL, "%s: no file matches", text)
                            : add(in, text, split, 0, err);
}

/* --- folders that hold containers --- */

static bool has_ending(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n >= m && !strcasecmp(name + n - m, ending);
}

static const struct pcri_importer *find_by_ending(const struct pcri_importer *const *list,
                                                  const char *name)
{
    for (size_t i = 0; list[i]; i++)
        for (size_t k = 0; list[i]->endings && list[i]->endings[k]; k++)
            if (has_ending(name, list[i]->endings[k]))
                return list[i];
    return NULL;
}

/* The search of one folder that was given. */
struct search {
    struct pcri_inputs *in;
    const struct pcri_importer *const *importers;
    const struct pcri_importer *found, *other; /* of files that were found */
    const struct pcri_given *root;
    const char *folder; /* that is being read */
    int depth;
    bool images; /* there are some: the folder is one of images */
};

static int search_folder(struct search *s, const char *folder, struct pcr_error *err);

static int add_container(struct search *s, const char *path, const struct pcri_importer *im,
                         struct pcr_error *err)
{
    if (!s->found)
        s->found = im;
    else if (s->found != im)
        s->other = im;
    return add(s->in, path, s->root->split, strlen(s->root->path), err);
}

enum { ENOUGH = 1 }; /* images were found: ends a listing */

static int visit(void *context, const char *name, struct pcr_error *err)
{
    struct search *s = context;
    const struct pcri_importer *im = find_by_ending(s->importers, name);
    const struct pcr_source_options plain = { .size = sizeof(plain) };
    enum pcri_file_kind kind = PCRI_FILE_OTHER;
    struct stat st;
    if (name[0] == '.' || pcri_is_clutter(name))
        return 0;
    const char *path = pcri_arena_join(&s->in->arena, s->folder, strlen(s->folder), true, name,
                                       err);
    if (!path)
        return PCR_ERR_NOMEM;
    if (PCRI_UNINTERRUPTED(stat(path, &st)))
        return pcri_is_unreachable(errno) ? 0 : pcri_fail_sys(err, errno, "%s", path);
    if (S_ISDIR(st.st_mode))
        return s->depth < DEEPEST_FOLDER ? search_folder(s, path, err) : 0;
    if (im)
        return add_container(s, path, im, err);
    int rc = S_ISREG(st.st_mode) ? pcri_file_kind(path, &plain, &kind, err) : 0;
    s->images = !rc && kind == PCRI_FILE_IMAGE;
    return s->images ? ENOUGH : rc;
}

static int search_folder(struct search *s, const char *folder, struct pcr_error *err)
{
    const char *outer = s->folder;
    s->folder = folder;
    s->depth++;
    int rc = pcri_storage_list(&pcri_files, folder, visit, s, err);
    s->depth--;
    s->folder = outer;
    return rc;
}

/* Adds what is in the folder, if it is one of containers, or else the input itself. */
static int search_one(struct search *s, const struct pcri_given *root, struct pcr_error *err)
{
    struct pcri_inputs *in = s->in;
    const struct pcri_importer *before = s->found;
    const size_t first = in->count;
    struct stat st = { 0 };
    s->root = root;
    s->images = false;
    s->other = NULL;
    if (strcmp(root->path, "-") != 0 && PCRI_UNINTERRUPTED(stat(root->path, &st)))
        return pcri_fail_sys(err, errno, "%s", root->path);
    int rc = S_ISDIR(st.st_mode) ? search_folder(s, root->path, err) : 0;
    if (s->images) {
        rc = 0;
        in->count = first;
        s->found = before;
    } else if (!rc && s->other) {
        rc = pcri_fail(
            err, PCR_ERR_INVAL,
            "%s holds files of the formats %s and %s: name those of one by a pattern",
            root->path, s->found->name, s->other->name);
    }
    sort_from(in, first);
    if (!rc && in->count == first) {
        rc = PCRI_GROW(in->items, in->capacity, first + 1, err) ? PCR_ERR_NOMEM : 0;
        if (!rc)
            in->items[in->count++] = *root;
    }
    return rc;
}

int pcri_inputs_search(struct pcri_inputs *in, const struct pcri_importer *const *importers,
                       const struct pcri_importer **im_out, struct pcr_error *err)
{
    struct pcri_given *given = in->items;
    const size_t count = in->count;
    struct search s = { .in = in, .importers = importers };
    int rc = 0;
    in->items = NULL;
    in->count = in->capacity = 0;
    for (size_t i = 0; i < count && !rc; i++)
        rc = search_one(&s, &given[i], err);
    free(given);
    *im_out = s.found;
    return rc;
}

/* --- splits --- */

/* The part between two slashes that ends at `end`, as text. NULL: NOMEM. */
static const char *part_before(struct pcri_inputs *in, const char *path, size_t end,
                               size_t *begin, struct pcr_error *err)
{
    size_t i = end;
    while (i && path[i - 1] != '/')
        i--;
    *begin = i;
    return pcri_arena_strndup(&in->arena, path + i, end - i, err);
}

/* The name of a split among the folders that end before `end` and begin at `from` or later. */
static int guess_by_folders(struct pcri_inputs *in, const char *path, size_t from, size_t end,
                            const char **out, struct pcr_error *err)
{
    while (end > from) {
        size_t begin;
        const char *part = part_before(in, path, end, &begin, err);
        if (!part)
            return PCR_ERR_NOMEM;
        if (pcri_is_split_name(part)) {
            *out = part;
            return 0;
        }
        end = begin ? begin - 1 : 0;
    }
    return 0;
}

static size_t folder_nbytes(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t) (slash - path) : 0;
}

static int guess(struct pcri_inputs *in, struct pcri_given *g, bool folders_differ,
                 struct pcr_error *err)
{
    const size_t folder = folder_nbytes(g->path);
    size_t from = folder, nbytes = 0;
    if (g->below_nbytes)
        from = g->below_nbytes;
    else if (folders_differ) /* the last folder only */
        while (from && g->path[from - 1] != '/')
            from--;
    int rc = guess_by_folders(in, g->path, from, folder, &g->split, err);
    if (rc || g->split)
        return rc;
    const char *word = pcri_split_word_within(g->path + folder, &nbytes);
    if (!word)
        return 0;
    char *split = pcri_arena_strndup(&in->arena, word, nbytes, err);
    for (char *p = split; p && *p; p++)
        *p = (char) tolower((unsigned char) *p);
    g->split = split;
    return split ? 0 : PCR_ERR_NOMEM;
}

static bool do_folders_differ(const struct pcri_inputs *in)
{
    for (size_t i = 1; i < in->count; i++) {
        size_t n = folder_nbytes(in->items[i].path);
        if (n != folder_nbytes(in->items[0].path) ||
            memcmp(in->items[i].path, in->items[0].path, n) != 0)
            return true;
    }
    return false;
}

int pcri_inputs_guess_splits(struct pcri_inputs *in, struct pcr_error *err)
{
    const bool folders_differ = do_folders_differ(in);
    const struct pcri_given *with = NULL, *without = NULL;
    for (size_t i = 0; i < in->count; i++) {
        struct pcri_given *g = &in->items[i];
        g->is_guess = !g->split;
        int rc = g->split ? 0 : guess(in, g, folders_differ, err);
        if (rc)
            return rc;
        if (g->split)
            with = g;
        else
            without = g;
    }
    if (with && without)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "%s has no split, but %s is of '%s': say which by NAME=%s",
                         without->path, with->path, with->split, without->path);
    return 0;
}
