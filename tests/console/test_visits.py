"""Visits: masked until they are accepted, each act once however often a phone sends it, and every refusal in words."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from dialer.core.access import Actor, Role, unrestricted
from dialer.core.presence import PresenceEvent
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.units import keep_boundaries
from dialer.duty.presence import say_presence
from dialer.outcomes.evidence_files import clean_photo
from dialer.runtime.services import Application, Services
from dialer.work import visit_pages
from dialer.work.desk import call_points
from dialer.work.visits import PaperNotice, PhoneAct, add_photo, note_visit
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario
from tests.core.pictures import jpeg
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE

PHOTO = jpeg()
KEPT_PHOTO = clean_photo(PHOTO, most_bytes=1 << 20).content


class Beat(ConsoleScenario):
    """A station with an officer, and the visits that wait there."""

    def __init__(self, console: ConsoleDesk) -> None:
        super().__init__(console)
        self.console = console
        self.city = self.unit("市局")
        self.station = self.unit("城关派出所", self.city)
        self.elsewhere = self.unit("五原分局", self.city)
        self.officer = console.person(Role.OFFICER, unit_id=self.station)

    def visit(self, *, unit_id: int | None = None, **columns: object) -> int:
        owner = (
            self.person()
            if self.console.rows(t.person)
            else self.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER, family_contact="女儿 139")
        )
        return self.visit_to(owner, unit_id=unit_id, **columns)

    def visit_to(self, owner: int, *, unit_id: int | None = None, **columns: object) -> int:
        unit = unit_id or self.station
        case_id = self.case(
            grade=Grade.EXTRA_HIGH,
            fraud_type=FraudType.POLICE_IMPERSONATION,
            person_id=owner,
            unit_id=unit,
            visit_state="open",
        )
        return self.assignment(case_id, kind="visit", unit_id=unit, unit="城关派出所", **columns)

    async def send(self, visit: int, act: str, *, by: Person | None = None, **fields: str) -> httpx.Response:
        """As the phone does, and the answer is data."""
        person = by or self.officer
        return await person.client.post(
            f"/visits/{visit}/{act}",
            data={"client_id": str(uuid.uuid4())} | fields,
            headers={"HX-Request": "true", "X-CSRF-Token": person.csrf},
        )

    def row(self, visit: int) -> dict[str, Any]:
        (row,) = [one for one in self.console.rows(t.assignment) if one["id"] == visit]
        return dict(row)

    def acts(self) -> list[str]:
        return [row["kind"] for row in self.console.rows(t.event)]


@pytest.fixture
def beat(console: ConsoleDesk) -> Beat:
    return Beat(console)


async def shown(person: Person, path: str) -> str:
    answer = await person.get(path)
    assert answer.status_code == 200
    return text(answer)


async def test_the_person_is_masked_until_the_visit_is_accepted(beat: Beat):
    visit = beat.visit()
    before = await shown(beat.officer, f"/visits/{visit}")
    assert NAME not in before
    assert "王*" in before
    assert beat.console.audited("reveal") == []

    sent = await beat.send(visit, "step", stage="accepted")
    assert sent.json() == {"stage": "accepted", "state": "signed", "repeated": False}
    page = await beat.officer.get(f"/visits/{visit}")
    for told in (NAME, ID_NUMBER, "女儿 139", call_points(FraudType.POLICE_IMPERSONATION, "en").must_say):
        assert told in text(page)
    assert f'href="tel:{PHONE}"' in page.text
    (line,) = beat.console.audited("reveal")
    assert (line["who"], line["facts"]["visit"]) == (beat.officer.member.login, visit)


async def test_a_colleague_and_the_supervisor_see_who_has_it_and_nobody_in_clear(beat: Beat):
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    for other in (
        beat.console.person(Role.SUPERVISOR, unit_id=beat.city),
        beat.console.signed_in(beat.console.account(Role.OFFICER, login="li", unit_id=beat.station)),
    ):
        page = await shown(other, f"/visits/{visit}")
        assert NAME not in page
        assert "Officer has this visit." in page
        assert "Officer · signed for" in await shown(other, "/visits")
    assert len(beat.console.audited("reveal")) == 0


async def test_mine_come_first_then_the_most_urgent_with_the_clock_that_runs(beat: Beat):
    urgent = beat.visit(urgency_at=MORNING - timedelta(minutes=9), sign_by=MORNING - timedelta(minutes=3))
    later, mine = beat.visit(), beat.visit(urgency_at=MORNING + timedelta(hours=3))
    away = beat.visit(unit_id=beat.elsewhere)
    await beat.send(mine, "step", stage="accepted")
    answer = await beat.officer.get("/visits")
    places = [answer.text.index(f'data-card="{one}"') for one in (mine, urgent, later)]
    assert places == sorted(places)
    assert f'data-card="{away}"' not in answer.text
    page = text(answer)
    assert "Arrive by in 20 min" in page
    assert "Sign for by 3 min overdue" in page
    assert "Sign for by in 5 min" in page


async def test_an_escalated_visit_may_still_be_signed_below(beat: Beat):
    visit = beat.visit()
    with beat.tx() as tx:
        tx.execute(sa.update(t.assignment).values(unit_id=beat.city, unit="市局", raises=1))
    page = await shown(beat.officer, "/visits")
    assert "escalated 1 level: nobody signed" in page
    assert (await beat.send(visit, "step", stage="accepted")).status_code == 200


async def test_everything_sent_twice_counts_once_and_says_so(beat: Beat):
    visit, told_at = beat.visit(), "2026-11-25T01:58:00.000Z"
    sent = [
        ("step", {"stage": "accepted"}),
        ("step", {"stage": "arrived"}),
        ("seen", {"who": "family", "note": "母亲在家"}),
        ("note", {"words": "正在转账"}),
    ]
    numbered = [(act, fields | {"client_id": str(uuid.uuid4()), "told_at": told_at}) for act, fields in sent]
    for repeated in (False, True):
        for act, fields in numbered:
            answer = await beat.send(visit, act, **fields)
            assert (answer.status_code, answer.json()["repeated"]) == (200, repeated)
    assert beat.acts() == ["visit_accepted", "visit_arrived", "visit_seen", "visit_note"]
    assert {row["facts"]["told_at"] for row in beat.console.rows(t.event)} == {"2026-11-25T01:58:00+00:00"}
    page = await shown(beat.officer, f"/visits/{visit}")
    for words in ("seen: family", "母亲在家", "正在转账"):
        assert words in page


async def test_a_transferred_visit_still_accepts_acts_of_its_first_officer(beat: Beat):
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    with beat.tx() as tx:
        tx.execute(sa.update(t.assignment).values(unit_id=beat.elsewhere, signed_by="wu"))
        tx.execute(sa.update(t.case).values(unit_id=beat.elsewhere))
    assert (await beat.send(visit, "note", words="敲门无人")).status_code == 200
    refused = await beat.send(visit, "step", stage="arrived")
    assert (refused.status_code, refused.json()) == (409, {"refused": "wu has it now"})
    stranger = beat.console.signed_in(beat.console.account(Role.OFFICER, login="li", unit_id=beat.station))
    lost = await beat.send(visit, "note", by=stranger, words="x")
    assert (lost.status_code, "another unit" in lost.json()["refused"]) == (404, True)


async def test_a_refused_act_says_why_in_the_officer_s_language(beat: Beat):
    visit = beat.visit()
    member = beat.console.account(Role.OFFICER, login="zh", unit_id=beat.station, language="zh")
    officer = beat.console.signed_in(member)
    for fields, told in (
        ({}, "请选择结果"),
        ({"outcome": "refuses"}, "请选择骗子是否联系过当事人"),
        ({"outcome": "refuses", "scammer": "yes", "intended": "5"}, "登记金额须有证据"),
        ({"outcome": "refuses", "scammer": "yes", "intended": "x"}, "不是有效金额"),
        ({"outcome": "dissuaded_in_person", "scammer": "no", "contact": "verified"}, "到达现场"),
    ):
        answer = await beat.send(visit, "report", by=officer, **fields)
        assert answer.status_code in {409, 422}
        assert told in answer.json()["refused"]
    assert (await beat.send(visit, "step", by=officer, stage="arrived")).status_code == 200
    given = {"outcome": "dissuaded_in_person", "scammer": "no", "contact": "unverified"}
    answer = await beat.send(visit, "report", by=officer, **given)
    assert (answer.status_code, "劝阻成功须已核实是本人" in answer.json()["refused"]) == (409, True)
    assert beat.console.rows(t.outcome) == []


async def test_without_a_script_the_same_forms_work_and_a_refusal_is_on_the_page(beat: Beat):
    visit, number = beat.visit(), str(uuid.uuid4())
    for _ in range(2):
        answer = await beat.officer.post(f"/visits/{visit}/step", stage="accepted", client_id=number)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/visits/{visit}")
    assert beat.acts() == ["visit_accepted"]
    wrong = await beat.officer.post(f"/visits/{visit}/note", words=" ", client_id=str(uuid.uuid4()))
    assert wrong.status_code == 422
    assert "is empty" in text(wrong)


async def test_the_report_ends_the_visit_and_a_late_one_is_kept_as_a_note(beat: Beat):
    visit, number = beat.visit(), str(uuid.uuid4())
    await beat.send(visit, "step", stage="accepted")
    for repeated in (False, True):
        answer = await beat.send(
            visit,
            "report",
            client_id=number,
            outcome="already_defrauded",
            scammer="yes",
            stopped="1200.50",
            evidence_kind="bank_receipt",
            evidence_yuan="1200.50",
            evidence="回单",
            note="已报警",
        )
        assert answer.json() == {"stage": "accepted", "state": "done", "repeated": repeated}
    (outcome,) = beat.console.rows(t.outcome)
    assert (outcome["stopped_fen"], outcome["recorded_by"]) == (120_050, beat.officer.member.login)
    late = await beat.send(visit, "report", outcome="refuses", scammer="unknown", note="后到")
    assert late.status_code == 409
    assert "has reported it already: already defrauded" in late.json()["refused"]
    page = await shown(beat.officer, f"/visits/{visit}")
    assert "reported: already defrauded" in page
    assert NAME not in page
    assert "report that came too late, kept as a note: refuses" in page


async def test_photos_need_the_visit_in_hand_or_a_reason(beat: Beat):
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    answer = await beat.officer.client.post(
        f"/visits/{visit}/photo",
        data={"client_id": str(uuid.uuid4())},
        files={"photo": ("a.jpg", PHOTO, "image/jpeg")},
        headers={"HX-Request": "true", "X-CSRF-Token": beat.officer.csrf},
    )
    assert answer.status_code == 200
    (kept,) = photos(beat)
    path = f"/visits/{visit}/photos/{kept}"
    seen = await beat.officer.post(path)
    assert (seen.headers["content-type"], seen.content) == ("image/jpeg", KEPT_PHOTO)
    chief = beat.console.person(Role.SUPERVISOR, unit_id=beat.city)
    assert (await chief.post(path)).status_code == 422
    refused = await chief.client.post(path, headers={"HX-Request": "true", "X-CSRF-Token": chief.csrf})
    assert refused.status_code == 422
    assert "choose one of the list" in refused.json()["refused"]
    assert (await chief.post(path, reason="review", why="complaint 7")).content == KEPT_PHOTO
    assert [(row["who"], row["why"]) for row in beat.console.audited("view_photo")][1] == (
        chief.member.login,
        "complaint 7",
    )
    other = beat.visit()
    assert (await beat.officer.post(f"/visits/{other}/photos/{kept}")).status_code == 404


def photos(beat: Beat) -> list[uuid.UUID]:
    with beat.tx() as tx:
        return [row["client_id"] for row in tx.rows(sa.select(t.visit_photo.c.client_id))]


async def test_an_invalid_photo_and_one_too_many_are_refused(beat: Beat):
    visit = beat.visit()
    for number in range(beat.services.work.photos):
        phone = PhoneAct(client_id=uuid.UUID(int=number + 1), actor=unrestricted("officer"))
        add_photo(beat.services, visit, phone=phone, content=PHOTO)
    for content, told in (
        (b"", "choose a photo"),
        (b"GIF89a", "not a supported picture"),
        (PHOTO, "12 at most"),
    ):
        answer = await beat.officer.client.post(
            f"/visits/{visit}/photo",
            data={"client_id": str(uuid.uuid4())},
            files={"photo": ("a.jpg", content, "image/jpeg")},
            headers={"HX-Request": "true", "X-CSRF-Token": beat.officer.csrf},
        )
        assert (answer.status_code, told in answer.json()["refused"]) == (422, True)


async def test_a_transfer_is_asked_with_a_reason_and_answered_by_the_other_unit(beat: Beat):
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    path = f"/visits/{visit}/transfer"
    assert (await beat.officer.post(path, to=beat.elsewhere)).status_code == 422
    assert (await beat.officer.post(path, to="", why="x")).status_code == 422
    assert (await beat.officer.post(path, to=beat.elsewhere, why="住址在五原")).status_code == 303
    receiver = beat.console.person(Role.OFFICER, unit_id=beat.elsewhere)
    listed = await receiver.get("/visits")
    assert "Incoming transfers" in text(listed)
    assert "住址在五原" in text(listed)
    (transfer,) = beat.console.rows(t.assignment_transfer)
    answer = f"/visits/transfers/{transfer['id']}"
    assert (await beat.officer.post(f"{answer}/accept")).status_code == 404
    assert (await receiver.post(f"{answer}/refuse", why=" ")).status_code == 422
    accepted = await receiver.post(f"{answer}/accept")
    assert accepted.headers["location"] == f"/visits/{visit}"
    assert beat.row(visit)["signed_by"] == receiver.member.login
    assert NAME in await shown(receiver, f"/visits/{visit}")
    again = await receiver.post(f"{answer}/refuse", why="x")
    assert (again.status_code, "accepted already" in text(again)) == (409, True)


async def test_a_visit_is_released_with_a_reason(beat: Beat):
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    assert (await beat.officer.post(f"/visits/{visit}/release", why="")).status_code == 422
    await beat.officer.post(f"/visits/{visit}/release", why="另有警情")
    assert beat.row(visit)["state"] == "open"
    page = await shown(beat.officer, f"/visits/{visit}")
    assert NAME not in page
    assert "另有警情" in page
    chief = beat.console.person(Role.SUPERVISOR, unit_id=beat.city)
    page = await shown(chief, f"/visits/{visit}")
    assert "另有警情" not in page
    assert "words hidden" in page


async def test_the_notice_is_printed_in_both_languages_by_who_has_the_visit(beat: Beat):
    visit = beat.visit()
    for what in ("notice", "conversation"):
        answer = await beat.officer.get(f"/visits/{visit}/{what}")
        assert answer.status_code == 409
        assert "Only the officer who has the visit sees this." in text(answer)
    assert beat.console.audited("conversation") == beat.console.audited("print_notice") == []
    await beat.send(visit, "step", stage="accepted")
    page = await shown(beat.officer, f"/visits/{visit}/notice")
    for told in (
        "电信网络诈骗劝阻告知书",
        "Notice of dissuasion from telecom and online fraud",
        "巴彦淖尔市公安局",
        "2026年11月25日",
        "25 Nov 2026",
        "被劝阻人（签名、捺印）",
        NAME,
        ID_NUMBER,
        call_points(FraudType.POLICE_IMPERSONATION, "zh").must_say,
    ):
        assert told in page
    (line,) = beat.console.audited("print_notice")
    assert line["who"] == beat.officer.member.login


async def test_the_number_of_a_notice_has_the_year_of_the_centre(beat: Beat, monkeypatch: pytest.MonkeyPatch):
    """In Shanghai it is New Year's Day eight hours before UTC."""
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    read = visit_pages.print_notice

    def at_new_year(services: Services, actor: Actor, case_id: int) -> PaperNotice:
        return replace(read(services, actor, case_id), printed_at=datetime(2026, 12, 31, 17, tzinfo=UTC))

    monkeypatch.setattr(visit_pages, "print_notice", at_new_year)
    page = await shown(beat.officer, f"/visits/{visit}/notice")
    assert "2027年1月1日" in page
    assert "2027-0" in page
    assert "2026-0" not in page


