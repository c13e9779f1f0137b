/* SPDX-License-Identifier: BSD-2-Clause */
/* Options and info structs that may grow: the size rule, and the default limits. */
#include "base.h"

int pcri_flags_check(const char *name, uint32_t flags, uint32_t known, struct pcr_error *err)
{
    if (!(flags & ~known))
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL, "%s.flags: 0x%x is unknown", name,
                     (unsigned) (flags & ~known));
}

int pcri_info_check(const void *info, const char *name, struct pcr_error *err)
{
    uint32_t size = UINT32_MAX;
    if (info)
        memcpy(&size, info, sizeof(size));
    if (size >= 2 * sizeof(uint32_t))
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL, "%s.size is %u: set it to sizeof(struct %s)", name,
                     (unsigned) size, name);
}

int pcri_options_copy(void *dst, size_t dst_size, const void *src, const char *name,
                      struct pcr_error *err)
{
    uint32_t size = 0;
    memset(dst, 0, dst_size);
    if (src) {
        memcpy(&size, src, sizeof(size));
        int rc = pcri_info_check(src, name, err);
        if (rc)
            return rc;
        const uint8_t *bytes = src;
        for (size_t i = dst_size; i < size; i++)
            if (bytes[i])
                return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                                 "%s: byte %zu is set, but this version knows %zu bytes", name,
                                 i, dst_size);
        memcpy(dst, src, size < dst_size ? size : dst_size);
    }
    size = (uint32_t) dst_size;
    memcpy(dst, &size, sizeof(size));
    return 0;
}

void pcri_info_fill(void *dst, const void *src, size_t src_size)
{
    uint32_t size;
    if (!dst)
        return;
    memcpy(&size, dst, sizeof(size));
    size_t n = size < src_size ? size : src_size;
    memcpy((uint8_t *) dst + sizeof(size), (const uint8_t *) src + sizeof(size),
           n - sizeof(size));
    if (size > src_size)
        memset((uint8_t *) dst + src_size, 0, size - src_size);
}

int pcri_info_copy(void *dst, const char *name, const void *src, size_t src_size,
                   struct pcr_error *err)
{
    if (!dst)
        return pcri_fail(err, PCR_ERR_INVAL, "the pointer to struct %s is NULL", name);
    int rc = pcri_info_check(dst, name, err);
    if (!rc)
        pcri_info_fill(dst, src, src_size);
    return rc;
}

int pcri_limits_take(const struct pcr_limits *given, struct pcr_limits *out,
                     struct pcr_error *err)
{
    return pcri_options_copy(out, sizeof(*out), given, "pcr_limits", err);
}

void pcri_limits_fill(struct pcr_limits *l)
{
    if (!l->max_scans)
        l->max_scans = 64;
    if (!l->max_pixels)
        l->max_pixels = UINT64_C(1) << 28;
    if (!l->max_samples)
        l->max_samples = UINT32_C(1) << 20;
    if (!l->max_head_nbytes)
        l->max_head_nbytes = UINT64_C(256) << 20;
    if (!l->max_sample_nbytes)
        l->max_sample_nbytes = UINT64_C(1) << 30;
    if (!l->max_manifest_nbytes)
        l->max_manifest_nbytes = UINT64_C(1) << 30;
}
