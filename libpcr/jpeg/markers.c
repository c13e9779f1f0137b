/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing the marker segments of a JPEG file (ISO/IEC 10918-1 annex B): what it accepts can be
 * written again in another order of scans without loss. */
#include <stdlib.h>

#include "../base/sniff.h"
#include "markers.h"

struct scanner {
    struct pcri_jpeg_file *f;
    const struct pcr_limits *limits;
    struct pcr_error *err;
    size_t at;
    bool whole; /* the file must end with EOI */
};

static unsigned be16(const uint8_t *p)
{
    return (unsigned) p[0] << 8 | p[1];
}

/* PCR_END if the picture may still be complete. */
static int truncated(struct scanner *s, const char *where)
{
    if (s->whole && s->f->scan_count) {
        s->f->no_eoi = true;
        return PCR_END;
    }
    return pcri_fail_at(s->err, PCR_ERR_TRUNCATED, s->f->nbytes, "file ends %s", where);
}

static int add_segment(struct scanner *s, uint8_t marker, size_t offset, size_t nbytes)
{
    struct pcri_jpeg_file *f = s->f;
    if (PCRI_GROW(f->segments, f->segment_capacity, (size_t) f->segment_count + 1, s->err))
        return PCR_ERR_NOMEM;
    f->segments[f->segment_count++] = (struct pcri_segment) { marker, s->f->in_scans,
                                                              (uint32_t) nbytes, offset };
    return 0;
}

/* Tables may be defined again between scans only with the same contents, for our order of
 * scans has one place for them, before the first. */
static int parse_dqt(struct scanner *s, size_t offset, const uint8_t *p, size_t n)
{
    struct pcri_jpeg_file *f = s->f;
    while (n) {
        unsigned slot = *p & 15, wide = *p >> 4;
        size_t need = wide ? 129 : 65;
        if (slot > 3 || wide > 1 || n < need)
            return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset,
                                "DQT: slot %u, precision %u, %zu bytes left", slot, wide, n);
        uint16_t table[64];
        for (int k = 0; k < 64; k++)
            table[k] = (uint16_t) (wide ? be16(p + 1 + 2 * k) : p[1 + k]);
        if (s->f->in_scans && f->quant_defined[slot] &&
            memcmp(f->quant[slot], table, sizeof(table)))
            return pcri_fail_at(s->err, PCR_ERR_UNSUPPORTED, offset,
                                "quantisation table %u is redefined between scans", slot);
        memcpy(f->quant[slot], table, sizeof(table));
        f->quant_defined[slot] = true;
        p += need;
        n -= need;
    }
    return 0;
}

static int check_components(struct scanner *s, size_t offset)
{
    struct pcri_jpeg_file *f = s->f;
    for (uint32_t i = 0; i < f->component_count; i++) {
        struct pcri_component *c = &f->components[i];
        if (!c->h || c->h > 4 || !c->v || c->v > 4 || c->quant_slot > 3)
            return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset,
                                "SOF: component %u has sampling %ux%u, table %u", (unsigned) i,
                                c->h, c->v, c->quant_slot);
        f->max_h = c->h > f->max_h ? c->h : f->max_h;
        f->max_v = c->v > f->max_v ? c->v : f->max_v;
    }
    return 0;
}

/* A later DNL segment gives the height; without one the file is damaged. */
static bool has_dnl(const struct scanner *s)
{
    for (size_t i = s->at; i + 4 <= s->f->nbytes; i++)
        if (!memcmp(s->f->data + i, "\xFF\xDC\0\x04", 4))
            return true;
    return false;
}

