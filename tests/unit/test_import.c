/* SPDX-License-Identifier: BSD-2-Clause */
/* import: folders and lists as sources. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "suite.h"
#include "top.h"
#include <pcr/source.h>

static struct pcr_error error;

/* What left_out() was told, one "path: reason" after another. */
static char left[4096];

static char mark[] = "mark";

static void left_out(void *context, const char *path, const char *reason)
{
    size_t n = strlen(left);
    ck_assert_ptr_eq(context, mark);
    snprintf(left + n, sizeof(left) - n, "%s: %s\n", path + strlen(top.path) + 1, reason);
}

/* The same of noted(). */
static char notes[4096];

static void noted(void *context, const char *path, const char *what)
{
    size_t n = strlen(notes);
    ck_assert_ptr_eq(context, mark);
    snprintf(notes + n, sizeof(notes) - n, "%s: %s\n", path + strlen(top.path) + 1, what);
}

static int try_open(const char *name, const char *list_root, struct pcr_source **out)
{
    struct pcr_source_options o = { .size = sizeof(o),
                                    .left_out = left_out,
                                    .noted = noted,
                                    .context = mark,
                                    .root = list_root };
    left[0] = notes[0] = '\0';
    return pcr_source_open(name ? at(name) : top.path, &o, out, &error);
}

static struct pcr_source *open_source(const char *name)
{
    struct pcr_source *s = NULL;
    int rc = try_open(name, NULL, &s);
    ck_assert_msg(rc == 0, "%s", error.message);
    return s;
}

static void refused(const char *name, int code, const char *part)
{
    struct pcr_source *s = NULL;
    ck_assert_int_eq(try_open(name, NULL, &s), code);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' lacks '%s'", error.message, part);
    ck_assert_ptr_null(s);
}

static struct pcr_source_sample sample(struct pcr_source *s, uint64_t i)
{
    struct pcr_source_sample out = { .size = sizeof(out) };
    ck_assert_int_eq(s->describe(s->context, i, &out, &error), 0);
    return out;
}

/* All samples as "split/label key" lines. */
static const char *dump(struct pcr_source *s)
{
    static char text[8192];
    size_t n = 0;
    text[0] = '\0';
    for (uint64_t i = 0; i < s->sample_count; i++) {
        struct pcr_source_sample one = sample(s, i);
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%u/", one.split);
        for (uint32_t k = 0; k < one.label_count; k++)
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%lld", k ? "," : "",
                                   (long long) one.labels[k]);
        n += (size_t) snprintf(text + n, sizeof(text) - n, " %s\n", one.key);
    }
    return text;
}

START_TEST(flat_folder)
{
    file("b.jpg", "22");
    file("a.jpg", "1");
    file(".hidden", "x");
    file("B.jpg", "");
    struct pcr_source *s = open_source(NULL);
    ck_assert_str_eq(dump(s), "0/ B.jpg\n0/ a.jpg\n0/ b.jpg\n");
    ck_assert_uint_eq(s->class_count, 0);
    ck_assert_uint_eq(s->split_count, 1);
    ck_assert_ptr_null(s->split_names);
    ck_assert_uint_eq(sample(s, 2).nbytes, 2);
    ck_assert_uint_ne(sample(s, 2).revision, 0);
    ck_assert_str_eq(sample(s, 2).path, at("b.jpg"));

    struct pcr_buffer b = { 0 };
    ck_assert_int_eq(s->load(s->context, 2, 2, &b, &error), 0);
    ck_assert_uint_eq(b.nbytes, 2);
    ck_assert_mem_eq(b.data, "22", 2);
    ck_assert_int_eq(s->load(s->context, 0, 2, &b, &error), 0);
    ck_assert_uint_eq(b.nbytes, 0);
    ck_assert_int_eq(s->load(s->context, 2, 1, &b, &error), PCR_ERR_LIMIT);
    ck_assert_int_eq(s->load(s->context, 3, 1, &b, &error), PCR_ERR_INVAL);
    ck_assert_int_eq(unlink(at("b.jpg")), 0);
    ck_assert_int_eq(s->load(s->context, 2, 2, &b, &error), PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, ENOENT);
    pcr_buffer_free(&b);
    pcr_source_close(&s);
}
END_TEST

START_TEST(class_folders)
{
    folder("dog");
    folder("cat");
    folder("cat/deep");
    folder("empty");
    folder(".git");
    file(".git/config", "");
    file("dog/1.jpg", "");
    file("cat/2.jpg", "");
    file("cat/deep/3.jpg", "");
    file("readme.txt", "");
    struct pcr_source *s = open_source(NULL);
    ck_assert_str_eq(dump(s), "0/0 cat/2.jpg\n0/0 cat/deep/3.jpg\n0/1 dog/1.jpg\n");
    ck_assert_uint_eq(s->class_count, 2);
    ck_assert_str_eq(s->class_names[1], "dog");
    ck_assert_str_eq(left, "");
    ck_assert_uint_eq(s->ignored_count, 2); /* .git is one */
    pcr_source_close(&s);
}
END_TEST

START_TEST(split_folders)
{
    folder("train");
    folder("Test");
    folder("train/x");
    folder("train/a");
    folder("Test/x");
    file("train/x/1", "");
    file("train/a/1", "");
    file("Test/x/1", "");
    file("train/stray", "");
    struct pcr_source *s = open_source(NULL);
    ck_assert_str_eq(dump(s), "0/1 Test/x/1\n1/0 train/a/1\n1/1 train/x/1\n");
    ck_assert_str_eq(s->split_names[0], "Test");
    ck_assert_str_eq(s->split_names[1], "train");
    ck_assert_uint_eq(s->class_count, 2);
    ck_assert_str_eq(left, "train/stray: an image next to the class folders of its split\n");
    ck_assert_uint_eq(s->left_out_count, 1);
    ck_assert_str_eq(s->left_out[0].key, "train/stray");
    ck_assert_str_eq(s->left_out[0].path, at("train/stray"));
    ck_assert_ptr_nonnull(strstr(s->left_out[0].reason, "next to the class folders"));
    pcr_source_close(&s);
}
END_TEST

