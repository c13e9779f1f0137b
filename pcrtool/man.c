/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual page, made from the same tables as the help. */
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

static void print_command(const struct pcrtool_command *c)
{
    printf(".SS pcrtool %s [OPTION]... ", c->name);
    print_line(c->operands);
    print_plain(c->summary, strlen(c->summary));
    printf(".\n");
    if (c->description) {
        printf(".PP\n");
        print_plain(c->description, strlen(c->description));
    }
    for (const struct pcrtool_option *o = c->options; o && o->name; o++)
        print_option(o);
    if (c->examples) {
        printf(".PP\nExamples:\n.PP\n.nf\n");
        print_plain(c->examples, strlen(c->examples));
        printf(".fi\n");
    }
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

void pcrtool_print_man(void)
{
    printf(".\\\" SPDX-License-Identifier: BSD-2-Clause\n"
           ".TH PCRTOOL 1 \"\" \"libpcr %s\" \"libpcr manual\"\n"
           ".nh\n"
           ".ad l\n"
           ".SH NAME\n"
           "pcrtool \\- image training data that can be read at any fidelity\n"
           ".SH SYNOPSIS\n"
           ".B pcrtool\n"
           "COMMAND [OPTION]... [OPERAND]...\n"
           ".SH DESCRIPTION\n"
           "A dataset is a folder of record files. A prefix of a record holds each of its\n"
           "images at a lower fidelity; all of it holds them without loss.\n"
           "Options and operands may be mixed; \\-\\- ends the options.\n"
           ".SH COMMANDS\n",
           pcr_version());
    for (size_t i = 0; pcrtool_commands[i]; i++)
        print_command(pcrtool_commands[i]);
    print_exit_codes();
    printf(".SH ENVIRONMENT\n"
           ".TP\n.B NO_COLOR\nif set: no colour\n"
           ".TP\n.B TERM\n\"dumb\": no colour\n"
           ".TP\n.B PCR_CPU\nportable, ssse3 or avx2: use no more of the CPU than that\n"
           ".TP\n.B PCR_IO_URING\noff: do not use io_uring\n"
           ".SH SEE ALSO\n"
           "\\fBlibpcr\\fP(3)\n");
}
