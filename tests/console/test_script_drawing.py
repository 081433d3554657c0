"""The drawn graph: boxes apart, lines from box to box and down, the main way straight along the left."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from dialer.language import Lang
from dialer.scripts.catalogue import shipped
from dialer.usecases.editions import shipped_edition
from dialer.usecases.script_book import node_views
from dialer.web.console.graph_layout import Drawing, Link, draw
from dialer.web.console.script_drawing import ANYWHERE, Picture, main_way, picture
from dialer.web.console.script_view import cards, in_order

SIZE = (100.0, 40.0)


def drawn(script_id: str, lang: Lang = Lang.ZH) -> Picture:
    edition = shipped_edition(script_id)
    shown = cards(edition.script, node_views(edition.script, edition.clips), (), lang)
    return picture(edition.script, shown, lang, lang.value)


def numbers(path: str) -> list[float]:
    return [float(one) for one in re.findall(r"-?\d+\.\d", path)]


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("script_id", sorted(shipped()))
def test_no_box_covers_another_and_all_are_on_the_picture(script_id: str, lang: Lang):
    found = drawn(script_id, lang)
    assert {box.card.id if box.card else ANYWHERE for box in found.boxes} == {
        *shipped()[script_id].nodes,
        ANYWHERE,
    }
    for place, box in enumerate(found.boxes):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= found.width
        assert box.y + box.height <= found.height
        for other in found.boxes[place + 1 :]:
            apart = (
                box.x + box.width <= other.x
                or other.x + other.width <= box.x
                or box.y + box.height <= other.y
                or other.y + other.height <= box.y
            )
            assert apart, (box.card, other.card)


@pytest.mark.parametrize("script_id", sorted(shipped()))
def test_no_label_covers_a_box_or_another_label(script_id: str):
    found = drawn(script_id)
    labels = [
        (arrow.line.label_x, arrow.line.label_y, arrow.width, 24.0) for arrow in found.arrows if arrow.answers
    ]
    boxes = [(box.x, box.y, box.width, box.height) for box in found.boxes]
    for place, one in enumerate(labels):
        assert one[0] >= 0
        assert one[0] + one[2] <= found.width
        for other in [*labels[place + 1 :], *boxes]:
            assert (
                one[0] + one[2] <= other[0]
                or other[0] + other[2] <= one[0]
                or one[1] + one[3] <= other[1]
                or other[1] + other[3] <= one[1]
            ), (one, other)


@pytest.mark.parametrize("script_id", sorted(shipped()))
def test_the_main_way_runs_straight_down_the_left(script_id: str):
    found = drawn(script_id)
    boxes = {box.card.id: box for box in found.boxes if box.card}
    way = main_way(shipped()[script_id])
    assert len({round(boxes[name].x) for name in way}) == 1
    assert all(boxes[name].y < boxes[after].y for name, after in pairwise(way))
    assert min(box.x for box in found.boxes) == pytest.approx(boxes[way[0]].x)


@pytest.mark.parametrize("script_id", sorted(shipped()))
def test_every_answer_has_its_line_between_its_boxes(script_id: str):
    script, found = shipped()[script_id], drawn(script_id)
    boxes = {box.card.id if box.card else ANYWHERE: box for box in found.boxes}
    for arrow in found.arrows:
        *_, end_x, end_y = numbers(arrow.line.path)
        target = boxes[arrow.to]
        assert target.x <= end_x <= target.x + target.width
        assert abs(end_y - target.y) < 0.2
    keys = {(arrow.start, answer.key) for arrow in found.arrows for answer in arrow.answers if answer.key}
    for node in script.nodes.values():
        assert {(node.id, key) for key in getattr(node, "choices", {})} <= keys


def test_a_way_back_is_drawn_upward_and_nothing_hangs():
    links = [
        Link(start="a", to="b"),
        Link(start="b", to="c"),
        Link(start="c", to="a"),
        Link(start="c", to="c"),
    ]
    found: Drawing = draw(dict.fromkeys("abc", SIZE), links, ["a", "b", "c"])
    assert [line.upward for line in found.lines] == [False, False, True, True]
    assert found.places["a"][1] < found.places["b"][1] < found.places["c"][1]


def test_nothing_is_drawn_of_nothing():
    assert draw({}, []).lines == ()


def test_the_list_has_every_node_once_from_the_start_on():
    for script in shipped().values():
        order = in_order(script)
        assert order[0] == script.start
        assert sorted(order) == sorted(script.nodes)
