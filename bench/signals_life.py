"""A made-up city for bench.signals_city: what is true of its people, and apart from it the signals that sources see.

The people are a sample of a city of `INHABITANTS`; the frauds are those of the whole city, so each innocent person stands for
`City.stands_for` and each victim for one. How many frauds there are, and what innocent people read, visit and open, are settings with
their source; all else is assumed. A fraud goes one of ten ways, each a sequence of steps of which a source sees two thirds.
About one person in nine has a week that looks like a fraud and is none (`LOOK_ALIKES`): debt collection, deliveries, family
abroad, investing, loans, games, online shopping, a new phone, meetings, dating. Every kind of signal about every topic occurs in innocent lives
(`USUAL_TOPICS`). From `drift` on two thirds of the frauds go another way that the rules were not written for: `later` makes them,
of the ways that are asked for. What was before is the same whichever those are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dialer.core.sources import LISTS_SOURCE
from dialer.core.values import FraudType, Grade
from dialer.signals.model import (
    Direction,
    Item,
    ItemKind,
    ListChange,
    ListKind,
    Reporter,
    Signal,
    SignalKind,
    Topic,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
INHABITANTS = 1_538_715
"""Of the project's own year (bench/year.py, docs/decisions/0770)."""
FILED_A_YEAR = 525
"""Filed cases of that year: 0.034 % of the inhabitants."""
FILED = 0.13
"""Of the frauds, those that are reported to the police: Crime Survey for England and Wales, fewer than one in seven."""
FRAUDS_A_WEEK = FILED_A_YEAR / FILED / 52
"""In the whole city: 78, of 0.26 % of the people in a year."""
SEEN = 0.67
CHANGED = 0.67
"""Of the frauds after the drift."""
NEW_WAY_LISTED = 0.0
"""Of the items of the frauds that go another way: lists hold what is known, and that way is not."""
USUAL_A_DAY = 0.6
USUAL_TOPICS: Mapping[SignalKind, Mapping[Topic, float]] = {
    SignalKind.SMS: {
        Topic.VERIFICATION_CODE: 25, Topic.BANK: 22, Topic.DELIVERY: 20, Topic.SHOPPING: 12, Topic.LOAN: 5, Topic.REBATE: 4,
        Topic.REFUND: 3, Topic.GAME: 3, Topic.CHAT: 2, Topic.INVESTMENT: 1, Topic.MEETING: 1, Topic.CREDIT: 0.5, Topic.JUSTICE: 0.5,
        Topic.DEBT_COLLECTION: 0.5, Topic.DATING: 0.5,
    },
    SignalKind.WEB: {
        Topic.SHOPPING: 40, Topic.GAME: 18, Topic.BANK: 12, Topic.CHAT: 10, Topic.DELIVERY: 6, Topic.INVESTMENT: 5, Topic.REBATE: 4,
        Topic.LOAN: 1, Topic.REFUND: 1, Topic.DATING: 1, Topic.MEETING: 0.5, Topic.CREDIT: 0.5, Topic.JUSTICE: 0.4,
        Topic.VERIFICATION_CODE: 0.3, Topic.DEBT_COLLECTION: 0.3,
    },
    SignalKind.APP: {
        Topic.CHAT: 34, Topic.SHOPPING: 27, Topic.GAME: 20, Topic.BANK: 8, Topic.MEETING: 3, Topic.INVESTMENT: 3, Topic.REBATE: 2,
        Topic.DATING: 1, Topic.LOAN: 0.5, Topic.DELIVERY: 0.5, Topic.REFUND: 0.3, Topic.JUSTICE: 0.3, Topic.CREDIT: 0.2,
        Topic.VERIFICATION_CODE: 0.1, Topic.DEBT_COLLECTION: 0.1,
    },
}  # fmt: skip
"""Of the usual signals of a kind, in hundredths. Shopping, games and investing are as common among each other as their users (CNNIC, 45th report,
March 2020: 79, 59 and 18 % of those online, the last seldom). Refunds: a tenth of deliveries and more are returned. Courts: 33.7 million cases in
2022 (report of the Supreme People's Court), two parties each, three visits. Sites and apps of cash back: a tenth of shopping. The others, and all
messages, are assumed; none is 0.
"""
LOOK_ALIKES = {
    "debt_collection": 0.020, "delivery": 0.030, "family_abroad": 0.010, "investing": 0.010, "loan": 0.010, "game": 0.010,
    "shopping": 0.015, "new_phone": 0.004, "meeting": 0.006, "dating": 0.005,
}  # fmt: skip
"""Share of persons with such a week."""
DESCRIBED_WAY = "false_delivery"
"""A false delivery, a chat of the store, and payments by way of the person's own accounts."""
NEW_WAYS = {
    "cash_and_courier": "a long call, a chat of the store, a courier is ordered for cash or gold, the money is drawn from own accounts",
    "card_tap": "a false bank message with a link, its site, an app outside the store, a call, the card is held to the phone",
    "suspended_insurance": "a message that the insurance is suspended, a site that asks for codes, a login on another device",
    "video_of_a_relative": "a call of a relative's copied voice, a video meeting, one large payment to a new payee",
    "membership_without_sharing": "two long calls about a membership that will cost money, a real loan, payments between own accounts",
    "gift_parcel": "a parcel with a code to scan, a chat of the store, a small rebate two days later, growing payments to new payees",
    "lecture_calls": "long calls of one number for days, about health or pensions, then a large payment",
    "rent_deposit": "an offer of a flat, a call to it, a chat of the store, a deposit to a new payee",
}  # fmt: skip
"""Ways that no rule was written for, of which a drift takes those that go unnoticed: docs/decisions/0772."""
_GANG = "gang/"
CALL, SMS, WEB, APP = SignalKind.CALL, SignalKind.SMS, SignalKind.WEB, SignalKind.APP
PAY, LOGIN = SignalKind.PAYMENT_ATTEMPT, SignalKind.LOGIN


