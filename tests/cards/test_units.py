"""Nobody acts without the right, on what another unit or another outlet has, or on what is not there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO

import pytest
import sqlalchemy as sa

from dialer.cards.counter.actions import check_opening, enter_openings, finish_opening
from dialer.cards.counter.desk import (
    answer_question,
    arrive_onsite,
    ask_desk,
    claim_question,
    count_open,
    desk_mark,
    end_onsite,
    open_questions,
    order_onsite,
    question_for,
    question_of_outlet,
    warn_customer,
)
from dialer.cards.counter.load import add_fact, load_openings
from dialer.cards.determinations.actions import (
    DeterminationForm,
    decide_determination,
    enter_determination,
)
from dialer.cards.determinations.objections import (
    decide_objection,
    note_seen,
    take_objection,
    unseen_notices,
)
from dialer.cards.openings.institutions import add_institution, add_outlet, bind_teller, report_openings
from dialer.cards.outlets.actions import (
    Quarter,
    StepForm,
    count_quarter,
    read_cohort,
    read_matter,
    read_notice,
    take_step,
)
from dialer.cards.outlets.fairness import read_fairness
from dialer.cards.rings.openers import decide_opener, list_openers, read_ring, sign_opener
from dialer.core.access import Actor, Role, unrestricted
from dialer.core.cards import (
    DeskAnswer,
    InstitutionKind,
    ObjectionAbout,
    OnsiteFinding,
    OpeningFactKind,
    OpeningResult,
    OutletStep,
)
from dialer.core.errors import Conflict, Invalid, NotFound, NotPermitted
from dialer.db import tables as t
from dialer.runtime.services import Services
from tests.cards.street import BANK, OTHER_BANK, Street, id_number
from tests.console.desk import ConsoleDesk
from tests.console.town import ConsoleScenario

DOCUMENT = DeterminationForm(
    name="客户1",
    id_number=id_number(1),
    document_no="1号",
    authority="公安局",
    from_on=date(2026, 1, 1),
    years=2,
)
BULLETIN = StepForm(step=OutletStep.BULLETIN, why="涉案卡偏多")
FOUND = OnsiteFinding.NOTHING
ON_QUESTIONS: dict[str, Callable[[Services, Actor, int], object]] = {
    "see": question_for,
    "claim": claim_question,
    "answer": lambda services, actor, key: answer_question(
        services, actor, key, answer=DeskAnswer.MAY_OPEN, reason="x", basis="x"
    ),
    "warn": warn_customer,
    "order": lambda services, actor, key: order_onsite(services, actor, key, team="x"),
    "arrive": arrive_onsite,
    "end": lambda services, actor, key: end_onsite(services, actor, key, finding=FOUND, persons=0, note=""),
}
ACTS: dict[str, Callable[[Services, Actor, Street], object]] = {
    "check": lambda services, actor, street: check_opening(
        services, actor, street.record(), outlet_id=street.bank.id, source="form"
    ),
    "finish": lambda services, actor, street: finish_opening(
        services, actor, 1, result=OpeningResult.OPENED, outlet_id=street.bank.id
    ),
    "ask": lambda services, actor, street: ask_desk(services, actor, 1, note="", outlet_id=street.bank.id),
    "load": lambda services, actor, _: load_openings(
        services, actor, BytesIO(b""), institution=BANK, source="x"
    ),
    "fact": lambda services, actor, _: add_fact(
        services, actor, number="1", kind=OpeningFactKind.CLOSED, source="x", at=services.clock.now()
    ),
    "enter": lambda services, actor, _: enter_determination(services, actor, DOCUMENT),
    "approve": lambda services, actor, _: decide_determination(services, actor, 1, approve=True),
    "object": lambda services, actor, _: take_objection(
        services, actor, ObjectionAbout.DETERMINATION, 1, words="x"
    ),
    "uphold": lambda services, actor, _: decide_objection(services, actor, 1, uphold=True, reason="x"),
    "note": lambda services, actor, street: note_seen(services, actor, 1, outlet_id=street.bank.id),
    "sign": lambda services, actor, _: sign_opener(services, actor, 1),
    "confirm": lambda services, actor, _: decide_opener(services, actor, 1, confirm=True, why="x"),
    "step": lambda services, actor, street: take_step(services, actor, street.bank.id, BULLETIN),
    "notice": lambda services, actor, _: read_notice(services, actor, date(2026, 11, 1)),
    "institution": lambda services, actor, _: add_institution(
        services, actor, name="x", kind=InstitutionKind.BANK
    ),
    "outlet": lambda services, actor, _: add_outlet(services, actor, institution=BANK, code="x"),
    "teller": lambda services, actor, _: bind_teller(services, actor, login="x", institution=BANK, code="x"),
    "report": lambda services, actor, _: report_openings(
        services, actor, institution=BANK, code=f"{BANK}1", day=date(2026, 11, 1), reported=1
    ),
    **{
        name: lambda services, actor, _, act=act: act(services, actor, 1)
        for name, act in ON_QUESTIONS.items()
    },
}


@pytest.fixture
def units(street: Street, console: ConsoleDesk) -> tuple[int, int]:
    """The unit in charge of the bank's outlet, and another one."""
    town = ConsoleScenario(console)
    here, away = town.unit("临河区局"), town.unit("五原县局")
    add_outlet(street.services, unrestricted("test"), institution=BANK, code=f"{BANK}1", unit="临河区局")
    return here, away


