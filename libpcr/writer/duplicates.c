/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a source has more than once (PCR_WRITE_DEDUPE). A pass before the plan finds them.
 * The conversion then has a source without them, so planning and resuming need not know.
 *
 * Only files of one size can be the same. These are read once for their checksums. Those whose
 * checksums agree are read again and compared: a checksum alone leaves nothing out. */
#include <stdlib.h>

#include "write.h"

enum file_state {
    FILE_UNREAD, /* no other has its size, as far as is known */
    FILE_WANTED, /* to be read */
    FILE_READ,
    FILE_LOST,      /* bad: it could not be loaded */
    FILE_DUPLICATE, /* left out: `twin` is kept */
    FILE_DISPUTED,  /* bad: `twin` is the same file with other labels */
};

struct file {
    uint64_t nbytes; /* 0: not known, or none */
    uint64_t check;
    uint64_t twin;
    uint32_t split;
    uint32_t state;
};

struct pcri_duplicates {
    struct pcri_write *write;
    struct pcr_source source; /* the caller's */
    struct file *files;       /* of its samples */
    uint64_t *split_counts;
    uint64_t *order; /* of files while they are compared; then of the samples that are kept */
    uint64_t next;   /* to be handed to a worker: of files, or of the order */
};

/* --- order: files that may be the same together, the one to be kept first --- */

static bool before(const struct pcri_duplicates *d, uint64_t a, uint64_t b)
{
    const struct file *x = &d->files[a], *y = &d->files[b];
    if (x->nbytes != y->nbytes)
        return x->nbytes < y->nbytes;
    if (x->check != y->check)
        return x->check < y->check;
    if (x->split == y->split)
        return a < b;
    uint64_t m = d->split_counts[x->split], n = d->split_counts[y->split];
    return m != n ? m < n : x->split < y->split;
}

/* Puts order[i] in its place in the heap of n. */
static void sift(struct pcri_duplicates *d, uint64_t i, uint64_t n)
{
    uint64_t *o = d->order, moved = o[i];
    for (uint64_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && before(d, o[k], o[k + 1]))
            k++;
        if (!before(d, moved, o[k]))
            break;
        o[i] = o[k];
    }
    o[i] = moved;
}

enum { TICK_SIFTS = 256, TICK_SAMPLES = 16 };

/* A heap sort, which can call the ticker. */
static int sort(struct pcri_duplicates *d, struct pcr_error *err)
{
    struct pcri_ticker *ticker = &d->write->ticker;
    uint64_t n = d->source.sample_count;
    int rc = 0;
    for (uint64_t i = n / 2; i-- > 0 && !rc;) {
        sift(d, i, n);
        rc = pcri_tick(ticker, TICK_SIFTS, err);
    }
    for (uint64_t end = n; end-- > 1 && !rc;) {
        uint64_t last = d->order[end];
        d->order[end] = d->order[0];
        d->order[0] = last;
        sift(d, 0, end);
        rc = pcri_tick(ticker, TICK_SIFTS, err);
    }
    return rc;
}

/* --- reading --- */

static int gather(struct pcri_duplicates *d, struct pcr_error *err)
{
    int rc = 0;
    for (uint64_t i = 0; i < d->source.sample_count && !rc; i++) {
        struct pcr_source_sample s;
        rc = pcri_source_describe(&d->source, i, &s, err);
        if (!rc)
            rc = pcri_source_check(&d->source, i, &s, err);
        if (rc)
            break;
        d->files[i] = (struct file) { .nbytes = s.nbytes, .split = s.split };
        d->split_counts[s.split]++;
        d->order[i] = i;
        rc = pcri_tick(&d->write->ticker, TICK_SAMPLES, err);
    }
    return rc;
}

/* Loads a file into t->file, or notes that it is lost. */
static int load_file(struct pcri_worker *t, uint64_t index, struct pcr_error *err)
{
    struct pcri_write *w = t->write;
    struct pcr_error why;
    bool lost;
    int rc = pcri_sample_load(t, index, &lost, &why);
    if (lost)
        w->duplicates->files[index].state = FILE_LOST;
    if (!rc || (lost && w->opts.bad_policy != PCR_BAD_FAIL))
        return 0;
    return pcri_sample_name(w, index, pcri_hand_on(err, rc, &why), err);
}

static bool claim_file(struct pcri_write *w, uint64_t *index)
{
    struct pcri_duplicates *d = w->duplicates;
    uint64_t n = d->source.sample_count;
    pthread_mutex_lock(&w->lock);
    while (d->next < n && d->files[d->next].state != FILE_WANTED)
        d->next++;
    bool more = !w->stop && d->next < n;
    *index = d->next++;
    pthread_mutex_unlock(&w->lock);
    return more;
}

static int read_worker(struct pcri_worker *t, struct pcr_error *err)
{
    uint64_t index;
    while (claim_file(t->write, &index)) {
        struct file *f = &t->write->duplicates->files[index];
        if (load_file(t, index, err)) {
            pcri_write_fail(t->write, index, err);
            break;
        }
        if (f->state == FILE_LOST)
            continue;
        f->nbytes = t->file.nbytes;
        f->check = pcri_xxh3(f->nbytes ? (const void *) t->file.data : "", t->file.nbytes);
        f->state = FILE_READ;
    }
    return 0;
}

