/* SPDX-License-Identifier: BSD-2-Clause */
/* All of libpcr's public interface. */
#ifndef PCR_PCR_H
#define PCR_PCR_H

#include <pcr/base.h>
#include <pcr/dataset.h>
#include <pcr/image.h>
#include <pcr/ladder.h>
#include <pcr/loader.h>
#include <pcr/source.h>
#include <pcr/storage.h>
#include <pcr/system.h>
#include <pcr/writer.h>

#endif
