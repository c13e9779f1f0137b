/* SPDX-License-Identifier: BSD-2-Clause */
/* Ladders: parsing both text forms, the canonical text, choosing a script. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "coder.h"
#include "ladder.h"

static const char *const part_names[] = { "luma", "chroma", "chroma1", "chroma2", "all" };

struct ladder_parser {
    struct pcr_ladder *l;
    struct pcri_script *script; /* NULL before the first */
    uint32_t group;             /* groups begun in the script */
    unsigned line;
    struct pcr_error *err;
};

static int bad_line(struct ladder_parser *p, const char *what)
{
    return pcri_fail(p->err, PCR_ERR_INVAL, "ladder line %u: %s", p->line, what);
}

static bool copy_name(char out[32], const char *name)
{
    size_t n = strlen(name);
    if (!n || n > 31)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char) name[i]) && !strchr("-_.", name[i]))
            return false;
    memcpy(out, name, n + 1);
    return true;
}

static int begin_script(struct ladder_parser *p, const char *name, uint32_t below)
{
    struct pcr_ladder *l = p->l;
    if (l->script_count && p->group != l->group_count)
        return bad_line(p, "the scripts have different numbers of groups");
    if (l->script_count == PCRI_LADDER_MAX_SCRIPTS)
        return pcri_fail(p->err, PCR_ERR_LIMIT, "ladder line %u: more than %d scripts",
                         p->line, PCRI_LADDER_MAX_SCRIPTS);
    p->script = &l->scripts[l->script_count++];
    p->group = 0;
    if (!copy_name(p->script->name, name))
        return bad_line(p, "a script's name has 1 to 31 letters, digits, '-', '_', '.'");
    p->script->below_step = below;
    return 0;
}

static int begin_group(struct ladder_parser *p)
{
    int rc = p->script ? 0 : begin_script(p, "all", 0);
    if (rc)
        return rc;
    if (p->group == PCRI_LADDER_MAX_GROUPS)
        return pcri_fail(p->err, PCR_ERR_LIMIT, "ladder line %u: more than %d groups", p->line,
                         PCRI_LADDER_MAX_GROUPS);
    p->group++;
    if (p->l->script_count == 1)
        p->l->group_count = p->group;
    else if (p->group > p->l->group_count)
        return bad_line(p, "the scripts have different numbers of groups");
    return 0;
}

static int add_scan(struct ladder_parser *p, enum pcri_part part, const unsigned v[4])
{
    if (!p->group)
        return bad_line(p, "a scan before the first `group`");
    struct pcri_script *s = p->script;
    if (s->scan_count == PCRI_LADDER_MAX_SCANS)
        return pcri_fail(p->err, PCR_ERR_LIMIT, "ladder line %u: more than %d scans", p->line,
                         PCRI_LADDER_MAX_SCANS);
    bool dc = v[0] == 0;
    if (v[0] > 63 || v[1] > 63 || v[1] < v[0] || (dc && v[1]) || v[2] > 10 || v[3] > 10)
        return bad_line(p, "expected 0-0 or SS-SE within 1 to 63, AH and AL at most 10");
    if (part == PCRI_PART_ALL && !dc)
        return bad_line(p, "AC scans (SS > 0) have one component: use luma or chroma");

    struct pcri_ladder_scan *scan = &s->scans[s->scan_count];
    *scan = (struct pcri_ladder_scan) { (uint8_t) part,
                                        (uint8_t) v[0],
                                        (uint8_t) v[1],
                                        (uint8_t) v[2],
                                        (uint8_t) v[3],
                                        (uint8_t) (p->group - 1),
                                        0,
                                        1 };
    if (s->scan_count && scan[-1].group == scan->group)
        scan->first_piece = (uint8_t) (scan[-1].first_piece + scan[-1].piece_count);
    if (part == PCRI_PART_CHROMA)
        scan->piece_count = 2;
    unsigned pieces = scan->first_piece + scan->piece_count;
    if (pieces > 64)
        return pcri_fail(p->err, PCR_ERR_LIMIT,
                         "ladder line %u: more than 64 scans in a group", p->line);
    if (p->l->piece_counts[scan->group] < pieces)
        p->l->piece_counts[scan->group] = (uint16_t) pieces;
    s->scan_count++;
    return 0;
}

