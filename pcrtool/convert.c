/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool convert: makes a dataset of a folder or list of images. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <pcr/dataset.h>
#include <pcr/source.h>
#include <pcr/writer.h>

#include "classes.h"
#include "convert.h"
#include "example.h"
#include "files.h"
#include "ladder.h"
#include "output.h"

struct settings {
    const char *ladder, *root, *classes, *spool;
    const char *image_field, *label_field, *key_field;
    uint64_t records, record_nbytes, seed, threads, max_side, target_nbytes, quality;
    uint64_t max_pixels, max_scans, max_sample_nbytes, max_memory_nbytes;
    const char *extensions, *annotations, *lists, *blobs, *pictures;
    uint32_t on_bad, opaque, from, layout, coding, originals, key_dot;
    bool all_files, no_shuffle, no_classes, segmentations, zero_based, dedupe, json, dry_run,
        quiet;
};

/* The words of --from, counted from 1, in the order of pcr_source_format(). */
#define FORMATS "folder|list|tar|zip|tfrecord|mds|litdata|beton|pcr-release|lmdb|coco|voc"
enum { FOLDER = 1, LIST = 2 };

#define SETTING(member) .offset = offsetof(struct settings, member)

static const struct pcrtool_option options[] = {
    { "coding", "NAME",
      "how coefficients are stored, both without loss: packed, or scans\n"
      "(progressive JPEG, a tenth larger); default: packed, or scans with a\n"
      "ladder that packed cannot use, such as classic",
      PCRTOOL_CHOICE, SETTING(coding), .words = "scans|packed" },
    { "ladder", "NAME",
      "built-in ladder (packed, bitplane, classic) or a file with one\n"
      "(docs/FORMAT.md section 5, or cjpeg's -scans syntax);\n"
      "default packed for packed, bitplane for scans",
      PCRTOOL_TEXT, SETTING(ladder) },
    { "records", "N", "samples per record; default 1024", PCRTOOL_NUMBER, SETTING(records),
      .min = 1, .max = 1 << 20 },
    { "record-bytes", "SIZE", "end records at about SIZE source bytes, such as 64M",
      PCRTOOL_SIZE, SETTING(record_nbytes), .min = 1 },
    { "seed", "N", "seed of the shuffle; default 0", PCRTOOL_NUMBER, SETTING(seed) },
    { "no-shuffle", NULL, "keep the source's order", PCRTOOL_FLAG, SETTING(no_shuffle) },
    { "threads", "N", "threads that work; default: one for each CPU", PCRTOOL_NUMBER,
      SETTING(threads), .min = 1, .max = 1024 },
    { "on-bad", "WHAT",
      "what to do with inputs that are damaged or that no decoder here can\n"
      "show: fail (default), skip (list them in errors.jsonl), opaque (keep\n"
      "them whole), salvage (LOSSY: code as much of truncated and damaged\n"
      "JPEGs as decodes, and mark them; skip others)",
      PCRTOOL_CHOICE, SETTING(on_bad), .words = "fail|skip|opaque|salvage" },
    { "opaque", "WHAT",
      "what to do with images that decode, but that JPEG scans cannot hold\n"
      "(PNG, GIF, JPEG with unusual scans): keep them whole (default), or refuse\n"
      "them as bad inputs",
      PCRTOOL_CHOICE, SETTING(opaque), .words = "keep|refuse" },
    { "pictures", "WHAT",
      "what becomes of intact images of other formats (PNG, GIF): opaque\n"
      "(default); progressive or progressive:Q, pixels without loss: JPEG of\n"
      "quality Q (90) in the lower fidelities, a residual in the last, where\n"
      "that takes fewer bytes; or LOSSY jpeg:Q: encoded as JPEG of quality Q,\n"
      "upright, with their colour profile; transparent ones stay opaque",
      PCRTOOL_TEXT, SETTING(pictures) },
    { "from", "FORMAT",
      "what SRC is: folder, list, tar (also compressed, or - or a pipe), zip,\n"
      "tfrecord, mds, litdata, beton (FFCV), lmdb, pcr-release (records of the\n"
      "paper's software), or coco or voc (--annotations); default: decided by looking",
      PCRTOOL_CHOICE, SETTING(from), .words = FORMATS },
    { "annotations", "FILE,...",
      "what is in the images of the folder SRC: files such as COCO's\n"
      "instances_train2017.json, or a folder of Pascal VOC's. Boxes become\n"
      "attributes. Of several splits: train=DIR val=DIR as SRC, and\n"
      "train=FILE,val=FILE here",
      PCRTOOL_TEXT, SETTING(annotations), .excludes = "max-side" },
    { "segmentations", NULL, "keep those of COCO's annotations too, as JSON", PCRTOOL_FLAG,
      SETTING(segmentations), .needs = "annotations" },
    { "lists", "FILE,...",
      "VOC: files such as ImageSets/Main/train.txt, whose lines name the\n"
      "annotations that are taken, and whose names or train=FILE their splits",
      PCRTOOL_TEXT, SETTING(lists), .needs = "annotations" },
    { "zero-based", NULL, "VOC: corners count pixels from 0; default: from 1", PCRTOOL_FLAG,
      SETTING(zero_based), .needs = "annotations" },
    { "image-field", "NAME",
      "which part of a sample is its image: of records the field's name, of\n"
      "archives the ending, such as left.png; default: the usual ones",
      PCRTOOL_TEXT, SETTING(image_field) },
    { "label-field", "NAME",
      "which part is the label, of archives also json:NAME for a value in the\n"
      "part json; of records, '' for none; default: cls, label and the like",
      PCRTOOL_TEXT, SETTING(label_field) },
    { "key-field", "NAME",
      "records: which field is the key, '' for the file's name and a number;\n"
      "default: filename and the like, or these",
      PCRTOOL_TEXT, SETTING(key_field) },
    { "key-dot", "WHICH",
      "archives: the dot of a name that ends what a sample's members have in\n"
      "common, first (default, as WebDataset does) or last",
      PCRTOOL_CHOICE, SETTING(key_dot), .words = "first|last" },
    { "blobs", "none|NAME,...",
      "archives and records: the parts that become blobs, whatever they hold;\n"
      "others that are no text are passed over. Default: all that are no text",
      PCRTOOL_TEXT, SETTING(blobs) },
    { "spool", "DIR",
      "where unnamed files are kept meanwhile: for the images of compressed\n"
      "archives and pipes, and for what is known of many samples; default:\n"
      "$TMPDIR or /tmp",
      PCRTOOL_TEXT, SETTING(spool) },
    { "layout", "WHAT",
      "what SRC's folders are: split-class, class, split (no labels) or\n"
      "flat (neither); default: decided by names and contents",
      PCRTOOL_CHOICE, SETTING(layout), .words = "split-class|class|split|flat" },
    { "extensions", "A,B,C",
      "take the files of a folder whose names end so, such as jpg,jpeg;\n"
      "default: those that are images by name or by their first bytes",
      PCRTOOL_TEXT, SETTING(extensions) },
    { "all-files", NULL, "take all files of a folder that are not hidden", PCRTOOL_FLAG,
      SETTING(all_files), .excludes = "extensions" },
    { "root", "DIR", "where a list's relative paths start; default: its folder", PCRTOOL_TEXT,
      SETTING(root) },
    { "classes", "FILE|A,B,C",
      "the classes in their order: a file with one name per line, or names\n"
      "separated by commas. Labels are these names, or integers from 0;\n"
      "default: the names found, sorted",
      PCRTOOL_TEXT, SETTING(classes) },
    { "no-classes", NULL,
      "keep integer labels as numbers (default: if they are all of 0 to\n"
      "n - 1, one per sample, they are classes with these names)",
      PCRTOOL_FLAG, SETTING(no_classes), .excludes = "classes" },
    { "dedupe", NULL,
      "keep one of files that are equal byte for byte: of several splits in\n"
      "the smallest, of one the first. errors.jsonl lists the others. Other\n"
      "labels are an error, or with --on-bad skip make all copies bad inputs",
      PCRTOOL_FLAG, SETTING(dedupe) },
    { "keep-originals", "WHAT",
      "keep what restores the source files byte for byte: on, off; default:\n"
      "on if it costs at most 1.0% of the source. Files for which it would\n"
      "take more than a sixteenth are kept whole",
      PCRTOOL_CHOICE, SETTING(originals), .words = "on|off" },
    { "max-pixels", "N",
      "larger images are bad inputs; default 268435456. The dataset records\n"
      "a higher limit for its readers",
      PCRTOOL_NUMBER, SETTING(max_pixels), .min = 1 },
    { "max-scans", "N", "JPEG files with more scans are bad inputs; default 64",
      PCRTOOL_NUMBER, SETTING(max_scans), .min = 1, .max = UINT32_MAX },
    { "max-sample-bytes", "SIZE", "larger files are bad inputs; default 1G", PCRTOOL_SIZE,
      SETTING(max_sample_nbytes), .min = 1 },
    { "max-memory", "SIZE",
      "bound on the memory of all pictures being worked on; one that takes\n"
      "more is a bad input; default 2G",
      PCRTOOL_SIZE, SETTING(max_memory_nbytes), .min = 1 },
    { "max-side", "N",
      "LOSSY: reduce images with a longer side to N pixels and encode them\n"
      "as JPEG before they are packed; smaller images are unchanged",
      PCRTOOL_NUMBER, SETTING(max_side), .min = 1, .max = 65500 },
    { "target-bytes", "SIZE",
      "LOSSY: encode images whose file is larger, as JPEG of the highest quality\n"
      "in which it has at most SIZE bytes, such as 64K",
      PCRTOOL_SIZE, SETTING(target_nbytes), .min = 1, .max = UINT32_MAX,
      .excludes = "annotations" },
    { "quality", "N",
      "of the JPEGs that --max-side makes, and the highest that --target-bytes\n"
      "takes; default 90",
      PCRTOOL_NUMBER, SETTING(quality), .min = 1, .max = 100 },
    { "dry-run", NULL,
      "do everything but write: names all bad inputs, and shows what the parts\n"
      "of the first sample become",
      PCRTOOL_FLAG, SETTING(dry_run) },
    { "json", NULL, "print the summary as JSON", PCRTOOL_FLAG, SETTING(json) },
    { "quiet", NULL, "print only errors and what is left out", PCRTOOL_FLAG, SETTING(quiet),
      .letter = 'q' },
    { 0 },
};

