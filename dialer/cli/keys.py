"""Commands of the key ring: created, rotated, its values sealed again, old keys retired."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress as Bar

from dialer.bootstrap import token_of
from dialer.cli.common import By
from dialer.cli.output import AsJson, command_application, print_found, print_json, signed_application
from dialer.core.access import Permission
from dialer.core.errors import SettingsError
from dialer.db.keys import Keys, KeyUse, create
from dialer.db.system_state import worker_runs
from dialer.keys.actions import (
    HeldKey,
    KeysStatus,
    read_keys_status,
    reseal,
    restart_reseal,
    retire_key,
    rotate_keys,
    share_done,
)
from dialer.keys.reseal import ResealBatch, ResealProgress
from dialer.keys.reseal import read_progress as _progress
from dialer.runtime.broker import BULK_QUEUE
from dialer.runtime.settings import load_settings

keys = typer.Typer(help="The key ring 密钥: created, rotated, retired.", no_args_is_help=True)

_WAIT_SECONDS = 20.0
_CALLS_SECONDS = 2.0


def _marks(ring: Keys) -> str:
    return " ".join(f"{key_id}={mark}" for key_id, mark in ring.marks().items())


@keys.command("create")
def create_keys(path: Path) -> None:
    """Make a new key ring in a file, mode 600; an existing one is never changed. Keep its backup away from the
    database.
    """
    settings = load_settings().keys
    typer.echo(_marks(create(path, suite=settings.suite, token=token_of(settings))))


@keys.command("create-token-key")
def create_token_key() -> None:
    """Make the AES key in the PKCS#11 token of the settings that wraps the secrets of the ring; it cannot be taken out
    of it.
    """
    token = token_of(load_settings().keys)
    if token is None:
        raise SettingsError(key="keys.pkcs11_library", problem="is not set")
    token.create_key()
    typer.echo(f"{token.token}: {token.key}")


@keys.command("rotate")
def rotate(
    by: By,
    why: Annotated[str, typer.Option(help="for the record")],
    out: Annotated[
        Path | None,
        typer.Option(help="where the ring comes from a command: the file to put the new ring into"),
    ] = None,
    wait: Annotated[
        float, typer.Option(help="seconds until every process holds the new keys")
    ] = _WAIT_SECONDS,
    *,
    encryption: Annotated[bool, typer.Option("--encryption", help="a new encryption key")] = False,
    index: Annotated[bool, typer.Option("--index", help="a new index key")] = False,
    audit: Annotated[bool, typer.Option("--audit", help="a new key of the audit")] = False,
    as_json: AsJson = False,
) -> None:
    """轮换密钥: new keys are used from now on, by default for encryption and index; values are sealed again in the
    background. Old keys stay in the ring until `retire`.
    """
    asked = ((encryption, KeyUse.ENCRYPTION), (index, KeyUse.INDEX), (audit, KeyUse.AUDIT))
    uses = [use for is_asked, use in asked if is_asked] or [KeyUse.ENCRYPTION, KeyUse.INDEX]
    with signed_application("keys", by, Permission.CONTROL, must_be_known=True) as (app, actor):
        rotated = rotate_keys(
            app.services,
            actor,
            app.key_source,
            uses=uses,
            suite=app.settings.keys.suite,
            why=why,
            wait_seconds=wait,
            out=out,
        )
        with app.services.store.begin() as tx:
            has_worker = worker_runs(tx, BULK_QUEUE, real_now=app.services.real.now())
    made = {use.value: key_id for use, key_id in rotated.made.items()}
    if as_json:
        print_json(
            {"made": made, "stored_in": rotated.stored_in and str(rotated.stored_in), "worker": has_worker}
        )
        return
    typer.echo(", ".join(f"{use}: key {key_id}" for use, key_id in made.items()))
    if rotated.stored_in is not None:
        typer.echo(
            f"new ring: {rotated.stored_in}; store it where the command reads it, delete it, rotate again"
        )
        return
    typer.echo(f"请立即备份密钥 back up the new key ring now, apart from the database: {app.key_source.name}")
    if not has_worker:
        typer.echo("no worker runs: `dialer keys reseal` seals the values again")


@keys.command("status")
def status(
    *,
    counts: Annotated[
        bool, typer.Option("--counts", help="count the values of each key: reads every row")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """密钥状态: the keys of the ring, what each is used for, and how far re-sealing is."""
    with command_application("keys") as app:
        found = read_keys_status(app.services, counts=counts)
    if as_json:
        print_json(_plain(found))
        return
    print_found(
        found.keys,
        as_json=False,
        plain=_plain_key,
        columns={
            "编号 key": lambda key: key.id,
            "用途 use": lambda key: key.use or "-",
            "算法 suite": lambda key: key.suite or "-",
            "状态 state": lambda key: key.state,
            "标识 mark": lambda key: key.mark,
            **({"数据 values": lambda key: sum((key.values or {}).values())} if counts else {}),
        },
    )
    if found.waiting:
        typer.echo(f"new keys wait for: {', '.join(found.waiting)}")
    for name, broken in (found.progress.unreadable if found.progress is not None else {}).items():
        typer.echo(f"{name}: {len(broken)} values cannot be read with any key, and stay as they are")
    if found.progress is not None and not found.is_resealed:
        typer.echo(f"re-sealing: {share_done(found.progress):.0%}")
    elif found.is_resealed:
        typer.echo("every value uses the current keys")
    else:
        typer.echo("re-sealing has not begun")


def _plain(found: KeysStatus) -> dict[str, object]:
    progress = found.progress
    return {
        "keys": [_plain_key(key) for key in found.keys],
        "resealed": found.is_resealed,
        "waiting": list(found.waiting),
        "progress": None if progress is None else _plain_progress(progress),
    }


def _plain_key(key: HeldKey) -> dict[str, object]:
    return {
        "id": key.id,
        "use": key.use or None,
        "suite": key.suite or None,
        "mark": key.mark,
        "state": key.state,
        "values": None if key.values is None else dict(key.values),
    }


def _plain_progress(progress: ResealProgress) -> dict[str, object]:
    return {
        "share": round(share_done(progress), 4),
        "rows": dict(progress.done),
        "rows_total": dict(progress.total),
        "rounds": progress.rounds,
        "unreadable": {name: len(keys) for name, keys in progress.unreadable.items()},
        "began_at": progress.began_at or None,
        "ended_at": progress.ended_at or None,
    }


@keys.command("reseal")
def reseal_values(
    by: By = "cli",
    *,
    again: Annotated[
        bool, typer.Option("--again", help="look through all values although nothing was rotated")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """重新加密: seal values again in this process, beside a running service, until no value uses an old key."""
    with signed_application("keys", by, Permission.CONTROL, must_be_known=True) as (app, actor):
        if again:
            restart_reseal(app.services, actor)
        rows = 0
        with Bar(transient=True, disable=as_json) as bar:
            task = bar.add_task("re-sealing 重新加密", total=1.0)

            def heard(batch: ResealBatch) -> None:
                nonlocal rows
                rows += batch.rows
                with app.services.store.begin() as tx:
                    progress = None if batch.is_over else _progress(tx)
                bar.update(task, completed=1.0 if progress is None else share_done(progress))

            while not reseal(app.services, pause=_pause, heard=heard).is_over:
                time.sleep(_CALLS_SECONDS)  # calls hold numbers, or another process works
    if as_json:
        print_json({"rows": rows})
    else:
        typer.echo(f"{rows} rows")


def _pause(seconds: float) -> bool:
    time.sleep(seconds)
    return False


@keys.command("retire")
def retire(
    key: int, by: By, why: Annotated[str, typer.Option(help="for the record")], *, as_json: AsJson = False
) -> None:
    """停用旧密钥: take a key out of the ring; refused while a value uses it. Every value is checked first."""
    with signed_application("keys", by, Permission.CONTROL, must_be_known=True) as (app, actor):
        retired = retire_key(app.services, actor, app.key_source, key, why=why)
    if as_json:
        print_json({"key": retired.key_id, "audit_lines": retired.audit_lines, "in_ring": retired.in_ring})
    elif retired.in_ring:
        typer.echo(f"key {key}: no value uses it; take it out of the ring where the command reads it")
    elif retired.audit_lines:
        typer.echo(f"key {key}: kept for {retired.audit_lines} lines of the audit, and for nothing else")
    else:
        typer.echo(f"key {key}: gone")
