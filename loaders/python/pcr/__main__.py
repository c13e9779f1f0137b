# SPDX-License-Identifier: BSD-2-Clause
"""python3 -m pcr: commands that show a dataset in a browser. The others are pcrtool's."""

from __future__ import annotations

import argparse
import errno
import sys
import webbrowser
from typing import List, Optional

from ._view import Viewer
from .errors import PcrError


def port_number(text: str) -> int:
    """A port from the command line."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python3 -m pcr", description=(
        "Shows a dataset in a browser. For everything else there is pcrtool."))
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    view = commands.add_parser(
        "view", help="browse a dataset, and compare fidelities",
        description="Serves a page on 127.0.0.1 that shows the samples of a dataset at each "
                    "fidelity and output size, and what is read for it. Prints the address, "
                    "which has a token that nobody else knows. Ctrl-C ends it.")
    view.add_argument("dataset", help="a dataset's folder, or a record file")
    view.add_argument("--port", type=port_number, default=0,
                      help="the port to listen at; default: one that is free")
    view.add_argument("--browser", action="store_true",
                      help="open the address in a browser")
    return top


def view(args: argparse.Namespace) -> int:
    """python3 -m pcr view."""
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


def failed(args: argparse.Namespace, why: object) -> int:
    """Says why something failed; returns the exit code."""
    print(f"python3 -m pcr {args.command}: {why}", file=sys.stderr)
    return 1


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs a command; returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    args = parser().parse_args(arguments)
    try:
        return {"view": view}[args.command](args)
    except PcrError as exc:
        # The storage's own error is shorter than what the library makes of it.
        return failed(args, exc.__cause__ or exc)


if __name__ == "__main__":
    sys.exit(main())