/* Makes empty files, and the folders that they are in, of names with blanks between; names
 * that end in '/' are folders. */
static void grow(const char *names)
{
    char path[256];
    while (*names) {
        size_t n = strcspn(names, " ");
        for (size_t i = 1; i < n; i++) {
            snprintf(path, sizeof(path), "%s/%.*s", top.path, (int) i, names);
            if (names[i] == '/' && mkdir(path, 0777))
                ck_assert_int_eq(errno, EEXIST);
        }
        snprintf(path, sizeof(path), "%.*s", (int) n, names);
        if (names[n - 1] != '/')
            file(path, "");
        names += n + (names[n] == ' ');
    }
}

static int open_as(uint32_t layout, struct pcr_source **out)
{
    struct pcr_source_options o = {
        .size = sizeof(o), .left_out = left_out, .context = mark, .layout = layout
    };
    left[0] = '\0';
    return pcr_source_open(top.path, &o, out, &error);
}

/* "splits | classes | samples as split/label, the last ones' keys left away", as short as a
 * table wants it: "test,train | cat,dog | 0/0 0/1". */
static const char *outline(struct pcr_source *s)
{
    static char text[1024];
    size_t n = 0;
    for (uint32_t i = 0; s->split_names && i < s->split_count; i++)
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%s", i ? "," : "",
                               s->split_names[i]);
    n += (size_t) snprintf(text + n, sizeof(text) - n, " | ");
    for (uint32_t i = 0; i < s->class_count; i++)
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%s", i ? "," : "",
                               s->class_names[i]);
    n += (size_t) snprintf(text + n, sizeof(text) - n, " |");
    for (uint64_t i = 0; i < s->sample_count; i++) {
        struct pcr_source_sample one = sample(s, i);
        n += (size_t) snprintf(text + n, sizeof(text) - n, " %u/", one.split);
        if (one.label_count)
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%lld",
                                   (long long) one.labels[0]);
    }
    return text;
}

static const struct {
    const char *names, *outline;
    unsigned left_out;
} clear_layouts[] = {
    /* the usual names, in any case */
    { "train/a/1.jpg valid/a/1.jpg test/b/1.jpg", "test,train,valid | a,b | 0/1 1/0 2/0", 0 },
    { "Training/a/1.jpg TESTING/a/1.jpg Eval/a/1.jpg",
      "Eval,TESTING,Training | a | 0/0 1/0 2/0", 0 },
    { "train/1.jpg dev/2.jpg", "dev,train |  | 0/ 1/", 0 },
    { "train2017/1.jpg val2017/1.jpg", "train2017,val2017 |  | 0/ 1/", 0 },
    { "training_set/a/1.jpg testSet/a/1.jpg", "testSet,training_set | a | 0/0 1/0", 0 },
    /* folders without images do not decide */
    { "train/a/1.jpg test/a/1.jpg __MACOSX/train/._1.jpg extra/x.txt empty/ .git/1.jpg "
      "labels/1.json train/b/ train/c/notes.md",
      "test,train | a | 0/0 1/0", 0 },
    { "a/1.jpg b/1.jpg train/readme.md extra/note", " | a,b | 0/0 0/1", 0 },
    /* a level more */
    { "data/train/a/1.jpg data/val/b/1.jpg", "train,val | a,b | 0/0 1/1", 0 },
    { "x/y/z/a/1.jpg x/y/z/b/1.jpg x/readme.txt", " | a,b | 0/0 0/1", 0 },
    { "train/train/a/1.jpg test/test/a/1.jpg", "test,train | a | 0/0 1/0", 0 },
    { "seg_train/seg_train/a/1.jpg seg_test/seg_test/a/1.jpg",
      "seg_test,seg_train | a | 0/0 1/0", 0 },
    { "train/images/1.jpg train/labels/1.txt val/images/2.jpg", "train,val |  | 0/ 1/", 0 },
    { "images/train/1.jpg images/val/2.jpg labels/train/1.txt", "train,val |  | 0/ 1/", 0 },
    { "images/1.jpg labels/1.txt", " |  | 0/", 0 },
    { "train/a/b/x/1.jpg val/x/1.jpg", "train,val | x | 0/0 1/0", 0 },
    { "train/a/b/x/1.jpg val/y/1.jpg", "train,val | a,y | 0/0 1/1", 0 },
    { "train/set-a/x/1.jpg val/set-b/x/2.jpg", "train,val | x | 0/0 1/0", 0 },
    { "train/a/1.jpg train/b/1.jpg val/more/a/1.jpg val/more/b/2.jpg",
      "train,val | a,b | 0/0 0/1 1/0 1/1", 0 },
    /* a test set without labels */
    { "train/a/1.jpg train/b/1.jpg test/1.jpg test/2.jpg", "test,train | a,b | 0/ 0/ 1/0 1/1",
      0 },
    { "train/a/1.jpg test/images/1.jpg", "test,train | a | 0/ 1/0", 0 },
    /* classes */
    { "a/1.jpg", " | a | 0/0", 0 },
    { "a/x/1.jpg a/2.jpg b/y/z/3.jpg", " | a,b | 0/0 0/0 0/1", 0 },
    { "train/a/1.jpg val/a/x/1.jpg val/zoo/1.jpg", "train,val | a,zoo | 0/0 1/0 1/1", 0 },
    { "train/a/1.jpg train/A/1.jpg val/a/1.jpg", "train,val | A,a | 0/0 0/1 1/1", 0 },
    { "trains/1.jpg bus/1.jpg train_station/1.jpg",
      " | bus,train_station,trains | 0/0 0/1 0/2", 0 },
    { "train/train/1.jpg train/bus/1.jpg val/train/1.jpg",
      "train,val | bus,train | 0/0 0/1 1/1", 0 },
    /* images beside folders */
    { "a/1.jpg x.jpg", " | a | 0/0", 1 },
    { "a/1.jpg a/2.jpg 3.png b/4.jpg readme.txt", " | a,b | 0/0 0/0 0/1", 1 },
    { "train/a/1.jpg train/a/2.jpg train/x.jpg val/a/1.jpg y.jpg",
      "train,val | a | 0/0 0/0 1/0", 2 },
};

