/* SPDX-License-Identifier: BSD-2-Clause */
/* Slices: a run of a record's samples, read at once, at one fidelity or each at its own. */
#include <stdlib.h>

#include "dataset.h"
#include "materialise.h"

struct pcr_slice {
    struct pcr_dataset *ds;
    struct pcri_held *held;
    uint32_t first, count, fidelity;
    struct pcri_run run;
    /* If the samples have fidelities of their own: these (`fidelity` is the highest), and for
     * each group the offsets of the chunks in its bytes. Else NULL. */
    uint8_t *fidelities;
    uint64_t *at;
};

static int check_range(const struct pcr_dataset *ds, uint64_t record, uint32_t first,
                       uint32_t count, struct pcr_error *err)
{
    int rc = pcri_check_record(ds, record, err);
    if (rc)
        return rc;
    uint32_t n = ds->manifest.sample_counts[ds->first_record + record];
    if (!count || first >= n || count > n - first)
        return pcri_fail(err, PCR_ERR_INVAL, "%u samples from %u, in a record of %u", count,
                         first, n);
    return 0;
}

static int create(struct pcr_dataset *ds, uint64_t record, uint32_t first, uint32_t count,
                  uint32_t fidelity, struct pcr_slice **out, struct pcr_error *err)
{
    struct pcr_slice *sl = pcri_calloc(1, sizeof(*sl), err);
    if (!sl)
        return PCR_ERR_NOMEM;
    *sl = (struct pcr_slice) {
        .ds = ds, .first = first, .count = count, .fidelity = fidelity
    };
    *out = sl;
    return pcri_hold(ds, record, &sl->held, err);
}

/* fidelities: those of the samples, with the highest `most`; NULL: all have that. */
static int read_slice(struct pcr_dataset *ds, uint64_t record, uint32_t first, uint32_t count,
                      uint32_t most, const uint8_t *fidelities, struct pcr_slice **out,
                      struct pcr_error *err)
{
    struct pcr_slice *sl = NULL;
    int rc = create(ds, record, first, count, most, &sl, err);
    if (!rc && fidelities &&
        (!(sl->fidelities = pcri_malloc(count, 1, err)) ||
         !(sl->at = pcri_calloc((uint64_t) most * count, sizeof(*sl->at), err))))
        rc = PCR_ERR_NOMEM;
    if (!rc) {
        const struct pcri_record *r = sl->held->record;
        size_t nbytes = fidelities ? pcri_record_each_nbytes(r, first, count, fidelities, most)
                                   : pcri_record_run_nbytes(r, first, first + count, most);
        sl->run.memory = pcri_spare_take(&ds->spare, nbytes);
        if (fidelities) {
            memcpy(sl->fidelities, fidelities, count);
            rc = pcri_record_read_each(r, first, count, fidelities, most, &sl->run, sl->at,
                                       err);
        } else {
            rc = pcri_record_read(r, first, first + count, most, &sl->run, err);
        }
    }
    if (rc)
        pcr_slice_release(&sl);
    else
        *out = sl;
    return rc;
}

int pcr_slice_read(struct pcr_dataset *ds, uint64_t record, uint32_t first, uint32_t count,
                   uint32_t fidelity, struct pcr_slice **out, struct pcr_error *err)
{
    uint32_t g = 0;
    int rc = check_range(ds, record, first, count, err);
    if (!rc)
        rc = pcri_fidelity(fidelity, ds->manifest.group_count, &g, err);
    return rc ? rc : read_slice(ds, record, first, count, g, NULL, out, err);
}

int pcr_slice_read_each(struct pcr_dataset *ds, uint64_t record, uint32_t first,
                        uint32_t count, const uint8_t *fidelities, struct pcr_slice **out,
                        struct pcr_error *err)
{
    uint32_t most = 0;
    int rc = check_range(ds, record, first, count, err);
    for (uint32_t i = 0; i < count && !rc; i++)
        most = fidelities[i] > most ? fidelities[i] : most;
    if (!rc && !most)
        return pcri_fail(err, PCR_ERR_INVAL, "a slice that leaves out all its samples");
    if (!rc)
        rc = pcri_fidelity(most, ds->manifest.group_count, &most, err);
    return rc ? rc : read_slice(ds, record, first, count, most, fidelities, out, err);
}

void pcr_slice_release(struct pcr_slice **slice)
{
    struct pcr_slice *sl = slice ? *slice : NULL;
    if (!sl)
        return;
    pcri_spare_give(&sl->ds->spare, &sl->run.memory);
    if (sl->held)
        pcri_let_go(sl->ds, sl->held);
    free(sl->fidelities);
    free(sl->at);
    free(sl);
    *slice = NULL;
}

