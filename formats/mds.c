/* SPDX-License-Identifier: BSD-2-Clause */
/* MosaicML Streaming's shards (MDS, version 2). */
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "../libpcr/io/stream.h"
#include "label.h"
#include "shards.h"

static const char member[] = "shards";

static bool probe(const struct pcri_candidate *c)
{
    return S_ISDIR(c->st.st_mode) && pcri_shards_probe(c->path, member);
}

/* --- values --- */

static int take_text(const uint8_t *data, size_t nbytes, bool any, struct pcri_value *v,
                     bool *bad, struct pcr_error *err)
{
    char text[512];
    int64_t i;
    double d;
    if (any) {
        int rc = pcri_json_parse((const char *) data, nbytes,
                                 PCRI_JSON_ANY | PCRI_JSON_DUPLICATES, &v->json, NULL, err);
        *bad = rc == 1;
        return rc == 1 ? 0 : rc;
    }
    *bad = nbytes >= sizeof(text) || memchr(data, 0, nbytes);
    if (*bad)
        return 0;
    memcpy(text, data, nbytes);
    text[nbytes] = '\0';
    switch (pcri_number_parse(text, &i, &d)) {
    case PCRI_NUMBER_INT:
        v->json = json_integer(i);
        break;
    case PCRI_NUMBER_FLOAT:
        v->json = json_real(d);
        break;
    case PCRI_NUMBER_LARGE: /* its text, which loses nothing */
        v->json = json_string(text);
        break;
    default:
        v->unknown = "numbers that are not finite";
        return 0;
    }
    return v->json ? 0 : pcri_fail_nomem(err, 64);
}

static const struct {
    const char *encoding;
    char kind; /* b: bytes, t: text of a number, j: JSON, i, u, f: numbers */
} encodings[] = {
    { "jpeg", 'b' },   { "png", 'b' },     { "bytes", 'b' },     { "str", 'b' },
    { "json", 'j' },   { "str_int", 't' }, { "str_float", 't' }, { "str_decimal", 't' },
    { "int", 'i' },    { "int8", 'i' },    { "int16", 'i' },     { "int32", 'i' },
    { "int64", 'i' },  { "uint8", 'u' },   { "uint16", 'u' },    { "uint32", 'u' },
    { "uint64", 'u' }, { "float32", 'f' }, { "float64", 'f' },
};

static char kind_of(const char *encoding)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
        if (!strcmp(encodings[i].encoding, encoding))
            return encodings[i].kind;
    return 0;
}

static int take(const struct pcri_shard_column *c, const uint8_t *data, size_t nbytes,
                struct pcri_value *v, bool *bad, struct pcr_error *err)
{
    switch (kind_of(c->encoding)) {
    case 'b':
        v->data = data;
        v->nbytes = nbytes;
        return 0;
    case 'j':
        return take_text(data, nbytes, true, v, bad, err);
    case 't':
        return take_text(data, nbytes, false, v, bad, err);
    case 'i':
        return pcri_value_number(v, 'i', data, nbytes, bad, err);
    case 'u':
        return pcri_value_number(v, 'u', data, nbytes, bad, err);
    case 'f':
        return pcri_value_number(v, 'f', data, nbytes, bad, err);
    default:
        v->unknown = !strcmp(c->encoding, "pkl")   ? "a pickle, which is never read"
                     : !strcmp(c->encoding, "pil") ? "pixels without a file's format"
                                                   : "an encoding that is not read";
        return 0;
    }
}

/* --- hashes --- */

enum { HASH_DIGITS = 32 };

/* The states of the algorithms that are known. */
struct hashes {
    XXH64_state_t *xxh64;
    XXH3_state_t *xxh3, *xxh3_wide;
};

static bool hashes_create(struct hashes *h)
{
    *h = (struct hashes) { XXH64_createState(), XXH3_createState(), XXH3_createState() };
    if (!h->xxh64 || !h->xxh3 || !h->xxh3_wide)
        return false;
    XXH64_reset(h->xxh64, 0);
    XXH3_64bits_reset(h->xxh3);
    XXH3_128bits_reset(h->xxh3_wide);
    return true;
}

