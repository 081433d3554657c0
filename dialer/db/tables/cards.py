"""Tables of two-card control: institutions with their outlets, and openings with what was checked, asked and decided
about them. `dialer.db.tables` says what the times mean; those of a question are real, since a customer waits.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from dialer.core.cards import (
    CardProduct,
    CheckVerdict,
    DeskAnswer,
    DeterminationState,
    InstitutionKind,
    ObjectionState,
    OnsiteFinding,
    OpenerState,
    OpeningChannel,
    OpeningFactKind,
    OpeningResult,
    OutletStep,
    QuestionState,
)
from dialer.db.columns import identity, metadata, when, word_column

institution = sa.Table(
    "institution",
    metadata,
    identity(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    word_column("kind", InstitutionKind),
    sa.Column("token_name", sa.Text, unique=True),
)
"""A bank or carrier; `token_name`: the API token that sends its openings."""

outlet = sa.Table(
    "outlet",
    metadata,
    identity(),
    sa.Column("institution_id", sa.ForeignKey("institution.id"), nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), index=True),
    sa.UniqueConstraint("institution_id", "code"),
)
"""Where customers open cards; `unit_id`: the centre that is in charge of it."""

outlet_teller = sa.Table(
    "outlet_teller",
    metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True, autoincrement=False),
    sa.Column("outlet_id", sa.ForeignKey("outlet.id"), nullable=False, index=True),
)
"""The outlet of a teller's account."""

