/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls with no place for a result, or numbers that nothing has: errors that say so, and objects
 * that go on as before. */
#include <check.h>

#include <pcr/writer.h>

#include "made_loader.h"
#include "suite.h"

static struct pcr_error err;

#define REFUSED(call, says) \
    do { \
        err.message[0] = '\0'; \
        ck_assert_int_eq(call, PCR_ERR_INVAL); \
        ck_assert_int_eq(err.code, PCR_ERR_INVAL); \
        ck_assert_msg(strstr(err.message, says), "'%s' lacks '%s'", err.message, says); \
    } while (0)

/* The loader's own limits are those of decoding. */
START_TEST(limits)
{
    const struct pcr_limits all[] = {
        { .size = sizeof(all[0]), .max_scans = 1 },
        { .size = sizeof(all[0]), .max_pixels = 100 },
        { .size = sizeof(all[0]), .max_sample_nbytes = 20 },
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct pcr_loader_options o = {
            .size = sizeof(o),
            .batch_size = 10,
            .threads.count = 1,
            .output.height = 16,
            .limits = &all[i],
        };
        struct pcr_loader *l = create(&o);
        struct pcr_batch *b = NULL;
        start(l, 0);
        ck_assert_int_eq(pcr_loader_next(l, &b, &err), PCR_ERR_LIMIT);
        ck_assert_ptr_null(b);
        pcr_loader_destroy(&l);
    }
}
END_TEST

START_TEST(loaders)
{
    const struct pcr_loader_options o = {
        .size = sizeof(o),
        .flags = PCR_LOADER_RAW,
        .batch_size = 50,
        .threads.count = 1,
    };
    struct pcr_loader *l = create(&o);
    struct pcr_batch *b = NULL;
    start(l, 0);
    REFUSED(pcr_loader_next(l, NULL, &err), "out is NULL");
    REFUSED(pcr_loader_state(l, NULL, &err), "the pointer to the state is NULL");
    REFUSED(pcr_loader_state_json(l, NULL, &err), "the pointer to the state is NULL");
    REFUSED(pcr_loader_resume(l, NULL, 8, &err), "no state");
    REFUSED(pcr_loader_create(dataset, &o, NULL, &err), "");
    struct pcr_loader *none = NULL;
    REFUSED(pcr_loader_create(NULL, &o, &none, &err), "");
    struct pcr_decoder *decoder = NULL;
    made_check(pcr_decoder_create(&decoder, &err), &err);
    REFUSED(pcr_resize(NULL, NULL, 1, 1, 3, NULL, NULL, 1, 1, &err), "no decoder, source");
    REFUSED(pcr_resize(decoder, NULL, 1, 1, 3, NULL, NULL, 1, 1, &err), "no decoder, source");
    pcr_decoder_destroy(&decoder);
    const uint8_t pixel[3] = { 0 };
    struct pcr_buffer file = { 0 };
    REFUSED(pcr_jpeg_encode(NULL, 1, 1, 3, 90, &file, &err), "no pixels");
    REFUSED(pcr_jpeg_encode(pixel, 1, 1, 3, 90, NULL, &err), "no place");
    REFUSED(pcr_jpeg_encode(pixel, 0, 1, 3, 90, &file, &err), "no pixels");
    REFUSED(pcr_jpeg_encode(pixel, 1, 1, 2, 90, &file, &err), "2 channels, expected 1 or 3");
    REFUSED(pcr_jpeg_encode(pixel, 1, 1, 3, 0, &file, &err),
            "quality is 0, expected 1 to 100");
    REFUSED(pcr_jpeg_encode(pixel, 1, 1, 3, 101, &file, &err), "quality is 101");
    struct pcr_dataset *nothing = NULL;
    ck_assert_int_eq(pcr_dataset_open("", NULL, &nothing, &err), PCR_ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "an empty path"));
    const struct pcr_limits small_limits = { .size = 4 };
    struct pcr_dataset_options d = { .size = 4 };
    REFUSED(pcr_dataset_open(made_folder.path, &d, &nothing, &err),
            "pcr_dataset_options.size is 4");
    d = (struct pcr_dataset_options) { .size = sizeof(d), .limits = &small_limits };
    REFUSED(pcr_dataset_open(made_folder.path, &d, &nothing, &err), "pcr_limits.size is 4");
    const struct pcr_writer_options w = { .size = 4 };
    struct pcr_writer *writer = NULL;
    REFUSED(pcr_writer_open("nowhere", &w, &writer, &err), "pcr_writer_options.size is 4");
    ck_assert(!nothing && !writer);
    ck_assert_ptr_null(none);
    struct pcr_loader_options later = o; /* with what a later version has in the reserved */
    later.transform.reserved[3] = 1;
    REFUSED(pcr_loader_create(dataset, &later, &none, &err), "transform.reserved is not 0");
    later = o;
    later.memory.reserved32 = 1;
    REFUSED(pcr_loader_create(dataset, &later, &none, &err), "memory.reserved32");
    later = o;
    later.flags |= 1u << 31;
    REFUSED(pcr_loader_create(dataset, &later, &none, &err), "flags: 0x80000000 is unknown");
    pcr_batch_release(NULL);
    uint32_t count = 0;
    for (; !pcr_loader_next(l, &b, &err); pcr_batch_release(&b))
        count += b->sample_count;
    ck_assert_uint_eq(count, MADE_SAMPLES);
    pcr_loader_destroy(&l);
    pcr_loader_destroy(&l);
    pcr_loader_destroy(NULL);
}
END_TEST

