/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that are late where it matters: at locks, conditions and starts of threads, each trial
 * by another seed. What comes of it is what comes without, or a cancel that was asked for. The
 * program is linked with --wrap, so that calls of the library and of pcrtool come here first.
 *
 * usage: fault-delays [STEP [NAME [SEED]]]   1000 / STEP seeds of each scenario, or of NAME, or
 * SEED alone */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/loader.h>
#include <pcr/writer.h>

#include "fault.h"
#include "folders.h"

#include "base/base.h"
#include "base/random.h"

enum {
    SAMPLES = 30,
    BATCH = 4,
    BATCHES = (SAMPLES + BATCH - 1) / BATCH,
    EPOCHS = 3,
    SIDE = 16,
    MOST_SEEDS = 1000,
    TRIAL_S = 60
};

/* --- delays --- */

static atomic_uint_least64_t seed; /* 0: none are late */
static atomic_uint thread_number;

/* In every second trial one thread stops at one place for so long that others do all else. */
enum { STALL_US = 40000 };
enum place { AT_LOCK, AT_START, PLACES };
static atomic_long calls[PLACES];
static enum place stall_place;
static long stall_at; /* 0: nowhere */

static void count_call(enum place place)
{
    long n = atomic_fetch_add(&calls[place], 1) + 1;
    if (place == stall_place && n == stall_at)
        usleep(STALL_US);
}

static uint64_t next_random(uint64_t *state)
{
    *state = pcri_mix(*state + UINT64_C(0x9E3779B97F4A7C15));
    return *state;
}

/* Mostly not at all, sometimes a little, rarely so long that all others go by. */
static void delay(void)
{
    static _Thread_local uint64_t state, of;
    uint64_t now = atomic_load(&seed);
    if (!now)
        return;
    if (of != now) {
        of = now;
        state = pcri_mix(now ^ (uint64_t) atomic_fetch_add(&thread_number, 1) << 32);
    }
    uint64_t r = next_random(&state);
    if (r % 16 == 0)
        sched_yield();
    else if (r % 64 == 1)
        usleep((useconds_t) (r >> 32) % 200);
    else if (r % 512 == 2)
        usleep((useconds_t) (r >> 32) % 4000);
}

#define LATE(name, params, args) \
    int __real_##name params; \
    int __wrap_##name params; \
    int __wrap_##name params \
    { \
        delay(); \
        int rc = __real_##name args; \
        delay(); \
        count_call(AT_LOCK); \
        return rc; \
    }

LATE(pthread_mutex_lock, (pthread_mutex_t * m), (m))
LATE(pthread_mutex_unlock, (pthread_mutex_t * m), (m))
LATE(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m))
LATE(pthread_cond_timedwait,
     (pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *t), (c, m, t))
LATE(pthread_cond_signal, (pthread_cond_t * c), (c))
LATE(pthread_cond_broadcast, (pthread_cond_t * c), (c))

struct start {
    void *(*fn)(void *context);
    void *context;
};

static void *start_late(void *context)
{
    struct start s = *(struct start *) context;
    free(context);
    delay();
    count_call(AT_START);
    void *result = s.fn(s.context);
    delay();
    return result;
}

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p)
{
    struct start *s = malloc(sizeof(*s));
    if (!s)
        return ENOMEM;
    *s = (struct start) { f, p };
    delay();
    int rc = __real_pthread_create(t, a, start_late, s);
    if (rc)
        free(s);
    delay();
    count_call(AT_START);
    return rc;
}

/* --- a trial --- */

enum verdict { RIGHT, CANCELLED, WRONG };

static uint64_t choices; /* the trial's own draws */
static char reason[600];

static unsigned choose(unsigned n)
{
    return (unsigned) (next_random(&choices) >> 32) % n;
}

static enum verdict wrong(const char *what, const struct pcr_error *err)
{
    snprintf(reason, sizeof(reason), "%s: %s", what, err ? err->message : "");
    return WRONG;
}

static pthread_t begin(void *(*fn)(void *), void *context)
{
    pthread_t t;
    ck_assert_int_eq(pthread_create(&t, NULL, fn, context), 0);
    return t;
}

