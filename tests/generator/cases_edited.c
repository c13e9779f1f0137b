/* SPDX-License-Identifier: BSD-2-Clause */
/* Unusual but intact JPEG files: libjpeg's, with markers moved, merged, padded, added. */
#include "cases.h"
#include "edit.h"

static const jpeg_scan_info separate_scans[] = {
    { 1, { 0 }, 0, 63, 0, 0 },
    { 1, { 1 }, 0, 63, 0, 0 },
    { 1, { 2 }, 0, 63, 0, 0 },
};

static const jpeg_scan_info one_band[] = {
    { 3, { 0, 1, 2 }, 0, 0, 0, 0 },
    { 1, { 0 }, 1, 63, 0, 0 },
    { 1, { 1 }, 1, 63, 0, 0 },
    { 1, { 2 }, 1, 63, 0, 0 },
};

#define BASE(...) static const struct compose __VA_ARGS__
BASE(plain = { .width = 70, .height = 50, .seed = 201 });
BASE(optimised = { .width = 70, .height = 50, .seed = 202, .flags = COMPOSE_OPTIMISE });
BASE(progressive = { .width = 70, .height = 50, .seed = 203, .flags = COMPOSE_PROGRESSIVE });
BASE(restarts = { .width = 70, .height = 50, .seed = 204, .restart_mcus = 2 });
BASE(scans = {
         .width = 70, .height = 50, .seed = 205, .scans = separate_scans, .scan_count = 3 });
BASE(scans_optimised = { .width = 70,
                         .height = 50,
                         .seed = 206,
                         .scans = separate_scans,
                         .scan_count = 3,
                         .flags = COMPOSE_OPTIMISE });
BASE(bands = { .width = 70, .height = 50, .seed = 209, .scans = one_band, .scan_count = 4 });
BASE(rgb_scans = { .width = 70,
                   .height = 50,
                   .seed = 210,
                   .scans = separate_scans,
                   .scan_count = 3,
                   .space = JCS_RGB,
                   .flags = COMPOSE_NO_ADOBE,
                   .ids = { 'R', 'G', 'B' } });
BASE(tall = { .width = 24, .height = 40, .seed = 207, .space = JCS_GRAYSCALE });
BASE(wide_tables = {
         .width = 24, .height = 40, .seed = 208, .quality = 1, .flags = COMPOSE_WIDE_QUANT });

/* A string literal of bytes without its NUL. */
#define BYTES(s) .bytes = s, .nbytes = sizeof(s) - 1
#define EDITED(name_, kind_, base_, ...) \
    { \
        .name = name_, .kind = kind_, .orientation = 1, .make = gen_make_edited, \
        .spec = &(const struct edited) \
        { \
            &base_, \
            { \
                __VA_ARGS__ \
            } \
        } \
    }
#define GOOD(name, base, ...) EDITED(name, PCR_GEN_GOOD_JPEG, base, __VA_ARGS__)
#define ODD(name, base, ...) EDITED(name, PCR_GEN_ODD_JPEG, base, __VA_ARGS__)
#define UNSUPPORTED(name, base, ...) EDITED(name, PCR_GEN_UNSUPPORTED_JPEG, base, __VA_ARGS__)

#define EMPTY_COM "\xFF\xFE\x00\x02"
#define JFIF "\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
#define COM_SCAN1 \
    "\xFF\xFE\x00\x07" \
    "scan1"
#define APP9_SCAN2 \
    "\xFF\xE9\x00\x07" \
    "scan2"
#define COM_END \
    "\xFF\xFE\x00\x05" \
    "end"

/* A quantisation table, 8 bits an entry, all 9. */
#define NINES8 "\x09\x09\x09\x09\x09\x09\x09\x09"
#define NINES64 NINES8 NINES8 NINES8 NINES8 NINES8 NINES8 NINES8 NINES8

