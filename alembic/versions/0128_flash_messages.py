"""Flash messages, which are repeated until the person is reached."""

from __future__ import annotations

from alembic import op

revision = "0128"
down_revision = "0127"
branch_labels = None
depends_on = None

_PURPOSE = "ck_message_purpose"
_BEFORE = ("unreachable", "after_warning")
_FLASHES = tuple(f"flash_{number}" for number in range(1, 10))


def _is_one_of(words: tuple[str, ...]) -> str:
    return "purpose IN (" + ", ".join(f"'{word}'" for word in words) + ")"


def upgrade() -> None:
    op.drop_constraint(_PURPOSE, "message")
    op.create_check_constraint(op.f(_PURPOSE), "message", _is_one_of(_BEFORE + _FLASHES))


def downgrade() -> None:
    op.execute("DELETE FROM message WHERE purpose LIKE 'flash_%'")
    op.drop_constraint(_PURPOSE, "message")
    op.create_check_constraint(op.f(_PURPOSE), "message", _is_one_of(_BEFORE))
