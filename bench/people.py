"""Lists of warnings of any length, all of them invented: every row another person with another telephone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

HEADING = (
    "指令编号,来源,预警类型,诈骗类型,预警等级,姓名,手机号码,家庭住址,属地机构,拟转金额（元）,预警时间,备注\n"
)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
_TYPES = ("刷单返利", "虚假贷款", "冒充客服", "虚假投资理财", "冒充公检法", "虚假购物服务")


def name(n: int) -> str:
    return _SURNAMES[n % 20] + _GIVEN[n // 20 % 20] + _GIVEN[n // 400 % 20]


def phone(n: int) -> str:
    return f"138{n:08d}"


def rows(count: int, *, grade: str, first: int = 0) -> Iterator[str]:
    for n in range(first, first + count):
        yield (
            f"ZL{n:09d},运营商,通联,{_TYPES[n % 6]},{grade},{name(n)},{phone(n)},临河区胜利路{n % 900 + 1}号,"
            f"临河区分局,{n % 500 * 100 + 100},,\n"
        )


def write_list(path: Path, count: int, *, grade: str = "低危", first: int = 0) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADING)
        file.writelines(rows(count, grade=grade, first=first))
