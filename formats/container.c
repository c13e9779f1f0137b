/* SPDX-License-Identifier: BSD-2-Clause */
/* What importers of containers share: rows of all of them, and the spool. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/base/utf8.h"
#include "../libpcr/io/storage.h"
#include "container.h"
#include "shapes.h"

static const char *join(struct pcri_container *s, const char *file, const char *member,
                        struct pcr_error *err)
{
    size_t nbytes = strlen(file) + strlen(member) + 3;
    char *text = pcri_arena_alloc(&s->e->arena, nbytes, 1, err);
    if (text)
        snprintf(text, nbytes, "%s: %s", file, member);
    return text;
}

struct pcri_list_row *pcri_container_add(struct pcri_container *s, const char *file,
                                         const char *member, uint64_t offset, uint64_t nbytes,
                                         struct pcr_error *err)
{
    struct pcri_list_row *row = pcri_list_add(s->rows, 0, err);
    if (!row)
        return NULL;
    row->file = file ? file : s->path;
    row->path = join(s, row->file, member, err);
    row->offset = offset;
    row->nbytes = nbytes;
    row->revision = s->revision;
    row->split = s->split;
    return row->path ? row : NULL;
}

static int open_spool(struct pcri_container *s, struct pcr_error *err)
{
    int rc = pcri_spool_open(s->e->folder, &s->e->spool, err);
    s->e->has_spool = !rc;
    return rc;
}

int pcri_container_put(struct pcri_container *s, const void *data, size_t nbytes,
                       struct pcr_error *err)
{
    int rc = s->e->has_spool ? 0 : open_spool(s, err);
    if (!rc)
        rc = pcri_spool_write(&s->e->spool, data, nbytes, s->spool_nbytes, err);
    if (!rc)
        s->spool_nbytes += nbytes;
    return rc;
}

int pcri_container_spool(struct pcri_container *s, const char *member, const void *data,
                         size_t nbytes, struct pcri_list_row **row, struct pcr_error *err)
{
    const uint64_t offset = s->spool_nbytes;
    *row = NULL;
    int rc = pcri_container_put(s, data, nbytes, err);
    if (rc)
        return rc;
    *row = pcri_container_add(s, NULL, member, offset, nbytes, err);
    if (!*row)
        return PCR_ERR_NOMEM;
    (*row)->spooled = true;
    return 0;
}

static int leave_out(struct pcri_container *s, const char *file, const char *member,
                     const char *what, struct pcr_error *err)
{
    const char *reason = pcri_arena_strndup(&s->e->arena, what, strlen(what), err);
    const char *place = reason ? join(s, file ? file : s->path, member, err) : NULL;
    if (!place)
        return PCR_ERR_NOMEM;
    if (s->opts->left_out)
        s->opts->left_out(s->opts->context, place, reason);
    const struct pcri_input item = { .path = place, .key = place };
    return pcri_entries_leave_out(s->e, &item, reason, err);
}

int pcri_container_leave_out(struct pcri_container *s, const char *file, const char *member,
                             struct pcr_error *err, const char *format, ...)
{
    char what[PCR_MESSAGE_NBYTES];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    return leave_out(s, file, member, what, err);
}

int pcri_container_damaged(struct pcri_container *s, const char *file, uint64_t offset,
                           struct pcr_error *err, const char *format, ...)
{
    char what[PCR_MESSAGE_NBYTES], at[32];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    snprintf(at, sizeof(at), "byte %llu", (unsigned long long) offset);
    if (s->opts->flags & PCR_SOURCE_SKIP_DAMAGED)
        return leave_out(s, file, at, what, err);
    return pcri_fail(err, PCR_ERR_CORRUPT, "%s, %s: %s", file ? file : s->path, at, what);
}

enum { MOST_NOTES = 1000 };

int pcri_container_note(struct pcri_container *s, struct pcr_error *err, const char *format,
                        ...)
{
    char what[PCR_MESSAGE_NBYTES];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    struct pcr_buffer text = { 0 };
    int rc = pcri_utf8_replace(what, strlen(what), &text, err);
    if (!rc)
        rc = pcri_buffer_append(&text, "", 1, err);
    if (!rc && !s->notes && !(s->notes = json_object()))
        rc = pcri_fail_nomem(err, 64);
    const char *note = (const char *) text.data;
    if (!rc && json_object_size(s->notes) < MOST_NOTES && !json_object_get(s->notes, note)) {
        if (s->opts->noted)
            s->opts->noted(s->opts->context, s->path, note);
        if (json_object_set_new(s->notes, note, json_true()))
            rc = pcri_fail_nomem(err, 64);
    }
    pcr_buffer_free(&text);
    return rc;
}

/* --- blobs --- */

