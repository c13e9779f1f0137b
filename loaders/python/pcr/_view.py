# SPDX-License-Identifier: BSD-2-Clause
"""A page that shows a dataset, served to a browser on this machine alone."""

from __future__ import annotations

import json
import os
import secrets
import socketserver
import struct
import sys
import threading
import zlib
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple
from urllib.parse import parse_qs

import numpy as np

from ._dataset import open as open_dataset
from ._image import Pixels, resize
from ._kept import Kept
from ._sample import Sample
from ._storage import Storage
from ._text import shown
from .errors import PcrError

PAGES = {"": ("view.html", "text/html"), "base.css": ("base.css", "text/css"),
         "view.css": ("view.css", "text/css"), "view.js": ("view.js", "text/javascript")}
HEADERS = {
    # The page may use what comes from its own address, and images that its script has made.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
                               "connect-src 'self'; img-src blob:; base-uri 'none'; "
                               "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HOSTS = ("127.0.0.1", "localhost")
SCANNED = 20000  # samples that one request looks at
LISTED = 200     # samples that one request lists at most


class Refused(Exception):
    """A request that gets an error: a status and what to say."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


Answer = Tuple[str, bytes, Dict[str, str]]  # content type, body, further headers


def png(pixels: Pixels) -> bytes:
    """A PNG file of pixels of shape (height, width, 3)."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, width * 3)
    lines = np.empty((height, 1 + width * 3), np.uint8)
    lines[:, 0] = 2  # each row less the one above it
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(lines.tobytes(), 1)) + chunk(b"IEND", b""))


class Query:
    """The parameters of a request."""

    def __init__(self, text: str) -> None:
        try:
            self._values = parse_qs(text, keep_blank_values=True, max_num_fields=16)
        except ValueError as exc:
            raise Refused(HTTPStatus.BAD_REQUEST, str(exc)) from exc

    def text(self, name: str) -> str:
        """A parameter's last value, "" where there is none."""
        return self._values.get(name, [""])[-1]

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self.text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 16
                and least <= int(value) <= most):
            raise Refused(HTTPStatus.BAD_REQUEST,
                          f"{name} is {shown(value)}, expected {least} to {most}")
        return int(value)


class Answers:
    """What the page asks for. Used by several threads at once."""

    def __init__(self, path: str, storage: Optional[Storage]) -> None:
        self.kept = Kept(storage)
        self.dataset = open_dataset(path, storage=self.kept)
        self._working = threading.BoundedSemaphore(os.cpu_count() or 1)  # bounds memory
        self._classes = self.dataset.classes
        self._splits: Dict[str, Tuple[int, int]] = {}
        at = 0
        for name, count in self.dataset.splits.items():
            self._splits[name] = (at, at + count)
            at += count
        self.routes: Mapping[str, Callable[[Query], Answer]] = {
            "dataset": self.describe, "samples": self.list, "sample": self.sample,
            "pixels": self.pixels, "file": self.file}

    def answer(self, route: str, query: Query) -> Answer:
        """The answer to a request; its headers tell what had to be read for it."""
        before = self.kept.thread_nbytes
        kind, body, headers = self.routes[route](query)
        headers["Pcr-Read"] = str(self.kept.thread_nbytes - before)
        headers["Pcr-Read-Total"] = str(self.kept.read_nbytes)
        return kind, body, headers

    def describe(self, _query: Query) -> Answer:
        """The dataset's splits, classes and sizes."""
        ds = self.dataset
        found = ds.describe()
        name = os.path.basename(os.path.abspath(ds.path))
        return as_json({
            "name": shown(name), "samples": len(ds), "groups": ds.group_count,
            "coding": found["coding"], "total_nbytes": found["total_nbytes"],
            "prefix_nbytes": found["prefix_nbytes"],
            "splits": [[shown(split), end - at] for split, (at, end) in self._splits.items()],
            "classes": [[shown(name), count] for name, count
                        in zip(self._classes, ds.class_counts)]})

    def list(self, query: Query) -> Answer:
        """Samples of a split and class whose key contains a text, in order from `first` on,
        and where to go on, None at the end."""
        splits = list(self._splits.values())
        split = query.number("split", len(splits), 0, len(splits))
        start, end = (splits + [(0, len(self.dataset))])[split]
        wanted = query.number("class", -1, 0, max(len(self._classes) - 1, 0))
        text = query.text("search").casefold()
        first = query.number("first", start, 0, max(len(self.dataset), 1))
        most = query.number("count", 48, 1, LISTED)
        found: List[Dict[str, Any]] = []
        at = max(first, start)
        stop = min(end, at + SCANNED)
        while at < stop and len(found) < most:
            item = self._item(at, wanted, text)
            if item is not None:
                found.append(item)
            at += 1
        return as_json({"samples": found, "next": at if at < end else None})

    def _item(self, index: int, wanted: int, text: str) -> Optional[Dict[str, Any]]:
        """A line of the list; None if the sample is not of the class and key that are wanted."""
        try:
            sample = self.dataset[index]
        except PcrError as exc:
            if wanted >= 0 or text:
                return None
            return {"index": index, "key": "", "class": None, "error": shown(str(exc))}
        number = self._class(sample)
        if wanted >= 0 and number != wanted:
            return None
        key = shown(sample.key_bytes)
        return {"index": index, "key": key, "class": number} if text in key.casefold() else None

    def _class(self, sample: Sample) -> Optional[int]:
        label = sample.label
        return int(label) if self._classes and label is not None else None

    def sample(self, query: Query) -> Answer:
        """All about one sample; its qualities at an output size."""
        sample = self._sample(query)
        groups = self.dataset.group_count
        side = min(sample.size) if sample.size else None
        size = query.number("size", side or 0, 1, 1 << 16) or None
        scale = side / min(side, size) if side and size else 1.0
        labels = [self._classes[int(label)] if self._classes else label
                  for label in sample.labels]
        return as_json({
            "index": sample.index, "key": shown(sample.key_bytes), "size": sample.size,
            "labels": [shown(str(label)) for label in labels], "coding": sample.coding,
            "split": next((shown(name) for name, (at, end) in self._splits.items()
                           if at <= sample.index < end), None),
            "attributes": {shown(name): shown(json.dumps(value, ensure_ascii=False))
                           for name, value in sample.attributes.items()},
            "source_nbytes": sample.source_nbytes,
            "nbytes": [sample.nbytes(g + 1) for g in range(groups)],
            "quality": [sample.quality(g + 1, scale) for g in range(groups)]})

    def pixels(self, query: Query) -> Answer:
        """A sample's pixels as loaders deliver them, with a short side of `size` pixels, or as
        large as they are."""
        sample, fidelity = self._sample(query), self._fidelity(query)
        size = query.number("size", 1 << 16, 1, 1 << 16)
        with self._working:
            image = sample.decode(fidelity)
            height, width = image.shape[:2]
            side = min(height, width)
            if size < side:
                image = resize(image, max(1, round(height * size / side)),
                               max(1, round(width * size / side)))
            return "image/png", png(image), {}

    def file(self, query: Query) -> Answer:
        """A sample's file at a fidelity, to be kept."""
        sample, fidelity = self._sample(query), self._fidelity(query)
        data = sample.read(fidelity)
        kind, end = (("image/jpeg", "jpg") if data[:3] == b"\xff\xd8\xff" else
                     ("image/png", "png") if data[:4] == b"\x89PNG" else
                     ("application/octet-stream", "bin"))
        name = f"sample-{sample.index}-fidelity-{fidelity}.{end}"
        return kind, data, {"Content-Disposition": f'attachment; filename="{name}"'}

    def _sample(self, query: Query) -> Sample:
        return self.dataset[query.number("index", 0, 0, len(self.dataset) - 1)]

    def _fidelity(self, query: Query) -> int:
        groups = self.dataset.group_count
        return query.number("fidelity", groups, 1, groups)


