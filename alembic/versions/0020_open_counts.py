"""Open cases are counted by unit and by what lists wrote as they change, so that nobody has to count a million."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KEY = (
    "coalesce({0}.unit_id, 0), CASE WHEN {0}.unit_id IS NULL THEN left({0}.unit, 100) ELSE '' END, {0}.grade"
)


def _columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("unit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "open_count",
        *_columns(),
        sa.PrimaryKeyConstraint("unit_id", "text", "grade", name=op.f("pk_open_count")),
    )
    op.create_table("open_change", *_columns())
    op.create_index(
        "ix_case_tray_text",
        "case",
        [sa.text('"left"(unit, 100)'), "id"],
        postgresql_where=sa.text("status = 'open' AND unit_id IS NULL"),
    )
    op.create_index(
        "ix_assignment_clocks",
        "assignment",
        ["unit_id", "state", "sign_by", "due_at", "feedback_by", "kept_until"],
        postgresql_where=sa.text("state IN ('open', 'signed') AND unit_id IS NOT NULL"),
    )
    op.create_index(
        "ix_assignment_transfer_from",
        "assignment_transfer",
        ["from_unit_id", "at"],
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_index("ix_event_unit_raised", "event", ["at"], postgresql_where=sa.text("kind = 'unit_raised'"))
    for name, sign in (("added", "count(*)"), ("deleted", "-count(*)")):
        op.execute(
            f"""
            CREATE FUNCTION open_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO open_change SELECT {_KEY.format("one")}, {sign} FROM changed AS one
                WHERE one.status = 'open' GROUP BY 1, 2, 3;
                RETURN NULL;
            END
            $$
            """
        )
    op.execute(
        f"""
        CREATE FUNCTION open_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.status = 'open' THEN
                INSERT INTO open_change VALUES ({_KEY.format("OLD")}, -1);
            END IF;
            IF NEW.status = 'open' THEN
                INSERT INTO open_change VALUES ({_KEY.format("NEW")}, 1);
            END IF;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        'CREATE TRIGGER open_added AFTER INSERT ON "case" REFERENCING NEW TABLE AS changed'
        " FOR EACH STATEMENT EXECUTE FUNCTION open_added()"
    )
    op.execute(
        'CREATE TRIGGER open_deleted AFTER DELETE ON "case" REFERENCING OLD TABLE AS changed'
        " FOR EACH STATEMENT EXECUTE FUNCTION open_deleted()"
    )
    op.execute(
        'CREATE TRIGGER open_changed AFTER UPDATE ON "case" FOR EACH ROW WHEN ('
        "(OLD.status = 'open' OR NEW.status = 'open') AND (OLD.status, OLD.unit_id, OLD.grade) IS DISTINCT FROM"
        " (NEW.status, NEW.unit_id, NEW.grade)"
        " OR NEW.status = 'open' AND NEW.unit_id IS NULL AND OLD.unit <> NEW.unit)"
        " EXECUTE FUNCTION open_changed()"
    )
    op.execute(
        f"""INSERT INTO open_count SELECT {_KEY.format("one")}, count(*) FROM "case" AS one"""
        " WHERE one.status = 'open' GROUP BY 1, 2, 3"
    )


def downgrade() -> None:
    for name in ("added", "deleted", "changed"):
        op.execute(f'DROP TRIGGER open_{name} ON "case"')
        op.execute(f"DROP FUNCTION open_{name}()")
    op.drop_index("ix_event_unit_raised", table_name="event")
    op.drop_index("ix_assignment_transfer_from", table_name="assignment_transfer")
    op.drop_index("ix_assignment_clocks", table_name="assignment")
    op.drop_index("ix_case_tray_text", table_name="case")
    op.drop_table("open_change")
    op.drop_table("open_count")
