# SPDX-License-Identifier: BSD-2-Clause
"""python3 -m pcr report: one page about a dataset, which needs nothing else."""

import base64
import json
import os
import re
import resource
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import browser as chromium
import pcr
from images import damaged_copy, encode, picture, pixels_of
from pcr.__main__ import main
from test_view import ODD

VOID = {"meta", "img", "input"}


class Page(HTMLParser):
    """The elements of a page, and that they are closed in order."""

    def __init__(self, path):
        super().__init__()
        self.html = Path(path).read_text(encoding="utf-8")
        self.elements, self.texts, self._open = [], [], []
        self.feed(self.html)
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else None, data))

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def samples(self):
        return json.loads(next(text for tag, text in self.texts
                               if tag == "script" and text.startswith('{"pictures"')))

    @property
    def keys(self):
        return [a["title"] for a in self.of("bdi") if "title" in a]

    def rows(self, name):
        """The cells of the table whose first column has this name."""
        table = next(t for t in self.html.split("<table>")[1:] if f">{name}</th>" in t)
        return [re.findall(r">([^<>]+)</(?:bdi|td)>", row)
                for row in table.split("</table>")[0].split("<tr>")[2:]]


def report(path, out, *arguments):
    assert main(["report", str(path), "-o", str(out), *map(str, arguments)]) == 0
    assert sorted(os.listdir(out.parent)) == [out.name]
    return Page(out)


@pytest.fixture
def out(tmp_path):
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports" / "report.html"


@pytest.fixture(scope="module", params=["scans", "packed"])
def photographs(request, tree, tmp_path_factory):
    where = tmp_path_factory.mktemp("reported") / request.param
    pcr.convert(tree, where, record_samples=10, coding=request.param)
    return where