START_TEST(layouts)
{
    struct pcr_source *s = NULL;
    grow(clear_layouts[_i].names);
    ck_assert_msg(open_as(PCR_FOLDERS_AUTO, &s) == 0, "%s: %s", clear_layouts[_i].names,
                  error.message);
    ck_assert_str_eq(outline(s), clear_layouts[_i].outline);
    ck_assert_uint_eq(s->left_out_count, clear_layouts[_i].left_out);
    pcr_source_close(&s);
}
END_TEST

/* In doubt the readings are shown, and each can be chosen. */
static const struct {
    const char *names, *message, *split_class, *class, *split;
} doubtful_layouts[] = {
    { "train/a/1.jpg val/a/1.jpg extra/x/1.jpg",
      "'split-class' has 3 splits (extra, train, val) and 2 classes (a, x); 'class' has 3 "
      "classes (extra, train, val) (pcrtool: --layout)",
      "extra,train,val | a,x | 0/1 1/0 2/0", " | extra,train,val | 0/0 0/1 0/2",
      "extra,train,val |  | 0/ 1/ 2/" },
    { "up/train/a/1.jpg up/val/a/1.jpg up/other/1.jpg",
      "'split-class' has 3 splits (other, train, val) and 1 class (a); 'class' has 3",
      "other,train,val | a | 0/ 1/0 2/0", " | other,train,val | 0/0 0/1 0/2",
      "other,train,val |  | 0/ 1/ 2/" },
    { "train/1.jpg car/1.jpg plane/1.jpg",
      "'split' has 3 splits (car, plane, train) without labels; 'class' has 3 classes",
      "car,plane,train |  | 0/ 1/ 2/", " | car,plane,train | 0/0 0/1 0/2",
      "car,plane,train |  | 0/ 1/ 2/" },
    { "a/train/1.jpg a/test/1.jpg b/train/1.jpg b/test/1.jpg",
      "splits are in other folders ('a/test')", "a,b | test,train | 0/0 0/1 1/0 1/1",
      " | a,b | 0/0 0/0 0/1 0/1", "a,b |  | 0/ 0/ 1/ 1/" },
    { "train/1.jpg test/a/1.jpg test/b/2.jpg", "'train' has no class folders, but other",
      "test,train | a,b | 0/0 0/1 1/", " | test,train | 0/0 0/0 0/1",
      "test,train |  | 0/ 0/ 1/" },
    { "train/a/1.jpg train/2.jpg train/3.jpg val/a/1.jpg",
      "'train' has 2 images next to its folders, 1 in them", "train,val | a | 0/0 1/0",
      " | train,val | 0/0 0/0 0/0 0/1", "train,val |  | 0/ 0/ 0/ 1/" },
    { "train/Cat/1.jpg val/cat/1.jpg", "class 'Cat' of one split is 'cat' in another",
      "train,val | Cat,cat | 0/0 1/1", " | train,val | 0/0 0/1", "train,val |  | 0/ 1/" },
    { "train/a/1.jpg Train/a/1.jpg", "splits 'Train' and 'train' differ only in case",
      "Train,train | a | 0/0 1/0", " | Train,train | 0/0 0/1", "Train,train |  | 0/ 1/" },
    { "train2017/1.jpg", "'split' has 1 split (train2017) without labels; 'class' has 1 class",
      "train2017 |  | 0/", " | train2017 | 0/0", "train2017 |  | 0/" },
    { "1.jpg 2.jpg thumbs/1.jpg",
      "2 images are next to folders with 1; choose a layout: 'class' has 1 class (thumbs); "
      "'flat' has no splits, no labels",
      "thumbs |  | 0/", " | thumbs | 0/0", "thumbs |  | 0/" },
    { "train/train/1.jpg train/test/1.jpg val/train/1.jpg val/test/1.jpg",
      "are in folders with names of splits", "train,val | test,train | 0/0 0/1 1/0 1/1",
      " | train,val | 0/0 0/0 0/1 0/1", "train,val |  | 0/ 0/ 1/ 1/" },
    { "daisy/1.jpg rose/1.jpg all/daisy/1.jpg all/rose/1.jpg",
      "'all' would be a class, but holds 'daisy', another; choose a layout: 'class' has 3",
      "all,daisy,rose | daisy,rose | 0/0 0/1 1/ 2/", " | all,daisy,rose | 0/0 0/0 0/1 0/2",
      "all,daisy,rose |  | 0/ 0/ 1/ 2/" },
    { "train/images/1.jpg train/masks/1.png val/images/2.jpg val/masks/2.png",
      "'images' would be one of several classes", "train,val | images,masks | 0/0 0/1 1/0 1/1",
      " | train,val | 0/0 0/0 0/1 0/1", "train,val |  | 0/ 0/ 1/ 1/" },
    { "seg_train/a/1.jpg seg_test/a/1.jpg pred/1.jpg", "some folders have names of splits",
      "pred,seg_test,seg_train | a | 0/ 1/0 2/0", " | pred,seg_test,seg_train | 0/0 0/1 0/2",
      "pred,seg_test,seg_train |  | 0/ 1/ 2/" },
};

