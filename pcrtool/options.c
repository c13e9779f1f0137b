/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing of command lines and printing of help, both from a command's option table. */
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "output.h"

static const struct pcrtool_option help_option = {
    .name = "help",
    .letter = 'h',
    .help = "print this help and exit",
};

/* Only decimal digits; false on overflow or anything else. */
static bool parse_number(const char *text, const char **end, uint64_t *out)
{
    uint64_t v = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t) (*p - '0'), &v))
            return false;
    }
    *out = v;
    *end = p;
    return p != text;
}

/* "64M", "64MB" and "64MiB" are all 64 * 2^20. */
static bool parse_size(const char *text, uint64_t *out)
{
    static const char units[] = "KkMmGgTt";
    const char *end;
    if (!parse_number(text, &end, out))
        return false;
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        uint64_t factor = UINT64_C(1) << 10 * ((unit - units) / 2 + 1);
        if (__builtin_mul_overflow(*out, factor, out))
            return false;
        end++;
        if (*end == 'i' && end[1] == 'B')
            end++;
    }
    if (*end == 'B')
        end++;
    return *end == '\0';
}

/* The word's position in "a|b|c", from 1; 0 if it is not there. */
static uint32_t find_word(const char *words, const char *text)
{
    size_t n = strlen(text);
    uint32_t i = 1;
    for (const char *p = words; *p; i++) {
        size_t word = strcspn(p, "|");
        if (word == n && !memcmp(p, text, n))
            return i;
        p += word;
        p += *p == '|';
    }
    return 0;
}

static bool parse_amount(const struct pcrtool_option *o, const char *text, uint64_t *out)
{
    const char *end;
    if (o->kind == PCRTOOL_SIZE ? !parse_size(text, out)
                                : !parse_number(text, &end, out) || *end)
        return false;
    return *out >= o->min && (!o->max || *out <= o->max);
}

static int wrong_amount(const struct pcrtool_command *c, const struct pcrtool_option *o,
                        const char *text)
{
    const char *what = o->kind == PCRTOOL_SIZE ? "size such as 64M" : "whole number";
    if (o->max)
        pcrtool_error(c, "--%s takes a %s from %llu to %llu, not '%s'", o->name, what,
                      (unsigned long long) o->min, (unsigned long long) o->max, text);
    else
        pcrtool_error(c, "--%s takes a %s of at least %llu, not '%s'", o->name, what,
                      (unsigned long long) o->min, text);
    return PCRTOOL_PARSE_WRONG;
}

static int store(const struct pcrtool_command *c, const struct pcrtool_option *o,
                 const char *text, void *settings)
{
    void *dst = (char *) settings + o->offset;
    switch (o->kind) {
    case PCRTOOL_FLAG:
        *(bool *) dst = true;
        break;
    case PCRTOOL_TEXT:
        *(const char **) dst = text;
        if (!*text) {
            pcrtool_error(c, "--%s needs a value: %s", o->name, o->value);
            return PCRTOOL_PARSE_WRONG;
        }
        break;
    case PCRTOOL_NUMBER:
    case PCRTOOL_SIZE:
        if (!parse_amount(o, text, dst))
            return wrong_amount(c, o, text);
        break;
    case PCRTOOL_CHOICE:
        *(uint32_t *) dst = find_word(o->words, text);
        if (!*(uint32_t *) dst) {
            pcrtool_error(c, "--%s takes one of %s, not '%s'", o->name, o->words, text);
            return PCRTOOL_PARSE_WRONG;
        }
        break;
    }
    return PCRTOOL_PARSE_RUN;
}

const struct pcrtool_option *pcrtool_find_long(const struct pcrtool_command *c,
                                               const char *name, size_t nbytes)
{
    if (nbytes == strlen(help_option.name) && !memcmp(name, help_option.name, nbytes))
        return &help_option;
    for (const struct pcrtool_option *o = c->options; o && o->name; o++)
        if (strlen(o->name) == nbytes && !memcmp(o->name, name, nbytes))
            return o;
    return NULL;
}

const struct pcrtool_option *pcrtool_find_short(const struct pcrtool_command *c, char letter)
{
    if (letter == help_option.letter)
        return &help_option;
    for (const struct pcrtool_option *o = c->options; o && o->name; o++)
        if (o->letter && o->letter == letter)
            return o;
    return NULL;
}

/* A walk over the command line. */
struct argument_walk {
    const struct pcrtool_command *command;
    char **argv;
    int argc, next;
    struct pcrtool_args *args;
};

/* Stores option `o`; its value is `attached`, or else the next argument. */
static int take(struct argument_walk *w, const struct pcrtool_option *o, const char *attached)
{
    if (o->kind == PCRTOOL_FLAG && attached) {
        pcrtool_error(w->command, "--%s takes no value", o->name);
        return PCRTOOL_PARSE_WRONG;
    }
    if (o == &help_option)
        return PCRTOOL_PARSE_HELP;
    if (o->kind != PCRTOOL_FLAG && !attached) {
        if (w->next == w->argc) {
            pcrtool_error(w->command, "--%s needs a value: %s", o->name, o->value);
            return PCRTOOL_PARSE_WRONG;
        }
        attached = w->argv[w->next++];
    }
    return store(w->command, o, attached, w->args->settings);
}

