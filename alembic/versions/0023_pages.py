"""The cases of a list are found in their order."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_warning_load_id", "warning")
    op.create_index("ix_warning_load_id", "warning", ["load_id", "case_id"])


def downgrade() -> None:
    op.drop_index("ix_warning_load_id", "warning")
    op.create_index("ix_warning_load_id", "warning", ["load_id"])