/* --- callbacks --- */

enum { NAMED_COUNT = 10 }; /* how many left-out files are named; errors.jsonl has all */

static void left_out(void *context, const char *path, const char *reason)
{
    struct pcrtool_conversion *v = context;
    if (v->named_count++ < NAMED_COUNT)
        pcrtool_error(v->command, "left out: %s: %s", path, reason);
}

static void noted(void *context, const char *path, const char *what)
{
    struct pcrtool_conversion *v = context;
    if (!v->quiet && v->noted_count++ < NAMED_COUNT)
        pcrtool_error(v->command, "note: %s: %s", path, what);
}

static void bad_input(void *context, const char *path, const char *format,
                      const struct pcr_error *err)
{
    struct pcrtool_conversion *v = context;
    bool disputed = !format && err->code == PCR_ERR_INVAL;
    pcrtool_conversion_count_bad(v, disputed ? "copies with other labels" : format);
    v->bad_damaged |= err->code == PCR_ERR_CORRUPT || err->code == PCR_ERR_TRUNCATED;
    char at[32] = "";
    if (err->offset != PCR_NO_OFFSET)
        snprintf(at, sizeof(at), "@%" PRIu64, err->offset);
    pcrtool_error(v->command, "bad input: %s%s: %s", path, at, err->message);
}

