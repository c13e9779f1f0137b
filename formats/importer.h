/* SPDX-License-Identifier: BSD-2-Clause */
/* What an importer is: one file for each foreign format, all behind one table. */
#ifndef PCRI_IMPORTER_H
#define PCRI_IMPORTER_H

#include <sys/stat.h>

#include <pcr/source.h>

#include "../libpcr/base/base.h"

struct pcri_importer {
    const char *name; /* pcr_source_options.format */
    /* True if what stands at `path` is for this importer; st: what it is. */
    bool (*probe)(const char *path, const struct stat *st);
    /* opts is complete: never NULL, of our own size. */
    int (*open)(const char *path, const struct pcr_source_options *opts,
                struct pcr_source **out, struct pcr_error *err);
};

extern const struct pcri_importer pcri_import_folder, pcri_import_list;

/* All importers, NULL-ended, in the order that they are probed in. */
extern const struct pcri_importer *const pcri_importers[];

#endif
