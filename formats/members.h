/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of archives (tar, zip) made into samples, by WebDataset's convention: members whose
 * paths are equal up to the first dot of the last part are one sample, and what follows the dot
 * is the name of a part. One part is the image, "cls" is the label, texts describe it, and others
 * are its blobs.
 * Archives without labels are read as the folder tree that they would be extracted to. */
#ifndef PCRI_MEMBERS_H
#define PCRI_MEMBERS_H

#include "container.h"

enum pcri_member_kind {
    PCRI_MEMBER_IGNORED, /* hidden, or what archivers and file systems add */
    PCRI_MEMBER_IMAGE,
    PCRI_MEMBER_UNKNOWN, /* an image if it begins like one, else another part */
    PCRI_MEMBER_OTHER,   /* another part; its text is wanted */
    PCRI_MEMBER_LINK,    /* to what `text` names */
};

/* Parts of more bytes are not attributes, JSON excepted. */
enum { PCRI_TEXT_MAX_NBYTES = 64 << 10, PCRI_JSON_MAX_NBYTES = 16 << 20 };

struct pcri_member {
    const char *name;        /* its path, made safe */
    uint64_t header;         /* where it begins, for messages */
    uint64_t offset, nbytes; /* of its bytes, in the container or the spool */
    bool spooled;
    bool has_crc; /* `crc` is the CRC-32 of its bytes */
    uint32_t crc;
    struct pcr_file_info info;
    enum pcri_member_kind kind;
    const char *text; /* of other parts, if it was kept; of links: the target's path */
    size_t text_nbytes;
    bool is_only_text; /* its bytes are nowhere else */
    size_t order;      /* among all */
    size_t key_nbytes; /* of the name: what the sample's members have in common */
};

/* The members of one container. Start from {0}, with the arena's folder; members, names and texts
 * are in the arena. */
struct pcri_members {
    struct pcri_arena arena;
    struct pcri_member **items; /* in the arena */
    size_t count, capacity;
    uint64_t ignored; /* files that are nothing of a sample */
};

/* How likely a part of this name is the image: less is more. */
unsigned pcri_part_rank(const char *part);

/* What a member of this path is. */
enum pcri_member_kind pcri_member_kind(const char *path);

/* Whether its text may be wanted, of so many bytes; and whether it is kept, now that it is read: it
 * is valid text, JSON, or may be the label. Other parts are blobs. */
bool pcri_member_wants_text(const char *path, uint64_t nbytes);
bool pcri_member_keeps_text(const struct pcri_container *s, const char *path, const char *text,
                            size_t nbytes);

/* A new member; its path is copied and made safe. NULL: NOMEM. */
struct pcri_member *pcri_members_add(struct pcri_members *m, const char *path,
                                     enum pcri_member_kind kind, struct pcr_error *err);

/* Makes rows of all members, and frees them. Codes: INVAL, CORRUPT (as
 * pcri_container_damaged()), NOMEM. */
int pcri_members_finish(struct pcri_container *s, struct pcri_members *m,
                        struct pcr_error *err);

/* Frees them. */
void pcri_members_free(struct pcri_members *m);

/* pcri_importer.finish of archives. (archive.c) */
int pcri_archives_finish(struct pcri_container *s, struct pcr_error *err);

#endif