/* Reads the files whose sizes others have too, and those of unknown size. */
static int read_candidates(struct pcri_duplicates *d, struct pcr_error *err)
{
    const uint64_t n = d->source.sample_count;
    bool wanted = false;
    int rc = sort(d, err);
    for (uint64_t k = 0; k < n && !rc; k++) {
        struct file *f = &d->files[d->order[k]];
        bool shared = (k && d->files[d->order[k - 1]].nbytes == f->nbytes) ||
                      (k + 1 < n && d->files[d->order[k + 1]].nbytes == f->nbytes);
        if (f->state == FILE_UNREAD && (shared || !f->nbytes)) {
            f->state = FILE_WANTED;
            wanted = true;
        }
    }
    d->next = 0;
    return rc || !wanted ? rc : pcri_write_parallel(d->write, read_worker, err);
}

/* --- comparing --- */

static bool may_be_same(const struct pcri_duplicates *d, uint64_t k, uint64_t m)
{
    const struct file *x = &d->files[d->order[k]], *y = &d->files[d->order[m]];
    return x->state == FILE_READ && y->state == FILE_READ && x->nbytes &&
           x->nbytes == y->nbytes && x->check == y->check;
}

/* Claims places of the order that may hold the same file. */
static bool claim_group(struct pcri_write *w, uint64_t *begin, uint64_t *end)
{
    struct pcri_duplicates *d = w->duplicates;
    const uint64_t n = d->source.sample_count;
    pthread_mutex_lock(&w->lock);
    while (d->next + 1 < n && !may_be_same(d, d->next, d->next + 1))
        d->next++;
    bool more = !w->stop && d->next + 1 < n;
    *begin = d->next;
    for (d->next++; more && d->next < n && may_be_same(d, *begin, d->next);)
        d->next++;
    *end = d->next;
    pthread_mutex_unlock(&w->lock);
    return more;
}

/* In another split labels may be missing, as they are from many a test split. */
static bool labels_differ(const struct pcr_source_sample *x, const struct pcr_source_sample *y)
{
    if (x->split != y->split && (!x->label_count || !y->label_count))
        return false;
    bool same = x->label_count == y->label_count;
    for (uint32_t i = 0; same && i < x->label_count; i++) {
        double a = pcri_label_as_float(x, i), b = pcri_label_as_float(y, i);
        same = x->float_labels || y->float_labels ? !memcmp(&a, &b, sizeof(a))
                                                  : x->labels[i] == y->labels[i];
    }
    return !same;
}

/* Sources describe for one at a time. */
static int describe_both(struct pcri_duplicates *d, uint64_t a, uint64_t b,
                         struct pcr_source_sample *x, struct pcr_source_sample *y,
                         struct pcr_error *err)
{
    pthread_mutex_lock(&d->write->lock);
    int rc = pcri_source_describe(&d->source, a, x, err);
    if (!rc)
        rc = pcri_source_describe(&d->source, b, y, err);
    pthread_mutex_unlock(&d->write->lock);
    return rc;
}

static void dispute(struct file *f, uint64_t twin)
{
    f->state = FILE_DISPUTED;
    f->twin = twin;
}

/* If labels differ among `first` and its duplicates in a group, which one is right is not known:
 * all are bad. */
static int settle_labels(struct pcri_duplicates *d, uint64_t first, uint64_t begin,
                         uint64_t end, struct pcr_error *err)
{
    struct pcr_source_sample x, y;
    uint64_t other = UINT64_MAX; /* whose labels are others */
    int rc = 0;
    for (uint64_t k = begin; k < end && !rc; k++) {
        struct file *f = &d->files[d->order[k]];
        if (f->state != FILE_DUPLICATE || f->twin != first)
            continue;
        rc = describe_both(d, first, d->order[k], &x, &y, err);
        if (rc || !labels_differ(&x, &y))
            continue;
        dispute(f, first);
        if (other == UINT64_MAX)
            other = d->order[k];
        if (d->write->opts.bad_policy == PCR_BAD_FAIL)
            rc = pcri_fail(err, PCR_ERR_INVAL,
                           "'%.200s' and '%.200s' are the same file, but their labels differ",
                           x.key, y.key);
    }
    if (other == UINT64_MAX)
        return rc;
    for (uint64_t k = begin; k < end; k++) {
        struct file *f = &d->files[d->order[k]];
        if (f->state == FILE_DUPLICATE && f->twin == first)
            dispute(f, other);
    }
    dispute(&d->files[first], other);
    return rc;
}

