/* SPDX-License-Identifier: BSD-2-Clause */
/* A storage of the program's own for the scenarios: files, by other means than the library's. */
#define _GNU_SOURCE /* asprintf */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenarios.h"

static int refuse(struct pcr_error *err)
{
    err->sys_errno = errno;
    return errno == ENOMEM ? PCR_ERR_NOMEM : PCR_ERR_IO;
}

static int open_file(void *context, const char *name, void **object_out,
                     struct pcr_object_info *info_out, struct pcr_error *err)
{
    struct stat st;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    (void) context;
    if (fd < 0 || fstat(fd, &st))
        return refuse(err);
    info_out->nbytes = (uint64_t) st.st_size;
    info_out->version = (uint64_t) st.st_mtim.tv_nsec;
    *object_out = (void *) (uintptr_t) (fd + 1);
    return 0;
}

static void read_file(void *context, void *object, uint64_t offset, void *dst, size_t nbytes,
                      struct pcr_storage_request *request)
{
    struct pcr_error err = { .offset = PCR_NO_OFFSET };
    (void) context;
    ssize_t n = pread((int) (uintptr_t) object - 1, dst, nbytes, (off_t) offset);
    int code = n < 0 ? refuse(&err) : (size_t) n < nbytes ? PCR_ERR_TRUNCATED : 0;
    pcr_storage_complete(request, code, &err);
}

static void close_file(void *context, void *object)
{
    (void) context;
    close((int) (uintptr_t) object - 1);
}

struct written_file {
    FILE *stream;
    char *name, *temp_name;
};

static int end(struct written_file *w, int rc)
{
    if (rc && w->temp_name)
        unlink(w->temp_name);
    free(w->name);
    free(w->temp_name);
    free(w);
    return rc;
}

static int put_begin(void *context, const char *name, void **put_out, struct pcr_error *err)
{
    struct written_file *w = calloc(1, sizeof(*w));
    (void) context;
    if (!w)
        return refuse(err);
    w->name = strdup(name);
    if (asprintf(&w->temp_name, "%s.part", name) < 0)
        w->temp_name = NULL;
    w->stream = w->name && w->temp_name ? fopen(w->temp_name, "we") : NULL;
    if (!w->stream)
        return end(w, refuse(err));
    *put_out = w;
    return 0;
}

static int put_write(void *context, void *put, const void *data, size_t nbytes,
                     struct pcr_error *err)
{
    struct written_file *w = put;
    (void) context;
    return fwrite(data, 1, nbytes, w->stream) == nbytes ? 0 : refuse(err);
}

static int put_end(void *context, void *put, int complete, struct pcr_error *err)
{
    struct written_file *w = put;
    (void) context;
    int rc = fclose(w->stream) && complete ? refuse(err) : complete ? 0 : PCR_ERR_CANCELLED;
    if (!rc && rename(w->temp_name, w->name))
        rc = refuse(err);
    return end(w, rc);
}

static int list(void *context, const char *prefix, int (*each)(void *, const char *),
                void *each_context, struct pcr_error *err)
{
    DIR *d = opendir(prefix);
    int rc = 0;
    (void) context;
    for (struct dirent *e; d && !rc && (e = readdir(d));) {
        char name[512];
        snprintf(name, sizeof(name), "%s%s", prefix, e->d_name);
        rc = each(each_context, name);
    }
    if (d)
        closedir(d);
    return d ? rc : errno == ENOENT ? 0 : refuse(err);
}

static int remove_file(void *context, const char *name, struct pcr_error *err)
{
    (void) context;
    return unlink(name) && errno != ENOENT ? refuse(err) : 0;
}

const struct pcr_storage program_storage = {
    .size = sizeof(program_storage),
    .identity = "files of the scenarios",
    .open = open_file,
    .read = read_file,
    .close = close_file,
    .put_begin = put_begin,
    .put_write = put_write,
    .put_end = put_end,
    .list = list,
    .remove = remove_file,
};
