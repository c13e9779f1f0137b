/* SPDX-License-Identifier: BSD-2-Clause */
/* Any damage to a cache's file: readers get what storage has, and later readings find it
 * repaired. The input is XORed into the table of a whole cache file, byte by byte, and after it
 * into the blocks, by places and values; the first byte may cut the file off. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#include "io/layer.h"

enum { BLOCK = 16 << 10, FILE_NBYTES = 2 * BLOCK + 1234, RANGES = 4 };

static uint8_t storage[FILE_NBYTES], got[FILE_NBYTES], *entry, *copy;
static size_t entry_nbytes;
static struct pcri_layers *layers;
static struct pcri_file *file;
static int fd;
static char path[] = "/"; /* that exists, which is all that a cache asks of it */

static int memory_open(const struct pcri_io_backend *self, const char *name,
                       struct pcri_file **out, struct pcr_error *err)
{
    struct pcri_file *f = pcri_calloc(1, sizeof(*f), err);
    (void) name;
    if (!f)
        return PCR_ERR_NOMEM;
    *f = (struct pcri_file) { .backend = self, .nbytes = FILE_NBYTES, .path = path };
    *out = f;
    return 0;
}

static int memory_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                       struct pcr_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].offset > f->nbytes || ranges[i].nbytes > f->nbytes - ranges[i].offset)
            return pcri_fail(err, PCR_ERR_TRUNCATED, "beyond the end");
        memcpy(ranges[i].dst, storage + ranges[i].offset, ranges[i].nbytes);
    }
    return 0;
}

static void memory_close(struct pcri_file *f)
{
    free(f);
}

static const struct pcri_io_backend memory = {
    .name = "memory",
    .open = memory_open,
    .read = memory_read,
    .close = memory_close,
    .identify = pcri_identify_path,
};

/* Fills the cache, and keeps what its file then is. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const struct pcri_layer_options o = { .cache_nbytes = UINT64_MAX / 2 };
    (void) argc;
    (void) argv;
    for (unsigned i = 0; i < FILE_NBYTES; i++)
        storage[i] = (uint8_t) (i * 7 + i / 251);
    int rc = pcri_layers_create(&memory, &o, &layers, NULL);
    if (!rc)
        rc = pcri_file_open(layers->top, path, &file, NULL);
    if (!rc)
        rc = pcri_file_read_at(file, 0, got, FILE_NBYTES, NULL);
    fd = rc ? -1 : pcri_store_open(layers->store, file);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    entry_nbytes = end > 0 ? (size_t) end : 0;
    entry = entry_nbytes ? malloc(entry_nbytes) : NULL;
    copy = entry_nbytes ? malloc(entry_nbytes) : NULL;
    return !entry || !copy || pread(fd, entry, entry_nbytes, 0) != end;
}

/* The cache file, damaged. */
static bool put_file(const uint8_t *data, size_t nbytes)
{
    static const size_t table = (FILE_NBYTES / BLOCK + 1) * 8;
    size_t left = entry_nbytes;
    memcpy(copy, entry, entry_nbytes);
    if (nbytes && data[0] & 1)
        left = entry_nbytes * (data[0] >> 1) / 128;
    for (size_t i = 1; i < nbytes && i <= table; i++)
        copy[i - 1] ^= data[i];
    for (size_t i = table + 1; i + 2 < nbytes; i += 3)
        copy[(data[i] * 256u + data[i + 1]) * entry_nbytes >> 16] ^= data[i + 2];
    return pwrite(fd, copy, left, 0) == (ssize_t) left &&
           (left == entry_nbytes || !ftruncate(fd, (off_t) left));
}

static void read_all(void)
{
    static const size_t ends[RANGES] = { 100, BLOCK, BLOCK * 2 + 17, FILE_NBYTES };
    struct pcri_range ranges[RANGES];
    struct pcr_error err = { 0 };
    size_t begin = 0;
    for (int i = 0; i < RANGES; begin = ends[i++])
        ranges[i] = (struct pcri_range) { begin, got + begin, ends[i] - begin };
    int rc = pcri_file_read(file, ranges, RANGES, &err);
    FUZZ_CHECK(!rc || rc == PCR_ERR_NOMEM, "%s", err.message);
    bool same = rc || !memcmp(got, storage, FILE_NBYTES);
    for (size_t i = 0; !same && i < FILE_NBYTES; i++)
        FUZZ_CHECK(got[i] == storage[i], "byte %zu: %u, stored %u", i, got[i], storage[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    if (!put_file(data, nbytes))
        return 0;
    read_all();
    uint64_t missed = layers->counts.cache_miss_nbytes;
    read_all();
    FUZZ_CHECK(layers->counts.cache_miss_nbytes == missed, "not repaired");
    return 0;
}
