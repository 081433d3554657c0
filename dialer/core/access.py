"""Roles and their permissions, actors and the names that sign acts, and the limits of a console session. Which rows an
actor sees depends on the unit of the account and is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from dialer.core.errors import Invalid, NotPermitted
from dialer.core.second_person import RequestState
from dialer.core.text import Text, gettext_noop, listed

ROBOT: Final = "robot"
"""The name that signs what the service does by itself."""
DESK: Final = "duty desk"
"""The name that signs for an assignment whose call was handed over to the duty desk."""
SHIPPED_BY: Final = "shipped"
"""The name under which the scripts of the product are drafted."""
RELEASED_BY: Final = "release"
"""The name under which the scripts of the product are approved."""
FIRST_LINK: Final = "first-link"
"""The name that creates the first administrator's account."""
RESERVED_NAMES: Final = frozenset({ROBOT, DESK, SHIPPED_BY, RELEASED_BY, FIRST_LINK})
TERMINAL_NAME: Final = "cli"
"""The name that signs a command for which nobody is named."""
LONGEST_NAME: Final = 100


class Role(StrEnum):
    """What a member of staff does. An account has one role, so that the audit distinguishes two jobs."""

    CLERK = "clerk"
    CALLER = "caller"
    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    """Manages accounts and units. This role alone gives no access to persons."""
    SECURITY_ADMINISTRATOR = "security_administrator"
    """Confirms or refuses what an administrator asks for."""
    AUDITOR = "auditor"
    ANALYST = "analyst"
    """Looks after the warning robot: its verdicts, its sources and its rules, which another person approves. Sees
    cases with persons masked, to tell whether a warning was right.
    """
    TELLER = "teller"
    """Works at an outlet of a bank or carrier, outside the police: enters openings and asks the desk, but sees no
    case.
    """


class FactorKind(StrEnum):
    """What proves the user's identity besides the password."""

    TOTP = "totp"
    """A code of six digits that an app computes from the time (RFC 6238)."""
    PASSKEY = "passkey"
    """A key of the device or of a security key (WebAuthn)."""


class SignInStep(StrEnum):
    """A step that a browser has begun before it has a session, or during one."""

    SECOND_FACTOR = "second_factor"
    """The password was right; the second factor is missing."""
    PASSKEY = "passkey"
    """A passkey is asked to sign in without a password."""
    ADD_PASSKEY = "add_passkey"
    IDENTITY = "identity"
    """The browser was redirected to the centre's own identity provider."""


class StaffChangeKind(StrEnum):
    """A change of an account that takes effect when a security administrator confirms it."""

    ADD = "add"
    CHANGE = "change"
    """Another role or unit."""
    ENABLE = "enable"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # no password
    RESET_FACTORS = "reset_factors"


