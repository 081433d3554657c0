"""The same list loaded twice at once: nobody is lost, and nobody becomes two."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from chaos.schedule import targets
from dialer.core.access import unrestricted
from dialer.db import tables as t
from dialer.warnings.lists import load_list, load_report, submit_list
from tests.control.scene import Scene

pytestmark = pytest.mark.story


def test_the_same_list_twice_at_once_counts_everybody_once(fresh_database: str):
    scene = Scene(fresh_database)
    try:
        load_ids = [
            submit_list(
                scene.services,
                unrestricted("story"),
                io.BytesIO(targets("twice", count=60)),
                filename="list.csv",
                source="bureau",
            )
            for _ in range(2)
        ]
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda load_id: load_list(scene.services, load_id), load_ids))
        reports = [load_report(scene.services, load_id) for load_id in load_ids]
        cases = scene.rows(sa.select(sa.func.count().label("n")).select_from(t.case))[0]["n"]
    finally:
        scene.close()
    accepted, merged = sum(r.accepted for r in reports), sum(r.merged for r in reports)
    assert accepted == 60
    assert sum(r.duplicate for r in reports) == 60
    assert cases == accepted - merged


MESSY = """指令编号,等级,诈骗类型,姓名,手机号,证件号,拟转金额
M1,中危,虚假贷款,欧阳安,138 0013 8000,,3万元
M2,高危,虚假贷款,欧阳安,+8613800138000,,30000
M3,低危,虚假贷款,欧阳安,008613800138000,,30000.00
M4,中危,虚假贷款,上官柏,0478-8212345,,1000
M5,中危,虚假贷款,上官松,04788212345,,2000
M6,中危,虚假贷款,司马澄,13900139000/13700137000,,500
M7,中危,虚假贷款,司马澄,137-0013-7000,,500
"""


def test_one_number_in_many_spellings_is_one_and_a_shared_landline_is_two(scene: Scene):
    """No wrong merge, the highest grade wins, and money is counted once."""
    load_id = submit_list(
        scene.services,
        unrestricted("story"),
        io.BytesIO(MESSY.encode()),
        filename="list.csv",
        source="bureau",
    )
    load_list(scene.services, load_id)
    report = load_report(scene.services, load_id)
    assert (report.accepted, report.merged, report.rejected) == (7, 3, 0)
    cases = scene.rows(sa.select(t.case).order_by(t.case.c.opened_at, t.case.c.id))
    grades = sorted(case["grade"] for case in cases)
    assert grades == ["high", "medium", "medium", "medium"]
    top = next(case for case in cases if case["grade"] == "high")
    assert top["warnings"] == 3
    assert scene.case_of(top["id"]).amount_at_risk_fen == 3_000_000
    phones = scene.rows(sa.select(t.person_phone.c.phone_blind))
    # One, one landline of two people, and two of one person.
    assert len({bytes(row["phone_blind"]) for row in phones}) == 4
