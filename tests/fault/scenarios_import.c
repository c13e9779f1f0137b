/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of importers: folders, lists, and metadata beside images. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <pcr/source.h>

#include "archives.h"
#include "memory.h"
#include "records.h"
#include "scenarios.h"

/* A tree of files, made when it is first used: "photo" and "png" are pictures, what begins with '@'
 * is a list of long fields, each of which takes memory of its own, what begins with '%' is an
 * archive, with '=' a file of records, and other contents are texts. */
struct importing {
    const char *files[8][2]; /* path and contents */
    const char *open;        /* below the tree's root; "": the root */
    struct pcr_source_options options;
};

static struct test_folder trees[48];
static const void *tree_of[48];

static void put(struct pcr_buffer *out, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        ck_assert_int_eq(pcri_buffer_append(out, text, strlen(text), NULL), 0);
}

/* Of key, class, split, labels and attributes; of names in metadata. */
static void put_long(const char *kind, struct pcr_buffer *out)
{
    enum { LONG = 70000 };
    if (!strcmp(kind, "@fields")) {
        put(out, "path,key,label,split,note\na.jpg,", 1);
        put(out, "./", LONG / 2);
        put(out, "key,", 1);
        put(out, "x", LONG);
        put(out, ",tr\xff", 1);
        put(out, "y", LONG);
        put(out, ",\"", 1);
        put(out, "\"\"", LONG);
        put(out, "\"\nb.jpg,b,ape,val,other\n", 1);
    } else if (!strcmp(kind, "@labels")) {
        put(out, "path,labels\na.jpg,\"", 1);
        put(out, "7 ", LONG / 8);
        put(out, "\"\nb.jpg,1\n", 1);
    } else {
        put(out, "{\"text\":\"a caption\",\"file_name\":\"", 1);
        put(out, "./", LONG);
        put(out, "a.jpg\"}\n", 1);
    }
}

enum { MANY = 20000 };
static const char *many[MANY]; /* names of classes: more than fit one piece of memory */

static void make_many(void)
{
    static char names[MANY][8];
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "c%d", i);
        many[i] = names[i];
    }
}

