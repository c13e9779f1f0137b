/* SPDX-License-Identifier: BSD-2-Clause */
/* dataset: reading made-up datasets through the public functions. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include <pcr/dataset.h>
#include <pcr/image.h>

#include "dataset/dataset.h"
#include "made.h"
#include "suite.h"

enum { RECORDS = 4, GROUPS = 3 };

/* Record r has 7 + r samples, numbered on from those before. */
static struct made shape(uint32_t r)
{
    struct made m = made_shape(7 + r, GROUPS);
    m.first = 7 * r + r * (r - 1) / 2;
    return m;
}

static void write_manifest(struct pcri_manifest *m)
{
    struct pcr_buffer text = { 0 };
    struct pcr_error e;
    int rc = pcri_manifest_render(m, &text, &e);
    ck_assert_msg(!rc, "%s", rc ? e.message : "");
    made_write(PCRI_MANIFEST_NAME, text.data, text.nbytes);
    pcr_buffer_free(&text);
    pcri_manifest_free(m);
}

/* Records 0..2 are the split "train", 3 is "test". */
static void make_dataset(void)
{
    struct pcri_manifest m;
    struct pcr_error e;
    made_dir_create();
    ck_assert_int_eq(pcri_manifest_init(&m, GROUPS, made_ladder(), &e), 0);
    ck_assert_int_eq(pcri_schema_copy(&m.schema, made_schema(), &e), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pcri_manifest_add_class(&m, i ? i > 1 ? "c" : "b" : "a", &e), 0);
    m.label_kind = PCR_LABEL_CLASS;
    for (uint32_t r = 0; r < RECORDS; r++) {
        struct made shaped = shape(r);
        struct pcri_header header;
        char name[32];
        snprintf(name, sizeof(name), "r%u.pcr", r);
        if (r == 0 || r == 3)
            ck_assert_int_eq(pcri_manifest_add_split(&m, r ? "test" : "train", &e), 0);
        made_record(&shaped, made_folder.path, name, &header);
        ck_assert_int_eq(pcri_manifest_add_record(&m, name, &header, &e), 0);
    }
    m.splits[0].class_counts[1] = 8;
    m.splits[1].class_counts[1] = 3;
    m.splits[1].source_nbytes = m.source_nbytes = 12345;
    write_manifest(&m);
}

static struct pcr_dataset *open_with(const struct pcr_dataset_options *o)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_error e;
    int rc = pcr_dataset_open(made_folder.path, o, &ds, &e);
    ck_assert_msg(!rc, "%s", rc ? e.message : "");
    return ds;
}

static bool same(const struct pcr_buffer *a, const struct pcr_buffer *b)
{
    return a->nbytes == b->nbytes && (!a->nbytes || !memcmp(a->data, b->data, a->nbytes));
}

/* Is what was read sample i of shape m? */
static bool is_made(const struct made *m, uint32_t i, uint32_t g, const struct pcr_buffer *b)
{
    struct pcr_buffer expected = { 0 };
    made_expect(m, i, g, &expected);
    bool ok = same(&expected, b);
    pcr_buffer_free(&expected);
    return ok;
}

