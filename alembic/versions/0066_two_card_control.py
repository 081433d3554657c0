"""Two-card control: institutions, outlets, openings and what is checked, asked and decided about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_determination",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_blind", postgresql.BYTEA(), nullable=False),
        sa.Column("document_no", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'lifted') = (lifted_by IS NOT NULL)", name=op.f("ck_card_determination_lifted")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_by IS NULL)", name=op.f("ck_card_determination_decided")
        ),
        sa.CheckConstraint(
            "\"state\" IN ('waiting', 'in_force', 'refused', 'lifted')",
            name=op.f("ck_card_determination_state"),
        ),
        sa.CheckConstraint("decided_by <> entered_by", name=op.f("ck_card_determination_second_person")),
        sa.CheckConstraint("until_on > from_on", name=op.f("ck_card_determination_term")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_determination")),
        sa.UniqueConstraint(
            "document_no", "person_blind", name=op.f("uq_card_determination_document_no_person_blind")
        ),
    )
    op.create_index(
        op.f("ix_card_determination_person_blind"), "card_determination", ["person_blind"], unique=False
    )
    op.create_index(
        "ix_card_determination_waiting",
        "card_determination",
        ["entered_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "card_ring",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("cards", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_ring")),
    )
    op.create_index("ix_card_ring_last_at", "card_ring", ["last_at"], unique=False)
    op.create_table(
        "institution",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token_name", sa.Text(), nullable=True),
        sa.CheckConstraint("\"kind\" IN ('bank', 'carrier')", name=op.f("ck_institution_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
        sa.UniqueConstraint("name", name=op.f("uq_institution_name")),
        sa.UniqueConstraint("token_name", name=op.f("uq_institution_token_name")),
    )
    op.create_table(
        "outlet",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_outlet_institution_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_outlet_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet")),
        sa.UniqueConstraint("institution_id", "code", name=op.f("uq_outlet_institution_id_code")),
    )
    op.create_index(op.f("ix_outlet_unit_id"), "outlet", ["unit_id"], unique=False)
    op.create_table(
        "opening",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("opening_no", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("teller", sa.Text(), server_default="", nullable=False),
        sa.Column("person_blind", postgresql.BYTEA(), nullable=False),
        sa.Column("phone_blind", postgresql.BYTEA(), nullable=True),
        sa.Column("address_blind", postgresql.BYTEA(), nullable=True),
        sa.Column("employer_blind", postgresql.BYTEA(), nullable=True),
        sa.Column("agent_blind", postgresql.BYTEA(), nullable=True),
        sa.Column("story_blind", postgresql.BYTEA(), nullable=True),
        sa.Column("number_blind", postgresql.BYTEA(), nullable=True),
        sa.Column("home", sa.Text(), server_default="", nullable=False),
        sa.Column("age", sa.SmallInteger(), nullable=True),
        sa.Column("limit_fen", sa.BigInteger(), nullable=True),
        sa.Column("accompanied", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("guided", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_why", sa.Text(), server_default="", nullable=False),
        sa.Column("ring_id", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "result <> 'refused' OR (decided_by IS NOT NULL AND decided_why <> '')",
            name=op.f("ck_opening_refused"),
        ),
        sa.CheckConstraint(
            "\"channel\" IN ('counter', 'self_service', 'online', 'agent', 'other')",
            name=op.f("ck_opening_channel"),
        ),
        sa.CheckConstraint(
            "\"product\" IN ('account_1', 'account_2', 'account_3', 'corporate', 'sim_main', 'sim_sub', 'iot')",
            name=op.f("ck_opening_product"),
        ),
        sa.CheckConstraint(
            "\"result\" IN ('in_progress', 'opened', 'refused', 'abandoned')", name=op.f("ck_opening_result")
        ),
        sa.CheckConstraint(
            "\"verdict\" IN ('clear', 'note', 'ask_desk', 'possible_victim', 'restricted')",
            name=op.f("ck_opening_verdict"),
        ),
        sa.CheckConstraint("limit_fen >= 0", name=op.f("ck_opening_limit_fen")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_opening_institution_id")
        ),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_opening_outlet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening")),
        sa.UniqueConstraint(
            "institution_id", "opening_no", name=op.f("uq_opening_institution_id_opening_no")
        ),
    )
    op.create_index("ix_opening_address", "opening", ["address_blind", "asked_at"], unique=False)
    op.create_index("ix_opening_agent", "opening", ["agent_blind", "asked_at"], unique=False)
    op.create_index("ix_opening_number", "opening", ["number_blind"], unique=False)
    op.create_index("ix_opening_outlet", "opening", ["outlet_id", "asked_at"], unique=False)
    op.create_index("ix_opening_person", "opening", ["person_blind", "asked_at"], unique=False)
    op.create_index("ix_opening_phone", "opening", ["phone_blind", "asked_at"], unique=False)
    op.create_index(
        "ix_opening_ring_id",
        "opening",
        ["ring_id"],
        unique=False,
        postgresql_where=sa.text("ring_id IS NOT NULL"),
    )
    op.create_index("ix_opening_story", "opening", ["story_blind", "asked_at"], unique=False)
    op.create_index(
        "ix_opening_unchecked", "opening", ["id"], unique=False, postgresql_where=sa.text("verdict IS NULL")
    )
    op.create_table(
        "outlet_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("opening_id", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_notice_outlet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet_notice")),
    )
    op.create_index(
        "ix_outlet_notice_unseen",
        "outlet_notice",
        ["outlet_id"],
        unique=False,
        postgresql_where=sa.text("seen_at IS NULL"),
    )
    op.create_table(
        "outlet_report",
        sa.Column("outlet_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reported", sa.Integer(), nullable=False),
        sa.CheckConstraint("reported >= 0", name=op.f("ck_outlet_report_reported")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_report_outlet_id")),
        sa.PrimaryKeyConstraint("outlet_id", "day", name=op.f("pk_outlet_report")),
    )
    op.create_table(
        "outlet_teller",
        sa.Column("staff_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_teller_outlet_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_outlet_teller_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_outlet_teller")),
    )
    op.create_index(op.f("ix_outlet_teller_outlet_id"), "outlet_teller", ["outlet_id"], unique=False)
    op.create_table(
        "card_opener",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_blind", postgresql.BYTEA(), nullable=True),
        sa.Column("ring_id", sa.BigInteger(), nullable=True),
        sa.Column("opening_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why_sealed", postgresql.BYTEA(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('confirmed', 'lifted')) = (decided_by IS NOT NULL)",
            name=op.f("ck_card_opener_decided"),
        ),
        sa.CheckConstraint(
            "\"state\" IN ('listed', 'signed', 'confirmed', 'lifted')", name=op.f("ck_card_opener_state")
        ),
        sa.CheckConstraint("(person_blind IS NULL) <> (ring_id IS NULL)", name=op.f("ck_card_opener_one")),
        sa.ForeignKeyConstraint(["opening_id"], ["opening.id"], name=op.f("fk_card_opener_opening_id")),
        sa.ForeignKeyConstraint(["ring_id"], ["card_ring.id"], name=op.f("fk_card_opener_ring_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_card_opener_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_opener")),
    )
    op.create_index("ix_card_opener_listed", "card_opener", ["state", "listed_at"], unique=False)
    op.create_index(
        "uq_card_opener_person",
        "card_opener",
        ["person_blind"],
        unique=True,
        postgresql_where=sa.text("ring_id IS NULL AND state <> 'lifted'"),
    )
    op.create_index(
        "uq_card_opener_ring",
        "card_opener",
        ["ring_id"],
        unique=True,
        postgresql_where=sa.text("ring_id IS NOT NULL AND state <> 'lifted'"),
    )
    op.create_table(
        "opening_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("opening_id", sa.BigInteger(), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "\"verdict\" IN ('clear', 'note', 'ask_desk', 'possible_victim', 'restricted')",
            name=op.f("ck_opening_check_verdict"),
        ),
        sa.ForeignKeyConstraint(["opening_id"], ["opening.id"], name=op.f("fk_opening_check_opening_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_check")),
    )
    op.create_index(op.f("ix_opening_check_opening_id"), "opening_check", ["opening_id"], unique=False)
    op.create_index("ix_opening_check_outlet_at", "opening_check", ["outlet_id", "at"], unique=False)
    op.create_table(
        "opening_fact",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number_blind", postgresql.BYTEA(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("opening_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "\"kind\" IN ('involved', 'closed', 'used_far')", name=op.f("ck_opening_fact_kind")
        ),
        sa.ForeignKeyConstraint(["opening_id"], ["opening.id"], name=op.f("fk_opening_fact_opening_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_fact")),
        sa.UniqueConstraint("number_blind", "kind", name=op.f("uq_opening_fact_number_blind_kind")),
    )
    op.create_index(op.f("ix_opening_fact_opening_id"), "opening_fact", ["opening_id"], unique=False)
    op.create_table(
        "card_objection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("opening_id", sa.BigInteger(), nullable=True),
        sa.Column("determination_id", sa.BigInteger(), nullable=True),
        sa.Column("opener_id", sa.BigInteger(), nullable=True),
        sa.Column("outlet_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decider", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("reason_sealed", postgresql.BYTEA(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (decided_by IS NULL)", name=op.f("ck_card_objection_decided")),
        sa.CheckConstraint(
            "\"state\" IN ('open', 'upheld', 'rejected')", name=op.f("ck_card_objection_state")
        ),
        sa.CheckConstraint(
            "decided_by <> decider AND decided_by <> taken_by", name=op.f("ck_card_objection_another_person")
        ),
        sa.CheckConstraint(
            "num_nonnulls(opening_id, determination_id, opener_id) = 1", name=op.f("ck_card_objection_one")
        ),
        sa.ForeignKeyConstraint(
            ["determination_id"], ["card_determination.id"], name=op.f("fk_card_objection_determination_id")
        ),
        sa.ForeignKeyConstraint(["opener_id"], ["card_opener.id"], name=op.f("fk_card_objection_opener_id")),
        sa.ForeignKeyConstraint(["opening_id"], ["opening.id"], name=op.f("fk_card_objection_opening_id")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_card_objection_outlet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_objection")),
    )
    op.create_index(
        "ix_card_objection_open",
        "card_objection",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "card_question",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("opening_id", sa.BigInteger(), nullable=False),
        sa.Column("check_id", sa.BigInteger(), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("reason_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'answered') = (answered_by IS NOT NULL)", name=op.f("ck_card_question_answered")
        ),
        sa.CheckConstraint(
            "state <> 'answered' OR (answer IS NOT NULL AND reason_sealed IS NOT NULL AND basis <> '')",
            name=op.f("ck_card_question_whole_answer"),
        ),
        sa.CheckConstraint(
            "\"answer\" IN ('may_open', 'ask_papers', 'wait_for_team', 'advise_refusal')",
            name=op.f("ck_card_question_answer"),
        ),
        sa.CheckConstraint(
            "\"state\" IN ('waiting', 'claimed', 'answered', 'lapsed')", name=op.f("ck_card_question_state")
        ),
        sa.ForeignKeyConstraint(["check_id"], ["opening_check.id"], name=op.f("fk_card_question_check_id")),
        sa.ForeignKeyConstraint(["opening_id"], ["opening.id"], name=op.f("fk_card_question_opening_id")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_card_question_outlet_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_card_question_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_question")),
    )
    op.create_index("ix_card_question_asked_at", "card_question", ["asked_at"], unique=False)
    op.create_index("ix_card_question_changed_at", "card_question", ["changed_at"], unique=False)
    op.create_index(op.f("ix_card_question_opening_id"), "card_question", ["opening_id"], unique=False)
    op.create_index(
        "ix_card_question_waiting",
        "card_question",
        ["asked_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('claimed', 'waiting')"),
    )
    op.create_index(
        "uq_card_question_open",
        "card_question",
        ["opening_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('claimed', 'waiting')"),
    )
    op.create_table(
        "onsite_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("ordered_by", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("persons", sa.Integer(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.Column("note_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "\"finding\" IN ('nothing', 'victim', 'suspects', 'left')", name=op.f("ck_onsite_check_finding")
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR (arrived_at IS NOT NULL AND finding IS NOT NULL)",
            name=op.f("ck_onsite_check_ended"),
        ),
        sa.CheckConstraint("persons >= 0", name=op.f("ck_onsite_check_persons")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_onsite_check_outlet_id")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["card_question.id"], name=op.f("fk_onsite_check_question_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_onsite_check")),
        sa.UniqueConstraint("question_id", name=op.f("uq_onsite_check_question_id")),
    )


def downgrade() -> None:
    op.drop_table("onsite_check")
    op.drop_table("card_question")
    op.drop_table("card_objection")
    op.drop_table("opening_fact")
    op.drop_table("opening_check")
    op.drop_table("card_opener")
    op.drop_table("outlet_teller")
    op.drop_table("outlet_report")
    op.drop_table("outlet_notice")
    op.drop_table("opening")
    op.drop_table("outlet")
    op.drop_table("institution")
    op.drop_table("card_ring")
    op.drop_table("card_determination")
