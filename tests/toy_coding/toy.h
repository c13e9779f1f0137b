/* SPDX-License-Identifier: BSD-2-Clause */
/* A coding of nothing but its interface: coefficients as they are, DC in group 1 and the rest in
 * the last. It shows what another coding needs: this folder, and a line in the table. */
#ifndef TOY_CODING_H
#define TOY_CODING_H

#include "jpeg/coding.h"

enum { TOY_CODING = 200 };

extern const struct pcri_coding pcri_coding_toy;

#endif