static int parse_sof(struct scanner *s, uint8_t marker, size_t offset, const uint8_t *p,
                     size_t n)
{
    struct pcri_jpeg_file *f = s->f;
    if (marker > M_SOF2)
        return pcri_fail_at(s->err, PCR_ERR_UNSUPPORTED, offset,
                            "SOF%d (lossless, hierarchical or arithmetic)", marker - M_SOF0);
    if (f->sof)
        return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset, "a second SOF");
    if (n < 6 || n != 6 + 3 * (size_t) p[5])
        return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset, "SOF has %zu bytes", n);
    if (p[0] != 8)
        return pcri_fail_at(s->err, p[0] == 12 ? PCR_ERR_UNSUPPORTED : PCR_ERR_CORRUPT, offset,
                            "SOF: %u bits per sample", p[0]);
    f->sof = marker;
    f->sof_offset = offset;
    f->height = be16(p + 1);
    f->width = be16(p + 3);
    f->component_count = p[5];
    if (!f->height && has_dnl(s))
        return pcri_fail_at(s->err, PCR_ERR_UNSUPPORTED, offset, "SOF: height 0 (DNL)");
    if (!f->width || !f->height || !f->component_count)
        return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset,
                            "SOF: %u x %u pixels, %u components", (unsigned) f->width,
                            (unsigned) f->height, (unsigned) f->component_count);
    if (f->component_count > 4)
        return pcri_fail_at(s->err, PCR_ERR_UNSUPPORTED, offset, "SOF: %u components",
                            (unsigned) f->component_count);
    if ((uint64_t) f->width * f->height > s->limits->max_pixels)
        return pcri_fail_at(s->err, PCR_ERR_LIMIT, offset, "%u x %u pixels, the limit is %llu",
                            (unsigned) f->width, (unsigned) f->height,
                            (unsigned long long) s->limits->max_pixels);
    for (uint32_t i = 0; i < f->component_count; i++)
        f->components[i] = (struct pcri_component) { p[6 + 3 * i], p[7 + 3 * i] >> 4,
                                                     p[7 + 3 * i] & 15, p[8 + 3 * i] };
    return check_components(s, offset);
}

/* JFIF and Adobe segments say how to read the colours, but only before the first scan; as
 * our place for segments is there, one that comes later would change the picture. */
static int parse_app(struct scanner *s, uint8_t marker, size_t offset, const uint8_t *p,
                     size_t n)
{
    struct pcri_jpeg_file *f = s->f;
    bool jfif = marker == M_APP0 && n >= 14 && !memcmp(p, "JFIF", 5);
    bool adobe = marker == M_APP14 && n >= 12 && !memcmp(p, "Adobe", 5);
    if ((jfif || adobe) && s->f->in_scans)
        return pcri_fail_at(s->err, PCR_ERR_UNSUPPORTED, offset,
                            "a JFIF or Adobe segment after the first scan");
    f->has_jfif |= jfif;
    if (adobe) {
        f->has_adobe = true;
        f->adobe_transform = p[11];
    }
    if (marker == M_APP1 && !f->in_scans) /* decoders read no further to find it */
        pcri_orientation_add_app1(&f->orientation, p, n);
    return 0;
}

/* The bytes up to the next marker other than RSTn: entropy-coded data. A piece may end with
 * them. */
static int skip_entropy(struct scanner *s)
{
    const uint8_t *data = s->f->data;
    size_t n = s->f->nbytes;
    while (s->at < n) {
        const uint8_t *ff = memchr(data + s->at, 0xFF, n - s->at);
        if (!ff)
            break;
        s->at = (size_t) (ff - data);
        if (s->at + 1 >= n)
            break;
        uint8_t m = data[s->at + 1];
        if (m == 0 || (m >= M_RST0 && m <= M_RST7))
            s->at += 2;
        else if (m == 0xFF)
            s->at++;
        else
            return 0;
    }
    s->at = n;
    s->f->no_eoi = s->whole;
    return 0;
}

