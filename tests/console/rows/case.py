"""One case: who may look, who sees in clear, who acts; of the own unit alone."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.scripts.rendered import shipped_manifest
from dialer.work.visits import PhoneAct, add_photo
from tests.console.desk import ConsoleDesk
from tests.console.row import CENTRE, Row
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING

_WORK = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})
_CHIEF = frozenset({Role.SUPERVISOR})
_EXPORTS = frozenset({Role.SUPERVISOR, Role.AUDITOR})
_SEEN = {"reason": "review", "why": "checks a report"}
_NOW = {"expected": "1", "why": "as the family asked"}
PICTURE = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def _new(desk: ConsoleDesk, unit_id: int | None) -> tuple[ConsoleScenario, int]:
    scenario, number = ConsoleScenario(desk), len(desk.rows(t.person)) + 1
    owner = scenario.person(name=f"甲{number}", phones=(f"+86138{number:08d}",))
    waits = {"human_state": "scheduled", "human_at": MORNING + timedelta(days=1)}
    return scenario, scenario.case(person_id=owner, unit_id=unit_id, warning=False, **waits)


def _case(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    return {"case_id": _new(desk, unit_id)[1]}


def _photo(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, case_id = _new(desk, unit_id)
    photo_id = uuid.uuid4()
    visit = scenario.assignment(case_id, kind="visit")
    add_photo(
        desk.app.services,
        visit,
        phone=PhoneAct(client_id=photo_id, actor=unrestricted("zhang")),
        content=PICTURE,
    )
    return {"case_id": case_id, "file_id": photo_id}


def put_recording(scenario: ConsoleScenario, case_id: int, *, sound: bytes = b"RIFF....WAVE") -> int:
    """A recording of the case's first call, kept."""
    call = {"attempt_id": scenario.attempt(case_id, result="answered"), "case_id": case_id, "drill": False}
    found = scenario.put(t.recording, **call, called_at=MORNING, state="waiting", due_at=MORNING)
    recording_id = int(str(found))
    with scenario.tx() as tx:
        sealed = tx.vault.seal(sound, table="recording", column="sealed", row=recording_id)
        digest = hashlib.sha256(sound).digest()
        kept = {"state": "kept", "sealed": sealed, "sha256": digest, "size_bytes": len(sound)}
        which = t.recording.c.id == recording_id
        tx.execute(sa.update(t.recording).where(which).values(**kept, seconds=61, due_at=None))
    return recording_id


def _recording(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, case_id = _new(desk, unit_id)
    return {"case_id": case_id, "recording_id": put_recording(scenario, case_id)}


def _money(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, case_id = _new(desk, unit_id)
    return {"case_id": case_id, "outcome_id": scenario.outcome(case_id, stopped_fen=100)}


def _filed(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, case_id = _new(desk, unit_id)
    scenario.put_filed(case_id, f"A{case_id}")
    return {"case_id": case_id}


def _clip(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {"file": shipped_manifest().clips[0].file}


def _act(path: str, *, roles: frozenset[Role] = _WORK, **form: str) -> Row:
    return Row("POST", f"/cases/{{case_id}}/{path}", roles, _case, by_unit=True, form=_NOW | form)


ROWS = (
    Row("GET", "/cases/{case_id}", CENTRE, _case, by_unit=True),
    Row("GET", "/cases/{case_id}/look-back", CENTRE, _filed, by_unit=True),
    Row("GET", "/cases/{case_id}/look-back/docx", _EXPORTS, _filed, by_unit=True),
    Row("POST", "/cases/{case_id}/reveal", _WORK, _case, by_unit=True, form=_SEEN),
    Row("POST", "/cases/{case_id}/words", _WORK, _case, by_unit=True, form=_SEEN),
    Row("POST", "/cases/{case_id}/files/{file_id}", _WORK, _photo, by_unit=True, form=_SEEN),
    Row("POST", "/cases/{case_id}/recordings/{recording_id}", _WORK, _recording, by_unit=True, form=_SEEN),
    Row("GET", "/cases/{case_id}/recordings/{recording_id}/sound", _WORK, _recording, by_unit=True),
    Row("GET", "/clips/{file}", CENTRE, _clip),
    _act("note", words="the family has been told"),
    _act("call"),
    _act("raise", grade="high"),
    _act("lower", roles=_CHIEF, grade="low"),
    _act("caller"),
    _act("officer"),
    Row("POST", "/cases/{case_id}/unit", _WORK, _case, by_unit=True, form=_NOW | {"unit": ""}, refused=422),
    _act("close", outcome="mismatch"),
    Row(
        "POST", "/cases/{case_id}/duplicate", _WORK, _case, by_unit=True, form=_NOW | {"of": "x"}, refused=422
    ),
    _act("opt-out"),
    _act("allow-calls", roles=_CHIEF),
    _act("filed", case_number="A150402"),
    Row(
        "POST",
        "/cases/{case_id}/filed/undo",
        _CHIEF,
        _case,
        by_unit=True,
        form=_NOW | {"case_number": "A9"},
        refused=422,
    ),
    Row("POST", "/cases/{case_id}/outcomes/{outcome_id}/approve", _CHIEF, _money, by_unit=True),
)
