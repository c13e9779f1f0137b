/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of one archive, sorted so that those of a sample are together, however they lie in
 * it. Rows are made of them. */
#include <ctype.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "../libpcr/base/marks.h"
#include "../libpcr/base/utf8.h"
#include "folder_names.h"
#include "label.h"
#include "exported.h"
#include "members.h"

/* --- names --- */

/* Whether a part of the path is hidden, or was added by an archiver: "._a.jpg", "__MACOSX",
 * "PaxHeaders.123", WebDataset's own "__index__". */
static bool is_clutter(const char *path)
{
    char part[256];
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        snprintf(part, sizeof(part), "%.*s", (int) (n < 255 ? n : 255), p);
        const bool is_dots = !strcmp(part, ".") || !strcmp(part, "..");
        if ((part[0] == '.' && !is_dots) || pcri_is_clutter(part) ||
            !strncmp(part, "PaxHeaders", 10) ||
            (n > 4 && n < 256 && !strncmp(part, "__", 2) && !strcmp(part + n - 2, "__")))
            return true;
        p += n + (p[n] == '/');
    }
    return false;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

enum pcri_member_kind pcri_member_kind(const char *path)
{
    const char *name = last_part(path);
    if (!*name || is_clutter(path))
        return PCRI_MEMBER_IGNORED;
    switch (pcri_file_kind_by_name(name)) {
    case PCRI_FILE_IMAGE:
        return PCRI_MEMBER_IMAGE;
    case PCRI_FILE_UNKNOWN:
        return PCRI_MEMBER_UNKNOWN;
    default:
        return PCRI_MEMBER_OTHER;
    }
}

static bool ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n >= m && !strcasecmp(name + n - m, ending) &&
           (n == m || name[n - m - 1] == '.' || ending[0] == '.');
}

bool pcri_member_wants_text(const char *path, uint64_t nbytes)
{
    return nbytes <= (ends_in(path, ".json") ? PCRI_JSON_MAX_NBYTES : PCRI_TEXT_MAX_NBYTES);
}

static bool is_text(const char *text, size_t nbytes)
{
    for (size_t i = 0; i < nbytes; i++)
        if ((unsigned char) text[i] < ' ' && !isspace((unsigned char) text[i]))
            return false;
    return pcri_utf8_valid(text, nbytes);
}

bool pcri_member_keeps_text(const struct pcri_container *s, const char *path, const char *text,
                            size_t nbytes)
{
    const char *label = s->opts->label_field;
    return ends_in(path, ".json") || ends_in(path, ".cls") ||
           (label && ends_in(path, label)) || is_text(text, nbytes);
}

struct pcri_member *pcri_members_add(struct pcri_members *m, const char *path,
                                     enum pcri_member_kind kind, struct pcr_error *err)
{
    const char *safe = pcri_safe_key(path, &m->arena, err);
    if (safe == path)
        safe = pcri_arena_strndup(&m->arena, path, strlen(path), err);
    if (!safe || PCRI_GROW(m->items, m->capacity, m->count + 1, err))
        return NULL;
    struct pcri_member *member = pcri_arena_alloc(&m->arena, sizeof(*member),
                                                  alignof(struct pcri_member), err);
    if (member) {
        *member = (struct pcri_member) { .name = safe, .kind = kind, .order = m->count };
        m->items[m->count++] = member;
    }
    return member;
}

void pcri_members_free(struct pcri_members *m)
{
    free(m->items);
    pcri_arena_free(&m->arena);
    *m = (struct pcri_members) { 0 };
}

/* --- order --- */

static size_t key_nbytes(const char *path, bool last_dot)
{
    const char *name = last_part(path);
    const char *dot = last_dot ? strrchr(name, '.') : strchr(name, '.');
    return dot ? (size_t) (dot - path) : strlen(path);
}

static const char *part_of(const struct pcri_member *m)
{
    return m->name + m->key_nbytes + (m->name[m->key_nbytes] == '.');
}

