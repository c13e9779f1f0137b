/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are damaged give what is intact, and the right error for the rest: a record, a
 * manifest, a cache file, the states of a conversion and of a loader, with every bit turned, cut
 * off at every byte, with blocks of zeroes, and with bytes after their end.
 *
 * usage: fault-damage [STEP]   every STEP-th place of each scenario; 1: every one */
#define _GNU_SOURCE
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/loader.h>

#include "manifest/manifest.h"
#include "fault.h"
#include "generator.h"
#include "record/record.h"
#include "write_source.h"

enum { SAMPLES = 5, MOST_GROUPS = 16, SIDE = 8, PIXELS = SIDE * SIDE * 3 };

static struct test_source source;
static struct test_folder made, work;
static char record_name[64];
static long all_steps; /* 0: each scenario's own */

/* --- changes --- */

enum kind { BIT, CUT, ZERO_512, ZERO_4096, APPENDED, KINDS };

static const char *const kind_names[KINDS] = { "bits", "cut off", "512 zeroes", "4096 zeroes",
                                               "appended" };

/* Makes `out` the n-th change of its kind of `whole`; false where there are no more. */
static bool change(enum kind kind, size_t n, const struct pcr_buffer *whole,
                   struct pcr_buffer *out)
{
    static const size_t appended[] = { 1, 2, 8, 96, 512, 4096 };
    static const uint8_t junk[4096] = { 0, 0x28, 0xb5, 0x2f, 0xfd };
    size_t at = n * 16, block = kind == ZERO_512 ? 512 : 4096;
    out->nbytes = 0;
    ck_assert_int_eq(pcri_buffer_append(out, whole->data, whole->nbytes, NULL), 0);
    switch (kind) {
    case BIT:
        if (n >= 8 * whole->nbytes)
            return false;
        out->data[n / 8] ^= (uint8_t) (1 << n % 8);
        return true;
    case CUT:
        out->nbytes = n;
        return n < whole->nbytes;
    case APPENDED:
        return n < sizeof(appended) / sizeof(appended[0]) &&
               !pcri_buffer_append(out, junk, appended[n], NULL);
    default:
        if (at >= whole->nbytes)
            return false;
        memset(out->data + at, 0, block < whole->nbytes - at ? block : whole->nbytes - at);
        return true;
    }
}

static void put_file(const char *dir, const char *name, const struct pcr_buffer *b)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(b->data, 1, b->nbytes, f), b->nbytes);
    ck_assert_int_eq(fclose(f), 0);
}

/* --- one trial --- */

static struct {
    const struct pcr_buffer *whole, *now; /* the file as it was, and as it is */
    const char *name;                     /* of the file */
    bool wrong, failed;
    char why[800];
} trial;

#define WRONG(...) \
    do { \
        if (!trial.wrong) \
            snprintf(trial.why, sizeof(trial.why), __VA_ARGS__); \
        trial.wrong = true; \
    } while (0)

/* Are the bytes [begin, end) of the file other ones, or not there? */
static bool is_hurt(uint64_t begin, uint64_t end)
{
    if (begin == end)
        return false;
    return end > trial.now->nbytes ||
           memcmp(trial.whole->data + begin, trial.now->data + begin, end - begin) != 0;
}

static bool is_changed(void)
{
    return trial.now->nbytes != trial.whole->nbytes || is_hurt(0, trial.whole->nbytes);
}

/* An error of damage names the file, and where it can the place. */
static void check_error(int rc, const struct pcr_error *err, const char *where)
{
    bool code = rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED || rc == PCR_ERR_FORMAT ||
                rc == PCR_ERR_UNSUPPORTED;
    trial.failed = true;
    if (!code || err->code != rc || !strstr(err->message, trial.name))
        WRONG("%s: code %d: %s", where, rc, err->message);
}

