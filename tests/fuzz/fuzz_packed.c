/* SPDX-License-Identifier: BSD-2-Clause */
/* Any coefficients, packed, and decoded again: the same. Then their chunks changed: refused, or
 * coefficients that can be, the same by every set of operations, and that can be packed again.
 * The tables are the built-in ones, changed as the input says; what is not refused of those is
 * printed as it was parsed.
 *
 * Input: flags (1: tables are changed), width, height, sampling, states and restart, script,
 * number of changes; five bytes a change; then what coefficients are made of. */
#include "fuzz.h"

#include "base/zstd.h"
#include "jpeg/ladder.h"
#include "packed/builtin.h"
#include "packed/packed.h"

enum { HEAD = 7, MOST_BLOCKS = 3 * 8 * 8, GROUPS = PCRI_LADDER_MAX_GROUPS };

static struct pcr_ladder *ladders[2];
static struct pcr_buffer raw; /* of the built-in tables */
static struct pcri_pk_tables *builtin;
static struct pcri_pk_encoder encoder;
static struct pcri_pk_decoder decoder;

/* Planes of a small image, in memory that stays. */
struct planes {
    _Alignas(64) int16_t coef[64 * MOST_BLOCKS];
    uint64_t mask[MOST_BLOCKS];
    struct pcri_blocks blocks[4];
};
static struct planes source, decoded[2];

static struct pcr_ladder *make_ladder(const char *text)
{
    struct pcr_error err = { 0 };
    struct pcr_ladder *l;
    FUZZ_CHECK(!pcr_ladder_parse(text, strlen(text), &l, &err), "%s", err.message);
    return l;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    const uint8_t *p = pcri_pk_builtin_tables;
    struct pcri_pk_frequencies *f;
    ladders[0] = make_ladder(pcri_ladder_builtin_text("packed"));
    ladders[1] = make_ladder(pcri_ladder_builtin_text("bitplane"));
    int rc = pcri_zstd_unpack(p + 4, pcri_pk_builtin_nbytes - 4, pcri_load32(p), &raw, NULL);
    FUZZ_CHECK(!rc, "built-in tables: %d", rc);
    FUZZ_WRITTEN(raw.data, raw.nbytes);
    rc = pcri_pk_frequencies_parse(raw.data, raw.nbytes, &f, NULL);
    rc = rc ? rc : pcri_pk_tables_create(f, true, &builtin, NULL);
    FUZZ_CHECK(!rc, "built-in tables: %d", rc);
    pcri_pk_frequencies_destroy(&f);
    return 0;
}

static uint32_t load24(const uint8_t *p)
{
    return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16;
}

/* The built-in tables with changes; NULL: refused. */
static struct pcri_pk_tables *change_tables(const uint8_t *changes, size_t n)
{
    struct pcri_pk_frequencies *f;
    struct pcri_pk_tables *t = NULL;
    struct pcr_buffer b = { 0 }, again = { 0 };
    struct pcr_error err = { 0 };
    FUZZ_CHECK(!pcri_buffer_append(&b, raw.data, raw.nbytes, NULL), "memory");
    for (size_t i = 0; i < n; i++, changes += 5) {
        uint8_t *at = b.data + load24(changes) % (b.nbytes - 1);
        at[0] = (uint8_t) (at[0] + changes[3]); /* what two symbols exchange keeps the sum */
        at[1] = (uint8_t) (at[1] - (changes[4] & 1 ? changes[3] : 0));
    }
    int rc = pcri_pk_frequencies_parse(b.data, b.nbytes, &f, &err);
    FUZZ_CHECK(!rc || (rc == PCR_ERR_CORRUPT && err.message[0]), "%d", rc);
    if (!rc) {
        FUZZ_CHECK(!pcri_pk_frequencies_print(f, &again, NULL), "memory");
        FUZZ_CHECK(again.nbytes == b.nbytes && !memcmp(again.data, b.data, b.nbytes),
                   "other bytes");
        FUZZ_CHECK(!pcri_pk_tables_create(f, true, &t, NULL), "memory");
        pcri_pk_frequencies_destroy(&f);
    }
    pcr_buffer_free(&b);
    pcr_buffer_free(&again);
    return t;
}

/* The frame of one of a few samplings. */
static void make_frame(const uint8_t *head, struct pcri_jpeg_file *f)
{
    static const uint8_t samplings[][5] = {
        /* components, h and v of the first, of the others */
        { 1, 1, 1, 1, 1 }, { 3, 1, 1, 1, 1 }, { 3, 2, 2, 1, 1 }, { 3, 2, 1, 1, 1 },
        { 3, 4, 1, 1, 1 }, { 3, 1, 4, 1, 1 }, { 4, 1, 1, 1, 1 }, { 3, 1, 2, 1, 1 },
    };
    const uint8_t *s = samplings[head[3] % 8];
    const uint32_t most = s[0] == 4 ? 48 : 64;
    *f = (struct pcri_jpeg_file) {
        .width = 1 + head[1] % most,
        .height = 1 + head[2] % most,
        .component_count = s[0],
        .max_h = s[1],
        .max_v = s[2],
        .ycc = s[0] == 3 && head[3] < 128,
    };
    for (uint32_t c = 0; c < s[0]; c++)
        f->components[c] = (struct pcri_component) { .h = c ? s[3] : s[1],
                                                     .v = c ? s[4] : s[2] };
}

