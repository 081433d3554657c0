"""Attacks on what leaves the service: exports, recordings, backups, and what a page of another site can read."""

from __future__ import annotations

import asyncio
import csv
import html
import io
import re
import tempfile
import unicodedata
import zipfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.backup.actions import Installation, make_backup
from dialer.backup.archive import open_backup
from dialer.cards.openings.institutions import add_institution, add_outlet
from dialer.core.access import Role, unrestricted
from dialer.core.cards import InstitutionKind
from dialer.core.errors import DialerError
from dialer.db.keys import Keys
from dialer.db.units import add_unit
from dialer.staff.sign_in import add_token
from tests.cards.street import id_number
from tests.console.rows.case import put_recording
from tests.console.town import ConsoleScenario

if TYPE_CHECKING:
    import httpx

    from tests.attack.run import Attack, Target
    from tests.console.desk import Person

_FORMULA = '=HYPERLINK("http://evil.example";"x")'
_FORMULAS = (_FORMULA, "\uff1d1+1", "+1+1", "-1+1", "@SUM(1)", "\u200b=1+1", "\u22121+1")
_SIGNS = frozenset("=+-@\u2212")
_NUMBER = re.compile(r"[+-]?[0-9][0-9,.:]*%?")
_ELSEWHERE = ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "a.b")


async def formulas(target: Target, attack: Attack) -> None:
    """A source and a clerk write formulas wherever a text may stand; nothing that is exported calculates them."""
    desk, services = target.desk, target.made.app.services
    clerk = desk.signed_in(desk.account(Role.CLERK, login="formulas"))
    with services.store.begin() as tx:
        for number, formula in enumerate(_FORMULAS):
            add_unit(tx, name=f"{formula}{number}", parent_id=None)
    token = add_token(
        services, unrestricted("attack"), name="formulas", scopes=("warnings:write",), days=1, unit=""
    )
    client = desk.stranger()
    client.headers["Authorization"] = f"Bearer {token.secret}"
    for number, formula in enumerate(_FORMULAS):
        attack.tried += 1
        given = {"name": formula, "unit": formula, "address": formula, "amount": "100", "remarks": formula}
        warning = given | {
            "instruction_no": f"{formula}{number}",
            "grade": "高危",
            "phones": f"1381234000{number}",
        }
        answer = await client.post("/api/v1/warnings", json=warning)
        attack.must(answer.status_code < 500, f"a warning with {formula!r} got {answer.status_code}")
        page = await clerk.post("/cases/find", text=formula)
        attack.must(page.status_code < 500, f"a search for {formula!r} got {page.status_code}")
    await _look_at_exports(target, attack)
    await _rejected_rows(target, attack, clerk)


async def _look_at_exports(target: Target, attack: Attack) -> None:
    desk = target.desk
    chief = desk.signed_in(desk.account(Role.SUPERVISOR, login="formulas2"))
    auditor = desk.signed_in(desk.account(Role.AUDITOR, login="formulas3"))
    system = desk.signed_in(desk.account(Role.ADMINISTRATOR, login="formulas4"))
    found = [("/units/file", await system.get("/units/file"))]
    for kind in ("csv", "xlsx"):
        found.append((f"/rates/file/{kind}", await chief.get(f"/rates/file/{kind}")))
        found.append((f"/audit {kind}", await auditor.post("/audit/export", kind=kind, why=_FORMULA)))
        found.append((f"/audit {kind} again", await auditor.post("/audit/export", kind=kind, why="=1+1")))
    for what, answer in found:
        attack.tried += 1
        attack.must(answer.status_code == 200, f"{what} got {answer.status_code}")
        calculated = _calculated(answer)
        attack.must(not calculated, f"{what} has {calculated[:2]}")


async def _rejected_rows(target: Target, attack: Attack, clerk: Person) -> None:
    """Its cells are kept as they are, since the list is corrected in it: as text, which no program calculates there."""
    written = io.StringIO()
    sheet = csv.writer(written)
    sheet.writerow(["姓名", "电话", "等级", "诈骗类型", "处置单位"])
    sheet.writerows([formula, "not a number", formula, formula, formula] for formula in _FORMULAS)
    sheet.writerow(["王伟", "13812340099", "高危", "", ""])
    sent = await clerk.client.post(
        "/lists",
        files={"file": ("=1+1.csv", written.getvalue().encode())},
        data={"csrf": clerk.csrf},
        headers={"X-CSRF-Token": clerk.csrf},
    )
    place = sent.headers.get("location", "")
    attack.must(sent.status_code == 303 and "/lists/drafts/" in place, f"the list got {sent.status_code}")
    for _ in range(60):
        answer = await clerk.get(f"{place}/rejects")
        if answer.status_code == 200:
            break
        await asyncio.sleep(1)
    attack.tried += 1
    body = answer.content
    if body[:2] == b"PK":
        attack.must(b"<f>" not in _sheets(body), "the rejected rows have a formula")