/* --- loading --- */

static const char *made;
static struct pcr_dataset *dataset;
static uint64_t expected[EPOCHS][BATCHES]; /* of each batch's pixels */

static struct pcr_loader *create(struct pcr_dataset *ds)
{
    const struct pcr_loader_options o = {
        .size = sizeof(o),
        .batch_size = BATCH,
        .output.height = SIDE,
        .seed = 7,
        .order.window_samples = 10,
        .order.block_samples = 2,
        .threads.count = 1 + choose(4),
        .threads.reader_count = choose(3) ? choose(3) + 1 : PCR_NO_READERS,
        .memory.batches_ahead = 1 + choose(4),
        .flags = choose(2) ? PCR_LOADER_NO_READ_AHEAD : 0,
    };
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    int rc = pcr_loader_create(ds, &o, &l, &err);
    ck_assert_msg(!rc, "%s", err.message);
    return l;
}

static uint64_t sum_of(const struct pcr_batch *b)
{
    uint64_t sum = 0;
    folder_add(&sum, b->pixels, (size_t) b->sample_count * SIDE * SIDE * 3);
    return sum;
}

/* Takes up to `most` batches of an epoch from number *n on, which must be right. Returns what
 * pcr_loader_next() has, or 0; 1: a batch is not right. */
static int take(struct pcr_loader *l, uint64_t epoch, uint32_t *n, uint32_t most,
                struct pcr_error *err)
{
    struct pcr_batch *b;
    for (; most; most--, ++*n) {
        int rc = pcr_loader_next(l, &b, err);
        if (rc)
            return rc;
        bool right = *n < BATCHES && b->epoch == epoch && sum_of(b) == expected[epoch][*n];
        pcr_batch_release(&b);
        if (!right)
            return 1;
    }
    return 0;
}

/* An epoch that nobody disturbs. */
static enum verdict whole(struct pcr_loader *l, uint64_t epoch)
{
    struct pcr_error err = { .message = "" };
    uint32_t n = 0;
    int rc = pcr_loader_start_epoch(l, epoch, &err);
    if (!rc)
        rc = take(l, epoch, &n, UINT32_MAX, &err);
    if (rc == PCR_END && n == BATCHES)
        return RIGHT;
    return wrong(rc == 1 ? "another batch" : "an epoch ends early", &err);
}

static enum verdict epochs(void)
{
    enum verdict v = RIGHT;
    struct pcr_loader *l = create(dataset);
    for (uint64_t e = 0; e < EPOCHS && v == RIGHT; e++)
        v = whole(l, e);
    pcr_loader_destroy(&l);
    return v;
}

struct cancel {
    struct pcr_loader *loader;
    unsigned after_us;
};

static void *cancel_late(void *context)
{
    const struct cancel *c = context;
    usleep(c->after_us);
    pcr_loader_cancel(c->loader);
    return NULL;
}

/* Epochs begin and end while another thread cancels: one that is not cancelled is right, and so
 * is the next. */
static enum verdict cancel(void)
{
    struct pcr_loader *l = create(dataset);
    struct pcr_error err = { .message = "" };
    struct cancel c = { l, choose(20000) };
    pthread_t t = begin(cancel_late, &c);
    int rc = 0;
    for (uint64_t e = 0; e < EPOCHS && (!rc || rc == PCR_END); e++) {
        uint32_t n = 0;
        rc = pcr_loader_start_epoch(l, e, &err);
        if (!rc)
            rc = take(l, e, &n, choose(2) ? choose(BATCHES) : UINT32_MAX, &err);
        if (rc == PCR_END && n < BATCHES)
            rc = 1;
    }
    pthread_join(t, NULL);
    enum verdict v = rc == PCR_ERR_CANCELLED ? CANCELLED
                     : rc && rc != PCR_END   ? wrong("cancelled", &err)
                                             : RIGHT;
    if (v != WRONG && whole(l, 1) == WRONG)
        v = WRONG;
    pcr_loader_destroy(&l);
    return v;
}

