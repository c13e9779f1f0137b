/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool cat: one sample as a file, at any fidelity. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "files.h"
#include "input.h"
#include "output.h"

struct cat_settings {
    const char *output;
    uint64_t fidelity;
    uint32_t jpeg;
};

static int read_sample(const struct pcrtool_input *in, const char *name, uint32_t fidelity,
                       struct pcr_decoder *baseline, struct pcr_buffer *bytes)
{
    struct pcr_sample *sample = NULL;
    struct pcr_error err;
    uint64_t index;
    int rc = pcrtool_input_find(in, name, &index);
    if (rc)
        return rc;
    rc = pcr_sample_acquire(in->dataset, index, &sample, &err);
    if (!rc)
        rc = pcrtool_input_file(sample, fidelity, baseline, bytes, &err);
    pcr_sample_release(&sample);
    return rc ? pcrtool_failed(in->command, &err) : PCRTOOL_DONE;
}

static int run_cat(const struct pcrtool_args *args)
{
    const struct cat_settings *set = args->settings;
    struct pcr_buffer bytes = { 0 };
    struct pcrtool_input in;
    struct pcr_decoder *baseline = NULL;
    uint32_t fidelity = 0;

    if (!set->output && isatty(STDOUT_FILENO)) {
        pcrtool_error(args->command,
                      "will not write an image to a terminal; use -o FILE, or >");
        return PCRTOOL_USAGE;
    }
    int rc = pcrtool_input_open(&in, args->command, args->operands[0], NULL, NULL, NULL);
    if (rc)
        return rc;
    rc = pcrtool_input_fidelity(&in, set->fidelity, &fidelity);
    if (!rc)
        rc = pcrtool_input_decoder(&in, set->jpeg, &baseline);
    if (!rc)
        rc = read_sample(&in, args->operands[1], fidelity, baseline, &bytes);
    if (!rc && !set->output)
        fwrite(bytes.data, 1, bytes.nbytes, stdout); /* main checks ferror() */
    else if (!rc && pcrtool_write_path(set->output, &bytes)) {
        pcrtool_error(args->command, "%s: %s", set->output, strerror(errno));
        rc = PCRTOOL_FAILED;
    }
    pcr_buffer_free(&bytes);
    pcr_decoder_destroy(&baseline);
    pcrtool_input_close(&in);
    return rc;
}

#define SETTING(member) .offset = offsetof(struct cat_settings, member)

static const struct pcrtool_option options[] = {
    { "fidelity", "G", "groups 1 to G (default: the highest, without loss)", PCRTOOL_NUMBER,
      SETTING(fidelity), .letter = 'g', .min = 1, .max = PCRTOOL_MAX_FIDELITY },
    { "jpeg", "FORM",
      "of a coded sample's file: progressive (default), or baseline, with restart\n"
      "markers, as decoders in hardware want it",
      PCRTOOL_CHOICE, SETTING(jpeg), .words = PCRTOOL_JPEG_FORMS },
    { "output", "FILE", "write to FILE, all of it or nothing", PCRTOOL_TEXT, SETTING(output),
      .letter = 'o' },
    { 0 },
};

const struct pcrtool_command pcrtool_cat = {
    .name = "cat",
    .summary = "Write one sample to standard output as an image file",
    .operands = "DATASET KEY|@INDEX",
    .description =
        "A coded sample is a JPEG file at every fidelity; an opaque one is the source file.\n"
        "Name the sample by its key, or by @ and its index (@0 is the first).\n",
    .examples = "  pcrtool cat photos.pcr train/cat/17.jpg >17.jpg\n"
                "  pcrtool cat photos.pcr @17 --fidelity 1 -o coarse.jpg\n",
    .options = options,
    .settings_nbytes = sizeof(struct cat_settings),
    .operand_min = 2,
    .operand_max = 2,
    .run = run_cat,
};
