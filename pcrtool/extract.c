/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool extract: samples as files in a folder or in another format, at any fidelity. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <pcr/export.h>

#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "output.h"
#include "part.h"

struct extract_settings {
    const char *split, *class_name;
    uint64_t fidelity, threads, shard_nbytes, shard_samples;
    uint32_t jpeg, format, on_damage;
    bool force, list, zstd, json, quiet;
};

/* One run of the command. */
struct extraction {
    struct pcrtool_input in;
    const struct extract_settings *set;
    const char *out;
    bool to_stdout;
    uint64_t *indices; /* of the wanted samples; NULL: all */
    uint64_t index_count;
    struct pcr_export_report report;
};

static const char *const formats[] = { NULL, "folder", "tar", "tfrecord", "mds", "zip" };

/* --- callbacks --- */

/* Reports a sample that is left out while the work continues; its key may be hostile. */
static void complain(void *context, uint32_t finding, uint64_t index, const char *key,
                     const char *what)
{
    pcrtool_progress(NULL);
    fprintf(stderr, "pcrtool extract: @%" PRIu64, index);
    if (key) {
        fputc(' ', stderr);
        pcrtool_print_tame(stderr, key, strlen(key));
    }
    fputs(": ", stderr);
    pcrtool_print_tame(stderr, what, strlen(what));
    fputc('\n', stderr);
}

static int show_progress(void *context, const struct pcr_export_report *r)
{
    const struct extraction *x = context;
    char line[64];
    snprintf(line, sizeof(line), "%" PRIu64 " of %" PRIu64 " samples", r->samples_done,
             r->sample_count);
    if (!x->set->quiet)
        pcrtool_progress(line);
    return pcrtool_interrupted();
}

/* Not by stdio, which would go on writing after a signal. */
static int write_stdout(void *context, const void *data, size_t nbytes, struct pcr_error *err)
{
    const char *p = data;
    while (nbytes) {
        ssize_t n = pcrtool_interrupted() ? -1 : write(STDOUT_FILENO, p, nbytes);
        if (n < 0 && pcrtool_interrupted())
            return PCR_ERR_CANCELLED;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            err->sys_errno = n ? errno : ENOSPC;
            snprintf(err->message, sizeof(err->message), "standard output: %s",
                     strerror(err->sys_errno));
            return PCR_ERR_IO;
        }
        p += n;
        nbytes -= (size_t) n;
    }
    return 0;
}

/* --- the wanted samples --- */

static int choose_named(struct extraction *x, char **names, uint32_t count)
{
    if (!(x->indices = pcrtool_calloc(count, sizeof(*x->indices))))
        return pcrtool_failed(
            x->in.command,
            &(struct pcr_error) { .code = PCR_ERR_NOMEM, .message = "out of memory" });
    int rc = PCRTOOL_DONE;
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = pcrtool_input_find(&x->in, names[i], &x->indices[i]);
    x->index_count = count;
    return rc;
}

/* Adds the samples of a record that are of the class; all of one whose labels cannot be read,
 * which will be reported. */
static int choose_of_record(struct extraction *x, uint64_t record, int64_t *labels,
                            struct pcr_error *err)
{
    struct pcr_record_info r = { .size = sizeof(r) };
    int rc = pcr_dataset_record(x->in.dataset, record, &r, err);
    if (rc)
        return rc;
    rc = pcr_dataset_labels(x->in.dataset, r.first_sample, r.sample_count, labels, NULL, err);
    bool damaged = rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED;
    for (uint32_t i = 0; i < r.sample_count && (damaged || !rc); i++)
        if (damaged || labels[i] == (int64_t) x->in.class_index)
            x->indices[x->index_count++] = r.first_sample + i;
    return damaged ? 0 : rc;
}

