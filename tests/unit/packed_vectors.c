/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints samples of coding 2 as JSON lines, for other decoders to be held against: first the
 * tables, then a few small images, each with the coefficients of one prefix of its groups. */
#include "packed_images.h"

static void print_hex(const char *name, const void *data, size_t nbytes)
{
    const uint8_t *p = data;
    printf("\"%s\": \"", name);
    for (size_t i = 0; i < nbytes; i++)
        printf("%02x", p[i]);
    printf("\"");
}

static void print_frame(const struct pcri_jpeg_file *f)
{
    printf("\"width\": %u, \"height\": %u, \"components\": [", f->width, f->height);
    for (uint32_t c = 0; c < f->component_count; c++)
        printf("%s[%u, %u, %u]", c ? ", " : "", f->components[c].h, f->components[c].v,
               pcri_class_of(f, c));
    printf("], ");
}

static void print_script(const struct pcri_script *s)
{
    printf("\"lines\": [");
    for (uint32_t i = 0; i < s->scan_count; i++) {
        const struct pcri_ladder_scan *l = &s->scans[i];
        printf("%s[%u, [", i ? ", " : "", l->group);
        for (unsigned class = 0, n = 0; class < 3; class ++)
            if (pcri_part_has(l->part, class))
                printf("%s%u", n++ ? ", " : "", class);
        printf("], %u, %u, %u, %u]", l->ss, l->se, l->ah, l->al);
    }
    printf("], ");
}

static void print_coefs(const struct packed_image *m, int8_t bits[4][64])
{
    printf("\"coefficients\": [");
    for (uint32_t c = 0; c < m->file.component_count; c++) {
        const struct pcri_plane *p = &m->coefs.planes[c];
        printf("%s[", c ? ", " : "");
        for (size_t i = 0; i < 64 * (size_t) p->blocks_x * p->blocks_y; i++)
            printf("%s%d", i ? "," : "", packed_known(p->coef[i], bits[c][i % 64]));
        printf("]");
    }
    printf("]}\n");
}

static void print_image(struct pcri_pk_encoder *e, const struct pcr_ladder *l, uint32_t number,
                        const struct pcri_pk_tables *tables)
{
    const struct pcri_script *script = &l->scripts[number % l->script_count];
    const struct pcri_pk_params params = { tables->hash, (uint8_t) (number % 5), number % 3 };
    const uint32_t groups = number % 2 ? l->group_count : 1 + number % l->group_count;
    struct pcr_buffer file = { 0 }, packed = { 0 }, chunks[PCRI_LADDER_MAX_GROUPS] = { { 0 } };
    struct packed_image m = { 0 };
    struct pcri_pk_plan plan;
    int8_t bits[4][64];
    PACKED_MUST(!pcr_gen_photo(number, 60 - 3 * number, 20 + 5 * number, 96,
                               (enum pcr_gen_subsampling)(number % PCR_GEN_SUBSAMPLINGS),
                               &file));
    PACKED_MUST(packed_image_read(&file, &m));
    PACKED_MUST(!pcri_pk_encode(e, &m.coefs, &m.file, script, l->group_count, tables, &params,
                                chunks, NULL));
    PACKED_MUST(!pcri_pk_params_print(&params, &packed, NULL));
    printf("{");
    print_frame(&m.file);
    print_script(script);
    print_hex("params", packed.data, packed.nbytes);
    printf(", \"chunks\": [");
    for (uint32_t g = 0; g < groups; g++) {
        printf("%s{", g ? ", " : "");
        print_hex("hex", chunks[g].data, chunks[g].nbytes);
        printf("}");
    }
    printf("], ");
    PACKED_MUST(!pcri_pk_plan(script, l->group_count, &m.file, &plan, NULL));
    pcri_pk_bits(&plan, groups, bits);
    print_coefs(&m, bits);
    for (uint32_t g = 0; g < l->group_count; g++)
        pcr_buffer_free(&chunks[g]);
    pcr_buffer_free(&packed);
    pcr_buffer_free(&file);
    packed_image_free(&m);
}

int main(void)
{
    struct pcr_ladder *ladders[2] = { packed_ladder(pcri_ladder_builtin_text("packed")),
                                      packed_ladder(pcri_ladder_builtin_text(NULL)) };
    struct pcri_pk_frequencies *f = packed_train(ladders[0]);
    struct pcri_pk_encoder e = { 0 };
    struct pcri_pk_tables *tables;
    struct pcr_buffer raw = { 0 };
    PACKED_MUST(!pcri_pk_tables_create(f, true, &tables, NULL));
    PACKED_MUST(!pcri_pk_frequencies_print(f, &raw, NULL));
    printf("{");
    print_hex("tables", raw.data, raw.nbytes);
    printf("}\n");
    for (uint32_t i = 0; i < 16; i++)
        print_image(&e, ladders[i / 3 % 2], i, tables);
    pcri_pk_tables_destroy(&tables);
    pcri_pk_frequencies_destroy(&f);
    pcri_pk_encoder_free(&e);
    pcr_ladder_destroy(&ladders[0]);
    pcr_ladder_destroy(&ladders[1]);
    pcr_buffer_free(&raw);
    return 0;
}