async def test_the_conversation_is_read_on_demand_and_audited(beat: Beat):
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    part = await beat.officer.part(f"/visits/{visit}/conversation")
    assert "No conversation yet." in text(part)
    (line,) = beat.console.audited("conversation")
    assert line["who"] == beat.officer.member.login


async def test_a_refreshed_part_shows_nobody_in_clear_and_writes_no_audit(beat: Beat):
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    note_visit(
        beat.services,
        visit,
        phone=PhoneAct(client_id=uuid.uuid4(), actor=unrestricted(beat.officer.member.login)),
        words="x",
    )
    head = await beat.officer.part(f"/visits/{visit}", part="head")
    assert "Arrive by" in text(head)
    assert NAME not in head.text
    assert beat.console.audited("reveal") == []
    assert NAME in (await beat.officer.part(f"/visits/{visit}", part="hand")).text


async def test_the_offline_page_holds_no_personal_data(beat: Beat):
    beat.visit()
    shell = await shown(beat.officer, "/visits/offline")
    for hidden in ("王", beat.officer.member.display_name + " ", "8000"):
        assert hidden not in shell
    worker = await beat.officer.get("/visits/worker.js")
    assert worker.headers["service-worker-allowed"] == "/visits"
    assert worker.headers["content-type"].startswith("text/javascript")
    pulse = await beat.officer.get("/visits/pulse")
    assert pulse.json() == {"csrf": beat.officer.csrf, "owner": beat.officer.member.id}


