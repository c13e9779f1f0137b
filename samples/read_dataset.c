/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a dataset: what is in it, one sample at each fidelity, one epoch of batches.
 *
 *     cc read_dataset.c -o read_dataset $(pkg-config --cflags --libs libpcr)
 *     ./read_dataset DATASET [INDEX]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcr/pcr.h>

static int complain(const struct pcr_error *err)
{
    fprintf(stderr, "read_dataset: %s: %s\n", pcr_code_name(err->code), err->message);
    return err->code;
}

static int describe(const struct pcr_dataset *ds, struct pcr_dataset_info *info,
                    struct pcr_error *err)
{
    info->size = sizeof(*info);
    int rc = pcr_dataset_describe(ds, info, err);
    if (rc)
        return rc;
    printf("%" PRIu64 " samples in %" PRIu64 " records, %" PRIu32 " classes\n",
           info->sample_count, info->record_count, info->class_count);
    for (uint32_t g = 1; g <= info->group_count; g++)
        printf("fidelity %" PRIu32 ": %" PRIu64 " bytes\n", g,
               pcr_dataset_prefix_nbytes(ds, g));
    return PCR_OK;
}

/* Reads and decodes one sample at each fidelity: the same picture, ever finer. */
static int show_sample(const struct pcr_sample *sample, uint32_t group_count,
                       struct pcr_decoder *decoder, struct pcr_error *err)
{
    struct pcr_buffer pixels = { 0 };
    struct pcr_sample_info info = { .size = sizeof(info) };
    int rc = pcr_sample_describe(sample, &info, err);
    if (!rc)
        printf("sample %" PRIu64 ": %s\n", info.index, info.key);
    for (uint32_t g = 1; g <= group_count && !rc; g++) {
        struct pcr_image_info image = { .size = sizeof(image) };
        rc = pcr_sample_decode(sample, g, decoder, NULL, &pixels, &image, err);
        if (!rc)
            printf("  fidelity %" PRIu32 ": %" PRIu64 " bytes, %" PRIu32 " x %" PRIu32
                   " pixels, the first is %u %u %u\n",
                   g, pcr_sample_nbytes(sample, g), image.width, image.height, pixels.data[0],
                   pixels.data[1], pixels.data[2]);
    }
    pcr_buffer_free(&pixels);
    return rc;
}

static int read_sample(struct pcr_dataset *ds, uint64_t index, uint32_t group_count,
                       struct pcr_error *err)
{
    struct pcr_decoder *decoder = NULL;
    struct pcr_sample *sample = NULL;
    int rc = pcr_decoder_create(&decoder, err);
    if (!rc)
        rc = pcr_sample_acquire(ds, index, &sample, err);
    if (!rc)
        rc = show_sample(sample, group_count, decoder, err);
    pcr_sample_release(&sample);
    pcr_decoder_destroy(&decoder);
    return rc;
}

/* Takes one epoch of shuffled 64 x 64 batches at fidelity g. */
static int run_epoch(struct pcr_dataset *ds, uint32_t g, struct pcr_error *err)
{
    struct pcr_loader_options options = {
        .size = sizeof(options),
        .seed = 1,
        .batch_size = 16,
        .output.height = 64,
        .fidelity.level = g,
    };
    struct pcr_loader *loader = NULL;
    struct pcr_batch *batch;
    uint64_t samples = 0, batches = 0;
    int rc = pcr_loader_create(ds, &options, &loader, err);
    if (!rc)
        rc = pcr_loader_start_epoch(loader, 0, err);
    while (!rc && !(rc = pcr_loader_next(loader, &batch, err))) {
        samples += batch->sample_count; /* train on batch->pixels and batch->labels */
        batches++;
        pcr_batch_release(&batch);
    }
    pcr_loader_destroy(&loader);
    if (rc != PCR_END)
        return rc;
    printf("epoch at fidelity %" PRIu32 ": %" PRIu64 " samples in %" PRIu64 " batches\n", g,
           samples, batches);
    return PCR_OK;
}

int main(int argc, char **argv)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_dataset_info info;
    struct pcr_error err;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: read_dataset DATASET [INDEX]\n");
        return 2;
    }
    uint64_t index = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;

    int rc = pcr_dataset_open(argv[1], NULL, &ds, &err);
    if (!rc)
        rc = describe(ds, &info, &err);
    if (!rc)
        rc = read_sample(ds, index, info.group_count, &err);
    if (!rc)
        rc = run_epoch(ds, 1, &err);
    if (!rc)
        rc = run_epoch(ds, info.group_count, &err);
    if (rc)
        complain(&err);
    pcr_dataset_close(&ds);
    return rc ? 1 : 0;
}
