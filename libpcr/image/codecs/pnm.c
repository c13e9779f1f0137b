/* SPDX-License-Identifier: BSD-2-Clause */
/* PBM, PGM and PPM, as text and binary (P1 to P6), up to 16 bits a sample; of several pictures the
 * first. After the manual pages pbm(5), pgm(5) and ppm(5) of Netpbm. */
#include "../../base/sniff.h"
#include "png_chunks.h"
#include "rows.h"

struct pnm {
    struct pcri_rows rows;
    struct pcri_bytes file;
    size_t begin, at; /* of the samples; of the text's next one */
    uint32_t most;    /* the sample that is white */
    bool text, bitmap;
};

enum { MOST_SAMPLE = 65535 };

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int fail_short(const struct pnm *p, const char *what, struct pcr_error *err)
{
    return pcri_fail_at(err, PCR_ERR_TRUNCATED, p->file.n, "PNM: ends where %s is expected",
                        what);
}

/* Passes blanks, and comments to the end of their lines. */
static void skip_blanks(struct pnm *p)
{
    while (p->at < p->file.n && (is_blank(p->file.p[p->at]) || p->file.p[p->at] == '#')) {
        if (p->file.p[p->at] == '#')
            while (p->at < p->file.n && p->file.p[p->at] != '\n' && p->file.p[p->at] != '\r')
                p->at++;
        else
            p->at++;
    }
}

/* A number from `least` to `most`, after blanks. */
static int read_number(struct pnm *p, const char *what, uint32_t least, uint32_t most,
                       uint32_t *out, struct pcr_error *err)
{
    uint64_t v = 0;
    skip_blanks(p);
    const size_t begin = p->at;
    for (; p->at < p->file.n && p->file.p[p->at] >= '0' && p->file.p[p->at] <= '9'; p->at++)
        if (v <= most)
            v = 10 * v + (p->file.p[p->at] - '0');
    if (begin == p->file.n)
        return fail_short(p, what, err);
    if (p->at == begin || v < least || v > most)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, begin,
                            "PNM: expected %s, a number from %u to %u", what, (unsigned) least,
                            (unsigned) most);
    *out = (uint32_t) v;
    return 0;
}

/* Bytes of a row in a binary file. */
static uint64_t row_nbytes(const struct pnm *p)
{
    const uint64_t count = (uint64_t) p->rows.width * p->rows.channels;
    return p->bitmap ? (count + 7) / 8 : count * (p->most > 255 ? 2 : 1);
}

/* Whether the file is long enough, before anything is made of it. */
static int check_size(const struct pnm *p, struct pcr_error *err)
{
    const uint64_t count = (uint64_t) p->rows.width * p->rows.channels;
    /* A sample of a text is a digit or more, and a blank, but for bits. */
    const uint64_t row = p->text ? count * (p->bitmap ? 1 : 2) : row_nbytes(p);
    const uint64_t left = p->file.n - p->begin + (p->text && !p->bitmap);
    if (row <= left / p->rows.height)
        return 0;
    return pcri_fail_at(err, PCR_ERR_TRUNCATED, p->file.n,
                        "PNM: %zu bytes are too few for %u x %u pixels", p->file.n - p->begin,
                        (unsigned) p->rows.width, (unsigned) p->rows.height);
}

/* To 8 bits; of 16 the upper ones, as of a PNG. */
static uint8_t scale(uint32_t v, uint32_t most)
{
    if (most <= 255)
        return (uint8_t) ((v * 255 + most / 2) / most);
    return (uint8_t) (((uint64_t) v * MOST_SAMPLE + most / 2) / most >> 8);
}

/* A bit of a text needs no blank after it. */
static int read_bit(struct pnm *p, uint8_t *pixel, struct pcr_error *err)
{
    skip_blanks(p);
    if (p->at == p->file.n)
        return fail_short(p, "a bit", err);
    const uint8_t c = p->file.p[p->at];
    if (c != '0' && c != '1')
        return pcri_fail_at(err, PCR_ERR_CORRUPT, p->at, "PNM: expected a bit, 0 or 1");
    p->at++;
    *pixel = c == '1' ? 0 : 255;
    return 0;
}

