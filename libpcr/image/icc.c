/* SPDX-License-Identifier: BSD-2-Clause */
/* Conversions to sRGB by Little CMS, kept by profile: making one takes a millisecond or more,
 * and the images of a dataset have few profiles. */
#include <lcms2.h>
#include <lcms2_plugin.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>

#include "../base/checksum.h"
#include "icc.h"

enum { KEPT = 16 };

struct icc_entry {
    uint64_t hash;
    size_t nbytes; /* of the profile; 0: the place is free */
    enum pcri_icc_pixels kind;
    enum pcr_profile_use use;
    cmsHTRANSFORM transform;
};

/* The header before each block that Little CMS gets. */
struct icc_block {
    _Alignas(max_align_t) struct icc_block *previous;
    struct icc_block *next; /* NULL: in `reserve` */
    size_t nbytes;
};

struct pcri_icc {
    cmsContext context;
    uint32_t next; /* place to fill */
    struct icc_entry entries[KEPT];
    struct icc_block blocks; /* all blocks, in a ring; the latest comes after this one */
    jmp_buf nomem;           /* where to continue without memory */
    bool making;
    size_t reserved;                             /* bytes in use of `reserve` */
    _Alignas(max_align_t) uint8_t reserve[4096]; /* for the context itself */
};

static const struct {
    cmsColorSpaceSignature space;
    cmsUInt32Number format;
} kinds[] = {
    [PCRI_ICC_GRAY] = { cmsSigGrayData, TYPE_GRAY_8 },
    [PCRI_ICC_GRAY_ALPHA] = { cmsSigGrayData, TYPE_GRAYA_8 },
    [PCRI_ICC_RGB] = { cmsSigRgbData, TYPE_RGB_8 },
    [PCRI_ICC_RGB_ALPHA] = { cmsSigRgbData, TYPE_RGBA_8 },
    [PCRI_ICC_INKS] = { cmsSigCmykData, TYPE_CMYK_8 },
};

/* --- memory ---
 *
 * Little CMS does not check whether it got memory. So allocation never returns to it without:
 * making a conversion is left by a jump, and everything allocated for it is freed. A context
 * takes its memory from what was allocated before. */

static _Thread_local struct pcri_icc *current; /* that this thread makes something for */

static void *take_reserved(struct pcri_icc *icc, size_t nbytes)
{
    struct icc_block *b = (struct icc_block *) (void *) (icc->reserve + icc->reserved);
    size_t whole = sizeof(*b) + (nbytes + sizeof(*b) - 1) / sizeof(*b) * sizeof(*b);
    if (whole > sizeof(icc->reserve) - icc->reserved)
        return NULL;
    icc->reserved += whole;
    *b = (struct icc_block) { .nbytes = nbytes };
    return b + 1;
}

static void *on_malloc(cmsContext context, cmsUInt32Number nbytes)
{
    enum { MOST = 512 << 20 }; /* as in Little CMS: a profile that needs more is damaged */
    struct pcri_icc *icc = current;
    (void) context;
    if (nbytes > MOST)
        return NULL;
    if (icc && !icc->making)
        return take_reserved(icc, nbytes);
    struct icc_block *b = malloc(sizeof(*b) + nbytes);
    if (!b && icc)
        longjmp(icc->nomem, 1);
    if (!b)
        return NULL;
    *b = (struct icc_block) { b, b, nbytes };
    if (icc) {
        b->previous = &icc->blocks;
        b->next = icc->blocks.next;
        b->previous->next = b->next->previous = b;
    }
    return b + 1;
}

static void free_block(struct icc_block *b)
{
    if (!b->next)
        return;
    b->previous->next = b->next;
    b->next->previous = b->previous;
    free(b);
}

static void on_free(cmsContext context, void *p)
{
    (void) context;
    if (p)
        free_block((struct icc_block *) p - 1);
}

static void *on_realloc(cmsContext context, void *p, cmsUInt32Number nbytes)
{
    void *grown = on_malloc(context, nbytes);
    if (grown && p) {
        size_t old = ((struct icc_block *) p - 1)->nbytes;
        memcpy(grown, p, old < nbytes ? old : nbytes);
        on_free(context, p);
    }
    return grown;
}

static cmsPluginMemHandler memory = {
    .base = { cmsPluginMagicNumber, 2000, cmsPluginMemHandlerSig, NULL },
    .MallocPtr = on_malloc,
    .FreePtr = on_free,
    .ReallocPtr = on_realloc,
};

/* What is wrong with a profile shows in what fails. */
static void on_message(cmsContext context, cmsUInt32Number code, const char *text)
{
    (void) context;
    (void) code;
    (void) text;
}

