/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON text to values. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "json.h"
#include "utf8.h"

static int bad(struct pcri_json_reader *p, const char *what)
{
    p->fault.offset = (size_t) (p->at - p->start);
    p->fault.what = p->at < p->end ? what : "the text ends too early";
    return 1;
}

static int nomem(struct pcri_json_reader *p)
{
    return pcri_fail(p->err, PCR_ERR_NOMEM, "no memory to parse %zu bytes of JSON",
                     (size_t) (p->end - p->start));
}

/* The next byte that is not blank; 0 at the end. */
static char peek(struct pcri_json_reader *p)
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
        unsigned digit = c >= '0' && c <= '9'                 ? (unsigned) (c - '0')
                         : (c | 32) >= 'a' && (c | 32) <= 'f' ? (unsigned) (c | 32) - 'a' + 10
                                                              : 16;
        if (digit > 15)
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

/* After "\u": one code, or two of a surrogate pair. */
static int read_code(struct pcri_json_reader *p, unsigned *v)
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

static int read_escape(struct pcri_json_reader *p)
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
        n = pcri_utf8_put(v, text);
    }
    return pcri_buffer_append(&p->stack, text, n, p->err) ? nomem(p) : 0;
}

/* Puts the string's bytes and a NUL on top of the stack. */
static int read_string(struct pcri_json_reader *p)
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

