/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan of a conversion: order, records, names, and the fingerprint of it all. */
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "../base/marks.h"
#include "../base/random.h"
#include "../dataset/dataset.h"
#include "write.h"

enum {
    DEFAULT_RECORD_SAMPLES = 1024,
    /* Where records end by bytes: the most samples, as sizes may be unknown. */
    MAX_SAMPLES_BY_BYTES = 65536,
    PREFIX_NBYTES = 100,
};

static const char *const single_split[] = { "all" };

/* --- fingerprint: a chain of checksums over serialised fields --- */

struct print {
    uint64_t value;
    struct pcr_buffer bytes;
};

enum { PRINT_BLOCK_NBYTES = 64 * 1024 };

static void print_fold(struct print *f)
{
    f->value = pcri_mix(f->value) ^ pcri_xxh3(f->bytes.data, f->bytes.nbytes);
    f->bytes.nbytes = 0;
}

static int print_number(struct print *f, uint64_t v, struct pcr_error *err)
{
    uint8_t bytes[8];
    pcri_store64(bytes, v);
    return pcri_buffer_append(&f->bytes, bytes, sizeof(bytes), err);
}

/* NULL differs from "". */
static int print_text(struct print *f, const char *text, struct pcr_error *err)
{
    size_t n = text ? strlen(text) : 0;
    int rc = print_number(f, text ? n : UINT64_MAX, err);
    if (!rc)
        rc = pcri_buffer_append(&f->bytes, text, n, err);
    if (!rc && f->bytes.nbytes >= PRINT_BLOCK_NBYTES)
        print_fold(f);
    return rc;
}

static int print_options(struct print *f, const struct pcr_write_options *o,
                         const struct pcr_ladder *ladder, struct pcr_error *err)
{
    const uint64_t numbers[] = {
        1,
        0, /* the format's version */
        ZSTD_versionNumber(),
        o->flags & (PCR_WRITE_NO_SHUFFLE | PCR_WRITE_DEDUPE),
        o->seed,
        o->record_samples,
        o->record_nbytes,
        o->opaque_policy,
        o->coding,
        o->limits->max_scans,
        o->limits->max_pixels,
        o->limits->max_sample_nbytes,
        o->max_memory_nbytes,
        o->max_side,
        o->quality,
        o->originals,
        o->pictures,
        o->target_nbytes,
    };
    int rc = print_text(f, pcr_version(), err);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !rc; i++)
        rc = print_number(f, numbers[i], err);
    return rc ? rc : print_text(f, pcr_ladder_text(ladder), err);
}

static int print_names(struct print *f, const char *const *names, uint32_t count,
                       struct pcr_error *err)
{
    int rc = print_number(f, count, err);
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = print_text(f, names[i], err);
    return rc;
}

static int print_sample(struct print *f, const struct pcr_source_sample *s,
                        struct pcr_error *err)
{
    int rc = print_text(f, s->key, err);
    uint64_t bits = 0;
    if (!rc)
        rc = print_text(f, s->path, err);
    if (!rc)
        rc = print_text(f, s->attributes, err);
    if (!rc)
        rc = print_number(f, s->label_count, err);
    for (uint32_t i = 0; i < s->label_count && !rc; i++) {
        memcpy(&bits, s->float_labels ? (const void *) &s->float_labels[i] : &s->labels[i],
               sizeof(bits));
        rc = print_number(f, bits, err);
    }
    for (uint32_t i = 0; i < s->blob_count && !rc; i++) {
        rc = print_text(f, s->blobs[i].name, err);
        if (!rc)
            rc = print_number(f, s->blobs[i].nbytes, err);
    }
    if (!rc)
        rc = print_number(f, s->nbytes, err);
    return rc ? rc : print_number(f, s->revision, err);
}

/* --- order --- */

