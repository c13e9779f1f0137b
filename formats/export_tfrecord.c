/* SPDX-License-Identifier: BSD-2-Clause */
/* The exporter `tfrecord`: records of tf.train.Example, with the features' usual names. */
#include <stdlib.h>

#include "../libpcr/base/json.h"
#include "export_shards.h"

/* --- protocol buffers --- */

enum { BYTES = 1, FLOAT = 2, INT64 = 3 }; /* kinds of features, by their fields in Feature */

static size_t varint_nbytes(uint64_t v)
{
    size_t n = 1;
    for (; v > 127; v >>= 7)
        n++;
    return n;
}

/* The size of a field of bytes whose number is below 16. */
static size_t field_nbytes(size_t nbytes)
{
    return 1 + varint_nbytes(nbytes) + nbytes;
}

static int begin_field(struct pcr_buffer *out, unsigned number, size_t nbytes,
                       struct pcr_error *err)
{
    const uint8_t tag = (uint8_t) (number << 3 | 2);
    int rc = pcri_buffer_append(out, &tag, 1, err);
    return rc ? rc : pcri_buffer_append_varint(out, nbytes, err);
}

static int write_field(struct pcr_buffer *out, unsigned number, const void *data,
                       size_t nbytes, struct pcr_error *err)
{
    int rc = begin_field(out, number, nbytes, err);
    return rc ? rc : pcri_buffer_append(out, data, nbytes, err);
}

/* Begins an entry of Features.feature, whose list has so many bytes: the list follows. */
static int begin_feature(struct pcr_buffer *out, const char *name, unsigned kind,
                         size_t list_nbytes, struct pcr_error *err)
{
    size_t name_nbytes = strlen(name), feature = field_nbytes(list_nbytes);
    int rc = begin_field(out, 1, field_nbytes(name_nbytes) + field_nbytes(feature), err);
    if (!rc)
        rc = write_field(out, 1, name, name_nbytes, err);
    if (!rc)
        rc = begin_field(out, 2, feature, err);
    return rc ? rc : begin_field(out, kind, list_nbytes, err);
}

static int write_list(struct pcr_buffer *out, const char *name, unsigned kind,
                      const struct pcr_buffer *list, struct pcr_error *err)
{
    int rc = begin_feature(out, name, kind, list->nbytes, err);
    return rc ? rc : pcri_buffer_append(out, list->data, list->nbytes, err);
}

static int write_text(struct pcr_buffer *out, const char *name, const void *text,
                      size_t nbytes, struct pcr_error *err)
{
    int rc = begin_feature(out, name, BYTES, field_nbytes(nbytes), err);
    return rc ? rc : write_field(out, 1, text, nbytes, err);
}

/* A list of numbers, packed: INT64 as varints, FLOAT of 32 bits. */
struct numbers {
    struct pcr_buffer packed;
    unsigned kind;
};

static int add_int(struct numbers *n, int64_t value, struct pcr_error *err)
{
    return pcri_buffer_append_varint(&n->packed, (uint64_t) value, err);
}

static int add_float(struct numbers *n, double value, struct pcr_error *err)
{
    const float narrow = (float) value;
    uint32_t bits;
    uint8_t bytes[4];
    memcpy(&bits, &narrow, sizeof(bits));
    pcri_store32(bytes, bits);
    return pcri_buffer_append(&n->packed, bytes, sizeof(bytes), err);
}

static int write_numbers(struct pcr_buffer *out, const char *name, const struct numbers *n,
                         struct pcr_error *err)
{
    size_t list = n->packed.nbytes ? field_nbytes(n->packed.nbytes) : 0;
    int rc = begin_feature(out, name, n->kind, list, err);
    return rc || !list ? rc : write_field(out, 1, n->packed.data, n->packed.nbytes, err);
}

static int write_int(struct pcr_buffer *out, const char *name, int64_t value,
                     struct pcr_error *err)
{
    struct numbers n = { .kind = INT64 };
    int rc = add_int(&n, value, err);
    if (!rc)
        rc = write_numbers(out, name, &n, err);
    pcr_buffer_free(&n.packed);
    return rc;
}

/* --- attributes --- */

