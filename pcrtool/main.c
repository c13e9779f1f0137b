/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool: finds the subcommand, parses its options, runs it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcr/base.h>

#include "commands.h"
#include "complete.h"
#include "input.h"
#include "man.h"
#include "options.h"
#include "output.h"

static void print_overview(FILE *stream)
{
    fprintf(stream, "Usage: pcrtool COMMAND [OPTION]... [OPERAND]...\n"
                    "\n"
                    "Image training data that can be read at any fidelity.\n"
                    "\n"
                    "Commands:\n");
    for (size_t i = 0; pcrtool_commands[i]; i++)
        fprintf(stream, "  %-10s %s\n", pcrtool_commands[i]->name,
                pcrtool_commands[i]->summary);
    fprintf(stream, "\n"
                    "python3 -m pcr view DATASET shows a dataset in a browser, and\n"
                    "python3 -m pcr report DATASET -o FILE writes a page about it.\n"
                    "\n"
                    "pcrtool COMMAND --help describes a command; pcrtool --version prints\n"
                    "versions; pcrtool completion SHELL prints a script for bash, zsh or\n"
                    "fish. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but\n"
                    "inputs were left out, 4 data is damaged, 130 and 143 interrupted.\n"
                    "A command with --json that fails also prints its error as JSON:\n"
                    "{\"error\": {\"exit_code\": 1, \"message\": \"...\"}}\n");
}

static int unexpected(const char *operand)
{
    pcrtool_error(NULL, "unexpected operand '%s'", operand);
    return PCRTOOL_USAGE;
}

static int unknown_command(const char *name)
{
    pcrtool_error(NULL, "unknown command '%s'; pcrtool --help lists them", name);
    return PCRTOOL_USAGE;
}

/* Output that did not arrive (a full disk) is a failure, even if it shows only now. A command
 * that failed has said why. */
static int close_stdout(int rc)
{
    int failed = ferror(stdout);
    if ((fclose(stdout) || failed) && rc != PCRTOOL_FAILED) {
        fprintf(stderr, "pcrtool: cannot write to standard output: %s\n",
                errno ? strerror(errno) : "unknown error");
        return rc ? rc : PCRTOOL_FAILED;
    }
    return rc;
}

/* Whether JSON is asked for; also if the command line is wrong. */
static bool wants_json(const struct pcrtool_command *command, int argc, char **argv)
{
    const struct pcrtool_option *o = command->options;
    while (o->name && strcmp(o->name, "json") != 0)
        o++;
    for (int i = 0; o->name && i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "--json"))
            return true;
    return false;
}

static int run_command(const struct pcrtool_command *command, int argc, char **argv)
{
    const bool json = wants_json(command, argc, argv);
    struct pcrtool_args args = { .command = command };
    size_t nbytes = command->settings_nbytes;
    args.settings = calloc(1, nbytes ? nbytes : 1);
    if (!args.settings) {
        pcrtool_error(command, "out of memory");
        return PCRTOOL_FAILED;
    }

    int rc = PCRTOOL_DONE;
    switch (pcrtool_parse(command, argc, argv, &args)) {
    case PCRTOOL_PARSE_RUN:
        rc = command->run(&args);
        if (pcrtool_json_failed() && (rc == PCRTOOL_DONE || rc == PCRTOOL_LEFT_OUT)) {
            pcrtool_error(command, "out of memory: the output may be incomplete");
            rc = PCRTOOL_FAILED;
        }
        break;
    case PCRTOOL_PARSE_HELP:
        pcrtool_print_help(command);
        break;
    default:
        fprintf(stderr, "see pcrtool %s --help\n", command->name);
        rc = PCRTOOL_USAGE;
    }
    if (json && rc != PCRTOOL_DONE && rc != PCRTOOL_LEFT_OUT)
        pcrtool_print_json_error(command, rc);
    free(args.settings);
    return rc;
}

static int help(int argc, char **argv)
{
    if (argc == 0) {
        print_overview(stdout);
        return PCRTOOL_DONE;
    }
    const bool man = !strcmp(argv[0], "--man");
    if (argc > 1 + man)
        return unexpected(argv[1 + man]);
    if (man && argc == 1) {
        pcrtool_print_man();
        return PCRTOOL_DONE;
    }
    const struct pcrtool_command *command = pcrtool_find_command(argv[man]);
    if (!command)
        return unknown_command(argv[man]);
    (man ? pcrtool_print_command_man : pcrtool_print_help)(command);
    return PCRTOOL_DONE;
}

static void print_version(void)
{
    const struct pcr_system_info i = pcrtool_system();
    printf("pcrtool %s\n%s, %s, %s,\n%s, %s, %s, %s\n", pcr_version(), i.jpeg_library,
           i.png_library, i.zlib_library, i.lcms_library, i.zstd_library, i.xxhash_library,
           i.json_library);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return PCRTOOL_USAGE;
    }
    const char *name = argv[1];
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        if (argc > 2)
            return unexpected(argv[2]);
        print_version();
        return PCRTOOL_DONE;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return help(argc - 2, argv + 2);
    if (!strcmp(name, "complete"))
        return pcrtool_complete(argc - 2, argv + 2);
    if (!strcmp(name, "completion"))
        return pcrtool_completion(argc - 2, argv + 2);
    const struct pcrtool_command *command = pcrtool_find_command(name);
    if (!command)
        return unknown_command(name);
    return run_command(command, argc - 2, argv + 2);
}

/* If a standard stream is closed, the next file that is opened would get its number, and messages
 * would go into it. /dev/null in its place, opened the wrong way, makes such output fail. */
static void occupy_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void) open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
    occupy_streams();
    /* A reader that went away ends the program quietly, even if its parent ignores SIGPIPE. */
    signal(SIGPIPE, SIG_DFL);
    /* What would make a file too large fails, as on a full disk, and does not end the program. */
    signal(SIGXFSZ, SIG_IGN);
    pcrtool_json_watch();
    return close_stdout(dispatch(argc, argv));
}