static int compare_keys(const struct pcri_member *x, const struct pcri_member *y)
{
    size_t n = x->key_nbytes < y->key_nbytes ? x->key_nbytes : y->key_nbytes;
    int order = memcmp(x->name, y->name, n);
    return order ? order : x->key_nbytes < y->key_nbytes ? -1 : x->key_nbytes > y->key_nbytes;
}

static int compare_names(const struct pcri_member *x, const struct pcri_member *y)
{
    int order = compare_keys(x, y);
    return order ? order : strcmp(x->name, y->name);
}

static int compare_members(const void *a, const void *b)
{
    const struct pcri_member *x = a, *y = b;
    int order = compare_names(x, y);
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* --- links --- */

static uint64_t check_key(const char *name, size_t nbytes)
{
    return pcri_xxh3(name, nbytes);
}

static struct pcri_member *member_at(const struct pcri_members *m,
                                     const struct pcri_mark *mark)
{
    struct pcri_member *member = m->items[mark->index];
    pcri_arena_touch(&m->arena, member);
    return member;
}

/* The last member of this name that is no link. `marks`: of keys. */
static const struct pcri_member *find_target(const struct pcri_members *m,
                                             const struct pcri_mark *marks, const char *name,
                                             bool last_dot)
{
    const uint64_t check = check_key(name, key_nbytes(name, last_dot));
    size_t i = (size_t) PCRI_FIRST(k, 0, m->count, marks[k].check >= check);
    const struct pcri_member *found = NULL;
    for (; i < m->count && marks[i].check == check; i++) {
        const struct pcri_member *member = member_at(m, &marks[i]);
        if (member->kind != PCRI_MEMBER_LINK && !strcmp(member->name, name))
            found = member;
    }
    return found;
}

static int resolve_link(struct pcri_container *s, struct pcri_members *m,
                        const struct pcri_mark *marks, struct pcri_member *link,
                        struct pcr_error *err)
{
    const bool last_dot = s->opts->flags & PCR_SOURCE_LAST_DOT;
    const struct pcri_member *to = find_target(m, marks, link->text, last_dot);
    if (to) {
        struct pcri_member as = *to;
        as.name = link->name;
        as.key_nbytes = link->key_nbytes;
        as.order = link->order;
        *link = as;
        return 0;
    }
    link->kind = PCRI_MEMBER_IGNORED;
    if (pcri_member_kind(link->name) == PCRI_MEMBER_IMAGE)
        return pcri_container_leave_out(s, NULL, link->name, err,
                                        "a link to '%.200s', which is no file in it",
                                        link->text);
    m->ignored++;
    return 0;
}

/* Links become what they lead to, in the order of their names; others are left out. */
static int resolve_links(struct pcri_container *s, struct pcri_members *m,
                         const struct pcri_mark *marks, struct pcr_error *err)
{
    struct pcri_member **links = NULL;
    size_t count = 0, capacity = 0;
    int rc = 0;
    for (size_t i = 0; i < m->count && !rc; i++) {
        pcri_arena_touch(&m->arena, m->items[i]);
        if (m->items[i]->kind != PCRI_MEMBER_LINK)
            continue;
        rc = PCRI_GROW(links, capacity, count + 1, err);
        if (!rc)
            links[count++] = m->items[i];
    }
    if (!rc && count)
        rc = pcri_arena_sort(&m->arena, links, count, compare_members, err);
    for (size_t i = 0; i < count && !rc; i++)
        rc = resolve_link(s, m, marks, links[i], err);
    free(links);
    return rc;
}

/* --- one sample --- */

/* The members of a sample, items[0] to items[count - 1]. */
struct group {
    struct pcri_container *s;
    struct pcri_members *m;
    struct pcri_member *items;
    size_t count;
    const struct pcri_member *image, *label;
    const char *label_name;        /* of a value in JSON that is the label, or NULL */
    struct pcr_source_blob *blobs; /* of the image's row; or NULL */
    struct pcri_place *places;
    json_t *blob_names; /* of our own exports: what JSON says are blobs; or NULL */
};

/* A member that is there twice: an error, or the later one is left out. */
static int drop_duplicates(struct group *g, struct pcr_error *err)
{
    size_t kept = 0;
    int rc = 0;
    for (size_t i = 0; i < g->count && !rc; i++) {
        const struct pcri_member *m = &g->items[i], *last = kept ? &g->items[kept - 1] : NULL;
        if (last && !strcmp(last->name, m->name))
            rc = pcri_container_damaged(g->s, NULL, m->header, err,
                                        "'%.200s' is in it already, at byte %llu", m->name,
                                        (unsigned long long) last->header);
        else
            g->items[kept++] = *m;
    }
    g->count = kept;
    return rc;
}

unsigned pcri_part_rank(const char *part)
{
    static const char *const usual[] = { "jpg", "jpeg", "png", "webp" };
    enum { USUAL = sizeof(usual) / sizeof(usual[0]) };
    unsigned rank = 0;
    while (rank < USUAL && !ends_in(part, usual[rank]))
        rank++;
    return rank + (strchr(part, '.') ? USUAL + 1 : 0);
}

static int choose_image(struct group *g, struct pcr_error *err)
{
    const char *wanted = g->s->opts->image_field;
    const struct pcri_member *other = NULL;
    bool described = false;
    for (size_t i = 0; i < g->count; i++) {
        const struct pcri_member *m = &g->items[i];
        const char *part = part_of(m);
        described |= m->kind != PCRI_MEMBER_IMAGE;
        if (m->kind != PCRI_MEMBER_IMAGE || (wanted && strcasecmp(part, wanted) != 0))
            continue;
        if (!g->image || pcri_part_rank(part) < pcri_part_rank(part_of(g->image))) {
            g->image = m;
            other = NULL;
        } else if (pcri_part_rank(part) == pcri_part_rank(part_of(g->image))) {
            other = m;
        }
    }
    if (!other || !described)
        return 0;
    return pcri_fail(
        err, PCR_ERR_INVAL,
        "%s: '%.120s' and '%.120s' are of one sample: name the part that is the "
        "image, such as '%.40s' (pcrtool: --image-field), or let names end at the "
        "last dot (--key-dot last)",
        g->s->path, g->image->name, other->name, part_of(g->image));
}

static int choose_label(struct group *g, struct pcr_error *err)
{
    const char *wanted = g->s->opts->label_field, *colon = wanted ? strchr(wanted, ':') : NULL;
    const size_t n = colon ? (size_t) (colon - wanted) : wanted ? strlen(wanted) : 0;
    const struct pcri_member *other = NULL;
    g->label_name = colon ? colon + 1 : NULL;
    for (size_t i = 0; i < g->count; i++) {
        const char *part = part_of(&g->items[i]);
        if (g->items[i].kind == PCRI_MEMBER_IMAGE)
            continue;
        if (wanted ? strlen(part) == n && !strncasecmp(part, wanted, n)
                   : !strcasecmp(part, "cls")) {
            g->label = &g->items[i];
            return 0;
        }
        if (wanted || !ends_in(part, "cls"))
            continue;
        if (g->label)
            other = &g->items[i];
        g->label = &g->items[i];
    }
    if (!other)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "%s: '%.120s' and '%.120s' are of one sample: name the part that is the "
                     "label (pcrtool: --label-field)",
                     g->s->path, other->name, g->label->name);
}