static int choose_class(struct extraction *x)
{
    struct pcr_error err = { .code = PCR_ERR_NOMEM, .message = "out of memory" };
    uint64_t count = x->in.info.sample_count;
    int64_t *labels = pcrtool_calloc(count + 1, sizeof(*labels));
    x->indices = pcrtool_calloc(count + 1, sizeof(*x->indices));
    int rc = labels && x->indices ? 0 : PCR_ERR_NOMEM;
    for (uint64_t r = 0; r < x->in.info.record_count && !rc; r++)
        rc = choose_of_record(x, r, labels, &err);
    free(labels);
    return rc ? pcrtool_failed(x->in.command, &err) : PCRTOOL_DONE;
}

static int keep_class(struct extraction *x)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < x->index_count; i++) {
        struct pcr_sample_info info = { .size = sizeof(info) };
        struct pcr_sample *sample = NULL;
        struct pcr_error err;
        int rc = pcrtool_input_sample(&x->in, x->indices[i], &sample, &info, &err);
        bool wanted = !rc && pcrtool_input_wants(&x->in, &info);
        pcr_sample_release(&sample);
        if (rc)
            return pcrtool_failed(x->in.command, &err);
        if (wanted)
            x->indices[kept++] = x->indices[i];
    }
    x->index_count = kept;
    return PCRTOOL_DONE;
}

static int choose(struct extraction *x, const struct pcrtool_args *args)
{
    if (args->operand_count <= 2)
        return x->in.has_class ? choose_class(x) : PCRTOOL_DONE;
    int rc = choose_named(x, args->operands + 2, args->operand_count - 2);
    return rc || !x->in.has_class ? rc : keep_class(x);
}

/* --- the run --- */

static int report(const struct extraction *x)
{
    const struct pcr_export_report *r = &x->report;
    char size[PCRTOOL_SIZE_NBYTES];
    if (x->set->json)
        return pcrtool_print_json(
            x->in.command,
            json_pack("{si sI sI sI sI sI sI sI sI}", "fidelity", (int) r->fidelity,
                      "written_count", (json_int_t) r->written_count, "written_nbytes",
                      (json_int_t) r->written_nbytes, "file_count", (json_int_t) r->file_count,
                      "unsafe_count", (json_int_t) r->unsafe_count, "damaged_count",
                      (json_int_t) r->damaged_count, "degraded_count",
                      (json_int_t) r->degraded_count, "unrestorable_count",
                      (json_int_t) r->unrestorable_count, "lost_blob_count",
                      (json_int_t) r->lost_blob_count));
    if (!x->set->quiet)
        fprintf(x->to_stdout ? stderr : stdout,
                "%s: %" PRIu64 " samples in %" PRIu64 " files, %s, fidelity %" PRIu32
                " of %" PRIu32 "\n",
                x->to_stdout ? "standard output" : x->out, r->written_count, r->file_count,
                pcrtool_size(size, r->written_nbytes), r->fidelity, x->in.info.group_count);
    return PCRTOOL_DONE;
}

static int fail(const struct extraction *x, const struct pcr_error *err)
{
    if (err->code != PCR_ERR_IO || err->sys_errno != EEXIST)
        return pcrtool_failed(x->in.command, err);
    pcrtool_error(x->in.command, "%s; --force replaces it", err->message);
    return PCRTOOL_FAILED;
}