async def test_a_phone_with_an_ended_session_gets_a_status_and_no_page(beat: Beat):
    stranger = beat.console.stranger()
    asked = {"HX-Request": "true", "Referer": "http://test/visits"}
    answer = await stranger.get("/visits/pulse", headers=asked)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in?next=%2Fvisits")


SQUARE = [[107.0, 40.0], [108.0, 40.0], [108.0, 41.0], [107.0, 41.0], [107.0, 40.0]]
PLACE = "40.500000,107.510000"


def at_a_place(beat: Beat) -> int:
    """A visit to somebody whose list told the place of the address."""
    owner = beat.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER, coordinates=PLACE)
    return beat.visit_to(owner)


async def test_the_officer_of_a_visit_opens_the_map_at_the_address(beat: Beat):
    visit = at_a_place(beat)
    assert "geo:" not in (await beat.officer.get(f"/visits/{visit}")).text
    assert (await beat.send(visit, "step", stage="accepted")).status_code == 200
    page = (await beat.officer.get(f"/visits/{visit}")).text
    assert 'href="geo:40.500000,107.510000"' in page
    chief = beat.console.person(Role.SUPERVISOR)
    assert "107.51" not in (await chief.get(f"/visits/{visit}")).text


@pytest.mark.parametrize("template", ["", "https://map.local/at?lat={latitude}&lng={longitude}"])
async def test_the_setting_decides_what_the_link_opens(console_app: Application, template: str):
    given = console_app.services
    services = replace(given, work=replace(given.work, map_address=template))
    beat = Beat(ConsoleDesk(replace(console_app, services=services)))
    visit = at_a_place(beat)
    await beat.send(visit, "step", stage="accepted")
    page = (await beat.officer.get(f"/visits/{visit}")).text
    assert "geo:" not in page
    assert ("https://map.local/at?lat=40.500000&amp;lng=107.510000" in page) is bool(template)


