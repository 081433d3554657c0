"""Whoever a command is signed by is the account of the user of this machine, so that the command may be given."""

from __future__ import annotations

import json

from dialer.cli.terminal import machine_user

_OPTION = "--by"


def signed_in_as(*words: str) -> dict[str, str]:
    """The settings in which the account that these words of a command name is the one at this terminal."""
    if _OPTION not in words:
        return {}
    login = words[words.index(_OPTION) + 1].strip()
    return (
        {"DIALER_CONSOLE__TERMINAL_ACCOUNTS": json.dumps([f"{machine_user()}={login}"])}
        if login.split() == [login]
        else {}
    )
