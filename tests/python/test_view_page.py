# SPDX-License-Identifier: BSD-2-Clause
"""The viewer's page in a browser."""

import re

import pytest

import browser as chromium
import pcr
from images import encode, picture
from test_view import Counting, odd, serving  # noqa: F401

pytestmark = chromium.needed
SHOWN = "/Fidelity \\d+: .*Fidelity \\d+: /.test(document.getElementById('step').textContent)"
READY = f"document.querySelectorAll('#list img:not([src])').length === 0 && {SHOWN}"


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with chromium.browser(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture
def page(window):
    window.open("about:blank")
    window.messages()           # of the test before
    return window


def text(page, selector):
    return page.run("return document.querySelector(arguments[0]).textContent", selector)


def focus(page, name):
    page.run("document.getElementById(arguments[0]).focus()", name)


@pytest.mark.parametrize("coding", ["scans", "packed"])
def test_each_step_of_the_slider_reads_the_added_groups(page, coding, tmp_path):
    pcr.write(tmp_path / "ds", [(f"{i}.jpg", encode(picture(i, 400, 300), quality=88), None)
                                for i in range(3)], coding=coding)
    storage = Counting()
    with serving(tmp_path / "ds", storage=storage) as viewer, pcr.open(tmp_path / "ds") as ds:
        page.shape(1280, 800)
        page.open(viewer.address)
        page.wait(READY)
        before = int(page.run("return document.getElementById('right-fidelity').value"))
        left = 1
        storage.take()
        steps = [("left-fidelity", "right")] * 2 + [("right-fidelity", "right")] * (
            ds.group_count - before) + [("left-fidelity", "right"), ("right-fidelity", "left")]
        seen = max(left, before)
        for name, key in steps:
            focus(page, name)
            page.press(key)
            here = page.run("return Number(document.getElementById(arguments[0]).value)", name)
            page.wait("document.getElementById('step').textContent.trim()"
                      ".startsWith(arguments[0])", f"Fidelity {here}: ")
            added = ds[0].nbytes(max(here, seen)) - ds[0].nbytes(seen)
            assert storage.take() == added
            told = re.search(r": (.*?)\.?$", text(page, "#step").strip())[1]
            assert told.startswith("read " if added else "nothing more")
            seen = max(here, seen)
        assert seen == ds.group_count
        focus(page, "size")
        page.press("left", "left")
        page.wait(READY)
        assert storage.take() == 0
        assert page.messages() == []


def test_keyboard(page, path):
    with serving(path) as viewer:
        page.shape(1280, 800)
        page.open(viewer.address)
        page.wait(SHOWN)
        keys = [s.key for s in pcr.open(path)]
        assert text(page, "#key") == keys[0]
        order = ["split", "class", "search", "list", "more", "wipe", "left-fidelity",
                 "right-fidelity", "size"]
        focus(page, order[0])
        for name in order:
            if name == "more":      # hidden: the list has all
                continue
            assert page.run("return document.activeElement.id") == name
            page.press("tab")
        focus(page, "list")
        for key, index in [("right", 1), ("right", 2), ("left", 1), ("down", 4), ("up", 1)]:
            page.press(key)
            page.wait("document.getElementById('key').textContent === arguments[0]", keys[index])
            assert page.run("return document.querySelector('[aria-selected=true]').id"
                            ) == f"sample-{index}"
            assert page.run("return document.getElementById('list')"
                            ".getAttribute('aria-activedescendant')") == f"sample-{index}"
        clip = "getComputedStyle(document.getElementById('right')).clipPath"
        before = page.run(f"return {clip}")
        focus(page, "wipe")
        page.press("left")
        assert page.wait(f"{clip} !== arguments[0] && {clip}", before) == "inset(0px 0px 0px 49%)"
        focus(page, "search")
        page.press(*"bee/3")
        page.wait("document.querySelectorAll('#list li').length === 2")
        page.wait("document.getElementById('key').textContent === arguments[0]",
                  next(k for k in keys if "bee/3" in k))


def test_odd_keys_are_shown_and_not_run(page, odd):  # noqa: F811
    with serving(odd) as viewer:
        page.shape(1280, 800)
        page.open(viewer.address)
        page.wait(READY)
        titles = page.run("return [...document.querySelectorAll('#list li')].map(li => li.title)")
        assert titles[0] == "<img src=x onerror=alert(1)>.jpg"
        assert titles[3] == "\\u202egpj.exe" and titles[6] == "\\xff\\xfe.jpg"
        assert text(page, "#key") == titles[0]
        assert "<i>0</i>" in text(page, "#facts") and text(page, "dt") == "<u>"
        assert text(page, "dd") == '"</script>"'
        assert page.run("return document.querySelectorAll('i, u, b, [onerror]').length") == 0
        assert page.run("return document.scripts.length") == 1
        # What is in the page has no way to run or to send anything, even if it were markup.
        page.run("document.body.insertAdjacentHTML('beforeend', "
                 "'<img id=bad src=x onerror=\"window.ran = 1\"><a id=go href=\"javascript:"
                 "window.ran = 1\">x</a>'); document.getElementById('go').click()")
        page.wait("document.getElementById('bad').complete")
        assert page.run("return window.ran") is None
        assert len(page.messages()) >= 2        # the policy's


@pytest.mark.parametrize("width", [360, 700, 1000, 1280])
def test_layout(page, odd, width):  # noqa: F811
    with serving(odd) as viewer:
        colours = set()
        for dark in (False, True):
            page.shape(width, 740, dark)
            page.open(viewer.address)
            page.wait(SHOWN)        # pictures that the list hides are not loaded
            assert page.run("return document.documentElement.scrollWidth") <= width
            assert page.run("return [...document.querySelectorAll('header, section, table')]"
                            ".filter(e => e.scrollWidth > e.clientWidth + 1)"
                            ".map(e => e.id || e.tagName)") == []
            assert page.run("return document.getElementById('stage').clientHeight") >= 160
            colours.add(page.run("return getComputedStyle(document.body).backgroundColor"))
        assert len(colours) == 2
        assert page.messages() == []


def test_damage_leaves_no_other_picture(page, tmp_path):
    pcr.write(tmp_path / "ds", [(f"{i}.jpg", encode(picture(i, 64, 48)), None)
                                for i in range(3)], shuffle=False)
    record, = (tmp_path / "ds").glob("*.pcr")
    with pcr.open(tmp_path / "ds") as ds:
        start = ds.records[0].head_end + ds[0].nbytes(1)
    blob = bytearray(record.read_bytes())
    blob[start + 5] ^= 1          # of the second sample's first group
    record.write_bytes(blob)
    with serving(tmp_path / "ds") as viewer:
        page.open(viewer.address)
        page.wait(SHOWN)
        focus(page, "list")
        page.press("right")
        page.wait("document.getElementById('error').textContent.includes('checksum')")
        assert text(page, "#key") == "1.jpg"
        pictures = "[...document.querySelectorAll('#stage img')].map(e => e.hasAttribute('src'))"
        page.wait(f"{pictures}.join() === 'false,false'")
        page.press("right")
        page.wait(f"{pictures}.join() === 'true,true'")
        assert page.run("return document.getElementById('error').hidden")


def test_actual_pixels(page, tmp_path):
    pcr.write(tmp_path / "ds", [("a.jpg", encode(picture(1, 1400, 1000)), None)])
    with serving(tmp_path / "ds") as viewer:
        page.shape(1280, 800)
        page.open(viewer.address)
        page.wait(SHOWN)
        focus(page, "size")
        page.press(*["right"] * 12)
        page.wait("document.getElementById('size-out').textContent === '1400 × 1000 px'")
        wide = "document.getElementById('stage').clientWidth"
        assert page.run(f"return {wide}") < 600
        focus(page, "actual")
        page.press(" ")
        page.wait(f"{wide} === 1400")
        assert page.run("return document.documentElement.scrollWidth") <= 1280


def test_errors_are_told(page, path):
    with serving(path) as viewer:
        page.open(viewer.address)
        page.wait(SHOWN)
        assert page.run("return document.getElementById('error').hidden")
    focus(page, "left-fidelity")
    page.press("right")
    page.wait("/does not answer|has ended/.test(document.getElementById('error').textContent)")
