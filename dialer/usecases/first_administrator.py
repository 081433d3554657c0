"""The first account, by a link that works once: whoever starts the service hands it to the first administrator."""

from __future__ import annotations

from datetime import timedelta

from dialer.domain.access import FIRST_LINK, Role
from dialer.domain.sessions import SessionRules
from dialer.errors import Invalid, NotFound
from dialer.store import staff, staff_sessions
from dialer.usecases import passwords
from dialer.usecases.engine import Engine
from dialer.usecases.manage_staff import LANGUAGES, display_name_of, login_of, note
from dialer.usecases.sign_in import SignedIn, open_session, token_hash


def make_first_link(engine: Engine, *, seconds: float) -> str | None:
    """The token of a link by which the first administrator is made; it replaces every earlier one. None when there
    are accounts already.
    """
    token = passwords.temporary().replace("-", "") + passwords.temporary().replace("-", "")
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        if not staff.is_nobody(tx):
            return None
        staff_sessions.make_link(
            tx,
            token_hash=token_hash(token),
            real_now=real_now,
            expires_at=real_now + timedelta(seconds=seconds),
        )
    return token


def is_first_link_good(engine: Engine, token: str) -> bool:
    with engine.store.begin() as tx:
        return staff.is_nobody(tx) and staff_sessions.is_link_good(
            tx, token_hash(token), real_now=engine.real.now()
        )


def make_first_administrator(
    engine: Engine,
    rules: SessionRules,
    *,
    token: str,
    login: str,
    display_name: str,
    password: str,
    again: str,
    language: str,
    address: str,
) -> SignedIn:
    """The first account, signed in; the link is used up. Raises `Invalid`, and `NotFound` for a link that is not good
    or a centre that has accounts.
    """
    name, shown = login_of(login), display_name_of(display_name)
    if password != again:
        raise Invalid(field="again", problem="is not the same as the password")
    passwords.check(password, login=name)
    made = passwords.hashed(password)
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        if not staff_sessions.use_link(tx, token_hash(token), real_now=real_now) or not staff.is_nobody(tx):
            raise NotFound(kind="link", key="")
        member = staff.add(
            tx,
            login=name,
            display_name=shown,
            password_hash=made,
            role=Role.ADMINISTRATOR,
            unit_id=None,
            language=language if language in LANGUAGES else LANGUAGES[0],
            must_change=False,
            by=FIRST_LINK,
            real_now=real_now,
        )
        assert member is not None
        note(tx, engine, name, "staff_add", member, role=member.role.value, unit_id=None)
        session = open_session(tx, rules, member, address=address, real_now=real_now)
    return SignedIn(member=member, token=session)
