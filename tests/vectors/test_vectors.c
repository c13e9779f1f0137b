/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads every vector of the given folders as its index.tsv says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcr/image.h>

#include "dataset/materialise.h"
#include "dataset/original.h"
#include "io/storage.h"
#include "manifest/manifest.h"
#include "manifest/notes.h"
#include "record/record.h"

enum { FIELDS_MAX = 41 };

struct run {
    const char *folder;
    struct pcr_buffer contents;  /* contents.tsv */
    struct pcr_buffer originals; /* originals.tsv */
    struct pcr_decoder *decoder;
    unsigned long good, refused, failures;
};

static void fail(struct run *r, const char *name, const char *what, const char *detail)
{
    fprintf(stderr, "%s/%s: %s %s\n", r->folder, name, what, detail);
    r->failures++;
}

/* --- lines of tab-separated fields --- */

/* Cuts the line at *text into fields; returns their number and steps after the line. */
static int next_line(char **text, char *fields[FIELDS_MAX])
{
    char *p = *text, *end = strchr(p, '\n');
    int n = 0;
    if (!end)
        return 0;
    *end = '\0';
    *text = end + 1;
    while (n < FIELDS_MAX) {
        fields[n++] = p;
        p = strchr(p, '\t');
        if (!p)
            return n;
        *p++ = '\0';
    }
    return n;
}

static int read_text(const char *folder, const char *name, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int rc = pcri_storage_read(&pcri_files, path, 1 << 24, 0, out, err);
    return rc ? rc : pcri_buffer_append(out, "", 1, err);
}

/* --- good ones --- */

static void append_hex(char *out, size_t room, const char *p, uint32_t n)
{
    out[0] = '\0';
    for (uint32_t i = 0; i < n && 2 * (size_t) i + 3 < room; i++)
        snprintf(out + 2 * i, 3, "%02x", (unsigned char) p[i]);
}

/* The sample's metadata against fields 1 to 6 of its line. */
static void compare_metadata(struct run *r, const struct pcri_head *h, uint32_t i,
                             char *fields[])
{
    char text[1024], *at = text;
    uint32_t n;
    const char *key = pcri_text(&h->keys, i, &n);
    append_hex(text, sizeof(text), key, n);
    if (strcmp(text, fields[1]))
        fail(r, fields[0], "key is", text);
    snprintf(text, sizeof(text), "%u", h->coding[i]);
    if (strcmp(text, fields[2]))
        fail(r, fields[0], "coding is", text);
    snprintf(text, sizeof(text), "%u", h->orientation[i]);
    if (strcmp(text, fields[3]))
        fail(r, fields[0], "orientation is", text);
    text[0] = '\0';
    for (uint32_t k = h->label_first[i]; k < h->label_first[i + 1]; k++)
        at += snprintf(at, 32, "%s%lld", at == text ? "" : ",", (long long) h->labels[k]);
    for (uint32_t k = h->float_labels ? h->float_label_first[i] : 0;
         h->float_labels && k < h->float_label_first[i + 1]; k++)
        at += snprintf(at, 32, "%s%.17g", at == text ? "" : ",", h->float_labels[k]);
    if (strcmp(text, fields[4]))
        fail(r, fields[0], "labels are", text);
    struct pcr_buffer attributes = { 0 };
    if (pcri_attributes_text(h->attributes, i, &attributes, NULL) ||
        strcmp((const char *) attributes.data, fields[5]))
        fail(r, fields[0], "attributes are", (const char *) attributes.data);
    pcr_buffer_free(&attributes);
    n = h->quality ? (h->group_count - 1) * PCRI_QUALITY_SCALES : 0;
    append_hex(text, sizeof(text), n ? (const char *) h->quality + (size_t) i * n : NULL, n);
    if (strcmp(text, fields[6]))
        fail(r, fields[0], "quality is", text);
}

