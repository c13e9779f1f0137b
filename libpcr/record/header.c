/* SPDX-License-Identifier: BSD-2-Clause */
/* The fixed header of a record (docs/FORMAT.md 3.1). */
#include "record.h"

static const uint8_t magic[8] = { 0x89, 'P', 'C', 'R', '\r', '\n', 0x1A, '\n' };

enum { FIXED_NBYTES = 88, GROUP_NBYTES = 24, CHECK_NBYTES = 8 };

/* Magic, version, and enough bytes: sets group_count and header_nbytes. */
static int parse_frame(const uint8_t *p, size_t nbytes, struct pcri_header *h,
                       struct pcr_error *err)
{
    if (nbytes < sizeof(magic) || memcmp(p, magic, sizeof(magic)))
        return pcri_fail(err, PCR_ERR_FORMAT, "not a PCR record: wrong first bytes");
    if (nbytes < 26)
        return pcri_fail(err, PCR_ERR_TRUNCATED, "%zu bytes are not a complete header",
                         nbytes);
    h->major = pcri_load16(p + 8);
    h->minor = pcri_load16(p + 10);
    h->group_count = pcri_load16(p + 24);
    if (h->major != 1)
        return pcri_fail_at(err, PCR_ERR_UNSUPPORTED, 8,
                            "format version %u.%u, this library knows 1.x", h->major,
                            h->minor);
    if (h->group_count < 1 || h->group_count > PCRI_MAX_GROUPS)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, 24, "%u groups, expected 1 to %d",
                            h->group_count, PCRI_MAX_GROUPS);
    h->header_nbytes = pcri_header_nbytes(h->group_count);
    if (nbytes < h->header_nbytes)
        return pcri_fail(err, PCR_ERR_TRUNCATED, "the header takes %llu bytes, got %zu",
                         (unsigned long long) h->header_nbytes, nbytes);
    return 0;
}

/* The fields that a later version may give a meaning. */
static int check_reserved(const uint8_t *p, const struct pcri_header *h, struct pcr_error *err)
{
    uint32_t required = pcri_load32(p + 12);
    if (required)
        return pcri_fail_at(err, PCR_ERR_UNSUPPORTED, 12,
                            "required flags 0x%x, this version knows none", required);
    if (pcri_load16(p + 26) || pcri_load32(p + 28))
        return pcri_fail_at(err, PCR_ERR_UNSUPPORTED, 26, "a reserved field is not 0");
    for (uint32_t g = 0; g < h->group_count; g++) {
        uint32_t at = FIXED_NBYTES + GROUP_NBYTES * g + 18;
        if (pcri_load16(p + at) || pcri_load32(p + at + 2))
            return pcri_fail_at(err, PCR_ERR_UNSUPPORTED, at, "a reserved field is not 0");
    }
    return 0;
}

static void load_fields(const uint8_t *p, struct pcri_header *h)
{
    h->sample_count = pcri_load32(p + 20);
    h->head_nbytes = pcri_load64(p + 32);
    h->head_raw_nbytes = pcri_load64(p + 40);
    h->head_check = pcri_load64(p + 48);
    h->tail_nbytes = pcri_load64(p + 56);
    h->tail_raw_nbytes = pcri_load64(p + 64);
    h->tail_check = pcri_load64(p + 72);
    h->blobs_nbytes = pcri_load64(p + 80);
    for (uint32_t g = 0; g < h->group_count; g++) {
        const uint8_t *e = p + FIXED_NBYTES + GROUP_NBYTES * g;
        h->groups[g] = (struct pcri_group) {
            .end = pcri_load64(e),
            .check = pcri_load64(e + 8),
            .piece_count = pcri_load16(e + 16),
        };
    }
}

/* Do the offsets hang together? */
static int check_offsets(const struct pcri_header *h, struct pcr_error *err)
{
    uint64_t end, total;
    if (!h->sample_count)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, 20, "no samples");
    if (!h->head_nbytes)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, 32, "no head");
    if (__builtin_add_overflow(h->header_nbytes, h->head_nbytes, &end))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, 32, "the head's size overflows");
    for (uint32_t g = 0; g < h->group_count; g++) {
        uint32_t at = FIXED_NBYTES + GROUP_NBYTES * g;
        if (h->groups[g].end < end)
            return pcri_fail_at(
                err, PCR_ERR_CORRUPT, at, "group %u ends at %llu, before its begin %llu",
                g + 1, (unsigned long long) h->groups[g].end, (unsigned long long) end);
        if (h->groups[g].piece_count < 1 || h->groups[g].piece_count > PCRI_MAX_PIECES)
            return pcri_fail_at(err, PCR_ERR_CORRUPT, at + 16,
                                "%u pieces in group %u, expected 1 to %d",
                                h->groups[g].piece_count, g + 1, PCRI_MAX_PIECES);
        end = h->groups[g].end;
    }
    if (__builtin_add_overflow(end, h->blobs_nbytes, &end))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, 80, "the size of blobs overflows");
    if (__builtin_add_overflow(end, h->tail_nbytes, &total))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, 56, "the tail's size overflows");
    if (!h->tail_nbytes && (h->tail_raw_nbytes || h->tail_check))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, 56, "an absent tail has a size or checksum");
    return 0;
}

