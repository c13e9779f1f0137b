/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion of command lines from the option tables. The shells' scripts hand it the words. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "complete.h"
#include "input.h"
#include "output.h"

enum { MOST_SAMPLES = 1 << 16 }; /* that are looked at for keys */

static const char bash_script[] =
    "_pcrtool() {\n"
    "    mapfile -t COMPREPLY < <(pcrtool complete \"${COMP_WORDS[@]:0:COMP_CWORD+1}\""
    " 2> /dev/null)\n"
    "    if [[ ${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi\n"
    "}\n"
    "complete -o default -o filenames -F _pcrtool pcrtool\n";

static const char zsh_script[] =
    "#compdef pcrtool\n"
    "_pcrtool() {\n"
    "    local -a found\n"
    "    found=(\"${(@f)$(pcrtool complete \"${(@)words[1,CURRENT]}\" 2> /dev/null)}\")\n"
    "    if [[ -z ${found[1]} ]]; then\n"
    "        _files\n"
    "    elif [[ ${found[1]} == */ ]]; then\n"
    "        compadd -S '' -- \"${found[@]}\"\n"
    "    else\n"
    "        compadd -- \"${found[@]}\"\n"
    "    fi\n"
    "}\n"
    "if [[ ${funcstack[1]} == _pcrtool ]]; then _pcrtool; else compdef _pcrtool pcrtool; fi\n";

static const char fish_script[] =
    "function __pcrtool_complete\n"
    "    pcrtool complete (commandline -opc) (commandline -ct) 2> /dev/null\n"
    "    or __fish_complete_path (commandline -ct)\n"
    "end\n"
    "complete -c pcrtool -f -a '(__pcrtool_complete)'\n";

int pcrtool_completion(int argc, char **argv)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = { { "bash", bash_script }, { "zsh", zsh_script }, { "fish", fish_script } };
    for (size_t i = 0; argc == 1 && i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (!strcmp(argv[0], scripts[i].shell)) {
            fputs(scripts[i].script, stdout);
            return PCRTOOL_DONE;
        }
    }
    pcrtool_error(NULL, "completion: expected bash, zsh or fish");
    return PCRTOOL_USAGE;
}

/* The words of a command line up to the one that is completed. */
struct command_line {
    const struct pcrtool_command *command;
    const struct pcrtool_option *pending; /* the one whose value comes next */
    const char *operands[2];              /* the first ones */
    uint32_t operand_count;
    bool ended;         /* by "--" */
    const char *before; /* what the shell wants in front of each candidate: "--coding=" */
    size_t before_nbytes;
    bool found; /* a candidate was printed */
};

static void offer(struct command_line *l, const char *prefix, const char *text, size_t nbytes)
{
    size_t n = strlen(prefix);
    if (n > nbytes || memcmp(prefix, text, n) != 0 || memchr(text, '\n', nbytes))
        return;
    printf("%.*s%.*s\n", (int) l->before_nbytes, l->before, (int) nbytes, text);
    l->found = true;
}

static void offer_text(struct command_line *l, const char *prefix, const char *text)
{
    offer(l, prefix, text, strlen(text));
}

static void offer_commands(struct command_line *l, const char *prefix)
{
    for (size_t i = 0; pcrtool_commands[i]; i++)
        offer_text(l, prefix, pcrtool_commands[i]->name);
}

