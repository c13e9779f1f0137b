/* SPDX-License-Identifier: BSD-2-Clause */
/* JPEG files as libjpeg writes them: processes, sampling, colour, sizes, qualities. */
#include "cases.h"
#include "compose.h"

static int make_composed(const struct pcr_gen_case *c, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    return gen_compose(c->spec, out, err);
}

#define SCANS(array) .scans = (array), .scan_count = sizeof(array) / sizeof((array)[0])

/* Scan scripts: component_count, components, Ss, Se, Ah, Al. */
static const jpeg_scan_info spectral[] = {
    /* no successive approximation */
    { 3, { 0, 1, 2 }, 0, 0, 0, 0 }, { 1, { 0 }, 1, 5, 0, 0 },  { 1, { 2 }, 1, 63, 0, 0 },
    { 1, { 1 }, 1, 63, 0, 0 },      { 1, { 0 }, 6, 63, 0, 0 },
};
static const jpeg_scan_info planes[] = {
    /* all frequencies, a bit at a time, DC too */
    { 3, { 0, 1, 2 }, 0, 0, 0, 3 }, { 1, { 0 }, 1, 63, 0, 3 },      { 1, { 1 }, 1, 63, 0, 2 },
    { 1, { 2 }, 1, 63, 0, 2 },      { 3, { 0, 1, 2 }, 0, 0, 3, 2 }, { 1, { 0 }, 1, 63, 3, 2 },
    { 3, { 0, 1, 2 }, 0, 0, 2, 1 }, { 1, { 0 }, 1, 63, 2, 1 },      { 1, { 1 }, 1, 63, 2, 1 },
    { 1, { 2 }, 1, 63, 2, 1 },      { 3, { 0, 1, 2 }, 0, 0, 1, 0 }, { 1, { 0 }, 1, 63, 1, 0 },
    { 1, { 1 }, 1, 63, 1, 0 },      { 1, { 2 }, 1, 63, 1, 0 },
};
static const jpeg_scan_info separate_dc[] = {
    { 1, { 2 }, 0, 0, 0, 0 },  { 1, { 0 }, 0, 0, 0, 1 },  { 1, { 1 }, 0, 0, 0, 0 },
    { 1, { 1 }, 1, 63, 0, 0 }, { 1, { 0 }, 1, 63, 0, 1 }, { 1, { 0 }, 0, 0, 1, 0 },
    { 1, { 0 }, 1, 63, 1, 0 }, { 1, { 2 }, 1, 63, 0, 0 },
};
/* The lowest bit of luma and all AC of chroma never come: libjpeg decodes such a file,
 * but it is a prefix, not an image. */
static const jpeg_scan_info unfinished[] = {
    { 3, { 0, 1, 2 }, 0, 0, 0, 0 },
    { 1, { 0 }, 1, 63, 0, 1 },
};
static const jpeg_scan_info dc_alone[] = { { 3, { 0, 1, 2 }, 0, 0, 0, 1 } };
static const jpeg_scan_info three_scans[] = {
    /* sequential, one for each component */
    { 1, { 0 }, 0, 63, 0, 0 },
    { 1, { 1 }, 0, 63, 0, 0 },
    { 1, { 2 }, 0, 63, 0, 0 },
};
static const jpeg_scan_info two_scans[] = {
    { 1, { 0 }, 0, 63, 0, 0 },
    { 2, { 1, 2 }, 0, 63, 0, 0 },
};
static const jpeg_scan_info large_sum[] = {
    /* progressive, sampling factors above 10 */
    { 1, { 0 }, 0, 0, 0, 1 },  { 1, { 1 }, 0, 0, 0, 1 },  { 1, { 2 }, 0, 0, 0, 1 },
    { 1, { 0 }, 0, 0, 1, 0 },  { 1, { 1 }, 0, 0, 1, 0 },  { 1, { 2 }, 0, 0, 1, 0 },
    { 1, { 0 }, 1, 63, 0, 0 }, { 1, { 1 }, 1, 63, 0, 0 }, { 1, { 2 }, 1, 63, 0, 0 },
};
static const jpeg_scan_info four_scans[] = {
    { 1, { 0 }, 0, 63, 0, 0 },
    { 1, { 1 }, 0, 63, 0, 0 },
    { 1, { 2 }, 0, 63, 0, 0 },
    { 1, { 3 }, 0, 63, 0, 0 },
};
static const jpeg_scan_info four_and_one[] = {
    { 4, { 0, 1, 2, 3 }, 0, 63, 0, 0 },
    { 1, { 4 }, 0, 63, 0, 0 },
};
static const jpeg_scan_info gray_bands[] = {
    { 1, { 0 }, 0, 0, 0, 0 },   { 1, { 0 }, 1, 1, 0, 0 },  { 1, { 0 }, 2, 2, 0, 4 },
    { 1, { 0 }, 3, 62, 0, 2 },  { 1, { 0 }, 2, 2, 4, 3 },  { 1, { 0 }, 3, 62, 2, 1 },
    { 1, { 0 }, 63, 63, 0, 0 }, { 1, { 0 }, 2, 2, 3, 2 },  { 1, { 0 }, 2, 2, 2, 1 },
    { 1, { 0 }, 2, 2, 1, 0 },   { 1, { 0 }, 3, 62, 1, 0 },
};

