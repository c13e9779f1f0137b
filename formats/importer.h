/* SPDX-License-Identifier: BSD-2-Clause */
/* Importers: one source file for each foreign format, all behind one table. */
#ifndef PCRI_IMPORTER_H
#define PCRI_IMPORTER_H

#include <sys/stat.h>

#include <pcr/source.h>

#include "../libpcr/base/base.h"

struct pcri_importer {
    const char *name; /* pcr_source_options.format */
    /* True if this importer handles what is at `path`; st: its status. */
    bool (*probe)(const char *path, const struct stat *st);
    /* opts is complete: never NULL, and of the library's own size. */
    int (*open)(const char *path, const struct pcr_source_options *opts,
                struct pcr_source **out, struct pcr_error *err);
};

extern const struct pcri_importer pcri_import_folder, pcri_import_list;

/* All importers, NULL-ended, in the order in which they are asked. */
extern const struct pcri_importer *const pcri_importers[];

#endif