def test_nobody_acts_without_the_right(street: Street):
    nobody = Actor(name="li", rights=frozenset())
    for name, act in ACTS.items():
        with pytest.raises(NotPermitted):
            pytest.fail(f"{name}: {act(street.services, nobody, street)}")


def test_a_question_is_of_the_unit_in_charge_of_its_outlet(street: Street, units: tuple[int, int]):
    services, (here, away) = street.services, units
    checked = street.check(street.record(1))
    question = ask_desk(
        services, unrestricted("teller"), checked.opening_id, note="", outlet_id=street.bank.id
    )
    for act in ON_QUESTIONS.values():
        with pytest.raises(NotFound):
            act(services, unrestricted("caller", unit_id=away), question)
    assert [count_open(services, visible_to=unit) for unit in (here, away, None)] == [1, 0, 1]
    assert open_questions(services, visible_to=away) == []
    before = desk_mark(services, visible_to=away)
    claim_question(services, unrestricted("caller", unit_id=here), question)
    assert desk_mark(services, visible_to=away) == before != desk_mark(services, visible_to=here)


def test_outlets_are_of_the_unit_in_charge(street: Street, units: tuple[int, int]):
    services, (here, away) = street.services, units
    now = services.clock.now()
    street.enter(street.record(1, hours_ago=1))
    counted = count_quarter(services, Quarter.of(now.date()))
    month = now.date().replace(day=1)

    def seen(unit_id: int) -> tuple[int, int, int]:
        notice = read_notice(services, unrestricted("chief", unit_id=unit_id), month)
        fairness = read_fairness(services, days=30, visible_to=unit_id)
        cohort = read_cohort(services, counted, visible_to=unit_id)
        return len(notice.outlets), len(fairness.provinces), len(cohort.outlets)

    with pytest.raises(NotFound):
        take_step(services, unrestricted("officer", unit_id=away), street.bank.id, BULLETIN)
    take_step(services, unrestricted("officer", unit_id=here), street.bank.id, BULLETIN)
    with pytest.raises(NotFound):
        read_matter(services, street.bank.id, visible_to=away, count=lambda _: counted)
    assert seen(here) == (1, 1, 1)
    assert seen(away) == (0, 0, 0)
    for unit_id, steps in ((here, 1), (away, 0)):
        notice = read_notice(services, unrestricted("chief", unit_id=unit_id), month)
        assert len(notice.steps) == steps


def test_a_ring_is_seen_by_the_units_of_its_outlets(street: Street, units: tuple[int, int]):
    services, (here, away) = street.services, units
    for n in (11, 12, 13):
        street.check(street.record(n, home="410101", purpose="买牛羊周转资金", limit_fen=50_000_000))
    [opener] = list_openers(services, visible_to=None)
    assert opener.ring_id is not None
    assert len(read_ring(services, opener.ring_id, visible_to=here)[1]) == 3
    for ring_id, unit_id in ((opener.ring_id, away), (987, None)):
        with pytest.raises(NotFound):
            read_ring(services, ring_id, visible_to=unit_id)