/* The pixels of an exact picture at full fidelity. */
static int decode(const struct pcri_head *h, uint32_t i, const uint8_t *const chunks[],
                  struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcr_decode_options o = { .size = sizeof(o),
                                          .flags = PCR_DECODE_KEEP_ORIENTATION,
                                          .color = h->components[i] == 1 ? PCR_COLOR_GRAY
                                                                         : PCR_COLOR_RGB };
    struct pcr_spans spans = { 0 };
    struct pcr_decoder *d = NULL;
    int rc = pcr_decoder_create(&d, err);
    if (!rc)
        rc = pcri_known_spans(h, i, 0, h->group_count, chunks, &spans, err);
    if (!rc)
        rc = pcr_decoder_decode_spans(d, &spans, &o, out, NULL, err);
    pcr_spans_free(&spans);
    pcr_decoder_destroy(&d);
    return rc;
}

static int compare_files(struct run *r, const struct pcri_record *rec, uint32_t i,
                         char *fields[], struct pcr_error *err)
{
    struct pcri_run run = { 0 };
    struct pcr_buffer file = { 0 };
    uint32_t group_count = rec->header.group_count;
    int rc = 0;

    for (uint32_t g = 1; !rc && g <= group_count; g++) {
        char text[64];
        rc = pcri_record_read(rec, i, i + 1, g, &run, err);
        if (!rc)
            rc = rec->head->exact[i] && g == group_count
                     ? decode(rec->head, i, run.groups, &file, err)
                     : pcri_materialise(rec->head, i, g, run.groups, &file, err);
        if (rc)
            break;
        snprintf(text, sizeof(text), "%zu:%016llx", file.nbytes,
                 (unsigned long long) pcri_xxh3(file.data, file.nbytes));
        if (strcmp(text, fields[6 + g]))
            fail(r, fields[0], "materialises to", text);
    }
    pcri_block_free(&run.memory);
    pcr_buffer_free(&file);
    return rc;
}

/* Reads groups 1 to g of all samples at once. */
static int read_all(const struct pcri_record *rec, uint32_t g, struct pcr_error *err)
{
    struct pcri_run run = { 0 };
    int rc = pcri_record_read(rec, 0, rec->header.sample_count, g, &run, err);
    pcri_block_free(&run.memory);
    return rc;
}

static int read_tail(const struct pcri_record *rec, struct pcr_error *err)
{
    struct pcri_note_counts notes = { 0 };
    struct pcri_restore_column column = { 0 };
    struct pcr_limits limits = { 0 };
    pcri_limits_fill(&limits);
    int rc = pcri_record_notes(rec, NULL, &notes, NULL, err);
    if (!rc)
        rc = pcri_restore_column_read(rec, &limits, &column, err);
    pcri_restore_column_free(&column);
    return rc;
}

/* Restores the file of sample i, and compares it, its mode and its time with its line. */
static int compare_original(struct run *r, const struct pcri_record *rec, uint32_t i,
                            const struct pcri_restore_column *column, char *fields[],
                            struct pcr_error *err)
{
    const struct pcr_file_info info = pcri_restore_file_info(column, i);
    struct pcr_limits limits = { 0 };
    struct pcri_run run = { 0 };
    struct pcr_buffer file = { 0 };
    char text[3][64] = { "-", "-", "-" };
    pcri_limits_fill(&limits);
    int rc = pcri_record_read(rec, i, i + 1, rec->header.group_count, &run, err);
    if (!rc)
        rc = pcri_restore_file(rec->head, i, column, run.groups, &limits, r->decoder, &file,
                               err);
    if (!rc)
        snprintf(text[0], sizeof(text[0]), "%zu:%016llx", file.nbytes,
                 (unsigned long long) pcri_xxh3(file.data, file.nbytes));
    if (info.known & PCR_FILE_MODE)
        snprintf(text[1], sizeof(text[1]), "%o", info.mode);
    if (info.known & PCR_FILE_TIME)
        snprintf(text[2], sizeof(text[2]), "%" PRId64, info.mtime_ns);
    for (int k = 0; k < 3; k++)
        if (strcmp(text[k], fields[2 + k]))
            fail(r, fields[0], "has the source file, mode or time", text[k]);
    pcri_block_free(&run.memory);
    pcr_buffer_free(&file);
    return rc == PCR_ERR_UNSUPPORTED ? 0 : rc;
}

