/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool verify: every checksum of a dataset, and with --deep every picture. */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "output.h"

enum { MAX_THREADS = 1024 };

struct verify_settings {
    const char *split;
    uint64_t threads, max_pixels, max_scans, max_sample_nbytes;
    bool deep, originals, json, quiet;
};

/* The findings of a record, in the order in which they were made. */
struct findings {
    bool finished;
    struct pcr_buffer text; /* lines for standard error */
    json_t *lists[2];       /* with --json: damage, undecodable; NULL: none */
};

/* The work that all threads share. */
struct verification {
    struct pcrtool_input in;
    const struct verify_settings *set;
    pthread_mutex_t lock; /* of all below */
    uint64_t next_record;
    uint64_t told_count;    /* records, from the first, whose lines are printed */
    uint64_t finding_count; /* of damage */
    struct pcr_verify_report total;
    struct findings *records; /* by record */
    int failed;               /* code of the first error that ended the work */
    struct pcr_error error;   /* and its details */
};

static void fail(struct verification *v, const struct pcr_error *err)
{
    if (!v->failed) {
        v->failed = err->code;
        v->error = *err;
    }
}

/* A record that a thread verifies. */
struct job {
    struct verification *v;
    uint64_t record, finding_count;
    struct findings found; /* its own, until the record is finished */
    bool no_memory;
};

static bool note_in_json(struct findings *f, bool damage, const char *path,
                         const struct pcr_error *err)
{
    json_t **list = &f->lists[damage ? 0 : 1];
    json_t *object = json_pack("{ss}", "code", pcr_code_name(err->code));
    pcrtool_json_set_text(object, "record", path, strlen(path));
    pcrtool_json_set_text(object, "message", err->message, strlen(err->message));
    if (err->offset <= INT64_MAX)
        json_object_set_new(object, "offset", json_integer((json_int_t) err->offset));
    if (!*list)
        *list = json_array();
    return !json_array_append_new(*list, object) && !pcrtool_json_failed();
}

static bool note_in_text(struct job *job, bool damage, const char *path,
                         const struct pcr_error *err)
{
    struct pcr_buffer *text = &job->found.text;
    if (damage)
        return !pcrtool_append(text, "%s: %s\n", pcr_code_name(err->code), err->message);
    return !pcrtool_append(text, "undecodable: %s: %s\n", path, err->message);
}

static int on_finding(void *context, uint32_t kind, const char *path, uint64_t records_done,
                      const struct pcr_error *err)
{
    struct job *job = context;
    bool damage = kind == PCR_VERIFY_DAMAGE;
    (void) records_done; /* of one record; the threads count together */
    if (err) {
        job->finding_count += damage;
        job->no_memory |= job->v->set->json ? !note_in_json(&job->found, damage, path, err)
                                            : !note_in_text(job, damage, path, err);
    }
    return pcrtool_interrupted();
}

/* Prints the lines of records in order, up to the first that is not finished; `all`: also those
 * after it. With the lock held. */
static void tell(struct verification *v, bool all)
{
    for (; v->told_count < v->next_record; v->told_count++) {
        struct findings *f = &v->records[v->told_count];
        if (!f->finished && !all)
            break;
        if (f->text.nbytes) {
            pcrtool_progress(NULL);
            fwrite(f->text.data, 1, f->text.nbytes, stderr);
            pcr_buffer_free(&f->text);
        }
    }
}

/* Takes the next record's number; false at the end of the work. */
static bool next_record(struct verification *v, uint64_t *record_out)
{
    pthread_mutex_lock(&v->lock);
    bool more = !v->failed && v->next_record < v->in.info.record_count;
    if (more)
        *record_out = v->next_record++;
    pthread_mutex_unlock(&v->lock);
    return more;
}

