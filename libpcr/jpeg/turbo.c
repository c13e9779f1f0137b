/* SPDX-License-Identifier: BSD-2-Clause */
/* libjpeg's errors and warnings as typed errors. */
#include "turbo.h"

#include <jerror.h>

/* DHP and EXP belong to the hierarchical process, JPG0 to JPG13 to extensions of the standard
 * such as JPEG-LS; the others have no meaning. */
static int unknown_marker_code(int m)
{
    bool valid = m == 0xDE || m == 0xDF || (m >= 0xF0 && m <= 0xFD);
    return valid ? PCR_ERR_UNSUPPORTED : PCR_ERR_CORRUPT;
}

static int code_of(const struct jpeg_error_mgr *e)
{
    switch (e->msg_code) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE: /* more than JPEGMEM of the environment allows */
        return PCR_ERR_NOMEM;
    case JWRN_JPEG_EOF:
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY:
        return PCR_ERR_TRUNCATED;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_EMPTY_IMAGE: /* no height in the frame header: a DNL segment has it */
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED:
        return PCR_ERR_UNSUPPORTED;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        return PCR_ERR_LIMIT;
    case JERR_UNKNOWN_MARKER:
        return unknown_marker_code(e->msg_parm.i[0]);
    default:
        return PCR_ERR_CORRUPT;
    }
}

/* What a warning says about a picture; docs/guide.md has the table and the reasons. */
enum doubt {
    HARMLESS, /* nothing: all coefficients are what the encoder wrote */
    IN_DOUBT, /* bytes were skipped, or the file has no end: whether the coefficients are
               * complete, libpcr's decoder can tell (prefix.h) */
    DAMAGE,   /* libjpeg continues with invented coefficients */
};

static enum doubt doubt_of(const struct jpeg_error_mgr *e)
{
    switch (e->msg_code) {
    case JWRN_ADOBE_XFORM:    /* a number in the Adobe segment: libjpeg takes YCbCr or YCCK */
    case JWRN_JFIF_MAJOR:     /* a number in the JFIF segment */
    case JWRN_NOT_SEQUENTIAL: /* Ss, Se, Ah, Al, which a sequential scan does not use */
        return HARMLESS;
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_MUST_RESYNC:
    case JWRN_JPEG_EOF:
        return IN_DOUBT;
    default:
        return DAMAGE;
    }
}

/* How far libjpeg has read: the damage is at most a few bytes before. */
static uint64_t offset_of(const struct pcri_turbo *t)
{
    if (t->no_end)
        return t->nbytes;
    if (!t->source || t->source->bytes_in_buffer > t->nbytes)
        return PCR_NO_OFFSET;
    return t->nbytes - t->source->bytes_in_buffer;
}

void pcri_turbo_fail(struct pcri_turbo *t, int code, const char *fmt, ...)
{
    char text[JMSG_LENGTH_MAX + 64];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    t->code = t->no_end && code == PCR_ERR_CORRUPT ? PCR_ERR_TRUNCATED : code;
    pcri_fail_at(t->err, t->code, offset_of(t), "%s: %s", t->name, text);
    longjmp(t->jump, 1);
}

static void leave(j_common_ptr cinfo)
{
    struct pcri_turbo *t = (struct pcri_turbo *) cinfo->err;
    char text[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, text);
    if (!t->source && cinfo->is_decompressor)
        t->source = ((j_decompress_ptr) cinfo)->src;
    pcri_turbo_fail(t, code_of(cinfo->err), "%s", text);
}

static void message(j_common_ptr cinfo, int level)
{
    struct pcri_turbo *t = (struct pcri_turbo *) cinfo->err;
    if (level >= 0) /* no warning */
        return;
    enum doubt doubt = doubt_of(cinfo->err);
    if (doubt == DAMAGE && !t->salvage)
        leave(cinfo);
    t->in_doubt |= doubt == IN_DOUBT;
    t->no_end |= cinfo->err->msg_code == JWRN_JPEG_EOF;
}

struct jpeg_error_mgr *pcri_turbo_errors(struct pcri_turbo *t, const void *data, size_t nbytes,
                                         struct pcr_error *err)
{
    jpeg_std_error(&t->mgr);
    t->mgr.error_exit = leave;
    t->mgr.emit_message = message;
    t->name = "libjpeg";
    t->source = NULL;
    t->data = data;
    t->nbytes = nbytes;
    t->err = err;
    t->code = 0;
    t->salvage = t->in_doubt = t->no_end = false;
    return &t->mgr;
}