static int same_key(const struct pcr_source *source, uint64_t a, uint64_t b,
                    struct pcr_error *err)
{
    struct pcr_source_sample x, y;
    int rc = pcri_source_describe(source, a, &x, err);
    if (!rc)
        rc = pcri_source_describe(source, b, &y, err);
    if (!rc && !strcmp(x.key, y.key))
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "samples %llu and %llu of the source have the same key '%.200s'",
                       (unsigned long long) a, (unsigned long long) b, x.key);
    return rc;
}

static int check_keys(const struct pcr_source *source, struct pcri_mark *marks,
                      struct pcri_ticker *ticker, struct pcr_error *err)
{
    uint64_t ends[PCRI_MARK_PARTS], begin = 0;
    int rc = 0;
    pcri_marks_part(marks, source->sample_count, ends);
    for (uint32_t b = 0; b < PCRI_MARK_PARTS && !rc; begin = ends[b++]) {
        pcri_marks_sort_part(marks + begin, ends[b] - begin);
        rc = pcri_tick(ticker, 1, err);
    }
    for (uint64_t i = 1; i < source->sample_count && !rc; i++)
        if (marks[i].check == marks[i - 1].check)
            rc = same_key(source, marks[i - 1].index, marks[i].index, err);
    return rc;
}

/* Gathered by one pass over the source. */
struct gathered {
    uint16_t *splits;        /* of each sample */
    uint64_t *nbytes;        /* NULL: records are not cut by bytes */
    struct pcri_mark *marks; /* of keys; only while they are compared */
    uint64_t *split_counts;
    struct pcri_label_survey labels;
};

/* Of samples in planning, a microsecond or a slow callback each: between two looks at the clock. */
enum { TICK_SAMPLES = 16 };

static int gather(struct pcri_write_plan *p, const struct pcr_source *source,
                  struct gathered *g, struct print *f, struct pcri_ticker *ticker,
                  struct pcr_error *err)
{
    int rc = 0;
    for (uint64_t i = 0; i < source->sample_count && !rc; i++) {
        struct pcr_source_sample s;
        rc = pcri_source_describe(source, i, &s, err);
        if (!rc)
            rc = pcri_source_check(source, i, &s, err);
        if (!rc)
            rc = pcri_label_survey_add(&g->labels, i, &s, err);
        if (rc)
            break;
        g->splits[i] = (uint16_t) s.split;
        if (g->nbytes)
            g->nbytes[i] = s.nbytes;
        g->marks[i] = (struct pcri_mark) { pcri_xxh3(s.key, strlen(s.key)), i };
        g->split_counts[s.split]++;
        rc = pcri_attributes_survey(&p->schema, s.attributes, err);
        if (!rc)
            rc = pcri_blobs_survey(p, &s, err);
        if (rc)
            return pcri_sample_prefix(&s, rc, err);
        rc = print_number(f, s.split, err);
        if (!rc)
            rc = print_sample(f, &s, err);
        if (!rc)
            rc = pcri_tick(ticker, TICK_SAMPLES, err);
    }
    if (!rc)
        rc = check_keys(source, g->marks, ticker, err);
    free(g->marks);
    g->marks = NULL;
    return rc;
}

/* Split by split, each in the source's order or shuffled. */
static int make_order(struct pcri_write_plan *p, const struct gathered *g,
                      const struct pcr_write_options *o, struct pcri_ticker *ticker,
                      struct pcr_error *err)
{
    uint64_t *next = pcri_calloc(p->split_count, sizeof(*next), err);
    uint64_t *begin = pcri_calloc(p->split_count, sizeof(*begin), err);
    p->order = pcri_calloc(p->sample_count, sizeof(*p->order), err);
    int rc = next && begin && p->order ? 0 : PCR_ERR_NOMEM;
    for (uint32_t s = 1; s < p->split_count && !rc; s++)
        begin[s] = begin[s - 1] + g->split_counts[s - 1];
    for (uint64_t i = 0; i < p->sample_count && !rc; i++) {
        uint32_t s = g->splits[i];
        uint64_t k = next[s]++;
        if (!(o->flags & PCR_WRITE_NO_SHUFFLE))
            k = pcri_permute(pcri_key(o->seed, s, 0), g->split_counts[s], k);
        p->order[begin[s] + k] = i;
        rc = pcri_tick(ticker, TICK_SAMPLES, err);
    }
    free(next);
    free(begin);
    return rc;
}

