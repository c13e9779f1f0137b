/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool extract: samples as files in a folder, at any fidelity. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "extract_list.h"
#include "files.h"
#include "input.h"
#include "interrupt.h"
#include "output.h"

struct extract_settings {
    const char *split, *class_name;
    uint64_t fidelity;
    uint32_t jpeg;
    bool force, list, degrade, json, quiet;
};

/* One run of the command. */
struct extraction {
    struct pcrtool_input in;
    const struct extract_settings *set;
    uint32_t fidelity;
    int out_fd;
    const char *out;
    struct pcr_buffer bytes;      /* of the current sample */
    struct pcr_decoder *baseline; /* NULL: files are progressive */
    struct pcrtool_list list;
    uint64_t written_count, written_nbytes, unsafe_count, damaged_count, degraded_count;
    bool record_failed; /* the last sample's record cannot be opened */
};

/* Reports a sample that is left out while the work continues; its key may be hostile. */
static void complain(const struct extraction *x, const struct pcr_sample_info *info,
                     const char *what)
{
    pcrtool_progress(NULL);
    fprintf(stderr, "pcrtool extract: @%" PRIu64 " ", info->index);
    pcrtool_print_tame(stderr, info->key, info->key_nbytes);
    fputs(": ", stderr);
    pcrtool_print_tame(stderr, what, strlen(what));
    fputc('\n', stderr);
}

static int write_sample(struct extraction *x, const struct pcr_sample_info *info)
{
    const char *name;
    int fd = pcrtool_open_parent(x->out_fd, info->key, &name);
    int rc = fd < 0
                 ? -1
                 : pcrtool_write_file(fd, name, x->bytes.data, x->bytes.nbytes, x->set->force);
    int saved = errno;
    if (fd >= 0)
        close(fd);
    if (!rc) {
        x->written_count++;
        x->written_nbytes += x->bytes.nbytes;
        return PCRTOOL_DONE;
    }
    if (saved == ENAMETOOLONG || saved == EILSEQ) {
        complain(x, info,
                 saved == EILSEQ ? "left out: this file system does not accept the name"
                                 : "left out: the name, or a part of it, is too long");
        x->unsafe_count++;
        return PCRTOOL_DONE;
    }
    if (saved == EEXIST)
        complain(x, info, "the file exists already; --force replaces it");
    else if (fd < 0 && (saved == ELOOP || saved == ENOTDIR))
        complain(x, info, "a part of its path is a file or a symbolic link");
    else
        complain(x, info, strerror(saved));
    return PCRTOOL_FAILED;
}

static bool is_damage(int rc)
{
    return rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED;
}

/* Reads a damaged sample at the highest fidelity that is complete. Anything but damage ends the
 * search. */
static int read_lower(struct extraction *x, const struct pcr_sample *sample,
                      const struct pcr_sample_info *info, struct pcr_error *err)
{
    char text[64];
    struct pcr_error lower;
    uint32_t g = x->fidelity - 1;
    int rc = PCR_ERR_CORRUPT;
    while (g && is_damage(rc = pcrtool_input_file(sample, g, x->baseline, &x->bytes, &lower)))
        g--;
    snprintf(text, sizeof(text), "damaged: written at fidelity %" PRIu32, g);
    if (!rc)
        complain(x, info, text);
    else if (!is_damage(rc))
        *err = lower;
    x->degraded_count += !rc;
    return rc;
}

static int extract_sample(struct extraction *x, const struct pcr_sample *sample,
                          const struct pcr_sample_info *info)
{
    struct pcr_error err;
    const char *unsafe = pcrtool_unsafe_name(info->key);
    if (unsafe) {
        char text[96];
        snprintf(text, sizeof(text), "left out: not a safe name, %s", unsafe);
        complain(x, info, text);
        x->unsafe_count++;
        return PCRTOOL_DONE;
    }
    int rc = pcrtool_input_file(sample, x->fidelity, x->baseline, &x->bytes, &err);
    if (is_damage(rc) && x->set->degrade)
        rc = read_lower(x, sample, info, &err);
    if (is_damage(rc)) {
        complain(x, info, err.message);
        x->damaged_count++;
        return PCRTOOL_DONE;
    }
    rc = rc ? pcrtool_failed(x->in.command, &err) : write_sample(x, info);
    if (!rc && x->set->list && !pcrtool_list_add(&x->list, sample, info, &rc)) {
        complain(x, info, "left out of the list: not a UTF-8 name");
        x->unsafe_count++;
    }
    return rc;
}

