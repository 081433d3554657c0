"""The rows, and what the database itself refuses. Times are aware UTC of the service clock, except where the name
or the comment says real: leases, posting times, pacing slots and heartbeats run on the machine's clock.
"""

from __future__ import annotations

from dialer.db.columns import metadata as metadata
from dialer.db.columns import one_of
from dialer.db.tables.calls import attempt as attempt
from dialer.db.tables.calls import carrier_call as carrier_call
from dialer.db.tables.calls import desk_call as desk_call
from dialer.db.tables.calls import event as event
from dialer.db.tables.calls import hold as hold
from dialer.db.tables.calls import inbound_call as inbound_call
from dialer.db.tables.calls import line_group as line_group
from dialer.db.tables.calls import live_number as live_number
from dialer.db.tables.calls import message as message
from dialer.db.tables.calls import recording as recording
from dialer.db.tables.cards import card_determination as card_determination
from dialer.db.tables.cards import card_objection as card_objection
from dialer.db.tables.cards import card_opener as card_opener
from dialer.db.tables.cards import card_question as card_question
from dialer.db.tables.cards import card_ring as card_ring
from dialer.db.tables.cards import institution as institution
from dialer.db.tables.cards import onsite_check as onsite_check
from dialer.db.tables.cards import opening as opening
from dialer.db.tables.cards import opening_check as opening_check
from dialer.db.tables.cards import opening_fact as opening_fact
from dialer.db.tables.cards import outlet as outlet
from dialer.db.tables.cards import outlet_notice as outlet_notice
from dialer.db.tables.cards import outlet_report as outlet_report
from dialer.db.tables.cards import outlet_step as outlet_step
from dialer.db.tables.cards import outlet_teller as outlet_teller
from dialer.db.tables.cases import case as case
from dialer.db.tables.cases import case_fact as case_fact
from dialer.db.tables.cases import day_figure as day_figure
from dialer.db.tables.cases import day_trend as day_trend
from dialer.db.tables.cases import erasure as erasure
from dialer.db.tables.cases import kept_report as kept_report
from dialer.db.tables.cases import legal_hold as legal_hold
from dialer.db.tables.cases import list_file as list_file
from dialer.db.tables.cases import list_load as list_load
from dialer.db.tables.cases import list_mapping as list_mapping
from dialer.db.tables.cases import list_reject as list_reject
from dialer.db.tables.cases import meta as meta
from dialer.db.tables.cases import month_figure as month_figure
from dialer.db.tables.cases import person as person
from dialer.db.tables.cases import person_key as person_key
from dialer.db.tables.cases import person_phone as person_phone
from dialer.db.tables.cases import policy_version as policy_version
from dialer.db.tables.cases import service_clock as service_clock
from dialer.db.tables.cases import tally_mark as tally_mark
from dialer.db.tables.cases import warning as warning
from dialer.db.tables.org import script_approval as script_approval
from dialer.db.tables.org import script_render as script_render
from dialer.db.tables.org import script_sound as script_sound
from dialer.db.tables.org import script_trial as script_trial
from dialer.db.tables.org import script_version as script_version
from dialer.db.tables.org import sign_in_failure as sign_in_failure
from dialer.db.tables.org import sign_in_step as sign_in_step
from dialer.db.tables.org import sound_file as sound_file
from dialer.db.tables.org import staff as staff
from dialer.db.tables.org import staff_change as staff_change
from dialer.db.tables.org import staff_factor as staff_factor
from dialer.db.tables.org import staff_link as staff_link
from dialer.db.tables.org import staff_recovery_code as staff_recovery_code
from dialer.db.tables.org import staff_session as staff_session
from dialer.db.tables.org import unit as unit
from dialer.db.tables.org import unit_alias as unit_alias
from dialer.db.tables.org import unit_boundary as unit_boundary
from dialer.db.tables.signals import robot_draw as robot_draw
from dialer.db.tables.signals import robot_shard as robot_shard
from dialer.db.tables.signals import robot_snapshot as robot_snapshot
from dialer.db.tables.signals import rule_approval as rule_approval
from dialer.db.tables.signals import rule_stop as rule_stop
from dialer.db.tables.signals import rule_version as rule_version
from dialer.db.tables.signals import shadow as shadow
from dialer.db.tables.signals import shadow_person as shadow_person
from dialer.db.tables.signals import signal as signal
from dialer.db.tables.signals import signal_minute as signal_minute
from dialer.db.tables.signals import verdict as verdict
from dialer.db.tables.signals import verdict_reason as verdict_reason
from dialer.db.tables.work import alarm as alarm
from dialer.db.tables.work import api_token as api_token
from dialer.db.tables.work import assignment as assignment
from dialer.db.tables.work import assignment_transfer as assignment_transfer
from dialer.db.tables.work import audit as audit
from dialer.db.tables.work import audit_head as audit_head
from dialer.db.tables.work import bulletin as bulletin
from dialer.db.tables.work import evidence_file as evidence_file
from dialer.db.tables.work import filed_case as filed_case
from dialer.db.tables.work import filed_case_change as filed_case_change
from dialer.db.tables.work import filed_match as filed_match
from dialer.db.tables.work import filed_record as filed_record
from dialer.db.tables.work import heartbeat as heartbeat
from dialer.db.tables.work import lease as lease
from dialer.db.tables.work import outcome as outcome
from dialer.db.tables.work import outcome_approval as outcome_approval
from dialer.db.tables.work import outcome_waiting as outcome_waiting
from dialer.db.tables.work import saved_filter as saved_filter
from dialer.db.tables.work import sent_act as sent_act
from dialer.db.tables.work import stop_payment as stop_payment
from dialer.db.tables.work import stop_request as stop_request
from dialer.db.tables.work import token_request as token_request
from dialer.db.tables.work import visit_photo as visit_photo
from dialer.db.tables.work import webhook as webhook
from dialer.db.tables.work import webhook_delivery as webhook_delivery
from dialer.db.tables.work import webhook_try as webhook_try

APPEND_ONLY = (
    outcome,
    outcome_approval,
    event,
    audit,
    filed_case,
    filed_case_change,
    script_version,
    script_sound,
    script_approval,
    sound_file,
    script_trial,
    rule_version,
    rule_approval,
)
"""A trigger refuses UPDATE and DELETE on these for every role."""

for _table in metadata.tables.values():
    one_of(_table)
