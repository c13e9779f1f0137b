/* SPDX-License-Identifier: BSD-2-Clause */
/* record: what the builder writes, the reader gives back; damage is noticed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "dataset/materialise.h"
#include "io/storage.h"
#include "made.h"
#include "suite.h"

static struct pcri_record *open_made(const char *name, uint64_t hint, uint32_t flags)
{
    struct pcri_record *r = NULL;
    struct pcr_error e;
    int rc = pcri_record_open(made_path(name), &pcri_io_pread, hint, NULL, flags, &r, &e);
    ck_assert_msg(!rc, "%s", rc ? e.message : "");
    return r;
}

/* Sample i of a run that begins at a. */
static void materialise(const struct pcri_record *r, uint32_t a, uint32_t i, uint32_t g,
                        const struct pcri_run *run, struct pcr_buffer *out)
{
    const uint8_t *chunks[PCRI_MAX_GROUPS];
    struct pcr_error e;
    for (uint32_t k = 0; k < g; k++)
        chunks[k] = run->groups[k] + pcri_chunk_offset(r->head, k, i) -
                    pcri_chunk_offset(r->head, k, a);
    ck_assert_int_eq(pcri_materialise(r->head, i, g, chunks, out, &e), 0);
}

static void check_run(const struct made *m, const struct pcri_record *r, uint32_t a,
                      uint32_t b, uint32_t g)
{
    struct pcri_run run = { 0 };
    struct pcr_buffer got = { 0 }, expected = { 0 };
    struct pcr_error e;
    int rc = pcri_record_read(r, a, b, g, &run, &e);
    ck_assert_msg(!rc, "%s", rc ? e.message : "");
    for (uint32_t i = a; i < b; i++) {
        materialise(r, a, i, g, &run, &got);
        made_expect(m, i, g, &expected);
        ck_assert_uint_eq(got.nbytes, expected.nbytes);
        if (got.nbytes)
            ck_assert_mem_eq(got.data, expected.data, got.nbytes);
    }
    pcri_block_free(&run.memory);
    pcr_buffer_free(&got);
    pcr_buffer_free(&expected);
}

static void check_head(const struct made *m, const struct pcri_head *h)
{
    struct pcr_buffer text = { 0 };
    for (uint32_t i = 0; i < m->sample_count; i++) {
        char key[64];
        uint32_t n;
        made_key(m, i, key);
        ck_assert_str_eq(pcri_text(&h->keys, i, &n), key);
        ck_assert_uint_eq(n, strlen(key));
        ck_assert_int_eq(pcri_attributes_text(h->attributes, i, &text, NULL), 0);
        ck_assert_str_eq((const char *) text.data, i % 2 ? "{\"odd\":1}" : "{}");
        ck_assert_uint_eq(h->label_first[i + 1] - h->label_first[i], i % 4 ? 1 : 2);
        ck_assert_int_eq(h->labels[h->label_first[i]], i % 3);
        if (i % 4 == 0)
            ck_assert_int_eq(h->labels[h->label_first[i] + 1], -(int64_t) i);
        ck_assert_uint_eq(h->coding[i], !made_opaque(m, i));
        ck_assert_uint_eq(h->width[i], 100 + i);
        ck_assert_uint_eq(h->height[i], 50 + i);
        ck_assert_uint_eq(h->components[i], 3);
        ck_assert_uint_eq(h->sampling[i], 0x111122);
        ck_assert_uint_eq(h->orientation[i], i % 9 ? i % 9 : 1);
        ck_assert_uint_eq(h->script[i], i % 2);
        ck_assert_uint_eq(h->source_nbytes[i], 1000 * i);
    }
    pcr_buffer_free(&text);
    ck_assert_str_eq(h->ladder, made_ladder());
    ck_assert_uint_gt(pcri_head_footprint(h), sizeof(*h));
}