/* "PART SS-SE AH AL" */
static int native_scan(struct ladder_parser *p, const char *line)
{
    char word[16], end;
    unsigned v[4];
    if (sscanf(line, "%15s %3u-%3u %3u %3u %c", word, &v[0], &v[1], &v[2], &v[3], &end) != 5)
        return bad_line(p, "expected `ladder`, `script`, `group`, PART SS-SE AH AL, or a "
                           "scan in cjpeg's syntax");
    for (int part = PCRI_PART_LUMA; part <= PCRI_PART_ALL; part++)
        if (!strcmp(word, part_names[part]))
            return add_scan(p, (enum pcri_part) part, v);
    return bad_line(p, "expected luma, chroma, chroma1, chroma2 or all");
}

/* "0,1,2: SS-SE, AH, AL;" or "0: SS-SE, AH, AL" (cjpeg -scans); without the progression
 * parameters it would be a sequential scan, which no ladder holds. */
static int cjpeg_scan(struct ladder_parser *p, const char *line)
{
    unsigned mask = 0, v[4];
    const char *at = line;
    for (;; at++) {
        at += strspn(at, " \t");
        if (*at < '0' || *at > '2' || (mask & 1u << (*at - '0')))
            return bad_line(p, "expected components 0, 1 or 2, each once");
        mask |= 1u << (*at++ - '0');
        at += strspn(at, " \t,");
        if (*at == ':')
            break;
        at--;
    }
    char end;
    if (sscanf(at + 1, " %3u - %3u , %3u , %3u %c", &v[0], &v[1], &v[2], &v[3], &end) < 4)
        return bad_line(p, "expected `COMPONENTS: SS-SE, AH, AL;`");

    static const int8_t parts[8] = {
        -1, PCRI_PART_LUMA,   PCRI_PART_CHROMA1, -1, PCRI_PART_CHROMA2,
        -1, PCRI_PART_CHROMA, PCRI_PART_ALL
    };
    if (parts[mask] < 0)
        return bad_line(p, "components must be 0, 1, 2, `1,2` or `0,1,2`");
    return add_scan(p, (enum pcri_part) parts[mask], v);
}

static int parse_script_line(struct ladder_parser *p, const char *rest)
{
    char name[34], end;
    unsigned below = 0;
    int n = sscanf(rest, " %33s below %6u %c", name, &below, &end);
    if (n != 1 && !(n == 2 && below))
        return bad_line(p, "expected `script NAME` or `script NAME below STEP`");
    if (n == 1 && sscanf(rest, " %33s %c", name, &end) != 1)
        return bad_line(p, "expected `script NAME` or `script NAME below STEP`");
    return begin_script(p, name, below);
}

static int parse_line(struct ladder_parser *p, char *line)
{
    /* `# group` is a mark in files that cjpeg reads too. */
    char *hash = strchr(line, '#');
    bool group_mark = false;
    if (hash) {
        const char *rest = hash + 1 + strspn(hash + 1, " \t");
        size_t n = strcspn(rest, " \t");
        group_mark = n == 5 && !memcmp(rest, "group", 5) &&
                     strspn(line, " \t") == (size_t) (hash - line);
        *hash = '\0';
    }
    size_t n = strlen(line);
    while (n && strchr(" \t\r", line[n - 1]))
        line[--n] = '\0';
    line += strspn(line, " \t");
    if (group_mark || !strcmp(line, "group"))
        return begin_group(p);
    if (!*line)
        return 0;
    if (!strncmp(line, "ladder ", 7)) {
        char name[34], end;
        if (p->script || sscanf(line + 7, " %33s %c", name, &end) != 1 ||
            !copy_name(p->l->name, name))
            return bad_line(p, "expected `ladder NAME`, before all else");
        return 0;
    }
    if (!strncmp(line, "script ", 7))
        return parse_script_line(p, line + 7);
    return isdigit((unsigned char) *line) ? cjpeg_scan(p, line) : native_scan(p, line);
}

/* Lines end in LF; in cjpeg's syntax a `;` ends a scan, and several may share a line. */
static int parse_text(struct ladder_parser *p, const char *text, size_t nbytes)
{
    char line[256];
    p->line = 1;
    for (size_t i = 0; i < nbytes;) {
        size_t n = 0;
        bool comment = false;
        while (i + n < nbytes && text[i + n] != '\n' && (comment || text[i + n] != ';'))
            comment |= text[i + n++] == '#';
        if (n >= sizeof(line) || memchr(text + i, '\0', n))
            return bad_line(p, "longer than 255 bytes, or not text");
        memcpy(line, text + i, n);
        line[n] = '\0';
        int rc = parse_line(p, line);
        if (rc)
            return rc;
        i += n;
        if (i < nbytes && text[i++] == '\n')
            p->line++;
    }
    return 0;
}

