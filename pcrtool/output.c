/* SPDX-License-Identifier: BSD-2-Clause */
/* Printing for all subcommands: errors, sizes, names, JSON; and when to use colour. */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "output.h"

static bool progress_shown;

/* For pcrtool_print_json_error(). */
static struct {
    char message[8192]; /* the last; "": there was none */
    const char *code;   /* of the library's failure, or NULL */
    bool has_result;    /* JSON was printed */
} told;

void pcrtool_progress(const char *line)
{
    if (!line && !progress_shown)
        return;
    if (line && !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s", line ? line : "");
    fflush(stderr);
    progress_shown = line != NULL;
}

void pcrtool_error(const struct pcrtool_command *command, const char *fmt, ...)
{
    bool color = pcrtool_color(stderr);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(told.message, sizeof(told.message), fmt, ap);
    va_end(ap);
    told.code = NULL;
    pcrtool_progress(NULL);
    fflush(stdout);
    fprintf(stderr, "%spcrtool%s%s:%s ", color ? "\033[1;31m" : "", command ? " " : "",
            command ? command->name : "", color ? "\033[0m" : "");
    pcrtool_print_tame(stderr, told.message,
                       strlen(told.message)); /* it may hold names of files */
    fputc('\n', stderr);
}

int pcrtool_append(struct pcr_buffer *out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || pcr_buffer_reserve(out, out->nbytes + (size_t) n + 1, NULL)) {
        errno = ENOMEM;
        return -1;
    }
    va_start(ap, fmt);
    vsnprintf((char *) out->data + out->nbytes, (size_t) n + 1, fmt, ap);
    va_end(ap);
    out->nbytes += (size_t) n;
    return 0;
}

int pcrtool_failed(const struct pcrtool_command *command, const struct pcr_error *err)
{
    if (err->code == PCR_ERR_CANCELLED && pcrtool_interrupted()) {
        pcrtool_progress(NULL);
        return 128 + pcrtool_interrupted();
    }
    pcrtool_error(command, "%s", err->message);
    told.code = pcr_code_name(err->code);
    if (err->code == PCR_ERR_CORRUPT || err->code == PCR_ERR_TRUNCATED)
        return PCRTOOL_DAMAGED;
    return PCRTOOL_FAILED;
}

const char *pcrtool_size(char buf[PCRTOOL_SIZE_NBYTES], uint64_t nbytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    if (nbytes < 1024) {
        snprintf(buf, PCRTOOL_SIZE_NBYTES, "%u B", (unsigned) nbytes);
        return buf;
    }
    double v = (double) nbytes / 1024;
    size_t unit = 0;
    for (; v >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        v /= 1024;
    snprintf(buf, PCRTOOL_SIZE_NBYTES, "%.1f %s", v, units[unit]);
    return buf;
}

double pcrtool_percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double) part / (double) whole : 0;
}

bool pcrtool_color(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no_color && *no_color)
        return false;
    return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

/* Bytes of the UTF-8 sequence at p, 0 if there is none (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80   ? p[0] != 0
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;
    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    /* Overlong forms, surrogates, numbers above U+10FFFF. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

size_t pcrtool_harmless(const char *p, size_t left)
{
    const unsigned char *c = (const unsigned char *) p;
    size_t n = utf8_sequence(c, left);
    if (n == 1)
        return *c >= 32 && *c != 127;
    return n == 2 && c[0] == 0xc2 && c[1] < 0xa0 ? 0 : n;
}

void pcrtool_print_name(FILE *stream, const char *name, size_t nbytes)
{
    if (!isatty(fileno(stream))) {
        fwrite(name, 1, nbytes, stream);
        return;
    }
    for (size_t i = 0, n; i < nbytes; i += n ? n : 1) {
        n = pcrtool_harmless(name + i, nbytes - i);
        fwrite(n ? name + i : "?", 1, n ? n : 1, stream);
    }
}

void pcrtool_print_tame(FILE *stream, const char *text, size_t nbytes)
{
    for (size_t i = 0, n; i < nbytes; i += n ? n : 1) {
        n = pcrtool_harmless(text + i, nbytes - i);
        if (n)
            fwrite(text + i, 1, n, stream);
        else
            fprintf(stream, "\\x%02x", (unsigned char) text[i]);
    }
}

/* Copies text, with U+FFFD for each byte that is not UTF-8; `out` holds 3 * nbytes. */
static size_t replace_bad_utf8(const char *text, size_t nbytes, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < nbytes;) {
        size_t n = utf8_sequence((const unsigned char *) text + i, nbytes - i);
        memcpy(out + used, n ? text + i : "\xef\xbf\xbd", n ? n : 3);
        used += n ? n : 3;
        i += n ? n : 1;
    }
    return used;
}

