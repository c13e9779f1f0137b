/* SPDX-License-Identifier: BSD-2-Clause */
/* Damaged JPEG files: each is an intact one with one thing wrong. */
#include "cases.h"
#include "edit.h"

static const jpeg_scan_info ac_first[] = {
    { 3, { 0, 1, 2 }, 0, 0, 0, 0 },
    { 1, { 0 }, 1, 63, 0, 0 },
    { 1, { 1 }, 1, 63, 0, 0 },
    { 1, { 2 }, 1, 63, 0, 0 },
};

static const jpeg_scan_info three_scans[] = {
    { 1, { 0 }, 0, 63, 0, 0 },
    { 1, { 1 }, 0, 63, 0, 0 },
    { 1, { 2 }, 0, 63, 0, 0 },
};

static const struct compose plain = { .width = 70, .height = 50, .seed = 401 };
static const struct compose optimised = {
    .width = 70, .height = 50, .seed = 402, .flags = COMPOSE_OPTIMISE
};
static const struct compose progressive = {
    .width = 70, .height = 50, .seed = 403, .flags = COMPOSE_PROGRESSIVE
};
static const struct compose restarts = {
    .width = 70, .height = 50, .seed = 404, .restart_mcus = 2
};
static const struct compose simple = {
    .width = 70, .height = 50, .seed = 405, .scans = ac_first, .scan_count = 4
};
static const struct compose scans = {
    .width = 70, .height = 50, .seed = 407, .scans = three_scans, .scan_count = 3
};
static const struct compose cmyk = {
    .width = 70, .height = 50, .seed = 408, .space = JCS_CMYK
};
static const struct compose tall = {
    .width = 16, .height = 200, .seed = 406, .space = JCS_GRAYSCALE
};

#define BYTES(s) .bytes = s, .nbytes = sizeof(s) - 1
#define BAD(name_, base_, ...) \
    { \
        .name = name_, .kind = PCR_GEN_BAD, .orientation = 1, .make = gen_make_edited, \
        .spec = &(const struct edited) \
        { \
            &base_, \
            { \
                __VA_ARGS__ \
            } \
        } \
    }

/* Frame header: FF Cn Lh Ll P Yh Yl Xh Xl N, then id HV Tq for each component.
 * Scan header: FF DA Lh Ll N, then id TdTa for each component, Ss Se AhAl. */
