"""Invented people for the sample list. Their numbers lie in two blocks that the simulated line alone rings."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from dialer.intake.id_numbers import check_character

MOBILE_BLOCK: Final = "1990000"
LANDLINE_BLOCK: Final = "0478-8000"
REGIONS: Final = {
    "150802": "临河区公安分局",
    "150821": "五原县公安局",
    "150822": "磴口县公安局",
    "150823": "乌拉特前旗公安局",
    "150824": "乌拉特中旗公安局",
    "150825": "乌拉特后旗公安局",
    "150826": "杭锦后旗公安局",
}
_FAMILY_NAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜"
_GIVEN_NAMES: Final = "安柏澄德恩芳广慧景凯兰敏宁平启荣淑婷文熙雅泽哲晨岚沐溪言"
_STREETS: Final = ("胜利路", "新华街", "团结路", "河套大街", "建设路", "红旗街", "长安路", "解放街")


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePerson:
    """Somebody who does not exist, with a valid identity number and a number in the simulated block."""

    name: str
    phone: str
    id_number: str
    unit: str
    address: str
    age: int


def invented_people(rng: random.Random, *, count: int, today: date) -> list[SamplePerson]:
    """`count` people, each with a name, a number and an identity of their own; one in thirty is a minor and one in
    eight is 65 or older.
    """
    people: list[SamplePerson] = []
    names: set[str] = set()
    for number in range(count):
        name = _name(rng)
        while name in names:
            name = _name(rng)
        names.add(name)
        region = rng.choice(list(REGIONS))
        age = _age(rng, number)
        born = today - timedelta(days=age * 365 + age // 4 + rng.randrange(1, 360))
        people.append(
            SamplePerson(
                name=name,
                phone=f"{MOBILE_BLOCK}{number:04d}",
                id_number=_id_number(rng, region, born),
                unit=REGIONS[region],
                address=f"{rng.choice(_STREETS)}{rng.randrange(1, 200)}号",
                age=age,
            )
        )
    return people


def _name(rng: random.Random) -> str:
    return rng.choice(_FAMILY_NAMES) + "".join(rng.sample(_GIVEN_NAMES, rng.choice((1, 2, 2))))


def _age(rng: random.Random, number: int) -> int:
    if number % 30 == 7:  # noqa: PLR2004 - spread evenly
        return rng.randrange(12, 17)
    if number % 8 == 3:  # noqa: PLR2004 - spread evenly
        return rng.randrange(65, 86)
    return rng.randrange(19, 64)


def _id_number(rng: random.Random, region: str, born: date) -> str:
    body = f"{region}{born:%Y%m%d}{rng.randrange(1, 1000):03d}"
    return body + check_character(body)
