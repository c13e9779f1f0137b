/* SPDX-License-Identifier: BSD-2-Clause */
/* A loader's state as JSON: one object of known members, written and read.
 *
 * Numbers are of 64 bits, which is more than most JSON libraries keep; so it is read here. */
#include <inttypes.h>
#include <stdio.h>

#include "saved.h"

enum { DIGEST_DIGITS = 16 };

enum value_kind {
    NUMBER,
    DIGEST,  /* hexadecimal, as a string */
    SETTING, /* a number or null, of 32 bits */
    CHANGES, /* pairs of position and fidelity */
};

static const struct state_member {
    const char *name;
    enum value_kind kind;
    size_t offset; /* in struct pcri_saved */
} members[] = {
    { "epoch", NUMBER, offsetof(struct pcri_saved, epoch) },
    { "position", NUMBER, offsetof(struct pcri_saved, position) },
    { "sample_count", NUMBER, offsetof(struct pcri_saved, sample_count) },
    { "seed", NUMBER, offsetof(struct pcri_saved, seed) },
    { "dataset", DIGEST, offsetof(struct pcri_saved, dataset_digest) },
    { "order", DIGEST, offsetof(struct pcri_saved, options_digest) },
    { "fidelity", SETTING, offsetof(struct pcri_saved, changes.fidelity) },
    { "fidelity_changes", CHANGES, 0 },
};
enum { MEMBER_COUNT = sizeof(members) / sizeof(members[0]) };

/* --- writing --- */

static int put_changes(const struct pcri_changes *c, struct pcr_buffer *out,
                       struct pcr_error *err)
{
    int rc = pcri_print(out, err, "[");
    for (uint32_t i = 0; !rc && i < c->count; i++)
        rc = pcri_print(out, err, "%s[%" PRIu64 ", %u]", i ? ", " : "", c->items[i].position,
                        (unsigned) c->items[i].fidelity);
    return rc ? rc : pcri_print(out, err, "]");
}

int pcri_saved_render(const struct pcri_saved *s, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    out->nbytes = 0;
    int rc = pcri_print(out, err, "{\"version\": %u", (unsigned) PCRI_SAVED_VERSION);
    for (size_t i = 0; !rc && i < MEMBER_COUNT; i++) {
        const struct state_member *m = &members[i];
        const uint8_t *from = (const uint8_t *) s + m->offset;
        uint64_t value = 0;
        memcpy(&value, from, m->kind == SETTING ? 0 : sizeof(value));
        rc = pcri_print(out, err, ", \"%s\": ", m->name);
        if (rc)
            break;
        if (m->kind == NUMBER)
            rc = pcri_print(out, err, "%" PRIu64, value);
        else if (m->kind == DIGEST)
            rc = pcri_print(out, err, "\"%0*" PRIx64 "\"", DIGEST_DIGITS, value);
        else if (m->kind == CHANGES)
            rc = put_changes(&s->changes, out, err);
        else if (s->changes.fidelity)
            rc = pcri_print(out, err, "%u", (unsigned) s->changes.fidelity);
        else
            rc = pcri_print(out, err, "null");
    }
    /* A NUL after it, for those who take it for a string. */
    if (!rc && !(rc = pcri_print(out, err, "}")) &&
        !(rc = pcri_buffer_append(out, "", 1, err)))
        out->nbytes--;
    return rc;
}

/* --- reading --- */

/* What is left to be read. All of these return whether it was there. */
struct text_reader {
    const char *at, *end;
};

static void skip_blanks(struct text_reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
        r->at++;
}

static bool take(struct text_reader *r, const char *text)
{
    size_t n = strlen(text);
    skip_blanks(r);
    if ((size_t) (r->end - r->at) < n || memcmp(r->at, text, n))
        return false;
    r->at += n;
    return true;
}

static bool take_number(struct text_reader *r, uint64_t *out)
{
    uint64_t value = 0;
    skip_blanks(r);
    const char *first = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t) (*r->at - '0'), &value))
            return false;
    if (r->at == first)
        return false;
    *out = value;
    return true;
}

