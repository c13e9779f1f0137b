/* SPDX-License-Identifier: BSD-2-Clause */
/* JPEG files that break a rule on which no coefficient depends: libjpeg shows all of the
 * picture, with a warning or without, and they are packed as if they kept it. */
#include "cases.h"
#include "edit.h"

static const jpeg_scan_info separate_scans[] = {
    { 1, { 0 }, 0, 63, 0, 0 },
    { 1, { 1 }, 0, 63, 0, 0 },
    { 1, { 2 }, 0, 63, 0, 0 },
};

#define BASE(...) static const struct compose __VA_ARGS__
BASE(plain = { .width = 70, .height = 50, .seed = 701 });
BASE(optimised = { .width = 70, .height = 50, .seed = 702, .flags = COMPOSE_OPTIMISE });
BASE(progressive = { .width = 70, .height = 50, .seed = 703, .flags = COMPOSE_PROGRESSIVE });
BASE(restarts = { .width = 70, .height = 50, .seed = 704, .restart_mcus = 2 });
BASE(progressive_restarts = { .width = 70,
                              .height = 50,
                              .seed = 705,
                              .restart_mcus = 3,
                              .flags = COMPOSE_PROGRESSIVE });
BASE(scans = {
         .width = 70, .height = 50, .seed = 706, .scans = separate_scans, .scan_count = 3 });
BASE(gray = { .width = 24, .height = 40, .seed = 707, .space = JCS_GRAYSCALE });
BASE(cmyk = { .width = 70, .height = 50, .seed = 708, .space = JCS_CMYK });
BASE(ycck = { .width = 70, .height = 50, .seed = 709, .space = JCS_YCCK });

/* A string literal of bytes without its NUL. */
#define BYTES(s) .bytes = s, .nbytes = sizeof(s) - 1
#define PASSED(name_, base_, ...) \
    { \
        .name = name_, .kind = PCR_GEN_GOOD_JPEG, .orientation = 1, .passed_over = true, \
        .make = gen_make_edited, .spec = &(const struct edited) \
        { \
            &base_, \
            { \
                __VA_ARGS__ \
            } \
        } \
    }

#define ZEROS16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZEROS64 ZEROS16 ZEROS16 ZEROS16 ZEROS16
#define ADOBE_OF(transform) \
    "\xFF\xEE\0\x0E" \
    "Adobe\0\x64\0\0\0\0" transform