/* Runs `check` on each change of a kind of dir/name, and prints a line. Returns what is wrong. */
static int try_kind(const char *scenario, const char *dir, const char *name, enum kind kind,
                    long step, void (*check)(void))
{
    struct pcr_buffer whole = { 0 }, now = { 0 };
    char row_name[96];
    struct fault_row row = { .name = row_name };
    snprintf(row_name, sizeof(row_name), "%s, %s", scenario, kind_names[kind]);
    test_read(dir, name, &whole);
    for (size_t n = 0; change(kind, n, &whole, &now);
         n += kind == APPENDED ? 1 : (size_t) step) {
        put_file(dir, name, &now);
        memset(&trial, 0, sizeof(trial));
        trial.whole = &whole;
        trial.now = &now;
        trial.name = name;
        check();
        row.trials++;
        row.results += !trial.wrong && !trial.failed;
        row.errors += !trial.wrong && trial.failed;
        row.wrong += trial.wrong;
        if (trial.wrong)
            fprintf(stderr, "%s %zu: %s\n", row_name, n, trial.why);
    }
    put_file(dir, name, &whole);
    fault_print(&row);
    pcr_buffer_free(&whole);
    pcr_buffer_free(&now);
    return (int) row.wrong;
}

static int try_kinds(const char *scenario, const char *dir, const char *name, long step,
                     void (*check)(void))
{
    static const long parts[KINDS] = { 1, 8, 4, 4, 1 }; /* of a step: there are fewer places */
    int wrong = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        long s = all_steps ? all_steps : 1 + step / parts[kind];
        wrong += try_kind(scenario, dir, name, (enum kind) kind, s, check);
    }
    return wrong;
}

/* --- what an intact dataset gives --- */

static struct {
    uint32_t groups;
    uint64_t header_end, head_end, end, tail_end;
    struct pcr_buffer files[SAMPLES][MOST_GROUPS]; /* as they are at each fidelity */
    uint8_t pixels[SAMPLES][MOST_GROUPS][PIXELS];
    struct {
        uint64_t begin, end;
    } chunks[SAMPLES][MOST_GROUPS];
    char keys[SAMPLES][64], attributes[SAMPLES][64];
    int64_t labels[SAMPLES];
} right;

/* Fidelity g of sample i is there. */
static bool is_intact(uint32_t i, uint32_t g)
{
    bool hurt = is_hurt(0, right.head_end);
    for (uint32_t k = 0; k < g && !hurt; k++)
        hurt = is_hurt(right.chunks[i][k].begin, right.chunks[i][k].end);
    return !hurt;
}

/* The highest one that is; 0: none. */
static uint32_t best(uint32_t i)
{
    uint32_t g = right.groups;
    while (g && !is_intact(i, g))
        g--;
    return g;
}

static struct pcr_loader *load(struct pcr_dataset *ds, uint32_t bad_sample, uint32_t fidelity)
{
    const struct pcr_loader_options o = {
        .size = sizeof(o),
        .batch_size = SAMPLES,
        .output.height = SIDE,
        .output.width = SIDE,
        .threads.count = 1,
        .threads.reader_count = PCR_NO_READERS,
        .memory.batches_ahead = 1,
        .transform.kind = PCR_TRANSFORM_STRETCH,
        .order.shuffle = PCR_SHUFFLE_NONE,
        .bad_sample = bad_sample,
        .fidelity.level = fidelity,
        .flags = PCR_LOADER_NO_READ_AHEAD,
    };
    struct pcr_loader *l = NULL;
    ck_assert_int_eq(pcr_loader_create(ds, &o, &l, NULL), 0);
    ck_assert_int_eq(pcr_loader_start_epoch(l, 0, NULL), 0);
    return l;
}

