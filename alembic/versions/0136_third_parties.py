"""Third parties in calls from desks, and calls that are handed over to one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0136"
down_revision = "0135"
branch_labels = None
depends_on = None

_KINDS = "('officer', 'bank', 'interpreter')"
_STATES = "('moving', 'calling', 'connected', 'taking_over', 'has_call', 'leaving', 'ended')"
_STEPS = "('let_desk_go', 'take_back', 'hang_up_desk', 'bind')"
_LIVE = sa.text("state <> 'ended'")


def _states_of_calls(words: str) -> None:
    op.drop_constraint(op.f("ck_desk_call_state"), "desk_call")
    op.create_check_constraint(op.f("ck_desk_call_state"), "desk_call", f'"state" IN ({words})')


def upgrade() -> None:
    _states_of_calls("'asked', 'ringing', 'joined', 'handed_over', 'ended'")
    op.create_table(
        "third_party",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("call_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Text()),
        sa.Column("asked", sa.Text()),
        sa.Column("sid", sa.Text()),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alarm_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_third_party_kind")),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_third_party_state")),
        sa.CheckConstraint(f"done IN {_STEPS}", name=op.f("ck_third_party_done")),
        sa.CheckConstraint(f"asked IN {_STEPS}", name=op.f("ck_third_party_asked")),
        sa.ForeignKeyConstraint(["call_id"], ["desk_call.id"], name=op.f("fk_third_party_call_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_third_party_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_third_party")),
        sa.UniqueConstraint("sid", name=op.f("uq_third_party_sid")),
    )
    op.create_index("uq_third_party_live", "third_party", ["call_id"], unique=True, postgresql_where=_LIVE)
    op.create_index("ix_third_party_call_id", "third_party", ["call_id"])
    op.create_index("ix_third_party_case_id", "third_party", ["case_id"])


def downgrade() -> None:
    op.drop_table("third_party")
    op.execute("UPDATE desk_call SET state = 'joined' WHERE state = 'handed_over'")
    _states_of_calls("'asked', 'ringing', 'joined', 'ended'")
