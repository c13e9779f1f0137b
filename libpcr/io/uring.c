/* SPDX-License-Identifier: BSD-2-Clause */
/* The io_uring backend: the pieces of a read are requests of a ring. Where io_uring cannot be
 * used, or fails, pread reads the same bytes. */
#define _GNU_SOURCE /* cpu_set_t, which liburing.h needs */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <liburing.h>

#include "transfer.h"

/* --- may it be used? --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool usable;
static char refusal[PCRI_ERRNO_NBYTES + 64];

static int sysctl_value(void)
{
    int value = 0;
    FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (f) {
        if (fscanf(f, "%d", &value) != 1)
            value = 0;
        fclose(f);
    }
    return value;
}

static void refuse(int sys_errno)
{
    int value = sys_errno == EPERM ? sysctl_value() : 0;
    char text[PCRI_ERRNO_NBYTES];
    pcri_errno_text(sys_errno, text);
    if (value)
        snprintf(refusal, sizeof(refusal), "%s (sysctl kernel.io_uring_disabled is %d)", text,
                 value);
    else
        snprintf(refusal, sizeof(refusal), "%s%s", text,
                 sys_errno == EPERM ? " (a seccomp filter, as in many containers)" : "");
}

static void probe(void)
{
    const char *setting = getenv("PCR_IO_URING");
    struct io_uring ring;
    if (setting && !strcmp(setting, "off")) {
        snprintf(refusal, sizeof(refusal), "switched off by PCR_IO_URING=off");
        return;
    }
    int rc = io_uring_queue_init(PCRI_DEPTH, &ring, 0);
    if (rc) {
        refuse(-rc);
        return;
    }
    enum { OPS = 256 };
    _Alignas(struct io_uring_probe) uint8_t
        memory[sizeof(struct io_uring_probe) + OPS * sizeof(struct io_uring_probe_op)] = { 0 };
    struct io_uring_probe *p = (struct io_uring_probe *) (void *) memory;
    rc = io_uring_register_probe(&ring, p, OPS);
    usable = rc >= 0 && io_uring_opcode_supported(p, IORING_OP_READ);
    if (rc < 0)
        refuse(-rc);
    else if (!usable)
        snprintf(refusal, sizeof(refusal), "this kernel's io_uring has no read request");
    io_uring_queue_exit(&ring);
}

const char *pcri_uring_refused(void)
{
    pthread_once(&once, probe);
    return usable ? NULL : refusal;
}

/* --- rings --- */

void pcri_ring_destroy(struct pcri_workspace *w)
{
    if (!w->ring)
        return;
    io_uring_queue_exit(w->ring);
    free(w->ring);
    w->ring = NULL;
}

/* A ring made before a fork belongs to the parent. */
static bool have_ring(struct pcri_workspace *w)
{
    if (w->ring && w->ring_process == getpid())
        return true;
    pcri_ring_destroy(w);
    struct io_uring *ring = calloc(1, sizeof(*ring));
    if (!ring || io_uring_queue_init(PCRI_DEPTH, ring, 0)) {
        free(ring);
        return false;
    }
    w->ring = ring;
    w->ring_process = getpid();
    return true;
}

/* --- reading --- */

struct batch {
    struct pcri_fd_file *f;
    struct pcri_pieces *pieces;
    struct pcri_workspace *w;
    struct pcri_transfer slots[PCRI_DEPTH];
    uint64_t numbers[PCRI_DEPTH]; /* of the slots' pieces */
    bool busy[PCRI_DEPTH];
    unsigned busy_count;
    uint64_t started;
    bool broken; /* the ring takes no more */
    int rc;      /* of the first piece that failed */
    uint64_t failed_number;
    struct pcr_error *err;
};

/* There are as many entries as slots, so there is one for each. */
static void queue(struct batch *b, unsigned slot)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(b->w->ring);
    struct pcri_transfer *t = &b->slots[slot];
    size_t at, nbytes;
    pcri_transfer_rest(t, &at, &nbytes);
    io_uring_prep_read(sqe, b->f->fd, t->memory + at, (unsigned) nbytes, t->begin + at);
    io_uring_sqe_set_data64(sqe, slot);
}