static int make_text_row(struct pnm *p, uint8_t *pixels, struct pcr_error *err)
{
    const size_t count = (size_t) p->rows.width * p->rows.channels;
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        uint32_t v = 0;
        if (p->bitmap) {
            rc = read_bit(p, &pixels[i], err);
        } else if (!(rc = read_number(p, "a sample", 0, p->most, &v, err))) {
            pixels[i] = scale(v, p->most);
        }
    }
    return rc;
}

static int make_row(void *state, uint32_t y, uint8_t *pixels, struct pcr_error *err)
{
    struct pnm *p = state;
    const size_t count = (size_t) p->rows.width * p->rows.channels;
    if (p->text && !y)
        p->at = p->begin;
    if (p->text)
        return make_text_row(p, pixels, err);
    const size_t row = p->begin + (size_t) row_nbytes(p) * y;
    const uint8_t *src = p->file.p + row;
    for (size_t i = 0; i < count; i++) {
        if (p->bitmap) {
            pixels[i] = src[i / 8] >> (7 - i % 8) & 1 ? 0 : 255;
            continue;
        }
        const size_t at = p->most > 255 ? 2 * i : i;
        const uint32_t v = p->most > 255 ? (uint32_t) src[at] << 8 | src[at + 1] : src[at];
        if (v > p->most)
            return pcri_fail_at(err, PCR_ERR_CORRUPT, row + at,
                                "PNM: a sample of %u, above the largest, %u", (unsigned) v,
                                (unsigned) p->most);
        pixels[i] = scale(v, p->most);
    }
    return 0;
}

static int pnm_begin(void *state, const struct pcr_spans *file,
                     const struct pcri_decode_params *params,
                     struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct pnm *p = state;
    uint32_t width, height;
    p->file = (struct pcri_bytes) { file->items[0].data, file->items[0].nbytes };
    if (p->file.n > 2 && !is_blank(p->file.p[2]) && p->file.p[2] != '#')
        return pcri_fail_no_image(err, p->file.p, p->file.n);
    const unsigned kind = p->file.p[1] - '0';
    p->at = 2;
    p->text = kind <= 3;
    p->bitmap = kind == 1 || kind == 4;
    p->most = 1;
    int rc = pcri_rows_check_scale("PNM", params, err);
    if (rc || (rc = read_number(p, "the width", 1, INT32_MAX, &width, err)) ||
        (rc = read_number(p, "the height", 1, INT32_MAX, &height, err)) ||
        (!p->bitmap &&
         (rc = read_number(p, "the largest sample", 1, MOST_SAMPLE, &p->most, err))))
        return rc;
    if (p->at == p->file.n)
        return fail_short(p, "a blank", err);
    if (!is_blank(p->file.p[p->at]))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, p->at, "PNM: expected a blank");
    p->begin = p->at + 1;
    pcri_rows_begin(&p->rows, width, height, kind % 3 ? 1 : 3, params, info_out);
    p->rows.any_row = !p->text;
    p->rows.make = make_row;
    info_out->is_exact = !p->text && p->most == 255 &&
                         row_nbytes(p) * height == p->file.n - p->begin; /* one picture */
    return check_size(p, err);
}

static int pnm_create(void **state_out, struct pcr_error *err)
{
    *state_out = pcri_calloc(1, sizeof(struct pnm), err);
    return *state_out ? 0 : PCR_ERR_NOMEM;
}

const struct pcri_codec pcri_codec_pnm = {
    .name = "PNM",
    .magics = "P1P2P3P4P5P6",
    .magic_nbytes = 2,
    .magic_count = 6,
    .create = pnm_create,
    .destroy = pcri_rows_destroy,
    .begin = pnm_begin,
    .held = pcri_rows_held,
    .rows = pcri_rows_store,
    .stream = pcri_rows_stream,
    .end = pcri_rows_end,
};