static void hashes_free(struct hashes *h)
{
    XXH64_freeState(h->xxh64);
    XXH3_freeState(h->xxh3);
    XXH3_freeState(h->xxh3_wide);
}

/* False if the algorithm is not known. */
static bool digest(const struct hashes *h, const char *name, char out[HASH_DIGITS + 1])
{
    if (!strcmp(name, "xxh64"))
        snprintf(out, HASH_DIGITS + 1, "%016llx", (unsigned long long) XXH64_digest(h->xxh64));
    else if (!strcmp(name, "xxh3_64"))
        snprintf(out, HASH_DIGITS + 1, "%016llx",
                 (unsigned long long) XXH3_64bits_digest(h->xxh3));
    else if (!strcmp(name, "xxh128") || !strcmp(name, "xxh3_128")) {
        XXH128_hash_t wide = XXH3_128bits_digest(h->xxh3_wide);
        snprintf(out, HASH_DIGITS + 1, "%016llx%016llx", (unsigned long long) wide.high64,
                 (unsigned long long) wide.low64);
    } else {
        return false;
    }
    return true;
}

static int hash_file(const char *path, struct hashes *h, struct pcr_error *err)
{
    enum { PART = 256 << 10 };
    struct pcri_file_stream *f;
    size_t have = PART;
    int rc = pcri_stream_open(path, NULL, &f, err);
    for (uint64_t at = 0; !rc && have == PART; at += have) {
        const uint8_t *p;
        rc = pcri_stream_get(f, at, PART, &p, &have, err);
        if (rc || !have)
            break;
        XXH64_update(h->xxh64, p, have);
        XXH3_64bits_update(h->xxh3, p, have);
        XXH3_128bits_update(h->xxh3_wide, p, have);
    }
    pcri_stream_close(&f);
    return rc;
}

/* Compares the file with the hashes that the index has of it. */
static int check_hashes(struct pcri_shards *g, const char *path, json_t *expected, bool *good,
                        struct pcr_error *err)
{
    struct hashes h;
    const char *name;
    json_t *value;
    char text[HASH_DIGITS + 1];
    if (!json_object_size(expected))
        return 0;
    int rc = hashes_create(&h) ? hash_file(path, &h, err) : pcri_fail_nomem(err, 1024);
    json_object_foreach (expected, name, value) {
        const char *digits = json_string_value(value);
        if (rc || !digits)
            continue;
        if (!digest(&h, name, text)) {
            rc = pcri_container_note(g->s, err, "hashes by %.40s are not checked", name);
        } else if (strcmp(text, digits) != 0 && *good) {
            *good = false;
            rc = pcri_container_damaged(g->s, path, 0, err,
                                        "its %s is %s, but %.40s in index.json", name, text,
                                        digits);
        }
    }
    hashes_free(&h);
    return rc;
}

/* --- shards --- */

static int find_columns(struct pcri_shards *g, const json_t *shard, bool *good,
                        struct pcr_error *err)
{
    const json_t *names = json_object_get(shard, "column_names");
    const json_t *kinds = json_object_get(shard, "column_encodings");
    const json_t *sizes = json_object_get(shard, "column_sizes");
    size_t count = json_array_size(names);
    int rc = 0;
    g->column_count = 0;
    *good = count && json_array_size(kinds) == count && json_array_size(sizes) == count;
    for (size_t i = 0; i < count && *good && !rc; i++) {
        const json_t *size = json_array_get(sizes, i);
        const struct pcri_shard_column c = {
            .name = json_string_value(json_array_get(names, i)),
            .encoding = json_string_value(json_array_get(kinds, i)),
            .is_fixed = json_is_integer(size),
            .nbytes = (uint64_t) json_integer_value(size),
        };
        *good = c.name && c.encoding && (json_is_null(size) || c.is_fixed) &&
                json_integer_value(size) >= 0;
        if (*good)
            rc = pcri_shards_column(g, &c, err);
    }
    return rc;
}

