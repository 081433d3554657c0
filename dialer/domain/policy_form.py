"""A policy as plain data, for a row or a settings file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import time
from typing import Any

from dialer.domain.policy import GradePolicy, Policy, UrgencyPolicy
from dialer.domain.values import Grade
from dialer.domain.window import Window


def to_plain(policy: Policy) -> dict[str, Any]:
    """JSON-ready; `version` is left out, since it names the row and not the content."""
    plain = {
        field.name: getattr(policy, field.name)
        for field in fields(Policy)
        if field.name not in {"version", "grades", "window", "urgency"}
    }
    return plain | {
        "grades": {grade.value: asdict(rules) for grade, rules in policy.grades.items()},
        "window": {
            "opens": policy.window.opens.isoformat(timespec="minutes"),
            "closes": policy.window.closes.isoformat(timespec="minutes"),
            "zone": policy.window.zone,
        },
        "urgency": asdict(policy.urgency)
        | {
            "grade_seconds": {grade.value: seconds for grade, seconds in policy.urgency.grade_seconds.items()}
        },
    }


def from_plain(plain: Mapping[str, Any], *, version: int) -> Policy:
    """The policy that `to_plain` wrote."""
    urgency = plain["urgency"]
    window = plain["window"]
    rest = {key: value for key, value in plain.items() if key not in {"grades", "window", "urgency"}}
    return Policy(
        version=version,
        grades={Grade(name): GradePolicy(**rules) for name, rules in plain["grades"].items()},
        window=Window(
            opens=time.fromisoformat(window["opens"]),
            closes=time.fromisoformat(window["closes"]),
            zone=window["zone"],
        ),
        urgency=UrgencyPolicy(
            grade_seconds={Grade(name): seconds for name, seconds in urgency["grade_seconds"].items()},
            amount_seconds_per_tenfold=urgency["amount_seconds_per_tenfold"],
            amount_floor_fen=urgency["amount_floor_fen"],
            expiry_horizon_seconds=urgency["expiry_horizon_seconds"],
        ),
        **rest,
    )