static void compare_originals(struct run *r, const char *name, const struct pcri_record *rec)
{
    char *text = malloc(r->originals.nbytes), *at = text, *fields[FIELDS_MAX];
    struct pcri_restore_column column = { 0 };
    struct pcr_limits limits = { 0 };
    struct pcr_error err = { 0 };
    uint32_t i = 0;
    pcri_limits_fill(&limits);
    int rc = text ? pcri_restore_column_read(rec, &limits, &column, &err) : PCR_ERR_NOMEM;
    if (!rc)
        memcpy(text, r->originals.data, r->originals.nbytes);
    while (!rc && next_line(&at, fields) == 5)
        if (!strcmp(fields[0], name) && i < rec->header.sample_count)
            rc = compare_original(r, rec, i++, &column, fields, &err);
    if (rc)
        fail(r, name, "its source files cannot be read:", err.message);
    pcri_restore_column_free(&column);
    free(text);
}

static void check_good(struct run *r, const char *name, const struct pcri_record *rec)
{
    char *text = malloc(r->contents.nbytes), *at = text, *fields[FIELDS_MAX];
    struct pcr_error err = { 0 };
    uint32_t i = 0;
    int n;
    if (!text) {
        fail(r, name, "no memory", "");
        return;
    }
    memcpy(text, r->contents.data, r->contents.nbytes);
    while ((n = next_line(&at, fields))) {
        if (strcmp(fields[0], name))
            continue;
        if (i >= rec->header.sample_count || n != 7 + (int) rec->header.group_count) {
            fail(r, name, "has fewer samples or groups than its contents", "");
            break;
        }
        compare_metadata(r, rec->head, i, fields);
        if (compare_files(r, rec, i++, fields, &err))
            fail(r, name, "cannot be read:", err.message);
    }
    if (i != rec->header.sample_count)
        fail(r, name, "holds more samples than its contents say", "");
    if (read_all(rec, rec->header.group_count, &err) || read_tail(rec, &err))
        fail(r, name, "cannot be read:", err.message);
    free(text);
    compare_originals(r, name, rec);
    r->good++;
}

/* Materialises the last sample at fidelity g. */
static int read_last(const struct pcri_record *rec, uint32_t g, struct pcr_error *err)
{
    struct pcri_run run = { 0 };
    struct pcr_buffer file = { 0 };
    uint32_t last = rec->header.sample_count - 1;
    int rc = pcri_record_read(rec, last, last + 1, g, &run, err);
    if (!rc)
        rc = pcri_materialise(rec->head, last, g, run.groups, &file, err);
    pcri_block_free(&run.memory);
    pcr_buffer_free(&file);
    return rc;
}

/* --- bad ones: at `stage` the code, before it no failure --- */

static int run_stage(struct run *r, const char *name, const char *stage,
                     const struct pcri_record *rec, struct pcr_error *err)
{
    unsigned g = 0;
    if (!strcmp(stage, "tail"))
        return read_tail(rec, err);
    if (sscanf(stage, "read %u", &g) == 1) {
        if (g > 1 && read_all(rec, g - 1, err))
            fail(r, name, "a lower fidelity cannot be read:", err->message);
        return read_all(rec, g, err);
    }
    if (sscanf(stage, "sample %u", &g) != 1 || !g || g > rec->header.group_count) {
        fail(r, name, "unknown stage", stage);
        return 0;
    }
    if (g > 1 && read_last(rec, g - 1, err))
        fail(r, name, "a lower fidelity cannot be read:", err->message);
    int rc = read_last(rec, g, err);
    return rc ? pcri_prefix(err, rc, "%s", name) : 0;
}

