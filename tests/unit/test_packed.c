/* SPDX-License-Identifier: BSD-2-Clause */
/* Coding 2: every prefix of groups gives the coefficients that it should, of any image. */
#include <check.h>

#include "packed_images.h"
#include "suite.h"

static struct pcri_pk_encoder encoder;
static struct pcri_pk_decoder decoder;
static struct packed_planes got;
static struct pcr_error err;

/* Bands that part and join, passes of one component twice in a group, a first pass of one plane,
 * and DC together with others. */
static const char odd_ladder[] = "ladder odd\n"
                                 "script all\n"
                                 "group\n"
                                 "all 0-0 0 0\n"
                                 "luma 1-9 0 9\n"
                                 "chroma2 1-63 0 0\n"
                                 "group\n"
                                 "luma 10-35 0 9\n"
                                 "luma 1-35 9 8\n"
                                 "luma 1-35 8 7\n"
                                 "luma 1-35 7 6\n"
                                 "luma 1-35 6 5\n"
                                 "luma 36-63 0 6\n"
                                 "luma 36-63 6 5\n"
                                 "luma 1-63 5 4\n"
                                 "group\n"
                                 "chroma1 1-5 0 2\n"
                                 "chroma1 6-63 0 3\n"
                                 "chroma1 6-63 3 2\n"
                                 "group\n"
                                 "luma 1-63 4 3\n"
                                 "luma 1-63 3 2\n"
                                 "luma 3-3 2 1\n"
                                 "chroma1 1-63 2 1\n"
                                 "group\n"
                                 "luma 1-2 2 1\n"
                                 "luma 4-63 2 1\n"
                                 "luma 1-63 1 0\n"
                                 "group\n"
                                 "chroma1 1-63 1 0\n";

struct coded {
    struct pcr_buffer chunks[PCRI_LADDER_MAX_GROUPS];
    struct pcr_span spans[PCRI_LADDER_MAX_GROUPS];
};

