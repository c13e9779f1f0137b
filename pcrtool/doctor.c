/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool doctor: what this machine and this build can do, and whether a dataset reads. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <pcr/image.h>

#include "commands.h"
#include "diagnose.h"
#include "input.h"
#include "output.h"

struct doctor_settings {
    const char *stats_path;
    uint64_t fidelity, threads, size_px, consumer, storage, seconds;
    bool json;
};

/* What was found out about the machine. */
struct machine {
    struct pcr_system_info system;
    bool webp, tiff; /* are decoded by this build */
    struct utsname name;
    long page_nbytes;
    uint64_t open_files, open_files_max; /* RLIMIT_NOFILE; UINT64_MAX: no limit */
};

static uint64_t limit_value(rlim_t v)
{
    return v == RLIM_INFINITY ? UINT64_MAX : (uint64_t) v;
}

/* Whether this build decodes files that begin so. */
static bool decodes(const char *start, size_t nbytes)
{
    struct pcr_decoder *d = NULL;
    struct pcr_error err = { 0 };
    if (!pcr_decoder_create(&d, &err))
        err.code = pcr_decoder_inspect(d, start, nbytes, NULL, NULL, &err);
    pcr_decoder_destroy(&d);
    return err.code != PCR_ERR_UNSUPPORTED;
}

/* Makes calls that fail only for a wrong pointer. */
static struct machine examine(void)
{
    struct rlimit files = { RLIM_INFINITY, RLIM_INFINITY };
    struct machine m = { .system = pcrtool_system(), .page_nbytes = sysconf(_SC_PAGESIZE) };
    (void) uname(&m.name);
    (void) getrlimit(RLIMIT_NOFILE, &files);
    m.open_files = limit_value(files.rlim_cur);
    m.open_files_max = limit_value(files.rlim_max);
    m.webp = decodes("RIFF\x10\0\0\0WEBPVP8 ", 16);
    m.tiff = decodes("II*\0\x08\0\0\0", 8);
    return m;
}

/* --- the machine --- */

static void print_limit(uint64_t v)
{
    if (v == UINT64_MAX)
        printf("no limit");
    else
        printf("%" PRIu64, v);
}

static void print_machine(const struct machine *m)
{
    const struct pcr_system_info *s = &m->system;
    printf("libpcr        %s, ABI %" PRIu32 "\n", pcr_version(), pcr_abi_version());
    printf("libraries     %s, %s, %s, %s, %s\n", s->jpeg_library, s->png_library,
           s->zstd_library, s->xxhash_library, s->json_library);
    printf("formats       JPEG, PNG, GIF, BMP, PNM%s%s\n", m->webp ? ", WebP" : "",
           m->tiff ? ", TIFF" : "");
    printf("system        %s %s %s\n", m->name.sysname, m->name.release, m->name.machine);
    printf("CPUs          %" PRIu32 " for this process\n", s->cpu_count);
    printf("CPU features  %s\n", *s->cpu_features ? s->cpu_features : "none in use");
    printf("I/O backends  %s; auto is pread\n", s->io_backends);
    if (*s->io_uring)
        printf("io_uring      not used: %s\n", s->io_uring);
    else
        printf("io_uring      used by the backends uring and direct\n");
    printf("page size     %ld\n", m->page_nbytes);
    printf("open files    ");
    print_limit(m->open_files);
    printf(", at most ");
    print_limit(m->open_files_max);
    putchar('\n');
}

static json_t *json_limit(uint64_t v)
{
    return v > INT64_MAX ? json_null() : json_integer((json_int_t) v);
}

