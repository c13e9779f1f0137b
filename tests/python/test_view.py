# SPDX-License-Identifier: BSD-2-Clause
"""The viewer's server: who may ask, what it answers, and what it reads."""

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
from PIL import Image

import pcr
from images import damaged_copy, encode, picture, variety
from pcr.__main__ import main
from pcr._kept import Kept, LocalFiles
from pcr._text import shown
from pcr._view import Viewer

ODD = ["<img src=x onerror=alert(1)>.jpg", "a&b\"'.jpg", "tab\tline\n.jpg", "\u202egpj.exe",
       "é/ü.jpg", "../../etc/passwd"]


class Counting:
    """A storage that notes the ranges that are read from files."""

    def __init__(self):
        self.ranges = []
        self.files = LocalFiles()

    def open(self, name):
        owner, file = self, self.files.open(name)

        class File:
            size = file.size
            close = staticmethod(file.close)

            @staticmethod
            def read_into(offset, buffer):
                owner.ranges.append((os.path.basename(name), offset, len(buffer)))
                return file.read_into(offset, buffer)
        return File()

    def take(self):
        """Bytes read since the last call."""
        ranges, self.ranges = self.ranges, []
        return sum(nbytes for _, _, nbytes in ranges)


@contextmanager
def serving(path, **how):
    with Viewer(str(path), **how) as viewer:
        thread = threading.Thread(target=viewer.serve)
        thread.start()
        try:
            yield viewer
        finally:
            viewer.shutdown()
            thread.join()