static void make_planes(const struct pcri_jpeg_file *f, struct planes *p)
{
    size_t at = 0;
    for (uint32_t c = 0; c < f->component_count; c++) {
        uint32_t x = pcri_blocks_x(f, c), y = pcri_blocks_y(f, c);
        p->blocks[c] = (struct pcri_blocks) {
            .blocks_x = x,
            .blocks_y = y,
            .row_end = y,
            .coef = p->coef + 64 * at,
            .mask = p->mask + at,
            .has_ac = true,
        };
        at += (size_t) x * y;
    }
    FUZZ_CHECK(at <= MOST_BLOCKS, "%zu blocks", at);
}

/* Mostly zeros and small numbers. */
static void fill(const struct pcri_jpeg_file *f, const uint8_t *data, size_t nbytes)
{
    size_t used = 0;
    memset(source.coef, 0, sizeof(source.coef));
    for (uint32_t c = 0; c < f->component_count; c++) {
        const struct pcri_blocks *p = &source.blocks[c];
        for (size_t i = 0; nbytes && i < 64 * (size_t) p->blocks_x * p->blocks_y; i++) {
            uint8_t b = data[used++ % nbytes], next = data[used % nbytes];
            int most = i % 64 ? 1023 : 2047, v = (b & 0x70) == 0x70 ? b << 4 | next : b >> 4;
            v = (b & 7) > 4 || !(i % 64) ? v & most : 0;
            p->coef[i] = (int16_t) (b & 8 ? -v : v);
        }
    }
}

/* As the encoder takes them. */
static struct pcri_coefs coefs_of(const struct pcri_jpeg_file *f, const struct planes *p)
{
    struct pcri_coefs c = { .component_count = f->component_count };
    for (uint32_t i = 0; i < f->component_count; i++)
        c.planes[i] = (struct pcri_plane) { .blocks_x = p->blocks[i].blocks_x,
                                            .blocks_y = p->blocks[i].blocks_y,
                                            .coef = p->blocks[i].coef };
    return c;
}

struct run {
    struct pcri_jpeg_file file;
    const struct pcr_ladder *ladder;
    const struct pcri_script *script;
    const struct pcri_pk_tables *tables;
    struct pcri_pk_params params;
    struct pcr_buffer chunks[GROUPS];
    struct pcr_span spans[GROUPS];
};

static void encode(struct run *r, const struct planes *p)
{
    struct pcri_coefs c = coefs_of(&r->file, p);
    for (uint32_t g = 0; g < r->ladder->group_count; g++)
        r->chunks[g].nbytes = 0;
    int rc = pcri_pk_encode(&encoder, &c, &r->file, r->script, r->ladder->group_count,
                            r->tables, &r->params, r->chunks, NULL);
    FUZZ_CHECK(!rc, "encoding: %d", rc);
    for (uint32_t g = 0; g < r->ladder->group_count; g++)
        r->spans[g] = (struct pcr_span) { r->chunks[g].data, r->chunks[g].nbytes };
}

/* One that this CPU can run, and would not choose. */
static const struct pcri_pk_kernels *other_kernels(const struct run *r)
{
#if defined(PCRI_PK_HAVE_X86) && !FUZZ_OWN_CODE_ALONE
    const unsigned features = pcri_cpu_features();
    if (r->params.lanes_log == 1 && features & PCRI_CPU_SSSE3)
        return &pcri_pk_ssse3;
    if (!r->params.lanes_log && features & PCRI_CPU_AVX2)
        return &pcri_pk_avx2_shuffle;
    if (r->params.lanes_log == 2 && features & PCRI_CPU_AVX512)
        return &pcri_pk_avx2;
#endif
    (void) r;
    return &pcri_pk_portable;
}

/* MCU rows [begin, end). */
static int decode_rows(struct run *r, const struct pcri_pk_kernels *kernels, uint32_t groups,
                       uint32_t begin, uint32_t end, struct planes *out)
{
    struct pcr_error err = { 0 };
    memset(out->coef, 0, sizeof(out->coef));
    memset(out->mask, 0, sizeof(out->mask));
    int rc = pcri_pk_decoder_begin(&decoder, &r->file, r->script, r->ladder->group_count,
                                   r->tables, &r->params, r->spans, groups, begin, end, &err);
    decoder.kernels = kernels;
    if (!rc)
        rc = pcri_pk_decode(&decoder, out->blocks, &err);
    FUZZ_CHECK(!rc || (rc == PCR_ERR_CORRUPT && err.message[0]), "%d", rc);
    return rc;
}

