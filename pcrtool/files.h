/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a file, all of it or nothing. */
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

/* Puts the bytes into the file at `path`: all of them or nothing, through a temporary file in
 * the same folder, replacing an existing one; or into what else is there, a device, a pipe, the
 * target of a symbolic link. Returns 0, or -1 with errno. */
int pcrtool_write_path(const char *path, const struct pcr_buffer *bytes);

#endif
