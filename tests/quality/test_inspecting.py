"""Calls that were read are judged by the rules in force; rules are versions that a second person approves."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from dialer.core.access import RELEASED_BY, SHIPPED_BY, unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.inspection import Outcome, Side
from dialer.core.values import VersionState
from dialer.db import tables as t
from dialer.quality.actions import CallScore, count_findings, judge_calls
from dialer.quality.inspecting import inspect_due
from dialer.quality.model import Piece
from dialer.quality.store import is_any_uninspected
from dialer.quality.transcribing import transcribe_due
from dialer.quality.versions import (
    approve_rules,
    draft_rules,
    get_version,
    list_versions,
    live_catalogue,
    seed_quality_rules,
    shipped_rules,
)
from tests.control.scene import Scene
from tests.quality.recorded import LoudnessReader, alaw_wav, put_recording, silence, tone
from tests.quality.test_rules import GOOD, says

LI, WANG = unrestricted("li"), unrestricted("wang")
CHANGED = shipped_rules().replace("points = 10", "points = 12", 1)


class Reciter(LoudnessReader):
    """A recogniser that hears this text of ours in the first window."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def read(self, samples: bytes, rate_hz: int, *, side: Side, begin: float, language: str = "") -> Piece:
        words = tuple(says(self.text)) if side is Side.OURS and not begin else ()
        return Piece(words=words, language="zh", speech_seconds=20.0)


@pytest.fixture
def seeded(scene: Scene) -> Scene:
    with scene.tx() as tx:
        seed_quality_rules(tx, now=scene.clock.now())
    return scene


def read_call(scene: Scene, text: str) -> int:
    recording_id = put_recording(scene, scene.case(), alaw_wav(tone(20), silence(20)))
    assert transcribe_due(scene.services, Reciter(text)) == 1
    return recording_id


def row(scene: Scene, recording_id: int) -> dict[str, Any]:
    (found,) = scene.rows(sa.select(t.transcript).where(t.transcript.c.recording_id == recording_id))
    return found


def test_a_call_is_judged_once_it_is_read(seeded: Scene):
    recording_id = read_call(seeded, GOOD.replace("请您千万", "请把收到的验证码告诉我。请您千万"))
    with seeded.tx() as tx:
        assert is_any_uninspected(tx)
    assert inspect_due(seeded.services) == 1
    assert inspect_due(seeded.services) == 0
    judged = judge_calls(seeded.services, [recording_id])[recording_id]
    assert [one.rule for one in judged if one.outcome is Outcome.FAILED] == ["asks_for_secrets"]
    assert [span.end > span.begin > 0 for span in judged[0].spans or ()] in ([], [True])
    score = CallScore.of(judged)
    assert score is not None
    assert (score.gates, score.lost, score.abstained, score.rules) == (1, 0, 0, 12)
    counts = count_findings(seeded.services, visible_to=None)
    assert counts["asks_for_secrets", Outcome.FAILED] == 1
    assert counts["greeting", Outcome.PASSED] == 1


def test_a_call_that_is_not_read_is_not_judged(seeded: Scene):
    recording_id = put_recording(seeded, seeded.case(), alaw_wav(tone(3), tone(3)))
    assert inspect_due(seeded.services) == 0
    assert judge_calls(seeded.services, [recording_id]) == {recording_id: []}
    assert CallScore.of([]) is None


def test_other_rules_judge_every_call_again(seeded: Scene):
    recording_id = read_call(seeded, GOOD.replace("您好，我是市公安局反诈中心的民警。", ""))
    inspect_due(seeded.services)
    number = draft_rules(seeded.services, LI, CHANGED, why="the greeting counts more")
    assert inspect_due(seeded.services) == 0, "a draft judges nothing"
    approve_rules(seeded.services, WANG, number, reason="agreed")
    assert inspect_due(seeded.services) == 1
    judged = judge_calls(seeded.services, [recording_id])[recording_id]
    score = CallScore.of(judged)
    assert score is not None
    assert (score.gates, score.lost) == (0, 12)
    assert row(seeded, recording_id)["inspected_by"] == get_version(seeded.services, number).id
    assert len(judged) == 12, "what the version before said is replaced"


def test_the_rules_of_the_product_are_in_force_at_first(seeded: Scene):
    found = live_catalogue(seeded.services)
    assert found is not None
    assert (found[0].number, found[0].drafted_by, found[0].approved_by) == (1, SHIPPED_BY, RELEASED_BY)
    with seeded.tx() as tx:
        assert not seed_quality_rules(tx, now=seeded.clock.now())


def test_an_upgrade_waits_where_the_centre_has_its_own_rules(seeded: Scene):
    number = draft_rules(seeded.services, LI, CHANGED, why="ours")
    approve_rules(seeded.services, WANG, number, reason="agreed")
    with seeded.tx() as tx:
        assert seed_quality_rules(
            tx, now=seeded.clock.now(), rules=shipped_rules() + "\n# of the next release\n"
        )
    newest, ours, *_ = list_versions(seeded.services)
    assert (newest.state, newest.drafted_by, newest.why) == (VersionState.DRAFT, SHIPPED_BY, "upgrade")
    assert (ours.number, ours.state) == (number, VersionState.APPROVED)
    approve_rules(seeded.services, LI, newest.number, reason="taken over")
    approve_rules(seeded.services, WANG, number, reason="ours were better")
    assert get_version(seeded.services, number).state is VersionState.APPROVED


def test_a_second_person_approves_and_says_why(seeded: Scene):
    services = seeded.services
    with pytest.raises(Invalid):
        draft_rules(services, LI, CHANGED, why=" ")
    with pytest.raises(Invalid):
        draft_rules(services, LI, "[concepts]", why="broken")
    number = draft_rules(services, LI, CHANGED, why="the greeting counts more")
    with pytest.raises(Conflict):
        draft_rules(services, WANG, CHANGED + "\n\n", why="the same")
    with pytest.raises(Conflict):
        approve_rules(services, LI, number, reason="mine")
    with pytest.raises(Invalid):
        approve_rules(services, WANG, number, reason="")
    with pytest.raises(NotFound):
        approve_rules(services, WANG, 99, reason="agreed")
    approve_rules(services, WANG, number, reason="agreed")
    with pytest.raises(Conflict):
        approve_rules(services, WANG, number, reason="again")
    lines = seeded.rows(sa.select(t.audit.c.act, t.audit.c.who).order_by(t.audit.c.id))
    assert [(line["act"], line["who"]) for line in lines] == [
        ("draft_quality_rules", "li"),
        ("approve_quality_rules", "wang"),
    ]


def test_the_database_refuses_ones_own_approval_and_a_change(seeded: Scene):
    with pytest.raises(sa.exc.IntegrityError), seeded.tx() as tx:
        tx.execute(
            sa.insert(t.quality_approval).values(
                version_id=1, drafted_by=SHIPPED_BY, approved_by=SHIPPED_BY, reason="x", at=seeded.clock.now()
            )
        )
    for change in (sa.update(t.quality_version).values(source="x"), sa.delete(t.quality_approval)):
        with pytest.raises(sa.exc.DBAPIError), seeded.tx() as tx:
            tx.execute(change)
