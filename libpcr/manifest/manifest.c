/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a manifest in memory, and holding its numbers against each other. */
#include <stdlib.h>

#include "../base/utf8.h"
#include "manifest.h"

/* --- text --- */

const char *const pcri_label_kinds[PCR_LABEL_FLOATS + 1] = { "none", "class", "ints",
                                                             "floats" };

/* A copy with bytes that are not UTF-8 as \xHH: names of folders may hold any bytes, JSON may
 * not. */
static char *copy_utf8(const char *s, struct pcr_error *err)
{
    struct pcr_buffer out = { 0 };
    if (pcri_utf8_escape(s, strlen(s), &out, err) || pcri_buffer_append(&out, "", 1, err))
        pcr_buffer_free(&out);
    return (char *) out.data;
}

bool pcri_manifest_name_ok(const char *name)
{
    for (;;) {
        size_t n = strcspn(name, "/");
        if (!n || (n == 1 && name[0] == '.') || (n == 2 && !strncmp(name, "..", 2)))
            return false;
        if (!name[n])
            return true;
        name += n + 1;
    }
}

/* --- making --- */

int pcri_manifest_init(struct pcri_manifest *m, uint32_t group_count, const char *ladder,
                       struct pcr_error *err)
{
    *m = (struct pcri_manifest) { .major = 1, .group_count = group_count };
    if (group_count < 1 || group_count > PCRI_MAX_GROUPS)
        return pcri_fail(err, PCR_ERR_INVAL, "%u groups, expected 1 to %d", group_count,
                         PCRI_MAX_GROUPS);
    static const char writer[] = "libpcr " PCR_VERSION_STRING;
    m->ladder = pcri_strndup(ladder, strlen(ladder), err);
    m->writer = pcri_strndup(writer, sizeof(writer) - 1, err);
    if (m->ladder && m->writer)
        return 0;
    pcri_manifest_free(m);
    return PCR_ERR_NOMEM;
}

void pcri_manifest_free(struct pcri_manifest *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; m->classes && !m->class_names && i < m->class_count; i++)
        free(m->classes[i]);
    for (uint32_t i = 0; m->splits && i < m->split_count; i++) {
        free(m->splits[i].name);
        free(m->splits[i].class_counts);
    }
    pcri_schema_free(&m->schema);
    pcri_schema_free(&m->blobs);
    pcr_buffer_free(&m->files);
    void *const owned[] = { m->ladder,    m->writer,       m->classes,       m->class_names,
                            m->splits,    m->file_offsets, m->sample_counts, m->nbytes,
                            m->head_ends, m->ends,         m->checks };
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
        free(owned[i]);
    *m = (struct pcri_manifest) { 0 };
}

int pcri_manifest_add_class(struct pcri_manifest *m, const char *name, struct pcr_error *err)
{
    if (m->split_count)
        return pcri_fail(err, PCR_ERR_INVAL, "class %s comes after a split", name);
    int rc = pcri_resize(&m->classes, (uint64_t) m->class_count + 1, sizeof(*m->classes), err);
    if (rc)
        return rc;
    char *copy = copy_utf8(name, err);
    if (!copy)
        return PCR_ERR_NOMEM;
    m->classes[m->class_count++] = copy;
    return 0;
}

int pcri_manifest_add_split(struct pcri_manifest *m, const char *name, struct pcr_error *err)
{
    int rc = pcri_resize(&m->splits, (uint64_t) m->split_count + 1, sizeof(*m->splits), err);
    if (rc)
        return rc;
    struct pcri_split *s = &m->splits[m->split_count];
    *s = (struct pcri_split) { .first_record = m->record_count };
    s->name = copy_utf8(name, err);
    s->class_counts = pcri_calloc(m->class_count, sizeof(*s->class_counts), err);
    m->split_count++;
    return s->name && s->class_counts ? 0 : PCR_ERR_NOMEM;
}

int pcri_manifest_reserve(struct pcri_manifest *m, uint64_t count, struct pcr_error *err)
{
    if (count <= m->record_capacity)
        return 0;
    const struct {
        void *array;
        size_t size;
    } columns[] = {
        { &m->file_offsets, sizeof(*m->file_offsets) },
        { &m->sample_counts, sizeof(*m->sample_counts) },
        { &m->nbytes, sizeof(*m->nbytes) },
        { &m->head_ends, sizeof(*m->head_ends) },
        { &m->ends, m->group_count * sizeof(*m->ends) },
        { &m->checks, sizeof(*m->checks) },
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]) && !rc; i++)
        rc = pcri_resize(columns[i].array, count, columns[i].size, err);
    if (!rc)
        m->record_capacity = count;
    return rc;
}

int pcri_manifest_add_record(struct pcri_manifest *m, const char *file,
                             const struct pcri_header *header, struct pcr_error *err)
{
    if (!m->split_count || header->group_count != m->group_count)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: %u groups, expected %u; %u splits", file,
                         header->group_count, m->group_count, m->split_count);
    if (!pcri_manifest_name_ok(file))
        return pcri_fail(err, PCR_ERR_INVAL, "%s: not a name below the folder", file);
    uint64_t r = m->record_count;
    int rc = r < m->record_capacity ? 0 : pcri_manifest_reserve(m, r + r / 2 + 16, err);
    size_t at = m->files.nbytes;
    if (!rc)
        rc = pcri_buffer_append(&m->files, file, strlen(file) + 1, err);
    if (rc)
        return rc;

    uint64_t head_end = header->header_nbytes + header->head_nbytes, begin = head_end;
    for (uint32_t g = 0; g < m->group_count; g++) {
        m->ends[r * m->group_count + g] = header->groups[g].end;
        m->group_nbytes[g] += header->groups[g].end - begin;
        begin = header->groups[g].end;
    }
    m->file_offsets[r] = at;
    m->sample_counts[r] = header->sample_count;
    m->nbytes[r] = pcri_tail_begin(header) + header->tail_nbytes;
    m->head_ends[r] = head_end;
    m->checks[r] = header->check;
    m->record_count++;
    m->sample_count += header->sample_count;
    m->head_nbytes += head_end;
    m->tail_nbytes += header->tail_nbytes;
    m->blob_nbytes += header->blobs_nbytes;
    m->splits[m->split_count - 1].record_count++;
    m->splits[m->split_count - 1].sample_count += header->sample_count;
    return 0;
}

