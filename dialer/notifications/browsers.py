"""A person's browsers: added from the page in that browser, removed there or because the push service has forgotten
them.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from dialer.core.access import Actor, Permission
from dialer.core.errors import Invalid, NotFound
from dialer.core.notifications import NotificationChannel
from dialer.core.text import gettext_noop
from dialer.notifications.browser_store import OwnBrowser, browsers_of, delete_browser, save_browser
from dialer.notifications.encryption import (
    SECRET_BYTES,
    Browser,
    decoded,
    encoded,
    is_point,
    public_point,
    sender_key,
)
from dialer.notifications.store import read_rules, save_rules
from dialer.runtime.sections import PushSettings
from dialer.runtime.services import Services

_MOST: Final = 10
_MOST_ENDPOINT: Final = 1000
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def is_push_address(endpoint: str, rules: PushSettings) -> bool:
    """Whether this is an address at a push service of the settings: https, or http on this machine."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_plain = endpoint.isascii() and endpoint.isprintable() and len(endpoint) <= _MOST_ENDPOINT
    if not is_plain or port == 0 or parts.username or parts.password or parts.fragment:
        return False
    if not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        return False
    return any(host == name or host.endswith("." + name) for name in rules.services)


def push_key(services: Services) -> str:
    """The key by which push services know us, as browsers want it; '' where Web Push is off."""
    if not services.push.services:
        return ""
    return encoded(public_point(sender_key(services.store.vault.derived(b"web push"))))


def add_browser(
    services: Services, actor: Actor, staff_id: int, *, endpoint: str, public: str, secret: str
) -> None:
    """The person receives notifications in this browser too, at once if their rules do not use the channel yet;
    audited. `public` and `secret` as the browser gives them, in base64. Raises `Invalid`.
    """
    if not is_push_address(endpoint, services.push):
        raise Invalid(
            field="endpoint",
            problem=gettext_noop("belongs to no push service of the settings"),
            fix=gettext_noop("ask the administrator for push.services"),
        )
    try:
        browser = Browser(endpoint=endpoint, public=decoded(public), secret=decoded(secret))
    except ValueError:
        browser = Browser(endpoint=endpoint, public=b"", secret=b"")
    if not is_point(browser.public) or len(browser.secret) != SECRET_BYTES:
        raise Invalid(field="endpoint", problem=gettext_noop("has no valid keys"))
    with services.act(actor, Permission.SEE_DUTY) as act:
        others = [one for one in browsers_of(act.tx, staff_id) if one.browser.endpoint != browser.endpoint]
        for oldest in others[: max(0, len(others) - _MOST + 1)]:
            delete_browser(act.tx, staff_id, oldest.id)
        save_browser(act.tx, staff_id, browser, now=act.now)
        personal = read_rules(act.tx, [staff_id])[staff_id]
        if NotificationChannel.PUSH not in personal.rules.after:
            after = {**personal.rules.after, NotificationChannel.PUSH: timedelta()}
            rules = replace(personal.rules, after=after)
            save_rules(act.tx, staff_id, replace(personal, rules=rules), now=act.now)
        act.audit("push_browser_add", f"staff/{staff_id}", facts={"host": urlsplit(endpoint).hostname or ""})


def remove_browser(services: Services, actor: Actor, staff_id: int, key: uuid.UUID) -> None:
    """The person receives nothing in this browser any more; audited. Raises `NotFound`."""
    with services.act(actor, Permission.SEE_DUTY) as act:
        if not delete_browser(act.tx, staff_id, key):
            raise NotFound(kind="browser", key=key)
        act.audit("push_browser_remove", f"staff/{staff_id}")


def own_browsers(services: Services, staff_id: int) -> list[OwnBrowser]:
    """A person's browsers, the oldest first."""
    with services.store.begin_single_read() as tx:
        return browsers_of(tx, staff_id)
