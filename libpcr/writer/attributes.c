/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts of attributes: what a source gives is checked, surveyed and made canonical. */
#include <stdlib.h>

#include "write.h"

/* An object; NULL and 0 for no text. */
static int parse(const char *text, json_t **out, struct pcr_error *err)
{
    struct pcri_json_fault fault;
    *out = NULL;
    if (!text || !*text)
        return 0;
    int rc = pcri_json_parse(text, strlen(text), 0, out, &fault, err);
    if (rc < 0 || json_is_object(*out))
        return rc;
    bool parsed = *out != NULL;
    json_decref(*out);
    *out = NULL;
    return pcri_fail(err, PCR_ERR_INVAL, "its attributes are not a JSON object%s%s",
                     parsed ? "" : ": ", parsed ? "" : fault.what);
}

int pcri_attributes_render(const char *text, const char *salvaged, char **out,
                           struct pcr_error *err)
{
    json_t *object;
    *out = NULL;
    int rc = parse(text, &object, err);
    if (!rc && salvaged && !object && !(object = json_object()))
        rc = pcri_fail(err, PCR_ERR_NOMEM, "no memory for attributes");
    if (!rc && salvaged && pcri_json_set_text(object, PCRI_SALVAGED, salvaged))
        rc = pcri_fail(err, PCR_ERR_NOMEM, "no memory for attributes");
    if (!rc && object)
        rc = pcri_json_text(object, out, err);
    json_decref(object);
    return rc;
}

int pcri_attributes_survey(struct pcri_schema *schema, const char *text, struct pcr_error *err)
{
    json_t *object;
    int rc = parse(text, &object, err);
    if (!rc && object)
        rc = pcri_schema_survey(schema, object, err);
    json_decref(object);
    return rc;
}

int pcri_attributes_survey_end(struct pcri_write_plan *p, bool salvaging,
                               struct pcr_error *err)
{
    int rc = 0;
    if (salvaging) {
        json_t *reason = json_string("");
        p->may_be_salvaged = pcri_schema_find(&p->schema, PCRI_SALVAGED) == p->schema.count;
        rc = reason ? pcri_schema_widen(&p->schema, PCRI_SALVAGED, reason, err)
                    : pcri_fail(err, PCR_ERR_NOMEM, "no memory for attributes");
        json_decref(reason);
    }
    pcri_schema_settle(&p->schema);
    return rc;
}

int pcri_attributes_as_stored(const struct pcri_schema *schema, const char *key,
                              const char *object, struct pcr_buffer *out,
                              struct pcr_error *err)
{
    const struct pcri_attribute_row row = { key, object };
    struct pcr_buffer packed = { 0 };
    struct pcri_attributes *a = NULL;
    int rc = pcri_attributes_pack(schema, &row, 1, &packed, err);
    struct pcri_cursor c = { packed.data, packed.data + packed.nbytes, false };
    if (!rc && packed.nbytes)
        rc = pcri_attributes_parse(&c, 1, &a, err);
    if (!rc)
        rc = pcri_attributes_text(a, 0, out, err);
    pcri_attributes_free(&a);
    pcr_buffer_free(&packed);
    return rc;
}