START_TEST(options)
{
    struct pcr_loader *l = NULL;
    struct pcr_loader_options o = { .size = sizeof(o),
                                    .batch_size = 1,
                                    .output.height = 65536,
                                    .output.width = 65536,
                                    .transform.rotate_mdeg = 1000 };
    REFUSED(pcr_loader_create(dataset, &o, &l, &err), "at most 2^30 can be rotated");
#if SIZE_MAX == UINT32_MAX /* so many bytes cannot even be counted */
    o.transform.rotate_mdeg = 0;
    ck_assert_int_eq(pcr_loader_create(dataset, &o, &l, &err), PCR_ERR_NOMEM);
#endif
    ck_assert_ptr_null(l);
}
END_TEST

START_TEST(records)
{
    struct pcr_record_info info = { .size = sizeof(info) };
    struct pcr_verify_report report = { .size = 4 };
    struct pcr_buffer notes = { 0 };
    struct pcr_sample *s = NULL;
    REFUSED(pcr_dataset_record(dataset, MADE_RECORDS, &info, &err), "record 4 of 4");
    REFUSED(pcr_dataset_record_notes(dataset, UINT64_MAX, &notes, &err), " of 4");
    REFUSED(pcr_dataset_verify_record(dataset, MADE_RECORDS, 0, &report, NULL, NULL, &err),
            "record 4 of 4");
    REFUSED(pcr_dataset_verify_record(dataset, 0, 0, &report, NULL, NULL, &err), "size");
    REFUSED(pcr_dataset_verify_record(dataset, 0, 0, NULL, NULL, NULL, &err), "is NULL");
    REFUSED(pcr_sample_acquire(dataset, MADE_SAMPLES, &s, &err), "100");
    ck_assert_uint_eq(pcr_dataset_record_prefix(dataset, MADE_RECORDS, 1), 0);
    ck_assert_uint_eq(pcr_dataset_record_prefix(dataset, 0, group_count + 1), 0);
    ck_assert_uint_eq(pcr_dataset_prefix_nbytes(dataset, group_count + 1), 0);
    ck_assert_ptr_null(pcr_dataset_split_name(dataset, 1, NULL));
    ck_assert_str_eq(pcr_dataset_split_name(dataset, 0, NULL), "all");
    ck_assert_ptr_null(pcr_dataset_class_name(dataset, 0));
    pcr_sample_release(&s);
    pcr_sample_release(NULL);
    pcr_slice_release(NULL);
    pcr_dataset_close(NULL);
    pcr_spans_free(NULL);
    pcr_buffer_free(NULL);
}
END_TEST

