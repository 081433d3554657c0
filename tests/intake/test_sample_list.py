from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialer.core.values import FraudType, Grade, Tag
from dialer.demo.sample_list import (
    DUPLICATES,
    LANDLINE_BLOCK,
    MOBILE_BLOCK,
    SAMPLE_COMMITTED_AT,
    SAMPLE_PATH,
    TARGETS,
    build,
    write_sample_list,
)
from dialer.intake.records import Accepted, IntakeOptions, NoticeCode, Rejected
from tests.intake.in_process import read_list

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
"""Nine in the morning, when the demo begins."""


@pytest.fixture(scope="module")
def items() -> list[Accepted | Rejected]:
    return list(read_list(build(NOW), filename="sample.csv", options=IntakeOptions(now=NOW)))


@pytest.fixture(scope="module")
def accepted(items: list[Accepted | Rejected]) -> list[Accepted]:
    return [item for item in items if isinstance(item, Accepted)]


def test_the_committed_list_is_what_the_generator_writes():
    assert build(SAMPLE_COMMITTED_AT) == SAMPLE_PATH.read_bytes()


def test_the_generator_writes_where_it_is_told(tmp_path: Path):
    path = tmp_path / "sample.csv"
    assert write_sample_list([str(path)]) == 0
    assert path.read_bytes() == SAMPLE_PATH.read_bytes()


def test_the_same_moment_gives_the_same_list_and_another_seed_another():
    assert build(NOW) == build(NOW)
    assert build(NOW) != build(NOW, seed=1)


def test_its_counts(items: list[Accepted | Rejected], accepted: list[Accepted]):
    keys = Counter(item.record.key for item in accepted)
    assert sum(count - 1 for count in keys.values()) == DUPLICATES
    assert len(items) - len(accepted) == 12
    assert TARGETS <= len(keys) <= TARGETS + 30


def test_grades_are_near_practice(accepted: list[Accepted]):
    counts = Counter(item.record.grade for item in accepted)
    shares = {grade: counts[grade] / len(accepted) for grade in Grade}
    for grade, share in (
        (Grade.EXTRA_HIGH, 0.03),
        (Grade.HIGH, 0.15),
        (Grade.MEDIUM, 0.37),
        (Grade.LOW, 0.45),
    ):
        assert shares[grade] == pytest.approx(share, abs=0.02)


def test_every_fraud_type_is_there(accepted: list[Accepted]):
    assert {item.record.fraud_type for item in accepted} == set(FraudType)


def test_minors_the_elderly_and_missed_cases_are_there(accepted: list[Accepted]):
    tags = Counter(tag for item in accepted for tag in item.record.tags)
    assert tags[Tag.MINOR] > 5
    assert tags[Tag.ELDERLY] > 20
    assert sum(item.record.missed for item in accepted) == 2


def test_every_slip_that_gives_a_notice_is_there(accepted: list[Accepted]):
    codes = {notice.code for item in accepted for notice in item.notices}
    assert codes >= {
        NoticeCode.GRADE_DEFAULTED,
        NoticeCode.FRAUD_TYPE_UNKNOWN,
        NoticeCode.ID_INVALID,
        NoticeCode.PHONE_PART_UNUSABLE,
        NoticeCode.MISSED,
    }


def test_a_high_row_is_among_the_refused(items: list[Accepted | Rejected]):
    assert any(item.high_grade for item in items if isinstance(item, Rejected))


def test_no_number_is_outside_the_simulated_blocks(accepted: list[Accepted]):
    landline = "+86" + LANDLINE_BLOCK.replace("-", "")[1:]
    for item in accepted:
        for phone in item.record.phones:
            assert phone.startswith((f"+86{MOBILE_BLOCK[:6]}", landline))


def test_some_people_share_a_landline_and_some_are_warned_of_twice(accepted: list[Accepted]):
    by_phone: dict[str, set[str]] = {}
    by_person = Counter(item.record.id_number for item in accepted if item.record.id_valid)
    for item in accepted:
        for phone in item.record.phones:
            by_phone.setdefault(phone, set()).add(item.record.name)
    assert sum(len(names) > 1 for phone, names in by_phone.items() if phone.startswith("+86478")) == 3
    assert sum(count > 1 for count in by_person.values()) >= 15


def test_times_are_relative_to_the_demos_own_clock():
    later = NOW + timedelta(days=400)
    items = list(read_list(build(later), filename="sample.csv", options=IntakeOptions(now=later)))
    produced = [
        item.record.produced_at for item in items if isinstance(item, Accepted) and item.record.produced_at
    ]
    assert all(later - timedelta(hours=12) < moment <= later for moment in produced)
    assert sum(isinstance(item, Rejected) for item in items) == 12
