"""Enumerations of two-card control 两卡管控: who opens what and the verdicts of checks; and the states of questions,
findings, restrictions and objections, each with a table of what moves it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dialer.core.second_person import RequestState, moves_in_words

BANKS: Final = (
    "工商银行", "农业银行", "中国银行", "建设银行", "交通银行", "邮储银行", "招商银行", "中信银行", "光大银行",
    "民生银行", "兴业银行", "浦发银行", "平安银行", "广发银行", "华夏银行", "浙商银行", "渤海银行", "恒丰银行",
    "内蒙古银行", "蒙商银行", "农村信用社", "农村商业银行", "支付宝", "微信支付", "云闪付", "数字人民币",
)  # fmt: skip
"""Whom a stop payment is asked of most often, offered where the bank is entered; others may be typed."""


class InstitutionKind(StrEnum):
    """Who opens accounts or SIM cards."""

    BANK = "bank"
    CARRIER = "carrier"


class OpeningChannel(StrEnum):
    """How the customer came to the institution."""

    COUNTER = "counter"
    SELF_SERVICE = "self_service"
    ONLINE = "online"
    AGENT = "agent"
    OTHER = "other"


class CardProduct(StrEnum):
    """The account or SIM card that is opened. The first four are accounts of a bank, the others SIM cards of a
    carrier.
    """

    ACCOUNT_1 = "account_1"
    ACCOUNT_2 = "account_2"
    ACCOUNT_3 = "account_3"
    CORPORATE = "corporate"
    SIM_MAIN = "sim_main"
    SIM_SUB = "sim_sub"
    IOT = "iot"

    @property
    def is_sim(self) -> bool:
        """Whether it is a product of a carrier, not of a bank."""
        return self in {CardProduct.SIM_MAIN, CardProduct.SIM_SUB, CardProduct.IOT}


class OpeningResult(StrEnum):
    """What became of an opening. Only a person, at the outlet, refuses."""

    IN_PROGRESS = "in_progress"
    OPENED = "opened"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    """The customer went away."""


class CheckVerdict(StrEnum):
    """What a check tells the outlet. `restricted` repeats the determination of an authority; the most serious verdict
    of the checks themselves is `ask_desk`.
    """

    CLEAR = "clear"
    NOTE = "note"
    ASK_DESK = "ask_desk"
    POSSIBLE_VICTIM = "possible_victim"
    RESTRICTED = "restricted"


FLAGGED: Final = frozenset({CheckVerdict.ASK_DESK, CheckVerdict.RESTRICTED})
"""Verdicts after which the outlet does not open the card as usual: it asks the desk, or a determination is in force."""


class OpeningFactKind(StrEnum):
    """What becomes known later about an account or a number."""

    INVOLVED = "involved"
    """It was used in a fraud case."""
    CLOSED = "closed"
    USED_FAR = "used_far"
    """First used far from here."""


class QuestionState(StrEnum):
    """The state of a question of an outlet to the desk."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    LAPSED = "lapsed"
    """Nobody answered in time: the outlet decides by itself."""
    OVERTAKEN = "overtaken"
    """The outlet decided, or the customer left, before the desk answered."""


class QuestionEvent(StrEnum):
    """What moves a question."""

    CLAIMED = "claimed"
    """By an officer, also one who takes it over."""
    ANSWERED = "answered"
    """By the officer who has claimed it, until the outlet has decided."""
    LAPSED = "lapsed"
    OVERTAKEN = "overtaken"


_Q = QuestionState
QUESTION_MOVES: Final[Mapping[QuestionEvent, Mapping[QuestionState, QuestionState]]] = {
    QuestionEvent.CLAIMED: dict.fromkeys((_Q.WAITING, _Q.CLAIMED), _Q.CLAIMED),
    QuestionEvent.ANSWERED: dict.fromkeys((_Q.CLAIMED, _Q.LAPSED), _Q.ANSWERED),
    QuestionEvent.LAPSED: dict.fromkeys((_Q.WAITING, _Q.CLAIMED), _Q.LAPSED),
    QuestionEvent.OVERTAKEN: dict.fromkeys((_Q.WAITING, _Q.CLAIMED), _Q.OVERTAKEN),
}
"""For each event, the next state by the present state."""
OPEN_QUESTIONS: Final = frozenset({_Q.WAITING, _Q.CLAIMED})
"""The customer waits, and the desk is to answer."""


