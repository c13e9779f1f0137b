/* SPDX-License-Identifier: BSD-2-Clause */
/* Importers of images whose boxes are in files beside them. The containers are those files; an
 * image is a file below a folder that the user names (struct pcri_container.images). */
#ifndef PCRI_ANNOTATED_H
#define PCRI_ANNOTATED_H

#include "container.h"

/* From the left and upper edge of the pixels in it to the right and lower one. */
struct pcri_box {
    double x0, y0, x1, y1;
};

/* Why a box cannot be in a picture of this size (0: of an unknown one); NULL: it can. It may be
 * outside by a pixel, as annotations are rounded. */
const char *pcri_box_complaint(const struct pcri_box *box, double width, double height);

/* Appends [x0, y0, x1, y1] to an array. NOMEM. */
int pcri_box_append(json_t *boxes, const struct pcri_box *box, struct pcr_error *err);

/* Whether a name is that of a file below a folder, for which it is joined to the folder's path. */
bool pcri_is_below(const char *name);

/* pcri_importer.probe: what is there does not tell; it is annotations if it is given as such. */
bool pcri_annotated_probe(const struct pcri_candidate *c);

/* INVAL: it is not given as annotations, with a folder of images. */
int pcri_annotated_check(const struct pcri_container *s, struct pcr_error *err);

/* A new row for the image `name`, below the images' folder. `what` is what it is called in the
 * file, for messages. INVAL: it is not below; IO: there is none, unless what is damaged is passed
 * over. */
int pcri_annotated_add(struct pcri_container *s, const char *what, const char *name,
                       const json_t *attributes, struct pcr_error *err);

/* pcri_importer.finish: keys are names; where they repeat, below their splits. */
int pcri_annotated_finish(struct pcri_container *s, struct pcr_error *err);

/* Gives annotations the folders of their images, and the splits that these have: the only one that
 * there is, or that of the same split. The strings are those of `images`. INVAL, IO. */
int pcri_annotated_pair(struct pcri_inputs *annotations, const struct pcri_inputs *images,
                        struct pcr_error *err);

#endif
