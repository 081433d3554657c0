"""Where the boxes and lines of a layered graph go: every line runs down, the main way straight along the left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_GAP_X = 36.0
_GAP_Y = 54.0
_LABEL_HEIGHT = 24.0
_LABEL_GAP = 6.0
_THREAD = 14.0
"""The room that a passing line takes among the boxes of a row."""
_MARGIN = 20.0
_SWEEPS = 10
_ENTRY = 18.0
_FIXED = 1e9
_STRAIGHT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One line; `label_width` 0: it bears no label."""

    start: str
    to: str
    label_width: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`path` as SVG writes it. The label's place is its upper left corner. `upward`: it leads back."""

    link: Link
    path: str
    label_x: float = 0.0
    label_y: float = 0.0
    upward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    width: float
    height: float
    places: Mapping[str, tuple[float, float]]
    """Upper left corners."""
    lines: tuple[Line, ...]


@dataclass(slots=True)
class _Spot:
    """A box, or the place where a long line passes a row; `name` tells them apart."""

    name: str
    row: int
    width: float
    height: float
    is_box: bool
    is_main: bool
    above: list[_Spot] = field(default_factory=list)
    below: list[_Spot] = field(default_factory=list)
    x: float = 0.0
    """The middle."""
    y: float = 0.0


def draw(
    sizes: Mapping[str, tuple[float, float]], links: Sequence[Link], main: Sequence[str] = ()
) -> Drawing:
    """`sizes` are width and height by box, `main` the boxes of the way that stays on the left."""
    backward = _backward(sizes, links)
    downward = [(link.to, link.start) if link in backward else (link.start, link.to) for link in links]
    rows = _rows(sizes, downward)
    along = set(pairwise(main))
    spots = {
        name: _Spot(name, rows[name], width, height, is_box=True, is_main=name in main)
        for name, (width, height) in sizes.items()
    }
    threads = {
        link: _thread(spots, start, to, is_main=(start, to) in along)
        for link, (start, to) in zip(links, downward, strict=True)
    }
    layers = _layers(spots.values())
    _order(layers)
    _across(layers)
    labels = {name: _labels([link for link in links if link.start == name], threads) for name in sizes}
    width = _aside(spots.values(), labels)
    height = _down(layers, labels)
    entries = _entries(links, spots, threads)
    lines = tuple(
        _line(
            link,
            threads[link],
            start=spots[link.start],
            to=spots[link.to],
            at=labels[link.start].at[link],
            entry=entries[link],
            upward=link in backward,
        )
        for link in links
    )
    places = {name: (spots[name].x - spots[name].width / 2, spots[name].y) for name in sizes}
    return Drawing(width=width, height=height, places=places, lines=lines)


def _backward(sizes: Mapping[str, tuple[float, float]], links: Sequence[Link]) -> frozenset[Link]:
    """Links that lead back to where they came from."""
    ways: dict[str, list[Link]] = {name: [] for name in sizes}
    for link in links:
        ways[link.start].append(link)
    state: dict[str, int] = {}
    found: set[Link] = set()

    def visit(name: str) -> None:
        state[name] = 1
        for link in ways[name]:
            if state.get(link.to) == 1:
                found.add(link)
            elif link.to not in state:
                visit(link.to)
        state[name] = 2

    for name in sizes:
        if name not in state:
            visit(name)
    return frozenset(found)