bool pcri_container_names_blob(struct pcri_container *s, const char *name)
{
    const struct pcr_source_options *o = s->opts;
    for (uint32_t i = 0; o->flags & PCR_SOURCE_CHOOSE_BLOBS && i < o->blob_count; i++)
        if (!strcmp(o->blobs[i], name))
            return s->blobs_found[i] = true;
    return false;
}

bool pcri_container_takes_blob(struct pcri_container *s, const char *name)
{
    return !(s->opts->flags & PCR_SOURCE_CHOOSE_BLOBS) || pcri_container_names_blob(s, name);
}

static int check_blobs(const struct pcri_container *s, struct pcr_error *err)
{
    for (uint32_t i = 0; i < s->opts->blob_count; i++)
        if (!s->blobs_found[i])
            return pcri_fail(err, PCR_ERR_INVAL,
                             "%s: no sample has a part '%.200s' for a blob", s->path,
                             s->opts->blobs[i]);
    return 0;
}

/* --- opening --- */

/* A copy; of nothing, nothing. */
static int keep(struct pcri_container *s, const char *text, const char **out,
                struct pcr_error *err)
{
    *out = text ? pcri_arena_strndup(&s->e->arena, text, strlen(text), err) : NULL;
    return text && !*out ? PCR_ERR_NOMEM : 0;
}

static int scan(const struct pcri_importer *im, struct pcri_container *s,
                const struct pcri_given *input, struct pcr_error *err)
{
    struct stat st;
    if (keep(s, input->path, &s->path, err) || keep(s, input->split, &s->split, err) ||
        keep(s, input->images, &s->images, err) || keep(s, input->list, &s->list, err))
        return PCR_ERR_NOMEM;
    s->split_is_guess = input->is_guess;
    s->revision = 0;
    if (strcmp(s->path, "-") != 0) {
        if (PCRI_UNINTERRUPTED(stat(s->path, &st)))
            return pcri_fail_sys(err, errno, "%s", s->path);
        s->revision = S_ISFIFO(st.st_mode) ? 0 : pcri_revision(&st);
    }
    return im->scan(s, err);
}

/* What only folders and lists have. */
static int check_options(const struct pcri_importer *im, const struct pcr_source_options *o,
                         struct pcr_error *err)
{
    const char *what = o->layout && !im->finish          ? "layout"
                       : o->extension_count              ? "extensions"
                       : o->flags & PCR_SOURCE_ALL_FILES ? "PCR_SOURCE_ALL_FILES"
                       : o->root                         ? "root"
                                                         : NULL;
    return what ? pcri_fail(err, PCR_ERR_INVAL, "%s applies to folders and lists", what) : 0;
}

int pcri_containers_open(const struct pcri_importer *im, const struct pcri_inputs *in,
                         const struct pcr_source_options *opts, struct pcr_source **out,
                         struct pcr_error *err)
{
    struct pcri_list rows = { 0 };
    struct pcri_container s = { .opts = opts, .rows = &rows };
    int rc = check_options(im, opts, err);
    if (!rc)
        rc = pcri_entries_create(opts->spool_folder, &s.e, err);
    if (!rc && opts->blob_count &&
        !(s.blobs_found = pcri_calloc(opts->blob_count, sizeof(*s.blobs_found), err)))
        rc = PCR_ERR_NOMEM;
    if (!rc)
        rows.arena = &s.e->arena;
    s.folder_nbytes = pcri_common_folder(in);
    for (size_t i = 0; i < in->count && !rc; i++) {
        s.name = pcri_shard_name(in->items[i].path + s.folder_nbytes, rows.arena, err);
        rc = s.name ? scan(im, &s, &in->items[i], err) : PCR_ERR_NOMEM;
    }
    if (!rc)
        rc = check_blobs(&s, err);
    if (!rc)
        rc = pcri_shapes_settle(s.shapes, &rows, err);
    if (!rc && !rows.count)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: no images in it", in->items[0].path);
    if (!rc)
        rc = im->finish ? im->finish(&s, err) : pcri_list_finish(&rows, opts, "", s.e, err);
    pcri_list_free(&rows);
    free(s.blobs_found);
    json_decref(s.notes);
    json_decref(s.shapes);
    if (rc)
        pcri_entries_destroy(&s.e);
    else
        *out = &s.e->source;
    return rc;
}