/* --- records --- */

static int cut_records(struct pcri_write_plan *p, const struct gathered *g,
                       const struct pcr_write_options *o, struct pcr_error *err)
{
    uint64_t position = 0;
    size_t capacity = 0;
    uint32_t most = o->record_samples;
    if (!most)
        most = o->record_nbytes ? MAX_SAMPLES_BY_BYTES : DEFAULT_RECORD_SAMPLES;
    int rc = 0;
    for (uint32_t s = 0; s < p->split_count && !rc; s++) {
        uint64_t end = position + g->split_counts[s];
        for (uint64_t number = 0; position < end && !rc; number++) {
            struct pcri_write_plan_record r = { position, 0, s, number };
            uint64_t nbytes = 0;
            while (position < end && r.count < most &&
                   (!o->record_nbytes || nbytes < o->record_nbytes)) {
                nbytes += g->nbytes ? g->nbytes[p->order[position]] : 0;
                position++;
                r.count++;
            }
            rc = PCRI_GROW(p->records, capacity, p->record_count + 1, err);
            if (!rc)
                p->records[p->record_count++] = r;
        }
    }
    return rc;
}

/* --- names --- */

static bool is_plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

/* The split's name fit for a file name, and unlike those of the splits before it. */
static int make_prefix(struct pcri_write_plan *p, uint32_t split, struct pcr_error *err)
{
    char text[PREFIX_NBYTES + 16];
    const char *name = p->split_names[split];
    size_t n = 0;
    for (; n < PREFIX_NBYTES && name[n]; n++)
        text[n] = is_plain(name[n]) && (n || (name[n] != '.' && name[n] != '-')) ? name[n]
                                                                                 : '_';
    text[n] = '\0';
    bool taken = n == 0;
    for (uint32_t i = 0; i < split; i++)
        taken |= !strcmp(p->prefixes[i], text);
    if (taken) /* no plain name has a "~" */
        snprintf(text + n, sizeof(text) - n, "~%u", (unsigned) split);
    p->prefixes[split] = pcri_strndup(text, strlen(text), err);
    return p->prefixes[split] ? 0 : PCR_ERR_NOMEM;
}

void pcri_write_plan_name(const struct pcri_write_plan *p, uint64_t record,
                          char out[PCRI_RECORD_NAME_NBYTES])
{
    const struct pcri_write_plan_record *r = &p->records[record];
    snprintf(out, PCRI_RECORD_NAME_NBYTES, "%s-%05llu.pcr", p->prefixes[r->split],
             (unsigned long long) r->number);
}

/* --- all together --- */

/* What no manifest can hold is known before hours of work. */
static int check_names(const struct pcr_source *s, struct pcr_error *err)
{
    for (uint32_t i = 0; i < s->class_count; i++)
        if (!s->class_names[i])
            return pcri_fail(err, PCR_ERR_INVAL, "class %u has no name", (unsigned) i);
    if (s->split_count > PCRI_MANIFEST_SPLITS)
        return pcri_fail(err, PCR_ERR_LIMIT, "the source has %u splits, the limit is %u",
                         (unsigned) s->split_count, (unsigned) PCRI_MANIFEST_SPLITS);
    for (uint32_t i = 0; s->split_names && i < s->split_count; i++) {
        const char *name = s->split_names[i];
        if (!name || !*name)
            return pcri_fail(err, PCR_ERR_INVAL, "split %u has no name", (unsigned) i);
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(s->split_names[k], name))
                return pcri_fail(err, PCR_ERR_INVAL, "splits %u and %u are both '%.200s'",
                                 (unsigned) k, (unsigned) i, name);
    }
    return 0;
}

