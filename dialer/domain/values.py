"""The words of the trade as enumerations, stored by value. Chinese terms are the users' own (docs/domain terms)."""

from __future__ import annotations

from enum import StrEnum


class Grade(StrEnum):
    """How likely and urgent, as the ministry grades it; some places add the extra-high one."""

    EXTRA_HIGH = "extra_high"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """4 for extra high down to 1 for low; a grade rises by itself and falls only by a person with a reason."""
        return _RANK[self]

    @property
    def is_high(self) -> bool:
        return self in {Grade.EXTRA_HIGH, Grade.HIGH}


_RANK = {Grade.EXTRA_HIGH: 4, Grade.HIGH: 3, Grade.MEDIUM: 2, Grade.LOW: 1}


class FraudType(StrEnum):
    """The ministry's ten types of June 2024, and `unknown` where a list names none that we know."""

    FAKE_ORDER_REBATE = "fake_order_rebate"
    INVESTMENT = "investment"
    SHOPPING = "shopping"
    FAKE_CUSTOMER_SERVICE = "fake_customer_service"
    LOAN = "loan"
    CREDIT = "credit"
    BOSS_OR_ACQUAINTANCE = "boss_or_acquaintance"
    POLICE_IMPERSONATION = "police_impersonation"
    ROMANCE = "romance"
    GAME_TRADE = "game_trade"
    UNKNOWN = "unknown"


class WarningKind(StrEnum):
    """What gave the fraud away: money moving 资金, a call or message 通联, a site or app 网络."""

    FUND = "fund"
    TELECOM = "telecom"
    WEB_APP = "web_app"
    UNKNOWN = "unknown"


class Tag(StrEnum):
    MINOR = "minor"
    ELDERLY = "elderly"
    HEARING = "hearing"
    MONGOLIAN = "mongolian"


class TelephonyResult(StrEnum):
    """What the telephone network did with one attempt. Says nothing about whom we reached."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FORWARDED = "forwarded"
    MACHINE = "machine"
    REJECTED = "rejected"
    POWERED_OFF = "powered_off"
    INVALID_NUMBER = "invalid_number"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


class Contact(StrEnum):
    """Whom we reached: nobody, somebody, or the right person who said so."""

    NONE = "none"
    UNVERIFIED = "unverified"
    VERIFIED = "verified"


class Answer(StrEnum):
    """What the conversation with the script came to, from its end node. `none`: it ended before any answer."""

    NONE = "none"
    ACKNOWLEDGED = "acknowledged"
    SAW_THROUGH = "saw_through"
    DOUBTFUL = "doubtful"
    REFUSES = "refuses"
    ALREADY_PAID = "already_paid"
    WANTS_OFFICER = "wants_officer"
    WRONG_PERSON = "wrong_person"
    LANGUAGE_OR_HEARING = "language_or_hearing"
    OPT_OUT = "opt_out"


class OutcomeKind(StrEnum):
    """What became of a case. Answered is not reached; reached is not dissuaded; dissuaded is provisional."""

    DISSUADED_BY_PHONE = "dissuaded_by_phone"
    DISSUADED_IN_PERSON = "dissuaded_in_person"
    SAW_THROUGH_IT = "saw_through_it"
    HALF_BELIEVES = "half_believes"
    REFUSES = "refuses"
    ALREADY_DEFRAUDED = "already_defrauded"
    NOT_THE_PERSON = "not_the_person"
    MISMATCH = "mismatch"
    CANNOT_FIND_YET = "cannot_find_yet"
    CANNOT_FIND = "cannot_find"
    DUPLICATE = "duplicate"
    TRANSFERRED = "transferred"
    LANGUAGE_OR_HEARING = "language_or_hearing"
    MISSED = "missed"


class Track(StrEnum):
    """The three ways of reaching a person, which may run side by side."""

    ROBOT = "robot"
    HUMAN = "human"
    VISIT = "visit"


class AmountKind(StrEnum):
    """Three amounts, never summed: never paid 劝阻, stopped at the bank 止付, returned 返还."""

    INTENDED = "intended"
    STOPPED = "stopped"
    RETURNED = "returned"
