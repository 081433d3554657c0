"""The settings of which numbers may be called."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from dialer.core.errors import WrongValue
from dialer.core.text import Text
from dialer.intake.allowed_numbers import (
    INTERNAL,
    PREMIUM,
    SATELLITE,
    AllowedNumbers,
    NumberKind,
    is_extension_entry,
)
from dialer.runtime.sections import Section

_Prefix = Annotated[str, Field(pattern=r"^\+[0-9]{1,15}$")]


class NumbersSettings(Section):
    """[numbers]. The list holds for every leg of every line."""

    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ("CN",)
    """ISO codes."""
    kinds: tuple[NumberKind, ...] = (NumberKind.MOBILE, NumberKind.FIXED_LINE)
    prefixes: tuple[_Prefix, ...] = ()
    """Beginnings of further numbers, whatever their country and kind."""
    refused_prefixes: tuple[_Prefix, ...] = SATELLITE + PREMIUM
    """Beginnings of numbers that are never called."""
    extensions: tuple[str, ...] = INTERNAL
    """Telephones of the organisation: numbers, ranges such as 8000-8099, or sip:name@host."""

    @field_validator("extensions")
    @classmethod
    def _are_extensions(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            if not is_extension_entry(text):
                raise WrongValue(
                    Text(
                        "%(text)s is not a telephone, a range such as 8000-8099, or sip:name@host", text=text
                    )
                )
        return given

    def allowed(self, *, duty_line: str) -> AllowedNumbers:
        """The list, with the duty line ('' for none) among the telephones of the organisation."""
        return AllowedNumbers(
            countries=frozenset(self.countries),
            kinds=frozenset(self.kinds),
            prefixes=self.prefixes,
            refused_prefixes=self.refused_prefixes,
            extensions=self.extensions + ((duty_line,) if duty_line else ()),
        )