/* Destroyed in the middle, and a batch is held. */
static enum verdict destroy(void)
{
    struct pcr_loader *l = create(dataset);
    struct pcr_error err = { .message = "" };
    struct pcr_batch *held = NULL;
    uint32_t n = 0, before = choose(BATCHES - 1);
    enum verdict v = RIGHT;
    int rc = pcr_loader_start_epoch(l, 2, &err);
    if (!rc)
        rc = take(l, 2, &n, before, &err);
    if (!rc)
        rc = pcr_loader_next(l, &held, &err);
    pcr_loader_destroy(&l);
    if (rc)
        v = wrong("before it is destroyed", &err);
    else if (sum_of(held) != expected[2][before])
        v = wrong("a batch that was held", NULL);
    if (held)
        pcr_batch_release(&held);
    return v;
}

struct watch {
    struct pcr_loader *loader;
    atomic_bool stop;
    unsigned odd;
};

static void *watch(void *context)
{
    struct watch *w = context;
    while (!atomic_load(&w->stop)) {
        struct pcr_loader_stats stats = { .size = sizeof(stats) };
        uint8_t state[PCR_LOADER_STATE_NBYTES];
        w->odd += pcr_loader_state(w->loader, state, NULL) || memcmp(state, "PCRS", 4) != 0 ||
                  pcri_load64(state + 16) > SAMPLES ||
                  pcr_loader_stats(w->loader, &stats, NULL) ||
                  pcr_loader_batch_count(w->loader) != BATCHES ||
                  pcr_loader_set_fidelity(w->loader, 0, NULL);
        usleep(100);
    }
    return NULL;
}

/* A state that is taken in the middle, while another thread looks on, leads to the rest. */
static enum verdict state(void)
{
    struct pcr_loader *l = create(dataset);
    struct pcr_error err = { .message = "" };
    struct watch w = { .loader = l };
    uint8_t text[PCR_LOADER_STATE_NBYTES];
    uint32_t n = 0, before = choose(BATCHES + 1);
    pthread_t t = begin(watch, &w);
    int rc = pcr_loader_start_epoch(l, 1, &err);
    if (!rc)
        rc = take(l, 1, &n, before, &err);
    if (!rc)
        rc = pcr_loader_state(l, text, &err);
    atomic_store(&w.stop, true);
    pthread_join(t, NULL);
    pcr_loader_destroy(&l);
    if (rc || w.odd)
        return wrong(rc ? "before the state" : "what another thread sees", &err);
    l = create(dataset);
    rc = pcr_loader_resume(l, text, sizeof(text), &err);
    uint64_t epoch = before == BATCHES ? 2 : 1;
    n = before == BATCHES ? 0 : before;
    if (!rc)
        rc = take(l, epoch, &n, UINT32_MAX, &err);
    pcr_loader_destroy(&l);
    return rc == PCR_END && n == BATCHES ? RIGHT : wrong("after the state", &err);
}

static void *load_epochs(void *context)
{
    struct pcr_loader *l = context;
    for (uint64_t e = 0; e < 2; e++)
        if (whole(l, e) == WRONG)
            return l;
    return NULL;
}

/* Loaders of one dataset, and of different numbers of threads, come and go. */
static enum verdict several(void)
{
    struct pcr_loader *loaders[3];
    pthread_t threads[3];
    void *bad = NULL;
    for (int i = 0; i < 3; i++)
        loaders[i] = create(dataset);
    for (int i = 0; i < 3; i++)
        threads[i] = begin(load_epochs, loaders[i]);
    for (int i = 0; i < 3; i++) {
        void *result;
        pthread_join(threads[i], &result);
        bad = result ? result : bad;
        pcr_loader_destroy(&loaders[i]);
    }
    return bad ? WRONG : RIGHT;
}

/* --- reading --- */

static uint64_t expected_samples;

static int read_all(struct pcr_dataset *ds, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_buffer out = { 0 };
    int rc = 0;
    for (uint64_t i = 0; !rc && i < SAMPLES; i++) {
        struct pcr_sample *s = NULL;
        rc = pcr_sample_acquire(ds, i, &s, err);
        if (!rc)
            rc = pcr_sample_read(s, 0, &out, err);
        if (!rc)
            folder_add(sum, out.data, out.nbytes);
        pcr_sample_release(&s);
    }
    pcr_buffer_free(&out);
    return rc;
}