static json_t *json_machine(const struct machine *m)
{
    const struct pcr_system_info *s = &m->system;
    json_t *root = json_pack(
        "{ss sI sI ss ss sI sb ss so so}", "version", pcr_version(), "abi_version",
        (json_int_t) pcr_abi_version(), "cpu_count", (json_int_t) s->cpu_count, "cpu_features",
        s->cpu_features, "io_backends", s->io_backends, "page_nbytes",
        (json_int_t) m->page_nbytes, "io_uring_allowed", !*s->io_uring, "io_uring_refused",
        s->io_uring, "open_files", json_limit(m->open_files), "open_files_max",
        json_limit(m->open_files_max));
    json_object_set_new(root, "libraries",
                        json_pack("[sssss]", s->jpeg_library, s->png_library, s->zstd_library,
                                  s->xxhash_library, s->json_library));
    json_t *formats = json_pack("[sssss]", "JPEG", "PNG", "GIF", "BMP", "PNM");
    if (m->webp)
        json_array_append_new(formats, json_string("WebP"));
    if (m->tiff)
        json_array_append_new(formats, json_string("TIFF"));
    json_object_set_new(root, "formats", formats);
    json_object_set_new(root, "system",
                        json_pack("{ss ss ss}", "name", m->name.sysname, "release",
                                  m->name.release, "machine", m->name.machine));
    return root;
}

/* --- the dataset --- */

/* Reads the first of `count` samples that is not damaged, at the lowest fidelity. */
static int read_one(const struct pcrtool_input *in, uint64_t first, uint64_t count,
                    struct pcr_buffer *bytes, struct pcr_error *err)
{
    int rc = PCR_ERR_CORRUPT;
    for (uint64_t i = 0; i < count && (rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED);
         i++) {
        struct pcr_sample *sample = NULL;
        rc = pcr_sample_acquire(in->dataset, first + i, &sample, err);
        if (!rc)
            rc = pcr_sample_read(sample, 1, bytes, err);
        pcr_sample_release(&sample);
    }
    return rc;
}

/* Checks that each split can be read. Skips damaged samples, unless all are damaged. */
static int check_reads(const struct pcrtool_input *in)
{
    struct pcr_buffer bytes = { 0 };
    uint64_t first = 0;
    int rc = PCRTOOL_DONE;
    for (uint32_t i = 0; i < in->info.split_count && !rc; i++) {
        struct pcr_error err;
        uint64_t count = 0;
        pcr_dataset_split_name(in->dataset, i, &count);
        if (!count)
            continue;
        if (read_one(in, first, count, &bytes, &err))
            rc = pcrtool_failed(in->command, &err);
        first += count;
    }
    pcr_buffer_free(&bytes);
    return rc;
}

static void print_dataset(const struct pcrtool_input *in, const char *path)
{
    char size[PCRTOOL_SIZE_NBYTES];
    printf("\ndataset       ");
    pcrtool_print_name(stdout, path, strlen(path));
    printf("\n              opened, first samples read: %" PRIu64 " samples in %" PRIu64
           " records\n",
           in->info.sample_count, in->info.record_count);
    for (uint32_t g = 1; g <= in->info.group_count; g++)
        printf("  fidelity %-2" PRIu32 " %s for a pass over all samples\n", g,
               pcrtool_size(size, pcr_dataset_prefix_nbytes(in->dataset, g)));
}

static json_t *json_dataset(const struct pcrtool_input *in, const char *path)
{
    json_t *prefixes = json_array();
    for (uint32_t g = 1; g <= in->info.group_count; g++)
        json_array_append_new(
            prefixes, json_integer((json_int_t) pcr_dataset_prefix_nbytes(in->dataset, g)));
    json_t *object = json_pack("{sI sI so}", "sample_count",
                               (json_int_t) in->info.sample_count, "record_count",
                               (json_int_t) in->info.record_count, "prefix_nbytes", prefixes);
    pcrtool_json_set_text(object, "path", path, strlen(path));
    return object;
}