static void add_report(struct job *job, const struct pcr_verify_report *report, int rc,
                       const struct pcr_error *err)
{
    static const struct pcr_error no_memory = {
        .code = PCR_ERR_NOMEM,
        .offset = PCR_NO_OFFSET,
        .message = "out of memory for the list of findings"
    };
    struct verification *v = job->v;
    pthread_mutex_lock(&v->lock);
    v->total.record_count += report->record_count;
    v->total.sample_count += report->sample_count;
    v->total.bad_records += report->bad_records;
    v->total.bad_samples += report->bad_samples;
    v->total.undecodable_samples += report->undecodable_samples;
    v->total.restored_samples += report->restored_samples;
    v->finding_count += job->finding_count;
    v->records[job->record] = job->found;
    v->records[job->record].finished = true;
    if (rc)
        fail(v, err);
    else if (job->no_memory)
        fail(v, &no_memory);
    tell(v, false);
    if (!v->set->quiet) {
        char line[64];
        snprintf(line, sizeof(line), "%" PRIu64 " of %" PRIu64 " records",
                 v->total.record_count, v->in.info.record_count);
        pcrtool_progress(line);
    }
    pthread_mutex_unlock(&v->lock);
}

static void *work(void *context)
{
    struct verification *v = context;
    struct job job = { .v = v };
    while (next_record(v, &job.record)) {
        struct pcr_verify_report report = { .size = sizeof(report) };
        struct pcr_error err;
        uint32_t flags = (v->set->deep ? PCR_VERIFY_DEEP : 0) |
                         (v->set->originals ? PCR_VERIFY_ORIGINALS : 0);
        int rc = pcr_dataset_verify_record(v->in.dataset, job.record, flags, &report,
                                           on_finding, &job, &err);
        add_report(&job, &report, rc, &err);
        job = (struct job) { .v = v };
    }
    return NULL;
}

/* Runs work() in up to `count` threads, this one included. */
static void run_threads(struct verification *v, uint32_t count)
{
    pthread_t threads[MAX_THREADS];
    uint32_t started = 0;
    if (count > v->in.info.record_count)
        count = (uint32_t) v->in.info.record_count;
    while (started + 1 < count && !pthread_create(&threads[started], NULL, work, v))
        started++;
    work(v); /* if a thread could not be started, the others do its share */
    while (started)
        pthread_join(threads[--started], NULL);
    pcrtool_progress(NULL);
    tell(v, true);
}

