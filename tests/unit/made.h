/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up records for tests: coded samples with every kind of item and piece, and what they
 * must materialise to, worked out from the definition and not from the code under test. */
#ifndef MADE_H
#define MADE_H

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "folder.h"
#include "record/record.h"

struct made {
    uint32_t sample_count, group_count,
        first; /* first: number of sample 0, varies the bytes */
    uint16_t piece_counts[PCRI_MAX_GROUPS];
};

static inline bool made_opaque(const struct made *m, uint32_t i)
{
    return (m->first + i) % 5 == 4;
}

static inline void made_put(struct pcr_buffer *b, const void *p, size_t nbytes)
{
    if (pcri_buffer_append(b, p, nbytes, NULL)) /* ck_assert costs a write() each time */
        ck_abort_msg("no memory");
}

/* Item k (0..3) of a coded sample. Item 1 recurs in every second one, item 2 is unique. */
static inline uint32_t made_item(const struct made *m, uint32_t i, uint32_t k, char out[64])
{
    uint32_t n = m->first + i;
    switch (k) {
    case 0:
        return (uint32_t) snprintf(out, 64, "{start}");
    case 1:
        return n % 2 ? 0 : (uint32_t) snprintf(out, 64, "{shared comment}");
    case 2:
        return n % 3 ? 0 : (uint32_t) snprintf(out, 64, "{Exif of %u}", n);
    default:
        return (uint32_t) snprintf(out, 64, "{frame %u}", n % 4);
    }
}

static inline uint32_t made_piece_string(const struct made *m, uint32_t i, uint32_t piece,
                                         char out[64])
{
    return (m->first + i + piece) % 2 ? (uint32_t) snprintf(out, 64, "{scan %u}", piece) : 0;
}

/* Some pieces are empty; so is all of group 2 where there are more than four. */
static inline uint32_t made_piece_nbytes(const struct made *m, uint32_t i, uint32_t group,
                                         uint32_t piece)
{
    if (group == 1 && m->group_count > 4)
        return 0;
    return ((m->first + i) * 7 + piece * 13) % 50;
}

static inline uint8_t made_byte(const struct made *m, uint32_t i, uint32_t piece, uint32_t k)
{
    return (uint8_t) ((m->first + i) * 31 + piece * 101 + k * 7);
}

static inline void made_pack_opaque(const struct made *m, uint32_t i, struct pcri_coded *p)
{
    uint32_t n = (m->first + i) * 11 % 90;
    for (uint32_t k = 0; k < n; k++) {
        uint8_t byte = made_byte(m, i, 77, k);
        made_put(&p->bytes, &byte, 1);
    }
}

static inline void made_pack_coded(const struct made *m, uint32_t i, struct pcri_coded *p)
{
    uint32_t total = 0, piece = 0;
    char text[64];
    for (uint32_t g = 0; g < m->group_count; g++)
        total += m->piece_counts[g];
    p->coding = 1;
    p->items = calloc(4, sizeof(*p->items));
    p->pieces = calloc(total, sizeof(*p->pieces));
    ck_assert(p->items && p->pieces);
    for (uint32_t k = 0; k < 4; k++) {
        uint32_t n = made_item(m, i, k, text);
        if (!n)
            continue;
        p->items[p->item_count++] = (struct pcri_item) {
            k == 1 || k == 2 ? PCRI_ITEM_METADATA : PCRI_ITEM_NEEDED,
            n,
        };
        made_put(&p->strings, text, n);
    }
    for (uint32_t g = 0; g < m->group_count; g++)
        for (uint32_t k = 0; k < m->piece_counts[g]; k++, piece++) {
            uint32_t s = made_piece_string(m, i, piece, text);
            uint32_t n = made_piece_nbytes(m, i, g, piece);
            p->pieces[piece] = (struct pcri_piece) { s, n };
            made_put(&p->strings, text, s);
            for (uint32_t j = 0; j < n; j++) {
                uint8_t byte = made_byte(m, i, piece, j);
                made_put(&p->bytes, &byte, 1);
            }
        }
}

static inline void made_pack(const struct made *m, uint32_t i, struct pcri_coded *p)
{
    *p = (struct pcri_coded) {
        .component_count = 3,
        .sampling = 0x111122,
        .width = 100 + i,
        .height = 50 + i,
        .orientation = i % 9,
        .script = i % 2,
        .source_nbytes = 1000 * i,
    };
    if (made_opaque(m, i))
        made_pack_opaque(m, i, p);
    else
        made_pack_coded(m, i, p);
}

