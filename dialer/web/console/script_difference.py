"""What two versions of a script say differently: the lines of their files beside each other, changed words marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from dialer.store.scripts import Version

_AROUND = 3
_WORDS = re.compile(r"[A-Za-z0-9_]+|\s+|.")
_ALIKE = 0.3
"""Lines less alike than this are shown as two, not as one that was changed."""


class Change(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    SKIPPED = "skipped"
    """Lines that are in both and left out here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    text: str
    is_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """`old` and `new` are the line's numbers in either file; 0 where it is not in that one."""

    change: Change
    old: int = 0
    new: int = 0
    pieces: tuple[Piece, ...] = ()
    many: int = 0
    """Of lines skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    file: str
    lines: tuple[DiffLine, ...]


def difference(old: Version, new: Version) -> tuple[FileDifference, ...]:
    """Of the script's own file and of every file that it takes in; files that are the same are left out."""
    before = {new.file: old.source} | dict(old.bases.values())
    after = {new.file: new.source} | dict(new.bases.values())
    return tuple(
        FileDifference(file=file, lines=tuple(compare(before.get(file, ""), after.get(file, ""))))
        for file in dict.fromkeys([*after, *before])
        if before.get(file, "") != after.get(file, "")
    )


def compare(before: str, after: str) -> Iterator[DiffLine]:
    """Changed lines with those around them."""
    old, new = before.splitlines(), after.splitlines()
    end = 0
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND):
        if group[0][1] > end:
            yield DiffLine(change=Change.SKIPPED, many=group[0][1] - end)
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                for place in range(i2 - i1):
                    yield DiffLine(
                        change=Change.SAME,
                        old=i1 + place + 1,
                        new=j1 + place + 1,
                        pieces=_whole(old[i1 + place]),
                    )
            else:
                yield from _changed(old[i1:i2], new[j1:j2], i1, j1)
        end = group[-1][2]
    if end < len(old):
        yield DiffLine(change=Change.SKIPPED, many=len(old) - end)


def _changed(old: Sequence[str], new: Sequence[str], i: int, j: int) -> Iterator[DiffLine]:
    paired = dict(zip(range(len(old)), range(len(new)), strict=False))
    marked: dict[tuple[str, int], tuple[Piece, ...]] = {}
    for left, right in paired.items():
        removed, added = _words(old[left], new[right])
        marked["old", left], marked["new", right] = removed, added
    for place, line in enumerate(old):
        yield DiffLine(
            change=Change.REMOVED, old=i + place + 1, pieces=marked.get(("old", place), _whole(line))
        )
    for place, line in enumerate(new):
        yield DiffLine(
            change=Change.ADDED, new=j + place + 1, pieces=marked.get(("new", place), _whole(line))
        )


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return _whole(old), _whole(new)
    removed, added = [], []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if i1 < i2:
            removed.append(Piece(text="".join(a[i1:i2]), is_changed=kind != "equal"))
        if j1 < j2:
            added.append(Piece(text="".join(b[j1:j2]), is_changed=kind != "equal"))
    return tuple(removed), tuple(added)


def _whole(line: str) -> tuple[Piece, ...]:
    return (Piece(text=line),) if line else ()
