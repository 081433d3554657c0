"""The yardstick of the reading-back bench: what counts as an error and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio.clips import Clip
from bench.speech import Reading, distance, page, plain


@pytest.mark.parametrize(
    ("wanted", "heard", "errors"),
    [
        ("转账", "转账", 0),
        ("转账", "转张", 1),
        ("转账", "转", 1),
        ("转", "转账了", 2),
        ("", "转账", 2),
        ("abc", "", 3),
    ],
)
def test_errors_are_signs_put_in_left_out_or_changed(wanted: str, heard: str, errors: int):
    assert distance(wanted, heard) == distance(heard, wanted) == errors


@pytest.mark.parametrize(
    ("text", "heard", "language"),
    [
        ("拨打96110，请按1。", "拨打九六一一零请按一", "zh"),
        ("两点", "二点", "zh"),
        ("Dial 96110. Press 1!", "dial nine six one one zero, press one", "en"),
        ("the anti-fraud centre", "The Anti-Fraud Center", "en"),
    ],
)
def test_figures_spelling_and_marks_are_no_errors(text: str, heard: str, language: str):
    assert plain(text, language) == plain(heard, language)


def test_a_wrong_number_is_an_error():
    assert plain("拨打96110", "zh") != plain("拨打9110", "zh")


def test_the_page_puts_the_worst_first_and_counts_by_language(tmp_path: Path):
    def reading(key: str, language: str, rate: float, *, must_say: bool) -> Reading:
        clip = Clip(
            prompt_id=key,
            language=language,
            text="x",
            text_hash="x",
            voice="x",
            file="x",
            duration_seconds=1.0,
            sha256="x",
        )
        return Reading(clip=clip, heard="y", rate=rate, must_say=must_say)

    text = page(
        [
            reading("a.good", "zh", 0.0, must_say=True),
            reading("a.bad", "zh", 0.2, must_say=False),
            reading("a.must", "en", 0.1, must_say=True),
        ]
    )
    assert "- zh: 2 prompts, mean 10.0%, worst must-say line 0.0%" in text
    assert "- en: 1 prompts, mean 10.0%, worst must-say line 10.0%" in text
    assert text.index("a.bad") < text.index("a.must") < text.index("a.good")