static int extract(struct extraction *x, uint32_t fidelity)
{
    const struct extract_settings *s = x->set;
    const struct pcr_export_options o = {
        .size = sizeof(o),
        .flags = (s->force ? PCR_EXPORT_REPLACE : 0) | (s->list ? PCR_EXPORT_LIST : 0) |
                 (s->zstd ? PCR_EXPORT_ZSTD : 0),
        .format = formats[s->format],
        .fidelity = fidelity,
        .jpeg = s->jpeg, /* the words are in the enum's order, here and below */
        .damage = s->on_damage ? s->on_damage : PCR_EXPORT_DAMAGE_SKIP,
        .thread_count = (uint32_t) s->threads,
        .indices = x->indices,
        .index_count = x->index_count,
        .shard_nbytes = s->shard_nbytes,
        .shard_samples = s->shard_samples,
        .progress = show_progress,
        .left_out = complain,
        .write = x->to_stdout ? write_stdout : NULL,
        .context = x,
    };
    struct pcr_error err;
    x->report.size = sizeof(x->report);
    pcrtool_catch_signals();
    int rc = pcr_export(x->in.dataset, x->to_stdout ? NULL : x->out, &o, &x->report, &err);
    pcrtool_progress(NULL);
    rc = rc ? fail(x, &err) : PCRTOOL_DONE;
    int reported = rc && !x->report.written_count ? rc : report(x);
    if (rc || reported)
        return rc ? rc : reported;
    if (x->report.damaged_count || x->report.degraded_count)
        return PCRTOOL_DAMAGED;
    return x->report.unsafe_count || x->report.unrestorable_count || x->report.lost_blob_count
               ? PCRTOOL_LEFT_OUT
               : PCRTOOL_DONE;
}

static int check_stdout(const struct extraction *x)
{
    const char *wrong = !x->to_stdout     ? NULL
                        : !x->set->format ? "to standard output needs --to"
                        : x->set->json    ? "--json prints to standard output, too"
                        : isatty(STDOUT_FILENO)
                            ? "will not write to a terminal; use >, or the name of a file"
                            : NULL;
    if (!wrong)
        return PCRTOOL_DONE;
    pcrtool_error(x->in.command, "%s", wrong);
    return PCRTOOL_USAGE;
}

/* Source files are asked for: has the dataset got them? A record alone does not say. */
static int check_source(const struct extraction *x)
{
    size_t manifest_nbytes;
    if (x->set->jpeg != PCR_EXPORT_JPEG_SOURCE)
        return PCRTOOL_DONE;
    pcr_dataset_manifest(x->in.dataset, &manifest_nbytes);
    if (x->set->fidelity || x->set->on_damage == PCR_EXPORT_DAMAGE_DEGRADE) {
        pcrtool_error(x->in.command,
                      "--jpeg source does not go with --fidelity and --on-damage degrade");
        return PCRTOOL_USAGE;
    }
    if (x->in.info.originals || !manifest_nbytes)
        return PCRTOOL_DONE;
    pcrtool_error(x->in.command, "this dataset keeps no originals: pcrtool convert "
                                 "--keep-originals on makes one that does");
    return PCRTOOL_FAILED;
}

static int run_extract(const struct pcrtool_args *args)
{
    struct extraction x = { .in.command = args->command,
                            .set = args->settings,
                            .out = args->operands[1],
                            .to_stdout = !strcmp(args->operands[1], "-") };
    uint32_t fidelity = 0;
    int rc = check_stdout(&x);
    if (!rc)
        rc = pcrtool_input_open(&x.in, args->command, args->operands[0], x.set->split,
                                x.set->class_name, NULL);
    if (rc)
        return rc;
    rc = pcrtool_input_fidelity(&x.in, x.set->fidelity, &fidelity);
    if (!rc)
        rc = check_source(&x);
    if (!rc)
        rc = choose(&x, args);
    if (!rc)
        rc = extract(&x, x.set->fidelity ? fidelity : 0);
    free(x.indices);
    pcrtool_input_close(&x.in);
    return rc;
}

#define SETTING(member) .offset = offsetof(struct extract_settings, member)