static void fill(struct batch *b)
{
    struct pcri_range piece;
    for (unsigned i = 0; i < PCRI_DEPTH; i++) {
        if (b->busy[i])
            continue;
        if (!pcri_pieces_next(b->pieces, &piece))
            return;
        uint8_t *bounce = b->w->bounce ? b->w->bounce + (size_t) i * PCRI_BOUNCE_NBYTES : NULL;
        pcri_transfer_start(&b->slots[i], b->f, &piece, bounce);
        b->numbers[i] = b->started++;
        b->busy[i] = true;
        b->busy_count++;
        queue(b, i);
    }
}

/* Reads the rest of a slot's piece by pread(), which also finds the error to report. */
static void finish_plainly(struct batch *b, unsigned slot)
{
    struct pcr_error e;
    int rc = pcri_transfer_pread(b->f, &b->slots[slot], &e);
    if (rc && (!b->rc || b->numbers[slot] < b->failed_number)) {
        b->rc = rc;
        b->failed_number = b->numbers[slot];
        if (b->err)
            *b->err = e;
    }
    b->busy[slot] = false;
    b->busy_count--;
}

static void complete(struct batch *b, unsigned slot, int result)
{
    struct pcri_transfer *t = &b->slots[slot];
    if (result < 0 || !pcri_transfer_take(t, (size_t) result)) {
        finish_plainly(b, slot);
    } else if (pcri_transfer_done(t)) {
        b->busy[slot] = false;
        b->busy_count--;
    } else if (b->broken) {
        finish_plainly(b, slot);
    } else {
        queue(b, slot);
    }
}

static void reap(struct batch *b)
{
    struct io_uring_cqe *cqe;
    while (!io_uring_peek_cqe(b->w->ring, &cqe)) {
        unsigned slot = (unsigned) io_uring_cqe_get_data64(cqe);
        int result = cqe->res;
        io_uring_cqe_seen(b->w->ring, cqe);
        complete(b, slot, result);
    }
}

/* Waits for the next request of the kernel. It has the memory until then, so nothing else will
 * do: if the kernel does not let us wait, look now and then. */
static struct io_uring_cqe *wait_for_one(struct io_uring *ring)
{
    enum { LOOK_NS = 1000000 };
    struct io_uring_cqe *cqe = NULL;
    while (io_uring_wait_cqe(ring, &cqe) && io_uring_peek_cqe(ring, &cqe))
        pcri_sleep_through(pcri_clock_ns() + LOOK_NS);
    return cqe;
}

/* Waits for the kernel's requests, abandons the ring, and reads the other slots plainly. */
static void give_up_ring(struct batch *b)
{
    unsigned waiting = b->busy_count - io_uring_sq_ready(b->w->ring);
    b->broken = true;
    for (; waiting; waiting--) {
        struct io_uring_cqe *cqe = wait_for_one(b->w->ring);
        unsigned slot = (unsigned) io_uring_cqe_get_data64(cqe);
        int result = cqe->res;
        io_uring_cqe_seen(b->w->ring, cqe);
        complete(b, slot, result);
    }
    pcri_ring_destroy(b->w);
    for (unsigned i = 0; i < PCRI_DEPTH; i++)
        if (b->busy[i])
            finish_plainly(b, i);
}

int pcri_ring_read(struct pcri_fd_file *f, struct pcri_pieces *pieces,
                   struct pcri_workspace *w, struct pcr_error *err)
{
    struct batch b = { .f = f, .pieces = pieces, .w = w, .err = err };
    if (pcri_uring_refused() || !have_ring(w))
        return 0;
    for (;;) {
        if (!b.rc)
            fill(&b);
        if (!b.busy_count)
            return b.rc;
        int rc = io_uring_submit_and_wait(w->ring, 1);
        if (rc < 0 && rc != -EINTR) {
            give_up_ring(&b);
            return b.rc;
        }
        reap(&b);
    }
}
