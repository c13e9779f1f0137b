/* SPDX-License-Identifier: BSD-2-Clause */
/* pcr-gen: writes generated test images to files. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/random.h"
#include "generator.h"

static const char usage[] =
    "usage: pcr-gen cases DIR\n"
    "       pcr-gen photos DIR [options]\n"
    "       pcr-gen list\n"
    "\n"
    "cases   writes every test case to DIR/good, unsupported, bad and png\n"
    "photos  writes generated photographs to DIR/class-NN/photo-NNNNN.jpg\n"
    "list    prints folder and name of each case\n"
    "\n"
    "options of photos:\n"
    "  --count N          photographs in all (default 100)\n"
    "  --size WxH         pixels (default 256x192)\n"
    "  --vary             sizes from half of that up, some upright\n"
    "  --quality Q[-Q2]   libjpeg quality, or a range (default 75-95)\n"
    "  --classes K        classes (default 4)\n"
    "  --still-life       ray-traced still lifes, which want --size of 3 to 2; slow\n"
    "  --seed S           another seed, other pictures (default 1)\n"
    "  --splits           DIR/train, validation and test: 80, 10 and 10%\n";

struct photos {
    unsigned long count, width, height, quality, quality_max, classes, seed;
    int vary, splits, still_life;
};

static int report(const struct pcr_error *err)
{
    fprintf(stderr, "pcr-gen: %s\n", err->message);
    return 1;
}

static int make_folder(const char *path)
{
    if (!mkdir(path, 0777) || errno == EEXIST)
        return 0;
    fprintf(stderr, "pcr-gen: %s: %s\n", path, strerror(errno));
    return 1;
}

static int write_file(const char *path, const struct pcr_buffer *b)
{
    FILE *f = fopen(path, "wb");
    int failed = !f || fwrite(b->data, 1, b->nbytes, f) != b->nbytes;
    if (f && fclose(f))
        failed = 1;
    if (failed)
        fprintf(stderr, "pcr-gen: %s: %s\n", path, strerror(errno));
    return failed;
}

static int run_list(void)
{
    const struct pcr_gen_case *c;
    for (size_t i = 0; (c = pcr_gen_case(i)); i++)
        printf("%s/%s.%s\n", pcr_gen_folder(c->kind), c->name, pcr_gen_ending(c->kind));
    return 0;
}

static int run_cases(const char *dir)
{
    struct pcr_buffer file = { 0 };
    struct pcr_error err;
    const struct pcr_gen_case *c;
    char path[4096];
    int failed = make_folder(dir);

    for (size_t i = 0; !failed && (c = pcr_gen_case(i)); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, pcr_gen_folder(c->kind));
        failed = make_folder(path);
        if (!failed && pcr_gen_make(c, &file, &err))
            failed = report(&err);
        snprintf(path, sizeof(path), "%s/%s/%s.%s", dir, pcr_gen_folder(c->kind), c->name,
                 pcr_gen_ending(c->kind));
        if (!failed)
            failed = write_file(path, &file);
    }
    pcr_buffer_free(&file);
    return failed;
}

/* A number from low to high that belongs to photograph i. */
static uint32_t pick(const struct photos *p, unsigned long i, uint64_t what, unsigned long low,
                     unsigned long high)
{
    return (uint32_t) (low + pcri_key(p->seed, i, what) % (high - low + 1));
}

static int make_photo(const struct photos *p, unsigned long i, unsigned long klass,
                      struct pcr_buffer *out, struct pcr_error *err)
{
    uint32_t w = (uint32_t) p->width, h = (uint32_t) p->height;
    uint32_t dice = pick(p, i, 1, 0, 19);
    enum pcr_gen_subsampling s = dice < 16   ? PCR_GEN_420
                                 : dice < 18 ? PCR_GEN_444
                                 : dice < 19 ? PCR_GEN_422
                                             : PCR_GEN_GRAY;
    if (p->vary) {
        w = pick(p, i, 2, (w + 1) / 2, w);
        h = pick(p, i, 3, (h + 1) / 2, h);
        if (!pick(p, i, 4, 0, 3)) {
            uint32_t swap = w;
            w = h;
            h = swap;
        }
    }
    int quality = (int) pick(p, i, 5, p->quality, p->quality_max);
    return pcr_gen_photo_of(pcri_key(p->seed, i, 6),
                            p->still_life ? PCR_GEN_STILL_LIFE : (int) klass, w, h, quality, s,
                            false, out, err);
}

