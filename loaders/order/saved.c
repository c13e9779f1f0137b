/* SPDX-License-Identifier: BSD-2-Clause */
/* A loader's state to bytes or JSON, and back.
 *
 * Its numbers are of 64 bits, which is more than most JSON libraries keep. */
#include <inttypes.h>
#include <stdlib.h>

#include "../../libpcr/base/json.h"
#include "saved.h"

enum value_kind {
    VERSION,
    NUMBER,
    DIGEST,   /* hexadecimal, as a string */
    FIDELITY, /* a number or null, of 32 bits */
    CHANGES,  /* pairs of position and fidelity */
};

/* The members of the JSON form. In bytes, numbers and digests follow each other in this
 * order. */
static const struct state_member {
    const char *name;
    enum value_kind kind;
    size_t offset; /* of numbers and digests in struct pcri_saved */
} members[] = {
    { "version", VERSION, 0 },
    { "epoch", NUMBER, offsetof(struct pcri_saved, epoch) },
    { "position", NUMBER, offsetof(struct pcri_saved, position) },
    { "sample_count", NUMBER, offsetof(struct pcri_saved, sample_count) },
    { "seed", NUMBER, offsetof(struct pcri_saved, seed) },
    { "dataset", DIGEST, offsetof(struct pcri_saved, dataset_digest) },
    { "order", DIGEST, offsetof(struct pcri_saved, options_digest) },
    { "fidelity", FIDELITY, 0 },
    { "fidelity_changes", CHANGES, 0 },
};
enum {
    MEMBER_COUNT = sizeof(members) / sizeof(members[0]),
    DIGEST_DIGITS = 16,
    NUMBERS_AT = 8,
    FIDELITY_AT = 56,
    COUNT_AT = 60,
    POSITIONS_AT = 64,
    FIDELITIES_AT = 96,
    ZERO_AT = 112,
    CHECK_AT = 120,
};
_Static_assert(PCRI_CHANGES_MAX == 4 && CHECK_AT + 8 == PCR_LOADER_STATE_NBYTES,
               "a state is its fields");
static const char magic[4] = { 'P', 'C', 'R', 'S' };

/* NULL: it is not a number. */
static uint64_t *number_of(struct pcri_saved *s, const struct state_member *m)
{
    bool number = m->kind == NUMBER || m->kind == DIGEST;
    return number ? (void *) ((uint8_t *) s + m->offset) : NULL;
}

void pcri_saved_init(const struct pcri_catalog *c, struct pcri_saved *out)
{
    *out = (struct pcri_saved) {
        .sample_count = c->entry_count,
        .seed = c->options.seed,
        .dataset_digest = c->dataset_digest,
        .options_digest = c->options_digest,
    };
}

void pcri_saved_pack(const struct pcri_saved *s, void *out)
{
    struct pcri_saved copy = *s;
    uint8_t *p = out;
    memset(p, 0, PCR_LOADER_STATE_NBYTES);
    memcpy(p, magic, sizeof(magic));
    pcri_store32(p + 4, PCRI_SAVED_VERSION);
    for (size_t i = 0, at = NUMBERS_AT; i < MEMBER_COUNT; i++)
        if (number_of(&copy, &members[i])) {
            pcri_store64(p + at, *number_of(&copy, &members[i]));
            at += 8;
        }
    pcri_store32(p + FIDELITY_AT, s->changes.fidelity);
    pcri_store32(p + COUNT_AT, s->changes.count);
    for (uint32_t i = 0; i < s->changes.count; i++) {
        pcri_store64(p + POSITIONS_AT + 8 * i, s->changes.items[i].position);
        pcri_store32(p + FIDELITIES_AT + 4 * i, s->changes.items[i].fidelity);
    }
    pcri_store64(p + CHECK_AT, pcri_xxh3(p, CHECK_AT));
}

static int check(const struct pcri_saved *s, const struct pcri_saved *here,
                 struct pcr_error *err)
{
    if (s->dataset_digest != here->dataset_digest)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader state: it is of another dataset or split (digest of the "
                         "records %016" PRIx64 ", this one's is %016" PRIx64 ")",
                         s->dataset_digest, here->dataset_digest);
    if (s->seed != here->seed)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader state: seed %" PRIu64 ", but the loader's is %" PRIu64,
                         s->seed, here->seed);
    if (s->options_digest != here->options_digest || s->sample_count != here->sample_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader state: it is of another order (shuffle, block_samples, "
                         "window_samples, window_nbytes, indices, weights, epoch_samples, "
                         "proportions or ONCE) of %" PRIu64 " samples, this one has %" PRIu64,
                         s->sample_count, here->sample_count);
    if (s->position > s->sample_count)
        return pcri_fail(err, PCR_ERR_FORMAT,
                         "loader state: position is %" PRIu64 ", at most %" PRIu64 " expected",
                         s->position, s->sample_count);
    return 0;
}

