/* SPDX-License-Identifier: BSD-2-Clause */
/* Small XML documents to trees of elements. */
#include <stdalign.h>
#include <strings.h>

#include "../libpcr/base/utf8.h"
#include "xml.h"

enum { DEEPEST = 64 };

struct xml {
    const char *at, *end, *start;
    struct pcri_arena *arena;
    struct pcr_buffer text; /* of the elements that are open */
    struct pcri_xml_fault fault;
    struct pcr_error *err;
};

static int bad(struct xml *x, const char *what)
{
    x->fault.offset = (size_t) (x->at - x->start);
    x->fault.what = x->at < x->end ? what : "the text ends too early";
    return 1;
}

static bool begins(const struct xml *x, const char *with)
{
    size_t n = strlen(with);
    return (size_t) (x->end - x->at) >= n && !memcmp(x->at, with, n);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void pass_blanks(struct xml *x)
{
    while (x->at < x->end && is_blank(*x->at))
        x->at++;
}

/* Moves past the next `what`. */
static int pass(struct xml *x, const char *what)
{
    for (; x->at < x->end; x->at++)
        if (begins(x, what)) {
            x->at += strlen(what);
            return 0;
        }
    return bad(x, "");
}

/* Letters, and all beyond ASCII; inside of a name digits and three signs too. */
static bool is_of_name(char c, bool inside)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           (uint8_t) c >= 0x80 || (inside && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static size_t name_nbytes(const struct xml *x)
{
    size_t n = 0;
    while (x->at + n < x->end && is_of_name(x->at[n], n))
        n++;
    return n;
}

/* --- text --- */

static bool is_character(uint32_t v)
{
    return v == '\t' || v == '\n' || v == '\r' || (v >= 32 && v < 0xD800) ||
           (v > 0xDFFF && v < 0xFFFE) || (v > 0xFFFF && v <= 0x10FFFF);
}

/* A number between "&#" or "&#x" and ";". */
static bool read_number(const char *p, size_t nbytes, unsigned base, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < nbytes; i++) {
        unsigned digit = p[i] >= '0' && p[i] <= '9' ? (unsigned) (p[i] - '0')
                         : (p[i] | 32) >= 'a' && (p[i] | 32) <= 'f'
                             ? (unsigned) (p[i] | 32) - 'a' + 10
                             : 16;
        if (digit >= base || *out > 0x10FFFF)
            return false;
        *out = *out * base + digit;
    }
    return nbytes && is_character(*out);
}

/* "&lt;" and the like. */
static int read_reference(struct xml *x)
{
    static const char *const names[] = { "lt", "gt", "amp", "quot", "apos" };
    static const char values[] = "<>&\"'";
    const char *from = x->at + 1;
    const char *semicolon = memchr(from, ';', (size_t) (x->end - from));
    size_t n = semicolon ? (size_t) (semicolon - from) : 0, nbytes = 0;
    const bool hexadecimal = n > 1 && from[1] == 'x';
    char text[4];
    uint32_t v;
    for (size_t i = 0; i < 5; i++)
        if (n == strlen(names[i]) && !memcmp(from, names[i], n)) {
            text[0] = values[i];
            nbytes = 1;
        }
    if (n > 1 && *from == '#' &&
        read_number(from + 1 + hexadecimal, n - 1 - hexadecimal, hexadecimal ? 16 : 10, &v))
        nbytes = pcri_utf8_put(v, text);
    if (!nbytes)
        return bad(x, "an entity that is none of lt, gt, amp, quot, apos, and no character");
    x->at = semicolon + 1;
    return pcri_buffer_append(&x->text, text, nbytes, x->err);
}

/* One, as it stands. */
static int read_character(struct xml *x)
{
    size_t n = pcri_utf8_sequence(x->at, (size_t) (x->end - x->at));
    const bool last_two = n == 3 && !memcmp(x->at, "\xef\xbf", 2) && (uint8_t) x->at[2] > 0xbd;
    if (!n || (n == 1 && !is_character((uint8_t) *x->at)) || last_two) /* U+FFFE, U+FFFF */
        return bad(x, "not a character in UTF-8");
    int rc = pcri_buffer_append(&x->text, x->at, n, x->err);
    x->at += n;
    return rc;
}

/* Up to "<" or `quote` (0: none). */
static int read_characters(struct xml *x, char quote)
{
    int rc = 0;
    while (!rc && x->at < x->end && *x->at != '<' && (!quote || *x->at != quote)) {
        if (*x->at == '&')
            rc = read_reference(x);
        else
            rc = !quote && begins(x, "]]>") ? bad(x, "]]> in a text") : read_character(x);
    }
    return rc;
}

static int read_cdata(struct xml *x)
{
    int rc = 0;
    x->at += strlen("<![CDATA[");
    while (!rc && x->at < x->end && !begins(x, "]]>"))
        rc = read_character(x);
    return rc ? rc : pass(x, "]]>");
}

/* What was read since `base`, without blanks at its ends. NULL: NOMEM. */
static const char *take_text(struct xml *x, size_t base)
{
    size_t n = x->text.nbytes - base;
    if (!n)
        return "";
    const char *text = (const char *) x->text.data + base;
    while (n && is_blank(*text)) {
        text++;
        n--;
    }
    while (n && is_blank(text[n - 1]))
        n--;
    x->text.nbytes = base;
    return n ? pcri_arena_strndup(x->arena, text, n, x->err) : "";
}

/* --- markup --- */

/* A comment or a processing instruction. */
static int pass_other(struct xml *x)
{
    if (begins(x, "<!--")) {
        x->at += 4;
        int rc = pass(x, "--");
        if (!rc && !begins(x, ">"))
            rc = bad(x, "-- in a comment");
        x->at += !rc;
        return rc;
    }
    if (begins(x, "<!DOCTYPE"))
        return bad(x, "it has a document type");
    if (!begins(x, "<?"))
        return bad(x, "expected an element");
    x->at += 2;
    size_t n = name_nbytes(x);
    if (!n || (n == 3 && !strncasecmp(x->at, "xml", 3)))
        return bad(x, "a processing instruction without a name of its own");
    return pass(x, "?>");
}

/* Comments and blanks outside of the root. */
static int pass_others(struct xml *x)
{
    int rc = 0;
    for (pass_blanks(x); !rc && (begins(x, "<!") || begins(x, "<?")); pass_blanks(x))
        rc = pass_other(x);
    return rc;
}

/* The attributes of a tag or of the declaration, up to `close` or "/". `encoding`: that of this
 * name must be UTF-8. */
static int pass_attributes(struct xml *x, char close, bool encoding)
{
    for (;;) {
        const char *before = x->at;
        pass_blanks(x);
        if (x->at < x->end && (*x->at == close || *x->at == '/'))
            return 0;
        const char *name = x->at;
        size_t n = name_nbytes(x);
        if (!n || before == name)
            return bad(x, "expected an attribute or the end of a tag");
        x->at += n;
        pass_blanks(x);
        if (!begins(x, "="))
            return bad(x, "an attribute without a value");
        x->at++;
        pass_blanks(x);
        if (x->at == x->end || (*x->at != '"' && *x->at != '\''))
            return bad(x, "an attribute's value without quotes");
        const char quote = *x->at++;
        const char *value = x->at;
        const size_t base = x->text.nbytes;
        int rc = read_characters(x, quote);
        x->text.nbytes = base;
        if (!rc && (x->at == x->end || *x->at != quote))
            rc = bad(x, "< in an attribute's value");
        if (!rc && encoding && n == 8 && !memcmp(name, "encoding", 8) &&
            (x->at - value != 5 || strncasecmp(value, "utf-8", 5)) &&
            (x->at - value != 8 || strncasecmp(value, "us-ascii", 8)))
            rc = bad(x, "an encoding that is not UTF-8");
        if (rc)
            return rc;
        x->at++;
    }
}

static int pass_declaration(struct xml *x)
{
    if (!begins(x, "<?xml") || x->end - x->at < 6 || !is_blank(x->at[5]))
        return 0;
    x->at += 5;
    int rc = pass_attributes(x, '?', true);
    return rc ? rc : begins(x, "?>") ? pass(x, "?>") : bad(x, "the declaration does not end");
}

/* --- elements --- */

/* A tag that opens; *empty: it closes, too. */
static int open_element(struct xml *x, struct pcri_xml **out, bool *empty)
{
    struct pcri_xml *e = pcri_arena_alloc(x->arena, sizeof(*e), alignof(struct pcri_xml),
                                          x->err);
    if (!e)
        return PCR_ERR_NOMEM;
    *e = (struct pcri_xml) { .text = "", .offset = (size_t) (x->at - x->start) };
    *out = e;
    x->at++;
    size_t n = name_nbytes(x);
    if (!n)
        return bad(x, "expected an element's name");
    if (!(e->name = pcri_arena_strndup(x->arena, x->at, n, x->err)))
        return PCR_ERR_NOMEM;
    x->at += n;
    int rc = pass_attributes(x, '>', false);
    *empty = !rc && *x->at == '/';
    x->at += *empty;
    if (!rc && !begins(x, ">"))
        rc = bad(x, "expected '>'");
    x->at += !rc;
    return rc;
}

static int close_element(struct xml *x, const struct pcri_xml *e)
{
    const size_t n = strlen(e->name);
    x->at += 2;
    if (name_nbytes(x) != n || memcmp(x->at, e->name, n) != 0)
        return bad(x, "a tag that closes another element");
    x->at += n;
    pass_blanks(x);
    if (!begins(x, ">"))
        return bad(x, "expected '>'");
    x->at++;
    return 0;
}

static int read_element(struct xml *x, int depth, struct pcri_xml **out);

/* Text, elements and what is passed over, up to the tag that closes. */
static int read_content(struct xml *x, int depth, struct pcri_xml *e)
{
    struct pcri_xml **last = &e->child;
    const size_t base = x->text.nbytes;
    int rc = 0;
    while (!rc && !begins(x, "</")) {
        if (begins(x, "<![CDATA["))
            rc = read_cdata(x);
        else if (begins(x, "<!") || begins(x, "<?"))
            rc = pass_other(x);
        else if (!begins(x, "<"))
            rc = x->at < x->end ? read_characters(x, 0) : bad(x, "");
        else {
            if (!e->child && !(e->text = take_text(x, base)))
                return PCR_ERR_NOMEM;
            rc = read_element(x, depth + 1, last);
            if (!rc)
                last = &(*last)->next;
        }
    }
    if (!rc && !e->child && !(e->text = take_text(x, base)))
        return PCR_ERR_NOMEM;
    x->text.nbytes = base;
    return rc;
}

static int read_element(struct xml *x, int depth, struct pcri_xml **out)
{
    bool empty = false;
    if (depth == DEEPEST)
        return bad(x, "elements nested more than 64 deep");
    int rc = open_element(x, out, &empty);
    if (rc || empty)
        return rc;
    rc = read_content(x, depth, *out);
    return rc ? rc : close_element(x, *out);
}

int pcri_xml_parse(const char *text, size_t nbytes, struct pcri_arena *arena,
                   struct pcri_xml **root, struct pcri_xml_fault *fault, struct pcr_error *err)
{
    struct xml x = {
        .at = text, .end = text + nbytes, .start = text, .arena = arena, .err = err
    };
    if (begins(&x, "\xef\xbb\xbf"))
        x.at += 3;
    int rc = pass_declaration(&x);
    if (!rc)
        rc = pass_others(&x);
    if (!rc && !begins(&x, "<"))
        rc = bad(&x, "expected an element");
    if (!rc)
        rc = read_element(&x, 0, root);
    if (!rc)
        rc = pass_others(&x);
    if (!rc && x.at < x.end)
        rc = bad(&x, "text after the root element");
    pcr_buffer_free(&x.text);
    *fault = x.fault;
    return rc;
}

const struct pcri_xml *pcri_xml_child(const struct pcri_xml *e, const char *name)
{
    const struct pcri_xml *child = e ? e->child : NULL;
    while (child && strcmp(child->name, name) != 0)
        child = child->next;
    return child;
}

const char *pcri_xml_text(const struct pcri_xml *e, const char *name)
{
    const struct pcri_xml *child = pcri_xml_child(e, name);
    return child ? child->text : "";
}