int pcri_write_plan_check(const struct pcr_source *s, struct pcr_error *err)
{
    if (!s->describe || !s->load)
        return pcri_fail(err, PCR_ERR_INVAL, "the source lacks describe or load");
    if (!s->sample_count)
        return pcri_fail(err, PCR_ERR_INVAL, "the source has no samples");
    if (s->sample_count > SIZE_MAX / 64)
        return pcri_fail(err, PCR_ERR_LIMIT, "the source has %llu samples",
                         (unsigned long long) s->sample_count);
    if (s->split_names ? !s->split_count : s->split_count > 1)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "the source's split_names and split_count "
                         "do not agree");
    if (s->class_count && !s->class_names)
        return pcri_fail(err, PCR_ERR_INVAL, "the source's class_names is NULL");
    return check_names(s, err);
}

static int make(struct pcri_write_plan *p, const struct pcr_source *source,
                const struct pcr_write_options *opts, const struct pcr_ladder *ladder,
                struct gathered *g, struct print *f, struct pcri_ticker *ticker,
                struct pcr_error *err)
{
    int rc = print_options(f, opts, ladder, err);
    if (!rc)
        rc = print_names(f, p->split_names, p->split_count, err);
    if (!rc)
        rc = gather(p, source, g, f, ticker, err);
    if (!rc)
        rc = pcri_attributes_survey_end(p, opts->bad_policy == PCR_BAD_SALVAGE, err);
    if (!rc)
        rc = pcri_label_survey_finish(&g->labels, source,
                                      !(opts->flags & PCR_WRITE_NO_CLASSES), p, err);
    if (!rc)
        rc = print_number(f, p->label_kind, err);
    if (!rc)
        rc = print_names(f, p->class_names, p->class_count, err);
    if (!rc)
        rc = make_order(p, g, opts, ticker, err);
    if (!rc)
        rc = cut_records(p, g, opts, err);
    for (uint32_t i = 0; i < p->split_count && !rc; i++)
        rc = make_prefix(p, i, err);
    print_fold(f);
    p->fingerprint = f->value;
    return rc;
}

int pcri_write_plan_make(struct pcri_write_plan *p, const struct pcr_source *source,
                         const struct pcr_write_options *opts, const struct pcr_ladder *ladder,
                         struct pcri_ticker *ticker, struct pcr_error *err)
{
    struct gathered g = { 0 };
    struct print f = { 0 };
    int rc;
    p->sample_count = source->sample_count;
    p->split_names = source->split_names ? source->split_names : single_split;
    p->split_count = source->split_names ? source->split_count : 1;

    uint64_t n = source->sample_count;
    p->prefixes = pcri_calloc(p->split_count, sizeof(*p->prefixes), err);
    g.splits = pcri_calloc(n, sizeof(*g.splits), err);
    g.nbytes = opts->record_nbytes ? pcri_calloc(n, sizeof(*g.nbytes), err) : NULL;
    g.marks = pcri_calloc(n, sizeof(*g.marks), err);
    g.split_counts = pcri_calloc(p->split_count, sizeof(*g.split_counts), err);
    if (p->prefixes && g.splits && (g.nbytes || !opts->record_nbytes) && g.marks &&
        g.split_counts)
        rc = pcri_label_survey_create(&g.labels, n, err);
    else
        rc = PCR_ERR_NOMEM;
    if (!rc)
        rc = make(p, source, opts, ladder, &g, &f, ticker, err);
    free(g.splits);
    free(g.nbytes);
    free(g.marks);
    free(g.split_counts);
    pcri_label_survey_free(&g.labels);
    pcr_buffer_free(&f.bytes);
    return rc;
}

/* The number of a record that was named by pcri_write_plan_name(); UINT64_MAX if it was
 * not. */
