"""What waits for a decision: who sees it, who decides, of the own unit alone."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.outcomes.evidence_files import add_evidence_files, clean_evidence, files_of_outcomes
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.console.town import ConsoleScenario
from tests.core.pdfs import pdf
from tests.outcomes.town import MORNING

_SEES = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR, Role.SECURITY_ADMINISTRATOR})
_DECIDES = frozenset({Role.SUPERVISOR})
_RECORDS = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})
_STOPS = frozenset({Role.CALLER, Role.SUPERVISOR})


def _case(desk: ConsoleDesk, unit_id: int | None) -> tuple[ConsoleScenario, int]:
    scenario, number = ConsoleScenario(desk), len(desk.rows(t.person)) + 1
    owner = scenario.person(name=f"甲{number}", phones=(f"+86138{number:08d}",))
    return scenario, scenario.case(person_id=owner, unit_id=unit_id, warning=False)


def _money(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, case_id = _case(desk, unit_id)
    return {"outcome_id": scenario.outcome(case_id, stopped_fen=100)}


def _file(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, case_id = _case(desk, unit_id)
    outcome_id = scenario.outcome(case_id, stopped_fen=100)
    with scenario.tx() as tx:
        files = clean_evidence(desk.app.services, [pdf()])
        add_evidence_files(tx, outcome_id, files, case_id=case_id, by="li", now=MORNING)
        [file] = files_of_outcomes(tx, [outcome_id])[outcome_id]
    return {"outcome_id": outcome_id, "file_id": file.id}


def _payment(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, case_id = _case(desk, unit_id)
    return {"payment_id": scenario.put(t.stop_payment, case_id=case_id, opened_at=MORNING, drill=False)}


def _nothing(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {"outcome_id": 987_654}


ROWS = (
    Row("GET", "/approvals", _SEES),
    Row("POST", "/approvals/evidence", _DECIDES),
    Row("POST", "/approvals/approve", _DECIDES, refused=422),
    Row("POST", "/approvals/refuse", _DECIDES, refused=422),
    Row("POST", "/approvals/outcomes/{outcome_id}/files/{file_id}", _DECIDES, _file, by_unit=True),
    Row(
        "POST",
        "/approvals/outcomes/{outcome_id}/refuse",
        _DECIDES,
        _money,
        by_unit=True,
        form={"why": "回单不符"},
    ),
    Row("POST", "/approvals/outcomes/{outcome_id}/correct", _RECORDS, _nothing, refused=404),
    Row("POST", "/approvals/stop-payments/{payment_id}/done", _STOPS, _payment, by_unit=True),
)