static void repeated(void *context, const char *path, const char *first)
{
    struct pcrtool_conversion *v = context;
    if (!v->quiet && v->repeated_count++ < NAMED_COUNT)
        pcrtool_error(v->command, "note: %s: the same file as %s", path, first);
}

/* --- the work --- */

static bool is_bad_input(const struct pcr_error *err)
{
    return err->code == PCR_ERR_FORMAT || err->code == PCR_ERR_CORRUPT ||
           err->code == PCR_ERR_TRUNCATED || err->code == PCR_ERR_UNSUPPORTED ||
           err->code == PCR_ERR_LIMIT;
}

/* A dry run is to name all bad inputs. */
static uint32_t bad_policy(const struct settings *s)
{
    bool fail = s->on_bad <= PCR_BAD_FAIL; /* the words are in the enum's order */
    return s->dry_run && fail ? PCR_BAD_SKIP : s->on_bad;
}

static const char on_bad_hint[] =
    "--on-bad skip leaves bad inputs out and lists them, opaque keeps their bytes, salvage "
    "codes what decodes of damaged JPEG files";

/* What the conversion itself would do at the first of the bad inputs that a dry run found. */
static int end_dry_run(const struct pcrtool_conversion *v)
{
    pcrtool_error(v->command, "%" PRIu64 " bad input(s) would stop the conversion; %s",
                  v->report.samples_bad, on_bad_hint);
    return v->bad_damaged ? PCRTOOL_DAMAGED : PCRTOOL_FAILED;
}

