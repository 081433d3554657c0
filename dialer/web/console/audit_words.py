"""What the acts in the audit are called."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.domain.acts import ActKind
from dialer.language import Lang, mark, say
from dialer.words import word

ACTS: Mapping[str, str] = {
    "approve_load": mark("a list approved"),
    "assign_unit": mark("a unit given to a case"),
    "conversation": mark("a conversation read"),
    "correct_columns": mark("a list's columns corrected"),
    "export": mark("records exported"),
    "forget_alias": mark("a unit's alias forgotten"),
    "import_units": mark("units imported"),
    "password_change": mark("password changed"),
    "pause": mark("dialling paused"),
    "print_notice": mark("a notice printed"),
    "resume": mark("dialling resumed"),
    "reveal": mark("hidden data looked at"),
    "script_approve": mark("a script approved"),
    "script_draft": mark("a script drafted"),
    "script_trial": mark("a script trial begun or ended"),
    "search": mark("a person searched for"),
    "sessions_end": mark("sessions ended"),
    "sign_in": mark("signed in"),
    "sign_in_failed": mark("sign-in failed"),
    "sign_in_locked": mark("locked after failures"),
    "sign_out": mark("signed out"),
    "staff_add": mark("account made"),
    "staff_change": mark("account changed"),
    "staff_disable": mark("account disabled"),
    "staff_enable": mark("account enabled again"),
    "staff_reset": mark("password reset"),
    "stop_payment": mark("stop payment reported"),
    "take_warnings": mark("warnings taken by the API"),
    "teach_alias": mark("a unit's alias learned"),
    "token_add": mark("API token made"),
    "token_revoke": mark("API token revoked"),
    "withdraw_load": mark("a list withdrawn"),
    "view_photo": mark("a photo looked at"),
}
TROUBLE = frozenset({"sign_in_failed", "sign_in_locked"})


def act_words(act: str, lang: Lang) -> str:
    """One of a later version is told as it stands."""
    if act in ACTS:
        return say(lang, ACTS[act])
    try:
        return word(ActKind(act), lang)
    except ValueError:
        return act
