"""Reads the audit, and takes a part of it out as a file: which is itself a line of the audit."""

from __future__ import annotations

from dataclasses import replace

from dialer.domain.access import actor_name, said
from dialer.store import audits
from dialer.store.reads.audit_search import AuditLine, AuditPage, AuditQuery, acts, search
from dialer.usecases.engine import Engine

MOST_EXPORTED = 100_000
"""Lines of one file; the newest."""


def read_audit(engine: Engine, query: AuditQuery) -> AuditPage:
    with engine.store.begin() as tx:
        return search(tx, query)


def audited_acts(engine: Engine) -> list[str]:
    """What there is to choose from."""
    with engine.store.begin() as tx:
        return acts(tx)


def export_audit(engine: Engine, query: AuditQuery, *, who: str, why: str) -> tuple[AuditLine, ...]:
    """The lines for a file, at most `MOST_EXPORTED`. That they left, how many and why is audited first. Raises
    `Invalid` without a reason.
    """
    reader, reason = actor_name(who), said("why", why, mend="every export says what it is for")
    with engine.store.begin() as tx:
        lines = search(tx, replace(query, before=None, limit=MOST_EXPORTED)).lines
        audits.write(
            tx,
            who=reader,
            act="export",
            subject="audit",
            why=reason,
            now=engine.clock.now(),
            facts={"lines": len(lines)}
            | {
                name: text
                for name, text in (("who", query.who), ("act", query.act), ("subject", query.subject))
                if text
            },
        )
    return lines
