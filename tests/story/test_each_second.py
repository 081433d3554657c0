"""Whoever interrupts, says 喂, stays silent, presses wrong keys or hangs up in any second: nothing counts as heard that
was not, and the case goes on. All of these people are called at the same time, by the carrier that is shipped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from carrier.people import Behaviour
from dialer.core.reach import Hearing
from dialer.core.values import Grade
from dialer.scripts.dialogue import Context, start
from dialer.scripts.rendered import shipped_script
from tests.control.scene import Scene
from tests.story.world import World, world

pytestmark = pytest.mark.story

LAST_SECOND = 50
QUICK = {"ring_after_seconds": (1, 1), "answer_after_seconds": (2, 2), "key_after_seconds": (1, 1)}
NO_SUCCESS = {
    "presses_one_wrong_key_always": {"keys": ("7",) * 9},
    "presses_hash": {"keys": ("#",) * 9},
    "says_wei_and_nothing_else": {"says": ("喂", "喂", "喂", "喂")},
    "says_wei_and_hangs_up": {"says": ("喂",), "hang_up_after_seconds": (16, 16)},
    "silent": {},
    "silent_after_the_identity": {"keys": ("1",)},
    "talks_of_something_else": {"says": ("吃了吗", "天气不错", "我在开车", "吃了吗")},
    "forwarded_silent": {"line_result": "forwarded"},
    "forwarded_and_all_right_keys": {"keys": ("1", "1", "1"), "line_result": "forwarded"},
    "forwarded_and_all_right_keys_at_once": {
        "keys": ("1", "1", "1"),
        "key_after_seconds": (0, 0),
        "line_result": "forwarded",
    },
}
INTERRUPTS = {
    f"presses_{key}_at_once": {"keys": (key,) * 9, "key_after_seconds": (0, 0)} for key in "123490"
} | {
    "says_wei_and_then_answers": {"says": ("喂",), "keys": ("", "1", "1", "1")},
    "answers_at_once_and_is_silent_at_the_end": {"keys": ("1", "1"), "key_after_seconds": (0, 0)},
}
"""May be a success only if all of the warning was heard."""


@pytest.fixture
async def slower(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    """At a clock whose second is long beside the time that a webhook takes."""
    scene = Scene(fresh_database)
    try:
        async with world(scene, tmp_path / "carrier", speed=15.0) as made:
            yield made
    finally:
        scene.close()


def _people() -> Mapping[str, Behaviour]:
    seconds = {
        f"hangs_up_in_second_{second}": {"keys": ("1", "1", "1"), "hang_up_after_seconds": (second, second)}
        for second in range(LAST_SECOND)
    }
    kinds = {**NO_SUCCESS, **INTERRUPTS, **seconds}
    return {name: Behaviour(name=name, share=1, **{**QUICK, **kind}) for name, kind in kinds.items()}


def _warning_seconds() -> float:
    """How long the sentences before the first question are, by their sound."""
    rendered = shipped_script("loan")
    turn = start(rendered.script, Context(language="zh", clips=rendered.files_by_text))
    return sum(
        rendered.seconds[file]
        for utterance in turn.utterances
        if utterance.must_say
        for file in utterance.audio or ()
    )


async def test_nothing_counts_as_heard_that_was_not_and_every_other_case_goes_on(slower: World):
    w = slower
    cases = {
        name: w.open_case(grade=Grade.HIGH, behaviour=behaviour) for name, behaviour in _people().items()
    }
    await w.until_over(*cases.values())
    successes, warning, cut_short = set(), _warning_seconds(), 0
    for name, case_id in cases.items():
        row, case = w.attempt(case_id), w.scene.case_of(case_id)
        hearing = Hearing.of(row["hearing"])
        claims = row["contact"] == "verified" and row["answer"] in {"acknowledged", "saw_through"}
        if case.status == "watching":
            successes.add(name)
            assert claims, name
            # The farewell is said after the answer, and proves nothing.
            assert set(hearing.missed) <= {"common.goodbye"}, name
            assert {"common.opening", "common.caution", "loan.warn"} <= hearing.whole, name
        else:
            assert case.status == "open", name
            assert len(w.scene.attempts_of(case_id)) > 1 or w.scene.assignments_of(case_id), name
        if row["result"] == "answered":
            assert hearing.prompts or name == "hangs_up_in_second_0", name
        # By how long the call was: beside other work a person hangs up later than told, and has heard more.
        if name.startswith("hangs_up_in_second_") and (row["talk_seconds"] or 0) < warning - 1:
            cut_short += 1
            assert row["contact"] == "none", name
            assert row["answer"] != "acknowledged", name
        if name.startswith("forwarded"):
            assert (row["result"], row["contact"]) == ("forwarded", "none"), name
    assert cut_short, "people hung up during the warning"
    assert not successes & NO_SUCCESS.keys()
    assert "says_wei_and_then_answers" in successes
    early = {f"hangs_up_in_second_{second}" for second in range(30)}
    assert not successes & early
