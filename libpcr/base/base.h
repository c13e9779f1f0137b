/* SPDX-License-Identifier: BSD-2-Clause */
/* Private foundations: errors, checked memory, byte access, checksums, options. */
#ifndef PCRI_BASE_H
#define PCRI_BASE_H

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <pcr/base.h>

#if defined(__GNUC__)
#define PCRI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define PCRI_PRINTF(f, a)
#endif

/* --- errors (error.c). All return `code`, so that `return pcri_fail(...)` works. --- */
int pcri_fail(struct pcr_error *err, int code, const char *fmt, ...) PCRI_PRINTF(3, 4);
int pcri_fail_at(struct pcr_error *err, int code, uint64_t offset, const char *fmt, ...)
    PCRI_PRINTF(4, 5);
/* Code IO (or NOMEM for ENOMEM); appends what the system calls it. */
int pcri_fail_sys(struct pcr_error *err, int sys_errno, const char *fmt, ...)
    PCRI_PRINTF(3, 4);
/* What the system calls an errno, in any thread. */
enum { PCRI_ERRNO_NBYTES = 128 };
void pcri_errno_text(int sys_errno, char text[PCRI_ERRNO_NBYTES]);
int pcri_fail_nomem(struct pcr_error *err, size_t nbytes);
/* Completes the error of a callback of the program that failed with `rc` and `why`, which was
 * zeroed before: code, message, flags. Returns the code. who: "the source". */
int pcri_settle(struct pcr_error *why, int rc, const char *who);
/* Hands an error on that was written elsewhere, where rc says that there is one; returns rc. */
static inline int pcri_hand_on(struct pcr_error *err, int rc, const struct pcr_error *why)
{
    if (rc && err)
        *err = *why;
    return rc;
}
/* Puts "text: " before the message of an error that a lower layer wrote; returns its code.
 * Adds "@offset" after the text if the error has one. */
int pcri_prefix(struct pcr_error *err, int code, const char *fmt, ...) PCRI_PRINTF(3, 4);

/* --- memory (memory.c) --- */
static inline bool pcri_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline bool pcri_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
/* Zeroed array of `count` x `size`; NULL and *err on overflow or lack of memory. count 0 gives
 * one element. Counts come from files: more than a size_t holds is overflow, too. */
void *pcri_calloc(uint64_t count, size_t size, struct pcr_error *err);
void *pcri_malloc(uint64_t count, size_t size, struct pcr_error *err);
char *pcri_strndup(const void *s, size_t nbytes, struct pcr_error *err);
/* Resizes the array that the pointer at `array` points to, to `count` elements of `size`
 * bytes; keeps their contents. Unchanged after NOMEM. */
int pcri_resize(void *array, uint64_t count, size_t size, struct pcr_error *err);
/* The same, to at least `count` and by at least half; *capacity is the number that there is
 * room for. */
int pcri_grow(void *array, size_t *capacity, uint64_t count, size_t size,
              struct pcr_error *err);
/* Makes room for `count` elements in the array that the pointer `array` points to, if there is
 * less. */
#define PCRI_GROW(array, capacity, count, err) \
    ((count) <= (capacity) \
         ? 0 \
         : pcri_grow(&(array), &(capacity), (count), sizeof(*(array)), (err)))
/* Grows capacity to at least `nbytes` (by at least half); keeps contents. */
int pcri_buffer_reserve(struct pcr_buffer *b, size_t nbytes, struct pcr_error *err);
/* Makes room for `nbytes` instead of what is in the buffer, which is empty after NOMEM. For
 * pictures: what is large is in huge pages. */
int pcri_buffer_renew(struct pcr_buffer *b, size_t nbytes, struct pcr_error *err);
/* Asks the kernel for huge pages where whole ones lie in the memory: they come by one page fault
 * instead of 512, in a fifth of the time. */
void pcri_huge_pages(void *memory, size_t nbytes);
enum { PCRI_HUGE_PAGE = 2 << 20 };
int pcri_buffer_append(struct pcr_buffer *b, const void *p, size_t nbytes,
                       struct pcr_error *err);
/* Appends text, without a NUL. */
int pcri_print(struct pcr_buffer *b, struct pcr_error *err, const char *fmt, ...)
    PCRI_PRINTF(3, 4);
int pcri_buffer_append_varint(struct pcr_buffer *b, uint64_t v, struct pcr_error *err);

/* Memory for encoded bytes, allocated and freed in all sizes and by many threads. From
 * PCRI_BLOCK_MAPPED bytes it is a mapping of its own: in the allocator's arenas it would leave
 * holes that never return to the system. Start from { 0 }. */
struct pcri_block {
    uint8_t *data;
    size_t nbytes; /* used */
    size_t capacity;
};
enum { PCRI_BLOCK_MAPPED = 256 << 10 };
/* Makes room for `nbytes`; does not keep contents. */
int pcri_block_reserve(struct pcri_block *b, size_t nbytes, struct pcr_error *err);
void pcri_block_free(struct pcri_block *b);