/* The labels of many samples at once are those of each. */
START_TEST(many_labels)
{
    struct pcr_dataset *ds = open_with(NULL);
    int64_t all[34], part[34];
    double floats[34];
    struct pcr_error e;
    ck_assert_int_eq(pcr_dataset_labels(ds, 0, 34, all, NULL, &e), 0);
    for (uint64_t i = 0; i < 34; i++) {
        struct pcr_sample_info info = { .size = sizeof(info) };
        struct pcr_sample *s = NULL;
        ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, &e), 0);
        ck_assert_int_eq(pcr_sample_describe(s, &info, &e), 0);
        ck_assert_int_eq(all[i], info.labels[0]);
        pcr_sample_release(&s);
    }
    for (uint64_t first = 0; first <= 34; first++) {
        ck_assert_int_eq(pcr_dataset_labels(ds, first, 34 - first, part, NULL, &e), 0);
        ck_assert_mem_eq(part, all + first, (34 - first) * sizeof(*part));
        ck_assert_int_eq(pcr_dataset_labels(ds, 0, first, part, NULL, &e), 0);
        ck_assert_mem_eq(part, all, first * sizeof(*part));
    }
    uint64_t offsets[35];
    struct pcr_buffer values = { 0 };
    for (uint64_t first = 0; first <= 34; first++) {
        ck_assert_int_eq(pcr_dataset_all_labels(ds, first, 34 - first, offsets, &values, &e),
                         0);
        ck_assert_uint_eq(values.nbytes, offsets[34 - first] * sizeof(int64_t));
        for (uint64_t i = first; i < 34; i++) {
            struct pcr_sample_info info = { .size = sizeof(info) };
            struct pcr_sample *s;
            ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, &e), 0);
            ck_assert_int_eq(pcr_sample_describe(s, &info, &e), 0);
            const uint64_t *at = &offsets[i - first];
            ck_assert_uint_eq(at[1] - at[0], info.label_count);
            if (info.label_count)
                ck_assert(!memcmp(values.data + at[0] * sizeof(int64_t), info.labels,
                                  info.label_count * sizeof(int64_t)));
            pcr_sample_release(&s);
        }
    }
    ck_assert_int_eq(pcr_dataset_all_labels(ds, 1, 34, offsets, &values, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_dataset_all_labels(ds, 0, 34, NULL, &values, &e), PCR_ERR_INVAL);
    pcr_buffer_free(&values);
    ck_assert_int_eq(pcr_dataset_labels(ds, 1, 34, part, NULL, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_dataset_labels(ds, UINT64_MAX, 2, part, NULL, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_dataset_labels(ds, 0, 34, NULL, floats, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_dataset_labels(ds, 0, 34, part, floats, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_dataset_labels(ds, 0, 34, NULL, NULL, &e), PCR_ERR_INVAL);
    pcr_dataset_close(&ds);
}
END_TEST

START_TEST(describes_itself)
{
    struct pcr_dataset *ds = open_with(NULL);
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_record_info record = { .size = sizeof(record) };
    struct pcr_error e;
    uint64_t n;
    size_t nbytes;
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &e), 0);
    ck_assert_uint_eq(info.sample_count, 34);
    ck_assert_uint_eq(info.record_count, 4);
    ck_assert_uint_eq(info.group_count, GROUPS);
    ck_assert_uint_eq(info.class_count, 3);
    ck_assert_uint_eq(info.split_count, 2);
    ck_assert_uint_eq(info.source_nbytes, 12345);
    ck_assert_uint_eq(info.version_major, 1);
    info.size = 0;
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &e), PCR_ERR_INVAL);

    ck_assert_uint_eq(pcr_dataset_prefix_nbytes(ds, 0), pcr_dataset_prefix_nbytes(ds, 3));
    ck_assert_uint_eq(pcr_dataset_prefix_nbytes(ds, 3), info.total_nbytes);
    ck_assert_uint_gt(pcr_dataset_prefix_nbytes(ds, 1), info.head_nbytes);
    ck_assert_uint_eq(pcr_dataset_prefix_nbytes(ds, 4), 0);
    ck_assert_str_eq(pcr_dataset_class_name(ds, 2), "c");
    ck_assert_ptr_null(pcr_dataset_class_name(ds, 3));
    ck_assert_uint_eq(pcr_dataset_class_count(ds, 1), 11);
    ck_assert_uint_eq(pcr_dataset_class_count(ds, 3), 0);
    ck_assert_str_eq(pcr_dataset_split_name(ds, 1, &n), "test");
    ck_assert_uint_eq(n, 10);
    ck_assert_ptr_null(pcr_dataset_split_name(ds, 2, &n));
    ck_assert_str_eq(pcr_dataset_ladder(ds), made_ladder());
    const char *text = pcr_dataset_manifest(ds, &nbytes);
    ck_assert_uint_eq(strlen(text), nbytes);

    ck_assert_int_eq(pcr_dataset_record(ds, 2, &record, &e), 0);
    ck_assert_str_eq(record.path, "r2.pcr");
    ck_assert_uint_eq(record.first_sample, 15);
    ck_assert_uint_eq(record.sample_count, 9);
    ck_assert_uint_eq(pcr_dataset_record_prefix(ds, 2, 0), record.total_nbytes);
    ck_assert_uint_gt(pcr_dataset_record_prefix(ds, 2, 1), record.head_end);
    ck_assert_uint_eq(pcr_dataset_record_prefix(ds, 2, 4), 0);
    ck_assert_uint_eq(pcr_dataset_record_prefix(ds, 4, 1), 0);
    ck_assert_int_eq(pcr_dataset_record(ds, 4, &record, &e), PCR_ERR_INVAL);
    pcr_dataset_close(&ds);
    pcr_dataset_close(&ds);
}
END_TEST

