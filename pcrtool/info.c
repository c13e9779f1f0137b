/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool info: what a dataset or record holds, and what each fidelity costs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pcr/source.h>
#include <pcr/writer.h>

#include "commands.h"
#include "contents.h"
#include "input.h"
#include "notes.h"
#include "output.h"
#include "part.h"

struct info_settings {
    const char *split;
    bool json, sizes, notes;
};

/* Reading the heads is cheap up to about this many samples. */
enum { CHEAP_SAMPLE_COUNT = 65536 };

/* Of a name, over all samples. */
struct blob_counts {
    uint64_t sample_count, nbytes;
};

/* What the heads say. */
struct measures {
    struct size_range *range;
    struct blob_counts *blobs; /* by name; NULL: not counted */
    uint32_t blob_count;       /* names */
};

/* Over the samples whose size is known. */
struct size_range {
    uint64_t count;
    uint32_t width_min, width_max, height_min, height_max;
    uint64_t pixel_count;
};

static void add_size(struct size_range *r, uint32_t width, uint32_t height)
{
    if (!width || !height)
        return;
    if (!r->count || width < r->width_min)
        r->width_min = width;
    if (!r->count || height < r->height_min)
        r->height_min = height;
    if (width > r->width_max)
        r->width_max = width;
    if (height > r->height_max)
        r->height_max = height;
    r->pixel_count += (uint64_t) width * height;
    r->count++;
}

static int add_blobs(const struct pcrtool_input *in, const struct pcr_sample *sample,
                     struct measures *m, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < m->blob_count && !rc; i++) {
        uint64_t nbytes;
        rc = pcr_sample_blob_nbytes(sample, pcr_dataset_blob_name(in->dataset, i), &nbytes,
                                    err);
        m->blobs[i].sample_count += !rc;
        m->blobs[i].nbytes += nbytes;
        rc = rc == PCR_END ? 0 : rc;
    }
    return rc;
}

static int read_heads(const struct pcrtool_input *in, struct measures *m)
{
    for (uint64_t i = 0; i < in->info.sample_count; i++) {
        struct pcr_sample *sample = NULL;
        struct pcr_sample_info info;
        struct pcr_error err;
        if (pcrtool_input_sample(in, i, &sample, &info, &err))
            return pcrtool_failed(in->command, &err);
        add_size(m->range, info.width, info.height);
        int rc = add_blobs(in, sample, m, &err);
        pcr_sample_release(&sample);
        if (rc)
            return pcrtool_failed(in->command, &err);
    }
    return PCRTOOL_DONE;
}

static int measure(const struct pcrtool_input *in, struct measures *m)
{
    while (pcr_dataset_blob_name(in->dataset, m->blob_count))
        m->blob_count++;
    m->blobs = pcrtool_calloc(m->blob_count + 1, sizeof(*m->blobs));
    if (!m->blobs)
        return pcrtool_failed(in->command, &(struct pcr_error) { .code = PCR_ERR_NOMEM,
                                                                 .message = "out of memory" });
    return read_heads(in, m);
}

/* --- text --- */

static json_t *manifest_of(const struct pcrtool_input *in)
{
    size_t nbytes;
    const char *text = pcr_dataset_manifest(in->dataset, &nbytes);
    return pcrtool_contents(text, nbytes);
}

static void print_splits(const struct pcrtool_input *in)
{
    json_t *manifest = manifest_of(in);
    for (uint32_t i = 0; i < in->info.split_count; i++) {
        uint64_t count = 0;
        const char *name = pcr_dataset_split_name(in->dataset, i, &count);
        uint64_t unlabelled = pcrtool_contents_unlabelled(manifest, i);
        printf("  split %-16s %10" PRIu64 " samples", name, count);
        if (unlabelled)
            printf(", %" PRIu64 " without a label", unlabelled);
        putchar('\n');
    }
    json_decref(manifest);
}

static const char *label_kind(const struct pcr_dataset_info *info)
{
    static const char *const names[] = { "none", "class", "ints", "floats" };
    return names[info->label_kind];
}

