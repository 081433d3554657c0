"""A case's timeline and its next steps in plain words, for the terminal and the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from dialer.domain.acts import ActKind
from dialer.domain.case import Reason
from dialer.domain.effects import AlarmCode
from dialer.domain.message import MessagePurpose, MessageState
from dialer.domain.reach import Reach
from dialer.domain.values import Answer, Contact, FraudType, Grade, OutcomeKind, TelephonyResult, Track
from dialer.outcomes.next_steps import Step, StepKind, Wait
from dialer.outcomes.timeline import Entry, EntryKind, Fact
from dialer.words import Lang, word

_FEN_PER_YUAN = 100

_WAITS: Mapping[Wait, tuple[str, str]] = {
    Wait.NOT_BEFORE: ("未到时间", "its time has not come"),
    Wait.WINDOW: ("不在外呼时段", "the dialling window is closed"),
    Wait.HELD: ("已人工暂停", "it is held"),
    Wait.PAUSED: ("外呼已暂停", "all dialling is paused"),
    Wait.LINE_TROUBLE: ("线路异常", "there is trouble with the line"),
    Wait.NUMBER_BUSY: ("该号码正在通话或间隔中", "the same number rings or rests"),
    Wait.QUEUE: ("排队，前面有更紧急的", "more urgent ones go first"),
}


def step_sentence(step: Step, lang: Lang) -> str:  # noqa: PLR0911  # one arm a kind, in one place
    """What comes next and why; when is the step's own `at`."""
    why = word(step.reason, lang)
    zh = lang is Lang.ZH
    track = word(step.track, lang) if step.track is not None else ""
    match step.kind:
        case StepKind.SETTLED:
            return f"已无后续：{why}" if zh else f"nothing any more: {why}"
        case StepKind.WATCH_ENDS:
            return (
                "观察期结束，无立案即确证"
                if zh
                else "the watch period ends; without a filed case it is proven"
            )
        case StepKind.EXPIRES:
            return "预警失效" if zh else "the warning expires"
        case StepKind.CALL:
            return f"机器人呼叫进行中（{why}）" if zh else f"the robot's call is under way ({why})"
        case StepKind.RING:
            waits = [wait_words(wait, lang) for wait in step.waits]
            told = f"机器人呼叫（{why}）" if zh else f"the robot rings ({why})"
            return told + (
                ("，等待：" if zh else "; waiting: ") + ("、" if zh else ", ").join(waits) if waits else ""
            )
        case StepKind.ERRAND_OPENS:
            return f"派{track}（{why}）" if zh else f"a {track} is opened ({why})"
        case StepKind.ERRAND_DUE:
            return (
                f"{track}待反馈，逾期报警（{why}）"
                if zh
                else f"a {track} is to be reported, or is overdue ({why})"
            )


def wait_words(wait: Wait, lang: Lang) -> str:
    zh, en = _WAITS[wait]
    return zh if lang is Lang.ZH else en


def entry_sentence(entry: Entry, lang: Lang) -> str:
    """What happened, without when and by whom."""
    return _TELL[entry.kind](entry.facts, lang)


Facts = Mapping[str, Fact]


def _named(kind: type[StrEnum], value: Fact, lang: Lang) -> str:
    """The word of a stored value; a value of a later version is told as it stands."""
    try:
        return word(kind(str(value)), lang)
    except ValueError:
        return str(value)


def _yuan(fen: Fact) -> str:
    assert isinstance(fen, int)
    return f"{fen // _FEN_PER_YUAN:,}.{fen % _FEN_PER_YUAN:02}"


def _warning(f: Facts, lang: Lang) -> str:
    grade, fraud = _named(Grade, f["grade"], lang), _named(FraudType, f["fraud_type"], lang)
    risk = f["amount_at_risk_fen"]
    if lang is Lang.ZH:
        told = f"预警 {f['instruction_no']}（{f['source']}）：{grade}，{fraud}"
        return told + (f"，拟转 {_yuan(risk)} 元" if risk else "")
    told = f"warning {f['instruction_no']} ({f['source']}): {grade}, {fraud}"
    return told + (f", {_yuan(risk)} yuan at risk" if risk else "")


def _ring(zh: str, en: str) -> Callable[[Facts, Lang], str]:
    return lambda f, lang: f"第 {f['n']} 次呼叫{zh}" if lang is Lang.ZH else f"ring {f['n']} {en}"


def _ring_planned(f: Facts, lang: Lang) -> str:
    why = _named(Reason, f["reason"], lang)
    if lang is Lang.ZH:
        return f"计划第 {f['n']} 次呼叫，第 {f['number']} 个号码（{why}）"
    return f"ring {f['n']} planned, to number {f['number']} ({why})"


def _spoken(f: Facts, lang: Lang) -> str:
    key, at, spoke = f["key"], f["heard_at"], f.get("spoke", False)
    then = str(f["then"])
    if lang is Lang.ZH:
        heard = f"在“{at}”按 {key}" if key else f"在“{at}”口头回答" if spoke else "播报"
        return f"{heard} → {then}" + ("，结束" if f["end"] else "")
    heard = f'pressed {key} at "{at}"' if key else f'spoke at "{at}"' if spoke else "the robot speaks"
    return f"{heard} → {then}" + (", the end" if f["end"] else "")


