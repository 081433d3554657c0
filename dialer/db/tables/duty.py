"""Tables of rosters, which account has which shift on which day and what was changed afterwards, of leave, of how
accounts on duty are told of work, and of what each account does now.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, UUID

from dialer.core.access import StaffChangeState
from dialer.core.notifications import (
    NotificationChannel,
    NotificationFault,
    NotificationState,
    WebhookFormat,
)
from dialer.core.presence import BreakReason, PresenceEvent, PresenceState
from dialer.core.rota import DutyKind, LeaveReason
from dialer.db.columns import claim_token, identity, metadata, when, word_column

duty_roster = sa.Table(
    "duty_roster",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True, info={"words": [kind.value for kind in DutyKind]}),
    sa.Column("last_day", sa.Date, nullable=False),  # the last one for which a month was loaded
)

duty_entry = sa.Table(
    "duty_entry",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True, info={"words": [kind.value for kind in DutyKind]}),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("place", sa.SmallInteger, nullable=False),  # the person's row in the roster
    sa.Index("ix_duty_entry_day", "day"),
)

duty_change = sa.Table(
    "duty_change",
    metadata,
    identity(),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    word_column("kind", DutyKind),
    when("starts_at", required=True),
    when("ends_at", required=True),
    sa.Column("off_id", sa.ForeignKey("staff.id")),
    sa.Column("on_id", sa.ForeignKey("staff.id")),
    sa.Column("made_by", sa.Text, nullable=False),
    when("made_at", required=True),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint("starts_at < ends_at", name="lasts"),
    sa.CheckConstraint("off_id IS NOT NULL OR on_id IS NOT NULL", name="somebody"),
    sa.Index("ix_duty_change_ends_at", "ends_at"),
)

duty_swap = sa.Table(
    "duty_swap",
    metadata,
    identity(),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    word_column("kind", DutyKind),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("from_id", sa.ForeignKey("staff.id"), nullable=False),
    sa.Column("to_id", sa.ForeignKey("staff.id"), nullable=False),
    sa.Column("back_day", sa.Date),  # the shift of `to_id` that `from_id` has in return
    sa.Column("back_mark", sa.Text),
    word_column("state", StaffChangeState),
    sa.Column("asked_by", sa.Text, nullable=False),
    when("asked_at", required=True),
    when("expires_at", required=True),  # the start of the first of its shifts
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.CheckConstraint("from_id <> to_id", name="two_persons"),
    sa.CheckConstraint("(back_day IS NULL) = (back_mark IS NULL)", name="back"),
    sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided"),
    sa.Index(
        "uq_duty_swap_waiting",
        "unit_id",
        "kind",
        "day",
        "mark",
        "from_id",
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    ),
    sa.Index(
        "ix_duty_swap_day",
        sa.text("greatest(day, back_day)"),
        postgresql_where=sa.text("state = 'confirmed'"),
    ),
)

duty_leave = sa.Table(
    "duty_leave",
    metadata,
    identity(),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False),
    when("starts_at", required=True),
    when("ends_at", required=True),
    word_column("reason", LeaveReason),
    sa.Column("made_by", sa.Text, nullable=False),
    when("made_at", required=True),
    sa.CheckConstraint("starts_at < ends_at", name="lasts"),
    sa.Index("ix_duty_leave_ends_at", "ends_at"),
)

notification_rules = sa.Table(
    "notification_rules",
    metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True, autoincrement=False),
    *(sa.Column(f"{channel.value}_seconds", sa.Integer) for channel in NotificationChannel),
    sa.Column("quiet_from", sa.Time),
    sa.Column("quiet_to", sa.Time),
    word_column("format", WebhookFormat, default=WebhookFormat.STANDARD),
    sa.Column("sealed", BYTEA, nullable=False),
    when("changed_at", required=True),
    *(
        sa.CheckConstraint(f"{channel.value}_seconds BETWEEN 0 AND 86400", name=f"{channel.value}_seconds")
        for channel in NotificationChannel
    ),
    sa.CheckConstraint("(quiet_from IS NULL) = (quiet_to IS NULL)", name="quiet"),
)
"""A person's own rules: after how long each channel is used; NULL: it is not. `sealed` has the telephone, the address
of the webhook and its secret.
"""

push_browser = sa.Table(
    "push_browser",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False),
    sa.Column("sealed", BYTEA, nullable=False),
    when("added_at", required=True),
    when("wait_until"),  # real: its push service takes nothing before
    sa.Index("ix_push_browser_staff_id", "staff_id"),
)
"""A browser that shows its person what is pushed. `id` is a digest of its address at the push service; `sealed` has the
address and the keys that the browser reads by.
"""

notification = sa.Table(
    "notification",
    metadata,
    sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), primary_key=True),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False),
    word_column("channel", NotificationChannel),
    word_column("state", NotificationState, default=NotificationState.WAITING),
    sa.Column("assignment_ids", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("tokens", ARRAY(sa.BigInteger), nullable=False),  # of the assignments, in the same order
    sa.Column("order_ids", ARRAY(sa.BigInteger), nullable=False, server_default="{}"),  # to correct
    sa.Column("is_test", sa.Boolean, nullable=False),
    when("created_at", required=True),
    when("due_at", required=True),
    when("lease_until"),  # real: until then its sender, or a page, says that it was sent
    claim_token(),
    when("sent_at"),
    word_column("fault", NotificationFault, required=False),
    sa.Index(
        "uq_notification_waiting",
        "staff_id",
        "channel",
        "is_test",
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    ),
    sa.Index("ix_notification_due", "due_at", postgresql_where=sa.text("state = 'waiting'")),
    sa.Index("ix_notification_sending", "lease_until", postgresql_where=sa.text("state = 'sending'")),
    sa.Index("ix_notification_staff", "staff_id", "created_at"),
    sa.Index("ix_notification_created_at", "created_at"),
    sa.CheckConstraint("cardinality(assignment_ids) = cardinality(tokens)", name="tokens"),
    sa.CheckConstraint("(state = 'failed') = (fault IS NOT NULL)", name="fault_state"),
)
"""One message to one person about the assignments that wait for them and orders to correct that wait for their unit;
what comes while it waits is added to it. An assignment counts while it is open under the token that it had then, an
order while nobody has signed for it.
"""

presence = sa.Table(
    "presence",
    metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True, autoincrement=False),
    word_column("state", PresenceState),
    word_column("reason", BreakReason, required=False),
    word_column("then", PresenceState, required=False),  # when the task in hand is over; NULL: free
    word_column("then_reason", BreakReason, required=False),
    when("since", required=True),
    sa.Column("set_by", sa.Text, nullable=False),  # '': the work did
    sa.Column("why", sa.Text, nullable=False, server_default=""),  # of a supervisor
    when("seen_at", required=True),  # real: a page of the account was open then
    sa.Column("changes", sa.BigInteger, nullable=False),  # how often it has changed
    sa.CheckConstraint("(state = 'break') = (reason IS NOT NULL)", name="break"),
    sa.CheckConstraint(
        "(\"then\" IS NOT DISTINCT FROM 'break') = (then_reason IS NOT NULL)", name="then_break"
    ),
    sa.CheckConstraint("\"then\" IN ('break', 'off')", name="planned"),
    sa.CheckConstraint(
        "\"then\" IS NULL OR state IN ('on_task', 'on_call', 'after_work')", name="planned_at_work"
    ),
    sa.Index("ix_presence_on", "state", "since", postgresql_where=sa.text("state <> 'off'")),
)
"""What an account does now. Without a row it is off."""

presence_change = sa.Table(
    "presence_change",
    metadata,
    identity(),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False),
    when("at", required=True),
    word_column("state", PresenceState),
    word_column("reason", BreakReason, required=False),
    word_column("event", PresenceEvent),
    sa.Column("set_by", sa.Text, nullable=False),
    sa.Index("ix_presence_change_staff", "staff_id", "at"),
    sa.Index("ix_presence_change_at", "at"),
)
"""Each change of a presence, with what changed it: how long somebody did what. Deleted after 90 days."""