/* The changes are those of the state's epoch to come. */
static int check_changes(const struct pcri_changes *c, uint64_t position, uint32_t group_count,
                         struct pcr_error *err)
{
    bool good = c->count <= PCRI_CHANGES_MAX &&
                (!c->fidelity || pcri_wish_is_good(c->fidelity, group_count));
    for (uint32_t i = 0; good && i < c->count; i++) {
        good = c->items[i].position > position &&
               pcri_wish_is_good(c->items[i].fidelity, group_count);
        position = c->items[i].position;
    }
    if (good)
        return 0;
    return pcri_fail(err, PCR_ERR_FORMAT,
                     "loader state: fidelity %u with %u changes, or one of these, is not as "
                     "expected (fidelities to %u, rising positions)",
                     (unsigned) c->fidelity, (unsigned) c->count, (unsigned) group_count);
}

static int parse_bytes(const uint8_t *p, size_t nbytes, struct pcri_saved *out,
                       struct pcr_error *err)
{
    struct pcri_changes *c = &out->changes;
    if (nbytes >= sizeof(magic) && memcmp(p, magic, sizeof(magic)))
        return pcri_fail(err, PCR_ERR_FORMAT, "loader state: does not begin with PCRS");
    if (nbytes >= 8 && pcri_load32(p + 4) != PCRI_SAVED_VERSION)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED, "loader state: version %u, expected %u",
                         (unsigned) pcri_load32(p + 4), (unsigned) PCRI_SAVED_VERSION);
    if (nbytes != PCR_LOADER_STATE_NBYTES)
        return pcri_fail(
            err, nbytes < PCR_LOADER_STATE_NBYTES ? PCR_ERR_TRUNCATED : PCR_ERR_FORMAT,
            "loader state: %zu bytes, expected %d", nbytes, PCR_LOADER_STATE_NBYTES);
    if (pcri_load64(p + CHECK_AT) != pcri_xxh3(p, CHECK_AT))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, CHECK_AT,
                            "loader state: its checksum is wrong");
    *out = (struct pcri_saved) { 0 };
    for (size_t i = 0, at = NUMBERS_AT; i < MEMBER_COUNT; i++)
        if (number_of(out, &members[i])) {
            *number_of(out, &members[i]) = pcri_load64(p + at);
            at += 8;
        }
    c->fidelity = pcri_load32(p + FIDELITY_AT);
    c->count = pcri_load32(p + COUNT_AT);
    uint64_t rest = pcri_load64(p + ZERO_AT);
    for (uint32_t i = 0; i < PCRI_CHANGES_MAX; i++) {
        c->items[i].position = pcri_load64(p + POSITIONS_AT + 8 * (size_t) i);
        c->items[i].fidelity = pcri_load32(p + FIDELITIES_AT + 4 * (size_t) i);
        if (i >= c->count)
            rest |= c->items[i].position | c->items[i].fidelity;
    }
    if (rest)
        return pcri_fail(err, PCR_ERR_FORMAT,
                         "loader state: what follows its %u changes is not 0",
                         (unsigned) c->count);
    return 0;
}

int pcri_saved_unpack(const void *state, size_t nbytes, const struct pcri_saved *here,
                      uint32_t group_count, struct pcri_saved *out, struct pcr_error *err)
{
    int rc = nbytes && *(const char *) state == '{' ? pcri_saved_parse(state, nbytes, out, err)
                                                    : parse_bytes(state, nbytes, out, err);
    if (!rc)
        rc = check(out, here, err);
    return rc ? rc : check_changes(&out->changes, out->position, group_count, err);
}

/* --- JSON --- */

