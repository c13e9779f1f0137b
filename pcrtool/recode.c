/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool recode: a dataset in another coding. */
#include <pcr/dataset.h>
#include <pcr/writer.h>

#include "commands.h"
#include "convert.h"
#include "ladder.h"
#include "output.h"

struct recode_settings {
    const char *ladder;
    uint64_t threads, max_memory_nbytes;
    uint32_t coding;
    bool dry_run, json, quiet;
};

#define SETTING(member) .offset = offsetof(struct recode_settings, member)

static const struct pcrtool_option options[] = {
    { "coding", "NAME", "the new coding, scans or packed; required", PCRTOOL_CHOICE,
      SETTING(coding), .words = "scans|packed" },
    { "ladder", "NAME",
      "built-in ladder or a file with one, as for convert; default: SRC's, or\n"
      "the new coding's own if SRC has its coding's own",
      PCRTOOL_TEXT, SETTING(ladder) },
    { "threads", "N", "threads that work; default: one for each CPU", PCRTOOL_NUMBER,
      SETTING(threads), .min = 1, .max = 1024 },
    { "max-memory", "SIZE", "bound on the memory of all pictures being worked on; default 2G",
      PCRTOOL_SIZE, SETTING(max_memory_nbytes), .min = 1 },
    { "dry-run", NULL, "do everything but write", PCRTOOL_FLAG, SETTING(dry_run) },
    { "json", NULL, "print the summary as JSON", PCRTOOL_FLAG, SETTING(json) },
    { "quiet", NULL, "print only errors", PCRTOOL_FLAG, SETTING(quiet), .letter = 'q' },
    { 0 },
};

/* Returns an exit code. */
static int recode(struct pcrtool_conversion *v, const struct recode_settings *s,
                  const char *path, const struct pcr_ladder *ladder)
{
    const struct pcr_write_options o = {
        .size = sizeof(o),
        .flags = s->dry_run ? PCR_WRITE_DRY_RUN : 0,
        .ladder = ladder,
        .thread_count = (uint32_t) s->threads,
        .max_memory_nbytes = s->max_memory_nbytes,
        .progress = pcrtool_conversion_progress,
        .context = v,
        .manifest_out = &v->manifest,
        .coding = s->coding, /* the words are in the enum's order */
    };
    struct pcr_dataset *ds = NULL;
    struct pcr_error err;
    if (pcr_dataset_open(path, NULL, &ds, &err))
        return pcrtool_failed(v->command, &err);
    pcrtool_conversion_begin(v);
    int rc = pcr_dataset_recode(ds, v->path, &o, &v->report, &err);
    rc = pcrtool_conversion_end(v, rc, &err);
    pcr_dataset_close(&ds);
    return rc;
}

static int run_recode(const struct pcrtool_args *args)
{
    const struct recode_settings *s = args->settings;
    struct pcr_ladder *ladder = NULL;
    struct pcrtool_conversion v = {
        .command = args->command,
        .path = args->operands[1],
        .dry_run = s->dry_run,
        .quiet = s->quiet,
    };
    if (!s->coding) {
        pcrtool_error(args->command, "to which coding? Give --coding scans or packed");
        return PCRTOOL_USAGE;
    }
    int rc = pcrtool_ladder_get(args->command, s->ladder, s->coding, &ladder);
    if (!rc)
        rc = recode(&v, s, args->operands[0], ladder);
    pcr_ladder_destroy(&ladder);
    return pcrtool_conversion_report(&v, rc, s->json);
}

const struct pcrtool_command pcrtool_recode = {
    .name = "recode",
    .summary = "Rewrite a dataset in another coding, without loss",
    .operands = "SRC DST --coding NAME",
    .description =
        "SRC is a dataset, DST the folder of the new one. No pixels are made: each image's\n"
        "coefficients are written in the other coding and verified to be equal. Records\n"
        "keep their samples in order, with keys, labels, attributes, splits, notes and\n"
        "metadata; files that were kept whole stay whole. The same command continues a run\n"
        "that was stopped. SRC is never changed.\n",
    .examples = "  pcrtool recode photos.pcr packed.pcr --coding packed\n"
                "  pcrtool recode packed.pcr scans.pcr --coding scans --threads 4\n",
    .options = options,
    .settings_nbytes = sizeof(struct recode_settings),
    .operand_min = 2,
    .operand_max = 2,
    .run = run_recode,
};
