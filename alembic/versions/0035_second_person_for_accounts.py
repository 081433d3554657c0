"""A role more, and changes of accounts that wait for a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_BEFORE = ("administrator", "auditor", "caller", "clerk", "officer", "supervisor")
_ROLES = (*_BEFORE, "security_administrator")


def _among(column: str, words: tuple[str, ...]) -> str:
    return f'"{column}" IN ({", ".join(f"{word!r}" for word in words)})'


def _check_roles(words: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_staff_role"), "staff", type_="check")
    op.create_check_constraint(op.f("ck_staff_role"), "staff", _among("role", words))


def upgrade() -> None:
    _check_roles(_ROLES)
    op.create_table(
        "staff_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger()),
        sa.Column("revision", sa.Integer()),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.BigInteger()),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("why_sealed", BYTEA, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            _among("kind", ("add", "change", "enable", "reset_factors", "reset_password")),
            name=op.f("ck_staff_change_kind"),
        ),
        sa.CheckConstraint(_among("role", _ROLES), name=op.f("ck_staff_change_role")),
        sa.CheckConstraint(
            _among("state", ("confirmed", "expired", "refused", "waiting", "withdrawn")),
            name=op.f("ck_staff_change_state"),
        ),
        sa.CheckConstraint("(kind = 'add') = (staff_id IS NULL)", name=op.f("ck_staff_change_account")),
        sa.CheckConstraint("(staff_id IS NULL) = (revision IS NULL)", name=op.f("ck_staff_change_revision")),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_staff_change_decided_at")
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'expired')) = (decided_by IS NULL)",
            name=op.f("ck_staff_change_decided_by"),
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR decided_by NOT IN (asked_by, login)",
            name=op.f("ck_staff_change_second_person"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_change_staff_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_staff_change_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_change")),
    )
    op.create_index(
        "uq_staff_change_waiting",
        "staff_change",
        ["login"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_table("staff_change")
    op.execute(
        "UPDATE staff SET role = 'administrator', disabled_at = now() WHERE role = 'security_administrator'"
    )
    _check_roles(_BEFORE)