def test_needs_nothing_else(photographs, out):
    page = report(photographs, out)
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
    assert not page.of("link") and not page.of("iframe") and not page.of("base")
    assert "url(" not in page.html and "@import" not in page.html and "http:" not in page.html
    policy = next(a["content"] for a in page.of("meta")
                  if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy


def test_numbers(photographs, out):
    page = report(photographs, out, "--size", 40)
    with pcr.open(photographs) as ds:
        groups, total = ds.group_count, ds.describe()["total_nbytes"]
        rows = page.rows("Fidelity")
        assert len(rows) == groups
        for g, row in enumerate(rows, 1):
            assert row[0] == str(g) and row[3] == f"{100 * ds.prefix_nbytes(g) / total:.1f}%"
            quality = [s.quality(g, min(s.size) / 40) for s in ds]
            assert row[5] == ("exact" if g == groups else f"{np.mean(quality):.3f}")
            assert row[6] == ("exact" if g == groups else f"{np.quantile(quality, .05):.3f}")
        assert page.rows("Class") == [["all", "24", "24", "48"], ["ant", "8", "8", "16"],
                                      ["bee", "8", "8", "16"], ["crab", "8", "8", "16"]]
        assert len(page.of("svg")) >= 4
    page = report(photographs, out, "--split", "val")
    assert page.rows("Class") == [["ant", "8"], ["bee", "8"], ["crab", "8"]]
    assert all(key.startswith("val/") for key in page.keys)


def test_gallery(photographs, out):
    page = report(photographs, out, "--size", 32, "--gallery", 5)
    start = int(next(a["value"] for a in page.of("input")))
    samples, keys = page.samples, page.keys
    assert len(keys) == len(set(keys)) == 5 == len(samples["pictures"])
    with pcr.open(photographs) as ds:
        for place, key in enumerate(keys):
            sample = ds[ds.find(key)]
            for g in range(1, ds.group_count + 1):
                uri = samples["pictures"][place][g - 1]
                if g == start:
                    assert uri is None
                    uri = page.of("img")[place]["src"]
                found = pixels_of(base64.b64decode(uri.split("base64,")[1]))
                whole = sample.decode(g)
                height, width = whole.shape[:2]
                side = min(width, height)
                x, y = (width - side) // 2, (height - side) // 2
                wanted = pcr.resize(whole, 32, 32, box=(x, y, x + side, y + side))
                assert np.abs(found.astype(int) - wanted).mean() < 8
                text = samples["texts"][place][g - 1]
                assert f"({100 * sample.nbytes(g) / sample.nbytes():.1f}%)" in text
                quality = sample.quality(g, min(sample.size) / 32)
                assert text.endswith("exact" if g == ds.group_count else f"SSIM {quality:.3f}")


def test_worst_come_first(photographs, out):
    page = report(photographs, out, "--size", 40, "--gallery", 6, "--worst")
    start = int(next(a["value"] for a in page.of("input")))
    with pcr.open(photographs) as ds:
        quality = {s.key: s.quality(start, min(s.size) / 40) for s in ds}
    worst = sorted(quality.values())[:6]
    assert [quality[key] for key in page.keys] == worst


def test_stays_below_5_mb(tmp_path, out):
    random = np.random.default_rng(1)
    noise = [encode(random.integers(0, 256, (400, 400, 3), np.uint8), quality=95)
             for _ in range(3)]
    samples = [pcr.NewSample(f"{'k' * 20000}{i}.jpg", noise[i % 3], label=i) for i in range(12)]
    classes = [f"{i}{'n' * 2000}{i}" for i in range(1500)]
    pcr.write(tmp_path / "noise", samples, classes=classes)
    page = report(tmp_path / "noise", out, "--size", 640)
    assert 3_000_000 < out.stat().st_size < 5_000_000
    assert 1 <= len(page.keys) < 12 and "no more fit" in page.html
    rows = page.rows("Class")
    assert len(rows) == 1000 and "500 more are left out" in page.html
    assert rows[0] == ["…" + classes[0][-120:], "1"]


def test_odd_keys(tmp_path, out):
    odd = tmp_path / "<!--&<b>"
    pcr.write(odd, [pcr.NewSample(key, encode(picture(i, 64, 48)), label=f"</script><i>{i % 2}")
                    for i, key in enumerate(ODD)], shuffle=False)
    page = report(odd, out)
    assert [page.keys[i] for i in (0, 1, 2, 3)] == [ODD[0], ODD[1], "tab\\tline\\n.jpg",
                                                    "\\u202egpj.exe"]
    assert not page.of("b") and not page.of("i") and len(page.of("script")) == 2
    assert next(text for tag, text in page.texts if tag == "title") == "<!--&<b> – report"


@pytest.mark.parametrize("labels", [None, 0.5, 7, [1, 2]])
def test_other_labels_and_opaque_samples(tmp_path, out, labels):
    files = [("a.jpg", encode(picture(1, 64, 48))), ("b.png", encode(picture(2, 20, 30), "PNG"))]
    pcr.write(tmp_path / "ds", [(key, data, labels) for key, data in files], shuffle=False)
    page = report(tmp_path / "ds", out)
    assert page.keys == ["a.jpg", "b.png"]
    assert page.samples["texts"][1][0].endswith("(100.0%), exact")
    assert "1 kept as whole files" in page.html
    record = next((tmp_path / "ds").glob("*.pcr"))
    assert report(record, out).keys == page.keys


def test_only_opaque_samples(tmp_path, out):
    pcr.write(tmp_path / "ds", [("b.png", encode(picture(2, 20, 30), "PNG"))])
    page = report(tmp_path / "ds", out, "--worst")
    assert page.keys == [] and "<polyline" not in page.html
    assert report(tmp_path / "ds", out).keys == ["b.png"]


def test_damage(path, tmp_path, out):
    def clear(data, record):
        data[record.head_end:record.ends[0]] = bytes(record.ends[0] - record.head_end)

    page = report(damaged_copy(path, tmp_path / "dataset", clear), out, "--gallery", 48)
    assert "10 of those looked at could not be read" in page.html
    assert "10 could not be decoded" in page.html and len(page.keys) == 28


NOWHERE = str(Path(__file__).with_name("nowhere"))


@pytest.mark.parametrize("arguments, code, words", [
    (["report"], 2, "required"),
    (["report", "."], 2, "-o"),
    (["report", NOWHERE, "-o", "x"], 1, "No such file or directory"),
    (["report", "DATASET", "-o", "x", "--size", "1"], 2, "expected 16 to 1024"),
    (["report", "DATASET", "-o", "x", "--split", "no"], 2, "train, val"),
    (["report", ".", "-o", "x", "--split", ""], 2, "expected a value"),
    (["report", ".", "-o", ""], 2, "expected a value"),
    (["report", ".", "-o", "x", "--worst", "--gallery", "0"], 2, "--worst applies to --gallery"),
    (["report", "DATASET", "-o", f"{NOWHERE}/x"], 1, f"{NOWHERE}/x: No such file"),
    (["report", "DATASET", "-o", "/dev/null"], 1, "not a file"),
    (["report", "DATASET", "-o", os.path.dirname(__file__)], 1, "not a file")])
def test_command_errors(path, tmp_path, monkeypatch, arguments, code, words, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        found = main([str(path) if a == "DATASET" else a for a in arguments])
    except SystemExit as exc:
        found = exc.code
    out, err = capsys.readouterr()
    assert found == code and out == "" and words in err
    assert not os.listdir(tmp_path) and not Path("/dev/null").is_file()


@pytest.mark.parametrize("before", [None, "an earlier report"])
def test_full_disk(path, out, before):
    if before:
        out.write_text(before)
    done = subprocess.run(
        [sys.executable, "-m", "pcr", "report", str(path), "-o", str(out)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"python3 -m pcr report: {out}: File too large\n"
    assert os.listdir(out.parent) == ([out.name] if before else [])
    assert not before or out.read_text() == before


def test_many_splits(tmp_path, out):
    file = encode(picture(1, 30, 20))
    pcr.write(tmp_path / "ds", [pcr.NewSample(f"{i}.jpg", file, label="cat", split=f"s{i}")
                                for i in range(20)])
    page = report(tmp_path / "ds", out)
    assert page.rows("Split") == [[f"s{i}", "1"] for i in range(20)]
    assert page.rows("Class") == [["cat", "20"]]


def test_nothing_is_left_when_it_is_stopped(path, out, monkeypatch):
    def stop(_descriptor):
        raise KeyboardInterrupt
    monkeypatch.setattr(os, "fsync", stop)
    assert main(["report", str(path), "-o", str(out)]) == 130
    assert os.listdir(out.parent) == []


@chromium.needed
def test_in_a_browser(photographs, out, tmp_path):
    page = report(photographs, out)
    texts = page.samples["texts"]
    start = int(next(a["value"] for a in page.of("input")))
    with chromium.browser(tmp_path / "profile") as window:
        for width in (360, 1280):
            colours = set()
            for dark in (False, True):
                window.shape(width, 740, dark)
                window.open(out.as_uri())
                assert window.run("return document.documentElement.scrollWidth") <= width
                colours.add(window.run(
                    "return getComputedStyle(document.body).backgroundColor"))
            assert len(colours) == 2
        shown = "return [...document.querySelectorAll('#gallery small')].map(e => e.textContent)"
        sources = "return [...document.querySelectorAll('#gallery img')].map(e => e.src)"
        first = window.run(sources)
        assert window.run(shown) == [text[start - 1] for text in texts]
        window.run("document.getElementById('fidelity').focus()")
        there, back = ("left", "right") if start > 1 else ("right", "left")
        window.press(there)
        assert window.run(shown) == [text[start - 2 if start > 1 else 1] for text in texts]
        assert all(a != b for a, b in zip(first, window.run(sources)))
        window.press(back)
        assert window.run(sources) == first
        assert window.messages() == []
