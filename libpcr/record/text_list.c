/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of texts in a tail, varint K and strings(K) (docs/FORMAT.md 3.5): made and read. */
#include "builder.h"

int pcri_texts_add(struct pcri_texts_made *t, const char *text, struct pcr_error *err)
{
    size_t nbytes = strlen(text);
    int rc = pcri_buffer_reserve(&t->bytes, t->bytes.nbytes + nbytes, err);
    if (!rc)
        rc = pcri_buffer_append_varint(&t->lengths, nbytes, err);
    if (!rc)
        rc = pcri_buffer_append(&t->bytes, text, nbytes, err);
    if (!rc)
        t->count++;
    return rc;
}

void pcri_texts_free(struct pcri_texts_made *t)
{
    pcr_buffer_free(&t->lengths);
    pcr_buffer_free(&t->bytes);
    t->count = 0;
}

int pcri_text_list_open(const struct pcr_buffer *raw, uint16_t id, struct pcri_text_list *out,
                        struct pcr_error *err)
{
    struct pcri_cursor c = { 0 };
    *out = (struct pcri_text_list) { 0 };
    int rc = raw->nbytes ? pcri_column_find(raw, id, &c, err) : 0;
    if (rc || !c.p)
        return rc;
    uint64_t count = pcri_get_varint(&c);
    if (c.bad || count > pcri_left(&c))
        return pcri_fail(err, PCR_ERR_CORRUPT, "tail: column %u ends too early", id);
    out->left = count;
    out->lengths = c;
    for (uint64_t i = 0; i < count; i++)
        pcri_get_varint(&c); /* the texts come after all lengths */
    out->bytes = c;
    return 0;
}

const uint8_t *pcri_text_list_next(struct pcri_text_list *t, size_t *nbytes_out)
{
    uint64_t n = pcri_get_varint(&t->lengths);
    const uint8_t *p = t->lengths.bad ? NULL : pcri_get_bytes(&t->bytes, n);
    t->left--;
    *nbytes_out = p ? (size_t) n : 0;
    return p;
}
