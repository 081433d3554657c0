"""The single rule for showing personal data in clear: a user, a reason from the list with a few words, a limit per
user, an alarm for many reveals in a short time, and a line in the audit. Pages, files, photos and the terminal all use
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from dialer.core.access import Actor, Permission, RevealReason, required_text
from dialer.core.errors import Invalid, TooMany
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services

ACTS: Final = (
    "reveal",
    "conversation",
    "view_photo",
    "view_file",
    "view_evidence",
    "print_notice",
    "export_rejects",
    "hear_recording",
)
"""The acts of the audit that show personal data in clear."""
SEARCH: Final = "search"
"""The act of the audit for a search by a personal value: a phone, its end, a name or an id number."""
EXPORT: Final = "export"
_EXPORTED: Final = ("cases", "list_load/")
"""The beginnings of the subjects of exports with people, which are masked. Each counts as a search: what one file shows
less of, a second one with other filters would show.
"""
_LOCK: Final = 0x5EE
_FEWEST_SIGNS: Final = 2


def note_reveal(
    act: OpenAct,
    services: Services,
    *,
    name: str,
    subject: str,
    reason: RevealReason | str,
    why: str,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Audits a reveal under this `name`; must be called before the data are read. Raises `Invalid` without a reason,
    and `TooMany` above the limit.
    """
    tx, viewer, code, words = act.tx, act.by, _reason_of(reason), _words_of(why)
    _lock_one_at_a_time(tx, viewer)
    rules, seen = services.reveals, _seen_by(tx, services, viewer)
    if seen.asked >= rules.most:
        minutes = max(1, round(rules.seconds / 60))
        raise TooMany(
            Text(
                "you have looked at hidden data %(n)s times in %(minutes)s minutes: wait, then go on",
                n=rules.most,
                minutes=minutes,
            )
        )
    _audit_reveal(
        tx, services, viewer, name, subject, words, dict(facts or {}) | {"reason": code.value}, seen
    )


def note_work_reveal(
    tx: Tx,
    services: Services,
    *,
    who: str,
    act: str,
    subject: str,
    why: str,
    facts: Mapping[str, object] | None = None,
) -> None:
    """As `note_reveal`, for the user who has the work in hand, which is the reason: there is no limit, but many reveals
    still raise the alarm.
    """
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(*_lock_of(who))))
    seen = _seen_by(tx, services, who)
    _audit_reveal(tx, services, who, act, subject, why, dict(facts or {}), seen)


def note_search(
    act: OpenAct, services: Services, *, kind: str, reason: RevealReason | str = "", why: str = ""
) -> None:
    """Audits a search by a personal value, which tells whether and where somebody is known; must be called before its
    result is read. Raises `Invalid` without a reason after the first few, and `TooMany` above the limit.
    """
    count = _count_search(act, services)
    facts, words = {}, ""
    if count > services.reveals.searches_without_reason:
        facts, words = {"reason": _reason_of(reason).value}, _words_of(why)
    act.audit(SEARCH, f"{SEARCH}/{kind}", why=words, facts=facts)
    _tell_of_searches(act, services, count)


def note_export(act: OpenAct, services: Services, *, subject: str, facts: Mapping[str, object]) -> None:
    """Audits an export of masked people, which counts as a search; must be called before it is made. Raises `TooMany`
    above the limit.
    """
    assert subject.startswith(_EXPORTED)
    count = _count_search(act, services)
    act.audit(EXPORT, subject, facts=facts)
    _tell_of_searches(act, services, count)


def note_pages(services: Services, actor: Actor, right: Permission, *, count: int, is_refused: bool) -> None:
    """Audits, and raises the alarm, that somebody has opened this many different pages of masked people in an hour.
    Raises `TooMany` for one page more than one person opens.
    """
    if is_refused:
        raise TooMany(
            Text(
                "you have opened %(n)s pages with people in this hour: wait for the next one; those that were open"
                " still open",
                n=services.reveals.pages,
            )
        )
    with services.act(actor, right) as act:
        facts = {"who": act.by, "count": count}
        raise_alarm(act.tx, AlarmCode.MANY_PAGES, now=act.now, facts=facts)
        act.audit("read_pages", "cases", facts={"count": count})


def _count_search(act: OpenAct, services: Services) -> int:
    """The number of searches with this one. Raises `TooMany`."""
    rules = services.reveals
    _lock_one_at_a_time(act.tx, act.by)
    count = _searches_of(act.tx, services, act.by) + 1
    if count > rules.searches:
        raise TooMany(
            Text(
                "you have searched for people %(n)s times in %(minutes)s minutes: wait, then go on",
                n=rules.searches,
                minutes=max(1, round(rules.seconds / 60)),
            )
        )
    return count


