"""Trials: which words work. Approved versions are spoken in shares, and compared at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.domain.access import actor_name
from dialer.domain.values import Grade
from dialer.errors import Conflict, Invalid, NotFound
from dialer.language import Text
from dialer.outcomes.sequential import ERROR, Interval, Tally, Verdict, compare, share_interval
from dialer.store import audits, script_trials, scripts
from dialer.store.script_trials import Heard, Trial
from dialer.usecases.engine import Engine

MEASURES = ("dissuaded", "verified", "hung_up_early", "defrauded")
"""The first is what a trial is decided by; the others are looked at beside it."""
_LESS_IS_BETTER = frozenset({"hung_up_early", "defrauded"})
_AT_LEAST = 2
_REASON_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measure of one version. `verdict` None: it is the live version, with which the others are compared."""

    measure: str
    tally: Tally
    interval: Interval | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One version's figures, in the order of `MEASURES`. Without filed cases `defrauded` is left out."""

    number: int
    weight: float
    is_live: bool
    measured: tuple[Measured, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    trial: Trial
    versions: tuple[Compared, ...]
    filed_loaded: bool
    """False: no filed cases loaded, so that nothing can be said of people defrauded after a warning."""


def set_trial(
    engine: Engine,
    script_id: str,
    weights: Mapping[int, float],
    *,
    by: str,
    reason: str,
    grade: Grade | None = None,
) -> Trial | None:
    """New calls speak these approved versions in these shares, the live one among them; the same person always hears
    the same. Without weights the trial is over, as it is when another version goes live. One person is enough: every
    version of it was approved by a second one. Raises `Invalid`, `NotFound` and `Conflict`.
    """
    who = actor_name(by)
    why = reason.strip()
    if not why or len(why) > _REASON_LENGTH:
        raise Invalid(field="reason", problem="is empty or too long", mend="what is to be found out")
    if weights and (len(weights) < _AT_LEAST or any(weight <= 0 for weight in weights.values())):
        raise Invalid(
            field="weights", problem="must name two versions or more, each above 0", mend="1=50,2=50"
        )
    scope = grade.value if grade else ""
    with engine.store.begin() as tx:
        scripts.lock(tx)
        standing = scripts.live(tx).get(script_id)
        if standing is None:
            raise NotFound(kind="live version of script", key=script_id)
        found = {number: scripts.version(tx, script_id, number) for number in weights}
        drafts = [number for number, version in found.items() if not version.approvals]
        if drafts:
            raise Conflict(
                Text(
                    "version %(number)s of %(script)s is a draft: it must be approved first",
                    number=drafts[0],
                    script=script_id,
                )
            )
        if weights and not any(version.is_live for version in found.values()):
            raise Invalid(field="weights", problem="must name the live version, to compare the others with")
        script_trials.begin(
            tx,
            approval_id=standing.approval_id,
            script_id=script_id,
            grade=scope,
            weights=weights,
            by=who,
            reason=why,
            now=engine.clock.now(),
        )
        audits.write(
            tx,
            who=who,
            act="script_trial",
            subject=f"script/{script_id}",
            why=why,
            now=engine.clock.now(),
            facts={"weights": {str(n): w for n, w in weights.items()}, "grade": scope},
        )
        trial = script_trials.newest(tx, script_id, scope)
    engine.editions.refresh()
    return trial


def compare_versions(engine: Engine, script_id: str, *, grade: Grade | None = None) -> Comparison:
    """The running trial, else the last one, as things stand now. Raises `NotFound`."""
    scope = grade.value if grade else ""
    with engine.store.begin() as tx:
        trial = script_trials.newest(tx, script_id, scope)
        if trial is None:
            raise NotFound(kind="trial of script", key=script_id)
        heard = script_trials.heard(
            tx, trial, drill=engine.drill, other_grades=script_trials.grades_of(tx, script_id)
        )
        filed = script_trials.any_filed(tx)
    measures = [measure for measure in MEASURES if filed or measure != "defrauded"]
    versions = tuple(
        Compared(
            number=number,
            weight=trial.weights[number],
            is_live=number == trial.live,
            measured=tuple(_measured(measure, trial, heard, number) for measure in measures),
        )
        for number in heard
    )
    return Comparison(trial=trial, versions=versions, filed_loaded=filed)


def running_trials(engine: Engine) -> tuple[Comparison, ...]:
    """Every trial under way, as things stand now."""
    with engine.store.begin() as tx:
        shares = scripts.trials(tx, scripts.live(tx))
    return tuple(
        compare_versions(engine, script_id, grade=Grade(grade) if grade else None)
        for script_id, grade in sorted(shares)
    )


def _measured(measure: str, trial: Trial, heard: Mapping[int, Heard], number: int) -> Measured:
    tally = _tally(heard[number], measure)
    # Several versions against one are several chances to be wrong.
    error = ERROR / max(1, len(trial.weights) - 1)
    verdict = None
    if number != trial.live:
        live = _tally(heard[trial.live], measure)
        verdict = compare(live, tally, more_is_better=measure not in _LESS_IS_BETTER, error=error)
    return Measured(measure=measure, tally=tally, interval=share_interval(tally), verdict=verdict)


def _tally(heard: Heard, measure: str) -> Tally:
    hits: int = getattr(heard, measure)
    return Tally(people=heard.people, hits=hits)
