/* SPDX-License-Identifier: BSD-2-Clause */
/* GIF, the first picture of a file: its frame on the logical screen, as Pillow shows it. After the
 * specification of GIF89a (CompuServe, 1990). */
#include "../../base/sniff.h"
#include "png_chunks.h"
#include "rows.h"

enum {
    HEADER_NBYTES = 13, /* with the screen's */
    FRAME_NBYTES = 9,   /* of a picture's header, without its first byte */
    MOST_CODE_BITS = 12,
    CODE_COUNT = 1 << MOST_CODE_BITS,
    NO_COLOR = 256,
    NO_CODE = CODE_COUNT,
};

struct gif {
    struct pcri_rows rows;
    struct pcri_bytes file;
    size_t pixels;                     /* where the coded pixels begin */
    uint32_t left, top, width, height; /* of the frame, on the screen */
    bool interlaced;
    size_t palette; /* where it begins; colors 0: there is none */
    uint32_t colors;
    uint32_t transparent; /* this color, or NO_COLOR */
    bool decoded;
    struct pcr_buffer indices; /* of the frame's pixels, rows as they come */
    /* Strings of pixels, by code: another string, and a pixel after it. */
    uint16_t prefix[CODE_COUNT];
    uint8_t suffix[CODE_COUNT], stack[CODE_COUNT];
};

/* The coded bytes, which come in blocks, as bits from the lowest. */
struct gif_bits {
    size_t at, block; /* the next byte; bytes left in its block */
    uint32_t value, count;
};

static int fail_short(const struct gif *g, struct pcr_error *err)
{
    return pcri_fail_at(err, PCR_ERR_TRUNCATED, g->file.n, "GIF: ends within a block");
}

/* --- headers --- */

/* Passes blocks up to an empty one. */
static int skip_blocks(const struct gif *g, size_t *at, struct pcr_error *err)
{
    while (*at < g->file.n) {
        const size_t n = g->file.p[*at];
        *at += 1 + n;
        if (!n)
            return 0;
    }
    return fail_short(g, err);
}

static void take_palette(struct gif *g, uint8_t flags, size_t *at)
{
    if (!(flags & 0x80))
        return;
    g->palette = *at;
    g->colors = 2u << (flags & 7);
    *at += 3 * (size_t) g->colors;
}

/* What begins with 0x21; of interest is the transparent color. */
static int take_extension(struct gif *g, size_t *at, struct pcr_error *err)
{
    enum { CONTROL = 0xF9, CONTROL_NBYTES = 4 };
    const uint8_t *p = g->file.p + *at;
    if (g->file.n - *at < 2)
        return fail_short(g, err);
    if (p[0] == CONTROL && p[1] >= CONTROL_NBYTES && g->file.n - *at >= 2 + CONTROL_NBYTES)
        g->transparent = p[2] & 1 ? p[5] : NO_COLOR;
    ++*at;
    return skip_blocks(g, at, err);
}

static int take_frame(struct gif *g, size_t at, struct pcr_error *err)
{
    const uint8_t *p = g->file.p + at;
    if (at > g->file.n || g->file.n - at < FRAME_NBYTES)
        return fail_short(g, err);
    g->left = pcri_load16(p);
    g->top = pcri_load16(p + 2);
    g->width = pcri_load16(p + 4);
    g->height = pcri_load16(p + 6);
    g->interlaced = p[8] & 0x40;
    if (!g->width || !g->height)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, at + 4, "GIF: a picture of %u x %u pixels",
                            (unsigned) g->width, (unsigned) g->height);
    at += FRAME_NBYTES;
    take_palette(g, p[8], &at);
    if (at >= g->file.n)
        return fail_short(g, err);
    g->pixels = at;
    return 0;
}

