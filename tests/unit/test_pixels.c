/* SPDX-License-Identifier: BSD-2-Clause */
/* pixels: rounding to small floats, and each layout's arithmetic. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "../../loaders/transform/normalisation.h"
#include "suite.h"

static double value_of_float16(uint32_t bits)
{
    uint32_t exponent = bits >> 10 & 31, digits = bits & 1023;
    if (!exponent)
        return ldexp(digits, -24);
    return ldexp(1024 + digits, (int) exponent - 25);
}

static double value_of_bfloat16(uint32_t bits)
{
    float value;
    bits <<= 16;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Each number of the type is itself; what lies between two goes to the nearer, and to the
 * even one from halfway. */
static uint64_t count_wrong(uint16_t (*convert)(float), double (*value_of)(uint32_t),
                            uint32_t infinity)
{
    uint64_t wrong = 0;
    for (uint32_t bits = 0; bits < infinity - 1; bits++) {
        double low = value_of(bits), high = value_of(bits + 1), middle = (low + high) / 2;
        wrong += convert((float) low) != bits;
        wrong += convert((float) -low) != (bits | 0x8000);
        if (middle < 1e-42) /* below what a float holds exactly */
            continue;
        wrong += convert((float) middle) != bits + (bits & 1);
        wrong += convert(nextafterf((float) middle, 0)) != bits;
        wrong += convert(nextafterf((float) middle, INFINITY)) != bits + 1;
    }
    wrong += convert(INFINITY) != infinity;
    wrong += convert(-INFINITY) != (infinity | 0x8000);
    wrong += convert(3.4e38f) != infinity;
    wrong += (convert(NAN) & 0x7FFF) <= infinity;
    return wrong;
}

START_TEST(rounding)
{
    ck_assert_uint_eq(count_wrong(pcri_to_float16, value_of_float16, 0x7C00), 0);
    ck_assert_uint_eq(count_wrong(pcri_to_bfloat16, value_of_bfloat16, 0x7F80), 0);
    ck_assert_uint_eq(pcri_to_float16(65519.99f), 0x7BFF);
    ck_assert_uint_eq(pcri_to_float16(65520), 0x7C00);
}
END_TEST

/* Channel of value i of a sample. */
static uint32_t channel(const struct pcr_loader_options *o, size_t i)
{
    if (o->output.color == PCR_COLOR_GRAY)
        return 0;
    return (uint32_t) (o->output.layout == PCR_LAYOUT_NHWC
                           ? i % 3
                           : i / (o->output.height * o->output.width));
}

static void check_convert(const struct pcr_loader_options *o)
{
    static struct pcri_normalisation p;
    const bool gray = o->output.color == PCR_COLOR_GRAY;
    const size_t px = (size_t) o->output.height * o->output.width, n = px * (gray ? 1 : 3);
    const size_t value_nbytes = o->output.dtype == PCR_DTYPE_FLOAT32 ? 4 : 2;
    size_t wrong = 0;
    uint8_t *src = malloc(n);
    float *floats = malloc(n * value_nbytes); /* exact, for sanitizers */
    ck_assert(src && floats);
    for (size_t i = 0; i < n; i++)
        src[i] = (uint8_t) (i * 37 + i / 256);
    pcri_normalisation_init(o, &p);
    pcri_normalise(&p, src, px, floats);
    for (size_t i = 0; i < n; i++) {
        uint32_t c = channel(o, i);
        float want = (float) ((src[i] / 255.0 - o->output.mean[c]) / o->output.std[c]);
        const uint16_t *halves = (const uint16_t *) (const void *) floats;
        if (o->output.dtype == PCR_DTYPE_FLOAT32)
            wrong += floats[i] != want;
        else if (o->output.dtype == PCR_DTYPE_FLOAT16)
            wrong += halves[i] != pcri_to_float16(want);
        else
            wrong += halves[i] != pcri_to_bfloat16(want);
    }
    ck_assert_uint_eq(wrong, 0);
    free(src);
    free(floats);
}

START_TEST(layouts)
{
    struct pcr_loader_options o = {
        .output.height = 13,
        .output.width = 21,
        .output.dtype = (uint32_t) _i,
        .output.mean = { 0.485f, 0.456f, 0.406f },
        .output.std = { 0.229f, 0.224f, 0.225f },
    };
    for (o.output.layout = PCR_LAYOUT_NHWC; o.output.layout <= PCR_LAYOUT_NCHW;
         o.output.layout++)
        for (o.output.color = PCR_COLOR_RGB; o.output.color <= PCR_COLOR_GRAY;
             o.output.color++)
            check_convert(&o);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("pixels");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, rounding);
    tcase_add_loop_test(t, layouts, PCR_DTYPE_FLOAT32, PCR_DTYPE_BFLOAT16 + 1);
    return tests_run();
}
