/* SPDX-License-Identifier: BSD-2-Clause */
/* Files put together byte by byte: processes that libjpeg does not write, entropy-coded
 * data that no encoder makes, and files that are no images. */
#include "base/random.h"
#include "cases.h"
#include "edit.h"

/* A file under construction. All its Huffman codes are 4 bits long: symbol number i of a
 * table has code i. */
struct file {
    struct pcr_buffer *out;
    struct pcr_error *err;
    int rc;
    uint32_t bits, bit_count;
};

static void put(struct file *f, const void *p, size_t nbytes)
{
    if (!f->rc)
        f->rc = pcri_buffer_append(f->out, p, nbytes, f->err);
}

static void put8(struct file *f, unsigned v)
{
    uint8_t b = (uint8_t) v;
    put(f, &b, 1);
}

static void put16(struct file *f, unsigned v)
{
    put8(f, v >> 8);
    put8(f, v);
}

static void put_bits(struct file *f, uint32_t v, unsigned count)
{
    f->bits = f->bits << count | (v & ((1u << count) - 1));
    f->bit_count += count;
    while (f->bit_count >= 8) {
        f->bit_count -= 8;
        uint8_t b = (uint8_t) (f->bits >> f->bit_count);
        put8(f, b);
        if (b == 0xFF)
            put8(f, 0);
    }
}

/* Symbol number i, then `count` bits of v. */
static void code(struct file *f, unsigned i, uint32_t v, unsigned count)
{
    put_bits(f, i, 4);
    if (count)
        put_bits(f, v, count);
}

static void flush_bits(struct file *f)
{
    if (f->bit_count)
        put_bits(f, 0x7F, 8 - f->bit_count);
}

static void marker(struct file *f, int m)
{
    put16(f, 0xFF00u | (unsigned) m);
}

static void quantisation(struct file *f, unsigned step)
{
    marker(f, DQT);
    put16(f, 67);
    put8(f, 0);
    for (int k = 0; k < 64; k++)
        put8(f, step);
}

static void huffman(struct file *f, unsigned class_and_slot, const uint8_t *symbols,
                    unsigned count)
{
    marker(f, DHT);
    put16(f, 19 + count);
    put8(f, class_and_slot);
    for (unsigned length = 1; length <= 16; length++)
        put8(f, length == 4 ? count : 0);
    put(f, symbols, count);
}

/* One component. */
static void frame(struct file *f, int sof, unsigned precision, unsigned width, unsigned height)
{
    marker(f, sof);
    put16(f, 11);
    put8(f, precision);
    put16(f, height);
    put16(f, width);
    put(f, "\x01\x01\x11\x00", 4);
}

static void scan(struct file *f, unsigned start, unsigned end, unsigned high_low)
{
    marker(f, SOS);
    put16(f, 8);
    put(f, "\x01\x01\x00", 3);
    put8(f, start);
    put8(f, end);
    put8(f, high_low);
}

static const uint8_t dc_symbols[] = { 0, 3, 11, 15 };
enum { DC_0, DC_3, DC_11, DC_15 };
static const uint8_t ac_symbols[] = { 0x00, 0xF0, 0x01, 0xF1, 0x0F, 0x0A, 0x40, 0xE0, 0x02 };
enum { AC_EOB, AC_ZRL, AC_0_1, AC_15_1, AC_0_15, AC_0_10, AC_EOB4, AC_EOB14, AC_0_2 };

/* SOI, tables and a frame header for gray of 16 x 16: four blocks. */
static void gray_file(struct file *f, int sof)
{
    marker(f, SOI);
    quantisation(f, 8);
    frame(f, sof, 8, 16, 16);
    huffman(f, 0x00, dc_symbols, sizeof(dc_symbols));
    huffman(f, 0x10, ac_symbols, sizeof(ac_symbols));
}

static void dc_scan(struct file *f)
{
    scan(f, 0, 0, 0);
    for (unsigned i = 0; i < 4; i++)
        code(f, DC_3, 4 + i, 3);
    flush_bits(f);
}

static void lossless(struct file *f)
{
    marker(f, SOI);
    frame(f, SOF3, 8, 8, 8);
    huffman(f, 0x00, dc_symbols, sizeof(dc_symbols));
    scan(f, 1, 0, 0); /* predictor 1: the sample to the left */
    for (unsigned i = 0; i < 64; i++)
        if (i % 5)
            code(f, DC_0, 0, 0);
        else
            code(f, DC_3, 4 + i % 4, 3);
    flush_bits(f);
}

