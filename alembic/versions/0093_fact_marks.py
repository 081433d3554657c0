"""Figures are read from fact rows outside the database: a mark says in which transaction a case changed.

The sums by day and month and their fact rows are no longer written. They stay, empty of meaning, until no release reads
them: without the row `tally` of `meta` the version before counts the records, and a trigger keeps it from rebuilding
them. Its lease keeps processes of that version from trying, for an hour. The triggers of the marks keep their old names, since renaming them would lock every table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None

_MARK = "INSERT INTO fact_mark (case_id) {} ON CONFLICT DO NOTHING"


def upgrade() -> None:
    # First: it waits for a refresh of the version before.
    op.execute("DELETE FROM meta WHERE key = 'tally'")
    op.execute(
        "INSERT INTO lease AS held (name, holder, token, since, until) VALUES"
        " ('rollup', 'revision 0093', 1, clock_timestamp(), clock_timestamp() + interval '59 minutes')"
        " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = held.token + 1,"
        " since = excluded.since, until = excluded.until"
    )
    op.execute(
        """
        CREATE TABLE fact_mark (
            xid bigint NOT NULL DEFAULT CAST(CAST(pg_current_xact_id() AS text) AS bigint),
            case_id bigint NOT NULL,
            at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT pk_fact_mark PRIMARY KEY (xid, case_id)
        )
        """
    )
    for column in ("id", "case_id"):
        _function(
            f"tally_mark_{column}",
            f"""
            {_MARK.format(f"VALUES (NEW.{column})")};
            IF TG_OP = 'UPDATE' AND OLD.{column} <> NEW.{column} THEN
                {_MARK.format(f"VALUES (OLD.{column})")};
            END IF;
            """,
        )
        _function(f"tally_marks_{column}", f"{_MARK.format(f'SELECT DISTINCT {column} FROM changed')};")
    _function("tally_mark_inbound", f"{_MARK.format('VALUES (NEW.case_id)')};")
    _function(
        "tally_mark_approved",
        f"{_MARK.format('SELECT case_id FROM outcome WHERE id = NEW.outcome_id')};",
    )
    _function(
        "tally_mark_money",
        f"""
        {_MARK.format("VALUES (NEW.case_id)")};
        {_MARK.format("SELECT case_id FROM outcome WHERE id = NEW.reverses AND case_id <> NEW.case_id")};
        """,
    )
    # No case has this id: every fact row is to be read again.
    _function("fact_mark_all", f"{_MARK.format('VALUES (0)')};")
    op.execute(
        'CREATE TRIGGER facts_emptied AFTER TRUNCATE ON "case" FOR EACH STATEMENT EXECUTE FUNCTION fact_mark_all()'
    )
    op.execute(
        "CREATE TRIGGER fact_signed_by AFTER UPDATE OF signed_by ON assignment FOR EACH ROW"
        " WHEN (OLD.signed_by IS DISTINCT FROM NEW.signed_by) EXECUTE FUNCTION tally_mark_case_id()"
    )
    op.execute(
        """
        CREATE FUNCTION refuse_tally() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'figures are no longer summed in the database since revision 0093';
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER refuse_tally BEFORE INSERT ON tally_mark FOR EACH STATEMENT EXECUTE FUNCTION refuse_tally()"
    )


def _function(name: str, body: str) -> None:
    op.execute(
        sa.text(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$"
            f" BEGIN {body} RETURN NULL; END $$"
        )
    )


def downgrade() -> None:
    raise RuntimeError(
        "marks of the sums before are undone by restoring the backup that was made before them"
    )
