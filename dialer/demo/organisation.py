"""The demo's organisation: a city, its counties and their stations, which are invented. It is imported as any list of
units is, and the sample list names its units as offices do.
"""

from __future__ import annotations

import csv
import io
import random
from typing import Final

from dialer.demo.sample_people import REGIONS
from dialer.usecases.engine import Engine
from dialer.usecases.import_units import import_units

CITY: Final = "巴彦淖尔市公安局"
HOME: Final = "临河区公安分局"
"""Where the demo's officer serves."""
_STATIONS: Final = {
    "临河区公安分局": ("新华派出所", "胜利路派出所", "团结派出所", "河套大街派出所", "城关派出所"),
    "五原县公安局": ("建设路派出所", "红旗街派出所", "城关派出所"),
    "磴口县公安局": ("长安路派出所", "沙渡派出所"),
    "乌拉特前旗公安局": ("解放街派出所", "青湖派出所", "白桦沟派出所"),
    "乌拉特中旗公安局": ("草原路派出所", "石河派出所"),
    "乌拉特后旗公安局": ("北山派出所", "驼泉派出所"),
    "杭锦后旗公安局": ("西渠派出所", "柳林派出所", "城南派出所"),
}
_POSTS: Final = {"新华派出所": ("河畔社区警务室", "新华东社区警务室"), "西渠派出所": ("西渠镇警务室",)}
_ALIASES: Final = {
    "巴彦淖尔市公安局": "市局",
    "临河区公安分局": "临河公安;临河分局",
    "五原县公安局": "五原公安",
    "乌拉特前旗公安局": "前旗公安局",
    "乌拉特中旗公安局": "中旗公安局",
    "乌拉特后旗公安局": "后旗公安局",
    "杭锦后旗公安局": "杭后公安局",
    "新华派出所": "新华所",
    "胜利路派出所": "胜利路所",
    "河套大街派出所": "河套所",
    "解放街派出所": "解放街所",
    "西渠派出所": "西渠所",
}
_AMBIGUOUS: Final = "城关派出所"
_UNKNOWN: Final = ("老新华所", "临河开发区派出所", "前旗青湖镇警务站", "五原县建设所")
"""As lists write units that nobody has named yet."""


def organise(engine: Engine) -> None:
    """The units are there, with what lists call them."""
    import_units(engine, io.BytesIO(written()), by="demo")


def written() -> bytes:
    """The list of units, as a clerk would send it."""
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(["名称", "上级", "级别", "别名"])
    sheet.writerow([CITY, "", "市", _ALIASES[CITY]])
    for county in REGIONS.values():
        sheet.writerow([county, CITY, "旗县区", _ALIASES.get(county, "")])
        for station in _STATIONS[county]:
            sheet.writerow([station, f"{CITY}/{county}", "所", _ALIASES.get(station, "")])
            for post in _POSTS.get(station, ()):
                sheet.writerow([post, f"{CITY}/{county}/{station}", "警务室", ""])
    return text.getvalue().encode("utf-8-sig")


def as_lists_write(rng: random.Random, county: str) -> str:
    """A unit of this county in one of the ways of writing it; of a dozen, one that only a person understands."""
    station = rng.choice([name for name in _STATIONS[county] if name != _AMBIGUOUS])
    region = county.removesuffix("公安分局").removesuffix("公安局")
    nicknames = [_ALIASES[name].split(";")[0] for name in (county, station) if name in _ALIASES]
    ways = (
        (180, (county,)),
        (60, (region,)),
        (140, (county + station,)),
        (60, (station,)),
        (40, nicknames or (region + station,)),
        (24, _UNKNOWN),
        (10, (_AMBIGUOUS,)),
        (6, ("",)),
    )
    (way,) = rng.choices([texts for _, texts in ways], [weight for weight, _ in ways])
    return rng.choice(way)
