"""Two-card control in the demo: three outlets, what they opened in the previous quarter, a day's file with a ring in
it, and a customer at the counter. All persons are invented.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dialer.cards.counter.actions import check_opening
from dialer.cards.counter.load import add_fact, load_openings
from dialer.cards.openings.institutions import add_institution, add_outlet, bind_teller, report_openings
from dialer.cards.openings.store import institution_named, outlets_of_institution
from dialer.cards.outlets.actions import Quarter
from dialer.core.access import Role, unrestricted
from dialer.core.cards import CardProduct, InstitutionKind, OpeningChannel, OpeningFactKind, OpeningResult
from dialer.demo.sample_list import HOME
from dialer.intake.opening_lists import OpeningRecord
from dialer.intake.phones import id_check_character
from dialer.runtime.services import Services

BANK, CARRIER = "河套农商银行", "河套移动"
_DEMO = unrestricted("demo")
OUTLETS: Final[tuple[tuple[str, InstitutionKind, str, str], ...]] = (
    (BANK, InstitutionKind.BANK, "0478-001", "胜利路支行"),
    (BANK, InstitutionKind.BANK, "0478-002", "新华街支行"),
    (CARRIER, InstitutionKind.CARRIER, "YD-01", "解放街营业厅"),
)
_HEADINGS: Final = (
    "业务流水号", "网点编号", "姓名", "证件号码", "账户类型", "预留电话", "地址", "用途", "申请限额", "账号",
    "受理时间", "办理结果", "拒办原因",
)  # fmt: skip
_LOCAL, _AWAY = "150802", "411723"
_SURNAMES, _GIVEN = "赵钱孙李周吴郑王冯陈", "云海林芳伟静磊敏强洋"
_BEFORE, _DAY, _RING = 300, 36, 5
_PURPOSES: Final = ("日常消费", "代发工资", "缴纳学费", "养老金")


def id_number(n: int, *, home: str = _LOCAL) -> str:
    """A well-formed id number that belongs to nobody."""
    head = f"{home}{1960 + n % 45}{1 + n % 12:02d}{1 + n % 28:02d}{n % 1000:03d}"
    return head + id_check_character(head)


def _name(n: int) -> str:
    return _SURNAMES[n % 10] + _GIVEN[n // 10 % 10] + _GIVEN[n // 3 % 10]


def _product(place: int) -> str:
    return "主卡" if OUTLETS[place][1] is InstitutionKind.CARRIER else "二类"


def _row(n: int, place: int, at: datetime, *, home: str = _LOCAL, **cells: str) -> dict[str, str]:
    is_sim = OUTLETS[place][1] is InstitutionKind.CARRIER
    row = {
        "业务流水号": f"YW{at:%m%d}{n:04d}",
        "网点编号": OUTLETS[place][2],
        "姓名": _name(n),
        "证件号码": id_number(n, home=home),
        "账户类型": _product(place),
        "预留电话": f"1990001{n:04d}",
        "地址": f"临河区幸福路{n}号院",
        "用途": _PURPOSES[n % len(_PURPOSES)],
        "申请限额": "20000",
        "账号": f"1890000{n:04d}" if is_sim else f"62220000{n:08d}",
        "受理时间": f"{at:%Y-%m-%d %H:%M}",
        "办理结果": "已开",
    }
    return row | cells


def earlier_rows(first: datetime) -> Iterator[dict[str, str]]:
    """The rows of the quarter that begins at `first`: ordinary people, most of them at the first outlet."""
    for n in range(_BEFORE):
        at = first + timedelta(days=n % 20, hours=9 + n % 8)
        yield _row(1000 + n, (0, 0, 1, 2)[n % 4], at)


def day_rows(morning: datetime) -> Iterator[dict[str, str]]:
    """The rows of one day: ordinary people, a refusal, a row with a fault, and five people who came together from
    elsewhere, all with one story and the highest limit at several outlets.
    """
    for n in range(_DAY):
        yield _row(n, n % 3, morning + timedelta(minutes=11 * n))
    refused = {"办理结果": "拒办", "拒办原因": "说不清用途，拒绝提供证明", "申请限额": "300000"}
    yield _row(100, 0, morning + timedelta(hours=2), home=_AWAY, **refused)
    yield _row(101, 1, morning + timedelta(hours=3), 证件号码="150802199013010015")
    for n in range(_RING):
        for place in range(3):
            at = morning + timedelta(hours=1 + place, minutes=20 * n)
            story = {"用途": "收购牛羊周转资金", "申请限额": "500000", "地址": "临河区团结路8号旅社"}
            own = {"业务流水号": f"YW{at:%m%d}2{n}{place:02d}", "账号": f"1880000{n}{place:03d}"}
            yield _row(200 + n, place, at, home=_AWAY, **(story | own))


def _file(rows: Sequence[dict[str, str]], institution: str) -> io.BytesIO:
    codes = {code for name, _, code, _ in OUTLETS if name == institution}
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_HEADINGS, restval="")
    writer.writeheader()
    writer.writerows(row for row in rows if row["网点编号"] in codes)
    return io.BytesIO(text.getvalue().encode("utf-8-sig"))


def build_street(services: Services, *, teller: str) -> int:
    """Adds the outlets with their openings; the account `teller` works at the first one, where a customer waits.
    Returns the id of the customer's opening.
    """
    zone = ZoneInfo(services.centre.timezone)
    today = services.clock.now().astimezone(zone)
    yesterday = (today - timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    before = Quarter.of(today.date()).before()
    begun = datetime(*before.first.timetuple()[:3], tzinfo=zone)
    earlier, day = list(earlier_rows(begun)), list(day_rows(yesterday))
    for name, kind, code, called in OUTLETS:
        add_institution(services, _DEMO, name=name, kind=kind)
        add_outlet(services, _DEMO, institution=name, code=code, name=called, unit=HOME)
        days = Counter(row["受理时间"][:10] for row in [*earlier, *day] if row["网点编号"] == code)
        for when, opened in days.items():
            # The second outlet does not enter all that it opens.
            reported = opened * 2 if code == OUTLETS[1][2] else opened
            report_openings(
                services,
                _DEMO,
                institution=name,
                code=code,
                day=date.fromisoformat(when),
                reported=reported,
            )
    for name in (BANK, CARRIER):
        for source, rows in (("开户季报", earlier), ("开户日报", day)):
            content = _file(rows, name)
            load_openings(services, _DEMO, content, institution=name, source=source)
    for row in [row for row in earlier if row["网点编号"] == OUTLETS[0][2]][:6]:
        add_fact(
            services, _DEMO, number=row["账号"], kind=OpeningFactKind.INVOLVED, source="A150802",
            at=services.clock.now(),
        )  # fmt: skip
    bind_teller(services, _DEMO, login=teller, institution=BANK, code=OUTLETS[0][2])
    return _customer(services)


def _customer(services: Services) -> int:
    """One of the five comes again, to the first outlet, where the checks advise to ask the desk. Returns the id of the
    opening.
    """
    with services.store.begin() as tx:
        outlet = outlets_of_institution(tx, institution_named(tx, BANK)["id"])[OUTLETS[0][2]]
    now = services.clock.now()
    record = OpeningRecord(
        line=1,
        opening_no=f"YW{now:%m%d}9001",
        outlet=outlet.code,
        channel=OpeningChannel.COUNTER,
        product=CardProduct.ACCOUNT_1,
        name=_name(203),
        id_number=id_number(203, home=_AWAY),
        phone="+8619900010203",
        address="临河区团结路8号旅社",
        purpose="收购牛羊周转资金",
        limit_fen=50_000_000,
        asked_at=now,
        result=OpeningResult.IN_PROGRESS,
        teller=Role.TELLER.value,
    )
    return check_opening(services, _DEMO, record, outlet_id=outlet.id, source="demo").opening_id
