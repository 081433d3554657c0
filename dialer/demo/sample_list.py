"""The sample: an invented city, counties and stations, and a list of some five hundred invented warnings.

The list contains what real lists contain: a title, blank and totals rows, grades and amounts in every spelling,
duplicate rows, people with two warnings, landlines that two people share, and about a dozen rows that must be rejected.
Its numbers are in two blocks that only the simulated line calls.

`python -m dialer.demo.sample_list [FILE]` writes the committed `sample.csv`, which is for reading and for trying
`dialer load`; the demo builds its own copy with times relative to its clock.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from dialer.core.access import unrestricted
from dialer.core.values import Grade
from dialer.intake.phones import id_check_character
from dialer.org.tree import import_units, load_boundaries
from dialer.runtime.services import Services

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
    """An invented person, with a valid identity number and a phone in the simulated block."""

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
    return body + id_check_character(body)


_MIDDLES: Final = {
    "临河区公安分局": (107.37, 40.74),
    "五原县公安局": (108.27, 41.09),
    "磴口县公安局": (107.01, 40.33),
    "乌拉特前旗公安局": (108.65, 40.74),
    "乌拉特中旗公安局": (108.51, 41.57),
    "乌拉特后旗公安局": (107.07, 41.08),
    "杭锦后旗公安局": (107.15, 40.89),
}
_HALF_DEGREES: Final = 0.1
"""The invented boundary of a unit is a square of twice this size, its middle where the real seat is."""
CITY: Final = "巴彦淖尔市公安局"
HOME: Final = "临河区公安分局"
"""The unit of the demo's officer."""
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
"""Units as lists write them, with names that are not known yet."""


def import_demo_units(services: Services) -> None:
    """Imports the units of the demo, with the names that lists use for them."""
    import_units(services, unrestricted("demo"), io.BytesIO(unit_list_csv()))
    load_boundaries(services, unrestricted("demo"), io.BytesIO(_boundaries()))


def _boundaries() -> bytes:
    """The boundaries of the counties as GeoJSON."""
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [
                        [round(east + x * _HALF_DEGREES, 4), round(north + y * _HALF_DEGREES, 4)]
                        for x, y in corners
                    ]
                ],
            },
        }
        for name, (east, north) in _MIDDLES.items()
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def unit_list_csv() -> bytes:
    """The list of units as CSV, as a clerk would send it."""
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
    """A unit of this county in one of its spellings; about one in a dozen needs a person to recognise it."""
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


SEED: Final = 20_261_125
TARGETS: Final = 500
TIMEZONE: Final = "Asia/Shanghai"
HEADINGS: Final = (
    "序号", "指令编号", "来源", "预警类型", "诈骗类型", "预警等级", "姓名", "手机号码", "身份证号码",
    "家庭住址", "经纬度", "属地机构", "家属联系人", "涉诈号码", "涉诈网址", "涉诈APP", "通话时长", "拟转金额（元）",
    "预警时间", "失效时间", "标签", "备注",
)  # fmt: skip
DUPLICATES: Final = 6
REPEATED_PEOPLE: Final = 16
ADULT: Final = 18
OLD: Final = 65
_GRADES: Final = (
    (Grade.EXTRA_HIGH, 15, ("特高危", "极高")),
    (Grade.HIGH, 75, ("高危", "高", "红", "1级")),
    (Grade.MEDIUM, 185, ("中危", "中", "橙", "2级")),
    (Grade.LOW, 225, ("低危", "低", "蓝", "3级")),
)
_SOURCES: Final = ("国家反诈中心", "自治区反诈中心", "运营商", "银行")
_TYPES: Final = (
    ("刷单返利", "通联", 26),
    ("虚假网络投资理财", "网络", 16),
    ("虚假购物服务", "网络", 10),
    ("冒充电商物流客服", "通联", 12),
    ("虚假贷款", "网络", 8),
    ("虚假征信", "通联", 8),
    ("冒充领导熟人", "通联", 6),
    ("冒充公检法及政府机关", "通联", 7),
    ("网络婚恋交友", "网络", 3),
    ("网络游戏产品虚假交易", "资金", 4),
)
_AMOUNTS: Final = ("", "", "500", "3000", "5000", "12000", "1.5万", "3万元", "58,000", "￥2000", "230000")
_RELATIVES: Final = ("女儿", "儿子", "配偶", "兄弟")
_APPS: Final = ("", "", "", "云鑫优选", "财聚通", "速贷宝")
_MOMENTS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y年%m月%d日 %H时%M分")


_Row = dict[str, str]
"""A row by heading, before it is written."""