def _sheets(body: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        return b"".join(book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/"))


def _calculated(answer: httpx.Response) -> list[str]:
    """Cells that a spreadsheet would take for a formula."""
    if answer.content[:2] != b"PK":
        rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        cells = [cell for row in rows for cell in row]
    else:
        if b"<f>" in _sheets(answer.content):
            return ["<f>"]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            shared = book.read("xl/sharedStrings.xml").decode()
        cells = [html.unescape(cell) for cell in re.findall(r"<t[^>]*>([^<]*)</t>", shared)]
    return [cell for cell in cells if _is_formula(cell)]


def _is_formula(cell: str) -> bool:
    shown = "".join(sign for sign in cell if unicodedata.category(sign) not in {"Cc", "Cf", "Zs"})
    first = unicodedata.normalize("NFKC", shown)[:1]
    return first in _SIGNS and not _NUMBER.fullmatch(shown) and shown != first


async def recordings(target: Target, attack: Attack) -> None:
    """Somebody who may listen to the calls of one unit, and those who may not, ask for the sound of others."""
    desk, services = target.desk, target.made.app.services
    with services.store.begin() as tx:
        own, other = (add_unit(tx, name=name, parent_id=None) for name in ("录音甲", "录音乙"))
    scenario = ConsoleScenario(desk)
    scenario._numbers = count(7_000)  # other attacks have people of their own
    case_id = scenario.case(unit_id=other, warning=False)
    sound = b"RIFF....WAVE" + b"secret" * 20
    path = f"/cases/{case_id}/recordings/{put_recording(scenario, case_id, sound=sound)}"
    reason = {"reason": "review", "why": "a complaint"}
    people = {
        "a stranger": None,
        "an officer of another unit": desk.account(Role.OFFICER, login="recordings1", unit_id=own),
        "a supervisor of another unit": desk.account(Role.SUPERVISOR, login="recordings2", unit_id=own),
        "an auditor": desk.account(Role.AUDITOR, login="recordings3"),
        "an administrator": desk.account(Role.ADMINISTRATOR, login="recordings4"),
    }
    chief = desk.signed_in(desk.account(Role.SUPERVISOR, login="recordings5", unit_id=other))
    opened = await chief.post(path, **reason)
    ticket = re.search(r'<audio[^>]* src="([^"]+)"', opened.text)
    attack.must(ticket is not None, "who may listen got no sound")
    address = html.unescape(ticket[1]) if ticket else path
    files = [
        f"/audio/{name}" for name in (f"{case_id}.wav", "../keys.json", "..%2fkeys.json", "%2e%2e/keys.json")
    ]
    for who, member in people.items():
        client = desk.stranger() if member is None else desk.signed_in(member).client
        for one in (address, f"{path}/sound", f"{path}/sound?ticket=x", *files):
            attack.tried += 1
            answer = await client.get(one)
            attack.must(sound not in answer.content and answer.status_code != 200, f"{who} heard {one[:60]}")
        if member is not None:
            person = desk.signed_in(member)
            answer = await person.post(path, **reason)
            attack.tried += 1
            attack.must(answer.status_code in {403, 404}, f"{who} got {answer.status_code} for a recording")
    heard = await chief.client.get(address)
    attack.must(heard.content == sound, "who may listen did not hear the call")


async def backups(target: Target, attack: Attack) -> None:
    """Somebody who finds a backup reads nothing in it, and one that they have changed is refused."""
    desk, made = target.desk, target.made
    client = desk.stranger()
    token = add_token(
        made.app.services, unrestricted("attack"), name="backups", scopes=("warnings:write",), days=1, unit=""
    )
    person = {"name": "欧阳备份", "phones": "13812345670", "instruction_no": "BACKUP-1", "grade": "高危"}
    headers = {"Authorization": f"Bearer {token.secret}"}
    attack.must(
        (await client.post("/api/v1/warnings", json=person, headers=headers)).status_code == 200, "none"
    )
    await asyncio.to_thread(_found_backup, target, attack)


def _found_backup(target: Target, attack: Attack) -> None:
    made = target.made
    keys = made.app.services.store.vault.keys
    assert made.app.servers is not None
    place = Installation(
        database_url=made.app.servers.database_url,
        owner_url=made.app.servers.owner_url,
        keys=keys,
        data_dir=made.settings.data_dir,
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found.backup"
        make_backup(place, file, real_now=made.app.services.real.now())
        whole = file.read_bytes()
        mode = file.stat().st_mode & 0o077
        attack.must(mode == 0, f"others may read the backup: {mode:o}")
        for secret in ("欧阳备份", "13812345670", "+8613812345670", "BACKUP-1"):
            attack.tried += 1
            attack.must(secret.encode() not in whole, f"the backup shows {secret}")
        others = Keys.of(encryption={1: bytes([7]) * 32}, index=bytes([9]) * 32, current=1)
        attack.must(not _opens(file, others), "other keys open the backup")
        for _ in range(target.times(60)):
            attack.tried += 1
            at = target.chance.randrange(len(whole))
            cut = target.chance.choice((whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]))
            file.write_bytes(cut)
            attack.must(not _opens(file, keys), f"a backup changed at byte {at} of {len(whole)} was read")


def _opens(file: Path, keys: Keys) -> bool:
    try:
        with open_backup(file, keys) as reader:
            for _, pieces in reader.entries():
                for _ in pieces:
                    pass
    except DialerError:
        return False
    return True


async def hosts(target: Target, attack: Attack) -> None:
    """A page of another site whose name is made to lead here (DNS rebinding): its scripts read nothing of ours."""
    client = target.desk.stranger()
    for host in _ELSEWHERE:
        for path in ("/", "/sign-in", "/status", "/metrics", "/board", "/phone", "/static/console/mark.svg"):
            attack.tried += 1
            answer = await client.get(path, headers={"Host": host})
            attack.must(answer.status_code == 421, f"{path} under the name {host} got {answer.status_code}")
    for host in ("127.0.0.1", "localhost:80", "[::1]:8000", "dialer-1", "10.1.2.3:8000"):
        answer = await client.get("/sign-in", headers={"Host": host})
        attack.must(answer.status_code == 200, f"/sign-in under our own name {host} got {answer.status_code}")


async def openings(target: Target, attack: Attack) -> None:
    """A bank's token checks person after person who wants no card, also at outlets of others."""
    desk, services = target.desk, target.made.app.services
    by = unrestricted("attack")
    token = add_token(services, by, name="openings", scopes=("openings:write",), days=1, unit="")
    add_institution(services, by, name="阴山银行", kind=InstitutionKind.BANK, token="openings")
    add_outlet(services, by, institution="阴山银行", code="Y1", name="一部")
    add_institution(services, by, name="别的银行", kind=InstitutionKind.BANK)
    add_outlet(services, by, institution="别的银行", code="Z1", name="一部")
    client, answered = desk.stranger(), 0
    client.headers["Authorization"] = f"Bearer {token.secret}"
    most = services.cards.unfinished_a_day_by_token
    for number in range(most + 20):
        given = {
            "opening_no": f"A{number}", "outlet": "Y1", "name": "王伟", "id_number": id_number(number),
            "teller": f"t{number}",
        }  # fmt: skip
        answer = await client.post("/api/v1/openings/check", json=given)
        attack.tried += 1
        attack.must(answer.status_code in {200, 429}, f"opening {number} got {answer.status_code}")
        if answer.status_code == 429 and "Retry-After" in answer.headers:
            await asyncio.sleep(1)  # the pace of the token
        answered += answer.status_code == 200
        if answer.status_code == 200 and number % 3 == 0:
            result = given | {"result": "abandoned"}
            await client.post("/api/v1/openings", json=result)
    attack.must(answered <= most, f"{answered} people were checked without a card, {most} may be")
    for path in ("/api/v1/openings/check", "/api/v1/openings"):
        for outlet in ("Z1", "' OR 1=1 --", ""):
            attack.tried += 1
            other = {"opening_no": f"Z{outlet}", "outlet": outlet, "name": "王伟", "id_number": id_number(1)}
            answer = await client.post(path, json=other)
            attack.must(
                answer.status_code == 422, f"{path} at {outlet!r} of another bank: {answer.status_code}"
            )
    stranger = add_token(services, by, name="openings2", scopes=("openings:write",), days=1, unit="")
    other = {"opening_no": "A0", "outlet": "Y1", "name": "王伟", "id_number": id_number(0)}
    answer = await client.post(
        "/api/v1/openings/check", json=other, headers={"Authorization": f"Bearer {stranger.secret}"}
    )
    attack.must(answer.status_code >= 400, f"a token of no bank checked somebody: {answer.status_code}")
    attack.said = f"{answered} answered"