START_TEST(samples)
{
    const struct pcr_dataset_options o = { .size = sizeof(o),
                                           .io_backend = (uint32_t) _i,
                                           .open_records = 1 };
    struct pcr_dataset *ds = open_with(&o);
    struct pcr_buffer out = { 0 };
    struct pcr_error e;
    struct pcr_sample *kept = NULL;
    for (uint32_t r = 0, index = 0; r < RECORDS; r++) {
        struct made m = shape(r);
        for (uint32_t i = 0; i < m.sample_count; i++, index++) {
            struct pcr_sample *s = NULL;
            struct pcr_sample_info info = { .size = sizeof(info) };
            char key[64];
            ck_assert_int_eq(pcr_sample_acquire(ds, index, &s, &e), 0);
            ck_assert_int_eq(pcr_sample_describe(s, &info, &e), 0);
            made_key(&m, i, key);
            ck_assert_str_eq(info.key, key);
            ck_assert_uint_eq(info.index, index);
            ck_assert_uint_eq(info.record, r);
            ck_assert_uint_eq(info.record_index, i);
            ck_assert_int_eq(info.labels[0], i % 3);
            ck_assert_uint_eq(info.coding, !made_opaque(&m, i));
            ck_assert_uint_eq(info.width, 100 + i);
            for (uint32_t g = 0; g <= GROUPS; g++) {
                ck_assert_int_eq(pcr_sample_read(s, g, &out, &e), 0);
                ck_assert(is_made(&m, i, g ? g : GROUPS, &out));
            }
            ck_assert_uint_ge(pcr_sample_nbytes(s, 0), pcr_sample_nbytes(s, 1));
            ck_assert_uint_eq(pcr_sample_nbytes(s, 4), 0);
            ck_assert_int_eq(pcr_sample_read(s, 4, &out, &e), PCR_ERR_INVAL);
            if (!index)
                kept = s; /* outlives its record's place in the cache */
            else
                pcr_sample_release(&s);
        }
    }
    struct made first = shape(0);
    ck_assert_int_eq(pcr_sample_read(kept, 0, &out, &e), 0);
    ck_assert(is_made(&first, 0, GROUPS, &out));
    pcr_sample_release(&kept);
    ck_assert_ptr_null(kept);
    ck_assert_int_eq(pcr_sample_acquire(ds, 34, &kept, &e), PCR_ERR_INVAL);
    pcr_buffer_free(&out);
    pcr_dataset_close(&ds);
}
END_TEST

/* Sample i of the slice from its spans: groups 1..a, then those after a. */
static void join_spans(const struct pcr_slice *sl, uint32_t i, uint32_t a, uint32_t g,
                       struct pcr_spans *spans, struct pcr_buffer *out)
{
    struct pcr_error e;
    struct pcr_sample_info info = { .size = sizeof(info) };
    out->nbytes = 0;
    for (uint32_t part = a ? 0 : 1; part < 2; part++) {
        ck_assert_int_eq(pcr_slice_spans(sl, i, part ? a : 0, part ? g : a, spans, &e), 0);
        for (uint32_t k = 0; k < spans->count; k++)
            ck_assert_int_eq(
                pcri_buffer_append(out, spans->items[k].data, spans->items[k].nbytes, &e), 0);
    }
    ck_assert_int_eq(pcr_slice_describe(sl, i, &info, &e), 0);
    if (info.coding == PCR_CODING_SCANS)
        ck_assert_int_eq(pcri_buffer_append(out, "\xFF\xD9", 2, &e), 0);
}

START_TEST(spans)
{
    struct pcr_dataset *ds = open_with(NULL);
    struct pcr_buffer out = { 0 };
    struct pcr_spans list = { 0 };
    struct pcr_error e;
    struct pcr_slice *sl = NULL;
    struct made m = shape(1);
    for (uint32_t g = 1; g <= GROUPS; g++) {
        ck_assert_int_eq(pcr_slice_read(ds, 1, 2, 5, g, &sl, &e), 0);
        for (uint32_t i = 0; i < 5; i++) {
            join_spans(sl, i, 0, g, &list, &out);
            ck_assert(is_made(&m, 2 + i, g, &out));
            /* The metadata of group G stand in the header, which rising passes over. */
            for (uint32_t a = 1; a < g && g < GROUPS; a++) {
                join_spans(sl, i, a, g, &list, &out);
                ck_assert(is_made(&m, 2 + i, g, &out));
            }
        }
        ck_assert_int_eq(pcr_slice_spans(sl, 0, g, 0, &list, &e), 0);
        ck_assert_uint_eq(list.count, 0);
        ck_assert_int_eq(pcr_slice_spans(sl, 0, g + 1, 0, &list, &e), PCR_ERR_INVAL);
        ck_assert_int_eq(pcr_slice_spans(sl, 0, 0, g + 1, &list, &e), PCR_ERR_INVAL);
        ck_assert_int_eq(pcr_slice_spans(sl, 5, 0, g, &list, &e), PCR_ERR_INVAL);
        pcr_slice_release(&sl);
    }
    pcr_spans_free(&list);
    pcr_spans_free(NULL);
    pcr_buffer_free(&out);
    pcr_dataset_close(&ds);
}
END_TEST

