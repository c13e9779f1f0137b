/* SPDX-License-Identifier: BSD-2-Clause */
/* The exporter `mds`: MosaicML Streaming's shards, version 2, with their index. A shard begins with
 * the number and the places of its samples, so it is gathered in memory. */
#include <inttypes.h>
#include <stdlib.h>

#include "../libpcr/io/storage.h"
#include "export_shards.h"

enum { DEFAULT_NBYTES = 64 << 20, MOST_NBYTES = 1 << 30, ZSTD_LEVEL = 3 };

struct mds {
    struct pcri_shard_names names;
    struct pcr_buffer body, sizes;  /* of the open shard: samples; their sizes as uint32_t */
    struct pcr_buffer head, packed; /* of the last one */
    struct pcr_buffer config;       /* what each shard says of its columns */
    struct pcr_buffer index;        /* the text of index.json */
    uint64_t number;                /* of the open shard */
    uint64_t shard_nbytes;
};

static bool has_classes(const struct pcri_export *x)
{
    return x->info.label_kind == PCR_LABEL_CLASS;
}

static bool is_own(const char *name)
{
    return !strcmp(name, "image") || !strcmp(name, "json") || !strcmp(name, "label");
}

static const char *refuse(const struct pcri_export_sample *s,
                          const struct pcri_export_blob *blob)
{
    (void) s;
    return is_own(blob->name) ? "another column has this name" : NULL;
}

/* The name of the dataset's next blob that is a column, from *i on; NULL: there are no more. */
static const char *next_column(const struct pcri_export *x, uint32_t *i)
{
    const char *name;
    while ((name = pcr_dataset_blob_name(x->ds, *i)) && is_own(name))
        ++*i;
    ++*i;
    return name;
}

/* --- samples --- */

static int append32(struct pcr_buffer *out, size_t value, struct pcr_error *err)
{
    uint8_t bytes[4];
    pcri_store32(bytes, (uint32_t) value);
    return pcri_buffer_append(out, bytes, sizeof(bytes), err);
}

/* The sample's blob of this name; without bytes if it has none, which the JSON tells. */
static struct pcr_buffer find_blob(const struct pcri_export_sample *s, const char *name)
{
    for (uint32_t i = 0; i < s->blob_count; i++)
        if (!strcmp(s->blobs[i].name, name))
            return s->blobs[i].bytes;
    return (struct pcr_buffer) { 0 };
}

/* The sizes of the blobs, or they themselves. */
static int append_blobs(const struct pcri_export_sample *s, bool sizes, struct pcr_buffer *out,
                        struct pcr_error *err)
{
    const char *name;
    int rc = 0;
    for (uint32_t i = 0; !rc && (name = next_column(s->export, &i));) {
        const struct pcr_buffer blob = find_blob(s, name);
        if (blob.nbytes > UINT32_MAX / 4)
            return pcri_fail(err, PCR_ERR_LIMIT,
                             "%.200s: blob '%.100s' is too large for a shard", s->info->key,
                             name);
        rc = sizes ? append32(out, blob.nbytes, err)
                   : pcri_buffer_append(out, blob.data, blob.nbytes, err);
    }
    return rc;
}

/* The sizes of columns that have none of their own, then the columns: image, json, label, those of
 * blobs. */
static int encode(const struct pcri_export_sample *s, struct pcr_buffer *out,
                  struct pcr_buffer *name, struct pcr_error *err)
{
    const struct pcr_sample_info *info = s->info;
    struct pcr_buffer text = { 0 };
    uint8_t label[8];
    int rc = pcri_export_json(s, &text, err);
    if (!rc && (s->nbytes > UINT32_MAX / 2 || text.nbytes > UINT32_MAX / 4))
        rc = pcri_fail(err, PCR_ERR_LIMIT, "%.200s: too large for a shard", info->key);
    if (!rc)
        rc = append32(out, s->nbytes, err);
    if (!rc)
        rc = append32(out, text.nbytes, err);
    if (!rc)
        rc = append_blobs(s, true, out, err);
    if (!rc)
        rc = pcri_export_append_file(s, out, err);
    if (!rc)
        rc = pcri_buffer_append(out, text.data, text.nbytes, err);
    pcri_store64(label, info->label_count && info->labels ? (uint64_t) info->labels[0]
                                                          : UINT64_MAX); /* -1 */
    if (!rc && has_classes(s->export))
        rc = pcri_buffer_append(out, label, sizeof(label), err);
    if (!rc)
        rc = append_blobs(s, false, out, err);
    pcr_buffer_free(&text);
    return rc;
}

/* --- shards --- */

