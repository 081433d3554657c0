"""An assignment says for which claim its holder opened the person. One that is held now is opened once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assignment", sa.Column("opened_token", sa.BigInteger, nullable=True))


def downgrade() -> None:
    op.drop_column("assignment", "opened_token")
