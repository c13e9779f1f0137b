/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol buffers' wire format, read field by field without a schema. */
#ifndef PCRI_PROTOBUF_H
#define PCRI_PROTOBUF_H

#include "../libpcr/base/base.h"

enum { PCRI_WIRE_VARINT = 0, PCRI_WIRE_64 = 1, PCRI_WIRE_BYTES = 2, PCRI_WIRE_32 = 5 };

struct pcri_wire_field {
    uint32_t number;     /* from 1 */
    uint32_t type;       /* PCRI_WIRE_* */
    uint64_t value;      /* of a number */
    const uint8_t *data; /* of bytes: within the message */
    size_t nbytes;
};

static inline struct pcri_cursor pcri_wire_message(const uint8_t *data, size_t nbytes)
{
    return (struct pcri_cursor) { .p = data, .end = data + nbytes };
}

/* The next field. False at the end, and if the message is damaged (m->bad). */
bool pcri_wire_next(struct pcri_cursor *m, struct pcri_wire_field *f);

/* The next number of a repeated field of varints or fixed numbers, packed or not: `packed` begins
 * as zeroes. The elements of a packed one are of `type`. False at the end of the field. */
bool pcri_wire_number(const struct pcri_wire_field *f, uint32_t type,
                      struct pcri_cursor *packed, uint64_t *value);

static inline float pcri_wire_float(uint64_t value)
{
    uint32_t bits = (uint32_t) value;
    float f;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

#endif