static int attribute_at(const struct pcrtool_input *in, uint32_t index,
                        struct pcr_column_info *out)
{
    *out = (struct pcr_column_info) { .size = sizeof(*out) };
    return index < in->info.column_count
               ? pcr_dataset_column_info(in->dataset, index, out, NULL)
               : PCR_END;
}

static void print_attributes(const struct pcrtool_input *in)
{
    struct pcr_column_info c;
    for (uint32_t i = 0; !attribute_at(in, i, &c); i++) {
        printf("%s", i ? ", " : "attributes   ");
        pcrtool_print_name(stdout, c.name, strlen(c.name));
        printf(" (%s)", c.type);
    }
    if (in->info.column_count)
        putchar('\n');
}

static void print_blobs(const struct pcrtool_input *in, const struct measures *m)
{
    char size[PCRTOOL_SIZE_NBYTES];
    const char *name;
    uint32_t i = 0;
    for (; (name = pcr_dataset_blob_name(in->dataset, i)); i++) {
        printf("%s", i ? ", " : "blobs        ");
        pcrtool_print_name(stdout, name, strlen(name));
        if (m->blobs)
            printf(" (%" PRIu64 " samples, %s)", m->blobs[i].sample_count,
                   pcrtool_size(size, m->blobs[i].nbytes));
    }
    if (i)
        putchar('\n');
}

static void print_classes(const struct pcrtool_input *in)
{
    if (!in->info.class_count)
        return;
    printf("\nClasses\n%8s %10s  name\n", "number", "samples");
    for (uint32_t i = 0; i < in->info.class_count; i++) {
        const char *name = pcr_dataset_class_name(in->dataset, i);
        printf("%8" PRIu32 " %10" PRIu64 "  ", i, pcr_dataset_class_count(in->dataset, i));
        pcrtool_print_name(stdout, name, strlen(name));
        putchar('\n');
    }
}

static void print_sizes(const struct size_range *r)
{
    if (!r->count)
        return;
    printf("image size   %" PRIu32 " to %" PRIu32 " x %" PRIu32 " to %" PRIu32
           " pixels, %.2f megapixels on average\n",
           r->width_min, r->width_max, r->height_min, r->height_max,
           (double) r->pixel_count / (double) r->count / 1e6);
}

static void print_fidelities(const struct pcrtool_input *in)
{
    const struct pcr_dataset_info *info = &in->info;
    printf("\nFidelities\n%8s %14s %12s %14s\n", "fidelity", "bytes", "% of source",
           "bytes/sample");
    for (uint32_t g = 1; g <= info->group_count; g++) {
        uint64_t nbytes = pcr_dataset_prefix_nbytes(in->dataset, g);
        printf("%8" PRIu32 " %14" PRIu64, g, nbytes);
        if (info->source_nbytes)
            printf(" %12.1f", pcrtool_percent(nbytes, info->source_nbytes));
        else
            printf(" %12s", "-");
        printf(" %14" PRIu64 "%s\n", info->sample_count ? nbytes / info->sample_count : 0,
               g == info->group_count ? "  (without loss)" : "");
    }
}

/* Samples of codings that the manifest does not count are not named. */
static void print_codings(const struct pcr_dataset_info *info)
{
    const uint64_t counts[] = { [PCR_CODING_SCANS] = info->scans_count,
                                [PCR_CODING_PACKED] = info->packed_count,
                                [PCR_CODING_OPAQUE] = info->opaque_count };
    const char *before = info->coding ? ": " : "";
    printf("coding       %s", info->coding ? pcr_coding_name(info->coding) : "");
    for (uint32_t c = sizeof(counts) / sizeof(counts[0]); c--;
         before = counts[c] ? ", " : before)
        if (counts[c])
            printf("%s%" PRIu64 " %s", before, counts[c], pcr_coding_name(c));
    putchar('\n');
}