START_TEST(round_trip)
{
    static const struct {
        uint32_t n, g;
    } shapes[] = {
        { 1, 1 }, { 1, 6 }, { 2, 2 }, { 5, 1 }, { 37, 6 }, { 300, 32 }, { 1200, 1 },
    };
    struct made m = made_shape(shapes[_i].n, shapes[_i].g);
    struct pcri_header written;
    made_record(&m, made_folder.path, "r.pcr", &written);
    ck_assert_int_eq(made_dir_count(), 1);

    struct stat st;
    ck_assert_int_eq(stat(made_path("r.pcr"), &st), 0);
    ck_assert_uint_eq((uint64_t) st.st_size, written.groups[m.group_count - 1].end);
    const uint64_t hints[] = { 0, written.header_nbytes + written.head_nbytes, 1, 1 << 30 };
    for (size_t k = 0; k < 4; k++) {
        struct pcri_record *r = open_made("r.pcr", hints[k], 0);
        ck_assert_uint_eq(r->header.check, written.check);
        check_head(&m, r->head);
        for (uint32_t g = 1; g <= m.group_count; g++) {
            check_run(&m, r, 0, m.sample_count, g);
            check_run(&m, r, m.sample_count / 3, m.sample_count / 2, g);
            check_run(&m, r, m.sample_count - 1, m.sample_count, g);
        }
        pcri_record_close(&r);
        ck_assert_ptr_null(r);
    }
}
END_TEST

START_TEST(same_input_same_bytes)
{
    struct made m = made_shape(50, 5);
    struct pcr_buffer a = { 0 }, b = { 0 };
    struct pcri_builder *builder = made_builder(&m);
    ck_assert_uint_eq(pcri_builder_count(builder), 50);
    ck_assert_int_eq(pcri_builder_finish(builder, NULL, "dry", NULL, NULL), 0);
    ck_assert_int_eq(made_dir_count(), 0);
    ck_assert_int_eq(pcri_builder_finish(builder, made_folder.path, "a", NULL, NULL), 0);
    pcri_builder_destroy(&builder);
    made_record(&m, made_folder.path, "b", NULL);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, made_path("a"), 1 << 20, 0, &a, NULL), 0);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, made_path("b"), 1 << 20, 0, &b, NULL), 0);
    ck_assert_uint_eq(a.nbytes, b.nbytes);
    ck_assert_mem_eq(a.data, b.data, a.nbytes);
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
}
END_TEST

/* Each string once, in order of first use; unique metadata in the last group alone. */
START_TEST(dictionary_holds_what_recurs)
{
    struct made m = made_shape(7, 2);
    made_record(&m, made_folder.path, "r", NULL);
    struct pcri_record *r = open_made("r", 0, 0);
    const struct pcri_strings *d = &r->head->dictionary;
    static const char *const expected[] = {
        "{start}",  "{shared comment}", "{frame 0}", "{scan 1}",  "{frame 1}",
        "{scan 0}", "{scan 2}",         "{frame 2}", "{frame 3}",
    };
    ck_assert_uint_eq(d->count, 9);
    for (uint32_t i = 0; i < d->count; i++) {
        ck_assert_uint_eq(pcri_string_nbytes(d, i), strlen(expected[i]));
        ck_assert_mem_eq(d->bytes + d->offsets[i], expected[i], strlen(expected[i]));
    }
    pcri_record_close(&r);
}
END_TEST

START_TEST(tail_holds_what_was_skipped)
{
    struct made m = made_shape(3, 2);
    struct pcri_builder *b = made_builder(&m);
    struct pcr_buffer raw = { 0 };
    struct pcri_cursor c;
    struct pcr_error e;
    ck_assert_int_eq(pcri_builder_skip(b, "{\"path\":\"a\"}", &e), 0);
    ck_assert_int_eq(pcri_builder_skip(b, "{}", &e), 0);
    ck_assert_int_eq(pcri_builder_note(b, "{\"index\":0}", &e), 0);
    ck_assert_int_eq(pcri_builder_finish(b, made_folder.path, "r", NULL, &e), 0);
    pcri_builder_destroy(&b);

    struct pcri_record *r = open_made("r", 0, 0);
    check_run(&m, r, 0, 3, 2);
    ck_assert_int_eq(pcri_record_read_tail(r, NULL, &raw, &e), 0);
    ck_assert_int_eq(pcri_column_find(&raw, 1, &c, &e), 0);
    ck_assert_uint_eq(pcri_get_varint(&c), 2);
    ck_assert_uint_eq(pcri_get_varint(&c), 12);
    ck_assert_uint_eq(pcri_get_varint(&c), 2);
    ck_assert_mem_eq(c.p, "{\"path\":\"a\"}{}", 14);
    ck_assert_uint_eq(pcri_left(&c), 14);
    ck_assert_int_eq(pcri_column_find(&raw, 3, &c, &e), 0);
    ck_assert_uint_eq(pcri_left(&c), 2 + 11);
    ck_assert_mem_eq(c.p, "\1\13{\"index\":0}", 13);
    ck_assert_int_eq(pcri_column_find(&raw, 2, &c, &e), 0);
    ck_assert_ptr_null(c.p);
    ck_assert_int_eq(pcri_column_find(&raw, 0, &c, &e), PCR_ERR_INVAL);
    struct pcr_limits tight = { .size = sizeof(tight), .max_head_nbytes = 20 };
    ck_assert_int_eq(pcri_record_read_tail(r, &tight, &raw, &e), PCR_ERR_LIMIT);
    pcri_record_close(&r);

    made_record(&m, made_folder.path, "none", NULL);
    r = open_made("none", 0, 0);
    ck_assert_int_eq(pcri_record_read_tail(r, NULL, &raw, &e), 0);
    ck_assert_uint_eq(raw.nbytes, 0);
    pcri_record_close(&r);
    pcr_buffer_free(&raw);
}
END_TEST

