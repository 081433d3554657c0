"""The settings table of docs/operations.md, made of the settings themselves and of the remarks in settings.toml.

python -m tests.docs.settings_table    # writes it anew into the page
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel, FilePath, SecretStr
from pydantic.fields import FieldInfo

from dialer.core.values import Grade
from dialer.runtime.settings import Settings, load_settings
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "operations.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"
_FILE = ROOT / "settings.toml"
_SECTION = re.compile(r"^\[+([a-z_.]+)\]+")
_REMARK = re.compile(r"^(?:#? ?)([a-z_0-9]+)(?: = [^#]*#|:) *(.+)$")
_GRADES = tuple(grade.value for grade in Grade)
_MEANT = {
    "data_dir": "the embedded servers, their keys, the files of rejected rows",
    "database.url": "your own PostgreSQL: `postgresql+psycopg://user:password@host/dialer`; unset: the embedded one",
    "database.owner_url": "the same for `dialer migrate`, as the role that owns the tables; unset: that of URL does",
    "broker.url": "your own Redis or Valkey: `redis://:password@host:6379/0`; several, separated by `;`: see"
    " [when something is lost](#when-something-is-lost); unset: the embedded one",
    "telephony.account_sid": "our account at the carrier",
    "telephony.auth_token": "signs the carrier's requests to us and ours to it",
    "telephony.auth_token_next": "accepted beside the other one while tokens change",
    "web.host": "where the web process listens",
    "web.port": "the port on which the web process listens",
    "identity.oidc_issuer": "the address of an OpenID Connect provider. Unset: off",
    "identity.oidc_client_id": "our client id at the provider",
    "identity.oidc_client_secret": "our client secret at the provider",
    "carrier.line": "simulated: reaches no phone; sip: the centre's own trunks; peer: SIP to simulated people on this"
    " machine, as in the demo",
    "carrier.people": "who is at the other end of the simulated line",
    "carrier.peer_port": "UDP port of the simulated people of the line `peer`, on the loopback address",
    "carrier.sip.trunks": "one table for each trunk; docs/trunk.md explains the fields",
    "scheduler.tick_seconds": "how often due work is looked for",
    "centre.timezone": "of windows, pages and reports",
    "centre.bureau_zh": "the name that the robot says, and pages show",
    "centre.bureau_en": "the name in English",
    "policy.window.opens": "when robots may begin to call",
    "policy.window.closes": "when they stop",
    "policy.urgency.extra_high_seconds": "what the grade is worth in waiting time",
    "policy.urgency.high_seconds": "what the grade is worth in waiting time",
    "policy.urgency.medium_seconds": "what the grade is worth in waiting time",
    "policy.urgency.low_seconds": "what the grade is worth in waiting time",
    "policy.urgency.amount_floor_fen": "an amount at risk up to this is worth nothing more",
    "policy.visit_retry_seconds": "before the next visit where nobody was found",
    "first_attempt_seconds": "within what time the first attempt is due, for the report",
    "robot_tries": "calls that end at the person's own phone or network before people take over",
    "robot_gap_seconds": "between two calls",
    "robot_patience_seconds": "a call that waits longer raises an alarm and goes to a person",
    "outside_window": "outside the dialling window no robot calls: the call waits, or a person calls instead",
    "human_after_seconds": "a caller is asked this long after the start, whatever the robot does; -: not by itself",
    "human_due_seconds": "by when the caller must have called; an assignment not reported by then raises"
    " the alarm human_overdue",
    "human_sample_percent": "of those the robot could not reach, how many a caller phones",
    "visit_after_seconds": "an officer goes this long after the start; -: not by itself",
    "visit_when_human_fails": "an officer goes when the caller did not succeed",
    "visit_due_seconds": "by when the officer must have arrived; a visit not reported by then raises"
    " the alarm visit_overdue",
    "sign_seconds": "by when somebody must have signed",
    "feedback_seconds": "by when the caller or officer must have reported",
    "message_when_unreachable": "a message goes where the voice did not get through",
    "message_channel": "what carries both messages",
    "flash_every_seconds": "from a call that did not get through a flash message (class 0) goes this often until the"
    " person is reached or the case is over; -: none",
    "flash_times": "so many flash messages at most",
    "family_after_seconds": "robot and caller have not reached the person: a caller calls the family contact; -: never",
    "record_calls": "calls are recorded, and the person is told so",
    "message_after_warning": "a message goes to a person who was warned and said who they are",
    "follow_up_by": "in the watch period the person is asked again: `robot`, `human`, `visit` or `none`",
    "follow_up_then": "and so, if that did not reach the person; it differs from the first way",
    "follow_up_after_seconds": "from the success to the follow-up",
    "follow_up_tries": "robot calls of a follow-up",
    "follow_up_gap_seconds": "from the end of one of them to the next",
}
"""Where settings.toml has no remark on the line itself."""


def leaves(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Each setting's path and its field."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, (*path, name))
        else:
            yield (*path, name), field


def remarks() -> dict[tuple[str, ...], str]:
    """What settings.toml says beside each key."""
    found: dict[tuple[str, ...], str] = {}
    section: tuple[str, ...] = ()
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if head := _SECTION.match(line):
            section = tuple(head.group(1).split("."))
        elif said := _REMARK.match(line):
            found.setdefault((*section, said.group(1)), said.group(2).strip())
    return found


def allowed(field: FieldInfo) -> str:
    """The kind of value, and between what it must lie."""
    kind = field.annotation
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    options = [Path if part == FilePath else part for part in get_args(kind) if part is not type(None)]
    if SecretStr in options or kind is SecretStr:
        return "secret"
    if get_origin(kind) is Literal:
        return ", ".join(str(option) for option in options)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(kind)
    if get_origin(kind) is not tuple and any(get_origin(option) is Annotated for option in options):
        return "address"
    base = options[0] if options and get_origin(kind) is not tuple else kind
    if isinstance(base, type) and issubclass(base, StrEnum):
        return ", ".join((*base, "none"))
    name = {int: "whole number", float: "number", bool: "true or false", str: "text"}.get(
        base, "list" if get_origin(kind) is tuple else getattr(base, "__name__", "text").lower()
    )
    bounds = [_bound(rule) for rule in field.metadata]
    return ", ".join([name, *(bound for bound in bounds if bound)])


def _bound(rule: object) -> str:
    match rule:
        case annotated_types.Ge(ge=least):
            return f"{least} or more"
        case annotated_types.Gt(gt=floor):
            return f"above {floor}"
        case annotated_types.Le(le=most):
            return f"{most} or less"
        case _:
            return ""


def shipped(settings: Settings, path: tuple[str, ...]) -> str:
    value: Any = settings
    for part in path:
        value = getattr(value, part)
    match value:
        case None | "" | ():
            return "-"
        case tuple():
            return f"{len(value)} of them"
        case bool():
            return str(value).lower()
        case _:
            return str(getattr(value, "value", value))


def _meaning(path: tuple[str, ...], said: dict[tuple[str, ...], str]) -> str:
    """Raises `KeyError` for a setting that nobody has described: its name alone says nothing."""
    return _MEANT.get(".".join(path)) or said[path]


def rows() -> Iterator[str]:
    settings = load_settings({}, _FILE)
    said = remarks()
    graded: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for path, field in leaves(Settings):
        # The file's folder is put before a path: what was written is what counts here.
        value = "var" if path == ("data_dir",) else shipped(settings, path)
        if path[0] == "policy" and path[1] in _GRADES:
            graded.setdefault(path[2], []).append(value)
            kinds[path[2]] = allowed(field)
            continue
        yield _row("__".join(path).upper(), value, allowed(field), _meaning(path, said))
    for name, values in graded.items():
        yield _row(f"POLICY__<GRADE>__{name.upper()}", " / ".join(values), kinds[name], _MEANT[name])


def _row(name: str, value: str, kind: str, what: str) -> str:
    return f"| `DIALER_{name}` | {value} | {kind} | {what.replace('|', '/')} |"


def table() -> str:
    head = ["| name | shipped | may be | what |", "|---|---|---|---|"]
    return "\n".join([*head, *rows()]) + "\n"


def main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