/* NULL: unknown. "zstd:7" is zstd. */
static const char *packing_of(const char *compression)
{
    size_t n = strcspn(compression, ":");
    return n == 4 && !strncmp(compression, "zstd", 4) ? "zstd"
           : n == 2 && !strncmp(compression, "gz", 2) ? "gzip"
                                                      : NULL;
}

/* The shard's file as it is, or if that is not there, compressed. */
static int find_file(struct pcri_shards *g, const json_t *shard, struct pcri_shard_file *out,
                     const json_t **info, struct pcr_error *err)
{
    const char *compression = json_string_value(json_object_get(shard, "compression"));
    const char *names[2];
    static const char *const kinds[2] = { "raw_data", "zip_data" };
    bool there = false;
    for (int i = 0; i < 2 && !there; i++) {
        *info = json_object_get(shard, kinds[i]);
        names[i] = json_string_value(json_object_get(*info, "basename"));
        int rc = names[i] ? pcri_shards_find(g, names[i], out, &there, err) : 0;
        if (rc)
            return rc;
        out->packing = i && compression ? packing_of(compression) : NULL;
        if (there && i && !out->packing)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                             "%s: compressed by '%.40s', which is not read: decompress it",
                             out->path, compression ? compression : "?");
    }
    if (!there)
        *info = NULL;
    if (there || (!names[0] && !names[1]))
        return there ? 0 : pcri_shards_bad_index(g, err, "a shard without files");
    return pcri_container_damaged(
        g->s, g->folder, 0, err, "neither %.100s nor %.100s is there",
        names[0] ? names[0] : "its file", names[1] ? names[1] : "a compressed one");
}

static int read_shard(struct pcri_shards *g, const json_t *shard, struct pcr_error *err)
{
    const char *format = json_string_value(json_object_get(shard, "format"));
    const json_t *samples = json_object_get(shard, "samples"), *info = NULL;
    struct pcri_shard_file found = { .sample_count = (uint64_t) json_integer_value(samples) };
    bool good;
    if (format && strcmp(format, "mds") != 0)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "%s/index.json: shards of format '%.40s'; expected mds", g->folder,
                         format);
    int rc = find_columns(g, shard, &good, err);
    if (!rc && (!good || !json_is_integer(samples) || json_integer_value(samples) < 0))
        return pcri_shards_bad_index(g, err,
                                     "a shard without samples, or columns without names, "
                                     "encodings and sizes");
    if (!rc)
        rc = find_file(g, shard, &found, &info, err);
    if (!rc && info)
        rc = check_hashes(g, found.path, json_object_get(info, "hashes"), &good, err);
    if (!rc && info && good)
        return pcri_shards_read(g, &found, err);
    g->x.number += found.sample_count;
    return rc;
}

static int scan_folder(struct pcri_container *s, const char *folder, const char *prefix,
                       struct pcr_error *err)
{
    struct pcri_shards g;
    int rc = pcri_shards_begin(&g, s, folder, prefix, err);
    const json_t *shards = json_object_get(g.index, member);
    const json_t *version = json_object_get(g.index, "version");
    g.take = take;
    if (!rc && version && json_integer_value(version) != 2)
        rc = pcri_fail(err, PCR_ERR_UNSUPPORTED, "%s/index.json: version %lld, expected 2",
                       folder, (long long) json_integer_value(version));
    for (size_t i = 0; i < json_array_size(shards) && !rc; i++)
        rc = read_shard(&g, json_array_get(shards, i), err);
    pcri_shards_end(&g);
    return rc;
}

static int scan(struct pcri_container *s, struct pcr_error *err)
{
    return pcri_shards_folders(s, member, scan_folder, err);
}

const struct pcri_importer pcri_import_mds = {
    .name = "mds",
    .probe = probe,
    .scan = scan,
};