START_TEST(layouts_in_doubt)
{
    struct pcr_source *s = NULL;
    const char *wanted[] = { doubtful_layouts[_i].split_class, doubtful_layouts[_i].class,
                             doubtful_layouts[_i].split };
    grow(doubtful_layouts[_i].names);
    refused(NULL, PCR_ERR_INVAL, doubtful_layouts[_i].message);
    for (uint32_t k = 0; k < 3; k++) {
        ck_assert_msg(open_as(PCR_FOLDERS_SPLIT_CLASS + k, &s) == 0, "%s", error.message);
        ck_assert_str_eq(outline(s), wanted[k]);
        pcr_source_close(&s);
    }
    ck_assert_int_eq(open_as(PCR_FOLDERS_FLAT, &s), 0);
    ck_assert_uint_eq(s->class_count, 0);
    ck_assert_uint_eq(s->split_count, 1);
    ck_assert_uint_eq(s->left_out_count, 0);
    pcr_source_close(&s);
    ck_assert_int_eq(open_as(PCR_FOLDERS_FLAT + 1, &s), PCR_ERR_INVAL);
}
END_TEST

START_TEST(layouts_of_nothing)
{
    struct pcr_source *s = NULL;
    grow("a/1.txt a/2.json b/README");
    refused(NULL, PCR_ERR_INVAL, "no images in this folder (3 other files)");
    file("1.jpg", "");
    ck_assert_int_eq(open_as(PCR_FOLDERS_CLASS, &s), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "'class', but there are no folders with "
                                                "images"));
    /* What a name does not tell the first bytes do. */
    test_put(&top, "c5a1", "\xff\xd8\xff\xe0", 4);
    file("c5a2", "text");
    grow("c/");
    test_put(&top, "c/b7", "\x89PNG\r\n", 6);
    refused(NULL, PCR_ERR_INVAL, "2 images are next to folders with 1");
}
END_TEST

/* Hugging Face's imagefolder: metadata beside images. */
START_TEST(metadata_files)
{
    grow("train/1.jpg train/2.jpg train/3.jpg test/4.jpg");
    file("train/metadata.csv", "file_name,text,label,key\n1.jpg,one,cat,x\n"
                               "../train/2.jpg,two,ape,\n");
    file("test/metadata.jsonl", "\n{\"file_name\":\"4.jpg\",\"objects\":{\"bbox\":[[1,2]]},"
                                "\"label\":\"cat\"}\n");
    struct pcr_source *s = open_source(NULL);
    ck_assert_str_eq(outline(s), "test,train | ape,cat | 0/1 1/1 1/0 1/");
    ck_assert_str_eq(sample(s, 0).attributes, "{\"objects\":{\"bbox\":[[1,2]]}}");
    ck_assert_str_eq(sample(s, 1).attributes, "{\"key\":\"x\",\"text\":\"one\"}");
    ck_assert_ptr_null(sample(s, 3).attributes);
    ck_assert_str_eq(left, "");
    ck_assert_str_eq(notes, "train/metadata.csv: it has no row for 1 of the 3 images in its "
                            "folder\n");
    ck_assert_uint_eq(s->ignored_count, 0);
    ck_assert_uint_eq(s->left_out_count, 0);
    pcr_source_close(&s);
    file("train/metadata.csv", "file_name\n1.jpg\n9.jpg\n");
    refused(NULL, PCR_ERR_INVAL, "train/metadata.csv: line 3: there is no file '9.jpg'");
    file("train/metadata.csv", "file_name,label\n1.jpg,a\n./1.jpg,a\n");
    refused(NULL, PCR_ERR_INVAL, "line 3: a second row for './1.jpg'");
    file("train/metadata.csv", "file_name,label\n1.jpg,1\n3.jpg,2\n");
    file("test/metadata.jsonl", "{\"file_name\":\"4.jpg\",\"label\":7}\n");
    s = open_source(NULL);
    ck_assert_str_eq(outline(s), "test,train |  | 0/7 1/1 1/ 1/2");
    pcr_source_close(&s);
}
END_TEST

/* Class folders keep their labels; metadata without file_name is none. */
START_TEST(metadata_and_classes)
{
    grow("a/1.jpg a/2.jpg b/3.jpg 4.jpg");
    file("metadata.jsonl", "{\"file_name\":\"a/1.jpg\",\"label\":\"a\",\"x\":1}\n"
                           "{\"file_name\":\"b/3.jpg\",\"label\":0}\n"
                           "{\"file_name\":\"4.jpg\",\"label\":\"c\"}\n");
    file("a/metadata.csv", "file_name,y\n2.jpg,5\n");
    file("b/metadata.csv", "image,text\n3.jpg,no\n");
    struct pcr_source *s = open_source(NULL);
    ck_assert_str_eq(outline(s), " | a,b | 0/0 0/0 0/1");
    ck_assert_str_eq(sample(s, 0).attributes, "{\"label\":\"a\",\"x\":1}");
    ck_assert_str_eq(sample(s, 1).attributes, "{\"y\":\"5\"}");
    ck_assert_str_eq(sample(s, 2).attributes, "{\"label\":0}");
    ck_assert_uint_eq(s->ignored_count, 1);
    ck_assert_uint_eq(s->left_out_count, 1);
    pcr_source_close(&s);
    file("a/metadata.csv", "file_name,label\n2.jpg,zoo\n");
    refused(NULL, PCR_ERR_INVAL,
            "a/metadata.csv: line 2: label 'zoo' of '2.jpg', but its folder "
            "is 'a'; choose layout 'class' for the labels");
    ck_assert_int_eq(open_as(PCR_FOLDERS_CLASS, &s), 0);
    ck_assert_str_eq(sample(s, 1).attributes, "{\"label\":\"zoo\"}");
    pcr_source_close(&s);
    file("metadata.jsonl", "{\"file_name\":\"a/1.jpg\",\"label\":\"c\"}\n");
    ck_assert_int_eq(open_as(PCR_FOLDERS_FLAT, &s), 0);
    ck_assert_str_eq(outline(s), " | c,zoo | 0/ 0/0 0/1 0/");
    pcr_source_close(&s);
}
END_TEST

