# SPDX-License-Identifier: BSD-2-Clause
"""Installs loaders, makes a dataset for each, measures them in turn and prints a table.

Started by run.sh, with the environment's own Python; needs nothing but the standard library
until it has installed Pillow."""
import argparse
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import processes
import work

HERE = os.path.dirname(os.path.abspath(__file__))
ADAPTERS = ["libpcr", "libpcr_quality", "libpcr_scans", "libpcr_small", "ffcv_beton", "by_hand",
            "tf_data", "turboloader_tar", "dali_cpu", "spdl_threads", "grain_array_record",
            "image_folder", "litdata_chunks", "mosaic_mds", "webdataset_tar"]
TIMEOUT_S = 240
THREADS = (1, 2)
#: Levels off Pillow's picture by which equal work is told from other work.
SAME_PICTURE = 4.0


class Failed(Exception):
    """A loader could not be installed, prepared or run; the table says why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- installing ---

def pip(*arguments):
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
        raise Failed("pip: " + (errors or ["failed"])[0].replace("ERROR: ", ""))
    return done.stdout


def torch_without_cuda():
    """The newest torch that pip finds in a CPU build: the usual one takes gigabytes."""
    found = re.findall(r"[0-9.]+\+cpu", pip("index", "versions", "torch"))
    if not found:
        raise Failed("pip finds no CPU build of torch: give pip an index that has one")
    return "torch==" + found[0]


def installed():
    return {entry["name"].lower().replace("_", "-"): entry["version"]
            for entry in json.loads(pip("list", "--format=json"))}


def install(adapter, options):
    have = installed()
    missing = [package for package in adapter.PACKAGES
               if package.split()[-1].lower() not in have]
    if missing and options.offline:
        raise Failed("not installed: " + ", ".join(missing))
    if missing and adapter.DOWNLOAD_MB > options.limit_mb:
        raise Failed(f"a download of {adapter.DOWNLOAD_MB} MB, more than the limit")
    for package in missing:
        say(f"  installing {package}")
        pip("install", "--quiet", *(
            [torch_without_cuda()] if package == "torch" else package.split()))


# --- images and datasets ---

def choose(folder, count):
    """`count` JPEGs evenly from the folder, by path."""
    names = sorted(os.path.join(where, name) for where, _, files in os.walk(folder)
                   for name in files if name.lower().endswith((".jpg", ".jpeg")))
    if not names:
        raise SystemExit(f"no JPEGs below {folder}")
    step = max(1, len(names) // count)
    return names[::step]


def prepare_source(folder, count, target):
    """Copies images to target/CLASS/NUMBER.jpg and writes the crop tables. RGB and gray, not
    to be turned: what all loaders take the same way."""
    from PIL import Image
    shutil.rmtree(target, ignore_errors=True)
    sizes = []
    for path in choose(folder, count):
        with Image.open(path) as image:
            if image.mode not in ("RGB", "L") or image.getexif().get(274, 1) != 1:
                continue
            where = os.path.join(target, os.path.basename(os.path.dirname(path)))
            os.makedirs(where, exist_ok=True)
            shutil.copyfile(path, os.path.join(where, f"{len(sizes):06}.jpg"))
            sizes.append(image.size)
        if len(sizes) == count:
            break
    work.write_tables(sizes, target + ".crops", target + ".whole")
    return sizes


def folder_nbytes(folder):
    return sum(os.path.getsize(os.path.join(where, name))
               for where, _, names in os.walk(folder) for name in names)


def run_python(code, environment):
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, env=environment,
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise Failed(last_line(done.stderr))


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return (errors or lines or ["no message"])[-1][:150]


def make_dataset(adapter, name, source, dataset, environment):
    """Returns its size on disk; loaders without `make` read the source folder."""
    if not hasattr(adapter, "make"):
        return folder_nbytes(source)
    shutil.rmtree(dataset, ignore_errors=True)
    os.makedirs(dataset)
    run_python("if __name__ == '__main__':\n"
               f"    import importlib\n    m = importlib.import_module('adapters.{name}')\n"
               f"    m.make({source!r}, {dataset!r})", environment)
    return folder_nbytes(dataset)


# --- measuring ---

def end_tree(process):
    """Ends a measurement with all its workers."""
    for pid in [*processes.tree(process.pid)][::-1]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def run_job(job, environment, log):
    """Runs measure.py, watching its memory. Returns what it found, with peak_nbytes."""
    with open(log, "w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "measure.py"), json.dumps(job)],
            stdout=output, stderr=subprocess.STDOUT, cwd=HERE, env=environment)
        peak, began = 0, time.monotonic()
        try:
            while process.poll() is None:
                peak = max(peak, processes.resident_nbytes(process.pid))
                time.sleep(0.1)
                if time.monotonic() - began > TIMEOUT_S:
                    raise Failed(f"no end within {TIMEOUT_S} s")
        finally:
            if process.poll() is None:
                end_tree(process)
        output.seek(0)
        text = output.read()
    found = re.findall(r"^RESULT (.*)$", text, re.M)
    if not found:
        raise Failed(last_line(text))
    return {**json.loads(found[-1]), "peak_nbytes": peak}


class Row:
    """One line of the table: what to run and what came out."""

    def __init__(self, name, number, about, options, count):
        self.name = name
        self.about = about
        self.failed = None
        self.found = {}
        self.runs = {threads: [] for threads in THREADS}
        source = os.path.join(options.dir, "source")
        self.own = about["crops"] == "own"
        self.job = {"adapter": name, "row": number, "source": source, "count": count,
                    "dataset": os.path.join(options.dir, "datasets", name),
                    "seconds": options.seconds,
                    "crops": source + (".whole" if self.own else ".crops")}
        self.log = os.path.join(options.dir, f"{name}-{number}.log")

    def run(self, environment, threads, check):
        if self.failed:
            return {}
        try:
            return run_job({**self.job, "threads": threads, "check": check}, environment,
                           self.log)
        except Failed as error:
            say(f"    {error}")
            self.failed = str(error)
            return {}

    def least(self, threads, key):
        """Of several runs the least time and memory, and the highest rate."""
        return (max if key == "rate" else min)(run[key] for run in self.runs[threads])

    def order(self):
        return 1e9 if self.failed else self.least(1, "cpu_ms")


# --- the table ---

HEAD = ("| loader | CPU ms an image | to the best | images/s, 1 thread | 2 threads "
        "| first batch s | peak MB | MB on disk | read MB | antialiased | crops "
        "| off Pillow |\n|" + "---|" * 12)


def line(row, best):
    if row.failed:
        return f"| {row.about['title']} | not measured: {row.failed} |" + " |" * 10
    cpu_ms = row.least(1, "cpu_ms")
    return "| " + " | ".join([
        row.about["title"], f"{cpu_ms:.2f}", f"{cpu_ms / best:.2f}",
        f"{row.least(1, 'rate'):.0f}", f"{row.least(2, 'rate'):.0f}",
        f"{row.least(1, 'first_s'):.2f}", f"{row.least(1, 'peak_nbytes') / 1e6:.0f}",
        f"{row.found['disk_nbytes'] / 1e6:.1f}", f"{row.found['read_nbytes'] / 1e6:.1f}",
        "yes" if row.about["antialiased"] else "no", row.about["crops"],
        f"{row.found['difference']:.2f}"]) + " |"


def print_table(rows):
    others = [row.order() for row in rows
              if not row.name.startswith("libpcr") and not row.failed]
    best = min(others or [row.order() for row in rows])
    print(HEAD)
    for row in sorted(rows, key=Row.order):
        print(line(row, best))
    print()
    for row in rows:
        if not row.failed and row.found["difference"] > row.about.get("within", SAME_PICTURE):
            print(f"NOT EQUAL WORK: {row.about['title']} is {row.found['difference']:.1f} "
                  "levels off Pillow's picture.")


# --- all of it ---

def prepare(name, options, count, environment):
    """Installs a loader, makes its dataset, compares its pictures. Returns its rows."""
    adapter = importlib.import_module("adapters." + name)
    rows = [Row(name, number, about, options, count)
            for number, about in enumerate(adapter.ROWS)]
    dataset = os.path.join(options.dir, "datasets", name)
    say(f"{name}: installing, making its dataset, comparing pictures")
    try:
        install(adapter, options)
        nbytes = make_dataset(adapter, name, rows[0].job["source"], dataset, environment)
    except (Failed, subprocess.SubprocessError) as error:
        say(f"  {error}")
        for row in rows:
            row.failed = str(error)
        return rows
    for row in rows:
        if hasattr(adapter, "nbytes"):
            nbytes = adapter.nbytes(dataset, **row.about["options"])
        row.found = {"disk_nbytes": nbytes, "read_nbytes": nbytes}
        row.found.update(row.run(environment, 1, True))
        if hasattr(adapter, "read_nbytes"):
            row.found["read_nbytes"] = adapter.read_nbytes(dataset, **row.about["options"])
    return rows


def measure(rows, options, environment):
    """In rounds over all rows, so that what disturbs for a while hits none alone."""
    for turn in range(options.runs):
        for row in rows:
            for threads in THREADS:
                say(f"round {turn + 1}: {row.about['title']}, {threads}")
                row.runs[threads].append(row.run(environment, threads, False))


def measure_until_stopped(rows, options, environment):
    """An interrupt ends the measuring. The table then has the rounds that were complete,
    as a loader with one more run than others would look better than it is."""
    try:
        measure(rows, options, environment)
    except KeyboardInterrupt:
        say("interrupted")
    sound = [row for row in rows if not row.failed]
    rounds = min((len(runs) for row in sound for runs in row.runs.values()), default=0)
    for row in sound:
        if not rounds:
            row.failed = "interrupted before the first round was complete"
        row.runs = {threads: runs[:rounds] for threads, runs in row.runs.items()}
    return rounds


def throttled(options, environment):
    """The environment of measurements whose reads of datasets are slowed down."""
    library = os.path.join(options.dir, "throttle.so")
    subprocess.run(["cc", "-O2", "-fPIC", "-shared", "-pthread",
                    os.path.join(HERE, "throttle.c"), "-o", library, "-ldl"], check=True)
    return dict(environment, LD_PRELOAD=library,
                PCR_THROTTLE_FOLDER=os.path.realpath(options.dir),
                PCR_THROTTLE_RATE=str(options.throttle * 1e6),
                PCR_THROTTLE_STATE=os.path.join(options.dir, "throttle.state"))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("--root", required=True)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", default=",".join(ADAPTERS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--throttle", type=float, default=0)
    parser.add_argument("--limit-mb", type=int, default=1500)
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args()
    options.only = options.only.split(",")
    unknown = set(options.only) - set(ADAPTERS)
    if unknown:
        parser.error(f"no adapter {', '.join(unknown)}; there are {', '.join(ADAPTERS)}")
    if options.runs < 1 or options.throttle < 0:
        parser.error("--runs is at least 1, --throttle at least 0")
    return options


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # nohup and & ignore it
    options = arguments()
    build = os.path.abspath(options.build)
    tool = os.path.join(build, "pcrtool", "pcrtool")
    if not os.path.exists(tool):
        raise SystemExit(f"no {tool}: meson setup {options.build} --buildtype=release, "
                         f"ninja -C {options.build}; or --build DIR")
    python_path = os.path.join(options.root, "loaders", "python")
    os.environ.update(PCRTOOL=tool, PCR_LIBRARY=os.path.join(build, "libpcr.so"),
                      PYTHONPATH=python_path)
    sys.path.insert(0, python_path)
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    if not options.offline:
        pip("install", "--quiet", "numpy", "Pillow")
    sizes = prepare_source(os.path.abspath(options.folder), options.count,
                           os.path.join(options.dir, "source"))
    rows = [row for name in options.only
            for row in prepare(name, options, len(sizes), environment)]
    if options.throttle:
        environment = throttled(options, environment)
    rounds = measure_until_stopped(rows, options, environment)
    pixels = sum(width * height for width, height in sizes) / len(sizes)
    nbytes = folder_nbytes(os.path.join(options.dir, "source")) / len(sizes)
    print(f"\n{len(sizes)} images of {pixels / 1e6:.2f} MP and {nbytes / 1e3:.1f} kB on "
          f"average; batches of {work.BATCH}, random crop to {work.SIZE} px, flip; "
          f"least of {rounds} runs" +
          (f"; reads throttled to {options.throttle:g} MB/s" if options.throttle else "") + "\n")
    print_table(rows)
    wanted = {package.split()[-1].lower() for name in options.only
              for package in importlib.import_module("adapters." + name).PACKAGES}
    print("\nVersions: " + ", ".join(
        f"{name} {version}" for name, version in sorted(installed().items())
        if name in wanted))


main()
