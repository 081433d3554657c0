"""Money rules: three amounts, whole fen, never summed, never without evidence."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from dialer.errors import Invalid

FEN_PER_YUAN = 100
_MOST_FEN = 10**14
"""A trillion yuan: beyond it somebody has mistyped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What one outcome saved. Intended 劝阻: never paid; stopped 止付: paid and held at the bank; returned 返还."""

    intended_fen: int = 0
    stopped_fen: int = 0
    returned_fen: int = 0

    def __post_init__(self) -> None:
        for name in ("intended_fen", "stopped_fen", "returned_fen"):
            value = getattr(self, name)
            if not 0 <= value <= _MOST_FEN:
                raise Invalid(field=name, problem="is not between 0 and a trillion yuan")

    @property
    def is_nothing(self) -> bool:
        return not (self.intended_fen or self.stopped_fen or self.returned_fen)


def yuan(fen: int) -> str:
    """1,234.50 of whole fen, without a float in between."""
    return f"{fen // FEN_PER_YUAN:,}.{fen % FEN_PER_YUAN:02}"


def fen_of(text: str, *, field: str) -> int:
    """Whole fen of an amount typed in yuan. Raises `Invalid` for anything with more than two decimals."""
    try:
        amount = Decimal(text.strip().replace(",", "")) * FEN_PER_YUAN
    except InvalidOperation:
        raise Invalid(field=field, problem="is no amount", mend="yuan, such as 12000 or 12000.50") from None
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise Invalid(field=field, problem="has parts of a fen", mend="two decimals at most")
    return int(amount)


def must_have_evidence(amounts: Amounts, evidence: str) -> None:
    if not amounts.is_nothing and not evidence.strip():
        raise Invalid(
            field="evidence",
            problem="is missing",
            mend="money on record needs its evidence, such as a receipt",
        )