static int write_dataset(struct pcrtool_conversion *v, const struct settings *s,
                         const struct pcr_source *source, const struct pcr_ladder *ladder)
{
    struct pcr_error err;
    const struct pcr_limits limits = {
        .size = sizeof(limits),
        .max_pixels = s->max_pixels,
        .max_scans = (uint32_t) s->max_scans,
        .max_sample_nbytes = s->max_sample_nbytes,
    };
    struct pcr_write_options o = {
        .size = sizeof(o),
        .flags = (s->no_shuffle ? PCR_WRITE_NO_SHUFFLE : 0) |
                 (s->dry_run ? PCR_WRITE_DRY_RUN : 0) |
                 (s->no_classes ? PCR_WRITE_NO_CLASSES : 0) |
                 (s->dedupe ? PCR_WRITE_DEDUPE : 0),
        .ladder = ladder,
        .seed = s->seed,
        .record_samples = (uint32_t) s->records,
        .record_nbytes = s->record_nbytes,
        .thread_count = (uint32_t) s->threads,
        .bad_policy = bad_policy(s),
        .opaque_policy = s->opaque, /* the words are in the enum's order */
        .limits = &limits,
        .max_memory_nbytes = s->max_memory_nbytes,
        .progress = pcrtool_conversion_progress,
        .bad_input = bad_input,
        .repeated = repeated,
        .context = v,
        .max_side = (uint32_t) s->max_side,
        .quality = (uint32_t) v->quality,
        .manifest_out = &v->manifest,
        .coding = s->coding,
        .originals = s->originals, /* the words are in the enum's order */
        .pictures = v->pictures,
        .target_nbytes = (uint32_t) s->target_nbytes,
    };
    pcrtool_conversion_begin(v);
    int rc = pcr_dataset_write(v->path, source, &o, &v->report, &err);
    if (rc && is_bad_input(&err) && s->on_bad <= PCR_BAD_FAIL) {
        size_t n = strlen(err.message);
        snprintf(err.message + n, sizeof(err.message) - n, "; %s", on_bad_hint);
    }
    return pcrtool_conversion_end(v, rc, &err);
}

/* The names that options give. */
struct named {
    struct pcrtool_names classes, extensions, annotations, lists, blobs;
};

enum { LAST_DOT = 2 }; /* of --key-dot */

static int import_and_write(struct pcrtool_conversion *v, const struct settings *s,
                            const char *const *paths, uint32_t path_count,
                            const struct named *n, const struct pcr_ladder *ladder)
{
    struct pcr_source *source = NULL;
    struct pcr_error err;
    struct pcr_source_options o = {
        .size = sizeof(o),
        .flags = (s->all_files ? PCR_SOURCE_ALL_FILES : 0) |
                 (s->on_bad > PCR_BAD_FAIL ? PCR_SOURCE_SKIP_DAMAGED : 0) |
                 (s->key_dot == LAST_DOT ? PCR_SOURCE_LAST_DOT : 0) |
                 (s->segmentations ? PCR_SOURCE_SEGMENTATIONS : 0) |
                 (s->zero_based ? PCR_SOURCE_ZERO_BASED : 0) |
                 (s->blobs ? PCR_SOURCE_CHOOSE_BLOBS : 0),
        .format = s->from ? pcr_source_format(s->from - 1) : NULL,
        .root = s->root,
        .left_out = left_out,
        .noted = noted,
        .context = v,
        .layout = s->layout, /* the words are in the enum's order */
        .classes = n->classes.names,
        .class_count = n->classes.count,
        .extensions = n->extensions.names,
        .extension_count = n->extensions.count,
        .target = v->path,
        .spool_folder = s->spool,
        .image_field = s->image_field,
        .label_field = s->label_field,
        .key_field = s->key_field,
        .annotations = n->annotations.names,
        .annotation_count = n->annotations.count,
        .lists = n->lists.names,
        .list_count = n->lists.count,
        .blobs = n->blobs.names,
        .blob_count = n->blobs.count,
    };
    if (pcr_source_open_all(paths, path_count, &o, &source, &err))
        return pcrtool_failed(v->command, &err);
    v->left_out_count = source->left_out_count;
    v->ignored_count = source->ignored_count;
    if (v->named_count > NAMED_COUNT)
        pcrtool_error(v->command, "left out: %" PRIu64 " more", v->named_count - NAMED_COUNT);
    if (v->noted_count > NAMED_COUNT)
        pcrtool_error(v->command, "note: %" PRIu64 " more", v->noted_count - NAMED_COUNT);
    if (!n->classes.count && !s->quiet)
        pcrtool_classes_check(v->command, source->class_names, source->class_count);
    if (s->dry_run)
        v->example = pcrtool_example(source);
    int rc = write_dataset(v, s, source, ladder);
    pcr_source_close(&source);
    return rc;
}