/* Samples of one slice at fidelities of their own, some left out. */
START_TEST(slices_of_each)
{
    struct pcr_dataset *ds = open_with(NULL);
    struct pcr_buffer out = { 0 };
    struct pcr_error e;
    struct made m = shape(1);
    uint32_t wrong = 0;
    for (uint32_t pattern = 1; pattern < 1u << 16; pattern = pattern * 7 + 1) {
        uint8_t fidelities[8];
        uint32_t any = 0, n = 1 + pattern % 8, a = pattern / 8 % (9 - n);
        struct pcr_slice *sl = NULL;
        for (uint32_t i = 0; i < n; i++)
            any |= fidelities[i] = (uint8_t) ((pattern >> 2 * i) % (GROUPS + 1));
        int rc = pcr_slice_read_each(ds, 1, a, n, fidelities, &sl, &e);
        ck_assert_int_eq(rc, any ? 0 : PCR_ERR_INVAL);
        for (uint32_t i = 0; i < n && any; i++) {
            uint32_t g = fidelities[i];
            rc = pcr_slice_get(sl, i, 0, &out, &e);
            wrong += g ? rc != 0 || !is_made(&m, a + i, g, &out) : rc != PCR_ERR_INVAL;
            wrong += pcr_slice_get(sl, i, g + 1, &out, &e) != PCR_ERR_INVAL;
            if (g > 1)
                wrong += pcr_slice_get(sl, i, 1, &out, &e) || !is_made(&m, a + i, 1, &out);
        }
        pcr_slice_release(&sl);
    }
    ck_assert_uint_eq(wrong, 0);
    const uint8_t bad[2] = { 1, GROUPS + 1 };
    struct pcr_slice *sl = NULL;
    ck_assert_int_eq(pcr_slice_read_each(ds, 1, 0, 2, bad, &sl, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_slice_read_each(ds, 1, 7, 2, bad, &sl, &e), PCR_ERR_INVAL);
    ck_assert_ptr_null(sl);
    pcr_buffer_free(&out);
    pcr_dataset_close(&ds);
}
END_TEST

START_TEST(slices)
{
    struct pcr_dataset *ds = open_with(NULL);
    struct pcr_buffer out = { 0 };
    struct pcr_error e;
    struct pcr_slice *sl = NULL;
    struct made m = shape(1);
    for (uint32_t a = 0; a < 8; a++)
        for (uint32_t n = 1; n <= 8 - a; n++)
            for (uint32_t g = 1; g <= GROUPS; g++) {
                struct pcr_sample_info info = { .size = sizeof(info) };
                ck_assert_int_eq(pcr_slice_read(ds, 1, a, n, g, &sl, &e), 0);
                ck_assert_uint_eq(pcr_slice_count(sl), n);
                ck_assert_int_eq(pcr_slice_describe(sl, n - 1, &info, &e), 0);
                ck_assert_uint_eq(info.index, 7 + a + n - 1);
                ck_assert_int_eq(pcr_slice_get(sl, n - 1, 0, &out, &e), 0);
                ck_assert(is_made(&m, a + n - 1, g, &out));
                ck_assert_int_eq(pcr_slice_get(sl, 0, 1, &out, &e), 0);
                ck_assert(is_made(&m, a, 1, &out));
                ck_assert_int_eq(pcr_slice_get(sl, n, 1, &out, &e), PCR_ERR_INVAL);
                ck_assert_int_eq(pcr_slice_get(sl, 0, g + 1, &out, &e), PCR_ERR_INVAL);
                ck_assert_int_eq(pcr_slice_describe(sl, n, &info, &e), PCR_ERR_INVAL);
                pcr_slice_release(&sl);
            }
    ck_assert_int_eq(pcr_slice_read(ds, 4, 0, 1, 1, &sl, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_slice_read(ds, 1, 8, 1, 1, &sl, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_slice_read(ds, 1, 7, 2, 1, &sl, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_slice_read(ds, 1, 1, UINT32_MAX, 1, &sl, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_slice_read(ds, 1, 0, 0, 1, &sl, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_slice_read(ds, 1, 0, 1, 4, &sl, &e), PCR_ERR_INVAL);
    ck_assert_ptr_null(sl);
    pcr_slice_release(&sl);
    pcr_buffer_free(&out);
    pcr_dataset_close(&ds);
}
END_TEST

START_TEST(splits)
{
    struct pcr_dataset_options o = { .size = sizeof(o), .split = "test" };
    struct pcr_dataset *ds = open_with(&o);
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_sample *s = NULL;
    struct pcr_buffer out = { 0 };
    struct pcr_error e;
    struct made m = shape(3);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &e), 0);
    ck_assert_uint_eq(info.sample_count, 10);
    ck_assert_uint_eq(info.record_count, 1);
    ck_assert_uint_eq(info.split_count, 2);
    ck_assert_uint_eq(pcr_dataset_class_count(ds, 1), 3);
    ck_assert_int_eq(pcr_sample_acquire(ds, 9, &s, &e), 0);
    ck_assert_int_eq(pcr_sample_read(s, 0, &out, &e), 0);
    ck_assert(is_made(&m, 9, GROUPS, &out));
    pcr_sample_release(&s);
    pcr_dataset_close(&ds);
    pcr_buffer_free(&out);

    o.split = "tes";
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, &o, &ds, &e), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(e.message, "tes"));
    o = (struct pcr_dataset_options) { .size = sizeof(o), .io_backend = 77 };
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, &o, &ds, &e), PCR_ERR_INVAL);
    o = (struct pcr_dataset_options) { .size = sizeof(o), .flags = 1u << 31 };
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, &o, &ds, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_dataset_open(NULL, NULL, &ds, &e), PCR_ERR_INVAL);
}
END_TEST