static void check_record(struct run *r, const char *name, const char *stage, const char *code,
                         const struct pcri_io_backend *backend)
{
    struct pcr_error err = { .message = "" };
    struct pcri_record *rec = NULL;
    char path[4096], text[600];
    snprintf(path, sizeof(path), "%s/%s", r->folder, name);

    int rc = pcri_record_open(path, backend, 0, NULL, 0, &rec, &err);
    bool open_stage = !strcmp(stage, "open"), good = !strcmp(stage, "good");
    if (!rc && good)
        check_good(r, name, rec);
    else if (!rc && !open_stage)
        rc = run_stage(r, name, stage, rec, &err);
    else if (rc && !open_stage)
        fail(r, name, "does not open:", err.message);
    if (strcmp(pcr_code_name(rc), code)) {
        snprintf(text, sizeof(text), "%s, expected %s at %s: %s", pcr_code_name(rc), code,
                 stage, err.message);
        fail(r, name, "gives", text);
    }
    if (rc && (err.code != rc || !strstr(err.message, name)))
        fail(r, name, "is not named in the message:", err.message);
    r->refused += rc != 0;
    pcri_record_close(&rec);
}

/* A canonical manifest is written again byte by byte. */
static void compare_rendered(struct run *r, const char *name, const struct pcri_manifest *m,
                             const struct pcr_buffer *text)
{
    struct pcr_buffer again = { 0 };
    struct pcr_error err = { 0 };
    if (pcri_manifest_render(m, &again, &err))
        fail(r, name, "cannot be written again:", err.message);
    else if (again.nbytes != text->nbytes || memcmp(again.data, text->data, text->nbytes))
        fail(r, name, "is written again as", (char *) again.data);
    pcr_buffer_free(&again);
}

static void check_manifest(struct run *r, const char *name, const char *code)
{
    struct pcri_manifest m = { 0 };
    struct pcr_buffer text = { 0 };
    struct pcr_error err = { .message = "" };
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", r->folder, name);

    int rc = pcri_storage_read(&pcri_files, path, 1 << 24, 0, &text, &err);
    if (!rc)
        rc = pcri_manifest_parse(text.data, text.nbytes, NULL, 0, &m, &err);
    if (strcmp(pcr_code_name(rc), code)) {
        fail(r, name, "gives", pcr_code_name(rc));
        fail(r, name, "whose message is", err.message);
    }
    if (!rc && strstr(name, "canonical"))
        compare_rendered(r, name, &m, &text);
    r->good += !rc;
    r->refused += rc != 0;
    pcri_manifest_free(&m);
    pcr_buffer_free(&text);
}

static int run_folder(struct run *r)
{
    struct pcr_buffer index = { 0 };
    struct pcr_error err = { 0 };
    char *fields[FIELDS_MAX];
    int rc = read_text(r->folder, "index.tsv", &index, &err);
    if (!rc)
        rc = read_text(r->folder, "contents.tsv", &r->contents, &err);
    if (!rc)
        rc = read_text(r->folder, "originals.tsv", &r->originals, &err);
    for (char *at = (char *) index.data; !rc && next_line(&at, fields) == 3;) {
        if (!strcmp(fields[1], "manifest"))
            check_manifest(r, fields[0], fields[2]);
        else
            for (int b = 0; pcri_io_backends[b]; b++)
                check_record(r, fields[0], fields[1], fields[2], pcri_io_backends[b]);
    }
    if (rc)
        fail(r, "", "", err.message);
    pcr_buffer_free(&index);
    pcr_buffer_free(&r->contents);
    pcr_buffer_free(&r->originals);
    return rc;
}

int main(int argc, char **argv)
{
    struct run r = { .folder = NULL };
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
        return 2;
    }
    if (pcr_decoder_create(&r.decoder, NULL))
        return 1;
    for (int i = 1; i < argc; i++) {
        r.folder = argv[i];
        if (run_folder(&r))
            break;
    }
    pcr_decoder_destroy(&r.decoder);
    printf("%lu good, %lu refused, %lu failures\n", r.good, r.refused, r.failures);
    return r.failures || !r.good;
}
