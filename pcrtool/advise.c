/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool advise: which fidelity or quality a training needs. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "choices.h"
#include "commands.h"
#include "files.h"
#include "measure.h"
#include "output.h"
#include "plot.h"

struct advise_settings {
    const char *split, *plot_path;
    uint64_t size_px, storage, consumer, threads, samples;
    uint32_t transform; /* a word of TRANSFORMS, as enum pcr_transform */
    bool quick, json;
};

#define TRANSFORMS "random|center|stretch"
enum { DEFAULT_SIZE = 224, DEFAULT_SAMPLES = 500 };

struct advise {
    const struct pcrtool_command *command;
    const struct advise_settings *set;
    const char *path;
    uint32_t size_px, transform, threads;
    struct pcrtool_crops crops;
    struct pcrtool_choices choices;
};

/* --- measuring --- */

static int measure_rate(const struct pcrtool_part *part, const struct advise *a,
                        struct pcrtool_choice *choice, struct pcr_error *err)
{
    const struct pcrtool_case c = {
        .fidelity = choice->fidelity,
        .quality = choice->fidelity ? 0 : choice->quality,
        .transform = a->transform,
        .threads = a->threads,
        .readers = true,
        .size_px = a->size_px,
        .seconds = 0.5,
    };
    struct pcrtool_rate rate;
    int rc = pcrtool_measure_loader(part, &c, &rate, err);
    if (!rc)
        choice->stages.decode = pcrtool_rate_images(&rate);
    return rc;
}

static int measure_rates(struct advise *a, const struct pcrtool_input *in)
{
    struct pcrtool_part part;
    struct pcr_error err;
    char line[80], name[PCRTOOL_CHOICE_NBYTES];
    int rc = pcrtool_part_choose(&part, in, a->path, a->set->split);
    for (uint32_t i = 0; !rc && i < a->choices.count; i++) {
        snprintf(line, sizeof(line), "measuring the rate of %s",
                 pcrtool_choice_name(name, &a->choices, i));
        pcrtool_progress(line);
        if (measure_rate(&part, a, &a->choices.items[i], &err))
            rc = pcrtool_failed(a->command, &err);
    }
    pcrtool_progress(NULL);
    pcrtool_part_free(&part);
    return rc;
}

static int examine(struct advise *a, const struct pcrtool_input *in)
{
    const struct pcrtool_crops_plan plan = {
        .size_px = a->size_px,
        .transform = a->transform,
        .threads = a->threads,
        .count = a->set->samples ? a->set->samples : DEFAULT_SAMPLES,
    };
    if (!in->info.sample_count) {
        pcrtool_error(a->command, "%s has no samples to measure with", a->path);
        return PCRTOOL_FAILED;
    }
    int rc = pcrtool_crops_measure(&a->crops, in, &plan);
    if (rc)
        return rc;
    if (!a->crops.count) {
        pcrtool_error(a->command, "%s: none of %" PRIu64 " samples decodes", a->path,
                      a->crops.bad_count);
        return PCRTOOL_DAMAGED;
    }
    if (pcrtool_choices_make(&a->choices, &a->crops)) {
        pcrtool_error(a->command, "%s", strerror(errno));
        return PCRTOOL_FAILED;
    }
    if (!a->set->quick)
        rc = measure_rates(a, in);
    if (!rc)
        pcrtool_choices_judge(&a->choices, (double) a->set->storage,
                              (double) a->set->consumer);
    return rc;
}

/* --- telling --- */

/* The path as a string of Python: what is not UTF-8 as os.fsdecode() has it. */
static int append_path(struct pcr_buffer *out, const char *path)
{
    int rc = pcrtool_append(out, "\"");
    for (size_t i = 0, n, count = strlen(path); !rc && i < count; i += n ? n : 1) {
        const unsigned char c = (unsigned char) path[i];
        n = pcrtool_harmless(path + i, count - i);
        if (n)
            rc = pcrtool_append(out, "%s%.*s", c == '"' || c == '\\' ? "\\" : "", (int) n,
                                path + i);
        else
            rc = pcrtool_append(out, c < 0x80 ? "\\x%02x" : "\\udc%02x", c);
    }
    return rc ? rc : pcrtool_append(out, "\"");
}

/* The loader of the choice, as a line of Python. */
static int append_python(struct pcr_buffer *out, const struct advise *a)
{
    static const char *const transforms[] = { "", "", ", transform=\"center_crop\"",
                                              ", transform=\"stretch\"" };
    const struct pcrtool_choice *best = &a->choices.items[a->choices.best];
    int rc = pcrtool_append(out, "loader = pcr.Loader(");
    if (!rc)
        rc = append_path(out, a->path);
    if (!rc && a->set->split)
        rc = pcrtool_append(out, ", split=");
    if (!rc && a->set->split)
        rc = append_path(out, a->set->split);
    if (!rc)
        rc = pcrtool_append(out, ", size=%" PRIu32 "%s", a->size_px, transforms[a->transform]);
    if (!rc && !best->fidelity)
        rc = pcrtool_append(out, ", quality=%.2f", best->quality);
    else if (!rc && best->fidelity < a->choices.group_count)
        rc = pcrtool_append(out, ", fidelity=%" PRIu32, best->fidelity);
    return rc ? rc : pcrtool_append(out, ")");
}

