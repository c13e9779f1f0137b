# SPDX-License-Identifier: BSD-2-Clause
"""Datasets that several tests read."""

import pytest

import pcr
from images import encode, folder, picture, variety


def pytest_sessionfinish(session):
    """A program whose tests were all skipped counts as skipped."""
    seen = set(session.config.pluginmanager.get_plugin("terminalreporter").stats) - {""}
    if "skipped" in seen and not seen & {"passed", "failed", "error", "xfailed", "xpassed"}:
        session.exitstatus = 77


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A folder train|val / ant|bee|crab / 0..7.jpg: 48 photographs."""
    return folder(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="session")
def path(tree, tmp_path_factory):
    """The dataset that the folder becomes, 10 samples a record."""
    where = tmp_path_factory.mktemp("converted") / "dataset"
    pcr.convert(tree, where, record_samples=10)
    return where


@pytest.fixture(scope="session")
def mixed(tmp_path_factory):
    """A dataset of images of several kinds, in order, and the source files."""
    where = tmp_path_factory.mktemp("mixed") / "dataset"
    files = [*variety(), ("opaque.png", encode(picture(20, 30, 20), "PNG"))]
    pcr.write(where, [(name, data, None, {"number": i}) for i, (name, data)
                      in enumerate(files)], shuffle=False)
    return where, files


@pytest.fixture
def ds(path):
    with pcr.open(path) as opened:
        yield opened