static const struct pcr_gen_case cases[] = {
    /* numbers that mean nothing */
    PASSED("scan-fields-0", plain, { EDIT_PATCH, SOS, 0, 11, BYTES("\0\0\0") }),
    PASSED("scan-fields-odd", plain, { EDIT_PATCH, SOS, 0, 11, BYTES("\x01\x20\x11") }),
    PASSED("scan-fields-255", scans, { EDIT_PATCH, SOS, 0, 7, BYTES("\xFF\xFF\xFF") },
           { EDIT_PATCH, SOS, 2, 7, BYTES("\x05\0\x20") }),
    PASSED("jfif-version-2", plain, { EDIT_PATCH, APP0, 0, 9, BYTES("\x02") }),
    PASSED("jfif-version-0.02", optimised, { EDIT_PATCH, APP0, 0, 9, BYTES("\0\x02") }),
    PASSED("adobe-transform-5", plain, { EDIT_DROP, APP0 },
           { EDIT_INSERT, DQT, 0, BYTES(ADOBE_OF("\x05")) }),
    PASSED("adobe-transform-2-ycc", plain, { EDIT_DROP, APP0 },
           { EDIT_INSERT, DQT, 0, BYTES(ADOBE_OF("\x02")) }),
    PASSED("adobe-transform-1-ycck", ycck, { EDIT_PATCH, APP14, 0, 15, BYTES("\x01") }),
    PASSED("identifiers-equal", plain, { EDIT_PATCH, SOF0, 0, 16, BYTES("\x02") },
           { EDIT_PATCH, SOS, 0, 9, BYTES("\x02") }),
    PASSED("identifiers-all-equal", restarts, { EDIT_PATCH, SOF0, 0, 10, BYTES("\0") },
           { EDIT_PATCH, SOF0, 0, 13, BYTES("\0") }, { EDIT_PATCH, SOF0, 0, 16, BYTES("\0") },
           { EDIT_PATCH, SOS, 0, 5, BYTES("\0") }, { EDIT_PATCH, SOS, 0, 7, BYTES("\0") },
           { EDIT_PATCH, SOS, 0, 9, BYTES("\0") }),
    PASSED("dnl-repeats-height", gray, { EDIT_INSERT, EOI, 0, BYTES("\xFF\xDC\0\x04\0\x28") }),
    PASSED("table-not-used-of-zeros", plain,
           { EDIT_INSERT, SOF0, 0, BYTES("\xFF\xDB\x00\x43\x03" ZEROS64) }),

    /* tables that everybody has */
    PASSED("huffman-tables-missing-standard", plain, { EDIT_DROP, DHT, .position = -1 }),
    PASSED("motion-jpeg-frame", restarts, { EDIT_DROP, DHT, .position = -1 },
           { EDIT_INSERT, EOI, 0, BYTES("\0\0\0") }),

    /* bytes after a scan or restart interval */
    PASSED("stray-byte", plain, { EDIT_INSERT, EOI, 0, BYTES("\x7F") }),
    PASSED("stray-bytes", plain, { EDIT_INSERT, EOI, 0, BYTES("\x12\x34\x56\x78\x9A\xBC") }),
    PASSED("stray-bytes-gray", gray, { EDIT_INSERT, EOI, 0, BYTES("\0\0") }),
    PASSED("stray-bytes-stuffed", optimised,
           { EDIT_INSERT, EOI, 0, BYTES("\xFF\0\xFF\0\xFF\0") }),
    PASSED("stray-zeros", plain, { EDIT_INSERT, EOI, 0, BYTES(ZEROS64 ZEROS64 ZEROS64) }),
    PASSED("stray-text", cmyk, { EDIT_INSERT, EOI, 0, BYTES("written by a camera") }),
    PASSED("stray-bytes-before-scan", scans, { EDIT_INSERT, SOS, 1, BYTES("\x01\x02") },
           { EDIT_INSERT, SOS, 2, BYTES("\x55") }),
    PASSED("stray-bytes-before-restart", restarts,
           { EDIT_INSERT, RST0 + 1, 0, BYTES("\x55\xAA") },
           { EDIT_INSERT, RST0 + 4, 0, BYTES("\0") }),
    PASSED("stray-byte-progressive", progressive, { EDIT_INSERT, DHT, 2, BYTES("\x12") }),
    PASSED("stray-bytes-progressive", progressive,
           { EDIT_INSERT, DHT, 2, BYTES("\x12\x34\x56\x78\x9A\xBC\xDE\xF0\x11\x22") },
           { EDIT_INSERT, EOI, 0, BYTES(ZEROS16) }),
    PASSED("stray-bytes-progressive-restarts", progressive_restarts,
           { EDIT_INSERT, RST0 + 1, 0, BYTES("\x7F") }),
    PASSED("restart-marker-number-off-by-3", restarts,
           { EDIT_PATCH, RST0 + 2, 0, 1, BYTES("\xD5") }),
    PASSED("restart-marker-at-end", restarts, { EDIT_INSERT, EOI, 0, BYTES("\xFF\xD7") }),

    /* bytes between segments */
    PASSED("stray-bytes-between-segments", plain, { EDIT_INSERT, DQT, 1, BYTES("garbage") },
           { EDIT_INSERT, SOS, 0, BYTES("\0") }),
    PASSED("markers-without-parameters", plain,
           { EDIT_INSERT, DQT, 1, BYTES("\xFF\x01\xFF\xD3") }),
    PASSED("length-app0-0", plain, { EDIT_PATCH, APP0, 0, 2, BYTES("\0\0") }),
    PASSED("length-app0-1", plain, { EDIT_PATCH, APP0, 0, 2, BYTES("\0\x01") }),
    PASSED("length-comment-short", progressive,
           { EDIT_INSERT, DQT, 0,
             BYTES("\xFF\xFE\0\x06"
                   "longer") }),
    PASSED("length-comment-long", plain,
           { EDIT_INSERT, DQT, 0,
             BYTES("\xFF\xFE\0\x07"
                   "com"
                   "\xFF\xFE\0\x09"
                   "comment") }),

    /* the end */
    PASSED("missing-eoi", plain, { EDIT_CUT_TAIL, .position = 2 }),
    PASSED("missing-eoi-half", optimised, { EDIT_CUT_TAIL, .position = 1 }),
    PASSED("missing-eoi-progressive", progressive, { EDIT_CUT_TAIL, .position = 2 }),
    PASSED("missing-eoi-restarts", restarts, { EDIT_CUT_TAIL, .position = 2 }),
    PASSED("missing-eoi-cmyk", cmyk, { EDIT_CUT_TAIL, .position = 2 }),
    PASSED("missing-eoi-zeros", plain, { EDIT_CUT_TAIL, .position = 2 },
           { EDIT_APPEND, BYTES(ZEROS64 ZEROS64) }),
    PASSED("missing-eoi-cut-comment", gray,
           { EDIT_INSERT, EOI, 0,
             BYTES("\xFF\xFE\x01\0"
                   "it goes on") },
           { EDIT_CUT_TAIL, .position = 2 }),
};

const struct case_table gen_passed_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
