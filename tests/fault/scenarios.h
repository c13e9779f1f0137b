/* SPDX-License-Identifier: BSD-2-Clause */
/* What fault-allocations does while memory fails, and what it does it with. */
#ifndef PCR_TESTS_FAULT_SCENARIOS_H
#define PCR_TESTS_FAULT_SCENARIOS_H

#include <string.h>

#include <pcr/base.h>
#include <pcr/storage.h>

#include "base/base.h"
#include "write_source.h"

/* One use of the library. It adds to *sum what it brought about, so that equal results have
 * equal sums, whatever its threads do first. */
struct scenario {
    const char *name;
    int (*run)(const void *what, uint64_t *sum, struct pcr_error *err);
    const void *what;
};
struct scenarios {
    const struct scenario *items;
    size_t count;
};
/* A storage of the program's own, of files (program_storage.c). */
extern const struct pcr_storage program_storage;
extern const struct scenarios read_scenarios, verify_scenarios, decode_scenarios,
    code_scenarios, load_scenarios, write_scenarios, import_scenarios, tool_scenarios;

/* Datasets of six pictures each, made once. */
struct datasets {
    struct test_source source, odd; /* odd: damaged, undecodable and with bytes after it */
    struct test_source pixels;      /* the first three pictures are PPMs and a PGM */
    struct test_folder made;        /* records of three; the third picture is a PNG */
    struct test_folder damaged;     /* the same with a wrong byte in a record's last group */
    struct test_folder cut;         /* the same with a record of half its length */
    struct test_folder floats;      /* float labels */
    struct test_folder scans;       /* `made` in the other coding */
    struct test_folder exact;       /* `pixels`, those three as exact pictures */
    struct test_folder cache;       /* has all of `made` */
    struct test_folder stopped;     /* a conversion of `source` that was stopped half way */
    struct test_folder salvaged;    /* `odd`, salvaged or skipped */
    struct test_folder out;         /* for what a scenario writes, empty before */
    char record[128];               /* a record's path in `made` */
};
extern struct datasets datasets;
void datasets_begin(void); /* the sources and `made` */
void datasets_make(void);  /* the others */
void datasets_free(void);

/* A file that the generator makes, made once; found by its name. */
const struct pcr_buffer *picture(const char *name);
void pictures_free(void);
void trees_free(void); /* of the scenarios of importers */
void lists_free(void); /* of those of pcrtool */

/* Removes what is in a folder; copies its files to another; adds names and bytes of all that is in
 * it to *sum. Not counted. */
void folder_empty(const char *path);
void folder_copy(const char *from, const char *to);
void folder_add(const char *path, uint64_t *sum);

static inline void add(uint64_t *sum, const void *p, size_t nbytes)
{
    *sum = *sum * 31 + pcri_xxh3(p, nbytes);
}

static inline void add_number(uint64_t *sum, uint64_t v)
{
    add(sum, &v, sizeof(v));
}

static inline void add_text(uint64_t *sum, const char *text)
{
    if (text)
        add(sum, text, strlen(text));
}

/* An error is a result too where it says something of data. Adds it, and returns 0; NOMEM and
 * others stay what they are. */
static inline int add_error(uint64_t *sum, int rc, const struct pcr_error *err)
{
    if (!pcri_is_of_data(rc, err) && rc != PCR_ERR_INVAL)
        return rc;
    add_number(sum, (uint64_t) rc);
    add_text(sum, err->message);
    return 0;
}

#define SCENARIOS(list) \
    { \
        list, sizeof(list) / sizeof((list)[0]) \
    }

#endif