#define SPEC(...) \
    &(const struct compose) \
    { \
        __VA_ARGS__ \
    }
#define GOOD(name_, ...) \
    { \
        .name = name_, .kind = PCR_GEN_GOOD_JPEG, .orientation = 1, .make = make_composed, \
        .spec = SPEC(__VA_ARGS__) \
    }
#define UNSUPPORTED(name_, ...) \
    { \
        .name = name_, .kind = PCR_GEN_UNSUPPORTED_JPEG, .orientation = 1, \
        .make = make_composed, .spec = SPEC(__VA_ARGS__) \
    }
/* Upsampling by 3/2 is not in libjpeg. */
#define FRACTION(name_, ...) \
    { \
        .name = name_, .kind = PCR_GEN_GOOD_JPEG, .orientation = 1, .no_pixels = true, \
        .make = make_composed, .spec = SPEC(__VA_ARGS__) \
    }

#define OPT COMPOSE_OPTIMISE
#define PROG COMPOSE_PROGRESSIVE
#define SIZE(w, h) .width = (w), .height = (h)
#define SAMPLING(...) .sampling = { __VA_ARGS__ }

static const struct pcr_gen_case cases[] = {
    /* processes and tables */
    GOOD("baseline", SIZE(100, 75), .seed = 1),
    GOOD("baseline-optimised", SIZE(100, 75), .seed = 2, .flags = OPT),
    GOOD("extended-16bit-tables", SIZE(90, 60), .seed = 3, .quality = 1,
         .flags = COMPOSE_WIDE_QUANT),
    GOOD("extended-high-tables", SIZE(90, 60), .seed = 4, .flags = COMPOSE_HIGH_TABLES | OPT),
    GOOD("progressive", SIZE(100, 75), .seed = 5, .flags = PROG),
    GOOD("progressive-16bit-tables", SIZE(60, 90), .seed = 6, .quality = 2,
         .flags = COMPOSE_WIDE_QUANT | PROG),
    GOOD("progressive-gray", SIZE(101, 75), .seed = 7, .space = JCS_GRAYSCALE, .flags = PROG),
    GOOD("progressive-cmyk", SIZE(64, 50), .seed = 8, .space = JCS_CMYK, .flags = PROG),
    GOOD("script-spectral", SIZE(77, 66), .seed = 9, SCANS(spectral)),
    GOOD("script-planes", SIZE(77, 66), .seed = 10, .quality = 95, SCANS(planes)),
    GOOD("script-separate-dc", SIZE(77, 66), .seed = 11, SCANS(separate_dc)),
    UNSUPPORTED("script-unfinished", SIZE(77, 66), .seed = 12, SCANS(unfinished)),
    UNSUPPORTED("script-dc-alone", SIZE(77, 66), .seed = 13, SCANS(dc_alone)),
    GOOD("script-gray-bands", SIZE(50, 50), .seed = 14, .quality = 97, .space = JCS_GRAYSCALE,
         SCANS(gray_bands)),
    GOOD("three-scans", SIZE(83, 61), .seed = 15, SCANS(three_scans)),
    GOOD("three-scans-optimised", SIZE(83, 61), .seed = 16, .flags = OPT, SCANS(three_scans)),
    GOOD("two-scans", SIZE(83, 61), .seed = 17, SCANS(two_scans)),
    GOOD("four-quantisation-tables", SIZE(50, 40), .seed = 18, .space = JCS_CMYK,
         .flags = COMPOSE_FOUR_QUANT),

    /* sampling; 33 pixels are no whole number of MCUs in any of them */
    GOOD("sampling-444", SIZE(33, 35), .seed = 20, SAMPLING(0x11, 0x11, 0x11)),
    GOOD("sampling-422", SIZE(33, 35), .seed = 21, SAMPLING(0x21, 0x11, 0x11)),
    GOOD("sampling-440", SIZE(33, 35), .seed = 22, SAMPLING(0x12, 0x11, 0x11)),
    GOOD("sampling-420", SIZE(33, 35), .seed = 23, SAMPLING(0x22, 0x11, 0x11)),
    GOOD("sampling-411", SIZE(33, 35), .seed = 24, SAMPLING(0x41, 0x11, 0x11)),
    GOOD("sampling-410", SIZE(33, 35), .seed = 25, SAMPLING(0x42, 0x11, 0x11)),
    GOOD("sampling-441", SIZE(33, 35), .seed = 26, SAMPLING(0x14, 0x11, 0x11)),
    GOOD("sampling-3x1", SIZE(33, 35), .seed = 27, SAMPLING(0x31, 0x11, 0x11)),
    GOOD("sampling-1x3", SIZE(33, 35), .seed = 28, SAMPLING(0x13, 0x11, 0x11)),
    GOOD("sampling-2x3", SIZE(35, 33), .seed = 29, SAMPLING(0x23, 0x11, 0x11)),
    GOOD("sampling-4x1-2x1", SIZE(35, 33), .seed = 30, SAMPLING(0x41, 0x21, 0x11)),
    GOOD("sampling-2x2-2x1-1x2", SIZE(35, 33), .seed = 31, SAMPLING(0x22, 0x21, 0x12)),
    GOOD("sampling-all-2x1", SIZE(35, 33), .seed = 32, SAMPLING(0x21, 0x21, 0x21)),
    GOOD("sampling-all-1x2", SIZE(35, 33), .seed = 33, SAMPLING(0x12, 0x12, 0x12)),
    GOOD("sampling-chroma-larger", SIZE(41, 37), .seed = 34, SAMPLING(0x11, 0x22, 0x21)),
    GOOD("sampling-chroma-larger-progressive", SIZE(41, 37), .seed = 35, .flags = PROG,
         SAMPLING(0x12, 0x22, 0x11)),
    GOOD("sampling-sum-12", SIZE(70, 50), .seed = 36, SAMPLING(0x22, 0x22, 0x22),
         SCANS(three_scans)),
    GOOD("sampling-sum-18", SIZE(70, 50), .seed = 37, SAMPLING(0x44, 0x11, 0x11),
         SCANS(three_scans)),
    GOOD("sampling-sum-18-progressive", SIZE(70, 50), .seed = 38, SAMPLING(0x44, 0x11, 0x11),
         SCANS(large_sum)),
    GOOD("sampling-sum-16-cmyk", SIZE(40, 50), .seed = 39, .space = JCS_CMYK,
         SAMPLING(0x22, 0x22, 0x22, 0x22), SCANS(four_scans)),
    FRACTION("sampling-3x1-2x1", SIZE(70, 50), .seed = 40, SAMPLING(0x31, 0x21, 0x11),
             .flags = COMPOSE_SPARSE),
    FRACTION("sampling-3x3-2x2", SIZE(70, 50), .seed = 41, SAMPLING(0x33, 0x22, 0x22),
             .flags = COMPOSE_SPARSE, SCANS(three_scans)),

    /* colour */
    GOOD("gray", SIZE(60, 44), .seed = 50, .space = JCS_GRAYSCALE),
    GOOD("gray-2x2", SIZE(61, 43), .seed = 51, .space = JCS_GRAYSCALE, SAMPLING(0x22)),
    GOOD("gray-4x3-restart", SIZE(61, 43), .seed = 52, .space = JCS_GRAYSCALE, SAMPLING(0x43),
         .restart_mcus = 5),
    GOOD("gray-2x2-progressive", SIZE(61, 43), .seed = 53, .space = JCS_GRAYSCALE,
         SAMPLING(0x22), .flags = PROG),
    GOOD("rgb-adobe", SIZE(60, 44), .seed = 54, .space = JCS_RGB),
    GOOD("rgb-identifiers", SIZE(60, 44), .seed = 55, .space = JCS_RGB,
         .flags = COMPOSE_NO_ADOBE, .ids = { 'R', 'G', 'B' }),
    GOOD("rgb-progressive", SIZE(60, 44), .seed = 56, .space = JCS_RGB, .flags = PROG),
    GOOD("rgb-subsampled", SIZE(60, 44), .seed = 57, .space = JCS_RGB,
         SAMPLING(0x22, 0x22, 0x11)),
    GOOD("ycbcr-no-markers", SIZE(60, 44), .seed = 58, .flags = COMPOSE_NO_JFIF),
    GOOD("ycbcr-identifiers-0", SIZE(60, 44), .seed = 59, .flags = COMPOSE_NO_JFIF,
         .ids = { 35, 0, 255 }),
    GOOD("cmyk", SIZE(60, 44), .seed = 60, .space = JCS_CMYK),
    GOOD("cmyk-no-adobe", SIZE(60, 44), .seed = 61, .space = JCS_CMYK,
         .flags = COMPOSE_NO_ADOBE),
    GOOD("cmyk-subsampled", SIZE(60, 44), .seed = 62, .space = JCS_CMYK,
         SAMPLING(0x21, 0x11, 0x11, 0x21)),
    GOOD("ycck", SIZE(60, 44), .seed = 63, .space = JCS_YCCK),
    GOOD("ycck-420", SIZE(61, 45), .seed = 64, .space = JCS_YCCK,
         SAMPLING(0x22, 0x11, 0x11, 0x22)),
    GOOD("ycck-progressive", SIZE(61, 45), .seed = 65, .space = JCS_YCCK,
         SAMPLING(0x22, 0x11, 0x11, 0x22), .flags = PROG),
    { .name = "two-components",
      .kind = PCR_GEN_GOOD_JPEG,
      .orientation = 1,
      .no_pixels = true,
      .make = make_composed,
      .spec = SPEC(SIZE(50, 41), .seed = 66, .component_count = 2) },
    UNSUPPORTED("five-components", SIZE(50, 41), .seed = 67, .component_count = 5,
                SCANS(four_and_one)),

    /* restart intervals */
    GOOD("restart-1", SIZE(64, 48), .seed = 70, .restart_mcus = 1),
    GOOD("restart-3-optimised", SIZE(100, 48), .seed = 71, .restart_mcus = 3, .flags = OPT),
    GOOD("restart-progressive", SIZE(100, 48), .seed = 72, .restart_mcus = 4, .flags = PROG),
    GOOD("restart-three-scans", SIZE(100, 48), .seed = 73, .restart_mcus = 7,
         SCANS(three_scans)),
    GOOD("restart-longer-than-image", SIZE(40, 40), .seed = 74, .restart_mcus = 65535),

    /* sizes */
    GOOD("size-1x1", SIZE(1, 1), .seed = 80),
    GOOD("size-1x1-gray", SIZE(1, 1), .seed = 81, .space = JCS_GRAYSCALE),
    GOOD("size-2x3", SIZE(2, 3), .seed = 82),
    GOOD("size-7x5", SIZE(7, 5), .seed = 83, SAMPLING(0x21, 0x11, 0x11)),
    GOOD("size-8x8", SIZE(8, 8), .seed = 84),
    GOOD("size-8x8-444", SIZE(8, 8), .seed = 85, SAMPLING(0x11, 0x11, 0x11)),
    GOOD("size-9x7", SIZE(9, 7), .seed = 86, .flags = PROG),
    GOOD("size-16x16", SIZE(16, 16), .seed = 87, .flags = OPT),
    GOOD("size-17x13", SIZE(17, 13), .seed = 88),
    GOOD("size-17x13-410", SIZE(17, 13), .seed = 89, SAMPLING(0x42, 0x11, 0x11)),
    GOOD("size-13x17-cmyk", SIZE(13, 17), .seed = 90, .space = JCS_CMYK),
    GOOD("size-1x300", SIZE(1, 300), .seed = 91),
    GOOD("size-300x1", SIZE(300, 1), .seed = 92),
    GOOD("size-65500x1", SIZE(65500, 1), .seed = 93, .space = JCS_GRAYSCALE),
    GOOD("size-64x64", SIZE(64, 64), .seed = 94, .quality = 85),
    GOOD("size-400x267", SIZE(400, 267), .seed = 95, .quality = 90),

    /* quality */
    GOOD("quality-1", SIZE(80, 60), .seed = 100, .quality = 1),
    GOOD("quality-10", SIZE(80, 60), .seed = 101, .quality = 10),
    GOOD("quality-30", SIZE(80, 60), .seed = 102, .quality = 30),
    GOOD("quality-50", SIZE(80, 60), .seed = 103, .quality = 50),
    GOOD("quality-85", SIZE(80, 60), .seed = 104, .quality = 85),
    GOOD("quality-95", SIZE(80, 60), .seed = 105, .quality = 95),
    GOOD("quality-99", SIZE(80, 60), .seed = 106, .quality = 99),
    GOOD("quality-100", SIZE(80, 60), .seed = 107, .quality = 100),

    /* contents */
    GOOD("constant", SIZE(120, 88), .picture = PICTURE_CONSTANT),
    GOOD("constant-progressive", SIZE(120, 88), .picture = PICTURE_CONSTANT, .flags = PROG),
    GOOD("constant-gray", SIZE(8, 8), .picture = PICTURE_CONSTANT, .space = JCS_GRAYSCALE),
    GOOD("checkerboard", SIZE(50, 50), .picture = PICTURE_CHECKER, .quality = 100),
    GOOD("black-white-blocks", SIZE(80, 50), .picture = PICTURE_BLOCKS, .quality = 100,
         SAMPLING(0x11, 0x11, 0x11)),
    GOOD("noise", SIZE(64, 40), .picture = PICTURE_NOISE, .seed = 110, .quality = 100,
         SAMPLING(0x11, 0x11, 0x11)),
    GOOD("extreme-coefficients", SIZE(50, 40), .seed = 111, .quality = 100,
         .flags = COMPOSE_EXTREME | OPT),
    GOOD("extreme-coefficients-standard", SIZE(50, 40), .seed = 112, .quality = 100,
         .flags = COMPOSE_EXTREME),
    GOOD("extreme-coefficients-progressive", SIZE(50, 40), .seed = 113, .quality = 100,
         .flags = COMPOSE_EXTREME | PROG),
    GOOD("extreme-coefficients-quality-1", SIZE(50, 40), .seed = 114, .quality = 1,
         .flags = COMPOSE_EXTREME),
    GOOD("sparse-coefficients", SIZE(50, 40), .seed = 115, .flags = COMPOSE_SPARSE | PROG),

    /* other entropy coding */
    UNSUPPORTED("arithmetic", SIZE(60, 44), .seed = 120, .flags = COMPOSE_ARITHMETIC),
    UNSUPPORTED("arithmetic-progressive", SIZE(60, 44), .seed = 121,
                .flags = COMPOSE_ARITHMETIC | PROG),
};

const struct case_table gen_good_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
