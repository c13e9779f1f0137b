/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of pcr_dataset_write(): plan, state, survey, coding, publishing. */
#ifndef PCRI_WRITE_H
#define PCRI_WRITE_H

#include <pthread.h>

#include <pcr/image.h>
#include <pcr/writer.h>

#include "../coding/codings.h"
#include "../image/exact.h"
#include "../image/judge.h"
#include "../io/layer.h"
#include "../io/storage.h"
#include "../manifest/manifest.h"
#include "../manifest/notes.h"

/* --- plan (plan.c): which sample goes where, by source and options alone --- */

struct pcri_write_plan_record {
    uint64_t first; /* position in pcri_plan.order */
    uint32_t count;
    uint32_t split;
    uint64_t number; /* in its split */
};

struct pcri_write_plan {
    uint64_t sample_count;
    uint64_t *order; /* source index by position */
    uint64_t record_count;
    struct pcri_write_plan_record *records;
    uint32_t split_count;
    const char *const *split_names;
    const char **copied_names; /* split_names, if they are the plan's own */
    char **prefixes;           /* beginning of the file names of split i's records */
    struct pcri_schema schema; /* of attributes */
    struct pcri_schema blobs;  /* their names */
    bool may_be_salvaged;      /* the schema has "salvaged" only for samples that may be so */
    uint32_t label_kind;       /* enum pcr_label_kind */
    uint32_t class_count;
    const char *const *class_names; /* the source's, or number_names */
    char *numbers;                  /* their text, if integers were found to be classes */
    const char **number_names;
    uint64_t fingerprint; /* of everything that the output depends on except the bad policy */
};

struct pcri_ticker;
/* Checks a source as a whole, before it is planned. INVAL, LIMIT. */
int pcri_write_plan_check(const struct pcr_source *source, struct pcr_error *err);
/* Of a checked source. Calls the ticker. CANCELLED, and as below. */
int pcri_write_plan_make(struct pcri_write_plan *p, const struct pcr_source *source,
                         const struct pcr_write_options *opts, const struct pcr_ladder *ladder,
                         struct pcri_ticker *ticker, struct pcr_error *err);
/* The plan of a dataset that is recoded: its own records. */
int pcri_write_plan_copy(struct pcri_write_plan *p, const struct pcr_dataset *ds,
                         const struct pcr_write_options *opts, const struct pcr_ladder *ladder,
                         struct pcr_error *err);
void pcri_write_plan_free(struct pcri_write_plan *p);

enum { PCRI_RECORD_NAME_NBYTES = 160 };
/* The record's file name, "train-00000.pcr". */
void pcri_write_plan_name(const struct pcri_write_plan *p, uint64_t record,
                          char out[PCRI_RECORD_NAME_NBYTES]);

/* --- options (write.c) --- */

/* Copies and checks options, and fills in defaults; own->limits then is `limits`. */
int pcri_write_options_take(struct pcr_write_options *own, struct pcr_limits *limits,
                            const struct pcr_write_options *opts, struct pcr_error *err);

/* The storage in the options, or files. Release it with pcri_storage_destroy(), also on
 * failure. INVAL, NOMEM. (write.c) */
int pcri_write_storage(const struct pcr_write_options *opts, const struct pcri_storage **out,
                       struct pcr_error *err);

/* --- sources (source.c) --- */

/* Makes the source describe a sample. INVAL if it disregards the struct's size; and its own
 * errors. */
int pcri_source_describe(const struct pcr_source *source, uint64_t index,
                         struct pcr_source_sample *out, struct pcr_error *err);

/* How many bytes what a sample points to takes, but for its blobs' data. */
size_t pcri_source_text_nbytes(const struct pcr_source_sample *s);

/* Copies that to memory of so many bytes, aligned as labels are, and makes the sample point there.
 * Empty texts become NULL. */
void pcri_source_copy_text(struct pcr_source_sample *s, void *to);

/* Whether only this input is lost: it has disappeared, is not readable for this user, or failed
 * for the source's own reasons. Then it is as bad as a damaged one. Other refusals of the system
 * concern inputs that are good. */
bool pcri_source_is_lost(const struct pcr_error *why);

/* Checks a sample by itself: key, split, labels. INVAL, which names index (UINT64_MAX: none)
 * and key. */