/* Splits made of links into a pool of classes. */
START_TEST(links_as_splits)
{
    grow("all/a/1.jpg all/b/1.jpg train/ val/");
    ck_assert_int_eq(symlink("../all/a", at("train/a")), 0);
    ck_assert_int_eq(symlink("../all/b", at("val/b")), 0);
    refused(NULL, PCR_ERR_INVAL, "train/a is a link to a folder that is in the tree");
    grow("z/1.jpg");
    refused(NULL, PCR_ERR_INVAL, "train/a is a link to a folder that is in the tree");
    ck_assert_int_eq(unlink(at("z/1.jpg")) | rmdir(at("z")), 0);
    ck_assert_int_eq(unlink(at("train/a")), 0);
    ck_assert_int_eq(unlink(at("val/b")), 0);
    grow("train/a/ val/b/"); /* links to files are files */
    ck_assert_int_eq(symlink("../../all/a/1.jpg", at("train/a/1.jpg")), 0);
    ck_assert_int_eq(symlink("../../all/b/1.jpg", at("val/b/1.jpg")), 0);
    refused(NULL, PCR_ERR_INVAL, "3 splits (all, train, val) and 2 classes (a, b)");
}
END_TEST

START_TEST(flat_splits)
{
    folder("train");
    folder("val");
    file("train/1", "");
    file("val/1", "");
    struct pcr_source *s = open_source(NULL);
    ck_assert_str_eq(dump(s), "0/ train/1\n1/ val/1\n");
    ck_assert_uint_eq(s->class_count, 0);
    pcr_source_close(&s);
}
END_TEST

START_TEST(names_of_any_bytes)
{
    folder("c\xff");
    folder("c\xc3\xa9");
    file("c\xff/\x01 \xfe\n.jpg", "");
    file("c\xc3\xa9/x.jpg", "");
    struct pcr_source *s = open_source(NULL);
    ck_assert_str_eq(s->class_names[0], "c\xc3\xa9");
    ck_assert_str_eq(s->class_names[1], "c\\xff");
    ck_assert_str_eq(sample(s, 1).key, "c\xff/\x01 \xfe\n.jpg");
    pcr_source_close(&s);
}
END_TEST

START_TEST(symbolic_links)
{
    folder("real");
    file("real/1", "x");
    ck_assert_int_eq(symlink("..", at("real/up")), 0);
    ck_assert_int_eq(symlink("real", at("alias")), 0);
    ck_assert_int_eq(symlink("nowhere", at("real/dangling")), 0);
    ck_assert_int_eq(symlink("self", at("real/self")), 0);
    ck_assert_int_eq(symlink("1", at("real/2")), 0);
    ck_assert_int_eq(mkfifo(at("real/fifo"), 0600), 0);
    struct pcr_source *s = open_source(NULL);
    /* `alias` sorts before `real`, but the folder keeps its own name. */
    ck_assert_str_eq(dump(s), "0/0 real/1\n0/0 real/2\n0/0 real/dangling\n0/0 real/self\n");
    ck_assert_uint_eq(sample(s, 1).nbytes, 1);
    ck_assert_uint_eq(s->class_count, 1);
    ck_assert_ptr_nonnull(strstr(left, "alias: a folder that was found"));
    ck_assert_ptr_nonnull(strstr(left, "real/up: a folder that was found"));
    ck_assert_ptr_nonnull(strstr(left, "real/fifo: not a regular file"));
    struct pcr_buffer b = { 0 };
    ck_assert_int_eq(s->load(s->context, 2, 9, &b, &error), PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, ENOENT);
    ck_assert_int_eq(s->load(s->context, 3, 9, &b, &error), PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, ELOOP);
    ck_assert_int_eq(unlink(at("real/1")), 0);
    ck_assert_int_eq(mkfifo(at("real/1"), 0600), 0);
    ck_assert_int_eq(s->load(s->context, 0, 9, &b, &error), PCR_ERR_FORMAT);
    pcr_buffer_free(&b);
    pcr_source_close(&s);
}
END_TEST

START_TEST(links_of_links)
{
    char outside[] = "/tmp/pcr-outside-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(outside));
    snprintf(path, sizeof(path), "%s/sub", outside);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(symlink(path, at("b")), 0);
    snprintf(path, sizeof(path), "%s/sub/1", outside);
    fclose(fopen(path, "w"));
    ck_assert_int_eq(symlink(outside, at("a")), 0);
    struct pcr_source *s = open_source(NULL);
    ck_assert_str_eq(dump(s), "0/0 a/sub/1\n");
    ck_assert_str_eq(left, "b: a folder that was found under another name already\n");
    pcr_source_close(&s);
    ck_assert_int_eq(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(rmdir(outside), 0);
}
END_TEST

START_TEST(many_folders)
{
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "%03d", i);
        folder(name);
        snprintf(name, sizeof(name), "%03d/x", i);
        file(name, "");
    }
    struct pcr_source *s = open_source(NULL);
    ck_assert_uint_eq(s->sample_count, 300);
    ck_assert_uint_eq(s->class_count, 300);
    for (uint64_t i = 0; i < 300; i++)
        ck_assert_int_eq(sample(s, i).labels[0], (int64_t) i);
    pcr_source_close(&s);
}
END_TEST

