/* SPDX-License-Identifier: BSD-2-Clause */
/* Our own progressive decoder against libjpeg-turbo's: every pixel of every generated file
 * at every prefix. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "../fuzz/in_range.h"
#include "generator.h"
#include "image/image.h"
#include "jpeg/coding.h"
#include "jpeg/ladder.h"
#include "suite.h"

/* --- whole images --- */

struct output {
    struct pcr_buffer pixels;
    struct pcri_stored_info info;
};

static int run(const struct pcri_codec *codec, void *state, const struct pcr_buffer *file,
               uint32_t color, uint32_t scale, struct output *out, struct pcr_error *err)
{
    struct pcri_decode_params params = { .color = color, .scale = scale, .identical = true };
    pcri_limits_fill(&params.limits);
    struct pcr_span span = { file->data, file->nbytes };
    const struct pcr_spans spans = { .items = &span, .count = 1 };
    int rc = codec->begin(state, &spans, &params, &out->info, err);
    if (!rc) {
        size_t row = (size_t) out->info.width * (color == PCR_COLOR_GRAY ? 1 : 3);
        out->pixels.nbytes = row * out->info.height;
        ck_assert_int_eq(pcri_buffer_reserve(&out->pixels, out->pixels.nbytes, err), 0);
        const struct pcri_rect all = { 0, 0, out->info.width, out->info.height };
        const struct pcri_target target = { out->pixels.data, row, 0 };
        rc = codec->rows(state, &all, &target, err);
    }
    codec->end(state);
    return rc;
}

struct pair {
    void *states[2];
    struct output outputs[2];
    int compared;
};

static void compare(struct pair *p, const char *name, unsigned piece,
                    const struct pcr_buffer *file, uint32_t color, uint32_t scale)
{
    static const struct pcri_codec *const codecs[2] = { &pcri_codec_native,
                                                        &pcri_codec_turbo };
    struct pcr_error e[2] = { { .message = "" }, { .message = "" } };
    /* Coefficients beyond what 8-bit samples can make: libjpeg's inverse DCTs to other sizes
     * than a power of two, which have no SIMD code, then compute in more bits than ours. */
    if (strstr(name, "extreme") && (scale & (scale - 1)))
        return;
    int rc = run(codecs[0], p->states[0], file, color, scale, &p->outputs[0], &e[0]);
    if (rc == PCR_ERR_UNSUPPORTED)
        return;
    ck_assert_msg(rc == 0, "%s to %u: %s", name, piece, e[0].message);
    rc = run(codecs[1], p->states[1], file, color, scale, &p->outputs[1], &e[1]);
    ck_assert_msg(rc == 0, "%s to %u: libjpeg: %s", name, piece, e[1].message);
    ck_assert_msg(
        !memcmp(&p->outputs[0].info, &p->outputs[1].info, sizeof(p->outputs[0].info)), "%s",
        name);
#ifndef __x86_64__
    /* Coefficients that no picture has overflow as in libjpeg-turbo's code for x86-64. */
    if (!fuzz_in_range(file->data, file->nbytes))
        return;
#endif
    const struct pcr_buffer *a = &p->outputs[0].pixels, *b = &p->outputs[1].pixels;
    size_t i = 0;
    while (i < a->nbytes && a->data[i] == b->data[i])
        i++;
    ck_assert_msg(i == a->nbytes, "%s to %u, color %u, scale %u/8: byte %zu is %u, not %u",
                  name, piece, (unsigned) color, (unsigned) scale, i, a->data[i], b->data[i]);
    p->compared++;
}

static void append(struct pcr_buffer *b, const void *p, size_t nbytes)
{
    ck_assert_int_eq(pcri_buffer_append(b, p, nbytes, NULL), 0);
}

static void compare_prefixes(struct pair *p, const char *name, const struct pcr_ladder *ladder,
                             const struct pcri_coded *packed)
{
    struct pcr_buffer file = { 0 };
    const uint8_t *s = packed->strings.data, *b = packed->bytes.data;
    for (uint32_t i = 0; i < packed->item_count; s += packed->items[i++].nbytes)
        append(&file, s, packed->items[i].nbytes);
    unsigned piece = 0;
    for (uint32_t g = 0; g < ladder->group_count; g++) {
        for (uint32_t k = 0; k < ladder->piece_counts[g]; k++, piece++) {
            append(&file, s, packed->pieces[piece].string_nbytes);
            append(&file, b, packed->pieces[piece].nbytes);
            s += packed->pieces[piece].string_nbytes;
            b += packed->pieces[piece].nbytes;
            append(&file, "\xFF\xD9", 2);
            if (packed->pieces[piece].nbytes) {
                compare(p, name, piece, &file, PCR_COLOR_RGB, 8);
                compare(p, name, piece, &file, PCR_COLOR_GRAY, 8);
                compare(p, name, piece, &file, PCR_COLOR_RGB, 1 + (piece + g) % 7);
            }
            file.nbytes -= 2;
        }
    }
    pcr_buffer_free(&file);
}

START_TEST(images_equal_libjpeg)
{
    struct pcr_error e = { .message = "" };
    struct pair p = { .compared = 0 };
    struct pcr_ladder *ladder;
    struct pcri_coder *coder;
    struct pcr_buffer file = { 0 };
    ck_assert_int_eq(pcri_codec_native.create(&p.states[0], &e), 0);
    ck_assert_int_eq(pcri_codec_turbo.create(&p.states[1], &e), 0);
    ck_assert_int_eq(pcr_ladder_create(_i ? "classic" : "bitplane", &ladder, &e), 0);
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_scans, ladder, NULL, NULL, &coder, &e), 0);
    for (size_t i = 0; pcr_gen_case(i); i++) {
        const struct pcr_gen_case *c = pcr_gen_case(i);
        struct pcri_coded packed;
        if (c->kind != PCR_GEN_GOOD_JPEG && c->kind != PCR_GEN_ODD_JPEG)
            continue;
        ck_assert_int_eq(pcr_gen_make(c, &file, &e), 0);
        if (c->kind == PCR_GEN_GOOD_JPEG && !c->no_pixels)
            for (uint32_t scale = 1; scale <= 8; scale++)
                compare(&p, c->name, 99, &file, PCR_COLOR_RGB, scale);
        if (c->no_pixels ||
            pcri_coder_encode(coder, NULL, file.data, file.nbytes, &packed, &e))
            continue;
        compare_prefixes(&p, c->name, ladder, &packed);
        pcri_coded_free(&packed);
    }
    printf("%d pictures compared\n", p.compared);
    ck_assert_int_gt(p.compared, 500);
    pcri_codec_native.destroy(p.states[0]);
    pcri_codec_turbo.destroy(p.states[1]);
    for (int i = 0; i < 2; i++)
        pcr_buffer_free(&p.outputs[i].pixels);
    pcr_buffer_free(&file);
    pcri_coder_destroy(&coder);
    pcr_ladder_destroy(&ladder);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("native");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, images_equal_libjpeg, 0, 2);
    return tests_run();
}
