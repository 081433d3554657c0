"""Commands that back up, verify and restore."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dialer.backup.actions import (
    Backup,
    Installation,
    default_file,
    make_backup,
    restore_backup,
    verify_backup,
)
from dialer.bootstrap import key_source
from dialer.cli.common import signer
from dialer.cli.output import AsJson, print_json
from dialer.cli.terminal import terminal_name
from dialer.core.access import TERMINAL, TERMINAL_NAME
from dialer.core.text import Lang
from dialer.db.acts import OpenAct
from dialer.language.catalogue import say
from dialer.retention.retention import KIND_WORDS, RetentionKind, expire_restored
from dialer.runtime.embedded import ensure_servers
from dialer.runtime.local import database_url, owner_url
from dialer.runtime.settings import Settings, load_settings

backup = typer.Typer(help="Back up the data 备份: one encrypted file, verified.", invoke_without_command=True)
restore = typer.Typer()

_SCRATCH = "backups"


@contextmanager
def _installation(settings: Settings) -> Iterator[Installation]:
    """Where the data of these settings are: nothing is migrated, created or written. The embedded PostgreSQL is started
    or joined. Raises `KeysRefused` where there are no keys.
    """
    keys = key_source(settings).load()
    with ExitStack() as closing:
        servers = None
        if settings.database.url is None:
            servers = closing.enter_context(ensure_servers(settings.data_dir, valkey=False))
        yield Installation(
            database_url=database_url(settings, servers),
            owner_url=owner_url(settings, servers),
            keys=keys,
            data_dir=settings.data_dir,
        )


@backup.callback()
def backup_now(
    context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(help="the new file; default: one named by the time in backups/ of the data folder"),
    ] = None,
    *,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="do not restore it to compare")] = False,
    as_json: AsJson = False,
) -> None:
    """备份: all data as of now in one encrypted file, while calls run; then restored elsewhere and compared."""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    began = time.monotonic()
    with _installation(settings) as place:
        file = out
        if file is None:
            file = default_file(place.data_dir, real_now=datetime.now(UTC))
            file.parent.mkdir(mode=0o700, exist_ok=True)
        made = make_backup(place, file, real_now=datetime.now(UTC))
        seconds = {"backup_seconds": round(time.monotonic() - began, 1)}
        if not no_verify:
            began = time.monotonic()
            verify_backup(file, place.keys, scratch=place.data_dir / _SCRATCH)
            seconds["verify_seconds"] = round(time.monotonic() - began, 1)
    if as_json:
        print_json(made.plain() | seconds | {"verified": not no_verify})
        return
    _describe(made)
    if not no_verify:
        typer.echo("核验一致 verified: restored into a database of its own, counts and audit are the same")
    typer.echo(
        f"密钥不在备份中，请另行保管 the keys are not in it, keep them elsewhere: {key_source(settings).name}"
    )


@backup.command("verify")
def verify(file: Path, *, as_json: AsJson = False) -> None:
    """核验备份: restore a backup into a throw-away database and compare; needs its keys and no running service."""
    settings = load_settings()
    found = verify_backup(file, key_source(settings).load(), scratch=settings.data_dir / _SCRATCH)
    if as_json:
        print_json(found.plain() | {"verified": True})
        return
    _describe(found)
    typer.echo("核验一致 verified: counts and audit are those of the backup")


@restore.command("restore")
def restore_now(
    file: Path,
    by: Annotated[
        str,
        typer.Option(help="recorded beside the terminal: the accounts are in the backup", callback=signer),
    ] = "cli",
    *,
    no_erasures: Annotated[
        bool, typer.Option("--no-erasures", help="nobody was ever erased, or no whole register is left")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """恢复备份: into an empty database and data folder only; persons who were erased, and what is past its period, are
    erased again. Dialling stays paused until `dialer resume`.
    """
    began = time.monotonic()
    settings = load_settings()
    register = settings.register_of_erasures()
    real_now = datetime.now(UTC)

    def expire(act: OpenAct) -> dict[str, int]:
        gone = expire_restored(act, settings.retention, real_now=real_now)
        return {kind.value: count for kind, count in gone.items()}

    with _installation(settings) as place:
        restored = restore_backup(
            place,
            file,
            real_now=real_now,
            actor=replace(TERMINAL, named="" if by == TERMINAL_NAME else by, terminal=terminal_name()),
            register=register,
            no_erasures=no_erasures,
            expire=expire,
        )
    if as_json:
        print_json(restored.plain() | {"restore_seconds": round(time.monotonic() - began, 1)})
        return
    _describe(restored)
    if restored.last_erased_at is not None:
        typer.echo(
            f"删除登记 {restored.registered} 条 register of erasures: {restored.registered} lines, the last of"
            f" {restored.last_erased_at.astimezone().isoformat(timespec='seconds')}; persons erased later are back:"
            " compare it with the certificates"
        )
    if restored.erased:
        typer.echo(
            f"按登记再次删除 {restored.erased} 人 erased again by the register: {restored.erased} persons"
        )
    if restored.expired:
        gone = ", ".join(
            f"{say(Lang.EN, KIND_WORDS[RetentionKind(kind)])} {n}" for kind, n in restored.expired.items()
        )
        typer.echo(f"按保存期限再次清除 past its period, deleted or erased again: {gone}")
    typer.echo(
        "已恢复，外呼暂停中 restored; dialling is paused. Start the service, then run `dialer resume --by ...`:"
        " it asks the carrier for the calls since the backup first"
    )


def _describe(backup: Backup) -> None:
    contents = backup.contents
    typer.echo(
        f"{backup.file}: {backup.size_bytes / 1e6:,.1f} MB, {contents.rows:,} rows in {len(contents.tables)} tables,"
        f" {len(backup.files)} files, schema {backup.schema}, audit line {contents.audit_number},"
        f" as of {backup.made_at.astimezone().isoformat(timespec='seconds')}"
    )