def ask(viewer, route="", method="GET", host=None, path=None, **parameters):
    """Status, headers and body of an answer."""
    url = urlsplit(viewer.address)
    connection = http.client.HTTPConnection(url.hostname, url.port)
    try:
        query = f"?{urlencode(parameters)}" if parameters else ""
        connection.request(method, (path or url.path + route) + query,
                           headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def data(viewer, route, **parameters):
    status, _, body = ask(viewer, route, **parameters)
    assert status == 200, body
    return json.loads(body)


@pytest.fixture(scope="module", params=["scans", "packed"])
def photographs(request, tree, tmp_path_factory):
    where = tmp_path_factory.mktemp("coded") / request.param
    pcr.convert(tree, where, record_samples=10, coding=request.param)
    return where


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    where = tmp_path_factory.mktemp("odd") / "data<b>set"
    samples = [pcr.NewSample(key, encode(picture(i, 64, 48)), label=f"<i>{i % 2}</i>",
                             attributes={"<u>": "</script>"})
               for i, key in enumerate(ODD)]
    pcr.write(where, [*samples, pcr.NewSample(b"\xff\xfe.jpg", encode(picture(9, 64, 48)),
                                              label="<i>0</i>")], shuffle=False)
    return where


def test_only_who_has_the_token(path):
    with serving(path) as viewer:
        assert ask(viewer)[0] == 200
        token = urlsplit(viewer.address).path.strip("/")
        assert len(token) >= 22
        for wrong in ("/", "/view.js", "/dataset", f"/{token[:-1]}/", f"/{token}x/",
                      f"/{token.swapcase()}/dataset", "//", "/%00/",
                      f"/x/{token}/"):
            status, _, body = ask(viewer, path=wrong)
            assert status == 403, wrong
            assert token.encode() not in body
        assert ask(viewer, path=f"/{token}")[0] == 404
    with serving(path) as other:
        assert ask(other, path=f"/{token}/")[0] == 403


def test_only_by_this_machines_names(path):
    with serving(path) as viewer:
        port = urlsplit(viewer.address).port
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost", "127.0.0.1:1"):
            assert ask(viewer, "dataset", host=host)[0] == 200, host
        for host in (f"evil.example:{port}", "evil.example", f"127.0.0.1.evil.example:{port}",
                     "localhost.evil.example", "[::1]:80", ":80", "0.0.0.0", "x@127.0.0.1"):
            assert ask(viewer, "dataset", host=host)[0] == 403, host
        addresses = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        for address in {a[4][0] for a in addresses if not a[4][0].startswith("127.")}:
            with socket.socket() as other, pytest.raises(OSError):
                other.settimeout(5)
                other.connect((address, port))


def test_odd_requests(path):
    with serving(path) as viewer:
        url = urlsplit(viewer.address)
        for request, status in [
                (b"GET /\xff\xe4/ HTTP/1.1\r\nHost: localhost\r\n", 403),
                (b"GET //[ HTTP/1.1\r\nHost: localhost\r\n", 403),
                (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n", 403),
                (f"GET {url.path} HTTP/1.1\r\n".encode(), 403),          # no Host
                (f"GET http://127.0.0.1{url.path} HTTP/1.1\r\nHost: a\r\n".encode(), 403),
                (f"GET {url.path} HTTP/3.9\r\nHost: localhost\r\n".encode(), None),
                (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 300, 431),
                (b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n", 414)]:
            with socket.create_connection((url.hostname, url.port)) as connection:
                connection.sendall(request + b"\r\n")
                head = connection.recv(1 << 16).decode("latin-1")
                assert head.startswith(f"HTTP/1.1 {status} " if status else '{"error"'), head
        with socket.create_connection((url.hostname, url.port)) as connection:
            connection.sendall(b"\0\1\2\r\n\r\n")
        assert ask(viewer)[0] == 200


def test_headers_on_every_answer(path):
    with serving(path) as viewer:
        for answer in (ask(viewer), ask(viewer, "dataset"), ask(viewer, "view.js"),
                       ask(viewer, "nothing"), ask(viewer, path="/"), ask(viewer, method="POST"),
                       ask(viewer, "pixels", index=0), ask(viewer, "pixels", index=-1)):
            headers = answer[1]
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cache-Control"] == "no-store"
            assert "Access-Control-Allow-Origin" not in headers


def test_what_it_refuses(path):
    with serving(path) as viewer:
        assert ask(viewer, "nothing")[0] == 404
        assert ask(viewer, "../view.py")[0] == 404
        assert ask(viewer, "dataset/")[0] == 404
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert ask(viewer, "dataset", method=method)[0] == 501
        groups = data(viewer, "dataset")["groups"]
        for route, bad in [("pixels", {"index": 48}), ("pixels", {"index": -1}),
                           ("pixels", {"index": "x"}), ("pixels", {"index": "²"}),
                           ("pixels", {"index": "9" * 30}), ("pixels", {"fidelity": 0}),
                           ("pixels", {"fidelity": groups + 1}), ("pixels", {"size": 0}),
                           ("pixels", {"size": 1 << 17}), ("samples", {"split": 3}),
                           ("samples", {"class": 3}), ("samples", {"count": 1000}),
                           ("file", {"fidelity": "1.5"}),
                           ("sample", {str(i): i for i in range(20)})]:
            status, _, body = ask(viewer, route, **bad)
            assert status == 400 and json.loads(body)["error"], (route, bad)


def test_samples_by_split_class_and_key(path):
    with serving(path) as viewer, pcr.open(path) as ds:
        told = data(viewer, "dataset")
        assert told["splits"] == [["train", 24], ["val", 24]]
        assert told["classes"] == [["ant", 16], ["bee", 16], ["crab", 16]]
        assert told["samples"] == 48 and told["groups"] == ds.group_count
        found, first = [], 0
        while first is not None:
            page = data(viewer, "samples", first=first, count=7)
            assert len(page["samples"]) == 7 or page["next"] is None
            found, first = found + page["samples"], page["next"]
        assert [(s["index"], s["key"]) for s in found] == [(s.index, s.key) for s in ds]
        for number, name in enumerate(ds.splits):
            for which in range(3):
                with pcr.open(path, split=name) as part:
                    wanted = [s.key for s in part if s.label == which]
                some = data(viewer, "samples", split=number, count=100, **{"class": which})
                assert [s["key"] for s in some["samples"]] == wanted and some["next"] is None
        some = data(viewer, "samples", search="VAL/bee/3", count=100)["samples"]
        assert [s["key"] for s in some] == ["val/bee/3.jpg"]
        assert not data(viewer, "samples", search="no such", count=100)["samples"]


def test_long_searches_go_on(path, monkeypatch):
    monkeypatch.setattr("pcr._view.SCANNED", 10)
    with serving(path) as viewer:
        key = data(viewer, "sample", index=47)["key"]
        found, first, asked = [], 0, 0
        while first is not None:
            page = data(viewer, "samples", first=first, search=key)
            found, first, asked = found + page["samples"], page["next"], asked + 1
        assert [s["index"] for s in found] == [47] and asked == 5


def test_pixels_are_what_a_loader_delivers(photographs):
    with serving(photographs) as viewer, pcr.open(photographs) as ds:
        for index in (0, 17, 47):
            for fidelity in (1, 3, ds.group_count):
                status, headers, body = ask(viewer, "pixels", index=index, fidelity=fidelity)
                assert status == 200 and headers["Content-Type"] == "image/png"
                pixels = np.asarray(Image.open(io.BytesIO(body)))
                assert (pixels == ds[index].decode(fidelity)).all()
            height, width = pixels.shape[:2]
            body = ask(viewer, "pixels", index=index, size=32)[2]
            small = np.asarray(Image.open(io.BytesIO(body)))
            assert min(small.shape[:2]) == 32
            assert (small == pcr.resize(pixels, *small.shape[:2])).all()
            assert abs(small.shape[0] / small.shape[1] - height / width) < 0.05


def test_all_kinds_of_images(mixed):
    where, files = mixed
    with serving(where) as viewer, pcr.open(where) as ds:
        for index, (name, source) in enumerate(files):
            body = ask(viewer, "pixels", index=index)[2]
            assert (np.asarray(Image.open(io.BytesIO(body))) == ds[index].decode()).all(), name
            told = data(viewer, "sample", index=index, size=64)
            assert told["source_nbytes"] == len(source)
            assert told["nbytes"][-1] == ds[index].nbytes()
            status, headers, body = ask(viewer, "file", index=index, fidelity=2)
            assert status == 200 and body == ds[index].read(2)
            kind = "png" if name.endswith("png") else "jpeg"
            assert headers["Content-Type"] == f"image/{kind}"
            assert headers["Content-Disposition"].startswith("attachment; filename=\"sample-")


def test_each_step_reads_only_the_added_groups(photographs):
    storage = Counting()
    with serving(photographs, storage=storage) as viewer, pcr.open(photographs) as ds:
        for index in (3, 25):
            data(viewer, "sample", index=index)      # the record's head
            storage.take()
            before = 0
            for fidelity in (1, 2, 4, ds.group_count):
                nbytes = ds[index].nbytes(fidelity)
                headers = ask(viewer, "pixels", index=index, fidelity=fidelity)[1]
                assert storage.take() == int(headers["Pcr-Read"]) == nbytes - before > 0
                before = nbytes
            for fidelity in range(ds.group_count, 0, -1):
                for size in (24, 48):
                    headers = ask(viewer, "pixels", index=index, fidelity=fidelity, size=size)[1]
                    assert int(headers["Pcr-Read"]) == 0
            assert storage.take() == 0


def test_two_viewers_and_many_requests_at_once(photographs):
    storage = Counting()
    with serving(photographs, storage=storage) as viewer, serving(photographs) as other, \
            pcr.open(photographs) as ds:
        wanted = [s.decode(2) for s in ds]
        wrong = []

        def work(which, start):
            for i in range(12):
                index = (start + i) % len(ds)
                status, _, body = ask(which, "pixels", index=index, fidelity=2)
                if status != 200 or (np.asarray(Image.open(io.BytesIO(body)))
                                     != wanted[index]).any():
                    wrong.append((index, body))
        threads = [threading.Thread(target=work, args=(which, 4 * n))
                   for n in range(6) for which in (viewer, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        ranges = sorted(storage.ranges)
        assert len(ranges) == len(set(ranges))
        for (name, at, nbytes), (name2, at2, _) in zip(ranges, ranges[1:]):
            assert name != name2 or at + nbytes <= at2, "read twice"


def test_what_is_kept_is_bounded(tmp_path):
    blob = bytes(range(256)) * 40
    (tmp_path / "a").write_bytes(blob)
    storage = Counting()
    kept = Kept(storage, max_nbytes=5000)
    file = kept.open(str(tmp_path / "a"))
    random = np.random.default_rng(1)
    for _ in range(500):
        at = int(random.integers(0, len(blob) - 1))
        buffer = bytearray(int(random.integers(1, min(900, len(blob) - at) + 1)))
        file.read_into(at, memoryview(buffer))
        assert bytes(buffer) == blob[at:at + len(buffer)]
        assert sum(map(len, file._parts)) <= 5000
    assert kept.read_nbytes == kept.thread_nbytes == storage.take()
    with pytest.raises(EOFError):
        file.read_into(len(blob) - 10, memoryview(bytearray(20)))
    file.close()
    assert not kept._files


def test_keys_are_text(odd):
    with serving(odd) as viewer:
        listed = data(viewer, "samples")["samples"]
        keys = [s["key"] for s in listed]
        assert keys == [ODD[0], ODD[1], "tab\\tline\\n.jpg", "\\u202egpj.exe", ODD[4], ODD[5],
                        "\\xff\\xfe.jpg"]
        told = data(viewer, "sample", index=0)
        assert told["labels"] == ["<i>0</i>"] and told["attributes"] == {"<u>": '"</script>"'}
        assert data(viewer, "dataset")["name"] == "data<b>set"
    assert shown("\ud800\x1b[0m") == "\\ud800\\x1b[0m"


def test_damage_is_told(path, tmp_path):
    def flip(data, record):
        data[record.head_end + 40] ^= 1

    with serving(damaged_copy(path, tmp_path / "dataset", flip)) as viewer:
        status, _, body = ask(viewer, "pixels", index=0, fidelity=1)
        assert status == 500 and "checksum" in json.loads(body)["error"]
        listed = data(viewer, "samples")["samples"]
        assert ["error" in s for s in listed] == [10 <= i < 20 for i in range(48)]
        assert ask(viewer, "sample", index=10)[0] == 500
        assert ask(viewer, "sample", index=30)[0] == 200


@pytest.fixture
def run(path):
    """Runs a command to its end, or begins it."""
    def start(*arguments, **how):
        return subprocess.Popen([sys.executable, "-m", "pcr", *map(str, arguments)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
    return start


def test_command_until_ctrl_c(run, path):
    process = run("view", path)
    try:
        address = process.stdout.readline().strip()
        port = urlsplit(address).port
        second = run("view", path, "--port", port)
        out, err = second.communicate()
        assert second.returncode == 1 and out == ""
        assert err.startswith(f"python3 -m pcr view: port {port} is in use")
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", urlsplit(address).path)      # and is left open
        assert connection.getresponse().status == 200
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        assert process.returncode == 0 and err == ""
        connection.close()
    finally:
        process.kill()
        process.communicate()


def test_command_without_a_browser(run, path):
    process = run("view", path, "--browser", env={**os.environ, "BROWSER": "/nonexistent"})
    try:
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        assert "no browser was found here" in process.stderr.readline()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize("arguments, code, words", [
    (["view", f"{__file__}-no"], 1, f"view: {__file__}-no: cannot open: No such file"),
    (["view", os.path.dirname(__file__)], 1, "no dataset, as it has no manifest.json"),
    (["view", __file__], 1, "not a PCR record"),
    (["view"], 2, "dataset"),
    (["view", ".", "--port", "0"], 2, "expected 1 to 65535"),
    (["view", ".", "--port", "65536"], 2, "expected 1 to 65535"),
    ([], 2, "COMMAND"),
    (["look"], 1, "pcrtool: it is neither in this package nor in PATH"),
])
def test_command_errors(arguments, code, words, capsys, monkeypatch):
    monkeypatch.setattr("pcr.__main__.pcrtool", lambda: None)
    try:
        found = main(arguments)
    except SystemExit as exc:
        found = exc.code
    out, err = capsys.readouterr()
    assert found == code and out == "" and words in err
