/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs every file of the given folders through a fuzz target, and changed copies of it,
 * so that the normal suite needs no libFuzzer. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "fuzz.h"

struct replay {
    unsigned long mutations; /* of each file */
    unsigned long seed;
    unsigned long max_nbytes; /* larger files are run once, without mutations */
    unsigned long files, inputs;
};

/* Changes 1 to 4 places: a bit, a byte, a run copied to elsewhere, or the end cut off. */
static size_t mutate(uint8_t *p, size_t n, uint64_t key)
{
    unsigned changes = 1 + (unsigned) (pcri_key(key, 0, 1) % 4);
    for (unsigned i = 0; n && i < changes; i++) {
        uint64_t r = pcri_key(key, i, 2);
        size_t at = (size_t) (pcri_mix(r) % n);
        /* Structures stand at the beginning: half of the changes go there. */
        if (r >> 60 & 1)
            at %= 256 < n ? 256 : n;
        if ((r & 7) < 3) {
            p[at] ^= (uint8_t) (1u << (r >> 8 & 7));
        } else if ((r & 7) < 6) {
            p[at] = (uint8_t) (r & 256 ? r >> 16 : (r & 512) ? 0xFF : 0);
        } else if ((r & 7) == 6) {
            size_t from = (size_t) (pcri_mix(r + 1) % n), run = r >> 32 & 31;
            size_t most = n - (from > at ? from : at);
            memmove(p + at, p + from, run < most ? run : most);
        } else if (!(r >> 50 & 3)) {
            n = at;
        }
    }
    return n;
}

/* Keeps the input that broke something in the file "crash-input". */
static const uint8_t *current;
static volatile size_t current_nbytes;

static void save_input(int signal_number)
{
    int fd = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool saved = fd >= 0 && write(fd, current, current_nbytes) >= 0;
    static const char text[] = "the input is in crash-input\n";
    if (saved && write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(1);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* Each input in memory of just its size, so that sanitizers see what is read beyond. */
static int run_copy(struct replay *r, const uint8_t *data, size_t n, uint64_t key)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        return 1;
    if (n)
        memcpy(copy, data, n);
    size_t left = key ? mutate(copy, n, key) : n;
    uint8_t *exact = realloc(copy, left ? left : 1);
    current = exact ? exact : copy;
    current_nbytes = left;
    LLVMFuzzerTestOneInput(current, left);
    free(exact ? exact : copy);
    r->inputs++;
    return 0;
}

static int run_file(struct replay *r, const char *path, size_t nbytes)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(nbytes ? nbytes : 1);
    int failed = !f || !data || fread(data, 1, nbytes, f) != nbytes;
    if (failed)
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
    unsigned long mutations = nbytes <= r->max_nbytes ? r->mutations : 0;
    for (unsigned long i = 0; !failed && i <= mutations; i++)
        failed = run_copy(r, data, nbytes, i ? pcri_key(r->seed, nbytes, i) | 1 : 0);
    if (f)
        fclose(f);
    free(data);
    r->files += !failed;
    return failed;
}

static int run_path(struct replay *r, const char *path);

static int run_folder(struct replay *r, const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort), failed = count < 0;
    if (failed)
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char child[4096];
        snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
        if (!failed && names[i]->d_name[0] != '.')
            failed = run_path(r, child);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return failed;
}

static int run_path(struct replay *r, const char *path)
{
    struct stat st;
    if (stat(path, &st)) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    if (S_ISDIR(st.st_mode))
        return run_folder(r, path);
    return run_file(r, path, (size_t) st.st_size);
}

int main(int argc, char **argv)
{
    struct replay r = { .seed = 1, .max_nbytes = 20000 };
    signal(SIGABRT, save_input);
    signal(SIGFPE, save_input);
#if !defined(__SANITIZE_ADDRESS__)
    signal(SIGSEGV, save_input);
#endif
    int i = 1, failed = LLVMFuzzerInitialize(&argc, &argv);

    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        unsigned long n = strtoul(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--mutations"))
            r.mutations = n;
        else if (!strcmp(argv[i], "--seed"))
            r.seed = n;
        else
            failed = 1;
    }
    if (failed || i >= argc) {
        fprintf(stderr, "usage: %s [--mutations N] [--seed S] FILE-OR-FOLDER...\n", argv[0]);
        return 2;
    }
    for (; !failed && i < argc; i++)
        failed = run_path(&r, argv[i]);
    printf("%lu files, %lu inputs\n", r.files, r.inputs);
    return failed || !r.files;
}
