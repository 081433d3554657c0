"""Every page of the console that can be asked for, by whom: what `bench.pages` measures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import sqlalchemy as sa

from bench.backlog import FIRST
from bench.city import LONG_LOAD, City
from dialer.cases.search import interpret_search, seal_search
from dialer.core.access import Role, may, unrestricted
from dialer.runtime.services import Application
from dialer.server.application import declarations


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    role: Role
    unit_id: int | None

    @property
    def login(self) -> str:
        return f"{self.role.value}-{self.unit_id or 'centre'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    name: str
    reader: Reader | None
    """None: somebody who is not signed in."""
    path: str


_PRACTICE = "a service of its own, with the attempts of those who learn"
UNMEASURED: Mapping[str, str] = {
    "/": "goes on to another page",
    "/first/{token}": "once in the life of a service",
    "/clips/{file}": "sound",
    "/visits/worker.js": "a file",
    "/scripts/{script_id}/file": "a file",
    "/units/file": "a file",
    "/cases/file": "a file",
    "/rates/file/{kind}": "a file",
    "/records/file/{kind}": "a file",
    "/lists/{load_id}/rejects": "a file",
    "/corrections/new": "an empty form",
    "/corrections/{order_id}": "one order, whatever else there is",
    "/desks/live": "a part of the page of desks",
    "/desks/{staff_id}/ear": "a part of the page of one desk",
    "/desks/{staff_id}": "one desk, whatever else there is",
    "/duty/{unit_id}/{kind}": "a month of one roster, whatever else there is",
    "/duty/{unit_id}/{kind}/file": "a file",
    "/duty/{unit_id}/{kind}/calendar": "a file",
    "/plan/file": "a file",
    "/plan/versions/{number}": "two versions of the plan, whatever else there is",
    "/plan/versions/{number}/week": "counts a week again, 20,000 rows of a kind at most",
    "/robot/held/{number}": "one verdict, whatever else there is",
    "/robot/versions/{number}": "two versions of the rules, whatever else there is",
    "/robot/versions/{number}/files": "a file",
    "/robot/versions/{number}/week": "judges signals again, 20,000 at most",
    "/scripts/{script_id}/progress": "a part of a script's page",
    "/lists/{load_id}/rejected": "a part of a list's page",
    "/lists/{load_id}/look": "a part of the page of a list that waits",
    "/rates/cases": "is asked for with a measure below",
    "/sources/one": "is asked for with a name below",
    "/lists/drafts/{draft_id}": "one dropped list, whatever else there is",
    "/lists/{load_id}/correct": "twenty rejected rows of the own list",
    "/lists/drafts/{draft_id}/count": "one dropped list, whatever else there is",
    "/lists/drafts/{draft_id}/rejects": "a file",
    "/desk/tasks/{task_id}/live": "a part of the desk's page",
    "/desk/tasks/{task_id}/third-party": "a part of the page of the desk",
    "/visits/{visit_id}/conversation": "a part of one case",
    "/cases/{case_id}/look-back/docx": "a file",
    "/cases/{case_id}/recordings/{recording_id}/sound": "sound",
    "/bulletins/{bulletin_id}/file/{kind}": "a file",
    "/quality/{recording_id}": "one recorded call, whatever else there is",
    "/quality/rules/draft": "a form with the rules",
    "/quality/rules/{number}": "one version of the rules, whatever else there is",
    "/knowledge/new": "an empty form",
    "/knowledge/search": "a part of the desk's page",
    "/knowledge/{card_id}/draft": "one card, whatever else there is",
    "/practice": _PRACTICE,
    "/practice/attempts/{attempt_id}": _PRACTICE,
    "/practice/certificate/{staff_id}": _PRACTICE,
    "/practice/people": _PRACTICE,
    "/practice/people/{staff_id}": _PRACTICE,
    "/practice/talk/{task_id}": _PRACTICE,
    "/help/tour": "goes on to the first page of the tour",
    "/help/tour/{step}": "one paragraph of the manual",
    "/sign-in/second": "the second step of signing in",
    "/sign-in/identity": "goes on to an identity provider",
    "/sign-in/identity/back": "an identity provider goes on to it",
    "/cards/outlets/notice": "one notice, whatever else there is",
    "/cards/desk/live": "a stream without an end",
    "/cards/desk/questions/{question_id}": "bench.cards measures two-card control",
    "/cards/outlets/{outlet_id}": "bench.cards measures two-card control",
    "/cards/rings/{ring_id}": "bench.cards measures two-card control",
    "/counter/{opening_id}": "bench.cards measures two-card control",
    "/counter/{opening_id}/slip": "bench.cards measures two-card control",
}
"""Addresses that are no page by themselves, with the reason."""


def readers(city: City) -> tuple[Reader, ...]:
    """Each role where it sees most, and those that look at lists also where they see a part."""
    whole = tuple(Reader(role=role, unit_id=None) for role in Role)
    return (
        *whole,
        Reader(role=Role.SUPERVISOR, unit_id=city.county),
        Reader(role=Role.OFFICER, unit_id=city.station),
        Reader(role=Role.CALLER, unit_id=city.county),
        Reader(role=Role.AUDITOR, unit_id=city.county),
    )


def pages(app: Application, city: City, *, count: int) -> list[Page]:
    """Plain addresses as everybody who may see them; searches and single records as whoever asks them most."""
    found = [*_plain(city), *_of_one(app, city)]
    found.extend(_searches(app, city, count=count))
    return found


def unmeasured(asked: list[Page]) -> list[str]:
    """Pages that are not measured, without a reason."""
    paths = {page.path.partition("?")[0] for page in asked}
    patterns = {
        declaration.path: declaration
        for declaration in declarations()
        if declaration.method == "GET" and declaration.path not in UNMEASURED
    }
    return sorted(
        path
        for path in patterns
        if not any(re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), one) for one in paths)
    )


def _plain(city: City) -> Iterator[Page]:
    for declared in declarations():
        if declared.method == "GET" and "{" not in declared.path and declared.path not in UNMEASURED:
            if declared.act is None:
                yield Page(name=f"{declared.path}, a stranger", reader=None, path=declared.path)
                continue
            for reader in readers(city):
                if may(reader.role, declared.act):
                    yield Page(name=_named(declared.path, reader), reader=reader, path=declared.path)


def _named(what: str, reader: Reader) -> str:
    where = "" if reader.unit_id is None else " of a unit"
    return f"{what}, {reader.role.value}{where}"


def _of_one(app: Application, city: City) -> Iterator[Page]:
    supervisor = Reader(role=Role.SUPERVISOR, unit_id=None)
    officer = Reader(role=Role.OFFICER, unit_id=city.station)
    with app.services.store.begin() as tx:
        found = tx.one(sa.text(_ONES))
        script = str(tx.scalar(sa.text("SELECT min(script_id) FROM script_version")))
        visit = tx.scalar(sa.text(_ONE_VISIT), {"unit_id": city.station})
        mine = tx.scalar(sa.text(_MY_VISIT), {"who": officer.login, "unit_id": city.station})
        number = tx.scalar(sa.text("SELECT max(id) FROM unit"))
        tx.execute(sa.text(_ONE_SOURCE))
    assert found is not None
    ones = {
        "a case that was filed, looked back at": f"/cases/{found['filed']}/look-back",
        "a bulletin": f"/bulletins/{found['bulletin']}",
        "a knowledge card": f"/knowledge/{found['card']}",
        "a case that waits": f"/cases/{found['waiting']}",
        "a case that is closed": f"/cases/{found['closed']}",
        "a case with people's work": f"/cases/{found['worked']}",
        "a long list": f"/lists/{LONG_LOAD}",
        "a source": "/sources/one?name=bench",
        "a list": f"/lists/{LONG_LOAD + 5}",
        "what came of a long list": f"/lists/{LONG_LOAD}/came",
        "what came of a list": f"/lists/{LONG_LOAD + 5}/came",
        "the city": "/units/1",
        "a county": f"/units/{city.county}",
        "a station": f"/units/{number}",
        "units called alike": "/units?text=7",
        "work to be moved": f"/units/work/{found['work']}/transfer",
        "a text of the tray": f"/units/unassigned/{found['unsorted']}",
        "a script": f"/scripts/{script}",
        "a script's versions": f"/scripts/{script}/versions",
        "a script's differences": f"/scripts/{script}/difference?old=1&new=1",
        "a script to be changed": f"/scripts/{script}/draft",
        "a script's trial": f"/scripts/{script}/trial",
        "a script walked": f"/scripts/{script}/walk",
    }
    made = [Page(name=name, reader=supervisor, path=path) for name, path in ones.items()]
    made.append(Page(name="a visit", reader=officer, path=f"/visits/{visit}"))
    made.append(Page(name="a visit's notice", reader=officer, path=f"/visits/{mine}/notice"))
    # What this city has none of is not asked for; `unmeasured` names it.
    yield from (page for page in made if "None" not in page.path)
    administrator = Reader(role=Role.ADMINISTRATOR, unit_id=None)
    yield Page(name="an account", reader=administrator, path=f"/accounts/{found['account']}")


_ONES = """
SELECT (SELECT max(id) FROM "case" WHERE status = 'open' AND robot_state = 'pending') AS waiting,
 (SELECT max(id) FROM "case" WHERE status = 'closed') AS closed,
 (SELECT max(case_id) FROM assignment WHERE state IN ('open', 'signed')) AS worked,
 (SELECT max(id) FROM assignment WHERE state = 'open' AND unit_id IS NOT NULL) AS work,
 (SELECT max(id) FROM "case" WHERE status = 'open' AND unit_id IS NULL) AS unsorted,
 (SELECT max(case_id) FROM filed_case) AS filed,
 (SELECT max(id) FROM bulletin) AS bulletin,
 (SELECT min(id) FROM knowledge_card) AS card,
 (SELECT min(login) FROM staff) AS account