START_TEST(bad_folders)
{
    refused(NULL, PCR_ERR_INVAL, "no images");
    refused("absent", PCR_ERR_IO, "absent: No such file");
    ck_assert_int_eq(error.sys_errno, ENOENT);
    folder("x");
    file("x/1", "");
    file("plain.txt", "");
    refused("plain.txt", PCR_ERR_INVAL, "neither a folder nor");
    struct pcr_source *s = NULL;
    ck_assert_int_eq(try_open(NULL, "/", &s), PCR_ERR_INVAL);
    struct pcr_source_options o = { .size = sizeof(o), .format = "tape" };
    ck_assert_int_eq(pcr_source_open(top.path, &o, &s, &error), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "'tape'"));
    o.format = "list";
    ck_assert_int_eq(pcr_source_open(top.path, &o, &s, &error), PCR_ERR_IO);
    ck_assert_int_eq(pcr_source_open(NULL, NULL, &s, &error), PCR_ERR_INVAL);
    o = (struct pcr_source_options) { .size = sizeof(o), .flags = 1u << 31 };
    ck_assert_int_eq(pcr_source_open(top.path, &o, &s, &error), PCR_ERR_INVAL);
    if (geteuid() != 0) { /* the superuser reads it all the same */
        ck_assert_int_eq(chmod(at("x"), 0), 0);
        refused(NULL, PCR_ERR_IO, "/x: Permission denied");
    }
}
END_TEST

START_TEST(formats)
{
    ck_assert_str_eq(pcr_source_format(0), "folder");
    ck_assert_str_eq(pcr_source_format(1), "list");
    uint32_t count = 0, tar = 0;
    while (pcr_source_format(count))
        tar += !strcmp(pcr_source_format(count++), "tar");
    ck_assert_uint_eq(tar, 1);
    ck_assert_ptr_null(pcr_source_format(UINT32_MAX));
}
END_TEST

START_TEST(csv_classes)
{
    file("l.csv", "\xef\xbb\xbfpath,label,\"the, \"\"width\"\"\",key\r\n"
                  "\r\n"
                  "a.jpg,cat,12,\r\n"
                  "\"b,\"\"\n.jpg\",ape,,second\r\n"
                  "/abs/c.jpg,cat,7,c");
    file("a.jpg", "abc");
    struct pcr_source *s = open_source("l.csv");
    ck_assert_str_eq(dump(s), "0/1 a.jpg\n0/0 second\n0/1 c\n");
    ck_assert_uint_eq(s->class_count, 2);
    ck_assert_str_eq(s->class_names[0], "ape");
    ck_assert_str_eq(sample(s, 0).path, at("a.jpg"));
    ck_assert_uint_eq(sample(s, 0).nbytes, 3);
    ck_assert_str_eq(sample(s, 1).path, at("b,\"\n.jpg"));
    ck_assert_uint_eq(sample(s, 1).nbytes, 0);
    ck_assert_str_eq(sample(s, 2).path, "/abs/c.jpg");
    ck_assert_str_eq(sample(s, 0).attributes, "{\"the, \\\"width\\\"\":\"12\"}");
    ck_assert_ptr_null(sample(s, 1).attributes);
    pcr_source_close(&s);
}
END_TEST

START_TEST(csv_integers)
{
    file("l.CSV", "path,label,split\na,-3,val\nb,10,train\nc,,test\n");
    struct pcr_source *s = open_source("l.CSV");
    ck_assert_str_eq(dump(s), "2/-3 a\n1/10 b\n0/ c\n");
    ck_assert_uint_eq(s->class_count, 0);
    ck_assert_str_eq(s->split_names[1], "train");
    pcr_source_close(&s);
    file("m.csv", "path,labels\na, 1  2 -9223372036854775808 \nb,\n");
    s = open_source("m.csv");
    ck_assert_str_eq(dump(s), "0/1,2,-9223372036854775808 a\n0/ b\n");
    pcr_source_close(&s);
}
END_TEST

/* What people and their programs write at the top of a list. */
START_TEST(csv_headers)
{
    static const struct {
        const char *text, *dump;
    } good[] = {
        { "path, label\nimg/1.jpg, cat\nimg/2.jpg,ape\n", "0/1 img/1.jpg\n0/0 img/2.jpg\n" },
        { " Path\t,LABEL , Split\n a b.jpg ,\" x\",train\n", "0/0 a b.jpg\n" },
        { "\xef\xbb\xbf\"path\", \"label\"\r\n\" a\" , 5\r\n", "0/5  a\n" },
        { "sep=;\r\npath;label\r\n\"a;b\";cat\r\n", "0/0 a;b\n" },
        { "path;label\na,b;cat\n", "0/0 a,b\n" },
        { "path\tlabel\nx y\tc d\n", "0/0 x y\n" },
        { "file_name,Class\na,x\n", "0/0 a\n" },
        { "Image,label,class\na,x,y\n", "0/0 a\n" },
        { "filepath,Class Name\na,x\n", "0/0 a\n" },
        { ",path,label,\n0,a,x,\n1,b,y,\n", "0/0 a\n0/1 b\n" },
        { "path,set\na,box\n", "0/ a\n" },
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        file("l.csv", good[i].text);
        struct pcr_source *s = open_source("l.csv");
        ck_assert_str_eq(dump(s), good[i].dump);
        pcr_source_close(&s);
    }
    file("l.csv", "file_name,label,class\na,x,y\n");
    struct pcr_source *s = open_source("l.csv");
    ck_assert_str_eq(s->class_names[0], "x");
    ck_assert_str_eq(sample(s, 0).attributes, "{\"class\":\"y\"}");
    pcr_source_close(&s);
    file("l.TSV", "path\tlabel\na\tx\n");
    s = open_source("l.TSV");
    pcr_source_close(&s);
}
END_TEST

