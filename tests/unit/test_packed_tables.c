/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of coding 2: trained, as bytes, refused where they are damaged; tANS by itself. */
#include <check.h>

#include "packed/builtin.h"
#include "packed_images.h"
#include "suite.h"

static struct pcr_error err;

static struct pcri_pk_frequencies *trained(void)
{
    struct pcr_ladder *l = packed_ladder(pcri_ladder_builtin_text("packed"));
    struct pcri_pk_frequencies *f = packed_train(l);
    pcr_ladder_destroy(&l);
    return f;
}

static int parse(const void *data, size_t nbytes)
{
    struct pcri_pk_frequencies *f;
    int rc = pcri_pk_frequencies_parse(data, nbytes, &f, &err);
    ck_assert((rc == 0) == (f != NULL));
    pcri_pk_frequencies_destroy(&f);
    return rc;
}

START_TEST(bytes_and_back)
{
    struct pcri_pk_frequencies *f = trained(), *g;
    struct pcr_buffer a = { 0 }, b = { 0 }, stored = { 0 };
    struct pcri_pk_tables *t, *u;
    ck_assert_int_eq(pcri_pk_frequencies_print(f, &a, &err), 0);
    ck_assert_int_eq(pcri_pk_frequencies_parse(a.data, a.nbytes, &g, &err), 0);
    ck_assert_int_eq(pcri_pk_frequencies_print(g, &b, &err), 0);
    ck_assert(a.nbytes == b.nbytes && !memcmp(a.data, b.data, a.nbytes));
    ck_assert_int_eq(pcri_pk_frequencies_pack(f, &stored, &err), 0);
    ck_assert_uint_lt(stored.nbytes, 47000);
    ck_assert_int_eq(pcri_pk_tables_open(stored.data, stored.nbytes, true, &t, &err), 0);
    ck_assert_int_eq(pcri_pk_tables_create(f, false, &u, &err), 0);
    ck_assert(t->hash == u->hash && t->hash == pcri_xxh3(a.data, a.nbytes));
    ck_assert(t->encoders && !u->encoders);
    for (size_t n = 0; n < stored.nbytes; n += 1 + n / 2) {
        struct pcri_pk_tables *none;
        ck_assert_int_eq(pcri_pk_tables_open(stored.data, n, true, &none, &err),
                         PCR_ERR_CORRUPT);
        ck_assert_ptr_null(none);
    }
    pcri_pk_tables_destroy(&t);
    pcri_pk_tables_destroy(&u);
    pcri_pk_frequencies_destroy(&f);
    pcri_pk_frequencies_destroy(&g);
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
    pcr_buffer_free(&stored);
}
END_TEST

/* Offset of the first frequency of the first table. */
enum { FIRST = PCRI_PK_FAMILIES + PCRI_PK_CONTEXTS };

START_TEST(damaged_bytes)
{
    struct pcri_pk_frequencies *f = trained();
    struct pcr_buffer b = { 0 };
    ck_assert_int_eq(pcri_pk_frequencies_print(f, &b, &err), 0);
    uint8_t *p = b.data;
    ck_assert_int_eq(parse(p, b.nbytes), 0);
    for (size_t n = 0; n < b.nbytes; n += 1 + n / 3)
        ck_assert_int_eq(parse(p, n), PCR_ERR_CORRUPT);
    ck_assert_int_eq(parse(p, b.nbytes - 1), PCR_ERR_CORRUPT);
    ck_assert_int_eq(pcri_buffer_append(&b, "", 1, &err), 0); /* a byte more */
    p = b.data;
    ck_assert_int_eq(parse(p, b.nbytes), PCR_ERR_CORRUPT);
    b.nbytes--;
    p[PCRI_PK_FAMILIES + 7] = p[0]; /* a number of a table that there is not */
    ck_assert_int_eq(parse(p, b.nbytes), PCR_ERR_CORRUPT);
    p[PCRI_PK_FAMILIES + 7] = 0;
    ck_assert_int_eq(parse(p, b.nbytes), 0);
    for (size_t i = FIRST; i < FIRST + 200; i++) { /* frequencies that do not add up */
        p[i] ^= 1;
        ck_assert_int_eq(parse(p, b.nbytes), PCR_ERR_CORRUPT);
        p[i] ^= 1;
    }
    p[1]++; /* a table more than there is */
    ck_assert_int_eq(parse(p, b.nbytes), PCR_ERR_CORRUPT);
    p[0] = 255; /* too many */
    ck_assert_int_eq(parse(p, b.nbytes), PCR_ERR_CORRUPT);
    pcri_pk_frequencies_destroy(&f);
    pcr_buffer_free(&b);
}
END_TEST