static bool is_ycc(const struct pcri_jpeg_file *f)
{
    const struct pcri_component *c = f->components;
    /* Of transforms other than 0 that Adobe does not know libjpeg says the same. */
    if (f->component_count == 4)
        return f->has_adobe && f->adobe_transform;
    if (f->component_count != 3)
        return false;
    if (f->has_jfif)
        return true;
    if (f->has_adobe)
        return f->adobe_transform;
    return !(c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B');
}

static int check_tables(struct scanner *s)
{
    struct pcri_jpeg_file *f = s->f;
    for (uint32_t c = 0; c < f->component_count; c++) {
        unsigned slot = f->components[c].quant_slot;
        if (!f->quant_defined[slot])
            return pcri_fail_at(s->err, PCR_ERR_CORRUPT, f->sof_offset,
                                "quantisation table %u is missing", slot);
        for (int k = 0; k < 64; k++)
            if (!f->quant[slot][k])
                return pcri_fail_at(s->err, PCR_ERR_CORRUPT, f->sof_offset,
                                    "DQT: step %d of slot %u is 0", k, slot);
    }
    return 0;
}

/* A scan's components must have their quantisation tables when it begins. The decoder finds
 * what is wrong in the scan header. */
static int check_scan_tables(struct scanner *s, size_t offset, const uint8_t *p, size_t n)
{
    const struct pcri_jpeg_file *f = s->f;
    for (uint32_t i = 0; n && i < p[0] && 2 + 2 * (size_t) i < n; i++)
        for (uint32_t c = 0; c < f->component_count; c++)
            if (f->components[c].id == p[1 + 2 * i] &&
                !f->quant_defined[f->components[c].quant_slot])
                return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset,
                                    "SOS: quantisation table "
                                    "%u is missing",
                                    f->components[c].quant_slot);
    return 0;
}

static int begin_scan(struct scanner *s, size_t offset, const uint8_t *p, size_t n)
{
    struct pcri_jpeg_file *f = s->f;
    if (!f->sof)
        return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset, "SOS before SOF");
    if (++f->scan_count > s->limits->max_scans)
        return pcri_fail_at(s->err, PCR_ERR_LIMIT, offset, "more than %u scans",
                            (unsigned) s->limits->max_scans);
    if (!f->in_scans) {
        f->in_scans = true;
        f->ycc = is_ycc(f);
    }
    int rc = s->whole || f->lenient ? check_scan_tables(s, offset, p, n) : check_tables(s);
    if (rc)
        return rc;
    if (!s->whole)
        f->open_scan = s->at == f->nbytes;
    return skip_entropy(s);
}

/* Metadata after a complete picture may be cut off; another segment says that a scan was to
 * come. */
static int cut_segment(struct scanner *s, bool metadata)
{
    static const char where[] = "within a marker segment";
    return metadata
               ? truncated(s, where)
               : pcri_fail_at(s->err, PCR_ERR_TRUNCATED, s->f->nbytes, "file ends %s", where);
}

static int parse_segment(struct scanner *s, uint8_t m, size_t offset)
{
    const uint8_t *data = s->f->data;
    bool metadata = (m >= M_APP0 && m <= M_APP0 + 15) || m == M_COM;
    if (s->f->nbytes - s->at < 2)
        return cut_segment(s, metadata);
    size_t length = be16(data + s->at);
    if (length < 2 && metadata)
        length = 2;
    if (length < 2)
        return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset, "marker %02X has length %zu", m,
                            length);
    if (s->f->nbytes - s->at < length)
        return cut_segment(s, metadata);
    const uint8_t *p = data + s->at + 2;
    s->at += length;

    int rc = add_segment(s, m, offset, length + 2);
    if (rc)
        return rc;
    if (m == M_DQT)
        return parse_dqt(s, offset, p, length - 2);
    if (m == M_SOS)
        return begin_scan(s, offset, p, length - 2);
    if (m == M_DNL && s->f->sof && length == 4 && be16(p) == s->f->height)
        return 0;
    if (m == M_DNL || m == M_DHP || m == M_EXP || m == 0xCC)
        return pcri_fail_at(s->err, PCR_ERR_UNSUPPORTED, offset, "marker %02X (%s)", m,
                            m == M_DNL  ? "DNL"
                            : m == 0xCC ? "arithmetic coding"
                                        : "hierarchical");
    if (m >= 0xC0 && m <= 0xCF && m != M_DHT && m != 0xC8)
        return parse_sof(s, m, offset, p, length - 2);
    if (metadata && m != M_COM)
        return parse_app(s, m, offset, p, length - 2);
    if (m == M_DHT || m == M_DRI || m == M_COM)
        return 0;
    return pcri_fail_at(s->err, PCR_ERR_UNSUPPORTED, offset, "marker %02X", m);
}

