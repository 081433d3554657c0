"""The checks of an opening: facts in, findings and a verdict out. Pure; the limits and sentences are in `checks.toml`.

The highest verdict of a check asks the desk, or protects a possible victim. A determination of an authority
is not a check: the verdict `restricted` comes from it alone. Nothing here refuses.

An outlet is told less than what was found until the card is open: `Checks.told`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from typing import Any, Final

from dialer.core.cards import CheckVerdict
from dialer.core.text import Lang, Text

_RANK: Final = {verdict: rank for rank, verdict in enumerate(CheckVerdict)}
_VERDICTS_OF_CHECKS: Final = frozenset(
    {CheckVerdict.NOTE, CheckVerdict.ASK_DESK, CheckVerdict.POSSIBLE_VICTIM}
)
RESTRICTED: Final = "restricted"
"""The name of the finding that repeats a determination."""
WARNED_NOW: Final = "warned_now"
"""The name of the finding that the customer has an open case."""
ASK_FIRST: Final = "ask_first"
"""The name of the only finding that an outlet is told where the desk is to be asked."""
_ASKED_FOR: Final = timedelta(days=1)
CUSTOMER_QUESTIONS: Final = (
    Text("Who asked you to open this card today, and have you met this person?"),
    Text(
        "Did somebody tell you to transfer money, to share your screen, or to keep this secret from the bank?"
    ),
    Text("Did somebody promise you a loan, earnings or a refund, or say that you are part of a case?"),
)
"""What the outlet asks every customer about whom it asks the desk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an opening; counts include it. Flags are 0 or 1; `age` is None if it is not known."""

    cards_24h: int = 1
    cards_7d: int = 1
    cards_30d: int = 1
    cards_90d: int = 1
    institutions_7d: int = 1
    accounts_7d: int = 0
    sims_7d: int = 0
    over_ceiling: int = 0
    ceiling: int = 0
    refused_elsewhere_30d: int = 0
    involved: int = 0
    used_far: int = 0
    confirmed: int = 0
    phone_of_another: int = 0
    phone_persons: int = 1
    agent_persons: int = 0
    out_of_town: int = 0
    top_limit: int = 0
    accompanied: int = 0
    guided: int = 0
    open_case: int = 0
    age: int | None = None
    ring_points: int = 0
    ring_persons: int = 0
    ring_cards: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """The determination of an authority that is in force. `until_on`: the first day without it."""

    document_no: str
    authority: str
    from_on: date
    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinding:
    """What one check found: the values in its sentence, its legal basis, and until when it is valid."""

    check: str
    verdict: CheckVerdict
    values: Mapping[str, Any]
    basis: str
    expires_at: datetime

    def plain(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return asdict(self) | {"verdict": self.verdict.value, "expires_at": self.expires_at.isoformat()}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> CheckFinding:
        """The finding from the result of `plain`."""
        return cls(
            check=plain["check"],
            verdict=CheckVerdict(plain["verdict"]),
            values=plain["values"],
            basis=plain["basis"],
            expires_at=datetime.fromisoformat(plain["expires_at"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The answer to the outlet."""

    verdict: CheckVerdict
    findings: tuple[CheckFinding, ...]
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningCheck:
    """One rule: every fact of `when` reaches its limit."""

    id: str
    when: tuple[tuple[str, int], ...]
    verdict: CheckVerdict
    days: int
    basis: str
    sentences: Mapping[Lang, str]
    lists_stored: bool = False
    """A stored account that it finds is listed, whatever its verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The checks of one version; `version` is the digest of their content."""

    checks: tuple[OpeningCheck, ...]
    notes_ask: int
    bases: Mapping[str, Mapping[Lang, str]]
    version: str

    def answer(
        self, facts: Facts, *, now: datetime, restriction: Restriction | None = None, zone: tzinfo = UTC
    ) -> CheckResult:
        """The findings, gravest first, and the verdict. `zone`: the time zone of the centre, in which a restriction
        ends.
        """
        found = [self._finding(check, facts, now) for check in self.checks if _holds(check, facts)]
        notes = sum(finding.verdict is CheckVerdict.NOTE for finding in found)
        verdict = max(
            (finding.verdict for finding in found), key=_RANK.__getitem__, default=CheckVerdict.CLEAR
        )
        if verdict is CheckVerdict.NOTE and notes >= self.notes_ask:
            verdict = CheckVerdict.ASK_DESK
        if restriction is not None:
            found.append(self._restricted(restriction, zone))
            verdict = CheckVerdict.RESTRICTED
        found.sort(key=lambda finding: -_RANK[finding.verdict])
        return CheckResult(verdict=verdict, findings=self._without_repetitions(found), version=self.version)

    def told(self, found: CheckResult, *, at: datetime, is_open: bool) -> CheckResult:
        """What an outlet is told of the result of a check made at this time. Once the card is open: everything,
        without the verdict that says who may be a victim. Before: whether the desk is to be asked, in the same words
        whatever the reason, so that nobody learns by asking who is at risk; of a determination, all.
        """
        asks = any(finding.verdict in _DESK for finding in found.findings)
        verdict = CheckVerdict.ASK_DESK if found.verdict in _DESK else found.verdict
        if is_open or not (asks or verdict is CheckVerdict.ASK_DESK):
            return replace(found, verdict=verdict)
        restricted = [one for one in found.findings if one.verdict is CheckVerdict.RESTRICTED]
        first = CheckFinding(
            check=ASK_FIRST,
            verdict=CheckVerdict.ASK_DESK,
            values={},
            basis=self._basis("opening"),
            expires_at=at + _ASKED_FOR,
        )
        return replace(found, verdict=verdict, findings=(*restricted, first))

    def _without_repetitions(self, found: Sequence[CheckFinding]) -> tuple[CheckFinding, ...]:
        """The findings without repetitions: of those with the same sentence only the first, which is the gravest."""
        by_sentence: dict[str, CheckFinding] = {}
        for finding in found:
            by_sentence.setdefault(self.sentence(finding, Lang.EN), finding)
        return tuple(by_sentence.values())

    def puts_on_list(self, finding: CheckFinding, *, stored: bool) -> bool:
        """Whether the finding puts the person on the morning list. `stored`: it is about a stored account."""
        own = stored and any(check.id == finding.check and check.lists_stored for check in self.checks)
        return own or finding.verdict is CheckVerdict.ASK_DESK

    def _finding(self, check: OpeningCheck, facts: Facts, now: datetime) -> CheckFinding:
        text = "".join(check.sentences.values())
        values = {name: value for name, value in asdict(facts).items() if f"%({name})s" in text}
        return CheckFinding(
            check=check.id,
            verdict=check.verdict,
            values=values,
            basis=self._basis(check.basis),
            expires_at=now + timedelta(days=check.days),
        )

    def _restricted(self, restriction: Restriction, zone: tzinfo) -> CheckFinding:
        until = datetime.combine(restriction.until_on, time(), tzinfo=zone).astimezone(UTC)
        return CheckFinding(
            check=RESTRICTED,
            verdict=CheckVerdict.RESTRICTED,
            values={
                "document_no": restriction.document_no,
                "authority": restriction.authority,
                "from_on": restriction.from_on.isoformat(),
                "until_on": restriction.until_on.isoformat(),
            },
            basis=self._basis("restriction"),
            expires_at=until,
        )

    def _basis(self, name: str) -> str:
        """The legal basis as it is stored and sent to institutions: in both languages."""
        return " · ".join(self.bases[name].values())

    def basis_in(self, stored: str, lang: Lang) -> str:
        """The stored basis of a finding in one language; as stored if the checks no longer contain it."""
        return next(
            (texts[lang] for name, texts in self.bases.items() if self._basis(name) == stored), stored
        )

    def title(self, check: str, lang: Lang) -> str:
        """The check in words, with … for each value; its name if it no longer exists."""
        sentences = self._sentences(check)
        return re.sub(r"%\(\w+\)s", "…", sentences[lang]) if sentences else check

    def _sentences(self, name: str) -> Mapping[Lang, str]:
        if name == RESTRICTED:
            return _RESTRICTED
        if name == ASK_FIRST:
            return _ASK_FIRST
        return next((check.sentences for check in self.checks if check.id == name), {})

    def sentence(self, finding: CheckFinding, lang: Lang) -> str:
        """The finding in words; the name of the check if that no longer exists."""
        sentences = self._sentences(finding.check)
        return sentences[lang] % finding.values if sentences else finding.check

    def sentences(self, findings: Sequence[CheckFinding], lang: Lang) -> list[tuple[str, CheckFinding]]:
        """Each finding in words, and the finding with its basis in this language."""
        return [
            (self.sentence(finding, lang), replace(finding, basis=self.basis_in(finding.basis, lang)))
            for finding in findings
        ]