static void encode(const struct packed_image *m, const struct pcr_ladder *l, uint32_t script,
                   const struct pcri_pk_tables *tables, const struct pcri_pk_params *params,
                   struct coded *out)
{
    for (uint32_t g = 0; g < l->group_count; g++)
        out->chunks[g].nbytes = 0;
    int rc = pcri_pk_encode(&encoder, &m->coefs, &m->file, &l->scripts[script], l->group_count,
                            tables, params, out->chunks, &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    for (uint32_t g = 0; g < l->group_count; g++) {
        /* Just as many bytes, so that reading beyond them shows. */
        free((void *) (uintptr_t) out->spans[g].data);
        uint8_t *copy = malloc(out->chunks[g].nbytes + 1);
        ck_assert_ptr_nonnull(copy);
        if (out->chunks[g].nbytes)
            memcpy(copy, out->chunks[g].data, out->chunks[g].nbytes);
        out->spans[g] = (struct pcr_span) { copy, out->chunks[g].nbytes };
    }
}

static void coded_free(struct coded *c)
{
    for (uint32_t g = 0; g < PCRI_LADDER_MAX_GROUPS; g++) {
        pcr_buffer_free(&c->chunks[g]);
        free((void *) (uintptr_t) c->spans[g].data);
    }
}

static int decode(const struct packed_image *m, const struct pcr_ladder *l, uint32_t script,
                  const struct pcri_pk_tables *tables, const struct pcri_pk_params *params,
                  const struct coded *c, uint32_t groups, uint32_t begin, uint32_t end,
                  const struct packed_planes *out)
{
    int rc = pcri_pk_decoder_begin(&decoder, &m->file, &l->scripts[script], l->group_count,
                                   tables, params, c->spans, groups, begin, end, &err);
    return rc ? rc : pcri_pk_decode(&decoder, out->blocks, &err);
}

/* All prefixes, whole, and some rows of each. */
static void check_prefixes(const struct packed_image *m, const struct pcr_ladder *l,
                           uint32_t script, const struct pcri_pk_tables *tables,
                           const struct pcri_pk_params *params, const struct coded *c,
                           const char *name)
{
    for (uint32_t g = 1; g <= l->group_count; g++) {
        int8_t bits[4][64];
        uint32_t rows = (m->file.height + 8 * m->file.max_v - 1) / (8 * m->file.max_v);
        packed_planes_make(m, g > 1 || !l->scripts[script].scans[1].group, &got);
        int rc = decode(m, l, script, tables, params, c, g, 0, UINT32_MAX, &got);
        ck_assert_msg(rc == 0, "%s, %s, group %u: %s", l->name, name, g, err.message);
        pcri_pk_bits(&decoder.plan, g, bits);
        ck_assert_msg(packed_same(m, &got, bits, 0, rows), "%s, %s, group %u", l->name, name,
                      g);
        packed_planes_make(m, true, &got);
        uint32_t begin = rows / 3, end = rows - rows / 4;
        rc = decode(m, l, script, tables, params, c, g, begin, end, &got);
        ck_assert_msg(rc == 0, "%s, %s, rows of group %u: %s", l->name, name, g, err.message);
        ck_assert_msg(packed_same(m, &got, bits, begin, end),
                      "%s, %s, rows %u to %u of group %u", l->name, name, begin, end, g);
    }
}

/* Every case of the generator that has coefficients. */
static void check_cases(const char *text)
{
    struct pcr_ladder *l = packed_ladder(text);
    struct pcri_pk_frequencies *f = packed_train(l);
    struct pcri_pk_tables *tables;
    struct pcr_buffer file = { 0 };
    struct coded coded = { 0 };
    uint32_t count = 0;
    ck_assert_int_eq(pcri_pk_tables_create(f, true, &tables, NULL), 0);
    for (size_t i = 0; pcr_gen_case(i); i++) {
        const struct pcr_gen_case *c = pcr_gen_case(i);
        struct packed_image m = { 0 };
        if (c->kind != PCR_GEN_GOOD_JPEG && c->kind != PCR_GEN_ODD_JPEG)
            continue;
        ck_assert_int_eq(pcr_gen_make(c, &file, &err), 0);
        if (packed_image_read(&file, &m)) {
            const struct pcri_pk_params params = {
                tables->hash,
                (uint8_t) (count % 5),
                count / 5 % 4,
            };
            uint32_t script = count % l->script_count;
            encode(&m, l, script, tables, &params, &coded);
            check_prefixes(&m, l, script, tables, &params, &coded, c->name);
            count++;
        }
        packed_image_free(&m);
    }
    ck_assert_uint_gt(count, 50);
    coded_free(&coded);
    pcr_buffer_free(&file);
    pcri_pk_tables_destroy(&tables);
    pcri_pk_frequencies_destroy(&f);
    pcr_ladder_destroy(&l);
}

START_TEST(cases_by_the_ladder_for_it)
{
    check_cases(pcri_ladder_builtin_text("packed"));
}
END_TEST

START_TEST(cases_by_the_ladder_of_scans)
{
    check_cases(pcri_ladder_builtin_text(NULL));
}
END_TEST

START_TEST(cases_by_an_odd_ladder)
{
    check_cases(odd_ladder);
}
END_TEST

/* What these tests encode with, and into. */
static struct pcr_ladder *ladder;
static struct pcri_pk_frequencies *frequencies;
static struct pcri_pk_tables *tables;
static struct pcr_buffer file;
static struct coded coded;

static void train(const char *ladder_text)
{
    ladder = packed_ladder(ladder_text);
    frequencies = packed_train(ladder);
    ck_assert_int_eq(pcri_pk_tables_create(frequencies, true, &tables, NULL), 0);
}

static void forget(void)
{
    coded_free(&coded);
    coded = (struct coded) { 0 };
    pcr_buffer_free(&file);
    pcri_pk_tables_destroy(&tables);
    pcri_pk_frequencies_destroy(&frequencies);
    pcr_ladder_destroy(&ladder);
}

/* Samplings of any kind, down to one pixel, of which tables know nothing. */
START_TEST(geometry)
{
    static const uint32_t sizes[][2] = { { 1, 1 },  { 8, 8 },   { 9, 7 },  { 17, 1 },
                                         { 1, 33 }, { 64, 64 }, { 47, 81 } };
    train(odd_ladder);
    for (int s = 0; s < PCR_GEN_SUBSAMPLINGS; s++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct packed_image m = { 0 };
            const struct pcri_pk_params params = { tables->hash, (uint8_t) (i % 5),
                                                   (uint32_t) s % 3 };
            ck_assert_int_eq(pcr_gen_photo(i, sizes[i][0], sizes[i][1], 100,
                                           (enum pcr_gen_subsampling) s, &file),
                             0);
            ck_assert(packed_image_read(&file, &m));
            encode(&m, ladder, 0, tables, &params, &coded);
            check_prefixes(&m, ladder, 0, tables, &params, &coded, "geometry");
            packed_image_free(&m);
        }
    forget();
}
END_TEST

/* Rows of more blocks than have places of 16 bits. */
START_TEST(wide)
{
    struct packed_image m = { 0 };
    train(odd_ladder);
    const struct pcri_pk_params params = { tables->hash, 3, 0 };
    ck_assert_int_eq(pcr_gen_photo(3, 2 * 8 * PCRI_PK_WINDOW + 100, 9, 95, PCR_GEN_422, &file),
                     0);
    ck_assert(packed_image_read(&file, &m));
    encode(&m, ladder, 0, tables, &params, &coded);
    check_prefixes(&m, ladder, 0, tables, &params, &coded, "wide");
    packed_image_free(&m);
    forget();
}
END_TEST

/* Coefficients that no picture has: every magnitude and sign, so that all escapes come. */
START_TEST(noise)
{
    struct packed_image m = { 0 };
    uint64_t x = 1;
    train(pcri_ladder_builtin_text("packed"));
    ck_assert_int_eq(pcr_gen_photo(1, 120, 90, 90, PCR_GEN_420, &file), 0);
    ck_assert(packed_image_read(&file, &m));
    for (uint32_t c = 0; c < 3; c++)
        for (size_t i = 0;
             i < 64 * (size_t) m.coefs.planes[c].blocks_x * m.coefs.planes[c].blocks_y; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            int most = i % 64 ? 1023 : 2047, v = (int) (x >> 40) % (most + 1);
            v >>= x >> 33 & 15;
            m.coefs.planes[c].coef[i] = (int16_t) (x >> 32 & 1 ? -v : v);
        }
    for (uint32_t script = 0; script < ladder->script_count; script++) {
        const struct pcri_pk_params params = { tables->hash, 3, 2 };
        encode(&m, ladder, script, tables, &params, &coded);
        check_prefixes(&m, ladder, script, tables, &params, &coded, "noise");
    }
    m.coefs.planes[0].coef[1] = 1024;
    const struct pcri_pk_params params = { tables->hash, 3, 2 };
    ck_assert_int_eq(pcri_pk_encode(&encoder, &m.coefs, &m.file, &ladder->scripts[0],
                                    ladder->group_count, tables, &params, coded.chunks, &err),
                     PCR_ERR_UNSUPPORTED);
    packed_image_free(&m);
    forget();
}
END_TEST

/* Bits turned, bytes cut off and added: CORRUPT, or coefficients that can be. */
START_TEST(damage)
{
    struct packed_image m = { 0 };
    uint64_t x = 1;
    uint32_t refused = 0;
    train(pcri_ladder_builtin_text("packed"));
    ck_assert_int_eq(pcr_gen_photo(3, 100, 140, 90, PCR_GEN_420, &file), 0);
    ck_assert(packed_image_read(&file, &m));
    const struct pcri_pk_params params = { tables->hash, 2, 3 };
    encode(&m, ladder, 0, tables, &params, &coded);
    packed_planes_make(&m, true, &got);
    for (int i = 0; i < 600; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        uint32_t g = (uint32_t) (x >> 33) % ladder->group_count;
        struct pcr_span *s = &coded.spans[g], whole = *s;
        uint8_t *at = (uint8_t *) (uintptr_t) s->data + (x >> 40) % whole.nbytes, was = *at;
        if (i % 3 == 0)
            s->nbytes = (size_t) (x >> 40) % whole.nbytes;
        else
            *at ^= (uint8_t) (1u << (x >> 60 & 7));
        int rc = decode(&m, ladder, 0, tables, &params, &coded, ladder->group_count, 0,
                        UINT32_MAX, &got);
        ck_assert_msg(rc == 0 || rc == PCR_ERR_CORRUPT, "%d", rc);
        refused += rc != 0;
        bool legal = true;
        for (uint32_t c = 0; !rc && c < 3; c++)
            for (size_t k = 0;
                 k < 64 * (size_t) m.coefs.planes[c].blocks_x * m.coefs.planes[c].blocks_y;
                 k++)
                legal &= abs(got.blocks[c].coef[k]) <= (k % 64 ? 1023 : 2047);
        ck_assert(legal);
        *at = was;
        *s = whole;
    }
    ck_assert_uint_gt(refused, 300);
    packed_image_free(&m);
    forget();
}
END_TEST

START_TEST(scripts_that_cannot_be)
{
    struct pcr_ladder *l;
    ck_assert_int_eq(pcr_ladder_create("classic", &l, &err), 0);
    ck_assert_int_eq(pcri_pk_check(&l->scripts[0], &err), PCR_ERR_UNSUPPORTED);
    pcr_ladder_destroy(&l);
    l = packed_ladder("ladder high\nscript all\ngroup\nall 0-0 0 0\nluma 1-63 0 10\n"
                      "luma 1-63 10 9\nluma 1-63 9 8\nluma 1-63 8 7\nluma 1-63 7 6\n"
                      "luma 1-63 6 5\nluma 1-63 5 4\nluma 1-63 4 3\nluma 1-63 3 2\n"
                      "luma 1-63 2 1\nluma 1-63 1 0\nchroma 1-63 0 0\n");
    ck_assert_int_eq(pcri_pk_check(&l->scripts[0], &err), PCR_ERR_UNSUPPORTED);
    pcr_ladder_destroy(&l);
}
END_TEST

START_TEST(parameters)
{
    const struct pcri_pk_params p = { 0x123456789ABCDEF0u, 3, 300 };
    struct pcri_pk_params q;
    struct pcr_buffer b = { 0 };
    ck_assert_int_eq(pcri_pk_params_print(&p, &b, &err), 0);
    ck_assert_int_eq(pcri_pk_params_parse(b.data, b.nbytes, &q, &err), 0);
    ck_assert(q.tables == p.tables && q.lanes_log == 3 && q.restart == 300);
    for (size_t n = 0; n < b.nbytes; n++)
        ck_assert_int_eq(pcri_pk_params_parse(b.data, n, &q, &err), PCR_ERR_CORRUPT);
    ck_assert_int_eq(pcri_buffer_append(&b, "", 1, &err), 0);
    ck_assert_int_eq(pcri_pk_params_parse(b.data, b.nbytes, &q, &err), PCR_ERR_CORRUPT);
    b.data[8] = 5;
    ck_assert_int_eq(pcri_pk_params_parse(b.data, b.nbytes - 1, &q, &err), PCR_ERR_CORRUPT);
    pcr_buffer_free(&b);
}
END_TEST

/* Restarts by the picture's height: none in small ones, about every 32 block rows, and so that two
 * and four threads have about as many rows. */
START_TEST(restarts)
{
    static const struct pcri_pk_tables none;
    static const struct {
        uint32_t height, max_v, restart;
    } some[] = {
        { 1023, 1, 0 },  { 1024, 1, 32 }, { 1024, 2, 16 }, { 1024, 4, 8 },  { 2880, 2, 15 },
        { 2880, 1, 30 }, { 1080, 2, 17 }, { 4096, 2, 16 }, { 4000, 2, 16 },
    };
    for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
        struct pcri_jpeg_file f = { .height = some[i].height, .max_v = some[i].max_v };
        ck_assert_uint_eq(pcri_pk_params_choose(&f, &none).restart, some[i].restart);
    }
    for (uint32_t max_v = 1; max_v <= 4; max_v *= 2)
        for (uint32_t height = 1024; height < 65536; height += height / 101) {
            struct pcri_jpeg_file f = { .height = height, .max_v = max_v };
            const uint32_t restart = pcri_pk_params_choose(&f, &none).restart;
            ck_assert(restart * max_v >= 24 && restart * max_v <= 40);
            const uint32_t rows = (height + 8 * max_v - 1) / (8 * max_v);
            uint32_t load[2] = { 0 }; /* as threads take segments, one after the other */
            for (uint32_t at = 0; at < rows; at += restart)
                load[load[1] < load[0]] += at + restart < rows ? restart : rows - at;
            const uint32_t most = load[0] > load[1] ? load[0] : load[1];
            ck_assert_uint_le(100 * most, 55 * rows);
        }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("packed");
    tcase_add_test(t, cases_by_the_ladder_for_it);
    tcase_add_test(t, cases_by_the_ladder_of_scans);
    tcase_add_test(t, cases_by_an_odd_ladder);
    tcase_add_test(t, geometry);
    tcase_add_test(t, wide);
    tcase_add_test(t, noise);
    tcase_add_test(t, damage);
    tcase_add_test(t, scripts_that_cannot_be);
    tcase_add_test(t, parameters);
    tcase_add_test(t, restarts);
    int failed = tests_run_as(CK_NOFORK);
    pcri_pk_encoder_free(&encoder);
    pcri_pk_decoder_free(&decoder);
    pcr_buffer_free(&got.memory);
    return failed;
}
