/* SPDX-License-Identifier: BSD-2-Clause */
/* Batch buffers: made once, reused, and alive as long as anyone holds one, with or without the
 * loader. */
#ifndef PCRI_BATCH_H
#define PCRI_BATCH_H

#include "../options/options.h"

struct pcri_batch_pool;

/* What mixing a sample goes by. */
struct pcri_mix_slot {
    uint64_t identity;
    bool whole; /* it is not mixed */
};

struct pcri_batch {
    struct pcr_batch view; /* what the consumer sees; the first member, so that it leads back
                            * here */
    struct pcri_batch_pool *pool;
    struct pcri_batch *next; /* free list */
    int64_t *labels;         /* the arrays that the view points to, by slot; NULL for floats */
    double *float_labels;    /* NULL for integers */
    uint32_t *label_counts;
    const void **all_labels;             /* by slot: its labels: its place above, or */
    void **more_labels;                  /* memory of their own if there are several; NULL */
    struct pcr_column ***sample_columns; /* by slot: an array of its attributes, or NULL */
    struct pcr_column **columns;         /* the view's: those of all slots */
    uint64_t *indices;
    uint32_t *fidelities, *datasets;
    uint8_t *valid;
    float *lam; /* of mixed batches, else NULL; as the view has them */
    uint32_t *partners;
    float *soft_labels;
    struct pcri_mix_slot *mix_slots; /* by slot: what mixing it goes by; NULL if not mixed */
    struct pcr_crop *crops; /* of all views, one after another; NULL in batches of files */
    struct pcr_batch_view *views;       /* NULL in batches of files */
    struct pcr_batch_picture *pictures; /* of all views, one after another, as crops */
    struct pcri_block
        *loose;        /* where sizes differ: the pictures' bytes, as pictures, until they
                               * are put into place; otherwise NULL */
    uint64_t *offsets; /* by slot: where its file begins; NULL in batches of pixels */
    struct pcri_task *parts; /* of files: what to put into the slots; the scheduler's, freed by
                              * free() with the batch */
    uint32_t part_count;
    size_t nbytes;      /* of pixels or files: memory allocated */
    size_t used_nbytes; /* of files: bytes in use */
    uint32_t slot_count;
    uint32_t done_count;
    uint32_t error_slot; /* slot of the error, UINT32_MAX if there is none */
    struct pcr_error error;
};

/* Creates a pool of batches for these filled options and views. It keeps at most keep_count free
 * ones. file_nbytes: about what a file takes, in batches of files. float_labels: batches have
 * floats for labels. */
int pcri_batch_pool_create(const struct pcr_loader_options *o,
                           const struct pcri_loader_view *views, uint32_t view_count,
                           uint32_t keep_count, size_t file_nbytes, bool float_labels,
                           struct pcri_batch_pool **out, struct pcr_error *err);
/* Drops the owner's hold. The pool is freed with its last batch. Sets *pool to NULL. */
void pcri_batch_pool_close(struct pcri_batch_pool **pool);

/* The number of batches in use: begun, ready, or held by the consumer. */
uint64_t pcri_batch_pool_out_count(struct pcri_batch_pool *pool);

/* An empty batch of slot_count slots. Give it back with pcri_batch_release(). */
int pcri_batch_pool_get(struct pcri_batch_pool *pool, uint32_t slot_count,
                        struct pcri_batch **out, struct pcr_error *err);

void pcri_batch_release(struct pcri_batch *b);

/* Sets the labels of a slot: their number, the first, and if there are several all of them, in
 * memory that the batch takes over and frees. */
void pcri_batch_set_labels(struct pcri_batch *b, uint32_t slot, uint32_t count, int64_t label,
                           double float_label, void *more);

/* The pixels of a slot in one of the views, and its crop. */
uint8_t *pcri_batch_slot(struct pcri_batch *b, uint32_t view, uint32_t slot);
struct pcr_crop *pcri_batch_crop(struct pcri_batch *b, uint32_t view, uint32_t slot);

/* Whether pictures have sizes of their own in any view. All are then made in memory by themselves,
 * as bytes, and put into place when the last is made. */
bool pcri_batch_is_loose(const struct pcri_batch *b);
/* Such memory for nbytes of a slot. */
int pcri_batch_loosen(struct pcri_batch *b, uint32_t view, uint32_t slot, uint32_t width,
                      uint32_t height, size_t nbytes, uint8_t **out, struct pcr_error *err);
const uint8_t *pcri_batch_loose(const struct pcri_batch *b, uint32_t view, uint32_t slot);
void pcri_batch_drop_loose(struct pcri_batch *b, uint32_t view, uint32_t slot);
/* Says where in the batch each picture goes, and makes room for them. */
int pcri_batch_lay_out(struct pcri_batch *b, struct pcr_error *err);

/* Appends a file to a batch of files. All or nothing. */
int pcri_batch_append(struct pcri_batch *b, const struct pcr_spans *file,
                      struct pcr_error *err);

#endif
