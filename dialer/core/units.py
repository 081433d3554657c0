"""The organisation as a tree of any depth, the unit that a text in a list means, and similar names to choose from."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from dialer.core.errors import NotFound

_LEAST_SIMILARITY: Final = 0.22
"""Below this, names share little but their ending."""


class Similarity:
    """Similar names by their characters and pairs of characters; the rarer one is among the names, the more
    it weighs.
    """

    def __init__(self, names: Mapping[int, Iterable[str]]) -> None:
        """`names`: how each unit may be written, normalised."""
        self._variants: list[tuple[int, float]] = []
        self._holders: dict[str, list[int]] = {}
        grams = [(unit_id, _grams(name)) for unit_id, several in names.items() for name in set(several)]
        held = Counter(gram for _, own in grams for gram in own)
        self._worth = {gram: math.log(1 + len(grams) / n) for gram, n in held.items()}
        self._strange = math.log(1 + len(grams))
        for place, (unit_id, own) in enumerate(grams):
            self._variants.append((unit_id, sum(self._worth[gram] for gram in own)))
            for gram in own:
                self._holders.setdefault(gram, []).append(place)

    def near(self, key: str, *, most: int) -> list[int]:
        """The ids of the units that look most like this normalised text, best first."""
        wanted = _grams(key)
        whole = sum(self._worth.get(gram, self._strange) for gram in wanted)
        shared: dict[int, float] = {}
        for gram in wanted:
            for place in self._holders.get(gram, ()):
                shared[place] = shared.get(place, 0.0) + self._worth[gram]
        best: dict[int, float] = {}
        for place, worth in shared.items():
            unit_id, own = self._variants[place]
            best[unit_id] = max(best.get(unit_id, 0.0), 2 * worth / (whole + own))
        liked = sorted(best.items(), key=lambda one: (-one[1], one[0]))
        return [unit_id for unit_id, similarity in liked[:most] if similarity >= _LEAST_SIMILARITY]


def _grams(key: str) -> set[str]:
    return set(key) | {key[place : place + 2] for place in range(len(key) - 1)}


SEPARATOR: Final = "/"
"""Between the names of a path, as in 五原县公安局/城关派出所."""
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    id: int
    name: str
    parent_id: int | None
    level: str
    """What the centre calls its level, such as 市, 县 or 所; nothing depends on it."""
    path: tuple[int, ...]
    """The ids from the root down to this one."""
    active: bool
    """False: closed. It keeps its records and gets no new ones."""


_Kind = Literal["bureau", "station"]

_ENDINGS: Final[tuple[tuple[str, _Kind], ...]] = (
    ("公安派出所", "station"),
    ("派出所", "station"),
    ("公安分局", "bureau"),
    ("公安局", "bureau"),
    ("分局", "bureau"),
)
"""Longest first. Endings of one kind are used for each other; a bureau is never a station."""

_SHORT_ENDING: Final = "所"


def normalised(text: str) -> str:
    """Letters and digits only, half-width and lower case: what two spellings of one name have in common."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


def _stem(key: str) -> tuple[str, _Kind | None]:
    for ending, kind in _ENDINGS:
        if key.endswith(ending) and len(key) > len(ending):
            return key.removesuffix(ending), kind
    return key, None


def _bare(key: str) -> str:
    """The name without its ending; '' where there is nothing else."""
    if any(key == ending for ending, _ in _ENDINGS):
        return ""
    return _stem(key)[0].removesuffix(_SHORT_ENDING)