/* Whether a segment that matters to the picture begins at `at`, where its FF should be, and
 * ends at `end`. */
static bool is_segment(const struct pcri_jpeg_file *f, size_t at, size_t end)
{
    const uint8_t *p = f->data + at;
    if (end - at < 4 || at + 2 + be16(p + 2) != end)
        return false;
    switch (p[1]) {
    case M_SOF0:
    case M_SOF1:
    case M_SOF2:
    case M_DHT:
    case M_SOS:
    case M_DQT:
    case M_DRI:
    case M_APP0:
    case M_APP1:
    case M_APP0 + 2:
    case M_APP14:
        return true;
    default:
        return false;
    }
}

/* Bytes [begin, end) are between a segment and the next marker, and libjpeg skips them. That
 * does no harm unless they are a segment whose FF was damaged, or the rest of one whose
 * beginning the segment before claims for itself. */
static int check_stray(struct scanner *s, size_t begin, size_t end)
{
    const struct pcri_jpeg_file *f = s->f;
    enum { CLAIMED_NBYTES = 4 };
    for (size_t at = begin - CLAIMED_NBYTES; at <= begin; at++)
        if ((at == begin || f->data[at] == 0xFF) && is_segment(f, at, end))
            return pcri_fail_at(s->err, PCR_ERR_CORRUPT, at,
                                "a segment of marker %02X without its beginning",
                                f->data[at + 1]);
    return 0;
}

/* Returns 0 with the marker after s->at, which then is after it. */
static int next_marker(struct scanner *s, uint8_t *marker, size_t *offset)
{
    const uint8_t *data = s->f->data;
    size_t n = s->f->nbytes, begin = s->at;
    if (s->at >= n)
        return truncated(s, "without an EOI marker");
    if (!s->whole && !s->f->lenient && data[s->at] != 0xFF)
        return pcri_fail_at(s->err, PCR_ERR_CORRUPT, s->at, "expected a marker, got byte %02X",
                            data[s->at]);
    while (s->at < n) {
        size_t fill = s->at;
        while (s->at < n && data[s->at] == 0xFF)
            s->at++;
        if (s->at < n && s->at > fill && data[s->at]) {
            *offset = s->at - 1;
            *marker = data[s->at++];
            return fill > begin ? check_stray(s, begin, fill) : 0;
        }
        if (s->at < n)
            s->at++;
    }
    return truncated(s, "within a marker");
}

uint32_t pcri_blocks_x(const struct pcri_jpeg_file *f, uint32_t c)
{
    uint32_t d = 8 * f->max_h;
    return (f->width * f->components[c].h + d - 1) / d;
}

uint32_t pcri_blocks_y(const struct pcri_jpeg_file *f, uint32_t c)
{
    uint32_t d = 8 * f->max_v;
    return (f->height * f->components[c].v + d - 1) / d;
}

uint64_t pcri_block_count(const struct pcri_jpeg_file *f)
{
    uint64_t blocks = 0;
    for (uint32_t c = 0; c < f->component_count; c++)
        blocks += (uint64_t) pcri_blocks_x(f, c) * pcri_blocks_y(f, c);
    return blocks;
}

static int check_whole(struct scanner *s)
{
    struct pcri_jpeg_file *f = s->f;
    if (!f->scan_count)
        return pcri_fail_at(s->err, PCR_ERR_CORRUPT, f->end, "no scan");
    int rc = check_tables(s);
    /* A block takes a bit in its first scan, so this bounds memory by bytes present. */
    if (!rc && pcri_block_count(f) > (uint64_t) f->nbytes * 8)
        rc = pcri_fail_at(s->err, PCR_ERR_TRUNCATED, f->nbytes,
                          "%zu bytes cannot hold %u x %u pixels", f->nbytes,
                          (unsigned) f->width, (unsigned) f->height);
    return rc;
}

