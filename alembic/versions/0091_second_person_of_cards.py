"""A refused or expired determination leaves the way free for a corrected entry; a question ends when the outlet has
decided; who entered a restriction does not check the objection to it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None

_DETERMINATION, _OBJECTION, _QUESTION = "card_determination", "card_objection", "card_question"
_UNIQUE = "uq_card_determination_document_no_person_blind"
_DETERMINATIONS = ("waiting", "in_force", "refused", "lifted")
_QUESTIONS = ("waiting", "claimed", "answered", "lapsed")


def upgrade() -> None:
    op.add_column(_DETERMINATION, sa.Column("expires_at", sa.DateTime(timezone=True)))
    op.add_column(_OBJECTION, sa.Column("entered_by", sa.Text()))
    _allow(_DETERMINATION, (*_DETERMINATIONS, "expired"))
    _allow(_QUESTION, (*_QUESTIONS, "overtaken"))
    op.drop_constraint(op.f(_UNIQUE), _DETERMINATION, type_="unique")
    op.create_index(
        "uq_card_determination_document",
        _DETERMINATION,
        ["document_no", "person_blind"],
        unique=True,
        postgresql_where=sa.text("state NOT IN ('expired', 'refused')"),
    )
    _check(_DETERMINATION, "second_person", "lower(decided_by) <> lower(entered_by)")
    _check(_DETERMINATION, "decided", "(state IN ('expired', 'waiting')) = (decided_by IS NULL)")
    _check(
        _OBJECTION,
        "another_person",
        "lower(decided_by) <> lower(decider) AND lower(decided_by) <> lower(taken_by)"
        " AND (entered_by IS NULL OR lower(decided_by) <> lower(entered_by))",
    )
    op.execute(
        "UPDATE card_objection j SET entered_by = d.entered_by FROM card_determination d"
        " WHERE d.id = j.determination_id AND j.state = 'open'"
    )
    op.execute(
        "UPDATE card_question q SET state = 'overtaken' FROM opening o"
        " WHERE o.id = q.opening_id AND q.state IN ('waiting', 'claimed') AND o.result <> 'in_progress'"
    )


def downgrade() -> None:
    op.execute("UPDATE card_question SET state = 'lapsed' WHERE state = 'overtaken'")
    op.execute("DELETE FROM card_determination WHERE state IN ('expired', 'refused')")
    _check(_OBJECTION, "another_person", "decided_by <> decider AND decided_by <> taken_by")
    _check(_DETERMINATION, "decided", "(state = 'waiting') = (decided_by IS NULL)")
    _check(_DETERMINATION, "second_person", "decided_by <> entered_by")
    op.drop_index("uq_card_determination_document", table_name=_DETERMINATION)
    op.create_unique_constraint(op.f(_UNIQUE), _DETERMINATION, ["document_no", "person_blind"])
    _allow(_QUESTION, _QUESTIONS)
    _allow(_DETERMINATION, _DETERMINATIONS)
    op.drop_column(_OBJECTION, "entered_by")
    op.drop_column(_DETERMINATION, "expires_at")


def _allow(table: str, states: tuple[str, ...]) -> None:
    _check(table, "state", "state IN ({})".format(", ".join(f"'{state}'" for state in states)))


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
