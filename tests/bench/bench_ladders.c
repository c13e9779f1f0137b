/* SPDX-License-Identifier: BSD-2-Clause */
/* Ladders compared: bytes, quality and time at each fidelity.
 *
 * usage: bench-ladders [--coding scans] [FOLDER] [COUNT] [LADDER]...
 * FOLDER: of JPEG files; without it COUNT photographs are generated. LADDER: a built-in's name
 * or a file as `pcrtool convert --ladder` takes it; without any, all built-ins.
 *
 * Each ladder is used for a real conversion of all images, in a temporary folder: the bytes
 * (headers and heads included, tables trained) and the conversion's time are its. COUNT images
 * spread over them (default 60) are then decoded at each fidelity: means of PSNR of RGB and of
 * luma, and of luma's SSIM, against the original file as libjpeg-turbo decodes it ("as it is":
 * of luma by PCR_DECODE_IDENTICAL, as libjpeg-turbo decodes the prefix); CPU time of the
 * entropy stage and of decoding to RGB, each the least of three runs, as ratios to
 * libjpeg-turbo's decode of the original file to RGB, medians over the images.
 *
 * "By quality": bytes of the images, each at its least fidelity whose luma reaches an SSIM, in %
 * of the originals', where 1, 1.5, 2 or 3 pixels become one. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <pcr/pcr.h>

#include "bench.h"
#include "coding/codings.h"
#include "../../pcrtool/ssim.h"

#define EXACT 99.0 /* what stands for the PSNR of equal images */
enum { RUNS = 3, MAX_GROUPS = 32, DEFAULT_COUNT = 60, SCALES = 4, TARGETS = 4 };
static const double scales[SCALES] = { 1, 1.5, 2, 3 };
static const double targets[TARGETS] = { .8, .9, .95, .98 };

struct group {
    double psnr_rgb, luma[2][2];     /* sums over the images; luma: [identical], dB and SSIM */
    double *entropy_time, *rgb_time; /* ratios, one an image */
};

struct bench {
    struct pcr_source *source;
    size_t count, done; /* images to look at, and looked at */
    struct pcr_decoder *decoder;
    const struct pcri_coding *coding;
    void *blocks; /* state of its block decoder */
    struct pcr_limits limits;
    struct pcr_buffer original, rgb, luma; /* the original: its bytes and pixels */
    struct pcr_slice *slice;               /* a sample at a fidelity, */
    struct pcr_spans spans;                /* its bytes, */
    struct pcr_buffer pixels;              /* and what they decode to */
    struct pcr_buffer small[2];            /* the original and the sample, resized */
    double looked_nbytes;                  /* of the files of the images looked at */
    double chosen_nbytes[SCALES][TARGETS]; /* of their samples, by quality */
    bool reached[SCALES][TARGETS];         /* of one image */
    struct group groups[MAX_GROUPS];
    struct pcr_error err;
};

/* --- a source of generated photographs --- */

struct made {
    struct bench_images images;
    char (*keys)[24];
};

static int describe_made(void *context, uint64_t index, struct pcr_source_sample *out,
                         struct pcr_error *err)
{
    struct made *m = context;
    (void) err;
    snprintf(m->keys[index], sizeof(m->keys[index]), "%llu", (unsigned long long) index);
    out->key = m->keys[index];
    return 0;
}

static int load_made(void *context, uint64_t index, uint64_t max_nbytes,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcr_buffer *f = &((struct made *) context)->images.files[index];
    (void) max_nbytes;
    out->nbytes = 0;
    return pcri_buffer_append(out, f->data, f->nbytes, err);
}

static void destroy_made(void *context)
{
    struct made *m = context;
    bench_images_free(&m->images);
    free(m->keys);
}

static int make_source(struct made *m, size_t count, struct pcr_source *out)
{
    m->keys = calloc(count, sizeof(*m->keys));
    if (!m->keys || bench_images_load(NULL, count, &m->images))
        return -1;
    *out = (struct pcr_source) {
        .size = sizeof(*out),
        .context = m,
        .sample_count = count,
        .describe = describe_made,
        .load = load_made,
        .close = destroy_made,
    };
    return 0;
}

/* --- one image --- */

/* Decodes the original by libjpeg-turbo to RGB or GRAY; the time of the fastest run. */
static int decode_original(struct bench *b, uint32_t color, int runs, struct pcr_buffer *out,
                           double *seconds_out)
{
    const struct pcr_decode_options opts = { .size = sizeof(opts),
                                             .color = color,
                                             .decoder = PCR_DECODER_TURBO };
    *seconds_out = 1e9;
    for (int run = 0; run < runs; run++) {
        double t = bench_cpu();
        int rc = pcr_decoder_decode_alloc(b->decoder, b->original.data, b->original.nbytes,
                                          &opts, out, NULL, &b->err);
        t = bench_cpu() - t;
        if (rc)
            return rc;
        *seconds_out = t < *seconds_out ? t : *seconds_out;
    }
    return 0;
}

