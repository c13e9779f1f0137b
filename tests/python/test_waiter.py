# SPDX-License-Identifier: BSD-2-Clause
"""Blocking calls that signals interrupt: the part of it without the library."""

import signal
import threading
import time

import pytest

from pcr._waiter import Waiter, interruptible


class Heard(Exception):
    pass


@pytest.fixture
def alarm():
    """Calls a function; 0.2 s later a signal's handler raises Heard in this thread."""
    def handler(_number, _frame):
        raise Heard

    def arm():
        signal.setitimer(signal.ITIMER_REAL, 0.2)

    before = signal.signal(signal.SIGALRM, handler)
    yield arm
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_results_and_exceptions():
    values = iter([1, 2])
    waiter = Waiter(lambda _abandoned: next(values), lambda: None)
    assert waiter() == 1 and waiter() == 2
    with pytest.raises(StopIteration):
        waiter()
    waiter.close()
    assert interruptible(lambda: 3, lambda: None) == 3
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0, lambda: None)


def test_main_thread_is_helped_others_are_not():
    waiter = Waiter(lambda _abandoned: threading.current_thread(), lambda: None)
    assert waiter() is waiter() is not threading.current_thread()
    found = []
    thread = threading.Thread(target=lambda: found.append(waiter()))
    thread.start()
    thread.join()
    assert found == [thread]
    waiter.close()


def test_interrupted_and_usable_again(alarm):
    woken = threading.Event()
    abandoned_seen = []

    def block(abandoned):
        woken.wait(20)
        abandoned_seen.append(abandoned())
        return "late"

    waiter = Waiter(block, woken.set)
    alarm()
    began = time.monotonic()
    with pytest.raises(Heard):
        waiter()
    assert time.monotonic() - began < 5
    assert waiter() == "late"
    assert abandoned_seen == [True, False]
    waiter.close()


def test_long_call_is_ended_before_the_exception_passes(alarm):
    stop = threading.Event()
    ended = []

    def block():
        stop.wait(20)
        ended.append(True)

    alarm()
    with pytest.raises(Heard):
        interruptible(block, stop.set)
    assert ended == [True]


def test_helper_ends():
    waiter = Waiter(lambda _abandoned: threading.current_thread(), lambda: None)
    helper = waiter()
    waiter.close()
    helper.join(10)
    assert not helper.is_alive()
    assert waiter() is threading.current_thread()
