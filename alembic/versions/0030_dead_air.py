"""A call that was answered while our webhooks were not reached has a result of its own."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_BEFORE = (
    "answered", "blocked", "busy", "canceled", "failed", "forwarded", "invalid_number", "machine", "no_answer",
    "powered_off", "rejected", "unknown",
)  # fmt: skip


def _check(words: tuple[str, ...]) -> None:
    among = ", ".join(f"'{word}'" for word in sorted(words))
    op.drop_constraint(op.f("ck_attempt_result"), "attempt", type_="check")
    op.create_check_constraint(op.f("ck_attempt_result"), "attempt", f'"result" IN ({among})')


def upgrade() -> None:
    _check((*_BEFORE, "dead_air"))


def downgrade() -> None:
    op.execute("UPDATE attempt SET result = 'blocked' WHERE result = 'dead_air'")
    _check(_BEFORE)