/* One table a family, built by hand. */
START_TEST(forms_of_numbers)
{
    const uint8_t one[PCRI_PK_FAMILIES] = { 1, 1, 1, 1 };
    struct pcri_pk_frequencies *f;
    struct pcr_buffer b = { 0 };
    ck_assert_int_eq(pcri_pk_frequencies_create(one, &f, &err), 0);
    for (int i = 0; i < PCRI_PK_FAMILIES; i++)
        f->freq[i][pcri_pk_families[i].escape] = PCRI_TANS_STATES;
    ck_assert_int_eq(pcri_pk_frequencies_print(f, &b, &err), 0);
    ck_assert_int_eq(parse(b.data, b.nbytes), 0);
    /* 0 in two bytes, the last frequency of DC being 512 in two */
    ck_assert_int_eq(pcri_buffer_append(&b, "", 1, &err), 0);
    uint8_t *p = b.data;
    memmove(p + b.nbytes - 3, p + b.nbytes - 4, 3);
    p[b.nbytes - 4] = 0;
    p[b.nbytes - 5] = 0x80;
    ck_assert_int_eq(parse(p, b.nbytes), PCR_ERR_CORRUPT);
    /* no escape */
    b.nbytes = 0;
    f->freq[2][0] = 0;
    f->freq[2][1] = PCRI_TANS_STATES;
    ck_assert_int_eq(pcri_pk_frequencies_print(f, &b, &err), 0);
    ck_assert_int_eq(parse(b.data, b.nbytes), PCR_ERR_CORRUPT);
    pcri_pk_frequencies_destroy(&f);
    pcr_buffer_free(&b);
}
END_TEST

/* Counts in parts give the tables that they give together; without any there are tables, too. */
START_TEST(training_in_parts)
{
    struct pcri_pk_counts *parts[3];
    struct pcr_buffer bytes[2] = { { 0 }, { 0 } };
    static const uint16_t contexts[4] = { 100, 101, 102, 150 };
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pcri_pk_counts_create(&parts[i], &err), 0);
    for (uint32_t i = 0; i < 3000; i++) {
        const uint8_t symbols[4] = { (uint8_t) (i % 7), (uint8_t) (i % 5 * (i % 3)),
                                     (uint8_t) (i % 256), 3 };
        for (int family = 0; family < 2; family++)
            for (int whole = 0; whole < 2; whole++)
                ck_assert_int_eq(pcri_pk_counts_add(parts[whole ? 2 : i % 2],
                                                    (enum pcri_pk_family) family, contexts,
                                                    symbols, 4, &err),
                                 0);
    }
    ck_assert_int_eq(pcri_pk_counts_merge(parts[1], parts[0], &err), 0);
    for (int i = 0; i < 2; i++) {
        struct pcri_pk_frequencies *f;
        ck_assert_int_eq(pcri_pk_train(parts[1 + i], NULL, &f, &err), 0);
        ck_assert_int_eq(pcri_pk_frequencies_print(f, &bytes[i], &err), 0);
        pcri_pk_frequencies_destroy(&f);
    }
    ck_assert(bytes[0].nbytes == bytes[1].nbytes &&
              !memcmp(bytes[0].data, bytes[1].data, bytes[0].nbytes));
    ck_assert_int_eq(parse(bytes[0].data, bytes[0].nbytes), 0);
    for (int i = 0; i < 3; i++)
        pcri_pk_counts_destroy(&parts[i]);
    pcr_buffer_free(&bytes[0]);
    pcr_buffer_free(&bytes[1]);
}
END_TEST