START_TEST(head_within_its_limit)
{
    struct made m = made_shape(3, 2);
    struct pcri_header h;
    struct pcr_error e;
    struct pcri_builder *b = made_builder(&m);
    ck_assert_int_eq(pcri_builder_finish(b, NULL, "r", &h, &e), 0);
    pcri_builder_limit_head(b, h.head_raw_nbytes - 1);
    ck_assert_int_eq(pcri_builder_finish(b, NULL, "r", &h, &e), PCR_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(e.message, "fewer samples"));
    pcri_builder_limit_head(b, h.head_raw_nbytes);
    ck_assert_int_eq(pcri_builder_finish(b, NULL, "r", &h, &e), 0);
    pcri_builder_destroy(&b);
}
END_TEST

/* Samples that are all alike make a head that readers take for a bomb. */
START_TEST(head_that_expands_too_far)
{
    const struct made m = made_shape(1, 1);
    struct pcri_builder *b = NULL;
    struct pcr_error e;
    ck_assert_int_eq(pcri_builder_create(1, m.piece_counts, "", &b, &e), 0);
    for (int i = 0; i < 60000; i++) {
        const struct pcri_sample_meta meta = { .key = "the same key as all others have" };
        struct pcri_coded p = { .width = 1, .height = 1 };
        if (pcri_builder_add(b, &meta, &p, &e))
            ck_abort_msg("%s", e.message);
    }
    ck_assert_int_eq(pcri_builder_finish(b, NULL, "r", NULL, &e), PCR_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(e.message, "its head of "));
    ck_assert_ptr_nonnull(strstr(e.message, "put fewer samples into a record"));
    pcri_builder_destroy(&b);
}
END_TEST

START_TEST(reader_refuses_wrong_ranges)
{
    struct made m = made_shape(4, 3);
    struct pcri_run run = { 0 };
    struct pcr_error e;
    made_record(&m, made_folder.path, "r", NULL);
    struct pcri_record *r = open_made("r", 0, 0);
    ck_assert_int_eq(pcri_record_read(r, 0, 5, 1, &run, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_record_read(r, 3, 2, 1, &run, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_record_read(r, 0, 1, 0, &run, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_record_read(r, 0, 1, 4, &run, &e), PCR_ERR_INVAL);
    const uint8_t fidelities[5] = { 1, 1, 1, 1, 1 };
    ck_assert_uint_gt(pcri_record_run_nbytes(r, 0, 4, 1), 0);
    ck_assert_uint_eq(pcri_record_run_nbytes(r, 0, 5, 1), 0);
    ck_assert_uint_gt(pcri_record_each_nbytes(r, 0, 4, fidelities, 1), 0);
    ck_assert_uint_eq(pcri_record_each_nbytes(r, 0, 5, fidelities, 1), 0);
    pcri_record_close(&r);
}
END_TEST

START_TEST(builder_refuses_mistakes)
{
    struct made m = made_shape(1, 2);
    struct pcri_builder *b = NULL;
    struct pcri_coded p;
    struct pcr_error e;
    struct pcri_sample_meta meta = { .key = "k" };
    static const uint16_t none[2] = { 1, 0 }, many[1] = { 65 };
    ck_assert_int_eq(pcri_builder_create(0, m.piece_counts, "", &b, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_builder_create(33, m.piece_counts, "", &b, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_builder_create(2, none, "", &b, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_builder_create(1, many, "", &b, &e), PCR_ERR_INVAL);
    ck_assert_ptr_null(b);
    ck_assert_int_eq(pcri_builder_create(2, m.piece_counts, NULL, &b, &e), 0);
    ck_assert_int_eq(pcri_builder_finish(b, NULL, "r", NULL, &e), PCR_ERR_INVAL);

    made_pack(&m, 0, &p);
    p.pieces[0].nbytes++;
    ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), PCR_ERR_INVAL);
    p.pieces[0].nbytes--;
    p.coding = 0; /* with items */
    ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), PCR_ERR_INVAL);
    p.coding = 256;
    ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), PCR_ERR_INVAL);
    p.coding = 1;
    p.orientation = 9;
    ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), PCR_ERR_INVAL);
    p.orientation = 0;
    meta.key = NULL;
    ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), PCR_ERR_INVAL);
    meta.key = "both";
    meta.labels = (const int64_t[]) { 1 };
    meta.float_labels = (const double[]) { 1 };
    ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), PCR_ERR_INVAL);
    meta.labels = NULL;
    meta.float_labels = NULL;
    struct pcri_coded large = { .bytes.nbytes = SIZE_MAX };
    if (SIZE_MAX > UINT32_MAX)
        ck_assert_int_eq(pcri_builder_add(b, &meta, &large, &e), PCR_ERR_LIMIT);
    meta.key = "";
    ck_assert_int_eq(pcri_builder_add(b, &meta, &p, &e), 0);
    ck_assert_uint_eq(pcri_builder_count(b), 1);
    pcri_builder_destroy(&b);
    pcri_builder_destroy(&b);
}
END_TEST