static int time_entropy(struct bench *b, double *seconds_out)
{
    *seconds_out = 1e9;
    int rc = 0;
    for (int run = 0; !rc && run < RUNS; run++) {
        double t;
        rc = bench_entropy(b->coding, b->blocks, &b->spans, &b->limits, &t, &b->err);
        *seconds_out = t < *seconds_out ? t : *seconds_out;
    }
    return rc;
}

static int decode_prefix(struct bench *b, uint32_t color, uint32_t flags, int runs,
                         struct pcr_image_info *info_out, double *seconds_out)
{
    const struct pcr_decode_options o = {
        .size = sizeof(o),
        .color = color,
        .flags = flags | PCR_DECODE_KEEP_ORIENTATION,
    };
    *seconds_out = 1e9;
    int rc = 0;
    for (int run = 0; !rc && run < runs; run++) {
        double t = bench_cpu();
        rc = pcr_decoder_decode_spans(b->decoder, &b->spans, &o, &b->pixels, info_out,
                                      &b->err);
        t = bench_cpu() - t;
        *seconds_out = t < *seconds_out ? t : *seconds_out;
    }
    return rc;
}

/* PSNR in dB of two planes of n samples, at most EXACT. */
static double psnr(const uint8_t *a, const uint8_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum > 0 ? fmin(10 * log10(255.0 * 255 * (double) n / sum), EXACT) : EXACT;
}

/* SSIM of the luma in b->luma and b->pixels when it shrinks. */
static int shrunk_ssim(struct bench *b, uint32_t width, uint32_t height, double scale,
                       double *out)
{
    const uint8_t *of[2] = { b->luma.data, b->pixels.data };
    const uint32_t w = (uint32_t) (width / scale), h = (uint32_t) (height / scale);
    *out = 1;
    if (w < PCRTOOL_SSIM_SIDE || h < PCRTOOL_SSIM_SIDE)
        return 0;
    for (int k = 0; k < 2; k++) {
        int rc = pcri_buffer_reserve(&b->small[k], (size_t) w * h, &b->err);
        if (!rc)
            rc = pcr_resize(b->decoder, of[k], width, height, 1, NULL, b->small[k].data, w, h,
                            &b->err);
        if (rc)
            return rc;
    }
    *out = pcrtool_ssim(b->small[0].data, b->small[1].data, w, h);
    return 0;
}

/* Notes the sample's bytes where it is good enough for the first time. */
static int choose(struct bench *b, const struct pcr_image_info *info, uint32_t fidelity,
                  bool last)
{
    const double nbytes = (double) pcr_slice_sample_nbytes(b->slice, 0, fidelity);
    for (int k = 0; k < SCALES; k++) {
        double ssim;
        int rc = shrunk_ssim(b, info->width, info->height, scales[k], &ssim);
        if (rc)
            return rc;
        for (int t = 0; t < TARGETS; t++)
            if (!b->reached[k][t] && (last || ssim >= targets[t])) {
                b->reached[k][t] = true;
                b->chosen_nbytes[k][t] += nbytes;
            }
    }
    return 0;
}

/* The sample at one fidelity, which is in b->slice and b->spans. */
static int measure_group(struct bench *b, double original, uint32_t fidelity, bool last)
{
    struct pcr_image_info info = { .size = sizeof(info) };
    struct group *g = &b->groups[fidelity - 1];
    double entropy, rgb, unused;
    int rc = time_entropy(b, &entropy);
    if (!rc)
        rc = decode_prefix(b, PCR_COLOR_RGB, 0, RUNS, &info, &rgb);
    if (rc)
        return rc;
    size_t n = (size_t) info.width * info.height;
    g->psnr_rgb += psnr(b->rgb.data, b->pixels.data, 3 * n);
    for (int identical = 1; identical >= 0; identical--) {
        rc = decode_prefix(b, PCR_COLOR_GRAY, identical ? PCR_DECODE_IDENTICAL : 0, 1, &info,
                           &unused);
        if (rc)
            return rc;
        g->luma[identical][0] += psnr(b->luma.data, b->pixels.data, n);
        g->luma[identical][1] += pcrtool_ssim(b->luma.data, b->pixels.data, info.width,
                                              info.height);
    }
    g->entropy_time[b->done] = entropy / original;
    g->rgb_time[b->done] = rgb / original;
    return choose(b, &info, fidelity, last);
}