uint32_t pcr_slice_count(const struct pcr_slice *sl)
{
    return sl->count;
}

uint64_t pcr_slice_nbytes(const struct pcr_slice *sl)
{
    return sl->run.memory.nbytes;
}

static int check_index(const struct pcr_slice *sl, uint32_t i, struct pcr_error *err)
{
    return i < sl->count
               ? 0
               : pcri_fail(err, PCR_ERR_INVAL, "sample %u of a slice of %u", i, sl->count);
}

int pcr_slice_describe(const struct pcr_slice *sl, uint32_t i,
                       struct pcr_sample_info *info_out, struct pcr_error *err)
{
    int rc = check_index(sl, i, err);
    return rc ? rc : pcri_describe(sl->ds, sl->held, sl->first + i, info_out, err);
}

int pcr_slice_column(const struct pcr_slice *sl, const char *name, uint32_t first,
                     uint32_t count, struct pcr_column **out, struct pcr_error *err)
{
    struct pcri_dataset_column *c = NULL;
    if (first > sl->count || count > sl->count - first)
        return pcri_fail(err, PCR_ERR_INVAL, "samples %u to %u of a slice of %u", first,
                         first + count, sl->count);
    int rc = pcri_column_create(sl->ds, name, &c, err);
    if (!rc)
        rc = pcri_column_append(c, sl->held->record, sl->first + first,
                                sl->first + first + count, err);
    return pcri_column_deliver(c, rc, out);
}

/* The requested fidelity, and the i-th sample's chunks. */
static int find_chunks(const struct pcr_slice *sl, uint32_t i, uint32_t fidelity,
                       uint32_t *g_out, const uint8_t *chunks[], struct pcr_error *err)
{
    const struct pcri_head *h = sl->held->record->head;
    int rc = check_index(sl, i, err);
    if (rc)
        return rc;
    uint32_t most = sl->fidelities ? sl->fidelities[i] : sl->fidelity;
    uint32_t g = fidelity ? fidelity : most;
    if (g > most || !g)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "fidelity %u of a sample that the slice read at %u", g, most);
    for (uint32_t k = 0; k < g; k++)
        chunks[k] = sl->run.groups[k] + (sl->at ? sl->at[(size_t) k * sl->count + i]
                                                : pcri_chunk_offset(h, k, sl->first + i) -
                                                      pcri_chunk_offset(h, k, sl->first));
    *g_out = g;
    return 0;
}

uint64_t pcr_slice_sample_nbytes(const struct pcr_slice *sl, uint32_t i, uint32_t fidelity)
{
    const struct pcri_head *h = sl->held->record->head;
    const uint32_t g = fidelity && fidelity < h->group_count ? fidelity : h->group_count;
    uint64_t nbytes = 0;
    for (uint32_t k = 0; i < sl->count && k < g; k++)
        nbytes += pcri_chunk_nbytes(h, k, sl->first + i);
    return nbytes;
}

int pcr_slice_get(const struct pcr_slice *sl, uint32_t i, uint32_t fidelity,
                  struct pcr_buffer *out, struct pcr_error *err)
{
    const uint8_t *chunks[PCRI_MAX_GROUPS];
    uint32_t g = 0;
    int rc = find_chunks(sl, i, fidelity, &g, chunks, err);
    return rc ? rc
              : pcri_materialise(sl->held->record->head, sl->first + i, g, chunks, out, err);
}

int pcr_slice_file(const struct pcr_slice *sl, uint32_t i, uint32_t fidelity,
                   struct pcr_spans *out, struct pcr_buffer *memory, struct pcr_error *err)
{
    const uint8_t *chunks[PCRI_MAX_GROUPS];
    uint32_t g = 0;
    int rc = find_chunks(sl, i, fidelity, &g, chunks, err);
    return rc ? rc
              : pcri_materialise_spans(sl->held->record->head, sl->first + i, g, chunks, out,
                                       memory, err);
}

int pcr_slice_spans(const struct pcr_slice *sl, uint32_t i, uint32_t after, uint32_t fidelity,
                    struct pcr_spans *out, struct pcr_error *err)
{
    const uint8_t *chunks[PCRI_MAX_GROUPS];
    uint32_t g = 0;
    int rc = find_chunks(sl, i, fidelity, &g, chunks, err);
    if (!rc && after > g)
        rc = pcri_fail(err, PCR_ERR_INVAL, "the groups after %u of fidelity %u", after, g);
    return rc ? rc
              : pcri_known_spans(sl->held->record->head, sl->first + i, after, g, chunks, out,
                                 err);
}