def as_json(value: Any) -> Answer:
    """An answer that the page's script reads."""
    return "application/json", json.dumps(value).encode(), {}


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that a connection may be idle
    server: Server

    def do_GET(self) -> None:
        """Answers a request that knows the token."""
        try:
            kind, body, headers = self._answer()
            status = HTTPStatus.OK
        except Refused as exc:
            status, (kind, body, headers) = exc.status, as_json({"error": str(exc)})
        except (PcrError, OSError, MemoryError) as exc:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            kind, body, headers = as_json({"error": shown(str(exc))})
        self._send(status, kind, body, headers)

    def _answer(self) -> Answer:
        if self.server.ended:
            self.close_connection = True
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the viewer has ended")
        host = self.headers.get("Host", "").rpartition(":")
        if (host[0] if host[1] else host[2]) not in HOSTS:
            # A name of somebody else's that now leads to this machine.
            raise Refused(HTTPStatus.FORBIDDEN, "this server is for 127.0.0.1 alone")
        path, _, query = self.path.partition("?")
        token, slash, route = path[1:].partition("/")
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            raise Refused(HTTPStatus.FORBIDDEN, "use the whole address that was printed")
        if slash and route in PAGES:
            name, kind = PAGES[route]
            with open(os.path.join(os.path.dirname(__file__), "pages", name), "rb") as file:
                return kind, file.read(), {}
        if route in self.server.answers.routes:
            return self.server.answers.answer(route, Query(query))
        raise Refused(HTTPStatus.NOT_FOUND, "there is no such page")

    def _send(self, status: HTTPStatus, kind: str, body: bytes,
              headers: Mapping[str, str]) -> None:
        text = kind.startswith("text/") or kind == "application/json"
        self.send_response(status)
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind + ("; charset=utf-8" if text else ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: Optional[str] = None,
                   explain: Optional[str] = None) -> None:
        """What the base class says of requests that it does not understand."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(status, *as_json({"error": status.phrase}))

    def version_string(self) -> str:
        return "pcr"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests have the token."""


class Server(socketserver.ThreadingMixIn, HTTPServer):
    """The server; each connection has a thread."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, answers: Answers) -> None:
        self.answers = answers
        self.token = secrets.token_urlsafe(24)
        self.ended = False  # connections that are open may ask again
        super().__init__((HOSTS[0], port), Handler)

    def server_bind(self) -> None:
        """Without a search for the machine's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOSTS[0], self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no error."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Viewer:
    """Serves the page of one dataset on 127.0.0.1.

    path: a dataset's folder or a record file.
    port: 0 takes one that is free.
    storage: as in pcr.open().

    Raises what pcr.open() raises, and OSError if the port cannot be had.
    """

    def __init__(self, path: str, *, port: int = 0, storage: Optional[Storage] = None) -> None:
        self._server = Server(port, Answers(path, storage))

    @property
    def address(self) -> str:
        """What a browser is to open. Who has it can see the dataset."""
        return f"http://{HOSTS[0]}:{self._server.server_port}/{self._server.token}/"

    def serve(self) -> None:
        """Answers requests until shutdown(), or an exception such as KeyboardInterrupt."""
        self._server.serve_forever(poll_interval=0.1)

    def shutdown(self) -> None:
        """Ends serve(), which runs in another thread."""
        self._server.shutdown()

    def close(self) -> None:
        """Closes the port. The dataset is closed when the last request is answered."""
        self._server.ended = True
        self._server.server_close()

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
