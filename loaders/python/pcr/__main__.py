# SPDX-License-Identifier: BSD-2-Clause
"""python3 -m pcr: commands that need Python (a dataset in a browser, Parquet), and pcrtool's."""

from __future__ import annotations

import argparse
import errno
import importlib.metadata
import os
import shutil
import sys
import webbrowser
from typing import Any, Callable, List, Optional

from ._dataset import open as open_dataset
from ._report import Options, report as make_report, write_whole
from ._text import size_text
from ._view import Viewer
from ._writer import WriteReport
from .errors import InvalidError, PcrError


def between(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number from the command line."""
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 16
                and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r}, expected {least} to {most}")
        return int(text)
    return read


def some(text: str) -> str:
    """Reads a text from the command line; it is not empty."""
    if not text:
        raise argparse.ArgumentTypeError("expected a value")
    return text


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python3 -m pcr", description=(
        "Shows a dataset in a browser, imports and exports Parquet. Every other command is "
        "pcrtool's, and is handed to it."))
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    view = commands.add_parser(
        "view", help="browse a dataset, and compare fidelities",
        description="Serves a page on 127.0.0.1 that shows the samples of a dataset at each "
                    "fidelity and output size, and what is read for it. Prints the address, "
                    "which has a token that nobody else knows. Ctrl-C ends it.")
    view.add_argument("dataset", help="a dataset's folder, or a record file")
    view.add_argument("--port", type=between(1, 65535), metavar="N", default=0,
                      help="the port to listen at; default: one that is free")
    view.add_argument("--browser", action="store_true",
                      help="open the address in a browser")
    report = commands.add_parser(
        "report", help="write a page about a dataset",
        description="Writes one page, which needs no network, about a dataset: splits, classes, "
                    "sizes, bytes and predicted quality at each fidelity, and some of the samples "
                    "with a slider for the fidelity. It stays below 5 MB.")
    report.add_argument("dataset", help="a dataset's folder, or a record file")
    report.add_argument("-o", "--output", required=True, metavar="FILE", type=some,
                        help="the page; a file of this name is replaced when all is done")
    report.add_argument("--split", type=some, help="only this split; default: all")
    report.add_argument("--size", type=between(16, 1024), default=224, metavar="N",
                        help="the size that training delivers: pixels of the short side; "
                             "default 224")
    report.add_argument("--samples", type=between(1, 1 << 40), default=2000, metavar="N",
                        help="how many samples' predicted qualities are looked at, spread over "
                             "the dataset; default 2000")
    report.add_argument("--gallery", type=between(0, 1000), default=24, metavar="N",
                        help="how many samples are pictured, as far as they fit; default 24")
    report.add_argument("--worst", action="store_true",
                        help="picture the samples with the lowest predicted quality")
    add_formats(commands)
    return top


def add_formats(commands: Any) -> None:
    """The commands import and export."""
    bring = commands.add_parser(
        "import", help="convert Parquet or Arrow files into a dataset",
        description="Converts the rows of Parquet or Arrow files, such as Hugging Face's, into a "
                    "dataset, without loss, as pcr.formats.from_parquet() does. pyarrow must be "
                    "installed. All other formats are the command convert's.")
    bring.add_argument("source", nargs="+", help="files, folders or patterns, then the dataset")
    bring.add_argument("dataset", help="the new dataset's folder")
    bring.add_argument("--split", type=some, help="the split of all samples; default: as files "
                       "or their folders are called")
    for name, what in (("image", "the images"), ("key", "the keys")):
        bring.add_argument(f"--{name}-field", type=some, metavar="COLUMN",
                           help=f"the column of {what}; default: as the files show")
    bring.add_argument("--label-field", metavar="COLUMN",
                       help="the column of the labels; default: as the files show; empty: none")
    bring.add_argument("--attributes", metavar="COLUMN,...",
                       help="the columns that become attributes; default: all others")
    bring.add_argument("--coding", choices=("packed", "scans"), help="default: packed")
    bring.add_argument("--on-bad", choices=("fail", "skip", "opaque", "salvage"), default="fail",
                       help="what to do with damaged images; default: fail")
    give = commands.add_parser(
        "export", help="write a dataset as Parquet files",
        description="Writes a dataset as Parquet files that Hugging Face's load_dataset() reads, "
                    "as pcr.formats.to_parquet() does. pyarrow must be installed. The command "
                    "extract writes other formats.")
    give.add_argument("dataset", help="a dataset's folder")
    give.add_argument("output", help="a folder; or a name that ends in .parquet, for one split")
    give.add_argument("--split", type=some, help="only this split; default: all")
    give.add_argument("--fidelity", type=between(1, 64), metavar="N", help="default: the full one")
    give.add_argument("--jpeg", choices=("progressive", "baseline", "source"),
                      default="progressive", help="what the JPEG files are; source: the source "
                      "files byte for byte; default: progressive")


def bring_in(args: argparse.Namespace) -> int:
    """python3 -m pcr import."""
    from . import formats
    columns = None if args.attributes is None else [n for n in args.attributes.split(",") if n]
    return told(args, formats.from_parquet(
        args.source, args.dataset, split=args.split, image_field=args.image_field,
        label_field=args.label_field, key_field=args.key_field, attributes=columns,
        coding=args.coding, on_bad=args.on_bad))


def told(args: argparse.Namespace, done: WriteReport) -> int:
    """Says what an import did; returns the exit code."""
    for path, reason in [*((path, str(why)) for path, why, _ in done.bad), *done.left_out]:
        print(f"{path}: {reason}", file=sys.stderr)
    counts = done.progress
    print(f"{args.dataset}: {counts.samples_done} samples of "
          f"{size_text(counts.source_nbytes)} in {size_text(counts.written_nbytes)}")
    return 3 if counts.samples_bad or done.left_out else 0


def give_out(args: argparse.Namespace) -> int:
    """python3 -m pcr export."""
    from . import formats
    for path in formats.to_parquet(args.dataset, args.output, split=args.split,
                                   fidelity=args.fidelity, jpeg=args.jpeg):
        print(path)
    return 0


def view(args: argparse.Namespace) -> int:
    """python3 -m pcr view."""
    open_dataset(args.dataset).close()  # what fails says so as everywhere
    try:
        viewer = Viewer(args.dataset, port=args.port)
    except PcrError:
        raise
    except OSError as exc:  # the port's
        if exc.errno == errno.EADDRINUSE:
            return failed(args, f"port {args.port} is in use: choose another --port, or leave "
                                "it out for one that is free")
        return failed(args, f"port {args.port}: {exc.strerror}")
    try:
        with viewer:
            print(f"{viewer.address}\nCtrl-C ends it.", flush=True)
            if args.browser and not webbrowser.open(viewer.address):
                failed(args, "no browser was found here: open the address in yours")
            viewer.serve()
    except KeyboardInterrupt:
        print()
    return 0


def report(args: argparse.Namespace) -> int:
    """python3 -m pcr report."""
    page, count = make_report(args.dataset, Options(args.split, args.size, args.samples,
                                                    args.gallery, args.worst))
    try:
        write_whole(args.output, page)
    except OSError as exc:
        return failed(args, f"{args.output}: {exc.strerror or exc}")
    print(f"{args.output}: {size_text(len(page.encode()))}, {count} samples are pictured")
    return 0


def failed(args: argparse.Namespace, why: object) -> int:
    """Says why something failed; returns the exit code."""
    print(f"python3 -m pcr {args.command}: {why}", file=sys.stderr)
    return 1


def pcrtool() -> Optional[str]:
    """The program pcrtool: the one that was installed with this package, or else in PATH."""
    try:
        files = importlib.metadata.files("libpcr") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "pcrtool":
            return str(file.locate())
    return shutil.which("pcrtool")


def hand_over(arguments: List[str]) -> int:
    """Becomes pcrtool. Returns, with an exit code, only if that fails."""
    tool = pcrtool()
    try:
        if tool is None:
            raise FileNotFoundError(errno.ENOENT, "it is neither in this package nor in PATH")
        os.execv(tool, [tool, *arguments])
    except OSError as exc:
        print(f"python3 -m pcr {arguments[0]}: pcrtool: {exc.strerror}", file=sys.stderr)
        return 1


COMMANDS = {"export": give_out, "import": bring_in, "report": report, "view": view}


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs a command; returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped."""
    if arguments is None:
        arguments = sys.argv[1:]
    if arguments and arguments[0] not in ("-h", "--help", *COMMANDS):
        return hand_over(arguments)
    reader = parser()
    args = reader.parse_args(arguments)
    if args.command == "report" and args.worst and not args.gallery:
        reader.error("--worst applies to --gallery, which is 0")
    try:
        return COMMANDS[args.command](args)
    except InvalidError as exc:  # a split that there is not
        failed(args, exc)
        return 2
    except ModuleNotFoundError as exc:
        return failed(args, exc)
    except PcrError as exc:
        # The storage's own error is shorter than what the library makes of it.
        return failed(args, exc.__cause__ or exc)
    except OSError as exc:  # of a file that is written
        return failed(args, f"{exc.filename}: {exc.strerror}" if exc.filename else exc)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