def _ring_ended(f: Facts, lang: Lang) -> str:
    parts = [_named(TelephonyResult, f["result"], lang)]
    if f.get("reach") in {Reach.HUNG_UP_EARLY.value, Reach.SILENT.value}:
        parts.append(_named(Reach, f["reach"], lang))
    elif f["contact"] != Contact.NONE.value:
        parts.append(_named(Contact, f["contact"], lang))
    if f["answer"] != Answer.NONE.value:
        parts.append(_named(Answer, f["answer"], lang))
    if lang is Lang.ZH:
        return f"第 {f['n']} 次呼叫结束：" + "，".join(parts)
    return f"ring {f['n']} ended: " + ", ".join(parts)


def _late(f: Facts, lang: Lang) -> str:
    if f["in_time"]:
        return ""
    return "（超时）" if lang is Lang.ZH else " (late)"


def _errand(zh: str, en: str, *, why: type[StrEnum] | None = None) -> Callable[[Facts, Lang], str]:
    def tell(f: Facts, lang: Lang) -> str:
        track = _named(Track, f["track"], lang)
        reason = _named(why, f["reason"], lang) if why is not None else ""
        if lang is Lang.ZH:
            return f"{track}{zh}" + (f"：{reason}" if reason else _late(f, lang))
        return f"{track} {en}" + (f": {reason}" if reason else _late(f, lang))

    return tell


def _errand_reported(f: Facts, lang: Lang) -> str:
    track, outcome = _named(Track, f["track"], lang), _named(OutcomeKind, f["outcome"], lang)
    told = f"{track}反馈：{outcome}" if lang is Lang.ZH else f"{track} reported: {outcome}"
    return told + _late(f, lang)


def _outcome(f: Facts, lang: Lang) -> str:
    parts = [_named(OutcomeKind, f["outcome"], lang), _named(Contact, f["contact"], lang)]
    for name, zh, en in (
        ("intended_fen", "劝阻", "intended"),
        ("stopped_fen", "止付", "stopped"),
        ("returned_fen", "返还", "returned"),
    ):
        if f[name]:
            parts.append(f"{zh} {_yuan(f[name])} 元" if lang is Lang.ZH else f"{en} {_yuan(f[name])} yuan")
    if lang is Lang.ZH:
        return f"结果 {f['outcome_id']}：" + "，".join(parts)
    return f"outcome {f['outcome_id']}: " + ", ".join(parts)


def _reversal(f: Facts, lang: Lang) -> str:
    told = _outcome(f, lang)
    return (
        f"冲销结果 {f['reverses']}；{told}"
        if lang is Lang.ZH
        else f"outcome {f['reverses']} reversed; {told}"
    )


def _said(zh: str, en: str, name: str) -> Callable[[Facts, Lang], str]:
    return lambda f, lang: (zh if lang is Lang.ZH else en) + f" {f[name]}"


def _alarm(zh: str, en: str) -> Callable[[Facts, Lang], str]:
    return lambda f, lang: (zh if lang is Lang.ZH else en) + _named(AlarmCode, f["code"], lang)


def _message(f: Facts, lang: Lang) -> str:
    purpose, state = _named(MessagePurpose, f["purpose"], lang), _named(MessageState, f["state"], lang)
    return f"短信（{purpose}）：{state}" if lang is Lang.ZH else f"message ({purpose}): {state}"


def _viewed(f: Facts, lang: Lang) -> str:
    if lang is Lang.ZH:
        return f"查看隐藏信息（{f['act']}）：{f['why']}"
    return f"looked at what is hidden ({f['act']}): {f['why']}"


def _act(f: Facts, lang: Lang) -> str:
    """What was done, and where the work went or why, where that was said."""
    told = _named(ActKind, f["act"], lang)
    about = f.get("to") or f.get("unit") or f.get("why")
    if not about:
        return told
    return f"{told}：{about}" if lang is Lang.ZH else f"{told}: {about}"


_TELL: Mapping[EntryKind, Callable[[Facts, Lang], str]] = {
    EntryKind.WARNING: _warning,
    EntryKind.RING_PLANNED: _ring_planned,
    EntryKind.RING_SENT: _ring("已拨出", "sent"),
    EntryKind.RINGING: _ring("振铃", "rings"),
    EntryKind.ANSWERED: _ring("有人接听", "was answered"),
    EntryKind.SPOKEN: _spoken,
    EntryKind.RING_ENDED: _ring_ended,
    EntryKind.MESSAGE: _message,
    EntryKind.ERRAND_OPENED: _errand("已派出", "opened", why=Reason),
    EntryKind.ERRAND_SIGNED: _errand("已签收", "signed for"),
    EntryKind.ERRAND_REPORTED: _errand_reported,
    EntryKind.ERRAND_WITHDRAWN: _errand("已撤销", "withdrawn", why=Reason),
    EntryKind.OUTCOME: _outcome,
    EntryKind.REVERSAL: _reversal,
    EntryKind.APPROVAL: _said("审核通过结果", "approved outcome", "outcome_id"),
    EntryKind.FILED: _said("已立案", "a case was filed with the police:", "case_number"),
    EntryKind.ALARM: _alarm("报警：", "alarm: "),
    EntryKind.ALARM_SEEN: _alarm("报警已阅：", "alarm seen: "),
    EntryKind.ACT: _act,
    EntryKind.VIEWED: _viewed,
}


def moment_words(moment: datetime | None, now: datetime, lang: Lang) -> str:
    """How far away a moment is: 2m, 3h, 4d; overdue when it is past; '' of none."""
    if moment is None:
        return ""
    seconds = (moment - now).total_seconds()
    amount = _span(abs(seconds))
    if seconds < 0:
        return f"已过 {amount}" if lang is Lang.ZH else f"{amount} ago"
    return f"{amount}后" if lang is Lang.ZH else f"in {amount}"


def _span(seconds: float) -> str:
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds)}s"
