/* SPDX-License-Identifier: BSD-2-Clause */
/* What tells several inputs from each other: the beginning of keys of numbered samples. */
#include <strings.h>

#include "inputs.h"

/* The path without slashes at its end. */
static size_t length_of(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n;
}

/* Where the last component begins. */
static size_t base_of(const char *path, size_t nbytes)
{
    while (nbytes && path[nbytes - 1] != '/')
        nbytes--;
    return nbytes;
}

size_t pcri_common_folder(const struct pcri_inputs *in)
{
    const char *first = in->items[0].path;
    size_t n = base_of(first, length_of(first));
    for (size_t i = 1; i < in->count; i++) {
        const char *path = in->items[i].path;
        size_t most = base_of(path, length_of(path)), same = 0;
        while (same < n && same < most && path[same] == first[same])
            same++;
        n = base_of(first, same);
    }
    return n;
}

const char *pcri_shard_name(const char *path, struct pcri_arena *arena, struct pcr_error *err)
{
    static const char *const endings[] = { ".gz",        ".zst",   ".tar",   ".tgz",
                                           ".tzst",      ".zip",   ".zlib",  ".tfrecord",
                                           ".tfrecords", ".tfrec", ".beton", ".lmdb",
                                           ".mdb",       ".pcr" };
    size_t nbytes = length_of(path);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);
        if (nbytes > n && !strncasecmp(path + nbytes - n, endings[i], n))
            nbytes -= n;
    }
    return pcri_arena_strndup(arena, path, nbytes, err);
}