int pcri_source_check(const struct pcr_source *source, uint64_t index,
                      const struct pcr_source_sample *s, struct pcr_error *err);

/* --- labels (labels.c) --- */

/* What a pass over the source gathers about its labels. */
struct pcri_label_survey {
    bool floats, integers;            /* some sample has such labels */
    bool singles;                     /* integers: each sample has one, within 0..most - 1 */
    uint64_t most;                    /* there are at most so many classes */
    uint64_t distinct, end, labelled; /* of singles: labels; the largest + 1; samples */
    uint8_t *seen;                    /* [most]: 1 where a single has that label */
    uint64_t inexact_index;           /* the first integer that is not exact as a float */
    int64_t inexact_label;
    char *inexact_key; /* NULL: there is none */
};
int pcri_label_survey_create(struct pcri_label_survey *v, uint64_t sample_count,
                             struct pcr_error *err);
void pcri_label_survey_free(struct pcri_label_survey *v);
/* Notes the labels of a checked sample. NOMEM. */
int pcri_label_survey_add(struct pcri_label_survey *v, uint64_t index,
                          const struct pcr_source_sample *s, struct pcr_error *err);
/* Sets the plan's kind of labels and its classes; `classes`: integers may be some. */
int pcri_label_survey_finish(const struct pcri_label_survey *v,
                             const struct pcr_source *source, bool classes,
                             struct pcri_write_plan *p, struct pcr_error *err);
/* Checks that the labels a source gives when a sample is written still fit the plan. INVAL. */
int pcri_label_check(const struct pcri_write_plan *p, const struct pcr_source_sample *s,
                     struct pcr_error *err);
/* Label k of a sample, as stored if labels are floats. */
double pcri_label_as_float(const struct pcr_source_sample *s, uint32_t k);

#define PCRI_ERRORS_NAME "errors.jsonl"

/* --- state (state.c): the lock, and what a conversion was asked to do --- */

struct pcri_write_state {
    const struct pcri_storage *storage;
    const char *dir;
    struct pcri_claim *claim; /* NULL: none */
    char *path;
};
/* The contents of a state file. */
enum pcri_state_kind {
    PCRI_STATE_NOTHING, /* empty: its writer was killed at once */
    PCRI_STATE_DAMAGED, /* a part is lost or changed */
    PCRI_STATE_FOREIGN, /* something else */
    PCRI_STATE_WHOLE,
};
enum { PCRI_STATE_NBYTES = 85 }; /* of the text */
struct pcri_state_text {
    enum pcri_state_kind is;
    uint64_t fingerprint; /* if it is complete */
    uint32_t bad_policy;  /* below 10 */
};
void pcri_state_parse(const char *text, size_t nbytes, struct pcri_state_text *out);
void pcri_state_render(const struct pcri_state_text *t, char out[PCRI_STATE_NBYTES + 1]);

/* Whether the folder exists and has a state file. */
int pcri_write_state_find(const struct pcri_storage *storage, const char *dir, bool *found,
                          struct pcr_error *err);
/* Checks that a folder does not exist, is empty, or holds an unfinished conversion. INVAL: it
 * holds a dataset or other files. IO, NOMEM. */
int pcri_write_state_look(const struct pcri_storage *storage, const char *dir,
                          struct pcr_error *err);
/* Creates the folder if necessary, locks it, checks that its contents belong to this very
 * conversion, and removes temporary files. INVAL, IO (EWOULDBLOCK: another writer), NOMEM. */
int pcri_write_state_open(struct pcri_write_state *s, const struct pcri_storage *storage,
                          const char *dir, uint64_t fingerprint, uint32_t bad_policy,
                          struct pcr_error *err);
/* Removes the state file: the conversion is complete. */
int pcri_write_state_finish(struct pcri_write_state *s, struct pcr_error *err);
/* Releases the lock and leaves the file. */
void pcri_write_state_close(struct pcri_write_state *s);

/* --- one conversion --- */

/* The outcome of a record. */
struct pcri_outcome {
    bool done;
    struct pcri_header *header; /* NULL: none of its samples was good, there is no file */
    uint32_t skip_count;
    char **skips; /* JSON objects */
    struct pcri_note_counts notes;
    struct pcri_needs needs; /* of its samples */
    bool restorable;         /* an earlier run's: some of them can be */
};

