"""Passwords: what makes one good enough, temporary ones, and their hashes, argon2id (RFC 9106, second choice).

A hash takes 64 MiB and a tenth of a second on purpose. All hashes of a process are made in a small pool of their own,
at a lower priority than pages; a sign-in that finds no room is refused at once, so that a flood of them slows no page.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dialer.core.errors import Invalid, Refusal
from dialer.core.text import Text

LEAST_PASSWORD_LENGTH: Final = 10
LONGEST_PASSWORD: Final = 200
_FEWEST_CHARACTERS: Final = 3
_LEAST_SCORE: Final = 3
"""Of zxcvbn's 0 to 4: at least 10^8 guesses."""
_SCORED: Final = 72
"""Characters that are judged: zxcvbn's time grows with the square of the length."""
_LEAST_WORD: Final = 4
"""A shorter name or number is in many good passwords by chance."""
_COMMON: Final = (
    "96110",
    "110110",
    "dialer",
    "password",
    "fanzha",
    "gongan",
    "jingcha",
    "反诈",
    "公安",
    "警察",
)
"""Words of the trade that a guess begins with."""
_GROUPS, _GROUP = 3, 4
# Without 0, O, 1, l, I: people read it from paper.
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"

_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
# Verified for an unknown login, so that it takes as long as a known one.
_DUMMY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$dZ9oEkbSbyBHaDEhTvXK0BVz3cXZ0nhbKR2Rsk6Wpfk"
)
_T = TypeVar("_T")
_NICE = 10


class SignInBusy(Refusal):
    """So many sign-ins are under way in this process, or from this address, that a further one would only wait."""

    def __init__(self) -> None:
        super().__init__("too many sign-ins at once: try again in a few seconds")


class SignInLimit:
    """Limits the sign-ins under way: at most `most` in all, and `most_of_one` from one address."""

    def __init__(self, *, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    def has_room(self, address: str) -> bool:
        """True where a sign-in from this address would find a place now."""
        return self._under_way.total() < self._most and self._under_way[address] < self._most_of_one

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """A place until the end of the block. Raises `SignInBusy` at once if all are taken."""
        with self._lock:
            if not self.has_room(address):
                raise SignInBusy
            self._under_way[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[address] -= 1
                if not self._under_way[address]:
                    del self._under_way[address]


sign_ins = SignInLimit(most=12, most_of_one=8)
"""The sign-ins of this process. Each holds a thread and, for moments, a connection; the remaining ones serve pages."""


@cache
def _pool() -> ThreadPoolExecutor:
    """One thread where there are two processors or fewer: a hash uses several."""
    threads = 1 if (os.cpu_count() or 1) <= 2 else 2  # noqa: PLR2004 - two cores serve calls as well
    return ThreadPoolExecutor(threads, thread_name_prefix="hashing", initializer=_give_way)


os.register_at_fork(after_in_child=_pool.cache_clear)


def _give_way() -> None:
    """Lowers the priority; on Linux that of the thread, and of those that argon2 starts from it."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _hashed(work: Callable[[], _T]) -> _T:
    return _pool().submit(work).result()


def hash_password(password: str) -> str:
    """Argon2id, with its salt and parameters in the text."""
    return _hashed(lambda: _hasher.hash(password))


def is_password_right(password: str, password_hash: str | None) -> bool:
    """Whether the password matches the hash. Without a hash, or if it is too long, False after the same time."""
    tried = password[: LONGEST_PASSWORD + 1]
    try:
        _hashed(lambda: _hasher.verify(password_hash or _DUMMY_HASH, tried))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_password_outdated(password_hash: str) -> bool:
    """True when the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def check_password(password: str, *, login: str, words: Iterable[str] = ()) -> None:
    """Raises `Invalid` for one that is too short, too long or easily guessed, or that contains the login or one of
    `words`: names and numbers of the person and the centre.
    """
    if len(password) < LEAST_PASSWORD_LENGTH:
        raise Invalid(
            field="password",
            problem=Text("is shorter than %(least)s characters", least=LEAST_PASSWORD_LENGTH),
        )
    if len(password) > LONGEST_PASSWORD:
        raise Invalid(
            field="password", problem=Text("is longer than %(most)s characters", most=LONGEST_PASSWORD)
        )
    lower = password.lower()
    if login and login in lower:
        raise Invalid(field="password", problem="contains the login")
    if len(set(password)) < _FEWEST_CHARACTERS:
        raise Invalid(field="password", problem="repeats too few characters")
    known = _known(words)
    if any(word in lower or word in re.sub(r"[\s.-]", "", lower) for word in known):
        raise Invalid(
            field="password", problem="contains a name or a number that others know", fix="leave it out"
        )
    from zxcvbn import zxcvbn  # its dictionaries take 12 MB, and hours pass without a new password

    if zxcvbn(password[:_SCORED], user_inputs=[login, *known])["score"] < _LEAST_SCORE:
        raise Invalid(
            field="password",
            problem="is easily guessed",
            fix="take several words that do not belong together",
        )


def _known(words: Iterable[str]) -> list[str]:
    """The words in each form that a guess would try: names whole and by their words, numbers by their digits."""
    found = set(_COMMON)
    for word in words:
        lower = word.lower()
        found.update({"".join(lower.split()), *lower.split()})
        found.add(re.sub(r"[^0-9]", "", lower))
    return sorted(word for word in found if len(word) >= (2 if not word.isascii() else _LEAST_WORD))


def temporary_password() -> str:
    """A random password, easy to read out, to be changed at the first sign-in; about 59 bits."""
    return random_groups(_GROUPS, _GROUP)


def random_groups(groups: int, length: int) -> str:
    """Random letters and digits that are easy to read out, in groups; about 5 bits each."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(length)) for _ in range(groups))
