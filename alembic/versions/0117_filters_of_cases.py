"""Filters are saved for the page of cases too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0117"
down_revision = "0116"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("saved_filter", sa.Column("page", sa.Text(), nullable=False, server_default="rates"))
    op.create_check_constraint(op.f("ck_saved_filter_page"), "saved_filter", "page IN ('rates', 'cases')")


def downgrade() -> None:
    op.execute("DELETE FROM saved_filter WHERE page <> 'rates'")
    op.drop_column("saved_filter", "page")
