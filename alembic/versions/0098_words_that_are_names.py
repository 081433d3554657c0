"""Two stored words are the names that the code has for them."""

from __future__ import annotations

from alembic import op

revision = "0098"
down_revision = "0093"
branch_labels = None
depends_on = None

# A process of the version before may write `dead` while both run.
_STATES = "\"state\" IN ('waiting', 'delivered', 'given_up', 'dropped', 'dead')"
_FORMER_STATES = "\"state\" IN ('waiting', 'delivered', 'dead', 'dropped')"


def upgrade() -> None:
    _rename("no_future", "no_next_step", "dead", "given_up", _STATES)


def downgrade() -> None:
    _rename("no_next_step", "no_future", "given_up", "dead", _FORMER_STATES)


def _rename(code: str, new_code: str, state: str, new_state: str, states: str) -> None:
    op.execute(f"UPDATE alarm SET code = '{new_code}' WHERE code = '{code}'")
    op.drop_constraint(op.f("ck_webhook_delivery_state"), "webhook_delivery")
    op.execute(f"UPDATE webhook_delivery SET state = '{new_state}' WHERE state = '{state}'")
    op.create_check_constraint(op.f("ck_webhook_delivery_state"), "webhook_delivery", states)
