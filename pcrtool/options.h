/* SPDX-License-Identifier: BSD-2-Clause */
/* Subcommands as data: their names, options and functions. One table parses the command line,
 * prints the help and refuses unknown options. */
#ifndef PCRTOOL_OPTIONS_H
#define PCRTOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of all subcommands. */
enum {
    PCRTOOL_DONE = 0,
    PCRTOOL_FAILED = 1,
    PCRTOOL_USAGE = 2,
    PCRTOOL_LEFT_OUT = 3, /* done, but inputs were left out */
    PCRTOOL_DAMAGED = 4,  /* data is damaged */
    /* 128 + the signal's number when interrupted: 130 (SIGINT), 143 (SIGTERM) */
};

/* The kind of a value, and the C type of the setting that receives it. A setting that was not
 * given stays zero, which means its default. */
enum pcrtool_kind {
    PCRTOOL_FLAG,   /* no value; bool */
    PCRTOOL_TEXT,   /* any text; const char *, borrowed from argv */
    PCRTOOL_NUMBER, /* decimal, within min..max; uint64_t */
    PCRTOOL_SIZE,   /* bytes, K, M, G or T for powers of 1024; min..max; uint64_t */
    PCRTOOL_CHOICE, /* one of the words in `words`; uint32_t, counted from 1 */
};

struct pcrtool_option {
    const char *name;  /* "dry-run" is --dry-run */
    const char *value; /* the value's name in the help: "N"; NULL for a FLAG */
    const char *help;  /* what it does; may have several lines */
    enum pcrtool_kind kind;
    char letter;       /* 'q' is -q; 0: none */
    size_t offset;     /* of the setting in the command's settings struct */
    uint64_t min, max; /* NUMBER, SIZE; max 0: no bound */
    const char *words; /* CHOICE: "fail|skip|opaque" */
    /* Another option's name, or NULL: it must be given too; the two exclude each other. */
    const char *needs, *excludes;
    uint32_t operand_min; /* how many operands it needs */
};

struct pcrtool_command;

/* A parsed command line. */
struct pcrtool_args {
    const struct pcrtool_command *command;
    void *settings;  /* the command's settings struct */
    char **operands; /* arguments that are not options */
    uint32_t operand_count;
};

struct pcrtool_command {
    const char *name;
    const char *summary;                  /* one line */
    const char *operands;                 /* for the usage line: "SRC DST" */
    const char *description;              /* more help below the summary, or NULL */
    const char *examples;                 /* lines of help, each "  pcrtool ...\n" */
    const struct pcrtool_option *options; /* ended by one without a name */
    size_t settings_nbytes;
    uint32_t operand_min, operand_max;
    /* Returns an exit code. */
    int (*run)(const struct pcrtool_args *args);
};

/* Results of pcrtool_parse(). */
enum {
    PCRTOOL_PARSE_RUN = 0,
    PCRTOOL_PARSE_HELP = 1,   /* -h or --help was given */
    PCRTOOL_PARSE_WRONG = -1, /* the message is printed */
};

/* Parses argv[0..argc) (without the command's name) into *args, whose settings the caller
 * zeroed; operands are moved to the front of argv. Options and operands may mix; `--`
 * ends the options. */
int pcrtool_parse(const struct pcrtool_command *command, int argc, char **argv,
                  struct pcrtool_args *args);

/* A command's option by its name or letter, --help among them; NULL: it has no such option. */
const struct pcrtool_option *pcrtool_find_long(const struct pcrtool_command *c,
                                               const char *name, size_t nbytes);
const struct pcrtool_option *pcrtool_find_short(const struct pcrtool_command *c, char letter);

/* Prints the command's help to stdout. */
void pcrtool_print_help(const struct pcrtool_command *command);

#endif