START_TEST(keys)
{
    const struct pcr_dataset_options o = { .size = sizeof(o), .open_records = 2 };
    struct pcr_dataset *ds = open_with(&o);
    struct pcr_error e;
    uint64_t found = 0;
    for (uint32_t r = 0, index = 0; r < RECORDS; r++) {
        struct made m = shape(r);
        for (uint32_t i = 0; i < m.sample_count; i++, index++) {
            char key[64];
            made_key(&m, i, key);
            ck_assert_int_eq(pcr_dataset_find(ds, key, strlen(key), &found, &e), 0);
            ck_assert_uint_eq(found, index);
            ck_assert_int_eq(pcr_dataset_find(ds, key, strlen(key) + 1, &found, &e), PCR_END);
        }
    }
    ck_assert_int_eq(pcr_dataset_find(ds, "", 0, &found, &e), PCR_END);
    ck_assert_int_eq(pcr_dataset_find(ds, "key/x", 5, &found, &e), PCR_END);
    pcr_dataset_close(&ds);
}
END_TEST

static void find_first(struct pcr_dataset **ds)
{
    uint64_t found;
    struct pcr_error e;
    *ds = open_with(NULL);
    ck_assert_int_eq(pcr_dataset_find(*ds, "key/x", 5, &found, &e), PCR_END);
}

/* Nobody can choose keys that meet in one place: each dataset has places of its own. */
START_TEST(keys_are_seeded)
{
    struct pcr_dataset *a, *b;
    find_first(&a);
    find_first(&b);
    ck_assert_uint_eq(a->keys.slot_count, b->keys.slot_count);
    ck_assert_mem_ne(a->keys.slots, b->keys.slots,
                     a->keys.slot_count * sizeof(*a->keys.slots));
    pcr_dataset_close(&a);
    pcr_dataset_close(&b);
}
END_TEST

/* Of equal keys the first is found, and few take places. */
START_TEST(equal_keys)
{
    enum { N = 200 };
    static const uint16_t pieces[] = { 1 };
    const struct pcri_sample_meta meta = { .key = "the key" };
    struct pcri_builder *b = NULL;
    struct pcr_dataset *ds = NULL;
    struct pcr_error e;
    uint64_t found = 99, used = 0;
    ck_assert_int_eq(pcri_builder_create(1, pieces, NULL, &b, &e), 0);
    for (int i = 0; i < N; i++) {
        struct pcri_coded p = { .coding = PCR_CODING_OPAQUE };
        ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), 0);
    }
    ck_assert_int_eq(pcri_builder_finish(b, made_folder.path, "equal.pcr", NULL, &e), 0);
    pcri_builder_destroy(&b);
    ck_assert_int_eq(pcr_dataset_open(made_path("equal.pcr"), NULL, &ds, &e), 0);
    ck_assert_int_eq(pcr_dataset_find(ds, meta.key, strlen(meta.key), &found, &e), 0);
    ck_assert_uint_eq(found, 0);
    for (uint64_t s = 0; s < ds->keys.slot_count; s++)
        used += ds->keys.slots[s] != 0;
    ck_assert_uint_lt(used, 10);
    pcr_dataset_close(&ds);
}
END_TEST

START_TEST(single_record)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_dataset_options o = { .size = sizeof(o), .split = "all" };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_record_info record = { .size = sizeof(record) };
    struct pcr_sample *s = NULL;
    struct pcr_buffer out = { 0 };
    struct pcr_error e;
    struct made m = shape(2);
    uint64_t n;
    ck_assert_int_eq(pcr_dataset_open(made_path("r2.pcr"), &o, &ds, &e), 0);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &e), 0);
    ck_assert_uint_eq(info.sample_count, 9);
    ck_assert_uint_eq(info.source_nbytes, 1000 * (9 * 8 / 2));
    ck_assert_uint_eq(info.opaque_count, 1);
    ck_assert_str_eq(pcr_dataset_manifest(ds, NULL), "");
    ck_assert_str_eq(pcr_dataset_ladder(ds), made_ladder());
    ck_assert_str_eq(pcr_dataset_split_name(ds, 0, &n), "all");
    ck_assert_int_eq(pcr_dataset_record(ds, 0, &record, &e), 0);
    ck_assert_str_eq(record.path, "r2.pcr");
    ck_assert_int_eq(pcr_sample_acquire(ds, 3, &s, &e), 0);
    ck_assert_int_eq(pcr_sample_read(s, 2, &out, &e), 0);
    ck_assert(is_made(&m, 3, 2, &out));
    pcr_sample_release(&s);
    pcr_dataset_close(&ds);
    o.split = "train";
    ck_assert_int_eq(pcr_dataset_open(made_path("r2.pcr"), &o, &ds, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_dataset_open(made_path("manifest.json"), NULL, &ds, &e),
                     PCR_ERR_FORMAT);
    pcr_buffer_free(&out);

    /* Sizes of sources that no number holds. */
    const struct made one = made_shape(1, GROUPS);
    struct pcri_builder *b = NULL;
    ck_assert_int_eq(pcri_builder_create(GROUPS, one.piece_counts, made_ladder(), &b, &e), 0);
    for (uint32_t i = 0; i < 2; i++) {
        const struct pcri_sample_meta meta = { .key = i ? "b" : "a" };
        struct pcri_coded p;
        made_pack(&one, i, &p);
        p.source_nbytes = UINT64_MAX - 1;
        ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), 0);
    }
    ck_assert_int_eq(pcri_builder_finish(b, made_folder.path, "large.pcr", NULL, &e), 0);
    pcri_builder_destroy(&b);
    ck_assert_int_eq(pcr_dataset_open(made_path("large.pcr"), NULL, &ds, &e), PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "large.pcr: source sizes overflow"));
}
END_TEST

