/* SPDX-License-Identifier: BSD-2-Clause */
/* Source files, restored from samples and the tails of their records. A tail is read when somebody
 * asks for a file, and stays with the open record. */
#include <stdlib.h>

#include "../image/judge.h"
#include "original.h"

void pcri_held_originals_free(struct pcri_held *held)
{
    if (held->originals)
        pcri_restore_column_free(held->originals);
    free(held->originals);
    held->originals = NULL;
}

int pcri_held_originals(struct pcr_dataset *ds, struct pcri_held *held,
                        const struct pcri_restore_column **out, struct pcr_error *err)
{
    pthread_mutex_lock(&ds->cache.mutex);
    *out = held->originals;
    pthread_mutex_unlock(&ds->cache.mutex);
    if (*out)
        return 0;
    struct pcri_restore_column *read = pcri_calloc(1, sizeof(*read), err);
    if (!read)
        return PCR_ERR_NOMEM;
    int rc = pcri_restore_column_read(held->record, &ds->limits, read, err);
    if (rc) {
        free(read);
        return rc;
    }
    pthread_mutex_lock(&ds->cache.mutex);
    if (!held->originals) { /* another thread may have been faster */
        held->originals = read;
        read = NULL;
    }
    *out = held->originals;
    pthread_mutex_unlock(&ds->cache.mutex);
    if (read)
        pcri_restore_column_free(read);
    free(read);
    return 0;
}

int pcri_restore_file(const struct pcri_head *h, uint32_t i,
                      const struct pcri_restore_column *column, const uint8_t *const chunks[],
                      const struct pcr_limits *limits, struct pcr_decoder *d,
                      struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_spans spans = { 0 };
    uint32_t check = 0;
    const struct pcr_span program = pcri_restore_program(column, i, &check);
    if (!program.nbytes)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         h->exact[i]
                             ? "its pixels are kept, but not its source file"
                             : "what its source file needs to be restored was not kept");
    int rc = pcri_known_spans(h, i, 0, h->group_count, chunks, &spans, err);
    if (!rc)
        rc = pcri_decoder_restore(d, &spans, limits, &program, h->source_nbytes[i], out, err);
    if (!rc &&
        (out->nbytes != h->source_nbytes[i] || pcri_check32(out->data, out->nbytes) != check))
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "its source file is not restored to what it was");
    pcr_spans_free(&spans);
    return rc;
}