static int extract_index(struct extraction *x, uint64_t index)
{
    struct pcr_sample *sample = NULL;
    struct pcr_sample_info info;
    struct pcr_error err;
    int rc = PCRTOOL_DONE;

    if (pcrtool_interrupted())
        return 128 + pcrtool_interrupted();
    int looked = pcrtool_input_sample(&x->in, index, &sample, &info, &err);
    x->record_failed = is_damage(looked);
    if (x->record_failed) {
        pcrtool_error(x->in.command, "@%" PRIu64 ": %s", index, err.message);
        x->damaged_count++;
        return PCRTOOL_DONE;
    }
    if (looked)
        return pcrtool_failed(x->in.command, &err);
    if (pcrtool_input_wants(&x->in, &info))
        rc = extract_sample(x, sample, &info);
    pcr_sample_release(&sample);
    return rc;
}

/* Index of the first sample after the record that has sample `index`. */
static uint64_t record_end(const struct extraction *x, uint64_t index)
{
    for (uint64_t r = 0; r < x->in.info.record_count; r++) {
        struct pcr_record_info info = { .size = sizeof(info) };
        if (pcr_dataset_record(x->in.dataset, r, &info, NULL))
            break;
        if (index < info.first_sample + info.sample_count)
            return info.first_sample + info.sample_count;
    }
    return x->in.info.sample_count;
}

static int extract_all(struct extraction *x)
{
    uint64_t count = x->in.info.sample_count;
    int rc = PCRTOOL_DONE;
    for (uint64_t i = 0; i < count && !rc; i++) {
        if (!x->set->quiet && i % 64 == 0) {
            char line[64];
            snprintf(line, sizeof(line), "%" PRIu64 " of %" PRIu64 " samples", i, count);
            pcrtool_progress(line);
        }
        rc = extract_index(x, i);
        if (x->record_failed) { /* reported once for all of its samples */
            uint64_t end = record_end(x, i);
            x->damaged_count += end - i - 1;
            i = end - 1;
        }
    }
    pcrtool_progress(NULL);
    return rc;
}

static int extract_named(struct extraction *x, char **names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t index;
        int rc = pcrtool_input_find(&x->in, names[i], &index);
        if (!rc)
            rc = extract_index(x, index);
        if (rc)
            return rc;
    }
    return PCRTOOL_DONE;
}

static int report(const struct extraction *x)
{
    char size[PCRTOOL_SIZE_NBYTES];
    if (x->set->json)
        return pcrtool_print_json(
            x->in.command, json_pack("{si sI sI sI sI sI}", "fidelity", (int) x->fidelity,
                                     "written_count", (json_int_t) x->written_count,
                                     "written_nbytes", (json_int_t) x->written_nbytes,
                                     "unsafe_count", (json_int_t) x->unsafe_count,
                                     "damaged_count", (json_int_t) x->damaged_count,
                                     "degraded_count", (json_int_t) x->degraded_count));
    if (!x->set->quiet)
        printf("%s: %" PRIu64 " files, %s, fidelity %" PRIu32 " of %" PRIu32 "\n", x->out,
               x->written_count, pcrtool_size(size, x->written_nbytes), x->fidelity,
               x->in.info.group_count);
    return PCRTOOL_DONE;
}

