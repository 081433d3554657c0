"""Open cases are counted by an index when a page asks, no longer by triggers as they change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("added", "deleted", "changed"):
        op.execute(f'DROP TRIGGER open_{name} ON "case"')
        op.execute(f"DROP FUNCTION open_{name}()")
    op.drop_table("open_change")
    op.drop_table("open_count")
    op.create_index(
        "ix_case_open_unit", "case", ["unit_id", "grade"], postgresql_where=sa.text("status = 'open'")
    )


def downgrade() -> None:
    raise RuntimeError(
        "the counts of open cases are undone by restoring the backup that was made before them"
    )
