/* SPDX-License-Identifier: BSD-2-Clause */
/* What subcommands that read have in common: opening, choosing and naming samples. All
 * functions that return int print their own message and return an exit code. */
#ifndef PCRTOOL_INPUT_H
#define PCRTOOL_INPUT_H

#include <stdio.h>

#include <jansson.h>
#include <pcr/dataset.h>
#include <pcr/image.h>
#include <pcr/system.h>

#include "options.h"

/* Highest number of groups that the format allows: the bound of --fidelity. */
#define PCRTOOL_MAX_FIDELITY 32

/* An opened dataset and which of its samples are wanted. */
struct pcrtool_input {
    const struct pcrtool_command *command;
    struct pcr_dataset *dataset;
    struct pcr_dataset_info info;
    bool has_class; /* only samples whose first label is class_index */
    uint32_t class_index;
};

/* Opens the dataset or record at `path`. split NULL: all; class_name NULL: all, else a
 * class's name or index; limits: NULL for the dataset's own. On failure the input is closed. */
int pcrtool_input_open(struct pcrtool_input *in, const struct pcrtool_command *command,
                       const char *path, const char *split, const char *class_name,
                       const struct pcr_limits *limits);

/* The machine, and what the library has of it. */
struct pcr_system_info pcrtool_system(void);

/* Accepts a zeroed input. */
void pcrtool_input_close(struct pcrtool_input *in);

/* What --jpeg says, after 0: nothing was given. */
#define PCRTOOL_JPEG_FORMS "progressive|baseline"
enum { PCRTOOL_JPEG_PROGRESSIVE = 1, PCRTOOL_JPEG_BASELINE = 2 };

/* Reads the sample's file, a coded one's as baseline JPEG where there is a decoder for that, which
 * pcrtool_input_decoder() makes. On failure *err says why, and nothing is printed: returns the
 * library's code. */
int pcrtool_input_file(const struct pcr_sample *sample, uint32_t fidelity,
                       struct pcr_decoder *baseline, struct pcr_buffer *out,
                       struct pcr_error *err);
/* Makes the decoder if the setting wants baseline files, else *out is NULL. */
int pcrtool_input_decoder(const struct pcrtool_input *in, uint32_t jpeg,
                          struct pcr_decoder **out);

/* Checks a --fidelity setting (0: not given) against the dataset's groups. */
int pcrtool_input_fidelity(const struct pcrtool_input *in, uint64_t setting,
                           uint32_t *fidelity_out);

/* Finds the sample that an operand names: its key, or "@" and its index. */
int pcrtool_input_find(const struct pcrtool_input *in, const char *name, uint64_t *index_out);

/* Whether the sample is of the wanted class. */
bool pcrtool_input_wants(const struct pcrtool_input *in, const struct pcr_sample_info *sample);

/* Looks sample `index` up and describes it; release *sample_out. On failure *err says why,
 * and nothing is printed: returns the library's code. */
int pcrtool_input_sample(const struct pcrtool_input *in, uint64_t index,
                         struct pcr_sample **sample_out, struct pcr_sample_info *info_out,
                         struct pcr_error *err);

/* The class that a label is, or NULL. */
const char *pcrtool_class_name(const struct pcrtool_input *in, int64_t label);

/* So many digits tell a sample's float labels from all other numbers, 1 to 17. */
int pcrtool_label_digits(const struct pcr_sample_info *sample);

/* Prints the labels: class names or numbers, with commas between; "-" for none. Floats have as
 * few digits as tell them from all others. */
void pcrtool_print_labels(FILE *stream, const struct pcrtool_input *in,
                          const struct pcr_sample_info *sample);

/* Sets object.labels, and object.class where the label is one. */
void pcrtool_json_set_labels(json_t *object, const struct pcrtool_input *in,
                             const struct pcr_sample_info *sample);

#endif
