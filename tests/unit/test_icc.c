/* SPDX-License-Identifier: BSD-2-Clause */
/* icc, stage: profiles that are used, are sRGB's, or cannot be used; and pixels by them. */
#include <check.h>
#include <lcms2.h>
#include <stdlib.h>

#include "image/icc.h"
#include "image/profile.h"
#include "made_images.h"
#include "suite.h"

/* A profile whose primaries are wider than sRGB's, of some gamma. */
static struct pcr_buffer make_profile(double gamma)
{
    cmsCIExyY white = { 0.3127, 0.3290, 1 };
    cmsCIExyYTRIPLE primaries = { { 0.64, 0.33, 1 }, { 0.21, 0.71, 1 }, { 0.15, 0.06, 1 } };
    cmsToneCurve *curve = cmsBuildGamma(NULL, gamma), *curves[3] = { curve, curve, curve };
    cmsHPROFILE p = cmsCreateRGBProfile(&white, &primaries, curves);
    struct pcr_buffer out = { 0 };
    cmsUInt32Number n = 0;
    ck_assert(p && cmsSaveProfileToMem(p, NULL, &n));
    ck_assert_int_eq(pcri_buffer_reserve(&out, n, NULL), 0);
    ck_assert(cmsSaveProfileToMem(p, out.data, &n));
    out.nbytes = n;
    cmsFreeToneCurve(curve);
    cmsCloseProfile(p);
    return out;
}

static enum pcr_profile_use use_of(struct pcri_icc *icc, const void *profile, size_t nbytes,
                                   enum pcri_icc_pixels kind, const void **transform)
{
    enum pcr_profile_use use;
    struct pcr_error err;
    made_check(pcri_icc_find(icc, profile, nbytes, kind, &use, transform, &err), &err);
    ck_assert_int_eq(use == PCR_PROFILE_CONVERTED, *transform != NULL);
    return use;
}

START_TEST(kept_by_profile)
{
    struct pcri_icc *icc = NULL;
    const void *first, *again, *alpha;
    struct pcr_buffer p = make_profile(2.2);
    ck_assert_int_eq(pcri_icc_create(&icc, NULL), 0);
    ck_assert_int_eq(use_of(icc, p.data, p.nbytes, PCRI_ICC_RGB, &first),
                     PCR_PROFILE_CONVERTED);
    for (int round = 0; round < 3; round++) {
        use_of(icc, p.data, p.nbytes, PCRI_ICC_RGB, &again);
        ck_assert_ptr_eq(again, first);
        use_of(icc, p.data, p.nbytes, PCRI_ICC_RGB_ALPHA, &alpha);
        ck_assert_ptr_ne(alpha, first);
    }
    uint8_t red[4] = { 250, 20, 30, 0 }, rgb[3], with_alpha[3];
    pcri_icc_run(first, red, 1, rgb);
    pcri_icc_run(alpha, red, 1, with_alpha);
    ck_assert_mem_eq(rgb, with_alpha, 3);
    ck_assert(rgb[0] == 255 && rgb[1] < 20);
    for (int i = 0; i < 40; i++) { /* more than are kept */
        struct pcr_buffer other = make_profile(1 + i * 0.1);
        use_of(icc, other.data, other.nbytes, PCRI_ICC_RGB, &again);
        pcr_buffer_free(&other);
    }
    ck_assert_int_eq(use_of(icc, p.data, p.nbytes, PCRI_ICC_RGB, &again),
                     PCR_PROFILE_CONVERTED);
    uint8_t second[3];
    pcri_icc_run(again, red, 1, second);
    ck_assert_mem_eq(rgb, second, 3);
    pcri_icc_destroy(icc);
    pcr_buffer_free(&p);
}
END_TEST

