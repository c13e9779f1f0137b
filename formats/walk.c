/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking a folder tree. Folders wait on a stack. Links to folders wait separately until no
 * other folder is left, so that a folder that is in the tree and also linked to keeps its own
 * name. All names of a folder are sorted before use: the result does not depend on the order
 * of the file system. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libpcr/base/random.h"
#include "folder_names.h"
#include "walk.h"

/* Folders that were entered: an open-addressed hash table. */
struct seen {
    struct seen_slot {
        uint64_t dev, ino;
        bool used;
    } * slots;
    size_t count, capacity; /* capacity: a power of two */
};

struct folder_walk {
    const struct pcr_source_options *opts;
    struct pcri_tree *tree;
    struct pcri_arena *arena;
    size_t root_nbytes; /* with its slash: the path below the root begins there */
    struct seen seen;
    struct pcri_paths stack, links;
};

static void put_seen(struct seen *s, uint64_t dev, uint64_t ino)
{
    size_t i = (size_t) pcri_key(0, dev, ino);
    while (s->slots[i & (s->capacity - 1)].used)
        i++;
    s->slots[i & (s->capacity - 1)] = (struct seen_slot) { dev, ino, true };
}

static bool was_seen(const struct seen *s, uint64_t dev, uint64_t ino)
{
    if (!s->capacity)
        return false;
    for (size_t i = (size_t) pcri_key(0, dev, ino);; i++) {
        const struct seen_slot *slot = &s->slots[i & (s->capacity - 1)];
        if (!slot->used)
            return false;
        if (slot->dev == dev && slot->ino == ino)
            return true;
    }
}

static int add_seen(struct seen *s, const struct stat *st, struct pcr_error *err)
{
    if (2 * s->count >= s->capacity) {
        struct seen larger = { NULL, s->count, s->capacity ? 2 * s->capacity : 64 };
        larger.slots = pcri_calloc(larger.capacity, sizeof(*larger.slots), err);
        if (!larger.slots)
            return PCR_ERR_NOMEM;
        for (size_t i = 0; i < s->capacity; i++)
            if (s->slots[i].used)
                put_seen(&larger, s->slots[i].dev, s->slots[i].ino);
        free(s->slots);
        *s = larger;
    }
    put_seen(s, (uint64_t) st->st_dev, (uint64_t) st->st_ino);
    s->count++;
    return 0;
}

static int push_path(struct pcri_paths *p, const char *path, struct pcr_error *err)
{
    if (PCRI_GROW(p->items, p->capacity, p->count + 1, err))
        return PCR_ERR_NOMEM;
    p->items[p->count++] = path;
    return 0;
}

static void leave_out(const struct folder_walk *w, const char *path, const char *reason)
{
    if (w->opts->left_out)
        w->opts->left_out(w->opts->context, path, reason);
}

static bool is_metadata(const char *name)
{
    return !strcmp(name, "metadata.csv") || !strcmp(name, "metadata.jsonl");
}

/* A file that is not a sample. */
static int pass_over(struct folder_walk *w, const char *path, const char *name,
                     struct pcr_error *err)
{
    w->tree->files->ignored_count++;
    if (is_metadata(name))
        return push_path(&w->tree->metadata, path, err);
    if (!strcmp(name, "metadata.parquet"))
        leave_out(w, path, "Parquet is not supported: write it as metadata.jsonl");
    return 0;
}

/* st NULL: the link `path` leads nowhere, which shows when the file is loaded. */
static int add_file(struct folder_walk *w, const char *path, const struct stat *st,
                    struct pcr_error *err)
{
    enum pcri_file_kind kind = PCRI_FILE_OTHER;
    const char *name = strrchr(path, '/') + 1;
    int rc = is_metadata(name) ? 0 : pcri_file_kind(path, w->opts, &kind, err);
    if (rc)
        return rc;
    if (kind == PCRI_FILE_OTHER)
        return pass_over(w, path, name, err);
    w->tree->no_images &= kind != PCRI_FILE_IMAGE;
    struct pcri_input *e = pcri_entries_add(w->tree->files, err);
    if (!e)
        return PCR_ERR_NOMEM;
    e->path = path;
    e->key = path + w->root_nbytes;
    e->is_image = kind == PCRI_FILE_IMAGE;
    if (st)
        pcri_input_examined(e, st);
    return 0;
}

static int visit_name(struct folder_walk *w, int dir_fd, const char *folder, const char *name,
                      struct pcr_error *err)
{
    struct stat st;
    char *path = pcri_arena_join(w->arena, folder, strlen(folder), true, name, err);
    if (!path)
        return PCR_ERR_NOMEM;
    if (PCRI_UNINTERRUPTED(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW)))
        return pcri_fail_sys(err, errno, "%s", path);
    bool link = S_ISLNK(st.st_mode);
    if (link && PCRI_UNINTERRUPTED(fstatat(dir_fd, name, &st, 0)))
        return pcri_is_unreachable(errno) ? add_file(w, path, NULL, err)
                                          : pcri_fail_sys(err, errno, "%s", path);
    if (S_ISREG(st.st_mode))
        return add_file(w, path, &st, err);
    if (S_ISDIR(st.st_mode))
        return push_path(link ? &w->links : &w->stack, path, err);
    leave_out(w, path, "not a regular file");
    return 0;
}