static void learn_pixels(struct pcr_dataset *ds)
{
    for (uint32_t g = 1; g <= right.groups; g++) {
        struct pcr_loader *l = load(ds, PCR_SAMPLE_ERROR, g);
        struct pcr_batch *b = NULL;
        ck_assert_int_eq(pcr_loader_next(l, &b, NULL), 0);
        for (uint32_t i = 0; i < SAMPLES; i++)
            memcpy(right.pixels[i][g - 1], b->pixels + (size_t) i * PIXELS, PIXELS);
        pcr_batch_release(&b);
        pcr_loader_destroy(&l);
    }
}

static void learn(uint32_t coding)
{
    uint32_t coded = 0;
    struct pcr_dataset *ds = NULL;
    struct pcr_buffer attributes = { 0 };
    struct pcri_record *r = NULL;
    struct pcr_record_info info = { .size = sizeof(info) };
    struct pcr_error err;
    char path[256];
    ck_assert_int_eq(pcr_dataset_open(made.path, NULL, &ds, &err), 0);
    ck_assert_int_eq(pcr_dataset_record(ds, 0, &info, &err), 0);
    snprintf(record_name, sizeof(record_name), "%s", info.path);
    snprintf(path, sizeof(path), "%s/%s", made.path, record_name);
    ck_assert_int_eq(pcri_record_open(path, &pcri_io_pread, 0, NULL, 0, &r, &err), 0);
    ck_assert_uint_eq(r->head->sample_count, SAMPLES);
    right.groups = r->head->group_count;
    ck_assert_uint_le(right.groups, MOST_GROUPS);
    right.head_end = r->head->group_begin[0];
    for (uint32_t i = 0; i < SAMPLES; i++) {
        struct pcr_sample *s = NULL;
        struct pcr_sample_info one = { .size = sizeof(one) };
        ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, &err), 0);
        ck_assert_int_eq(pcr_sample_describe(s, &one, &err), 0);
        snprintf(right.keys[i], sizeof(right.keys[i]), "%s", one.key);
        ck_assert_int_eq(pcr_sample_attributes(s, &attributes, &err), 0);
        snprintf(right.attributes[i], sizeof(right.attributes[i]), "%s",
                 (const char *) attributes.data);
        right.labels[i] = one.labels[0];
        coded += one.coding == coding;
        for (uint32_t g = 0; g < right.groups; g++) {
            uint64_t begin = r->head->group_begin[g] + pcri_chunk_offset(r->head, g, i);
            right.chunks[i][g].begin = begin;
            right.chunks[i][g].end = begin + pcri_chunk_nbytes(r->head, g, i);
            ck_assert_int_eq(pcr_sample_read(s, g + 1, &right.files[i][g], &err), 0);
        }
        pcr_sample_release(&s);
    }
    pcr_buffer_free(&attributes);
    ck_assert_uint_ge(coded, SAMPLES - 2);
    learn_pixels(ds);
    pcri_record_close(&r);
    pcr_dataset_close(&ds);
}

/* --- reading in every way --- */

static bool same(const struct pcr_buffer *a, const struct pcr_buffer *b)
{
    return a->nbytes == b->nbytes && !memcmp(a->data, b->data, a->nbytes);
}

static void check_sample(struct pcr_dataset *ds, uint32_t i)
{
    static struct pcr_buffer out;
    struct pcr_sample *s = NULL;
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_error err = { .message = "" };
    int rc = pcr_sample_acquire(ds, i, &s, &err);
    if (rc) {
        if (!is_hurt(0, right.head_end))
            WRONG("sample %u is lost: %s", i, err.message);
        check_error(rc, &err, "looking up");
        return;
    }
    ck_assert_int_eq(pcr_sample_describe(s, &info, NULL), 0);
    if (strcmp(info.key, right.keys[i]) != 0 || pcr_sample_attributes(s, &out, NULL) ||
        strcmp((const char *) out.data, right.attributes[i]) != 0 || info.label_count != 1 ||
        info.labels[0] != right.labels[i])
        WRONG("sample %u has another key, label or attributes", i);
    for (uint32_t g = 1; g <= right.groups; g++) {
        rc = pcr_sample_read(s, g, &out, &err);
        if (!rc && !same(&out, &right.files[i][g - 1]))
            WRONG("sample %u, fidelity %u: another file", i, g);
        if (!rc != is_intact(i, g))
            WRONG("sample %u, fidelity %u: code %d", i, g, rc);
        if (rc)
            check_error(rc, &err, "reading");
    }
    pcr_sample_release(&s);
}

