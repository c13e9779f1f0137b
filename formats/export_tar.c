/* SPDX-License-Identifier: BSD-2-Clause */
/* The exporter `tar`: samples as WebDataset has them, in POSIX's format (ustar, and pax headers for
 * names that it cannot hold). Members have the same owner; mode and time, too, but of source files,
 * which have their own (times in whole seconds). */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "../libpcr/base/utf8.h"
#include "export_shards.h"
#include "folder_names.h"
#include "members.h"

enum { BLOCK = 512, NAME = 100, PREFIX = 155 };

static const struct pcr_file_info usual;

/* --- members --- */

/* An octal number, or, where it does not fit, the base-256 form that GNU tar and all others
 * read. */
static void put_number(uint8_t *at, size_t digits, uint64_t value)
{
    if (value >> 3 * (digits - 1)) {
        for (size_t i = digits; i--; value >>= 8)
            at[i] = (uint8_t) value;
        at[0] |= 0x80;
        return;
    }
    for (size_t i = digits - 1; i--; value >>= 3)
        at[i] = (uint8_t) ('0' + (value & 7));
}

/* Divides a name for the fields prefix and name; SIZE_MAX if it does not fit. */
static size_t divide(const uint8_t *name, size_t nbytes)
{
    if (nbytes <= NAME)
        return 0;
    for (size_t i = nbytes - NAME - 1; i < nbytes - 1 && i <= PREFIX; i++)
        if (i && name[i] == '/')
            return i;
    return SIZE_MAX;
}

static int write_header(struct pcr_buffer *out, const uint8_t *name, size_t nbytes, char type,
                        uint64_t size, const struct pcr_file_info *info, struct pcr_error *err)
{
    const bool has_time = info->known & PCR_FILE_TIME && info->mtime_ns > 0;
    uint8_t h[BLOCK] = { 0 };
    size_t at = divide(name, nbytes), sum = 0;
    if (at == SIZE_MAX) { /* the pax header has it whole */
        nbytes = NAME;
        at = 0;
    }
    memcpy(h, name + at + (at > 0), nbytes - at - (at > 0));
    memcpy(h + 345, name, at);
    put_number(h + 100, 8, info->known & PCR_FILE_MODE ? info->mode : 0644);
    put_number(h + 108, 8, 0);
    put_number(h + 116, 8, 0);
    put_number(h + 124, 12, size);
    put_number(h + 136, 12, has_time ? (uint64_t) info->mtime_ns / 1000000000 : 0);
    h[156] = (uint8_t) type;
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += h[i];
    put_number(h + 148, 7, sum);
    h[154] = 0;
    return pcri_buffer_append(out, h, BLOCK, err);
}

static int pad(struct pcr_buffer *out, uint64_t size, struct pcr_error *err)
{
    static const uint8_t zeroes[BLOCK];
    return pcri_buffer_append(out, zeroes, (size_t) (-size % BLOCK), err);
}

/* One line of a pax header, which begins with its own length. */
static int write_line(struct pcr_buffer *out, const char *keyword, const void *value,
                      size_t nbytes, struct pcr_error *err)
{
    size_t rest = strlen(keyword) + nbytes + 3, total = rest + 1;
    char digits[24];
    while (total != rest + (size_t) snprintf(digits, sizeof(digits), "%zu", total))
        total++;
    int rc = pcri_print(out, err, "%zu %s=", total, keyword);
    if (!rc)
        rc = pcri_buffer_append(out, value, nbytes, err);
    return rc ? rc : pcri_buffer_append(out, "\n", 1, err);
}

static int write_pax(struct pcr_buffer *out, const uint8_t *name, size_t nbytes,
                     struct pcr_error *err)
{
    static const char own[] = "././@PaxHeader";
    struct pcr_buffer lines = { 0 };
    int rc = pcri_utf8_valid(name, nbytes)
                 ? 0
                 : write_line(&lines, "hdrcharset", "BINARY", 6, err);
    if (!rc)
        rc = write_line(&lines, "path", name, nbytes, err);
    if (!rc)
        rc = write_header(out, (const uint8_t *) own, sizeof(own) - 1, 'x', lines.nbytes,
                          &usual, err);
    if (!rc)
        rc = pcri_buffer_append(out, lines.data, lines.nbytes, err);
    if (!rc)
        rc = pad(out, lines.nbytes, err);
    pcr_buffer_free(&lines);
    return rc;
}

/* Writes what comes before a member's bytes. name: the sample's, to which the ending is added for
 * so long. */
static int begin_member(struct pcr_buffer *out, struct pcr_buffer *name, const char *ending,
                        uint64_t size, const struct pcr_file_info *info, struct pcr_error *err)
{
    size_t base = name->nbytes;
    int rc = pcri_print(name, err, ".%s", ending);
    if (!rc && divide(name->data, name->nbytes) == SIZE_MAX)
        rc = write_pax(out, name->data, name->nbytes, err);
    if (!rc)
        rc = write_header(out, name->data, name->nbytes, '0', size, info, err);
    name->nbytes = base;
    return rc;
}

static int write_member(struct pcr_buffer *out, struct pcr_buffer *name, const char *ending,
                        const struct pcr_buffer *bytes, struct pcr_error *err)
{
    int rc = begin_member(out, name, ending, bytes->nbytes, &usual, err);
    if (!rc)
        rc = pcri_buffer_append(out, bytes->data, bytes->nbytes, err);
    return rc ? rc : pad(out, bytes->nbytes, err);
}