static int open_out(struct extraction *x)
{
    if (PCRTOOL_UNINTERRUPTED(mkdir(x->out, 0777)) && errno != EEXIST)
        x->out_fd = -1;
    else
        x->out_fd = PCRTOOL_UNINTERRUPTED(open(x->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (x->out_fd >= 0)
        return PCRTOOL_DONE;
    pcrtool_error(x->in.command, "%s: %s", x->out, strerror(errno));
    return PCRTOOL_FAILED;
}

static int extract(struct extraction *x, const struct pcrtool_args *args)
{
    int rc = pcrtool_input_fidelity(&x->in, x->set->fidelity, &x->fidelity);
    if (!rc)
        rc = pcrtool_input_decoder(&x->in, x->set->jpeg, &x->baseline);
    if (!rc)
        rc = open_out(x);
    if (!rc && x->set->list)
        pcrtool_list_begin(&x->list, &x->in, x->set->split);
    if (rc)
        return rc;
    pcrtool_catch_signals();
    rc = args->operand_count > 2
             ? extract_named(x, args->operands + 2, args->operand_count - 2)
             : extract_all(x);
    if (!rc && x->set->list)
        rc = pcrtool_list_end(&x->list, x->out_fd, x->set->force);
    close(x->out_fd);
    int reported = report(x);
    if (rc || reported)
        return rc ? rc : reported;
    if (x->damaged_count || x->degraded_count)
        return PCRTOOL_DAMAGED;
    return x->unsafe_count ? PCRTOOL_LEFT_OUT : PCRTOOL_DONE;
}

static int run_extract(const struct pcrtool_args *args)
{
    struct extraction x = { .set = args->settings, .out = args->operands[1] };
    int rc = pcrtool_input_open(&x.in, args->command, args->operands[0], x.set->split,
                                x.set->class_name, NULL);
    if (rc)
        return rc;
    rc = extract(&x, args);
    pcr_buffer_free(&x.bytes);
    pcr_decoder_destroy(&x.baseline);
    pcrtool_list_free(&x.list);
    pcrtool_input_close(&x.in);
    return rc;
}

#define SETTING(member) .offset = offsetof(struct extract_settings, member)

static const struct pcrtool_option options[] = {
    { "fidelity", "G", "groups 1 to G (default: the highest, without loss)", PCRTOOL_NUMBER,
      SETTING(fidelity), .letter = 'g', .min = 1, .max = PCRTOOL_MAX_FIDELITY },
    { "jpeg", "FORM",
      "of coded samples' files: progressive (default), or baseline, with restart\n"
      "markers, as decoders in hardware want it",
      PCRTOOL_CHOICE, SETTING(jpeg), .words = PCRTOOL_JPEG_FORMS },
    { "split", "NAME", "only this split", PCRTOOL_TEXT, SETTING(split) },
    { "class", "NAME", "only this class: its name or number", PCRTOOL_TEXT,
      SETTING(class_name) },
    { "list", NULL,
      "also write OUT/list.jsonl, with labels, splits and attributes,\n"
      "and OUT/classes.txt; convert makes the same samples from them",
      PCRTOOL_FLAG, SETTING(list) },
    { "degrade", NULL, "write a damaged sample at the highest complete fidelity", PCRTOOL_FLAG,
      SETTING(degrade) },
    { "force", NULL, "replace existing files", PCRTOOL_FLAG, SETTING(force), .letter = 'f' },
    { "quiet", NULL, "print only errors", PCRTOOL_FLAG, SETTING(quiet), .letter = 'q' },
    { "json", NULL, "print the summary as JSON", PCRTOOL_FLAG, SETTING(json) },
    { 0 },
};

const struct pcrtool_command pcrtool_extract = {
    .name = "extract",
    .summary = "Write samples as image files into a folder",
    .operands = "DATASET OUT [KEY|@INDEX]...",
    .description =
        "Each sample becomes the file OUT/key, completely or not at all; without keys all\n"
        "samples do. Nothing is written outside of OUT: a key that is absolute, has '..' or\n"
        "leads through a symbolic link is refused. An existing file is an error without\n"
        "--force. Unsafe keys, and names that are too long for a file, are reported and\n"
        "left out (exit code 3). So are damaged samples (exit code 4); --degrade writes\n"
        "what is left of them: if a record was cut off, the fidelities before the cut.\n",
    .examples = "  pcrtool extract photos.pcr originals\n"
                "  pcrtool extract photos.pcr coarse --fidelity 2 --class cat\n"
                "  pcrtool extract photos.pcr few train/cat/17.jpg @0 @1\n"
                "  pcrtool extract --list photos.pcr out && pcrtool convert --classes\n"
                "      out/classes.txt out/list.jsonl again.pcr\n",
    .options = options,
    .settings_nbytes = sizeof(struct extract_settings),
    .operand_min = 2,
    .operand_max = UINT32_MAX,
    .run = run_extract,
};