int pcri_icc_create(struct pcri_icc **out, struct pcr_error *err)
{
    struct pcri_icc *icc = pcri_calloc(1, sizeof(*icc), err);
    *out = icc;
    if (!icc)
        return PCR_ERR_NOMEM;
    icc->blocks.previous = icc->blocks.next = &icc->blocks;
    current = icc;
    icc->context = cmsCreateContext(&memory, NULL);
    current = NULL;
    if (!icc->context) {
        free(icc);
        *out = NULL;
        return pcri_fail_nomem(err, sizeof(*icc));
    }
    cmsSetLogErrorHandlerTHR(icc->context, on_message);
    return 0;
}

static void clear(struct icc_entry *e)
{
    if (e->transform)
        cmsDeleteTransform(e->transform);
    *e = (struct icc_entry) { 0 };
}

void pcri_icc_destroy(struct pcri_icc *icc)
{
    if (!icc)
        return;
    for (int i = 0; i < KEPT; i++)
        clear(&icc->entries[i]);
    cmsDeleteContext(icc->context);
    free(icc);
}

/* Whether it leaves all colours as they are, to within a level. Found by a lattice of colours
 * with all grays: the names in profiles are not reliable. */
static bool changes_nothing(const struct icc_entry *e)
{
    enum { STEPS = 16 };
    bool gray = e->kind <= PCRI_ICC_GRAY_ALPHA;
    uint32_t count = gray ? 256 : STEPS * STEPS * STEPS + 256;
    if (e->kind == PCRI_ICC_INKS)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = i - (count - 256);
        uint8_t in[4] = { (uint8_t) n, (uint8_t) n, (uint8_t) n, 255 }, out[3];
        for (int c = 0; i < count - 256 && c < 3; c++)
            in[c] = (uint8_t) (i >> 4 * c & 15) * 17;
        cmsDoTransform(e->transform, in, out, 1);
        for (int c = 0; c < 3; c++)
            if (abs(out[c] - in[gray ? 0 : c]) > 1)
                return false;
    }
    return true;
}

static void make(struct pcri_icc *icc, const void *profile, size_t nbytes, struct icc_entry *e)
{
    cmsHPROFILE in = cmsOpenProfileFromMemTHR(icc->context, profile, (cmsUInt32Number) nbytes);
    cmsHPROFILE srgb = cmsCreate_sRGBProfileTHR(icc->context);
    e->use = PCR_PROFILE_UNUSABLE;
    if (in && srgb && cmsGetColorSpace(in) == kinds[e->kind].space)
        e->transform = cmsCreateTransformTHR(icc->context, in, kinds[e->kind].format, srgb,
                                             TYPE_RGB_8, INTENT_PERCEPTUAL, 0);
    if (in)
        cmsCloseProfile(in);
    if (srgb)
        cmsCloseProfile(srgb);
    if (!e->transform)
        return;
    e->use = PCR_PROFILE_CONVERTED;
    if (changes_nothing(e)) {
        cmsDeleteTransform(e->transform);
        e->transform = NULL;
        e->use = PCR_PROFILE_SRGB;
    }
}

/* The same, or NOMEM. */
static int try_make(struct pcri_icc *icc, const void *profile, size_t nbytes,
                    struct icc_entry *e, struct pcr_error *err)
{
    struct icc_block *kept = icc->blocks.next;
    current = icc;
    icc->making = true;
    if (setjmp(icc->nomem)) {
        current = NULL;
        icc->making = false;
        while (icc->blocks.next != kept)
            free_block(icc->blocks.next);
        *e = (struct icc_entry) { 0 };
        return pcri_fail(err, PCR_ERR_NOMEM, "no memory to convert by a profile of %zu bytes",
                         nbytes);
    }
    make(icc, profile, nbytes, e);
    current = NULL;
    icc->making = false;
    return 0;
}

int pcri_icc_find(struct pcri_icc *icc, const void *profile, size_t nbytes,
                  enum pcri_icc_pixels kind, enum pcr_profile_use *use_out,
                  const void **transform_out, struct pcr_error *err)
{
    uint64_t hash = pcri_xxh3(profile, nbytes);
    struct icc_entry *e = NULL;
    for (int i = 0; i < KEPT && !e; i++) {
        struct icc_entry *at = &icc->entries[i];
        if (at->nbytes == nbytes && at->hash == hash && at->kind == kind)
            e = at;
    }
    if (!e) {
        e = &icc->entries[icc->next++ % KEPT];
        clear(e);
        *e = (struct icc_entry) { .hash = hash, .kind = kind };
        int rc = try_make(icc, profile, nbytes, e, err);
        if (rc)
            return rc;
        e->nbytes = nbytes;
    }
    *use_out = e->use;
    *transform_out = e->transform;
    return 0;
}

void pcri_icc_run(const void *transform, const uint8_t *pixels, uint32_t n, uint8_t *rgb)
{
    cmsDoTransform((cmsHTRANSFORM) (uintptr_t) transform, pixels, rgb, n);
}