/* Appends what an array has for each blob: `what`, or where that is NULL the name. */
static int print_blobs(const struct pcri_export *x, const char *what, struct pcr_buffer *out,
                       struct pcr_error *err)
{
    const char *name;
    int rc = 0;
    for (uint32_t i = 0; !rc && (name = next_column(x, &i));) {
        rc = pcri_print(out, err, ", %s", what ? what : "");
        if (!rc && !what)
            rc = pcri_export_string(out, name, strlen(name), err);
    }
    return rc;
}

static int make_config(const struct pcri_export *x, struct mds *m, struct pcr_error *err)
{
    const bool label = has_classes(x);
    struct pcr_buffer *out = &m->config;
    int rc = pcri_print(out, err, "\"column_encodings\": [\"jpeg\", \"json\"%s",
                        label ? ", \"int\"" : "");
    if (!rc)
        rc = print_blobs(x, "\"bytes\"", out, err);
    if (!rc)
        rc = pcri_print(out, err, "], \"column_names\": [\"image\", \"json\"%s",
                        label ? ", \"label\"" : "");
    if (!rc)
        rc = print_blobs(x, NULL, out, err);
    if (!rc)
        rc = pcri_print(out, err, "], \"column_sizes\": [null, null%s", label ? ", 8" : "");
    if (!rc)
        rc = print_blobs(x, "null", out, err);
    return rc ? rc
              : pcri_print(out, err,
                           "], \"compression\": %s, \"format\": \"mds\", \"hashes\": [], ",
                           x->o.flags & PCR_EXPORT_ZSTD ? "\"zstd\"" : "null");
}

static int print_limit(struct pcr_buffer *out, uint64_t nbytes, struct pcr_error *err)
{
    return pcri_print(out, err, "\"size_limit\": %" PRIu64 ", \"version\": 2", nbytes);
}

/* What comes before the samples: their number and places, and the columns. */
static int make_head(const struct pcri_export *x, struct mds *m, struct pcr_error *err)
{
    struct pcr_buffer config = { 0 };
    size_t count = m->sizes.nbytes / 4;
    int rc = pcri_print(&config, err, "{");
    if (!rc)
        rc = pcri_buffer_append(&config, m->config.data, m->config.nbytes, err);
    if (!rc)
        rc = print_limit(&config, m->shard_nbytes, err);
    if (!rc)
        rc = pcri_buffer_append(&config, "}", 1, err);
    uint64_t at = 8 + 4 * (uint64_t) count + config.nbytes;
    m->head.nbytes = 0;
    if (!rc && at + m->body.nbytes > UINT32_MAX)
        rc = pcri_fail(err, PCR_ERR_LIMIT, "%s: a shard of more than 4 GiB", x->path);
    if (!rc)
        rc = append32(&m->head, count, err);
    for (size_t i = 0; i <= count && !rc; i++) {
        rc = append32(&m->head, (size_t) at, err);
        at += i < count ? pcri_load32(m->sizes.data + 4 * i) : 0;
    }
    if (!rc)
        rc = pcri_buffer_append(&m->head, config.data, config.nbytes, err);
    pcr_buffer_free(&config);
    return rc;
}

static int compress(struct mds *m, struct pcr_error *err)
{
    int rc = pcri_buffer_append(&m->head, m->body.data, m->body.nbytes, err);
    return rc ? rc : pcri_zstd_pack(m->head.data, m->head.nbytes, ZSTD_LEVEL, &m->packed, err);
}

static int print_file(struct pcr_buffer *out, const char *what, const char *name,
                      size_t nbytes, struct pcr_error *err)
{
    return pcri_print(out, err,
                      "\"%s\": {\"basename\": \"%s\", \"bytes\": %zu, \"hashes\": {}}, ", what,
                      name, nbytes);
}

/* The shard's entry of the index. */
static int list_shard(struct mds *m, const char *raw, size_t nbytes, const char *zip,
                      struct pcr_error *err)
{
    int rc = pcri_print(&m->index, err, "%s{", m->number ? ", " : "");
    if (!rc)
        rc = pcri_buffer_append(&m->index, m->config.data, m->config.nbytes, err);
    if (!rc)
        rc = print_file(&m->index, "raw_data", raw, nbytes, err);
    if (!rc)
        rc = zip ? print_file(&m->index, "zip_data", zip, m->packed.nbytes, err)
                 : pcri_print(&m->index, err, "\"zip_data\": null, ");
    if (!rc)
        rc = pcri_print(&m->index, err, "\"samples\": %zu, ", m->sizes.nbytes / 4);
    if (!rc)
        rc = print_limit(&m->index, m->shard_nbytes, err);
    return rc ? rc : pcri_print(&m->index, err, "}");
}