static void *read_thread(void *context)
{
    struct pcr_error err;
    uint64_t sum = 0;
    return read_all(context, &sum, &err) || sum != expected_samples ? context : NULL;
}

/* Two threads read each of the datasets. */
static enum verdict read_by_threads(struct pcr_dataset **datasets, int count)
{
    pthread_t threads[4];
    enum verdict v = RIGHT;
    for (int i = 0; i < 2 * count; i++)
        threads[i] = begin(read_thread, datasets[i / 2]);
    for (int i = 0; i < 2 * count; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        if (bad)
            v = wrong("other bytes", NULL);
    }
    for (int i = 0; i < count; i++)
        pcr_dataset_close(&datasets[i]);
    return v;
}

static struct pcr_dataset *open_with(struct pcr_dataset_options o)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_error err;
    o.size = sizeof(o);
    o.open_records = 1;
    int rc = pcr_dataset_open(made, &o, &ds, &err);
    ck_assert_msg(!rc, "%s", err.message);
    return ds;
}

/* One record is kept open at a time, so that others go while they are used. */
static enum verdict read_records(void)
{
    struct pcr_dataset *ds = open_with(
        (struct pcr_dataset_options) { .io_backend = PCR_IO_PREAD + choose(4) });
    return read_by_threads(&ds, 1);
}

/* Two users of a folder that is too small for all. */
static enum verdict share_cache(void)
{
    struct pcr_dataset *datasets[2];
    char dir[PATH_NBYTES];
    snprintf(dir, sizeof(dir), "%s", at("cache"));
    for (int i = 0; i < 2; i++)
        datasets[i] = open_with((struct pcr_dataset_options) {
            .cache_dir = dir, .cache_nbytes = 60000 + choose(300000) });
    enum verdict v = read_by_threads(datasets, 2);
    if (choose(4) == 0)
        folder_remove(dir);
    return v;
}

/* --- converting --- */

static struct test_source source;
static uint64_t expected_folders[2]; /* converted, recoded */
static char out_folder[PATH_NBYTES];

struct conversion {
    atomic_uint told;      /* bad inputs */
    bool cancels, recodes; /* recodes: `made`, instead of converting the source */
    uint64_t draws;
    int rc;
    struct pcr_error err;
};

static void note_bad(void *context, const char *path, const char *format,
                     const struct pcr_error *err)
{
    atomic_fetch_add(&((struct conversion *) context)->told, 1);
}

static int progress(void *context, const struct pcr_write_progress *p)
{
    struct conversion *c = context;
    return c->cancels && next_random(&c->draws) % 3 == 0;
}

static void *convert(void *context)
{
    struct conversion *c = context;
    const struct pcr_write_options o = {
        .size = sizeof(o),
        .thread_count = 3,
        .record_samples = c->recodes ? 0 : 4,
        .bad_policy = c->recodes ? 0 : PCR_BAD_SKIP,
        .coding = c->recodes ? PCR_CODING_SCANS : 0,
        .bad_input = note_bad,
        .progress = progress,
        .context = c,
    };
    atomic_store(&c->told, 0);
    if (c->recodes)
        c->rc = pcr_dataset_recode(dataset, out_folder, &o, NULL, &c->err);
    else
        c->rc = pcr_dataset_write(out_folder, &source.source, &o, NULL, &c->err);
    return NULL;
}

static enum verdict finish(struct conversion *c)
{
    c->cancels = false;
    convert(c);
    if (c->rc)
        return wrong("made again", &c->err);
    bool same = folder_sum(out_folder) == expected_folders[c->recodes];
    folder_remove(out_folder);
    return same ? RIGHT : wrong("others", NULL);
}

static enum verdict convert_once(void)
{
    struct conversion c = { .rc = 0 };
    convert(&c);
    int rc = c.rc;
    bool told = atomic_load(&c.told) == 2;
    if (finish(&c) == WRONG)
        return WRONG;
    return rc || !told ? wrong("bad inputs are not told", NULL) : RIGHT;
}