START_TEST(write_errors)
{
    struct made m = made_shape(100, 3);
    struct pcri_builder *b = made_builder(&m);
    struct pcr_error e;
    ck_assert_int_eq(pcri_builder_finish(b, "/proc/none", "r", NULL, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, ENOENT);

    /* A limit on file size stands in for a full disk. */
    struct rlimit old, small;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t n = 0; n < 2000; n += 150) {
        small = (struct rlimit) { n, old.rlim_max };
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        int rc = pcri_builder_finish(b, made_folder.path, "r", NULL, &e);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
        ck_assert_int_eq(rc, PCR_ERR_IO);
        ck_assert_int_eq(e.sys_errno, EFBIG);
        ck_assert_int_eq(made_dir_count(), 0);
    }
    ck_assert_int_eq(pcri_builder_finish(b, made_folder.path, "r", NULL, &e), 0);
    pcri_builder_destroy(&b);
}
END_TEST

/* --- damage --- */

/* Opens and reads all, whole and sample by sample; the first failure's code. */
static int read_all(const char *name, uint32_t flags)
{
    struct pcri_record *r = NULL;
    struct pcri_run run = { 0 };
    struct pcr_buffer out = { 0 }, raw = { 0 };
    struct pcr_error e;
    int rc = pcri_record_open(made_path(name), &pcri_io_pread, 0, NULL, flags, &r, &e);
    if (rc)
        return rc;
    uint32_t n = r->head->sample_count, g = r->head->group_count;
    rc = pcri_record_read(r, 0, n, g, &run, &e);
    for (uint32_t i = 0; i < n; i++) {
        int one = pcri_record_read(r, i, i + 1, g, &run, &e);
        if (!one && pcri_materialise(r->head, i, g, run.groups, &out, &e))
            ck_assert_msg(pcri_is_of_data(e.code, &e), "%s", e.message);
        if (!rc)
            rc = n == 1 ? rc : one;
    }
    if (!rc)
        rc = pcri_record_read_tail(r, NULL, &raw, &e);
    pcri_block_free(&run.memory);
    pcr_buffer_free(&out);
    pcr_buffer_free(&raw);
    pcri_record_close(&r);
    return rc;
}

static void small_record(struct pcr_buffer *file)
{
    struct made m = made_shape(6, 2);
    struct pcri_builder *b = made_builder(&m);
    ck_assert_int_eq(pcri_builder_skip(b, "{\"path\":\"bad.jpg\"}", NULL), 0);
    ck_assert_int_eq(pcri_builder_finish(b, made_folder.path, "good", NULL, NULL), 0);
    pcri_builder_destroy(&b);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, made_path("good"), 1 << 20, 0, file, NULL),
                     0);
    ck_assert_int_eq(read_all("good", 0), 0);
}

/* Overwrites one byte of the file "bad" in place: rewriting it whole is slow on a disk. */
static void poke(size_t offset, uint8_t byte)
{
    int fd = open(made_path("bad"), O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t) offset), 1);
    ck_assert_int_eq(close(fd), 0);
}

