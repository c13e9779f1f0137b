/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by subcommands that read: opening, choosing and naming samples. All functions that
 * return int print their own message and return an exit code. */
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

/* Opens the dataset or record at `path`. split NULL: all; class_name: the name or index of a
 * class, NULL: all; limits: NULL for the dataset's own. On failure the input is closed. */
int pcrtool_input_open(struct pcrtool_input *in, const struct pcrtool_command *command,
                       const char *path, const char *split, const char *class_name,
                       const struct pcr_limits *limits);

/* Facts about the machine and the library. */
struct pcr_system_info pcrtool_system(void);

/* Accepts a zeroed input. */
void pcrtool_input_close(struct pcrtool_input *in);

/* The values of --jpeg; 0: not given. */
#define PCRTOOL_JPEG_FORMS "progressive|baseline"
enum { PCRTOOL_JPEG_PROGRESSIVE = 1, PCRTOOL_JPEG_BASELINE = 2 };

/* Reads the sample's file; that of a coded sample as baseline JPEG if there is a decoder for
 * that, made by pcrtool_input_decoder(). On failure *err says why, nothing is printed, and the
 * library's code is returned. */
int pcrtool_input_file(const struct pcr_sample *sample, uint32_t fidelity,
                       struct pcr_decoder *baseline, struct pcr_buffer *out,
                       struct pcr_error *err);
/* Makes the decoder if the setting asks for baseline files, else *out is NULL. */
int pcrtool_input_decoder(const struct pcrtool_input *in, uint32_t jpeg,
                          struct pcr_decoder **out);

/* Checks a --fidelity setting (0: not given) against the dataset's groups. */
int pcrtool_input_fidelity(const struct pcrtool_input *in, uint64_t setting,
                           uint32_t *fidelity_out);

/* Finds the sample that an operand names: its key, or "@" and its index. */
int pcrtool_input_find(const struct pcrtool_input *in, const char *name, uint64_t *index_out);

/* Whether the sample is of the wanted class. */
bool pcrtool_input_wants(const struct pcrtool_input *in, const struct pcr_sample_info *sample);

/* Looks up sample `index` and describes it; release *sample_out. On failure *err says why,
 * nothing is printed, and the library's code is returned. */
int pcrtool_input_sample(const struct pcrtool_input *in, uint64_t index,
                         struct pcr_sample **sample_out, struct pcr_sample_info *info_out,
                         struct pcr_error *err);

/* The class that a label is, or NULL. */
const char *pcrtool_class_name(const struct pcrtool_input *in, int64_t label);

/* The number of digits, 1 to 17, that distinguish a sample's float labels from all other
 * numbers. */
int pcrtool_label_digits(const struct pcr_sample_info *sample);

/* Prints the labels: class names or numbers, separated by commas; "-" for none. Floats have no
 * more digits than needed. */
void pcrtool_print_labels(FILE *stream, const struct pcrtool_input *in,
                          const struct pcr_sample_info *sample);

/* Sets object.labels, and object.class if the label is a class. */
void pcrtool_json_set_labels(json_t *object, const struct pcrtool_input *in,
                             const struct pcr_sample_info *sample);
/* Sets `attributes` if the sample has any. Returns an exit code. */
int pcrtool_json_set_attributes(json_t *object, const struct pcrtool_input *in,
                                const struct pcr_sample *sample);

#endif