/* Finds the duplicates of the file at place `first` among those that follow. `own`: memory. */
static int compare_with(struct pcri_worker *t, uint64_t first, uint64_t end,
                        struct pcr_buffer *own, struct pcr_error *err)
{
    struct pcri_duplicates *d = t->write->duplicates;
    const uint64_t index = d->order[first];
    int rc = load_file(t, index, err);
    if (rc || d->files[index].state == FILE_LOST)
        return rc;
    struct pcr_buffer loaded = t->file;
    t->file = *own;
    *own = loaded;
    for (uint64_t k = first + 1; k < end && !rc; k++) {
        struct file *f = &d->files[d->order[k]];
        if (f->state != FILE_READ)
            continue;
        rc = load_file(t, d->order[k], err);
        if (rc || f->state == FILE_LOST || !t->file.nbytes || t->file.nbytes != own->nbytes ||
            memcmp(t->file.data, own->data, own->nbytes) != 0)
            continue;
        f->state = FILE_DUPLICATE;
        f->twin = index;
    }
    return rc ? rc : settle_labels(d, index, first + 1, end, err);
}

static int compare_worker(struct pcri_worker *t, struct pcr_error *err)
{
    const struct pcri_duplicates *d = t->write->duplicates;
    struct pcr_buffer own = { 0 };
    uint64_t begin, end;
    int rc = 0;
    while (!rc && claim_group(t->write, &begin, &end)) {
        for (uint64_t k = begin; k + 1 < end && !rc; k++)
            if (d->files[d->order[k]].state == FILE_READ)
                rc = compare_with(t, k, end, &own, err);
        if (rc)
            pcri_write_fail(t->write, begin, err);
    }
    pcr_buffer_free(&own);
    return 0;
}

/* --- the source without them --- */

static int describe(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    const struct pcri_duplicates *d = context;
    return d->source.describe(d->source.context, d->order[index], out, err);
}

/* What the pass has judged stays so. */
static int load(void *context, uint64_t index, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    struct pcri_duplicates *d = context;
    const struct file *f = &d->files[d->order[index]];
    struct pcr_source_sample s, twin;
    int rc = f->state == FILE_DISPUTED
                 ? describe_both(d, d->order[index], f->twin, &s, &twin, err)
                 : d->source.load(d->source.context, d->order[index], max_nbytes, out, err);
    if (!rc && f->state == FILE_DISPUTED)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "the same file as '%.200s', but the labels of some copies differ",
                       twin.key);
    if (!rc && f->state == FILE_LOST)
        rc = pcri_fail(err, PCR_ERR_IO,
                       "it could not be loaded when duplicates were looked for");
    return rc;
}

static int load_blob(void *context, uint64_t index, uint32_t blob, uint64_t max_nbytes,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcri_duplicates *d = context;
    return d->source.load_blob(d->source.context, d->order[index], blob, max_nbytes, out, err);
}

static void replace_source(struct pcri_duplicates *d)
{
    struct pcri_write *w = d->write;
    uint64_t kept = 0;
    for (uint64_t i = 0; i < d->source.sample_count; i++) {
        const struct file *f = &d->files[i];
        if (f->state != FILE_DUPLICATE) {
            d->order[kept++] = i;
            continue;
        }
        w->progress.samples_duplicate++;
        w->progress.samples_across_splits += f->split != d->files[f->twin].split;
    }
    w->source.context = d;
    w->source.sample_count = kept;
    w->source.describe = describe;
    w->source.load = load;
    w->source.load_blob = d->source.load_blob ? load_blob : NULL;
}

int pcri_duplicates_leave_out(struct pcri_write *w, struct pcr_error *err)
{
    const uint64_t n = w->source.sample_count;
    struct pcri_duplicates *d = pcri_calloc(1, sizeof(*d), err);
    if (!d)
        return PCR_ERR_NOMEM;
    w->duplicates = d;
    d->write = w;
    d->source = w->source;
    d->files = pcri_calloc(n, sizeof(*d->files), err);
    d->order = pcri_calloc(n, sizeof(*d->order), err);
    d->split_counts = pcri_calloc(w->source.split_names ? w->source.split_count : 1,
                                  sizeof(*d->split_counts), err);
    int rc = d->files && d->order && d->split_counts ? gather(d, err) : PCR_ERR_NOMEM;
    if (!rc)
        rc = read_candidates(d, err);
    if (!rc) /* now all sizes are known */
        rc = read_candidates(d, err);
    if (!rc)
        rc = sort(d, err);
    d->next = 0;
    if (!rc)
        rc = pcri_write_parallel(w, compare_worker, err);
    if (!rc)
        replace_source(d);
    return rc;
}

int pcri_duplicates_next(const struct pcri_write *w, uint64_t *index,
                         struct pcr_source_sample *one, struct pcr_source_sample *kept,
                         struct pcr_error *err)
{
    const struct pcri_duplicates *d = w->duplicates;
    while (d && *index < d->source.sample_count && d->files[*index].state != FILE_DUPLICATE)
        ++*index;
    if (!d || *index == d->source.sample_count)
        return 0;
    uint64_t twin = d->files[*index].twin;
    int rc = pcri_source_describe(&d->source, (*index)++, one, err);
    if (!rc)
        rc = pcri_source_describe(&d->source, twin, kept, err);
    return rc ? rc : 1;
}

void pcri_duplicates_free(struct pcri_write *w)
{
    if (!w->duplicates)
        return;
    free(w->duplicates->files);
    free(w->duplicates->order);
    free(w->duplicates->split_counts);
    free(w->duplicates);
}