static const struct pcr_gen_case cases[] = {
    GOOD("fill-bytes", plain, { EDIT_FILL, .position = 1 }),
    GOOD("fill-bytes-progressive", progressive, { EDIT_FILL, .position = 7 }),
    GOOD("fill-bytes-restart", restarts, { EDIT_FILL, .position = 2 }),
    GOOD("trailing-byte", plain, { EDIT_APPEND, BYTES("\x00") }),
    GOOD("trailing-text", progressive, { EDIT_APPEND, BYTES("bytes after the image\n") }),
    GOOD("trailing-markers", plain,
         { EDIT_APPEND, BYTES("\xFF\xD8\xFF\xDB\x00\x43\xFF\xD9") }),
    GOOD("comment-between-scans", scans, { EDIT_INSERT, SOS, 1, BYTES(COM_SCAN1) },
         { EDIT_INSERT, SOS, 2, BYTES(APP9_SCAN2) }, { EDIT_INSERT, EOI, 0, BYTES(COM_END) }),
    GOOD("comment-between-scans-progressive", progressive,
         { EDIT_INSERT, SOS, 3, BYTES(COM_SCAN1) }, { EDIT_INSERT, DHT, 2, BYTES(EMPTY_COM) },
         { EDIT_INSERT, EOI, 0, BYTES(COM_END) }),
    GOOD("comment-after-frame", plain, { EDIT_INSERT_AFTER, SOF0, 0, BYTES(COM_SCAN1) },
         { EDIT_INSERT, SOS, 0, BYTES(APP9_SCAN2) }),
    GOOD("tables-after-frame", optimised, { EDIT_MOVE, SOF0, 0, DQT }),
    GOOD("huffman-tables-first", optimised, { EDIT_MOVE, DHT, 0, APP0 },
         { EDIT_MOVE, DHT, 1, APP0 }),
    GOOD("tables-merged", plain, { EDIT_MERGE, DQT }, { EDIT_MERGE, DHT }),
    GOOD("tables-merged-progressive", progressive, { EDIT_MERGE, DQT }),
    GOOD("tables-16bit-baseline", plain, { EDIT_WIDEN }),
    GOOD("tables-16bit-progressive", progressive, { EDIT_WIDEN }),
    GOOD("table-not-used", plain,
         { EDIT_INSERT, SOF0, 0, BYTES("\xFF\xDB\x00\x43\x03" NINES64) }),
    GOOD("table-defined-twice", plain, /* the second one holds */
         { EDIT_INSERT, DQT, 0, BYTES("\xFF\xDB\x00\x43\x00" NINES64) }),
    GOOD("huffman-table-not-used", plain,
         { EDIT_INSERT, SOS, 0,
           BYTES("\xFF\xC4\x00\x14\x13\x01\0\0\0\0\0\0\0\0\0\0\0\0\0"
                 "\0\0\x00") }),
    GOOD("huffman-tables-of-each-scan", scans_optimised, { EDIT_MOVE, DQT, 0, SOF0 }),
    GOOD("restart-set-and-unset", plain,
         { EDIT_INSERT, SOF0, 0, BYTES("\xFF\xDD\0\x04\0\x05") },
         { EDIT_INSERT, SOS, 0, BYTES("\xFF\xDD\0\x04\0\0") }),
    GOOD("frame-baseline-as-extended", plain, { EDIT_SOF, .position = SOF1 }),
    GOOD("table-for-each-scan", scans, /* DQT where its scan begins, once */
         { EDIT_MOVE, DQT, 1, SOS | 1 << 8 }),
    GOOD("jfif-version-1.9-density-0", plain,
         { EDIT_PATCH, APP0, 0, 9, BYTES("\x01\x09\x01\0\0\0\0") }),
    GOOD("jfif-thumbnail-size-lies", plain, { EDIT_PATCH, APP0, 0, 16, BYTES("\xFF\xFF") }),
    GOOD("adobe-too-short", plain,
         { EDIT_INSERT, DQT, 0,
           BYTES("\xFF\xEE\0\x07"
                 "Adobe") }),

    /* Held or refused. A later scan of the same component replaces the earlier. */
    ODD("component-in-two-scans", scans, { EDIT_PATCH, SOS, 2, 5, BYTES("\x02") }),
    ODD("band-in-two-scans", bands, { EDIT_PATCH, SOS, 3, 5, BYTES("\x02") }),
    /* Flipped bits may leave a stream that decodes, as another picture. */
    ODD("flipped-bits-1", plain, { EDIT_FLIP, SOS, 0, 1 }),
    ODD("flipped-bits-4", optimised, { EDIT_FLIP, SOS, 0, 4 }),
    ODD("flipped-bits-progressive", progressive, { EDIT_FLIP, SOS, 1, 3 }),
    ODD("flipped-bits-restart", restarts, { EDIT_FLIP, SOS, 0, 2 }),
    ODD("extended-16bit-tables-as-baseline", wide_tables, { EDIT_SOF, .position = SOF0 }),

    UNSUPPORTED("precision-12", optimised, { EDIT_SOF, .position = SOF1 },
                { EDIT_PATCH, SOF1, 0, 4, BYTES("\x0C") }),
    UNSUPPORTED("dnl", tall, { EDIT_PATCH, SOF0, 0, 5, BYTES("\0\0") },
                { EDIT_INSERT, EOI, 0, BYTES("\xFF\xDC\0\x04\0\x28") }),
    UNSUPPORTED("table-redefined-between-scans", scans,
                { EDIT_INSERT, SOS, 2, BYTES("\xFF\xDB\x00\x43\x01" NINES64) }),
    /* Markers that say how to read colours, where it is known already. */
    UNSUPPORTED("adobe-between-scans", scans,
                { EDIT_INSERT, SOS, 1,
                  BYTES("\xFF\xEE\0\x0E"
                        "Adobe\0\x64\0\0\0\0\0") },
                { EDIT_DROP, APP0 }),
    UNSUPPORTED("jfif-between-scans", rgb_scans, { EDIT_INSERT, SOS, 1, BYTES(JFIF) }),
    UNSUPPORTED(
        "marker-f7-jpeg-ls", plain,
        { EDIT_INSERT, DQT, 0, BYTES("\xFF\xF7\0\x0B\x08\0\x32\0\x46\x01\x01\x11\0") }),
    UNSUPPORTED("frame-sof5-differential", plain, { EDIT_SOF, .position = SOF5 }),
    UNSUPPORTED("frame-sof6-differential-progressive", progressive,
                { EDIT_SOF, .position = 0xC6 }),
    UNSUPPORTED("frame-sof7-differential-lossless", plain, { EDIT_SOF, .position = 0xC7 }),
    UNSUPPORTED("frame-sof11-lossless-arithmetic", plain, { EDIT_SOF, .position = 0xCB }),
    UNSUPPORTED("frame-sof13-differential-arithmetic", plain, { EDIT_SOF, .position = 0xCD }),
    UNSUPPORTED("frame-sof14-differential-progressive-arithmetic", plain,
                { EDIT_SOF, .position = 0xCE }),
    UNSUPPORTED("frame-sof15-differential-lossless-arithmetic", plain,
                { EDIT_SOF, .position = 0xCF }),
};

const struct case_table gen_edited_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
