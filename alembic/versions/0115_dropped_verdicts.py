"""A held verdict that a person drops has a state of its own."""

from __future__ import annotations

from alembic import op

revision = "0115"
down_revision = "0114"
branch_labels = None
depends_on = None

_BEFORE = ("sent", "held", "below", "drawn")
_NAME = "ck_verdict_state"


def upgrade() -> None:
    _check((*_BEFORE, "dropped"))


def downgrade() -> None:
    op.execute("UPDATE verdict SET state = 'held' WHERE state = 'dropped'")
    _check(_BEFORE)


def _check(words: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(_NAME), "verdict")
    among = ", ".join(f"'{word}'" for word in sorted(words))
    op.create_check_constraint(op.f(_NAME), "verdict", f'"state" IN ({among})')
