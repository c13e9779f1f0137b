/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides which levels of a tree of folders are splits and which are classes: by names and
 * contents if they leave no doubt; otherwise the user is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <pcr/source.h>

#include "folder_names.h"
#include "layout.h"

const char *pcri_layout_name(uint32_t kind)
{
    static const char *const names[] = { "auto", "split-class", "class", "split", "flat" };
    return names[kind];
}

/* --- doubt --- */

enum { READING_NBYTES = 112 };

static size_t append(char out[READING_NBYTES], size_t n, const char *text)
{
    int added = snprintf(out + n, READING_NBYTES - n, "%s", text);
    return n + (size_t) added < READING_NBYTES ? n + (size_t) added : READING_NBYTES - 1;
}

/* "3 splits (dev, test, train)"; no more than some of the names. */
static size_t append_names(char out[READING_NBYTES], size_t n, const struct pcri_names *names,
                           const char *what)
{
    enum { SHOWN = 3 };
    char text[48];
    snprintf(text, sizeof(text), "%s%u %s%s (", n ? " and " : "", (unsigned) names->count,
             what,
             names->count == 1 ? ""
             : what[0] == 'c'  ? "es"
                               : "s");
    n = append(out, n, text);
    for (uint32_t i = 0; i < names->count && i < SHOWN; i++) {
        snprintf(text, sizeof(text), "%s%.16s%s", i ? ", " : "", names->shown[i],
                 strlen(names->shown[i]) > 16 ? "~" : "");
        n = append(out, n, text);
    }
    return append(out, n, names->count > SHOWN ? ", ...)" : ")");
}

/* What the tree would be as this layout. */
static int describe(const struct pcri_tree *t, uint32_t kind, char out[READING_NBYTES],
                    struct pcr_error *err)
{
    struct pcri_layout l;
    int rc = pcri_layout_build(t, kind, &l, err);
    size_t n = 0;
    out[0] = '\0';
    if (!rc && l.split_names.count)
        n = append_names(out, n, &l.split_names, "split");
    if (!rc && l.class_names.count)
        n = append_names(out, n, &l.class_names, "class");
    else if (!rc)
        append(out, n, n ? " without labels" : "no splits, no labels");
    return rc;
}

/* The error that leaves the choice between two layouts to the user. */
static int ask(const struct pcri_tree *t, uint32_t first, uint32_t second, const char *why,
               struct pcr_error *err)
{
    char a[READING_NBYTES], b[READING_NBYTES];
    int rc = describe(t, first, a, err);
    if (!rc)
        rc = describe(t, second, b, err);
    if (rc)
        return rc;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "%s; choose a layout: '%s' has %s; '%s' has %s (pcrtool: --layout)", why,
                     pcri_layout_name(first), a, pcri_layout_name(second), b);
}

/* --- what names say --- */

/* How many folders have names of splits, and which kinds of names. */
struct census {
    size_t exact, within;
    int kinds; /* of those within */
};

static void count_names(const struct pcri_folders *f, struct census *c)
{
    bool found[PCRI_SPLIT_TEST + 1] = { false };
    *c = (struct census) { 0 };
    for (size_t i = 0; i < f->count; i++) {
        enum pcri_split_kind kind = pcri_split_kind_within(f->items[i].name);
        c->exact += pcri_is_split_name(f->items[i].name);
        c->within += kind != PCRI_SPLIT_NONE;
        found[kind] = true;
    }
    c->kinds = found[PCRI_SPLIT_TRAIN] + found[PCRI_SPLIT_VALIDATION] + found[PCRI_SPLIT_TEST];
}

/* Names of splits in all, or such words in all names and of at least two kinds. */
static bool are_splits(const struct pcri_folders *f)
{
    struct census c;
    count_names(f, &c);
    return f->count && (c.exact == f->count || (c.within == f->count && c.kinds > 1));
}

/* Names of splits in some, but not all. */
static bool may_be_splits(const struct pcri_folders *f)
{
    struct census c;
    count_names(f, &c);
    return c.exact || (c.kinds > 1 && 2 * c.within >= f->count) ||
           (f->count == 1 && c.within && f->items[0].direct);
}

static bool have_folders(const struct pcri_folders *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].images > f->items[i].direct)
            return true;
    return false;
}

/* --- classes --- */

/* Folders among the classes that hold classes themselves or have the name of something else:
 * `second` is the other layout to choose. */
