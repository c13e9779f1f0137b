/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults of system calls, for tests: the program is linked with --wrap, so that the library's
 * own calls come here first. */
#ifndef TESTS_IO_FAULTS_H
#define TESTS_IO_FAULTS_H

#include <stddef.h>
#include <stdint.h>

struct io_faults {
    size_t max_nbytes;      /* of one read(); a multiple of 4096 for O_DIRECT; 0: any */
    int64_t bad_offset;     /* reads of this byte are EIO; -1: none */
    unsigned interrupt;     /* each n-th call is EINTR; 0: none */
    unsigned delay_us;      /* before each call */
    unsigned ring_fails_at; /* the n-th call for the ring is EBUSY, once; 0: none */
    int refuses_direct;     /* reads with O_DIRECT are EINVAL */
};

extern struct io_faults io_faults; /* set between reads */

/* What has happened since the last io_faults_reset(): to see that a test does what it means
 * to. */
extern unsigned io_faults_preads, io_faults_ring_calls;
void io_faults_reset(void);

#endif