static int parse_string(struct pcri_json_reader *p, json_t **out)
{
    size_t base = p->stack.nbytes;
    int rc = read_string(p);
    if (!rc && !p->passing &&
        !(*out = json_stringn_nocheck((const char *) p->stack.data + base,
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

static int parse_integer(struct pcri_json_reader *p, const char *stop, json_t **out)
{
    char text[PCRI_JSON_NUMBER + 1];
    size_t n = (size_t) (stop - p->at);
    memcpy(text, p->at, n);
    text[n] = '\0';
    errno = 0;
    long long v = strtoll(text, NULL, 10);
    if (errno)
        return bad(p, "an integer beyond 64 bits");
    p->at = stop;
    return p->passing || (*out = json_integer(v)) ? 0 : nomem(p);
}

static int parse_number(struct pcri_json_reader *p, json_t **out)
{
    const char *first = p->at + (*p->at == '-'), *stop = digits(first, p->end), *q;
    bool real = false;
    double v;
    if (stop == first || (*first == '0' && stop > first + 1))
        return bad(p, "not a value");
    if (stop < p->end && *stop == '.') {
        real = true;
        q = digits(stop + 1, p->end);
        if (q == stop + 1)
            return bad(p, "a number without digits after its point");
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
    p->at = stop;
    return p->passing || (*out = json_real(v)) ? 0 : nomem(p);
}

/* --- values --- */

static int parse_value(struct pcri_json_reader *p, json_t **out);

enum { LAST = PCRI_JSON_LAST };

int pcri_json_next(struct pcri_json_reader *p, char close)
{
    char c = peek(p);
    if (c != ',' && c != close)
        return bad(p, close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
    p->at++;
    return c == close ? LAST : 0;
}

static int parse_elements(struct pcri_json_reader *p, json_t *array)
{
    int rc = pcri_json_first(p, '[');
    while (!rc) {
        json_t *v = NULL;
        rc = parse_value(p, &v);
        if (!rc && array && json_array_append_new(array, v))
            rc = nomem(p);
        if (!rc)
            rc = pcri_json_next(p, ']');
    }
    return rc == LAST ? 0 : rc;
}

static int parse_member(struct pcri_json_reader *p, json_t *object)
{
    size_t base = p->stack.nbytes;
    json_t *v = NULL;
    if (peek(p) != '"')
        return bad(p, "expected a name in quotes");
    int rc = read_string(p);
    if (!rc && object && !(p->flags & PCRI_JSON_DUPLICATES) &&
        json_object_get(object, (const char *) p->stack.data + base))
        rc = bad(p, "a second member with this name");
    if (!rc && peek(p) != ':')
        rc = bad(p, "expected ':'");
    if (!rc) {
        p->at++;
        rc = parse_value(p, &v);
    }
    if (!rc && object &&
        json_object_set_new_nocheck(object, (const char *) p->stack.data + base, v))
        rc = nomem(p);
    p->stack.nbytes = base;
    return rc;
}

static int parse_members(struct pcri_json_reader *p, json_t *object)
{
    int rc = pcri_json_first(p, '{');
    while (!rc) {
        rc = parse_member(p, object);
        if (!rc)
            rc = pcri_json_next(p, '}');
    }
    return rc == LAST ? 0 : rc;
}

static int parse_nested(struct pcri_json_reader *p, json_t **out)
{
    p->fault.too_deep = p->depth == PCRI_JSON_DEPTH;
    if (p->fault.too_deep)
        return bad(p, "arrays and objects nested more than 512 deep");
    p->depth++;
    bool array = *p->at == '[';
    json_t *v = p->passing ? NULL : array ? json_array() : json_object();
    int rc = !v && !p->passing ? nomem(p) : array ? parse_elements(p, v) : parse_members(p, v);
    p->depth--;
    if (rc)
        json_decref(v);
    else
        *out = v;
    return rc;
}

static int parse_word(struct pcri_json_reader *p, json_t **out)
{
    static const char *const words[] = { "null", "true", "false" };
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if ((size_t) (p->end - p->at) < n || memcmp(p->at, words[i], n))
            continue;
        p->at += n;
        *out = p->passing ? NULL : i == 0 ? json_null() : json_boolean(i == 1);
        return 0;
    }
    return bad(p, "not a value");
}

static int parse_value(struct pcri_json_reader *p, json_t **out)
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
    struct pcri_json_reader p = pcri_json_reader(text, nbytes, err);
    json_t *v = NULL;
    p.flags = flags;
    char first = peek(&p);
    int rc = first != '{' && first != '[' && !(flags & PCRI_JSON_ANY)
                 ? bad(&p, "neither an object nor an array")
                 : parse_value(&p, &v);
    if (!rc && !(flags & PCRI_JSON_BEGINNING)) {
        (void) peek(&p);
        rc = p.at < p.end ? bad(&p, "text after the value") : 0;
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

/* --- piece by piece --- */

void pcri_json_close(struct pcri_json_reader *p)
{
    pcr_buffer_free(&p->stack);
}

int pcri_json_first(struct pcri_json_reader *p, char open)
{
    if (peek(p) != open)
        return bad(p, open == '[' ? "expected an array" : "expected an object");
    p->at++;
    if (peek(p) != (open == '[' ? ']' : '}'))
        return 0;
    p->at++;
    return LAST;
}

int pcri_json_name(struct pcri_json_reader *p, const char **name_out)
{
    if (peek(p) != '"')
        return bad(p, "expected a name in quotes");
    p->stack.nbytes = 0;
    int rc = read_string(p);
    if (!rc && peek(p) != ':')
        rc = bad(p, "expected ':'");
    if (rc)
        return rc;
    p->at++;
    (void) peek(p); /* to the value */
    *name_out = (const char *) p->stack.data;
    return 0;
}

int pcri_json_pass(struct pcri_json_reader *p)
{
    json_t *none = NULL;
    p->passing = true;
    int rc = parse_value(p, &none);
    p->passing = false;
    return rc;
}

int pcri_json_string(struct pcri_json_reader *p, const char **text_out, size_t *nbytes_out)
{
    if (peek(p) != '"')
        return bad(p, "expected a string");
    p->stack.nbytes = 0;
    int rc = read_string(p);
    if (rc)
        return rc;
    *text_out = (const char *) p->stack.data;
    *nbytes_out = p->stack.nbytes - 1;
    return 0;
}

int pcri_json_whole(struct pcri_json_reader *p, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    (void) peek(p);
    const char *stop = digits(p->at, p->end);
    bool good = stop > p->at && (*p->at != '0' || stop == p->at + 1) &&
                (stop == p->end || !strchr(".eE", *stop) || !*stop);
    for (const char *q = p->at; good && q < stop; q++)
        good = !__builtin_mul_overflow(v, 10, &v) &&
               !__builtin_add_overflow(v, (uint64_t) (*q - '0'), &v);
    if (!good || v > max)
        return bad(p, "expected a whole number in range");
    p->at = stop;
    *out = v;
    return 0;
}

int pcri_json_numbers(struct pcri_json_reader *p, uint64_t max, uint64_t count, uint64_t *out)
{
    int rc = pcri_json_first(p, '[');
    for (uint64_t i = 0; !rc; i++) {
        if (i == count)
            return 1;
        rc = pcri_json_whole(p, max, &out[i]);
        if (!rc)
            rc = pcri_json_next(p, ']');
        if (rc == LAST)
            return i + 1 != count;
    }
    return rc == LAST ? count != 0 : rc;
}

int pcri_json_end(struct pcri_json_reader *p)
{
    (void) peek(p);
    return p->at < p->end ? bad(p, "text after the value") : 0;
}