/* Reads the folder's names; they are back to back in `text`, each ended by NUL. */
static int read_names(const struct folder_walk *w, DIR *dir, const char *folder,
                      struct pcr_buffer *text, size_t *count, struct pcr_error *err)
{
    const bool all = w->opts->flags & PCR_SOURCE_ALL_FILES;
    *count = 0;
    for (;;) {
        const struct dirent *d = PCRI_UNINTERRUPTED_POINTER(readdir(dir));
        if (!d && errno)
            return pcri_fail_sys(err, errno, "cannot read folder %s", folder);
        if (!d)
            return 0;
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
            continue;
        if (d->d_name[0] == '.' || (!all && pcri_is_clutter(d->d_name))) {
            w->tree->files->ignored_count++;
            continue;
        }
        int rc = pcri_buffer_append(text, d->d_name, strlen(d->d_name) + 1, err);
        if (rc)
            return rc;
        ++*count;
    }
}

static int visit_names(struct folder_walk *w, DIR *dir, const char *folder,
                       struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    const char **names = NULL;
    size_t count;
    int rc = read_names(w, dir, folder, &text, &count, err);
    if (rc)
        goto out;
    names = pcri_malloc(count, sizeof(*names), err);
    if (!names) {
        rc = PCR_ERR_NOMEM;
        goto out;
    }
    const char *p = (const char *) text.data;
    for (size_t i = 0; i < count; i++, p += strlen(p) + 1)
        names[i] = p;
    qsort(names, count, sizeof(*names), pcri_compare_texts);
    for (size_t i = 0; i < count && !rc; i++)
        rc = visit_name(w, dirfd(dir), folder, names[i], err);
out:
    free(names);
    pcr_buffer_free(&text);
    return rc;
}

static int enter(struct folder_walk *w, DIR *dir, const char *path, struct pcr_error *err)
{
    struct stat st;
    if (PCRI_UNINTERRUPTED(fstat(dirfd(dir), &st)))
        return pcri_fail_sys(err, errno, "%s", path);
    if (was_seen(&w->seen, (uint64_t) st.st_dev, (uint64_t) st.st_ino)) {
        leave_out(w, path, "a folder that was found under another name already");
        return push_path(&w->tree->aliases, path + w->root_nbytes, err);
    }
    int rc = add_seen(&w->seen, &st, err);
    return rc ? rc : visit_names(w, dir, path, err);
}

static int visit_folder(struct folder_walk *w, const char *path, struct pcr_error *err)
{
    int fd = PCRI_UNINTERRUPTED(open(*path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *dir = fd < 0 ? NULL : PCRI_UNINTERRUPTED_POINTER(fdopendir(fd));
    if (!dir) {
        int rc = pcri_fail_sys(err, errno, "cannot open folder %s", path);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    int rc = enter(w, dir, path, err);
    closedir(dir);
    return rc;
}

/* Visits all that waits on the stack. */
static int drain(struct folder_walk *w, struct pcr_error *err)
{
    int rc = 0;
    while (w->stack.count && !rc)
        rc = visit_folder(w, w->stack.items[--w->stack.count], err);
    return rc;
}

/* Visits linked folders in rounds: those that one round finds belong to the next. */
static int follow_links(struct folder_walk *w, struct pcr_error *err)
{
    int rc = 0;
    while (w->links.count && !rc) {
        struct pcri_paths round = w->links;
        w->links = (struct pcri_paths) { 0 };
        qsort(round.items, round.count, sizeof(*round.items), pcri_compare_texts);
        for (size_t i = 0; i < round.count && !rc; i++) {
            rc = visit_folder(w, round.items[i], err);
            if (!rc)
                rc = drain(w, err);
        }
        free(round.items);
    }
    return rc;
}

static int compare_keys(const void *a, const void *b)
{
    const struct pcri_input *x = a, *y = b;
    return strcmp(x->key, y->key);
}

int pcri_walk(const char *root, const struct pcr_source_options *opts, struct pcri_tree *tree,
              struct pcr_error *err)
{
    struct folder_walk w = { .opts = opts, .tree = tree, .arena = &tree->files->arena };
    size_t n = strlen(root);
    while (n > 1 && root[n - 1] == '/')
        n--;
    if (n == 1 && root[0] == '/')
        n = 0; /* "/" is the empty path: "/name" is below it */
    w.root_nbytes = tree->root_nbytes = n + 1;
    tree->no_images = true;

    int rc = PCR_ERR_NOMEM;
    const char *path = pcri_arena_strndup(w.arena, root, n, err);
    if (path)
        rc = visit_folder(&w, path, err);
    if (!rc)
        rc = drain(&w, err);
    if (!rc)
        rc = follow_links(&w, err);
    if (!rc)
        rc = pcri_arena_sort(w.arena, tree->files->items, tree->files->count, compare_keys,
                             err);
    free(w.seen.slots);
    free(w.stack.items);
    free(w.links.items);
    return rc;
}