static const struct pcr_gen_case cases[] = {
    BAD("truncated-soi", plain, { EDIT_CUT, APP0, 0, 0 }),
    BAD("truncated-app0-length", plain, { EDIT_CUT, APP0, 0, 3 }),
    BAD("truncated-app0", plain, { EDIT_CUT, APP0, 0, 10 }),
    BAD("truncated-dqt", plain, { EDIT_CUT, DQT, 0, 30 }),
    BAD("truncated-frame", plain, { EDIT_CUT, SOF0, 0, 12 }),
    BAD("truncated-dht", plain, { EDIT_CUT, DHT, 0, 12 }),
    BAD("truncated-before-scan", plain, { EDIT_CUT, SOS, 0, 0 }),
    BAD("truncated-scan-header", plain, { EDIT_CUT, SOS, 0, 8 }),
    BAD("truncated-after-scan-header", plain, { EDIT_CUT, SOS, 0, 14 }),
    BAD("truncated-half", plain, { EDIT_CUT_PERMILLE, .position = 700 }),
    BAD("truncated-nearly-all", optimised, { EDIT_CUT_TAIL, .position = 40 }),
    BAD("truncated-in-restart", restarts, { EDIT_CUT_PERMILLE, .position = 800 }),
    BAD("truncated-progressive-scan-1", progressive, { EDIT_CUT, SOS, 1, -20 }),
    BAD("truncated-progressive-between-scans", progressive, { EDIT_CUT, SOS, 4, 0 }),
    BAD("truncated-progressive-last-scan", progressive, { EDIT_CUT_TAIL, .position = 60 }),
    BAD("truncated-after-scan", plain,
        { EDIT_INSERT, EOI, 0, BYTES("\xFF\xDB\0\x43\0\x01\x02\x03") },
        { EDIT_CUT_TAIL, .position = 2 }),
    BAD("scan-ends-early", plain, { EDIT_CUT_PERMILLE, .position = 800 },
        { EDIT_APPEND, BYTES("\xFF\xD9") }),
    BAD("scan-ends-early-progressive", progressive, { EDIT_CUT_PERMILLE, .position = 950 },
        { EDIT_APPEND, BYTES("\xFF\xD9") }),
    BAD("scan-empty", plain, { EDIT_CUT, SOS, 0, 14 }, { EDIT_APPEND, BYTES("\xFF\xD9") }),
    /* The data go on with further MCUs to their end: some were lost, or are too many. */
    BAD("frame-height-smaller", plain, { EDIT_PATCH, SOF0, 0, 5, BYTES("\0\x20") }),
    BAD("frame-height-smaller-progressive", simple,
        { EDIT_PATCH, SOF2, 0, 5, BYTES("\0\x20") }),
    BAD("no-scan", plain, { EDIT_CUT, SOS, 0, 0 }, { EDIT_APPEND, BYTES("\xFF\xD9") }),
    BAD("no-scan-of-third-component", scans, { EDIT_CUT, SOS, 2 },
        { EDIT_APPEND, BYTES("\xFF\xD9") }),
    BAD("no-frame", plain, { EDIT_DROP, SOF0 }),
    BAD("two-frames", plain,
        { EDIT_INSERT, SOS, 0, BYTES("\xFF\xC0\0\x0B\x08\0\x32\0\x46\x01\x01\x11\0") }),
    BAD("two-soi", plain, { EDIT_INSERT, APP0, 0, BYTES("\xFF\xD8") }),
    BAD("scan-before-frame", plain, { EDIT_MOVE, SOF0, 0, EOI }),
    /* Segments that lost their FF, or are claimed by the comment before. */
    BAD("segment-lost-adobe", cmyk, { EDIT_PATCH, APP14, 0, 0, BYTES("\x7F") }),
    BAD("segment-lost-huffman-table", plain, { EDIT_PATCH, DHT, 3, 0, BYTES("\0") }),
    BAD("segment-claimed-adobe", cmyk,
        { EDIT_INSERT, APP14, 0,
          BYTES("\xFF\xFE\0\x07"
                "com") }),
    BAD("huffman-tables-missing", progressive, { EDIT_DROP, DHT, .position = -1 }),
    BAD("huffman-table-ac-missing", simple, { EDIT_DROP, DHT, 2 }),
    BAD("quantisation-tables-missing", plain, { EDIT_DROP, DQT, .position = -1 }),
    BAD("quantisation-table-missing", plain, { EDIT_DROP, DQT, 1 }),
    BAD("quantisation-table-after-scan", plain, { EDIT_MOVE, DQT, 1, EOI }),
    BAD("restart-marker-missing", restarts, { EDIT_DROP, RST0 + 3 }),
    /* libjpeg goes on without data, or drops some, where a number is off by 1 or 2. */
    BAD("restart-marker-wrong-by-1", restarts, { EDIT_PATCH, RST0 + 2, 0, 1, BYTES("\xD3") }),
    BAD("restart-marker-wrong-by-minus-2", restarts,
        { EDIT_PATCH, RST0 + 2, 0, 1, BYTES("\xD0") }),
    BAD("restart-interval-wrong", restarts, { EDIT_PATCH, DRI, 0, 5, BYTES("\x03") }),
    BAD("restart-interval-missing", restarts, { EDIT_DROP, DRI }),

    /* lengths */
    BAD("length-app0-beyond-file", plain, { EDIT_PATCH, APP0, 0, 2, BYTES("\xFF\xFF") }),
    BAD("length-dqt-short", plain, { EDIT_PATCH, DQT, 0, 2, BYTES("\0\x40") }),
    BAD("length-dqt-long", plain, { EDIT_PATCH, DQT, 0, 2, BYTES("\0\x46") }),
    BAD("length-dht-short", plain, { EDIT_PATCH, DHT, 0, 2, BYTES("\0\x12") }),
    BAD("length-dht-long", plain, { EDIT_PATCH, DHT, 0, 2, BYTES("\0\x20") }),
    BAD("length-frame-short", plain, { EDIT_PATCH, SOF0, 0, 2, BYTES("\0\x10") }),
    BAD("length-frame-long", plain, { EDIT_PATCH, SOF0, 0, 2, BYTES("\0\x12") }),
    BAD("length-scan-short", plain, { EDIT_PATCH, SOS, 0, 2, BYTES("\0\x0B") }),
    BAD("length-scan-long", plain, { EDIT_PATCH, SOS, 0, 2, BYTES("\0\x0D") }),
    BAD("length-dri-long", restarts, { EDIT_PATCH, DRI, 0, 2, BYTES("\0\x06") },
        { EDIT_INSERT_AFTER, DRI, 0, BYTES("\0\0") }),

    /* fields */
    BAD("frame-width-0", plain, { EDIT_PATCH, SOF0, 0, 7, BYTES("\0\0") }),
    BAD("frame-height-0", plain, { EDIT_PATCH, SOF0, 0, 5, BYTES("\0\0") }),
    BAD("frame-height-larger", tall, { EDIT_PATCH, SOF0, 0, 5, BYTES("\x03\0") }),
    BAD("frame-huge", plain, { EDIT_PATCH, SOF0, 0, 5, BYTES("\xFF\xDC\xFF\xDC") }),
    BAD("frame-huge-progressive", progressive,
        { EDIT_PATCH, SOF2, 0, 5, BYTES("\xFF\xDC\xFF\xDC") }),
    BAD("frame-wide-progressive", progressive,
        { EDIT_PATCH, SOF2, 0, 5, BYTES("\x20\0\x20\0") }),
    BAD("frame-components-0", plain, { EDIT_PATCH, SOF0, 0, 9, BYTES("\0") }),
    BAD("frame-components-255", plain, { EDIT_PATCH, SOF0, 0, 9, BYTES("\xFF") }),
    BAD("frame-precision-0", plain, { EDIT_PATCH, SOF0, 0, 4, BYTES("\0") }),
    BAD("frame-sampling-0", plain, { EDIT_PATCH, SOF0, 0, 11, BYTES("\0") }),
    BAD("frame-sampling-5", plain, { EDIT_PATCH, SOF0, 0, 11, BYTES("\x51") }),
    BAD("frame-sampling-sum", plain, { EDIT_PATCH, SOF0, 0, 11, BYTES("\x44") }),
    BAD("frame-table-7", plain, { EDIT_PATCH, SOF0, 0, 12, BYTES("\x07") }),
    BAD("dqt-slot-9", plain, { EDIT_PATCH, DQT, 0, 4, BYTES("\x09") }),
    BAD("dht-slot-7", plain, { EDIT_PATCH, DHT, 0, 4, BYTES("\x07") }),
    BAD("dht-over-subscribed", plain, { EDIT_PATCH, DHT, 0, 5, BYTES("\x03") }),
    BAD("dht-too-many-codes", plain, { EDIT_PATCH, DHT, 0, 19, BYTES("\xFF\xFF") }),
    BAD("dht-dc-symbol-200", optimised, { EDIT_PATCH, DHT, 0, 21, BYTES("\xC8\xC8\xC8") }),
    BAD("dht-dc-symbol-200-progressive", progressive,
        { EDIT_PATCH, DHT, 0, 21, BYTES("\xC8") }),
    BAD("dht-empty", optimised, { EDIT_DROP, DHT },
        { EDIT_INSERT, SOS, 0, BYTES("\xFF\xC4\0\x13\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") }),
    BAD("scan-components-0", plain, { EDIT_PATCH, SOS, 0, 4, BYTES("\0") }),
    BAD("scan-components-5", plain, { EDIT_PATCH, SOS, 0, 4, BYTES("\x05") }),
    BAD("scan-component-unknown", plain, { EDIT_PATCH, SOS, 0, 5, BYTES("\x63") }),
    BAD("scan-component-twice", plain, { EDIT_PATCH, SOS, 0, 7, BYTES("\x01") }),
    BAD("scan-huffman-slot-9", plain, { EDIT_PATCH, SOS, 0, 6, BYTES("\x99") }),
    BAD("scan-huffman-slot-undefined", optimised, { EDIT_PATCH, SOS, 0, 6, BYTES("\x33") }),
    BAD("scan-start-beyond-end", progressive, { EDIT_PATCH, SOS, 1, 7, BYTES("\x09\x05") }),
    BAD("scan-end-64", progressive, { EDIT_PATCH, SOS, 1, 8, BYTES("\x40") }),
    BAD("scan-dc-and-ac", progressive, { EDIT_PATCH, SOS, 1, 7, BYTES("\0\x05") }),
    BAD("scan-ac-interleaved", progressive, { EDIT_PATCH, SOS, 0, 11, BYTES("\x01\x05") }),
    BAD("scan-low-bit-14", progressive, { EDIT_PATCH, SOS, 1, 9, BYTES("\x0E") }),
    BAD("scan-skips-a-bit", progressive, { EDIT_PATCH, SOS, 1, 9, BYTES("\x53") }),
    BAD("scan-refines-nothing", simple, { EDIT_PATCH, SOS, 1, 9, BYTES("\x10") }),
    BAD("scan-ac-before-dc", simple, { EDIT_CUT, SOS, 1, 0 }, { EDIT_DROP, SOS, 0 },
        { EDIT_APPEND, BYTES("\xFF\xD9") }),
    BAD("scans-of-dc-and-ac-swapped", progressive,
        { EDIT_PATCH, SOS, 1, 7, BYTES("\0\0\x01") }),
};

const struct case_table gen_bad_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
