/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON text to values. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "json.h"
#include "utf8.h"

/* Functions return 0, 1 for bad text, or NOMEM. */
struct parser {
    const char *at, *end, *start;
    unsigned flags, depth;
    struct pcr_buffer stack; /* names of the open members, and the string that is read */
    struct pcri_json_fault fault;
    struct pcr_error *err;
};

static int bad(struct parser *p, const char *what)
{
    p->fault.offset = (size_t) (p->at - p->start);
    p->fault.what = p->at < p->end ? what : "the text ends too early";
    return 1;
}

static int nomem(struct parser *p)
{
    return pcri_fail(p->err, PCR_ERR_NOMEM, "no memory to parse %zu bytes of JSON",
                     (size_t) (p->end - p->start));
}

/* The next byte that is not blank; 0 at the end. */
static char peek(struct parser *p)
{
    while (p->at < p->end &&
           (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
    return p->at < p->end ? *p->at : '\0';
}

/* --- strings --- */

static bool get_hex4(const char *p, const char *end, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = p + i < end ? p[i] : '\0';
        unsigned digit = c >= '0' && c <= '9' ? (unsigned) (c - '0')
                         : (c | 32) >= 'a' && (c | 32) <= 'f' ? (unsigned) (c | 32) - 'a' + 10
                                                              : 16;
        if (digit > 15)
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

static size_t put_utf8(unsigned v, char *out)
{
    size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
    static const uint8_t first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = n; i-- > 1; v >>= 6)
        out[i] = (char) (0x80 | (v & 63));
    out[0] = (char) (first[n] | v);
    return n;
}

/* Behind "\u": one code, or two of a surrogate pair. */
static int read_code(struct parser *p, unsigned *v)
{
    unsigned low;
    if (!get_hex4(p->at, p->end, v))
        return bad(p, "\\u without four hexadecimal digits");
    if (!*v)
        return bad(p, "\\u0000 in a string");
    p->at += 4;
    if (*v < 0xD800 || *v > 0xDFFF)
        return 0;
    if (*v > 0xDBFF || p->end - p->at < 6 || memcmp(p->at, "\\u", 2) ||
        !get_hex4(p->at + 2, p->end, &low) || low < 0xDC00 || low > 0xDFFF)
        return bad(p, "half a surrogate pair");
    *v = 0x10000 + ((*v & 0x3FF) << 10 | (low & 0x3FF));
    p->at += 6;
    return 0;
}

static int read_escape(struct parser *p)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char text[4];
    size_t n = 1;
    const char *found = ++p->at < p->end && *p->at ? strchr(names, *p->at) : NULL;
    if (found) {
        text[0] = values[found - names];
        p->at++;
    } else {
        unsigned v;
        if (p->at == p->end || *p->at != 'u')
            return bad(p, "unknown escape in a string");
        p->at++;
        int rc = read_code(p, &v);
        if (rc)
            return rc;
        n = put_utf8(v, text);
    }
    return pcri_buffer_append(&p->stack, text, n, p->err) ? nomem(p) : 0;
}

/* Puts the string's bytes and a NUL on top of the stack. */
static int read_string(struct parser *p)
{
    p->at++;
    for (;;) {
        const char *from = p->at;
        while (p->at < p->end && *p->at != '"' && *p->at != '\\' && (uint8_t) *p->at >= 32) {
            size_t n = pcri_utf8_sequence(p->at, (size_t) (p->end - p->at));
            if (!n)
                return bad(p, "a string is not UTF-8");
            p->at += n;
        }
        if (pcri_buffer_append(&p->stack, from, (size_t) (p->at - from), p->err))
            return nomem(p);
        if (p->at < p->end && *p->at == '"') {
            p->at++;
            return pcri_buffer_append(&p->stack, "", 1, p->err) ? nomem(p) : 0;
        }
        int rc = p->at < p->end && *p->at == '\\' ? read_escape(p)
                                                  : bad(p, "a control character in a string");
        if (rc)
            return rc;
    }
}

static int parse_string(struct parser *p, json_t **out)
{
    size_t base = p->stack.nbytes;
    int rc = read_string(p);
    if (!rc && !(*out = json_stringn_nocheck((const char *) p->stack.data + base,
                                             p->stack.nbytes - base - 1)))
        rc = nomem(p);
    p->stack.nbytes = base;
    return rc;
}

/* --- numbers --- */

bool pcri_json_double(const char *number, size_t nbytes, double *out)
{
    char text[PCRI_JSON_NUMBER + 16];
    const char *point = localeconv()->decimal_point;
    size_t n = 0, point_nbytes = strlen(point);
    if (nbytes > PCRI_JSON_NUMBER || point_nbytes > 15)
        return false;
    for (size_t i = 0; i < nbytes; i++) {
        if (number[i] != '.') {
            text[n++] = number[i];
            continue;
        }
        memcpy(text + n, point, point_nbytes);
        n += point_nbytes;
    }
    text[n] = '\0';
    *out = strtod(text, NULL);
    return isfinite(*out);
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static int parse_integer(struct parser *p, const char *stop, json_t **out)
{
    char text[PCRI_JSON_NUMBER + 1];
    size_t n = (size_t) (stop - p->at);
    memcpy(text, p->at, n);
    text[n] = '\0';
    errno = 0;
    long long v = strtoll(text, NULL, 10);
    if (errno)
        return bad(p, "an integer beyond 64 bits");
    *out = json_integer(v);
    p->at = stop;
    return *out ? 0 : nomem(p);
}

static int parse_number(struct parser *p, json_t **out)
{
    const char *first = p->at + (*p->at == '-'), *stop = digits(first, p->end), *q;
    bool real = false;
    double v;
    if (stop == first || (*first == '0' && stop > first + 1))
        return bad(p, "neither a value nor a number");
    if (stop < p->end && *stop == '.') {
        real = true;
        q = digits(stop + 1, p->end);
        if (q == stop + 1)
            return bad(p, "a number without digits behind its point");
        stop = q;
    }
    if (stop < p->end && (*stop | 32) == 'e') {
        real = true;
        q = stop + 1;
        q += q < p->end && (*q == '+' || *q == '-');
        stop = digits(q, p->end);
        if (stop == q)
            return bad(p, "a number without digits in its exponent");
    }
    if (stop - p->at > PCRI_JSON_NUMBER)
        return bad(p, "a number of more than 1000 bytes");
    if (!real)
        return parse_integer(p, stop, out);
    if (!pcri_json_double(p->at, (size_t) (stop - p->at), &v))
        return bad(p, "a number beyond what a double holds");
    *out = json_real(v);
    p->at = stop;
    return *out ? 0 : nomem(p);
}

/* --- values --- */

static int parse_value(struct parser *p, json_t **out);

/* Behind a member or element: 0 where another follows, LAST where none does. */
enum { LAST = 2 };

static int parse_comma(struct parser *p, char close)
{
    char c = peek(p);
    if (c != ',' && c != close)
        return bad(p, close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
    p->at++;
    return c == close ? LAST : 0;
}

static int parse_elements(struct parser *p, json_t *array)
{
    int rc = 0;
    p->at++;
    if (peek(p) == ']') {
        p->at++;
        return 0;
    }
    while (!rc) {
        json_t *v = NULL;
        rc = parse_value(p, &v);
        if (!rc && json_array_append_new(array, v))
            rc = nomem(p);
        if (!rc)
            rc = parse_comma(p, ']');
    }
    return rc == LAST ? 0 : rc;
}

static int parse_member(struct parser *p, json_t *object)
{
    size_t base = p->stack.nbytes;
    json_t *v = NULL;
    if (peek(p) != '"')
        return bad(p, "expected a name in quotes");
    int rc = read_string(p);
    if (!rc && !(p->flags & PCRI_JSON_DUPLICATES) &&
        json_object_get(object, (const char *) p->stack.data + base))
        rc = bad(p, "a second member of this name");
    if (!rc && peek(p) != ':')
        rc = bad(p, "expected ':'");
    if (!rc) {
        p->at++;
        rc = parse_value(p, &v);
    }
    if (!rc && json_object_set_new_nocheck(object, (const char *) p->stack.data + base, v))
        rc = nomem(p);
    p->stack.nbytes = base;
    return rc;
}

static int parse_members(struct parser *p, json_t *object)
{
    int rc = 0;
    p->at++;
    if (peek(p) == '}') {
        p->at++;
        return 0;
    }
    while (!rc) {
        rc = parse_member(p, object);
        if (!rc)
            rc = parse_comma(p, '}');
    }
    return rc == LAST ? 0 : rc;
}

static int parse_nested(struct parser *p, json_t **out)
{
    if (p->depth == PCRI_JSON_DEPTH)
        return bad(p, "arrays and objects more than 512 deep");
    p->depth++;
    bool array = *p->at == '[';
    json_t *v = array ? json_array() : json_object();
    int rc = !v ? nomem(p) : array ? parse_elements(p, v) : parse_members(p, v);
    p->depth--;
    if (rc)
        json_decref(v);
    else
        *out = v;
    return rc;
}

static int parse_word(struct parser *p, json_t **out)
{
    static const char *const words[] = { "null", "true", "false" };
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if ((size_t) (p->end - p->at) < n || memcmp(p->at, words[i], n))
            continue;
        p->at += n;
        *out = i == 0 ? json_null() : json_boolean(i == 1);
        return 0;
    }
    return bad(p, "neither a value nor a number");
}

static int parse_value(struct parser *p, json_t **out)
{
    switch (peek(p)) {
    case '\0':
        return bad(p, "a NUL byte");
    case '{':
    case '[':
        return parse_nested(p, out);
    case '"':
        return parse_string(p, out);
    case 'n':
    case 't':
    case 'f':
        return parse_word(p, out);
    default:
        return parse_number(p, out);
    }
}

int pcri_json_parse(const char *text, size_t nbytes, unsigned flags, json_t **out,
                    struct pcri_json_fault *fault, struct pcr_error *err)
{
    struct parser p = { .at = text, .end = text + nbytes, .start = text, .flags = flags,
                        .err = err };
    json_t *v = NULL;
    char first = peek(&p);
    int rc = first != '{' && first != '[' && !(flags & PCRI_JSON_ANY)
        ? bad(&p, "neither an object nor an array") : parse_value(&p, &v);
    if (!rc && !(flags & PCRI_JSON_BEGINNING)) {
        (void) peek(&p);
        rc = p.at < p.end ? bad(&p, "something follows the value") : 0;
    }
    if (rc) {
        json_decref(v);
        v = NULL;
    }
    if (rc > 0 && fault)
        *fault = p.fault;
    pcr_buffer_free(&p.stack);
    *out = v;
    return rc;
}
