"""What the network announced of a call that was not put through, with the score of the recogniser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None

_ANNOUNCEMENTS = (
    "'powered_off', 'suspended', 'invalid', 'unreachable', 'busy', 'no_answer', 'forwarded', 'assistant', 'congestion',"
    " 'unknown'"
)


def upgrade() -> None:
    op.add_column("attempt", sa.Column("announcement", sa.Text(), nullable=True))
    op.add_column("attempt", sa.Column("announcement_score", sa.Double(), nullable=True))
    op.create_check_constraint(
        op.f("ck_attempt_announcement"), "attempt", f'"announcement" IN ({_ANNOUNCEMENTS})'
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_attempt_announcement"), "attempt")
    op.drop_column("attempt", "announcement_score")
    op.drop_column("attempt", "announcement")
