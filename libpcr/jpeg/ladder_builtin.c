/* SPDX-License-Identifier: BSD-2-Clause */
/* The built-in ladders, in their own text form.
 *
 * `bitplane` sends whole bit planes, all frequencies at once, DC exact from the start, and
 * chroma one plane ahead of luma: at the same bytes that looks better than spectral
 * selection (docs/PERFORMANCE.md has the table). Where a plane is split, its high
 * frequencies go first: their quantisation steps are several times larger, so they bring
 * more for their bytes. Finer quantised images start at a higher plane, so that the bytes
 * of a group, as a share of the image, and its quality stay alike over qualities. */
#include "ladder.h"

/* Bit planes of all frequencies, but high ones, whose steps are some four times larger, are
 * two planes ahead: at equal quality that takes fewer bytes and fewer refinement scans. The
 * first plane that is sent comes in two parts, the lowest frequencies as group 1, which
 * saves all later groups a refinement scan. docs/PERFORMANCE.md has the measured choices. */
static const char bitplane[] = "ladder bitplane\n"
                               "script fine below 16\n"
                               "group\n"
                               "all 0-0 0 0\n"
                               "luma 1-9 0 4\n"
                               "chroma 1-63 0 3\n"
                               "group\n"
                               "luma 10-35 0 4\n"
                               "group\n"
                               "luma 1-35 4 3\n"
                               "luma 36-63 0 1\n"
                               "chroma 1-63 3 2\n"
                               "group\n"
                               "luma 1-35 3 2\n"
                               "chroma 1-63 2 1\n"
                               "group\n"
                               "luma 1-35 2 1\n"
                               "chroma 1-63 1 0\n"
                               "group\n"
                               "luma 1-63 1 0\n"
                               "script medium below 95\n"
                               "group\n"
                               "all 0-0 0 0\n"
                               "luma 1-5 0 3\n"
                               "chroma 1-63 0 2\n"
                               "group\n"
                               "luma 6-27 0 3\n"
                               "group\n"
                               "luma 1-27 3 2\n"
                               "luma 28-63 0 1\n"
                               "chroma 1-63 2 1\n"
                               "group\n"
                               "luma 28-63 1 0\n"
                               "group\n"
                               "luma 1-27 2 1\n"
                               "chroma 1-63 1 0\n"
                               "group\n"
                               "luma 1-27 1 0\n"
                               "script coarse\n"
                               "group\n"
                               "all 0-0 0 0\n"
                               "luma 1-27 0 3\n"
                               "chroma 1-63 0 2\n"
                               "group\n"
                               "luma 1-27 3 2\n"
                               "group\n"
                               "luma 28-63 0 0\n"
                               "chroma 1-63 2 1\n"
                               "group\n"
                               "luma 10-27 2 1\n"
                               "group\n"
                               "luma 1-9 2 1\n"
                               "chroma 1-63 1 0\n"
                               "group\n"
                               "luma 1-27 1 0\n";

/* libjpeg's jpeg_simple_progression() for YCbCr, each scan a group. */
static const char classic[] = "ladder classic\n"
                              "script all\n"
                              "group\n"
                              "all 0-0 0 1\n"
                              "group\n"
                              "luma 1-5 0 2\n"
                              "group\n"
                              "chroma2 1-63 0 1\n"
                              "group\n"
                              "chroma1 1-63 0 1\n"
                              "group\n"
                              "luma 6-63 0 2\n"
                              "group\n"
                              "luma 1-63 2 1\n"
                              "group\n"
                              "all 0-0 1 0\n"
                              "group\n"
                              "chroma2 1-63 1 0\n"
                              "group\n"
                              "chroma1 1-63 1 0\n"
                              "group\n"
                              "luma 1-63 1 0\n";

/* The default: for coding 2, whose groups cost little besides their bits. First DC, a picture of
 * 1/8 size, then planes. Chroma is one ahead at first and behind at the end. Where the last plane
 * of luma is large, its high frequencies come first: their steps are larger, so that they bring
 * more for their bytes. docs/PERFORMANCE.md has the measured choices. */
static const char packed[] = "ladder packed\n"
                             "script fine below 45\n"
                             "group\n"
                             "all 0-0 0 0\n"
                             "group\n"
                             "luma 1-63 0 5\n"
                             "chroma 1-63 0 4\n"
                             "group\n"
                             "luma 1-63 5 4\n"
                             "chroma 1-63 4 3\n"
                             "group\n"
                             "luma 1-63 4 3\n"
                             "group\n"
                             "luma 1-63 3 2\n"
                             "chroma 1-63 3 2\n"
                             "group\n"
                             "luma 1-63 2 1\n"
                             "group\n"
                             "chroma 1-63 2 1\n"
                             "group\n"
                             "luma 1-63 1 0\n"
                             "group\n"
                             "chroma 1-63 1 0\n"
                             "script coarse\n"
                             "group\n"
                             "all 0-0 0 0\n"
                             "group\n"
                             "luma 1-63 0 4\n"
                             "chroma 1-63 0 3\n"
                             "group\n"
                             "luma 1-63 4 3\n"
                             "chroma 1-63 3 2\n"
                             "group\n"
                             "luma 1-63 3 2\n"
                             "group\n"
                             "luma 1-63 2 1\n"
                             "group\n"
                             "chroma 1-63 2 1\n"
                             "group\n"
                             "luma 15-63 1 0\n"
                             "group\n"
                             "luma 1-14 1 0\n"
                             "group\n"
                             "chroma 1-63 1 0\n";

static const struct {
    const char *name, *text;
} builtins[] = { { "packed", packed }, { "bitplane", bitplane }, { "classic", classic } };

const char *pcr_ladder_name(uint32_t index)
{
    return index < sizeof(builtins) / sizeof(builtins[0]) ? builtins[index].name : NULL;
}

const char *pcri_ladder_builtin_text(const char *name)
{
    for (uint32_t i = 0; pcr_ladder_name(i); i++)
        if (!name || !strcmp(name, builtins[i].name))
            return builtins[i].text;
    return NULL;
}
