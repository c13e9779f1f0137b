/* SPDX-License-Identifier: BSD-2-Clause */
/* Padding blocks in restore programs: DC as the difference from the block before, then as in JPEG a
 * byte for each coefficient's run and size, and its bits in one or two bytes. */
#include "restore.h"

enum { MAX_SIZE = 15, END = 0x00, ZEROS = 0xF0 };

static int put_byte(struct pcr_buffer *out, unsigned v, struct pcr_error *err)
{
    uint8_t byte = (uint8_t) v;
    return pcri_buffer_append(out, &byte, 1, err);
}

static int print_ac(const int16_t *coef, struct pcr_buffer *out, struct pcr_error *err)
{
    int rc = 0, before = 0;
    for (int k = 1; k < 64 && !rc; k++) {
        int v = coef[k];
        unsigned magnitude = (unsigned) (v < 0 ? -v : v);
        if (!v)
            continue;
        for (; k - before > 16 && !rc; before += 16)
            rc = put_byte(out, ZEROS, err);
        unsigned size = 32 - (unsigned) __builtin_clz(magnitude);
        unsigned bits = (unsigned) (v < 0 ? v - 1 : v) & ((1u << size) - 1);
        if (!rc)
            rc = put_byte(out, (unsigned) (k - before - 1) << 4 | size, err);
        if (!rc)
            rc = put_byte(out, bits, err);
        if (!rc && size > 8)
            rc = put_byte(out, bits >> 8, err);
        before = k;
    }
    return !rc && before != 63 ? put_byte(out, END, err) : rc;
}

int pcri_restore_padding_print(const struct pcri_padding_set *s, uint32_t component_count,
                               struct pcr_buffer *out, struct pcr_error *err)
{
    int rc = 0, last = 0;
    for (uint32_t c = 0; c < component_count; c++)
        for (size_t b = 0; b < pcri_padding_count(&s->planes[c]) && !rc; b++) {
            const int16_t *coef = s->planes[c].coef + 64 * b;
            rc = pcri_buffer_append_varint(out, pcri_zigzag(coef[0] - last), err);
            if (!rc)
                rc = print_ac(coef, out, err);
            last = coef[0];
        }
    return rc;
}

static bool parse_ac(struct pcri_cursor *c, int16_t *coef)
{
    int k = 0;
    while (k < 63) {
        const uint8_t *token = pcri_get_bytes(c, 1);
        unsigned size = token ? *token & 15u : 0;
        if (!token || *token == END)
            return token != NULL;
        k += (*token >> 4) + 1;
        if (!size && *token != ZEROS)
            return false;
        if (!size)
            continue;
        const uint8_t *p = pcri_get_bytes(c, size > 8 ? 2 : 1);
        if (!p || k > 63)
            return false;
        unsigned bits = p[0] | (size > 8 ? (unsigned) p[1] << 8 : 0);
        if (bits >> size)
            return false;
        coef[k] = (int16_t) (bits >> (size - 1) ? (int) bits : (int) bits - (1 << size) + 1);
    }
    return k == 63;
}

int pcri_restore_padding_parse(const uint8_t *p, size_t nbytes, uint32_t component_count,
                               struct pcri_padding_set *s, struct pcr_error *err)
{
    struct pcri_cursor c = { p, p + nbytes, false };
    int64_t dc = 0;
    bool ok = true;
    for (uint32_t i = 0; i < component_count; i++)
        for (size_t b = 0; b < pcri_padding_count(&s->planes[i]) && ok; b++) {
            int16_t *coef = s->planes[i].coef + 64 * b;
            int64_t step = pcri_unzigzag(pcri_get_varint(&c));
            ok = !c.bad && step >= -65535 && step <= 65535;
            dc += ok ? step : 0;
            ok = ok && dc >= INT16_MIN && dc <= INT16_MAX;
            coef[0] = (int16_t) (ok ? dc : 0);
            ok = ok && parse_ac(&c, coef);
        }
    return ok && !pcri_left(&c) && !c.bad
               ? 0
               : pcri_fail(err, PCR_ERR_CORRUPT, "restore data: padding blocks are damaged");
}

/* The block before, in the MCU: of the row above the last, else the one to the left, whose DC is
 * that of the picture's last. */
static int16_t plain_dc(const struct pcri_plane *plane, const struct pcri_padding *p,
                        uint32_t h, uint32_t x, uint32_t y)
{
    uint32_t last = p->blocks_x - 1;
    if (y >= p->blocks_y) {
        x = x / h * h + h - 1;
        y--;
    } else {
        x = last;
    }
    return x <= last && y < p->blocks_y ? plane->coef[64 * ((size_t) y * p->blocks_x + x)]
                                        : *pcri_padding_block(p, x, y);
}

void pcri_restore_padding_plain(const struct pcri_coefs *c, const struct pcri_jpeg_file *f,
                                struct pcri_padding_set *s)
{
    for (uint32_t i = 0; i < c->component_count; i++) {
        const struct pcri_padding *p = &s->planes[i];
        for (uint32_t y = 0; y < p->padded_y; y++)
            for (uint32_t x = y < p->blocks_y ? p->blocks_x : 0; x < p->padded_x; x++)
                *pcri_padding_block(p, x, y) = plain_dc(&c->planes[i], p, f->components[i].h,
                                                        x, y);
    }
}
