/* SPDX-License-Identifier: BSD-2-Clause */
/* Large JSON files, read through a window. */
#include "../libpcr/io/stream.h"
#include "json_file.h"

struct json_file {
    struct pcri_file_stream *stream;
    const char *path;
    const char *window;
    uint64_t offset; /* of the window */
    size_t have, at; /* its bytes, and the next one */
    struct pcr_buffer name;
    int (*each)(void *context, const struct pcri_json_part *part, struct pcr_error *err);
    void *context;
    struct pcr_error *err;
};

enum { STEP_NBYTES = 1 << 20 };

static int fail(const struct json_file *f, size_t at, const char *what)
{
    return pcri_fail(f->err, PCR_ERR_FORMAT, "%s, byte %llu: not JSON: %s", f->path,
                     (unsigned long long) (f->offset + at),
                     at < f->have ? what : "the text ends too early");
}

/* Moves the window to the next byte, and makes it larger. *more is false at the file's end. */
static int move(struct json_file *f, bool *more)
{
    const size_t left = f->have - f->at;
    const uint8_t *data;
    f->offset += f->at;
    f->at = 0;
    f->have = left;
    int rc = pcri_stream_get(f->stream, f->offset,
                             left + (left > STEP_NBYTES ? left : STEP_NBYTES), &data, &f->have,
                             f->err);
    if (rc)
        return pcri_prefix(f->err, rc, "%s, byte %llu", f->path,
                           (unsigned long long) f->offset);
    f->window = (const char *) data;
    *more = f->have > left;
    return 0;
}

/* The next byte that is not blank; 0 at the file's end. */
static int peek(struct json_file *f, char *c)
{
    bool more = true;
    int rc = 0;
    for (;;) {
        while (f->at < f->have && strchr(" \t\r\n", f->window[f->at]) && f->window[f->at])
            f->at++;
        if (f->at < f->have || !more)
            break;
        rc = move(f, &more);
        if (rc)
            return rc;
    }
    *c = f->at < f->have ? f->window[f->at] : '\0';
    return 0;
}

/* Moves past this byte. */
static int expect(struct json_file *f, char c, const char *what)
{
    char next;
    int rc = peek(f, &next);
    if (!rc && next != c)
        rc = fail(f, f->at, what);
    f->at += !rc;
    return rc;
}

/* Where a value is, as far as brackets and quotes tell. */
struct nesting {
    size_t depth;
    bool quoted, escaped;
};

/* Whether the byte belongs to what comes after the value. */
static bool ends(struct nesting *n, char c)
{
    if (n->quoted) {
        if (c == '"' && !n->escaped)
            n->quoted = false;
        n->escaped = c == '\\' && !n->escaped;
        return false;
    }
    if (!n->depth && strchr(",]} \t\r\n", c))
        return true;
    n->quoted = c == '"';
    n->depth += c == '{' || c == '[';
    n->depth -= n->depth && (c == '}' || c == ']');
    return false;
}

/* Finds the value that begins at the next byte; the window then holds it. */
static int find_value(struct json_file *f, size_t *nbytes)
{
    struct nesting n = { 0 };
    bool more = true;
    for (size_t i = 0;; i++) {
        if (f->at + i == f->have) {
            int rc = move(f, &more);
            if (rc)
                return rc;
            if (!more)
                return fail(f, f->have, "");
        }
        if (ends(&n, f->window[f->at + i])) {
            *nbytes = i;
            return i ? 0 : fail(f, f->at, "expected a value");
        }
    }
}

static int call(struct json_file *f, bool is_element, uint64_t index)
{
    char c;
    size_t nbytes;
    int rc = peek(f, &c);
    if (!rc)
        rc = find_value(f, &nbytes);
    if (rc)
        return rc;
    const struct pcri_json_part part = {
        .member = (const char *) f->name.data,
        .is_element = is_element,
        .index = index,
        .offset = f->offset + f->at,
        .text = f->window + f->at,
        .nbytes = nbytes,
    };
    rc = f->each(f->context, &part, f->err);
    f->at += nbytes;
    return rc;
}