/* Source sample `index`; opaque and tiny ones are passed over. */
static int measure_image(struct bench *b, struct pcr_dataset *ds, uint64_t index)
{
    struct pcr_source_sample described = { .size = sizeof(described) };
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_sample *sample = NULL;
    uint64_t found;
    double original, unused;
    int rc = b->source->describe(b->source->context, index, &described, &b->err);
    if (!rc)
        rc = pcr_dataset_find(ds, described.key, strlen(described.key), &found, &b->err);
    if (!rc)
        rc = pcr_sample_acquire(ds, found, &sample, &b->err);
    if (!rc)
        rc = pcr_sample_describe(sample, &info, &b->err);
    if (rc || info.coding == PCR_CODING_OPAQUE || info.width < PCRTOOL_SSIM_SIDE ||
        info.height < PCRTOOL_SSIM_SIDE)
        goto out;
    rc = b->source->load(b->source->context, index, UINT32_MAX, &b->original, &b->err);
    if (!rc)
        rc = decode_original(b, PCR_COLOR_GRAY, 1, &b->luma, &unused);
    if (!rc)
        rc = decode_original(b, PCR_COLOR_RGB, RUNS, &b->rgb, &original);
    struct pcr_dataset_info whole = { .size = sizeof(whole) };
    if (!rc)
        rc = pcr_dataset_describe(ds, &whole, &b->err);
    memset(b->reached, 0, sizeof(b->reached));
    for (uint32_t g = 1; !rc && g <= whole.group_count; g++) {
        rc = pcr_slice_read(ds, info.record, info.record_index, 1, g, &b->slice, &b->err);
        if (!rc)
            rc = pcr_slice_spans(b->slice, 0, 0, g, &b->spans, &b->err);
        if (!rc)
            rc = measure_group(b, original, g, g == whole.group_count);
        pcr_slice_release(&b->slice);
    }
    b->done += !rc;
    b->looked_nbytes += rc ? 0 : (double) b->original.nbytes;
out:
    pcr_sample_release(&sample);
    return rc < 0 ? rc : 0; /* PCR_END: the sample was left out as bad */
}

/* --- one ladder --- */

static double process_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void report(struct bench *b, const struct pcr_dataset *ds, uint32_t group_count,
                   uint64_t source_nbytes)
{
    printf("group  %% of source  RGB dB  luma dB    SSIM  as it is: dB    SSIM  "
           "entropy stage  to RGB\n");
    for (uint32_t g = 0; g < group_count; g++) {
        struct group *x = &b->groups[g];
        double n = b->done ? (double) b->done : 1;
        printf("%5u  %11.2f  %6.2f  %7.2f  %6.4f  %12.2f  %6.4f  %13.3f  %6.3f\n",
               (unsigned) g + 1,
               100.0 * (double) pcr_dataset_prefix_nbytes(ds, g + 1) / (double) source_nbytes,
               x->psnr_rgb / n, x->luma[0][0] / n, x->luma[0][1] / n, x->luma[1][0] / n,
               x->luma[1][1] / n, bench_median(x->entropy_time, b->done),
               bench_median(x->rgb_time, b->done));
    }
    printf("by quality:  .80    .90    .95    .98\n");
    for (int k = 0; k < SCALES; k++) {
        printf("  1/%-3g    ", scales[k]);
        for (int t = 0; t < TARGETS; t++)
            printf("  %5.2f", 100 * b->chosen_nbytes[k][t] / b->looked_nbytes);
        printf("\n");
    }
    printf("\n");
}

static int measure_dataset(struct bench *b, const char *folder, double cpu)
{
    struct pcr_dataset *ds;
    struct pcr_dataset_info info = { .size = sizeof(info) };
    int rc = pcr_dataset_open(folder, NULL, &ds, &b->err);
    if (rc)
        return rc;
    rc = pcr_dataset_describe(ds, &info, &b->err);
    b->done = 0;
    b->looked_nbytes = 0;
    memset(b->chosen_nbytes, 0, sizeof(b->chosen_nbytes));
    for (uint32_t g = 0; g < MAX_GROUPS; g++) {
        b->groups[g].psnr_rgb = 0;
        memset(b->groups[g].luma, 0, sizeof(b->groups[g].luma));
    }
    uint64_t n = b->source->sample_count;
    for (uint64_t i = 0; !rc && i < b->count && i < n; i++)
        rc = measure_image(b, ds, b->count < n ? i * n / b->count : i);
    if (!rc) {
        printf("%llu samples converted at %.2f ms of CPU each, %zu looked at\n",
               (unsigned long long) info.sample_count, 1e3 * cpu / (double) info.sample_count,
               b->done);
        report(b, ds, info.group_count, info.source_nbytes);
    }
    pcr_dataset_close(&ds);
    return rc;
}