/* What the source is; 0: not known (what is wrong with it is for the library to say). */
static uint32_t format_of(const struct settings *s, const char *path)
{
    struct stat st;
    const char *dot = strrchr(path, '.');
    if (s->from || PCRTOOL_UNINTERRUPTED(stat(path, &st)))
        return s->from;
    if (S_ISDIR(st.st_mode))
        return FOLDER;
    return dot && (!strcasecmp(dot, ".csv") || !strcasecmp(dot, ".tsv") ||
                   !strcasecmp(dot, ".jsonl"))
               ? LIST
               : 0;
}

/* Which options a folder and a list have. */
static int check_settings(const struct pcrtool_command *c, const struct settings *s,
                          const char *path)
{
    const uint32_t format = format_of(s, path);
    const char *of_folders = s->layout       ? "layout"
                             : s->extensions ? "extensions"
                             : s->all_files  ? "all-files"
                                             : NULL;
    if (format == LIST && of_folders)
        pcrtool_error(c, "%s: --%s applies to folders, not to lists", path, of_folders);
    else if (format == FOLDER && s->root)
        pcrtool_error(c, "%s: --root applies to lists, not to folders", path);
    else
        return PCRTOOL_DONE;
    return PCRTOOL_USAGE;
}

static int read_extensions(const struct pcrtool_command *c, const char *value,
                           struct pcrtool_names *out)
{
    int rc = pcrtool_names_split(c, "extensions", value, out);
    for (uint32_t i = 0; !rc && i < out->count; i++)
        if (strpbrk(out->names[i], "./")) {
            pcrtool_error(c, "--extensions: '%s' is no extension: expected one such as jpg",
                          out->names[i]);
            rc = PCRTOOL_USAGE;
        }
    return rc;
}

/* Q in "KIND:Q", 1 to 100; 0: it is neither that nor KIND alone, where `alone` is allowed. */
static bool read_quality(const char *text, const char *kind, bool alone, uint64_t *out)
{
    const size_t n = strlen(kind);
    char *end = NULL;
    if (strncmp(text, kind, n) != 0)
        return false;
    *out = 0;
    if (alone && !text[n])
        return true;
    if (text[n] != ':' || text[n + 1] < '1' || text[n + 1] > '9')
        return false;
    *out = strtoul(text + n + 1, &end, 10);
    return *out <= 100 && !*end;
}

/* opaque, jpeg:Q, progressive, progressive:Q */
static int read_pictures(const struct settings *s, struct pcrtool_conversion *v)
{
    const char *text = s->pictures ? s->pictures : "opaque";
    uint64_t quality = 0;
    if (!strcmp(text, "opaque")) {
        v->pictures = PCR_PICTURES_OPAQUE;
    } else if (read_quality(text, "jpeg", false, &quality)) {
        v->pictures = PCR_PICTURES_JPEG;
    } else if (read_quality(text, "progressive", true, &quality)) {
        v->pictures = PCR_PICTURES_PROGRESSIVE;
    } else {
        pcrtool_error(v->command,
                      "--pictures is '%s', expected opaque, jpeg:Q, progressive, or "
                      "progressive:Q, with a quality Q of 1 to 100",
                      text);
        return PCRTOOL_USAGE;
    }
    if (s->quality && quality && s->quality != quality) {
        pcrtool_error(v->command,
                      "--pictures %s and --quality %" PRIu64
                      ": a conversion makes JPEGs of one quality",
                      text, s->quality);
        return PCRTOOL_USAGE;
    }
    if (quality)
        v->quality = quality;
    if (s->quality && !s->max_side && !s->target_nbytes &&
        v->pictures == PCR_PICTURES_OPAQUE) {
        pcrtool_error(v->command,
                      "--quality applies to --max-side and --target-bytes, neither "
                      "of which is given");
        return PCRTOOL_USAGE;
    }
    return PCRTOOL_DONE;
}

