/* SPDX-License-Identifier: BSD-2-Clause */
/* The scans of a progressive file out of coefficients, with tables of their own, and its end. */
#include "ladder_scans.h"
#include "scan_file.h"

static int write_scan(const struct pcri_coefs *c, const struct pcri_jpeg_file *f,
                      const struct pcri_scan *scan, struct pcri_symbols *symbols,
                      struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcri_huffman tables[2] = { 0 };
    int rc = pcri_scan_symbols(c, f, scan, symbols, err);
    for (int t = 0; !rc && t < 2; t++)
        if (pcri_scan_uses(scan, t))
            pcri_huffman_build(symbols->counts[t], &tables[t]);
    if (!rc)
        rc = pcri_scan_head(scan, f, tables, out, err);
    return rc ? rc : pcri_scan_write(symbols, tables, false, out, err);
}

int pcri_scans_append(const struct pcri_coefs *c, const struct pcri_jpeg_file *f,
                      const struct pcri_script *script, uint32_t groups,
                      struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcri_symbols symbols = { 0 };
    int rc = 0;
    for (uint32_t i = 0; !rc && i < script->scan_count; i++) {
        struct pcri_line_scans ls;
        if (script->scans[i].group >= groups)
            continue;
        pcri_line_scans(f, &script->scans[i], &ls);
        for (uint32_t k = 0; !rc && k < ls.count; k++)
            rc = write_scan(c, f, &ls.scans[k], &symbols, out, err);
    }
    pcri_symbols_free(&symbols);
    return rc ? rc : pcri_buffer_append(out, "\xFF\xD9", 2, err);
}