static int check_classes(const struct pcri_tree *t, const struct pcri_layout *l,
                         const struct pcri_folders *classes, uint32_t second,
                         struct pcr_error *err)
{
    char why[120];
    for (size_t i = 0; i < classes->count; i++) {
        const struct pcri_folder *f = &classes->items[i];
        struct pcri_folders inner = { 0 };
        int rc = f->direct ? 0 : pcri_folders_list(t, f, &inner, err);
        if (rc)
            return rc;
        for (size_t k = 0; k < inner.count; k++) {
            if (!strcmp(inner.items[k].name, f->name) ||
                !pcri_names_has(&l->class_names, inner.items[k].name))
                continue;
            snprintf(why, sizeof(why), "'%.32s' would be a class, but holds '%.32s', another",
                     f->name, inner.items[k].name);
            return ask(t, l->kind, second, why, err);
        }
        if (l->class_names.count > 1 && pcri_is_images_name(f->name)) {
            snprintf(why, sizeof(why),
                     "'%.32s' would be one of several classes (or convert "
                     "that folder alone)",
                     f->name);
            return ask(t, l->kind, second, why, err);
        }
    }
    return 0;
}

/* --- splits --- */

static int compare_cases(const void *a, const void *b)
{
    const char *x = *(const char *const *) a, *y = *(const char *const *) b;
    int order = strcasecmp(x, y);
    return order ? order : strcmp(x, y);
}

/* Whether this is one class with two names, in different splits. Two names in one split are
 * intended. */
static bool are_twins(const struct pcri_layout *l, const char *a, const char *b)
{
    bool twins = !strcasecmp(a, b);
    for (size_t s = 0; s < l->tops.count && twins; s++)
        twins = !pcri_folders_have(&l->classes[s], a) || !pcri_folders_have(&l->classes[s], b);
    return twins;
}

static int check_twins(const struct pcri_layout *l, struct pcr_error *err)
{
    size_t n = l->class_names.count;
    const char **names = pcri_malloc(n, sizeof(*names), err);
    int rc = names ? 0 : PCR_ERR_NOMEM;
    if (!rc) {
        memcpy(names, l->class_names.raw, n * sizeof(*names));
        qsort(names, n, sizeof(*names), compare_cases);
    }
    for (size_t i = 1; i < n && !rc; i++)
        if (are_twins(l, names[i - 1], names[i]))
            rc = pcri_fail(err, PCR_ERR_INVAL,
                           "class '%.80s' of one split is '%.80s' in another: rename the "
                           "folders, or choose layout 'split-class' to have two classes",
                           names[i - 1], names[i]);
    free(names);
    return rc;
}

static int check_split(const struct pcri_tree *t, const struct pcri_layout *l, size_t s,
                       struct pcr_error *err)
{
    char why[160];
    const struct pcri_folder *base = &l->bases[s];
    const char *name = l->tops.items[s].name;
    if (!l->classes[s].count && pcri_split_kind_within(name) == PCRI_SPLIT_TRAIN) {
        snprintf(why, sizeof(why), "'%.60s' has no class folders, but other splits have",
                 name);
        return ask(t, PCR_FOLDERS_SPLIT_CLASS, PCR_FOLDERS_SPLIT, why, err);
    }
    if (l->classes[s].count && base->direct > base->images - base->direct) {
        snprintf(why, sizeof(why), "'%.60s' has %zu images next to its folders, %zu in them",
                 name, base->direct, base->images - base->direct);
        return ask(t, PCR_FOLDERS_SPLIT_CLASS, PCR_FOLDERS_SPLIT, why, err);
    }
    return 0;
}