def build(now: datetime, *, seed: int = SEED) -> bytes:
    """The list as CSV (UTF-8 with a byte order mark), its times relative to `now` (aware). The same arguments give the
    same bytes.
    """
    local = now.astimezone(ZoneInfo(TIMEZONE))
    rng = random.Random(seed)  # noqa: S311 - invented data, no secret
    people = invented_people(rng, count=TARGETS, today=local.date())
    rows = _targets(rng, people, local)
    rows += _second_warnings(rng, rows, local)
    _add_places(rows)
    _write_units(rows)
    _add_family(rows)
    _share_landlines(rows)
    _add_mistakes(rows, people)
    rows += _rows_to_reject(
        rng, invented_people(rng, count=TARGETS + 20, today=local.date())[TARGETS:], local
    )
    rng.shuffle(rows)
    rows += rows[3 : 3 + DUPLICATES]
    return _as_csv(rows, local.date())


def _targets(rng: random.Random, people: list[SamplePerson], local: datetime) -> list[_Row]:
    grades = [word for _, count, words in _GRADES for word in _spread(words, count)]
    rng.shuffle(grades)
    types = [(name, kind) for name, kind, weight in _TYPES for _ in range(weight)]
    return [
        _target(rng, person, f"YJ{local:%y%m%d}{number:05d}", grade, rng.choice(types), local)
        for number, (person, grade) in enumerate(zip(people, grades, strict=True), start=1)
    ]