/* What images the writer made JPEGs. */
static void print_jpegs(const struct pcr_dataset_info *info)
{
    const char *up_to = info->target_nbytes ? "up to " : "";
    char size[PCRTOOL_SIZE_NBYTES];
    if (info->max_side || info->target_nbytes)
        printf("reduced      larger images to");
    if (info->max_side)
        printf(" %" PRIu32 " px,", info->max_side);
    if (info->target_nbytes)
        printf(" at most %s,", pcrtool_size(size, info->target_nbytes));
    if (info->max_side || info->target_nbytes)
        printf(" as JPEG of quality %s%" PRIu32 ", before packing\n", up_to, info->quality);
    if (info->pictures == PCR_PICTURES_PROGRESSIVE || info->exact_count)
        printf("pictures     %" PRIu64
               " of other formats exact at full fidelity, JPEG of quality %" PRIu32
               " below; others are whole\n",
               info->exact_count, info->quality);
    else if (info->pictures > PCR_PICTURES_OPAQUE || info->encoded_count)
        printf("pictures     %" PRIu64 " of other formats as JPEG of quality %s%" PRIu32
               "; others are whole\n",
               info->encoded_count, up_to, info->quality);
}

static void print_text(const struct pcrtool_input *in, const char *path,
                       const struct measures *m)
{
    const struct pcr_dataset_info *info = &in->info;
    char total[PCRTOOL_SIZE_NBYTES], source[PCRTOOL_SIZE_NBYTES];
    char head[PCRTOOL_SIZE_NBYTES];

    pcrtool_print_name(stdout, path, strlen(path));
    printf("\nformat       %" PRIu32 ".%" PRIu32 "\n", info->version_major,
           info->version_minor);
    printf("samples      %" PRIu64 " in %" PRIu64 " records\n", info->sample_count,
           info->record_count);
    print_codings(info);
    print_splits(in);
    printf("labels       %s\n", label_kind(info));
    print_attributes(in);
    print_blobs(in, m);
    pcrtool_notes_summary(info);
    print_jpegs(info);
    printf("bytes        %s, of which heads %s", pcrtool_size(total, info->total_nbytes),
           pcrtool_size(head, info->head_nbytes));
    if (info->source_nbytes)
        printf("; sources %s", pcrtool_size(source, info->source_nbytes));
    putchar('\n');
    print_sizes(m->range);
    print_fidelities(in);
    print_classes(in);
}

/* --- JSON --- */

static json_t *json_splits(const struct pcrtool_input *in)
{
    json_t *array = json_array(), *manifest = manifest_of(in);
    for (uint32_t i = 0; i < in->info.split_count; i++) {
        uint64_t count = 0;
        const char *name = pcr_dataset_split_name(in->dataset, i, &count);
        json_t *object = json_pack("{sI sI}", "sample_count", (json_int_t) count,
                                   "unlabelled_count",
                                   (json_int_t) pcrtool_contents_unlabelled(manifest, i));
        pcrtool_json_set_text(object, "name", name, strlen(name));
        json_array_append_new(array, object);
    }
    json_decref(manifest);
    return array;
}

