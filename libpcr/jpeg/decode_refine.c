/* SPDX-License-Identifier: BSD-2-Clause */
/* AC refinement scans.
 *
 * In a refinement scan the run of a symbol counts coefficients that are still zero, and each
 * nonzero one that it passes takes a correction bit. With the block's 64-bit mask of nonzero
 * coefficients both can be had without looking at coefficients one by one; how depends on
 * what the CPU has (decode_refine_pdep.c, decode_refine_portable.c). The data of these scans
 * is bit-reversed in each byte when it is unstuffed, so that the first of several correction
 * bits is the lowest, as the first coefficient's is in the mask.
 *
 * The blocks under an end-of-band run take their correction bits all at once. */
#include "decode_refine.h"

struct pcri_lookup_entry pcri_refine_slow(uint64_t word, const struct pcri_lookup *t)
{
    unsigned length;
    int symbol = pcri_slow_symbol(t, pcri_reverse16((uint32_t) word & 0xFFFF), &length);
    if (symbol < 0)
        return (struct pcri_lookup_entry) { 0 };
    return pcri_refine_entry((uint8_t) symbol, length, (uint32_t) (word >> length) & 1);
}

static pcri_refine_function choose(void)
{
#ifdef PCRI_HAVE_PDEP
    const unsigned wanted = PCRI_CPU_FAST_PDEP | PCRI_CPU_AVX2;
    if ((pcri_cpu_features() & wanted) == wanted)
        return pcri_refine_pdep;
#endif
    return pcri_refine_portable;
}

int pcri_decode_ac_refine(const struct pcri_scan_job *job, struct pcr_error *err)
{
    pcri_refine_function refine = choose();
    const struct pcri_blocks *p = &job->planes[job->components[0]];
    size_t total = (size_t) p->blocks_x * p->blocks_y, b = 0, stop = pcri_kept_end(p);
    for (size_t n = 0; n < job->interval_count && b < stop; n++) {
        size_t begin = n ? job->interval_end[n - 1] : 0;
        struct pcri_refiner f = {
            .bits = { job->data + begin, job->data + job->interval_end[n], 0, 0 },
            .table = job->ac[0],
            .several = job->several,
            .band = (~UINT64_C(0) << job->ss) & (~UINT64_C(0) >> (63 - job->se)),
            .band_begin = job->ss,
            .band_end = job->se + 1u,
            .step = 1 << job->al,
        };
        size_t end = job->restart_interval && n + 1 < job->interval_count
            ? b + job->restart_interval : total;
        const char *what = NULL;
        if (refine(&f, p, b, end, &b))
            what = "no such code, a run past the block or scan, or the data ends";
        else if (b == end && pcri_goes_on(job, n, f.bits.p, f.bits.end, f.bits.nbits))
            what = "the data goes on behind it";
        if (what)
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "scan %u-%u,%u,%u of component %u, block %zu: %s", job->ss,
                             job->se, job->ah, job->al, (unsigned) job->components[0], b,
                             what);
    }
    return 0;
}
