"""Commands for the person who wires a trunk: the trunks now, one test call, and the SIP messages of calls."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated

import typer

from audio.clips import PROMPTS
from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    command_application,
    fields_of,
    print_found,
    print_json,
    signed_application,
)
from dialer.control.trunks import has_trunks, note_test_call, read_trunks, request_test_call, trace_calls
from dialer.core.access import Permission
from dialer.core.errors import Invalid, SettingsError
from dialer.core.text import Lang
from dialer.core.values import TrunkProblem
from dialer.intake.phones import normalise_phone
from dialer.language.words import word_of
from dialer.runtime.local import CarrierAccess
from dialer.runtime.services import Application
from dialer.scripts.inbound import InboundPrompt, inbound_sound

trunk = typer.Typer(help="Trunks of the centre's own line 中继.", no_args_is_help=True)


def _require_carrier(app: Application) -> CarrierAccess:
    if not has_trunks(app) or app.carrier is None:
        raise SettingsError(key="carrier.line", problem="is not sip, so there are no trunks to run")
    return app.carrier


def _problem_words(problem: TrunkProblem | None) -> str:
    return " ".join(word_of(problem, lang) for lang in Lang) if problem is not None else "ok"


@trunk.command("list")
def list_trunks(*, as_json: AsJson = False) -> None:
    """Every trunk with its channels in use, its problem and its failures by cause."""
    with command_application("trunk") as app:
        found = read_trunks(_require_carrier(app))
    print_found(
        found.trunks,
        as_json=as_json,
        plain=lambda trunk: (
            fields_of(trunk, "name", "order", "channels", "in_use", "placed", "received", "registers", "ends")
            | {"problem": trunk.problem.value if trunk.problem else ""}
        ),
        columns={
            "中继 trunk": lambda trunk: trunk.name,
            "通道 channels": lambda trunk: f"{trunk.in_use} / {trunk.channels}",
            "呼出 placed": lambda trunk: str(trunk.placed),
            "呼入 received": lambda trunk: str(trunk.received),
            "状态 problem": lambda trunk: _problem_words(trunk.problem),
            "失败 failures": lambda trunk: " ".join(
                f"{cause}:{count}" for cause, count in trunk.ends.items()
            ),
        },
    )


@trunk.command("call")
def call(
    number: Annotated[str, typer.Argument(help="your own telephone, as in a list")],
    by: By = "cli",
    *,
    listen: Annotated[float, typer.Option(help="seconds to listen to keys after the sentence")] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Place one test call: it speaks a sentence, listens for keys, and reports them and the quality; exit 1 unless it
    was answered. It belongs to no case.
    """
    with signed_application("trunk", by, Permission.CONTROL) as (app, actor):
        carrier = _require_carrier(app)
        to = normalise_phone(number, app.settings.centre.area_code)
        if to is None:
            raise Invalid(field="number", problem="is not a telephone number")
        if (why := app.services.numbers.refusal(to)) is not None:
            raise Invalid(field="number", problem=why)
        note_test_call(app.services, actor, number=to)
        sound = (PROMPTS / inbound_sound(InboundPrompt.TEST_CALL, "zh")).read_bytes()
        found = request_test_call(carrier, number=to, wav=b64encode(sound).decode(), listen_seconds=listen)
    if as_json:
        print_json(found)
    else:
        quality = found["quality"] or {}
        for line in (
            f"中继 trunk: {found['trunk'] or '-'}",
            f"接听 answered: {'是 yes' if found['answered'] else '否 no'}  {found['cause']}",
            f"按键 keys: {found['keys'] or '-'}",
            f"时长 seconds: {found['seconds']}",
            *(f"{name}: {value}" for name, value in quality.items() if name not in {"trunk", "seconds"}),
        ):
            typer.echo(line)
    raise typer.Exit(0 if found["answered"] else 1)


@trunk.command("trace")
def trace(
    calls: Annotated[int, typer.Option(min=1, max=50, help="how many of the newest calls")] = 1,
) -> None:
    """Write the SIP messages of the newest calls to standard output, with numbers and credentials masked."""
    with command_application("trunk") as app:
        found = trace_calls(_require_carrier(app), calls)
    for messages in found:
        for message in messages:
            typer.echo(message)
            typer.echo("")