START_TEST(every_flipped_bit_is_noticed)
{
    struct pcr_buffer file = { 0 };
    small_record(&file);
    made_write("bad", file.data, file.nbytes);
    for (size_t bit = 0; bit < file.nbytes * 8; bit++) {
        poke(bit / 8, file.data[bit / 8] ^ (uint8_t) (1 << bit % 8));
        int rc = read_all("bad", 0);
        ck_assert_msg(rc == PCR_ERR_FORMAT || rc == PCR_ERR_CORRUPT ||
                          rc == PCR_ERR_UNSUPPORTED || rc == PCR_ERR_TRUNCATED,
                      "bit %zu gives %d", bit, rc);
        poke(bit / 8, file.data[bit / 8]);
    }
    pcr_buffer_free(&file);
}
END_TEST

START_TEST(every_truncation_is_noticed)
{
    struct pcr_buffer file = { 0 };
    small_record(&file);
    made_write("bad", file.data, file.nbytes);
    for (size_t n = file.nbytes; n-- > 0;) {
        ck_assert_int_eq(truncate(made_path("bad"), (off_t) n), 0);
        ck_assert_int_eq(read_all("bad", 0), n < 8 ? PCR_ERR_FORMAT : PCR_ERR_TRUNCATED);
    }
    made_put(&file, "x", 1);
    made_write("bad", file.data, file.nbytes);
    ck_assert_int_eq(read_all("bad", 0), PCR_ERR_CORRUPT);
    pcr_buffer_free(&file);
}
END_TEST

/* Without checksums, wrong bytes may pass, but nothing worse may happen. */
START_TEST(no_verify_is_safe)
{
    static const uint8_t values[] = { 0, 1, 0x7F, 0x80, 0xFF };
    struct pcr_buffer file = { 0 };
    int passed = 0;
    small_record(&file);
    made_write("bad", file.data, file.nbytes);
    for (size_t i = 0; i < file.nbytes; i++) {
        for (size_t v = 0; v < sizeof(values) + 8; v++) {
            poke(i, v < 8 ? file.data[i] ^ (uint8_t) (1 << v) : values[v - 8]);
            passed += !read_all("bad", PCRI_PARSE_NO_VERIFY);
        }
        poke(i, file.data[i]);
    }
    ck_assert_int_gt(passed, 0);
    pcr_buffer_free(&file);
}
END_TEST

/* A file that changes after it was opened. */
START_TEST(later_damage_is_noticed)
{
    struct pcr_buffer file = { 0 };
    struct pcri_run run = { 0 };
    struct pcr_error e;
    small_record(&file);
    struct pcri_record *r = open_made("good", 0, 0);
    uint64_t at = r->head->group_begin[1];
    ck_assert_int_eq(truncate(made_path("good"), (off_t) at), 0);
    ck_assert_int_eq(pcri_record_read(r, 0, 6, 1, &run, &e), 0);
    ck_assert_int_eq(pcri_record_read(r, 0, 6, 2, &run, &e), PCR_ERR_TRUNCATED);
    ck_assert_ptr_nonnull(strstr(e.message, "good"));
    file.data[at] ^= 1;
    made_write("good", file.data, file.nbytes);
    ck_assert_int_eq(pcri_record_read(r, 0, 6, 2, &run, &e), PCR_ERR_CORRUPT);
    ck_assert_uint_eq(e.offset, at);
    ck_assert_int_eq(pcri_record_read(r, 5, 6, 2, &run, &e), 0);
    pcri_block_free(&run.memory);
    pcr_buffer_free(&file);
    pcri_record_close(&r);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("builder");
    tcase_set_timeout(t, 100);
    tcase_add_checked_fixture(t, made_dir_create, made_dir_remove);
    tcase_add_loop_test(t, round_trip, 0, 7);
    tcase_add_test(t, same_input_same_bytes);
    tcase_add_test(t, dictionary_holds_what_recurs);
    tcase_add_test(t, tail_holds_what_was_skipped);
    tcase_add_test(t, head_within_its_limit);
    tcase_add_test(t, head_that_expands_too_far);
    tcase_add_test(t, reader_refuses_wrong_ranges);
    tcase_add_test(t, builder_refuses_mistakes);
    tcase_add_test(t, write_errors);
    tcase_add_test(t, every_flipped_bit_is_noticed);
    tcase_add_test(t, every_truncation_is_noticed);
    tcase_add_test(t, no_verify_is_safe);
    tcase_add_test(t, later_damage_is_noticed);
    return tests_run();
}
