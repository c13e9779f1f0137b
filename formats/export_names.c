/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of an export: their names, and what is there already. */
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/io/storage.h"
#include "../libpcr/io/tree.h"
#include "export_shards.h"

char *pcri_name_shard(const struct pcri_shard_names *n, uint64_t number, struct pcr_error *err)
{
    size_t nbytes = strlen(n->stem) + strlen(n->ending) + 24;
    char *name = pcri_malloc(nbytes, 1, err);
    if (name && n->digits)
        snprintf(name, nbytes, "%s%0*llu%s", n->stem, n->digits, (unsigned long long) number,
                 n->ending);
    else if (name)
        snprintf(name, nbytes, "%s%s", n->stem, n->ending);
    return name;
}

/* Whether pcri_name_shard() gives the name for some number. */
static bool is_numbered(const struct pcri_shard_names *n, const char *name)
{
    size_t stem = strlen(n->stem);
    if (!n->digits || strncmp(name, n->stem, stem) != 0)
        return false;
    size_t digits = strspn(name + stem, "0123456789");
    return digits >= (size_t) n->digits && !strcmp(name + stem + digits, n->ending);
}

struct matching {
    const struct pcri_shard_names *names;
    bool replace;
};

static int meet(const struct pcri_shard_names *n, const char *name, struct pcr_error *err)
{
    int rc = pcri_fail(err, PCR_ERR_IO, "%s/%s: the file exists already", n->folder, name);
    if (err)
        err->sys_errno = EEXIST;
    return rc;
}

static int each(void *context, const char *name, struct pcr_error *err)
{
    const struct matching *f = context;
    if (!is_numbered(f->names, name))
        return 0;
    return f->replace ? pcri_storage_remove(&pcri_files, f->names->folder, name, err)
                      : meet(f->names, name, err);
}

/* One file that is made, if it is there. */
static int check_one(const struct pcri_shard_names *n, const char *name, bool replace,
                     struct pcr_error *err)
{
    struct pcri_found there = { 0 };
    int rc = pcri_storage_find(&pcri_files, n->folder, name, &there, err);
    if (!rc && there.exists && !there.is_file)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s/%s: not a regular file", n->folder, name);
    return rc || !there.exists || replace ? rc : meet(n, name, err);
}

static int claim(struct pcri_shard_names *n, struct pcr_error *err)
{
    static const char begin[] = PCRI_TREE_CLAIM "-";
    size_t nbytes = sizeof(begin) + strlen(n->stem);
    char *name = pcri_malloc(nbytes, 1, err);
    if (!name)
        return PCR_ERR_NOMEM;
    snprintf(name, nbytes, "%s%s", begin, n->stem);
    int rc = pcri_claim_begin(&pcri_files, n->folder, name, &n->claim, err);
    free(name);
    return rc;
}

int pcri_shard_names_claim(struct pcri_shard_names *n, const char *other, bool replace,
                           struct pcr_error *err)
{
    struct matching found = { n, replace };
    bool made;
    int rc = pcri_storage_make_folder(&pcri_files, n->folder, &made, err);
    if (!rc)
        rc = claim(n, err);
    if (!rc && other)
        rc = check_one(n, other, replace, err);
    if (!rc && other && replace) /* first: without it, what is left is no dataset */
        rc = pcri_storage_remove(&pcri_files, n->folder, other, err);
    if (!rc && n->digits)
        return pcri_storage_list(&pcri_files, n->folder, each, &found, err);
    char *name = rc ? NULL : pcri_name_shard(n, 0, err);
    if (name)
        rc = check_one(n, name, replace, err);
    else if (!rc)
        rc = PCR_ERR_NOMEM;
    free(name);
    return rc;
}

int pcri_shard_names_end(struct pcri_shard_names *n, struct pcr_error *err)
{
    int rc = pcri_claim_end(&n->claim, true, err);
    free(n->folder);
    free(n->stem);
    *n = (struct pcri_shard_names) { 0 };
    return rc;
}
