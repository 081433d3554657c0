"""Follow-ups in the watch period: how and when a case's comes, an answer more, and cases that one opened again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_ANSWERS = (
    "acknowledged", "already_paid", "doubtful", "language_or_hearing", "none", "opt_out", "refuses", "saw_through",
    "wants_officer", "wrong_person",
)  # fmt: skip


def _check_answers(words: tuple[str, ...]) -> None:
    among = ", ".join(f"'{word}'" for word in sorted(words))
    op.drop_constraint(op.f("ck_attempt_answer"), "attempt", type_="check")
    op.create_check_constraint(op.f("ck_attempt_answer"), "attempt", f'"answer" IN ({among})')


def _index_open(where: str) -> None:
    op.drop_index("uq_case_open", table_name="case")
    op.create_index(
        "uq_case_open", "case", ["person_id", "fraud_type"], unique=True, postgresql_where=sa.text(where)
    )


def upgrade() -> None:
    _check_answers((*_ANSWERS, "in_contact"))
    op.add_column("case", sa.Column("follow_up_by", sa.Text()))
    op.add_column("case", sa.Column("follow_up_at", sa.DateTime(timezone=True)))
    op.add_column(
        "case", sa.Column("follow_up_tries", sa.SmallInteger(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("case", sa.Column("reopened", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_check_constraint(
        op.f("ck_case_follow_up_by"), "case", "\"follow_up_by\" IN ('human', 'robot', 'visit')"
    )
    op.create_check_constraint(
        op.f("ck_case_follow_up_at"), "case", "follow_up_by IS NOT NULL OR follow_up_at IS NULL"
    )
    op.create_check_constraint(
        op.f("ck_case_follow_up_in_the_watch"), "case", "status = 'watching' OR follow_up_by IS NULL"
    )
    _index_open("status = 'open' AND NOT reopened")
    op.create_index(
        "ix_case_follow_up",
        "case",
        ["id"],
        postgresql_where=sa.text("status = 'watching' AND follow_up_by IS NOT NULL AND follow_up_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_follow_up", table_name="case")
    # Two open cases of one incident are refused again: the reopened one ends as the duplicate of the other.
    op.execute(
        "UPDATE \"case\" c SET status = 'closed', due_at = NULL, settled_at = now(), outcome = 'duplicate'"
        " WHERE status = 'open' AND reopened AND EXISTS (SELECT FROM \"case\" o WHERE o.person_id = c.person_id"
        " AND o.fraud_type = c.fraud_type AND o.status = 'open' AND o.id <> c.id)"
    )
    _index_open("status = 'open'")
    for name in ("follow_up_in_the_watch", "follow_up_at", "follow_up_by"):
        op.drop_constraint(op.f(f"ck_case_{name}"), "case", type_="check")
    for name in ("reopened", "follow_up_tries", "follow_up_at", "follow_up_by"):
        op.drop_column("case", name)
    op.execute("UPDATE attempt SET answer = 'wants_officer' WHERE answer = 'in_contact'")
    _check_answers(_ANSWERS)
