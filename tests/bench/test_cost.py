"""What the price list takes for a growth, and what it stores."""

from __future__ import annotations

import sys
import threading
from collections import Counter

import pytest

from bench.cost import (
    FILE,
    Price,
    grown,
    grown_with_size,
    lower_of,
    parse,
    render,
    saved,
    unexplained,
    unexplained_in_file,
)
from bench.cost_counting import CallCounter


def price(statements: int = 100, buffers: int = 1000, *, large: int = 1000, reason: str = "first") -> Price:
    return Price(
        reason=reason,
        sizes={
            5_000: {"statements": statements, "buffers": buffers},
            50_000: {"statements": statements, "buffers": large},
        },
    )


@pytest.mark.parametrize(
    ("now", "figures"),
    [
        (price(), []),
        (price(statements=110), []),
        (price(statements=111), ["statements", "statements"]),
        (price(buffers=1100), []),
        (price(buffers=1101), ["buffers"]),
        (price(statements=50, buffers=500), []),
    ],
)
def test_a_figure_may_be_a_tenth_above_the_stored_one(now: Price, figures: list[str]):
    assert [fault.figure for fault in grown({"load": price()}, {"load": now})] == figures


def test_a_small_figure_may_grow_by_a_little_but_each_statement_counts():
    stored = {"page": Price(reason="", sizes={5_000: {"statements": 5, "buffers": 10}})}
    found = {"page": Price(reason="", sizes={5_000: {"statements": 5, "buffers": 34}})}
    assert not list(grown(stored, found))
    found = {"page": Price(reason="", sizes={5_000: {"statements": 6, "buffers": 35}})}
    assert [fault.figure for fault in grown(stored, found)] == ["statements", "buffers"]


def test_a_load_that_is_not_stored_is_a_fault():
    faults = list(grown({}, {"load": price()}))
    assert {fault.what for fault in faults} == {"is not in the file"}


@pytest.mark.parametrize(("large", "count"), [(1300, 0), (1301, 1), (500, 0)])
def test_a_figure_may_be_a_third_more_in_a_city_ten_times_as_large(large: int, count: int):
    found = {"load": price(large=large)}
    assert len(list(grown_with_size(found, lambda _load: ""))) == count
    assert not list(grown_with_size(found, lambda _load: "it counts every case"))


def test_a_load_of_one_size_cannot_grow_with_it():
    found = {"page": Price(reason="", sizes={50_000: {"statements": 5}})}
    assert not list(grown_with_size(found, lambda _load: ""))


def test_a_fault_names_load_size_and_figure():
    (fault,) = grown({"one tick": price()}, {"one tick": price(buffers=2000)})
    assert str(fault) == "one tick, 5,000 cases: buffers 1,000 -> 2,000 (2.00 times): has grown"


def test_a_growth_in_the_file_needs_a_new_reason():
    before = {"a": price(), "b": price(), "c": price(), "d": price()}
    after = {
        "a": price(statements=111),
        "b": price(statements=111, reason="a webhook is kept twice"),
        "c": price(statements=90),
        "d": price(statements=101),
        "e": price(),
    }
    assert unexplained(before, after) == ["a"]


def test_only_what_moved_gets_the_new_reason():
    stored = {"a": price(), "b": price(), "gone": price()}
    found = {
        "a": price(statements=101, reason=""),
        "b": price(statements=90, reason=""),
        "c": price(reason=""),
    }
    kept = saved(stored, found, reason="faster", whole=True)
    assert kept["a"] == stored["a"]
    assert (kept["b"].reason, kept["b"].sizes[5_000]["statements"]) == ("faster", 90)
    assert kept["c"].reason == "faster"
    assert "gone" not in kept
    assert "gone" in saved(stored, found, reason="faster", whole=False)


def test_the_file_reads_back_as_it_was_written():
    prices = {"a": price(reason="“because”"), "page: /cases, supervisor": price()}
    assert parse(render(prices)) == prices


def test_what_a_run_may_raise_by_itself_is_the_lower_of_two_counts_and_nothing_else_is():
    first = Price(
        reason="r", sizes={5_000: {"statements": 9, "python_calls": 9, "rows_read": 9, "buffers": 1}}
    )
    again = Price(
        reason="", sizes={5_000: {"statements": 5, "python_calls": 5, "rows_read": 5, "buffers": 5}}
    )
    assert lower_of(first, again) == Price(
        reason="r", sizes={5_000: {"statements": 9, "python_calls": 5, "rows_read": 5, "buffers": 1}}
    )


def test_the_committed_file_is_as_it_would_be_written_and_explains_its_growth():
    text = FILE.read_text(encoding="utf-8")
    assert render(parse(text)) == text
    assert all(price.reason for price in parse(text).values())
    assert unexplained_in_file() == []


def called() -> None:
    """What is counted below."""


@pytest.mark.skipif(
    sys.version_info[:2] > (3, 11),
    reason="cProfile of later versions counts one thread; only 3.11 is compared",
)
def test_calls_are_counted_in_every_thread_and_only_within_the_block():
    counter, found = CallCounter(), Counter[str]()
    counter.install()
    try:
        called()
        with counter.counting(found, harness=()):
            for _ in range(3):
                called()
            thread = threading.Thread(target=called)
            thread.start()
            thread.join()
        called()
    finally:
        counter.remove()
    assert [count for name, count in found.items() if name.endswith(":called")] == [4]
