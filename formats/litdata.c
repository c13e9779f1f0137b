/* SPDX-License-Identifier: BSD-2-Clause */
/* LitData's optimized datasets: chunks of samples whose leaves are stored one after another. */
#include <stdio.h>

#include "shards.h"

static const char member[] = "chunks";

static bool probe(const struct pcri_candidate *c)
{
    return S_ISDIR(c->st.st_mode) && pcri_shards_probe(c->path, member);
}

static int take(const struct pcri_shard_column *c, const uint8_t *data, size_t nbytes,
                struct pcri_value *v, bool *bad, struct pcr_error *err)
{
    const char *e = c->encoding;
    if (!strcmp(e, "jpeg") || !strcmp(e, "png") || !strncmp(e, "image:", 6) ||
        !strcmp(e, "image") || !strcmp(e, "bytes") || !strcmp(e, "str") ||
        !strcmp(e, "file") || !strncmp(e, "file:", 5)) {
        v->data = data;
        v->nbytes = nbytes;
        return 0;
    }
    if (!strcmp(e, "int"))
        return pcri_value_number(v, 'i', data, nbytes, bad, err);
    if (!strcmp(e, "float"))
        return pcri_value_number(v, 'f', data, nbytes, bad, err);
    if (!strcmp(e, "bool")) {
        *bad = nbytes != 1;
        v->json = *bad ? NULL : json_boolean(*data);
        return 0;
    }
    v->unknown = !strcmp(e, "pickle") ? "a pickle, which is never read"
                 : !strcmp(e, "pil")  ? "pixels without a file's format"
                                      : "an array, or another type that is not read";
    return 0;
}

/* --- names of the leaves --- */

static int name_leaves(struct pcri_shards *g, const json_t *spec, const char *path, int depth,
                       struct pcr_error *err);

/* The name of child i: the dictionary's key, or the number in a list, below `path`. */
static const char *child_name(struct pcri_shards *g, const json_t *keys, size_t i,
                              const char *path, struct pcr_error *err)
{
    char number[24];
    const char *key = json_string_value(json_array_get(keys, i));
    snprintf(number, sizeof(number), "%zu", i);
    key = key ? key : number;
    struct pcri_arena *arena = &g->s->e->arena;
    return *path ? pcri_arena_join(arena, path, strlen(path), true, key, err)
                 : pcri_arena_strndup(arena, key, strlen(key), err);
}

static int name_children(struct pcri_shards *g, const json_t *spec, const json_t *children,
                         const char *path, int depth, struct pcr_error *err)
{
    const char *text = json_string_value(json_object_get(spec, "context"));
    json_t *keys = NULL;
    int rc = text ? pcri_json_parse(text, strlen(text), PCRI_JSON_ANY, &keys, NULL, err) : 0;
    if (rc == 1)
        rc = 0; /* named by numbers */
    for (size_t i = 0; i < json_array_size(children) && !rc; i++) {
        const char *name = child_name(g, keys, i, path, err);
        rc = name ? name_leaves(g, json_array_get(children, i), name, depth + 1, err)
                  : PCR_ERR_NOMEM;
    }
    json_decref(keys);
    return rc;
}

static int name_leaves(struct pcri_shards *g, const json_t *spec, const char *path, int depth,
                       struct pcr_error *err)
{
    const json_t *children = json_object_get(spec, "children_spec");
    if (depth < 32 && json_is_string(json_object_get(spec, "type")))
        return name_children(g, spec, children, path, depth, err);
    const struct pcri_shard_column c = { .name = *path ? path : "0" };
    return pcri_shards_column(g, &c, err);
}

/* The columns: `data_format` has the type of each leaf, `data_spec` the tree that they are of. */
static int find_columns(struct pcri_shards *g, const json_t *config, bool *good,
                        struct pcr_error *err)
{
    const json_t *formats = json_object_get(config, "data_format");
    const char *spec = json_string_value(json_object_get(config, "data_spec"));
    json_t *tree = NULL;
    int rc = spec ? pcri_json_parse(spec, strlen(spec), 0, &tree, NULL, err) : 1;
    if (!rc) /* [version, spec] */
        rc = name_leaves(g, json_is_array(tree) ? json_array_get(tree, 1) : tree, "", 0, err);
    json_decref(tree);
    if (rc == 1)
        rc = 0;
    *good = g->column_count == json_array_size(formats) && g->column_count;
    for (size_t i = 0; i < g->column_count && *good && !rc; i++) {
        g->columns[i].encoding = json_string_value(json_array_get(formats, i));
        *good = g->columns[i].encoding;
    }
    return rc;
}

/* --- chunks --- */

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && !strcmp(text + n - m, ending);
}

static int read_chunk(struct pcri_shards *g, const json_t *chunk, struct pcr_error *err)
{
    const char *name = json_string_value(json_object_get(chunk, "filename"));
    const json_t *size = json_object_get(chunk, "chunk_size");
    struct pcri_shard_file shard = { .sample_count = (uint64_t) json_integer_value(size) };
    bool there;
    if (!name || !json_is_integer(size) || json_integer_value(size) < 0)
        return pcri_shards_bad_index(g, err, "a chunk without a filename or its chunk_size");
    int rc = pcri_shards_find(g, name, &shard, &there, err);
    if (rc)
        return rc;
    if (!there && shard.path)
        return pcri_container_damaged(g->s, shard.path, 0, err, "the chunk is not there");
    shard.packing = ends_with(name, ".zstd.bin") ? "zstd" : NULL;
    return there ? pcri_shards_read(g, &shard, err) : 0;
}

static const char *unsupported(const json_t *config)
{
    const char *level = json_string_value(json_object_get(config, "compression_level"));
    const char *loader = json_string_value(json_object_get(config, "item_loader"));
    if (json_string_value(json_object_get(config, "encryption")) ||
        json_is_object(json_object_get(config, "encryption")))
        return "the chunks are encrypted";
    if (json_is_string(json_object_get(config, "compression")) && level &&
        strcmp(level, "chunk") != 0)
        return "the chunks are compressed by samples or batches; write them without "
               "compression, or with compression_level=\"chunk\"";
    return loader && strcmp(loader, "PyTreeLoader") != 0
               ? "the item loader is another than PyTreeLoader"
               : NULL;
}

static int scan_folder(struct pcri_container *s, const char *folder, const char *prefix,
                       struct pcr_error *err)
{
    struct pcri_shards g;
    bool good = true;
    int rc = pcri_shards_begin(&g, s, folder, prefix, err);
    const json_t *config = json_object_get(g.index, "config");
    const json_t *chunks = json_object_get(g.index, member);
    g.take = take;
    if (!rc && unsupported(config))
        rc = pcri_fail(err, PCR_ERR_UNSUPPORTED, "%s/index.json: %s", folder,
                       unsupported(config));
    if (!rc)
        rc = find_columns(&g, config, &good, err);
    if (!rc && !good)
        rc = pcri_shards_bad_index(&g, err, "data_format and data_spec do not fit together");
    for (size_t i = 0; i < json_array_size(chunks) && good && !rc; i++)
        rc = read_chunk(&g, json_array_get(chunks, i), err);
    pcri_shards_end(&g);
    return rc;
}

static int scan(struct pcri_container *s, struct pcr_error *err)
{
    return pcri_shards_folders(s, member, scan_folder, err);
}

const struct pcri_importer pcri_import_litdata = {
    .name = "litdata",
    .probe = probe,
    .scan = scan,
};
