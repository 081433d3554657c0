"""`dialer whatif` tells what it was asked, in both languages and as JSON."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from dialer.__main__ import build_command_line
from dialer.whatif.figures import FIGURES

_CITY = ("whatif", "--generated", "city", "--seeds", "6", "--load", "0.1")


def run(environment: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(build_command_line(), words, env=environment | {"COLUMNS": "200"})


def test_it_answers_as_json(environment: dict[str, str]):
    done = run(environment, *_CITY, "--callers", "+2", "--json")
    assert done.exit_code == 0, (done.stderr, done.exception)
    found = json.loads(done.stdout)
    assert set(found) == {
        "window",
        "cases",
        "left_out",
        "seeds",
        "promise_seconds",
        "honest",
        "checks",
        "changes",
        "assumptions",
    }
    assert found["window"]["from"] == "2026-03-01T16:00:00+00:00"
    assert (found["cases"], found["seeds"], found["honest"], found["checks"]) == (2_348, 6, True, [])
    assert set(found["changes"]) <= set(FIGURES)
    busy = found["changes"]["callers_busy"]
    assert set(busy) == {"before", "after", "difference"}
    assert busy["before"]["low"] <= busy["before"]["mean"] <= busy["before"]["high"]
    assert busy["difference"]["high"] < 0
    assert busy["after"]["mean"] - busy["before"]["mean"] == pytest.approx(
        busy["difference"]["mean"], abs=1e-3
    )


def test_it_answers_in_both_languages(environment: dict[str, str]):
    english = run(environment, *_CITY, "--lang", "en")
    assert "robot calls" in english.stdout
    assert "- The city is invented" in english.stdout
    chinese = run(environment, *_CITY)
    assert "虚构" in chinese.stdout
    assert not [line for line in chinese.stdout.splitlines() if line.startswith("- T")]


def test_the_oracle_is_no_answer_to_anybody(environment: dict[str, str]):
    done = run(environment, *_CITY, "--order", "oracle")
    assert done.exit_code != 0


def test_it_asks_for_one_kind_of_period(environment: dict[str, str]):
    for words in (
        ("whatif",),
        ("whatif", "--from", "2026-11-01"),
        (*_CITY, "--from", "2026-11-01", "--to", "2026-11-02"),
    ):
        done = run(environment, *words)
        assert done.exit_code != 0
