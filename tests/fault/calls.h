/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that fail as asked. The program is linked with --wrap, so that calls of the library
 * and of pcrtool come to calls.c first, from whatever thread. */
#ifndef PCR_TESTS_FAULT_CALLS_H
#define PCR_TESTS_FAULT_CALLS_H

#include <stdbool.h>

/* Kinds of calls. Those that differ in their arguments alone are one: openat() is an open. */
/* clang-format off */
#define CALLS(X) \
    X(OPEN, "open") X(READ, "read") X(PREAD, "pread") X(WRITE, "write") X(PWRITE, "pwrite") \
    X(FSYNC, "fsync") X(RENAME, "rename") X(LINK, "link") X(UNLINK, "unlink") \
    X(CLOSE, "close") X(MMAP, "mmap") X(MUNMAP, "munmap") X(MADVISE, "madvise") \
    X(STAT, "stat") X(OPENDIR, "opendir") X(READDIR, "readdir") X(FCNTL, "fcntl") \
    X(FLOCK, "flock") X(MKDIR, "mkdir") X(ACCESS, "access") X(REALPATH, "realpath") \
    X(MEMFD, "memfd_create") X(FUTIMENS, "futimens") X(FADVISE, "posix_fadvise") \
    X(FOPEN, "fopen") X(FREAD, "fread") X(FCLOSE, "fclose") \
    X(RING_SETUP, "io_uring_setup") X(RING_ENTER, "io_uring_enter") \
    X(RING_READ, "request of a ring") \
    X(THREAD, "pthread_create")
/* clang-format on */

enum call {
#define X(name, text) CALL_##name,
    CALLS(X)
#undef X
        CALL_COUNT
};

extern const char *const call_names[CALL_COUNT];

/* What a call does in place of its work: fails with an errno (above 0), or one of these. */
enum {
    FAULT_NONE = 0,
    FAULT_SHORT = -1, /* does half of it */
    FAULT_ZERO = -2,  /* does nothing and returns 0 */
};

/* Does this fault make sense of such a call? */
bool call_can(enum call call, int fault);

/* From now on the at-th such call (from 1) has the fault; lasting: and all after it, but of
 * EINTR, which passes after a few. FAULT_NONE: calls are counted. */
void calls_arm(enum call call, int fault, long at, bool lasting);
/* Calls are none of ours any more. */
void calls_disarm(void);

long calls_count(enum call call); /* since they were armed */
bool calls_hit(void);             /* the fault has happened */
/* It was an error of an fsync, or of the close of what was written: bytes may be lost. */
bool calls_hit_written(void);

#endif