class StaffChangeState(StrEnum):
    """The state of a change of an account."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """By the person who asked for it."""
    EXPIRED = "expired"


STAFF_CHANGE_WORDS: Final = {
    RequestState.WAITING: StaffChangeState.WAITING,
    RequestState.APPROVED: StaffChangeState.CONFIRMED,
    RequestState.REFUSED: StaffChangeState.REFUSED,
    RequestState.WITHDRAWN: StaffChangeState.WITHDRAWN,
    RequestState.EXPIRED: StaffChangeState.EXPIRED,
}
"""Of changes of accounts and of tokens."""


class ErasureState(StrEnum):
    """The state of the erasure of a person."""

    WAITING = "waiting"
    """For a second person."""
    REFUSED = "refused"
    ERASED = "erased"


ERASURE_WORDS: Final = {
    RequestState.WAITING: ErasureState.WAITING,
    RequestState.APPROVED: ErasureState.ERASED,
    RequestState.REFUSED: ErasureState.REFUSED,
    RequestState.WITHDRAWN: ErasureState.REFUSED,
}
"""A request never expires: the person has a right to an answer."""


class RevealReason(StrEnum):
    """Why somebody views personal data in clear."""

    CONTACT = "contact"
    VERIFY = "verify"
    BANK = "bank"
    INQUIRY = "inquiry"
    CORRECT = "correct"
    REVIEW = "review"
    OTHER = "other"


class Permission(StrEnum):
    """What a page, or one act on it, requires."""

    OWN_ACCOUNT = "own_account"
    """One's own password, language and sign-out."""
    SEE_BOARD = "see_wall"
    SEE_CASES = "see_cases"
    """With names and numbers masked."""
    REVEAL = "reveal"
    """A person in clear: with a reason, recorded in the audit."""
    REVEAL_LISTS = "reveal_lists"
    """Rejected rows of a list in clear, in the same way."""
    WORK_CASES = "work_cases"
    """Call now, raise the grade, transfer, note, close."""
    LOWER_CASES = "lower_cases"
    """Only a person lowers a grade, with a reason."""
    WORK_DESK = "work_desk"
    WORK_VISITS = "work_visits"
    PRACTISE = "practise"
    """The own course in a service for practice."""
    SEE_UNITS = "see_units"
    """The units with their open work."""
    SEE_DUTY = "see_duty"
    """Who is on duty, and the rosters."""
    MANAGE_DUTY = "manage_duty"
    """Load rosters."""
    LISTEN_IN = "listen_in"
    """Listen to a call from a desk, whisper to its caller, step in: with a reason, recorded in the audit."""
    INSPECT_CALLS = "inspect_calls"
    """Which recorded calls were inspected, and what was found; what was said in one needs `reveal` and a reason."""
    SEE_CORRECTIONS = "see_corrections"
    """Orders to correct of one's own unit and those below."""
    ORDER_CORRECTIONS = "order_corrections"
    """Issue orders to correct to units below, and decide their answers."""
    SORT_UNITS = "sort_units"
    """Assign a unit to unassigned cases; answer transfers."""
    LOAD_LISTS = "load_lists"
    SEE_FILED = "see_filed"
    """Cases filed with the police, persons masked."""
    LOAD_FILED = "load_filed"
    DECIDE_FILED = "decide_filed"
    """Decide whether a warned person is the person of a filed case."""
    SEE_RATES = "see_rates"
    EXPORT = "export"
    """Take records out as a file; always audited."""
    APPROVE = "approve"
    """The second person for loads, money, scripts and policies."""
    SEE_APPROVALS = "see_approvals"
    """What waits for one's own decision."""
    CONTROL = "control"
    """Pause, resume, pacing, windows."""
    SEE_CONTROL = "see_control"
    SEE_SETTINGS = "see_settings"
    """How the service is set up; secrets are not shown."""
    SEE_ERASURES = "see_erasures"
    """See requests to erase persons, certificates and legal holds."""
    ERASE_PERSONS = "erase_persons"
    """Ask for an erasure, confirm another one's, place and lift legal holds."""
    SEE_SCRIPTS = "see_scripts"
    EDIT_SCRIPTS = "edit_scripts"
    """Scripts, and knowledge cards."""
    SEE_KNOWLEDGE = "see_knowledge"
    """The knowledge cards."""
    DRAFT_RULES = "draft_rules"
    """Draft rules of the warning robot, and see what a draft would have done."""
    DRAFT_PLANS = "draft_plans"
    """Draft policy, limits of sources and pace, and see what a draft would have done."""
    SEE_AUDIT = "see_audit"
    MANAGE_STAFF = "manage_staff"
    SEE_STAFF_CHANGES = "see_staff_changes"
    CONFIRM_STAFF_CHANGES = "confirm_staff_changes"
    """The second person for accounts."""
    MANAGE_UNITS = "manage_units"
    MANAGE_WEBHOOKS = "manage_webhooks"
    """Which other systems are notified of settled cases, and the log of these deliveries."""
    ENTER_OPENINGS = "enter_openings"
    """At the counter of one's own outlet."""
    ANSWER_OUTLETS = "answer_outlets"
    """The verification desk, and checks on the spot."""
    SEE_OPENERS = "see_openers"
    """Frequent openers, rings, restrictions and objections, persons masked."""
    DECIDE_OPENERS = "decide_openers"
    """Confirm, lift, enter and approve them."""


