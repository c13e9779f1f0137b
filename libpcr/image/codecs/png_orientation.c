/* SPDX-License-Identifier: BSD-2-Clause */
/* Which way up a PNG is: its eXIf chunk, an Exif block as text, or XMP; as in Pillow. */
#include "../../base/exif.h"
#include "codec.h"
#include "png_chunks.h"

enum { TEXT_MOST_NBYTES = 1 << 20 }; /* when inflated: longer texts are ignored */

/* What was found so far; p NULL: nothing. Of two alike the later one counts. */
struct found {
    struct pcri_bytes exif;     /* eXIf, or a text named "exif" */
    bool exif_before_pixels;    /* then one that comes after them does not count */
    struct pcri_bytes raw, xmp; /* chunks' data of text */
    uint8_t raw_type, xmp_type; /* first letter of their types */
};

/* Whether the text's keyword is this one. A NUL follows it. */
static bool is_named(struct pcri_bytes text, const char *name)
{
    size_t n = strlen(name) + 1;
    return text.n >= n && !memcmp(text.p, name, n);
}

static void take_text(struct found *f, uint8_t type, struct pcri_bytes text, bool after_pixels)
{
    if (type == 't' && is_named(text, "exif") && !(after_pixels && f->exif_before_pixels)) {
        f->exif = (struct pcri_bytes) { text.p + 5, text.n - 5 };
        f->exif_before_pixels = !after_pixels;
    } else if (is_named(text, "Raw profile type exif")) {
        f->raw = text;
        f->raw_type = type;
    } else if (is_named(text, "XML:com.adobe.xmp")) {
        f->xmp = text;
        f->xmp_type = type;
    }
}

/* Looks at all chunks, also at those after the image data. One with a wrong checksum says
 * nothing. */
static void find(struct pcri_bytes file, struct found *f)
{
    struct pcri_png_chunk c;
    bool after = false;
    for (size_t at = 0; pcri_png_next(file, &at, &c);) {
        if (!memcmp(c.type, "IDAT", 4)) {
            after = true;
        } else if (!memcmp(c.type, "eXIf", 4) && pcri_png_is_intact(&c)) {
            if (!after || !f->exif_before_pixels)
                f->exif = c.data;
            f->exif_before_pixels |= !after;
        } else if ((!memcmp(c.type, "tEXt", 4) || !memcmp(c.type, "zTXt", 4) ||
                    !memcmp(c.type, "iTXt", 4)) &&
                   pcri_png_is_intact(&c)) {
            take_text(f, c.type[0], c.data, after);
        }
    }
}

/* The text of a tEXt, zTXt or iTXt chunk; `type` is its first letter. Inflated into `out` if
 * necessary. Empty if it is damaged. */
static int read_text(uint8_t type, struct pcri_bytes chunk, struct pcr_buffer *out,
                     struct pcri_bytes *text, struct pcr_error *err)
{
    struct pcri_bytes b = pcri_behind_nul(chunk); /* the keyword is over */
    bool deflated = type == 'z';
    *text = (struct pcri_bytes) { NULL, 0 };
    if (type == 'i') {
        if (b.n < 2 || (b.p[0] && b.p[1]))
            return 0;
        deflated = b.p[0];
        b = pcri_behind_nul(pcri_behind_nul((struct pcri_bytes) { b.p + 2, b.n - 2 }));
    } else if (deflated) {
        if (!b.n || b.p[0])
            return 0;
        b = (struct pcri_bytes) { b.p + 1, b.n - 1 };
    }
    *text = b;
    if (!deflated)
        return 0;
    int rc = pcri_png_inflate(b, TEXT_MOST_NBYTES, out, err);
    *text = (struct pcri_bytes) { out->data, out->nbytes };
    return rc;
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* ImageMagick's form: an empty line, a name, a number of bytes, and their hexadecimal digits.
 * Written into `out`, which may be the text itself; false if it has another form. */
static bool read_hex(struct pcri_bytes text, uint8_t *out, size_t *nbytes_out)
{
    size_t at = 0, n = 0;
    for (int lines = 0; lines < 3 && at < text.n;)
        lines += text.p[at++] == '\n';
    while (at < text.n) {
        if (strchr(" \t\n\v\f\r", text.p[at]) && text.p[at]) {
            at++;
            continue;
        }
        int high = hex_digit(text.p[at]),
            low = at + 1 < text.n ? hex_digit(text.p[at + 1]) : -1;
        if (high < 0 || low < 0)
            return false;
        out[n++] = (uint8_t) (high << 4 | low);
        at += 2;
    }
    *nbytes_out = n;
    return true;
}

static int take_raw(const struct found *f, struct pcr_buffer *scratch,
                    struct pcri_orientation *o, struct pcr_error *err)
{
    struct pcri_bytes text;
    size_t n = 0;
    int rc = read_text(f->raw_type, f->raw, scratch, &text, err);
    if (!rc && text.p != scratch->data)
        rc = pcri_buffer_reserve(scratch, text.n, err);
    if (!rc && text.n && read_hex(text, scratch->data, &n))
        pcri_orientation_set_exif(o, scratch->data, n);
    return rc;
}

int pcri_png_orientation(const uint8_t *data, size_t nbytes, struct pcr_buffer *scratch,
                         uint32_t *orientation_out, struct pcr_error *err)
{
    struct found f = { 0 };
    struct pcri_orientation o = { 0 };
    struct pcri_bytes text;
    int rc = 0;
    find((struct pcri_bytes) { data, nbytes }, &f);
    if (f.exif.p)
        pcri_orientation_set_exif(&o, f.exif.p, f.exif.n);
    else if (f.raw.p)
        rc = take_raw(&f, scratch, &o, err);
    if (!rc && !o.exif && f.xmp.p) {
        rc = read_text(f.xmp_type, f.xmp, scratch, &text, err);
        if (!rc && text.n)
            pcri_orientation_set_xmp(&o, text.p, text.n);
    }
    *orientation_out = pcri_orientation_of(&o);
    return rc;
}
