#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The binary interface is what libpcr/libpcr.abi describes, for x86-64 and GCC."""
import os
import platform
import shlex
import shutil
import subprocess
import sys

CC = shlex.split(os.environ["CC"])
ROOT = os.environ["PCR_SOURCE_ROOT"]

if not shutil.which("abidw") or platform.machine() != "x86_64" or "-m32" in CC:
    print("skipped: no abidw, or another machine than the description is of")
    sys.exit(77)
sys.exit(subprocess.run([os.path.join(ROOT, "tools/abi.py"), "--check"],
                        env={**os.environ, "CC": "gcc"}, check=False).returncode)