def _spread(words: tuple[str, ...], count: int) -> list[str]:
    """`count` grades: three in four in the usual word, the others in the words that some offices use."""
    return [words[0] if number % 4 else words[number // 4 % len(words)] for number in range(count)]


def _target(
    rng: random.Random, person: SamplePerson, number: str, grade: str, fraud: tuple[str, str], local: datetime
) -> _Row:
    fraud_type, kind = fraud
    produced = local - timedelta(minutes=rng.randrange(2, 600))
    return {
        "指令编号": number,
        "来源": rng.choice(_SOURCES),
        "预警类型": kind,
        "诈骗类型": fraud_type,
        "预警等级": grade,
        "姓名": person.name,
        "手机号码": _as_typed(rng, person.phone),
        "身份证号码": person.id_number if _happens(rng, percent=90) else "",
        "家庭住址": person.address,
        "属地机构": person.unit,
        "拟转金额（元）": rng.choice(_AMOUNTS),
        "预警时间": produced.strftime(rng.choice(_MOMENTS)),
        "失效时间": _expiry(rng, local),
        "标签": _tags(rng, person),
        "家属联系人": f"监护人 1990001{rng.randrange(10_000):04d}" if person.age < ADULT else "",
        "涉诈号码": f"0085{rng.randrange(10**8):08d}" if kind == "通联" else "",
        "涉诈网址": f"http://sample-{rng.randrange(1000):03d}.invalid" if kind == "网络" else "",
        "涉诈APP": rng.choice(_APPS) if kind == "网络" else "",
        "通话时长": str(rng.randrange(20, 1800)) if kind == "通联" else "",
    }


def _happens(rng: random.Random, *, percent: int) -> bool:
    return rng.randrange(100) < percent


def _expiry(rng: random.Random, local: datetime) -> str:
    days = rng.randrange(2, 8)
    return f"{local + timedelta(days=days):%Y-%m-%d}" if _happens(rng, percent=30) else ""


def _tags(rng: random.Random, person: SamplePerson) -> str:
    if person.age < ADULT:
        return "未成年"
    if person.age >= OLD:
        return "老年"
    return "蒙语" if _happens(rng, percent=3) else ""


def _as_typed(rng: random.Random, phone: str) -> str:
    parts = (phone[:3], phone[3:7], phone[7:])
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in phone)
    return rng.choice((*[phone] * 4, f"+86 {phone}", "-".join(parts), " ".join(parts), wide))


def _second_warnings(rng: random.Random, rows: list[_Row], local: datetime) -> list[_Row]:
    """Second warnings of some people: most of the same fraud (one case), every fourth of another one (two cases)."""
    again: list[_Row] = []
    known = [row for row in rows if row["身份证号码"]]
    for number, row in enumerate(rng.sample(known, REPEATED_PEOPLE)):
        other = next(name for name, _, _ in _TYPES if name != row["诈骗类型"])
        changes = {
            "指令编号": f"YJ{local:%y%m%d}9{number:04d}",
            "诈骗类型": other if number % 4 == 0 else row["诈骗类型"],
            "预警时间": (local - timedelta(minutes=number + 1)).strftime(_MOMENTS[0]),
            "备注": "再次预警",
        }
        again.append(row | changes)
    return again


def _add_places(rows: list[_Row]) -> None:
    """Adds the place of every other address, within the boundary of its unit, as `_write_units` does."""
    rng = random.Random(SEED)  # noqa: S311 - invented data, no secret
    for row in rows[::2]:
        east, north = _MIDDLES[row["属地机构"]]
        east, north = (degrees + rng.uniform(-_HALF_DEGREES, _HALF_DEGREES) for degrees in (east, north))
        row["经纬度"] = f"{east:.4f},{north:.4f}"


def _write_units(rows: list[_Row]) -> None:
    """Writes units in the spellings of offices; a random generator of its own leaves the rest of the list as it is."""
    rng = random.Random(SEED)  # noqa: S311 - invented data, no secret
    for row in rows:
        row["属地机构"] = as_lists_write(rng, row["属地机构"])


def _add_family(rows: list[_Row]) -> None:
    """Adds the family contact of people whose grade is the highest or who are old, as `_write_units` does."""
    rng = random.Random(SEED)  # noqa: S311 - invented data, no secret
    urgent = _GRADES[0][2]
    for row in rows:
        if not row["家属联系人"] and (row["预警等级"] in urgent or row["标签"] == "老年"):
            row["家属联系人"] = f"{rng.choice(_RELATIVES)} 1990001{rng.randrange(10_000):04d}"


def _share_landlines(rows: list[_Row]) -> None:
    """Adds three landlines, each of two people who are not the same person."""
    for number in range(6):
        rows[number * 40 + 11]["手机号码"] = f"{LANDLINE_BLOCK}{number // 2:03d}"


def _add_mistakes(rows: list[_Row], people: list[SamplePerson]) -> None:
    """Adds mistakes that cause a notice but do not keep the row from being called. The first rows are of
    these people.
    """
    for index, (row, person) in enumerate(zip(rows, people, strict=False)):
        match index % 100:
            case 17:
                row["预警等级"] = ""
            case 34:
                row["诈骗类型"] = "新型骗局"
            case 52 if row["身份证号码"]:
                row["身份证号码"] = row["身份证号码"][:-2] + "0" + row["身份证号码"][-1:]
            case 69:
                row["手机号码"] = f"{person.phone}/1234"
            case 86:
                row["手机号码"] = f"{person.phone}、19900020{index:03d}"
            case _:
                pass


def _rows_to_reject(rng: random.Random, people: list[SamplePerson], local: datetime) -> list[_Row]:
    """A dozen rows that must be rejected, one of a high grade, and two expired high ones that must be accepted."""
    past = (local - timedelta(days=1)).strftime(_MOMENTS[0])
    changes: tuple[_Row, ...] = (
        {"手机号码": ""},
        {"手机号码": "见备注", "预警等级": "高危"},
        {"手机号码": "1.99E+10"},
        {"手机号码": "199000005"},
        {"手机号码": "96110"},
        {"预警等级": "紫色"},
        {"预警等级": "待定"},
        {"拟转金额（元）": "若干"},
        {"拟转金额（元）": "-300"},
        {"预警时间": "昨天下午"},
        {"失效时间": past},
        {"失效时间": past, "预警等级": "中危"},
        {"失效时间": past, "预警等级": "高危"},
        {"失效时间": past, "预警等级": "特高危"},
    )
    rows: list[_Row] = []
    for number, (person, change) in enumerate(zip(people, changes, strict=False)):
        row = _target(rng, person, f"YJ{local:%y%m%d}8{number:04d}", "低危", ("刷单返利", "通联"), local)
        rows.append(row | {"手机号码": person.phone} | change)
    return rows


def _as_csv(rows: list[_Row], day: date) -> bytes:
    width = len(HEADINGS)
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow([f"全市预警劝阻对象名单（{day:%Y年%m月%d日}）", *[""] * (width - 1)])
    sheet.writerow([""] * width)
    sheet.writerow(HEADINGS)
    for number, row in enumerate(rows, start=1):
        sheet.writerow([str(number), *(row.get(heading, "") for heading in HEADINGS[1:])])
        if number == len(rows) // 2:
            sheet.writerow([""] * width)
    sheet.writerow(["合计", f"{len(rows)}条", *[""] * (width - 2)])
    sheet.writerow(["注：本名单为演练数据，人员与号码均为虚构", *[""] * (width - 1)])
    return text.getvalue().encode("utf-8-sig")


SAMPLE_PATH: Final = Path(__file__).with_name("sample.csv")
SAMPLE_COMMITTED_AT: Final = datetime(2026, 11, 25, 9, 0, tzinfo=ZoneInfo(TIMEZONE))
"""The moment to which the committed copy's times are relative: nine in the morning, when the demo begins."""


def write_sample_list(arguments: list[str]) -> int:
    """Writes the list to the named file, else to the committed place; returns the exit code."""
    path = Path(arguments[0]) if arguments else SAMPLE_PATH
    content = build(SAMPLE_COMMITTED_AT)
    path.write_bytes(content)
    sys.stdout.write(f"{path.name}: {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(write_sample_list(sys.argv[1:]))