struct pcri_split_totals {
    uint64_t source_nbytes;
    uint64_t *class_counts;
};

/* What became of a sample's file before it was coded. */
struct pcri_reduction {
    bool made;           /* it was replaced by a JPEG of its pixels */
    bool smaller;        /* since it was larger than the options' max_side or target_nbytes */
    const char *picture; /* the format of a file that was no JPEG; static, or NULL */
};

/* A sample between coding and publishing. */
struct pcri_slot {
    struct pcr_source_sample sample;
    struct pcri_coded coded;
    struct pcri_blob_list blobs;
    void *text;              /* what `sample` points to; or NULL */
    char *attributes;        /* instead of the sample's; or NULL */
    struct pcr_sample *held; /* of the dataset being recoded: `sample` points into it */
    uint64_t identity;       /* of its file */
    char *skip;              /* JSON object, if it was skipped; then the above are empty */
    struct pcri_reduction reduction;
};

/* An input that the survey could not load. It stays lost, even if it could be loaded now: the
 * tables were made without it, and a conversion with it has others. */
struct pcri_lost {
    uint64_t index;
    struct pcr_error why;
};

/* A record being coded or published. */
struct pcri_flight {
    bool busy;
    uint64_t record;
    uint32_t claimed, pending; /* samples: handed to workers; not yet coded */
    struct pcri_slot *slots;
};

struct pcri_bad_event {
    struct pcri_bad_event *next;
    const char *format; /* static, or NULL */
    struct pcr_error err;
    char path[];
};

/* The dataset being recoded. */
struct pcri_recode {
    struct pcr_dataset *dataset;
    uint64_t revision;            /* when it was finished, 0 if not known */
    struct pcr_sample *described; /* the sample that the source described last */
    struct pcr_buffer attributes; /* of it */
};

/* Calls progress from a thread that itself works. */
struct pcri_ticker {
    const struct pcr_write_options *opts;
    const struct pcr_write_progress *progress;
    uint64_t next_ns; /* when it is due again */
    uint32_t count;   /* ticks; only some of them read the clock */
};

struct pcri_write {
    struct pcr_write_options opts; /* opts.limits: &limits */
    struct pcr_limits limits;
    struct pcri_ticker ticker;
    struct pcr_source source;           /* a copy of the caller's, up to its size */
    struct pcri_recode *recode;         /* a dataset instead; NULL: none */
    struct pcri_duplicates *duplicates; /* left out of the source; NULL: not looked for */
    uint64_t *identities; /* of the samples' files (twins.c): 0: not known; NULL: not wanted */
    const struct pcri_storage *storage; /* where the dataset will be */
    const char *dir;                    /* NULL: dry run */
    const struct pcr_ladder *ladder;
    uint32_t group_count, piece_count;
    uint16_t piece_counts[PCRI_MAX_GROUPS];
    struct pcri_write_plan plan;
    struct pcri_write_state state;
    struct pcri_layers *layers; /* for existing records: failures that may pass are tried
                                 * again */
    const struct pcri_coding *coding;
    struct pcri_coder_tables *tables;

    /* Shared by the threads; under `lock` while they run. */
    pthread_mutex_t lock;
    pthread_cond_t room; /* for workers: a flight or memory is free, or stop */
    pthread_cond_t news; /* for the calling thread */
    uint32_t running;    /* worker threads */
    bool stop;
    bool failed;
    uint64_t fail_position;
    struct pcr_error failure;
    struct pcr_write_progress progress;
    struct pcri_coding_counts codings;
    uint64_t memory_taken; /* by pictures at work; at most opts.max_memory_nbytes */
    uint64_t memory_tickets,
        memory_served; /* tickets of those that wait for it: first come, first served */
    struct pcri_bad_event *events, **events_end;
    struct pcri_outcome *outcomes;    /* by record */
    struct pcri_split_totals *totals; /* by split */

    /* survey */
    uint64_t survey_count, survey_next;
    struct pcri_coder_stats **stats;
    struct pcri_lost *lost; /* inputs that it could not load */
    size_t lost_count;
    struct pcri_original_cost *costs; /* NULL: whether originals are kept is decided */
    bool originals;                   /* they are kept restorable */
    /* Of an earlier run's records: some sample is coded; some of them can be restored. */
    bool kept_coded, kept_restorable;

