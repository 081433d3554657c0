"""The settings of sources: what one may send for which no person has set limits, on probation and after it."""

from __future__ import annotations

from pydantic import Field

from dialer.core.sources import GeneralLimits, SourceLimits
from dialer.core.values import Grade
from dialer.runtime.sections import Section

_MOST = 1_000_000
_MOST_SIGNALS = 1_000_000_000


class ProbationSettings(Section):
    """[sources.probation]. Warnings above a limit wait for a person to release them."""

    per_minute: int = Field(default=60, ge=0, le=_MOST)
    """Warnings below extra high."""
    per_hour: int = Field(default=600, ge=0, le=_MOST)
    per_day: int = Field(default=3_000, ge=0, le=_MOST)
    extra_high_per_minute: int = Field(default=30, ge=0, le=_MOST)
    extra_high_per_hour: int = Field(default=60, ge=0, le=_MOST)
    extra_high_per_day: int = Field(default=200, ge=0, le=_MOST)
    signals_per_minute: int = Field(default=6_000, ge=0, le=_MOST_SIGNALS)
    """Signals above these limits are refused until later."""
    signals_per_hour: int = Field(default=100_000, ge=0, le=_MOST_SIGNALS)
    signals_per_day: int = Field(default=1_000_000, ge=0, le=_MOST_SIGNALS)
    most_grade: Grade = Grade.EXTRA_HIGH
    most_amount_yuan: int = Field(default=1_000_000, ge=0, le=1_000_000_000)
    """A larger amount waits; a signal is believed up to it."""
    bank_reports: bool = False
    """Whether its signals "report of a bank" are taken."""

    def limits(self) -> SourceLimits:
        """The limits of a source on probation."""
        values = self.model_dump(exclude={"most_amount_yuan"})
        return SourceLimits(**values, most_amount_fen=self.most_amount_yuan * 100)


class RegularSettings(Section):
    """[sources.regular]. Warnings above a limit wait for a person to release them."""

    per_minute: int = Field(default=1_000, ge=0, le=_MOST)
    """Warnings below extra high."""
    per_hour: int = Field(default=10_000, ge=0, le=_MOST)
    per_day: int = Field(default=50_000, ge=0, le=_MOST)
    extra_high_per_minute: int = Field(default=200, ge=0, le=_MOST)
    extra_high_per_hour: int = Field(default=1_000, ge=0, le=_MOST)
    extra_high_per_day: int = Field(default=4_000, ge=0, le=_MOST)
    signals_per_minute: int = Field(default=60_000, ge=0, le=_MOST_SIGNALS)
    """Signals above these limits are refused until later. A minute's is what the warning robot reads in a minute."""
    signals_per_hour: int = Field(default=3_000_000, ge=0, le=_MOST_SIGNALS)
    signals_per_day: int = Field(default=40_000_000, ge=0, le=_MOST_SIGNALS)

    def limits(self) -> SourceLimits:
        """The limits of a source that is not on probation."""
        return SourceLimits(**self.model_dump())


class SourcesSettings(Section):
    """[sources]."""

    probation: ProbationSettings = ProbationSettings()
    regular: RegularSettings = RegularSettings()
    extra_high_wait_seconds: int = Field(default=180, ge=30, le=3600)
    """Extra-high warnings that wait for release for longer raise an alarm."""
    cases_a_number: int = Field(default=4, ge=1, le=1000)
    """As many cases of people with the same number may be open; what would open a further one waits for a person."""

    def general_limits(self) -> GeneralLimits:
        """The limits of sources for which a person has set none."""
        return GeneralLimits(probation=self.probation.limits(), regular=self.regular.limits())
