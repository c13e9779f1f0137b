/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual pages, made from the same tables as the help. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <pcr/base.h>

#include "commands.h"
#include "man.h"
#include "options.h"

/* Prints text so that troff takes none of it as a request or an escape. */
static void print_plain(const char *text, size_t nbytes)
{
    bool line_start = true;
    for (size_t i = 0; i < nbytes; i++) {
        char c = text[i];
        if (line_start && (c == '.' || c == '\''))
            printf("\\&");
        line_start = c == '\n';
        if (c == '\\')
            printf("\\e");
        else if (c == '-')
            printf("\\-");
        else
            putchar(c);
    }
}

static void print_line(const char *text)
{
    print_plain(text, strlen(text));
    putchar('\n');
}

static void print_option(const struct pcrtool_option *o)
{
    printf(".TP\n.B ");
    if (o->letter)
        printf("\\-%c, ", o->letter);
    printf("\\-\\-");
    print_plain(o->name, strlen(o->name));
    if (o->value)
        printf("=%s", o->value);
    putchar('\n');
    print_line(o->help);
}

static void print_exit_codes(void)
{
    static const struct {
        const char *code, *meaning;
    } codes[] = {
        { "0", "done" },
        { "1", "failed; the message says why" },
        { "2", "wrong usage" },
        { "3", "done, but inputs were left out" },
        { "4", "data is damaged" },
        { "130, 143", "interrupted by SIGINT or SIGTERM" },
    };
    printf(".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        printf(".TP\n.B %s\n%s\n", codes[i].code, codes[i].meaning);
}

static void print_title(const char *name, const char *summary)
{
    printf(".\\\" SPDX-License-Identifier: BSD-2-Clause\n.TH ");
    for (const char *p = name; *p; p++)
        putchar(toupper((unsigned char) *p));
    printf(" 1 \"\" \"libpcr %s\" \"libpcr manual\"\n.nh\n.ad l\n.SH NAME\n", pcr_version());
    print_plain(name, strlen(name));
    printf(" \\- ");
    print_line(summary);
}

void pcrtool_print_command_man(const struct pcrtool_command *c)
{
    char name[64];
    snprintf(name, sizeof(name), "pcrtool-%s", c->name);
    print_title(name, c->summary);
    printf(".SH SYNOPSIS\n.B pcrtool %s\n[OPTION]... ", c->name);
    print_line(c->operands);
    if (c->description) {
        printf(".SH DESCRIPTION\n");
        for (const char *p = c->description, *end; *p; p = end) { /* an empty line ends one */
            end = strstr(p, "\n\n");
            end = end ? end + 2 : p + strlen(p);
            print_plain(p, (size_t) (end - p) - (end[-1] == '\n' && end[-2] == '\n'));
            printf(*end ? ".PP\n" : "");
        }
    }
    printf(".SH OPTIONS\n");
    for (const struct pcrtool_option *o = c->options; o && o->name; o++)
        print_option(o);
    print_option(pcrtool_find_long(c, "help", 4));
    if (c->examples) {
        printf(".SH EXAMPLES\n.nf\n");
        print_plain(c->examples, strlen(c->examples));
        printf(".fi\n");
    }
    print_exit_codes();
    printf(".SH SEE ALSO\n\\fBpcrtool\\fP(1)\n");
}

void pcrtool_print_man(void)
{
    print_title("pcrtool", "image training data that can be read at any fidelity");
    printf(".SH SYNOPSIS\n"
           ".B pcrtool\n"
           "COMMAND [OPTION]... [OPERAND]...\n"
           ".SH DESCRIPTION\n"
           "A dataset is a folder of record files. A prefix of a record holds each of its\n"
           "images at a lower fidelity; all of it holds them without loss.\n"
           "Options and operands may be mixed; \\-\\- ends the options.\n"
           "Each command has a page of its own.\n"
           ".SH COMMANDS\n");
    for (size_t i = 0; pcrtool_commands[i]; i++) {
        printf(".TP\n\\fBpcrtool\\-%s\\fP(1)\n", pcrtool_commands[i]->name);
        print_line(pcrtool_commands[i]->summary);
    }
    print_exit_codes();
    printf(".SH ENVIRONMENT\n"
           ".TP\n.B NO_COLOR\nif set: no colour\n"
           ".TP\n.B TERM\n\"dumb\": no colour\n"
           ".TP\n.B PCR_CPU\nportable, ssse3, zen2 or avx2: use no more of the CPU than that\n"
           ".TP\n.B PCR_IO_URING\noff: do not use io_uring\n"
           ".SH SEE ALSO\n"
           "\\fBlibpcr\\fP(3)\n");
}
