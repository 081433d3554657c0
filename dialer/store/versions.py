"""Which schema this version brings, and which one a database has, told without the migrations' own machinery: every
process asks when it starts, and hardly one has anything to migrate.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import sqlalchemy as sa

import dialer
from dialer.store.schema import revision
from dialer.store.unit_of_work import Store

_NUMBERED: Final = re.compile(r"([0-9]{4})_[a-z0-9_]+\.py")


def script_location() -> Path:
    """The migrations' folder, in a clone or in the installed wheel."""
    package = Path(dialer.__file__).resolve().parent
    shipped = package / "_shipped" / "alembic"
    return shipped if shipped.is_dir() else package.parent / "alembic"


def newest() -> str:
    """The revision that the migrations end at: they are one chain, and each file's number is its revision."""
    found = (_NUMBERED.fullmatch(path.name) for path in (script_location() / "versions").iterdir())
    return max((number[1] for number in found if number), default="")


def current(store: Store) -> str:
    """The revision that the database has; '' when it has none."""
    with store.begin() as tx:
        if tx.scalar(sa.text("SELECT to_regclass('alembic_version')")) is None:
            return ""
        return revision(tx)
