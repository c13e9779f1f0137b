/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON in and out, where want of memory is told apart from bad text. */
#include <stdlib.h>

#include "json.h"

/* Bytes that an escape sequence (behind its backslash) stands for. */
static size_t escape_nbytes(const char *p, size_t left)
{
    unsigned v = 0;
    if (*p != 'u')
        return 1;
    for (size_t i = 1; i < 5 && i < left; i++)
        v = v << 4 | (unsigned) (p[i] <= '9' ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    if (v >= 0xD800 && v < 0xE000) /* the two of a pair make four bytes */
        return 2;
    return v < 0x80 ? 1 : v < 0x800 ? 2 : 3;
}

/* Bytes of all strings and names in a JSON text. */
static size_t text_strings(const char *text, size_t nbytes)
{
    size_t sum = 0;
    bool in_string = false;
    for (size_t i = 0; i < nbytes; i++) {
        if (text[i] == '"') {
            in_string = !in_string;
        } else if (in_string && text[i] == '\\' && i + 1 < nbytes) {
            sum += escape_nbytes(text + i + 1, nbytes - i - 1);
            i += text[i + 1] == 'u' ? 5 : 1;
        } else {
            sum += in_string;
        }
    }
    return sum;
}

/* The same of a value. Jansson bounds how deep it is. */
static size_t value_strings(json_t *v)
{
    size_t sum = json_is_string(v) ? json_string_length(v) : 0, i;
    const char *name;
    json_t *member;
    if (json_is_array(v))
        for (i = 0; i < json_array_size(v); i++)
            sum += value_strings(json_array_get(v, i));
    json_object_foreach(v, name, member)
        sum += strlen(name) + value_strings(member);
    return sum;
}

/* A string that grows without memory loses a byte without a word. */
static json_t *load(const char *text, size_t nbytes, size_t flags, json_error_t *why,
                    bool *nomem)
{
    why->text[0] = '\0';
    json_t *v = json_loadb(text, nbytes, flags, why);
    *nomem = v ? value_strings(v) != text_strings(text, nbytes)
               : !why->text[0] || json_error_code(why) == json_error_out_of_memory;
    if (v && *nomem) {
        json_decref(v);
        v = NULL;
    }
    return v;
}

/* Is there memory for what a parser takes? */
static bool has_memory(size_t nbytes)
{
    void *p = malloc(nbytes < 4096 ? 4096 : nbytes);
    free(p);
    return p;
}

int pcri_json_parse(const char *text, size_t nbytes, size_t flags, json_t **out,
                    json_error_t *why, struct pcr_error *err)
{
    bool nomem;
    *out = load(text, nbytes, flags, why, &nomem);
    if (!*out && !nomem) /* a name or string without memory is an invalid token to jansson */
        *out = load(text, nbytes, flags, why, &nomem);
    if (*out)
        return 0;
    return nomem || !has_memory(nbytes)
        ? pcri_fail(err, PCR_ERR_NOMEM, "no memory to parse %zu bytes of JSON", nbytes) : 1;
}

/* A failure lasts: what jansson goes on to print after one would not be the object. */
struct printing {
    struct pcr_buffer *out;
    struct pcr_error *err;
    int rc;
};

static int append(const char *text, size_t nbytes, void *opaque)
{
    struct printing *p = opaque;
    if (!p->rc)
        p->rc = pcri_buffer_append(p->out, text, nbytes, p->err);
    return p->rc;
}

int pcri_json_append(const json_t *object, struct pcr_buffer *out, struct pcr_error *err)
{
    struct printing p = { out, err, 0 };
    if (json_dump_callback(object, append, &p, JSON_COMPACT | JSON_SORT_KEYS) && !p.rc)
        p.rc = pcri_fail(err, PCR_ERR_NOMEM, "no memory for JSON text");
    return p.rc;
}

int pcri_json_text(const json_t *object, char **out, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    int rc = pcri_json_append(object, &text, err);
    if (!rc)
        rc = pcri_buffer_append(&text, "", 1, err);
    if (rc)
        pcr_buffer_free(&text);
    *out = (char *) text.data;
    return rc;
}