/* Keys are names of files below a folder, whatever the paths are. */
START_TEST(safe_keys)
{
    file("l.csv", "path\n../a/./1\n/abs//2\n./b/../3\n../../4/\n..a/.b\n");
    struct pcr_source *s = open_source("l.csv");
    ck_assert_str_eq(dump(s), "0/ a/1\n0/ abs/2\n0/ 3\n0/ 4\n0/ ..a/.b\n");
    ck_assert_str_eq(sample(s, 1).path, "/abs//2");
    pcr_source_close(&s);
    file("l.jsonl", "{\"path\": \"../x\", \"key\": \"../k\"}");
    s = open_source("l.jsonl");
    ck_assert_str_eq(dump(s), "0/ k\n");
    ck_assert_ptr_nonnull(strstr(sample(s, 0).path, "/../x"));
    pcr_source_close(&s);

    static const struct {
        const char *text, *message;
    } bad[] = {
        { "path\n../a\nb\na\n", "line 2 and line 4: the same key 'a' (of '../a' and 'a')" },
        { "path\n..\n", "line 2 ('..'): '..' cannot name a file" },
        { "path,key\nx,/\n", "line 2 ('/'): '/' cannot name a file" },
        { "path\na/b\na!\n../a\n",
          "line 2 and line 4: a file and a folder would have the key 'a'" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        file("l.csv", bad[i].text);
        refused("l.csv", PCR_ERR_INVAL, bad[i].message);
    }
}
END_TEST

START_TEST(list_roots)
{
    folder("sub");
    folder("data");
    file("data/a", "x");
    file("sub/l.csv", "path\n../data/a\n");
    struct pcr_source *s = open_source("sub/l.csv");
    ck_assert_uint_eq(sample(s, 0).nbytes, 1);
    pcr_source_close(&s);
    file("sub/m.csv", "path\na\n");
    ck_assert_int_eq(try_open("sub/m.csv", at("data//"), &s), 0);
    ck_assert_uint_eq(sample(s, 0).nbytes, 1);
    ck_assert_str_eq(sample(s, 0).path, at("data/a"));
    ck_assert_str_eq(sample(s, 0).key, "a");
    pcr_source_close(&s);
}
END_TEST

START_TEST(csv_refused)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        { "", "line 1: the header names no column 'path'" },
        { "key\nx\n", "no column 'path'" },
        { "path\n", "no images" },
        { "path,x,x\na,1,2\n", "line 1: two columns named 'x'" },
        { "path,x\na\n", "line 2: 1 fields, but the header has 2" },
        { "path\n\na,b\n", "line 3: 2 fields" },
        { "path\n\"a\n\nb", "line 2: a quoted field has no end" },
        { "path\n\"a\"b\n", "line 2: text after a closing quote" },
        { "path\na\"b\n", "line 2: a quote inside" },
        { "path,key\na,k\nb,l\nc,k\n", "line 2 and line 4: the same key 'k'" },
        { "path,key\na,\n\"x\ny\",l\nc,a\n", "line 2 and line 5: the same key 'a'" },
        { "path,key\n,k\n", "line 2 ('k'): no path" },
        { "path,label,labels\na,1,2\n", "both 'label' and 'labels'" },
        { "path,split\na,x\nb,\n", "line 3 ('b'): no split" },
        { "path,split\na,Train\nb,train\n", "splits 'Train' and 'train' differ only in case" },
        { "img/1.jpg,cat\n", "no column 'path', but 'img/1.jpg', 'cat'; the first line" },
        { "path,Path\na,b\n", "line 1: two columns named 'path' and 'Path'" },
        { "file,image\na,b\n", "line 1: is 'file' or 'image' the path?" },
        { "path,class,class_name\na,b,c\n", "is 'class' or 'class_name' the label?" },
        { "path,lable\na,b\n", "line 1: column 'lable': is 'label' meant?" },
        { "path,Splits\na,b\n", "column 'Splits': is 'split' meant?" },
        { "path,data set\na,train\nb,Test\n", "column 'data set' holds only names of splits" },
        { "\xff\xfep", "UTF-16" },
        { "path,x\na,\xff\n", "line 2: column 'x' is not UTF-8" },
        { "path,\xff\na,b\n", "line 1: a column's name is not UTF-8" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        file("l.csv", bad[i].text);
        refused("l.csv", PCR_ERR_INVAL, bad[i].message);
        ck_assert_ptr_nonnull(strstr(error.message, "/l.csv: "));
    }
    test_put(&top, "l.csv", "path\na\0b\n", 9);
    refused("l.csv", PCR_ERR_INVAL, "line 2: a NUL byte");
}
END_TEST