static const struct pcrtool_option options[] = {
    { "to", "FORMAT",
      "default: by OUT's ending (.tar, .tfrecord, .zip), else folder; tar is\n"
      "WebDataset's, tfrecord has tf.train.Example, mds is MosaicML Streaming's",
      PCRTOOL_CHOICE, SETTING(format), .words = "folder|tar|tfrecord|mds|zip" },
    { "fidelity", "G", "groups 1 to G (default: the highest, without loss)", PCRTOOL_NUMBER,
      SETTING(fidelity), .letter = 'g', .min = 1, .max = PCRTOOL_MAX_FIDELITY },
    { "jpeg", "FORM",
      "of coded samples' files: progressive (default); baseline, with restart\n"
      "markers, as decoders in hardware want it; or source: the source files, byte\n"
      "for byte, if the dataset keeps originals (pcrtool info shows it); times and\n"
      "modes are new",
      PCRTOOL_CHOICE, SETTING(jpeg), .words = PCRTOOL_JPEG_FORMS "|source" },
    { "split", "NAME", "only this split", PCRTOOL_TEXT, SETTING(split) },
    { "class", "NAME", "only this class: its name or number", PCRTOOL_TEXT,
      SETTING(class_name) },
    { "shard-size", "SIZE",
      "begin a new file before one has more than this; mds: 64M is the default", PCRTOOL_SIZE,
      SETTING(shard_nbytes), .min = 1 },
    { "shard-samples", "N", "begin a new file after so many samples", PCRTOOL_NUMBER,
      SETTING(shard_samples), .min = 1 },
    { "zstd", NULL, "mds: compress the shards", PCRTOOL_FLAG, SETTING(zstd) },
    { "list", NULL,
      "folder, zip: also write list.jsonl, with labels, splits and attributes,\n"
      "and classes.txt; convert makes the same samples from them",
      PCRTOOL_FLAG, SETTING(list) },
    { "on-damage", "WHAT",
      "of a damaged sample: skip (default) leaves it out, degrade writes it at the\n"
      "highest complete fidelity, fail stops",
      PCRTOOL_CHOICE, SETTING(on_damage), .words = "fail|skip|degrade" },
    { "force", NULL, "replace existing files", PCRTOOL_FLAG, SETTING(force), .letter = 'f' },
    { "threads", "N", "threads that read and encode; default: one for each CPU",
      PCRTOOL_NUMBER, SETTING(threads), .min = 1, .max = 1024 },
    { "quiet", NULL, "print only errors", PCRTOOL_FLAG, SETTING(quiet), .letter = 'q' },
    { "json", NULL, "print the summary as JSON", PCRTOOL_FLAG, SETTING(json) },
    { 0 },
};

const struct pcrtool_command pcrtool_extract = {
    .name = "extract",
    .summary = "Write samples as image files into a folder or another format",
    .operands = "DATASET OUT [KEY|@INDEX]...",
    .description =
        "In a folder each sample becomes the file OUT/key, completely or not at all; without\n"
        "keys all samples do. Nothing is written outside of OUT: a key that is absolute, has\n"
        "'..' or leads through a symbolic link is refused. An existing file is an error\n"
        "without --force. Blobs become the files OUT/key.NAME. Unsafe keys, and names that are\n"
        "too long for a file, are reported and left out (exit code 3), as are samples without\n"
        "a source file where these are asked for, and blobs whose names the format has no\n"
        "place for. So are damaged samples (exit code 4); --on-damage degrade writes what is\n"
        "left of them: if a record was cut off, the fidelities before\n"
        "the cut.\n"
        "\n"
        "tar, tfrecord and zip are one file, or with --shard-size or --shard-samples several:\n"
        "OUT-000000.tar and so on. With the name - they go to standard output. mds is a\n"
        "folder with an index.json. docs/formats.md says what is in them. The same samples\n"
        "give the same bytes.\n",
    .examples =
        "  pcrtool extract photos.pcr images\n"
        "  pcrtool extract photos.pcr originals --jpeg source\n"
        "  pcrtool extract photos.pcr coarse --fidelity 2 --class cat\n"
        "  pcrtool extract photos.pcr few train/cat/17.jpg @0 @1\n"
        "  pcrtool extract photos.pcr shards/train.tar --split train --shard-size 256M\n"
        "  pcrtool extract photos.pcr - --to tar | tar tvf -\n"
        "  pcrtool extract --list photos.pcr out && pcrtool convert --classes\n"
        "      out/classes.txt out/list.jsonl again.pcr\n",
    .options = options,
    .settings_nbytes = sizeof(struct extract_settings),
    .operand_min = 2,
    .operand_max = UINT32_MAX,
    .run = run_extract,
};