static atomic_bool json_failed;

static void *json_malloc(size_t nbytes)
{
    void *p = malloc(nbytes);
    if (!p)
        atomic_store(&json_failed, true);
    return p;
}

void pcrtool_json_watch(void)
{
    atomic_store(&json_failed, false);
    json_set_alloc_funcs(json_malloc, free);
}

bool pcrtool_json_failed(void)
{
    return atomic_load(&json_failed);
}

void pcrtool_json_set_text(json_t *object, const char *name, const char *text, size_t nbytes)
{
    static const char digits[] = "0123456789abcdef";
    json_t *value = json_stringn(text, nbytes);
    if (value) {
        json_object_set_new(object, name, value);
        return;
    }
    size_t name_nbytes = strlen(name);
    char *copy = calloc(3 * nbytes + 1, 1), *hex_name = malloc(name_nbytes + sizeof("_hex"));
    if (copy && hex_name) {
        size_t n = replace_bad_utf8(text, nbytes, copy);
        json_object_set_new(object, name, json_stringn(copy, n));
        for (size_t i = 0; i < nbytes; i++) {
            copy[2 * i] = digits[(unsigned char) text[i] >> 4];
            copy[2 * i + 1] = digits[(unsigned char) text[i] & 15];
        }
        memcpy(hex_name, name, name_nbytes);
        memcpy(hex_name + name_nbytes, "_hex", sizeof("_hex"));
        json_object_set_new(object, hex_name, json_stringn(copy, 2 * nbytes));
    }
    if (!copy || !hex_name)
        atomic_store(&json_failed, true);
    free(copy);
    free(hex_name);
}

int pcrtool_json_append(struct pcr_buffer *out, json_t *root, size_t flags)
{
    char *text = root ? json_dumps(root, flags) : NULL;
    int rc = text && !pcrtool_json_failed() ? pcrtool_append(out, "%s\n", text) : -1;
    json_decref(root);
    free(text); /* jansson's, by pcrtool_json_watch() */
    if (rc)
        errno = ENOMEM;
    return rc;
}

int pcrtool_json_write(FILE *stream, json_t *root, size_t flags)
{
    struct pcr_buffer text = { 0 };
    int rc = pcrtool_json_append(&text, root, flags);
    if (!rc && fwrite(text.data, 1, text.nbytes, stream) != text.nbytes)
        rc = -1;
    int saved = errno;
    pcr_buffer_free(&text);
    errno = saved;
    return rc;
}

int pcrtool_print_json(const struct pcrtool_command *command, json_t *root)
{
    size_t flags = isatty(STDOUT_FILENO) ? JSON_INDENT(2) : JSON_COMPACT;
    if (!pcrtool_json_write(stdout, root, flags | JSON_REAL_PRECISION(10))) {
        told.has_result = true;
        return PCRTOOL_DONE;
    }
    pcrtool_error(command, "cannot print JSON: %s", strerror(errno));
    return PCRTOOL_FAILED;
}

void pcrtool_print_json_error(const struct pcrtool_command *command, int rc)
{
    if (told.has_result)
        return;
    const char *message = told.message[0] ? told.message : "interrupted";
    json_t *error = json_pack("{si}", "exit_code", rc);
    pcrtool_json_set_text(error, "message", message, strlen(message));
    if (told.code)
        json_object_set_new(error, "code", json_string(told.code));
    (void) pcrtool_print_json(command, json_pack("{so}", "error", error));
}
