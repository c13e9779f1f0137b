/* SPDX-License-Identifier: BSD-2-Clause */
/* Image training data that can be read at any fidelity. This header includes
 * all others.
 *
 * A dataset is a folder of record files. The first bytes of a record hold each of its images
 * at a low fidelity, more bytes hold them at a higher one, and all bytes hold them without
 * loss. Compile and link with what `pkg-config --cflags --libs libpcr` prints. */
#ifndef PCR_PCR_H
#define PCR_PCR_H

#include <pcr/base.h>
#include <pcr/dataset.h>
#include <pcr/export.h>
#include <pcr/image.h>
#include <pcr/ladder.h>
#include <pcr/loader.h>
#include <pcr/source.h>
#include <pcr/storage.h>
#include <pcr/system.h>
#include <pcr/writer.h>

#endif
