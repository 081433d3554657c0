"""Limits of a source as a person types them, on its page or at the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dialer.core.errors import Invalid
from dialer.core.sources import COUNTED_LIMITS, SourceLimits
from dialer.core.text import Text, gettext_noop
from dialer.core.values import FEN_PER_YUAN, Grade, parse_yuan
from dialer.signals.model import ListKind, SignalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLimits:
    """Limits as text; '' and () for what is not limited."""

    counts: dict[str, str] = field(default_factory=dict)
    most_grade: str = ""
    most_amount: str = ""
    """Yuan."""
    units: Sequence[str] = ()
    signal_kinds: Sequence[str] = ()
    list_kinds: Sequence[str] = ()
    bank_reports: bool | None = None

    @classmethod
    def of(cls, limits: SourceLimits) -> TypedLimits:
        """The text of these limits."""
        amount = limits.most_amount_fen
        return cls(
            counts={name: _shown(getattr(limits, name)) for name in COUNTED_LIMITS},
            most_grade="" if limits.most_grade is None else limits.most_grade.value,
            most_amount="" if amount is None else f"{amount / FEN_PER_YUAN:.2f}".removesuffix(".00"),
            units=limits.units,
            signal_kinds=limits.signal_kinds,
            list_kinds=limits.list_kinds,
            bank_reports=limits.bank_reports,
        )

    def read(self) -> SourceLimits:
        """Raises `Invalid`, which names the field."""
        try:
            grade = Grade(self.most_grade) if self.most_grade else None
        except ValueError:
            fix = Text("one of %(known)s", known=", ".join(Grade))
            raise Invalid(field="most_grade", problem="is not known", fix=fix) from None
        _check_known("signal_kinds", self.signal_kinds, SignalKind)
        _check_known("list_kinds", self.list_kinds, ListKind)
        amount = self.most_amount.strip()
        return SourceLimits(
            **{name: _count(name, self.counts.get(name, "")) for name in COUNTED_LIMITS},
            most_grade=grade,
            most_amount_fen=parse_yuan(amount, field="most_amount") if amount else None,
            units=tuple(dict.fromkeys(filter(None, map(str.strip, self.units)))),
            signal_kinds=tuple(dict.fromkeys(self.signal_kinds)),
            list_kinds=tuple(dict.fromkeys(self.list_kinds)),
            bank_reports=self.bank_reports,
        )


def _check_known(name: str, kinds: Sequence[str], known: Iterable[str]) -> None:
    if not set(kinds) <= set(known):
        fix = Text("one of %(known)s", known=", ".join(known))
        raise Invalid(field=name, problem="is not known", fix=fix)


def _shown(count: int | None) -> str:
    return "" if count is None else str(count)


def _count(name: str, typed: str) -> int | None:
    text = typed.strip().replace(",", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len("1000000000")):
        fix = gettext_noop("a whole number; nothing for no limit")
        raise Invalid(field=name, problem=gettext_noop("is not a number"), fix=fix)
    return int(text)