/* Adds the elements of a value to a list of the column's kind; those of lists in lists, too. */
static int add_value(const struct pcr_column_info *column, const json_t *value,
                     struct pcr_buffer *texts, struct numbers *n, struct pcr_error *err)
{
    if (column->element == PCR_ELEMENT_JSON) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
        int rc = text ? write_field(texts, 1, text, strlen(text), err)
                      : pcri_fail_nomem(err, 64);
        free(text);
        return rc;
    }
    if (json_is_string(value))
        return write_field(texts, 1, json_string_value(value), json_string_length(value), err);
    int rc = 0;
    for (size_t i = 0; i < json_array_size(value) && !rc; i++)
        rc = add_value(column, json_array_get(value, i), texts, n, err);
    if (json_is_array(value) || json_is_null(value))
        return rc;
    return column->element == PCR_ELEMENT_FLOAT64 ? add_float(n, json_number_value(value), err)
           : json_is_integer(value)               ? add_int(n, json_integer_value(value), err)
                                                  : add_int(n, json_is_true(value), err);
}

/* The kind depends on the column alone, so that a feature has the same in all samples. */
static int write_column(struct pcr_buffer *out, const struct pcr_column_info *column,
                        const json_t *value, struct pcr_error *err)
{
    struct pcr_buffer texts = { 0 };
    struct numbers n = { .kind = column->element == PCR_ELEMENT_FLOAT64 ? FLOAT : INT64 };
    bool is_text = column->element == PCR_ELEMENT_STRING ||
                   column->element == PCR_ELEMENT_JSON;
    int rc = add_value(column, value, &texts, &n, err);
    if (!rc)
        rc = is_text ? write_list(out, column->name, BYTES, &texts, err)
                     : write_numbers(out, column->name, &n, err);
    pcr_buffer_free(&texts);
    pcr_buffer_free(&n.packed);
    return rc;
}

/* Names that have another meaning here. */
static bool is_own(const char *name)
{
    return !strncmp(name, "image/", 6) || !strcmp(name, "json");
}

static int write_attributes(const struct pcri_export_sample *s, struct pcr_buffer *out,
                            struct pcr_error *err)
{
    const struct pcri_export *x = s->export;
    struct pcr_column_info column = { .size = sizeof(column) };
    json_t *object = NULL;
    if (!s->attributes)
        return 0;
    int rc = pcri_json_parse(s->attributes, s->attributes_nbytes, 0, &object, NULL, err);
    if (rc == 1) /* the library wrote it */
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "%s: bad attributes", s->info->key);
    for (uint32_t i = 0; i < x->info.column_count && !rc; i++) {
        rc = pcr_dataset_column_info(x->ds, i, &column, err);
        const json_t *value = rc ? NULL : json_object_get(object, column.name);
        if (value && !is_own(column.name))
            rc = write_column(out, &column, value, err);
    }
    json_decref(object);
    return rc;
}

/* --- samples --- */

static int write_labels(const struct pcri_export_sample *s, struct pcr_buffer *out,
                        struct pcr_error *err)
{
    const struct pcr_sample_info *info = s->info;
    struct numbers n = { .kind = s->export->info.label_kind == PCR_LABEL_FLOATS ? FLOAT
                                                                                : INT64 };
    const char *name = pcri_export_class(s->export, info);
    int rc = 0;
    for (uint32_t i = 0; i < info->label_count && !rc; i++)
        rc = info->float_labels ? add_float(&n, info->float_labels[i], err)
                                : add_int(&n, info->labels[i], err);
    if (!rc && info->label_count)
        rc = write_numbers(out, "image/class/label", &n, err);
    if (!rc && name)
        rc = write_text(out, "image/class/text", name, strlen(name), err);
    pcr_buffer_free(&n.packed);
    return rc;
}

/* The size, if it can be found. */
static int write_size(const struct pcri_export_sample *s, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    uint32_t width = s->info->width, height = s->info->height;
    if (!width && s->file->count == 1) {
        const struct pcr_decode_options o = { .size = sizeof(o),
                                              .flags = PCR_DECODE_KEEP_ORIENTATION,
                                              .limits = &s->export->limits };
        struct pcr_image_info image = { .size = sizeof(image) };
        int rc = pcr_decoder_inspect(s->decoder, s->file->items[0].data,
                                     s->file->items[0].nbytes, &o, &image, err);
        if (rc == PCR_ERR_NOMEM)
            return rc;
        width = rc ? 0 : image.width;
        height = rc ? 0 : image.height;
    }
    int rc = width ? write_int(out, "image/width", width, err) : 0;
    return rc || !height ? rc : write_int(out, "image/height", height, err);
}

