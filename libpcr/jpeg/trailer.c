/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding and naming what comes after EOI: frames of a multi-picture file (CIPA DC-007), a
 * motion photo's video, anything that cameras and programs append. */
#include "trailer.h"

#include "../base/sniff.h"

bool pcri_segment_is_mpf(const struct pcri_jpeg_file *f, const struct pcri_segment *s)
{
    return s->marker == M_APP0 + 2 && s->nbytes >= 8 &&
           !memcmp(f->data + s->offset + 4, "MPF", 4);
}

static bool is_fill(uint8_t byte)
{
    return byte == 0 || byte == 0xFF || byte == ' ' || byte == '\n' || byte == '\r';
}

static bool has_mpf(const struct pcri_jpeg_file *f)
{
    for (uint32_t i = 0; i < f->segment_count; i++)
        if (pcri_segment_is_mpf(f, &f->segments[i]))
            return true;
    return false;
}

/* Samsung's trailer is a list of named blocks with an index at its end; a video is one of
 * them, or comes before. */
static const char *samsung(const uint8_t *p, size_t nbytes)
{
    static const char block[] = "MotionPhoto_Data";
    enum { LOOK_NBYTES = 4096 };
    if (nbytes < 4 || memcmp(p + nbytes - 4, "SEFT", 4))
        return NULL;
    for (size_t i = 0; i + sizeof(block) <= nbytes && i < LOOK_NBYTES; i++)
        if (!memcmp(p + i, block, sizeof(block) - 1) || !memcmp(p + i, "ftypmp42", 8))
            return "MP4 in a Samsung trailer";
    return "Samsung trailer";
}

/* A video begins with an `ftyp` box, perhaps after some bytes of the program that put it
 * there. */
static const char *video(const uint8_t *p, size_t nbytes)
{
    enum { LOOK_NBYTES = 64 };
    for (size_t i = 0; i + 12 <= nbytes && i < LOOK_NBYTES; i++)
        if (!memcmp(p + i + 4, "ftyp", 4))
            return pcri_sniff(p + i, nbytes - i);
    return NULL;
}

static const char *name_of(const struct pcri_jpeg_file *f, const uint8_t *p, size_t nbytes)
{
    const char *name = samsung(p, nbytes);
    size_t at = 0;
    if (!name)
        name = video(p, nbytes);
    while (at < nbytes && is_fill(p[at]) &&
           !(p[at] == 0xFF && at + 1 < nbytes && p[at + 1] == M_SOI))
        at++;
    if (name)
        return name;
    if (nbytes - at >= 3 && !memcmp(p + at, "\xFF\xD8\xFF", 3))
        return has_mpf(f) ? "MPO frames" : "another JPEG";
    return pcri_sniff(p + at, nbytes - at);
}

struct pcri_trailer pcri_trailer_find(const struct pcri_jpeg_file *f)
{
    struct pcri_trailer none = { 0, NULL };
    if (!f->eoi_end || f->eoi_end >= f->nbytes)
        return none;
    const uint8_t *p = f->data + f->eoi_end;
    size_t nbytes = f->nbytes - (size_t) f->eoi_end, i = 0;
    while (i < nbytes && is_fill(p[i]))
        i++;
    if (i == nbytes)
        return none;
    return (struct pcri_trailer) { nbytes, name_of(f, p, nbytes) };
}
