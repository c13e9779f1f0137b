/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a dataset from images in memory, through a source of its own.
 *
 *     cc write_dataset.c -o write_dataset $(pkg-config --cflags --libs libpcr libjpeg)
 *     ./write_dataset DATASET [FILE]...
 *
 * Without files it draws images itself and encodes them with libjpeg.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <pcr/pcr.h>

enum { DRAWN_COUNT = 24, DRAWN_PX = 96 };

/* An encoded image with the name and label that the dataset gives it. */
struct item {
    char key[256];
    int64_t label;
    unsigned char *data; /* malloc'd */
    unsigned long nbytes;
};

struct memory_source {
    struct item *items;
    uint64_t count;
};

/* --- the source that pcr_dataset_write() asks --- */

static int describe(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    const struct memory_source *m = context;
    const struct item *item = &m->items[index];
    (void) err;
    out->key = item->key;
    out->labels = &item->label;
    out->label_count = 1;
    out->nbytes = item->nbytes;
    return PCR_OK;
}

static int load(void *context, uint64_t index, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    const struct memory_source *m = context;
    const struct item *item = &m->items[index];
    if (item->nbytes > max_nbytes) {
        snprintf(err->message, sizeof(err->message), "%lu bytes, at most %" PRIu64,
                 item->nbytes, max_nbytes);
        return err->code = PCR_ERR_LIMIT;
    }
    int rc = pcr_buffer_reserve(out, item->nbytes, err);
    if (rc)
        return rc;
    memcpy(out->data, item->data, item->nbytes);
    out->nbytes = item->nbytes;
    return PCR_OK;
}

/* --- images --- */

static int read_file(const char *path, struct item *item)
{
    FILE *f = fopen(path, "rb");
    int rc = -1;
    if (f && !fseek(f, 0, SEEK_END)) {
        long n = ftell(f);
        rewind(f);
        item->data = n > 0 ? malloc((size_t) n) : NULL;
        if (item->data && fread(item->data, 1, (size_t) n, f) == (size_t) n)
            rc = 0;
        item->nbytes = rc ? 0 : (unsigned long) n;
    }
    if (rc)
        fprintf(stderr, "write_dataset: %s: %s\n", path, errno ? strerror(errno) : "is empty");
    if (f)
        fclose(f);
    const char *slash = strrchr(path, '/');
    snprintf(item->key, sizeof(item->key), "%s", slash ? slash + 1 : path);
    return rc;
}

/* A ring on a gradient (label 0) or stripes on one (label 1), different for each number. */
static void draw_row(int number, int y, unsigned char *row)
{
    for (int x = 0; x < DRAWN_PX; x++) {
        int dx = x - DRAWN_PX / 2, dy = y - DRAWN_PX / 2, r = 300 + 60 * number;
        int d = dx * dx + dy * dy;
        int on = number % 2 ? (x + y + 3 * number) / 8 % 2 : d > r && d < 2 * r;
        row[3 * x] = (unsigned char) (on ? 230 : 2 * x);
        row[3 * x + 1] = (unsigned char) (on ? 40 + 7 * number : 2 * y);
        row[3 * x + 2] = (unsigned char) (on ? 60 : 255 - x - y);
    }
}

static int draw(int number, struct item *item)
{
    struct jpeg_error_mgr errors; /* libjpeg's own: an error ends the program */
    struct jpeg_compress_struct c;
    unsigned char row[3 * DRAWN_PX], *rows[] = { row };

    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &item->data, &item->nbytes);
    c.image_width = c.image_height = DRAWN_PX;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 90, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        draw_row(number, (int) c.next_scanline, row);
        jpeg_write_scanlines(&c, rows, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    item->label = number % 2;
    snprintf(item->key, sizeof(item->key), "%s-%02d.jpg", number % 2 ? "stripes" : "ring",
             number);
    return 0;
}

static int write_dataset(const char *path, struct memory_source *m, int drawn)
{
    static const char *const class_names[] = { "ring", "stripes" };
    struct pcr_source source = {
        .size = sizeof(source),
        .context = m,
        .sample_count = m->count,
        .class_count = drawn ? 2 : 0,
        .class_names = drawn ? class_names : NULL,
        .describe = describe,
        .load = load,
    };
    struct pcr_write_options options = { .size = sizeof(options), .record_samples = 16 };
    struct pcr_write_progress report = { .size = sizeof(report) };
    struct pcr_error err;
    int rc = pcr_dataset_write(path, &source, &options, &report, &err);
    if (rc) {
        fprintf(stderr, "write_dataset: %s\n", err.message);
        return rc;
    }
    printf("%s: %" PRIu64 " samples in %" PRIu64 " records, %" PRIu64 " bytes from %" PRIu64
           "\n",
           path, report.samples_done, report.record_count, report.written_nbytes,
           report.source_nbytes);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: write_dataset DATASET [FILE]...\n");
        return 2;
    }
    struct memory_source m = { .count = argc > 2 ? (uint64_t) argc - 2 : DRAWN_COUNT };
    m.items = calloc(m.count, sizeof(*m.items));
    int rc = m.items ? 0 : -1;
    for (uint64_t i = 0; i < m.count && !rc; i++)
        rc = argc > 2 ? read_file(argv[i + 2], &m.items[i]) : draw((int) i, &m.items[i]);
    if (!rc)
        rc = write_dataset(argv[1], &m, argc == 2);
    for (uint64_t i = 0; m.items && i < m.count; i++)
        free(m.items[i].data);
    free(m.items);
    return rc ? 1 : 0;
}