/* Adds a span unless it is empty. */
int pcri_spans_add(struct pcr_spans *spans, const void *data, size_t nbytes,
                   struct pcr_error *err);
/* All bytes of the spans, joined. Replaces *out. */
int pcri_spans_join(const struct pcr_spans *spans, struct pcr_buffer *out,
                    struct pcr_error *err);

/* The result of a system call that is repeated as long as signals interrupt it: some file
 * systems let that happen to any call. */
#define PCRI_UNINTERRUPTED(call) \
    __extension__({ \
        __typeof__(call) pcri_result_; \
        do \
            pcri_result_ = (call); \
        while (pcri_result_ == -1 && errno == EINTR); \
        pcri_result_; \
    })
/* The same for a call that returns a pointer, or NULL. errno 0: there is no more (readdir). */
#define PCRI_UNINTERRUPTED_POINTER(call) \
    __extension__({ \
        __typeof__(call) pcri_result_; \
        do \
            errno = 0; \
        while (!(pcri_result_ = (call)) && errno == EINTR); \
        pcri_result_; \
    })

/* --- judging errors (error.c) --- */
/* Whether it failed for a reason that may pass, so that another try may succeed. */
bool pcri_may_pass(int code, const struct pcr_error *err);
/* Whether the error is about the data (damaged, cut off, unknown, too large, missing), and not
 * about the state of the machine. */
bool pcri_is_of_data(int code, const struct pcr_error *err);

/* --- waiting (wait.c) --- */
enum { PCRI_TRIES_AGAIN = 4 }; /* the default: 75 ms in all */
/* Nanoseconds of a monotonic clock. */
uint64_t pcri_clock_ns(void);
/* Makes waits of the calling thread end soon after *stop becomes true; NULL: not any more. For
 * a thread that works for others, who may lose interest while it waits. */
void pcri_wait_unless(const atomic_bool *stop);
bool pcri_wait_stopped(void);
/* Sleeps until then. False if stopped. */
bool pcri_sleep_until(uint64_t ns);
/* The same, but cannot be stopped. */
void pcri_sleep_through(uint64_t ns);
/* Waits before repeating try number `attempt` (from 0): 5 ms, twice as long each time, at most
 * a second. False if stopped. */
bool pcri_wait_to_retry(uint32_t attempt);
/* CANCELLED, after a wait that was stopped. */
int pcri_fail_stopped(struct pcr_error *err);
/* Whether to repeat what failed with *rc and *err (not NULL). Waits if the failure may pass
 * and fewer than `most` repeats, `attempt`, were made. If the wait was stopped, *rc and *err
 * become CANCELLED. */
bool pcri_try_again(uint32_t attempt, uint32_t most, int *rc, struct pcr_error *err);
/* A condition that can be waited on until a time of pcri_clock_ns(). */
void pcri_cond_init(pthread_cond_t *cond);
/* False if that time has passed. */
bool pcri_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t ns);
/* Waits on such a condition, but only a moment if the thread may be stopped. */
void pcri_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

/* --- threads (thread.c) --- */
/* As pthread_create(); the thread gets no signals, which are for the program's own. EAGAIN, which
 * may pass, is tried again. NOMEM if there is no memory for a stack, which the system also calls
 * EAGAIN; IO. */
int pcri_thread_start(pthread_t *out, void *(*run)(void *), void *context,
                      struct pcr_error *err);
/* As pthread_atfork(), once per process: *state, 0 at first, remembers it. NOMEM: not
 * registered yet. */
int pcri_at_fork(atomic_int *state, void (*prepare)(void), void (*in_parent)(void),
                 void (*in_child)(void), struct pcr_error *err);

/* --- options (options.c) --- */
/* Copies min(their size, own size) bytes of a public options struct over zeroed `dst` and sets
 * its size; UNSUPPORTED if the bytes beyond our struct are not zero. src may be NULL. */
int pcri_options_copy(void *dst, size_t dst_size, const void *src, const char *name,
                      struct pcr_error *err);
/* INVAL for flags that are not known; `name`: the struct's. */
int pcri_flags_check(const char *name, uint32_t flags, uint32_t known, struct pcr_error *err);
/* INVAL for a struct whose size, its first member, is below 8; NULL is accepted. */
int pcri_info_check(const void *info, const char *name, struct pcr_error *err);
/* Copies `src` to a caller's struct, up to the size that it says, after pcri_info_check();
 * keeps that size. NULL: does nothing. */
void pcri_info_fill(void *dst, const void *src, size_t src_size);
/* Both; INVAL for NULL. */
int pcri_info_copy(void *dst, const char *name, const void *src, size_t src_size,
                   struct pcr_error *err);
/* Replaces zero fields by the defaults; size 0 means all defaults. */
void pcri_limits_fill(struct pcr_limits *l);
/* A copy of limits in options; NULL: all 0. INVAL: no size. */
int pcri_limits_take(const struct pcr_limits *given, struct pcr_limits *out,
                     struct pcr_error *err);

