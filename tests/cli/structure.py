#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The tree keeps its rules: licence lines, layers, no circles, sizes of files and functions, and
files are touched in one place."""
import ast
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.environ["PCR_SOURCE_ROOT"]
MAX_FILE_LINES = 1000
MAX_FUNCTION_LINES = 120
MAX_COLUMNS = 100  # 90 is the aim

# Folder -> the folders whose private headers it may include, besides its own and the
# public ones. Includes run one way; a record knows nothing of JPEG or pixels, and JPEG
# nothing of pixels.
LAYERS = {
    "libpcr/include": [],
    "libpcr/base": [],
    "libpcr/io": ["libpcr/base"],
    "libpcr/jpeg": ["libpcr/base"],
    "libpcr/packed": ["libpcr/base", "libpcr/jpeg"],
    "libpcr/residual": ["libpcr/base", "libpcr/jpeg", "libpcr/packed"],
    "libpcr/image/pixels": ["libpcr/base", "libpcr/jpeg"],
    "libpcr/coding": ["libpcr/base", "libpcr/jpeg", "libpcr/packed"],
    "libpcr/image/codecs": ["libpcr/base", "libpcr/jpeg", "libpcr/coding",
                            "libpcr/image/pixels", "libpcr/residual"],
    "libpcr/image/resize": ["libpcr/base"],
    "libpcr/image": ["libpcr/base", "libpcr/jpeg", "libpcr/coding", "libpcr/image/pixels",
                     "libpcr/image/codecs", "libpcr/image/resize", "libpcr/residual"],
    "libpcr/record": ["libpcr/base", "libpcr/io"],
    "libpcr/manifest": ["libpcr/base", "libpcr/io", "libpcr/record"],
    "libpcr/dataset": ["libpcr/base", "libpcr/io", "libpcr/jpeg", "libpcr/coding",
                       "libpcr/image", "libpcr/record", "libpcr/manifest", "libpcr/residual"],
    "libpcr/writer": ["libpcr/base", "libpcr/io", "libpcr/jpeg", "libpcr/coding",
                      "libpcr/image", "libpcr/record", "libpcr/manifest", "libpcr/dataset",
                      "libpcr/residual"],
    "loaders/options": ["libpcr/base"],
    "loaders/order": ["libpcr/base", "loaders/options"],
    "loaders/deliver": ["libpcr/base", "loaders/options"],
    "loaders/transform": ["libpcr/base", "loaders/options", "loaders/deliver"],
    "loaders/schedule": ["libpcr/base", "loaders/options", "loaders/order",
                         "loaders/deliver", "loaders/transform"],
    "loaders": ["libpcr/base", "loaders/options", "loaders/order", "loaders/deliver",
                "loaders/transform", "loaders/schedule"],
    "formats": ["libpcr/base", "libpcr/io"],
    "pcrtool": [],
    "samples": [],
}
# A sample is a whole program in one file.
NOT_EVEN_OWN = ["libpcr/include", "samples"]

# What touches files. Of the library only libpcr/io may: everything else goes through a storage.
FILE_CALLS = """access close creat dirfd dup fchmod fclose fcntl fdatasync fdopen fdopendir fflush
    fgets flock fopen fread freopen fseek fstat fstatat fsync ftell ftruncate futimens fwrite
    getline link linkat lseek lstat mkdir mkdirat mkstemp mmap open openat opendir
    posix_fadvise pread preadv pwrite pwritev read readdir readlink realpath remove rename renameat
    rewinddir rmdir stat statvfs symlink sync_file_range truncate unlink unlinkat utimensat write
    writev""".split()
# File -> why it may, and which of them it calls.
MAY_TOUCH_FILES = {
    "libpcr/base/cgroup.c": ("the kernel's files, of which no storage knows", "close open read"),
    "libpcr/base/memory.c": ("memory of no file", "mmap"),
    "libpcr/base/thread.c": ("memory of no file", "mmap"),
    "formats/annotated.c": ("which version of the user's files", "stat"),
    "formats/container.c": ("which version of the user's file", "stat"),
    "formats/inputs.c": ("what the user's path is", "stat"),
    "formats/metadata.c": ("whether the user's file is there", "access"),
    "formats/registry.c": ("what the user's path is", "stat"),
    "formats/rows.c": ("whether the user's file is there, and which version", "stat"),
    "formats/walk.c": ("the user's folders, as they are",
                       "close dirfd fdopendir fstat fstatat open readdir"),
}

problems = []


def problem(path, line, text):
    where = os.path.relpath(path, ROOT)
    problems.append(f"{where}:{line}: {text}" if line else f"{where}: {text}")


def source_files():
    for folder, names, files in os.walk(ROOT):
        names[:] = sorted(n for n in names if not n.startswith((".", "build", "__"))
                          and not n.endswith(".egg-info") and n != "dist")
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name == "meson.build" or name.endswith(
                    (".c", ".h", ".py", ".pyi", ".sh", ".map")):
                yield path


def check_text(path, lines):
    if not any("SPDX-License-Identifier: BSD-2-Clause" in line for line in lines[:3]):
        problem(path, 0, "no SPDX line among the first three")
    if len(lines) > MAX_FILE_LINES:
        problem(path, 0, f"{len(lines)} lines, at most {MAX_FILE_LINES}")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS:
            problem(path, number, f"{len(line)} columns, at most {MAX_COLUMNS}")
        if line != line.rstrip() or "\t" in line:
            problem(path, number, "a tab, or blanks at the end")


def layer_of(path):
    where = os.path.relpath(path, ROOT)
    fits = [name for name in LAYERS if where.startswith(name + "/")]
    return max(fits, key=len) if fits else None


def check_includes(path, lines):
    layer = layer_of(path)
    if layer is None:
        return
    allowed = LAYERS[layer] + ([] if layer in NOT_EVEN_OWN else [layer])
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not found:
            continue
        for base in (os.path.dirname(path), os.path.join(ROOT, "libpcr")):
            target = os.path.normpath(os.path.join(base, found.group(1)))
            if os.path.exists(target):
                break
        else:
            problem(path, number, f"includes {found.group(1)}, which is not in the tree")
            continue
        if layer_of(target) not in allowed:
            problem(path, number, f"{layer} must not include {found.group(1)}")


def check_function(path, name, first, last):
    if last - first + 1 > MAX_FUNCTION_LINES:
        problem(path, first, f"{name} has {last - first + 1} lines, "
                             f"at most {MAX_FUNCTION_LINES}")


def check_python_functions(path, text):
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            check_function(path, node.name, node.lineno, node.end_lineno)


def check_c_functions(paths):
    """Returns whether the lengths could be measured."""
    if not shutil.which("ctags"):
        return False
    result = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C=f", "-L", "-", "-f",
         "-"], input="\n".join(paths), capture_output=True, text=True, check=False)
    if result.returncode:
        return False
    count = 0
    for line in result.stdout.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            count += 1
            check_function(tag["path"], tag["name"], tag["line"], tag["end"])
    assert count > 10, "ctags found next to no functions"
    return True


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def check_file_calls(texts):
    calls = re.compile(r"(?<![\w.>])(" + "|".join(FILE_CALLS) + r")\s*\(")
    for path, text in texts.items():
        where = os.path.relpath(path, ROOT)
        allowed = set(MAY_TOUCH_FILES.get(where, ("", ""))[1].split())
        found = {m.group(1): m.start() for m in calls.finditer(text)}
        for name in sorted(set(found) - allowed):
            problem(path, text.count("\n", 0, found[name]) + 1,
                    f"calls {name}(): only libpcr/io touches files")
        for name in sorted(allowed - set(found)):
            problem(path, 0, f"needs no exception for {name}()")


def check_tags(texts):
    """A struct tag means one thing in the whole tree."""
    seen = {}
    for path, text in texts.items():
        for match in re.finditer(r"^[a-z ]*\b(?:struct|union|enum) (\w+)\s*\{", text, re.M):
            other = seen.setdefault(match.group(1), path)
            if other != path:
                problem(path, text.count("\n", 0, match.start()) + 1,
                        f"{match.group(1)} is also defined in {os.path.relpath(other, ROOT)}")


def uses(texts):
    """For each file those that define what it uses. Files that define the same, of which a
    build has one, do not use each other."""
    definition = re.compile(r"^(?!static\b|typedef\b|extern\b|#)[A-Za-z_][\w \*]*?[ \*]"
                            r"(pcri?_\w+)\s*"
                            r"(?:\([^;{]*\)\n\{|(?:\[[^\]]*\])?\s*=)", re.M)
    defined = {path: set(definition.findall(text)) for path, text in texts.items()}
    used = {path: set(re.findall(r"(?<!struct )(?<!enum )(?<!union )\bpcri?_\w+", text))
            for path, text in texts.items()}
    return {path: [other for other in texts if other != path
                   and not defined[other] & defined[path] and defined[other] & used[path]]
            for path in texts}


def check_circles(texts):
    """No file of the library leads back to itself by what it uses."""
    left = uses(texts)
    while True:
        done = [path for path, needs in left.items() if not any(n in left for n in needs)]
        if not done:
            break
        for path in done:
            del left[path]
    while True:  # those that only use a circle are not of one
        unused = [p for p in left if not any(p in needs for needs in left.values())]
        if not unused:
            break
        for path in unused:
            del left[path]
    for path in left:
        problem(path, 0, "is in a circle: it uses " + ", ".join(
            os.path.relpath(n, ROOT) for n in left[path] if n in left))


def in_library(path):
    return path.endswith(".c") and os.path.relpath(path, ROOT).startswith(
        ("libpcr/", "loaders/", "formats/"))


def main():
    c_files = []
    texts = {}
    count = 0
    for path in source_files():
        count += 1
        with open(path, encoding="utf-8") as file:
            text = file.read()
        lines = text.split("\n")[:-1]
        if not text.endswith("\n"):
            problem(path, 0, "no line end at the end")
        check_text(path, lines)
        if path.endswith((".c", ".h")):
            c_files.append(path)
            check_includes(path, lines)
            if layer_of(path) not in (None, "samples"):
                texts[path] = without_comments(text)
        elif path.endswith(".py"):
            check_python_functions(path, text)
    assert count > 20, f"only {count} source files below {ROOT}"
    check_tags(texts)
    check_file_calls({path: text for path, text in texts.items() if in_library(path)
                      and layer_of(path) != "libpcr/io"})
    check_circles({path: text for path, text in texts.items() if in_library(path)})
    if not check_c_functions(c_files):
        print("no ctags with JSON output: the lengths of C functions are not checked")
    for text in problems:
        print(text, file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
