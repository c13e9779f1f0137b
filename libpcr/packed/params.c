/* SPDX-License-Identifier: BSD-2-Clause */
/* What a sample's head says of its packed groups. */
#include "packed.h"

int pcri_pk_params_print(const struct pcri_pk_params *p, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    uint8_t fixed[9];
    pcri_store64(fixed, p->tables);
    fixed[8] = p->lanes_log;
    int rc = pcri_buffer_append(out, fixed, sizeof(fixed), err);
    return rc ? rc : pcri_buffer_append_varint(out, p->restart, err);
}

int pcri_pk_params_parse(const void *data, size_t nbytes, struct pcri_pk_params *out,
                         struct pcr_error *err)
{
    struct pcri_cursor c = { data, (const uint8_t *) data + nbytes, false };
    const uint8_t *fixed = pcri_get_bytes(&c, 9);
    uint64_t restart = fixed ? pcri_get_varint(&c) : 0;
    if (c.bad || pcri_left(&c) || fixed[8] > 4 || restart > UINT16_MAX)
        return pcri_fail(err, PCR_ERR_CORRUPT,
                         "parameters of a packed sample: %zu bytes that "
                         "are none",
                         nbytes);
    *out = (struct pcri_pk_params) { pcri_load64(fixed), fixed[8], (uint32_t) restart };
    return 0;
}

struct pcri_pk_params pcri_pk_params_choose(const struct pcri_jpeg_file *f,
                                            const struct pcri_pk_tables *tables)
{
    const uint64_t blocks = pcri_block_count(f);
    struct pcri_pk_params p = { .tables = tables->hash };
    p.lanes_log = blocks < 64 ? 0 : blocks < 256 ? 1 : blocks < 1024 ? 2 : 3;
    /* A crop of a picture of fewer rows needs most of it anyway. */
    p.restart = f->height < 1024 ? 0 : 32 / f->max_v;
    return p;
}