START_TEST(jsonl_rows)
{
    file("l.jsonl",
         "{\"path\":\"b\",\"label\":\"x\",\"attributes\":{\"z\":[1, 2],\"a\":null}}\r\n"
         "  \n"
         "{\"path\":\"a\",\"key\":\"k\\u00e9\",\"label\":\"a\",\"attributes\":{}}");
    struct pcr_source *s = open_source("l.jsonl");
    ck_assert_str_eq(dump(s), "0/1 b\n0/0 k\xc3\xa9\n");
    ck_assert_str_eq(sample(s, 0).attributes, "{\"a\":null,\"z\":[1,2]}");
    ck_assert_ptr_null(sample(s, 1).attributes);
    pcr_source_close(&s);
    file("m.jsonl", "{\"path\":\"b\",\"labels\":[3,-1],\"split\":\"t\"}\n"
                    "{\"path\":\"a\",\"label\":5,\"split\":\"s\"}\n");
    s = open_source("m.jsonl");
    ck_assert_str_eq(dump(s), "1/3,-1 b\n0/5 a\n");
    ck_assert_uint_eq(s->class_count, 0);
    pcr_source_close(&s);
    /* Hugging Face's metadata: what is not known is an attribute. */
    file("metadata.jsonl", "{\"file_name\":\"../b\",\"text\":\"a cat\",\"label\":\"x\"}\n");
    s = open_source("metadata.jsonl");
    ck_assert_str_eq(dump(s), "0/0 b\n");
    ck_assert_str_eq(sample(s, 0).attributes, "{\"text\":\"a cat\"}");
    pcr_source_close(&s);
}
END_TEST

START_TEST(jsonl_refused)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        { "", "no images" },
        { "[]", "line 1: not a JSON object" },
        { "\n{", "line 2: byte 2" },
        { "{\"path\":1}", "line 1: 'path' is not a string" },
        { "{\"key\":\"x\"}", "line 1 ('x'): no path" },
        { "{\"path\":\"x\",\"key\":\"\"}", "line 1: an empty key" },
        { "{\"path\":\"x\",\"path\":\"y\"}", "line 1" },
        { "{\"path\":\"x\\u0000\"}", "line 1" },
        { "{\"path\":\"x\",\"lable\":1}", "line 1: unknown member 'lable'" },
        { "{\"path\":\"x\",\"label\":\"a\",\"labels\":[1]}", "both 'label' and 'labels'" },
        { "{\"path\":\"x\",\"attributes\":[]}", "'attributes' is not an object" },
        { "{\"path\":\"x\"}\n{\"path\":\"x\"}", "line 1 and line 2: the same key 'x'" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        file("l.jsonl", bad[i].text);
        refused("l.jsonl", PCR_ERR_INVAL, bad[i].message);
    }
}
END_TEST

START_TEST(utf8)
{
    static const struct {
        const char *text;
        size_t first;
    } cases[] = {
        { "a", 1 },
        { "\xc2\x80", 2 },
        { "\xc1\xbf", 0 },
        { "\xe0\xa0\x80", 3 },
        { "\xe0\x9f\xbf", 0 },
        { "\xed\x9f\xbf", 3 },
        { "\xed\xa0\x80", 0 },
        { "\xf0\x90\x80\x80", 4 },
        { "\xf0\x8f\xbf\xbf", 0 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "\xf4\x90\x80\x80", 0 },
        { "\xff", 0 },
        { "\xe2\x82", 0 },
        { "\xe2\x82z", 0 },
        { "\x80", 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_uint_eq(pcri_utf8_sequence(cases[i].text, strlen(cases[i].text)),
                          cases[i].first);
    ck_assert(pcri_utf8_valid("", 0));
    ck_assert(!pcri_utf8_valid("ab\xff", 3));
    struct pcr_buffer b = { 0 };
    ck_assert_int_eq(pcri_utf8_replace("a\xff\xc3\xa9", 4, &b, &error), 0);
    ck_assert_int_eq(pcri_utf8_escape("\xfe!", 2, &b, &error), 0);
    ck_assert_uint_eq(b.nbytes, 11);
    ck_assert_mem_eq(b.data, "a\xef\xbf\xbd\xc3\xa9\\xfe!", 11);
    pcr_buffer_free(&b);
}
END_TEST

int main(void)
{
    TCase *folders = tests_case("import"), *lists = tests_case("lists");
    tcase_add_checked_fixture(folders, top_make, top_free);
    tcase_add_checked_fixture(lists, top_make, top_free);
    tcase_add_test(folders, flat_folder);
    tcase_add_test(folders, class_folders);
    tcase_add_test(folders, split_folders);
    tcase_add_test(folders, flat_splits);
    tcase_add_loop_test(folders, layouts, 0, sizeof(clear_layouts) / sizeof(clear_layouts[0]));
    tcase_add_loop_test(folders, layouts_in_doubt, 0,
                        sizeof(doubtful_layouts) / sizeof(doubtful_layouts[0]));
    tcase_add_test(folders, layouts_of_nothing);
    tcase_add_test(folders, metadata_files);
    tcase_add_test(folders, metadata_and_classes);
    tcase_add_test(folders, links_as_splits);
    tcase_add_test(folders, names_of_any_bytes);
    tcase_add_test(folders, symbolic_links);
    tcase_add_test(folders, links_of_links);
    tcase_add_test(folders, many_folders);
    tcase_add_test(folders, bad_folders);
    tcase_add_test(folders, formats);
    tcase_add_test(lists, csv_classes);
    tcase_add_test(lists, csv_integers);
    tcase_add_test(lists, csv_headers);
    tcase_add_test(lists, safe_keys);
    tcase_add_test(lists, list_roots);
    tcase_add_test(lists, csv_refused);
    tcase_add_test(lists, jsonl_rows);
    tcase_add_test(lists, jsonl_refused);
    tcase_add_test(lists, utf8);
    return tests_run();
}
