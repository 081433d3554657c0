"""A list of invented people, some warned of twice, some behind one landline; on the simulated line alone."""

from __future__ import annotations

import csv
import io
import random
from typing import Final

_GRADES: Final = ("特高危", "高危", "高危", "中危", "中危", "中危", "低危", "低危")
_TYPES: Final = ("冒充公检法", "刷单返利", "虚假贷款", "网络婚恋交友", "")
_GIVEN: Final = "安柏澄德恩芳广慧景凯兰敏宁平启荣淑婷文熙雅泽哲晨岚沐溪言"
_SHARED: Final = 25
_AGAIN: Final = 15


def targets(seed: str, *, count: int) -> bytes:
    """A csv with `count` rows; the same seed, the same bytes."""
    rng = random.Random(f"targets:{seed}")  # noqa: S311 - invented data
    rows: list[dict[str, str]] = []
    for n in range(count):
        row = {
            "指令编号": f"C{n:05}",
            "等级": rng.choice(_GRADES),
            "诈骗类型": rng.choice(_TYPES),
            "姓名": f"欧阳{_GIVEN[n % len(_GIVEN)]}{_GIVEN[n // len(_GIVEN) % len(_GIVEN)]}",
            "手机号": f"1990{n:07}",
            "拟转金额": rng.choice(("", "3000", "5万", "120000")),
        }
        if n % _AGAIN == _AGAIN - 1:
            row = rows[rng.randrange(len(rows))] | {"指令编号": row["指令编号"], "等级": row["等级"]}
        elif n % _SHARED == _SHARED - 1:
            row["手机号"] = rows[-1]["手机号"]
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
