/* SPDX-License-Identifier: BSD-2-Clause */
/* SIGINT and SIGTERM, as a flag that work in progress checks from time to time. */
#include <signal.h>
#include <string.h>

#include "interrupt.h"

static volatile sig_atomic_t caught;

static void note(int number)
{
    caught = number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

void pcrtool_catch_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old, action;
        memset(&action, 0, sizeof(action));
        action.sa_handler = note;
        sigemptyset(&action.sa_mask);
        /* A signal that was ignored at the start stays ignored: a background job of a shell. */
        if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

int pcrtool_interrupted(void)
{
    return caught;
}