static int check_limits(const struct pcri_header *h, const struct pcr_limits *limits,
                        struct pcr_error *err)
{
    struct pcr_limits l = limits ? *limits : (struct pcr_limits) { 0 };
    pcri_limits_fill(&l);
    /* Counts and offsets within a head are kept in 32 bits. */
    uint64_t max = l.max_head_nbytes < UINT32_MAX ? l.max_head_nbytes : UINT32_MAX;
    if (h->sample_count > l.max_samples)
        return pcri_fail_at(err, PCR_ERR_LIMIT, 20, "%u samples, above the limit of %u",
                            h->sample_count, l.max_samples);
    if (h->head_nbytes > max || h->head_raw_nbytes > max)
        return pcri_fail_at(err, PCR_ERR_LIMIT, 32,
                            "a head of %llu bytes (%llu stored), above the limit of %llu",
                            (unsigned long long) h->head_raw_nbytes,
                            (unsigned long long) h->head_nbytes, (unsigned long long) max);
    return 0;
}

int pcri_header_check_nbytes(const struct pcri_header *h, uint64_t file_nbytes, uint32_t flags,
                             struct pcr_error *err)
{
    uint64_t total = pcri_tail_begin(h) + h->tail_nbytes;
    uint64_t least = flags & PCRI_PARSE_ANY_END ? h->header_nbytes + h->head_nbytes : total;
    if (least > file_nbytes)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, file_nbytes,
                            "the record takes %llu bytes, the file has %llu",
                            (unsigned long long) total, (unsigned long long) file_nbytes);
    if (total < file_nbytes && !(flags & PCRI_PARSE_ANY_END))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, total, "%llu bytes after the record",
                            (unsigned long long) (file_nbytes - total));
    return 0;
}

int pcri_header_parse(const uint8_t *p, size_t nbytes, uint64_t file_nbytes,
                      const struct pcr_limits *limits, uint32_t flags, struct pcri_header *h,
                      struct pcr_error *err)
{
    *h = (struct pcri_header) { 0 };
    int rc = parse_frame(p, nbytes, h, err);
    if (rc)
        return rc;
    size_t covered = (size_t) h->header_nbytes - CHECK_NBYTES;
    h->check = pcri_load64(p + covered);
    if (!(flags & PCRI_PARSE_NO_VERIFY) && pcri_xxh3(p, covered) != h->check)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, covered, "the header's checksum is wrong");
    load_fields(p, h);
    if ((rc = check_reserved(p, h, err)) || (rc = check_offsets(h, err)) ||
        (rc = check_limits(h, limits, err)))
        return rc;
    return file_nbytes ? pcri_header_check_nbytes(h, file_nbytes, flags, err) : 0;
}

void pcri_header_write(struct pcri_header *h, uint8_t *out)
{
    h->header_nbytes = pcri_header_nbytes(h->group_count);
    memset(out, 0, (size_t) h->header_nbytes);
    memcpy(out, magic, sizeof(magic));
    pcri_store16(out + 8, h->major);
    pcri_store16(out + 10, h->minor);
    pcri_store32(out + 20, h->sample_count);
    pcri_store16(out + 24, (uint16_t) h->group_count);
    pcri_store64(out + 32, h->head_nbytes);
    pcri_store64(out + 40, h->head_raw_nbytes);
    pcri_store64(out + 48, h->head_check);
    pcri_store64(out + 56, h->tail_nbytes);
    pcri_store64(out + 64, h->tail_raw_nbytes);
    pcri_store64(out + 72, h->tail_check);
    pcri_store64(out + 80, h->blobs_nbytes);
    for (uint32_t g = 0; g < h->group_count; g++) {
        uint8_t *e = out + FIXED_NBYTES + GROUP_NBYTES * g;
        pcri_store64(e, h->groups[g].end);
        pcri_store64(e + 8, h->groups[g].check);
        pcri_store16(e + 16, h->groups[g].piece_count);
    }
    size_t covered = (size_t) h->header_nbytes - CHECK_NBYTES;
    h->check = pcri_xxh3(out, covered);
    pcri_store64(out + covered, h->check);
}
