/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing coefficients as baseline JPEG: megapixels a second of one core, and bytes.
 *
 * usage: bench-baseline [FOLDER]   generated photographs, or 64 of the images in the folder
 *
 * The control is libjpeg-turbo's jpeg_write_coefficients() with the standard tables, and with
 * optimal ones, of the same coefficients in memory. They take turns: medians of nine. */
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "bench.h"
#include "jpeg/baseline.h"
#include "jpeg/prefix.h"

enum { ROUNDS = 9, IMAGES = 64 };

enum way { OURS, STANDARD, OPTIMAL, WAYS };
static const char *const names[] = { "libpcr", "libjpeg-turbo", "libjpeg-turbo, optimal" };

struct image {
    struct pcri_prefix prefix; /* its coefficients, as our decoder has them, */
    struct jpeg_decompress_struct read;
    struct jpeg_error_mgr errors;
    jvirt_barray_ptr *blocks; /* and as libjpeg has */
};

static int load(struct image *m, const struct pcr_buffer *file, struct pcr_error *err)
{
    struct pcr_limits limits = { 0 };
    pcri_limits_fill(&limits);
    m->read.err = jpeg_std_error(&m->errors);
    jpeg_create_decompress(&m->read);
    jpeg_mem_src(&m->read, file->data, (unsigned long) file->nbytes);
    (void) jpeg_read_header(&m->read, TRUE);
    m->blocks = jpeg_read_coefficients(&m->read);
    int rc = pcri_prefix_decode(&m->prefix, file->data, file->nbytes, &limits, err);
    pcri_prefix_settle(&m->prefix);
    return rc;
}

static void unload(struct image *m)
{
    jpeg_destroy_decompress(&m->read);
    pcri_prefix_free(&m->prefix);
}

static size_t write_turbo(struct image *m, bool optimal)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned long nbytes = 0;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &out, &nbytes);
    jpeg_copy_critical_parameters(&m->read, &c);
    c.optimize_coding = optimal;
    c.restart_in_rows = 1;
    jpeg_write_coefficients(&c, m->blocks);
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    free(out);
    return nbytes;
}

static size_t write_one(struct image *m, enum way way, struct pcri_baseline *b,
                        struct pcr_buffer *out)
{
    const struct pcri_block_source source = pcri_prefix_source(&m->prefix);
    if (way != OURS)
        return write_turbo(m, way == OPTIMAL);
    out->nbytes = 0;
    return pcri_baseline_write(b, &source, 1, out, NULL) ? 0 : out->nbytes;
}

static void measure(struct image *images, size_t count, double pixels)
{
    struct pcri_baseline b = { 0 };
    struct pcr_buffer out = { 0 };
    double seconds[WAYS][ROUNDS], nbytes[WAYS] = { 0 };
    for (int round = 0; round < ROUNDS; round++)
        for (int way = 0; way < WAYS; way++) {
            double start = bench_cpu();
            nbytes[way] = 0;
            for (size_t i = 0; i < count; i++)
                nbytes[way] += (double) write_one(&images[i], (enum way) way, &b, &out);
            seconds[way][round] = bench_cpu() - start;
        }
    double base = bench_median(seconds[STANDARD], ROUNDS);
    for (int way = 0; way < WAYS; way++) {
        double s = bench_median(seconds[way], ROUNDS);
        printf("%-23s %6.0f MP/s  ratio %4.2f  %7.0f bytes an image\n", names[way],
               pixels / s * 1e-6, s / base, nbytes[way] / (double) count);
    }
    pcri_baseline_free(&b);
    pcr_buffer_free(&out);
}

int main(int argc, char **argv)
{
    struct bench_images files;
    struct pcr_error err = { .message = "no images" };
    double pixels = 0;
    size_t n = 0;
    if (bench_images_load(argc > 1 ? argv[1] : NULL, IMAGES, &files))
        return 1;
    struct image *images = calloc(files.count, sizeof(*images));
    int rc = images ? 0 : 1;
    for (; !rc && n < files.count; n++) {
        rc = load(&images[n], &files.files[n], &err);
        pixels += (double) images[n].read.image_width * images[n].read.image_height;
    }
    if (rc)
        fprintf(stderr, "bench-baseline: %s\n", err.message);
    else
        measure(images, n, pixels);
    while (n)
        unload(&images[--n]);
    free(images);
    bench_images_free(&files);
    return rc != 0;
}
