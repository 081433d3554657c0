"""Versions of scripts: drafted by one person, approved by another, immutable, and kept by the calls that speak them."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from audio.clips import PROMPTS
from dialer.calls.conversation import TurnRequest, choose_script
from dialer.cases.timeline import read_case_file
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.timeline import EntryKind
from dialer.core.values import FraudType, Tag, VersionState
from dialer.db import tables as t
from dialer.script_versions.actions import (
    NotApproved,
    NotRendered,
    approve_script,
    draft_script,
    seed_scripts,
)
from dialer.script_versions.overview import list_scripts, script_versions
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Turn
from dialer.scripts.reading import ScriptUnreadable, shipped_scripts
from tests.calls.conversation import apply_call_event
from tests.scripts.centre import LOAN, ScriptCentre

CLEARER = ("真正的贷款，放款之前一分钱也不收", "真的贷款，放款以前一分钱都不收")


def clearer() -> str:
    assert CLEARER[0] in LOAN
    return LOAN.replace(*CLEARER)


def test_the_shipped_scripts_are_the_first_versions_and_live(centre: ScriptCentre):
    lines = {line.script_id: line for line in list_scripts(centre.services)}
    assert set(lines) == set(shipped_scripts())
    assert {(line.live, line.newest, line.drafts) for line in lines.values()} == {(1, 1, 0)}
    assert lines["loan"].live_hash == shipped_scripts()["loan"].content_hash


def test_a_second_start_seeds_nothing(centre: ScriptCentre):
    with centre.tx() as tx:
        assert seed_scripts(tx, now=centre.clock.now()) == 0


def test_a_draft_is_spoken_by_nobody_until_a_second_person_approves_it(centre: ScriptCentre):
    draft = centre.draft(clearer())
    assert (draft.number, draft.state) == (2, VersionState.DRAFT)
    assert centre.placed(centre.open_case()).script_hash == shipped_scripts()["loan"].content_hash
    with pytest.raises(NotRendered):
        centre.approve(draft)
    centre.render(draft)
    with pytest.raises(Conflict, match="second person"):
        centre.approve(draft, by="甲")
    approved = centre.approve(draft)
    assert approved.is_live
    assert centre.version("loan", 1).state is VersionState.RETIRED
    placed = centre.placed(centre.open_case())
    assert (placed.script_version_id, placed.script_hash) == (draft.id, draft.content_hash)
    assert placed.audio_hash == approved.audio_hash


def test_another_process_speaks_it_within_two_seconds(centre: ScriptCentre):
    other = centre.rendered_scripts()
    before = other.now(centre.clock.now()).live["loan"]
    draft = centre.draft(clearer())
    centre.render(draft)
    centre.approve(draft)
    assert other.now(centre.clock.now()).live["loan"] is before
    centre.clock.advance(2)
    assert other.now(centre.clock.now()).live["loan"].version_id == draft.id


def _next_turn(centre: ScriptCentre, step: TurnRequest) -> Turn:
    turn = apply_call_event(centre.services, step)
    assert turn is not None
    return turn


def test_a_call_keeps_the_version_that_it_was_placed_with(centre: ScriptCentre):
    attempt_id = centre.call()
    first = _next_turn(centre, _step(attempt_id, 0))
    draft = centre.draft(
        LOAN.replace(
            "[nodes.scene]",
            '[nodes.goodbye]\nkind = "end"\ncontact = "verified"\n'
            'answer = "acknowledged"\nurgency = "none"\nmust_say = true\nzh = "好的。不要转账，再见。"\n'
            'en = "Good. Do not transfer money. Goodbye."\n\n[nodes.scene]',
            1,
        )
    )
    centre.render(draft)
    centre.approve(draft)
    centre.clock.advance(5)
    turn = first
    for number in range(1, 4):
        assert turn.ask is not None
        centre.clock.advance(60)
        turn = _next_turn(centre, _step(attempt_id, number, turn, "1"))
    assert turn.end is not None
    assert turn.utterances[-1].text.startswith("谢谢您")


def test_the_case_says_which_version_and_sound_a_call_spoke(centre: ScriptCentre):
    attempt_id = centre.call()
    row = centre.rows(sa.select(t.attempt).where(t.attempt.c.id == attempt_id))[0]
    with centre.tx() as tx:
        timeline = read_case_file(tx, row["case_id"]).timeline
    sent = next(entry for entry in timeline if entry.kind is EntryKind.ATTEMPT_SENT)
    version = centre.version("loan", 1)
    assert sent.facts == {
        "n": 1,
        "script": "loan",
        "version": 1,
        "script_hash": version.content_hash,
        "audio_hash": version.audio_hash,
    }


def test_an_older_version_is_gone_back_to_by_approving_it_again(centre: ScriptCentre):
    draft = centre.draft(clearer())
    centre.render(draft)
    centre.approve(draft)
    old = centre.version("loan", 1)
    assert centre.approve(old, by="丙").is_live
    assert centre.version("loan", 2).state is VersionState.RETIRED
    assert choose_script(centre.services, FraudType.LOAN, ()).content_hash == old.content_hash
    assert [len(v.approvals) for v in script_versions(centre.services, "loan")] == [1, 2]


def test_findings_refuse_approval_and_name_file_node_and_line(centre: ScriptCentre):
    text = LOAN.replace(
        "[nodes.scene]",
        '[nodes.lonely]\nkind = "say"\nzh = "请点击链接。"\nnext = "acknowledge"\n\n[nodes.scene]',
        1,
    )
    draft = centre.draft(text)
    line = 1 + text[: text.index("[nodes.lonely]")].count("\n")
    with pytest.raises(NotApproved, match=rf"loan-2.toml:{line}: lonely") as refused:
        centre.approve(draft)
    assert {finding.rule for finding in refused.value.findings} >= {"reachable", "asks"}


def test_a_file_that_is_no_script_is_no_draft(centre: ScriptCentre):
    with pytest.raises(ScriptUnreadable, match=r"loan-2.toml:\d+"):
        centre.draft(LOAN.replace('next = "acknowledge"', 'next = "nowhere"', 1))
    assert len(script_versions(centre.services, "loan")) == 1


def test_the_same_words_are_one_version(centre: ScriptCentre):
    with pytest.raises(Conflict, match="version 1 of loan"):
        centre.draft(LOAN)


def test_a_prompt_without_the_scripts_own_language_is_refused(centre: ScriptCentre):
    silent = "\n".join(line for line in LOAN.splitlines() if not line.startswith('zh = "请注意'))
    draft = centre.draft(silent)
    centre.render(draft)
    with pytest.raises(NotApproved, match="warn: has no text in Mandarin, and Mandarin has no fallback"):
        centre.approve(draft)


def test_whoever_drafts_has_a_name_of_their_own(centre: ScriptCentre):
    for by in (
        "",
        "  ",
        "shipped",
        "x" * 101,
    ):
        with pytest.raises(Invalid):
            draft_script(centre.services, unrestricted(by), clearer())


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_an_approval_has_a_reason(centre: ScriptCentre, reason: str):
    with pytest.raises(Invalid, match="reason"):
        approve_script(centre.services, unrestricted("乙"), "loan", 1, reason=reason)


def test_a_version_that_is_not_there(centre: ScriptCentre):
    with pytest.raises(NotFound):
        approve_script(centre.services, unrestricted("乙"), "loan", 7, reason="好")


def test_who_did_it_is_in_the_audit(centre: ScriptCentre):
    draft = centre.draft(clearer())
    centre.render(draft)
    centre.approve(draft)
    acts = centre.rows(sa.select(t.audit).where(t.audit.c.subject == "script/loan").order_by(t.audit.c.id))
    assert [(row["who"], row["act"]) for row in acts] == [("甲", "script_draft"), ("乙", "script_approve")]


def test_the_database_refuses_one_person_for_both(centre: ScriptCentre):
    version = centre.version("loan", 1)
    with pytest.raises(sa.exc.IntegrityError, match="second_person"):
        centre.do(
            sa.insert(t.script_approval).values(
                version_id=version.id,
                drafted_by=version.drafted_by,
                approved_by=version.drafted_by,
                reason="x",
                audio_hash=version.audio_hash,
                goes_live=True,
                at=centre.clock.now(),
            )
        )


def test_nothing_that_was_kept_can_be_changed(centre: ScriptCentre):
    for table in (
        t.script_version,
        t.script_approval,
        t.script_sound,
        t.sound_file,
    ):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            centre.do(sa.delete(table))


def test_an_upgrade_goes_live_only_where_the_shipped_one_was(centre: ScriptCentre):
    """As after an upgrade: the database knows other words than the package has."""
    draft = centre.draft(clearer())
    centre.render(draft)
    centre.approve(draft)
    with centre.tx() as tx:
        tx.execute(sa.text("ALTER TABLE script_version DISABLE TRIGGER append_only"))
        tx.execute(
            sa.update(t.script_version)
            .where(t.script_version.c.number == 1, t.script_version.c.script_id.in_(["loan", "credit"]))
            .values(content_hash="0" * 64)
        )
        tx.execute(sa.text("ALTER TABLE script_version ENABLE TRIGGER append_only"))
    with centre.tx() as tx:
        assert seed_scripts(tx, now=centre.clock.now()) == 2
    lines = {line.script_id: line for line in list_scripts(centre.services)}
    assert (lines["credit"].live, lines["credit"].newest) == (2, 2)
    assert (lines["loan"].live, lines["loan"].newest, lines["loan"].drafts) == (2, 3, 1)


def test_mongolian_is_asked_for_by_tag(centre: ScriptCentre):
    assert centre.placed(centre.open_case(tags=frozenset({Tag.MONGOLIAN}))).language == "mn"
    assert centre.placed(centre.open_case(tags=frozenset({Tag.ELDERLY}))).language == "zh"


def test_the_shipped_sound_is_kept_so_that_an_old_version_can_come_back(centre: ScriptCentre):
    kept = {row["file"] for row in centre.rows(sa.select(t.sound_file.c.file))}
    assert kept >= {path.name for path in PROMPTS.glob("*.wav")}


def _step(attempt_id: uuid.UUID, number: int, turn: Turn | None = None, key: str = "") -> TurnRequest:
    return TurnRequest(
        attempt_id=attempt_id,
        step=number,
        sid=f"CA{attempt_id.hex}",
        position=turn.position if turn else None,
        heard=Heard.keys(key) if key else Heard.silence(),
    )
