/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists as JSON lines: one object a line. */
#include <stdlib.h>

#include "label.h"
#include "list.h"

/* A string member; *out stays NULL if it is absent or null. recurs: other lines may have it. */
static int get_text(struct pcri_list *l, const json_t *object, const char *name, bool recurs,
                    uint64_t line, const char **out, struct pcr_error *err)
{
    const json_t *v = json_object_get(object, name);
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_string(v))
        return pcri_fail_line(err, line, "'%s' is not a string", name);
    *out = recurs ? pcri_list_text(l, json_string_value(v), json_string_length(v), err)
                  : pcri_arena_strndup(l->arena, json_string_value(v), json_string_length(v),
                                       err);
    return *out ? 0 : PCR_ERR_NOMEM;
}

/* --- labels --- */

static int get_label(struct pcri_list *l, struct pcri_list_row *row, const json_t *object,
                     struct pcr_error *err)
{
    const json_t *label = json_object_get(object, "label");
    const json_t *labels = json_object_get(object, "labels");
    if (label && !json_is_null(label) && labels && !json_is_null(labels))
        return pcri_row_fail(err, row, "both 'label' and 'labels'");
    const json_t *v = label && !json_is_null(label) ? label : labels;
    if (!v || json_is_null(v))
        return 0;
    return pcri_row_json_label(l, row, v, err);
}

/* --- members --- */

/* A row of Hugging Face's metadata: the image is named by file_name, and what is not known
 * here is an attribute. */
static bool is_metadata(const json_t *object)
{
    return !json_object_get(object, "path") && json_object_get(object, "file_name");
}

static bool is_known(const struct pcri_list *l, const char *name)
{
    static const char *const known[] = { "label", "labels", "path",
                                         "key",   "split",  "attributes" };
    size_t count = l->beside ? (l->keep_labels ? 0 : 2) : sizeof(known) / sizeof(known[0]);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(known[i], name))
            return true;
    return false;
}

static int get_attributes(struct pcri_list *l, struct pcri_list_row *row, json_t *object,
                          struct pcr_error *err)
{
    bool metadata = is_metadata(object);
    const json_t *given = l->beside ? NULL : json_object_get(object, "attributes");
    if (given && !json_is_null(given) && !json_is_object(given))
        return pcri_fail_line(err, row->line, "'attributes' is not an object");
    json_t *all = json_object();
    int rc = all ? 0 : pcri_fail_nomem(err, sizeof(*all));
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) given, name, value)
        if (!rc && json_object_set(all, name, value))
            rc = pcri_fail_nomem(err, sizeof(*value));
    json_object_foreach (object, name, value)
        if (!rc && metadata && strcmp(name, "file_name") != 0 && !is_known(l, name) &&
            json_object_set(all, name, value))
            rc = pcri_fail_nomem(err, sizeof(*value));
    if (!rc)
        rc = pcri_row_attributes(l, row, all, err);
    json_decref(all);
    return rc;
}

/* A misspelt member must not be lost in silence. */
static int check_members(const struct pcri_list *l, json_t *object, uint64_t line,
                         struct pcr_error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach (object, name, value)
        if (!is_known(l, name))
            return pcri_fail_line(
                err, line,
                "unknown member '%.64s' (known are path, key, label, labels, split; other "
                "data of a sample goes into 'attributes')",
                name);
    return 0;
}

static int get_names(struct pcri_list *l, struct pcri_list_row *row, json_t *object,
                     struct pcr_error *err)
{
    uint64_t line = row->line;
    bool metadata = is_metadata(object);
    int rc = metadata ? 0 : check_members(l, object, line, err);
    if (!rc)
        rc = get_text(l, object, metadata ? "file_name" : "path", false, line, &row->path,
                      err);
    if (!rc && !l->beside)
        rc = get_text(l, object, "key", false, line, &row->key, err);
    if (!rc && !l->beside)
        rc = get_text(l, object, "split", true, line, &row->split, err);
    return rc;
}