/* The findings of one kind, by record. NULL without memory. */
static json_t *list_findings(const struct verification *v, bool damage)
{
    json_t *list = json_array();
    for (uint64_t r = 0; list && r < v->in.info.record_count; r++) {
        json_t *more = v->records[r].lists[damage ? 0 : 1];
        if (more && json_array_extend(list, more)) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static int report(struct verification *v)
{
    const struct pcr_verify_report *t = &v->total;
    if (v->set->json) {
        int rc = pcrtool_print_json(
            v->in.command,
            json_pack("{sb sb sI sI sI sI sI sI so so}", "intact", v->finding_count == 0,
                      "deep", v->set->deep, "record_count", (json_int_t) t->record_count,
                      "sample_count", (json_int_t) t->sample_count, "bad_records",
                      (json_int_t) t->bad_records, "bad_samples", (json_int_t) t->bad_samples,
                      "undecodable_samples", (json_int_t) t->undecodable_samples,
                      "restored_samples", (json_int_t) t->restored_samples, "findings",
                      list_findings(v, true), "undecodable", list_findings(v, false)));
        if (rc)
            return rc;
    } else if (!v->set->quiet) {
        printf("%" PRIu64 " records, %" PRIu64 " samples: ", t->record_count, t->sample_count);
        if (v->finding_count)
            printf("%" PRIu64 " findings, %" PRIu64 " bad records, %" PRIu64 " bad samples",
                   v->finding_count, t->bad_records, t->bad_samples);
        else
            printf("all intact");
        if (t->undecodable_samples)
            printf(", %" PRIu64 " undecodable (kept whole; no decoder here can show them)",
                   t->undecodable_samples);
        if (v->set->originals)
            printf(", %" PRIu64 " original files restored", t->restored_samples);
        putchar('\n');
    }
    return v->finding_count ? PCRTOOL_DAMAGED : PCRTOOL_DONE;
}

static uint32_t thread_count(const struct verify_settings *set)
{
    uint32_t count = pcrtool_system().cpu_count;
    if (set->threads)
        return (uint32_t) set->threads;
    return count < MAX_THREADS ? count : MAX_THREADS;
}

static void free_findings(struct verification *v)
{
    for (uint64_t r = 0; v->records && r < v->in.info.record_count; r++) {
        pcr_buffer_free(&v->records[r].text);
        json_decref(v->records[r].lists[0]);
        json_decref(v->records[r].lists[1]);
    }
    free(v->records);
}

static int run_verify(const struct pcrtool_args *args)
{
    struct verification v = { .set = args->settings };
    const struct pcr_limits limits = {
        .size = sizeof(limits),
        .max_pixels = v.set->max_pixels,
        .max_scans = (uint32_t) v.set->max_scans,
        .max_sample_nbytes = v.set->max_sample_nbytes,
    };
    int rc = pcrtool_input_open(&v.in, args->command, args->operands[0], v.set->split, NULL,
                                &limits);
    if (rc)
        return rc;
    v.records = calloc(v.in.info.record_count + 1, sizeof(*v.records));
    if (v.records) {
        pthread_mutex_init(&v.lock, NULL);
        pcrtool_catch_signals();
        run_threads(&v, thread_count(v.set));
        rc = v.failed ? pcrtool_failed(args->command, &v.error) : report(&v);
        pthread_mutex_destroy(&v.lock);
    } else {
        pcrtool_error(args->command, "out of memory");
        rc = PCRTOOL_FAILED;
    }
    free_findings(&v);
    pcrtool_input_close(&v.in);
    return rc;
}

#define SETTING(member) .offset = offsetof(struct verify_settings, member)

static const struct pcrtool_option options[] = {
    { "deep", NULL,
      "also decode each sample at every fidelity, and name files kept\n"
      "whole that cannot be shown",
      PCRTOOL_FLAG, SETTING(deep) },
    { "originals", NULL,
      "also restore the source file of each sample that keeps it, and\n"
      "compare its checksum",
      PCRTOOL_FLAG, SETTING(originals) },
    { "split", "NAME", "only this split", PCRTOOL_TEXT, SETTING(split) },
    { "max-pixels", "N",
      "with --deep: larger pictures count as undecodable; default\n"
      "268435456, or what the dataset's conversion allowed",
      PCRTOOL_NUMBER, SETTING(max_pixels), .min = 1, .needs = "deep" },
    { "max-scans", "N", "the same for scans of a JPEG; default 64", PCRTOOL_NUMBER,
      SETTING(max_scans), .min = 1, .max = UINT32_MAX, .needs = "deep" },
    { "max-sample-bytes", "SIZE",
      "refuse records with a larger sample; default 1G, or as converted", PCRTOOL_SIZE,
      SETTING(max_sample_nbytes), .min = 1 },
    { "threads", "N", "threads that work; default: one for each CPU", PCRTOOL_NUMBER,
      SETTING(threads), .letter = 'j', .min = 1, .max = MAX_THREADS },
    { "quiet", NULL, "print only findings", PCRTOOL_FLAG, SETTING(quiet), .letter = 'q' },
    { "json", NULL, "print summary and findings as JSON", PCRTOOL_FLAG, SETTING(json) },
    { 0 },
};

const struct pcrtool_command pcrtool_verify = {
    .name = "verify",
    .summary = "Check every checksum of a dataset or record",
    .operands = "DATASET",
    .description =
        "Reads everything: headers, heads, groups, chunks and tails, and compares them with\n"
        "the manifest. Each finding is a line on standard error, in the dataset's order.\n"
        "The exit code is 0 if all is intact, 4 if anything is damaged, and 1 if the system\n"
        "could not read it. Samples that are intact but that no decoder here can show are\n"
        "named and counted separately.\n",
    .examples = "  pcrtool verify photos.pcr\n"
                "  pcrtool verify photos.pcr --deep --threads 8\n"
                "  pcrtool verify photos.pcr --json | jq .findings\n",
    .options = options,
    .settings_nbytes = sizeof(struct verify_settings),
    .operand_min = 1,
    .operand_max = 1,
    .run = run_verify,
};
