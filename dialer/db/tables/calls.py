"""Tables of call attempts, numbers, lines, pauses, events, messages and recordings. `dialer.db.tables` says what the
times mean.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from dialer.core.attempt import AttemptState
from dialer.core.case import DeskCallState, InboundResult, InboundState
from dialer.core.listening import ListenMode, ListenState
from dialer.core.reach import Reach
from dialer.core.third_party import HandOverStep, PartyKind, PartyState
from dialer.core.values import (
    MESSAGES_IN_DOUBT,
    Announcement,
    Answer,
    Contact,
    MessageChannel,
    MessagePurpose,
    MessageState,
    PauseScope,
    RecordingState,
    TelephonyResult,
)
from dialer.db.columns import (
    LIVE,
    belongs_to,
    claim_token,
    identity,
    metadata,
    tries_column,
    when,
    word_column,
    words,
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    belongs_to("case_id", "case"),
    sa.Column("person_id", sa.BigInteger, nullable=False),
    sa.Column("n", sa.SmallInteger, nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    word_column("state", AttemptState),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("windowed", sa.Boolean, nullable=False),
    when("urgency_at", required=True),
    when("not_before", required=True),
    when("planned_at", required=True),
    claim_token(),
    when("lease_until"),  # real
    when("send_at"),  # real: the pacing slot
    when("posted_at"),  # real: just before the POST
    sa.Column("polls", sa.SmallInteger, nullable=False, server_default="0"),
    when("poll_at"),  # real: when the carrier is asked if no news has come
    sa.Column("sid", sa.Text),
    when("sent_at"),
    when("accepted_at"),
    when("ringing_at"),
    when("answered_at"),
    when("ended_at"),
    sa.Column("sequence", sa.SmallInteger, nullable=False, server_default="-1"),
    word_column("result", TelephonyResult, required=False),
    word_column("contact", Contact),
    word_column("answer", Answer),
    sa.Column("last_step", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("last_node", sa.Text, nullable=False, server_default=""),
    sa.Column("spoke", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("played_seconds", sa.Double, nullable=False, server_default="0"),
    sa.Column("heard_seconds", sa.SmallInteger),
    sa.Column("hearing", JSONB),  # see `dialer.core.reach.Hearing`
    sa.Column("forwarded", sa.Boolean, nullable=False, server_default=sa.false()),
    word_column("reach", Reach, required=False),
    sa.Column("talk_seconds", sa.Integer),
    sa.Column("answered_by", sa.Text),
    sa.Column("sip_code", sa.SmallInteger),
    sa.Column("error_code", sa.Integer),
    word_column("announcement", Announcement, required=False),
    sa.Column("announcement_score", sa.Double),
    sa.Column("cancel_asked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("script_id", sa.Text, nullable=False, server_default=""),
    sa.Column("script_hash", sa.Text, nullable=False, server_default=""),
    sa.Column("script_version_id", sa.BigInteger),
    sa.Column("audio_hash", sa.Text, nullable=False, server_default=""),
    sa.Column("language", sa.Text, nullable=False, server_default=""),
    sa.Column("records", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.UniqueConstraint("case_id", "n"),
    # Only calls that were accepted: a million planned ones have no entry.
    sa.Index("uq_attempt_sid", "sid", unique=True, postgresql_where=sa.text("sid IS NOT NULL")),
    sa.Index(
        "ix_attempt_ready", "windowed", "urgency_at", postgresql_where=sa.text("state = 'ready' AND NOT held")
    ),
    sa.Index("ix_attempt_planned", "not_before", postgresql_where=sa.text("state = 'planned'")),
    sa.Index("ix_attempt_held", "case_id", postgresql_where=sa.text("held")),
    sa.Index("ix_attempt_live", "state", "poll_at", postgresql_where=sa.text(LIVE)),
    # A B-tree, not BRIN: an attempt that changes is written where there is room, so every block has rows of all times.
    sa.Index("ix_attempt_sent_at", "sent_at", postgresql_where=sa.text("sent_at IS NOT NULL")),
    sa.CheckConstraint("state <> 'ended' OR result IS NOT NULL", name="ended_has_a_result"),
)

live_number = sa.Table(
    "live_number",
    metadata,
    sa.Column("phone_blind", BYTEA, primary_key=True),
    sa.Column("attempt_id", UUID(as_uuid=True), unique=True),
    when("free_at"),
    sa.Column("called_at", ARRAY(sa.DateTime(timezone=True)), nullable=False, server_default="{}"),
)
"""Numbers that are in a call (of `attempt_id`), or that rest after a call until `free_at`. `called_at`: the ends of the
last calls, oldest first, as many as may be made in a day.
"""

line_group = sa.Table(
    "line_group",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("calls_per_second", sa.Double, nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
    when("next_slot_at", required=True),  # real
    when("slow_until"),  # real: the carrier asked us to slow down, or does not answer
    sa.Column("troubles", sa.Integer, nullable=False, server_default="0"),
    when("opened_at"),  # real: since when the breaker is open; NULL: closed
    sa.Column("openings", sa.Integer, nullable=False, server_default="0"),
    when("sound_opened_at"),  # real: since when the carrier cannot get our words; NULL: it can
    when("sound_wait_until"),  # real
    sa.Column("sound_openings", sa.Integer, nullable=False, server_default="0"),
    when("paused_until"),
    sa.Column("paused_why", sa.Text, nullable=False, server_default=""),
    sa.Column("settings_calls_per_second", sa.Double),
    sa.Column("settings_lines", sa.Integer),
    sa.Column("asked_calls_per_second", sa.Double),
    sa.Column("asked_lines", sa.Integer),
    sa.Column("asked_by", sa.Text),
    sa.Column("asked_why", sa.Text),
    when("asked_at"),
    sa.Column("timeline", sa.Integer),
    sa.CheckConstraint("calls_per_second > 0 AND lines > 0", name="positive"),
    sa.CheckConstraint(
        "(asked_by IS NULL) = (asked_at IS NULL) AND (asked_by IS NULL) = (asked_calls_per_second IS NULL)"
        " AND (asked_by IS NULL) = (asked_lines IS NULL)",
        name="asked",
    ),
)
"""Line groups. `calls_per_second` and `lines` are in force: what a supervisor has set, and never more than the settings
allow. `timeline`: that of the database when calls were claimed last; NULL: none was noted since a restore.
"""

hold = sa.Table(
    "hold",
    metadata,
    identity(),
    word_column("scope", PauseScope),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    when("until", required=True),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("placed_at", required=True),
    when("ended_at"),
    sa.Column("ended_by", sa.Text),
    sa.Index(
        "uq_hold_standing", "scope", "subject", unique=True, postgresql_where=sa.text("ended_at IS NULL")
    ),
    sa.CheckConstraint("(scope = 'all') = (subject = '')", name="subject"),
    sa.CheckConstraint("ended_at IS NOT NULL OR ended_by IS NULL", name="ended"),
    sa.CheckConstraint("unit_id IS NULL OR scope = 'unit'", name="unit_id"),
)
"""Pauses of dialling: who placed it, why, and until when it is in force; when it has ended, `ended_by` NULL means that
it ran out. With a `unit_id` it applies to that unit and all below; a name that is not a unit's is compared as it was
written.
"""

event = sa.Table(
    "event",
    metadata,
    identity(),
    sa.Column("attempt_id", UUID(as_uuid=True)),
    sa.Column("case_id", sa.BigInteger, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("by", sa.Text, nullable=False, server_default=""),
    sa.Column("facts", JSONB, nullable=False),
    sa.Column("sealed", BYTEA),
    sa.Index("ix_event_attempt_id", "attempt_id", "step", unique=True),
    sa.Index(
        "ix_event_duplicate_of",
        sa.text("((facts ->> 'of')::bigint)"),
        postgresql_where=sa.text("kind = 'duplicate'"),
    ),
    sa.Index("ix_event_unit_raised", "at", postgresql_where=sa.text("kind = 'unit_raised'")),
)
"""Every event from the carrier that we answered with 2xx, and every act of a person. `facts` has nothing personal."""

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    word_column("purpose", MessagePurpose),
    sa.Column("channel", sa.Text, nullable=False, server_default=MessageChannel.SMS.value),
    word_column("state", MessageState),
    when("planned_at", required=True),
    when("not_before", required=True),
    when("posted_at"),  # real
    when("poll_at"),  # real
    sa.Column("polls", sa.SmallInteger, nullable=False, server_default="0"),
    tries_column(),
    claim_token(),
    sa.Column("sid", sa.Text),
    when("sent_at"),
    when("ended_at"),
    sa.Column("error_code", sa.Integer),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.UniqueConstraint("case_id", "purpose"),
    sa.UniqueConstraint("channel", "sid"),
    sa.Index("ix_message_planned", "planned_at", postgresql_where=sa.text("state = 'planned'")),
    sa.Index(
        "ix_message_doubtful", "poll_at", postgresql_where=sa.text(f"state IN {words(MESSAGES_IN_DOUBT)}")
    ),
    sa.Index(
        "ix_message_silent",
        "poll_at",
        postgresql_where=sa.text("state IN ('accepted', 'sent') AND poll_at IS NOT NULL"),
    ),
)
"""Text messages, at most one per case and purpose. The text comes from the script and has nothing personal. `channel`
has no CHECK: a process claims only the channels that it knows, so a new channel needs no migration.
"""

desk_call = sa.Table(
    "desk_call",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id"), nullable=False, index=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    sa.Column("family", sa.Boolean, nullable=False, server_default=sa.false()),  # of the family contact
    sa.Column("extension", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    word_column("state", DeskCallState),
    sa.Column("sid", sa.Text, unique=True),
    when("asked_at", required=True),
    when("asked_real_at", required=True),  # real
    when("joined_at"),
    when("ended_at"),
    word_column("result", TelephonyResult, required=False),
    sa.Column("talk_seconds", sa.Integer),
    sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("records", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("drill", sa.Boolean, nullable=False),
    when("told_at"),
    # Hold and mute, as `dialer.core.talk.Talk`.
    sa.Column("in_room", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("room_sid", sa.Text),
    sa.Column("needs_room", sa.Boolean, nullable=False, server_default=sa.false()),
    when("hold_since"),
    sa.Column("is_held", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("mutes", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("is_muted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("hold_sequence", sa.Integer, nullable=False, server_default="-1"),
    sa.Column("mute_sequence", sa.Integer, nullable=False, server_default="-1"),
    when("talk_due_at"),  # real
    when("hold_alarm_at"),
    sa.Index("ix_desk_call_open", "asked_real_at", postgresql_where=sa.text("NOT settled")),
    sa.Index("ix_desk_call_by_asked_at", "by", "asked_at"),
    sa.CheckConstraint("state <> 'ended' OR result IS NOT NULL", name="ended_has_a_result"),
)
"""Calls from a desk: to the caller's own telephone first, then to the person's. `result` is the result at the person's
telephone; until the call is `settled`, the carrier can still be asked. It reserves the number as a robot's attempt
does.
"""

desk_listener = sa.Table(
    "desk_listener",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("call_id", sa.ForeignKey("desk_call.id"), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("extension", sa.Text, nullable=False),
    sa.Column("is_announced", sa.Boolean, nullable=False),
    word_column("state", ListenState),
    word_column("wants", ListenMode),
    word_column("has", ListenMode, required=False),
    word_column("asked", ListenMode, required=False),
    sa.Column("sid", sa.Text, unique=True),
    when("asked_at", required=True),
    when("ended_at"),
    when("due_at"),  # real
    when("state_since", required=True),  # real
    when("alarm_at"),
    sa.Index("uq_desk_listener_live", "call_id", unique=True, postgresql_where=sa.text("state <> 'ended'")),
    sa.Index(
        "uq_desk_listener_extension", "extension", unique=True, postgresql_where=sa.text("state <> 'ended'")
    ),
    sa.Index("ix_desk_listener_call_id", "call_id"),
)
"""Legs of supervisors who listen to calls from desks, as `dialer.core.listening.Listening`; one at a time in a call and
at a telephone. `due_at`: when the carrier is asked about it next, without a report until then.
"""

third_party = sa.Table(
    "third_party",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("call_id", sa.ForeignKey("desk_call.id"), nullable=False),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("party", sa.Text, nullable=False),
    word_column("kind", PartyKind),
    sa.Column("name", sa.Text, nullable=False),
    word_column("state", PartyState),
    word_column("done", HandOverStep, required=False),
    word_column("asked", HandOverStep, required=False),
    sa.Column("sid", sa.Text, unique=True),
    when("asked_at", required=True),
    when("ended_at"),
    when("due_at"),  # real
    when("state_since", required=True),  # real
    when("alarm_at"),
    sa.Index("uq_third_party_live", "call_id", unique=True, postgresql_where=sa.text("state <> 'ended'")),
    sa.Index("ix_third_party_call_id", "call_id"),
)
"""Legs of third parties in calls from desks, as `dialer.core.third_party.PartyLeg`; one at a time in a call. `party`
and `name`: whom the list of the organisation named. `due_at`: when the carrier is asked about it next, without a report
until then.
"""

inbound_call = sa.Table(
    "inbound_call",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("sid", sa.Text, nullable=False, unique=True),
    word_column("state", InboundState),
    sa.Column("case_id", sa.ForeignKey("case.id"), index=True),
    sa.Column("person_id", sa.ForeignKey("person.id")),
    sa.Column("number", sa.SmallInteger),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id"), index=True),
    sa.Column("turn", sa.Integer, nullable=False, server_default="0"),
    sa.Column("asked", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("typed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("extension", sa.Text, nullable=False, server_default=""),
    sa.Column("by", sa.Text, nullable=False, server_default=""),
    sa.Column("tried", ARRAY(sa.Text), nullable=False, server_default="{}"),
    when("arrived_at", required=True),
    when("arrived_real_at", required=True),  # real
    when("joined_at"),
    when("ended_at"),
    word_column("result", InboundResult, required=False),
    sa.Column("talk_seconds", sa.Integer),
    sa.Column("records", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Index("ix_inbound_call_live", "arrived_real_at", postgresql_where=sa.text("state <> 'ended'")),
    # Only one call at a time is at each of our telephones.
    sa.Index(
        "uq_inbound_call_extension",
        "extension",
        unique=True,
        postgresql_where=sa.text("state IN ('ringing', 'joined')"),
    ),
    sa.CheckConstraint("(state = 'ended') = (result IS NOT NULL)", name="ended_has_a_result"),
    sa.CheckConstraint("state NOT IN ('ringing', 'joined') OR extension <> ''", name="extension"),
    sa.CheckConstraint("(case_id IS NULL) = (assignment_id IS NULL)", name="assignment"),
)
"""Inbound calls. `number`: which of the person's numbers the call came from; NULL with a case: the number was typed.
Neither the caller's number itself nor a typed one is stored; `typed`: one was typed. `turn`: how many turns the
conversation has had; a webhook of another turn is repeated or late. `tried`: our telephones that were called and did
not answer.
"""

recording = sa.Table(
    "recording",
    metadata,
    identity(),
    sa.Column("attempt_id", UUID(as_uuid=True), unique=True),
    sa.Column("desk_call_id", sa.ForeignKey("desk_call.id"), unique=True),
    sa.Column("inbound_call_id", sa.ForeignKey("inbound_call.id"), unique=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    word_column("state", RecordingState),
    when("called_at", required=True),
    when("due_at"),  # real: when the carrier is asked next; NULL: nothing is left at the carrier
    tries_column(),
    claim_token(),
    sa.Column("sid", sa.Text),
    sa.Column("seconds", sa.Integer),
    sa.Column("size_bytes", sa.Integer),
    sa.Column("sha256", BYTEA),
    sa.Column("sealed", BYTEA),
    when("kept_at"),
    when("cleared_at"),
    when("deleted_at"),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Index("ix_recording_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("ix_recording_called_at", "called_at", postgresql_where=sa.text("state = 'kept'")),
    sa.CheckConstraint("(state = 'kept') = (sealed IS NOT NULL)", name="sealed"),
    sa.CheckConstraint("(state = 'deleted') = (deleted_at IS NOT NULL)", name="deleted"),
    sa.CheckConstraint("state <> 'kept' OR (sha256 IS NOT NULL AND size_bytes > 0)", name="kept"),
    sa.CheckConstraint("state <> 'waiting' OR due_at IS NOT NULL", name="waiting"),
    sa.CheckConstraint("num_nonnulls(attempt_id, desk_call_id, inbound_call_id) = 1", name="call"),
)
"""Recordings of calls: of the robot, from a desk, or inbound. `sha256` is the digest of the sound as the carrier
delivered it, and stays when the sound is deleted. `cleared_at`: since when nothing is left at the carrier.
"""

carrier_call = sa.Table(
    "carrier_call",
    metadata,
    sa.Column("sid", sa.Text, primary_key=True),
    sa.Column("phone_blind", BYTEA, nullable=False),
    when("called_at", required=True),  # real
    word_column("result", TelephonyResult),
    sa.Column("case_id", sa.BigInteger),
    when("found_at", required=True),  # real
    sa.Index("ix_carrier_call_open", "phone_blind", postgresql_where=sa.text("case_id IS NULL")),
)
"""Calls that the carrier lists and that the database did not know after a restore. `case_id` NULL: there was no open
case of that number; a list that is loaded again may bring it.
"""
