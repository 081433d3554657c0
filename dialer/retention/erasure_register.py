"""The register of erasures: a file outside the database, with which a restore erases persons again.

It contains nothing personal: a person is identified by the id of their row and the moment at which the row was created.
Each line has a seal that is made with the fixed secret of the keys.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from dialer.core.access import ErasureState
from dialer.core.errors import Refusal
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.db.vault import BlindKind, Vault
from dialer.retention.erasing import PersonRow, end_person_work, erase_person, lock_person
from dialer.runtime.appending import append_whole, open_locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """A line of the register: an erased person."""

    person: PersonRow
    erased_at: datetime
    asked_by: str
    confirmed_by: str


class UnreadableRegister(Refusal):
    """The register of erasures is not as it was written; `line` is the first wrong line. `is_torn`: it is the last one,
    and was not written completely.
    """

    def __init__(self, *, file: Path, line: int, is_torn: bool = False) -> None:
        self.file, self.line, self.is_torn = file, line, is_torn
        if is_torn:
            text = Text(
                "the last line of the register of erasures %(file)s is not whole: take another copy of it, or run"
                " `dialer person register` where the database is, which repairs it",
                file=file,
            )
        else:
            text = Text(
                "line %(line)s of the register of erasures %(file)s was changed or is of another installation:"
                " take another copy of it",
                line=line,
                file=file,
            )
        super().__init__(text)


class NoRegister(Refusal):
    """There is no register: a restore would bring back persons who were erased."""

    def __init__(self, file: Path) -> None:
        self.file = file
        super().__init__(
            Text(
                "there is no register of erasures at %(file)s, or an empty one: copy it there, or say --no-erasures if"
                " nobody was ever erased",
                file=file,
            )
        )


class OldRegister(Refusal):
    """The register lacks persons who were erased according to the backup: it is not the newest copy, and other persons
    whom it lacks would come back.
    """

    def __init__(self, *, file: Path, count: int) -> None:
        self.file, self.count = file, count
        super().__init__(
            Text(
                "%(file)s lacks %(count)s persons who were erased before the backup was made: it is not a whole copy."
                " Put the newest one there; where none is left, say --no-erasures, and persons erased after the"
                " backup come back",
                file=file,
                count=count,
            )
        )


class ErasedAreBack(Refusal):
    """The database contains persons who were erased: it was restored by something other than `dialer restore`."""

    fix = "dialer person erase-again"

    def __init__(self, *, file: Path, count: int) -> None:
        self.file, self.count = file, count
        super().__init__(
            Text(
                "the database holds %(count)s persons whom %(file)s says were erased: it was put back without `dialer"
                " restore`. With all processes stopped, run `dialer person erase-again --by NAME`",
                file=file,
                count=count,
            )
        )


class CannotRegister(Refusal):
    """The register cannot be written, so nobody was erased."""

    def __init__(self, *, file: Path, why: str) -> None:
        self.file, self.why = file, why
        super().__init__(Text("%(file)s cannot be written (%(why)s): nobody was erased", file=file, why=why))


class NotRegistered(Refusal):
    """A person was erased but could not be added to the register: a restore would bring them back."""

    def __init__(self, *, file: Path, why: str) -> None:
        self.file, self.why = file, why
        super().__init__(
            Text(
                "the person is erased, but %(file)s cannot be written (%(why)s): fix that, then run"
                " `dialer person register`, which adds what the register lacks",
                file=file,
                why=why,
            )
        )


class RegisterLacks(Refusal):
    """The register lacks `count` persons who were erased."""

    def __init__(self, *, file: Path, count: int) -> None:
        self.file, self.count = file, count
        super().__init__(
            Text("the register of erasures %(file)s lacks %(count)s erased persons", file=file, count=count)
        )
        self.fix = gettext_noop("dialer person register, which adds them")


def seal_of(vault: Vault, plain: Mapping[str, object]) -> str:
    """The seal of these values, in hexadecimal digits; made with the fixed secret of the keys, which is never
    rotated.
    """
    content = json.dumps(dict(plain), sort_keys=True, ensure_ascii=False)
    return vault.blind(content, kind=BlindKind.ERASURE).hex()


def register_line(vault: Vault, erased: Erased) -> str:
    """The line with its seal, as it is written to the file."""
    plain: dict[str, object] = {
        "person": erased.person.id,
        "created_at": erased.person.created_at.astimezone(UTC).isoformat(),
        "erased_at": erased.erased_at.astimezone(UTC).isoformat(),
        "asked_by": erased.asked_by,
        "confirmed_by": erased.confirmed_by,
    }
    return json.dumps(plain | {"seal": seal_of(vault, plain)}, ensure_ascii=False) + "\n"


def check_register(vault: Vault, file: Path) -> None:
    """Checks that lines can be added to the register. Raises `CannotRegister`, and `UnreadableRegister` for a register
    that a restore could not read.
    """
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError as fault:
        raise CannotRegister(file=file, why=_why(fault)) from fault
    read_register(vault, file)


def complete_register(vault: Vault, file: Path, erased: Sequence[Erased]) -> int:
    """Adds the missing lines of these erasures, which are committed, and makes sure that they are on the disk. Returns
    how many lines were missing. A last line that was not written completely is dropped, since it belongs to one of
    these erasures. Raises `NotRegistered`, which leaves the file as it was, and `UnreadableRegister`.
    """
    try:
        with open_locked(file) as register:
            content = file.read_bytes()
            lines, torn = _lines_of(vault, file, content)
            content = content.removesuffix(torn)
            if torn:
                os.ftruncate(register, len(content))
            known = {line.person for line in lines}
            missing = [register_line(vault, person) for person in erased if person.person not in known]
            if missing:
                ends_a_line = not content or content.endswith(b"\n")
                append_whole(register, ("" if ends_a_line else "\n").encode() + "".join(missing).encode())
    except OSError as fault:
        raise NotRegistered(file=file, why=_why(fault)) from fault
    return len(missing)


def _why(fault: OSError) -> str:
    return fault.strerror or type(fault).__name__


def read_register(vault: Vault, file: Path) -> list[Erased]:
    """All lines. Raises `NoRegister` and `UnreadableRegister`."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise NoRegister(file) from None
    except OSError:
        raise UnreadableRegister(file=file, line=1) from None
    lines, torn = _lines_of(vault, file, content)
    if torn:
        raise UnreadableRegister(file=file, line=len(lines) + 1, is_torn=True)
    return lines


