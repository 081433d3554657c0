"""Which names look like a text: for a person to choose from, never to decide by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

_LEAST: Final = 0.22
"""Below this a name shares little but its ending."""


class Likeness:
    """Signs and pairs of signs, each worth the more the fewer names have it: 派出所 says next to nothing."""

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
        return [unit_id for unit_id, likeness in liked[:most] if likeness >= _LEAST]


def _grams(key: str) -> set[str]:
    return set(key) | {key[place : place + 2] for place in range(len(key) - 1)}
