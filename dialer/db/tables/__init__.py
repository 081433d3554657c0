"""The rows, and what the database itself refuses. Times are aware UTC of the service clock, except where the name
or the comment says real: leases, posting times, pacing slots and heartbeats run on the machine's clock.
"""

from __future__ import annotations

from dialer.db.columns import metadata, one_of
from dialer.db.tables.calls import attempt, desk_call, event, hold, line_group, live_number, message
from dialer.db.tables.cases import (
    case,
    case_fact,
    day_figure,
    list_file,
    list_load,
    list_mapping,
    list_reject,
    meta,
    person,
    person_key,
    person_phone,
    policy_version,
    service_clock,
    tally_mark,
    warning,
)
from dialer.db.tables.org import (
    script_approval,
    script_render,
    script_sound,
    script_trial,
    script_version,
    sign_in_failure,
    sound_file,
    staff,
    staff_link,
    staff_session,
    unit,
    unit_alias,
)
from dialer.db.tables.work import (
    alarm,
    api_token,
    assignment,
    assignment_transfer,
    audit,
    filed_case,
    heartbeat,
    outcome,
    outcome_approval,
    sent_act,
    stop_payment,
    visit_photo,
)

APPEND_ONLY = (
    outcome,
    outcome_approval,
    event,
    audit,
    filed_case,
    script_version,
    script_sound,
    script_approval,
    sound_file,
    script_trial,
)
"""A trigger refuses UPDATE and DELETE on these for every role."""

for _table in metadata.tables.values():
    one_of(_table)

__all__ = [
    "APPEND_ONLY",
    "alarm",
    "api_token",
    "assignment",
    "assignment_transfer",
    "attempt",
    "audit",
    "case",
    "case_fact",
    "day_figure",
    "desk_call",
    "event",
    "filed_case",
    "heartbeat",
    "hold",
    "line_group",
    "list_file",
    "list_load",
    "list_mapping",
    "list_reject",
    "live_number",
    "message",
    "meta",
    "metadata",
    "outcome",
    "outcome_approval",
    "person",
    "person_key",
    "person_phone",
    "policy_version",
    "script_approval",
    "script_render",
    "script_sound",
    "script_trial",
    "script_version",
    "sent_act",
    "service_clock",
    "sign_in_failure",
    "sound_file",
    "staff",
    "staff_link",
    "staff_session",
    "stop_payment",
    "tally_mark",
    "unit",
    "unit_alias",
    "visit_photo",
    "warning",
]