/* Each in a block of just its size: a read beyond it is the sanitizer's to find. */
START_TEST(damaged)
{
    struct pcri_icc *icc = NULL;
    const void *transform;
    struct pcr_buffer p = make_profile(1.8);
    uint32_t usable = 0;
    ck_assert_int_eq(pcri_icc_create(&icc, NULL), 0);
    for (size_t n = 132; n < p.nbytes; n += 3) {
        uint8_t *copy = malloc(n);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, p.data, n);
        ck_assert_int_ne(use_of(icc, copy, n, PCRI_ICC_RGB, &transform), PCR_PROFILE_SRGB);
        free(copy);
    }
    for (size_t at = 0; at < p.nbytes; at += 7) {
        uint8_t was = p.data[at];
        p.data[at] ^= 0x81;
        usable += use_of(icc, p.data, p.nbytes, PCRI_ICC_RGB, &transform) !=
                  PCR_PROFILE_UNUSABLE;
        p.data[at] = was;
    }
    ck_assert(usable && usable < p.nbytes / 7);
    ck_assert_int_eq(use_of(icc, p.data, p.nbytes, PCRI_ICC_GRAY, &transform),
                     PCR_PROFILE_UNUSABLE);
    ck_assert_int_eq(use_of(icc, p.data, p.nbytes, PCRI_ICC_INKS, &transform),
                     PCR_PROFILE_UNUSABLE);
    pcri_icc_destroy(icc);
    pcri_icc_destroy(NULL);
    pcr_buffer_free(&p);
}
END_TEST

/* In all forms of result the same colours, and what became of the profile is told. */
START_TEST(decoded)
{
    enum { W = 37, H = 21 };
    static uint8_t pixels[W * H * 3];
    struct pcr_buffer p = make_profile(2.2), file = { 0 }, plain = { 0 };
    struct pcr_buffer rgb = { 0 }, planes = { 0 };
    struct pcr_decoder *d = NULL;
    struct pcr_decode_options o = { .size = sizeof(o), .flags = PCR_DECODE_TO_SRGB };
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_error err;
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t) (i * 7 + i / W * 3);
    ck_assert_int_eq(pcr_decoder_create(&d, NULL), 0);
    ck_assert_int_eq(pcri_jpeg_encode(pixels, W, H, 3, 95, &p, &file, NULL), 0);
    made_check(pcr_decoder_decode_alloc(d, file.data, file.nbytes, &o, &rgb, &info, &err),
               &err);
    ck_assert_uint_eq(pcr_decoder_profile(d), PCR_PROFILE_CONVERTED);
    made_check(pcr_decoder_decode_alloc(d, file.data, file.nbytes, NULL, &plain, &info, &err),
               &err);
    ck_assert_uint_eq(pcr_decoder_profile(d), PCR_PROFILE_NONE);
    ck_assert(memcmp(rgb.data, plain.data, rgb.nbytes) != 0);
    o.flags |= PCR_DECODE_PLANAR;
    o.orientation = 6;
    made_check(pcr_decoder_decode_alloc(d, file.data, file.nbytes, &o, &planes, &info, &err),
               &err);
    ck_assert(info.width == H && info.height == W);
    for (size_t y = 0; y < H; y++)
        for (size_t x = 0; x < W * 3; x++)
            ck_assert_uint_eq(planes.data[x % 3 * W * H + x / 3 * H + H - 1 - y],
                              rgb.data[y * W * 3 + x]);
    /* A resize of the whole to its own size, by way of a window. */
    struct pcr_span span = { file.data, file.nbytes };
    const struct pcr_spans spans = { .items = &span, .count = 1 };
    static uint8_t same[W * H * 3];
    o = (struct pcr_decode_options) { .size = sizeof(o), .flags = PCR_DECODE_TO_SRGB };
    made_check(pcr_decoder_decode_resized(d, &spans, &o, NULL, same, W, H, &err), &err);
    ck_assert_mem_eq(same, rgb.data, sizeof(same));
    /* And what is added to an image later goes the same way. */
    const struct pcr_spans nothing = { 0 };
    made_check(pcr_decoder_decode_spans(d, &spans, &o, &plain, &info, &err), &err);
    memset(plain.data, 0, plain.nbytes);
    made_check(pcr_decoder_continue(d, &nothing, &plain, &info, &err), &err);
    ck_assert_mem_eq(plain.data, rgb.data, rgb.nbytes);
    ck_assert_uint_eq(pcr_decoder_profile(d), PCR_PROFILE_CONVERTED);
    pcr_decoder_destroy(&d);
    pcr_buffer_free(&p);
    pcr_buffer_free(&file);
    pcr_buffer_free(&plain);
    pcr_buffer_free(&rgb);
    pcr_buffer_free(&planes);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("icc");
    tcase_add_test(t, kept_by_profile);
    tcase_add_test(t, damaged);
    tcase_add_test(t, decoded);
    return tests_run();
}
