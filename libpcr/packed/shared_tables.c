/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of tables, with how many decoders use each; equal bytes are equal tables. */
#include "shared_tables.h"

#include <pthread.h>
#include <stdlib.h>

#include "builtin.h"

enum { MOST_IDLE = 8 };

struct shared {
    struct shared *next;
    struct pcri_pk_tables *tables;
    uint32_t users;
    size_t nbytes;
    uint8_t bytes[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int at_fork;
static struct pcri_pk_tables *builtin[2]; /* for reading, for writing */
static struct shared *list;               /* those used last come first */

static void take_lock(void)
{
    pthread_mutex_lock(&lock);
}

static void leave_lock(void)
{
    pthread_mutex_unlock(&lock);
}

/* A child must not find the lock held by a thread that it does not have. */
static int enter(struct pcr_error *err)
{
    int rc = pcri_at_fork(&at_fork, take_lock, leave_lock, leave_lock, err);
    if (!rc)
        take_lock();
    return rc;
}

int pcri_pk_builtin_shared(bool for_writing, const struct pcri_pk_tables **out,
                           struct pcr_error *err)
{
    int rc = enter(err);
    if (rc)
        return rc;
    if (!builtin[for_writing])
        rc = pcri_pk_tables_open(pcri_pk_builtin_tables, pcri_pk_builtin_nbytes, for_writing,
                                 &builtin[for_writing], err);
    *out = builtin[for_writing];
    leave_lock();
    return rc;
}

/* Takes out of the list what `is` points to. */
static struct shared *unlink_at(struct shared **is)
{
    struct shared *s = *is;
    *is = s->next;
    return s;
}

static struct shared *find(const struct pcr_span *stored)
{
    for (struct shared **s = &list; *s; s = &(*s)->next)
        if ((*s)->nbytes == stored->nbytes &&
            !memcmp((*s)->bytes, stored->data, stored->nbytes))
            return unlink_at(s);
    return NULL;
}

static struct shared *add(const struct pcr_span *stored, struct pcr_error *err)
{
    struct shared *s = pcri_malloc(1, sizeof(*s) + stored->nbytes, err);
    if (!s)
        return NULL;
    *s = (struct shared) { .nbytes = stored->nbytes };
    memcpy(s->bytes, stored->data, stored->nbytes);
    return s;
}

/* Of those that nobody uses the ones used last stay. */
static void drop_idle(void)
{
    uint32_t idle = 0;
    for (struct shared **at = &list; *at;) {
        if ((*at)->users || ++idle <= MOST_IDLE) {
            at = &(*at)->next;
            continue;
        }
        struct shared *s = unlink_at(at);
        pcri_pk_tables_destroy(&s->tables);
        free(s);
    }
}

int pcri_pk_tables_acquire(const struct pcr_span *stored, const struct pcri_pk_tables **out,
                           struct pcr_error *err)
{
    *out = NULL;
    int rc = enter(err);
    if (rc)
        return rc;
    struct shared *s = find(stored);
    if (!s)
        s = add(stored, err);
    rc = s ? 0 : PCR_ERR_NOMEM;
    if (s && !s->tables)
        rc = pcri_pk_tables_open(stored->data, stored->nbytes, false, &s->tables, err);
    if (s && !rc) {
        *out = s->tables;
        s->users++;
        s->next = list;
        list = s;
    } else {
        free(s);
    }
    leave_lock();
    return rc;
}

void pcri_pk_tables_release(const struct pcri_pk_tables **t)
{
    if (!*t)
        return;
    take_lock();
    for (struct shared *s = list; s; s = s->next)
        s->users -= s->tables == *t;
    drop_idle();
    leave_lock();
    *t = NULL;
}
