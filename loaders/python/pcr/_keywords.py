# SPDX-License-Identifier: BSD-2-Clause
"""Better words about keyword arguments that a function does not have."""

from __future__ import annotations

import difflib
import functools
import inspect
from typing import Any, Callable, Mapping, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def keywords(**elsewhere: str) -> Callable[[F], F]:
    """A decorator: an unknown keyword is a TypeError that names what may be meant.

    elsewhere: names that other libraries have for it, and what to write here.
    """
    def decorate(function: F) -> F:
        known = [name for name, p in inspect.signature(function).parameters.items()
                 if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and name != "self"]
        title = function.__qualname__.replace(".__init__", "")

        @functools.wraps(function)
        def checked(*args: Any, **options: Any) -> Any:
            for name in options:
                if name not in known:
                    raise TypeError(f"{title}() has no argument {name!r}"
                                    f"{meant(name, known, elsewhere)}")
            return function(*args, **options)
        return checked  # type: ignore[return-value]
    return decorate


def meant(name: str, known: Any, elsewhere: Mapping[str, str]) -> str:
    """What to say of a keyword that is not known."""
    if name in elsewhere:
        return f": {elsewhere[name]}"
    near = difflib.get_close_matches(name, known, 3, 0.7)
    return f"; did you mean {' or '.join(near)}?" if near else f"; it has {', '.join(known)}"
