"""Trials, which show what words work best: approved versions share the calls, and are compared at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.intervals import ERROR, HitCount, Interval, TrialConclusion, compare_shares, share_interval
from dialer.core.text import Text
from dialer.core.values import Grade
from dialer.runtime.services import Services
from dialer.scripts.store import (
    Trial,
    TrialResults,
    are_filed_cases_loaded,
    begin_trial,
    get_script_version,
    live_scripts,
    lock_scripts,
    newest_trial,
    running_script_trials,
    trial_grades,
    trial_results,
)

MEASURES = ("dissuaded", "verified", "hung_up_early", "defrauded")
"""The first one decides a trial; the others are shown besides."""
_LESS_IS_BETTER = frozenset({"hung_up_early", "defrauded"})
_AT_LEAST = 2
_REASON_LENGTH = 500
_MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredVersion:
    """One measure of one version. `verdict` None: it is the live version, with which the others are compared."""

    measure: str
    tally: HitCount
    interval: Interval | None
    verdict: TrialConclusion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One version's figures, in the order of `TRIAL_MEASURES`. Without filed cases `defrauded` is left out."""

    number: int
    weight: float
    is_live: bool
    measured: tuple[MeasuredVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The results of a trial so far."""

    trial: Trial
    versions: tuple[Compared, ...]
    filed_loaded: bool
    """False: no filed cases are loaded, so that nothing is known about people defrauded after a warning."""


def set_trial(
    services: Services,
    actor: Actor,
    script_id: str,
    weights: Mapping[int, float],
    *,
    reason: str,
    grade: Grade | None = None,
) -> Trial | None:
    """Begins or ends a trial. New calls use these approved versions in these shares, the live one among them; a person
    always hears the same one. Empty weights end the trial, and so does another version that goes live. No second person
    is needed, since one has approved each version. Raises `Invalid`, `NotFound` and `Conflict`.
    """
    why = reason.strip()
    if not why or len(why) > _REASON_LENGTH:
        raise Invalid(field="reason", problem="is empty or too long", fix="the question of the trial")
    # NaN is in no range.
    if weights and (len(weights) < _AT_LEAST or not all(0 < weight <= _MOST for weight in weights.values())):
        raise Invalid(
            field="weights", problem="must name two versions or more, each above 0", fix="1=50,2=50"
        )
    scope = grade.value if grade else ""
    with services.act(actor, Permission.EDIT_SCRIPTS) as act:
        tx = act.tx
        lock_scripts(tx)
        live = live_scripts(tx).get(script_id)
        if live is None:
            raise NotFound(kind="live version of script", key=script_id)
        found = {number: get_script_version(tx, script_id, number) for number in weights}
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
        begin_trial(
            tx,
            approval_id=live.approval_id,
            script_id=script_id,
            grade=scope,
            weights=weights,
            by=act.by,
            reason=why,
            now=act.now,
        )
        act.audit(
            "script_trial",
            f"script/{script_id}",
            why=why,
            facts={"weights": {str(n): w for n, w in weights.items()}, "grade": scope},
        )
        trial = newest_trial(tx, script_id, scope)
    services.rendered_scripts.refresh()
    return trial


def compare_versions(services: Services, script_id: str, *, grade: Grade | None = None) -> Comparison:
    """The results so far of the running trial, else of the last one. Raises `NotFound`."""
    scope = grade.value if grade else ""
    with services.store.begin() as tx:
        trial = newest_trial(tx, script_id, scope)
        if trial is None:
            raise NotFound(kind="trial of script", key=script_id)
        heard = trial_results(tx, trial, drill=services.drill, other_grades=trial_grades(tx, script_id))
        filed = are_filed_cases_loaded(tx)
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


def running_trials(services: Services) -> tuple[Comparison, ...]:
    """The results so far of every running trial."""
    with services.store.begin() as tx:
        shares = running_script_trials(tx, live_scripts(tx))
    return tuple(
        compare_versions(services, script_id, grade=Grade(grade) if grade else None)
        for script_id, grade in sorted(shares)
    )


def _measured(measure: str, trial: Trial, heard: Mapping[int, TrialResults], number: int) -> MeasuredVersion:
    tally = _tally(heard[number], measure)
    verdict = None
    if number != trial.live:
        # Several versions against one are several chances to be wrong.
        error = ERROR / max(1, len(trial.weights) - 1)
        live = _tally(heard[trial.live], measure)
        verdict = compare_shares(live, tally, more_is_better=measure not in _LESS_IS_BETTER, error=error)
    return MeasuredVersion(measure=measure, tally=tally, interval=share_interval(tally), verdict=verdict)


def _tally(heard: TrialResults, measure: str) -> HitCount:
    hits: int = getattr(heard, measure)
    return HitCount(people=heard.people, hits=hits)