/* --- names --- */

/* The ending of a key that says what the file is, as an image's does; or "". */
static const char *ending_of(const char *key, const char *wanted)
{
    static const char *const jpeg[] = { "jpg", "jpeg", "JPG", "JPEG", NULL };
    const char *slash = strrchr(key, '/'), *name = slash ? slash + 1 : key;
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name)
        return "";
    for (size_t i = 0; !strcmp(wanted, "jpg") && jpeg[i]; i++)
        if (!strcmp(dot + 1, jpeg[i]))
            return dot + 1;
    return strcmp(dot + 1, wanted) ? "" : dot + 1;
}

/* The sample's name without an ending. WebDataset takes what follows the first dot of the last part
 * for the ending, and passes over names that begin with two underscores: there these are
 * escaped, and so is the escape. */
static int write_name(const char *key, size_t nbytes, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    size_t last = nbytes;
    int rc = 0;
    while (last && key[last - 1] != '/')
        last--;
    for (size_t i = 0; i < nbytes && !rc; i++) {
        bool first = !i && nbytes > 1 && key[0] == '_' && key[1] == '_';
        rc = key[i] == '%' || first || (key[i] == '.' && i >= last)
                 ? pcri_print(out, err, "%%%02X", (unsigned) key[i])
                 : pcri_buffer_append(out, key + i, 1, err);
    }
    return rc;
}

/* Two keys that differ only in their endings would be one sample. "%_" is no escape. */
static int name_sample(const struct pcri_export_sample *s, const char *ending,
                       struct pcr_buffer *name, struct pcr_error *err)
{
    size_t nbytes = s->info->key_nbytes;
    nbytes -= *ending ? strlen(ending) + 1 : 0;
    int rc = write_name(s->info->key, nbytes, name, err);
    return rc || !s->taken ? rc : pcri_print(name, err, "%%_%" PRIu64, s->info->index);
}

/* --- samples --- */

static int write_class(const struct pcr_sample_info *info, struct pcr_buffer *out,
                       struct pcr_buffer *name, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    if (info->label_count != 1 || !info->labels)
        return 0;
    int rc = pcri_print(&text, err, "%" PRId64, info->labels[0]);
    if (!rc)
        rc = write_member(out, name, "cls", &text, err);
    pcr_buffer_free(&text);
    return rc;
}

static int write_json(const struct pcri_export_sample *s, struct pcr_buffer *out,
                      struct pcr_buffer *name, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    int rc = pcri_export_json(s, &text, err);
    if (!rc)
        rc = write_member(out, name, "json", &text, err);
    pcr_buffer_free(&text);
    return rc;
}

static const char *refuse(const struct pcri_export_sample *s,
                          const struct pcri_export_blob *blob)
{
    const char *ending = pcri_export_ending(s), *own = ending_of(s->info->key, ending);
    const char *unsafe = pcri_export_refuse_name(s, blob), *dot = strrchr(blob->name, '.');
    if (unsafe)
        return unsafe;
    const bool is_image = pcri_file_kind_by_name(blob->name) == PCRI_FILE_IMAGE ||
                          pcri_is_image_start(blob->bytes.data, blob->bytes.nbytes);
    if (!strcasecmp(dot ? dot + 1 : blob->name, "cls") || !strcasecmp(blob->name, "json") ||
        (is_image && pcri_part_rank(blob->name) <= pcri_part_rank(*own ? own : ending)))
        return "a member of this name would be taken for the image, the label or the attributes";
    return NULL;
}

static int encode(const struct pcri_export_sample *s, struct pcr_buffer *out,
                  struct pcr_buffer *name, struct pcr_error *err)
{
    const char *ending = pcri_export_ending(s), *own = ending_of(s->info->key, ending);
    int rc = name_sample(s, own, name, err);
    if (!rc)
        rc = begin_member(out, name, *own ? own : ending, s->nbytes, &s->file_info, err);
    if (!rc)
        rc = pcri_export_append_file(s, out, err);
    if (!rc)
        rc = pad(out, s->nbytes, err);
    if (!rc)
        rc = write_class(s->info, out, name, err);
    if (!rc)
        rc = write_json(s, out, name, err);
    for (uint32_t i = 0; i < s->blob_count && !rc; i++)
        rc = write_member(out, name, s->blobs[i].name, &s->blobs[i].bytes, err);
    return rc;
}

/* Two blocks of zeroes, and as many as make whole records of twenty. */
static int end(struct pcri_export *x, uint64_t offset, struct pcr_buffer *out,
               struct pcr_error *err)
{
    static const uint8_t zeroes[BLOCK];
    uint64_t count = 2;
    count += -(offset / BLOCK + count) % 20;
    int rc = 0;
    for (uint64_t i = 0; i < count && !rc; i++)
        rc = pcri_buffer_append(out, zeroes, BLOCK, err);
    return rc;
}

const struct pcri_exporter pcri_export_tar = {
    .name = "tar",
    .ending = ".tar",
    .abilities = PCRI_EXPORT_STREAM | PCRI_EXPORT_NAMES | PCRI_EXPORT_DIFFER |
                 PCRI_EXPORT_SHARDS,
    .encode = encode,
    .refuse = refuse,
    .open = pcri_shards_open,
    .add = pcri_shards_add,
    .finish = pcri_shards_finish,
    .close = pcri_shards_close,
    .end = end,
};