static int find_splits(const struct pcri_tree *t, struct pcri_layout *l, struct pcr_error *err)
{
    l->kind = PCR_FOLDERS_SPLIT_CLASS;
    int rc = pcri_layout_splits(t, l, true, err);
    if (rc)
        return rc;
    for (uint32_t i = 1; i < l->split_names.count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (!strcasecmp(l->split_names.raw[i], l->split_names.raw[k]))
                return pcri_fail(err, PCR_ERR_INVAL,
                                 "splits '%s' and '%s' differ only in case: rename one, or "
                                 "choose layout 'split-class' or 'split' to keep both",
                                 l->split_names.shown[k], l->split_names.shown[i]);
    if (!l->class_names.count) {
        l->kind = PCR_FOLDERS_SPLIT;
        return 0;
    }
    bool all = true;
    for (size_t s = 0; s < l->tops.count && !rc; s++) {
        all &= !l->classes[s].count || are_splits(&l->classes[s]);
        rc = check_split(t, l, s, err);
        if (!rc)
            rc = check_classes(t, l, &l->classes[s], PCR_FOLDERS_SPLIT, err);
    }
    if (!rc && all && l->class_names.count > 1)
        return ask(t, PCR_FOLDERS_SPLIT_CLASS, PCR_FOLDERS_SPLIT,
                   "folders with names of splits are in folders with names of splits", err);
    return rc ? rc : check_twins(l, err);
}

/* --- all together --- */

/* class/split/file, or several trees of splits side by side. */
static int check_inverse(const struct pcri_tree *t, const struct pcri_layout *l,
                         struct pcr_error *err)
{
    for (size_t i = 0; i < l->tops.count; i++) {
        struct pcri_folders inner;
        if (l->tops.items[i].direct)
            continue;
        int rc = pcri_folders_list(t, &l->tops.items[i], &inner, err);
        if (rc)
            return rc;
        if (!are_splits(&inner))
            continue;
        char why[200];
        snprintf(why, sizeof(why),
                 "splits are in other folders ('%.24s/%.24s'): convert these one by one, or "
                 "write a list",
                 l->tops.items[i].name, inner.items[0].name);
        return ask(t, PCR_FOLDERS_CLASS, PCR_FOLDERS_FLAT, why, err);
    }
    return 0;
}

/* Whether there is a file below the folder that the first nbytes of `key` name. */
static bool has_files(const struct pcri_tree *t, const char *key, size_t nbytes)
{
    size_t first = (size_t) PCRI_FIRST(
        i, 0, t->files->count, strncmp(pcri_entries_at(t->files, i)->key, key, nbytes) >= 0);
    return first < t->files->count &&
           !strncmp(pcri_entries_at(t->files, first)->key, key, nbytes);
}

/* A split whose folders are links to folders elsewhere in the tree has lost its images. */
static int check_aliases(const struct pcri_tree *t, struct pcr_error *err)
{
    for (size_t i = 0; i < t->aliases.count; i++) {
        const char *key = t->aliases.items[i];
        for (const char *p = key; *p;) {
            char name[32];
            size_t n = strcspn(p, "/");
            snprintf(name, sizeof(name), "%.*s", (int) (n < 31 ? n : 31), p);
            p += n + (p[n] == '/'); /* the alias itself is last, and has no files */
            if (pcri_is_split_name(name) && (!*p || !has_files(t, key, (size_t) (p - key))))
                return pcri_fail(err, PCR_ERR_INVAL,
                                 "%s is a link to a folder that is in the tree under "
                                 "another name, so '%s' has no images of its own; give a "
                                 "list with columns path, label and split, or choose a "
                                 "layout",
                                 key, name);
        }
    }
    return 0;
}

static int find_auto(const struct pcri_tree *t, struct pcri_layout *l, struct pcr_error *err)
{
    char why[160];
    int rc = pcri_layout_tops(t, l, err);
    if (!rc)
        rc = check_aliases(t, err);
    if (rc)
        return rc;
    const struct pcri_folder *base = &l->base, *first = l->tops.items;
    bool splits = are_splits(&l->tops);
    uint32_t kind = splits
                        ? have_folders(&l->tops) ? PCR_FOLDERS_SPLIT_CLASS : PCR_FOLDERS_SPLIT
                        : PCR_FOLDERS_CLASS;
    if (!l->tops.count ||
        (l->tops.count == 1 && !base->direct && !splits && first->images == first->direct &&
         pcri_is_container_name(first->name)))
        return pcri_layout_build(t, PCR_FOLDERS_FLAT, l, err);
    if (base->direct > base->images - base->direct) {
        snprintf(why, sizeof(why), "%zu images are next to folders with %zu", base->direct,
                 base->images - base->direct);
        return ask(t, kind, PCR_FOLDERS_FLAT, why, err);
    }
    if (splits)
        return find_splits(t, l, err);
    if (may_be_splits(&l->tops))
        return ask(t, have_folders(&l->tops) ? PCR_FOLDERS_SPLIT_CLASS : PCR_FOLDERS_SPLIT,
                   PCR_FOLDERS_CLASS, "some folders have names of splits, others do not", err);
    rc = check_inverse(t, l, err);
    if (!rc)
        rc = pcri_layout_build(t, PCR_FOLDERS_CLASS, l, err);
    return rc ? rc : check_classes(t, l, &l->tops, PCR_FOLDERS_FLAT, err);
}

int pcri_layout_find(const struct pcri_tree *t, uint32_t kind, struct pcri_layout *l,
                     struct pcr_error *err)
{
    *l = (struct pcri_layout) { 0 };
    int rc = kind == PCR_FOLDERS_AUTO ? find_auto(t, l, err)
                                      : pcri_layout_build(t, kind, l, err);
    if (!rc && kind != PCR_FOLDERS_AUTO && kind != PCR_FOLDERS_FLAT && !l->tops.count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "layout '%s', but there are no folders with images",
                         pcri_layout_name(kind));
    return rc;
}