static json_t *json_classes(const struct pcrtool_input *in)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < in->info.class_count; i++) {
        const char *name = pcr_dataset_class_name(in->dataset, i);
        json_t *object = json_pack("{sI sI}", "index", (json_int_t) i, "sample_count",
                                   (json_int_t) pcr_dataset_class_count(in->dataset, i));
        pcrtool_json_set_text(object, "name", name, strlen(name));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_attributes(const struct pcrtool_input *in)
{
    json_t *object = json_object();
    struct pcr_column_info c;
    for (uint32_t i = 0; !attribute_at(in, i, &c); i++)
        json_object_set_new(object, c.name, json_string(c.type));
    return object;
}

static json_t *json_blobs(const struct pcrtool_input *in, const struct measures *m)
{
    json_t *object = json_object();
    const char *name;
    for (uint32_t i = 0; (name = pcr_dataset_blob_name(in->dataset, i)); i++)
        json_object_set_new(object, name,
                            m->blobs ? json_pack("{sI sI}", "sample_count",
                                                 (json_int_t) m->blobs[i].sample_count,
                                                 "nbytes", (json_int_t) m->blobs[i].nbytes)
                                     : json_object());
    return object;
}

static json_t *json_fidelities(const struct pcrtool_input *in)
{
    json_t *array = json_array();
    for (uint32_t g = 1; g <= in->info.group_count; g++) {
        uint64_t nbytes = pcr_dataset_prefix_nbytes(in->dataset, g);
        uint64_t count = in->info.sample_count, source = in->info.source_nbytes;
        json_t *object = json_pack("{si sI sf}", "fidelity", (int) g, "nbytes",
                                   (json_int_t) nbytes, "nbytes_per_sample",
                                   count ? (double) nbytes / (double) count : 0.0);
        if (source)
            json_object_set_new(object, "percent_of_source",
                                json_real(pcrtool_percent(nbytes, source)));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_sizes(const struct size_range *r)
{
    return json_pack("{sI sI sI sI sI sf}", "sample_count", (json_int_t) r->count, "width_min",
                     (json_int_t) r->width_min, "width_max", (json_int_t) r->width_max,
                     "height_min", (json_int_t) r->height_min, "height_max",
                     (json_int_t) r->height_max, "mean_pixels",
                     (double) r->pixel_count / (double) r->count);
}

/* What images the writer made JPEGs. */
static void set_jpegs(json_t *root, const struct pcr_dataset_info *info)
{
    json_t *o = json_object();
    if (info->max_side)
        json_object_set_new(o, "max_side", json_integer(info->max_side));
    if (info->target_nbytes)
        json_object_set_new(o, "target_nbytes", json_integer(info->target_nbytes));
    if (info->max_side || info->target_nbytes) {
        json_object_set_new(o, "quality", json_integer(info->quality));
        json_object_set(root, "reduced", o);
    }
    json_decref(o);
    const char *chosen = info->pictures == PCR_PICTURES_PROGRESSIVE ? "progressive"
                         : info->pictures == PCR_PICTURES_JPEG      ? "jpeg"
                                                                    : "opaque";
    if (info->pictures > PCR_PICTURES_OPAQUE || info->encoded_count || info->exact_count)
        json_object_set_new(root, "pictures",
                            json_pack("{ss sI sI si}", "chosen", chosen, "exact_count",
                                      (json_int_t) info->exact_count, "jpeg_count",
                                      (json_int_t) info->encoded_count, "quality",
                                      (int) info->quality));
}

static void set_counts(json_t *root, const struct pcr_dataset_info *info)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        { "scans_count", info->scans_count },
        { "packed_count", info->packed_count },
        { "undecodable_count", info->undecodable_count },
        { "salvaged_count", info->salvaged_count },
        { "unrestorable_count", info->unrestorable_count },
        { "tail_nbytes", info->tail_nbytes },
        { "dropped_count", info->dropped_count },
        { "dropped_nbytes", info->dropped_nbytes },
        { "skipped_count", info->skipped_count },
    };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        json_object_set_new(root, counts[i].name, json_integer((json_int_t) counts[i].value));
}

/* Takes `notes` over. */
static int print_json(const struct pcrtool_input *in, const char *path,
                      const struct measures *m, json_t *notes)
{
    const struct pcr_dataset_info *info = &in->info;
    json_t *root = json_pack(
        "{s[ii] sI sI sI sI sI sI si so so so}", "format", (int) info->version_major,
        (int) info->version_minor, "sample_count", (json_int_t) info->sample_count,
        "opaque_count", (json_int_t) info->opaque_count, "record_count",
        (json_int_t) info->record_count, "source_nbytes", (json_int_t) info->source_nbytes,
        "head_nbytes", (json_int_t) info->head_nbytes, "total_nbytes",
        (json_int_t) info->total_nbytes, "group_count", (int) info->group_count, "splits",
        json_splits(in), "classes", json_classes(in), "fidelities", json_fidelities(in));
    const char *ladder = pcr_dataset_ladder(in->dataset);
    pcrtool_json_set_text(root, "path", path, strlen(path));
    if (ladder)
        pcrtool_json_set_text(root, "ladder", ladder, strlen(ladder));
    set_jpegs(root, info);
    set_counts(root, info);
    json_object_set_new(root, "originals", json_boolean(info->originals));
    if (info->coding)
        json_object_set_new(root, "coding", json_string(pcr_coding_name(info->coding)));
    json_object_set_new(root, "labels", json_string(label_kind(info)));
    json_object_set_new(root, "attributes", json_attributes(in));
    json_object_set_new(root, "blobs", json_blobs(in, m));
    if (m->range->count)
        json_object_set_new(root, "image_size", json_sizes(m->range));
    if (notes)
        json_object_set_new(root, "notes", notes);
    return pcrtool_print_json(in->command, root);
}

/* Says what a folder holds that is no dataset, but that convert could make one of. */
static void say_images(const struct pcrtool_command *c, const char *path)
{
    static const char *const extensions[] = { "jpg", "jpeg", "png" };
    const struct pcr_source_options o = { .size = sizeof(o),
                                          .format = "folder",
                                          .layout = PCR_FOLDERS_FLAT,
                                          .extensions = extensions,
                                          .extension_count = 3 };
    struct pcr_source *source = NULL;
    if (!pcr_source_open(path, &o, &source, NULL))
        pcrtool_error(c,
                      "%s: a folder of %" PRIu64 " image(s), not a dataset; "
                      "pcrtool convert %s DATASET makes one",
                      path, source->sample_count, path);
    pcr_source_close(&source);
}

static int run_info(const struct pcrtool_args *args)
{
    const struct info_settings *set = args->settings;
    struct size_range range = { 0 };
    struct measures m = { .range = &range };
    struct pcrtool_input in;
    json_t *notes = NULL;
    int rc = pcrtool_input_open(&in, args->command, args->operands[0], set->split, NULL, NULL);
    if (rc == PCRTOOL_FAILED)
        say_images(args->command, args->operands[0]);
    if (rc)
        return rc;
    if (set->sizes || in.info.sample_count <= CHEAP_SAMPLE_COUNT)
        rc = measure(&in, &m);
    if (!rc && set->notes)
        rc = pcrtool_notes_read(&in, &notes);
    if (!rc && set->json) {
        rc = print_json(&in, args->operands[0], &m, json_incref(notes));
    } else if (!rc) {
        print_text(&in, args->operands[0], &m);
        if (json_array_size(notes))
            printf("\nNotes\n");
        pcrtool_notes_print(notes);
    }
    free(m.blobs);
    json_decref(notes);
    pcrtool_input_close(&in);
    return rc;
}

#define SETTING(member) .offset = offsetof(struct info_settings, member)

static const struct pcrtool_option options[] = {
    { "split", "NAME", "only this split", PCRTOOL_TEXT, SETTING(split) },
    { "sizes", NULL,
      "read all heads for the range of image sizes and the counts of blobs,\n"
      "even if there are more than 65,536 samples",
      PCRTOOL_FLAG, SETTING(sizes) },
    { "notes", NULL,
      "list the samples that conversion noted: undecodable, salvaged,\n"
      "unrestorable, encoded as JPEG, or with dropped bytes after the image",
      PCRTOOL_FLAG, SETTING(notes) },
    { "json", NULL, "print JSON", PCRTOOL_FLAG, SETTING(json) },
    { 0 },
};

const struct pcrtool_command pcrtool_info = {
    .name = "info",
    .summary = "Show what a dataset or record holds and what each fidelity costs",
    .operands = "DATASET",
    .description =
        "DATASET is a dataset's folder or a single record file. The bytes of a fidelity are\n"
        "what a reader of all samples fetches: the record prefixes, with their heads.\n",
    .examples = "  pcrtool info photos.pcr\n"
                "  pcrtool info photos.pcr --split train --json\n"
                "  pcrtool info photos.pcr/train-00000.pcr\n",
    .options = options,
    .settings_nbytes = sizeof(struct info_settings),
    .operand_min = 1,
    .operand_max = 1,
    .run = run_info,
};
