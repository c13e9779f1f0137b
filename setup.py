# SPDX-License-Identifier: BSD-2-Clause
"""Builds the C library and pcrtool with meson, and tags the wheel.

The package has no compiled extension: it calls the library by ctypes. So one wheel serves
every Python 3 on a platform. The environment variable LIBPCR_MESON_SETUP has further arguments of
`meson setup`, as tools/wheel.sh needs them.
"""

import functools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from setuptools import Distribution, setup  # first: it brings distutils
from distutils.command.build_scripts import build_scripts
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parent


@functools.lru_cache(maxsize=None)
def built():
    """The folder with what meson built. It is removed when the program ends: an older one may
    name tools of a build environment that is gone."""
    folder = tempfile.TemporaryDirectory(prefix="libpcr-build-")
    built.folder = folder
    further = shlex.split(os.environ.get("LIBPCR_MESON_SETUP", ""))
    for arguments in (["setup", "--buildtype=release", "-Db_ndebug=if-release", "-Dtests=false",
                       *further, folder.name, str(ROOT)],
                      ["compile", "-C", folder.name, "pcr:shared_library", "pcrtool-alone"]):
        if subprocess.run(["meson", *arguments]).returncode:
            sys.exit(f"libpcr: meson {arguments[0]} failed, see above. The source's `tools/deps.sh "
                     "--run` installs the compiler and the libraries that building needs, by apt.")
    return Path(folder.name)


class BuildWithLibrary(build_py):
    """Adds pcr/_lib/libpcr.so.0."""

    def run(self):
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib) / "pcr" / "_lib"
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(built() / "libpcr.so.0", folder / "libpcr.so.0")


class BuildTool(build_scripts):
    """Makes the command pcrtool: a program with the library in it."""

    def run(self):
        self.mkpath(self.build_dir)
        shutil.copy(built() / "pcrtool" / "pcrtool-alone", Path(self.build_dir) / "pcrtool")


class PlatformWheel(bdist_wheel):
    """A wheel for any Python 3 on this platform."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class PlatformDistribution(Distribution):
    """Has files for one platform, so that it is installed where such files belong."""

    def has_ext_modules(self):
        return True


setup(license="BSD-2-Clause",
      scripts=["pcrtool"],
      distclass=PlatformDistribution,
      cmdclass={"bdist_wheel": PlatformWheel, "build_py": BuildWithLibrary,
                "build_scripts": BuildTool})