static int read_names(const struct pcrtool_command *c, const struct settings *s,
                      struct named *n)
{
    int rc = s->classes ? pcrtool_classes_read(c, s->classes, &n->classes) : PCRTOOL_DONE;
    if (!rc && s->extensions)
        rc = read_extensions(c, s->extensions, &n->extensions);
    if (!rc && s->annotations)
        rc = pcrtool_names_split(c, "annotations", s->annotations, &n->annotations);
    if (!rc && s->lists)
        rc = pcrtool_names_split(c, "lists", s->lists, &n->lists);
    if (!rc && s->blobs && strcmp(s->blobs, "none") != 0)
        rc = pcrtool_names_split(c, "blobs", s->blobs, &n->blobs);
    return rc;
}

static int run_convert(const struct pcrtool_args *args)
{
    const struct settings *s = args->settings;
    struct named n = { 0 };
    struct pcr_ladder *ladder = NULL;
    const uint32_t source_count = args->operand_count - 1;
    struct pcrtool_conversion v = {
        .command = args->command,
        .path = args->operands[source_count],
        .dry_run = s->dry_run,
        .quiet = s->quiet,
        .max_side = s->max_side,
        .target_nbytes = s->target_nbytes,
        .quality = s->quality,
    };
    int rc = check_settings(args->command, s, args->operands[0]);
    if (!rc)
        rc = read_pictures(s, &v);
    if (!rc)
        rc = pcrtool_ladder_get(args->command, s->ladder, s->coding, &ladder);
    if (!rc)
        rc = read_names(args->command, s, &n);
    if (!rc)
        rc = import_and_write(&v, s, (const char *const *) args->operands, source_count, &n,
                              ladder);
    pcr_ladder_destroy(&ladder);
    pcrtool_names_free(&n.classes);
    pcrtool_names_free(&n.extensions);
    pcrtool_names_free(&n.annotations);
    pcrtool_names_free(&n.lists);
    pcrtool_names_free(&n.blobs);
    rc = pcrtool_conversion_report(&v, rc, s->json);
    if (!rc && s->dry_run && s->on_bad <= PCR_BAD_FAIL && v.report.samples_bad)
        return end_dry_run(&v);
    return !rc && (v.report.samples_bad || v.left_out_count) ? PCRTOOL_LEFT_OUT : rc;
}

const struct pcrtool_command pcrtool_convert = {
    .name = "convert",
    .summary = "Make a dataset from folders, lists or archives of images",
    .operands = "SRC... DST",
    .description =
        "SRC is a folder (split/class/file with names such as train, val and test for\n"
        "splits; class/file; or only files), or a list: a .csv file with a header\n"
        "line, or a .jsonl file, with path and optionally key, label or labels, split,\n"
        "attributes. If the meaning of folders is in doubt, convert asks for --layout;\n"
        "--dry-run shows splits and classes.\n"
        "\n"
        "Or SRC are archives: tar files as WebDataset has them (a.jpg, a.cls, a.json are\n"
        "one sample), or of folders of images, and zip files. Several become one\n"
        "dataset: name them, or write a pattern such as 'train-{000..127}.tar', or a\n"
        "folder that holds them. Their names or folders tell the split; val=SRC says it.\n"
        "\n"
        "Each JPEG is divided among fidelities without loss, and this is verified. The\n"
        "same command continues a run that was stopped. Sources are never changed.\n"
        "Only --max-side, --target-bytes, --pictures jpeg:Q and --on-bad salvage lose\n"
        "anything. The first three encode images as JPEG, and keep only the colour\n"
        "profile of their metadata; pcrtool info shows it.\n",
    .examples = "  pcrtool convert photos/ dataset/\n"
                "  pcrtool convert --on-bad skip --record-bytes 64M list.csv dataset/\n"
                "  pcrtool convert --dry-run photos/ unused/\n"
                "  pcrtool convert --layout class photos/ dataset/\n"
                "  pcrtool convert --max-side 256 photos/ small/\n"
                "  pcrtool convert train=a.tar val=b.tar dataset/\n"
                "  pcrtool convert val2017/ coco/ --annotations instances_val2017.json\n"
                "  bzip2 -dc a.tar.bz2 | pcrtool convert - dataset/\n",
    .options = options,
    .settings_nbytes = sizeof(struct settings),
    .operand_min = 2,
    .operand_max = UINT32_MAX,
    .run = run_convert,
};
