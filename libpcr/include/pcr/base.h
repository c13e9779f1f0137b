/* SPDX-License-Identifier: BSD-2-Clause */
/* What every other libpcr header stands on: version, errors, limits, buffers. */
#ifndef PCR_BASE_H
#define PCR_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PCR_VERSION_MAJOR 0
#define PCR_VERSION_MINOR 1
#define PCR_VERSION_PATCH 0

/* Raised by one with each incompatible change of the binary interface. A caller that
 * loads the library at run time compares it with pcr_abi_version(). */
#define PCR_ABI_VERSION 1

#if defined(__GNUC__)
#define PCR_API __attribute__((visibility("default")))
#define PCR_MUST_CHECK __attribute__((warn_unused_result))
#else
#define PCR_API
#define PCR_MUST_CHECK
#endif

/* Structs that may grow begin with `uint32_t size`, which is set to the sizeof of the struct by
 * whoever provides its memory: the caller, for options and for what a function fills; the
 * library, for what it hands to a callback or lends (struct pcr_batch). New members come at
 * the end, and 0 in them means what held before they were there.
 *
 * Who reads a struct takes what its size covers, and 0 for members beyond. Bytes beyond the
 * struct as the library knows it must be 0, else UNSUPPORTED: they ask for what only a later
 * version has. Who fills a struct writes nothing beyond its size; the library zeroes what it
 * does not know. A size below 8 is INVAL. NULL for options is all of their defaults.
 *
 * Flags that are not documented, values that an enum does not have, and a `reserved` that is
 * not 0 are INVAL.
 *
 * Structs that stand in others by value or in arrays have no size and never grow; those of
 * struct pcr_loader_options have a `reserved` instead. */

/* Objects are opaque. What was opened (a dataset, a source, a writer) is closed; what was
 * created or parsed (a decoder, a loader, a ladder) is destroyed; what another object has lent
 * (a sample, a slice, a batch) is released. These functions take the address of the pointer,
 * set it to NULL, and accept NULL and a pointer that is NULL. What a struct of the caller's
 * holds (a buffer, spans) is freed. `context` is the caller's own pointer, which callbacks are
 * called with. */

/* The library's version, "major.minor.patch". Static storage. */
PCR_API const char *pcr_version(void);

/* PCR_ABI_VERSION as the library was built with. */
PCR_API uint32_t pcr_abi_version(void);

/* Result codes. 0 is success, positive values are not failures, negative values are. The
 * numbers are fixed for ever. */
enum pcr_code {
    PCR_OK = 0,
    PCR_END = 1,              /* no more items; no such key */
    PCR_AGAIN = 2,            /* nothing is ready now */
    PCR_ERR_NOMEM = -1,       /* memory could not be had */
    PCR_ERR_INVAL = -2,       /* the caller's mistake */
    PCR_ERR_IO = -3,          /* the operating system refused; sys_errno says why */
    PCR_ERR_FORMAT = -4,      /* this is not such an object at all */
    PCR_ERR_CORRUPT = -5,     /* it is one, but damaged */
    PCR_ERR_TRUNCATED = -6,   /* it ends too early */
    PCR_ERR_UNSUPPORTED = -7, /* valid, but this library or its build cannot hold it */
    PCR_ERR_LIMIT = -8,       /* larger than a limit in struct pcr_limits */
    PCR_ERR_CANCELLED = -9,   /* the caller asked to stop */
};

#define PCR_NO_OFFSET UINT64_MAX

/* What can be done about a PCR_ERR_IO: bits of pcr_error.flags. */
enum {
    PCR_ERROR_MAY_PASS = 1 << 0, /* tried again, it may succeed */
    PCR_ERROR_STALE = 1 << 1, /* the open object is of no use any more; opened again, it is */
    PCR_ERROR_LASTS = 1 << 2, /* it does not pass, whatever sys_errno is */
};

enum { PCR_MESSAGE_NBYTES = 488 }; /* of an error's message, with the NUL */

/* Details of a failure, owned by the caller. Every function that takes one accepts NULL,
 * and writes it only on failure. */
struct pcr_error {
    int32_t code;      /* the value returned */
    int32_t sys_errno; /* errno of the failing system call, or 0 */
    uint64_t offset;   /* byte offset in the object named, or PCR_NO_OFFSET */
    uint32_t flags;    /* PCR_ERROR_* */
    uint32_t detail;   /* what a storage of the program's own put there (storage.h), or 0 */
    char message[PCR_MESSAGE_NBYTES]; /* "object@offset: what", NUL-terminated UTF-8 */
};

/* The code's name, for example "CORRUPT"; "UNKNOWN" for other values. Static storage. */
PCR_API const char *pcr_code_name(int code);

/* Bounds that are checked before memory is taken. Zero in a member means its default. Options
 * point to one; NULL there means all defaults, and it is copied. */
struct pcr_limits {
    uint32_t size;
    uint32_t max_scans;         /* scans in one JPEG; default 64 */
    uint64_t max_pixels;        /* width times height of one image; default 2^28. Decoding may
                                  * take memory for so many: 3 bytes each for what is delivered
                                  * and 8 for what is held meanwhile. So a part of a larger
                                  * image may pass, or its gray, or its eighth */
    uint32_t max_samples;       /* samples in one record; default 2^20 */
    uint32_t reserved;          /* 0 */
    uint64_t max_head_nbytes;   /* one record's head, decompressed; default 256 MiB */
    uint64_t max_sample_nbytes; /* one source file or materialised sample; default 1 GiB */
    uint64_t max_manifest_nbytes; /* manifest.json; default 1 GiB */
};

/* A growable run of bytes that the library fills and the caller owns. Start from {0};
 * it may be passed again and again, and then reuses its memory. Free it with
 * pcr_buffer_free(). */
struct pcr_buffer {
    uint8_t *data;
    size_t nbytes;   /* bytes in use */
    size_t capacity; /* bytes allocated */
};

/* Grows the capacity to at least `nbytes`; keeps the bytes in use. For sources (writer.h)
 * that fill a buffer themselves. Codes: INVAL, NOMEM; the buffer is then as it was. */
PCR_API PCR_MUST_CHECK int pcr_buffer_reserve(struct pcr_buffer *buf, size_t nbytes,
                                              struct pcr_error *err);

/* Frees the buffer's memory and zeroes the struct. Accepts NULL. */
PCR_API void pcr_buffer_free(struct pcr_buffer *buf);

/* Bytes that stand in somebody else's memory. */
struct pcr_span {
    const uint8_t *data;
    size_t nbytes;
};

/* A list of spans that the library fills and the caller owns (the list, not the bytes). Start
 * from {0}; it may be passed again and again. Free it with pcr_spans_free(). */
struct pcr_spans {
    struct pcr_span *items;
    uint32_t count;
    uint32_t capacity;
};

/* Frees the list and zeroes the struct. Accepts NULL. */
PCR_API void pcr_spans_free(struct pcr_spans *spans);

#ifdef __cplusplus
}
#endif
#endif
