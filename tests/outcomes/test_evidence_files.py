"""Files that prove something: what is taken and kept, which stand beside an outcome, and who looks at them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import RevealReason, unrestricted
from dialer.core.errors import Invalid, NotFound
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.outcomes.evidence_files import (
    CleanFile,
    add_evidence_files,
    add_visit_photo,
    clean_evidence,
    clean_photo,
    files_of_case,
    files_of_outcomes,
    reveal_file,
    unseal_file,
)
from dialer.runtime.services import Services
from tests.audit_lines import audit_lines
from tests.core.pdfs import pdf
from tests.core.pictures import jpeg
from tests.outcomes.town import MORNING, Scenario

PDF, PICTURE = pdf(), jpeg()
RECEIPT = CleanFile(media_type="application/pdf", content=b"receipt", stripped_bytes=0)
DOOR = CleanFile(media_type="image/png", content=b"the door", stripped_bytes=12)


def test_a_photo_is_as_large_as_is_allowed_and_not_a_byte_larger():
    photo = clean_photo(PICTURE, most_bytes=len(PICTURE))
    assert photo.stripped_bytes == len(PICTURE) - len(photo.content) > 0
    assert clean_photo(photo.content, most_bytes=len(PICTURE)).stripped_bytes == 0
    with pytest.raises(Invalid, match="is too large") as refused:
        clean_photo(b"x" * ((2 << 20) + 1), most_bytes=2 << 20)
    assert (refused.value.field, str(refused.value.fix)) == ("photo", "2 MB at most")
    with pytest.raises(Invalid, match="is not a supported picture") as refused:
        clean_photo(b"x", most_bytes=1)
    assert (refused.value.field, str(refused.value.fix)) == ("photo", "JPEG, PNG or WebP")


def small(services: Services, *, files: int = 2, most_bytes: int = len(PDF)) -> Services:
    return replace(services, work=replace(services.work, evidence_files=files, photo_bytes=most_bytes))


def test_evidence_is_a_pdf_as_it_is_or_a_picture_without_notes(scenario: Scenario):
    services = small(scenario.services, most_bytes=max(len(PDF), len(PICTURE)))
    kept, picture = clean_evidence(services, [PDF, PICTURE])
    assert (kept.media_type, kept.content, kept.stripped_bytes) == ("application/pdf", PDF, 0)
    assert (picture.media_type, picture.content) == (
        "image/jpeg",
        clean_photo(PICTURE, most_bytes=1 << 20).content,
    )
    assert clean_evidence(small(scenario.services), [PDF])[0].content == PDF, "of just the largest size"


def test_why_evidence_is_not_taken(scenario: Scenario):
    services = small(scenario.services)
    for sent, problem, fix in (
        ([PDF] * 3, "are too many", "2 at most"),
        ([PDF + b" "], "is too large", "0 MB at most"),
        ([b"GIF89a"], "is no PDF", "a PDF, JPEG, PNG or WebP"),
        ([PICTURE[:60]], "is damaged", "take it again"),
        ([PDF[:200]], "is damaged", "save or scan it again"),
        ([b"%PDF-x"], "is no PDF", "a PDF, JPEG, PNG or WebP"),
    ):
        with pytest.raises(Invalid, match=problem) as refused:
            clean_evidence(services, sent)
        assert (refused.value.field, str(refused.value.fix)) == ("evidence_files", fix)


class Visited:
    """A case with a visit, its photos, and outcomes with and without money."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        with scenario.tx() as tx:
            self.unit_id = add_unit(tx, name="东区", parent_id=None)
            self.other_unit_id = add_unit(tx, name="西区", parent_id=None)
        self.case_id = scenario.case(unit_id=self.unit_id)
        self.visit = scenario.assignment(self.case_id, kind="visit")

    def photo(self, *, later: int = 0, assignment_id: int | None = None) -> uuid.UUID:
        photo_id, at = uuid.uuid4(), MORNING + timedelta(minutes=later)
        of = assignment_id or self.visit
        with self.scenario.tx() as tx:
            sent = {"client_id": photo_id, "assignment_id": of, "digest": b"-", "by": "bai", "at": at}
            tx.execute(sa.insert(t.sent_act).values(sent))
            add_visit_photo(tx, photo_id, DOOR, assignment_id=of, case_id=self.case_id, by="bai", now=at)
        return photo_id

    def file(self, outcome_id: int, *, later: int = 0, case_id: int | None = None) -> uuid.UUID:
        with self.scenario.tx() as tx:
            at = MORNING + timedelta(minutes=later)
            add_evidence_files(tx, outcome_id, [RECEIPT], case_id=case_id or self.case_id, by="li", now=at)
            newest = sa.select(t.evidence_file.c.id).where(t.evidence_file.c.outcome_id == outcome_id)
            return uuid.UUID(str(tx.scalar(newest.order_by(t.evidence_file.c.at.desc()).limit(1))))


@pytest.fixture
def visited(scenario: Scenario) -> Visited:
    return Visited(scenario)