/* All segments from s->at on. */
static int parse_segments(struct scanner *s)
{
    for (;;) {
        uint8_t m = 0;
        size_t offset = 0;
        s->f->end = s->at;
        if (!s->whole && s->at == s->f->nbytes)
            return 0;
        int rc = next_marker(s, &m, &offset);
        if (rc)
            return rc;
        if (m == M_EOI) {
            s->f->eoi_end = s->at;
            return 0;
        }
        if (m == M_TEM || (m >= M_RST0 && m <= M_RST7))
            continue; /* it has no parameters, and says nothing here */
        if (m == M_SOI || m < 0xC0)
            return pcri_fail_at(s->err, PCR_ERR_CORRUPT, offset, "marker %02X out of place",
                                m);
        rc = parse_segment(s, m, offset);
        if (rc)
            return rc;
    }
}

/* A first piece may be only SOI. */
static int check_soi(const void *data, size_t nbytes, bool whole, struct pcr_error *err)
{
    size_t n = whole || nbytes > 2 ? 3 : 2;
    if (nbytes < 2 || memcmp(data, "\xFF\xD8", 2))
        return pcri_fail_no_image(err, data, nbytes);
    if (nbytes < n || memcmp(data, "\xFF\xD8\xFF", n))
        return pcri_fail_at(err, PCR_ERR_FORMAT, 2, "not a JPEG file: no marker after SOI");
    return 0;
}

void pcri_jpeg_file_begin(struct pcri_jpeg_file *f)
{
    *f = (struct pcri_jpeg_file) { .segments = f->segments,
                                   .segment_capacity = f->segment_capacity };
}

static int parse_file(const void *data, size_t nbytes, const struct pcr_limits *limits,
                      bool salvage, struct pcri_jpeg_file *out, struct pcr_error *err)
{
    pcri_jpeg_file_begin(out);
    out->data = data;
    out->nbytes = nbytes;
    out->salvaged = salvage;
    struct scanner s = { out, limits, err, 2, true };
    int rc = check_soi(data, nbytes, true, err);
    if (!rc)
        rc = parse_segments(&s);
    if (salvage && out->scan_count &&
        (rc == PCR_ERR_CORRUPT || rc == PCR_ERR_UNSUPPORTED || rc == PCR_ERR_TRUNCATED))
        rc = PCR_END;
    if (salvage && rc == PCR_END)
        out->nbytes = (size_t) out->end;
    return rc < 0 ? rc : check_whole(&s);
}

int pcri_jpeg_file_parse(const void *data, size_t nbytes, const struct pcr_limits *limits,
                         struct pcri_jpeg_file *out, struct pcr_error *err)
{
    return parse_file(data, nbytes, limits, false, out, err);
}

int pcri_jpeg_file_salvage(const void *data, size_t nbytes, const struct pcr_limits *limits,
                           struct pcri_jpeg_file *out, struct pcr_error *err)
{
    return parse_file(data, nbytes, limits, true, out, err);
}

int pcri_jpeg_file_add(struct pcri_jpeg_file *f, const void *data, size_t nbytes,
                       const struct pcr_limits *limits, struct pcr_error *err)
{
    struct scanner s = { f, limits, err, 0, false };
    bool first = !f->base && !f->nbytes;
    f->base += f->nbytes;
    f->data = data;
    f->nbytes = nbytes;
    f->segment_count = 0;
    f->entropy_end = 0;
    if (first) {
        int rc = check_soi(data, nbytes, false, err);
        if (rc)
            return rc;
        s.at = 2;
    } else if (f->open_scan && nbytes) {
        int rc = skip_entropy(&s);
        if (rc)
            return rc;
        f->entropy_end = s.at;
        f->open_scan = false;
    }
    return parse_segments(&s);
}

int pcri_jpeg_file_end_header(struct pcri_jpeg_file *f, struct pcr_error *err)
{
    struct scanner s = { .f = f, .err = err };
    if (!f->sof)
        return pcri_fail(err, PCR_ERR_CORRUPT, "a header without SOF");
    f->in_scans = true;
    f->ycc = is_ycc(f);
    return check_tables(&s);
}

void pcri_jpeg_file_free(struct pcri_jpeg_file *f)
{
    free(f->segments);
    f->segments = NULL;
    f->segment_count = f->segment_capacity = 0;
}