/* Opens, reads a little, and measures; prints, or fills root.dataset. */
static int examine_dataset(const struct pcrtool_args *args, json_t *root)
{
    const struct doctor_settings *set = args->settings;
    struct pcrtool_input in = { 0 };
    struct pcrtool_plan plan = {
        .threads = (uint32_t) set->threads,
        .size_px = (uint32_t) set->size_px,
        .consumer = set->consumer,
        .storage = set->storage,
        .stats_path = set->stats_path,
        .seconds = set->seconds ? (double) set->seconds : 0.5,
    };
    json_t *object = NULL;
    int rc = pcrtool_input_open(&in, args->command, args->operands[0], NULL, NULL, NULL);
    if (rc)
        return rc;
    rc = pcrtool_input_fidelity(&in, set->fidelity, &plan.fidelity);
    if (!rc)
        rc = check_reads(&in);
    if (!rc && root)
        object = json_dataset(&in, args->operands[0]);
    else if (!rc)
        print_dataset(&in, args->operands[0]);
    if (!rc && in.info.sample_count)
        rc = pcrtool_diagnose(&in, args->operands[0], &plan, object);
    if (root)
        json_object_set_new(root, "dataset", rc ? json_null() : json_incref(object));
    json_decref(object);
    pcrtool_input_close(&in);
    return rc;
}

static int run_doctor(const struct pcrtool_args *args)
{
    const struct doctor_settings *set = args->settings;
    struct machine m = examine();
    int rc = PCRTOOL_DONE;
    /* What the machine can do is shown even if the dataset cannot be read. */
    json_t *root = set->json ? json_machine(&m) : NULL;
    if (set->json && !root)
        return pcrtool_print_json(args->command, NULL);
    if (!set->json)
        print_machine(&m);
    fflush(stdout);
    int found = args->operand_count ? examine_dataset(args, root) : PCRTOOL_DONE;
    if (set->json)
        rc = pcrtool_print_json(args->command, root);
    return found ? found : rc;
}

#define SETTING(member) .offset = offsetof(struct doctor_settings, member)

static const struct pcrtool_option options[] = {
    { "fidelity", "G", "the fidelity that training reads; default: the highest",
      PCRTOOL_NUMBER, SETTING(fidelity), .letter = 'f', .min = 1, .max = PCRTOOL_MAX_FIDELITY,
      .operand_min = 1 },
    { "consumer", "N", "images per second that training could take", PCRTOOL_NUMBER,
      SETTING(consumer), .min = 1, .max = 1000000000, .operand_min = 1 },
    { "stats", "FILE", "take that from Loader.stats().to_json() of a training run",
      PCRTOOL_TEXT, SETTING(stats_path), .excludes = "consumer", .operand_min = 1 },
    { "storage", "RATE",
      "plan for storage of RATE bytes per second, such as 50M, instead of\n"
      "the storage here",
      PCRTOOL_SIZE, SETTING(storage), .min = 1, .operand_min = 1 },
    { "threads", "N", "threads that decode; default: one for each CPU", PCRTOOL_NUMBER,
      SETTING(threads), .min = 1, .max = 1024, .operand_min = 1 },
    { "size", "PX", "height and width of the output; default 224", PCRTOOL_NUMBER,
      SETTING(size_px), .min = 1, .max = 65536, .operand_min = 1 },
    { "seconds", "N", "time for each measurement; default 0.5", PCRTOOL_NUMBER,
      SETTING(seconds), .min = 1, .max = 3600, .operand_min = 1 },
    { "json", NULL, "print JSON", PCRTOOL_FLAG, SETTING(json) },
    { 0 },
};

const struct pcrtool_command pcrtool_doctor = {
    .name = "doctor",
    .summary = "Show what this machine can do, and what limits the loading of a dataset",
    .operands = "[DATASET]",
    .description =
        "Shows versions, CPU features, I/O backends and limits. With a DATASET, measures how\n"
        "fast it comes from storage and how fast it is decoded, by fidelity; predicts what\n"
        "a loader delivers from storage, from memory and with twice the CPUs; and says what\n"
        "limits, and what to change. Writes nothing, but drops pages from memory. Skips\n"
        "damaged samples.\n",
    .examples = "  pcrtool doctor\n"
                "  pcrtool doctor photos.pcr --consumer 2500\n"
                "  pcrtool doctor photos.pcr --storage 50M --fidelity 3\n"
                "  pcrtool doctor --json\n",
    .options = options,
    .settings_nbytes = sizeof(struct doctor_settings),
    .operand_max = 1,
    .run = run_doctor,
};
