/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a file for the prefix decoder: what it accepts, libjpeg reads
 * without a warning that means damage, as the same coefficients. */
#include "fuzz.h"

#include "jpeg/coefs.h"
#include "jpeg/prefix.h"
#include "jpeg/turbo.h"

static struct pcr_limits limits = { .size = sizeof(limits),
                                    .max_pixels = 1 << 18,
                                    .max_scans = 24 };
static struct pcri_prefix prefix;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    pcri_limits_fill(&limits);
    return 0;
}

static void compare_plane(struct jpeg_decompress_struct *d, jvirt_barray_ptr array, int c)
{
    const struct pcri_blocks *p = &prefix.planes[c];
    for (uint32_t y = 0; y < p->blocks_y; y++) {
        JBLOCKARRAY rows = d->mem->access_virt_barray((j_common_ptr) d, array, y, 1, FALSE);
        for (uint32_t x = 0; x < p->blocks_x; x++) {
            size_t b = (size_t) y * p->blocks_x + x;
            uint64_t mask = 0;
            for (int k = 0; k < 64; k++) {
                int16_t v = p->coef[64 * b + (size_t) k];
                FUZZ_CHECK(v == rows[0][x][pcri_zigzag_order[k]],
                           "component %d, block %u,%u, coefficient %d", c, x, y, k);
                mask |= k && v ? UINT64_C(1) << k : 0;
            }
            FUZZ_CHECK(mask == p->mask[b], "component %d, block %u,%u", c, x, y);
        }
    }
}

static void compare(const uint8_t *data, size_t nbytes)
{
    struct jpeg_decompress_struct d;
    struct pcr_error err = { 0 };
    struct pcri_turbo t;
    d.err = pcri_turbo_errors(&t, data, nbytes, &err);
    if (setjmp(t.jump)) {
        FUZZ_CHECK(t.code == PCR_ERR_NOMEM, "libjpeg refuses: %s", err.message);
        jpeg_destroy_decompress(&d);
        return;
    }
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, data, nbytes);
    jpeg_read_header(&d, TRUE);
    jvirt_barray_ptr *arrays = jpeg_read_coefficients(&d);
    for (int c = 0; c < d.num_components; c++)
        compare_plane(&d, arrays[c], c);
    jpeg_destroy_decompress(&d);
}

static void check_written(void)
{
    pcri_prefix_settle(&prefix);
    for (uint32_t c = 0; c < prefix.file.component_count && prefix.reserved; c++) {
        const struct pcri_blocks *p = &prefix.planes[c];
        size_t count = (size_t) p->blocks_x * p->blocks_y;
        FUZZ_CHECK_WRITTEN(p->coef, count * 64 * sizeof(*p->coef));
        FUZZ_CHECK_WRITTEN(p->mask, count * sizeof(*p->mask));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcr_error err = { 0 };
    int rc = pcri_prefix_decode(&prefix, data, nbytes, &limits, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
    if (!rc)
        check_written();
    if (!rc && !FUZZ_OWN_CODE_ALONE)
        compare(data, nbytes);
    return 0;
}
