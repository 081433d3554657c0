from __future__ import annotations

from dialer.intake.headings import HEADING_ROWS, best_layout, known_fields, layout_of
from dialer.intake.records import Field


def test_a_layout_needs_a_phone_to_count_as_one():
    assert layout_of(["姓名", "等级"]).score == 0
    assert layout_of(["姓名", "手机号"]).score == 2


def test_trailing_empty_cells_are_no_columns():
    assert layout_of(["姓名", "手机号", "", " "]).width == 2


def test_the_places_of_a_field_and_of_unknown_columns():
    layout = layout_of(["手机号", "天气", "备用电话", ""])
    assert layout.places(Field.PHONE) == (0, 2)
    assert layout.unknown_places() == (1,)
    assert layout.places(Field.NAME) == ()


def test_the_heading_row_is_the_first_with_a_phone_below_any_title():
    rows = [["电话预警名单"], [], ["日期：2026年"], ["姓名", "手机号"], ["王伟", "13800138000"]]
    found = best_layout(rows)
    assert found is not None
    assert found[0] == 3


def test_a_lone_word_in_a_title_row_of_several_cells_is_no_heading():
    assert best_layout([["联系电话", "0478-8221234", "值班"]]) is None


def test_the_richer_of_two_heading_rows_wins_only_when_they_stand_together():
    together = [["姓名", "联系方式"], ["姓名", "手机", "等级"]]
    apart = [["姓名", "手机号"], ["a", "1"], ["b", "2"], ["c", "3"], ["姓名", "手机号", "等级"]]
    found, first = best_layout(together), best_layout(apart)
    assert found is not None
    assert first is not None
    assert (found[0], first[0]) == (1, 0)


def test_a_heading_too_far_down_is_not_looked_for():
    rows = [["x"]] * HEADING_ROWS + [["姓名", "手机号"]]
    assert best_layout(rows) is None
    assert best_layout(rows[1:]) is not None


def test_known_fields_tell_what_a_list_without_a_phone_has_and_never_its_cells():
    assert known_fields([["名单"], ["姓名", "等级", "序号"]]) == (Field.NAME, Field.GRADE)
    assert known_fields([["王伟", "说明"]]) == ()
