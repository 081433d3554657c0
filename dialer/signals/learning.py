"""Fits a scorecard to the answers of calls and filed cases, and stores it as a draft of the rules that a second person
approves. A verdict that nobody was asked about has no label.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

from dialer.core.access import Actor
from dialer.core.errors import Conflict
from dialer.core.text import Text
from dialer.runtime.services import Services
from dialer.signals.fitting import FittedScorecard, fit_scorecard
from dialer.signals.label_store import read_background, read_labels
from dialer.signals.rule_store import RuleVersion, live_rule_version
from dialer.signals.store import SignalCodec
from dialer.signals.versions import draft_rules, parse_version


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRules:
    """What was learned, the number of the live version, how many background verdicts were used, and the draft that
    waits for a second person, None if nothing was stored.
    """

    fitted: FittedScorecard
    live: int
    background: int
    draft: RuleVersion | None


def fit_rules(services: Services, actor: Actor, *, days: int, store: bool = True) -> FittedRules:
    """Fits a scorecard to the labels of the last `days` and, with `store`, stores it with the live rules as a draft.
    Raises `TooFewLabels`, `LearningMissing`, and `Conflict` if the scorecard stays the same or the robot has never run.
    """
    now = services.clock.now()
    since = now - timedelta(days=days)
    with services.store.begin() as tx:
        version = live_rule_version(tx)
        if version is None:
            raise Conflict(Text("the robot has never run: there are no live rules"), current="none")
        labelled = read_labels(tx, SignalCodec(services.store.vault), since=since, now=now)
        background = read_background(tx, since=since)
    live = parse_version(version)
    fitted = fit_scorecard(live.rules, live.scorecard, labelled, background)
    draft = None
    if store:
        card = json.loads(fitted.scorecard.to_json())
        draft = draft_rules(services, actor, version.files, scorecard=card)
    return FittedRules(fitted=fitted, live=version.number, background=sum(background.values()), draft=draft)