def _lines_of(vault: Vault, file: Path, content: bytes) -> tuple[list[Erased], bytes]:
    """The complete lines, and the written part of an incomplete last line. Raises `UnreadableRegister`."""
    *whole, last = content.split(b"\n")
    found = []
    for number, line in enumerate(whole, start=1):
        erased = _line_of(vault, line)
        if erased is None:
            raise UnreadableRegister(file=file, line=number)
        found.append(erased)
    if last and (erased := _line_of(vault, last)) is not None:
        return [*found, erased], b""
    return found, last


def _line_of(vault: Vault, line: bytes) -> Erased | None:
    try:
        plain = json.loads(line)
        seal = plain.pop("seal")
        erased = Erased(
            person=PersonRow(id=plain["person"], created_at=datetime.fromisoformat(plain["created_at"])),
            erased_at=datetime.fromisoformat(plain["erased_at"]),
            asked_by=plain["asked_by"],
            confirmed_by=plain["confirmed_by"],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return erased if seal_of(vault, plain) == seal else None


def not_in_register(tx: Tx, register: Sequence[Erased]) -> set[PersonRow]:
    """Persons who are marked as erased in the database, and whom the register lacks."""
    e = t.erasure.c
    rows = tx.rows(
        sa.select(e.person_id.label("id"), e.person_created_at.label("created_at")).where(
            e.state == ErasureState.ERASED.value
        )
    )
    return {PersonRow(**row) for row in rows} - {erased.person for erased in register}


def back_again(tx: Tx, register: Sequence[Erased]) -> list[Erased]:
    """The persons of the register who exist in the database as if they had not been erased."""
    p, e = t.person.c, t.erasure.c
    erased = sa.exists().where(
        e.person_id == p.id, e.person_created_at == p.created_at, e.state == ErasureState.ERASED.value
    )
    rows = tx.rows(
        sa.select(p.id, p.created_at).where(p.id.in_([line.person.id for line in register]), ~erased)
    )
    held = {PersonRow(**row) for row in rows}
    return [erased for erased in register if erased.person in held]


def erase_again(act: OpenAct, register: Sequence[Erased]) -> int:
    """Erases the persons of the register in this restored database. Returns how many were not erased yet."""
    tx, e, count = act.tx, t.erasure.c, 0
    for erased in register:
        same = (e.person_id == erased.person.id, e.person_created_at == erased.person.created_at)
        if tx.one(sa.select(e.id).where(*same, e.state == ErasureState.ERASED.value)) is not None:
            continue
        if lock_person(tx, erased.person.id) != erased.person:
            continue
        end_person_work(tx, erased.person.id, now=act.now)
        counts = erase_person(act, erased.person.id)
        tx.execute(sa.delete(t.erasure).where(*same, e.state == ErasureState.WAITING.value))
        tx.execute(
            sa.insert(t.erasure).values(
                person_id=erased.person.id,
                person_created_at=erased.person.created_at,
                state=ErasureState.ERASED.value,
                asked_by=erased.asked_by,
                asked_at=erased.erased_at,
                decided_by=erased.confirmed_by,
                decided_at=erased.erased_at,
                counts=counts,
            )
        )
        act.audit("erase_again", f"person/{erased.person.id}", facts={"counts": counts})
        count += 1
    return count