static int render_script(const struct pcri_script *s, uint32_t group_count,
                         struct pcr_buffer *b, struct pcr_error *err)
{
    int rc = s->below_step ? pcri_print(b, err, "script %s below %u\n", s->name,
                                        (unsigned) s->below_step)
                           : pcri_print(b, err, "script %s\n", s->name);
    uint32_t i = 0;
    for (uint32_t g = 0; !rc && g < group_count; g++) {
        rc = pcri_print(b, err, "group\n");
        for (; !rc && i < s->scan_count && s->scans[i].group == g; i++) {
            const struct pcri_ladder_scan *c = &s->scans[i];
            rc = pcri_print(b, err, "%s %u-%u %u %u\n", part_names[c->part], c->ss, c->se,
                            c->ah, c->al);
        }
    }
    return rc;
}

static int render(struct pcr_ladder *l, struct pcr_error *err)
{
    int rc = pcri_print(&l->text, err, "ladder %s\n", l->name);
    for (uint32_t i = 0; !rc && i < l->script_count; i++)
        rc = render_script(&l->scripts[i], l->group_count, &l->text, err);
    return rc ? rc : pcri_buffer_append(&l->text, "", 1, err);
}

int pcri_ladder_script_text(const struct pcr_ladder *ladder, uint32_t script,
                            struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcri_script alone = ladder->scripts[script];
    alone.below_step = 0;
    return render_script(&alone, ladder->group_count, out, err);
}

int pcr_ladder_parse(const char *text, size_t nbytes, struct pcr_ladder **out,
                     struct pcr_error *err)
{
    *out = NULL;
    if (nbytes > 65536)
        return pcri_fail(err, PCR_ERR_LIMIT, "ladder: %zu bytes, at most 65536", nbytes);
    struct pcr_ladder *l = pcri_calloc(1, sizeof(*l), err);
    if (!l)
        return PCR_ERR_NOMEM;
    struct ladder_parser p = { l, NULL, 0, 0, err };
    memcpy(l->name, "custom", 7);

    int rc = parse_text(&p, text, nbytes);
    if (!rc && !l->script_count)
        rc = pcri_fail(err, PCR_ERR_INVAL, "ladder: no groups");
    if (!rc && p.group != l->group_count)
        rc = bad_line(&p, "the scripts have different numbers of groups");
    if (!rc)
        rc = pcri_ladder_check(l, err);
    if (!rc)
        rc = render(l, err);
    /* A group without scans in all scripts still has one (empty) piece. */
    for (uint32_t g = 0; g < l->group_count; g++)
        if (!l->piece_counts[g])
            l->piece_counts[g] = 1;
    if (rc)
        pcr_ladder_destroy(&l);
    *out = l;
    return rc;
}

int pcri_ladder_extend(const struct pcr_ladder *l, struct pcr_ladder **out,
                       struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    bool has_room = true;
    for (uint32_t i = 0; i < l->script_count; i++) {
        const struct pcri_script *s = &l->scripts[i];
        has_room &= s->scans[s->scan_count - 1].group + 1u < l->group_count;
    }
    *out = NULL;
    int rc = pcri_print(&text, err, "ladder %s\n", l->name);
    for (uint32_t i = 0; !rc && i < l->script_count; i++)
        rc = render_script(&l->scripts[i], l->group_count + !has_room, &text, err);
    if (!rc)
        rc = pcr_ladder_parse((const char *) text.data, text.nbytes, out, err);
    pcr_buffer_free(&text);
    return rc;
}

int pcr_ladder_create(const char *name, struct pcr_ladder **out, struct pcr_error *err)
{
    *out = NULL;
    const char *text = pcri_ladder_builtin_text(name);
    if (!text)
        return pcri_fail(err, PCR_ERR_INVAL, "no built-in ladder is named %s", name);
    return pcr_ladder_parse(text, strlen(text), out, err);
}

const char *pcr_ladder_text(const struct pcr_ladder *ladder)
{
    return (const char *) ladder->text.data;
}

uint32_t pcr_ladder_group_count(const struct pcr_ladder *ladder)
{
    return ladder->group_count;
}

void pcr_ladder_destroy(struct pcr_ladder **ladder)
{
    if (!ladder || !*ladder)
        return;
    pcr_buffer_free(&(*ladder)->text);
    free(*ladder);
    *ladder = NULL;
}

void pcri_ladder_piece_counts(const struct pcr_ladder *ladder, uint16_t counts[])
{
    memcpy(counts, ladder->piece_counts, ladder->group_count * sizeof(counts[0]));
}

uint32_t pcri_ladder_choose(const struct pcr_ladder *ladder, uint32_t step)
{
    uint32_t i = 0;
    while (i + 1 < ladder->script_count && step >= ladder->scripts[i].below_step)
        i++;
    return i;
}
