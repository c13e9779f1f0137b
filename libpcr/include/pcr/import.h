/* SPDX-License-Identifier: BSD-2-Clause */
/* Importers: sources of images for pcr_dataset_write(). */
#ifndef PCR_IMPORT_H
#define PCR_IMPORT_H

#include <pcr/base.h>
#include <pcr/writer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pcr_import_options {
    uint32_t size;       /* sizeof(struct pcr_import_options) */
    uint32_t flags;      /* 0 */
    const char *format;  /* an importer's name, or NULL: chosen by the path */
    const char *root;    /* lists: folder that relative paths start from; NULL: the list's */
    /* Called for each file that an importer leaves out, with the reason; NULL: not. */
    void (*left_out)(void *opaque, const char *path, const char *reason);
    void *opaque;
};

/* Names of the importers, in order ("folder", "list"); NULL past the last. */
PCR_API const char *pcr_import_format(uint32_t index);

/* Opens what is at `path` as a source of images.
 *
 * folder: a tree. `split/class/file` where all top folders are named like splits (train,
 *   val, validation, dev, test), `class/file`, or a flat folder of files (no labels).
 *   Splits and classes are numbered in byte order of their names; deeper folders belong to
 *   their class. Hidden files and folders are left out; other files are all taken (a bad
 *   one is the writer's to judge). Symbolic links are followed, each folder once. A key is
 *   the path below the root.
 * list: a .csv or .tsv file with a header line, or a .jsonl file with an object a line:
 *   `path`, optional `key`, `label` (a class name, or an integer) or `labels` (integers, in
 *   CSV separated by spaces), `split`, `attributes` (an object; in CSV every other column is
 *   one). docs/guide.md says which other names of columns are understood. Keys are made into
 *   relative paths without empty, "." and ".." parts, which must differ.
 * The source reads files with open() and read() and never changes them. Free it with
 * pcr_source_destroy(). Codes: IO, INVAL (nothing there; a list's line), NOMEM, LIMIT. */
PCR_API PCR_MUST_CHECK int pcr_import_open(const char *path,
                                           const struct pcr_import_options *opts,
                                           struct pcr_source **out,
                                           struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
