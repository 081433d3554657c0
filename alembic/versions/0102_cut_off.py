"""A call that a fault of ours cut off reached nobody in a way of its own."""

from __future__ import annotations

from alembic import op

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None

_BEFORE = (
    "nobody",
    "machine",
    "forwarded",
    "hung_up_early",
    "silent",
    "wrong_person",
    "unverified",
    "verified",
)
_NAME = "ck_attempt_reach"


def upgrade() -> None:
    _check((*_BEFORE, "cut_off"))


def downgrade() -> None:
    op.execute("UPDATE attempt SET reach = 'hung_up_early' WHERE reach = 'cut_off'")
    _check(_BEFORE)


def _check(words: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(_NAME), "attempt")
    among = ", ".join(f"'{word}'" for word in sorted(words))
    op.create_check_constraint(op.f(_NAME), "attempt", f'"reach" IN ({among})')
