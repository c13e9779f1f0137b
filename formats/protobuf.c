/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol buffers' wire format. */
#include "protobuf.h"

static uint64_t get_fixed(struct pcri_cursor *m, uint32_t type)
{
    const uint8_t *p = pcri_get_bytes(m, type == PCRI_WIRE_64 ? 8 : 4);
    return !p ? 0 : type == PCRI_WIRE_64 ? pcri_load64(p) : pcri_load32(p);
}

static uint64_t get_number(struct pcri_cursor *m, uint32_t type)
{
    return type == PCRI_WIRE_VARINT ? pcri_get_varint(m) : get_fixed(m, type);
}

bool pcri_wire_next(struct pcri_cursor *m, struct pcri_wire_field *f)
{
    *f = (struct pcri_wire_field) { 0 };
    if (m->bad || m->p == m->end)
        return false;
    uint64_t key = pcri_get_varint(m);
    f->type = key & 7;
    if (!(key >> 3) || key >> 3 > (1u << 29) - 1)
        m->bad = true;
    f->number = (uint32_t) (key >> 3);
    if (f->type == PCRI_WIRE_BYTES) {
        uint64_t nbytes = pcri_get_varint(m);
        f->data = pcri_get_bytes(m, nbytes);
        f->nbytes = f->data ? (size_t) nbytes : 0;
    } else if (f->type == PCRI_WIRE_VARINT || f->type == PCRI_WIRE_64 ||
               f->type == PCRI_WIRE_32) {
        f->value = get_number(m, f->type);
    } else {
        m->bad = true; /* groups, which nobody writes, and what does not exist */
    }
    return !m->bad;
}

bool pcri_wire_number(const struct pcri_wire_field *f, uint32_t type,
                      struct pcri_cursor *packed, uint64_t *value)
{
    if (f->type != PCRI_WIRE_BYTES) {
        bool first = !packed->p;
        packed->bad = f->type != type;
        packed->p = packed->end = (const uint8_t *) "";
        *value = f->value;
        return first && !packed->bad;
    }
    if (!packed->p)
        *packed = pcri_wire_message(f->data, f->nbytes);
    if (packed->bad || packed->p == packed->end)
        return false;
    *value = get_number(packed, type);
    return !packed->bad;
}