static int decode(struct run *r, const struct pcri_pk_kernels *kernels, uint32_t groups,
                  struct planes *out)
{
    return decode_rows(r, kernels, groups, 0, UINT32_MAX, out);
}

/* Some rows alone are those of decoded[0]; which ones the picture's size says. */
static void check_window(struct run *r, uint32_t groups)
{
    const uint32_t step = 8 * r->file.max_v, rows = (r->file.height + step - 1) / step;
    const uint32_t begin = r->file.width % rows, end = begin + 1 + r->file.width / 8 % 8;
    FUZZ_CHECK(!decode_rows(r, pcri_pk_kernels_choose(), groups, begin, end, &decoded[1]),
               "rows from %u to %u", (unsigned) begin, (unsigned) end);
    for (uint32_t c = 0; c < r->file.component_count; c++) {
        const struct pcri_blocks *p = &decoded[0].blocks[c], *q = &decoded[1].blocks[c];
        const uint64_t v = r->file.components[c].v,
                       last = v * end < p->blocks_y ? v * end : p->blocks_y;
        for (size_t i = v * begin * p->blocks_x; i < last * p->blocks_x; i++)
            FUZZ_CHECK(p->mask[i] == q->mask[i] &&
                           !memcmp(p->coef + 64 * i, q->coef + 64 * i, 128),
                       "block %zu of rows from %u to %u", i, (unsigned) begin, (unsigned) end);
    }
}

static void check_legal(const struct planes *p)
{
    for (size_t i = 0; i < 64 * MOST_BLOCKS; i++)
        FUZZ_CHECK(abs(p->coef[i]) <= (i % 64 ? 1023 : 2047), "coefficient %zu is %d", i,
                   p->coef[i]);
}

static void change_chunks(struct run *r, const uint8_t *changes, size_t n)
{
    for (size_t i = 0; i < n; i++, changes += 5) {
        uint32_t g = changes[0] % r->ladder->group_count;
        struct pcr_span *s = &r->spans[g];
        if (!s->nbytes)
            continue;
        size_t at = load24(changes + 1) % s->nbytes;
        if (changes[4])
            r->chunks[g].data[at] ^= changes[4];
        else
            s->nbytes = at;
    }
}

static void check_run(struct run *r, const uint8_t *changes, size_t n)
{
    uint32_t all = r->ladder->group_count;
    encode(r, &source);
    FUZZ_CHECK(!decode(r, pcri_pk_kernels_choose(), all, &decoded[0]), "what was packed");
    FUZZ_CHECK(!memcmp(decoded[0].coef, source.coef, sizeof(source.coef)), "not the same");
    change_chunks(r, changes, n);
    uint32_t groups = n ? 1 + changes[1] % all : all;
    int rc = decode(r, pcri_pk_kernels_choose(), groups, &decoded[0]);
    const struct pcri_pk_kernels *kernels = other_kernels(r);
    int other = decode(r, kernels, groups, &decoded[1]);
    FUZZ_CHECK(rc == other, "%d, %s %d", rc, kernels->name, other);
    if (rc)
        return;
    FUZZ_CHECK(!memcmp(decoded[0].coef, decoded[1].coef, sizeof(source.coef)), "%s",
               kernels->name);
    FUZZ_CHECK(!memcmp(decoded[0].mask, decoded[1].mask, sizeof(source.mask)), "%s",
               kernels->name);
    check_window(r, groups);
    check_legal(&decoded[0]);
    encode(r, &decoded[0]);
    FUZZ_CHECK(!decode(r, pcri_pk_kernels_choose(), all, &decoded[1]), "packed again");
    FUZZ_CHECK(!memcmp(decoded[0].coef, decoded[1].coef, sizeof(source.coef)), "again");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct run r = { .tables = builtin };
    struct pcri_pk_tables *changed = NULL;
    if (nbytes < HEAD || nbytes - HEAD < 5 * (size_t) data[6])
        return 0;
    size_t n = data[6];
    const uint8_t *changes = data + HEAD, *rest = changes + 5 * n;
    if (data[0] & 1) {
        r.tables = changed = change_tables(changes, n);
        n = 0;
    }
    r.ladder = ladders[data[5] >> 7];
    r.script = &r.ladder->scripts[(data[5] & 127) % r.ladder->script_count];
    r.params = (struct pcri_pk_params) { .lanes_log = data[4] % 5,
                                         .restart = data[4] / 5 % 4 };
    make_frame(data, &r.file);
    make_planes(&r.file, &source);
    make_planes(&r.file, &decoded[0]);
    make_planes(&r.file, &decoded[1]);
    fill(&r.file, rest, nbytes - (size_t) (rest - data));
    if (r.tables)
        check_run(&r, changes, n);
    pcri_pk_tables_destroy(&changed);
    for (uint32_t g = 0; g < GROUPS; g++)
        pcr_buffer_free(&r.chunks[g]);
    return 0;
}