/* --- bytes --- */
static inline uint16_t pcri_load16(const uint8_t *p)
{
    return (uint16_t) (p[0] | p[1] << 8);
}
static inline uint32_t pcri_load32(const uint8_t *p)
{
    return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}
static inline void pcri_store16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t) v;
    p[1] = (uint8_t) (v >> 8);
}
static inline void pcri_store32(uint8_t *p, uint32_t v)
{
    pcri_store16(p, (uint16_t) v);
    pcri_store16(p + 2, (uint16_t) (v >> 16));
}
/* Compilers do not always see one access in eight of bytes. */
static inline uint64_t pcri_swap_if_big(uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(v);
#else
    return v;
#endif
}
static inline uint64_t pcri_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return pcri_swap_if_big(v);
}
static inline void pcri_store64(uint8_t *p, uint64_t v)
{
    v = pcri_swap_if_big(v);
    memcpy(p, &v, sizeof(v));
}

/* The least time of a file that is kept, in ns: whole seconds before it have no such number. */
#define PCRI_FILE_TIME_LEAST (INT64_MIN / 1000000000 * 1000000000)

/* A cursor over bytes. Reads beyond the end set `bad` and return 0. */
struct pcri_cursor {
    const uint8_t *p, *end;
    bool bad;
};
/* cursor.c */
uint64_t pcri_get_varint(struct pcri_cursor *c);
const uint8_t *pcri_get_bytes(struct pcri_cursor *c, uint64_t nbytes); /* NULL if bad */
static inline size_t pcri_left(const struct pcri_cursor *c)
{
    return c->bad ? 0 : (size_t) (c->end - c->p);
}
static inline int64_t pcri_unzigzag(uint64_t v)
{
    return (int64_t) (v >> 1) ^ -(int64_t) (v & 1);
}
static inline uint64_t pcri_zigzag(int64_t v)
{
    return (uint64_t) v << 1 ^ (uint64_t) (v >> 63);
}

/* The first i in [first, end) for which `reached` is true: an expression of i that stays true
 * for all larger i. `end` if there is none. */
#define PCRI_FIRST(i, first, end, reached) \
    __extension__({ \
        uint64_t pcri_low_ = (first), pcri_high_ = (end); \
        while (pcri_low_ < pcri_high_) { \
            uint64_t i = pcri_low_ + (pcri_high_ - pcri_low_) / 2; \
            if (reached) \
                pcri_high_ = i; \
            else \
                pcri_low_ = i + 1; \
        } \
        pcri_low_; \
    })

/* --- checksums (checksum.c) --- */
uint64_t pcri_xxh3(const void *p, size_t nbytes);
static inline uint32_t pcri_check32(const void *p, size_t nbytes)
{
    return (uint32_t) pcri_xxh3(p, nbytes);
}
/* CRC-32C, as iSCSI and TFRecord have it. (crc32c.c) */
uint32_t pcri_crc32c(const void *p, size_t nbytes);

/* --- zstd (zstd.c) --- */
/* Compresses into out (replaced), level 1..19. */
int pcri_zstd_pack(const void *p, size_t nbytes, int level, struct pcr_buffer *out,
                   struct pcr_error *err);
/* Decompresses one frame whose size must be raw_nbytes; CORRUPT otherwise. */
int pcri_zstd_unpack(const void *p, size_t nbytes, size_t raw_nbytes, struct pcr_buffer *out,
                     struct pcr_error *err);

/* --- cpu (cpu.c) --- */
/* CPUs that this process may use: affinity mask and cgroup quota, at least 1. */
uint32_t pcri_cpu_count(void);
/* CPUs that the control groups allow which a file like /proc/self/cgroup lists; `mount` is
 * their root. UINT32_MAX: no limit. (cgroup.c) */
uint32_t pcri_cgroup_cpus(const char *groups_file, const char *mount);
/* The features of this CPU that the kernels use. 0 in a portable build. PCR_CPU in the
 * environment, at the first call, can remove some: "portable" all, "ssse3" those beyond SSSE3 and
 * POPCNT, "avx2" those beyond AVX2 and BMI2, "zen2" the bit deposit, too. */
enum {
    PCRI_CPU_AVX2 = 1 << 0,      /* with BMI1, BMI2, LZCNT */
    PCRI_CPU_FAST_PDEP = 1 << 1, /* BMI2's bit deposit, not in microcode (Zen 1 and 2) */
    PCRI_CPU_NEON = 1 << 2,
    PCRI_CPU_AVX512 =
        1 << 3, /* F, BW, VL, VBMI, VBMI2, VNNI, BITALG: Ice Lake, Zen 4 and later */
    PCRI_CPU_SSSE3 = 1 << 4,  /* with POPCNT */
    PCRI_CPU_CRC32C = 1 << 5, /* an instruction for it; the names of PCR_CPU leave it */
};
unsigned pcri_cpu_features(void);

/* Whether this x86 CPU, and the system, have a feature, by the name that GCC has for it. */
bool pcri_cpu_has(const char *name);

/* --- random.h has the stateless random functions --- */
#endif
