/* SPDX-License-Identifier: BSD-2-Clause */
/* Importers: one source file for each foreign format, all behind one table. */
#ifndef PCRI_IMPORTER_H
#define PCRI_IMPORTER_H

#include <sys/stat.h>

#include <pcr/source.h>

#include "../libpcr/base/base.h"

struct pcri_container;

/* What is at a path, for importers to recognise. */
struct pcri_candidate {
    const char *path;
    bool is_stream; /* standard input ("-"), or a pipe: nothing is known of it */
    struct stat st;
    uint8_t head[1024]; /* the first bytes of a regular file */
    size_t head_nbytes;
};

/* An importer either opens one path as a source, or scans containers one by one (container.h). */
struct pcri_importer {
    const char *name; /* pcr_source_options.format */
    /* True if this importer handles it. */
    bool (*probe)(const struct pcri_candidate *c);
    /* opts is complete: never NULL, and of the library's own size. */
    int (*open)(const char *path, const struct pcr_source_options *opts,
                struct pcr_source **out, struct pcr_error *err);
    int (*scan)(struct pcri_container *s, struct pcr_error *err);
    /* Makes samples of the rows of all containers; NULL: as of a list's. */
    int (*finish)(struct pcri_container *s, struct pcr_error *err);
    const char *const
        *endings; /* of its files' names, by which folders are searched; ends with
                                 * NULL; may be NULL */
};

extern const struct pcri_importer pcri_import_folder, pcri_import_list, pcri_import_tar,
    pcri_import_zip, pcri_import_tfrecord, pcri_import_mds, pcri_import_litdata,
    pcri_import_beton, pcri_import_pcr_release, pcri_import_lmdb, pcri_import_coco,
    pcri_import_voc;

/* All importers, NULL-ended, in the order in which they are asked. */
extern const struct pcri_importer *const pcri_importers[];

#endif
