/* SPDX-License-Identifier: BSD-2-Clause */
/* What all other headers use: version, result codes, errors, limits, buffers. */
#ifndef PCR_BASE_H
#define PCR_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PCR_VERSION_MAJOR 0 /* the first number of the version of these headers */
#define PCR_VERSION_MINOR 1 /* the second number */
#define PCR_VERSION_PATCH 0 /* the third number */

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

/* Structs that may grow
 *
 * They begin with `uint32_t size`. Whoever provides the memory sets it to the sizeof of the
 * struct: the caller, for options and for a struct that a function fills; the library, for a
 * struct that it lends (struct pcr_batch) or passes to a callback. New members are added at
 * the end, and 0 in them means the behaviour of earlier versions.
 *
 * The reader of a struct reads as far as its size says and takes members beyond as 0. If the
 * caller's struct is larger than the library's, the bytes beyond must be 0, else UNSUPPORTED:
 * they ask for something that only a later version has. The writer of a struct writes nothing
 * beyond its size; the library zeroes members that it does not know. A size below 8 is INVAL.
 * NULL in place of options means all defaults.
 *
 * Undocumented flags, values that an enum does not have, and a `reserved` other than 0 are
 * INVAL.
 *
 * Structs inside other structs or in arrays have no size and never grow. Those inside struct
 * pcr_loader_options have a `reserved` member instead. */

/* Objects
 *
 * Objects are opaque. One that was opened (a dataset, a source, a writer) is closed; one that
 * was created or parsed (a decoder, a loader, a ladder) is destroyed; one that another object
 * lent (a sample, a slice, a batch) is released. The functions that do it take the address of
 * the pointer and set the pointer to NULL. They accept NULL and the address of a NULL pointer.
 * The contents of a struct that the caller owns (a buffer, spans) are freed. `context` is the
 * caller's own pointer; callbacks receive it. */

/* The library's version, "major.minor.patch". Static storage. */
PCR_API const char *pcr_version(void);

/* The PCR_ABI_VERSION that the library was built with. */
PCR_API uint32_t pcr_abi_version(void);

/* Result codes. 0 is success, positive values are not failures, negative values are. The
 * numbers never change. "Codes" in the description of a function lists the failures it can
 * return, without the prefix PCR_ERR_. */
enum pcr_code {
    PCR_OK = 0,               /* success */
    PCR_END = 1,              /* no more items; no such key */
    PCR_AGAIN = 2,            /* nothing is ready now */
    PCR_ERR_NOMEM = -1,       /* out of memory */
    PCR_ERR_INVAL = -2,       /* the caller's mistake */
    PCR_ERR_IO = -3,          /* the operating system refused; sys_errno says why */
    PCR_ERR_FORMAT = -4,      /* not an object of the expected kind at all */
    PCR_ERR_CORRUPT = -5,     /* an object of the expected kind, but damaged */
    PCR_ERR_TRUNCATED = -6,   /* the object ends too early */
    PCR_ERR_UNSUPPORTED = -7, /* valid, but this library or this build cannot handle it */
    PCR_ERR_LIMIT = -8,       /* larger than a limit in struct pcr_limits */
    PCR_ERR_CANCELLED = -9,   /* the caller asked to stop */
};

#define PCR_NO_OFFSET UINT64_MAX /* pcr_error.offset where the failure has no place */

/* Bits of pcr_error.flags: what can be done about a PCR_ERR_IO. */
enum {
    PCR_ERROR_MAY_PASS = 1 << 0, /* a second try may succeed */
    PCR_ERROR_STALE = 1 << 1,    /* the open object is no longer usable: open it again */
    PCR_ERROR_LASTS = 1 << 2,    /* trying again is of no use, whatever sys_errno is */
};

enum { PCR_MESSAGE_NBYTES = 488 }; /* size of an error's message, with the NUL */

/* Details of a failure, owned by the caller. Every function that takes one accepts NULL
 * and writes to it only on failure. */
struct pcr_error {
    int32_t code;      /* the value returned */
    int32_t sys_errno; /* errno of the system call that failed, or 0 */
    uint64_t offset;   /* byte offset in the object named, or PCR_NO_OFFSET */
    uint32_t flags;    /* PCR_ERROR_* */
    uint32_t detail;   /* a number set by the program's own storage (storage.h), or 0 */
    char message[PCR_MESSAGE_NBYTES]; /* "object@offset: what", NUL-terminated UTF-8 */
};

/* The name of a code, for example "CORRUPT"; "UNKNOWN" for other values. Static storage. */
PCR_API const char *pcr_code_name(int code);

/* Bounds that are checked before memory is allocated. 0 in a member means its default. Options
 * point to one, which is copied; NULL there means all defaults. */
struct pcr_limits {
    uint32_t size;              /* sizeof(struct pcr_limits) */
    uint32_t max_scans;         /* scans in one JPEG; default 64 */
    uint64_t max_pixels;        /* width times height of one image; default 2^28. Decoding may
                                 * take memory for so many pixels: 3 bytes each for the result
                                 * and 8 while it works. A part of a larger image, its luma
                                 * alone or a reduced size takes less and may therefore
                                 * pass */
    uint32_t max_samples;       /* samples in one record; default 2^20 */
    uint32_t reserved;          /* 0 */
    uint64_t max_head_nbytes;   /* one record's head, decompressed; default 256 MiB */
    uint64_t max_sample_nbytes; /* one source file or materialised sample; default 1 GiB */
    uint64_t max_manifest_nbytes; /* manifest.json; default 1 GiB */
};

/* A growable run of bytes that the library fills and the caller owns. Start from {0}. A buffer
 * that is passed again reuses its memory. Free it with pcr_buffer_free(). */
struct pcr_buffer {
    uint8_t *data;   /* the bytes; NULL before the first use */
    size_t nbytes;   /* bytes in use */
    size_t capacity; /* bytes allocated */
};

/* Grows the capacity to at least `nbytes` and keeps the bytes in use. For sources (source.h)
 * that fill a buffer themselves. On failure the buffer is unchanged. Codes: INVAL, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_buffer_reserve(struct pcr_buffer *buf, size_t nbytes,
                                              struct pcr_error *err);

/* Frees the buffer's memory and zeroes the struct. Accepts NULL. */
PCR_API void pcr_buffer_free(struct pcr_buffer *buf);

/* Bytes in memory that another object owns. */
struct pcr_span {
    const uint8_t *data; /* the first byte */
    size_t nbytes;       /* how many there are */
};

/* A list of spans that the library fills. The caller owns the list, but not the bytes. Start
 * from {0}. A list that is passed again reuses its memory. Free it with pcr_spans_free(). */
struct pcr_spans {
    struct pcr_span *items; /* the spans, in order */
    uint32_t count;         /* spans in use */
    uint32_t capacity;      /* spans allocated */
};

/* Frees the list and zeroes the struct. Accepts NULL. */
PCR_API void pcr_spans_free(struct pcr_spans *spans);

/* Bits of pcr_file_info.known. */
enum {
    PCR_FILE_MODE = 1 << 0, /* `mode` */
    PCR_FILE_TIME = 1 << 1, /* `mtime_ns` */
};

/* What is known of a sample's source file besides its bytes. */
struct pcr_file_info {
    uint32_t known;   /* PCR_FILE_*: which of these; others are 0 */
    uint32_t mode;    /* permissions, 0 to 0777 */
    int64_t mtime_ns; /* when it was changed last, in ns since 1970; not before second
                       * -9223372036 */
};

#ifdef __cplusplus
}
#endif
#endif