/* One entry of a batch: the right pixels and label, at a fidelity that is there. */
static void check_entry(const struct pcr_batch *b, uint32_t k, uint32_t mode)
{
    uint64_t i = b->indices[k];
    uint32_t g = b->fidelities[k];
    if (i >= SAMPLES || !g || g > right.groups || !is_intact((uint32_t) i, g) ||
        g != (mode == PCR_SAMPLE_DEGRADE ? best((uint32_t) i) : right.groups))
        WRONG("loader, mode %u: sample %u at fidelity %u", mode, (unsigned) i, g);
    else if (memcmp(b->pixels + (size_t) k * PIXELS, right.pixels[i][g - 1], PIXELS) != 0 ||
             b->labels[k] != right.labels[i])
        WRONG("loader, mode %u: sample %u at fidelity %u has other pixels or another label",
              mode, (unsigned) i, g);
}

static void check_loader(struct pcr_dataset *ds, uint32_t mode)
{
    struct pcr_loader *l = load(ds, mode, 0);
    struct pcr_batch *b = NULL;
    struct pcr_error err = { .message = "" };
    uint32_t wanted = 0, valid = 0;
    for (uint32_t i = 0; i < SAMPLES; i++)
        wanted += mode == PCR_SAMPLE_DEGRADE ? best(i) > 0 : is_intact(i, right.groups);
    int rc = pcr_loader_next(l, &b, &err);
    if (rc)
        check_error(rc, &err, "loading");
    for (uint32_t k = 0; !rc && k < b->sample_count; k++) {
        check_entry(b, k, mode);
        valid += b->valid[k];
    }
    if (mode == PCR_SAMPLE_ERROR ? !rc != (wanted == SAMPLES)
                                 : !rc != (wanted > 0) || (!rc && valid != wanted))
        WRONG("loader, mode %u: code %d, %u of %u samples", mode, rc, valid, wanted);
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
}

static int count_finding(void *context, uint32_t kind, const char *path, uint64_t done,
                         const struct pcr_error *err)
{
    (void) path, (void) done;
    *(int *) context += kind == PCR_VERIFY_DAMAGE && err->message[0];
    return 0;
}

/* Verifying finds damage where there is some and nowhere else. */
static void check_verify(struct pcr_dataset *ds)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct pcr_error err = { .message = "" };
    int findings = 0;
    int rc = pcr_dataset_verify_record(ds, 0, 1, &report, count_finding, &findings, &err);
    if (rc || !findings == is_changed() || !report.bad_records == is_changed())
        WRONG("verify: code %d, %d findings, %llu bad records", rc, findings,
              (unsigned long long) report.bad_records);
}

static void check_dataset(const char *path, bool all)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_error err = { .message = "" };
    int rc = pcr_dataset_open(path, NULL, &ds, &err);
    if (rc) {
        check_error(rc, &err, "opening");
        if (!is_hurt(0, right.head_end))
            WRONG("cannot be opened: %s", err.message);
        return;
    }
    for (uint32_t i = 0; i < SAMPLES; i++)
        check_sample(ds, i);
    check_verify(ds);
    for (uint32_t mode = PCR_SAMPLE_ERROR; all && mode <= PCR_SAMPLE_DEGRADE; mode++)
        check_loader(ds, mode);
    pcr_dataset_close(&ds);
}

/* Of a dataset, and as a dataset of its own. */
static void check_record(void)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", made.path, record_name);
    check_dataset(made.path, true);
    check_dataset(path, false);
}