async def test_a_visit_without_a_place_has_no_map(beat: Beat):
    visit = beat.visit()
    await beat.send(visit, "step", stage="accepted")
    assert "geo:" not in (await beat.officer.get(f"/visits/{visit}")).text


async def test_who_assigns_a_visit_sees_the_free_officers_the_nearest_first(beat: Beat):
    visit = at_a_place(beat)
    chief = beat.console.person(Role.SUPERVISOR, unit_id=beat.city)
    assert "No officer of these units is free." in await shown(chief, f"/visits/{visit}")
    far = beat.console.person(Role.OFFICER, unit_id=beat.elsewhere)
    busy = beat.console.signed_in(beat.console.account(Role.OFFICER, login="busy", unit_id=beat.station))
    services = beat.console.app.services
    with services.store.begin() as tx:
        west = [[east - 1, north] for east, north in SQUARE]
        rings = {beat.station: [SQUARE], beat.elsewhere: [west]}
        keep_boundaries(tx, rings, by="wang", now=services.clock.now())
    for person in (far, beat.officer):
        say_presence(services, unrestricted(person.member.login), PresenceEvent.FREE)
    say_presence(services, unrestricted(busy.member.login), PresenceEvent.BREAK)
    page = await shown(chief, f"/visits/{visit}")
    near_line, far_line = "Officer 城关派出所 less than 1 km", "Officer 五原分局 85 km"
    assert page.index(near_line) < page.index(far_line)
    assert page.count(" km") == 2
    assert "Free officers" not in await shown(beat.officer, f"/visits/{visit}")
    of_station = beat.console.person(Role.SUPERVISOR, unit_id=beat.station)
    assert "五原分局 85" not in await shown(of_station, f"/visits/{visit}")


async def test_where_no_place_is_known_the_free_officers_have_no_distance(beat: Beat):
    visit = beat.visit()
    chief = beat.console.person(Role.SUPERVISOR)
    say_presence(beat.console.app.services, unrestricted(beat.officer.member.login), PresenceEvent.FREE)
    page = await shown(chief, f"/visits/{visit}")
    assert "城关派出所 distance not known" in page
