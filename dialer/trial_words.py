"""What the measures of a trial are called, what they count, and a verdict in one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.language import Lang, mark, say
from dialer.outcomes.sequential import MARGIN, Finding, Verdict

MEASURES: Mapping[str, str] = {
    "dissuaded": mark("Dissuaded"),
    "verified": mark("Verified contact"),
    "hung_up_early": mark("Hung up early"),
    "defrauded": mark("Defrauded after the warning"),
}
MEASURES_SAY: Mapping[str, str] = {
    "dissuaded": mark(
        "Of the people who picked up, those whose case ended as dissuaded by phone or in person. "
        "A trial is decided by this."
    ),
    "verified": mark("Of the people who picked up, those who said that they are the right person."),
    "hung_up_early": mark("Of the people who picked up, those who were gone before the warning was spoken."),
    "defrauded": mark(
        "Of the people who picked up, those with a case that was filed with the police, "
        "as far as filed cases were loaded."
    ),
}
NO_FILED_CASES = mark("no filed cases loaded")
_PERCENT = 100


def verdict_in(lang: Lang, verdict: Verdict, live: int) -> str:
    """Of one version against the live one."""
    if verdict.finding is Finding.TOO_FEW:
        text = mark("not enough calls yet: about %(more)s more each")
        return say(lang, text, more=f"{verdict.more_each:,}")
    if verdict.finding is Finding.ALIKE:
        text = mark("no difference to version %(live)s that matters (below %(margin)s points)")
        return say(lang, text, live=live, margin=f"{_PERCENT * MARGIN:.0f}")
    assert verdict.difference is not None
    points = f"{_PERCENT * abs(verdict.difference):.1f}"
    if verdict.finding is Finding.BETTER:
        return say(
            lang, mark("better than version %(live)s, by about %(points)s points"), live=live, points=points
        )
    return say(
        lang, mark("worse than version %(live)s, by about %(points)s points"), live=live, points=points
    )