/* Moves past a comma, or past what closes. */
static int next(struct json_file *f, char close, bool *closed)
{
    char c;
    int rc = peek(f, &c);
    if (!rc && c != ',' && c != close)
        rc = fail(f, f->at, close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
    f->at += !rc;
    *closed = !rc && c == close;
    return rc;
}

/* Moves past what opens, and past what closes if that follows. */
static int first(struct json_file *f, char close, bool *closed)
{
    char c;
    f->at++;
    int rc = peek(f, &c);
    *closed = !rc && c == close;
    f->at += *closed;
    return rc;
}

static int read_name(struct json_file *f)
{
    const char *text;
    size_t nbytes, n;
    char c;
    int rc = peek(f, &c);
    if (!rc && c != '"')
        rc = fail(f, f->at, "expected a name in quotes");
    struct nesting quotes = { 0 };
    bool more = true;
    for (n = 0; !rc; n++) {
        if (f->at + n == f->have)
            rc = move(f, &more);
        if (!rc && !more)
            rc = fail(f, f->have, "");
        if (!rc && !ends(&quotes, f->window[f->at + n]) && !quotes.quoted)
            break;
    }
    if (rc)
        return rc;
    struct pcri_json_reader r = pcri_json_reader(f->window + f->at, n + 1, f->err);
    rc = pcri_json_string(&r, &text, &nbytes);
    f->name.nbytes = 0;
    if (rc > 0)
        rc = fail(f, f->at + r.fault.offset, r.fault.what);
    else if (!rc)
        rc = pcri_buffer_append(&f->name, text, nbytes + 1, f->err);
    pcri_json_close(&r);
    f->at += n + 1;
    return rc ? rc : expect(f, ':', "expected ':'");
}

static int read_member(struct json_file *f)
{
    bool closed = false;
    char c;
    int rc = read_name(f);
    if (!rc)
        rc = peek(f, &c);
    if (rc || c != '[')
        return rc ? rc : call(f, false, 0);
    const struct pcri_json_part empty = { .member = (const char *) f->name.data,
                                          .offset = f->offset + f->at,
                                          .text = "[]",
                                          .nbytes = 2 };
    rc = first(f, ']', &closed);
    if (!rc && closed)
        rc = f->each(f->context, &empty, f->err);
    for (uint64_t i = 0; !closed && !rc; i++) {
        rc = call(f, true, i);
        if (!rc)
            rc = next(f, ']', &closed);
    }
    return rc;
}

static int read_file(struct json_file *f)
{
    bool closed = false;
    char c;
    int rc = peek(f, &c);
    if (!rc && f->have - f->at >= 3 && !memcmp(f->window + f->at, "\xef\xbb\xbf", 3))
        f->at += 3;
    if (!rc)
        rc = peek(f, &c);
    if (!rc && c != '{')
        rc = fail(f, f->at, "expected an object");
    if (!rc)
        rc = first(f, '}', &closed);
    while (!closed && !rc) {
        rc = read_member(f);
        if (!rc)
            rc = next(f, '}', &closed);
    }
    if (!rc)
        rc = peek(f, &c);
    return rc || f->at == f->have ? rc : fail(f, f->at, "text after the value");
}

int pcri_json_file_read(const char *path,
                        int (*each)(void *context, const struct pcri_json_part *part,
                                    struct pcr_error *err),
                        void *context, struct pcr_error *err)
{
    struct json_file f = { .path = path, .each = each, .context = context, .err = err };
    int rc = pcri_stream_open(path, NULL, &f.stream, err);
    if (!rc)
        rc = read_file(&f);
    pcri_stream_close(&f.stream);
    pcr_buffer_free(&f.name);
    return rc;
}

int pcri_json_members(const char *text, size_t nbytes, const char *const *names, size_t count,
                      struct pcri_json_slice *values, struct pcri_json_fault *fault,
                      struct pcr_error *err)
{
    struct pcri_json_reader r = pcri_json_reader(text, nbytes, err);
    for (size_t i = 0; i < count; i++)
        values[i] = (struct pcri_json_slice) { 0 };
    int rc = pcri_json_first(&r, '{');
    while (!rc) {
        const char *name;
        struct pcri_json_slice *found = NULL;
        rc = pcri_json_name(&r, &name);
        for (size_t i = 0; i < count && !rc; i++)
            if (!strcmp(name, names[i]))
                found = &values[i];
        const char *from = r.at;
        if (!rc)
            rc = pcri_json_pass(&r);
        if (!rc && found)
            *found = (struct pcri_json_slice) { from, (size_t) (r.at - from) };
        if (!rc)
            rc = pcri_json_next(&r, '}');
    }
    rc = rc == PCRI_JSON_LAST ? pcri_json_end(&r) : rc;
    *fault = r.fault;
    pcri_json_close(&r);
    return rc;
}
