#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What completes a word, and that bash, zsh and fish offer it."""
import os
import shutil
import subprocess

from helper import PCRTOOL, dataset, fails, json_of, pcrtool

path = dataset()
splits = [split["name"] for split in json_of("info", path, "--json")["splits"]]
folders = sorted(split + "/" for split in splits)
assert "train" in splits and len(splits) > 1


def offered(*words, code=0):
    done = pcrtool("complete", "pcrtool", *words, code=code)
    return done.stdout.decode().splitlines()


def nothing(*words):
    assert offered(*words, code=1) == [], words


assert offered("in") == ["info"]
assert offered("--") == ["--help", "--version"]
assert {"convert", "verify", "help"} <= set(offered(""))
assert offered("help", "ad") == ["advise"]
assert offered("convert", "--on") == ["--on-bad"]
assert offered("convert", "a", "--coding", "") == ["scans", "packed"]
assert offered("convert", "a", "--coding=p") == ["--coding=packed"]
assert offered("convert", "--coding", "=", "p") == ["packed"]  # as bash divides it
assert offered("convert", "--coding", "=") == ["scans", "packed"]
assert offered("info", path, "--split", "") == splits
assert offered("ls", "--json", path, "--class", "class-0") == [f"class-0{i}" for i in range(4)]
assert offered("cat", path, "") == folders
assert offered("cat", "--fidelity", "1", path, "train/class-03/ph")[0].startswith(
    "train/class-03/photo-")
assert offered("extract", path, "out", "tr") == ["train/"]
for words in (("convert", ""), ("extract", path, ""), ("cat", "--output", ""), ("cat", path, "no"),
              ("cat", "nowhere", ""), ("cat", "--", "-"), ("no-such", ""), ("cat", "-o", ""),
              ("info", "--class", "")):
    nothing(*words)
fails("completion", "tcsh", code=2, says=["bash, zsh or fish"])
fails("completion", code=2, says=["bash, zsh or fish"])

scripts = {}
for shell in ("bash", "zsh", "fish"):
    scripts[shell] = pcrtool("completion", shell).stdout.decode()
    with open(f"pcrtool.{shell}", "w", encoding="utf-8") as file:
        file.write(scripts[shell])

env = os.environ | {"PATH": os.path.dirname(PCRTOOL) + ":" + os.environ["PATH"], "HOME": "."}
ASK = {
    "bash": """source pcrtool.bash; COMP_WORDS=(pcrtool cat {0} ""); COMP_CWORD=3
compopt() {{ echo "$@"; }}; _pcrtool; printf '%s\\n' "${{COMPREPLY[@]}}" """,
    "zsh": """compdef() {{ :; }}; compadd() {{ print -l -- "$@"; }}
words=(pcrtool cat {0} ""); CURRENT=4
source ./pcrtool.zsh; _pcrtool""",
    "fish": """source pcrtool.fish; complete -C 'pcrtool cat {0} ' """,
}
for shell, script in ASK.items():
    if not shutil.which(shell):
        print(f"{shell} is not installed: not tried")
        continue
    done = subprocess.run([shell, *(["-f"] if shell == "zsh" else []), "-c",
                           script.format(path)], env=env, capture_output=True, text=True,
                          check=True, timeout=60)
    assert set(folders) <= set(done.stdout.split()), (shell, done)
    assert not done.stderr, (shell, done.stderr)
