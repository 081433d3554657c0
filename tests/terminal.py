"""Whoever a command is signed by is the account of the user of this machine, or is signed in at this terminal, so that
the command may be given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dialer.bootstrap import application
from dialer.cli.terminal import machine_user
from dialer.runtime.settings import load_settings
from dialer.staff.sign_in import open_session
from dialer.staff.store import find_member

_OPTION = "--by"


def signed_in_as(*words: str) -> dict[str, str]:
    """The settings in which the account that these words of a command name is the one at this terminal, of a database
    on which no process of the service has started.
    """
    if _OPTION not in words:
        return {}
    login = words[words.index(_OPTION) + 1].strip()
    return (
        {"DIALER_CONSOLE__TERMINAL_ACCOUNTS": json.dumps([f"{machine_user()}={login}"])}
        if login.split() == [login]
        else {}
    )


def with_session(env: Mapping[str, str], *words: str, home: Path) -> dict[str, str]:
    """The same beside a service that runs: a session of the account, in a home folder that is made here."""
    if _OPTION not in words:
        return {}
    login = words[words.index(_OPTION) + 1]
    with application(load_settings(dict(env))) as made, made.services.store.begin() as tx:
        member = find_member(tx, login)
        token = "" if member is None else open_session(tx, made.services, member, address="127.0.0.1")
    home.mkdir(mode=0o700, exist_ok=True)
    file = home / ".dialer-session"
    file.touch(mode=0o600)
    file.write_text(token, encoding="ascii")
    return {"HOME": str(home)}
