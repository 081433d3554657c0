"""Snapshots as earlier versions wrote them, for the first start after an upgrade: they alone hold the entries of lists
and the contacts that are older than the stored signals. Pure. Nothing else depends on this module: delete it two
releases after format 2.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final

import orjson

from dialer.core.values import FraudType, Grade
from dialer.signals.incidents import PersonState
from dialer.signals.model import FLAGS, Direction, ListKind, Reporter, SignalKind, Topic
from dialer.signals.observations import Facts, Observation

_ROW: Final = Struct("<qBBBHq8s8s")
"""Microseconds, kind, topic or fraud type, grade or reporter, flags, figure, two items."""
_CONTACT: Final = Struct("<8sqq")
_HEAD: Final = Struct("<HIIIIq")
_NO_ITEM: Final = bytes(8)
_MORE_ITEMS: Final = 255
"""The kind of a row with the third and fourth item of the row before."""
_KINDS: Final = (None, *SignalKind)
_TYPED: Final = (SignalKind.PLATFORM_PUSH, SignalKind.REPORT)


def to_format_2(data: bytes) -> bytes:
    """The snapshot of format 1 as one of format 2 without scoring moments, which the evaluator makes anew. Raises
    `ValueError`, `KeyError`, `IndexError`, `TypeError` and `struct.error`.
    """
    text, _, body = data.partition(b"\n")
    head = orjson.loads(text)
    facts: dict[Facts, int] = {}
    lines = []
    place = 0
    while place < len(body):
        *lengths, latest = _HEAD.unpack_from(body, place)
        place += _HEAD.size
        parts = []
        for length in lengths:
            parts.append(body[place : place + length])
            place += length
        key, rows, names, contacts, _ = parts
        if place > len(body):
            raise ValueError(place)
        person = PersonState(
            key=key,
            latest=latest,
            observations=_observations(rows, names, head["sources"], facts),
            contacts={int.from_bytes(item): (first, last) for item, first, last in _CONTACT.iter_unpack(contacts)},
        )  # fmt: skip
        lines.append(person.to_line())
    kinds = {1 << n: kind for n, kind in enumerate(ListKind)}
    converted = {
        "format": 2, "basis": "", "persons": len(lines), "too_late": head["too_late"], "repeated": head["repeated"],
        "facts": [fact.to_list() for fact in facts], "last_change": head["last_change"], "digests": head["closed"],
        "listings": [
            [int(item, 16), [[at, change, kinds[bit], name, entered] for at, change, bit, name, entered in changes]]
            for item, changes in head["listings"].items()
        ],
    }  # fmt: skip
    return b"\n".join((orjson.dumps(converted), *lines))


def _observations(
    rows: bytes, names: bytes, sources: list[str], facts: dict[Facts, int]
) -> list[Observation]:
    found: list[Observation] = []
    for row, name in zip(_ROW.iter_unpack(rows), names.decode().split("\n"), strict=False):
        at, kind, _, _, _, figure, *items = row
        numbers = [int.from_bytes(item) for item in items if item != _NO_ITEM]
        if kind == _MORE_ITEMS:
            found[-1].items.extend(numbers)
            continue
        source, signal_no = name.split("\t")
        its_facts = _facts(row, sources[int(source)])
        place = facts.setdefault(its_facts, len(facts))
        found.append(Observation(at, place, figure, numbers, signal_no))
    return found


def _facts(row: tuple[Any, ...], source: str) -> Facts:
    _, number, first, second, bits, *_ = row
    kind = _KINDS[number]
    if kind is None:
        raise ValueError(number)
    topics, types = (None, *Topic), (None, *FraudType)
    grades, reporters = (None, *Grade), (None, *Reporter)
    return Facts(
        source=source,
        kind=kind,
        direction=Direction.OUT if bits & 1 else Direction.IN,
        topic=None if kind in _TYPED else topics[first],
        fraud_type=types[first] if kind in _TYPED else None,
        grade=grades[second] if kind is SignalKind.PLATFORM_PUSH else None,
        reporter=reporters[second] if kind is SignalKind.REPORT else None,
        flags=frozenset(name for n, name in enumerate(FLAGS, start=1) if bits >> n & 1),
    )