static int take_long(struct argument_walk *w, const char *text)
{
    size_t n = strcspn(text, "=");
    const struct pcrtool_option *o = pcrtool_find_long(w->command, text, n);
    if (!o) {
        pcrtool_error(w->command, "unknown option --%.*s", (int) n, text);
        return PCRTOOL_PARSE_WRONG;
    }
    return take(w, o, text[n] ? text + n + 1 : NULL);
}

/* "-qo FILE", "-oFILE": flags may be joined, the last may have a value. */
static int take_short(struct argument_walk *w, const char *text)
{
    for (; *text; text++) {
        const struct pcrtool_option *o = pcrtool_find_short(w->command, *text);
        if (!o) {
            pcrtool_error(w->command, "unknown option -%c", *text);
            return PCRTOOL_PARSE_WRONG;
        }
        bool valued = o->kind != PCRTOOL_FLAG;
        int rc = take(w, o, valued && text[1] ? text + 1 : NULL);
        if (rc || valued)
            return rc;
    }
    return PCRTOOL_PARSE_RUN;
}

static bool is_given(const struct pcrtool_option *o, const void *settings)
{
    const void *at = (const char *) settings + o->offset;
    switch (o->kind) {
    case PCRTOOL_FLAG:
        return *(const bool *) at;
    case PCRTOOL_TEXT:
        return *(const char *const *) at != NULL;
    case PCRTOOL_CHOICE:
        return *(const uint32_t *) at != 0;
    default:
        return *(const uint64_t *) at != 0;
    }
}

static bool is_named(const struct pcrtool_args *args, const char *name)
{
    return is_given(pcrtool_find_long(args->command, name, strlen(name)), args->settings);
}

/* Whether the options that are given go together, and with the number of operands. */
static int check_together(const struct pcrtool_args *args)
{
    const struct pcrtool_command *c = args->command;
    for (const struct pcrtool_option *o = c->options; o && o->name; o++) {
        if (!is_given(o, args->settings))
            continue;
        if (o->needs && !is_named(args, o->needs))
            pcrtool_error(c, "--%s applies to --%s, which is not given", o->name, o->needs);
        else if (o->excludes && is_named(args, o->excludes))
            pcrtool_error(c, "--%s and --%s exclude each other", o->name, o->excludes);
        else if (args->operand_count < o->operand_min)
            pcrtool_error(c, "--%s needs an operand: %s", o->name, c->operands);
        else
            continue;
        return PCRTOOL_PARSE_WRONG;
    }
    return PCRTOOL_PARSE_RUN;
}

static int check_operands(const struct pcrtool_args *args)
{
    const struct pcrtool_command *c = args->command;
    if (args->operand_count < c->operand_min) {
        pcrtool_error(c, "missing operand: expected %s", c->operands);
        return PCRTOOL_PARSE_WRONG;
    }
    if (args->operand_count > c->operand_max) {
        pcrtool_error(c, "unexpected operand '%s'", args->operands[c->operand_max]);
        return PCRTOOL_PARSE_WRONG;
    }
    return check_together(args);
}

int pcrtool_parse(const struct pcrtool_command *command, int argc, char **argv,
                  struct pcrtool_args *args)
{
    struct argument_walk w = { command, argv, argc, 0, args };
    bool ended = false;

    args->command = command;
    args->operands = argv;
    args->operand_count = 0;
    while (w.next < argc) {
        char *text = argv[w.next++];
        int rc = PCRTOOL_PARSE_RUN;
        if (ended || text[0] != '-' || text[1] == '\0')
            argv[args->operand_count++] = text;
        else if (text[1] != '-')
            rc = take_short(&w, text + 1);
        else if (text[2])
            rc = take_long(&w, text + 2);
        else
            ended = true;
        if (rc)
            return rc;
    }
    return check_operands(args);
}

/* --- help --- */

enum { HELP_COLUMN = 28 };

static void print_option(const struct pcrtool_option *o)
{
    int n = o->letter ? printf("  -%c, --%s", o->letter, o->name)
                      : printf("      --%s", o->name);
    if (o->value)
        n += printf("=%s", o->value);
    if (n >= HELP_COLUMN) {
        putchar('\n');
        n = 0;
    }
    printf("%*s", HELP_COLUMN - n, "");
    for (const char *p = o->help; *p; p++) {
        putchar(*p);
        if (*p == '\n')
            printf("%*s", HELP_COLUMN, "");
    }
    putchar('\n');
}

void pcrtool_print_help(const struct pcrtool_command *command)
{
    printf("Usage: pcrtool %s [OPTION]... %s\n\n%s.\n", command->name, command->operands,
           command->summary);
    if (command->description)
        printf("\n%s", command->description);
    printf("\nOptions:\n");
    for (const struct pcrtool_option *o = command->options; o && o->name; o++)
        print_option(o);
    print_option(&help_option);
    if (command->examples)
        printf("\nExamples:\n%s", command->examples);
}
