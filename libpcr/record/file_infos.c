/* SPDX-License-Identifier: BSD-2-Clause */
/* Modes and times of source files, as a column: what is known, modes, seconds as differences,
 * nanoseconds. */
#include <stdlib.h>

#include "file_infos.h"

enum { SECOND_NS = 1000000000, KNOWN = PCR_FILE_MODE | PCR_FILE_TIME, MOST_MODE = 0777 };

/* Whole seconds, rounded down, and the nanoseconds after them. */
static int64_t divide(int64_t ns, uint32_t *rest_out)
{
    int64_t seconds = ns / SECOND_NS, rest = ns % SECOND_NS;
    seconds -= rest < 0;
    *rest_out = (uint32_t) (rest + (rest < 0 ? SECOND_NS : 0));
    return seconds;
}

int pcri_file_infos_render(const struct pcr_file_info *infos, uint32_t count,
                           struct pcr_buffer *out, struct pcr_error *err)
{
    int64_t last = 0;
    uint32_t rest;
    int rc = 0;
    for (uint32_t i = 0; i < count && !rc; i++) {
        const uint8_t known = (uint8_t) infos[i].known;
        rc = pcri_buffer_append(out, &known, 1, err);
    }
    for (uint32_t i = 0; i < count && !rc; i++)
        if (infos[i].known & PCR_FILE_MODE)
            rc = pcri_buffer_append_varint(out, infos[i].mode, err);
    for (uint32_t i = 0; i < count && !rc; i++)
        if (infos[i].known & PCR_FILE_TIME) {
            const int64_t seconds = divide(infos[i].mtime_ns, &rest);
            rc = pcri_buffer_append_varint(out, pcri_zigzag(seconds - last), err);
            last = seconds;
        }
    for (uint32_t i = 0; i < count && !rc; i++)
        if (infos[i].known & PCR_FILE_TIME) {
            uint8_t word[4];
            (void) divide(infos[i].mtime_ns, &rest);
            pcri_store32(word, rest);
            rc = pcri_buffer_append(out, word, sizeof(word), err);
        }
    return rc;
}

/* Times of a column whose first bytes were read; false if they are damaged. */
static bool parse_times(struct pcri_cursor *c, uint32_t count, struct pcr_file_info *infos)
{
    int64_t seconds = 0;
    bool ok = true;
    for (uint32_t i = 0; i < count && ok; i++)
        if (infos[i].known & PCR_FILE_TIME) {
            ok = !__builtin_add_overflow(seconds, pcri_unzigzag(pcri_get_varint(c)),
                                         &seconds) &&
                 !__builtin_mul_overflow(seconds, (int64_t) SECOND_NS, &infos[i].mtime_ns) &&
                 !c->bad;
        }
    for (uint32_t i = 0; i < count && ok; i++)
        if (infos[i].known & PCR_FILE_TIME) {
            const uint8_t *word = pcri_get_bytes(c, 4);
            const uint32_t rest = word ? pcri_load32(word) : SECOND_NS;
            ok = rest < SECOND_NS && !__builtin_add_overflow(infos[i].mtime_ns, (int64_t) rest,
                                                             &infos[i].mtime_ns);
        }
    return ok;
}

int pcri_file_infos_parse(struct pcri_cursor c, uint32_t count, struct pcr_file_info **out,
                          struct pcr_error *err)
{
    const uint8_t *known = pcri_get_bytes(&c, count);
    bool ok = known != NULL;
    struct pcr_file_info *infos = pcri_calloc(count, sizeof(*infos), err);
    if (!infos)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count && ok; i++) {
        infos[i].known = known[i];
        ok = known[i] <= KNOWN;
    }
    for (uint32_t i = 0; i < count && ok; i++)
        if (known[i] & PCR_FILE_MODE) {
            const uint64_t mode = pcri_get_varint(&c);
            infos[i].mode = (uint32_t) mode;
            ok = !c.bad && mode <= MOST_MODE;
        }
    if (ok && parse_times(&c, count, infos) && !pcri_left(&c)) {
        *out = infos;
        return 0;
    }
    free(infos);
    return pcri_fail(err, PCR_ERR_CORRUPT, "tail: modes and times of files are damaged");
}
