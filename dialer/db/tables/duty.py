"""Tables of rosters: which account has which shift on which day, and what was changed afterwards."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.core.rota import DutyKind
from dialer.db.columns import identity, metadata, when, word_column

duty_roster = sa.Table(
    "duty_roster",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True, info={"words": [kind.value for kind in DutyKind]}),
    sa.Column("last_day", sa.Date, nullable=False),  # the last one for which a month was loaded
)

duty_entry = sa.Table(
    "duty_entry",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True, info={"words": [kind.value for kind in DutyKind]}),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("place", sa.SmallInteger, nullable=False),  # the person's row in the roster
    sa.Index("ix_duty_entry_day", "day"),
)

duty_change = sa.Table(
    "duty_change",
    metadata,
    identity(),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    word_column("kind", DutyKind),
    when("starts_at", required=True),
    when("ends_at", required=True),
    sa.Column("off_id", sa.ForeignKey("staff.id")),
    sa.Column("on_id", sa.ForeignKey("staff.id")),
    sa.Column("made_by", sa.Text, nullable=False),
    when("made_at", required=True),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint("starts_at < ends_at", name="lasts"),
    sa.CheckConstraint("off_id IS NOT NULL OR on_id IS NOT NULL", name="somebody"),
    sa.Index("ix_duty_change_ends_at", "ends_at"),
)
