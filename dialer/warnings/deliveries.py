"""Warnings that another system sends, one or a few at a time: read by the same rules as the rows of a list, and
answered after the commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from dialer.calls.pauses import circumstances
from dialer.cases.timeline import pending_attempts
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.core.timeline import NextStep
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm
from dialer.db.unit_of_work import Tx
from dialer.intake.cells import Unreadable, cleaned, is_blank, read_moment
from dialer.intake.headings import Layout
from dialer.intake.reader import RowReader
from dialer.intake.records import Accepted, Field, NoticeCode, Rejected, RowNotice
from dialer.runtime.services import Services
from dialer.staff.token_store import ApiToken
from dialer.warnings.arrivals import Taken, cases_of_arrivals, prepare_arrivals, take_arrivals
from dialer.warnings.lists import row_options
from dialer.warnings.source_limits import hold_above_limits

_NO_COLUMN: Final = frozenset({Field.ROW_NUMBER, Field.REJECTION})
NAMES: Final = {
    field: "phones" if field is Field.PHONE else field.value for field in Field if field not in _NO_COLUMN
}
"""The name of each field in a warning and in the answer to it."""
_LAYOUT: Final = Layout(headings=tuple(NAMES.values()), fields=tuple(NAMES))

_AGAIN: Final = RowNotice(
    column=NAMES[Field.INSTRUCTION_NO],
    code=NoticeCode.NUMBER_USED_AGAIN,
    message=Text("this number was sent before with other content: it is taken as a further warning"),
)

Cells = Mapping[Field, str]
"""One warning as text, in the form of a row of a list; missing fields are blank."""


class WarningStatus(StrEnum):
    """What became of one delivered warning."""

    ACCEPTED = "accepted"
    """A case of its own was opened, or it waits for a person to release it."""
    MERGED = "merged"
    """It joined an open case of the same person and incident."""
    DUPLICATE = "duplicate"
    """Its source has sent this instruction number before, with the same content; nothing changed."""
    REJECTED = "rejected"
    """Nothing of it was stored; after correction, the same instruction number can be sent again."""


class FaultCode(StrEnum):
    """Why a field of a warning was refused."""

    MISSING = "missing"
    UNUSABLE = "unusable"
    UNREADABLE = "unreadable"
    EXPIRED = "expired"
    NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a warning was rejected; the content of its field is not repeated."""

    field: str
    code: FaultCode


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningResult:
    """The result of one warning. `next_steps` are those of its case, soonest first."""

    status: WarningStatus
    source: str = ""
    instruction_no: str = ""
    case_id: int | None = None
    next_steps: tuple[NextStep, ...] = ()
    notices: tuple[RowNotice, ...] = ()
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningDelivery:
    """The warnings of one request, read and not yet stored."""

    token: ApiToken
    sent: tuple[Cells, ...]
    read: tuple[Accepted | Rejected, ...]
    refused_high: int
    """How many warnings of high grades were rejected: they raise an alarm."""

    @property
    def accepted(self) -> list[Accepted]:
        """The warnings without a fault."""
        return [item for item in self.read if isinstance(item, Accepted)]

    @property
    def is_urgent(self) -> bool:
        """Whether any of them is of a high grade."""
        return any(item.record.grade.is_high for item in self.accepted)


def read_warnings(
    services: Services,
    sent: Sequence[Cells],
    *,
    token: ApiToken,
    misshapen_high: int = 0,
    internal: bool = False,
) -> WarningDelivery:
    """Reads warnings by the same rules as the rows of a list. A warning without a source gets the name of the token as
    its source, one without a unit the unit of the token; one of a source for which the token may not send is rejected.
    `misshapen_high` counts warnings of high grades that were rejected by their shape; `internal`: they are of a source
    of the service itself.
    """
    now, tree = services.clock.now(), services.units.latest
    options = row_options(services, source=token.name, now=now, tree=tree, internal=internal)
    reader = RowReader(layout=_LAYOUT, options=options)
    read = tuple(
        _checked(reader.read(line, [_cell(cells, field, token) for field in NAMES]), token)
        for line, cells in enumerate(sent, start=1)
    )
    refused = sum(item.high_grade for item in read if isinstance(item, Rejected))
    return WarningDelivery(token=token, sent=tuple(sent), read=read, refused_high=misshapen_high + refused)


def _checked(item: Accepted | Rejected, token: ApiToken) -> Accepted | Rejected:
    """The warning, rejected if the token may not send for its source."""
    if isinstance(item, Rejected) or token.may_send_for(item.record.source):
        return item
    return Rejected(
        line=item.line,
        column=NAMES[Field.SOURCE],
        field=Field.SOURCE,
        reason=Text("is not a source for which you may send"),
        high_grade=item.record.grade.is_high,
        raw=item.record.raw,
        sheet=item.sheet,
        table=item.table,
    )


