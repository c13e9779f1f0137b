#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""CMake finds what `meson install` has installed, wherever it has been moved to since, and builds
README's program by README's lines, with the shared and with the static library."""
import re
import shutil
from pathlib import Path

from helper import ROOT, installed, run, skip
from snippets import snippets

if not shutil.which("cmake"):
    skip("CMake is not installed")
libdir, _ = installed()
moved = Path("moved").resolve()
libdir = moved / libdir.relative_to(Path("root").resolve())
Path("root").rename(moved)

readme = (ROOT / "README.md").read_text()
(program,) = [code for language, code in snippets(readme, "Use it") if language == "c"]
(lines,) = [code for language, code in snippets(readme, "From source") if language == "cmake"]
Path("program.c").write_text(program)




def build(text, **variables):
    """Configures and builds; returns what CMake and then the program without a dataset say."""
    Path("CMakeLists.txt").write_text(text)
    said = run("cmake", "-S", ".", "-B", "built", "-G", "Ninja",
               *(f"-D{name}={value}" for name, value in variables.items())).stderr
    run("cmake", "--build", "built")
    return said.decode(), run("built/program", code=1).stderr.decode()


def needed():
    return run("readelf", "-d", "built/program").stdout


assert "photos.pcr" in build(lines, pcr_DIR=f"{libdir}/cmake/pcr")[1]
assert b"libpcr.so" in needed() and str(moved).encode() in needed()

# Versions: those of the same major number, not below what is asked for.
(version,) = re.findall(r'PACKAGE_VERSION "(.*)"',
                        (libdir / "cmake/pcr/pcr-config-version.cmake").read_text())
major = int(version.split(".")[0])
fits = {version: True, f"{version};EXACT": True, f"{major}": True, f"{major + 1}": False,
        f"{major}.999": False, f"{major}...{major + 1}": True, f"{major}...<{version}": False,
        f"{major}...{version}": True, f"{version}.1...9": False}
asking = "".join(f"""find_package(pcr {asked.replace(";", " ")} QUIET
    PATHS {libdir}/cmake/pcr NO_DEFAULT_PATH)
message(NOTICE "{asked}: ${{pcr_FOUND}}")
unset(pcr_DIR CACHE)
""" for asked in fits)
said, _ = build(lines + asking)
assert [f"{asked}: {int(fit)}" for asked, fit in fits.items()] == said.split("\n")[:-1], said

# What an installation of the static library alone has.
if (libdir / "libpcr.a").exists():
    config = libdir / "cmake/pcr/pcr-config.cmake"
    text = config.read_text()
    assert "SHARED" in text and "libpcr.so" in text
    config.write_text(text.replace("SHARED", "STATIC").replace("libpcr.so", "libpcr.a"))
    assert "photos.pcr" in build(lines, pcr_DIR=f"{libdir}/cmake/pcr")[1]
    assert b"libpcr.so" not in needed()
