"""Institutions with their outlets and what these report, and the accounts of tellers."""

from __future__ import annotations

from datetime import date

from dialer.cards.openings.store import (
    Outlet,
    institution_named,
    outlets_of_institution,
    put_institution,
    put_outlet,
    put_report,
    put_teller,
)
from dialer.core.access import Actor, Permission, Role, required_text
from dialer.core.cards import InstitutionKind
from dialer.core.errors import Invalid, NotFound
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.staff.store import find_member

_ACT = Permission.MANAGE_UNITS


def add_institution(
    services: Services, actor: Actor, *, name: str, kind: InstitutionKind, token: str = ""
) -> int:
    """Adds a bank or carrier and returns its id; for a name that exists, changes its kind and API token."""
    called = required_text("name", name)
    with services.act(actor, _ACT) as act:
        institution_id = put_institution(act.tx, called, kind=kind, token_name=token.strip() or None)
        act.audit("institution", f"institution/{institution_id}", facts={"name": called})
    return institution_id


def add_outlet(
    services: Services, actor: Actor, *, institution: str, code: str, name: str = "", unit: str = ""
) -> int:
    """Adds an outlet and returns its id; for a code that exists, changes its name and unit. `unit`: the name of the
    centre in charge, '' for none. Raises `NotFound`.
    """
    known = required_text("code", code)
    with services.act(actor, _ACT) as act:
        row = institution_named(act.tx, institution)
        found = services.units.current(act.tx).find(unit) if unit.strip() else None
        if unit.strip() and found is None:
            raise NotFound(kind="unit", key=unit)
        unit_id = None if found is None else found.id
        outlet_id = put_outlet(act.tx, row["id"], known, name=name.strip() or known, unit_id=unit_id)
        act.audit("outlet", f"outlet/{outlet_id}", facts={"code": known})
    return outlet_id


def bind_teller(services: Services, actor: Actor, *, login: str, institution: str, code: str) -> None:
    """Binds the account of a teller to this outlet from now on. Raises `NotFound`, and `Invalid` for another role."""
    with services.act(actor, _ACT) as act:
        member = find_member(act.tx, login)
        if member is None:
            raise NotFound(kind="account", key=login)
        if member.role is not Role.TELLER:
            raise Invalid(field="login", problem="is not the account of a teller")
        outlet = _outlet(act.tx, institution, code)
        put_teller(act.tx, member.id, outlet.id)
        act.audit("bind_teller", f"staff/{member.id}", facts={"outlet": outlet.code})


def report_openings(
    services: Services, actor: Actor, *, institution: str, code: str, day: date, reported: int
) -> None:
    """Records how many openings the institution reports for the outlet on a day: the denominator of
    its completeness.
    """
    if reported < 0:
        raise Invalid(field="reported", problem="is below zero")
    with services.act(actor, Permission.LOAD_LISTS, _ACT) as act:
        outlet = _outlet(act.tx, institution, code)
        put_report(act.tx, outlet.id, day, reported)
        facts = {"day": day.isoformat(), "reported": reported}
        act.audit("report_openings", f"outlet/{outlet.id}", facts=facts)


def _outlet(tx: Tx, institution: str, code: str) -> Outlet:
    outlet = outlets_of_institution(tx, institution_named(tx, institution)["id"]).get(code)
    if outlet is None:
        raise NotFound(kind="outlet", key=code)
    return outlet