static void make_file(const char *root, const char *const file[2])
{
    char path[512];
    snprintf(path, sizeof(path), "%.99s/%.399s", root, file[0]);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void) mkdir(path, 0777);
        *slash = '/';
    }
    struct pcr_buffer text = { 0 };
    if (file[1][0] == '@')
        put_long(file[1], &text);
    if (file[1][0] == '%')
        put_archive(file[1], picture("baseline"), picture("png-rgb"), &text);
    if (file[1][0] == '=')
        put_records(file[1], picture("baseline"), &text);
    const struct pcr_buffer *b = !strcmp(file[1], "photo") ? picture("baseline")
                                 : !strcmp(file[1], "png") ? picture("png-rgb")
                                 : text.nbytes             ? &text
                                                           : NULL;
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    size_t n = b ? b->nbytes : strlen(file[1]);
    ck_assert_uint_eq(fwrite(b ? (const void *) b->data : file[1], 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
    pcr_buffer_free(&text);
}

static const char *tree(const struct importing *c)
{
    size_t i = 0;
    memory_pause(); /* what Check does, too */
    while (tree_of[i] && tree_of[i] != c)
        i++;
    ck_assert_uint_lt(i + 1, sizeof(tree_of) / sizeof(tree_of[0]));
    if (!tree_of[i]) {
        tree_of[i] = c;
        make_many();
        test_folder_make(&trees[i]);
        for (size_t k = 0; k < 8 && c->files[k][0]; k++)
            make_file(trees[i].path, c->files[k]);
    }
    memory_resume();
    return trees[i].path;
}

void trees_free(void)
{
    for (size_t i = 0; tree_of[i]; i++)
        test_folder_free(&trees[i]);
}

static void on_left_out(void *context, const char *path, const char *reason)
{
    (void) path; /* it begins with the tree's place */
    add_text(context, reason);
}

/* What a source tells of a sample. */
static void add_sample(const struct pcr_source_sample *s, uint64_t *sum)
{
    add_text(sum, s->key);
    add_text(sum, s->attributes);
    add_number(sum, s->split);
    add_number(sum, s->nbytes);
    add_number(sum, s->label_count);
    if (s->labels)
        add(sum, s->labels, s->label_count * sizeof(*s->labels));
    if (s->float_labels)
        add(sum, s->float_labels, s->label_count * sizeof(*s->float_labels));
}

static int import(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct importing *c = what;
    struct pcr_source_options o = c->options;
    struct pcr_source *s = NULL;
    struct pcr_buffer file = { 0 };
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", tree(c), c->open);
    char names[512];
    const char *const annotations[] = { names };
    if (o.annotation_count) {
        snprintf(names, sizeof(names), "%s/%s", tree(c), o.annotations[0]);
        o.annotations = annotations;
    }
    o.size = sizeof(o);
    o.left_out = o.noted = on_left_out;
    o.context = sum;
    int rc = pcr_source_open(path, &o, &s, err);
    for (uint64_t i = 0; !rc && i < s->sample_count; i++) {
        struct pcr_source_sample one = { .size = sizeof(one) };
        rc = s->describe(s->context, i, &one, err);
        if (!rc)
            add_sample(&one, sum);
        if (!rc)
            rc = s->load(s->context, i, 1 << 20, &file, err);
        add(sum, file.data, rc ? 0 : file.nbytes);
    }
    for (uint32_t i = 0; s && i < s->class_count; i++)
        add_text(sum, s->class_names[i]);
    for (uint32_t i = 0; s && s->split_names && i < s->split_count; i++)
        add_text(sum, s->split_names[i]);
    for (uint64_t i = 0; s && i < s->left_out_count; i++)
        add_text(sum, s->left_out[i].reason);
    add_number(sum, s ? s->ignored_count : 0);
    pcr_buffer_free(&file);
    pcr_source_close(&s);
    return add_error(sum, rc, err);
}

#define IMPORTING(open, ...) \
    &(const struct importing) \
    { \
        { __VA_ARGS__ }, open, \
        { \
            .flags = 0 \
        } \
    }

static const char *const three[] = { "dog", "ape", "bee" };

#define BOX "\"id\":1,\"image_id\":7,\"category_id\":2,\"bbox\":[1,2,3.5,4]"
static const char coco[] =
    "{\"annotations\":[{" BOX ",\"segmentation\":[[1,2,3]]},{" BOX "},{\"id\":2}],"
    "\"images\":[{\"id\":7,\"file_name\":\"a.jpg\"},{\"id\":8,\"file_name\":\"b.jpg\"}],"
    "\"categories\":[{\"id\":2,\"name\":\"a category of some length\"}]}";
static const char voc[] =
    "<annotation><filename>a.jpg</filename><object><name>a name of some &amp; length</name>"
    "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>"
    "<object/></annotation>";
static const char *const voc_name[] = { "xml" };
static const char *const coco_name[] = { "coco.json" };

static const struct scenario list[] = {
    { "import classes", import,
      IMPORTING("", { "ape/a.jpg", "photo" }, { "bee/b.jpg", "photo" },
                { "bee/deep/c.png", "png" }, { "bee/notes.txt", "text" },
                { "d.jpg", "photo" }) },
    { "import splits", import,
      IMPORTING("", { "train/ape/a.jpg", "photo" }, { "train/bee/b.jpg", "photo" },
                { "val/ape/c.jpg", "photo" }, { "val/d.jpg", "photo" }) },
    { "import a wrapped folder", import,
      IMPORTING("", { "images/x.jpg", "photo" }, { "images/y.png", "png" },
                { "README", "text" }) },
    { "import nothing", import, IMPORTING("", { "a.txt", "text" }) },
    { "import in doubt", import,
      IMPORTING("", { "train/ape/a.jpg", "photo" }, { "other/ape/b.jpg", "photo" },
                { "val/ape/c.jpg", "photo" }) },
    { "import JSON lines", import,
      IMPORTING("list.jsonl", { "a.jpg", "photo" }, { "b.jpg", "photo" },
                { "list.jsonl", "{\"path\":\"a.jpg\",\"label\":\"ape\",\"split\":\"train\","
                                "\"attributes\":{\"a name of some length\":\"\\u00e9\\n\"}}\n"
                                "{\"path\":\"b.jpg\",\"label\":\"bee\","
                                "\"key\":\"a key that is longer than others are\"}\n" }) },
    { "import JSON lines of numbers", import,
      IMPORTING("list.jsonl", { "a.jpg", "photo" }, { "b.jpg", "photo" },
                { "list.jsonl", "{\"path\":\"a.jpg\",\"labels\":[1.2345678901234567,2]}\n"
                                "{\"path\":\"b.jpg\",\"label\":12345678901234}\n" }) },
    { "import bad JSON lines", import,
      IMPORTING(
          "list.jsonl", { "a.jpg", "photo" },
          { "list.jsonl", "{\"path\":\"a.jpg\"}\n{\"path\":\"b.jpg\",\"label\":NaN}\n" }) },
    { "import CSV", import,
      IMPORTING(
          "list.csv", { "a.jpg", "photo" }, { "b.jpg", "photo" },
          { "list.csv", "path,label,note\na.jpg,ape,one\nb.jpg,bee,\"two, or so\"\n" }) },
    { "import CSV of floats", import,
      IMPORTING(
          "list.csv", { "a.jpg", "photo" }, { "b.jpg", "photo" },
          { "list.csv", "file_name;labels;split\na.jpg;1.5 2;train\nb.jpg;-1e3;val\n" }) },
    { "import bad CSV", import,
      IMPORTING("list.csv", { "a.jpg", "photo" },
                { "list.csv", "path,label\na.jpg,1\nb.jpg,bee\n" }) },
    { "import a list, classes given", import,
      &(const struct importing) { { { "a.jpg", "photo" },
                                    { "b.jpg", "photo" },
                                    { "list.tsv", "path\tlabel\na.jpg\tape\nb.jpg\tdog\n" } },
                                  "list.tsv",
                                  { .class_count = 3, .classes = three } } },
    { "import metadata.jsonl", import,
      IMPORTING(
          "", { "a.jpg", "photo" }, { "b.jpg", "photo" }, { "c.jpg", "photo" },
          { "metadata.jsonl",
            "{\"file_name\":\"a.jpg\",\"text\":\"a caption of some length\",\"label\":1}\n"
            "{\"file_name\":\"b.jpg\",\"text\":\"another\",\"label\":0}\n" }) },
    { "import long fields", import,
      IMPORTING("list.csv", { "a.jpg", "photo" }, { "b.jpg", "photo" },
                { "list.csv", "@fields" }) },
    { "import long labels", import,
      IMPORTING("list.csv", { "a.jpg", "photo" }, { "b.jpg", "photo" },
                { "list.csv", "@labels" }) },
    { "import long names in metadata", import,
      IMPORTING("", { "a.jpg", "photo" }, { "metadata.jsonl", "@metadata" }) },
    { "import names that are no UTF-8", import,
      IMPORTING("", { "a\xff/a.jpg", "photo" }, { "b/b.jpg", "photo" }) },
    { "import a list, many classes given", import,
      &(const struct importing) {
          { { "a.jpg", "photo" }, { "list.csv", "path,label\na.jpg,c7\n" } },
          "list.csv",
          { .class_count = MANY, .classes = many } } },
    { "import metadata.csv", import,
      IMPORTING("", { "ape/a.jpg", "photo" }, { "bee/b.jpg", "photo" },
                { "ape/metadata.csv", "file_name,label,note\na.jpg,ape,first\n" },
                { "bee/metadata.csv", "file_name,label,note\nb.jpg,cow,second\n" }) },
    { "import a tar", import, IMPORTING("a.tar", { "a.tar", "%tar" }) },
    { "import a tar of folders", import, IMPORTING("a.tar", { "a.tar", "%folders" }) },
    { "import a folder of compressed tars", import,
      IMPORTING("", { "train/0.tgz", "%gzip" }, { "val/0.tgz", "%gzip" }) },
    { "import tars by a pattern", import,
      IMPORTING("{b,a}-[0-9].tar", { "a-1.tar", "%folders" }, { "b-0.tar", "%folders" }) },
    { "import a damaged tar", import, IMPORTING("a.tar", { "a.tar", "%damaged" }) },
    { "import what is right of a damaged tar", import,
      &(const struct importing) {
          { { "a.tar", "%damaged" } }, "a.tar", { .flags = PCR_SOURCE_SKIP_DAMAGED } } },
    { "import a zip", import, IMPORTING("a.zip", { "a.zip", "%zip" }) },
    { "import TFRecord", import, IMPORTING("a.tfrecord", { "a.tfrecord", "=tfrecord" }) },
    { "import compressed TFRecord", import,
      IMPORTING("", { "train/a.tfrecord", "=gzip" }, { "val/a.tfrecord", "=gzip" }) },
    { "import MDS", import,
      IMPORTING("", { "val/index.json", mds_index }, { "val/shard.00000.mds", "=mds" }) },
    { "import LitData", import,
      IMPORTING("", { "index.json", litdata_index }, { "chunk-0-0.bin", "=litdata" }) },
    { "import a beton", import, IMPORTING("a.beton", { "a.beton", "=beton" }) },
    { "import a released PCR", import, IMPORTING("a.pcr", { "a.pcr", "=release" }) },
    { "import LMDB", import, IMPORTING("", { "data.mdb", "=lmdb" }) },
    { "import VOC", import,
      &(const struct importing) {
          { { "a.jpg", "photo" }, { "xml/a.xml", voc }, { "xml/b.xml", "<annotation>" } },
          "",
          { .flags = PCR_SOURCE_SKIP_DAMAGED,
            .annotations = voc_name,
            .annotation_count = 1 } } },
    { "import COCO", import,
      &(const struct importing) {
          { { "a.jpg", "photo" }, { "coco.json", coco } },
          "",
          { .flags = PCR_SOURCE_SKIP_DAMAGED | PCR_SOURCE_SEGMENTATIONS,
            .annotations = coco_name,
            .annotation_count = 1 } } },
};
const struct scenarios import_scenarios = SCENARIOS(list);
