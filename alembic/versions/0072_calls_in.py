"""Calls of people to us, and how many cases they are of. The sums of the report are made anew, since they have a count
more.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_STATES = ("asking", "waiting", "ringing", "joined", "ended")
_RESULTS = ("joined", "call_back", "gave_up", "no_case")
_COUNTED = ("case_fact", "day_figure")


def _among(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "inbound_call",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.SmallInteger(), nullable=True),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("asked", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("extension", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("tried", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("arrived_at", moment, nullable=False),
        sa.Column("arrived_real_at", moment, nullable=False),
        sa.Column("joined_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("talk_seconds", sa.Integer(), nullable=True),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(f'"state" IN ({_among(_STATES)})', name=op.f("ck_inbound_call_state")),
        sa.CheckConstraint(f'"result" IN ({_among(_RESULTS)})', name=op.f("ck_inbound_call_result")),
        sa.CheckConstraint(
            "(state = 'ended') = (result IS NOT NULL)", name=op.f("ck_inbound_call_ended_has_a_result")
        ),
        sa.CheckConstraint(
            "state NOT IN ('ringing', 'joined') OR extension <> ''", name=op.f("ck_inbound_call_extension")
        ),
        sa.CheckConstraint(
            "(case_id IS NULL) = (assignment_id IS NULL)", name=op.f("ck_inbound_call_assignment")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_inbound_call_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_inbound_call_person_id")),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_inbound_call_assignment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_call")),
        sa.UniqueConstraint("sid", name=op.f("uq_inbound_call_sid")),
    )
    op.create_index(op.f("ix_inbound_call_case_id"), "inbound_call", ["case_id"])
    op.create_index(op.f("ix_inbound_call_assignment_id"), "inbound_call", ["assignment_id"])
    op.create_index(
        "ix_inbound_call_live",
        "inbound_call",
        ["arrived_real_at"],
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(
        "uq_inbound_call_extension",
        "inbound_call",
        ["extension"],
        unique=True,
        postgresql_where=sa.text("state IN ('ringing', 'joined')"),
    )
    op.execute(
        """
        CREATE FUNCTION tally_mark_inbound() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO tally_mark VALUES (NEW.case_id);
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER tally_changed AFTER INSERT OR UPDATE OF case_id, joined_at ON inbound_call FOR EACH ROW"
        " WHEN (NEW.case_id IS NOT NULL) EXECUTE FUNCTION tally_mark_inbound()"
    )
    for table in _COUNTED:
        op.execute(f"DELETE FROM {table}")
        op.add_column(table, sa.Column("cases_called_back", sa.Integer(), server_default="0", nullable=False))
    op.execute("DELETE FROM meta WHERE key = 'tally'")


def downgrade() -> None:
    for table in _COUNTED:
        op.drop_column(table, "cases_called_back")
    op.drop_table("inbound_call")
    op.execute("DROP FUNCTION tally_mark_inbound()")
