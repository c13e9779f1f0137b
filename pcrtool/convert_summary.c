/* SPDX-License-Identifier: BSD-2-Clause */
/* The summary of a conversion. */
#include <inttypes.h>
#include <string.h>

#include <pcr/dataset.h>

#include "contents.h"
#include "convert.h"
#include "example.h"
#include "notes.h"
#include "output.h"

/* Opens what was written; *ds stays NULL for a dry run. Returns an exit code. */
static int open_written(const struct pcrtool_conversion *v, struct pcr_dataset **ds,
                        struct pcr_dataset_info *info)
{
    struct pcr_error err;
    *ds = NULL;
    *info = (struct pcr_dataset_info) { .size = sizeof(*info) };
    if (v->dry_run)
        return PCRTOOL_DONE;
    if (pcr_dataset_open(v->path, NULL, ds, &err) || pcr_dataset_describe(*ds, info, &err)) {
        pcr_dataset_close(ds);
        return pcrtool_failed(v->command, &err);
    }
    return PCRTOOL_DONE;
}

static void print_fidelities(const struct pcr_dataset *ds, const struct pcr_dataset_info *info)
{
    char size[PCRTOOL_SIZE_NBYTES];
    for (uint32_t g = 1; g <= info->group_count; g++) {
        uint64_t nbytes = pcr_dataset_prefix_nbytes(ds, g);
        printf("  fidelity %-2" PRIu32 " %10s  %5.1f%%\n", g, pcrtool_size(size, nbytes),
               pcrtool_percent(nbytes, info->source_nbytes));
    }
}

static void print_reduced(const struct pcrtool_conversion *v)
{
    const struct pcr_write_progress *p = &v->report;
    const char *up_to = v->target_nbytes ? "up to " : "";
    char size[PCRTOOL_SIZE_NBYTES];
    if (v->max_side || v->target_nbytes)
        printf("reduced %" PRIu64 " image(s)%s to", p->samples_reduced,
               p->records_kept ? " in this run" : "");
    if (v->max_side)
        printf(" %" PRIu64 " px,", v->max_side);
    if (v->target_nbytes)
        printf(" at most %s,", pcrtool_size(size, v->target_nbytes));
    if (v->max_side || v->target_nbytes)
        printf(" JPEG quality %s%" PRIu64 " (lossy)\n", up_to, v->quality ? v->quality : 90);
    if (p->samples_encoded || v->pictures == PCR_PICTURES_JPEG)
        printf("encoded %" PRIu64 " image(s) of other formats as JPEG, quality %s%" PRIu64
               " (lossy)\n",
               p->samples_encoded, up_to, v->quality ? v->quality : 90);
    if (p->samples_exact || v->pictures == PCR_PICTURES_PROGRESSIVE)
        printf("kept the pixels, not the files, of %" PRIu64
               " image(s) of other formats: JPEG of quality %" PRIu64 " and a residual\n",
               p->samples_exact, v->quality ? v->quality : 90);
}

void pcrtool_conversion_count_bad(struct pcrtool_conversion *v, const char *format)
{
    uint32_t i = 0;
    if (!format)
        format = "without bytes";
    while (i < v->bad_kinds && strcmp(v->bad[i].format, format) < 0)
        i++;
    if (i == v->bad_kinds || strcmp(v->bad[i].format, format) != 0) {
        if (v->bad_kinds == PCRTOOL_BAD_KINDS) {
            v->bad_others++;
            return;
        }
        memmove(&v->bad[i + 1], &v->bad[i], (v->bad_kinds++ - i) * sizeof(v->bad[0]));
        v->bad[i] = (struct pcrtool_bad) { .format = format };
    }
    v->bad[i].count++;
}

static void print_kinds(const struct pcrtool_conversion *v)
{
    for (uint32_t i = 0; i < v->bad_kinds; i++)
        printf("%s%" PRIu64 " %s", i ? ", " : "bad inputs    ", v->bad[i].count,
               v->bad[i].format);
    if (v->bad_others)
        printf(", %" PRIu64 " others", v->bad_others);
    if (v->bad_kinds)
        putchar('\n');
}

static void print_bad(const struct pcrtool_conversion *v)
{
    const struct pcr_write_progress *p = &v->report;
    char size[PCRTOOL_SIZE_NBYTES];
    if (p->samples_bad)
        printf("skipped %" PRIu64 " bad input(s)%s\n", p->samples_bad,
               v->dry_run ? "" : ", listed in errors.jsonl");
    if (p->samples_undecodable)
        printf("undecodable: %" PRIu64
               " of the files kept whole, which no decoder here can show; "
               "loaders stop at\n  them, or skip them with bad_sample=\"skip\"\n",
               p->samples_undecodable);
    print_kinds(v);
    if (p->samples_salvaged)
        printf("salvaged %" PRIu64 " damaged image(s) as far as they decode%s\n",
               p->samples_salvaged, v->dry_run ? "" : "; pcrtool info --notes lists them");
    if (p->samples_unrestorable)
        printf("%" PRIu64 " of the files kept whole would take too much to restore%s\n",
               p->samples_unrestorable, v->dry_run ? "" : "; pcrtool info --notes lists them");
    if (p->samples_dropped)
        printf("dropped %s after the image in %" PRIu64 " file(s)%s\n",
               pcrtool_size(size, p->dropped_nbytes), p->samples_dropped,
               v->dry_run ? "" : "; pcrtool info --notes lists them");
    if (p->samples_duplicate)
        printf("left out %" PRIu64 " duplicate(s), %" PRIu64
               " of them of images in another split%s\n",
               p->samples_duplicate, p->samples_across_splits,
               v->dry_run ? "" : ", listed in errors.jsonl");
    if (p->samples_repeated)
        printf("%" PRIu64 " file(s) are there more than once, %" PRIu64
               " of them in several splits; --dedupe keeps one of each\n",
               p->samples_repeated, p->repeated_across_splits);
    if (p->samples_uncompared && v->report.records_kept < p->record_count)
        printf("%" PRIu64 " file(s) of the records kept were not compared with the others\n",
               p->samples_uncompared);
    if (v->left_out_count)
        printf("left out %" PRIu64 " item(s) of the source%s\n", v->left_out_count,
               v->dry_run ? "" : ", listed in errors.jsonl");
    if (v->ignored_count)
        printf("ignored %" PRIu64 " file(s) that are not images\n", v->ignored_count);
}

