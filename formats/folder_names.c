/* SPDX-License-Identifier: BSD-2-Clause */
/* What the names of folders and files in a tree of images usually mean. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "../libpcr/io/io.h"
#include "folder_names.h"

/* --- splits --- */

static const struct {
    const char *word;
    enum pcri_split_kind kind;
} split_words[] = {
    { "train", PCRI_SPLIT_TRAIN },         { "training", PCRI_SPLIT_TRAIN },
    { "trainval", PCRI_SPLIT_TRAIN },      { "val", PCRI_SPLIT_VALIDATION },
    { "valid", PCRI_SPLIT_VALIDATION },    { "validation", PCRI_SPLIT_VALIDATION },
    { "validate", PCRI_SPLIT_VALIDATION }, { "dev", PCRI_SPLIT_VALIDATION },
    { "eval", PCRI_SPLIT_VALIDATION },     { "evaluation", PCRI_SPLIT_VALIDATION },
    { "test", PCRI_SPLIT_TEST },           { "testing", PCRI_SPLIT_TEST },
};

static enum pcri_split_kind find_word(const char *word, size_t nbytes)
{
    for (size_t i = 0; i < sizeof(split_words) / sizeof(split_words[0]); i++)
        if (strlen(split_words[i].word) == nbytes &&
            !strncasecmp(word, split_words[i].word, nbytes))
            return split_words[i].kind;
    return PCRI_SPLIT_NONE;
}

enum pcri_split_kind pcri_split_kind(const char *name)
{
    return find_word(name, strlen(name));
}

bool pcri_is_split_name(const char *name)
{
    return pcri_split_kind(name) != PCRI_SPLIT_NONE;
}

/* Whether a word ends between these two. */
static bool is_border(char a, char b)
{
    return !isalpha((unsigned char) b) ||
           (islower((unsigned char) a) && isupper((unsigned char) b));
}

const char *pcri_split_word_within(const char *name, size_t *nbytes)
{
    for (const char *p = name; *p;) {
        size_t n = 1;
        if (!isalpha((unsigned char) *p)) {
            p++;
            continue;
        }
        while (!is_border(p[n - 1], p[n]))
            n++;
        const bool set = n > 3 && !strncasecmp(p + n - 3, "set", 3); /* testset */
        *nbytes = find_word(p, n) ? n : n - 3;
        if (find_word(p, n) || (set && find_word(p, n - 3)))
            return p;
        p += n;
    }
    return NULL;
}

enum pcri_split_kind pcri_split_kind_within(const char *name)
{
    size_t nbytes;
    const char *word = pcri_split_word_within(name, &nbytes);
    return word ? find_word(word, nbytes) : PCRI_SPLIT_NONE;
}

/* --- names in sorted tables --- */

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(a, *(const char *const *) b);
}

#define IS_IN(name, table) \
    (bsearch(name, table, sizeof(table) / sizeof((table)[0]), sizeof((table)[0]), \
             compare_names) != NULL)

bool pcri_is_container_name(const char *name)
{
    static const char *const names[] = {
        "data", "dataset",    "files",    "image", "images", "img",   "imgs",
        "jpeg", "jpegimages", "jpegs",    "jpg",   "jpgs",   "photo", "photos",
        "pics", "picture",    "pictures", "png",   "pngs",
    };
    return IS_IN(name, names);
}

bool pcri_is_images_name(const char *name)
{
    static const char *const names[] = { "image", "images", "img", "imgs", "jpegimages" };
    return IS_IN(name, names);
}

bool pcri_is_clutter(const char *name)
{
    static const char *const names[] = {
        "$RECYCLE.BIN", "@eaDir",     "__MACOSX",
        "desktop.ini",  "lost+found", "System Volume Information",
        "Thumbs.db",
    };
    return IS_IN(name, names);
}

static bool is_image_ending(const char *ending)
{
    static const char *const endings[] = {
        "apng", "arw",  "avif", "bmp", "cr2", "cr3",  "dcm", "dib",  "dng",  "exr",  "gif",
        "heic", "heif", "hif",  "ico", "j2k", "jfif", "jif", "jp2",  "jpe",  "jpeg", "jpf",
        "jpg",  "jps",  "jpx",  "jxl", "mpo", "nef",  "orf", "pbm",  "pfm",  "pgm",  "png",
        "pnm",  "ppm",  "psd",  "raf", "rw2", "tga",  "tif", "tiff", "webp",
    };
    return IS_IN(ending, endings);
}