class UnitIndex:
    """Finds units by the text in lists. A text that could mean two units means none: a person decides."""

    def __init__(self, units: Iterable[Unit] = (), aliases: Mapping[str, int] | None = None) -> None:
        """`aliases`: the unit of each normalised text, as people have taught it; they take precedence."""
        self._units = {unit.id: unit for unit in units}
        self._aliases = dict(aliases or {})
        self._exact: dict[str, set[int]] = {}
        self._stems: dict[tuple[str, _Kind | None], set[int]] = {}
        self._names: dict[str, int] = {}
        self._found: dict[str, Unit | None] = {}
        for unit in self._units.values():
            self._names[unit.name] = self._names.get(unit.name, 0) + 1
            if unit.active:
                self._enter(unit)

    def __len__(self) -> int:
        return len(self._units)

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._units.values())

    def __contains__(self, text: object) -> bool:
        """True for a text that finds its unit."""
        return isinstance(text, str) and self.find(text) is not None

    def __getitem__(self, unit_id: int) -> Unit:
        return self._units[unit_id]

    def get(self, unit_id: int) -> Unit | None:
        return self._units.get(unit_id)

    def find(self, text: str) -> Unit | None:
        """The one active unit that this text can mean; None for none, and for more than one."""
        if text not in self._found:
            meant = self.candidates(text)
            self._found[text] = meant[0] if len(meant) == 1 else None
        return self._found[text]

    def candidates(self, text: str) -> tuple[Unit, ...]:
        """Every active unit that this text could mean; more than one, and a person must say which."""
        return tuple(self._units[one] for one in sorted(self._meant(normalised(text))))

    def near(self, text: str, *, most: int = 3) -> tuple[Unit, ...]:
        """Active units whose names look like this text, best first: suggestions for a person."""
        key = _bare(normalised(text))
        return tuple(self._units[one] for one in self._similarity.near(key, most=most))

    def names(self, unit_id: int) -> tuple[str, ...]:
        """From the root down."""
        return tuple(self._units[step].name for step in self._units[unit_id].path)

    def label(self, unit_id: int) -> str:
        """Its name, with its parent's before it where another unit has the same name."""
        unit = self._units[unit_id]
        if self._names[unit.name] == 1 or unit.parent_id is None:
            return unit.name
        return self._units[unit.parent_id].name + SEPARATOR + unit.name

    def _meant(self, key: str) -> set[int]:
        if not key:
            return set()
        if key in self._aliases:
            unit = self._units.get(self._aliases[key])
            return {unit.id} if unit is not None and unit.active else set()
        found = self._exact.get(key)
        if found is None:
            stem, kind = _stem(key)
            kinds: tuple[_Kind | None, ...] = (kind,) if kind is not None else ("bureau", "station", None)
            found = set().union(*(self._stems.get((stem, one), set()) for one in kinds))
        return found

    @cached_property
    def _similarity(self) -> Similarity:
        names: dict[int, list[str]] = {}
        for unit in self._units.values():
            if unit.active:
                own = _bare(normalised(unit.name))
                above = _bare(normalised(self._units[unit.parent_id].name)) if unit.parent_id else ""
                names[unit.id] = [own, above + own]
        for key, unit_id in self._aliases.items():
            if unit_id in names:
                names[unit_id].append(_bare(key))
        return Similarity(names)

    def _enter(self, unit: Unit) -> None:
        own = normalised(unit.name)
        stem, kind = _stem(own)
        for before in self._prefixes(unit):
            self._exact.setdefault(before + own, set()).add(unit.id)
            self._stems.setdefault((before + stem, kind), set()).add(unit.id)

    def _prefixes(self, unit: Unit) -> set[str]:
        """How the units above are written before a name: not at all, one of them, or all of them down from one."""
        above = [normalised(self._units[step].name) for step in unit.path[:-1]]
        found = {""}
        for place, name in enumerate(above):
            found |= {name, _stem(name)[0], "".join(above[place:])}
        return found


def find_unit(index: UnitIndex, text: str) -> Unit:
    """By its number, its name, its path or an alias. Raises `NotFound`."""
    wanted = text.strip()
    unit = index.get(int(wanted)) if wanted.isascii() and wanted.isdecimal() else index.find(wanted)
    if unit is None:
        steps = tuple(step.strip() for step in wanted.split(SEPARATOR))
        same = [one for one in index if index.names(one.id)[-len(steps) :] == steps]
        unit = same[0] if len(same) == 1 else None
    if unit is None:
        raise NotFound(kind="unit", key=wanted)
    return unit