/* --- labels and attributes --- */

static int set_label_text(struct group *g, struct pcri_list_row *row, struct pcr_error *err)
{
    const char *p = g->label->text, *end = p + g->label->text_nbytes;
    while (p < end && isspace((unsigned char) *p))
        p++;
    while (end > p && isspace((unsigned char) end[-1]))
        end--;
    row->empty_label = p == end;
    if (row->empty_label)
        return 0;
    row->label_text = pcri_arena_strndup(&g->s->e->arena, p, (size_t) (end - p), err);
    return row->label_text ? 0 : PCR_ERR_NOMEM;
}

static int set_label_value(struct group *g, struct pcri_list_row *row, const json_t *value,
                           struct pcr_error *err)
{
    row->empty_label = !value || json_is_null(value);
    return row->empty_label ? 0 : pcri_row_json_label(g->s->rows, row, value, err);
}

/* The part's value; NULL without an error: JSON that is damaged. */
static int read_value(struct group *g, const struct pcri_member *m, json_t **out,
                      struct pcr_error *err)
{
    struct pcri_json_fault fault = { 0 };
    *out = NULL;
    if (!ends_in(part_of(m), "json")) {
        *out = json_stringn(m->text, m->text_nbytes);
        return *out ? 0 : pcri_fail_nomem(err, m->text_nbytes);
    }
    if (!m->text)
        return pcri_container_damaged(g->s, NULL, m->header, err,
                                      "'%.200s': JSON of more than %d bytes", m->name,
                                      PCRI_JSON_MAX_NBYTES);
    int rc = pcri_json_parse(m->text, m->text_nbytes, PCRI_JSON_ANY | PCRI_JSON_DUPLICATES,
                             out, &fault, err);
    return rc == 1 ? pcri_container_damaged(g->s, NULL, m->header, err, "'%.200s': %s",
                                            m->name, fault.what)
                   : rc;
}