/* Looks for the first picture. */
static int find_frame(struct gif *g, size_t at, struct pcr_error *err)
{
    enum { EXTENSION = 0x21, FRAME = 0x2C, TRAILER = 0x3B };
    while (at < g->file.n) {
        const uint8_t kind = g->file.p[at++];
        int rc = 0;
        if (kind == FRAME)
            return take_frame(g, at, err);
        if (kind == EXTENSION)
            rc = take_extension(g, &at, err);
        else if (kind) /* some writers put zeros between blocks */
            rc = pcri_fail_at(err, PCR_ERR_CORRUPT, at - 1,
                              kind == TRAILER ? "GIF: without a picture"
                                              : "GIF: neither a picture nor an extension");
        if (rc)
            return rc;
    }
    return fail_short(g, err);
}

/* --- pixels --- */

/* The next code. TRUNCATED at the end of the file, PCR_END at that of the blocks. */
static int next_code(const struct gif *g, struct gif_bits *b, uint32_t size, uint32_t *code,
                     struct pcr_error *err)
{
    while (b->count < size) {
        if (b->at >= g->file.n)
            return fail_short(g, err);
        const uint8_t byte = g->file.p[b->at++];
        if (!b->block) {
            if (!byte)
                return PCR_END;
            b->block = byte;
            continue;
        }
        b->block--;
        b->value |= (uint32_t) byte << b->count;
        b->count += 8;
    }
    *code = b->value & ((1u << size) - 1);
    b->value >>= size;
    b->count -= size;
    return 0;
}

/* Appends the string of a code, as far as there is room, and gives its first pixel. The code may be
 * the next one to be given out, at `next`: that is the string before it and its own first pixel. */
static uint8_t put_string(struct gif *g, uint32_t code, uint32_t before, uint32_t next,
                          uint32_t clear, size_t *done)
{
    const size_t total = (size_t) g->width * g->height;
    size_t n = 0;
    const bool itself = code == next;
    for (code = itself ? before : code; code >= clear; code = g->prefix[code])
        g->stack[n++] = g->suffix[code];
    const uint8_t first = (uint8_t) code;
    if (*done < total)
        g->indices.data[(*done)++] = first;
    while (n && *done < total)
        g->indices.data[(*done)++] = g->stack[--n];
    if (itself && *done < total)
        g->indices.data[(*done)++] = first;
    return first;
}

static int fail_pixels(const struct gif *g, size_t at, size_t done, struct pcr_error *err)
{
    return pcri_fail_at(err, PCR_ERR_CORRUPT, at, "GIF: ends after %zu of %u x %u pixels",
                        done, (unsigned) g->width, (unsigned) g->height);
}

/* LZW. What follows the last pixel is not looked at. */
static int decode(struct gif *g, struct pcr_error *err)
{
    const size_t total = (size_t) g->width * g->height;
    const uint32_t least = g->file.p[g->pixels], clear = 1u << (least & 15);
    struct gif_bits b = { .at = g->pixels + 1 };
    uint32_t size = least + 1, next = clear + 2, before = NO_CODE, code = 0;
    size_t done = 0;
    if (least < 1 || least > 8)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, g->pixels, "GIF: codes of %u bits",
                            (unsigned) least);
    int rc = pcri_buffer_reserve(&g->indices, total, err);
    while (!rc && done < total) {
        rc = next_code(g, &b, size, &code, err);
        if (rc == PCR_END || (!rc && code == clear + 1))
            return fail_pixels(g, b.at, done, err);
        if (rc)
            return rc;
        if (code == clear) {
            size = least + 1;
            next = clear + 2;
            before = NO_CODE;
            continue;
        }
        if (before == NO_CODE ? code > clear : code > next)
            return pcri_fail_at(err, PCR_ERR_CORRUPT, b.at, "GIF: a code that is not in use");
        const uint8_t first = put_string(g, code, before, before == NO_CODE ? NO_CODE : next,
                                         clear, &done);
        if (before != NO_CODE && next < CODE_COUNT) {
            g->prefix[next] = (uint16_t) before;
            g->suffix[next++] = first;
            if (next == 1u << size && size < MOST_CODE_BITS)
                size++;
        }
        before = code;
    }
    return rc;
}