    /* records */
    uint64_t next_record;
    struct pcri_flight *current; /* whose samples are being handed out */
    struct pcri_flight *flights;
    uint32_t flight_count;
};

/* A worker thread's own tools. */
struct pcri_worker {
    struct pcri_write *write;
    pthread_t thread;
    struct pcri_coder *coder;
    struct pcr_decoder *decoder;
    struct pcr_buffer file, pixels;
    struct pcri_exact exact; /* of the file, with its memory */
    uint64_t memory;         /* taken for the current picture */
};

/* --- threads (threads.c) --- */

/* Call it after each piece of work: it calls progress when due. every: the clock is read once
 * in so many calls. CANCELLED. */
int pcri_tick(struct pcri_ticker *t, uint32_t every, struct pcr_error *err);

void pcri_write_threads_init(struct pcri_write *w);
void pcri_write_threads_free(struct pcri_write *w);
/* Runs `fn` in all worker threads until each has returned 0 or one failed, and calls the
 * user's callbacks meanwhile. Returns the failure of the lowest position. */
int pcri_write_parallel(struct pcri_write *w,
                        int (*fn)(struct pcri_worker *t, struct pcr_error *err),
                        struct pcr_error *err);
/* Notes a failure at a position of the plan and stops handing out work. The lowest position
 * wins, so that the same failure is reported whatever the timing. */
void pcri_write_fail(struct pcri_write *w, uint64_t position, const struct pcr_error *err);
/* Queues a call of bad_input. `format` is static, or NULL. */
int pcri_write_bad(struct pcri_write *w, const char *path, const char *format,
                   const struct pcr_error *why, struct pcr_error *err);

/* --- a worker's tools (worker.c) --- */

/* Makes those that are missing. NOMEM. */
int pcri_worker_equip(struct pcri_worker *t, struct pcr_error *err);
void pcri_worker_free(struct pcri_worker *t);
/* Call it when a picture is done: it gives its memory back, and renews tools that must not
 * keep it. NOMEM. */
int pcri_worker_rest(struct pcri_worker *t, struct pcr_error *err);

/* --- memory (memory.c) --- */

/* Call it before allocating memory that grows with a picture's pixels: waits until there is
 * enough besides the other threads' pictures. `worker`: a struct pcri_worker, which has taken
 * nothing, or memory for the same picture. LIMIT: more than the options allow for all
 * together. */
int pcri_memory_take(void *worker, uint64_t nbytes, struct pcr_error *err);
/* Whether the worker may keep the memory that it took for the next picture: not if it is more
 * than its share, or others wait. */
bool pcri_memory_is_spare(struct pcri_worker *t);
/* Gives back what the worker took: its picture is done. */
void pcri_memory_give(struct pcri_worker *t);

/* --- one sample (sample.c) --- */

/* Loads, judges and codes the sample of slot->sample by the policies; fills the slot.
 * A negative result ends the conversion. */
int pcri_sample_encode(struct pcri_worker *t, uint64_t index, struct pcri_slot *slot,
                       struct pcr_error *err);
void pcri_slot_free(struct pcri_slot *slot);
/* Moves t->file into *coded as an opaque sample; bad: notes what the file is if it does not
 * decode. */
int pcri_sample_keep_whole(struct pcri_worker *t, bool bad, struct pcri_coded *coded,
                           struct pcr_error *err);
/* Makes the source load a sample into t->file. Failures that may pass are tried again. On
 * failure *lost says whether the input is bad; if not, the failure ends the conversion. */
int pcri_sample_load(struct pcri_worker *t, uint64_t index, bool *lost, struct pcr_error *why);
/* Adds a sample's blobs to the slot's; *lost as above. (blobs.c) */
int pcri_sample_load_blobs(struct pcri_worker *t, uint64_t index, struct pcri_slot *slot,
                           bool *lost, struct pcr_error *why);
/* Adds the names of a sample's blobs to the plan's. LIMIT, NOMEM. (blobs.c) */
int pcri_blobs_survey(struct pcri_write_plan *p, const struct pcr_source_sample *s,
                      struct pcr_error *err);