static void check_manifest(void)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_error err = { .message = "" };
    int rc = pcr_dataset_open(made.path, NULL, &ds, &err);
    if (rc)
        check_error(rc, &err, "opening");
    if (!rc == is_changed())
        WRONG("code %d", rc);
    pcr_dataset_close(&ds);
}

/* --- a cache --- */

static void check_cached(void)
{
    const struct pcr_dataset_options o = { .size = sizeof(o),
                                           .cache_dir = work.path,
                                           .cache_nbytes = 1 << 24 };
    static struct pcr_buffer out;
    struct pcr_dataset *ds = NULL;
    struct pcr_error err = { .message = "" };
    int rc = pcr_dataset_open(made.path, &o, &ds, &err);
    for (uint32_t i = 0; i < SAMPLES && !rc; i++) {
        struct pcr_sample *s = NULL;
        rc = pcr_sample_acquire(ds, i, &s, &err);
        for (uint32_t g = 1; g <= right.groups && !rc; g++) {
            rc = pcr_sample_read(s, g, &out, &err);
            if (!rc && !same(&out, &right.files[i][g - 1]))
                WRONG("sample %u, fidelity %u: another file", i, g);
        }
        pcr_sample_release(&s);
    }
    if (rc)
        WRONG("code %d: %s", rc, err.message);
    pcr_dataset_close(&ds);
}

/* The only file of a cache. */
static void find_cache(char name[64])
{
    char command[160];
    snprintf(command, sizeof(command), "ls %s", work.path);
    FILE *f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(name, 64, f));
    name[strcspn(name, "\n")] = '\0';
    ck_assert_int_eq(pclose(f), 0);
}

static int try_cache(long step)
{
    char name[64];
    test_folder_make(&work);
    check_cached();
    find_cache(name);
    int wrong = try_kinds("cache", work.path, name, step, check_cached);
    test_folder_free(&work);
    return wrong;
}

/* --- an unfinished conversion --- */

static int convert(const char *path, struct pcr_error *err)
{
    const struct pcr_write_options o = {
        .size = sizeof(o), .thread_count = 1, .record_samples = 2, .bad_policy = PCR_BAD_SKIP
    };
    return pcr_dataset_write(path, &source.source, &o, NULL, err);
}

static struct test_folder converted; /* the finished dataset */
static char part[16];                /* what of it an unfinished one has beside its state */

/* A conversion goes on or begins anew to the same end, or refuses the folder and leaves it. */
static void check_state(void)
{
    struct pcr_error err = { .message = "" };
    struct test_folder f;
    test_folder_make(&f);
    put_file(f.path, ".pcr-convert", trial.now);
    if (*part) {
        struct pcr_buffer record = { 0 };
        test_read(converted.path, part, &record);
        put_file(f.path, part, &record);
        pcr_buffer_free(&record);
    }
    int rc = convert(f.path, &err);
    trial.failed = rc != 0;
    if (!rc)
        test_same_folders(converted.path, f.path);
    if (rc && (rc != PCR_ERR_INVAL || !strstr(err.message, "state") ||
               !strstr(err.message, f.path) || test_exists(f.path, "manifest.json")))
        WRONG("code %d: %s", rc, err.message);
    if (!rc && *part && is_changed())
        WRONG("records of an unknown conversion were taken over");
    test_folder_free(&f);
}

static int stop_at_once(void *context, const struct pcr_write_progress *p)
{
    (void) context;
    return p->records_done > 0;
}

static int try_state(long step)
{
    const struct pcr_write_options o = {
        .size = sizeof(o),
        .thread_count = 1,
        .record_samples = 2,
        .bad_policy = PCR_BAD_SKIP,
        .progress = stop_at_once,
    };
    int wrong = 0;
    test_folder_make(&converted);
    test_folder_make(&work);
    ck_assert_int_eq(convert(converted.path, NULL), 0);
    ck_assert_int_eq(pcr_dataset_write(work.path, &source.source, &o, NULL, NULL),
                     PCR_ERR_CANCELLED);
    for (int with_record = 0; with_record < 2; with_record++) {
        snprintf(part, sizeof(part), "%s", with_record ? "test-00000.pcr" : "");
        wrong += try_kinds(with_record ? "conversion's state" : "state without records",
                           work.path, ".pcr-convert", step, check_state);
    }
    test_folder_free(&work);
    test_folder_free(&converted);
    return wrong;
}