/* Whoever provides a struct says how large it is; less is written to a smaller one. */
START_TEST(sizes)
{
    struct {
        struct pcr_image_info info;
        uint8_t after[8];
    } image = { .info.size = 4 };
    struct pcr_write_progress report = { .size = 4 };
    struct pcr_decoder *d = NULL;
    struct pcr_sample *s = NULL;
    struct pcr_buffer file = { 0 }, pixels = { 0 };
    made_check(pcr_decoder_create(&d, &err), &err);
    made_check(pcr_sample_acquire(dataset, 0, &s, &err), &err);
    made_check(pcr_sample_read(s, 1, &file, &err), &err);
    const struct pcr_span span = { file.data, file.nbytes };
    const struct pcr_spans spans = { .items = (struct pcr_span *) &span, .count = 1 };
    REFUSED(pcr_decoder_inspect(d, file.data, file.nbytes, NULL, &image.info, &err),
            "pcr_image_info.size is 4");
    REFUSED(
        pcr_decoder_decode_alloc(d, file.data, file.nbytes, NULL, &pixels, &image.info, &err),
        "pcr_image_info.size is 4");
    REFUSED(pcr_decoder_decode_spans(d, &spans, NULL, &pixels, &image.info, &err),
            "pcr_image_info.size is 4");
    image.info.size = 8;
    made_check(pcr_decoder_inspect(d, file.data, file.nbytes, NULL, &image.info, &err), &err);
    ck_assert(image.info.size == 8 && image.info.width && !image.info.height);
    memset(&image, 0xff, sizeof(image));
    image.info.size = sizeof(image);
    made_check(pcr_decoder_inspect(d, file.data, file.nbytes, NULL, &image.info, &err), &err);
    ck_assert(image.info.height && !image.after[0] && !image.after[7]);
    struct pcr_decode_options small = { .size = 4 };
    REFUSED(pcr_sample_decode(s, 1, d, &small, &pixels, NULL, &err),
            "pcr_decode_options.size is 4");
    REFUSED(pcr_decoder_decode(d, file.data, file.nbytes, &small, file.data, 1, 1, NULL, &err),
            "pcr_decode_options.size is 4");
    REFUSED(pcr_dataset_write("nowhere", NULL, NULL, &report, &err),
            "pcr_write_progress.size is 4");
    pcr_buffer_free(&file);
    pcr_buffer_free(&pixels);
    pcr_sample_release(&s);
    pcr_decoder_destroy(&d);
}
END_TEST

static int stop(void *context, uint32_t kind, const char *path, uint64_t records_done,
                const struct pcr_error *finding)
{
    ck_assert_uint_eq(kind, PCR_VERIFY_PROGRESS);
    ck_assert_ptr_null(finding);
    ck_assert_str_eq(path, "record-2.pcr");
    *(uint64_t *) context = records_done;
    return 1;
}

/* What a caller stops it has counted all the same. */
START_TEST(verify_stops)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    uint64_t done = 0;
    ck_assert_int_eq(pcr_dataset_verify_record(dataset, 2, 1, &report, stop, &done, &err),
                     PCR_ERR_CANCELLED);
    ck_assert_str_eq(err.message, "cancelled");
    ck_assert_uint_eq(done, 1);
    ck_assert_uint_eq(report.record_count, 1);
    ck_assert_uint_eq(report.sample_count, made_counts[2]);
    ck_assert_int_eq(pcr_dataset_verify_record(dataset, 2, 1, &report, NULL, NULL, NULL), 0);
    ck_assert_uint_eq(report.record_count, 2);
    ck_assert_uint_eq(report.bad_records, 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("misuse");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, limits);
    tcase_add_test(t, loaders);
    tcase_add_test(t, options);
    tcase_add_test(t, records);
    tcase_add_test(t, sizes);
    tcase_add_test(t, verify_stops);
    return tests_run();
}
