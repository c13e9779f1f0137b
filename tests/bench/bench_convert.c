/* SPDX-License-Identifier: BSD-2-Clause */
/* Conversion (packing, verification and record building) against a plain progressive
 * transcode by libjpeg, on the same images in the same run.
 *
 * usage: bench-convert [FOLDER [SAMPLES]]
 * FOLDER: of JPEG files; without it photographs are generated. SAMPLES: images to convert
 * in a run, default 1024; files are used again and again if there are fewer. Conversion
 * is a dry run from memory: no file is read or written while the clock runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

#include <pcr/source.h>
#include <pcr/writer.h>

#include "generator.h"

enum { GENERATED = 64, MAX_FILES = 1024, DEFAULT_SAMPLES = 1024, ROUNDS = 2, KEY_NBYTES = 24 };

static struct pcr_buffer files[MAX_FILES];
static uint64_t file_count, sample_count = DEFAULT_SAMPLES;

/* Wall and processor time of a run. */
struct spent {
    double wall, cpu;
};

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench-convert: %s\n", what);
    exit(1);
}

/* --- the images --- */

static void generate(void)
{
    for (; file_count < GENERATED; file_count++)
        if (pcr_gen_photo(file_count, 500, 375, 90, PCR_GEN_420, &files[file_count]))
            die("cannot generate a photograph");
}

static void read_folder(const char *path)
{
    struct pcr_source *source;
    struct pcr_error err;
    if (pcr_source_open(path, NULL, &source, &err))
        die(err.message);
    for (uint64_t i = 0; i < source->sample_count && file_count < MAX_FILES; i++) {
        struct pcr_buffer *f = &files[file_count];
        if (source->load(source->context, i, UINT32_MAX, f, &err))
            die(err.message);
        file_count += f->nbytes > 2 && f->data[0] == 0xff && f->data[1] == 0xd8;
    }
    pcr_source_close(&source);
    if (!file_count)
        die("no JPEG files");
}

static int describe(void *context, uint64_t i, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    char(*keys)[KEY_NBYTES] = context;
    out->key = keys[i];
    out->nbytes = files[i % file_count].nbytes;
    return 0;
}

static int load(void *context, uint64_t i, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    const struct pcr_buffer *f = &files[i % file_count];
    int rc = pcr_buffer_reserve(out, f->nbytes, err);
    if (rc)
        return rc;
    memcpy(out->data, f->data, f->nbytes);
    out->nbytes = f->nbytes;
    return 0;
}

/* --- what is compared --- */

/* Coefficients to memory as a progressive file with optimised tables. */
static void transcode(const struct pcr_buffer *file)
{
    struct jpeg_decompress_struct in;
    struct jpeg_compress_struct out;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long nbytes = 0;

    in.err = out.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&in);
    jpeg_create_compress(&out);
    jpeg_mem_src(&in, file->data, file->nbytes);
    jpeg_read_header(&in, TRUE);
    jvirt_barray_ptr *coefficients = jpeg_read_coefficients(&in);
    jpeg_copy_critical_parameters(&in, &out);
    out.optimize_coding = TRUE;
    jpeg_simple_progression(&out);
    jpeg_mem_dest(&out, &bytes, &nbytes);
    jpeg_write_coefficients(&out, coefficients);
    jpeg_finish_compress(&out);
    jpeg_finish_decompress(&in);
    jpeg_destroy_compress(&out);
    jpeg_destroy_decompress(&in);
    free(bytes);
}

static void transcode_all(uint32_t threads)
{
    for (uint64_t i = 0; i < sample_count; i++)
        transcode(&files[i % file_count]);
}

static void convert_all(uint32_t threads)
{
    struct pcr_error err;
    char(*keys)[KEY_NBYTES] = calloc(sample_count, sizeof(*keys));
    if (!keys)
        die("out of memory");
    for (uint64_t i = 0; i < sample_count; i++)
        snprintf(keys[i], KEY_NBYTES, "%llu", (unsigned long long) i);
    struct pcr_source source = {
        .size = sizeof(source),
        .context = keys,
        .sample_count = sample_count,
        .describe = describe,
        .load = load,
    };
    struct pcr_write_options o = {
        .size = sizeof(o),
        .flags = PCR_WRITE_DRY_RUN,
        .thread_count = threads,
        .bad_policy = PCR_BAD_SKIP,
    };
    if (pcr_dataset_write("unused", &source, &o, NULL, &err))
        die(err.message);
    free(keys);
}

static void run(void (*fn)(uint32_t), uint32_t threads, struct spent *best)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    fn(threads);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (!best->wall || wall < best->wall)
        best->wall = wall;
    if (!best->cpu || cpu < best->cpu)
        best->cpu = cpu;
}

static void print(const char *what, const struct spent *s)
{
    double n = (double) sample_count;
    printf("%-28s %8.1f images/s  %6.2f ms of processor time an image\n", what, n / s->wall,
           1000 * s->cpu / n);
}

int main(int argc, char **argv)
{
    struct spent plain = { 0 }, one = { 0 }, two = { 0 };
    if (argc > 1)
        read_folder(argv[1]);
    else
        generate();
    if (argc > 2)
        sample_count = strtoull(argv[2], NULL, 10);
    if (!sample_count)
        die("no samples");

    for (int i = 0; i < ROUNDS; i++) { /* in turns, so that all meet the same machine */
        run(transcode_all, 1, &plain);
        run(convert_all, 1, &one);
        run(convert_all, 2, &two);
    }
    printf("%llu images (%llu files), best of %d rounds\n", (unsigned long long) sample_count,
           (unsigned long long) file_count, ROUNDS);
    print("libjpeg progressive", &plain);
    print("conversion, 1 thread", &one);
    print("conversion, 2 threads", &two);
    printf("conversion / libjpeg per core: %.2f (wall), %.2f (processor time)\n",
           plain.wall / one.wall, plain.cpu / one.cpu);
    printf("2 threads / 1 thread: %.2f\n", one.wall / two.wall);
    for (uint64_t i = 0; i < file_count; i++)
        pcr_buffer_free(&files[i]);
    return 0;
}