static void print_choice(const struct advise *a, uint32_t i)
{
    const struct pcrtool_choice *choice = &a->choices.items[i];
    char name[PCRTOOL_CHOICE_NBYTES], missed[16] = "", rate[24] = "-";
    if (!choice->fidelity)
        snprintf(missed, sizeof(missed), "%.1f%%", 100 * choice->missed);
    if (choice->rate > 0)
        snprintf(rate, sizeof(rate), "%.0f", choice->rate);
    printf("%c %-13s %11.0f %7.1f  %.4f  %.4f  %6s %10s  %s\n",
           i == a->choices.best ? '*' : ' ', pcrtool_choice_name(name, &a->choices, i),
           choice->nbytes, 100 * choice->part, choice->ssim, choice->low, missed, rate,
           choice->rate > 0 ? pcrtool_limit_name(choice->limit) : "not known");
}

static void print_table(const struct advise *a, const char *python)
{
    static const char *const transforms[] = { "", "random crops", "centre crops",
                                              "whole pictures" };
    char name[PCRTOOL_CHOICE_NBYTES];
    pcrtool_print_name(stdout, a->path, strlen(a->path));
    printf(": %" PRIu64 " sample%s, %s to %" PRIu32 " px, %" PRIu32 " thread%s",
           a->crops.count, a->crops.count == 1 ? "" : "s", transforms[a->transform],
           a->size_px, a->threads, a->threads == 1 ? "" : "s");
    if (a->set->storage)
        printf(", storage of %.1f MB/s", 1e-6 * (double) a->set->storage);
    printf("\n\n  %-13s %11s %7s  %-6s  %-6s  %6s %10s  %s\n", "choice", "bytes/image", "%",
           "SSIM", "5th p.", "missed", "images/s", "limit");
    for (uint32_t i = 0; i < a->choices.count; i++)
        print_choice(a, i);
    if (a->crops.bad_count)
        printf("Left out, because they do not decode: %" PRIu64 ".\n", a->crops.bad_count);
    printf("\nAdvised: %s. %s\n\n%s\n",
           pcrtool_choice_name(name, &a->choices, a->choices.best), a->choices.reason, python);
}

static json_t *json_choice(const struct pcrtool_choice *choice)
{
    json_t *row = json_object();
    if (choice->fidelity)
        json_object_set_new(row, "fidelity", json_integer((json_int_t) choice->fidelity));
    else
        json_object_set_new(row, "quality", json_real(choice->quality));
    json_t *figures = json_pack("{sf sf sf sf}", "nbytes_per_image", choice->nbytes,
                                "percent_of_full", 100 * choice->part, "ssim", choice->ssim,
                                "ssim_5th_percentile", choice->low);
    if (choice->stages.decode > 0)
        json_object_set_new(figures, "decode_images_per_second",
                            json_real(choice->stages.decode));
    if (choice->rate > 0) {
        json_object_set_new(figures, "images_per_second", json_real(choice->rate));
        json_object_set_new(figures, "limit", json_string(pcrtool_limit_name(choice->limit)));
    }
    json_object_update(row, figures);
    json_decref(figures);
    if (!choice->fidelity)
        json_object_set_new(row, "missed_percent", json_real(100 * choice->missed));
    return row;
}

static int print_json(const struct advise *a, const char *python)
{
    static const char *const transforms[] = { "", "random", "center", "stretch" };
    const struct pcrtool_choices *c = &a->choices;
    json_t *rows = json_array();
    for (uint32_t i = 0; i < c->count; i++)
        json_array_append_new(rows, json_choice(&c->items[i]));
    json_t *root = json_pack(
        "{sI ss sI sI sI sI sI so so ss}", "size_px", (json_int_t) a->size_px, "transform",
        transforms[a->transform], "threads", (json_int_t) a->threads, "sample_count",
        (json_int_t) a->crops.count, "left_out_count", (json_int_t) a->crops.bad_count,
        "storage_nbytes_per_second", (json_int_t) a->set->storage,
        "consumer_images_per_second", (json_int_t) a->set->consumer, "choices", rows,
        "advised", json_choice(&c->items[c->best]), "reason", c->reason);
    pcrtool_json_set_text(root, "path", a->path, strlen(a->path));
    pcrtool_json_set_text(root, "python", python, strlen(python));
    return pcrtool_print_json(a->command, root);
}

