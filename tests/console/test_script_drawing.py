"""What the picture of a script holds: every node, every answer, and the way that is drawn bold."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dialer.core.text import Lang
from dialer.script_versions.overview import node_views
from dialer.script_versions.view import ANYWHERE, Picture, in_order, main_way, picture, script_cards
from dialer.scripts.reading import shipped_scripts
from dialer.scripts.rendered import shipped_script


def drawn(script_id: str, lang: Lang = Lang.ZH) -> Picture:
    rendered = shipped_script(script_id)
    shown = script_cards(rendered.script, node_views(rendered.script, rendered.clips), (), lang)
    return picture(rendered.script, shown, lang, lang.value)


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
def test_every_node_has_a_box(script_id: str, lang: Lang):
    boxes = drawn(script_id, lang).boxes
    assert sorted(box.id for box in boxes) == sorted({*shipped_scripts()[script_id].nodes, ANYWHERE})
    assert all(box.text for box in boxes if box.card is None or box.card.node.kind == "ask")


@pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
def test_every_answer_has_its_arrow_between_two_boxes(script_id: str):
    script, found = shipped_scripts()[script_id], drawn(script_id)
    boxes = {box.id for box in found.boxes}
    assert all({arrow.start, arrow.to} <= boxes for arrow in found.arrows)
    keys = {(arrow.start, answer.key) for arrow in found.arrows for answer in arrow.answers if answer.key}
    for node in script.nodes.values():
        assert {(node.id, key) for key in getattr(node, "choices", {})} <= keys


@pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
def test_the_main_way_is_marked(script_id: str):
    marked = {(arrow.start, arrow.to) for arrow in drawn(script_id).arrows if arrow.is_main}
    assert marked == set(pairwise(main_way(shipped_scripts()[script_id])))


def test_the_list_has_every_node_once_from_the_start_on():
    for script in shipped_scripts().values():
        order = in_order(script)
        assert order[0] == script.start
        assert sorted(order) == sorted(script.nodes)