_RESTRICTED: Final = {
    Lang.EN: "restricted by %(authority)s, document %(document_no)s, from %(from_on)s until %(until_on)s;"
    " basic services stay open",
    Lang.ZH: "经%(authority)s认定惩戒，文号%(document_no)s，%(from_on)s起至%(until_on)s止；保留基本服务",
}
_ASK_FIRST: Final = {
    Lang.EN: "the verification desk is asked before this card is opened",
    Lang.ZH: "办理前须先询问核查席",
}
_DESK: Final = frozenset({CheckVerdict.ASK_DESK, CheckVerdict.POSSIBLE_VICTIM})


def _holds(check: OpeningCheck, facts: Facts) -> bool:
    for name, least in check.when:
        value = getattr(facts, name)
        if value is None or value < least:
            return False
    return True


def read_checks(text: str) -> Checks:
    """The checks in a TOML text. Raises `ValueError` for a verdict that no check may have, and for an unknown fact."""
    given = tomllib.loads(text)
    known = {fact.name for fact in fields(Facts)}
    checks = []
    for check in given["check"]:
        verdict = CheckVerdict(check["verdict"])
        if verdict not in _VERDICTS_OF_CHECKS:
            raise ValueError(f"check {check['id']}: no check says {verdict.value}")
        when = tuple((term["fact"], int(term["at_least"])) for term in check["when"])
        if not when or not {name for name, _ in when} <= known:
            raise ValueError(f"check {check['id']}: unknown fact")
        checks.append(
            OpeningCheck(
                id=check["id"],
                when=when,
                verdict=verdict,
                days=int(check["days"]),
                basis=check["basis"],
                sentences={Lang.EN: check["en"], Lang.ZH: check["zh"]},
                lists_stored=bool(check.get("lists_stored", False)),
            )
        )
    content = json.dumps(given, sort_keys=True, ensure_ascii=False).encode()
    return Checks(
        checks=tuple(checks),
        notes_ask=int(given["notes_ask"]),
        bases={name: {Lang.ZH: texts["zh"], Lang.EN: texts["en"]} for name, texts in given["basis"].items()},
        version=hashlib.sha256(content).hexdigest()[:16],
    )


@cache
def shipped_checks() -> Checks:
    """The checks of this release."""
    return read_checks(files("dialer.cards.openings").joinpath("checks.toml").read_text(encoding="utf-8"))