static void hierarchical(struct file *f)
{
    marker(f, SOI);
    quantisation(f, 8);
    frame(f, DHP, 8, 16, 16);
    frame(f, SOF0, 8, 16, 16);
    huffman(f, 0x00, dc_symbols, sizeof(dc_symbols));
    huffman(f, 0x10, ac_symbols, sizeof(ac_symbols));
    for (int pass = 0; pass < 2; pass++) { /* the image, then a difference of zero */
        if (pass)
            frame(f, SOF5, 8, 16, 16);
        scan(f, 0, 63, 0);
        for (unsigned i = 0; i < 4; i++) {
            code(f, pass ? DC_0 : DC_3, 5, pass ? 0 : 3);
            code(f, AC_EOB, 0, 0);
        }
        flush_bits(f);
    }
}

static void eob_run_past_end(struct file *f)
{
    gray_file(f, SOF2);
    dc_scan(f);
    scan(f, 1, 63, 0);
    code(f, AC_0_1, 1, 1);
    code(f, AC_EOB14, 0x3FFF, 14); /* 32767 blocks of which 4 are there */
    flush_bits(f);
}

static void eob_run_past_end_refinement(struct file *f)
{
    gray_file(f, SOF2);
    dc_scan(f);
    scan(f, 1, 63, 1);
    code(f, AC_0_1, 1, 1);
    code(f, AC_EOB4, 9, 4);
    flush_bits(f);
    scan(f, 1, 63, 0x10);
    code(f, AC_EOB4, 5, 4); /* 21 blocks */
    put_bits(f, 1, 1);      /* the correction of the one coefficient */
    flush_bits(f);
}

static void zero_run_past_end(struct file *f)
{
    gray_file(f, SOF0);
    scan(f, 0, 63, 0);
    for (unsigned i = 0; i < 4; i++) {
        code(f, DC_3, 5, 3);
        for (unsigned k = 0; k < 4; k++)
            code(f, AC_ZRL, 0, 0); /* 64 zeros where there is room for 63 */
    }
    flush_bits(f);
}

static void value_past_end(struct file *f)
{
    gray_file(f, SOF0);
    scan(f, 0, 63, 0);
    for (unsigned i = 0; i < 4; i++) {
        code(f, DC_3, 5, 3);
        for (unsigned k = 0; k < 4; k++)
            code(f, AC_15_1, 1, 1); /* coefficients 16, 32, 48 and 64 */
    }
    flush_bits(f);
}

static void value_past_end_progressive(struct file *f)
{
    gray_file(f, SOF2);
    dc_scan(f);
    scan(f, 1, 5, 0);
    for (unsigned i = 0; i < 4; i++)
        code(f, AC_15_1, 1, 1);
    flush_bits(f);
}

static void dc_overflow(struct file *f)
{
    gray_file(f, SOF0);
    scan(f, 0, 63, 0);
    for (unsigned i = 0; i < 4; i++) {
        code(f, DC_15, 0x7FFF, 15);
        code(f, AC_EOB, 0, 0);
    }
    flush_bits(f);
}

static void ac_overflow(struct file *f)
{
    gray_file(f, SOF0);
    scan(f, 0, 63, 0);
    for (unsigned i = 0; i < 4; i++) {
        code(f, DC_3, 5, 3);
        code(f, AC_0_15, 0x7FFF, 15);
        code(f, AC_EOB, 0, 0);
    }
    flush_bits(f);
}

static void ac_overflow_by_shift(struct file *f)
{
    gray_file(f, SOF2);
    dc_scan(f);
    scan(f, 1, 63, 10);
    for (unsigned i = 0; i < 4; i++) {
        code(f, AC_0_10, 0x3FF, 10);
        code(f, AC_EOB, 0, 0);
    }
    flush_bits(f);
}

/* Shifted left by 13 the value 512 leaves no bit of the 16. */
static void ac_overflow_to_zero(struct file *f)
{
    gray_file(f, SOF2);
    dc_scan(f);
    scan(f, 1, 63, 13);
    for (unsigned i = 0; i < 4; i++) {
        code(f, AC_0_10, 0x200, 10);
        code(f, AC_EOB, 0, 0);
    }
    flush_bits(f);
}

/* Two codes of one bit: the second is all ones, which no code may be. */
static void code_of_all_ones(struct file *f)
{
    marker(f, SOI);
    quantisation(f, 8);
    frame(f, SOF2, 8, 16, 16);
    marker(f, DHT);
    put16(f, 21);
    put(f, "\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3", 19);
    scan(f, 0, 0, 0);
    put_bits(f, 0, 4);
    flush_bits(f);
}

static void undefined_code(struct file *f)
{
    gray_file(f, SOF0);
    scan(f, 0, 63, 0);
    for (unsigned i = 0; i < 4; i++) {
        code(f, DC_3, 5, 3);
        code(f, 14, 0, 0); /* the table has 9 codes */
    }
    flush_bits(f);
}