static int write_plot(const struct advise *a)
{
    char title[300];
    struct pcr_buffer svg = { 0 };
    snprintf(title, sizeof(title), "%.200s, crops to %" PRIu32 " px", a->path, a->size_px);
    int rc = pcrtool_plot(&svg, &a->choices, title);
    if (!rc)
        rc = pcrtool_write_path(a->set->plot_path, &svg);
    if (rc)
        pcrtool_error(a->command, "%s: %s", a->set->plot_path, strerror(errno));
    pcr_buffer_free(&svg);
    return rc ? PCRTOOL_FAILED : PCRTOOL_DONE;
}

static int tell(const struct advise *a)
{
    struct pcr_buffer python = { 0 };
    int rc = PCRTOOL_DONE;
    if (append_python(&python, a)) {
        pcrtool_error(a->command, "%s", strerror(errno));
        rc = PCRTOOL_FAILED;
    }
    if (!rc && a->set->plot_path)
        rc = write_plot(a);
    if (!rc && a->set->json)
        rc = print_json(a, (const char *) python.data);
    else if (!rc)
        print_table(a, (const char *) python.data);
    pcr_buffer_free(&python);
    return rc;
}

static int run_advise(const struct pcrtool_args *args)
{
    const struct advise_settings *set = args->settings;
    struct advise a = {
        .command = args->command,
        .set = set,
        .path = args->operands[0],
        .size_px = set->size_px ? (uint32_t) set->size_px : DEFAULT_SIZE,
        .transform = set->transform ? set->transform : PCR_TRANSFORM_RANDOM_CROP,
        .threads = set->threads ? (uint32_t) set->threads : pcrtool_system().cpu_count,
    };
    struct pcrtool_input in;
    int rc = pcrtool_input_open(&in, args->command, a.path, set->split, NULL, NULL);
    if (rc)
        return rc;
    rc = examine(&a, &in);
    if (!rc)
        rc = tell(&a);
    pcrtool_crops_free(&a.crops);
    pcrtool_input_close(&in);
    return rc;
}

#define SETTING(member) .offset = offsetof(struct advise_settings, member)

static const struct pcrtool_option options[] = {
    { "size", "PX", "height and width of the output, at least 11; default 224", PCRTOOL_NUMBER,
      SETTING(size_px), .min = PCRTOOL_SSIM_SIDE, .max = 4096 },
    { "transform", "KIND", TRANSFORMS ": how pictures are cropped; default random",
      PCRTOOL_CHOICE, SETTING(transform), .words = TRANSFORMS },
    { "storage", "RATE", "storage that gives RATE bytes per second, such as 200M",
      PCRTOOL_SIZE, SETTING(storage), .min = 1 },
    { "consumer", "N", "images per second that training could take", PCRTOOL_NUMBER,
      SETTING(consumer), .min = 1, .max = 1000000000 },
    { "threads", "N", "threads that decode; default: one for each CPU", PCRTOOL_NUMBER,
      SETTING(threads), .min = 1, .max = 1024 },
    { "samples", "N", "samples to compare, spread over the dataset; default 500",
      PCRTOOL_NUMBER, SETTING(samples), .min = 1, .max = 100000 },
    { "quick", NULL, "do not measure how fast this machine decodes", PCRTOOL_FLAG,
      SETTING(quick) },
    { "split", "NAME", "only this split", PCRTOOL_TEXT, SETTING(split) },
    { "plot", "FILE", "write a picture of the table, as SVG", PCRTOOL_TEXT,
      SETTING(plot_path) },
    { "json", NULL, "print JSON", PCRTOOL_FLAG, SETTING(json) },
    { 0 },
};

const struct pcrtool_command pcrtool_advise = {
    .name = "advise",
    .summary = "Advise on the fidelity or quality that a training needs",
    .operands = "DATASET",
    .description =
        "Compares what a loader delivers at each fidelity, and by quality, with the same\n"
        "crops of whole pictures at full fidelity: SSIM of luma, its mean and its 5th\n"
        "percentile, and the bytes of an image; \"missed\" are images more than .02 below the\n"
        "quality that was asked for. Predicts the images per second: the least of what this\n"
        "machine decodes, what the storage gives (--storage), and what training takes\n"
        "(--consumer). Then advises: with a consumer, the best crops that feed it; without,\n"
        "the fewest bytes for crops of which 95% have SSIM .95. The last line is Python.\n",
    .examples = "  pcrtool advise photos.pcr --size 224\n"
                "  pcrtool advise photos.pcr --size 160 --storage 200M --consumer 3000\n"
                "  pcrtool advise photos.pcr --transform center --plot photos.svg\n",
    .options = options,
    .settings_nbytes = sizeof(struct advise_settings),
    .operand_min = 1,
    .operand_max = 1,
    .run = run_advise,
};
