/* SPDX-License-Identifier: BSD-2-Clause */
/* The ladder that an option names: a built-in, or a file. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ladder.h"
#include "output.h"

static bool is_builtin(const char *name)
{
    const char *known;
    for (uint32_t i = 0; (known = pcr_ladder_name(i)); i++)
        if (!strcmp(known, name))
            return true;
    return false;
}

/* Returns an exit code. */
static int read_ladder(const struct pcrtool_command *c, const char *path,
                       struct pcr_ladder **out)
{
    enum { MAX_NBYTES = 1 << 20 };
    struct pcr_error err;
    char *text = malloc(MAX_NBYTES);
    FILE *f = fopen(path, "rb");
    size_t n = f && text ? fread(text, 1, MAX_NBYTES, f) : 0;
    int rc = PCRTOOL_FAILED;
    if (!f || !text || ferror(f))
        pcrtool_error(c, "%s: %s", path, strerror(errno));
    else if (n == MAX_NBYTES)
        pcrtool_error(c, "%s: too large for a ladder", path);
    else if (pcr_ladder_parse(text, n, out, &err))
        pcrtool_error(c, "%s: %s", path, err.message);
    else
        rc = PCRTOOL_DONE;
    if (f)
        fclose(f);
    free(text);
    return rc;
}

int pcrtool_ladder_get(const struct pcrtool_command *c, const char *name, uint32_t coding,
                       struct pcr_ladder **out)
{
    struct pcr_error err;
    int rc = PCRTOOL_DONE;
    if (!name)
        return rc;
    if (!is_builtin(name))
        rc = read_ladder(c, name, out);
    else if (pcr_ladder_create(name, out, &err))
        rc = pcrtool_failed(c, &err);
    if (!rc && coding && pcr_ladder_check(*out, coding, &err)) {
        pcrtool_error(c, "%s", err.message);
        rc = PCRTOOL_USAGE;
    }
    return rc;
}