static enum verdict convert_cancelled(void)
{
    struct conversion c = { .cancels = true, .draws = choices };
    convert(&c);
    bool was = c.rc == PCR_ERR_CANCELLED;
    if (c.rc && !was)
        return wrong("cancelled", &c.err);
    return finish(&c) == RIGHT ? was ? CANCELLED : RIGHT : WRONG;
}

/* The same twice at a time: who comes late is told that another is at work, or that all is
 * done. */
static enum verdict twice(bool recodes)
{
    struct conversion c[2] = { { .recodes = recodes }, { .recodes = recodes } };
    pthread_t threads[2];
    bool late = false;
    for (int i = 0; i < 2; i++) {
        threads[i] = begin(convert, &c[i]);
        usleep(choose(40000)); /* the other may be about to finish */
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        bool other = c[i].rc == PCR_ERR_IO && c[i].err.sys_errno == EWOULDBLOCK;
        if (c[i].rc && !other) {
            folder_remove(out_folder);
            return wrong("beside another", &c[i].err);
        }
        late = late || other;
    }
    return finish(&c[0]) == RIGHT ? late ? CANCELLED : RIGHT : WRONG;
}

static enum verdict convert_twice(void)
{
    return twice(false);
}

static enum verdict recode_twice(void)
{
    return twice(true);
}

/* --- pcrtool --- */

int pcrtool_main(int argc, char **argv);

int __real_fclose(FILE *f);
int __wrap_fclose(FILE *f);
int __wrap_fclose(FILE *f) /* standard output stays open */
{
    return f == stdout ? fflush(f) : __real_fclose(f);
}

static char expected_text[2][4096];

static int verify_damaged(char text[2][4096])
{
    char words[][24] = { "pcrtool", "verify", "-j4" }, path[PATH_NBYTES];
    char *argv[] = { words[0], words[1], words[2], path, NULL };
    int kept[2], caught[2];
    snprintf(path, sizeof(path), "%s", at("damaged"));
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        kept[i] = dup(1 + i);
        caught[i] = memfd_create("output", MFD_CLOEXEC);
        ck_assert(kept[i] >= 0 && caught[i] >= 0 && dup2(caught[i], 1 + i) >= 0);
    }
    int status = pcrtool_main(4, argv);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ge(dup2(kept[i], 1 + i), 0);
        ssize_t n = pread(caught[i], text[i], 4095, 0);
        text[i][n < 0 ? 0 : n] = '\0';
        close(kept[i]);
        close(caught[i]);
    }
    return status;
}

static enum verdict verify(void)
{
    char text[2][4096];
    int status = verify_damaged(text);
    bool same = !strcmp(text[0], expected_text[0]) && !strcmp(text[1], expected_text[1]);
    return status == 4 && same ? RIGHT : wrong("findings in another order", NULL);
}

/* --- all --- */

static const struct scenario {
    const char *name;
    enum verdict (*run)(void);
} scenarios[] = {
    { "epochs", epochs },
    { "epochs, cancelled", cancel },
    { "an epoch, destroyed", destroy },
    { "a state, taken and resumed", state },
    { "several loaders", several },
    { "records that come and go", read_records },
    { "a cache that two share", share_cache },
    { "convert", convert_once },
    { "convert, cancelled", convert_cancelled },
    { "convert twice at a time", convert_twice },
    { "recode twice at a time", recode_twice },
    { "pcrtool verify", verify },
};

static const char *trial;

static void hang(int number)
{
    static const char text[] = ": hangs\n";
    ssize_t n = write(2, trial, strlen(trial)) + write(2, text, sizeof(text) - 1);
    _exit(n > 0);
}

/* Somewhere among as many calls as the trial before has made. */
static void choose_stall(uint64_t number)
{
    uint64_t draws = pcri_mix(number + 1);
    stall_place = next_random(&draws) % 3 ? AT_LOCK : AT_START;
    long most = atomic_load(&calls[stall_place]);
    stall_at = number % 2 && most ? 1 + (long) (next_random(&draws) % (uint64_t) most) : 0;
    for (int i = 0; i < PLACES; i++)
        atomic_store(&calls[i], 0);
}