START_TEST(missing_things)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_sample *s = NULL;
    struct pcr_error e;
    uint64_t found;
    ck_assert_int_eq(pcr_dataset_open(made_path("nothing"), NULL, &ds, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, ENOENT);
    ds = open_with(NULL);
    ck_assert_int_eq(unlink(made_path("r1.pcr")), 0);
    ck_assert_int_eq(pcr_sample_acquire(ds, 7, &s, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(e.message, made_path("r1.pcr")));
    ck_assert_int_eq(pcr_dataset_find(ds, "x", 1, &found, &e), PCR_ERR_IO);
    ck_assert_int_eq(pcr_sample_acquire(ds, 0, &s, &e), 0); /* the others are there */
    pcr_sample_release(&s);
    /* It comes back: a failure is not remembered. */
    struct made m = shape(1);
    made_record(&m, made_folder.path, "r1.pcr", NULL);
    ck_assert_int_eq(pcr_sample_acquire(ds, 7, &s, &e), 0);
    pcr_sample_release(&s);
    pcr_dataset_close(&ds);
    ck_assert_int_eq(unlink(made_path("manifest.json")), 0);
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, NULL, &ds, &e), PCR_ERR_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "manifest.json"));
}
END_TEST

START_TEST(replaced_record)
{
    struct pcr_dataset *ds = open_with(NULL);
    struct pcr_sample *s = NULL;
    struct pcr_error e;
    /* Another number of samples; then the same sizes, but other bytes. */
    struct made m = shape(2);
    made_record(&m, made_folder.path, "r1.pcr", NULL);
    ck_assert_int_eq(pcr_sample_acquire(ds, 7, &s, &e), PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "r1.pcr"));
    m = shape(1);
    m.first += 60; /* keys and bytes differ */
    made_record(&m, made_folder.path, "r1.pcr", NULL);
    ck_assert_int_eq(pcr_sample_acquire(ds, 7, &s, &e), PCR_ERR_CORRUPT);
    m.group_count++;
    m.piece_counts[GROUPS] = 1;
    made_record(&m, made_folder.path, "r1.pcr", NULL);
    ck_assert_int_eq(pcr_sample_acquire(ds, 7, &s, &e), PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "its group count is not what the manifest says"));
    pcr_dataset_close(&ds);

    /* A manifest that knows other ends of groups; that the header is another is not looked at. */
    const struct pcr_dataset_options o = { .size = sizeof(o), .flags = PCR_DATASET_NO_VERIFY };
    m = shape(1);
    made_record(&m, made_folder.path, "r1.pcr", NULL);
    struct pcri_manifest manifest;
    struct pcr_buffer text = { 0 };
    FILE *f = fopen(made_path(PCRI_MANIFEST_NAME), "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(pcri_buffer_reserve(&text, 1 << 16, &e), 0);
    text.nbytes = fread(text.data, 1, text.capacity, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(
        pcri_manifest_parse(text.data, text.nbytes, NULL, PCRI_PARSE_NO_VERIFY, &manifest, &e),
        0);
    manifest.ends[GROUPS]++; /* of group 1 in record 1; the sum stays */
    manifest.ends[2 * GROUPS]--;
    write_manifest(&manifest);
    pcr_buffer_free(&text);
    ds = open_with(&o);
    ck_assert_int_eq(pcr_sample_acquire(ds, 7, &s, &e), PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "its group table is not what the manifest says"));
    pcr_dataset_close(&ds);
}
END_TEST

/* Where descriptors are short, records that are merely kept open make room, those of other
 * datasets too; those that are in use stay. */