def test_an_opening_is_of_its_outlet(street: Street, console: ConsoleDesk):
    services, other = street.services, street.outlets[OTHER_BANK].id
    teller = unrestricted("teller")
    opening_id = street.check(street.record(1)).opening_id
    with pytest.raises(NotFound):
        ask_desk(services, teller, opening_id, note="", outlet_id=other)
    question = ask_desk(services, teller, opening_id, note="", outlet_id=street.bank.id)
    assert ask_desk(services, teller, opening_id, note="again", outlet_id=street.bank.id) == question
    assert [row["facts"] for row in console.audited("ask_desk")] == [{"outlet": street.bank.code}] * 2
    assert question_of_outlet(services, opening_id, outlet_id=other) is None
    finish_opening(
        services, teller, opening_id, result=OpeningResult.REFUSED, outlet_id=street.bank.id, why="x"
    )
    with pytest.raises(Conflict):
        ask_desk(services, teller, opening_id, note="", outlet_id=street.bank.id)
    about = ObjectionAbout.OPENING
    with pytest.raises(NotFound):
        take_objection(services, teller, about, opening_id, words="x", outlet_id=other)
    objection = take_objection(services, teller, about, opening_id, words="x", outlet_id=street.bank.id)
    decide_objection(services, unrestricted("officer"), objection, uphold=True, reason="x")
    assert unseen_notices(services, outlet_id=other) == []
    [notice] = unseen_notices(services, outlet_id=street.bank.id)
    assert notice.code == "objection_upheld"
    with pytest.raises(NotFound):
        note_seen(services, teller, notice.id, outlet_id=other)
    assert len(unseen_notices(services, outlet_id=street.bank.id)) == 1


def test_the_desk_is_asked_about_what_was_checked(street: Street):
    record = street.record(1)
    with street.services.store.begin() as tx:
        entered = enter_openings(
            street.services, tx, unrestricted("bank"), [(record, street.bank)], source="api"
        )
    with pytest.raises(Conflict) as refused:
        ask_desk(street.services, unrestricted("teller"), entered.ids[0], note="", outlet_id=street.bank.id)
    assert refused.value.current == "unchecked"


def test_an_account_of_a_teller_is_bound_to_one_outlet_and_no_other_account_is(
    street: Street, console: ConsoleDesk
):
    services, test = street.services, unrestricted("test")
    console.account(Role.TELLER, login="wang")
    console.account(Role.CALLER, login="li")
    place = {"institution": BANK, "code": f"{BANK}1"}
    bind_teller(services, test, login="wang", **place)
    bind_teller(services, test, login="wang", institution=OTHER_BANK, code=f"{OTHER_BANK}1")
    with services.store.begin() as tx:
        rows = tx.rows(sa.select(t.outlet_teller))
    assert [row["outlet_id"] for row in rows] == [street.outlets[OTHER_BANK].id]
    with pytest.raises(Invalid):
        bind_teller(services, test, login="li", **place)
    for wrong in (
        {"login": "nobody", **place},
        {"login": "wang", "institution": "没有", "code": "1"},
        {"login": "wang", "institution": BANK, "code": "没有"},
    ):
        with pytest.raises(NotFound):
            bind_teller(services, test, **wrong)


def test_an_institution_or_outlet_that_exists_is_changed(street: Street, console: ConsoleDesk):
    services, test = street.services, unrestricted("test")
    before = {row["name"]: row["id"] for row in console.rows(t.institution)}
    same = add_institution(services, test, name=BANK, kind=InstitutionKind.CARRIER, token=" bank ")
    assert same == before[BANK]
    [row] = [row for row in console.rows(t.institution) if row["id"] == same]
    assert (row["kind"], row["token_name"]) == ("carrier", "bank")
    assert add_outlet(services, test, institution=BANK, code=f"{BANK}1", name=" 新名 ") == street.bank.id
    assert add_outlet(services, test, institution=BANK, code="二") != street.bank.id
    names = {row["code"]: (row["name"], row["unit_id"]) for row in console.rows(t.outlet)}
    assert (names[f"{BANK}1"], names["二"]) == (("新名", None), ("二", None))
    with pytest.raises(NotFound):
        add_outlet(services, test, institution=BANK, code="三", unit="没有")
    with pytest.raises(Invalid):
        report_openings(services, test, institution=BANK, code=f"{BANK}1", day=date(2026, 11, 1), reported=-1)
    for reported in (3, 4):
        report_openings(
            services, test, institution=BANK, code=f"{BANK}1", day=date(2026, 11, 1), reported=reported
        )
    with services.store.begin() as tx:
        assert [row["reported"] for row in tx.rows(sa.select(t.outlet_report))] == [4]