/* Which of the rows, as they come, is row y of the frame. */
static uint32_t place_of(const struct gif *g, uint32_t y)
{
    const uint32_t n = g->height, second = (n + 7) / 8, third = (n + 3) / 4,
                   fourth = (n + 1) / 2;
    return !g->interlaced ? y
           : y % 8 == 0   ? y / 8
           : y % 8 == 4   ? second + y / 8
           : y % 4 == 2   ? third + y / 4
                          : fourth + y / 2;
}

static int put_color(const struct gif *g, uint32_t i, uint8_t *pixel, struct pcr_error *err)
{
    const bool shown = i != g->transparent;
    if (g->rows.channels == 4)
        pixel[3] = shown ? 255 : 0;
    if (!g->colors)
        memset(pixel, (int) i, 3);
    else if (i < g->colors)
        memcpy(pixel, g->file.p + g->palette + 3 * i, 3);
    else if (shown)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, g->pixels,
                            "GIF: color %u of a palette of %u", (unsigned) i,
                            (unsigned) g->colors);
    else
        memset(pixel, 0, 3);
    return 0;
}

static int make_row(void *state, uint32_t y, uint8_t *pixels, struct pcr_error *err)
{
    struct gif *g = state;
    const bool inside = y >= g->top && y - g->top < g->height;
    const uint32_t around = g->transparent == NO_COLOR ? 0 : g->transparent;
    int rc = g->decoded ? 0 : decode(g, err);
    if (rc)
        return rc;
    g->decoded = true;
    const uint8_t *row = inside ? g->indices.data + (size_t) place_of(g, y - g->top) * g->width
                                : NULL;
    for (uint32_t x = 0; x < g->rows.width && !rc; x++, pixels += g->rows.channels) {
        const bool covered = row && x >= g->left && x - g->left < g->width;
        rc = put_color(g, covered ? row[x - g->left] : around, pixels, err);
    }
    return rc;
}

/* --- the codec --- */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static int gif_begin(void *state, const struct pcr_spans *file,
                     const struct pcri_decode_params *params,
                     struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct gif *g = state;
    const uint8_t *p = file->items[0].data;
    g->file = (struct pcri_bytes) { p, file->items[0].nbytes };
    g->transparent = NO_COLOR;
    g->colors = 0;
    g->decoded = false;
    if (g->file.n >= 6 && memcmp(p, "GIF87a", 6) != 0 && memcmp(p, "GIF89a", 6) != 0)
        return pcri_fail_no_image(err, p, g->file.n);
    if (g->file.n < HEADER_NBYTES)
        return fail_short(g, err);
    size_t at = HEADER_NBYTES;
    take_palette(g, p[10], &at);
    int rc = pcri_rows_check_scale("GIF", params, err);
    if (rc || (rc = find_frame(g, at, err)))
        return rc;
    g->rows.any_row = true;
    g->rows.make = make_row;
    pcri_rows_begin(&g->rows, larger(pcri_load16(p + 6), g->left + g->width),
                    larger(pcri_load16(p + 8), g->top + g->height),
                    g->transparent == NO_COLOR ? 3 : 4, params, info_out);
    return 0;
}

static uint64_t gif_held(void *state, const struct pcri_rect *window)
{
    const struct gif *g = state;
    (void) window;
    return (uint64_t) g->width * g->height;
}

static int gif_create(void **state_out, struct pcr_error *err)
{
    *state_out = pcri_calloc(1, sizeof(struct gif), err);
    return *state_out ? 0 : PCR_ERR_NOMEM;
}

static void gif_destroy(void *state)
{
    struct gif *g = state;
    if (g)
        pcr_buffer_free(&g->indices);
    pcri_rows_destroy(state);
}

const struct pcri_codec pcri_codec_gif = {
    .name = "GIF",
    .magics = "GIF8",
    .magic_nbytes = 4,
    .magic_count = 1,
    .create = gif_create,
    .destroy = gif_destroy,
    .begin = gif_begin,
    .held = gif_held,
    .rows = pcri_rows_store,
    .stream = pcri_rows_stream,
    .end = pcri_rows_end,
};
