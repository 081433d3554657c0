"""Openings and restrictions are erased by age and with their person; they stay counted."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from dialer.cards.counter.desk import answer_question, ask_desk, claim_question
from dialer.cards.determinations.actions import DeterminationForm, decide_determination, enter_determination
from dialer.cards.openings.store import opening_personal
from dialer.core.access import SERVICE, unrestricted
from dialer.core.cards import DeskAnswer
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.retention.erasing import erase_person, lock_person
from dialer.retention.erasure import place_legal_hold
from dialer.retention.retention import RetentionKind, apply_retention, read_retention_states
from dialer.runtime.sections import RetentionSettings
from dialer.runtime.services import Services
from tests.cards.street import Street, id_number
from tests.console.desk import ConsoleDesk

PERIODS = RetentionSettings(
    openings_days=100, persons_days=0, conversations_days=0, photos_days=0, rejected_rows_days=0,
    filed_records_days=0, audit_days=0,
)  # fmt: skip


def name_of(services: Services, opening_id: int) -> str:
    with services.store.begin() as tx:
        sealed = tx.scalar(sa.select(t.opening.c.sealed).where(t.opening.c.id == opening_id))
        return str(opening_personal(tx, opening_id, sealed)["name"])


def test_old_openings_name_nobody_and_stay_counted(street: Street, console: ConsoleDesk):
    services = street.services
    checked = street.check(street.record(1, address="临河区胜利路12号3单元"))
    question = ask_desk(
        services, unrestricted("teller"), checked.opening_id, note="说不清", outlet_id=street.bank.id
    )
    claim_question(services, unrestricted("caller"), question)
    answer_question(
        services,
        unrestricted("caller"),
        question,
        answer=DeskAnswer.MAY_OPEN,
        reason="属实",
        basis="第十六条",
    )
    determination = enter_determination(
        services,
        unrestricted("officer"),
        DeterminationForm(
            name="客户2",
            id_number=id_number(2),
            document_no="1号",
            authority="公安局",
            from_on=date(2020, 1, 1),
            years=2,
        ),
    )
    decide_determination(services, unrestricted("supervisor"), determination, approve=True)
    console.pass_seconds(86_400 * 101)
    young = street.enter(street.record(3))
    [standing] = [
        retention_state
        for retention_state in read_retention_states(services, PERIODS)
        if retention_state.kind is RetentionKind.OPENINGS
    ]
    assert standing.past == 1
    assert apply_retention(services, PERIODS)[RetentionKind.OPENINGS] == 2
    assert name_of(services, checked.opening_id) == ""
    assert name_of(services, young) == "客户3"
    [old, new] = console.rows(t.opening)
    assert old["erased_at"] is not None
    assert (old["phone_blind"], old["address_blind"], old["home"]) == (None, None, "150802")
    assert new["erased_at"] is None
    [asked] = console.rows(t.card_question)
    with services.store.begin() as tx:
        place = {"table": "card_question", "row": question}
        assert tx.vault.open(asked["sealed"], column="sealed", **place) == b""
        assert tx.vault.open(asked["reason_sealed"], column="reason_sealed", **place) == b""
        [row] = tx.rows(sa.select(t.card_determination))
        place = {"table": "card_determination", "column": "sealed", "row": determination}
        assert tx.vault.open_record(row["sealed"], **place) == {"name": "", "id_number": ""}
    assert apply_retention(services, PERIODS, at_once=True)[RetentionKind.OPENINGS] == 0


def services_case(services: Services) -> int:
    with services.store.begin() as tx:
        return int(tx.scalar(sa.select(t.case.c.id)))


def test_an_erased_person_is_erased_in_openings_too(street: Street, console: ConsoleDesk):
    services = street.services
    opened = street.enter(street.record(1))
    other = street.enter(street.record(2))
    street.warned(street.record(1))
    with services.store.begin() as tx:
        person_id = tx.scalar(sa.select(t.case.c.person_id))
        assert lock_person(tx, person_id) is not None
        counts = erase_person(OpenAct(tx, SERVICE, services.clock.now), person_id)
    assert counts["opening.sealed"] == 2
    assert (name_of(services, opened), name_of(services, other)) == ("", "客户2")


def test_openings_of_a_person_under_a_legal_hold_are_kept(street: Street, console: ConsoleDesk):
    services = street.services
    street.warned(street.record(1))
    street.enter(street.record(2))
    place_legal_hold(services, unrestricted("supervisor"), services_case(services), why="诉讼")
    console.pass_seconds(86_400 * 101)
    assert apply_retention(services, PERIODS)[RetentionKind.OPENINGS] == 1
    assert [row["erased_at"] is None for row in console.rows(t.opening)] == [True, False]
