/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that an option gives, in their order; those of classes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classes.h"
#include "output.h"

/* A whole file with a NUL after it. */
static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct pcr_buffer text = { 0 };
    bool whole = false;
    while (f && !whole && !ferror(f) && !pcr_buffer_reserve(&text, text.nbytes + 4096, NULL)) {
        text.nbytes += fread(text.data + text.nbytes, 1, text.capacity - text.nbytes - 1, f);
        whole = feof(f);
    }
    int saved = errno;
    if (f)
        fclose(f);
    if (whole)
        text.data[text.nbytes] = '\0';
    else
        pcr_buffer_free(&text);
    errno = saved;
    return (char *) text.data;
}

/* A list on the command line has neither empty names nor any twice. */
static int check_list(const struct pcrtool_command *c, const char *option,
                      const struct pcrtool_names *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (!*names->names[i]) {
            pcrtool_error(c, "--%s: a name is empty", option);
            return PCRTOOL_USAGE;
        }
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(names->names[i], names->names[k])) {
                pcrtool_error(c, "--%s: '%s' is given twice", option, names->names[i]);
                return PCRTOOL_USAGE;
            }
    }
    return PCRTOOL_DONE;
}

/* Cuts out->text into names: a list by commas, else lines. */
static int cut(const struct pcrtool_command *c, const char *option, const char *value,
               bool list, struct pcrtool_names *out)
{
    size_t most = 1;
    for (const char *p = out->text; *p; p++)
        most += *p == (list ? ',' : '\n');
    if (!(out->names = calloc(most, sizeof(*out->names)))) {
        pcrtool_error(c, "--%s: out of memory", option);
        return PCRTOOL_FAILED;
    }
    for (char *p = out->text, *next; p; p = next) {
        size_t n = strcspn(p, list ? "," : "\n");
        next = p[n] ? p + n + 1 : NULL;
        p[n] = '\0';
        if (!list && n && p[n - 1] == '\r')
            p[--n] = '\0';
        if (n || list)
            out->names[out->count++] = p;
    }
    if (!out->count) {
        pcrtool_error(c, "--%s %s: contains no names", option, value);
        return PCRTOOL_FAILED;
    }
    return PCRTOOL_DONE;
}

int pcrtool_names_split(const struct pcrtool_command *c, const char *option, const char *value,
                        struct pcrtool_names *out)
{
    *out = (struct pcrtool_names) { .text = strdup(value) };
    if (out->text) {
        int rc = cut(c, option, value, true, out);
        return rc ? rc : check_list(c, option, out);
    }
    pcrtool_error(c, "--%s: out of memory", option);
    return PCRTOOL_FAILED;
}

int pcrtool_classes_read(const struct pcrtool_command *c, const char *value,
                         struct pcrtool_names *out)
{
    if (strchr(value, ','))
        return pcrtool_names_split(c, "classes", value, out);
    *out = (struct pcrtool_names) { .text = read_text(value) };
    if (out->text)
        return cut(c, "classes", value, false, out);
    pcrtool_error(c,
                  "--classes %s: %s (expected a file with one name per line, or names "
                  "separated by commas)",
                  value, strerror(errno));
    return PCRTOOL_FAILED;
}

/* Decimal digits without a leading zero. */
static bool is_number(const char *name, unsigned long long *out)
{
    size_t n = strspn(name, "0123456789");
    if (!n || n > 18 || name[n] || (n > 1 && *name == '0'))
        return false;
    *out = strtoull(name, NULL, 10);
    return true;
}

void pcrtool_classes_check(const struct pcrtool_command *c, const char *const *names,
                           uint32_t count)
{
    unsigned long long v, before = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_number(names[i], &v))
            return;
        if (!found && v < before)
            found = i;
        before = v;
    }
    if (found)
        pcrtool_error(c,
                      "note: class names that are numbers are sorted as text: class "
                      "'%s' has label %u; --classes sets another order",
                      names[found - 1], (unsigned) (found - 1));
}

void pcrtool_names_free(struct pcrtool_names *names)
{
    free(names->names);
    free(names->text);
    *names = (struct pcrtool_names) { 0 };
}