outlet_report = sa.Table(
    "outlet_report",
    metadata,
    sa.Column("outlet_id", sa.ForeignKey("outlet.id"), primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("reported", sa.Integer, nullable=False),
    sa.CheckConstraint("reported >= 0", name="reported"),
)
"""How many openings an outlet had on a day, as its institution reports."""

outlet_step = sa.Table(
    "outlet_step",
    metadata,
    identity(),
    sa.Column("outlet_id", sa.ForeignKey("outlet.id"), nullable=False),
    word_column("step", OutletStep),
    when("at", required=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("document_no", sa.Text, nullable=False, server_default=""),
    sa.Column("authority", sa.Text, nullable=False, server_default=""),
    sa.Column("until_on", sa.Date),
    sa.Index("ix_outlet_step_outlet", "outlet_id", "id"),
    sa.CheckConstraint(
        "(step = 'letter') = (until_on IS NOT NULL) AND"
        " (step <> 'letter' OR (document_no <> '' AND authority <> ''))",
        name="letter",
    ),
)
"""The steps taken about an outlet. Only the letter of an authority has a term; `until_on` is the first day after it."""

outlet_notice = sa.Table(
    "outlet_notice",
    metadata,
    identity(),
    sa.Column("outlet_id", sa.ForeignKey("outlet.id"), nullable=False),
    sa.Column("opening_id", sa.BigInteger),
    sa.Column("code", sa.Text, nullable=False),
    when("at", required=True),
    when("seen_at"),
    sa.Index("ix_outlet_notice_unseen", "outlet_id", postgresql_where=sa.text("seen_at IS NULL")),
)
"""Notices that an outlet sees on its page."""

opening = sa.Table(
    "opening",
    metadata,
    identity(),
    sa.Column("institution_id", sa.ForeignKey("institution.id"), nullable=False),
    sa.Column("outlet_id", sa.ForeignKey("outlet.id"), nullable=False),
    sa.Column("opening_no", sa.Text, nullable=False),
    word_column("channel", OpeningChannel),
    word_column("product", CardProduct),
    sa.Column("teller", sa.Text, nullable=False, server_default=""),
    sa.Column("person_blind", BYTEA, nullable=False),
    sa.Column("phone_blind", BYTEA),
    sa.Column("address_blind", BYTEA),
    sa.Column("employer_blind", BYTEA),
    sa.Column("agent_blind", BYTEA),
    sa.Column("story_blind", BYTEA),
    sa.Column("number_blind", BYTEA),
    sa.Column("home", sa.Text, nullable=False, server_default=""),
    sa.Column("age", sa.SmallInteger),
    sa.Column("limit_fen", sa.BigInteger),
    sa.Column("accompanied", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("guided", sa.Boolean, nullable=False, server_default=sa.false()),
    when("asked_at", required=True),
    when("opened_at"),
    when("entered_at", required=True),
    word_column("result", OpeningResult),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_why", sa.Text, nullable=False, server_default=""),
    sa.Column("ring_id", sa.BigInteger),
    word_column("verdict", CheckVerdict, required=False),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    when("erased_at"),
    sa.UniqueConstraint("institution_id", "opening_no"),
    sa.Index("ix_opening_asked_at", "asked_at"),
    sa.Index("ix_opening_person", "person_blind", "asked_at"),
    sa.Index("ix_opening_phone", "phone_blind", "asked_at"),
    sa.Index("ix_opening_address", "address_blind", "asked_at"),
    sa.Index("ix_opening_agent", "agent_blind", "asked_at"),
    sa.Index("ix_opening_story", "story_blind", "asked_at"),
    sa.Index("ix_opening_number", "number_blind"),
    sa.Index("ix_opening_outlet", "outlet_id", "asked_at"),
    sa.Index("ix_opening_unchecked", "id", postgresql_where=sa.text("verdict IS NULL")),
    sa.Index("ix_opening_ring_id", "ring_id", postgresql_where=sa.text("ring_id IS NOT NULL")),
    sa.CheckConstraint("limit_fen >= 0", name="limit_fen"),
    sa.CheckConstraint(
        "result <> 'refused' OR (decided_by IS NOT NULL AND decided_why <> '')", name="refused"
    ),
)
"""Openings, from the customer's request to the result. `sealed` has what identifies a person or a card; the blind
indexes find it again. `home`: the county that issued the id number, six digits. A refusal names who decided, and why.
"""

opening_check = sa.Table(
    "opening_check",
    metadata,
    identity(),
    sa.Column("opening_id", sa.ForeignKey("opening.id"), nullable=False, index=True),
    sa.Column("outlet_id", sa.BigInteger, nullable=False),
    word_column("verdict", CheckVerdict),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("findings", JSONB, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    sa.Index("ix_opening_check_outlet_at", "outlet_id", "at"),
)
"""One verdict of the checks: each finding with its values, basis and expiry, and the version of the checks."""

opening_fact = sa.Table(
    "opening_fact",
    metadata,
    identity(),
    sa.Column("number_blind", BYTEA, nullable=False),
    word_column("kind", OpeningFactKind),
    sa.Column("opening_id", sa.ForeignKey("opening.id"), index=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    when("entered_at", required=True),
    sa.UniqueConstraint("number_blind", "kind"),
)
"""What becomes known later about an account or a number; `opening_id` is NULL until an opening with that number is
entered.
"""

card_ring = sa.Table(
    "card_ring",
    metadata,
    identity(),
    when("found_at", required=True),
    when("last_at", required=True),
    sa.Column("persons", sa.Integer, nullable=False),
    sa.Column("cards", sa.Integer, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("reasons", JSONB, nullable=False),
    sa.Index("ix_card_ring_last_at", "last_at"),
)
"""Opener rings: people whose openings share rare values within 72 hours; those openings refer to the ring."""

card_opener = sa.Table(
    "card_opener",
    metadata,
    identity(),
    sa.Column("person_blind", BYTEA),
    sa.Column("ring_id", sa.ForeignKey("card_ring.id")),
    sa.Column("opening_id", sa.ForeignKey("opening.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    word_column("state", OpenerState),
    sa.Column("findings", JSONB, nullable=False),
    when("listed_at", required=True),
    when("expires_at", required=True),
    sa.Column("signed_by", sa.Text),
    when("signed_at"),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("why_sealed", BYTEA),
    sa.Index(
        "uq_card_opener_person",
        "person_blind",
        unique=True,
        postgresql_where=sa.text("ring_id IS NULL AND state <> 'lifted'"),
    ),
    sa.Index(
        "uq_card_opener_ring",
        "ring_id",
        unique=True,
        postgresql_where=sa.text("ring_id IS NOT NULL AND state <> 'lifted'"),
    ),
    sa.Index("ix_card_opener_listed", "state", "listed_at"),
    sa.CheckConstraint("(person_blind IS NULL) <> (ring_id IS NULL)", name="one"),
    sa.CheckConstraint("(state IN ('confirmed', 'lifted')) = (decided_by IS NOT NULL)", name="decided"),
)
"""A frequent opener or a ring on the morning list: a finding of the checks, which a person confirms or lifts."""

card_question = sa.Table(
    "card_question",
    metadata,
    identity(),
    sa.Column("opening_id", sa.ForeignKey("opening.id"), nullable=False, index=True),
    sa.Column("check_id", sa.ForeignKey("opening_check.id"), nullable=False),
    sa.Column("outlet_id", sa.ForeignKey("outlet.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    word_column("state", QuestionState),
    when("asked_at", required=True),  # real
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("claimed_by", sa.Text),
    when("claimed_at"),  # real
    word_column("answer", DeskAnswer, required=False),
    sa.Column("basis", sa.Text, nullable=False, server_default=""),
    sa.Column("answered_by", sa.Text),
    when("answered_at"),  # real
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("reason_sealed", BYTEA),
    when("changed_at", required=True),  # real
    sa.Index(
        "uq_card_question_open",
        "opening_id",
        unique=True,
        postgresql_where=sa.text("state IN ('claimed', 'waiting')"),
    ),
    sa.Index(
        "ix_card_question_waiting", "asked_at", postgresql_where=sa.text("state IN ('claimed', 'waiting')")
    ),
    sa.Index("ix_card_question_asked_at", "asked_at"),
    sa.Index("ix_card_question_changed_at", "changed_at"),
    sa.CheckConstraint("(state = 'answered') = (answered_by IS NOT NULL)", name="answered"),
    sa.CheckConstraint(
        "state <> 'answered' OR (answer IS NOT NULL AND reason_sealed IS NOT NULL AND basis <> '')",
        name="whole_answer",
    ),
)
"""Questions of outlets to the desk, while the customer waits."""

onsite_check = sa.Table(
    "onsite_check",
    metadata,
    identity(),
    sa.Column("question_id", sa.ForeignKey("card_question.id"), nullable=False, unique=True),
    sa.Column("outlet_id", sa.ForeignKey("outlet.id"), nullable=False),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("ordered_by", sa.Text, nullable=False),
    when("ordered_at", required=True),  # real
    when("arrived_at"),  # real
    when("ended_at"),  # real
    sa.Column("persons", sa.Integer),
    word_column("finding", OnsiteFinding, required=False),
    sa.Column("note_sealed", BYTEA),
    sa.Column("ended_by", sa.Text),
    sa.CheckConstraint("persons >= 0", name="persons"),
    sa.CheckConstraint("ended_at IS NULL OR (arrived_at IS NOT NULL AND finding IS NOT NULL)", name="ended"),
)

card_determination = sa.Table(
    "card_determination",
    metadata,
    identity(),
    sa.Column("person_blind", BYTEA, nullable=False, index=True),
    sa.Column("document_no", sa.Text, nullable=False),
    sa.Column("authority", sa.Text, nullable=False),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("until_on", sa.Date, nullable=False),
    word_column("state", DeterminationState),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("entered_by", sa.Text, nullable=False),
    when("entered_at", required=True),
    when("expires_at"),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("lifted_by", sa.Text),
    when("lifted_at"),
    sa.Index("ix_card_determination_waiting", "entered_at", postgresql_where=sa.text("state = 'waiting'")),
    sa.CheckConstraint("until_on > from_on", name="term"),
    sa.Index(
        "uq_card_determination_document",
        "document_no",
        "person_blind",
        unique=True,
        postgresql_where=sa.text("state NOT IN ('expired', 'refused')"),
    ),
    sa.CheckConstraint("lower(decided_by) <> lower(entered_by)", name="second_person"),
    sa.CheckConstraint("(state IN ('expired', 'waiting')) = (decided_by IS NULL)", name="decided"),
    sa.CheckConstraint("(state = 'lifted') = (lifted_by IS NOT NULL)", name="lifted"),
)
"""Restrictions that an authority has determined for a person. `until_on` is the first day after the term; `expires_at`:
until then a second person may approve it.
"""

card_objection = sa.Table(
    "card_objection",
    metadata,
    identity(),
    sa.Column("opening_id", sa.ForeignKey("opening.id")),
    sa.Column("determination_id", sa.ForeignKey("card_determination.id")),
    sa.Column("opener_id", sa.ForeignKey("card_opener.id")),
    sa.Column("outlet_id", sa.ForeignKey("outlet.id")),
    word_column("state", ObjectionState),
    sa.Column("decider", sa.Text, nullable=False),
    sa.Column("entered_by", sa.Text),
    sa.Column("taken_by", sa.Text, nullable=False),
    when("taken_at", required=True),
    when("due_at", required=True),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("reason_sealed", BYTEA),
    sa.Index("ix_card_objection_open", "due_at", postgresql_where=sa.text("state = 'open'")),
    sa.CheckConstraint("num_nonnulls(opening_id, determination_id, opener_id) = 1", name="one"),
    sa.CheckConstraint("(state = 'open') = (decided_by IS NULL)", name="decided"),
    sa.CheckConstraint(
        "lower(decided_by) <> lower(decider) AND lower(decided_by) <> lower(taken_by)"
        " AND (entered_by IS NULL OR lower(decided_by) <> lower(entered_by))",
        name="another_person",
    ),
)
"""Objections. `decider`: who made the decision that is objected to, and `entered_by`: who had entered it for them;
another person checks it.
"""
