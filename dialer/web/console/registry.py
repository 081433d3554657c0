"""Where pages declare themselves: address, permission, place in the navigation. A page without a permission is open to
anybody, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dialer.domain.access import Act
from dialer.language import mark
from dialer.web.console.rendering import Place

OPEN = None
"""Instead of an act: also for people who are not signed in."""
_MOST_BYTES = 256 * 1024
_Answer = TypeVar("_Answer", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One method of one address."""

    method: str
    path: str
    act: Act | None
    answer: Callable[..., Any]
    most_bytes: int
    while_must_change: bool
    while_idle: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """The pages of one module, which are found there under the name `pages`."""

    declared: list[Declared] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def get(
        self,
        path: str,
        *,
        act: Act | None,
        nav: str = "",
        order: int = 0,
        while_must_change: bool = False,
        while_idle: bool = False,
    ) -> Callable[[_Answer], _Answer]:
        """Answers GET for whoever may do `act`. `nav` (English of the catalogue, through `mark`) and `order` put it
        into the navigation of those people. `while_must_change`: also before the first password has been changed.
        `while_idle`: also in a session that nobody has used for too long, and looking is no use of it.
        """
        if nav:
            assert act is not None
            self.places.append(Place(path=path, text=mark(nav), act=act, order=order))
        return self._declare("GET", path, act, _MOST_BYTES, while_must_change, while_idle=while_idle)

    def post(
        self,
        path: str,
        *,
        act: Act | None,
        most_bytes: int = _MOST_BYTES,
        while_must_change: bool = False,
    ) -> Callable[[_Answer], _Answer]:
        """Answers POST from a form of our own, of at most so many bytes, for whoever may do `act`."""
        return self._declare("POST", path, act, most_bytes, while_must_change)

    def _declare(
        self,
        method: str,
        path: str,
        act: Act | None,
        most_bytes: int,
        while_must_change: bool,
        *,
        while_idle: bool = False,
    ) -> Callable[[_Answer], _Answer]:
        def declare(answer: _Answer) -> _Answer:
            self.declared.append(
                Declared(
                    method=method,
                    path=path,
                    act=act,
                    answer=answer,
                    most_bytes=most_bytes,
                    while_must_change=while_must_change,
                    while_idle=while_idle,
                )
            )
            return answer

        return declare