START_TEST(few_descriptors)
{
    const struct pcr_dataset_options o = { .size = sizeof(o), .retry_count = PCR_RETRY_NEVER };
    struct pcr_dataset *a = open_with(&o), *b = open_with(&o);
    struct pcr_sample *kept[3] = { NULL };
    struct pcr_error e;
    struct rlimit all, few;
    int next = dup(0);
    ck_assert_int_ge(next, 0);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = all;
    few.rlim_cur = (rlim_t) next + 2;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (uint64_t i = 0; i < 34; i++) {
        struct pcr_sample *s = NULL;
        ck_assert_int_eq(pcr_sample_acquire(i % 3 ? a : b, i, &s, &e), 0);
        pcr_sample_release(&s);
    }
    ck_assert_int_eq(pcr_sample_acquire(a, 0, &kept[0], &e), 0);
    ck_assert_int_eq(pcr_sample_acquire(b, 33, &kept[1], &e), 0);
    ck_assert_int_eq(pcr_sample_acquire(b, 0, &kept[2], &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, EMFILE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
    for (int i = 0; i < 2; i++)
        pcr_sample_release(&kept[i]);
    pcr_dataset_close(&a);
    pcr_dataset_close(&b);
}
END_TEST

static void flip(const char *name, long offset)
{
    FILE *f = fopen(made_path(name), "r+b");
    ck_assert_ptr_nonnull(f);
    fseek(f, offset, SEEK_SET);
    int c = fgetc(f);
    fseek(f, offset, SEEK_SET);
    fputc(c ^ 1, f);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(damage_and_no_verify)
{
    struct pcr_dataset_options o = { .size = sizeof(o) };
    struct pcr_record_info info = { .size = sizeof(info) };
    struct pcr_buffer out = { 0 };
    struct pcr_sample *s = NULL;
    struct pcr_error e;
    struct pcr_dataset *ds = open_with(NULL);
    ck_assert_int_eq(pcr_dataset_record(ds, 0, &info, &e), 0);
    flip("r0.pcr", (long) info.total_nbytes - 1); /* group 3 of the last sample */
    ck_assert_int_eq(pcr_sample_acquire(ds, 6, &s, &e), 0);
    ck_assert_int_eq(pcr_sample_read(s, 3, &out, &e), PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "r0.pcr"));
    ck_assert_int_eq(pcr_sample_read(s, 2, &out, &e), 0);
    pcr_sample_release(&s);
    pcr_dataset_close(&ds);

    flip("manifest.json", 12);
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, NULL, &ds, &e), PCR_ERR_CORRUPT);
    o.flags = PCR_DATASET_NO_VERIFY;
    ds = open_with(&o);
    ck_assert_int_eq(pcr_sample_acquire(ds, 6, &s, &e), 0);
    ck_assert_int_eq(pcr_sample_read(s, 3, &out, &e), 0);
    pcr_sample_release(&s);
    pcr_buffer_free(&out);
    pcr_dataset_close(&ds);
}
END_TEST

/* --- verifying --- */

struct findings {
    int count, undecodable, progress, stop_at;
    char last[512];
};

static int note(void *context, uint32_t kind, const char *path, uint64_t done,
                const struct pcr_error *err)
{
    struct findings *f = context;
    int *const counts[] = { &f->progress, &f->count, &f->undecodable };
    ck_assert_int_eq(!err, kind == PCR_VERIFY_PROGRESS);
    if (err)
        snprintf(f->last, sizeof(f->last), "%s", err->message);
    *counts[kind] += 1;
    ck_assert_ptr_nonnull(strstr(path, ".pcr"));
    ck_assert_uint_gt(done, 0);
    return f->stop_at && f->count >= f->stop_at;
}

START_TEST(verify_finds_damage)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct findings f = { 0 };
    struct pcr_error e;
    struct pcr_dataset *ds = open_with(NULL);
    for (uint64_t r = 0; r < RECORDS; r++)
        ck_assert_int_eq(pcr_dataset_verify_record(ds, r, 0, &report, note, &f, &e), 0);
    ck_assert_uint_eq(report.record_count, 4);
    ck_assert_uint_eq(report.sample_count, 34);
    ck_assert_uint_eq(report.bad_records + report.bad_samples, 0);
    ck_assert_int_eq(f.count, 0);
    ck_assert_int_eq(f.progress, 4);

    flip("r0.pcr", (long) pcr_dataset_record_prefix(ds, 0, 1) - 1);
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 0, 0, &report, note, &f, &e), 0);
    ck_assert_uint_eq(report.bad_records, 1);
    ck_assert_uint_eq(report.bad_samples, 1);
    ck_assert_int_eq(f.count, 2); /* the group, and the chunk */
    ck_assert_ptr_nonnull(strstr(f.last, "key/"));
    flip("r1.pcr", 60);
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 1, 0, &report, note, &f, &e), 0);
    ck_assert_int_eq(f.count, 3);
    ck_assert_int_eq(unlink(made_path("r2.pcr")), 0);
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 2, 0, &report, NULL, NULL, &e), 0);
    ck_assert_uint_eq(report.bad_records, 3);
    ck_assert_uint_eq(report.record_count, 7);

    f.stop_at = f.count + 1;
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 0, 0, &report, note, &f, &e),
                     PCR_ERR_CANCELLED);
    ck_assert_int_eq(f.count, f.stop_at);
    f.stop_at = f.count + 2; /* at the chunk, after its group */
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 0, 0, &report, note, &f, &e),
                     PCR_ERR_CANCELLED);
    ck_assert_int_eq(f.count, f.stop_at);
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 4, 0, &report, note, &f, &e),
                     PCR_ERR_INVAL);
    report.size = 0;
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 0, 0, &report, note, &f, &e),
                     PCR_ERR_INVAL);
    pcr_dataset_close(&ds);
}
END_TEST

