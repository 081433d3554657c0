"""Sound files in the database, where every machine and every backup has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


def body(tx: Tx, file: str) -> bytes | None:
    found = tx.scalar(sa.select(t.sound_file.c.body).where(t.sound_file.c.file == file))
    return None if found is None else bytes(found)


def known(tx: Tx, files: Iterable[str]) -> set[str]:
    """Which of these are kept."""
    statement = sa.select(t.sound_file.c.file).where(t.sound_file.c.file.in_(list(files)))
    return {row["file"] for row in tx.rows(statement)}


def keep(tx: Tx, files: Mapping[str, tuple[str, bytes]]) -> None:
    """By name: SHA-256 and content. One that is there already stays as it is."""
    rows = [
        {"file": file, "sha256": sha256, "body": content} for file, (sha256, content) in sorted(files.items())
    ]
    if rows:
        tx.execute(insert(t.sound_file).on_conflict_do_nothing(), rows)
