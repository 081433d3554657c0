"""A token sends warnings only for its own sources: each token of before gets those that it has sent for.

Of a transaction with the warnings of several tokens it is not known which source belonged to which; those count for none.
"""

from __future__ import annotations

from alembic import op

revision = "0101"
down_revision = "0100"
branch_labels = None
depends_on = None

_SENT = """
UPDATE api_token SET sources = ARRAY(
    SELECT DISTINCT source FROM unnest(api_token.sources || sent.sources) source ORDER BY source)
FROM (
    SELECT token.id, array_agg(DISTINCT warning.source) AS sources
    FROM (
        SELECT at, max(subject) AS subject FROM audit
        WHERE act = 'take_warnings' AND subject LIKE 'api_token/%' GROUP BY at HAVING count(*) = 1
    ) line
    JOIN api_token token ON line.subject = 'api_token/' || token.id
    JOIN warning ON warning.loaded_at = line.at AND warning.load_id IS NULL
    WHERE token.revoked_at IS NULL AND warning.source <> token.name
        AND warning.source NOT IN ('预警机器人', '两卡核查', '/phone')
    GROUP BY token.id
) sent
WHERE sent.id = api_token.id
"""


def upgrade() -> None:
    op.execute(_SENT)


def downgrade() -> None:
    """The version before reads sources for signals alone: more of them do no harm."""