/* Adds the part's value to the object, and takes the label out of it. */
static int add_value(struct group *g, const struct pcri_member *m, struct pcri_list_row *row,
                     json_t *object, json_t *value, struct pcr_error *err)
{
    const char *part = part_of(m);
    char name[256];
    int rc = 0;
    if (m == g->label && g->label_name) {
        rc = set_label_value(g, row, json_object_get(value, g->label_name), err);
        json_object_del(value, g->label_name);
    }
    if (rc)
        return rc;
    if (!strcasecmp(part, "json") && json_is_object(value)) {
        if (json_object_get(value, "__key__") && !g->blob_names)
            g->blob_names = json_incref(json_object_get(value, "__blobs__"));
        rc = pcri_exported_take(g->s, row, value, err);
        if (rc)
            return rc;
        return json_object_update(object, value) ? pcri_fail_nomem(err, 1) : 0;
    }
    int n = snprintf(name, sizeof(name), "%s%s", json_object_get(object, part) ? "." : "",
                     part);
    if (!*part || (size_t) n >= sizeof(name) || !pcri_utf8_valid(part, strlen(part)))
        return pcri_row_fail(err, row, "'%.120s' cannot name an attribute", part);
    return json_object_set(object, name, value) ? pcri_fail_nomem(err, strlen(part)) : 0;
}

/* --- blobs --- */

static bool is_blob(const struct group *g, const struct pcri_member *m)
{
    const char *name;
    size_t i;
    json_t *value;
    if (m->kind == PCRI_MEMBER_IMAGE || pcri_container_names_blob(g->s, part_of(m)))
        return m != g->image;
    json_array_foreach (g->blob_names, i, value)
        if ((name = json_string_value(value)) && !strcmp(name, part_of(m)))
            return true;
    return !ends_in(part_of(m), "json") && (!m->text || !is_text(m->text, m->text_nbytes));
}

/* Room for all members of the sample. */
static int make_room(struct group *g, struct pcri_list_row *row, struct pcr_error *err)
{
    struct pcri_arena *arena = &g->s->e->arena;
    size_t count = 0;
    for (size_t i = 0; i < g->count; i++)
        count += &g->items[i] != g->image;
    g->blobs = pcri_arena_alloc(arena, count * sizeof(*g->blobs), alignof(uint64_t), err);
    g->places = pcri_arena_alloc(arena, count * sizeof(*g->places), alignof(uint64_t), err);
    row->blobs = g->blobs;
    row->blob_places = g->places;
    return g->blobs && g->places ? 0 : PCR_ERR_NOMEM;
}