static int write_json(const struct pcri_export_sample *s, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    int rc = pcri_export_json(s, &text, err);
    if (!rc)
        rc = write_text(out, "json", text.data, text.nbytes, err);
    pcr_buffer_free(&text);
    return rc;
}

/* A feature of this name would be another. */
static const char *refuse(const struct pcri_export_sample *s,
                          const struct pcri_export_blob *blob)
{
    struct pcr_column_info column = { .size = sizeof(column) };
    bool taken = is_own(blob->name);
    for (uint32_t i = 0; i < s->export->info.column_count && !taken; i++)
        taken = !pcr_dataset_column_info(s->export->ds, i, &column, NULL) &&
                !strcmp(column.name, blob->name);
    return taken ? "another feature has this name" : NULL;
}

/* All features but the image. */
static int write_features(const struct pcri_export_sample *s, struct pcr_buffer *out,
                          struct pcr_error *err)
{
    const char *ending = pcri_export_ending(s),
               *format = strcmp(ending, "jpg") ? ending : "jpeg";
    int rc = write_text(out, "image/filename", s->info->key, s->info->key_nbytes, err);
    if (!rc)
        rc = write_text(out, "image/format", format, strlen(format), err);
    if (!rc)
        rc = write_size(s, out, err);
    if (!rc)
        rc = write_labels(s, out, err);
    if (!rc)
        rc = write_attributes(s, out, err);
    for (uint32_t i = 0; i < s->blob_count && !rc; i++)
        rc = write_text(out, s->blobs[i].name, s->blobs[i].bytes.data,
                        s->blobs[i].bytes.nbytes, err);
    return rc ? rc : write_json(s, out, err);
}

static void put_masked(uint8_t *at, uint32_t crc)
{
    pcri_store32(at, (crc >> 15 | crc << 17) + 0xa282ead8u);
}

/* A record: its length, the length's checksum, the data, the data's checksum. */
static int write_record(const struct pcri_export_sample *s, const struct pcr_buffer *features,
                        struct pcr_buffer *out, struct pcr_error *err)
{
    static const char name[] = "image/encoded";
    size_t list = field_nbytes(s->nbytes), feature = field_nbytes(list);
    size_t entry = field_nbytes(sizeof(name) - 1) + field_nbytes(feature);
    size_t all = features->nbytes + field_nbytes(entry), begin = out->nbytes;
    uint8_t head[12], crc[4];
    pcri_store64(head, field_nbytes(all));
    put_masked(head + 8, pcri_crc32c(head, 8));
    int rc = pcri_buffer_append(out, head, sizeof(head), err);
    if (!rc)
        rc = begin_field(out, 1, all, err);
    if (!rc)
        rc = pcri_buffer_append(out, features->data, features->nbytes, err);
    if (!rc)
        rc = begin_feature(out, name, BYTES, list, err);
    if (!rc)
        rc = begin_field(out, 1, s->nbytes, err);
    if (!rc)
        rc = pcri_export_append_file(s, out, err);
    if (rc)
        return rc;
    put_masked(crc, pcri_crc32c(out->data + begin + sizeof(head),
                                out->nbytes - begin - sizeof(head)));
    return pcri_buffer_append(out, crc, sizeof(crc), err);
}

static int encode(const struct pcri_export_sample *s, struct pcr_buffer *out,
                  struct pcr_buffer *name, struct pcr_error *err)
{
    struct pcr_buffer features = { 0 };
    int rc = write_features(s, &features, err);
    if (!rc)
        rc = write_record(s, &features, out, err);
    pcr_buffer_free(&features);
    return rc;
}

const struct pcri_exporter pcri_export_tfrecord = {
    .name = "tfrecord",
    .ending = ".tfrecord",
    .abilities = PCRI_EXPORT_STREAM | PCRI_EXPORT_SHARDS,
    .encode = encode,
    .refuse = refuse,
    .open = pcri_shards_open,
    .add = pcri_shards_add,
    .finish = pcri_shards_finish,
    .close = pcri_shards_close,
};