static int write_photo(const char *dir, const struct photos *p, unsigned long i,
                       struct pcr_buffer *file)
{
    static const char *const splits[10] = { "train", "train", "train", "train",      "train",
                                            "train", "train", "train", "validation", "test" };
    unsigned long klass = i % p->classes;
    struct pcr_error err;
    char folder[4096], path[4200];

    if (make_photo(p, i, klass, file, &err))
        return report(&err);
    int n = snprintf(folder, sizeof(folder), "%s", dir);
    if (p->splits) {
        n += snprintf(folder + n, sizeof(folder) - (size_t) n, "/%s",
                      splits[i / p->classes % 10]);
        if (make_folder(folder))
            return 1;
    }
    snprintf(folder + n, sizeof(folder) - (size_t) n, "/class-%02lu", klass);
    if (make_folder(folder))
        return 1;
    snprintf(path, sizeof(path), "%s/photo-%05lu.jpg", folder, i);
    return write_file(path, file);
}

static int run_photos(const char *dir, const struct photos *p)
{
    struct pcr_buffer file = { 0 };
    int failed = make_folder(dir);

    if (strlen(dir) > 4000) {
        fprintf(stderr, "pcr-gen: the path is too long\n");
        failed = 1;
    }
    for (unsigned long i = 0; !failed && i < p->count; i++)
        failed = write_photo(dir, p, i, &file);
    pcr_buffer_free(&file);
    return failed;
}

/* Reads a number from low to high off *text, and steps over a `separator` after it. */
static int read_number(const char **text, char separator, unsigned long low,
                       unsigned long high, unsigned long *out)
{
    char *end;
    if (**text < '0' || **text > '9')
        return 0;
    *out = strtoul(*text, &end, 10);
    if (separator && *end == separator)
        end++;
    *text = end;
    return *out >= low && *out <= high;
}

static int parse_photos(int argc, char **argv, struct photos *p)
{
    static const struct option options[] = {
        { "count", required_argument, NULL, 'n' },
        { "size", required_argument, NULL, 's' },
        { "quality", required_argument, NULL, 'q' },
        { "classes", required_argument, NULL, 'k' },
        { "seed", required_argument, NULL, 'r' },
        { "splits", no_argument, NULL, 'p' },
        { "vary", no_argument, NULL, 'v' },
        { "still-life", no_argument, NULL, 'l' },
        { NULL, 0, NULL, 0 },
    };
    int o, ok = 1;

    while (ok && (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        const char *a = optarg ? optarg : "";
        switch (o) {
        case 'n':
            ok = read_number(&a, 0, 1, 10000000, &p->count);
            break;
        case 's':
            ok = read_number(&a, 'x', 1, 65535, &p->width) &&
                 read_number(&a, 0, 1, 65535, &p->height);
            break;
        case 'q':
            ok = read_number(&a, '-', 1, 100, &p->quality);
            p->quality_max = p->quality;
            if (ok && *a)
                ok = read_number(&a, 0, p->quality, 100, &p->quality_max);
            break;
        case 'k':
            ok = read_number(&a, 0, 1, 10000, &p->classes);
            break;
        case 'r':
            ok = read_number(&a, 0, 0, UINT32_MAX, &p->seed);
            break;
        case 'p':
            p->splits = 1;
            break;
        case 'v':
            p->vary = 1;
            break;
        case 'l':
            p->still_life = 1;
            break;
        default:
            ok = 0;
        }
        ok = ok && (!*a);
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct photos p = { .count = 100,
                        .width = 256,
                        .height = 192,
                        .quality = 75,
                        .quality_max = 95,
                        .classes = 4,
                        .seed = 1 };
    int ok = parse_photos(argc, argv, &p), words = argc - optind;
    const char *command = words > 0 ? argv[optind] : "";

    if (ok && words == 1 && !strcmp(command, "list"))
        return run_list();
    if (ok && words == 2 && !strcmp(command, "cases"))
        return run_cases(argv[optind + 1]);
    if (ok && words == 2 && !strcmp(command, "photos"))
        return run_photos(argv[optind + 1], &p);
    fputs(usage, stderr);
    return 2;
}
