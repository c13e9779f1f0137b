/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes on samples: their JSON objects, written and read. */
#include "notes.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/utf8.h"
#include "../record/columns.h"

static int set_hex(json_t *object, const char *name, const char *bytes, size_t nbytes)
{
    static const char digits[] = "0123456789abcdef";
    char full_name[32], *text = malloc(2 * nbytes + 1);
    if (!text)
        return -1;
    for (size_t i = 0; i < nbytes; i++) {
        text[2 * i] = digits[(uint8_t) bytes[i] >> 4];
        text[2 * i + 1] = digits[(uint8_t) bytes[i] & 15];
    }
    snprintf(full_name, sizeof(full_name), "%s_hex", name);
    int rc = json_object_set_new(object, full_name, json_stringn(text, 2 * nbytes));
    free(text);
    return rc;
}

int pcri_json_set_text(json_t *object, const char *name, const char *text)
{
    size_t n = strlen(text);
    struct pcr_buffer clean = { 0 };
    int rc = pcri_utf8_replace(text, n, &clean, NULL);
    if (!rc)
        rc = json_object_set_new(object, name,
                                 json_stringn((const char *) clean.data, clean.nbytes));
    if (!rc && !pcri_utf8_valid(text, n))
        rc = set_hex(object, name, text, n);
    pcr_buffer_free(&clean);
    return rc;
}

bool pcri_notes_any(const struct pcri_notes *n)
{
    return n->undecodable[0] || n->salvaged[0] || n->unrestorable[0] || n->encoded[0] ||
           n->dropped_nbytes;
}

void pcri_notes_add(struct pcri_note_counts *sums, const struct pcri_notes *n)
{
    sums->undecodable += n->undecodable[0] != '\0';
    sums->salvaged += n->salvaged[0] != '\0';
    sums->unrestorable += n->unrestorable[0] != '\0';
    sums->encoded += n->encoded[0] != '\0';
    sums->dropped += n->dropped_nbytes != 0;
    sums->dropped_nbytes += n->dropped_nbytes;
}

int pcri_notes_render(const struct pcri_notes *n, uint32_t index, const char *key, char **out,
                      struct pcr_error *err)
{
    json_t *object = json_object();
    int rc = json_object_set_new(object, "index", json_integer(index));
    rc |= pcri_json_set_text(object, "key", key);
    if (n->undecodable[0])
        rc |= pcri_json_set_text(object, "undecodable", n->undecodable);
    if (n->salvaged[0])
        rc |= pcri_json_set_text(object, "salvaged", n->salvaged);
    if (n->unrestorable[0])
        rc |= pcri_json_set_text(object, "unrestorable", n->unrestorable);
    if (n->encoded[0])
        rc |= pcri_json_set_text(object, "encoded", n->encoded);
    if (n->dropped_nbytes) {
        rc |= pcri_json_set_text(object, "dropped", n->dropped);
        rc |= json_object_set_new(object, "dropped_nbytes",
                                  json_integer((json_int_t) n->dropped_nbytes));
    }
    *out = NULL;
    rc = rc ? pcri_fail(err, PCR_ERR_NOMEM, "no memory for a sample's notes")
            : pcri_json_text(object, out, err);
    json_decref(object);
    return rc;
}

/* Counts one object; false if it is none, or its members are not as they should be. */
static bool count_note(const json_t *object, uint32_t sample_count,
                       struct pcri_note_counts *sums)
{
    const json_t *index = json_object_get(object, "index");
    const json_t *undecodable = json_object_get(object, "undecodable");
    const json_t *salvaged = json_object_get(object, "salvaged");
    const json_t *unrestorable = json_object_get(object, "unrestorable");
    const json_t *encoded = json_object_get(object, "encoded");
    const json_t *dropped = json_object_get(object, "dropped_nbytes");
    if (!json_is_integer(index) || json_integer_value(index) < 0 ||
        json_integer_value(index) >= sample_count)
        return false;
    if ((undecodable && !json_is_string(undecodable)) ||
        (salvaged && !json_is_string(salvaged)) ||
        (unrestorable && !json_is_string(unrestorable)) ||
        (encoded && !json_is_string(encoded)) ||
        (dropped && (!json_is_integer(dropped) || json_integer_value(dropped) < 1)))
        return false;
    uint64_t nbytes = dropped ? (uint64_t) json_integer_value(dropped) : 0;
    sums->undecodable += undecodable != NULL;
    sums->salvaged += salvaged != NULL;
    sums->unrestorable += unrestorable != NULL;
    sums->encoded += encoded != NULL;
    sums->dropped += dropped != NULL;
    return !__builtin_add_overflow(sums->dropped_nbytes, nbytes, &sums->dropped_nbytes);
}

static int read_note(const uint8_t *text, size_t nbytes, uint32_t sample_count,
                     struct pcri_note_counts *sums, struct pcr_buffer *lines,
                     struct pcr_error *err)
{
    json_t *object;
    int rc = pcri_json_parse((const char *) text, nbytes, 0, &object, NULL, err);
    if (rc < 0)
        return rc;
    bool good = count_note(object, sample_count, sums) && !memchr(text, '\n', nbytes);
    json_decref(object);
    if (!good)
        return pcri_fail(err, PCR_ERR_CORRUPT, "tail: a note is malformed");
    rc = lines ? pcri_buffer_append(lines, text, nbytes, err) : 0;
    if (!rc && lines)
        rc = pcri_buffer_append(lines, "\n", 1, err);
    return rc;
}

int pcri_notes_read(const struct pcr_buffer *tail, uint32_t sample_count,
                    struct pcri_note_counts *sums, struct pcr_buffer *lines,
                    struct pcr_error *err)
{
    struct pcri_text_list list;
    int rc = pcri_text_list_open(tail, PCRI_TAIL_NOTES, &list, err);
    while (!rc && list.left) {
        size_t n;
        const uint8_t *text = pcri_text_list_next(&list, &n);
        rc = text ? read_note(text, n, sample_count, sums, lines, err)
                  : pcri_fail(err, PCR_ERR_CORRUPT, "tail: its list of notes is damaged");
    }
    return rc;
}

int pcri_record_notes(const struct pcri_record *r, const struct pcr_limits *limits,
                      struct pcri_note_counts *sums, struct pcr_buffer *lines,
                      struct pcr_error *err)
{
    struct pcr_buffer tail = { 0 };
    int rc = pcri_record_read_tail(r, limits, &tail, err);
    if (!rc) {
        rc = pcri_notes_read(&tail, r->header.sample_count, sums, lines, err);
        if (rc)
            pcri_prefix(err, rc, "%s", r->file->path);
    }
    pcr_buffer_free(&tail);
    return rc;
}
