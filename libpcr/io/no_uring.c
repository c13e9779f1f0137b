/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces uring.c in a build without liburing. */
#include "transfer.h"

const char *pcri_uring_refused(void)
{
    return "this build has no liburing";
}

void pcri_ring_destroy(struct pcri_workspace *w)
{
}

int pcri_ring_read(struct pcri_fd_file *f, struct pcri_pieces *pieces,
                   struct pcri_workspace *w, struct pcr_error *err)
{
    return 0;
}
