"""Tables of signals, of the warning robot's verdicts, and of its rules. `dialer.db.tables` says what the times mean."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from dialer.core.access import StaffChangeState
from dialer.core.values import FraudType, Grade, VerdictState
from dialer.db.columns import claim_token, identity, metadata, when, word_column

SIGNAL_DAYS: Final = 16
"""The number of partitions of `signal`: days since 1970, modulo this. Signals are kept for fewer days."""

signal = sa.Table(
    "signal",
    metadata,
    sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
    sa.Column("slot", sa.SmallInteger, nullable=False, autoincrement=False),
    sa.Column("shard", sa.SmallInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("signal_no", sa.Text, nullable=False),
    when("event_at", required=True),
    when("received_at", required=True),
    sa.Column("person_hash", BYTEA),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.PrimaryKeyConstraint("seq", "slot"),
    sa.UniqueConstraint("source", "signal_no", "slot"),
    sa.Index("ix_signal_person", "person_hash", postgresql_where=sa.text("person_hash IS NOT NULL")),
    sa.Index("ix_signal_received_at", "received_at"),
    sa.CheckConstraint("slot >= 0 AND slot < 16 AND shard >= -1", name="place"),
    postgresql_partition_by="LIST (slot)",
)
"""Accepted signals. `seq` counts in the order of the commits, so a reader that has seen one has seen all below it.
`shard` -1: the signal concerns no person, and every shard reads it. `person_hash` is keyed with a secret that is never
rotated. The partition of a slot is emptied as a whole, by `empty_signal_day`.
"""

signal_minute = sa.Table(
    "signal_minute",
    metadata,
    sa.Column("source", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("source", "at"),
    sa.Index("ix_signal_minute_at", "at"),
)
"""How many signals of a source were accepted in a minute."""

robot_shard = sa.Table(
    "robot_shard",
    metadata,
    sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("holder", sa.Text, nullable=False, server_default=""),
    when("until"),  # real, by the clock of the database
    claim_token(),
    sa.Column("rules_hash", sa.Text, nullable=False, server_default=""),
    sa.Column("fingerprint", sa.Text, nullable=False, server_default=""),
    sa.Column("fingerprint_seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("persons", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("too_late", sa.BigInteger, nullable=False, server_default="0"),
    when("at"),
)
"""The progress of the robot: every signal up to `seq` is evaluated, and its verdicts are committed. `holder` is the
process that evaluates this shard, `until` the end of its lease. `fingerprint` is that of the verdicts at the last
snapshot; `fingerprint_seq` is no longer written.
"""

robot_snapshot = sa.Table(
    "robot_snapshot",
    metadata,
    identity(),
    sa.Column("shard", sa.SmallInteger, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("rules_hash", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.UniqueConstraint("shard", "part"),
)
"""The state of a shard after all signals up to `seq`, in parts."""

verdict = sa.Table(
    "verdict",
    metadata,
    identity(),
    sa.Column("person_hash", BYTEA, nullable=False),
    word_column("state", VerdictState),
    word_column("grade", Grade, required=False),
    word_column("fraud_type", FraudType),
    sa.Column("score", sa.Integer, nullable=False),
    sa.Column("probability", sa.Double, nullable=False),
    sa.Column("money_fen", sa.BigInteger, nullable=False),
    sa.Column("rules", ARRAY(sa.Text), nullable=False),
    sa.Column("rules_hash", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    when("since", required=True),
    when("event_at", required=True),
    when("received_at", required=True),
    when("opened_at", required=True),
    when("changed_at", required=True),
    when("held_at"),
    sa.Column("instruction_no", sa.Text, nullable=False, unique=True),
    sa.Column("warnings", sa.SmallInteger, nullable=False, server_default="0"),
    when("sent_at"),
    when("resent_at"),
    word_column("sent_grade", Grade, required=False),
    word_column("sent_fraud_type", FraudType, required=False),
    sa.Column("person_id", sa.BigInteger),
    sa.Column("case_id", sa.BigInteger),
    sa.Column("draw_share", sa.Double),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("has_phone", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("held_for_number", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Index("ix_verdict_person", "person_hash", "event_at"),
    sa.Index("ix_verdict_case_id", "case_id", postgresql_where=sa.text("case_id IS NOT NULL")),
    sa.Index("ix_verdict_held", "score", "id", postgresql_where=sa.text("state = 'held'")),
    sa.Index("ix_verdict_below", "changed_at", postgresql_where=sa.text("state = 'below'")),
    sa.Index("ix_verdict_sent_at", "sent_at", postgresql_where=sa.text("sent_at IS NOT NULL")),
    sa.Index("ix_verdict_resent_at", "resent_at", postgresql_where=sa.text("resent_at IS NOT NULL")),
    sa.CheckConstraint("probability >= 0 AND probability <= 1 AND money_fen >= 0", name="figures"),
    sa.CheckConstraint("(draw_share IS NULL) = (state <> 'drawn') AND draw_share > 0", name="drawn"),
    sa.CheckConstraint(
        "(state IN ('sent', 'drawn')) = (sent_at IS NOT NULL) AND (warnings > 0) = (sent_at IS NOT NULL)",
        name="sent",
    ),
)
"""The robot's verdict on one incident of a person, as of the last signal that changed it. Its first warning has the
number `instruction_no`, further ones that number and their own. `sent_grade` and `sent_fraud_type` are those of the
last warning; `resent_at` is when it was sent, if it was not the first. `draw_share`: the probability with which the
verdict was drawn. `sealed`: the person's telephone and id number, and what would have prevented the warning.
`has_phone`: there is a telephone number; in a row of an older version it may be wrongly true until the row is read for
sending. `held_for_number`: it waits for a person, because its number had many open cases.
"""

robot_draw = sa.Table(
    "robot_draw",
    metadata,
    identity(),
    when("at", required=True),
    sa.Column("pool", sa.Integer, nullable=False),
    sa.Column("drawn", sa.Integer, nullable=False),
    sa.Column("patterns", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Index("ix_robot_draw_at", "at"),
    sa.CheckConstraint("drawn >= 0 AND drawn <= pool", name="drawn"),
)
"""How many verdicts below the threshold there were when some of them were drawn. `patterns`: for those not drawn, pairs
of the rules that fired and the number of verdicts with exactly these rules; nothing personal.
"""

verdict_reason = sa.Table(
    "verdict_reason",
    metadata,
    sa.Column("verdict_id", sa.ForeignKey("verdict.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    when("at", required=True),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("sources", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Index("ix_verdict_reason_rule", "rule", "at"),
)
"""A rule that fired for a verdict, with its sentence, its figures, and copies of its signals, which are kept as long as
the verdict. The `points` of a mitigator are negative. `sources`: those without which it would not have fired.
"""

rule_version = sa.Table(
    "rule_version",
    metadata,
    identity(),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("content_hash", sa.Text, nullable=False, unique=True),
    sa.Column("files", JSONB, nullable=False),
    sa.Column("scorecard", JSONB),
    sa.Column("drafted_by", sa.Text, nullable=False),
    when("drafted_at", required=True),
    sa.UniqueConstraint("id", "drafted_by"),
    sa.CheckConstraint("number > 0 AND drafted_by <> '' AND content_hash <> ''", name="whole"),
)
"""Append-only: the source of all rules, by file name, and the scorecard."""

rule_approval = sa.Table(
    "rule_approval",
    metadata,
    identity(),
    sa.Column("version_id", sa.BigInteger, nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    when("at", required=True),
    sa.ForeignKeyConstraint(
        ["version_id", "drafted_by"],
        ["rule_version.id", "rule_version.drafted_by"],
        name="fk_rule_approval_version",
    ),
    sa.Index("ix_rule_approval_version_id", "version_id"),
    sa.CheckConstraint("approved_by <> drafted_by AND approved_by <> ''", name="second_person"),
    sa.CheckConstraint("reason <> ''", name="reason"),
)
"""Append-only. The robot evaluates with the newest approved version."""

shadow = sa.Table(
    "shadow",
    metadata,
    sa.Column("version_id", sa.ForeignKey("rule_version.id"), primary_key=True),
    when("started_at", required=True),
)
"""The draft that runs beside the live rules; one row at most."""

shadow_person = sa.Table(
    "shadow_person",
    metadata,
    sa.Column("version_id", sa.ForeignKey("shadow.version_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("person_hash", BYTEA, primary_key=True),
    word_column("live_grade", Grade, required=False),
    word_column("draft_grade", Grade, required=False),
    when("changed_at", required=True),
    sa.Index("ix_shadow_person_changed_at", "changed_at"),
)
"""The grades that the live rules and the draft give a person, since one of the two last changed."""

rule_stop = sa.Table(
    "rule_stop",
    metadata,
    identity(),
    sa.Column("rule", sa.Text, nullable=False),
    when("stopped_at", required=True),
    sa.Column("stopped_by", sa.Text, nullable=False),
    sa.Column("facts", JSONB, nullable=False),
    when("ended_at"),
    sa.Column("ended_by", sa.Text),
    sa.Column("source", sa.Text, nullable=False, server_default=""),
    sa.Index(
        "uq_rule_stop_active", "rule", "source", unique=True, postgresql_where=sa.text("ended_at IS NULL")
    ),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
)
"""Stopped rules, which fired far more often than usual: verdicts that only a stopped rule supports are held.
With a `source`, the rule is stopped only where it depends on this source.
"""

list_item_request = sa.Table(
    "list_item_request",
    metadata,
    identity(),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("item_hash", BYTEA, nullable=False),
    sa.Column("list_kind", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("change", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    when("asked_at", required=True),
    when("expires_at", required=True),
    word_column("state", StaffChangeState),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Index(
        "uq_list_item_request_waiting",
        "item_hash",
        "list_kind",
        "source",
        "change",
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    ),
    sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_at"),
    sa.CheckConstraint("(state IN ('waiting', 'expired')) = (decided_by IS NULL)", name="decided_by"),
    sa.CheckConstraint("state <> 'confirmed' OR decided_by <> asked_by", name="second_person"),
)
"""Entries of lists that one person has asked to confirm, or to take off; another one confirms. The item is a keyed
hash.
"""