static inline void made_key(const struct made *m, uint32_t i, char out[64])
{
    snprintf(out, 64, "key/\xFF%u", m->first + i);
}

/* Does a string of item 1 stand in two samples, so that low fidelities have it too? */
static inline bool made_recurs(const struct made *m)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->sample_count; i++)
        count += !made_opaque(m, i) && (m->first + i) % 2 == 0;
    return count > 1;
}

/* What sample i is at fidelity g, after FORMAT 3.4. */
static inline void made_expect(const struct made *m, uint32_t i, uint32_t g,
                               struct pcr_buffer *out)
{
    char text[64];
    uint32_t piece = 0;
    out->nbytes = 0;
    if (made_opaque(m, i)) {
        struct pcri_coded p = { 0 };
        made_pack_opaque(m, i, &p);
        made_put(out, p.bytes.data, p.bytes.nbytes);
        pcri_coded_free(&p);
        return;
    }
    for (uint32_t k = 0; k < 4; k++) {
        uint32_t n = made_item(m, i, k, text);
        if (g == m->group_count || (k == 1 ? made_recurs(m) : k != 2))
            made_put(out, text, n);
    }
    for (uint32_t h = 0; h < g; h++)
        for (uint32_t k = 0; k < m->piece_counts[h]; k++, piece++) {
            made_put(out, text, made_piece_string(m, i, piece, text));
            for (uint32_t j = 0; j < made_piece_nbytes(m, i, h, piece); j++) {
                uint8_t byte = made_byte(m, i, piece, j);
                made_put(out, &byte, 1);
            }
        }
    made_put(out, "\xFF\xD9", 2);
}

static inline struct made made_shape(uint32_t sample_count, uint32_t group_count)
{
    struct made m = { .sample_count = sample_count, .group_count = group_count };
    for (uint32_t g = 0; g < group_count; g++)
        m.piece_counts[g] = (uint16_t) (1 + g % 3);
    return m;
}

static inline const char *made_ladder(void)
{
    return "ladder made\nscript all\ngroup\nall 0-0 0 0\n"
           "group\nluma 1-63 0 0\ngroup\nchroma 1-63 0 0\n";
}

/* The types of what made_builder() adds. */
static inline const struct pcri_schema *made_schema(void)
{
    static char name[] = "odd";
    static struct pcri_schema_column column = { .name = name,
                                                .type = { PCR_ELEMENT_INT64, 0, 0, 1 },
                                                .text = "int64" };
    static const struct pcri_schema schema = { .columns = &column, .count = 1 };
    return &schema;
}

/* A builder with all samples: labels i % 3 (and, for every fourth, a second one). */
static inline struct pcri_builder *made_builder(const struct made *m)
{
    struct pcri_builder *b = NULL;
    struct pcr_error e;
    ck_assert_int_eq(
        pcri_builder_create(m->group_count, m->piece_counts, made_ladder(), &b, &e), 0);
    pcri_builder_set_schema(b, made_schema());
    for (uint32_t i = 0; i < m->sample_count; i++) {
        struct pcri_coded p;
        char key[64];
        int64_t labels[2] = { i % 3, -(int64_t) i };
        made_pack(m, i, &p);
        made_key(m, i, key);
        struct pcri_sample_meta meta = {
            .key = key,
            .attributes = i % 2 ? "{\"odd\":1}" : NULL,
            .labels = labels,
            .label_count = i % 4 ? 1 : 2,
        };
        ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), 0);
        ck_assert_ptr_null(p.bytes.data);
    }
    return b;
}

/* Writes the record as dir/name. */
static inline void made_record(const struct made *m, const char *dir, const char *name,
                               struct pcri_header *header)
{
    struct pcri_builder *b = made_builder(m);
    struct pcr_error e;
    int rc = pcri_builder_finish(b, dir, name, header, &e);
    ck_assert_msg(!rc, "%s", rc ? e.message : "");
    pcri_builder_destroy(&b);
}

/* --- a folder for one test --- */
static struct test_folder made_folder;

static inline void made_dir_create(void)
{
    test_folder_make_in(&made_folder, "/tmp");
}

static inline void made_dir_remove(void)
{
    test_folder_free(&made_folder);
}

static inline const char *made_path(const char *name)
{
    return test_path(&made_folder, name);
}

static inline int made_dir_count(void)
{
    int n = 0;
    DIR *d = opendir(made_folder.path);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

static inline void made_write(const char *name, const void *data, size_t nbytes)
{
    test_put(&made_folder, name, data, nbytes);
}

#endif
