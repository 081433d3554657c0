"""Cases without a unit: a person assigns them, and may teach the text of their list as an alias of the unit. They
belong to the whole centre: a person who sees one unit alone (`visible_to`) finds none and assigns none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dialer.cases.store import lock_cases
from dialer.cases.unassigned import (
    UnassignedCase,
    UnassignedGroup,
    assign_cases_to_unit,
    assign_text_to_unit,
    lock_cases_of_texts,
    spellings_of_text,
    unassigned_cases,
    unassigned_groups,
    unit_text_of_case,
)
from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.text import Text
from dialer.core.units import Unit, UnitIndex, normalise_name
from dialer.core.values import Grade
from dialer.db.acts import OpenAct
from dialer.db.units import count_cases_without_unit, delete_unit_alias, teach_unit_alias
from dialer.runtime.services import Services
from dialer.warnings.warning_store import lock_arrivals
from dialer.work.transfers import active_label


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedCases:
    """What assigning cases to a unit has changed."""

    placed: int
    """How many cases now have their unit, including those of the same text."""
    alias: str
    """The text that was taught; '' for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGroup:
    """Waiting cases with one text, in all its spellings. `meant`: the several units that it could mean, if any;
    `near`: units with similar names.
    """

    texts: tuple[str, ...]
    cases: int
    grades: Mapping[Grade, int]
    oldest_id: int
    """The id of its oldest case, which identifies the group in addresses."""
    oldest_at: datetime
    meant: tuple[Unit, ...]
    near: tuple[Unit, ...]

    @property
    def text(self) -> str:
        """What the list wrote as the unit."""
        return self.texts[0]

    @property
    def highest(self) -> Grade:
        """The highest grade of its cases."""
        return max(self.grades, key=lambda grade: grade.rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnassignedCases:
    """`cases` counts those of all groups, shown or not."""

    groups: tuple[TextGroup, ...]
    cases: int
    index: UnitIndex


def show_unassigned(services: Services, *, visible_to: int | None = None, most: int = 50) -> UnassignedCases:
    """The `most` most urgent groups: the highest grade first, then the largest."""
    with services.store.begin() as tx:
        index = services.units.current(tx)
        if visible_to is not None:
            return UnassignedCases(groups=(), cases=0, index=index)
        found, waiting = unassigned_groups(tx, limit=most), count_cases_without_unit(tx)
    alike: dict[str, list[UnassignedGroup]] = {}
    for group in found:
        alike.setdefault(normalise_name(group.text) or group.text, []).append(group)
    return UnassignedCases(
        groups=tuple(_group(index, same) for same in alike.values()), cases=waiting, index=index
    )


def _group(index: UnitIndex, same: list[UnassignedGroup]) -> TextGroup:
    largest = sorted(same, key=lambda group: -group.cases)
    oldest = min(same, key=lambda group: group.oldest_id)
    text = largest[0].text
    meant = index.candidates(text)
    return TextGroup(
        texts=tuple(group.text for group in largest),
        cases=sum(group.cases for group in same),
        grades={grade: n for grade in Grade if (n := sum(group.grades.get(grade, 0) for group in same))},
        oldest_id=oldest.oldest_id,
        oldest_at=oldest.oldest_at,
        meant=meant,
        near=() if meant else index.similar_units(text),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """One group with a page of its cases, newest first; `next_before_id` None: this is the last page."""

    text: str
    cases: tuple[UnassignedCase, ...]
    next_before_id: int | None
    meant: tuple[Unit, ...]
    near: tuple[Unit, ...]
    index: UnitIndex


def show_group(
    services: Services,
    case_id: int,
    *,
    visible_to: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> GroupPage:
    """The cases with the same text as this one. Raises `NotFound` when this one no longer waits."""
    with services.store.begin() as tx:
        text = None if visible_to is not None else unit_text_of_case(tx, case_id)
        if text is None:
            raise NotFound(kind="case", key=case_id)
        index = services.units.current(tx)
        found = unassigned_cases(tx, text=text, before_id=before_id, limit=limit + 1)
    shown = found[:limit]
    meant = index.candidates(text)
    return GroupPage(
        text=text,
        cases=tuple(shown),
        next_before_id=shown[-1].id if len(found) > limit else None,
        meant=meant,
        near=() if meant else index.similar_units(text),
        index=index,
    )


def assign_unit(
    services: Services,
    actor: Actor,
    case_id: int,
    *,
    unit_id: int,
    alike: bool = False,
    teach: bool = False,
) -> AssignedCases:
    """Assigns the waiting case to the unit, and with `alike` every waiting case with the same text. With `teach` the
    text becomes an alias of the unit. Raises `NotFound`, and `Conflict` when the case has a unit or is over.
    """
    if actor.unit_id is not None:
        raise NotFound(kind="case", key=case_id)
    with services.act(actor, Permission.SORT_UNITS, Permission.MANAGE_UNITS) as act:
        tx = act.tx
        lock_arrivals(tx)
        label = active_label(tx, services, unit_id)
        if alike or teach:
            lock_cases_of_texts(tx, spellings_of_text(tx, unit_text_of_case(tx, case_id) or ""))
        stored = lock_cases(tx, [case_id]).get(case_id)
        if stored is None:
            raise NotFound(kind="case", key=case_id)
        if stored.unit_id is not None or stored.case.status.is_settled:
            current = stored.unit if stored.unit_id is not None else stored.case.status
            raise Conflict(
                Text(
                    "case %(case)s does not wait for a unit any more: %(current)s",
                    case=case_id,
                    current=current,
                ),
                current=str(current),
            )
        placed = len(
            assign_cases_to_unit(tx, [case_id], unit_id=unit_id, label=label, by=act.by, now=act.now)
        )
        text = stored.unit.strip()
        is_taught = teach and bool(normalise_name(text))
        if is_taught:
            teach_unit_alias(tx, text, unit_id=unit_id, by=act.by, now=act.now)
        if is_taught or alike:
            placed += _place_alike(act, text, unit_id=unit_id, label=label)
        facts = {"unit_id": unit_id, "placed": placed, "taught": is_taught}
        act.audit("assign_unit", f"case/{case_id}", facts=facts)
    return AssignedCases(placed=placed, alias=text if is_taught else "")


def assign_cases(services: Services, actor: Actor, case_ids: Sequence[int], *, unit_id: int) -> AssignedCases:
    """Assigns those of these cases that still wait to the unit; no alias is taught. Raises `NotFound`, `Invalid` if no
    case is given, and `Conflict` when all of them have a unit already.
    """
    if not case_ids:
        raise Invalid(field="case", problem="is empty", fix="choose at least one case")
    with services.act(actor, Permission.SORT_UNITS) as act:
        lock_arrivals(act.tx)
        if actor.unit_id is not None:
            raise NotFound(kind="case", key=case_ids[0])
        label = active_label(act.tx, services, unit_id)
        placed = assign_cases_to_unit(act.tx, case_ids, unit_id=unit_id, label=label, by=act.by, now=act.now)
        if not placed:
            raise Conflict("none of these cases waits for a unit any more")
        for case_id in placed:
            facts = {"unit_id": unit_id, "placed": 1, "taught": False}
            act.audit("assign_unit", f"case/{case_id}", facts=facts)
    return AssignedCases(placed=len(placed), alias="")


def teach_alias(services: Services, actor: Actor, text: str, *, unit_id: int) -> AssignedCases:
    """Makes `text` an alias of this unit, and assigns every waiting case with that text to it. Raises `NotFound`,
    `Invalid`, and `Conflict` for a closed unit or an alias of another unit.
    """
    if not normalise_name(text):
        raise Invalid(field="alias", problem="is empty", fix="the unit as lists write it")
    if actor.unit_id is not None:
        raise NotFound(kind="unit", key=unit_id)
    with services.act(actor, Permission.SORT_UNITS, Permission.MANAGE_UNITS) as act:
        tx = act.tx
        lock_arrivals(tx)
        label = active_label(tx, services, unit_id)
        teach_unit_alias(tx, text, unit_id=unit_id, by=act.by, now=act.now)
        placed = _place_alike(act, text, unit_id=unit_id, label=label)
        facts = {"placed": placed}
        act.audit("teach_alias", f"unit/{unit_id}", facts=facts)
    return AssignedCases(placed=placed, alias=text.strip())


def forget_alias(services: Services, actor: Actor, text: str) -> None:
    """Deletes the alias; cases keep their units. Raises `NotFound`."""
    with services.act(actor, Permission.SORT_UNITS, Permission.MANAGE_UNITS) as act:
        if actor.unit_id is not None or not delete_unit_alias(act.tx, text):
            raise NotFound(kind="alias", key=text.strip())
        act.audit("forget_alias", "unit_alias")


def _place_alike(act: OpenAct, text: str, *, unit_id: int, label: str) -> int:
    spellings = spellings_of_text(act.tx, text)
    lock_cases_of_texts(act.tx, spellings)
    return sum(
        assign_text_to_unit(act.tx, same, unit_id=unit_id, label=label, by=act.by, now=act.now)
        for same in spellings
    )
