"""Accounts of the analysts of the warning robot: a role more."""

from __future__ import annotations

from alembic import op

revision = "0123"
down_revision = "0122"
branch_labels = None
depends_on = None

_BEFORE = (
    "administrator",
    "auditor",
    "caller",
    "clerk",
    "officer",
    "security_administrator",
    "supervisor",
    "teller",
)
_ROLES = (*_BEFORE, "analyst")


def _check_roles(words: tuple[str, ...]) -> None:
    allowed = ", ".join(f"{word!r}" for word in words)
    for table in ("staff", "staff_change"):
        op.drop_constraint(op.f(f"ck_{table}_role"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_role"), table, f'"role" IN ({allowed})')


def upgrade() -> None:
    _check_roles(_ROLES)


def downgrade() -> None:
    op.execute("UPDATE staff SET role = 'clerk', disabled_at = now() WHERE role = 'analyst'")
    op.execute("DELETE FROM staff_change WHERE role = 'analyst'")
    _check_roles(_BEFORE)