/* --- a loader's state --- */

static struct pcr_loader *resumed;

static void check_loader_state(void)
{
    struct pcr_error err = { .message = "" };
    trial.name = "loader state";
    int rc = pcr_loader_resume(resumed, trial.now->data, trial.now->nbytes, &err);
    if (rc)
        check_error(rc, &err, "resuming");
    if (!rc == is_changed())
        WRONG("code %d", rc);
}

static int try_loader_state(long step)
{
    struct pcr_buffer state = { 0 };
    struct pcr_dataset *ds = NULL;
    uint8_t bytes[PCR_LOADER_STATE_NBYTES];
    ck_assert_int_eq(pcr_dataset_open(made.path, NULL, &ds, NULL), 0);
    resumed = load(ds, PCR_SAMPLE_ERROR, 0);
    ck_assert_int_eq(pcr_loader_set_fidelity(resumed, 3, NULL), 0);
    ck_assert_int_eq(pcr_loader_state(resumed, bytes, NULL), 0);
    ck_assert_int_eq(pcri_buffer_append(&state, bytes, sizeof(bytes), NULL), 0);
    test_folder_make(&work);
    put_file(work.path, "state", &state);
    int wrong = try_kinds("loader's state", work.path, "state", step, check_loader_state);
    test_folder_free(&work);
    pcr_buffer_free(&state);
    pcr_loader_destroy(&resumed);
    pcr_dataset_close(&ds);
    return wrong;
}

/* --- all --- */

static void make(uint32_t coding)
{
    const struct pcr_write_options o = {
        .size = sizeof(o), .thread_count = 1, .bad_policy = PCR_BAD_SKIP, .coding = coding
    };
    struct pcr_error err = { .message = "" };
    test_source_init(&source, SAMPLES + 1);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        struct test_sample *one = &source.samples[i];
        one->split = 0;
        if (i == 2)
            test_source_set_case(&source, i, "png-rgb");
        else
            ck_assert_int_eq(
                pcr_gen_photo(i, 24, 16 + i, 80, i ? PCR_GEN_420 : PCR_GEN_GRAY, &one->file),
                0);
    }
    source.samples[SAMPLES].split = 0; /* a bad one, so that there is a tail */
    test_source_set(&source, SAMPLES, "no image", 8);
    source.source.split_count = 1;
    test_folder_make(&made);
    int rc = pcr_dataset_write(made.path, &source.source, &o, NULL, &err);
    ck_assert_msg(!rc, "%s", err.message);
    learn(coding);
}

static void forget(void)
{
    for (uint32_t i = 0; i < SAMPLES; i++)
        for (uint32_t g = 0; g < right.groups; g++)
            pcr_buffer_free(&right.files[i][g]);
    test_folder_free(&made);
    test_source_free(&source);
}

START_TEST(all)
{
    int wrong = 0;
    make(PCR_CODING_SCANS);
    wrong += try_kinds("record of scans", made.path, record_name, 193, check_record);
    forget();
    make(PCR_CODING_PACKED);
    wrong += try_kinds("record", made.path, record_name, 193, check_record);
    wrong += try_kinds("manifest", made.path, PCRI_MANIFEST_NAME, 31, check_manifest);
    wrong += try_cache(997);
    wrong += try_state(37);
    wrong += try_loader_state(3);
    forget();
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(int argc, char **argv)
{
    all_steps = argc > 1 ? atol(argv[1]) : 0;
    return fault_run("damage", all);
}