static bool is_other_ending(const char *ending)
{
    static const char *const endings[] = {
        "7z",       "arrow",     "asc",  "avi",    "bat",         "bib",   "bz2",
        "c",        "cache",     "cfg",  "ckpt",   "conf",        "cpp",   "css",
        "csv",      "db",        "dll",  "doc",    "docx",        "exe",   "feather",
        "flac",     "gz",        "h",    "h5",     "hdf5",        "htm",   "html",
        "ini",      "ipynb",     "java", "js",     "json",        "jsonl", "lmdb",
        "log",      "lst",       "m",    "m4v",    "mat",         "md",    "md5",
        "mdb",      "mkv",       "mov",  "mp3",    "mp4",         "mpeg",  "mpg",
        "names",    "ndjson",    "npy",  "npz",    "ods",         "odt",   "ogg",
        "onnx",     "parquet",   "pb",   "pdf",    "pickle",      "pkl",   "pl",
        "ppt",      "pptx",      "pt",   "pth",    "py",          "pyc",   "r",
        "rar",      "rb",        "rst",  "rtf",    "safetensors", "sh",    "sha1",
        "sha256",   "sig",       "so",   "sqlite", "tar",         "tex",   "tflite",
        "tfrecord", "tfrecords", "tgz",  "toml",   "torrent",     "tsv",   "ttf",
        "txt",      "url",       "wav",  "webloc", "webm",        "xls",   "xlsx",
        "xml",      "xz",        "yaml", "yml",    "zip",         "zst",
    };
    return IS_IN(ending, endings);
}

static bool is_other_name(const char *name)
{
    static const char *const names[] = {
        "authors", "changelog", "contributing", "copying",  "copyright", "dockerfile",
        "licence", "license",   "makefile",     "manifest", "notice",    "readme",
    };
    return IS_IN(name, names);
}

/* --- files --- */

bool pcri_is_image_start(const uint8_t *b, size_t n)
{
    static const struct {
        uint8_t at, nbytes;
        const char *bytes;
    } magics[] = {
        { 0, 3, "\xff\xd8\xff" }, { 0, 4, "\x89PNG" },  { 0, 4, "GIF8" },
        { 8, 4, "WEBP" },         { 0, 4, "II*\0" },    { 0, 4, "MM\0*" },
        { 4, 8, "ftypheic" },     { 4, 8, "ftypheix" }, { 4, 8, "ftypmif1" },
        { 4, 8, "ftypmsf1" },     { 4, 8, "ftypavif" }, { 4, 6, "jP  \r\n" },
        { 4, 6, "JXL \r\n" },     { 0, 2, "\xff\x0a" }, { 0, 4, "\xff\x4f\xff\x51" },
        { 0, 4, "8BPS" },
    };
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (n >= (size_t) magics[i].at + magics[i].nbytes &&
            !memcmp(b + magics[i].at, magics[i].bytes, magics[i].nbytes))
            return true;
    if (n >= 3 && b[0] == 'P' && b[1] >= '1' && b[1] <= '6' && (b[2] == ' ' || b[2] == '\n'))
        return true;
    return n >= 10 && !memcmp(b, "BM", 2) && !memcmp(b + 6, "\0\0\0\0", 4);
}

static int read_start(const char *path, uint8_t bytes[16], size_t *n, struct pcr_error *err)
{
    struct pcri_file *f = NULL;
    int rc = pcri_file_open(&pcri_io_pread, path, &f, err);
    if (!rc) {
        *n = f->nbytes < 16 ? (size_t) f->nbytes : 16;
        rc = *n ? pcri_file_read_at(f, 0, bytes, *n, err) : 0;
    }
    pcri_file_close(&f);
    return rc;
}

static int look_at_start(const char *path, enum pcri_file_kind *out, struct pcr_error *err)
{
    uint8_t bytes[16];
    struct pcr_error e;
    uint32_t attempt = 0;
    size_t n = 0;
    int rc;
    do
        rc = read_start(path, bytes, &n, &e);
    while (pcri_try_again(attempt++, PCRI_TRIES_AGAIN, &rc, &e));
    *out = !rc && pcri_is_image_start(bytes, n) ? PCRI_FILE_IMAGE : PCRI_FILE_UNKNOWN;
    if (!rc || pcri_is_of_data(rc, &e) || (rc == PCR_ERR_IO && e.sys_errno == EACCES))
        return 0;
    return pcri_hand_on(err, rc, &e);
}

static bool is_given_ending(const struct pcr_source_options *opts, const char *ending)
{
    for (uint32_t i = 0; i < opts->extension_count; i++)
        if (!strcasecmp(ending, opts->extensions[i]))
            return true;
    return false;
}

enum pcri_file_kind pcri_file_kind_by_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot && is_image_ending(dot + 1))
        return PCRI_FILE_IMAGE;
    return (dot && is_other_ending(dot + 1)) || is_other_name(name) ? PCRI_FILE_OTHER
                                                                    : PCRI_FILE_UNKNOWN;
}

int pcri_file_kind(const char *path, const struct pcr_source_options *opts,
                   enum pcri_file_kind *out, struct pcr_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    const enum pcri_file_kind by_name = pcri_file_kind_by_name(name);
    const bool chosen = opts->extension_count;
    *out = PCRI_FILE_IMAGE;
    if (chosen ? dot && is_given_ending(opts, dot + 1) : by_name == PCRI_FILE_IMAGE)
        return 0;
    *out = PCRI_FILE_OTHER;
    if (opts->flags & PCR_SOURCE_ALL_FILES)
        return look_at_start(path, out, err);
    if (chosen || by_name == PCRI_FILE_OTHER)
        return 0;
    return look_at_start(path, out, err);
}