"""
_ONE_SOURCE = "INSERT INTO source (name, on_probation) VALUES ('bench', false) ON CONFLICT DO NOTHING"
_ONE_VISIT = """
SELECT id FROM assignment WHERE kind = 'visit' AND state = 'done' AND unit_id = :unit_id ORDER BY id DESC LIMIT 1
"""
_MY_VISIT = """
UPDATE assignment SET done_by = :who WHERE id = (
 SELECT min(id) FROM assignment WHERE kind = 'visit' AND state = 'done' AND unit_id = :unit_id
) RETURNING id
"""


def _searches(app: Application, city: City, *, count: int) -> Iterator[Page]:
    long_ago = (app.services.clock.now() - timedelta(days=200)).date()
    month = (app.services.clock.now() - timedelta(days=30)).date()
    middle = FIRST + count // 2

    people = {
        "last four": "4321",
        "name": f"甲{middle % 1_000_000}",
        "phone": f"139{middle % 100_000_000:08d}",
    }
    cases: dict[str, dict[str, object]] = {
        "extra high": {"grade": "extra_high"},
        "reversed": {"status": "reversed"},
        "extra high and open": {"grade": "extra_high", "status": "open"},
        "of one day": {"from": long_ago, "to": long_ago},
        "extra high of one day": {"grade": "extra_high", "from": long_ago, "to": long_ago},
        "from long ago": {"to": long_ago},
        "high, from long ago": {"grade": "high", "to": long_ago},
        "high": {"grade": "high"},
        "low and reversed": {"grade": "low", "status": "reversed"},
        "romance": {"fraud": "romance"},
        "of no such type": {"fraud": "game_trade"},
        "a page far back": {"before": middle},
        "instruction": {"no": "nothing-like-this-1"},
        "a station": {"unit": city.station},
        "a county, proven": {"unit": city.county, "status": "proven"},
        "a long list": {"load": LONG_LOAD},
        "a long list, extra high": {"load": LONG_LOAD, "grade": "extra_high"},
        "a long list, open": {"load": LONG_LOAD, "status": "open"},
    }
    everywhere = (
        Reader(role=Role.SUPERVISOR, unit_id=None),
        Reader(role=Role.SUPERVISOR, unit_id=city.county),
        Reader(role=Role.OFFICER, unit_id=city.station),
    )
    for reader in everywhere:
        for name, asked in cases.items():
            yield Page(
                name=_named(f"/cases {name}", reader), reader=reader, path=f"/cases?{urlencode(asked)}"
            )
        for name, typed in people.items():
            token = seal_search(
                app.services,
                unrestricted(reader.login),
                interpret_search(app.services, typed),
                good_seconds=3600.0,
            )
            yield Page(
                name=_named(f"/cases {name}", reader),
                reader=reader,
                path=f"/cases?{urlencode({'who': token})}",
            )
    audits: dict[str, dict[str, object]] = {
        "exports": {"act": "export"},
        "one person": {"who": "bench7"},
        "nobody": {"who": "nobody"},
        "one case": {"subject": f"case/{FIRST + 77}"},
        "exports of one day": {"act": "export", "from": long_ago, "to": long_ago},
        "exports by one person": {"act": "export", "who": "bench7"},
        "one day": {"from": long_ago, "to": long_ago},
    }
    for unit_id in (None, city.county):
        reader = Reader(role=Role.AUDITOR, unit_id=unit_id)
        for name, asked in audits.items():
            yield Page(
                name=_named(f"/audit {name}", reader), reader=reader, path=f"/audit?{urlencode(asked)}"
            )
    rates: dict[str, dict[str, object]] = {
        "by grade": {"by": "grade"},
        "by type": {"by": "fraud_type"},
        "by source": {"by": "source"},
        "by script": {"by": "script"},
        "by hour": {"by": "hour"},
        "30 days": {"from": month},
        "one station": {"unit": city.station},
        "high, by type": {"grade": "high", "by": "fraud_type"},
    }
    measures = ("warnings", "cases", "dissuaded", "robot_calls_answered", "defrauded_after_warning", "visits")
    for unit_id in (None, city.county):
        reader = Reader(role=Role.SUPERVISOR, unit_id=unit_id)
        for name, asked in rates.items():
            yield Page(
                name=_named(f"/rates {name}", reader), reader=reader, path=f"/rates?{urlencode(asked)}"
            )
        for measure in measures:
            yield Page(
                name=_named(f"/rates/cases {measure}", reader),
                reader=reader,
                path=f"/rates/cases?measure={measure}",
            )