static int add_blob(struct group *g, const struct pcri_member *m, struct pcri_list_row *row,
                    struct pcr_error *err)
{
    const char *part = part_of(m);
    const size_t n = strlen(part);
    struct pcri_place place = {
        row->file, m->offset, m->nbytes, m->spooled, m->has_crc, m->crc
    };
    int rc = 0;
    if (!pcri_container_takes_blob(g->s, part))
        return 0;
    if (!n || !pcri_utf8_valid(part, n))
        return pcri_container_note(
            g->s, err, "parts '%.200s' are left out: they cannot name a blob", part);
    if (m->is_only_text) {
        place.offset = g->s->spool_nbytes;
        place.spooled = true;
        rc = pcri_container_put(g->s, m->text, m->text_nbytes, err);
    }
    if (!rc && !g->blobs)
        rc = make_room(g, row, err);
    const char *name = rc ? NULL : pcri_arena_strndup(&g->s->e->arena, part, n, err);
    if (!name)
        return rc ? rc : PCR_ERR_NOMEM;
    g->places[row->blob_count] = place;
    g->blobs[row->blob_count++] = (struct pcr_source_blob) { name, NULL, m->nbytes };
    return 0;
}

static int add_part(struct group *g, const struct pcri_member *m, struct pcri_list_row *row,
                    json_t *object, struct pcr_error *err)
{
    json_t *value = NULL;
    if (m == g->label && !g->label_name) {
        if (row->class_name || row->labels || row->float_labels)
            return 0;
        if (m->text)
            return set_label_text(g, row, err);
        return pcri_container_damaged(g->s, NULL, m->header, err,
                                      "'%.200s': a label of more than %d bytes", m->name,
                                      PCRI_TEXT_MAX_NBYTES);
    }
    if (is_blob(g, m))
        return add_blob(g, m, row, err);
    int rc = read_value(g, m, &value, err);
    if (!rc && value)
        rc = add_value(g, m, row, object, value, err);
    json_decref(value);
    return rc;
}

/* JSON first, so that what it names keeps its name. */
static int describe(struct group *g, struct pcri_list_row *row, struct pcr_error *err)
{
    json_t *object = json_object();
    int rc = object ? 0 : pcri_fail_nomem(err, sizeof(json_t *));
    for (int turn = 0; turn < 2 && !rc; turn++)
        for (size_t i = 0; i < g->count && !rc; i++) {
            const bool is_json = !strcasecmp(part_of(&g->items[i]), "json");
            if (&g->items[i] != g->image && is_json == !turn)
                rc = add_part(g, &g->items[i], row, object, err);
        }
    if (!rc)
        rc = pcri_row_attributes(g->s->rows, row, object, err);
    json_decref(object);
    json_decref(g->blob_names);
    g->blob_names = NULL;
    return rc;
}

/* --- rows --- */

static struct pcri_list_row *add_row(struct pcri_container *s, const struct pcri_member *m,
                                     struct pcr_error *err)
{
    struct pcri_list_row *row = pcri_container_add(s, NULL, m->name, m->offset, m->nbytes,
                                                   err);
    if (!row)
        return NULL;
    row->spooled = m->spooled;
    row->has_crc = m->has_crc;
    row->info = m->info;
    row->crc = m->crc;
    row->key = row->path + strlen(row->file) + 2; /* the path is "FILE: MEMBER" */
    return row;
}

/* Parts without an image. */
static int pass_over(struct group *g, struct pcr_error *err)
{
    if (!g->label) {
        g->m->ignored += g->count;
        return 0;
    }
    return pcri_container_leave_out(g->s, NULL, g->label->name, err,
                                    "a label without an image");
}