_R = Role
_EVERYBODY = frozenset(Role)
# A security administrator deals with accounts only, an analyst with the robot, a teller with their own outlet only.
_CENTRE = _EVERYBODY - {_R.SECURITY_ADMINISTRATOR, _R.ANALYST, _R.TELLER}
ROLES: Mapping[Permission, frozenset[Role]] = {
    Permission.OWN_ACCOUNT: _EVERYBODY,
    Permission.SEE_BOARD: _EVERYBODY - {_R.TELLER},
    Permission.SEE_CASES: _CENTRE | {_R.ANALYST},
    # An administrator, who could grant himself any right, an auditor and an analyst see no person in clear.
    Permission.REVEAL: frozenset({_R.CALLER, _R.OFFICER, _R.SUPERVISOR}),
    Permission.REVEAL_LISTS: frozenset({_R.SUPERVISOR}),
    Permission.WORK_CASES: frozenset({_R.CALLER, _R.OFFICER, _R.SUPERVISOR}),
    Permission.LOWER_CASES: frozenset({_R.SUPERVISOR}),
    Permission.WORK_DESK: frozenset({_R.CALLER, _R.SUPERVISOR}),
    Permission.WORK_VISITS: frozenset({_R.OFFICER, _R.SUPERVISOR}),
    Permission.PRACTISE: frozenset({_R.CALLER, _R.OFFICER, _R.SUPERVISOR}),
    Permission.SEE_UNITS: _CENTRE - {_R.CALLER},
    Permission.SEE_DUTY: _CENTRE,
    Permission.MANAGE_DUTY: frozenset({_R.SUPERVISOR}),
    Permission.LISTEN_IN: frozenset({_R.SUPERVISOR}),
    Permission.INSPECT_CALLS: frozenset({_R.SUPERVISOR}),
    Permission.SEE_CORRECTIONS: frozenset({_R.CALLER, _R.OFFICER, _R.SUPERVISOR, _R.AUDITOR}),
    Permission.ORDER_CORRECTIONS: frozenset({_R.SUPERVISOR}),
    Permission.SORT_UNITS: frozenset({_R.CLERK, _R.SUPERVISOR}),
    Permission.LOAD_LISTS: frozenset({_R.CLERK, _R.SUPERVISOR}),
    Permission.SEE_FILED: frozenset({_R.CLERK, _R.SUPERVISOR, _R.AUDITOR}),
    Permission.LOAD_FILED: frozenset({_R.CLERK, _R.SUPERVISOR}),
    Permission.DECIDE_FILED: frozenset({_R.SUPERVISOR}),
    Permission.SEE_RATES: frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR, _R.AUDITOR}),
    Permission.EXPORT: frozenset({_R.SUPERVISOR, _R.AUDITOR}),
    Permission.APPROVE: frozenset({_R.SUPERVISOR}),
    Permission.SEE_APPROVALS: frozenset({_R.CALLER, _R.OFFICER, _R.SUPERVISOR, _R.SECURITY_ADMINISTRATOR}),
    Permission.CONTROL: frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    Permission.SEE_CONTROL: (_CENTRE - {_R.CALLER, _R.OFFICER}) | {_R.ANALYST},
    Permission.SEE_SETTINGS: frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR, _R.AUDITOR}),
    Permission.SEE_ERASURES: frozenset({_R.SUPERVISOR, _R.AUDITOR}),
    Permission.ERASE_PERSONS: frozenset({_R.SUPERVISOR}),
    Permission.SEE_SCRIPTS: _CENTRE - {_R.CLERK, _R.OFFICER},
    Permission.EDIT_SCRIPTS: frozenset({_R.SUPERVISOR}),
    Permission.SEE_KNOWLEDGE: _CENTRE,
    Permission.DRAFT_RULES: frozenset({_R.SUPERVISOR, _R.ANALYST}),
    Permission.DRAFT_PLANS: frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    Permission.SEE_AUDIT: frozenset({_R.AUDITOR}),
    Permission.MANAGE_STAFF: frozenset({_R.ADMINISTRATOR}),
    Permission.SEE_STAFF_CHANGES: frozenset({_R.ADMINISTRATOR, _R.SECURITY_ADMINISTRATOR}),
    Permission.CONFIRM_STAFF_CHANGES: frozenset({_R.SECURITY_ADMINISTRATOR}),
    Permission.MANAGE_UNITS: frozenset({_R.ADMINISTRATOR}),
    Permission.MANAGE_WEBHOOKS: frozenset({_R.ADMINISTRATOR}),
    Permission.ENTER_OPENINGS: frozenset({_R.TELLER}),
    Permission.ANSWER_OUTLETS: frozenset({_R.CALLER, _R.OFFICER, _R.SUPERVISOR}),
    Permission.SEE_OPENERS: frozenset({_R.OFFICER, _R.SUPERVISOR, _R.AUDITOR}),
    Permission.DECIDE_OPENERS: frozenset({_R.OFFICER, _R.SUPERVISOR}),
}


