from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialer.intake.cells import LARGEST_FEN, Unreadable, read_fen


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("0", 0), ("500", 50_000), ("12000.5", 1_200_050), ("12,000.50", 1_200_050), ("1,234,567", 123_456_700),
        ("1,2345", 1_234_500), ("￥5000", 500_000), ("¥5000", 500_000), ("５０００", 500_000), ("2０００元", 200_000),
        ("500元", 50_000), ("500元整", 50_000), ("500 元", 50_000), ("人民币500元", 50_000), ("RMB 500", 50_000),
        ("3万", 3_000_000), ("3万元", 3_000_000), ("1.5万", 1_500_000), ("1.5 万元", 1_500_000),
        ("1.23456万", 1_234_560), ("3千万", 3_000_000_000), ("五百元五角", 50_050),
        ("3万5千", 3_500_000),
        ("3万5", 3_500_000), ("2千", 200_000), ("1亿", 10_000_000_000), ("3万5000", 3_500_000), ("约3万元", 3_000_000),
        ("三万", 3_000_000), ("三万元", 3_000_000), ("十万", 10_000_000), ("十二万", 12_000_000), ("两万", 2_000_000),
        ("一万二千", 1_200_000), ("三万五", 3_500_000), ("三万零五", 3_000_500), ("五百", 50_000),
        ("壹万元整", 1_000_000),
        ("三百五", 35_000), ("三百零五", 30_500), ("三十五", 3_500), ("一千八", 180_000),
        ("伍仟元整", 500_000), ("叁佰贰拾元", 32_000), ("伍万肆仟叁佰", 5_430_000), ("玖拾捌", 9_800),
        ("3百", 30_000), ("1.5亿", 15_000_000_000),
        ("2拾", 2_000), ("3佰", 30_000), ("5仟元", 500_000), ("2萬", 2_000_000), ("3十", 3_000), ("俩万", 2_000_000),
        ("一亿二千万", 12_000_000_000), ("十五", 1500), ("1.2E+4", 1_200_000),
        ("0.005", 1), ("0.004", 0),
        ("2亿3", 23_000_000_000), ("二亿三", 23_000_000_000), ("10亿5元", 105_000_000_000), ("6亿八", 68_000_000_000),
        ("2亿3万", 20_003_000_000), ("1.2w", 1_200_000), ("3W元", 3_000_000), ("3千", 300_000), ("5k", 500_000),
        (".5", 50), ("00500", 50_000), ("5000.", 500_000), ("$".replace("$", "￥") + "1,000.00元", 100_000),
    ],
)  # fmt: skip
def test_amounts(written: str, fen: int | None):
    assert read_fen(written) == fen


@pytest.mark.parametrize(
    "written",
    [
        "若干", "不详", "abc", "-300", "－300", "3-5万", "12,5", "1,23,456", "12.000,50", "1.2.3", "万", "元", "￥",
        "3万5万", "5千3万", "inf", "nan", "1e99", "99999999999999999", "三三万", "约", "5000美元", "=1+1", "3万x",
        "3万-5万", "负三万", "三万至五万", "三点五万", "三十万亿",
        "亿3", "2亿0", "2亿3千", "1.5亿3", "2万亿3", "1亿2亿3",
        pytest.param("9" * 1_000_000, id="many digits"), pytest.param("9" * 1_000_000 + "万", id="many digits in 万"),
    ],
)  # fmt: skip
def test_what_is_no_single_sum_of_zero_or_more_is_unreadable(written: str):
    with pytest.raises(Unreadable):
        read_fen(written)


@pytest.mark.parametrize("written", ["", " ", "　", "-", "—", "/", "无", "N/A"])
def test_an_empty_amount_is_none(written: str):
    assert read_fen(written) is None


@pytest.mark.parametrize(
    ("written", "fen"), [("3", 3_000_000), ("1.5", 1_500_000), ("500元", 50_000), ("2万", 2_000_000)]
)
def test_under_a_heading_in_ten_thousands_a_bare_number_counts_so_and_a_sum_with_its_unit_as_it_says(
    written: str, fen: int
):
    assert read_fen(written, yuan_per_unit=10_000) == fen


@given(st.integers(min_value=0, max_value=10**11))
def test_whole_fen_survive_every_way_of_writing(fen: int | None):
    yuan, rest = divmod(fen, 100)
    for written in (
        f"{yuan}.{rest:02d}",
        f"{yuan:,}.{rest:02d}",
        f"￥{yuan}.{rest:02d}元",
        f" {yuan}.{rest:02d} ",
    ):
        assert read_fen(written) == fen


@given(
    st.text(max_size=40)
    | st.text("0123456789零〇一二三两十百千万亿壹拾佰仟萬廿元圆角分点负.,-+e约 ", max_size=12)
)
@example("三亿五")
@example("9" * 1_000_001)
def test_any_text_is_a_bounded_sum_or_unreadable(text: str):
    try:
        fen = read_fen(text)
    except Unreadable:
        return
    assert fen is None or 0 <= fen <= LARGEST_FEN
