/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors: a code, where, and a message in the caller's struct. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "utf8.h"

const char *pcr_version(void)
{
    return PCR_VERSION_STRING;
}

uint32_t pcr_abi_version(void)
{
    return PCR_ABI_VERSION;
}

const char *pcr_code_name(int code)
{
    enum { LAST = PCR_ERR_CANCELLED };
    static const char *const names[] = {
        [PCR_ERR_CANCELLED - LAST] = "CANCELLED",
        [PCR_ERR_LIMIT - LAST] = "LIMIT",
        [PCR_ERR_UNSUPPORTED - LAST] = "UNSUPPORTED",
        [PCR_ERR_TRUNCATED - LAST] = "TRUNCATED",
        [PCR_ERR_CORRUPT - LAST] = "CORRUPT",
        [PCR_ERR_FORMAT - LAST] = "FORMAT",
        [PCR_ERR_IO - LAST] = "IO",
        [PCR_ERR_INVAL - LAST] = "INVAL",
        [PCR_ERR_NOMEM - LAST] = "NOMEM",
        [PCR_OK - LAST] = "OK",
        [PCR_END - LAST] = "END",
        [PCR_AGAIN - LAST] = "AGAIN",
    };
    return code >= LAST && code <= PCR_AGAIN ? names[code - LAST] : "UNKNOWN";
}

/* Bytes of the character at p if it may appear in a line of a log; 0: it is a control
 * character, of ASCII or of U+0080 to U+009F, or not UTF-8. */
static size_t harmless(const char *p)
{
    size_t n = pcri_utf8_sequence(p, strlen(p));
    if (n == 1)
        return (unsigned char) *p >= 32 && *p != 127;
    return n == 2 && (unsigned char) p[0] == 0xc2 && (unsigned char) p[1] < 0xa0 ? 0 : n;
}

/* Messages are lines of a log in UTF-8, and may hold names and keys of any bytes: what is not
 * harmless becomes \xHH, byte by byte. */
static void tame(struct pcr_error *err)
{
    char old[sizeof(err->message)];
    size_t n = 0, left = 0;
    const char *p = err->message;
    while (*p && (left = harmless(p)))
        p += left;
    if (!*p)
        return;
    memcpy(old, err->message, sizeof(old));
    for (p = old; *p && n + 5 <= sizeof(err->message);) {
        size_t good = harmless(p);
        if (good)
            memcpy(err->message + n, p, good);
        else
            snprintf(err->message + n, 5, "\\x%02x", (unsigned char) *p);
        n += good ? good : 4;
        p += good ? good : 1;
    }
    err->message[n] = '\0';
}

/* What can be done about the system's errors. */
static uint32_t flags_of(int code, int sys_errno)
{
    if (code != PCR_ERR_IO)
        return 0;
    switch (sys_errno) {
    case EIO:
    case EAGAIN:
    case EINTR:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ETIMEDOUT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ECONNRESET:
        return PCR_ERROR_MAY_PASS;
    case ESTALE:
        return PCR_ERROR_MAY_PASS | PCR_ERROR_STALE;
    default:
        return 0;
    }
}

static int set(struct pcr_error *err, int code, int sys_errno, uint64_t offset,
               const char *fmt, va_list ap)
{
    if (err) {
        err->code = code;
        err->sys_errno = sys_errno;
        err->offset = offset;
        err->flags = flags_of(code, sys_errno);
        err->detail = 0;
        vsnprintf(err->message, sizeof(err->message), fmt, ap);
        tame(err);
    }
    return code;
}

int pcri_fail(struct pcr_error *err, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(err, code, 0, PCR_NO_OFFSET, fmt, ap);
    va_end(ap);
    return code;
}

int pcri_fail_at(struct pcr_error *err, int code, uint64_t offset, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(err, code, 0, offset, fmt, ap);
    va_end(ap);
    return code;
}

void pcri_errno_text(int sys_errno, char text[PCRI_ERRNO_NBYTES])
{
    /* XSI strerror_r, as _POSIX_C_SOURCE selects it and _GNU_SOURCE would not. */
    if (strerror_r(sys_errno, text, PCRI_ERRNO_NBYTES))
        snprintf(text, PCRI_ERRNO_NBYTES, "error %d", sys_errno);
}

int pcri_fail_sys(struct pcr_error *err, int sys_errno, const char *fmt, ...)
{
    int code = sys_errno == ENOMEM ? PCR_ERR_NOMEM : PCR_ERR_IO;
    va_list ap;
    va_start(ap, fmt);
    set(err, code, sys_errno, PCR_NO_OFFSET, fmt, ap);
    va_end(ap);
    if (err) {
        char reason[PCRI_ERRNO_NBYTES];
        size_t n = strlen(err->message);
        pcri_errno_text(sys_errno, reason);
        snprintf(err->message + n, sizeof(err->message) - n, ": %s", reason);
    }
    return code;
}

bool pcri_may_pass(int code, const struct pcr_error *err)
{
    return code == PCR_ERR_IO && err->flags & PCR_ERROR_MAY_PASS;
}

bool pcri_is_of_data(int code, const struct pcr_error *err)
{
    switch (code) {
    case PCR_ERR_FORMAT:
    case PCR_ERR_CORRUPT:
    case PCR_ERR_TRUNCATED:
    case PCR_ERR_UNSUPPORTED:
    case PCR_ERR_LIMIT:
        return true;
    case PCR_ERR_IO:
        break;
    default:
        return false;
    }
    switch (err->sys_errno) { /* there is no such file, or it is not a regular one */
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EINVAL:
    case ELOOP:
    case ENXIO:
        return true;
    default:
        return false;
    }
}

int pcri_fail_nomem(struct pcr_error *err, size_t nbytes)
{
    return pcri_fail(err, PCR_ERR_NOMEM, "cannot allocate %zu bytes", nbytes);
}

int pcri_settle(struct pcr_error *why, int rc, const char *who)
{
    const struct pcr_error theirs = *why;
    why->message[sizeof(why->message) - 1] = '\0';
    if (rc > 0 || (!why->message[0] && !why->sys_errno))
        rc = pcri_fail(why, rc > 0 ? PCR_ERR_IO : rc, "%s failed without a message (code %d)",
                       who, rc);
    else if (!why->message[0])
        pcri_fail_sys(why, theirs.sys_errno, "%s failed", who);
    tame(why);
    why->code = rc;
    why->sys_errno = theirs.sys_errno;
    why->offset = theirs.offset;
    why->flags = theirs.flags ? theirs.flags : flags_of(rc, theirs.sys_errno);
    why->detail = theirs.detail;
    return rc;
}

int pcri_prefix(struct pcr_error *err, int code, const char *fmt, ...)
{
    if (!err)
        return code;

    char old[sizeof(err->message)], at[32] = "";
    memcpy(old, err->message, sizeof(old));
    old[sizeof(old) - 1] = '\0';

    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, ap);
    va_end(ap);

    if (err->offset != PCR_NO_OFFSET)
        snprintf(at, sizeof(at), "@%llu", (unsigned long long) err->offset);
    size_t n = strlen(err->message);
    snprintf(err->message + n, sizeof(err->message) - n, "%s: %s", at, old);
    tame(err);
    return code;
}
