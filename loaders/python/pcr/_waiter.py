# SPDX-License-Identifier: BSD-2-Clause
"""Blocking calls that Ctrl-C can interrupt.

A signal's Python handler runs only when the main thread is back from C, so that a main
thread that waits inside the library would not notice Ctrl-C. Therefore the main thread
has a helper thread make the call, and waits for its answer in Python, which signals do
interrupt. Other threads never run signal handlers and call directly.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Callable, Generic, Optional, TypeVar

T = TypeVar("T")


class Request(Generic[T]):
    """One call to be made by the helper thread."""

    def __init__(self, function: Callable[[Callable[[], bool]], T]) -> None:
        self._function = function
        self._answer: SimpleQueue[Callable[[], T]] = SimpleQueue()
        self._abandoned = False

    def serve(self) -> None:
        """Makes the call; in the helper thread."""
        try:
            value = self._function(lambda: self._abandoned)
            self._answer.put(lambda: value)
        except BaseException as exc:
            failure = exc

            def fail() -> T:
                raise failure
            self._answer.put(fail)

    def wait(self, interrupted: Callable[[], None]) -> T:
        """The call's result or exception; in the thread that asked."""
        try:
            answer = self._answer.get()
        except BaseException:
            self._abandoned = True
            interrupted()
            raise
        return answer()


def interruptible(function: Callable[[], T], interrupt: Callable[[], None],
                  wait: bool = True) -> T:
    """Makes one long call; its callbacks then never meet a signal handler's exception.

    interrupt: makes the call return soon.
    wait: whether its end is then waited for; else it goes on for a while and its result is
        lost, which is right for what only reads.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    request = Request(lambda _abandoned: function())
    thread = threading.Thread(target=request.serve, name="pcr-call", daemon=True)
    thread.start()
    try:
        return request.wait(interrupt)
    except BaseException:
        if wait:
            thread.join()
        raise


class Waiter(Generic[T]):
    """Makes calls of one function, from the main thread by way of a helper thread.

    function: called with another function that says whether the caller has given up; it
        must ask that after it has taken its lock and before it takes effect.
    interrupt: makes a function that blocks return soon; called when the caller gives up.
    """

    def __init__(self, function: Callable[[Callable[[], bool]], T],
                 interrupt: Callable[[], None]) -> None:
        self._function = function
        self._interrupt = interrupt
        self._requests: SimpleQueue[Optional[Request[T]]] = SimpleQueue()
        self._thread: Optional[threading.Thread] = None
        self._closed = False
        # Reentrant, as garbage collection may call close() at any point.
        self._lock = threading.RLock()

    def __call__(self) -> T:
        request = self._hand_over()
        if request is None:
            return self._function(lambda: False)
        return request.wait(self._interrupt)

    def _hand_over(self) -> Optional[Request[T]]:
        """Gives the call to the helper; None where this thread is to make it itself."""
        if threading.current_thread() is not threading.main_thread():
            return None
        with self._lock:
            if self._closed:
                return None
            if self._thread is None:
                self._thread = threading.Thread(target=_serve, args=(self._requests,),
                                                name="pcr-wait", daemon=True)
                self._thread.start()
            request = Request(self._function)
            self._requests.put(request)
            return request

    def close(self) -> None:
        """Ends the helper after what it was given; later calls are made directly."""
        with self._lock:
            self._closed = True
            self._requests.put(None)


def _serve(requests: SimpleQueue[Optional[Request[T]]]) -> None:
    while True:
        request = requests.get()
        if request is None:
            return
        request.serve()
        del request