def _tell_of_searches(act: OpenAct, services: Services, count: int) -> None:
    tx, who, rules = act.tx, act.by, services.reveals
    # For somebody who goes on steadily, the number within the time stays above the limit.
    if count == rules.searches_alarm or (
        count > rules.searches_alarm and _may_alarm_again(tx, services, AlarmCode.MANY_SEARCHES, who)
    ):
        raise_alarm(tx, AlarmCode.MANY_SEARCHES, now=act.now, facts={"who": who, "count": count})


def must_give_reason_to_search(services: Services, who: str) -> bool:
    """Whether the next search by a personal value of this user needs a reason."""
    with services.store.begin_single_read() as tx:
        return _searches_of(tx, services, who) >= services.reveals.searches_without_reason


def _searches_of(tx: Tx, services: Services, who: str) -> int:
    c = t.audit.c
    since = services.clock.now() - timedelta(seconds=services.reveals.seconds)
    return int(
        tx.scalar(
            sa.select(sa.func.count()).select_from(t.audit).where(c.who == who, c.at > since, _IS_SEARCH)
        )
    )


_IS_SEARCH = sa.or_(
    t.audit.c.act == SEARCH,
    sa.and_(t.audit.c.act == EXPORT, sa.or_(*(t.audit.c.subject.startswith(name) for name in _EXPORTED))),
)


def _lock_one_at_a_time(tx: Tx, who: str) -> None:
    if not tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(*_lock_of(who)))):
        # Refused, so that somebody who sends many requests at once does not occupy a connection with each.
        raise TooMany(Text("you are looking at other hidden data at this moment: wait, then go on"))


def _lock_of(who: str) -> tuple[int, sa.ColumnElement[int]]:
    """The lock for the reveals of one user, so that of two at once the second counts the first."""
    return _LOCK, sa.func.hashtext(who)


class _Seen:
    """What a user has seen in clear within the time of the rules: `asked` counts reveals with a reason, `subjects` are
    the rows.
    """

    def __init__(self, asked: int, subjects: frozenset[str]) -> None:
        self.asked = asked
        self.subjects = subjects


def _seen_by(tx: Tx, services: Services, who: str) -> _Seen:
    since = services.clock.now() - timedelta(seconds=services.reveals.seconds)
    c = t.audit.c
    rows = tx.rows(
        sa.select(c.subject, c.facts.has_key("reason").label("asked")).where(
            c.who == who, c.at > since, c.act.in_(ACTS)
        )
    )
    return _Seen(sum(row["asked"] for row in rows), frozenset(row["subject"] for row in rows))


def _audit_reveal(
    tx: Tx,
    services: Services,
    who: str,
    act: str,
    subject: str,
    why: str,
    facts: Mapping[str, object],
    seen: _Seen,
) -> None:
    now = services.clock.now()
    write_audit(tx, who=who, act=act, subject=subject, why=why, now=now, facts=facts)
    count, alarm = len(seen.subjects) + 1, services.reveals.alarm
    # For somebody who goes on steadily, the number within the time stays above the limit.
    if (
        subject not in seen.subjects
        and count >= alarm
        and (count == alarm or _may_alarm_again(tx, services, AlarmCode.MANY_REVEALS, who))
    ):
        raise_alarm(tx, AlarmCode.MANY_REVEALS, now=now, facts={"who": who, "count": count})


def _may_alarm_again(tx: Tx, services: Services, code: AlarmCode, who: str) -> bool:
    """Whether this alarm about this user was not raised within the time of the rules."""
    since = services.clock.now() - timedelta(seconds=services.reveals.seconds)
    a = t.alarm.c
    raised = sa.func.coalesce(a.last_at, a.raised_at) > since
    about = sa.select(a.id).where(a.code == code.value, a.facts["who"].astext == who, raised)
    return not tx.rows(about.limit(1))


def _reason_of(reason: RevealReason | str) -> RevealReason:
    try:
        return RevealReason(reason)
    except ValueError:
        raise Invalid(field="reason", problem="is not chosen", fix="choose one of the list") from None


def _words_of(why: str) -> str:
    words = required_text("why", why, fix="every look at hidden data names who and why")
    if len({sign for sign in words.casefold() if sign.isalnum()}) < _FEWEST_SIGNS:
        raise Invalid(field="why", problem="says nothing", fix="say it in a few words")
    return words
