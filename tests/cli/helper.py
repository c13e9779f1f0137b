# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of pcrtool have in common. Each test runs in an empty folder of its own."""
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(os.environ["PCR_SOURCE_ROOT"])
sys.path.append(str(ROOT / "tools"))

PCRTOOL = os.environ["PCRTOOL"]
PCR_GEN = os.environ["PCR_GEN"]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def run(*args, code=0, **options):
    """Runs a program; its exit code must be `code`. Output is bytes."""
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(args, capture_output=True, timeout=300, check=False, **options)
    if done.returncode != code:
        raise AssertionError(f"{args}: exit code {done.returncode}, expected {code}\n"
                             f"stdout: {done.stdout[-2000:]!r}\n"
                             f"stderr: {done.stderr[-2000:]!r}")
    return done


def with_pytorch():
    """The folder of samples and the environment of their programs that need PyTorch; without it
    the test is skipped."""
    try:
        import torch  # noqa: F401
    except ImportError:
        skip("PyTorch is not installed")
    if os.environ.get("PCR_SANITIZED") == "1":
        skip("the interpreter cannot load a library that is built with a sanitizer")
    root = os.environ["PCR_SOURCE_ROOT"]
    return os.path.join(root, "samples"), dict(
        os.environ, PCR_LIBRARY=os.environ["LIBPCR"], OMP_NUM_THREADS="1",
        PYTHONPATH=os.path.join(root, "loaders", "python"))


def pcrtool(*args, code=0, **options):
    return run(PCRTOOL, *args, code=code, **options)


def fails(*args, code=1, says=()):
    """pcrtool must fail with a message that names all of `says`, and print no data; with --json
    it prints the message as JSON too."""
    done = pcrtool(*args, code=code)
    text = done.stderr.decode(errors="replace")
    assert text, f"{args} failed without a message"
    if "--json" in args and "--" not in args:
        error = json.loads(done.stdout)["error"]
        assert error["exit_code"] == code and error["message"] in text, (error, text)
    else:
        assert done.stdout == b"", f"{args} failed, but printed {done.stdout[:200]!r}"
    for word in says:
        assert word in text, f"{args}: {word!r} is not in the message: {text}"
    return text


def json_of(*args, code=0):
    return json.loads(pcrtool(*args, code=code).stdout)


def photos(folder="photos", count=40, size="96x80", classes=4, splits=True):
    """Generated photographs in split and class folders."""
    run(PCR_GEN, "photos", folder, "--count", str(count), "--size", size, "--classes",
        str(classes), *(["--splits"] if splits else []))
    return folder


def installed():
    """Puts what `meson install` installs into the folder root; returns its folder of libraries,
    and the environment in which compilers and programs find them."""
    if os.environ["PCR_SANITIZED"] != "0":
        skip("a sanitized library runs in no other program")
    build = Path(os.environ["LIBPCR"]).parent
    log = build / "meson-logs" / "install-log.txt"  # for `ninja uninstall`: it stays as it is
    with open(build / "build.ninja", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = log.read_bytes() if log.exists() else None
        run("meson", "install", "-C", str(build), "--no-rebuild",
            env={**os.environ, "DESTDIR": os.path.abspath("root")})
        if kept is None:
            log.unlink()
        else:
            log.write_bytes(kept)
    (config,) = Path("root").resolve().rglob("libpcr.pc")
    libdir = config.parent.parent
    return libdir, dict(os.environ, PKG_CONFIG_PATH=str(config.parent),
                        PKG_CONFIG_SYSROOT_DIR=os.path.abspath("root"),
                        LD_LIBRARY_PATH=str(libdir))


def convert(source, target, *args, code=0, records=16):
    return pcrtool("convert", source, target, "--records", str(records), "--quiet",
                   *args, code=code)


def dataset(count=40, records=16, **options):
    """A small dataset of generated photographs; returns its path."""
    convert(photos(count=count, **options), "dataset.pcr", records=records)
    return "dataset.pcr"


def two_fidelities():
    """Writes a ladder file of two groups, for what takes time by fidelity; its name."""
    with open("two.ladder", "w", encoding="utf-8") as file:
        file.write("ladder two\nscript only\ngroup\nall 0-0 0 0\nluma 1-63 0 2\n"
                   "chroma 1-63 0 1\ngroup\nluma 1-63 2 1\nluma 1-63 1 0\n"
                   "chroma 1-63 1 0\n")
    return "two.ladder"


def files(folder):
    """Paths below the folder, relative to it, sorted."""
    found = []
    for where, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(where, name), folder) for name in names]
    return sorted(found)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def digests(folder):
    """Contents of all files below the folder, by name."""
    return {name: hashlib.sha256(read(os.path.join(folder, name))).hexdigest()
            for name in files(folder)}


def records(folder):
    return sorted(os.path.join(folder, name) for name in files(folder)
                  if name.endswith(".pcr") and not name.startswith(".pcr-"))


def damage(path, offset):
    """Flips all bits of one byte; a negative offset counts from the end, of a record's groups."""
    with open(path, "r+b") as file:
        start = file.read(64)
        if offset < 0 and start.startswith(b"\x89PCR"):
            offset -= int.from_bytes(start[56:], "little")  # its tail
        file.seek(offset, os.SEEK_SET if offset >= 0 else os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0xff]))


def pixels(data):
    """Decoded pixels of image bytes by Pillow, or None where it is not installed."""
    try:
        from io import BytesIO
        from PIL import Image
    except ImportError:
        return None
    with Image.open(BytesIO(data)) as image:
        return image.size, image.mode, image.tobytes()


def wait_for(condition, what, seconds=60):
    """Waits until condition() is true; returns its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.002)
    raise AssertionError(f"waited {seconds} s in vain for {what}")
