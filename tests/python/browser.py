# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium for the tests, driven by the WebDriver protocol."""

import base64
import contextlib
import json
import re
import shutil
import subprocess
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

DRIVER = shutil.which("chromedriver")
needed = pytest.mark.skipif(
    not DRIVER or not (shutil.which("chromium") or shutil.which("google-chrome")),
    reason="not installed: chromium and chromium-driver (the pages are not tested)")
KEYS = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "tab": "\ue004"}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A window. Scripts run in its page; keys go to what has the focus."""

    def __init__(self, session):
        self._session = session

    def call(self, path, **body):
        request = Request(self._session + path, json.dumps(body).encode() if body else None)
        with urlopen(request) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        self.call("/url", url=url)

    def run(self, script, *arguments):
        """The result of a script; `arguments` are its `arguments`."""
        return self.call("/execute/sync", script=script, args=list(arguments))

    def wait(self, condition, *arguments):
        """Waits until an expression is true; returns it."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = self.run(f"return {condition}", *arguments)
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"never true: {condition}; the page says: "
                             + self.run("return document.body.innerText"))

    def press(self, *names):
        """Presses keys, one after the other."""
        actions = [{"type": kind, "value": KEYS.get(name, name)}
                   for name in names for kind in ("keyDown", "keyUp")]
        self.call("/actions", actions=[{"type": "key", "id": "keys", "actions": actions}])

    def develop(self, command, **parameters):
        """A command of Chromium's developer tools."""
        return self.call("/goog/cdp/execute", cmd=command, params=parameters)

    def shape(self, width, height, dark=False):
        """The page's size in pixels, and the colour scheme that its reader prefers."""
        self.develop("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=1, mobile=False)
        self.develop("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def messages(self):
        """What the page wrote to the console: errors, and what its policy forbade."""
        return [entry["message"] for entry in self.call("/se/log", type="browser")]

    def picture(self, path, whole=False):
        """Writes a screenshot, of the whole page or of what is seen of it."""
        data = self.develop("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))


@contextlib.contextmanager
def browser(folder):
    """A headless browser whose profile is in `folder`."""
    driver = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True)
    session = None
    try:
        port = next((int(found[1]) for line in driver.stdout
                     if (found := re.search(r"successfully on port (\d+)", line))), None)
        if port is None:
            pytest.skip("chromedriver does not start here")
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-first-run", f"--user-data-dir={folder}"]
        try:
            made = Browser(f"http://127.0.0.1:{port}").call("/session", capabilities={
                "alwaysMatch": {"goog:chromeOptions": {"args": arguments},
                                "goog:loggingPrefs": {"browser": "ALL"}}})
        except HTTPError as why:
            said = json.load(why)["value"]["message"].splitlines()[0]
            pytest.skip(f"Chromium does not start here: {said}")
        session = Browser(f"http://127.0.0.1:{port}/session/{made['sessionId']}")
        yield session
    finally:
        if session is not None:
            urlopen(Request(session._session, method="DELETE")).close()
        driver.terminate()
        driver.wait()