@dataclass(slots=True)
class Fraud:
    """What is true: who, of which type, the hour of the first payment attempt, and the day a filed case is known."""

    person: int
    kind: str
    begins: float
    first_payment: float
    filed_day: float | None
    after_drift: bool


@dataclass(slots=True)
class City:
    """`signals` in order of events, and the truth."""

    persons: int
    days: int
    signals: list[Signal] = field(default_factory=list)
    frauds: list[Fraud] = field(default_factory=list)
    going_another_way: list[tuple[int, float]] = field(default_factory=list)
    """Persons who are defrauded after the drift in ways that `later` makes, and the hours when it begins."""

    @property
    def stands_for(self) -> float:
        """So many of the inhabitants each innocent person stands for."""
        return INHABITANTS / self.persons


def key(kind: ItemKind, name: str) -> Item:
    return Item(kind, f"{kind.value}:{name}".encode().ljust(12, b"."))


def is_of_fraudsters(item: Item) -> bool:
    """Whether fraudsters alone use it."""
    return item.key.partition(b":")[2].startswith(_GANG.encode())


class _Maker:
    def __init__(self, seed: int, persons: int, days: int, drift: int, name: str = "") -> None:
        """`name` tells its signals and fresh items from those of another maker."""
        self.chance = random.Random(f"{seed} {name}" if name else seed)
        self.city = City(persons, days)
        self.drift, self.name = drift, name
        self.items = 0
        self.gang: dict[tuple[str, int, bool], dict[ItemKind, list[str]]] = {}

    def emit(
        self, person: int, hour: float, kind: SignalKind, *items: Item, seen: float = SEEN, **values: Any
    ) -> None:
        if self.chance.random() >= seen or not 0 <= hour < self.city.days * 24:
            return
        at = START + timedelta(hours=hour)
        self.city.signals.append(
            Signal(
                source=kind.value,
                signal_no=f"{self.name}{len(self.city.signals)}",
                kind=kind,
                event_at=at,
                received_at=at,
                person=b"%8d" % person,
                items=items,
                **values,
            )
        )

    def list_change(self, hour: float, item: Item, list_kind: ListKind) -> None:
        at = START + timedelta(hours=max(0.0, hour))
        self.city.signals.append(
            Signal(
                # A person has confirmed the trusted ones.
                source=LISTS_SOURCE if list_kind is ListKind.TRUSTED else "list",
                signal_no=f"{len(self.city.signals)}",
                kind=SignalKind.LIST_CHANGE,
                event_at=at,
                received_at=at,
                items=(item,),
                list_kind=list_kind,
                list_name=list_kind.value,
                change=ListChange.ENTERED,
            )
        )

    def fresh(self, kind: ItemKind) -> Item:
        self.items += 1
        return key(kind, f"n{self.name}{self.items}")

    def own(self, person: int, kind: ItemKind, most: int) -> Item:
        return key(kind, f"{person}/{self.chance.randrange(most)}")

    def of_gang(self, way: str, hour: float, kind: ItemKind) -> Item:
        """An item of the fraudsters of the week; some are listed early, some late, most never."""
        week, late = int(hour // 168), hour >= self.drift * 24
        gang = self.gang.setdefault((way, week, late), {})
        names = gang.setdefault(kind, [])
        if len(names) < 4:
            names.append(f"{_GANG}{way}{week}{late}{len(names)}")
            item = key(kind, names[-1])
            is_new = way == DESCRIBED_WAY or way in NEW_WAYS
            known = NEW_WAY_LISTED if is_new else 0.12 if late else 0.4
            if self.chance.random() < known:
                which = ListKind.FRAUD if self.chance.random() < 0.6 else ListKind.SUSPECTED
                self.list_change(hour + self.chance.uniform(-72, 72), item, which)
            return item
        return key(kind, self.chance.choice(names))

    # -- usual lives --------------------------------------------------------------------------------------------

    def usual(self) -> None:
        chance, hours = self.chance, self.city.days * 24
        for _ in range(int(self.city.persons * self.city.days * USUAL_A_DAY)):
            person, hour, what = (
                chance.randrange(self.city.persons),
                chance.uniform(0, hours),
                chance.random(),
            )
            way = Direction.IN if chance.random() < 0.6 else Direction.OUT
            if what < 0.4:
                number = (
                    self.own(person, ItemKind.NUMBER, 6)
                    if chance.random() < 0.75
                    else self.fresh(ItemKind.NUMBER)
                )
                self.emit(
                    person,
                    hour,
                    CALL,
                    number,
                    seen=1,
                    direction=way,
                    duration_seconds=int(chance.expovariate(1 / 100)),
                )
            elif what < 0.6:
                sender, has_link = key(ItemKind.NUMBER, f"s{chance.randrange(300)}"), chance.random() < 0.2
                link = [key(ItemKind.DOMAIN, f"d{chance.randrange(2000)}")] if has_link else []
                self.emit(
                    person, hour, SMS, sender, *link, seen=1, direction=Direction.IN, topic=self.topic(SMS),
                    has_link=has_link,
                )  # fmt: skip
            elif what < 0.75:
                self.emit(
                    person,
                    hour,
                    WEB,
                    key(ItemKind.DOMAIN, f"d{chance.randrange(2000)}"),
                    seen=1,
                    topic=self.topic(WEB),
                )
            elif what < 0.85:
                self.emit(
                    person,
                    hour,
                    APP,
                    key(ItemKind.APP, f"a{chance.randrange(400)}"),
                    seen=1,
                    from_store=chance.random() < 0.9,
                    topic=self.topic(APP),
                )
            else:
                new = chance.random() < 0.25
                payee = self.fresh(ItemKind.ACCOUNT) if new else self.own(person, ItemKind.ACCOUNT, 4)
                self.emit(
                    person,
                    hour,
                    PAY,
                    payee,
                    seen=1,
                    direction=Direction.OUT,
                    new_payee=new,
                    amount_fen=int(chance.lognormvariate(9.8, 1.4)),
                    failed=chance.random() < 0.03,
                )

    def topic(self, kind: SignalKind) -> Topic:
        shares = USUAL_TOPICS[kind]
        return self.chance.choices(tuple(shares), tuple(shares.values()))[0]

    def look_alikes(self) -> None:
        weeks = self.city.days // 7 + 1
        for name, share in LOOK_ALIKES.items():
            for week in range(weeks):
                for _ in range(int(self.city.persons * share)):
                    person = self.chance.randrange(self.city.persons)
                    self.look_alike(name, person, week * 168 + self.chance.uniform(0, 160))

    def look_alike(self, name: str, person: int, hour: float) -> None:
        c = self.chance
        match name:
            case "debt_collection":
                number = key(ItemKind.NUMBER, f"collector{c.randrange(40)}")
                for n in range(c.randrange(2, 7)):
                    self.emit(
                        person,
                        hour + n * c.uniform(0.5, 9),
                        CALL,
                        number,
                        direction=Direction.IN,
                        duration_seconds=int(c.expovariate(1 / 300)),
                    )
                self.emit(
                    person,
                    hour + 2,
                    SMS,
                    number,
                    direction=Direction.IN,
                    topic=c.choice((Topic.DEBT_COLLECTION, Topic.CREDIT, Topic.LOAN)),
                )
                if c.random() < 0.5:
                    self.pay(
                        person,
                        hour + c.uniform(3, 40),
                        key(ItemKind.ACCOUNT, f"lender{c.randrange(30)}"),
                        7.5 + 5,
                        new=c.random() < 0.3,
                    )
            case "delivery":
                number = key(ItemKind.NUMBER, f"post{c.randrange(60)}")
                self.emit(
                    person,
                    hour,
                    SMS,
                    number,
                    direction=Direction.IN,
                    topic=Topic.DELIVERY,
                    has_link=c.random() < 0.6,
                )
                self.emit(person, hour + 1, CALL, number, direction=Direction.IN, duration_seconds=25)
                self.emit(
                    person,
                    hour + 0.3,
                    WEB,
                    key(ItemKind.DOMAIN, f"post{c.randrange(12)}"),
                    topic=Topic.DELIVERY,
                )
            case "family_abroad":
                number = (
                    self.fresh(ItemKind.NUMBER)
                    if c.random() < 0.15
                    else key(ItemKind.NUMBER, f"{person}/abroad")
                )
                for n in range(c.randrange(1, 4)):
                    self.emit(
                        person,
                        hour + n * 40,
                        CALL,
                        number,
                        direction=c.choice(tuple(Direction)),
                        overseas=True,
                        duration_seconds=int(c.expovariate(1 / 1800)),
                    )
                if c.random() < 0.3:
                    self.emit(
                        person,
                        hour + 1,
                        APP,
                        key(ItemKind.APP, "meeting"),
                        topic=Topic.MEETING,
                        screen_sharing=True,
                        from_store=True,
                    )
            case "investing":
                store = c.random() < 0.85
                self.emit(
                    person,
                    hour,
                    APP,
                    key(ItemKind.APP, f"broker{c.randrange(20)}"),
                    topic=Topic.INVESTMENT,
                    from_store=store,
                )
                for n in range(c.randrange(0, 3)):
                    self.pay(
                        person,
                        hour + 2 + n * 20,
                        key(ItemKind.ACCOUNT, f"broker{c.randrange(20)}"),
                        14.2,
                        new=c.random() < 0.4,
                    )
            case "loan":
                self.emit(
                    person,
                    hour,
                    APP,
                    key(ItemKind.APP, f"lender{c.randrange(15)}"),
                    topic=Topic.LOAN,
                    from_store=c.random() < 0.8,
                )
                self.emit(
                    person,
                    hour + 1,
                    SMS,
                    key(ItemKind.NUMBER, f"lender{c.randrange(30)}"),
                    direction=Direction.IN,
                    topic=Topic.LOAN,
                )
                if c.random() < 0.35:
                    self.pay(
                        person,
                        hour + c.uniform(2, 20),
                        key(ItemKind.ACCOUNT, f"lender{c.randrange(30)}"),
                        11.5,
                        new=True,
                    )
            case "game":
                self.emit(person, hour, WEB, key(ItemKind.DOMAIN, f"game{c.randrange(25)}"), topic=Topic.GAME)
                self.emit(
                    person,
                    hour + 0.4,
                    APP,
                    self.fresh(ItemKind.APP) if c.random() < 0.3 else key(ItemKind.APP, "chat"),
                    topic=Topic.CHAT,
                    from_store=True,
                )
                self.pay(person, hour + c.uniform(0.2, 3), self.fresh(ItemKind.ACCOUNT), 9.2, new=True)
            case "shopping":
                self.emit(
                    person, hour, WEB, key(ItemKind.DOMAIN, f"shop{c.randrange(60)}"), topic=Topic.SHOPPING
                )
                self.emit(
                    person, hour + 0.5, APP, key(ItemKind.APP, "chat"), topic=Topic.CHAT, from_store=True
                )
                for n in range(c.randrange(1, 4)):
                    self.pay(person, hour + 1 + n, self.fresh(ItemKind.ACCOUNT), 10.2, new=True)
                if c.random() < 0.2:
                    self.pay(person, hour + 30, self.fresh(ItemKind.ACCOUNT), 9, new=False, into=True)
            case "new_phone":
                self.emit(person, hour, LOGIN, self.own(person, ItemKind.ACCOUNT, 4), new_device=True)
                for n in range(c.randrange(2, 6)):
                    self.emit(
                        person,
                        hour + n * 0.05,
                        SMS,
                        key(ItemKind.NUMBER, f"s{c.randrange(300)}"),
                        direction=Direction.IN,
                        topic=Topic.VERIFICATION_CODE,
                    )
                self.pay(person, hour + c.uniform(0.3, 9), self.fresh(ItemKind.ACCOUNT), 11, new=True)
            case "meeting":
                self.emit(
                    person,
                    hour,
                    CALL,
                    self.fresh(ItemKind.NUMBER),
                    direction=Direction.IN,
                    duration_seconds=int(c.expovariate(1 / 400)),
                )
                self.emit(
                    person,
                    hour + 0.5,
                    APP,
                    key(ItemKind.APP, "meeting"),
                    topic=Topic.MEETING,
                    screen_sharing=True,
                    from_store=True,
                )
            case "dating":
                self.emit(
                    person,
                    hour,
                    APP,
                    key(ItemKind.APP, f"dating{c.randrange(9)}"),
                    topic=Topic.DATING,
                    from_store=True,
                )
                for n in range(c.randrange(0, 3)):
                    self.pay(
                        person,
                        hour + 10 + n * 20,
                        self.own(person, ItemKind.ACCOUNT, 4),
                        10,
                        new=c.random() < 0.3,
                    )

    def pay(
        self,
        person: int,
        hour: float,
        payee: Item,
        size: float,
        *,
        new: bool,
        into: bool = False,
        seen: float = 0.85,
    ) -> None:
        self.emit(
            person,
            hour,
            PAY,
            payee,
            seen=seen,
            direction=Direction.IN if into else Direction.OUT,
            new_payee=new,
            amount_fen=int(self.chance.lognormvariate(size, 0.9)),
        )

    # -- frauds -------------------------------------------------------------------------------------------------

    def all_frauds(self) -> None:
        c = self.chance
        types = [fraud_type for fraud_type in FraudType if fraud_type is not FraudType.UNKNOWN]
        for week in range(self.city.days // 7 + 1):
            for _ in range(round(FRAUDS_A_WEEK)):
                person, begins = c.randrange(self.city.persons), week * 168 + c.uniform(0, 168)
                if begins >= self.drift * 24 and c.random() < CHANGED:
                    self.city.going_another_way.append((person, begins))
                else:
                    self.one_fraud(person, begins, c.choice(types).value, after_drift=False)

    def one_fraud(self, person: int, begins: float, kind: str, *, after_drift: bool) -> None:
        """With what others tell of it."""
        c = self.chance
        first = self.fraud(person, begins, kind)
        filed = (first / 24 + 1 + c.expovariate(1 / 3)) if c.random() < FILED else None
        self.city.frauds.append(Fraud(person, kind, begins, first, filed, after_drift))
        if c.random() < 0.04:
            self.emit(
                person,
                begins + c.uniform(1, 12),
                SignalKind.REPORT,
                seen=1,
                reporter=c.choice((Reporter.FAMILY, Reporter.BANK)),
            )
        if c.random() < 0.08:
            self.emit(
                person,
                begins + c.uniform(0.5, 8),
                SignalKind.PLATFORM_PUSH,
                seen=1,
                grade=c.choice((Grade.HIGH, Grade.MEDIUM)),
                fraud_type=FraudType.UNKNOWN,
            )

    def fraud(self, person: int, hour: float, kind: str) -> float:
        """Emits what sources see; the hour of the first payment attempt."""
        c = self.chance

        def gang(item: ItemKind) -> Item:
            return self.of_gang(kind, hour, item)

        def call(after: float, seconds: float, *, overseas: float = 0.2) -> None:
            self.emit(
                person,
                hour + after,
                CALL,
                gang(ItemKind.NUMBER),
                direction=Direction.IN,
                overseas=c.random() < overseas,
                duration_seconds=int(c.expovariate(1 / seconds)),
            )

        def sms(after: float, topic: Topic, *, link: float = 0.6) -> None:
            self.emit(
                person,
                hour + after,
                SMS,
                gang(ItemKind.NUMBER),
                gang(ItemKind.DOMAIN),
                direction=Direction.IN,
                topic=topic,
                has_link=c.random() < link,
            )

        def web(after: float, topic: Topic) -> None:
            self.emit(person, hour + after, WEB, gang(ItemKind.DOMAIN), topic=topic)

        def app(
            after: float, topic: Topic, *, sharing: bool = False, store: float = 0.2, named: str = ""
        ) -> None:
            known = "meeting" if sharing else named
            item = key(ItemKind.APP, known) if known else gang(ItemKind.APP)
            self.emit(
                person,
                hour + after,
                APP,
                item,
                topic=topic,
                screen_sharing=sharing,
                from_store=c.random() < store,
            )

        def pays(
            after: float, count: int, size: float, apart: float, *, growth: float = 0.5, same: bool = False
        ) -> float:
            payee = gang(ItemKind.ACCOUNT)
            for n in range(count):
                self.pay(
                    person,
                    hour + after + n * apart,
                    payee if same else gang(ItemKind.ACCOUNT),
                    size + n * growth,
                    new=not same or n == 0,
                    seen=0.8,
                )
            return hour + after

        def own_accounts(after: float, count: int, size: float) -> float:
            for n in range(count):
                account = self.own(person, ItemKind.ACCOUNT, 4)
                self.pay(person, hour + after + n * 0.5, account, size, new=False)
            return hour + after

        def codes(after: float, count: int) -> None:
            for n in range(count):
                sender = key(ItemKind.NUMBER, f"s{c.randrange(300)}")
                self.emit(
                    person, hour + after + n * 0.05, SMS, sender, direction=Direction.IN,
                    topic=Topic.VERIFICATION_CODE,
                )  # fmt: skip

        match kind:
            case "fake_order_rebate":
                sms(0, Topic.REBATE)
                web(1, Topic.REBATE)
                app(2, Topic.CHAT)
                app(5, Topic.REBATE)
                self.pay(person, hour + 8, gang(ItemKind.ACCOUNT), 7.8, new=False, into=True)
                return pays(c.uniform(9, 30), c.randrange(2, 5), 10.5, 4, growth=1.1)
            case "investment":
                call(0, 200)
                app(3, Topic.CHAT)
                web(10, Topic.INVESTMENT)
                app(20, Topic.INVESTMENT)
                return pays(c.uniform(24, 90), c.randrange(1, 5), 14.3, 20)
            case "shopping":
                web(0, Topic.SHOPPING)
                app(0.4, Topic.CHAT)
                return pays(c.uniform(1, 6), 1, 11.5, 1)
            case "fake_customer_service":
                call(0, 700, overseas=0.3)
                sms(0.2, Topic.REFUND)
                app(0.5, Topic.MEETING, sharing=True)
                for n in range(3):
                    self.emit(
                        person,
                        hour + 0.6 + n * 0.1,
                        SMS,
                        key(ItemKind.NUMBER, f"s{c.randrange(300)}"),
                        direction=Direction.IN,
                        topic=Topic.VERIFICATION_CODE,
                    )
                return pays(c.uniform(0.9, 3), c.randrange(1, 4), 13.2, 0.4)
            case "loan":
                sms(0, Topic.LOAN)
                app(2, Topic.LOAN)
                call(6, 400)
                return pays(c.uniform(7, 24), c.randrange(1, 4), 12.5, 3)
            case "credit":
                call(0, 800)
                sms(0.3, Topic.CREDIT)
                call(0.8, 900)
                app(1, Topic.MEETING, sharing=True)
                return pays(c.uniform(1.5, 5), c.randrange(1, 4), 13.4, 0.6)
            case "boss_or_acquaintance":
                sms(0, Topic.CHAT, link=0.2)
                app(0.5, Topic.CHAT)
                return pays(c.uniform(1, 4), c.randrange(1, 3), 16, 1)
            case "police_impersonation":
                call(0, 1500, overseas=0.6)
                web(1, Topic.JUSTICE)
                call(2, 2400, overseas=0.6)
                app(3, Topic.MEETING, sharing=True)
                self.emit(person, hour + 4, LOGIN, self.own(person, ItemKind.ACCOUNT, 4), new_device=True)
                return pays(c.uniform(4.5, 30), c.randrange(1, 5), 14.8, 3)
            case "romance":
                app(0, Topic.DATING, store=0.7)
                app(8, Topic.CHAT)
                web(40, Topic.INVESTMENT)
                return pays(c.uniform(42, 80), c.randrange(2, 5), 13.2, 18, same=True)
            case "game_trade":
                web(0, Topic.GAME)
                app(0.4, Topic.CHAT)
                sms(0.6, Topic.GAME)
                return pays(c.uniform(0.8, 3), c.randrange(1, 3), 10, 0.5)
            case "cash_and_courier":
                call(0, 700, overseas=0.05)
                app(0.7, Topic.CHAT, store=0.95, named="chat")
                call(2, 500, overseas=0.05)
                courier = key(ItemKind.DOMAIN, f"post{c.randrange(12)}")
                self.emit(person, hour + 4, WEB, courier, topic=Topic.DELIVERY)
                return own_accounts(c.uniform(3, 9), c.randrange(1, 3), 14)
            case "card_tap":
                sms(0, Topic.BANK, link=0.9)
                web(0.2, Topic.BANK)
                app(0.6, Topic.BANK, store=0.1)
                call(0.7, 700, overseas=0.05)
                codes(0.9, 2)
                return pays(c.uniform(1.2, 4), c.randrange(1, 4), 11.5, 0.3)
            case "suspended_insurance":
                sms(0, Topic.BANK, link=0.95)
                web(0.1, Topic.BANK)
                codes(0.2, 5)
                self.emit(person, hour + 0.6, LOGIN, self.own(person, ItemKind.ACCOUNT, 4), new_device=True)
                return pays(c.uniform(0.7, 3), c.randrange(1, 5), 10.8, 0.3, growth=0.1)
            case "video_of_a_relative":
                call(0, 400, overseas=0.1)
                app(0.4, Topic.MEETING, store=1.0, named="meeting")
                return pays(c.uniform(0.6, 3), 1, 15.5, 1)
            case "membership_without_sharing":
                call(0, 900, overseas=0.05)
                sms(0.3, Topic.BANK, link=0.1)
                call(1, 900, overseas=0.05)
                app(1.3, Topic.LOAN, store=1.0, named=f"lender{c.randrange(15)}")
                codes(1.4, 2)
                return own_accounts(c.uniform(1.5, 4), c.randrange(1, 4), 13)
            case "gift_parcel":
                web(0, Topic.DELIVERY)
                app(0.5, Topic.CHAT, store=0.95, named="chat")
                app(26, Topic.CHAT, store=0.95)
                self.pay(person, hour + 40, gang(ItemKind.ACCOUNT), 7.4, new=False, into=True)
                return pays(c.uniform(42, 60), c.randrange(2, 5), 9.8, 3, growth=1.0)
            case "lecture_calls":
                number = gang(ItemKind.NUMBER)
                for n in range(4):
                    self.emit(
                        person, hour + n * 20, CALL, number, direction=Direction.IN,
                        duration_seconds=int(c.expovariate(1 / 900)),
                    )  # fmt: skip
                return pays(c.uniform(50, 75), c.randrange(1, 3), 14.5, 20, growth=0.2)
            case "rent_deposit":
                web(0, Topic.SHOPPING)
                self.emit(
                    person, hour + 0.3, CALL, gang(ItemKind.NUMBER), direction=Direction.OUT,
                    duration_seconds=int(c.expovariate(1 / 250)),
                )  # fmt: skip
                app(0.8, Topic.CHAT, store=0.95, named="chat")
                return pays(c.uniform(1.5, 20), 1, 11.9, 1)
            case _:
                sms(0, Topic.DELIVERY, link=0.9)
                web(0.3, Topic.DELIVERY)
                app(1, Topic.CHAT, store=0.9)
                call(1.5, 500, overseas=0.05)
                self.emit(person, hour + 2, LOGIN, self.own(person, ItemKind.ACCOUNT, 4), new_device=True)
                return own_accounts(c.uniform(2.5, 8), c.randrange(1, 4), 12.5)


def make(seed: int, persons: int, days: int, drift: int) -> City:
    """`drift`: the day on which the frauds change; those that go another way are made by `later`. The same arguments make
    the same city.
    """
    maker = _Maker(seed, persons, days, drift)
    for prefix, kind, count in _trusted():
        for n in range(count):
            maker.list_change(0, key(kind, f"{prefix}{n}"), ListKind.TRUSTED)
    maker.usual()
    maker.look_alikes()
    maker.all_frauds()
    maker.city.signals.sort(key=lambda signal: (signal.event_at, signal.signal_no))
    return maker.city


def later(city: City, ways: Sequence[str], *, seed: int, drift: int) -> City:
    """Signals and frauds of those who are defrauded in one of `ways` after the drift, each with the same probability."""
    maker = _Maker(seed, city.persons, city.days, drift, name=f"later {' '.join(ways)} ")
    for person, begins in city.going_another_way:
        maker.one_fraud(person, begins, maker.chance.choice(ways), after_drift=True)
    return maker.city


def tried(city: City, way: str, count: int, *, seed: int, drift: int) -> City:
    """What fraudsters find out before: the way, tried with as many persons in the week before the drift. None of it is
    part of the city, and nobody tells or files it.
    """
    maker = _Maker(seed, city.persons, city.days, drift, name=f"tried {way} ")
    for person in maker.chance.sample(range(city.persons), min(count, city.persons)):
        begins = maker.chance.uniform(drift - 8, drift - 1) * 24
        first = maker.fraud(person, begins, way)
        maker.city.frauds.append(Fraud(person, way, begins, first, None, after_drift=True))
    return maker.city


def _trusted() -> Iterator[tuple[str, ItemKind, int]]:
    """Half of the known companies are on lists of trusted ones."""
    yield "post", ItemKind.NUMBER, 40
    yield "collector", ItemKind.NUMBER, 15
    yield "broker", ItemKind.ACCOUNT, 10
    yield "broker", ItemKind.APP, 10
    yield "lender", ItemKind.ACCOUNT, 15
    yield "lender", ItemKind.APP, 7
    yield "s", ItemKind.NUMBER, 200
