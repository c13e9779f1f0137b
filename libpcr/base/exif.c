/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the orientation tag in the first directory of an Exif block (CIPA DC-008, 4.6), and in
 * XMP packets. What odd blocks say is what Pillow reads in them. */
#include <string.h>

#include "exif.h"

enum {
    TAG_ORIENTATION = 0x0112,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    TYPE_SSHORT = 8,
    TYPE_SLONG = 9,
    TYPE_IFD = 13,
    ENTRY_NBYTES = 12,
};

struct tiff {
    const uint8_t *p;
    size_t n;
    bool big_endian;
};

/* Both need the bytes to be there: callers check. */
static uint32_t get16(const struct tiff *t, size_t at)
{
    const uint8_t *p = t->p + at;
    return t->big_endian ? (uint32_t) p[0] << 8 | p[1] : (uint32_t) p[1] << 8 | p[0];
}

static uint32_t get32(const struct tiff *t, size_t at)
{
    uint32_t a = get16(t, at), b = get16(t, at + 2);
    return t->big_endian ? a << 16 | b : b << 16 | a;
}

/* Bytes of a value of a type; 0: no such type. */
static unsigned unit_nbytes(uint32_t type)
{
    static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8 };
    return type < sizeof(sizes) ? sizes[type] : 0;
}

/* The orientation that an entry with the data at `data` states. */
static uint32_t entry_value(const struct tiff *t, uint32_t type, size_t data)
{
    uint32_t v = 0;
    if (type == TYPE_SHORT || type == TYPE_SSHORT)
        v = get16(t, data);
    else if (type == TYPE_LONG || type == TYPE_SLONG || type == TYPE_IFD)
        v = get32(t, data);
    return v >= 1 && v <= 8 ? v : 1;
}

/* The directory ends where an entry's data lie beyond the block, and of several entries the
 * last counts. */
static uint32_t read_directory(const struct tiff *t, size_t at)
{
    uint32_t found = 0, count = get16(t, at);
    at += 2;
    for (uint32_t i = 0; i < count && t->n - at >= ENTRY_NBYTES; i++, at += ENTRY_NBYTES) {
        uint32_t tag = get16(t, at), type = get16(t, at + 2);
        uint64_t nbytes = (uint64_t) get32(t, at + 4) * unit_nbytes(type);
        size_t data = at + 8;
        if (nbytes > 4) {
            data = get32(t, at + 8);
            if (data > t->n || nbytes > t->n - data)
                break;
        }
        if (tag == TAG_ORIENTATION && nbytes)
            found = entry_value(t, type, data);
    }
    return found;
}

static bool has_prefix(const uint8_t *p, size_t n)
{
    return n >= 6 && !memcmp(p, "Exif\0", 6);
}

void pcri_orientation_set_exif(struct pcri_orientation *o, const uint8_t *block, size_t n)
{
    o->has_exif = true;
    o->exif = 0;
    while (has_prefix(block, n)) {
        block += 6;
        n -= 6;
    }
    struct tiff t = { block, n, false };
    if (n < 10)
        return;
    /* The number 42 is seen in either order. */
    if (!memcmp(block, "MM", 2))
        t.big_endian = true;
    else if (memcmp(block, "II", 2) != 0)
        return;
    if (memcmp(block + 2, "\0*", 2) != 0 && memcmp(block + 2, "*", 2) != 0)
        return;
    size_t directory = get32(&t, 4);
    if (directory <= n - 2)
        o->exif = read_directory(&t, directory);
}

void pcri_orientation_set_xmp(struct pcri_orientation *o, const uint8_t *packet, size_t n)
{
    static const char name[] = "tiff:Orientation";
    enum { NAME_NBYTES = sizeof(name) - 1 };
    const uint8_t *p = packet, *end = packet + n;
    o->xmp = 0;
    /* An attribute, NAME="6", or an element, <NAME>6</NAME>. */
    while ((size_t) (end - p) > NAME_NBYTES + 1) {
        p = memchr(p, name[0], (size_t) (end - p) - NAME_NBYTES - 1);
        if (!p)
            return;
        const uint8_t *q = p++ + NAME_NBYTES;
        if (memcmp(q - NAME_NBYTES, name, NAME_NBYTES) != 0)
            continue;
        q += *q == '>' ? 1 : end - q > 2 && !memcmp(q, "=\"", 2) ? 2 : 0;
        if (q == p - 1 + NAME_NBYTES || *q < '0' || *q > '9')
            continue;
        o->xmp = *q >= '1' && *q <= '8' ? (uint32_t) (*q - '0') : 1;
        return;
    }
}

void pcri_orientation_add_app1(struct pcri_orientation *o, const uint8_t *payload, size_t n)
{
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/"; /* and a NUL */
    /* "Exif", NUL, and a fill byte that is NUL by the standard; not all writers heed it. */
    if (n >= 6 && !memcmp(payload, "Exif", 5)) {
        if (!o->has_exif)
            pcri_orientation_set_exif(o, payload + 6, n - 6);
    } else if (n >= sizeof(xmp) && !memcmp(payload, xmp, sizeof(xmp))) {
        pcri_orientation_set_xmp(o, payload + sizeof(xmp), n - sizeof(xmp));
    }
}
