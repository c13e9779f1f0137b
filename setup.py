# SPDX-License-Identifier: BSD-2-Clause
"""Builds the C library with meson into the package's folder, and tags the wheel.

The package has no compiled extension: it calls the library by ctypes. So one wheel serves
every Python 3 on a platform.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parent


class BuildWithLibrary(build_py):
    """Adds pcr/_lib/libpcr.so.0."""

    def run(self):
        super().run()
        if not self.editable_mode:
            self.build_library(Path(self.build_lib) / "pcr" / "_lib")

    def build_library(self, folder):
        # A fresh folder each time: an older one may name tools of a build environment
        # that is gone.
        with tempfile.TemporaryDirectory(prefix="libpcr-build-") as build:
            self.meson("setup", "--buildtype=release", "-Db_ndebug=if-release",
                       "-Dtests=false", build, str(ROOT))
            self.meson("compile", "-C", build, "pcr:shared_library")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(build) / "libpcr.so.0", folder / "libpcr.so.0")

    @staticmethod
    def meson(*arguments):
        subprocess.run(["meson", *arguments], check=True)


class PlatformWheel(bdist_wheel):
    """A wheel for any Python 3 on this platform."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class PlatformDistribution(Distribution):
    """Has files for one platform, so that it is installed where such files belong."""

    def has_ext_modules(self):
        return True


setup(license="BSD-2-Clause",
      distclass=PlatformDistribution,
      cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