static uint64_t find_number(const struct pcri_write_plan *p, uint32_t split, const char *file)
{
    size_t n = strlen(p->prefixes[split]);
    char *end;
    if (strncmp(file, p->prefixes[split], n) != 0 || file[n] != '-' || file[n + 1] < '0' ||
        file[n + 1] > '9')
        return UINT64_MAX;
    uint64_t number = strtoull(file + n + 1, &end, 10);
    return strcmp(end, ".pcr") ? UINT64_MAX : number;
}

/* The dataset's records as they are. Their names stay if all of the split are of our making, and
 * else are numbered anew. */
static int copy_records(struct pcri_write_plan *p, const struct pcr_dataset *ds,
                        struct pcr_error *err)
{
    const struct pcri_manifest *m = &ds->manifest;
    p->records = pcri_calloc(m->record_count, sizeof(*p->records), err);
    if (!p->records)
        return PCR_ERR_NOMEM;
    for (uint32_t s = 0; s < m->split_count; s++) {
        struct pcri_write_plan_record *of = p->records + m->splits[s].first_record;
        uint64_t next = 0; /* no number is below it */
        for (uint64_t k = 0; k < m->splits[s].record_count; k++) {
            uint64_t r = p->record_count++;
            uint64_t number = find_number(p, s, pcri_manifest_file(m, r));
            of[k] = (struct pcri_write_plan_record) { ds->first_samples[r],
                                                      m->sample_counts[r], s, number };
            next = number < next || number > INT64_MAX ? UINT64_MAX : number + 1;
        }
        for (uint64_t k = 0; next == UINT64_MAX && k < m->splits[s].record_count; k++)
            of[k].number = k;
    }
    return 0;
}

int pcri_write_plan_copy(struct pcri_write_plan *p, const struct pcr_dataset *ds,
                         const struct pcr_write_options *opts, const struct pcr_ladder *ladder,
                         struct pcr_error *err)
{
    const struct pcri_manifest *m = &ds->manifest;
    struct print f = { 0 };
    p->sample_count = m->sample_count;
    p->split_count = m->split_count;
    p->label_kind = m->label_kind;
    p->class_count = m->class_count;
    p->class_names = (const char *const *) m->classes;
    p->order = pcri_calloc(p->sample_count, sizeof(*p->order), err);
    p->prefixes = pcri_calloc(p->split_count, sizeof(*p->prefixes), err);
    p->copied_names = pcri_calloc(p->split_count, sizeof(*p->copied_names), err);
    int rc = p->order && p->prefixes && p->copied_names
                 ? pcri_schema_copy(&p->schema, &m->schema, err)
                 : PCR_ERR_NOMEM;
    if (!rc)
        rc = pcri_schema_copy(&p->blobs, &m->blobs, err);
    for (uint64_t i = 0; i < p->sample_count && !rc; i++)
        p->order[i] = i;
    for (uint32_t i = 0; i < p->split_count && !rc; i++)
        p->copied_names[i] = m->splits[i].name;
    p->split_names = p->copied_names;
    for (uint32_t i = 0; i < p->split_count && !rc; i++)
        rc = make_prefix(p, i, err);
    if (!rc)
        rc = copy_records(p, ds, err);
    if (!rc)
        rc = print_options(&f, opts, ladder, err);
    if (!rc) /* the manifest has the checksums of all headers, and these of all else */
        rc = print_number(&f, pcri_xxh3(ds->text.data, ds->text.nbytes), err);
    print_fold(&f);
    p->fingerprint = f.value;
    pcr_buffer_free(&f.bytes);
    return rc;
}

void pcri_write_plan_free(struct pcri_write_plan *p)
{
    for (uint32_t i = 0; p->prefixes && i < p->split_count; i++)
        free(p->prefixes[i]);
    pcri_schema_free(&p->schema);
    pcri_schema_free(&p->blobs);
    free(p->prefixes);
    free(p->order);
    free(p->records);
    free(p->numbers);
    free(p->number_names);
    free(p->copied_names);
    *p = (struct pcri_write_plan) { 0 };
}