/* --- checking --- */

/* Adds to *total, below 2^63. */
static bool add(uint64_t *total, uint64_t n)
{
    return !__builtin_add_overflow(*total, n, total) && *total <= INT64_MAX;
}

static int check_record(const struct pcri_manifest *m, uint64_t r, struct pcr_error *err)
{
    const uint64_t *ends = m->ends + r * m->group_count;
    bool ok = m->sample_counts[r] >= 1 &&
              m->head_ends[r] > pcri_header_nbytes(m->group_count) &&
              ends[0] >= m->head_ends[r] && m->nbytes[r] >= ends[m->group_count - 1];
    for (uint32_t g = 1; g < m->group_count; g++)
        ok = ok && ends[g] >= ends[g - 1];
    if (!pcri_manifest_name_ok(pcri_manifest_file(m, r)))
        return pcri_fail(err, PCR_ERR_CORRUPT,
                         "record %llu: %s is not a name below the folder",
                         (unsigned long long) r, pcri_manifest_file(m, r));
    return ok ? 0
              : pcri_fail(err, PCR_ERR_CORRUPT, "record %llu (%s): its sizes do not agree",
                          (unsigned long long) r, pcri_manifest_file(m, r));
}

/* A split's records are those after the last split's, and add up to its counts. */
static int check_split(const struct pcri_manifest *m, uint32_t index, uint64_t first,
                       struct pcr_error *err)
{
    const struct pcri_split *s = &m->splits[index];
    uint64_t samples = 0, classed = 0;
    bool ok = *s->name && s->first_record == first &&
              s->record_count <= m->record_count - first;
    for (uint64_t r = first; ok && r < first + s->record_count; r++)
        ok = add(&samples, m->sample_counts[r]);
    for (uint32_t c = 0; ok && c < m->class_count; c++)
        ok = add(&classed, s->class_counts[c]);
    for (uint32_t k = 0; ok && k < index; k++)
        ok = strcmp(m->splits[k].name, s->name) != 0;
    ok = ok && samples == s->sample_count && classed <= samples;
    return ok ? 0
              : pcri_fail(err, PCR_ERR_CORRUPT,
                          "split %u (%s): its counts do not agree with the records", index,
                          s->name);
}

static bool codings_agree(const struct pcri_coding_counts *c, uint64_t samples)
{
    return c->opaque <= samples && c->scans <= samples - c->opaque &&
           c->packed <= samples - c->opaque - c->scans;
}

static bool statistics_agree(const struct pcri_manifest *m)
{
    uint64_t head = 0, tail = 0, samples = 0, source = 0;
    uint64_t groups[PCRI_MAX_GROUPS] = { 0 };
    bool ok = true;
    for (uint64_t r = 0; ok && r < m->record_count; r++) {
        const uint64_t *ends = m->ends + r * m->group_count;
        uint64_t begin = m->head_ends[r];
        ok = add(&head, begin) && add(&samples, m->sample_counts[r]);
        for (uint32_t g = 0; ok && g < m->group_count; g++) {
            ok = add(&groups[g], ends[g] - begin);
            begin = ends[g];
        }
        ok = ok && add(&tail, m->nbytes[r] - begin);
    }
    for (uint32_t k = 0; ok && k < m->split_count; k++)
        ok = add(&source, m->splits[k].source_nbytes);
    return ok && head == m->head_nbytes && tail >= m->tail_nbytes &&
           tail - m->tail_nbytes == m->blob_nbytes && samples == m->sample_count &&
           source == m->source_nbytes && codings_agree(&m->codings, samples) &&
           m->skipped_count <= INT64_MAX && m->notes.undecodable <= m->codings.opaque &&
           m->notes.salvaged <= samples && m->notes.unrestorable <= m->codings.opaque &&
           m->notes.encoded <= samples && m->notes.dropped <= samples &&
           m->notes.dropped <= m->notes.dropped_nbytes &&
           !memcmp(groups, m->group_nbytes, m->group_count * sizeof(groups[0]));
}

int pcri_manifest_check(const struct pcri_manifest *m, struct pcr_error *err)
{
    uint64_t first = 0;
    for (uint64_t r = 0; r < m->record_count; r++) {
        int rc = check_record(m, r, err);
        if (rc)
            return rc;
    }
    for (uint32_t k = 0; k < m->split_count; k++) {
        int rc = check_split(m, k, first, err);
        if (rc)
            return rc;
        first += m->splits[k].record_count;
    }
    if (first != m->record_count)
        return pcri_fail(err, PCR_ERR_CORRUPT, "the splits hold %llu records of %llu",
                         (unsigned long long) first, (unsigned long long) m->record_count);
    if (!statistics_agree(m))
        return pcri_fail(err, PCR_ERR_CORRUPT, "the statistics do not agree with the records");
    return 0;
}