/* Whether sample i of a record has the blobs that the source has, as far as it says. (blobs.c) */
bool pcri_blobs_are_same(const struct pcri_head *head, uint32_t i,
                         const struct pcr_source_sample *s);
/* Adds a record's notes to the progress. Under the lock while threads run. */
void pcri_write_count_notes(struct pcri_write *w, const struct pcri_note_counts *c);
/* Whether it is a failure that does not concern the input. */
static inline bool pcri_is_ours(int rc)
{
    return rc == PCR_ERR_NOMEM || rc == PCR_ERR_CANCELLED;
}
/* Puts "path: " before the message, as valid UTF-8 and short enough for the reason. */
int pcri_sample_prefix(const struct pcr_source_sample *s, int code, struct pcr_error *err);
/* The same for a sample of the source, while threads run. (survey.c) */
int pcri_sample_name(struct pcri_write *w, uint64_t index, int code, struct pcr_error *err);

/* --- attributes (attributes.c) --- */

#define PCRI_SALVAGED "salvaged"

/* Widens a schema for a text of a source. INVAL, LIMIT, NOMEM. */
int pcri_attributes_survey(struct pcri_schema *schema, const char *text,
                           struct pcr_error *err);
/* Settles the plan's schema. */
int pcri_attributes_survey_end(struct pcri_write_plan *p, bool salvaging,
                               struct pcr_error *err);
/* The text of an object that a reader of the columns will get. *out is replaced. INVAL: it does
 * not fit the schema. NOMEM. */
int pcri_attributes_as_stored(const struct pcri_schema *schema, const char *key,
                              const char *object, struct pcr_buffer *out,
                              struct pcr_error *err);
/* A sample's attributes as canonical JSON, malloc'd; NULL for none. salvaged: the value of an
 * attribute of that name, or NULL. INVAL, NOMEM. */
int pcri_attributes_render(const char *text, const char *salvaged, char **out,
                           struct pcr_error *err);

/* Makes t->file a JPEG of its pixels if the options ask for it: of an image above their max_side
 * one of that size; of a file above their target_nbytes; of a picture of another format. It is
 * upright, with the ICC profile and no other metadata. Files that cannot be decoded stay
 * unchanged. NOMEM; LIMIT: it cannot have so few bytes. (reduce.c) */
int pcri_sample_reduce(struct pcri_worker *t, struct pcri_reduction *out,
                       struct pcr_error *err);

/* --- exact pictures (exact.c) --- */

/* Codes t->file as an exact picture, if the options say so, it is such a file, and that takes fewer
 * bytes. A negative result is not the input's fault. */
int pcri_exact_code(struct pcri_worker *t, struct pcri_coded *coded, bool *made,
                    struct pcr_error *err);
/* Replaces such a file by its JPEG. Other files stay. */
int pcri_exact_to_jpeg(struct pcri_worker *t, struct pcr_error *err);
/* Makes a coded JPEG an exact picture, by e->residual and e->quality. NOMEM, LIMIT. */
int pcri_exact_attach(const struct pcri_write *w, const struct pcri_exact *e,
                      struct pcri_coded *coded, struct pcr_error *err);

/* --- another dataset's samples (recode_source.c, recode_sample.c) --- */

struct pcri_builder;
struct pcr_sample_info;
/* Describes a sample as a source would; the pointers are the info's. */
void pcri_recode_describe(const struct pcr_sample_info *info, struct pcr_source_sample *out);
/* Puts the sample's file into t->file, and takes the memory for making it. */
int pcri_recode_load(struct pcri_worker *t, uint64_t index, struct pcr_error *err);
/* Adds the record's notes and skipped inputs, and counts the notes. */
int pcri_recode_tail(const struct pcri_write *w, uint64_t record, struct pcri_builder *b,
                     struct pcri_note_counts *counts, struct pcr_error *err);
/* Reads the dataset's list of inputs that were left out, if there is one. */
int pcri_recode_errors(const struct pcri_write *w, const char *name, struct pcr_buffer *out,
                       struct pcr_error *err);
/* Loads and encodes the sample, and fills the slot. A negative result ends the conversion. */
int pcri_recode_sample(struct pcri_worker *t, uint64_t index, struct pcri_slot *slot,
                       struct pcr_error *err);

