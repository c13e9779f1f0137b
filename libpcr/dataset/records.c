/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of an open dataset. */
#include <stdlib.h>

#include "dataset.h"

int pcri_fidelity(uint32_t asked, uint32_t group_count, uint32_t *out, struct pcr_error *err)
{
    if (asked > group_count)
        return pcri_fail(err, PCR_ERR_INVAL, "fidelity %u, the highest is %u", asked,
                         group_count);
    *out = asked ? asked : group_count;
    return 0;
}

/* A record that was replaced must not be read with the old one's offsets. */
static int check_entry(const struct pcr_dataset *ds, uint64_t number,
                       const struct pcri_record *r, struct pcr_error *err)
{
    const struct pcri_manifest *m = &ds->manifest;
    const struct pcri_header *h = &r->header;
    uint64_t i = ds->first_record + number;
    const char *what = NULL;
    const struct pcri_head *head = r->head;
    if (h->sample_count != m->sample_counts[i])
        what = "sample count";
    else if (m->label_kind == PCR_LABEL_FLOATS ? head->label_first[head->sample_count] != 0
                                               : head->float_labels != NULL)
        what = "kind of labels";
    else if (!pcri_attributes_match(head->attributes, &m->schema))
        what = "types of attributes";
    else if (!pcri_blobs_match(head->blobs, &m->blobs))
        what = "names of blobs";
    else if (h->group_count != m->group_count)
        what = "group count";
    else if (h->header_nbytes + h->head_nbytes != m->head_ends[i])
        what = "head size";
    else if (!(r->flags & PCRI_PARSE_NO_VERIFY) && h->check != m->checks[i])
        what = "header checksum";
    for (uint32_t g = 0; !what && g < m->group_count; g++)
        if (h->groups[g].end != m->ends[i * m->group_count + g])
            what = "group table";
    return what ? pcri_fail(err, PCR_ERR_CORRUPT,
                            "%s: its %s is not what the manifest says; was it replaced?",
                            r->file->path, what)
                : 0;
}

int pcri_dataset_open_record(const struct pcr_dataset *ds, uint64_t number, uint32_t flags,
                             struct pcri_record **out, struct pcr_error *err)
{
    uint64_t head_end = ds->manifest.head_ends[ds->first_record + number];
    char *path = pcri_join(ds->folder,
                           pcri_manifest_file(&ds->manifest, ds->first_record + number), err);
    if (!path)
        return PCR_ERR_NOMEM;
    struct pcri_record *r = NULL;
    int rc = pcri_record_open(path, ds->layers->top, head_end, &ds->limits, flags, &r, err);
    free(path);
    if (rc)
        return rc;
    rc = check_entry(ds, number, r, err);
    if (rc)
        pcri_record_close(&r);
    else
        *out = r;
    return rc;
}