START_TEST(built_in)
{
    struct pcr_ladder *l = packed_ladder(pcri_ladder_builtin_text("packed"));
    struct pcri_pk_tables *t;
    ck_assert_str_eq(pcr_ladder_text(l), pcri_ladder_builtin_text("packed"));
    for (uint32_t i = 0; i < l->script_count; i++)
        ck_assert_int_eq(pcri_pk_check(&l->scripts[i], &err), 0);
    int rc = pcri_pk_tables_open(pcri_pk_builtin_tables, pcri_pk_builtin_nbytes, true, &t,
                                 &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    ck_assert_uint_eq(t->hash, UINT64_C(0x1A66185C57337E7D)); /* FORMAT 10.7 */
    pcri_pk_tables_destroy(&t);
    pcr_ladder_destroy(&l);
}
END_TEST

/* Streams of symbols by tables of all kinds of frequencies, with any number of states. */
START_TEST(streams_of_symbols)
{
    enum { TABLES = 4, COUNT = 5000 };
    static uint16_t freq[TABLES][256];
    static pcri_tans_entry entries[TABLES * PCRI_TANS_STATES];
    static struct pcri_tans_encoder encoders[TABLES];
    static const uint8_t same[TABLES] = { 0, 1, 2, 3 };
    static uint8_t tables[COUNT], symbols[COUNT], got[COUNT + 32];
    static uint16_t contexts[COUNT], used[COUNT + 32];
    struct pcri_tans_writer w = { 0 };
    struct pcr_buffer out = { 0 };
    freq[0][9] = PCRI_TANS_STATES; /* nothing to say */
    for (int s = 0; s < 256; s++)
        freq[1][s] = 2;
    freq[2][0] = PCRI_TANS_STATES - 5;
    for (int s = 1; s < 6; s++)
        freq[2][s * 50] = 1;
    freq[3][1] = 300, freq[3][2] = 200, freq[3][255] = 12;
    for (int t = 0; t < TABLES; t++) {
        pcri_tans_decoder(freq[t], entries + t * PCRI_TANS_STATES);
        pcri_tans_encoder(freq[t], &encoders[t]);
    }
    uint64_t x = 1;
    for (size_t i = 0; i < COUNT; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        contexts[i] = tables[i] = (uint8_t) (x >> 60 & 3);
        do
            x = x * 6364136223846793005u + 1442695040888963407u;
        while (!freq[tables[i]][x >> 56]);
        symbols[i] = (uint8_t) (x >> 56);
    }
    for (unsigned lanes = 1; lanes <= PCRI_TANS_MAX_LANES; lanes *= 2) {
        struct pcri_tans_reader r;
        out.nbytes = 0;
        for (size_t i = 0, n; i < COUNT; i += n) {
            n = i * 7 % 1300 < COUNT - i ? i * 7 % 1300 : COUNT - i;
            n += !n;
            ck_assert_int_eq(pcri_tans_reserve(&w, n, &err), 0);
            memcpy(w.tables + w.count, tables + i, n);
            memcpy(w.symbols + w.count, symbols + i, n);
            w.count += n;
            w.calls[w.call_count++] = (uint32_t) n;
        }
        ck_assert_int_eq(pcri_tans_finish(&w, encoders, lanes, &out, &err), 0);
        size_t nbytes = out.nbytes;
        ck_assert_int_eq(pcri_buffer_reserve(&out, nbytes + PCRI_TANS_PADDING, &err), 0);
        memset(out.data + nbytes, 0, PCRI_TANS_PADDING);
        for (int cut = 0; cut < 2; cut++) {
            ck_assert_int_eq(pcri_tans_open(&r, out.data, nbytes - (size_t) cut, lanes, &err),
                             0);
            bool all = true, escapes;
            for (size_t i = 0, n; i < COUNT; i += n) {
                n = i * 7 % 1300 < COUNT - i ? i * 7 % 1300 : COUNT - i;
                n += !n;
                memcpy(used, contexts + i, n * sizeof(*used));
                all &= pcri_tans_read(&r, pcri_pk_kernels_choose()->read_symbols, entries,
                                      same, used, n, (uint8_t) i, got + i, &escapes);
                for (size_t k = 0; k < n; k++) {
                    const size_t part = k / 32 * 32;
                    const uint32_t marks = escapes ? pcri_tans_escapes(used, part, n) : 0;
                    ck_assert((marks >> k % 32 & 1) == (got[i + k] == (uint8_t) i) || cut);
                }
            }
            ck_assert(all != (bool) cut && pcri_tans_finished(&r) == all);
            ck_assert(cut || !memcmp(got, symbols, COUNT));
        }
        ck_assert_int_eq(
            pcri_tans_open(&r, out.data, (lanes * PCRI_TANS_LOG - 1) / 8, lanes, &err),
            PCR_ERR_CORRUPT);
    }
    pcri_tans_free(&w);
    pcr_buffer_free(&out);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("packed_tables");
    tcase_add_test(t, bytes_and_back);
    tcase_add_test(t, damaged_bytes);
    tcase_add_test(t, forms_of_numbers);
    tcase_add_test(t, training_in_parts);
    tcase_add_test(t, built_in);
    tcase_add_test(t, streams_of_symbols);
    return tests_run();
}
