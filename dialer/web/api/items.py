"""JSON objects as warnings: the cells of a list's row, or why an object is none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from dialer.domain.values import Grade
from dialer.intake.records import Field
from dialer.intake.unreadable import Unreadable
from dialer.intake.words import read_grade
from dialer.usecases.take_warnings import NAMES, Cells
from dialer.web.api.models import WarningIn

_FEN: Final = {Field.AMOUNT_AT_RISK: "amount_at_risk_fen", Field.AMOUNT_PAID: "amount_paid_fen"}
_SHOWN_NAME: Final = 60
_LONG = frozenset({"string_too_long", "too_long"})
_RANGE = frozenset({"greater_than_equal", "less_than_equal"})


class ShapeCode(StrEnum):
    """Why an object is no warning, whatever its words mean."""

    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_FIELD = "unknown_field"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    TOO_LONG = "too_long"
    OUT_OF_RANGE = "out_of_range"
    TWICE = "twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misshapen:
    """The field that makes it none; `nearest` is the field that was perhaps meant."""

    field: str
    code: ShapeCode
    nearest: str = ""
    high_grade: bool = False


def read_item(value: Any) -> Cells | Misshapen:  # noqa: ANN401  # JSON may be anything
    """The warning as text cells by field, or why it is none."""
    if not isinstance(value, dict):
        return Misshapen(field="", code=ShapeCode.NOT_AN_OBJECT)
    try:
        item = WarningIn.model_validate(value)
    except ValidationError as fault:
        return _misshapen(fault, value)
    cells: dict[Field, str] = {}
    for field, name in NAMES.items():
        held = getattr(item, name)
        fen = getattr(item, _FEN[field]) if field in _FEN else None
        if fen is not None:
            if held is not None and held.strip():
                return Misshapen(field=_FEN[field], code=ShapeCode.TWICE, high_grade=_is_high(value))
            held = f"{fen // 100}.{fen % 100:02d}"
        if held is not None:
            cells[field] = ",".join(held) if isinstance(held, list) else str(held)
    return cells


def _misshapen(fault: ValidationError, value: Mapping[str, Any]) -> Misshapen:
    errors = fault.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt name says more than what is missing because of it.
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    field = str(first["loc"][0])
    kinds = {error["type"] for error in errors if str(error["loc"][0]) == field}
    high = _is_high(value)
    if "extra_forbidden" in kinds:
        close = difflib.get_close_matches(field[:_SHOWN_NAME], list(WarningIn.model_fields), n=1, cutoff=0.5)
        return Misshapen(
            field=field[:_SHOWN_NAME],
            code=ShapeCode.UNKNOWN_FIELD,
            nearest=close[0] if close else "",
            high_grade=high,
        )
    if "missing" in kinds:
        code = ShapeCode.MISSING
    elif kinds & _LONG:
        code = ShapeCode.TOO_LONG
    else:
        code = ShapeCode.OUT_OF_RANGE if kinds & _RANGE else ShapeCode.WRONG_TYPE
    return Misshapen(field=field, code=code, high_grade=high)


def _is_high(value: Mapping[str, Any]) -> bool:
    word = value.get("grade")
    try:
        grade: Grade | None = read_grade(word) if isinstance(word, str) else None
    except Unreadable:
        return False
    return grade is not None and grade.is_high