/* The manifest that was written or, in a dry run, would be. */
static json_t *manifest_of(const struct pcrtool_conversion *v, const struct pcr_dataset *ds)
{
    size_t nbytes = v->manifest.nbytes;
    const void *text = ds ? (const void *) pcr_dataset_manifest(ds, &nbytes)
                          : v->manifest.data;
    return pcrtool_contents(text, nbytes);
}

static int print_summary(const struct pcrtool_conversion *v)
{
    const struct pcr_write_progress *p = &v->report;
    struct pcr_dataset_info info;
    struct pcr_dataset *ds;
    char size[PCRTOOL_SIZE_NBYTES];
    int rc = open_written(v, &ds, &info);
    if (rc)
        return rc;
    printf("%" PRIu64 " image(s) in %" PRIu64 " record(s)", p->samples_done, p->record_count);
    if (p->records_kept)
        printf(" (%" PRIu64 " kept from an earlier run)", p->records_kept);
    printf(", %.1f s%s\n", v->seconds, v->dry_run ? ", nothing written" : "");
    if (info.opaque_count)
        printf("%" PRIu64 " kept whole\n", info.opaque_count);
    pcrtool_originals_print("originals     ", &info);
    json_t *manifest = manifest_of(v, ds);
    pcrtool_contents_print(manifest);
    json_decref(manifest);
    pcrtool_example_print(v->example);
    print_reduced(v);
    print_bad(v);
    printf("sources       %10s\n", pcrtool_size(size, p->source_nbytes));
    printf("dataset       %10s  %5.1f%%\n", pcrtool_size(size, p->written_nbytes),
           pcrtool_percent(p->written_nbytes, p->source_nbytes));
    if (ds)
        print_fidelities(ds, &info);
    pcr_dataset_close(&ds);
    return PCRTOOL_DONE;
}

static void set_number(json_t *object, const char *name, uint64_t v)
{
    json_object_set_new(object, name, json_integer((json_int_t) v));
}

static int print_json(const struct pcrtool_conversion *v)
{
    const struct pcr_write_progress *p = &v->report;
    struct pcr_dataset_info info;
    struct pcr_dataset *ds;
    int rc = open_written(v, &ds, &info);
    if (rc)
        return rc;
    json_t *root = json_object();
    pcrtool_json_set_text(root, "path", v->path, strlen(v->path));
    json_object_set_new(root, "dry_run", json_boolean(v->dry_run));
    set_number(root, "sample_count", p->samples_done);
    set_number(root, "skipped_count", p->samples_bad);
    set_number(root, "left_out_count", v->left_out_count);
    set_number(root, "ignored_count", v->ignored_count);
    set_number(root, "duplicate_count", p->samples_duplicate);
    set_number(root, "across_splits_count", p->samples_across_splits);
    set_number(root, "repeated_count", p->samples_repeated);
    set_number(root, "repeated_across_splits_count", p->repeated_across_splits);
    set_number(root, "uncompared_count", p->samples_uncompared);
    set_number(root, "record_count", p->record_count);
    set_number(root, "records_kept", p->records_kept);
    set_number(root, "reduced_count", p->samples_reduced);
    set_number(root, "encoded_count", p->samples_encoded);
    set_number(root, "exact_count", p->samples_exact);
    set_number(root, "undecodable_count", p->samples_undecodable);
    set_number(root, "salvaged_count", p->samples_salvaged);
    set_number(root, "unrestorable_count", p->samples_unrestorable);
    set_number(root, "dropped_count", p->samples_dropped);
    set_number(root, "dropped_nbytes", p->dropped_nbytes);
    json_t *bad = json_object();
    for (uint32_t i = 0; i < v->bad_kinds; i++)
        set_number(bad, v->bad[i].format, v->bad[i].count);
    json_object_set_new(root, "bad_formats", bad);
    set_number(root, "source_nbytes", p->source_nbytes);
    set_number(root, "total_nbytes", p->written_nbytes);
    json_object_set_new(root, "seconds", json_real(v->seconds));
    json_t *manifest = manifest_of(v, ds);
    pcrtool_contents_json(manifest, root);
    json_decref(manifest);
    if (v->example)
        json_object_set(root, "first_sample", v->example);
    if (ds) {
        json_object_set_new(root, "originals", json_boolean(info.originals));
        json_t *prefixes = json_array();
        for (uint32_t g = 1; g <= info.group_count; g++)
            json_array_append_new(prefixes,
                                  json_integer((json_int_t) pcr_dataset_prefix_nbytes(ds, g)));
        json_object_set_new(root, "prefix_nbytes", prefixes);
        set_number(root, "opaque_count", info.opaque_count);
        set_number(root, "head_nbytes", info.head_nbytes);
    }
    pcr_dataset_close(&ds);
    return pcrtool_print_json(v->command, root);
}

int pcrtool_conversion_report(struct pcrtool_conversion *v, int rc, bool json)
{
    if (!rc && json)
        rc = print_json(v);
    else if (!rc && !v->quiet)
        rc = print_summary(v);
    pcr_buffer_free(&v->manifest);
    json_decref(v->example);
    return rc;
}