/* Writes a file of two parts; NULL: one. */
static int write_file(struct pcri_export *x, const char *name, const struct pcr_buffer *first,
                      const struct pcr_buffer *second, struct pcr_error *err)
{
    struct pcri_put *put = NULL;
    int rc = pcri_put_begin(&pcri_files, x->path, name, &put, err);
    if (!rc)
        rc = pcri_put_write(put, first->data, first->nbytes, err);
    if (!rc && second)
        rc = pcri_put_write(put, second->data, second->nbytes, err);
    rc = pcri_put_end(&put, rc, err);
    x->report.file_count += !rc;
    x->report.written_nbytes += rc ? 0 : first->nbytes + (second ? second->nbytes : 0);
    return rc;
}

static int write_shard(struct pcri_export *x, struct pcr_error *err)
{
    struct mds *m = x->state;
    bool zstd = x->o.flags & PCR_EXPORT_ZSTD;
    struct pcri_shard_names plain = m->names;
    plain.ending = ".mds";
    char *raw = pcri_name_shard(&plain, m->number, err);
    char *zip = raw && zstd ? pcri_name_shard(&m->names, m->number, err) : NULL;
    int rc = raw && (zip || !zstd) ? make_head(x, m, err) : PCR_ERR_NOMEM;
    size_t nbytes = m->head.nbytes + m->body.nbytes;
    if (!rc && zstd)
        rc = compress(m, err);
    if (!rc)
        rc = zstd ? write_file(x, zip, &m->packed, NULL, err)
                  : write_file(x, raw, &m->head, &m->body, err);
    if (!rc)
        rc = list_shard(m, raw, nbytes, zip, err);
    m->number++;
    m->body.nbytes = m->sizes.nbytes = 0;
    free(raw);
    free(zip);
    return rc;
}

/* --- the exporter's functions --- */

static int open_folder(struct pcri_export *x, struct pcr_error *err)
{
    struct mds *m = pcri_calloc(1, sizeof(*m), err);
    if (!m)
        return PCR_ERR_NOMEM;
    x->state = m;
    m->shard_nbytes = x->o.shard_nbytes ? x->o.shard_nbytes : DEFAULT_NBYTES;
    if (m->shard_nbytes > MOST_NBYTES)
        return pcri_fail(err, PCR_ERR_INVAL, "shards of %" PRIu64 " bytes, at most %d",
                         m->shard_nbytes, MOST_NBYTES);
    m->names.digits = 5;
    m->names.ending = x->o.flags & PCR_EXPORT_ZSTD ? ".mds.zstd" : ".mds";
    m->names.folder = pcri_strndup(x->path, strlen(x->path), err);
    m->names.stem = pcri_strndup("shard.", 6, err);
    int rc = m->names.folder && m->names.stem ? make_config(x, m, err) : PCR_ERR_NOMEM;
    if (!rc)
        rc = pcri_shard_names_claim(&m->names, "index.json", x->o.flags & PCR_EXPORT_REPLACE,
                                    err);
    return rc ? rc : pcri_print(&m->index, err, "{\"shards\": [");
}

static int add(struct pcri_export *x, const struct pcri_export_chunk *c,
               const struct pcri_export_item *item, struct pcr_error *err)
{
    struct mds *m = x->state;
    size_t count = m->sizes.nbytes / 4;
    bool full = count && (m->body.nbytes + item->nbytes > m->shard_nbytes ||
                          (x->o.shard_samples && count >= x->o.shard_samples));
    int rc = full ? write_shard(x, err) : 0;
    if (!rc)
        rc = append32(&m->sizes, item->nbytes, err);
    return rc ? rc
              : pcri_buffer_append(&m->body, c->bytes.data + item->offset, item->nbytes, err);
}

static int finish(struct pcri_export *x, struct pcr_error *err)
{
    struct mds *m = x->state;
    int rc = m->sizes.nbytes ? write_shard(x, err) : 0;
    if (!rc)
        rc = pcri_print(&m->index, err, "], \"version\": 2}");
    if (!rc)
        rc = write_file(x, "index.json", &m->index, NULL, err);
    return rc ? rc : pcri_shard_names_end(&m->names, err);
}

static void close_folder(struct pcri_export *x)
{
    struct mds *m = x->state;
    if (!m)
        return;
    int rc = pcri_shard_names_end(&m->names, NULL);
    (void) rc; /* what failed before is told */
    struct pcr_buffer *const all[] = { &m->body,   &m->sizes,  &m->head,
                                       &m->packed, &m->config, &m->index };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        pcr_buffer_free(all[i]);
    free(m);
}

const struct pcri_exporter pcri_export_mds = {
    .name = "mds",
    .abilities = PCRI_EXPORT_SHARDS | PCRI_EXPORT_ZSTDS,
    .encode = encode,
    .refuse = refuse,
    .open = open_folder,
    .add = add,
    .finish = finish,
    .close = close_folder,
};