static int measure_ladder(struct bench *b, const struct pcr_ladder *ladder)
{
    const struct pcr_write_options o = {
        .size = sizeof(o),
        .ladder = ladder,
        .thread_count = 1,
        .bad_policy = PCR_BAD_SKIP,
        .coding = b->coding->number,
    };
    const char *where = getenv("TMPDIR");
    char folder[512];
    snprintf(folder, sizeof(folder), "%.480s/bench-ladders-XXXXXX", where ? where : "/tmp");
    if (!mkdtemp(folder))
        return pcri_fail(&b->err, PCR_ERR_IO, "cannot make %s", folder);
    double cpu = process_cpu();
    int rc = pcr_dataset_write(folder, b->source, &o, NULL, &b->err);
    if (!rc)
        rc = measure_dataset(b, folder, process_cpu() - cpu);
    bench_dataset_remove(folder);
    return rc;
}

/* A built-in's name, or a file. */
static int open_ladder(struct bench *b, const char *name, struct pcr_ladder **out)
{
    for (uint32_t i = 0; pcr_ladder_name(i); i++)
        if (!strcmp(name, pcr_ladder_name(i)))
            return pcr_ladder_create(name, out, &b->err);
    char text[65536];
    FILE *f = fopen(name, "r");
    if (!f)
        return pcri_fail(&b->err, PCR_ERR_IO, "cannot open");
    size_t nbytes = fread(text, 1, sizeof(text), f);
    fclose(f);
    return pcr_ladder_parse(text, nbytes, out, &b->err);
}

static int run(struct bench *b, const char *name)
{
    struct pcr_ladder *ladder = NULL;
    printf("ladder %s\n", name);
    int rc = open_ladder(b, name, &ladder);
    if (!rc)
        rc = measure_ladder(b, ladder);
    if (rc)
        fprintf(stderr, "bench-ladders: %s: %s\n", name, b->err.message);
    fflush(stdout);
    pcr_ladder_destroy(&ladder);
    return rc;
}

static int set_up(struct bench *b, const char *path, struct made *made,
                  struct pcr_source *source)
{
    pcri_limits_fill(&b->limits);
    for (uint32_t g = 0; g < MAX_GROUPS; g++) {
        b->groups[g].entropy_time = calloc(b->count, sizeof(double));
        b->groups[g].rgb_time = calloc(b->count, sizeof(double));
        if (!b->groups[g].entropy_time || !b->groups[g].rgb_time)
            return pcri_fail(&b->err, PCR_ERR_NOMEM, "out of memory");
    }
    int rc = pcr_decoder_create(&b->decoder, &b->err);
    if (!rc)
        rc = b->coding->decoder->create(&b->blocks, &b->err);
    if (!rc && path)
        return pcr_source_open(path, NULL, &b->source, &b->err);
    b->source = source;
    return rc ? rc : make_source(made, b->count, source);
}

static void clean_up(struct bench *b)
{
    pcr_source_close(&b->source);
    for (uint32_t g = 0; g < MAX_GROUPS; g++) {
        free(b->groups[g].entropy_time);
        free(b->groups[g].rgb_time);
    }
    pcr_decoder_destroy(&b->decoder);
    b->coding->decoder->destroy(b->blocks);
    pcr_spans_free(&b->spans);
    pcr_buffer_free(&b->small[0]);
    pcr_buffer_free(&b->small[1]);
    pcr_buffer_free(&b->original);
    pcr_buffer_free(&b->pixels);
    pcr_buffer_free(&b->luma);
    pcr_buffer_free(&b->rgb);
}

int main(int argc, char **argv)
{
    struct bench b = { .count = DEFAULT_COUNT, .coding = pcri_coding_numbered(2) };
    struct made made = { 0 };
    struct pcr_source source = { 0 };
    const char *folder = NULL;
    struct stat st;
    int first = 1;
    if (first + 1 < argc && !strcmp(argv[first], "--coding")) {
        b.coding = pcri_coding_numbered(strcmp(argv[first + 1], "scans") ? 2 : 1);
        first += 2;
    }
    if (first < argc && !stat(argv[first], &st) && S_ISDIR(st.st_mode))
        folder = argv[first++];
    if (first < argc && isdigit((unsigned char) argv[first][0]))
        b.count = (size_t) strtoul(argv[first++], NULL, 10);

    int rc = set_up(&b, folder, &made, &source);
    if (rc)
        fprintf(stderr, "bench-ladders: %s\n", b.err.message);
    for (int i = first; !rc && i < argc; i++)
        rc = run(&b, argv[i]);
    for (uint32_t i = 0; !rc && first == argc && pcr_ladder_name(i); i++)
        rc = run(&b, pcr_ladder_name(i));
    clean_up(&b);
    return rc != 0;
}
