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

/* Rows of the thread that has most of them, where threads share segments of so many rows. */
static uint32_t most_rows(uint32_t rows, uint32_t restart, uint32_t threads)
{
    const uint32_t whole = rows / restart;
    return whole / threads * restart + (whole % threads ? restart : rows % restart);
}

/* 24 to 40 block rows, 32 unless two threads, or four, can share the picture more evenly by others.
 * A crop of a picture of fewer rows needs most of it anyway. */
static uint32_t choose_restart(const struct pcri_jpeg_file *f)
{
    const uint32_t mcu_height = 8 * f->max_v, rows = (f->height + mcu_height - 1) / mcu_height;
    uint32_t best = 0, least = UINT32_MAX;
    for (uint32_t i = 0; f->height >= 1024 && i <= 16 / f->max_v; i++) {
        const uint32_t away = (i + 1) / 2; /* the nearest first */
        const uint32_t restart = 32 / f->max_v + (i % 2 ? 0 : away) - (i % 2 ? away : 0);
        const uint32_t most = 2 * most_rows(rows, restart, 2) + most_rows(rows, restart, 4);
        if (most < least - least / 64) {
            least = most;
            best = restart;
        }
    }
    return best;
}

struct pcri_pk_params pcri_pk_params_choose(const struct pcri_jpeg_file *f,
                                            const struct pcri_pk_tables *tables)
{
    const uint64_t blocks = pcri_block_count(f);
    struct pcri_pk_params p = { .tables = tables->hash };
    p.lanes_log = blocks < 64 ? 0 : blocks < 256 ? 1 : blocks < 1024 ? 2 : 3;
    p.restart = choose_restart(f);
    return p;
}
