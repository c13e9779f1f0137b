/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing files below a folder under names that somebody else chose. */
#ifndef PCRTOOL_FILES_H
#define PCRTOOL_FILES_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pcr/base.h>

/* The result of a system call that is repeated as long as signals interrupt it. */
#define PCRTOOL_UNINTERRUPTED(call) \
    __extension__({ \
        __typeof__(call) pcrtool_result_; \
        do \
            pcrtool_result_ = (call); \
        while (pcrtool_result_ == -1 && errno == EINTR); \
        pcrtool_result_; \
    })

/* NULL if `key` may name a file below a folder, else why not: it is empty or absolute, or
 * has an empty part, "." or "..". */
const char *pcrtool_unsafe_name(const char *key);

/* Opens (creating them) the folders of `key` below root_fd, never through a symbolic link.
 * Returns the last one's descriptor and sets *name_out to the part of `key` after it, or
 * returns -1 with errno. `key` must be safe. */
int pcrtool_open_parent(int root_fd, const char *key, const char **name_out);

/* Writes a file of that name into the folder: all of it or nothing, through a temporary file
 * in the same folder. Without `replace` an existing file stays, and the call fails with
 * EEXIST. Returns 0, or -1 with errno. */
int pcrtool_write_file(int folder_fd, const char *name, const void *data, size_t nbytes,
                       bool replace);

/* Puts the bytes into the file at `path` in the same way, replacing an existing one; or into what
 * else is there, a device, a pipe, the target of a symbolic link. Returns 0, or -1 with errno. */
int pcrtool_write_path(const char *path, const struct pcr_buffer *bytes);

#endif
