# SPDX-License-Identifier: BSD-2-Clause
"""Finding and loading the library, versions, exceptions."""

import errno
import gc
import os
import pickle
import subprocess
import sys
import weakref

import pytest

import pcr
from pcr import _library, errors


def run(code, **env):
    return subprocess.run([sys.executable, "-c", code], env={**os.environ, **env},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_versions_agree():
    assert pcr.__version__ == _library.lib.pcr_version().decode()
    assert pcr.system()["version"] == pcr.__version__


def test_project_version():
    root = os.environ["PCR_SOURCE_ROOT"]
    with open(os.path.join(root, "pyproject.toml")) as file:
        assert f'\nversion = "{pcr.__version__}"\n' in file.read()


def test_environment_variable_names_the_library():
    assert pcr.system()["library"] == os.environ["PCR_LIBRARY"]


def test_missing_library():
    done = run("import pcr", PCR_LIBRARY="/nonexistent/libpcr.so")
    assert done.returncode == 1
    assert "ImportError: cannot load libpcr's library: /nonexistent" in done.stderr


def test_order_of_search(tmp_path, monkeypatch):
    assert _library.find(tmp_path) == os.environ["PCR_LIBRARY"]
    monkeypatch.delenv("PCR_LIBRARY")
    assert _library.find(tmp_path) == "libpcr.so.0"
    packaged = tmp_path / "_lib" / "libpcr.so.0"
    packaged.parent.mkdir()
    packaged.touch()
    assert _library.find(tmp_path) == str(packaged)


def test_library_without_the_environment_variable():
    folder = os.path.dirname(os.environ["PCR_LIBRARY"])
    code = "import pcr; print(pcr.system()['library'])"
    own = os.path.join(os.path.dirname(pcr.__file__), "_lib", "libpcr.so.0")
    found = own if os.path.exists(own) else "libpcr.so.0"
    assert run(code, PCR_LIBRARY="", LD_LIBRARY_PATH=folder).stdout == found + "\n"
    done = run("from pcr import _library; _library.load('libpcr.so.999')")
    assert "libpcr.so.999: cannot open shared object file" in done.stderr
    assert "the environment variable PCR_LIBRARY may name its path" in done.stderr


def test_another_library():
    done = run("import pcr", PCR_LIBRARY="libc.so.6")
    assert done.returncode == 1
    assert "ImportError: libc.so.6 is not libpcr" in done.stderr


def test_another_binary_interface():
    done = run("import pcr", PCR_LIBRARY=os.environ["PCR_OTHER_ABI"])
    assert done.returncode == 1
    assert "has binary interface 999, but this package needs 1" in done.stderr


def test_system():
    found = pcr.system()
    assert found["cpu_count"] >= 1
    assert "pread" in found["io_backends"]
    assert "jpeg" in found["jpeg_library"]
    assert all(found[f"{name}_library"] for name in ("png", "zstd", "xxhash", "json"))


@pytest.mark.parametrize("code, kind", [
    (-1, MemoryError), (-2, ValueError), (-3, OSError), (-4, errors.FormatError),
    (-5, errors.CorruptError), (-6, errors.TruncatedError), (-7, errors.UnsupportedError),
    (-8, errors.LimitError), (-9, errors.CancelledError), (-77, pcr.PcrError)])
def test_exception_classes(code, kind):
    exc = errors.make(code, "what", 0, 12)
    assert isinstance(exc, kind) and isinstance(exc, pcr.PcrError)
    assert (exc.code, exc.sys_errno, exc.offset, str(exc)) == (code, 0, 12, "what")
    name = _library.lib.pcr_code_name(code).decode()
    assert (name == "UNKNOWN") == (code == -77)


@pytest.mark.parametrize("number, kind", [
    (errno.ENOENT, FileNotFoundError), (errno.EACCES, PermissionError),
    (errno.EWOULDBLOCK, BlockingIOError), (errno.ENOSPC, OSError)])
def test_os_errors(number, kind):
    exc = errors.make(-3, "dataset: no", number)
    assert isinstance(exc, kind) and isinstance(exc, pcr.IoError)
    assert exc.errno == exc.sys_errno == number
    assert str(exc) == "dataset: no"


def test_exceptions_travel_between_processes():
    for code in range(-9, 0):
        exc = errors.make(code, "what", errno.ENOENT if code == -3 else 0, 5)
        copy = pickle.loads(pickle.dumps(exc))
        assert type(copy) is type(exc)
        assert copy.__dict__ == exc.__dict__ and str(copy) == str(exc)


def test_names_are_exported():
    assert all(hasattr(pcr, name) for name in pcr.__all__)
    assert all(hasattr(errors, name) for name in errors.__all__)


def test_torch_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "pcr.torch", raising=False)
    monkeypatch.delitem(vars(pcr), "torch", raising=False)
    with pytest.raises(ImportError, match="pcr.torch needs PyTorch"):
        pcr.torch
    with pytest.raises(AttributeError, match="no attribute 'torhc'"):
        pcr.torhc


def test_errors_hold_nothing(tmp_path):
    """Without a collection of cycles, what a failed call had open is let go of with its error."""
    gc.disable()
    try:
        try:
            pcr.open(tmp_path / "none")
        except pcr.NotFoundError as error:
            held = weakref.ref(error)
        assert held() is None
    finally:
        gc.enable()
