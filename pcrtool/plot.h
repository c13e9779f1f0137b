/* SPDX-License-Identifier: BSD-2-Clause */
/* A picture of choices: SSIM over bytes, as SVG. */
#ifndef PCRTOOL_PLOT_H
#define PCRTOOL_PLOT_H

#include "choices.h"

/* Appends the picture. title: one line in UTF-8 or other bytes, which are escaped. 0, or -1 and
 * errno: ENOMEM. */
int pcrtool_plot(struct pcr_buffer *out, const struct pcrtool_choices *c, const char *title);

#endif