static int add_object(struct pcri_list *l, json_t *object, uint64_t line,
                      struct pcr_error *err)
{
    if (!json_is_object(object))
        return pcri_fail_line(err, line, "not a JSON object");
    if (l->beside && !is_metadata(object))
        return pcri_fail_line(err, line, "no file_name");
    struct pcri_list_row *row = pcri_list_add(l, line, err);
    if (!row)
        return PCR_ERR_NOMEM;
    int rc = get_names(l, row, object, err);
    if (!rc && !(l->beside && l->keep_labels))
        rc = get_label(l, row, object, err);
    if (!rc)
        rc = get_attributes(l, row, object, err);
    return rc;
}

/* The text with 0 for each word that JSON does not know, such as NaN or too large a number. */
static char *tame(const char *text, size_t nbytes, struct pcr_error *err)
{
    static const char inside[] = "+-.0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char *copy = pcri_strndup(text, nbytes, err);
    bool quoted = false;
    for (char *p = copy; p && *p; p++) {
        if (*p == '\\' && quoted && p[1])
            p++;
        else if (*p == '"')
            quoted = !quoted;
        size_t n = quoted ? 0 : strspn(p, inside);
        if (!n)
            continue;
        if (strncmp(p, "true", n) && strncmp(p, "false", n) && strncmp(p, "null", n)) {
            memset(p, ' ', n);
            *p = '0';
        }
        p += n - 1;
    }
    return copy;
}

/* Text that is not JSON; the message names the sample if it can be found. */
static int fail_text(const char *text, size_t nbytes, uint64_t line,
                     const struct pcri_json_fault *fault, struct pcr_error *err)
{
    struct pcri_list_row row = { .line = line };
    char *copy = tame(text, nbytes, err);
    if (!copy)
        return PCR_ERR_NOMEM;
    json_t *object;
    int rc = pcri_json_parse(copy, strlen(copy), 0, &object, NULL, err);
    free(copy);
    if (rc < 0)
        return rc;
    row.key = json_string_value(json_object_get(object, "key"));
    row.path = json_string_value(json_object_get(object, "path"));
    if (!row.path)
        row.path = json_string_value(json_object_get(object, "file_name"));
    rc = pcri_row_fail(err, &row, "byte %zu: %s", fault->offset + 1, fault->what);
    json_decref(object);
    return rc;
}

static int parse_line(struct pcri_list *l, const char *text, size_t nbytes, uint64_t line,
                      struct pcr_error *err)
{
    struct pcri_json_fault fault;
    json_t *object;
    int rc = pcri_json_parse(text, nbytes, PCRI_JSON_ANY, &object, &fault, err);
    if (rc)
        return rc < 0 ? rc : fail_text(text, nbytes, line, &fault, err);
    rc = add_object(l, object, line, err);
    json_decref(object);
    return rc;
}

int pcri_jsonl_parse(const char *text, size_t nbytes, struct pcri_list *l,
                     struct pcr_error *err)
{
    const char *end = text + nbytes, *p = pcri_after_mark(text, end);
    int rc = 0;
    for (uint64_t line = 1; p < end && !rc; line++) {
        if (l->source)
            pcri_arena_touch(l->source, p);
        const char *lf = memchr(p, '\n', (size_t) (end - p));
        const char *stop = lf ? lf : end;
        size_t n = (size_t) (stop - p);
        size_t blank = 0;
        while (blank < n && strchr(" \t\r", p[blank]) && p[blank])
            blank++;
        if (blank < n)
            rc = parse_line(l, p, n, line, err);
        p = lf ? lf + 1 : end;
    }
    return rc;
}

int pcri_jsonl_is_metadata(const char *text, size_t nbytes, bool *is, struct pcr_error *err)
{
    const char *from = pcri_after_mark(text, text + nbytes);
    json_t *object;
    int rc = pcri_json_parse(from, (size_t) (text + nbytes - from),
                             PCRI_JSON_BEGINNING | PCRI_JSON_DUPLICATES, &object, NULL, err);
    *is = json_object_get(object, "file_name") != NULL;
    json_decref(object);
    return rc < 0 ? rc : 0;
}