def may(role: Role, act: Permission) -> bool:
    """Whether the role has the permission. Whether a row belongs to the user's unit is checked elsewhere."""
    return role in ROLES[act]


_SECOND_PERSON_FOR = (
    Permission.REVEAL,
    Permission.EXPORT,
    Permission.SEE_AUDIT,
    Permission.MANAGE_STAFF,
    Permission.CONFIRM_STAFF_CHANGES,
)


def needs_second_person(role: Role) -> bool:
    """Whether creating an account with this role needs two people: the role sees persons, the audit or accounts."""
    return any(may(role, act) for act in _SECOND_PERSON_FOR)


def actor_name(by: str) -> str:
    """The name that signs an act, stripped. Raises `Invalid` when it is empty, too long, or, whatever its case,
    reserved for the service.
    """
    name = required_text("by", by, fix="who does this")
    if len(name) > LONGEST_NAME:
        raise Invalid(field="by", problem=Text("is longer than %(most)s characters", most=LONGEST_NAME))
    if name.casefold() in RESERVED_NAMES:
        raise Invalid(field="by", problem="is a name that only the service signs with")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, with which rights, on whose rows: an account, a token, the terminal or the service itself. Pages, the
    API and commands make it from what they have checked; nothing below them takes a name that somebody typed.
    """

    name: str
    """Signs rows and the audit: the login of an account, `token/NAME`, `cli`, or a name of the service."""
    rights: frozenset[Permission]
    unit_id: int | None = None
    """It sees and changes what belongs to this unit and to those below; None: the whole centre."""
    terminal: str = ""
    """The terminal at which the command was given, for the audit."""
    named: str = ""
    """The account that a command named and that has not signed in at the terminal: it signs nothing, the audit notes
    it.
    """

    def may(self, right: Permission) -> bool:
        """Whether the actor has the right."""
        return right in self.rights

    def check_may(self, right: Permission, *others: Permission) -> None:
        """Raises `NotPermitted` for an actor with none of these rights."""
        if self.rights.isdisjoint({right, *others}):
            roles = ROLES[right].union(*(ROLES[other] for other in others))
            words = [Text("%(role)s", role=role) for role in Role if role in roles]
            raise NotPermitted(who=self.name, roles=listed(words))

    def signed(self, name: str) -> bool:
        """Whether this actor signed an earlier act with `name`. Case is ignored."""
        return is_same_actor(name, self.name)


@cache
def rights_of(role: Role) -> frozenset[Permission]:
    """All permissions of the role."""
    return frozenset(right for right, roles in ROLES.items() if role in roles)


OF_PERSONS: Final = frozenset(
    {
        Permission.APPROVE,
        Permission.CONFIRM_STAFF_CHANGES,
        Permission.DECIDE_FILED,
        Permission.DECIDE_OPENERS,
        Permission.DRAFT_PLANS,
        Permission.DRAFT_RULES,
        Permission.EDIT_SCRIPTS,
        Permission.ERASE_PERSONS,
        Permission.MANAGE_STAFF,
        Permission.ORDER_CORRECTIONS,
        Permission.REVEAL,
        Permission.WORK_DESK,
        Permission.WORK_VISITS,
    }
)
"""Rights to ask for what a second person decides, to decide it, to report work, to change accounts and tokens, and to
see persons in clear: who did it must be known.
"""
TERMINAL: Final = Actor(name=TERMINAL_NAME, rights=frozenset(Permission) - OF_PERSONS)
"""Whoever may run commands on the machine, unnamed."""
FIRST_AT_TERMINAL: Final = Actor(name=TERMINAL_NAME, rights=TERMINAL.rights | {Permission.MANAGE_STAFF})
"""The same while there is no account at all: it makes the first one."""
SERVICE: Final = Actor(name=ROBOT, rights=frozenset(Permission))
"""The service by itself."""


def unrestricted(name: str, *, unit_id: int | None = None) -> Actor:
    """An actor with every right, for simulated staff, drills, benches and tests. Raises `Invalid` for a name that
    `actor_name` refuses.
    """
    return Actor(name=actor_name(name), rights=frozenset(Permission), unit_id=unit_id)


def is_same_actor(one: str, other: str) -> bool:
    """Whether the same person signed two acts. Case is ignored, since commands accept a login in upper or lower
    case.
    """
    return one.casefold() == other.casefold()


_FEW_WORDS = gettext_noop("say it in a few words")


def required_text(field: str, text: str, *, fix: str = _FEW_WORDS) -> str:
    """The required text of a form field, stripped. Raises `Invalid` when it is empty."""
    words = text.strip()
    if not words:
        raise Invalid(field=field, problem="is empty", fix=fix)
    return words


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealRules:
    """How often one person may view personal data in clear."""

    most: int = 30
    """Views with a reason within `seconds`; whoever has the work in hand is not limited."""
    seconds: float = 600.0
    alarm: int = 20
    """Cases or lists within `seconds`, including those of work in hand, that raise the alarm."""
    searches: int = 60
    """Searches by a personal value within `seconds`."""
    searches_without_reason: int = 10
    """Searches by a personal value within `seconds` that need no reason."""
    searches_alarm: int = 30
    """Searches by a personal value within `seconds` that raise the alarm."""
    pages: int = 900
    """Different pages of masked people in an hour of the clock."""
    pages_alarm: int = 450
    """Such pages in an hour that raise the alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """Limits of a session and of failed sign-ins, in real seconds."""

    idle_seconds: float = 1800.0
    """An unused session ends after this."""
    session_seconds: float = 43_200.0
    failures: int = 5
    """Failed tries that one address has at one login; at all logins together it has four times as many."""
    lock_seconds: float = 900.0
    """How long an address waits after its last try."""
    step_seconds: float = 300.0
    """The longest time between the password and the second factor."""
    sessions: int = 5
    """Open sessions of one account; a further one ends the oldest."""
    temporary_password_seconds: float = 86_400.0
    """A password that was given out expires after this."""
    confirm_seconds: float = 259_200.0
    """How long a change of an account waits for a second person."""
    second_factor_roles: frozenset[Role] = frozenset(Role)
    """Roles that need a second factor."""
    second_factor_grace_seconds: float = 604_800.0
    """How long an account may do without it, from its first sign-in that lacked it."""

    def factor_due(self, role: Role, *, since: datetime) -> datetime | None:
        """From when an account of this role does nothing without a second factor, if it was first missing at `since`;
        None where the role needs none.
        """
        if role not in self.second_factor_roles:
            return None
        return since + timedelta(seconds=self.second_factor_grace_seconds)