static int make_rows(struct group *g, struct pcr_error *err)
{
    int rc = drop_duplicates(g, err);
    if (!rc)
        rc = choose_image(g, err);
    if (!rc)
        rc = choose_label(g, err);
    if (rc || !g->image)
        return rc ? rc : pass_over(g, err);
    for (size_t i = 0; i < g->count && !rc; i++) {
        const struct pcri_member *m = &g->items[i];
        struct pcri_list_row *row = NULL;
        if (m->kind != PCRI_MEMBER_IMAGE) {
            g->s->has_parts = true;
            continue;
        }
        row = add_row(g->s, m, err);
        if (!row)
            return PCR_ERR_NOMEM;
        row->is_extra = m != g->image;
        rc = row->is_extra ? 0 : describe(g, row, err);
    }
    g->s->has_parts |= g->s->opts->image_field != NULL;
    g->s->has_labels |= g->label != NULL;
    return rc;
}

/* --- all members --- */

static int compare_places(const void *a, const void *b)
{
    const struct pcri_list_row *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset ? 1 : strcmp(x->key, y->key);
}

/* Members whose keys have one checksum: nearly always those of one sample. */
static int make_samples(struct pcri_container *s, struct pcri_members *m,
                        struct pcri_member *items, size_t count, struct pcr_error *err)
{
    int rc = 0;
    qsort(items, count, sizeof(*items), compare_members);
    for (size_t begin = 0, end; begin < count && !rc; begin = end) {
        for (end = begin + 1; end < count && !compare_keys(&items[begin], &items[end]);)
            end++;
        struct group g = { .s = s, .m = m, .items = items + begin, .count = end - begin };
        rc = make_rows(&g, err);
    }
    return rc;
}

/* Marks with one checksum get the place of the first of them, as the highest bits, in its place:
 * sorted, they then are together and in the order of the container. */
static void order_marks(struct pcri_mark *marks, size_t count)
{
    unsigned shift = 0;
    while (shift < 63 && !(count >> (63 - shift)))
        shift++;
    for (size_t begin = 0, end; begin < count; begin = end) {
        const uint64_t check = marks[begin].check;
        for (end = begin; end < count && marks[end].check == check; end++)
            marks[end].check = marks[begin].index << shift;
    }
    pcri_marks_sort(marks, count);
}

static int make_all(struct pcri_container *s, struct pcri_members *m,
                    const struct pcri_mark *marks, struct pcr_error *err)
{
    struct pcri_member *items = NULL;
    size_t capacity = 0;
    int rc = 0;
    for (size_t begin = 0, end; begin < m->count && !rc; begin = end) {
        size_t count = 0;
        for (end = begin; end < m->count && marks[end].check == marks[begin].check; end++) {
            const struct pcri_member *member = member_at(m, &marks[end]);
            if (member->kind == PCRI_MEMBER_IGNORED)
                continue;
            if ((rc = PCRI_GROW(items, capacity, count + 1, err)))
                break;
            items[count++] = *member;
        }
        if (!rc && count)
            rc = make_samples(s, m, items, count, err);
    }
    free(items);
    return rc;
}

int pcri_members_finish(struct pcri_container *s, struct pcri_members *m,
                        struct pcr_error *err)
{
    const size_t first = s->rows->count;
    struct pcri_mark *marks = pcri_malloc(m->count, sizeof(*marks), err);
    if (!marks)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < m->count; i++) {
        struct pcri_member *member = m->items[i];
        pcri_arena_touch(&m->arena, member);
        member->key_nbytes = key_nbytes(member->name, s->opts->flags & PCR_SOURCE_LAST_DOT);
        marks[i] = (struct pcri_mark) { check_key(member->name, member->key_nbytes), i };
    }
    pcri_marks_sort(marks, m->count);
    int rc = resolve_links(s, m, marks, err);
    if (!rc) {
        order_marks(marks, m->count);
        rc = make_all(s, m, marks, err);
    }
    free(marks);
    if (!rc && s->rows->count > first)
        rc = pcri_arena_sort(s->rows->arena, s->rows->rows + first, s->rows->count - first,
                             compare_places, err);
    s->e->ignored_count += m->ignored;
    return rc;
}
