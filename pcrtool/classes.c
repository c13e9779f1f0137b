/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of classes that --classes gives, in their order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classes.h"
#include "output.h"

static int fail_memory(const struct pcrtool_command *c)
{
    pcrtool_error(c, "--classes: out of memory");
    return PCRTOOL_FAILED;
}

static int add(const struct pcrtool_command *c, struct pcrtool_classes *out, char *name)
{
    if (out->count == out->capacity) {
        uint32_t n = out->capacity ? 2 * out->capacity : 64;
        const char **grown = realloc(out->names, n * sizeof(*grown));
        if (!grown)
            return fail_memory(c);
        out->names = grown;
        out->capacity = n;
    }
    out->names[out->count++] = name;
    return PCRTOOL_DONE;
}

/* A whole file with a NUL after it. */
static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t used = 0, room = 0;
    char *text = NULL;
    for (bool more = f != NULL; more; more = !feof(f) && !ferror(f)) {
        room = room ? 2 * room : 4096;
        char *grown = realloc(text, room + 1);
        if (!grown)
            break;
        text = grown;
        used += fread(text + used, 1, room - used, f);
    }
    bool whole = f && feof(f) && !ferror(f);
    int saved = errno;
    if (f)
        fclose(f);
    if (whole) {
        text[used] = '\0';
        return text;
    }
    free(text);
    errno = saved;
    return NULL;
}

int pcrtool_classes_read(const struct pcrtool_command *c, const char *value,
                         struct pcrtool_classes *out)
{
    bool list = strchr(value, ',') != NULL;
    *out = (struct pcrtool_classes) { .text = list ? strdup(value) : read_text(value) };
    if (!out->text) {
        pcrtool_error(c,
                      "--classes %s: %s (expected a file with a name on each line, or names "
                      "with commas between)",
                      value, strerror(errno));
        return PCRTOOL_FAILED;
    }
    int rc = PCRTOOL_DONE;
    for (char *p = out->text, *next; p && !rc; p = next) {
        size_t n = strcspn(p, list ? "," : "\n");
        next = p[n] ? p + n + 1 : NULL;
        p[n] = '\0';
        if (!list && n && p[n - 1] == '\r')
            p[--n] = '\0';
        if (n || list) /* an empty name in a list is the library's to refuse */
            rc = add(c, out, p);
    }
    if (!rc && !out->count) {
        pcrtool_error(c, "--classes %s: there are no names in it", value);
        rc = PCRTOOL_FAILED;
    }
    return rc;
}

/* Decimal digits without a zero before them. */
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
                      "note: names of classes are numbers, but are numbered as text: class "
                      "'%s' has label %u; --classes gives another order",
                      names[found - 1], (unsigned) (found - 1));
}

void pcrtool_classes_free(struct pcrtool_classes *classes)
{
    free(classes->names);
    free(classes->text);
    *classes = (struct pcrtool_classes) { 0 };
}