static bool take_small(struct text_reader *r, uint32_t *out)
{
    uint64_t value;
    bool good = take_number(r, &value) && value <= UINT32_MAX;
    *out = good ? (uint32_t) value : 0;
    return good;
}

static bool take_digest(struct text_reader *r, uint64_t *out)
{
    *out = 0;
    if (!take(r, "\"") || r->end - r->at < DIGEST_DIGITS)
        return false;
    for (int i = 0; i < DIGEST_DIGITS; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = memchr(digits, *r->at++, sizeof(digits) - 1);
        if (!digit)
            return false;
        *out = *out << 4 | (uint64_t) (digit - digits);
    }
    return r->at < r->end && *r->at++ == '"';
}

static bool take_changes(struct text_reader *r, struct pcri_changes *c)
{
    c->count = 0;
    if (!take(r, "["))
        return false;
    if (take(r, "]"))
        return true;
    do {
        if (c->count == PCRI_CHANGES_MAX || !take(r, "[") ||
            !take_number(r, &c->items[c->count].position) || !take(r, ",") ||
            !take_small(r, &c->items[c->count].fidelity) || !take(r, "]"))
            return false;
        c->count++;
    } while (take(r, ","));
    return take(r, "]");
}

static bool take_value(struct text_reader *r, const struct state_member *m,
                       struct pcri_saved *out)
{
    uint64_t value;
    switch (m->kind) {
    case CHANGES:
        return take_changes(r, &out->changes);
    case SETTING:
        out->changes.fidelity = 0;
        return take(r, "null") || take_small(r, &out->changes.fidelity);
    default:
        if (m->kind == NUMBER ? !take_number(r, &value) : !take_digest(r, &value))
            return false;
        memcpy((uint8_t *) out + m->offset, &value, sizeof(value));
        return true;
    }
}

/* A member's name and colon: its number, MEMBER_COUNT for the version, or more. */
static size_t take_name(struct text_reader *r)
{
    static const char version[] = "version";
    if (!take(r, "\""))
        return SIZE_MAX;
    for (size_t i = 0; i <= MEMBER_COUNT; i++) {
        const char *name = i < MEMBER_COUNT ? members[i].name : version;
        size_t n = strlen(name);
        if ((size_t) (r->end - r->at) > n && !memcmp(r->at, name, n) && r->at[n] == '"') {
            r->at += n + 1;
            return take(r, ":") ? i : SIZE_MAX;
        }
    }
    return SIZE_MAX;
}

/* All members, each once. */
static bool take_object(struct text_reader *r, struct pcri_saved *out, uint64_t *version_out)
{
    uint32_t seen = 0;
    if (!take(r, "{"))
        return false;
    do {
        size_t i = take_name(r);
        if (i > MEMBER_COUNT || seen >> i & 1 ||
            !(i == MEMBER_COUNT ? take_number(r, version_out)
                                : take_value(r, &members[i], out)))
            return false;
        seen |= UINT32_C(1) << i;
    } while (take(r, ","));
    return take(r, "}") && seen == (UINT32_C(1) << (MEMBER_COUNT + 1)) - 1;
}

int pcri_saved_parse(const void *text, size_t nbytes, struct pcri_saved *out,
                     struct pcr_error *err)
{
    struct text_reader r = { text, (const char *) text + nbytes };
    uint64_t version = PCRI_SAVED_VERSION;
    *out = (struct pcri_saved) { 0 };
    bool good = take_object(&r, out, &version);
    skip_blanks(&r);
    if (version != PCRI_SAVED_VERSION)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "loader state: version %" PRIu64 ", expected %u", version,
                         (unsigned) PCRI_SAVED_VERSION);
    if (good && r.at == r.end)
        return 0;
    return pcri_fail_at(err, PCR_ERR_FORMAT, (uint64_t) (r.at - (const char *) text),
                        "loader state: not the JSON of a state");
}