def test_files_stand_beside_their_outcome_the_oldest_first(visited: Visited):
    scenario, visit = visited.scenario, visited.visit
    reported = scenario.outcome(visited.case_id, track="visit", assignment_id=visit, intended_fen=1)
    by_phone = scenario.outcome(visited.case_id, stopped_fen=1)
    late = visited.photo(later=9)
    own = visited.file(reported, later=5)
    early = visited.photo(later=1)
    receipt = visited.file(by_phone)
    elsewhere = scenario.assignment(scenario.case(), kind="visit")
    visited.photo(assignment_id=elsewhere)
    with scenario.tx() as tx:
        found = files_of_outcomes(tx, [reported, by_phone])
        assert [one.id for one in found[reported]] == [early, own, late]
        assert [one.is_photo for one in found[reported]] == [True, False, True]
        [one] = found[by_phone]
        assert (one.id, one.outcome_id, one.media_type, one.size_bytes) == (
            receipt, by_phone, "application/pdf", len(RECEIPT.content),
        )  # fmt: skip
        assert (one.by, one.at, one.is_photo) == ("li", MORNING, False)
        assert files_of_outcomes(tx, [by_phone]) == {by_phone: (one,)}
        assert files_of_outcomes(tx, []) == {}


def test_a_case_shows_the_files_of_each_line_that_has_money_or_files_of_its_own(visited: Visited):
    scenario, case_id = visited.scenario, visited.case_id
    lines = {
        name: scenario.outcome(case_id, track="visit", assignment_id=visited.visit, **{name: 1})
        for name in ("intended_fen", "stopped_fen", "returned_fen")
    }
    nothing = scenario.outcome(case_id, track="visit", assignment_id=visited.visit)
    other = scenario.case()
    visited.file(scenario.outcome(other, stopped_fen=1), case_id=other)
    photo = visited.photo()
    with scenario.tx() as tx:
        found = files_of_case(tx, case_id)
    assert set(found) == set(lines.values()), "the photos prove the amounts, whichever they are"
    assert {one.id for files in found.values() for one in files} == {photo}
    own = visited.file(nothing)
    with scenario.tx() as tx:
        assert {one.id for one in files_of_case(tx, case_id)[nothing]} == {photo, own}


def test_photos_of_a_visit_prove_nothing_that_a_caller_reports(visited: Visited):
    line = visited.scenario.outcome(
        visited.case_id, track="human", assignment_id=visited.visit, intended_fen=5
    )
    visited.photo()
    with visited.scenario.tx() as tx:
        assert files_of_outcomes(tx, [line]) == {}


def test_a_file_is_sealed_and_opened_for_its_case_with_a_reason(visited: Visited):
    scenario, case_id = visited.scenario, visited.case_id
    line = scenario.outcome(case_id, stopped_fen=5)
    photo, file = visited.photo(), visited.file(line)
    with scenario.tx() as tx:
        [kept] = tx.rows(sa.select(t.visit_photo))
        assert (kept["client_id"], kept["assignment_id"], kept["case_id"]) == (photo, visited.visit, case_id)
        assert (kept["media_type"], kept["size_bytes"], kept["stripped_bytes"]) == ("image/png", 8, 12)
        assert (kept["by"], kept["at"], DOOR.content in bytes(kept["sealed"])) == ("bai", MORNING, False)
        [row] = tx.rows(sa.select(t.evidence_file))
        assert (row["outcome_id"], row["case_id"], row["by"], row["at"]) == (line, case_id, "li", MORNING)
        place = {"table": "evidence_file", "column": "sealed", "row": str(file)}
        assert tx.vault.open(row["sealed"], **place) == RECEIPT.content
        place = {"table": "visit_photo", "column": "sealed", "row": str(photo)}
        assert tx.vault.open(kept["sealed"], **place) == DOOR.content
        for file_id, content, media_type, act in (
            (photo, DOOR.content, "image/png", "view_photo"),
            (file, RECEIPT.content, "application/pdf", "view_file"),
        ):
            found = unseal_file(tx, file_id)
            assert (found.content, found.media_type, found.act) == (content, media_type, act)
            assert found.case_id == case_id
        unknown = uuid.uuid4()
        with pytest.raises(NotFound) as missed:
            unseal_file(tx, unknown)
        assert (missed.value.kind, missed.value.key) == ("file", unknown)


def test_who_looks_at_a_file_is_in_the_audit(visited: Visited):
    scenario, case_id = visited.scenario, visited.case_id
    photo, file = visited.photo(), visited.file(scenario.outcome(case_id, stopped_fen=5))
    zhao, own = unrestricted(" zhao "), unrestricted("zhao", unit_id=visited.unit_id)
    given = {"reason": RevealReason.REVIEW, "why": "复核", "case_id": case_id}
    shown = reveal_file(scenario.services, zhao, file, **given)
    assert shown.content == RECEIPT.content
    assert reveal_file(scenario.services, own, photo, **given).content == DOOR.content
    told = [(line["act"], line["who"], line["subject"], line["why"]) for line in audit_lines(scenario.store)]
    assert told == [(act, "zhao", f"case/{case_id}", "复核") for act in ("view_file", "view_photo")]
    for actor, wrong, kind in (
        (own, {"case_id": scenario.case()}, "file"),
        (unrestricted("zhao", unit_id=visited.other_unit_id), {}, "case"),
    ):
        with pytest.raises(NotFound) as missed:
            reveal_file(scenario.services, actor, file, **(given | wrong))
        assert (missed.value.kind, missed.value.key) == (kind, file if kind == "file" else case_id)
    with pytest.raises(Invalid):
        reveal_file(scenario.services, own, file, **(given | {"reason": ""}))
    assert len(audit_lines(scenario.store)) == 2
