"""What people type as a reason is sealed. Lines written before keep theirs as they are: the audit is append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("why_sealed", BYTEA))
    op.add_column("assignment_transfer", sa.Column("why_sealed", BYTEA))
    op.alter_column("assignment_transfer", "why", server_default="")


def downgrade() -> None:
    raise RuntimeError("sealed reasons are undone by restoring the backup that was made before them")
