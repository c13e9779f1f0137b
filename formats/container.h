/* SPDX-License-Identifier: BSD-2-Clause */
/* Importers of containers: files, or folders of a format's own, that hold many samples. Each is
 * read once from its beginning to its end, which makes rows: where each image lies, and what is
 * said of it. An image's bytes are read again, from there, when it is converted, so nothing of
 * the container is kept in memory. Images that do not lie there as they are, for they are
 * compressed or came through a pipe, are put into a spool (an unnamed file) meanwhile. */
#ifndef PCRI_CONTAINER_H
#define PCRI_CONTAINER_H

#include "importer.h"
#include "inputs.h"
#include "list.h"

/* The reading of one container. */
struct pcri_container {
    const char *path;    /* as the user wrote it; "-" is standard input */
    const char *name;    /* what tells it from the other inputs; keys may begin so */
    uint64_t revision;   /* of what `path` leads to; 0 for pipes */
    const char *split;   /* of its samples, or NULL; a row may name another */
    const char *images;  /* annotations: the folder of the images; else NULL */
    const char *list;    /* of these of the folder `path`; NULL: all */
    bool split_is_guess; /* its name says so, not the user */
    const struct pcr_source_options *opts;
    struct pcri_entries *e; /* arena for strings, spool */
    struct pcri_list *rows;
    uint64_t spool_nbytes;
    size_t folder_nbytes; /* of `path`: the folder that all inputs are in, with its slash */
    bool has_parts;       /* archives: there are samples with more than images */
    bool has_labels;   /* archives: with labels, or keys of their own, not those of a tree */
    bool *blobs_found; /* for each of opts->blobs: a sample has it; or NULL */
    json_t *notes;     /* what was noted; or NULL */
    json_t *shapes;    /* of the attributes; or NULL (shapes.h) */
};

/* A new row at the end for an image in `nbytes` of `file` from `offset` on. The importer then
 * sets key, labels, attributes and so on.
 * file: NULL for s->path; else it lives in the arena. member: what it is called there. NULL for
 * lack of memory. */
struct pcri_list_row *pcri_container_add(struct pcri_container *s, const char *file,
                                         const char *member, uint64_t offset, uint64_t nbytes,
                                         struct pcr_error *err);

/* The same for an image whose bytes are put into the spool. IO (ENOSPC), NOMEM. */
int pcri_container_spool(struct pcri_container *s, const char *member, const void *data,
                         size_t nbytes, struct pcri_list_row **row, struct pcr_error *err);

/* Puts bytes into the spool, behind those that are there (spool_nbytes of them). A row whose
 * image this is has `spooled` set. IO (ENOSPC), NOMEM. */
int pcri_container_put(struct pcri_container *s, const void *data, size_t nbytes,
                       struct pcr_error *err);

/* An image, or a part of one, is left out; `what` is printf-like, `member` what it is called in
 * the container. NOMEM. */
int pcri_container_leave_out(struct pcri_container *s, const char *file, const char *member,
                             struct pcr_error *err, const char *format, ...) PCRI_PRINTF(5, 6);

/* Something in the container is damaged, from `offset` on: CORRUPT with file, offset and what
 * is wrong; or, if the user wants it to be passed over (PCR_SOURCE_SKIP_DAMAGED), 0, and it is
 * listed as left out. The importer then goes on where it can. */
int pcri_container_damaged(struct pcri_container *s, const char *file, uint64_t offset,
                           struct pcr_error *err, const char *format, ...) PCRI_PRINTF(5, 6);

/* Tells the user, once, of something that is left out or not understood. NOMEM. */
int pcri_container_note(struct pcri_container *s, struct pcr_error *err, const char *format,
                        ...) PCRI_PRINTF(3, 4);

/* Whether the user has named this part as a blob; and whether it may become one. */
bool pcri_container_names_blob(struct pcri_container *s, const char *name);
bool pcri_container_takes_blob(struct pcri_container *s, const char *name);

/* Opens containers of one importer as one source. */
int pcri_containers_open(const struct pcri_importer *im, const struct pcri_inputs *in,
                         const struct pcr_source_options *opts, struct pcr_source **out,
                         struct pcr_error *err);

#endif