/* --- the phases --- */

/* The source's index of the survey's image i. */
static inline uint64_t pcri_survey_index(const struct pcri_write *w, uint64_t i)
{
    return w->plan.order[i * w->plan.sample_count / w->survey_count];
}

/* Makes the checks common to everything that writes a dataset, and begins the report.
 * (write.c) */
int pcri_write_begin(struct pcri_write *w, const char *path, struct pcr_write_progress *report,
                     struct pcr_error *err);
/* Writes the dataset described by w->opts, source and recode, which are filled in, and cleans
 * up. (write.c) */
int pcri_write_run(struct pcri_write *w, const char *path, struct pcr_write_progress *report,
                   struct pcr_error *err);

/* Checks whether the folder holds the finished dataset of this conversion. Changes nothing.
 * IO, NOMEM, CANCELLED. (same.c) */
int pcri_write_find_finished(struct pcri_write *w, bool *same, struct pcr_error *err);

/* Replaces w->source by one without duplicates (duplicates.c). INVAL: their labels differ; and
 * what the survey may return. */
int pcri_duplicates_leave_out(struct pcri_write *w, struct pcr_error *err);
/* Describes the next duplicate from *index on, which is moved on, and the sample that is kept in
 * its place. 1, 0 if there is none, or an error. */
int pcri_duplicates_next(const struct pcri_write *w, uint64_t *index,
                         struct pcr_source_sample *one, struct pcr_source_sample *kept,
                         struct pcr_error *err);
void pcri_duplicates_free(struct pcri_write *w);

/* --- files that are kept more than once (twins.c) --- */

/* Has identities noted, unless duplicates are left out. NOMEM. */
int pcri_twins_begin(struct pcri_write *w, struct pcr_error *err);
/* What is noted of a file that is not empty; 0: nothing is. */
static inline uint64_t pcri_file_identity(uint64_t nbytes, uint32_t check32)
{
    return nbytes << 32 | check32;
}
/* Notes those of a finished record's samples, as far as it has them. */
int pcri_twins_take_over(struct pcri_write *w, const struct pcri_write_plan_record *planned,
                         const struct pcri_record *r, struct pcr_error *err);
/* Compares the files whose identities agree, counts and tells those that are equal. Calls the
 * program; from the calling thread. */
int pcri_twins_tell(struct pcri_write *w, struct pcr_error *err);

/* Trains the dataset's shared tables on some of its samples. (survey.c) */
int pcri_write_survey(struct pcri_write *w, struct pcr_error *err);
/* Whether originals are kept (originals.c). settle: by the options, or as in the records that are
 * kept of an earlier run. If it is open, the survey decides it: begin before it, look at each image
 * that the coder has loaded, decide after it. NOMEM. */
void pcri_originals_settle(struct pcri_write *w);
int pcri_originals_begin(struct pcri_write *w, struct pcr_error *err);
int pcri_originals_look(struct pcri_worker *t, uint64_t i, struct pcr_error *err);
int pcri_originals_decide(struct pcri_write *w, struct pcr_error *err);
void pcri_originals_free(struct pcri_write *w);
/* Notes an input that the survey could not load (lost.c). */
void pcri_lost_add(struct pcri_write *w, uint64_t index, const struct pcr_error *why);
/* NULL: the survey could load the input. */
const struct pcri_lost *pcri_lost_find(const struct pcri_write *w, uint64_t index);
/* Takes over complete records of an earlier run. (resume.c) */
int pcri_write_resume(struct pcri_write *w, struct pcr_error *err);
/* Codes and publishes all records that are not done. (records.c) */
int pcri_write_records(struct pcri_write *w, struct pcr_error *err);

/* --- inputs that were left out (skips.c, errors.c) --- */

/* The JSON object for the tail and errors.jsonl; malloc'd. format: what the input's bytes look
 * like, NULL if there are none. kept: the key of a sample with the same file, or NULL. */
int pcri_skip_render(const struct pcr_source_sample *s, const char *format, const char *kept,
                     const struct pcr_error *why, char **out, struct pcr_error *err);
/* Writes errors.jsonl, or removes it if nothing was left out. */
int pcri_errors_publish(const struct pcri_write *w, struct pcr_error *err);

#endif