/* The made-up samples are no images: the coded ones are damaged, the opaque one is as it was
 * kept, but cannot be shown. */
START_TEST(verify_deep_decodes)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct findings f = { 0 };
    struct pcr_error e;
    struct pcr_dataset *ds = open_with(NULL);
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 2, 1, &report, note, &f, &e), 0);
    ck_assert_uint_eq(report.bad_records, 0);
    ck_assert_uint_eq(report.bad_samples, 8); /* of 9, one is opaque */
    ck_assert_int_eq(f.count, 8);
    ck_assert_uint_eq(report.undecodable_samples, 1);
    ck_assert_int_eq(f.undecodable, 1);
    ck_assert_ptr_nonnull(strstr(f.last, "fidelity 1"));
    pcr_dataset_close(&ds);
}
END_TEST

/* --- threads --- */

struct worker {
    struct pcr_dataset *ds;
    uint32_t seed;
    atomic_int *bad;
};

static void read_one(const struct worker *w, uint32_t index, struct pcr_buffer *out)
{
    static const uint32_t firsts[] = { 0, 7, 15, 24 };
    uint32_t r = index < 7 ? 0 : index < 15 ? 1 : index < 24 ? 2 : 3;
    struct made m = shape(r);
    struct pcr_sample *s = NULL;
    struct pcr_slice *sl = NULL;
    struct pcr_error e;
    char key[64];
    uint64_t found;
    if (pcr_sample_acquire(w->ds, index, &s, &e) || pcr_sample_read(s, 2, out, &e) ||
        !is_made(&m, index - firsts[r], 2, out))
        atomic_fetch_add(w->bad, 1);
    pcr_sample_release(&s);
    if (pcr_slice_read(w->ds, r, 0, m.sample_count, 1, &sl, &e) ||
        pcr_slice_get(sl, index - firsts[r], 0, out, &e) ||
        !is_made(&m, index - firsts[r], 1, out))
        atomic_fetch_add(w->bad, 1);
    pcr_slice_release(&sl);
    made_key(&m, index - firsts[r], key);
    if (pcr_dataset_find(w->ds, key, strlen(key), &found, &e) || found != index)
        atomic_fetch_add(w->bad, 1);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct pcr_buffer out = { 0 };
    for (uint32_t k = 0; k < 300; k++) {
        w->seed = w->seed * 1664525 + 1013904223;
        read_one(w, (w->seed >> 16) % 34, &out);
    }
    pcr_buffer_free(&out);
    return NULL;
}

START_TEST(many_threads)
{
    const struct pcr_dataset_options o = { .size = sizeof(o), .open_records = 2 };
    pthread_t threads[6];
    struct worker workers[6];
    atomic_int bad = 0;
    struct pcr_dataset *ds = open_with(&o);
    for (uint32_t t = 0; t < 6; t++) {
        workers[t] = (struct worker) { ds, t, &bad };
        ck_assert_int_eq(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (uint32_t t = 0; t < 6; t++)
        pthread_join(threads[t], NULL);
    ck_assert_int_eq(atomic_load(&bad), 0);
    pcr_dataset_close(&ds);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("dataset");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make_dataset, made_dir_remove);
    tcase_add_test(t, describes_itself);
    tcase_add_loop_test(t, samples, 0, 5);
    tcase_add_test(t, slices);
    tcase_add_test(t, slices_of_each);
    tcase_add_test(t, spans);
    tcase_add_test(t, splits);
    tcase_add_test(t, keys);
    tcase_add_test(t, keys_are_seeded);
    tcase_add_test(t, equal_keys);
    tcase_add_test(t, many_labels);
    tcase_add_test(t, single_record);
    tcase_add_test(t, missing_things);
    tcase_add_test(t, replaced_record);
    tcase_add_test(t, few_descriptors);
    tcase_add_test(t, damage_and_no_verify);
    tcase_add_test(t, verify_finds_damage);
    tcase_add_test(t, verify_deep_decodes);
    tcase_add_test(t, many_threads);
    return tests_run();
}