static void run_one(const struct scenario *s, uint64_t number, struct fault_row *row)
{
    static char name[96];
    snprintf(name, sizeof(name), "%s, seed %llu", s->name, (unsigned long long) number);
    trial = name;
    reason[0] = '\0';
    choices = pcri_mix(number);
    atomic_store(&thread_number, 0);
    choose_stall(number);
    atomic_store(&seed, number);
    alarm(TRIAL_S);
    enum verdict v = s->run();
    alarm(0);
    atomic_store(&seed, 0);
    stall_at = 0;
    row->trials++;
    row->results += v == RIGHT;
    row->errors += v == CANCELLED;
    row->wrong += v == WRONG;
    if (v == WRONG)
        fprintf(stderr, "%s: %s\n", name, reason);
}

static void make_expected(void)
{
    struct pcr_loader *l = create(dataset);
    struct pcr_batch *b;
    for (uint64_t e = 0; e < EPOCHS; e++) {
        ck_assert_int_eq(pcr_loader_start_epoch(l, e, NULL), 0);
        for (int n = 0; n < BATCHES; n++) {
            ck_assert_int_eq(pcr_loader_next(l, &b, NULL), 0);
            expected[e][n] = sum_of(b);
            pcr_batch_release(&b);
        }
        ck_assert_int_eq(pcr_loader_next(l, &b, NULL), PCR_END);
    }
    pcr_loader_destroy(&l);
    ck_assert_int_eq(read_all(dataset, &expected_samples, NULL), 0);
    for (int k = 0; k < 2; k++) {
        struct conversion c = { .recodes = k };
        convert(&c);
        ck_assert_msg(!c.rc, "%s", c.err.message);
        expected_folders[k] = folder_sum(out_folder);
        folder_remove(out_folder);
    }
    ck_assert_int_eq(verify_damaged(expected_text), 4);
}

static void damage_one(void *context, const char *path, bool is_folder)
{
    struct pcr_buffer b = { 0 };
    size_t n = strlen(path);
    if (strcmp(path + n - 4, ".pcr") != 0)
        return;
    test_read_path(path, &b);
    b.data[b.nbytes / 2] ^= 1;
    folder_write(path, b.data, b.nbytes);
    pcr_buffer_free(&b);
}

static void set_up(void)
{
    struct pcr_error err = { .message = "" };
    const struct pcr_write_options o = { .size = sizeof(o),
                                         .record_samples = 5,
                                         .thread_count = 1 };
    test_source_init(&source, SAMPLES);
    test_folder_make(&top_folder);
    ck_assert_msg(!pcr_dataset_write(at("made"), &source.source, &o, NULL, &err), "%s",
                  err.message);
    made = strdup(at("made"));
    snprintf(out_folder, sizeof(out_folder), "%s", at("out"));
    ck_assert_int_eq(pcr_dataset_open(made, NULL, &dataset, &err), 0);
    folder_copy(made, at("damaged"));
    each_file(at("damaged"), damage_one, NULL);
    test_source_set(&source, 5, "no image", 8);
    test_source_set(&source, 17, "none either", 11);
    make_expected();
}

static long step = 125;  /* in the suite */
static const char *only; /* NULL: all */
static uint64_t only_seed;

START_TEST(all)
{
    long bad = 0;
    signal(SIGALRM, hang); /* Check has set its own, which kills all of the group */
    set_up();
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct fault_row row = { .name = scenarios[i].name };
        if (only && strcmp(only, scenarios[i].name) != 0)
            continue;
        for (uint64_t n = 0; n < (uint64_t) (MOST_SEEDS / step); n++)
            run_one(&scenarios[i], only_seed ? only_seed : n + 2, &row);
        fault_print(&row);
        bad += row.wrong;
    }
    pcr_dataset_close(&dataset);
    free((char *) made);
    test_folder_free(&top_folder);
    test_source_free(&source);
    ck_assert_int_eq(bad, 0);
}
END_TEST

int main(int argc, char **argv)
{
    step = argc > 1 && atol(argv[1]) > 0 ? atol(argv[1]) : step;
    only = argc > 2 ? argv[2] : NULL;
    only_seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    return fault_run("delays", all);
}