static void refinement_of_size_2(struct file *f)
{
    gray_file(f, SOF2);
    dc_scan(f);
    scan(f, 1, 63, 1);
    code(f, AC_EOB4, 0, 4);
    flush_bits(f);
    scan(f, 1, 63, 0x10);
    code(f, AC_0_2, 3, 2);
    code(f, AC_EOB4, 0, 4);
    flush_bits(f);
}

typedef void (*assembler)(struct file *f);

static int make_assembled(const struct pcr_gen_case *c, struct pcr_buffer *out,
                          struct pcr_error *err)
{
    struct file f = { .out = out, .err = err };
    const assembler *assemble = c->spec;
    out->nbytes = 0;
    (*assemble)(&f);
    marker(&f, EOI);
    return f.rc;
}

/* Bytes as they are; a NULL pointer: random ones after a few given ones. */
struct raw {
    const char *bytes;
    size_t nbytes, random_nbytes;
};

static int make_raw(const struct pcr_gen_case *c, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    const struct raw *r = c->spec;
    struct file f = { .out = out, .err = err };
    out->nbytes = 0;
    put(&f, r->bytes, r->nbytes);
    for (size_t i = 0; i < r->random_nbytes; i++)
        put8(&f, (unsigned) pcri_key(500, r->nbytes, i));
    return f.rc;
}

#define ASSEMBLED(name_, kind_, function) \
    { \
        .name = name_, .kind = kind_, .orientation = 1, .make = make_assembled, \
        .spec = &(const assembler) \
        { \
            function \
        } \
    }
#define RAW(name_, s, random) \
    { \
        .name = name_, .kind = PCR_GEN_BAD, .orientation = 1, .make = make_raw, \
        .spec = &(const struct raw) \
        { \
            s, sizeof(s) - 1, random \
        } \
    }

static const struct pcr_gen_case cases[] = {
    ASSEMBLED("lossless", PCR_GEN_UNSUPPORTED_JPEG, lossless),
    ASSEMBLED("hierarchical", PCR_GEN_UNSUPPORTED_JPEG, hierarchical),
    /* libjpeg drops what a run has beyond the last block: no coefficient is lost. */
    ASSEMBLED("eob-run-past-end", PCR_GEN_ODD_JPEG, eob_run_past_end),
    ASSEMBLED("eob-run-past-end-refinement", PCR_GEN_ODD_JPEG, eob_run_past_end_refinement),
    /* libjpeg drops, without a warning, coefficients beyond the 63rd. */
    ASSEMBLED("zero-run-past-end", PCR_GEN_ODD_JPEG, zero_run_past_end),
    ASSEMBLED("value-past-end", PCR_GEN_ODD_JPEG, value_past_end),
    ASSEMBLED("value-past-end-progressive", PCR_GEN_ODD_JPEG, value_past_end_progressive),
    /* Larger than 8-bit samples can make them: libjpeg reads them, but writes no such. */
    ASSEMBLED("dc-overflow", PCR_GEN_ODD_JPEG, dc_overflow),
    ASSEMBLED("ac-overflow", PCR_GEN_ODD_JPEG, ac_overflow),
    ASSEMBLED("ac-overflow-by-shift", PCR_GEN_ODD_JPEG, ac_overflow_by_shift),
    ASSEMBLED("ac-overflow-to-zero", PCR_GEN_ODD_JPEG, ac_overflow_to_zero),
    ASSEMBLED("code-of-all-ones", PCR_GEN_BAD, code_of_all_ones),
    ASSEMBLED("undefined-code", PCR_GEN_BAD, undefined_code),
    ASSEMBLED("refinement-of-size-2", PCR_GEN_BAD, refinement_of_size_2),
    RAW("empty", "", 0),
    RAW("one-byte", "\xFF", 0),
    RAW("soi-alone", "\xFF\xD8", 0),
    RAW("soi-eoi", "\xFF\xD8\xFF\xD9", 0),
    RAW("soi-fill", "\xFF\xD8\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 0),
    RAW("soi-random", "\xFF\xD8\xFF", 3000),
    RAW("scan-random", "\xFF\xD8\xFF\xDA\0\x08\x01\x01\0\0\x3F\0", 500),
    RAW("random", "", 3000),
    RAW("zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0),
    RAW("text", "This is not an image.\n", 0),
    RAW("psd", "8BPS\0\1\0\0\0\0\0\0\0\3", 0),
    RAW("tiff", "II*\0\x08\0\0\0\0\0\0\0\0\0", 0),
    RAW("jpeg-2000",
        "\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x14"
        "ftypjp2 ",
        0),
    RAW("newline-before-soi", "\n\xFF\xD8\xFF\xD9", 0),
};

const struct case_table gen_assembled_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
