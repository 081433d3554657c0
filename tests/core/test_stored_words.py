"""The words of the enumerations that rows, JSON and addresses hold and no page shows; the glossary has all the others.
A word that changes here is one that stored rows and other systems no longer find.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from enum import StrEnum

import dialer.core
import dialer.intake
from dialer.language.enumerations import ENUMERATIONS

_WORDS = {
    "FamilyContact": "none known called",
    "TalkChange": "hold resume mute unmute",
    "RoomVoice": "desk person supervisor third_party",
    "ListenState": "moving calling connected leaving ended",
    "ListenEvent": "room_began entered stopped call_over leg_over",
    "PartyState": "moving calling connected taking_over has_call leaving ended",
    "PartyEvent": "room_began entered hand_over desk_left stopped call_over leg_over",
    "HandOverStep": "let_desk_go take_back hang_up_desk bind",
    "DeliveryEvent": "delivered given_up webhook_ended sent_again",
    "NotificationEvent": "claimed sent accepted failed work_taken duty_ended",
    "MessageEvent": "sending in_doubt not_taken accepted sent delivered undelivered failed",
    "Lang": "zh en",
    "NumberKind": "mobile fixed_line toll_free shared_cost premium_rate voip personal pager uan voicemail unknown",
    "FileFault": "memory time text damage busy",
    "KnownList": "units filed signals openings rosters",
    "PictureFault": "kind pixels damage busy locked active",
    "StaffChangeState": "waiting confirmed refused withdrawn expired",
    "Standing": "too_few noise above below",
    "SignInStep": "second_factor passkey add_passkey identity",
    "Suite": "aes-gcm/blake2 sm4-gcm/sm3",
    "InboundStep": "ask ring wait call_back no_officer",
    "AttemptEvent": (
        "due put_off claimed posting in_doubt not_taken withdrawn accepted ringing answered ended"
    ),
    "OpenerEvent": "signed confirmed lifted objection_upheld",
    "QuestionEvent": "claimed answered lapsed overtaken",
    "RequestEvent": "approved refused withdrawn expired undone",
    "RequestState": "waiting approved refused withdrawn expired undone",
    "Basis": "warning_loaded case_opened call_sent assignment_opened outcome_recorded case_filed",
    "Dimension": "unit grade fraud_type source script version hour person",
    "AuditedAct": "report_paid report_bank delete_recording",
    "FilteredPage": "rates cases",
    "EntryKind": (
        "warning released ring_planned ring_sent ringing answered spoken ring_ended message "
        "errand_opened errand_signed errand_reported errand_withdrawn outcome reversal "
        "approval stop_opened stop_asked stop_answered stop_ended filed filing_undone "
        "alarm alarm_taken alarm_seen alarm_ended duplicate_kept hold_placed hold_lifted act audited viewed"
    ),
    "ShareComparison": "too_few better worse alike",
    "StepKind": "ring call errand_opens errand_due watch_ends follow_up expires settled",
    "Wait": "not_before window held paused line_trouble number_busy queue",
    "WaitReason": (
        "under_way paused held number_busy planned_for_later window_closed carrier_trouble "
        "lines_full queue pacing"
    ),
    "Field": (
        "instruction_no source kind fraud_type grade name phone id_number address coordinates unit "
        "family_contact fraud_numbers fraud_url fraud_app fraud_account talk_seconds "
        "amount_at_risk amount_paid event_at produced_at expires_at tags remarks row_number "
        "rejection"
    ),
    "OpeningField": (
        "opening_no outlet channel product teller agent name id_number phone address employer purpose limit "
        "number iccid accompanied guided asked_at opened_at result why"
    ),
    "FiledField": "case_number name phone id_number amount filed_at event_at fraud_type unit",
    "ObjectionAbout": "opening determination opener",
    "PresenceEvent": "free break off task_taken task_ended call_began call_ended silent untaken",
    "OfferEvent": "taken passed withdrawn",
    "OfferState": "waiting taken passed withdrawn",
    "TaskMode": "pull offer",
    "NoticeCode": (
        "grade_defaulted id_invalid id_digits_lost number_digits_lost fraud_type_unknown kind_unknown "
        "unit_unknown phone_part_unusable talk_unreadable place_unreadable tag_unknown time_in_future missed "
        "extra_cells amount_implausible number_used_again"
    ),
}


def test_words_that_no_page_shows_stay_as_they_are_stored() -> None:
    found = {}
    modules = [
        *pkgutil.iter_modules(dialer.core.__path__, "dialer.core."),
        *pkgutil.iter_modules(dialer.intake.__path__, "dialer.intake."),
    ]
    for module in modules:
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and issubclass(value, StrEnum) and value.__module__ == module.name:
                found[value] = " ".join(member.value for member in value)
    assert {kind.__name__: words for kind, words in found.items() if kind not in ENUMERATIONS} == _WORDS
