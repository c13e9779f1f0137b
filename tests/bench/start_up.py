#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Start-up time of pcrtool: median of 50 runs of --version and of info on a tiny dataset."""
import os
import statistics
import subprocess
import tempfile
import time

PCRTOOL = os.environ["PCRTOOL"]
TURNS = 50


def median_ms(*args):
    times = []
    for _ in range(TURNS):
        began = time.perf_counter()
        subprocess.run(args, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times)


def main():
    with tempfile.TemporaryDirectory(prefix="pcr-bench.") as folder:
        path = os.path.join(folder, "tiny.pcr")
        subprocess.run([os.environ["SAMPLE_WRITE_DATASET"], path], check=True,
                       stdout=subprocess.DEVNULL)
        nothing = median_ms("true")
        print(f"an empty program    {nothing:6.2f} ms")
        for args in (["--version"], ["info", path], ["cat", path, "@0"]):
            print(f"pcrtool {args[0]:11} {median_ms(PCRTOOL, *args):6.2f} ms")


main()
