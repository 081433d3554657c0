"""What the words of units and of people's work are called; part of the one catalogue (`dialer.words`)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dialer.domain.acts import ActKind
from dialer.domain.case_acts import Bar, CaseAct
from dialer.domain.errand import DeskCallState, TransferState, VisitStage, WhoSeen
from dialer.domain.unit_changes import UnitChangeKind
from dialer.domain.unit_plan import UnitField

WORK_WORDS: Final[Mapping[type[StrEnum], Mapping[str, str]]] = {
    UnitField: {
        UnitField.NAME: "name",
        UnitField.PARENT: "parent",
        UnitField.LEVEL: "level",
        UnitField.ALIASES: "aliases",
        UnitField.STATE: "state",
        UnitField.NUMBER: "system number",
    },
    UnitChangeKind: {
        UnitChangeKind.ADDED: "added",
        UnitChangeKind.MOVED: "moved",
        UnitChangeKind.RENAMED: "renamed",
        UnitChangeKind.CLOSED: "closed",
        UnitChangeKind.OPENED: "opened again",
        UnitChangeKind.LEVEL: "another level",
        UnitChangeKind.ALIAS: "alias",
    },
    ActKind: {
        ActKind.UNIT_ASSIGNED: "sorted to its unit",
        ActKind.UNIT_CHANGED: "handed to another unit",
        ActKind.UNIT_RAISED: "nobody signed: raised one level",
        ActKind.TRANSFER_ASKED: "transfer asked",
        ActKind.TRANSFER_ACCEPTED: "transfer accepted",
        ActKind.TRANSFER_REFUSED: "transfer refused",
        ActKind.CLAIMED: "taken",
        ActKind.RELEASED: "given back",
        ActKind.LAPSED: "signed but idle: back in the queue",
        ActKind.ACCOUNT_DISABLED: "account disabled: back in the queue",
        ActKind.CALL_BACK: "call-back agreed",
        ActKind.DIALLED: "dialled from the desk",
        ActKind.VISIT_ACCEPTED: "visit accepted",
        ActKind.VISIT_ON_THE_WAY: "on the way",
        ActKind.VISIT_ARRIVED: "arrived",
        ActKind.VISIT_SEEN: "who was seen",
        ActKind.VISIT_NOTE: "note of the visit",
        ActKind.VISIT_PHOTO: "photo",
        ActKind.RING_NOW: "ring now",
        ActKind.PERSON_ASKED: "a person was asked for",
        ActKind.GRADE_RAISED: "grade raised",
        ActKind.GRADE_LOWERED: "grade lowered",
        ActKind.CLOSED: "closed",
        ActKind.DUPLICATE: "marked duplicate",
        ActKind.OPTED_OUT: "opted out",
        ActKind.NOTE: "note",
        ActKind.LOAD_WITHDRAWN: "list withdrawn",
    },
    CaseAct: {
        CaseAct.RING_NOW: "ring now",
        CaseAct.RAISE: "raise",
        CaseAct.LOWER: "lower",
        CaseAct.ASK_CALLER: "ask a caller",
        CaseAct.ASK_OFFICER: "send an officer",
        CaseAct.HAND_OVER: "hand over",
        CaseAct.CLOSE: "close",
        CaseAct.MARK_DUPLICATE: "mark duplicate",
        CaseAct.OPT_OUT: "opt out",
        CaseAct.NOTE: "note",
    },
    Bar: {
        Bar.NOT_OPEN: "the case is no longer open",
        Bar.OPTED_OUT: "the person asked not to be rung by a robot",
        Bar.NO_NUMBER: "no number is left that can be rung",
        Bar.HIGHEST_GRADE: "it has the highest grade",
        Bar.LOWEST_GRADE: "it has the lowest grade",
        Bar.UNDER_WAY: "somebody is at it already",
    },
    VisitStage: {
        VisitStage.NONE: "waiting to be signed for",
        VisitStage.ACCEPTED: "signed for",
        VisitStage.ON_THE_WAY: "on the way",
        VisitStage.ARRIVED: "arrived",
        VisitStage.SEEN: "seen",
    },
    WhoSeen: {
        WhoSeen.PERSON: "the person",
        WhoSeen.FAMILY: "family",
        WhoSeen.NEIGHBOUR: "a neighbour",
        WhoSeen.NOBODY: "nobody",
    },
    DeskCallState: {
        DeskCallState.ASKED: "asked for",
        DeskCallState.RINGING: "the desk's telephone rings",
        DeskCallState.JOINED: "the desk is on the line",
        DeskCallState.ENDED: "over",
    },
    TransferState: {
        TransferState.ASKED: "waiting for an answer",
        TransferState.ACCEPTED: "accepted",
        TransferState.REFUSED: "refused",
    },
}
