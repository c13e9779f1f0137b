#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The training skeleton sees each image of each class once an epoch, at two fidelities."""
import os
import re
import sys

from helper import dataset, json_of, run, skip

try:
    import numpy  # noqa: F401
except ImportError:
    skip("numpy is not installed")
if os.environ.get("PCR_SANITIZED") == "1":
    skip("the interpreter cannot load a library that is built with a sanitizer")

path = dataset(count=80)
groups = json_of("info", path, "--json")["group_count"]
root = os.environ["PCR_SOURCE_ROOT"]
env = dict(os.environ, PCR_LIBRARY=os.environ["LIBPCR"],
           PYTHONPATH=os.path.join(root, "loaders", "python"))
text = run(sys.executable, os.path.join(root, "samples", "train_skeleton.py"), path, "16",
           env=env).stdout.decode()
epochs = re.findall(r"^epoch (\d) at fidelity (\d+) of (\d+): (\d+) images, \d+ images/s, "
                    r"(\d+) bytes read", text, flags=re.M)
assert [e[:4] for e in epochs] == [("0", str(max(1, groups // 3)), str(groups), "80"),
                                   ("1", str(groups), str(groups), "80")], text
assert int(epochs[0][4]) < int(epochs[1][4]), text
assert len(re.findall(r"^  class-0\d: 20$", text, flags=re.M)) == 8, text