def _rows(sizes: Mapping[str, object], downward: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Each box below everything that leads to it."""
    into: dict[str, list[str]] = {name: [] for name in sizes}
    for start, to in downward:
        if start != to:
            into[to].append(start)
    rows: dict[str, int] = {}

    def row(name: str) -> int:
        if name not in rows:
            rows[name] = 1 + max((row(start) for start in into[name]), default=-1)
        return rows[name]

    for name in sizes:
        row(name)
    return rows


def _thread(spots: dict[str, _Spot], start: str, to: str, *, is_main: bool) -> list[_Spot]:
    """The spots that a line passes from box to box."""
    passed = [spots[start]]
    for row in range(spots[start].row + 1, spots[to].row):
        spot = _Spot(f"{start}>{to}>{row}", row, _THREAD, 0.0, is_box=False, is_main=is_main)
        spots[spot.name] = spot
        passed.append(spot)
    passed.append(spots[to])
    for upper, lower in pairwise(passed):
        upper.below.append(lower)
        lower.above.append(upper)
    return passed


def _layers(spots: Iterable[_Spot]) -> list[list[_Spot]]:
    layers: list[list[_Spot]] = []
    for spot in spots:
        while len(layers) <= spot.row:
            layers.append([])
        layers[spot.row].append(spot)
    return layers


def _order(layers: list[list[_Spot]]) -> None:
    """Within each row so that few lines cross; what is on the main way stays first."""
    best = [list(layer) for layer in layers]
    fewest = _crossings(layers)
    for sweep in range(_SWEEPS):
        turned = layers if sweep % 2 == 0 else list(reversed(layers))
        for layer in turned:
            places = {spot.name: place for row in layers for place, spot in enumerate(row)}
            own = {spot.name: place for place, spot in enumerate(layer)}

            def middle(
                spot: _Spot,
                places: Mapping[str, int] = places,
                own: Mapping[str, int] = own,
                sweep: int = sweep,
            ) -> tuple[bool, float, int]:
                near = spot.above if sweep % 2 == 0 else spot.below
                found = [places[other.name] for other in near]
                return (
                    not spot.is_main,
                    sum(found) / len(found) if found else own[spot.name],
                    own[spot.name],
                )

            layer.sort(key=middle)
        crossed = _crossings(layers)
        if crossed < fewest:
            fewest, best = crossed, [list(layer) for layer in layers]
    for layer, kept in zip(layers, best, strict=True):
        layer[:] = sorted(kept, key=lambda spot: not spot.is_main)


def _crossings(layers: Sequence[Sequence[_Spot]]) -> int:
    crossed = 0
    for upper, lower in pairwise(layers):
        places = {spot.name: place for place, spot in enumerate(lower)}
        ends = [(start, places[to.name]) for start, spot in enumerate(upper) for to in spot.below]
        crossed += sum(a[0] < b[0] and a[1] > b[1] for a in ends for b in ends)
    return crossed


def _across(layers: Sequence[Sequence[_Spot]]) -> None:
    """Each spot as near to below and above its neighbours as the row's order lets it."""
    widest = max((spot.width for layer in layers for spot in layer), default=0.0)
    for layer in layers:
        right = 0.0
        for spot in layer:
            spot.x = right + spot.width / 2
            right += spot.width + _GAP_X
    for sweep in range(6 * _SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _settle(layer, both=sweep >= _SWEEPS, widest=widest)


def _settle(layer: Sequence[_Spot], *, both: bool, widest: float) -> None:
    """Least squares under the distances that must be kept (pool adjacent violators)."""
    offsets = [0.0]
    for before, spot in pairwise(layer):
        gap = _GAP_X if before.is_box or spot.is_box else _GAP_X / 3
        offsets.append(offsets[-1] + (before.width + spot.width) / 2 + gap)
    blocks: list[list[float]] = []
    for spot, offset in zip(layer, offsets, strict=True):
        near = [*spot.above, *spot.below] if both else (spot.above or spot.below)
        if spot.is_main:
            wanted, weight = 0.0, _FIXED
        else:
            wanted = sum(other.x for other in near) / len(near) if near else spot.x
            weight = 1.0 if spot.is_box else 4.0
        blocks.append([wanted - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value, heavy, many = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + value * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += many
    # Nothing is farther left than the boxes of the main way.
    least = (layer[0].width - widest) / 2
    values = [max(value, least) for value, _, many in blocks for _ in range(int(many))]
    for spot, offset, value in zip(layer, offsets, values, strict=True):
        spot.x = value + offset


@dataclass(frozen=True, slots=True)
class _Labels:
    """Of one box: each link's middle from the box's middle, and which line of labels it stands in."""

    at: Mapping[Link, tuple[float, int]]
    lines: int


def _labels(links: Sequence[Link], threads: Mapping[Link, Sequence[_Spot]]) -> _Labels:
    """Side by side below their box, in the order in which the lines part; a second line where they are too wide."""
    ordered = sorted(links, key=lambda link: _next_x(threads[link], link))
    width = threads[ordered[0]][0].width + _GAP_X - _LABEL_GAP if ordered else 0.0
    together = sum(link.label_width or _ENTRY for link in ordered) + _LABEL_GAP * (len(ordered) - 1)
    many = 1 if together <= width else 2
    at: dict[Link, tuple[float, int]] = {}
    for line in range(many):
        own = ordered[line::many]
        left = -(sum(link.label_width or _ENTRY for link in own) + _LABEL_GAP * (len(own) - 1)) / 2
        for link in own:
            wide = link.label_width or _ENTRY
            at[link] = (left + wide / 2, line)
            left += wide + _LABEL_GAP
    has_label = any(link.label_width for link in links)
    return _Labels(at=at, lines=many if has_label else 0)


def _next_x(thread: Sequence[_Spot], link: Link) -> float:
    return thread[1].x if thread[0].name == link.start else thread[-2].x


def _aside(spots: Iterable[_Spot], labels: Mapping[str, _Labels]) -> float:
    """Everything moved to the right until nothing is beyond the margin; the width that it takes."""
    left, right = 0.0, 0.0
    spots = list(spots)
    for spot in spots:
        reach = [spot.width / 2]
        if spot.is_box:
            reach += [
                abs(middle) + link.label_width / 2 for link, (middle, _) in labels[spot.name].at.items()
            ]
        left, right = min(left, spot.x - max(reach)), max(right, spot.x + max(reach))
    for spot in spots:
        spot.x += _MARGIN - left
    return right - left + 2 * _MARGIN


def _down(layers: Sequence[Sequence[_Spot]], labels: Mapping[str, _Labels]) -> float:
    y = _MARGIN
    for layer in layers:
        tall = max((spot.height for spot in layer), default=0.0)
        lines = max((labels[spot.name].lines for spot in layer if spot.is_box), default=0)
        below = lines * (_LABEL_HEIGHT + _LABEL_GAP)
        for spot in layer:
            spot.y = y
            if not spot.is_box:
                spot.height = tall + below
        y += tall + below + _GAP_Y
    return y - _GAP_Y + _MARGIN


def _entries(
    links: Sequence[Link], spots: Mapping[str, _Spot], threads: Mapping[Link, Sequence[_Spot]]
) -> Mapping[Link, float]:
    """Where each line meets the box that it leads to, from the box's middle."""
    found: dict[Link, float] = {}
    for name in {link.to for link in links}:
        into = [link for link in links if link.to == name]
        into.sort(key=lambda link: threads[link][-2].x if threads[link][-1].name == name else 0.0)
        step = min(_ENTRY, spots[name].width * 0.7 / max(1, len(into)))
        for place, link in enumerate(into):
            found[link] = (place - (len(into) - 1) / 2) * step
    return found


def _line(
    link: Link,
    thread: Sequence[_Spot],
    *,
    start: _Spot,
    to: _Spot,
    at: tuple[float, int],
    entry: float,
    upward: bool,
) -> Line:
    middle, row = at
    x = start.x + middle
    bottom = start.y + start.height
    label_y = bottom + _LABEL_GAP + row * (_LABEL_HEIGHT + _LABEL_GAP)
    begin = label_y + _LABEL_HEIGHT if link.label_width else bottom
    if upward:
        side = max(start.x + start.width / 2, to.x + to.width / 2) + _GAP_X / 2
        edge, level = to.x + to.width / 2, to.y + to.height / 2
        path = (
            f"M{x:.1f} {begin:.1f}C{x:.1f} {begin + _GAP_Y:.1f} {side:.1f} {begin + _GAP_Y:.1f} "
            f"{side:.1f} {start.y:.1f}L{side:.1f} {level + _GAP_Y:.1f}"
            f"C{side:.1f} {level:.1f} {side:.1f} {level:.1f} {edge:.1f} {level:.1f}"
        )
    else:
        points = [(x, begin)]
        for spot in thread[1:-1]:
            points += [(spot.x, spot.y), (spot.x, spot.y + spot.height)]
        points.append((to.x + entry, to.y))
        path = _curve(points)
    return Line(link=link, path=path, label_x=x - link.label_width / 2, label_y=label_y, upward=upward)


def _curve(points: Sequence[tuple[float, float]]) -> str:
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in pairwise(points):
        if abs(x - to_x) < _STRAIGHT:
            path += f"L{to_x:.1f} {to_y:.1f}"
        else:
            half = (y + to_y) / 2
            path += f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"
    return path
