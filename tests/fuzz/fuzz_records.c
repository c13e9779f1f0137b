/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a record format, an archive or annotations. The first byte says which, and whether
 * damage is passed over; then come the format's files, each but the last with its length of two
 * bytes before it. Whatever is found can be described and loaded. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/source.h>

#include "fuzz.h"

enum { SKIP = 128, MOST_FILES = 3 };

static const struct kind {
    const char *format;
    const char *files[MOST_FILES]; /* what is opened is the folder if there are several */
} kinds[] = {
    { "tfrecord", { "a.tfrecord" } },
    { "tfrecord", { "a.tfrecord" } }, /* the message of one record, with right checksums */
    { "mds", { "index.json", "shard.00000.mds" } },
    { "litdata", { "index.json", "chunk-0-0.bin" } },
    { "beton", { "a.beton" } },
    { "pcr-release", { "a.pcr" } },
    { "tar", { "a.tar" } },
    { "tar", { "a.tar" } }, /* with right checksums */
    { "zip", { "a.zip" } },
    { "lmdb", { "data.mdb" } },
    { "coco", { "a.json" } }, /* whose images are files of the folder */
    { "voc", { "a.xml" } },
};
enum {
    KINDS = sizeof(kinds) / sizeof(kinds[0]),
    MESSAGE = 1,
    HEADERS = 7,
    COCO = KINDS - 2,
    VOC
};

static char folder[64];

static void remove_folder(void)
{
    char path[128];
    for (size_t i = 0; i < KINDS; i++)
        for (size_t k = 0; k < MOST_FILES && kinds[i].files[k]; k++) {
            snprintf(path, sizeof(path), "%s/%s", folder, kinds[i].files[k]);
            (void) unlink(path);
        }
    (void) rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%.40s/pcr-fuzz-XXXXXX", base ? base : "/tmp");
    FUZZ_CHECK(mkdtemp(folder), "%s", folder);
    atexit(remove_folder);
    return 0;
}

static void put(const char *name, const void *data, size_t nbytes)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    FUZZ_CHECK(f && fwrite(data, 1, nbytes, f) == nbytes && !fclose(f), "%s", path);
}

static uint32_t masked(const uint8_t *p, size_t nbytes)
{
    uint32_t crc = pcri_crc32c(p, nbytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_message(const char *name, const uint8_t *data, size_t nbytes)
{
    uint8_t *record = malloc(nbytes + 16);
    FUZZ_CHECK(record, "%zu bytes", nbytes);
    pcri_store64(record, nbytes);
    pcri_store32(record + 8, masked(record, 8));
    if (nbytes)
        memcpy(record + 12, data, nbytes);
    pcri_store32(record + 12 + nbytes, masked(record + 12, nbytes));
    put(name, record, nbytes + 16);
    free(record);
}

/* Every block that begins with a letter is a header. */
static void put_headers(const char *name, const uint8_t *data, size_t nbytes)
{
    enum { BLOCK = 512, AT = 148, LETTERS = 'A' };
    uint8_t *archive = malloc(nbytes + 1);
    FUZZ_CHECK(archive, "%zu bytes", nbytes);
    if (nbytes)
        memcpy(archive, data, nbytes);
    for (size_t i = 0; i + BLOCK <= nbytes; i += BLOCK) {
        unsigned sum = 0;
        uint8_t *block = archive + i;
        if (*block < LETTERS)
            continue;
        memset(block + AT, ' ', 8);
        for (size_t k = 0; k < BLOCK; k++)
            sum += block[k];
        snprintf((char *) block + AT, 8, "%06o", sum);
    }
    put(name, archive, nbytes);
    free(archive);
}

static void put_files(const struct kind *k, const uint8_t *data, size_t nbytes)
{
    for (size_t i = 0; i < MOST_FILES && k->files[i]; i++) {
        bool last = i + 1 == MOST_FILES || !k->files[i + 1];
        size_t n = last || nbytes < 2 ? nbytes : pcri_load16(data);
        if (!last && nbytes >= 2) {
            data += 2;
            nbytes -= 2;
            n = n < nbytes ? n : nbytes;
        }
        put(k->files[i], data, n);
        data += n;
        nbytes -= n;
    }
}

static void left_out(void *context, const char *path, const char *reason)
{
    FUZZ_CHECK(path && *path && reason && *reason, "%p", context);
}

static void check_source(const struct pcr_source *s, const char *format)
{
    struct pcr_buffer b = { 0 };
    for (uint64_t i = 0; i < s->sample_count; i++) {
        struct pcr_error err = { 0 };
        struct pcr_source_sample one = { .size = sizeof(one) };
        int rc = s->describe(s->context, i, &one, &err);
        FUZZ_CHECK(!rc && one.key && *one.key && one.path, "%s", err.message);
        rc = s->load(s->context, i, 1 << 20, &b, &err);
        FUZZ_CHECK(!rc || rc == PCR_ERR_LIMIT || rc == PCR_ERR_TRUNCATED ||
                       (!strcmp(format, "zip") && rc == PCR_ERR_CORRUPT) ||
                       ((!strcmp(format, "coco") || !strcmp(format, "voc")) &&
                        (rc == PCR_ERR_IO || rc == PCR_ERR_FORMAT)),
                   "%s", err.message);
        FUZZ_CHECK(rc || b.nbytes == one.nbytes, "%zu", b.nbytes);
    }
    pcr_buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcr_source *s = NULL;
    struct pcr_error err = { 0 };
    char path[128];
    if (!nbytes)
        return 0;
    size_t kind = (*data & 127) % KINDS;
    const struct kind *k = &kinds[kind];
    struct pcr_source_options o = { .size = sizeof(o),
                                    .flags = *data & SKIP ? PCR_SOURCE_SKIP_DAMAGED : 0,
                                    .format = k->format,
                                    .left_out = left_out,
                                    .noted = left_out,
                                    .spool_folder = folder };
    if (kind == MESSAGE)
        put_message(k->files[0], data + 1, nbytes - 1);
    else if (kind == HEADERS)
        put_headers(k->files[0], data + 1, nbytes - 1);
    else
        put_files(k, data + 1, nbytes - 1);
    snprintf(path, sizeof(path), "%s%s%s", folder, k->files[1] ? "" : "/",
             k->files[1] ? "" : k->files[0]);
    const char *const annotations[] = { path };
    if (kind == VOC)
        snprintf(path, sizeof(path), "%s", folder);
    if (kind >= COCO) {
        o.flags |= kind == COCO && nbytes & 1 ? PCR_SOURCE_SEGMENTATIONS : 0;
        o.annotations = annotations;
        o.annotation_count = 1;
    }
    int rc = pcr_source_open(kind >= COCO ? folder : path, &o, &s, &err);
    FUZZ_CHECK(!rc || (err.code == rc && err.message[0]), "%d", rc);
    FUZZ_CHECK(!rc || rc == PCR_ERR_INVAL || rc == PCR_ERR_CORRUPT || rc == PCR_ERR_LIMIT ||
                   rc == PCR_ERR_UNSUPPORTED ||
                   (kind >= COCO && (rc == PCR_ERR_FORMAT || rc == PCR_ERR_IO)),
               "%s", err.message);
    if (!rc)
        check_source(s, k->format);
    pcr_source_close(&s);
    return 0;
}
