# SPDX-License-Identifier: BSD-2-Clause
"""Processor time and memory of a tree of processes, from /proc."""
import os

TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def _stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def tree(root):
    """The process and all that descend from it, with the fields of their stat files."""
    stats = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stats[int(name)] = _stat(name)
            except OSError:
                pass  # it ended meanwhile
    found = {}
    new = [root]
    while new:
        found.update((pid, stats[pid]) for pid in new if pid in stats)
        new = [pid for pid, stat in stats.items()
               if int(stat[1]) in new and pid not in found]
    return found


def cpu_seconds(root):
    """User and system time of the tree, with that of children that ended and were waited
    for."""
    return TICK * sum(int(value) for stat in tree(root).values() for value in stat[11:15])


def resident_nbytes(root):
    """Sum of the resident sets: pages that several processes share count in each."""
    return PAGE * sum(int(stat[21]) for stat in tree(root).values())


def started_at(pid):
    """When a process was started, by time.clock_gettime(time.CLOCK_BOOTTIME)."""
    return TICK * int(_stat(pid)[19])