static void offer_options(struct command_line *l, const char *prefix)
{
    char name[64];
    for (const struct pcrtool_option *o = l->command->options; o && o->name; o++) {
        snprintf(name, sizeof(name), "--%s", o->name);
        offer_text(l, prefix, name);
    }
    offer_text(l, prefix, "--help");
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The part of a key up to the first slash after the prefix; NULL: it has another beginning. */
static char *cut_key(const struct pcr_sample_info *sample, const char *prefix)
{
    size_t n = strlen(prefix);
    if (sample->key_nbytes < n || memcmp(sample->key, prefix, n) != 0)
        return NULL;
    const char *slash = memchr(sample->key + n, '/', sample->key_nbytes - n);
    return strndup(sample->key,
                   slash ? (size_t) (slash + 1 - sample->key) : sample->key_nbytes);
}

static void offer_keys(struct command_line *l, const struct pcrtool_input *in,
                       const char *prefix)
{
    char *texts[1024]; /* more would help nobody */
    size_t count = 0;
    for (uint64_t i = 0; i < in->info.sample_count && i < MOST_SAMPLES; i++) {
        struct pcr_sample *sample = NULL;
        struct pcr_sample_info info;
        if (pcrtool_input_sample(in, i, &sample, &info, NULL))
            break;
        char *text = cut_key(&info, prefix);
        pcr_sample_release(&sample);
        size_t at = 0;
        while (text && at < count && strcmp(texts[at], text) != 0)
            at++;
        if (!text || at < count || count == sizeof(texts) / sizeof(texts[0]))
            free(text);
        else
            texts[count++] = text;
    }
    qsort(texts, count, sizeof(texts[0]), compare_texts);
    for (size_t i = 0; i < count; i++) {
        offer_text(l, prefix, texts[i]);
        free(texts[i]);
    }
}

/* What: "class", "split" or, of samples, "key". */
static void offer_of_dataset(struct command_line *l, const char *what, const char *prefix)
{
    struct pcrtool_input in;
    if (!l->operand_count ||
        pcrtool_input_open(&in, l->command, l->operands[0], NULL, NULL, NULL))
        return;
    if (!strcmp(what, "key"))
        offer_keys(l, &in, prefix);
    for (uint32_t i = 0; !strcmp(what, "class") && i < in.info.class_count; i++)
        offer_text(l, prefix, pcr_dataset_class_name(in.dataset, i));
    for (uint32_t i = 0; !strcmp(what, "split") && i < in.info.split_count; i++)
        offer_text(l, prefix, pcr_dataset_split_name(in.dataset, i, NULL));
    pcrtool_input_close(&in);
}

static void offer_values(struct command_line *l, const struct pcrtool_option *o,
                         const char *prefix)
{
    for (const char *p = o->words; p && *p; p += *p == '|') {
        size_t n = strcspn(p, "|");
        offer(l, prefix, p, n);
        p += n;
    }
    if (!strcmp(o->name, "class") || !strcmp(o->name, "split"))
        offer_of_dataset(l, o->name, prefix);
}

/* Takes a word in front of the one that is completed. */
static void take(struct command_line *l, const char *word)
{
    const struct pcrtool_option *o = NULL;
    if (!strcmp(word, "=")) /* bash makes three words of --coding=packed */
        return;
    if (l->pending) {
        l->pending = NULL;
    } else if (l->ended || word[0] != '-' || !word[1]) {
        if (l->operand_count++ < 2)
            l->operands[l->operand_count - 1] = word;
    } else if (word[1] != '-') {
        o = pcrtool_find_short(l->command, word[strlen(word) - 1]);
    } else if (!word[2]) {
        l->ended = true;
    } else if (!strchr(word, '=')) {
        o = pcrtool_find_long(l->command, word + 2, strlen(word + 2));
    }
    l->pending = o && o->kind != PCRTOOL_FLAG ? o : NULL;
}

static void complete_word(struct command_line *l, const char *word)
{
    const char *equals = word[0] == '-' && word[1] == '-' ? strchr(word, '=') : NULL;
    if (l->pending) {
        offer_values(l, l->pending, strcmp(word, "=") ? word : "");
    } else if (equals) {
        const struct pcrtool_option *o = pcrtool_find_long(l->command, word + 2,
                                                           (size_t) (equals - word - 2));
        l->before = word;
        l->before_nbytes = (size_t) (equals + 1 - word);
        if (o)
            offer_values(l, o, equals + 1);
    } else if (word[0] == '-' && !l->ended) {
        offer_options(l, word);
    } else {
        const char *names = strstr(l->command->operands, "KEY");
        uint32_t at = 0; /* the operand that is a key */
        for (const char *p = l->command->operands; names && p < names; p++)
            at += *p == ' ';
        if (names && l->operand_count >= at)
            offer_of_dataset(l, "key", word);
    }
}

int pcrtool_complete(int argc, char **argv)
{
    struct command_line l = { .before = "" };
    if (argc < 2)
        return PCRTOOL_FAILED;
    const char *word = argv[argc - 1];
    if (argc == 2) {
        offer_commands(&l, word);
        for (size_t i = 0; i < 3; i++)
            offer_text(&l, word, (const char *const[]) { "help", "--help", "--version" }[i]);
    } else if (argc == 3 && !strcmp(argv[1], "help")) {
        offer_commands(&l, word);
    } else if ((l.command = pcrtool_find_command(argv[1]))) {
        for (int i = 2; i < argc - 1; i++)
            take(&l, argv[i]);
        complete_word(&l, word);
    }
    return l.found ? PCRTOOL_DONE : PCRTOOL_FAILED;
}
