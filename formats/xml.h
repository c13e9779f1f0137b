/* SPDX-License-Identifier: BSD-2-Clause */
/* Small XML documents, as annotation tools write them: elements, their texts, and nothing else. Of
 * XML 1.0 there is no document type, so that there are no entities but the five that need none;
 * attributes are checked and passed over, and so are comments and processing instructions. */
#ifndef PCRI_XML_H
#define PCRI_XML_H

#include "entries.h"

/* An element. */
struct pcri_xml {
    const char *name;
    const char *text;              /* before its first child, without blanks at its ends */
    size_t offset;                 /* of its tag, in the document */
    struct pcri_xml *child, *next; /* the first of its own; the next of its parent */
};

/* Why a text is no such document (static text), and where. */
struct pcri_xml_fault {
    const char *what;
    size_t offset;
};

/* Parses a document in UTF-8; *root and all below it are in the arena. 0; 1: it is none, and *fault
 * says why; NOMEM. */
int pcri_xml_parse(const char *text, size_t nbytes, struct pcri_arena *arena,
                   struct pcri_xml **root, struct pcri_xml_fault *fault,
                   struct pcr_error *err);

/* The first child of this name, or NULL; also of no element. */
const struct pcri_xml *pcri_xml_child(const struct pcri_xml *e, const char *name);

/* Its text; "" if there is none. */
const char *pcri_xml_text(const struct pcri_xml *e, const char *name);

#endif
