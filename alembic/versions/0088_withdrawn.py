"""A case whose list was withdrawn has an outcome of its own, which counts as not ours. What an erasure again after a restore
left without a time gets that of the erasure.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None

_BEFORE = (
    "dissuaded_by_phone", "dissuaded_in_person", "saw_through_it", "half_believes", "refuses", "already_defrauded",
    "not_the_person", "mismatch", "cannot_find_yet", "cannot_find", "duplicate", "transferred", "language_or_hearing",
    "missed",
)  # fmt: skip
_COLUMNS = (("case", "outcome"), ("assignment", "outcome"), ("outcome", "kind"))


def upgrade() -> None:
    _allow((*_BEFORE, "withdrawn"))
    op.execute(
        """
        UPDATE assignment a SET done_at = p.erased_at FROM "case" c JOIN person p ON p.id = c.person_id
        WHERE c.id = a.case_id AND a.state = 'withdrawn' AND a.done_at IS NULL AND p.erased_at IS NOT NULL
        """
    )
    op.execute(
        """
        UPDATE "case" c SET settled_at = p.erased_at FROM person p
        WHERE p.id = c.person_id AND c.status = 'closed' AND c.settled_at IS NULL AND p.erased_at IS NOT NULL
        """
    )


def downgrade() -> None:
    op.execute(sa.text("UPDATE \"case\" SET outcome = 'duplicate' WHERE outcome = 'withdrawn'"))
    op.execute(sa.text("ALTER TABLE outcome DISABLE TRIGGER append_only"))
    op.execute(sa.text("UPDATE outcome SET kind = 'duplicate' WHERE kind = 'withdrawn'"))
    op.execute(sa.text("ALTER TABLE outcome ENABLE TRIGGER append_only"))
    _allow(_BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    for table, column in _COLUMNS:
        op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f'"{column}" IN ({allowed})')
