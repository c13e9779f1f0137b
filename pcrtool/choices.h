/* SPDX-License-Identifier: BSD-2-Clause */
/* What a loader can be asked for, a fidelity or a quality: what each costs, shows and delivers, and
 * which one to choose. */
#ifndef PCRTOOL_CHOICES_H
#define PCRTOOL_CHOICES_H

#include <pcr/base.h>

#include "crops.h"
#include "model.h"

struct pcrtool_choice {
    uint32_t fidelity; /* 0: by quality */
    double quality;
    double nbytes, part; /* of an image: its mean, and that over the mean at full fidelity */
    double ssim, low;    /* the mean, and the 5th percentile */
    double missed;       /* by quality: the part of the images more than .02 below it */
    struct pcrtool_stages stages;
    double rate; /* images/s */
    enum pcrtool_limit limit;
};

enum { PCRTOOL_CHOICES_MAX = PCRTOOL_MAX_FIDELITY + PCRTOOL_TARGETS };

struct pcrtool_choices {
    struct pcrtool_choice items[PCRTOOL_CHOICES_MAX]; /* fidelities 1 to G, then qualities */
    uint32_t count, group_count;
    uint32_t best;    /* the one to choose */
    char reason[512]; /* why, in sentences */
};

/* Fills all but `stages`, `rate` and `limit` of the choices. At least one crop was measured. 0, or
 * -1 and errno: ENOMEM. */
int pcrtool_choices_make(struct pcrtool_choices *c, const struct pcrtool_crops *crops);

/* Sets the rates of all choices by their stages, of whose `storage` this is the rate in bytes/s; 0:
 * no limit. Then sets `best` and `reason`:
 *
 * - With a consumer, the choice of the highest 5th percentile that feeds it, if that is .90 at
 *   least; of equal ones, that of fewer bytes. If there is none, that of the fewest bytes
 *   with .90.
 * - Without, the choice of the fewest bytes whose 5th percentile is .95 at least. */
void pcrtool_choices_judge(struct pcrtool_choices *c, double storage_nbytes, double consumer);

/* Whether a lower fidelity takes fewer bytes: not where all images are kept whole. */
bool pcrtool_choices_differ(const struct pcrtool_choices *c);

/* "quality 0.95", "fidelity 3", "full fidelity"; returns buf. */
enum { PCRTOOL_CHOICE_NBYTES = 32 };
const char *pcrtool_choice_name(char buf[PCRTOOL_CHOICE_NBYTES],
                                const struct pcrtool_choices *c, uint32_t i);

#endif