def take_deliveries(
    services: Services, deliveries: Sequence[WarningDelivery]
) -> list[tuple[WarningResult, ...]]:
    """Stores the warnings of all deliveries in one transaction, which is committed on return. The answers to each
    delivery are in the order of its warnings. A rejected warning does not affect the others.
    """
    now = services.clock.now()
    batch = [item for delivery in deliveries for item in delivery.accepted]
    if not batch and not any(delivery.refused_high for delivery in deliveries):
        return [_answers_to(delivery, iter(())) for delivery in deliveries]
    with services.store.begin() as tx:
        taken: Iterator[WarningResult] = iter(())
        if batch:
            prepared = prepare_arrivals(tx, services, batch, load_id=None, now=now)
            tells = any(delivery.token.sees_every_case for delivery in deliveries)
            hold = partial(hold_above_limits, services, now)
            found = take_arrivals(tx, services, prepared, hold=hold)
            taken = iter(_answers(tx, services, batch, found, tells=tells))
        answers = [_answers_to(delivery, taken) for delivery in deliveries]
        for delivery, own in zip(deliveries, answers, strict=True):
            _note(OpenAct(tx, delivery.token.actor, lambda: now), delivery, own)
    return answers


def _answers_to(delivery: WarningDelivery, taken: Iterator[WarningResult]) -> tuple[WarningResult, ...]:
    return tuple(
        next(taken) if isinstance(item, Accepted) else _refusal(item, cells)
        for item, cells in zip(delivery.read, delivery.sent, strict=True)
    )


def _cell(cells: Cells, field: Field, token: ApiToken) -> str:
    text = cells.get(field, "").strip()
    return token.unit if field is Field.UNIT and not text else text


def _answers(
    tx: Tx, services: Services, accepted: Sequence[Accepted], taken: Taken, *, tells: bool
) -> list[WarningResult]:
    """`tells`: with the case of each and its next steps."""
    cases: Mapping[int, int] = {}
    steps: dict[int | None, tuple[NextStep, ...]] = {}
    if tells:
        cases = cases_of_arrivals(tx, accepted, taken)
        moment = circumstances(tx, services)
        pending = pending_attempts(tx, list(cases.values()))
        steps = {case_id: moment.steps(*attempts) for case_id, attempts in pending.items()}
    statuses = [_status(taken, place) for place in range(len(accepted))]
    return [
        WarningResult(
            status=status,
            source=item.record.source,
            instruction_no=item.record.instruction_no,
            case_id=cases.get(place),
            next_steps=steps.get(cases.get(place), ()),
            notices=()
            if status is WarningStatus.DUPLICATE
            else (*item.notices, *([_AGAIN] if place in taken.again else [])),
        )
        for place, (item, status) in enumerate(zip(accepted, statuses, strict=True))
    ]


def _status(taken: Taken, place: int) -> WarningStatus:
    """A warning that waits for a person is accepted: its source learns nothing of its limits."""
    if place in taken.held:
        return WarningStatus.ACCEPTED
    if taken.case_ids[place] is None:
        return WarningStatus.DUPLICATE
    return WarningStatus.MERGED if taken.joined[place] else WarningStatus.ACCEPTED


def _note(act: OpenAct, delivery: WarningDelivery, answers: Sequence[WarningResult]) -> None:
    """Audits new warnings under their token, and raises an alarm for rejected ones of high grades."""
    token = delivery.token
    counts = {status.value: sum(answer.status is status for answer in answers) for status in WarningStatus}
    if counts[WarningStatus.ACCEPTED] or counts[WarningStatus.MERGED]:
        act.audit("take_warnings", f"api_token/{token.id}", facts=counts)
    if delivery.refused_high:
        raise_alarm(act.tx, AlarmCode.REJECTED_HIGH_ROW, now=act.now, facts={"api_token": token.name})


def _refusal(item: Rejected, cells: Cells) -> WarningResult:
    fault = Fault(field=NAMES[item.field], code=_code(item.field, cells.get(item.field, "")))
    return WarningResult(status=WarningStatus.REJECTED, fault=fault)


def _code(field: Field, cell: str) -> FaultCode:
    if field is Field.SOURCE:
        return FaultCode.NOT_YOURS
    if field is Field.PHONE:
        return FaultCode.MISSING if is_blank(cleaned(cell).lower()) else FaultCode.UNUSABLE
    if field is Field.EXPIRES_AT and _is_moment(cell):
        return FaultCode.EXPIRED
    return FaultCode.UNREADABLE


def _is_moment(cell: str) -> bool:
    try:
        read_moment(cell.strip(), ZoneInfo("UTC"))
    except Unreadable:
        return False
    return True