static int print_changes(const struct pcri_changes *c, struct pcr_buffer *out,
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
    struct pcri_saved copy = *s;
    int rc = 0;
    out->nbytes = 0;
    for (size_t i = 0; !rc && i < MEMBER_COUNT; i++) {
        const struct state_member *m = &members[i];
        rc = pcri_print(out, err, "%s\"%s\": ", i ? ", " : "{", m->name);
        if (rc)
            break;
        if (m->kind == VERSION)
            rc = pcri_print(out, err, "%u", (unsigned) PCRI_SAVED_VERSION);
        else if (m->kind == NUMBER)
            rc = pcri_print(out, err, "%" PRIu64, *number_of(&copy, m));
        else if (m->kind == DIGEST)
            rc = pcri_print(out, err, "\"%0*" PRIx64 "\"", DIGEST_DIGITS,
                            *number_of(&copy, m));
        else if (m->kind == CHANGES)
            rc = print_changes(&s->changes, out, err);
        else if (s->changes.fidelity)
            rc = pcri_print(out, err, "%u", (unsigned) s->changes.fidelity);
        else
            rc = pcri_print(out, err, "null");
    }
    /* A NUL after it, for those who use it as a string. */
    if (!rc && !(rc = pcri_print(out, err, "}")) &&
        !(rc = pcri_buffer_append(out, "", 1, err)))
        out->nbytes--;
    return rc;
}

static int read_digest(struct pcri_json_reader *r, uint64_t *out)
{
    const char *text;
    size_t nbytes;
    int rc = pcri_json_string(r, &text, &nbytes);
    if (rc || nbytes != DIGEST_DIGITS || strspn(text, "0123456789abcdef") != nbytes)
        return rc ? rc : 1;
    *out = strtoull(text, NULL, 16);
    return 0;
}

static int read_changes(struct pcri_json_reader *r, struct pcri_changes *c)
{
    int rc = pcri_json_first(r, '[');
    for (c->count = 0; !rc; c->count++) {
        uint64_t pair[2];
        if (c->count == PCRI_CHANGES_MAX)
            return 1;
        rc = pcri_json_numbers(r, UINT64_MAX, 2, pair);
        if (rc || pair[1] > UINT32_MAX)
            return rc ? rc : 1;
        c->items[c->count].position = pair[0];
        c->items[c->count].fidelity = (uint32_t) pair[1];
        rc = pcri_json_next(r, ']');
    }
    return rc == PCRI_JSON_LAST ? 0 : rc;
}

static int read_value(struct pcri_json_reader *r, const struct state_member *m,
                      struct pcri_saved *out, uint64_t *version_out)
{
    uint64_t fidelity = 0;
    int rc;
    switch (m->kind) {
    case VERSION:
        return pcri_json_whole(r, UINT64_MAX, version_out);
    case NUMBER:
        return pcri_json_whole(r, UINT64_MAX, number_of(out, m));
    case DIGEST:
        return read_digest(r, number_of(out, m));
    case CHANGES:
        return read_changes(r, &out->changes);
    default:
        rc = r->at < r->end && *r->at == 'n' ? pcri_json_pass(r)
                                             : pcri_json_whole(r, UINT32_MAX, &fidelity);
        out->changes.fidelity = (uint32_t) fidelity;
        return rc;
    }
}

/* All members, each once. */
static int read_object(struct pcri_json_reader *r, struct pcri_saved *out,
                       uint64_t *version_out)
{
    uint32_t seen = 0;
    int rc = pcri_json_first(r, '{');
    while (!rc) {
        const char *name;
        size_t i = 0;
        rc = pcri_json_name(r, &name);
        while (!rc && i < MEMBER_COUNT && strcmp(name, members[i].name) != 0)
            i++;
        if (!rc && (i == MEMBER_COUNT || seen >> i & 1))
            return 1;
        if (!rc)
            rc = read_value(r, &members[i], out, version_out);
        seen |= UINT32_C(1) << i;
        if (!rc)
            rc = pcri_json_next(r, '}');
    }
    if (rc == PCRI_JSON_LAST)
        rc = pcri_json_end(r);
    return rc ? rc : seen != (UINT32_C(1) << MEMBER_COUNT) - 1;
}

int pcri_saved_parse(const void *text, size_t nbytes, struct pcri_saved *out,
                     struct pcr_error *err)
{
    struct pcri_json_reader r = pcri_json_reader(text, nbytes, err);
    uint64_t version = PCRI_SAVED_VERSION;
    *out = (struct pcri_saved) { 0 };
    int rc = read_object(&r, out, &version);
    pcri_json_close(&r);
    if (rc >= 0 && version != PCRI_SAVED_VERSION)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "loader state: version %" PRIu64 ", expected %u", version,
                         (unsigned) PCRI_SAVED_VERSION);
    if (rc > 0)
        rc = pcri_fail_at(err, PCR_ERR_FORMAT, (uint64_t) (r.at - r.start),
                          "loader state: not the JSON of a state");
    return rc;
}