class DeskAnswer(StrEnum):
    """What the desk advises. The outlet decides."""

    MAY_OPEN = "may_open"
    ASK_PAPERS = "ask_papers"
    WAIT_FOR_TEAM = "wait_for_team"
    ADVISE_REFUSAL = "advise_refusal"


class OnsiteFinding(StrEnum):
    """What a team found at an outlet."""

    NOTHING = "nothing"
    VICTIM = "victim"
    SUSPECTS = "suspects"
    LEFT = "left"


class OpenerState(StrEnum):
    """The state of a frequent opener, or of an opener ring, on the morning list."""

    LISTED = "listed"
    SIGNED = "signed"
    CONFIRMED = "confirmed"
    LIFTED = "lifted"


class OpenerEvent(StrEnum):
    """What moves the finding about a frequent opener or a ring while it has not expired."""

    SIGNED = "signed"
    """By an officer of the centre, also one who takes it over."""
    CONFIRMED = "confirmed"
    LIFTED = "lifted"
    """By the officer who has signed for it."""
    OBJECTION_UPHELD = "objection_upheld"


_P = OpenerState
OPENER_MOVES: Final[Mapping[OpenerEvent, Mapping[OpenerState, OpenerState]]] = {
    OpenerEvent.SIGNED: dict.fromkeys((_P.LISTED, _P.SIGNED), _P.SIGNED),
    OpenerEvent.CONFIRMED: {_P.SIGNED: _P.CONFIRMED},
    OpenerEvent.LIFTED: {_P.SIGNED: _P.LIFTED},
    OpenerEvent.OBJECTION_UPHELD: {_P.CONFIRMED: _P.LIFTED},
}
"""For each event, the next state by the present state. After its expiry, the row of a finding that is not lifted is
listed again when the checks ask about the same person or ring.
"""


class DeterminationState(StrEnum):
    """The state of a person's restriction, which an authority has determined."""

    WAITING = "waiting"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    EXPIRED = "expired"
    """Nobody decided in time."""
    LIFTED = "lifted"


DETERMINATION_WORDS: Final = {
    RequestState.WAITING: DeterminationState.WAITING,
    RequestState.APPROVED: DeterminationState.IN_FORCE,
    RequestState.REFUSED: DeterminationState.REFUSED,
    RequestState.EXPIRED: DeterminationState.EXPIRED,
    RequestState.UNDONE: DeterminationState.LIFTED,
}
"""An officer asks by entering it, and an upheld objection undoes it."""
DETERMINATION_MOVES: Final = moves_in_words(DETERMINATION_WORDS)
FREED_DETERMINATIONS: Final = frozenset({DeterminationState.REFUSED, DeterminationState.EXPIRED})
"""Never in force: the same document may be entered again."""


class ObjectionState(StrEnum):
    """The state of an objection."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"


class ObjectionAbout(StrEnum):
    """What an objection is to: the refusal of an opening, a determination, or the finding about a frequent opener."""

    OPENING = "opening"
    DETERMINATION = "determination"
    OPENER = "opener"


OBJECTION_WORDS: Final = {
    RequestState.WAITING: ObjectionState.OPEN,
    RequestState.APPROVED: ObjectionState.UPHELD,
    RequestState.REFUSED: ObjectionState.REJECTED,
}
"""An objection never expires: it is a right of the customer."""
OBJECTION_MOVES: Final = moves_in_words(OBJECTION_WORDS)


class OutletStep(StrEnum):
    """The steps taken about an outlet that opens many involved cards. The centre proposes; the competent authority
    suspends.
    """

    BULLETIN = "bulletin"
    TALK = "talk"
    PROPOSAL = "proposal"
    LETTER = "letter"
    """The authority's answer, with its document and the term."""
    REVIEW = "review"
    END = "end"


NEXT_STEPS: Final[Mapping[OutletStep | None, tuple[OutletStep, ...]]] = {
    None: (OutletStep.BULLETIN,),
    OutletStep.BULLETIN: (OutletStep.TALK, OutletStep.END),
    OutletStep.TALK: (OutletStep.PROPOSAL, OutletStep.END),
    OutletStep.PROPOSAL: (OutletStep.LETTER, OutletStep.END),
    OutletStep.LETTER: (OutletStep.REVIEW,),
    OutletStep.REVIEW: (OutletStep.LETTER, OutletStep.END),
    OutletStep.END: (OutletStep.BULLETIN,),
}
"""The steps that may follow a step; None: nothing has been done yet."""
