"""Entries of lists that a person of the whole centre confirms, or takes off: of a trusted item, so that it counts for
the signals of all sources, and of a public service that a source lists as fraud. The source asked, a person decides.
"""

from __future__ import annotations

import secrets

from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import Invalid, NotPermitted
from dialer.core.sources import LISTS_SOURCE, is_internal_source
from dialer.core.text import Text, gettext_noop
from dialer.runtime.services import Services
from dialer.signals.deliveries import SealedReading, SignalReception, store_signals
from dialer.signals.model import ItemKind, ListChange, ListKind, SignalKind


def confirm_item(
    services: Services,
    actor: Actor,
    item: ItemKind,
    value: str,
    *,
    list_kind: ListKind,
    of: str,
    change: ListChange = ListChange.ENTERED,
    why: str,
) -> None:
    """Enters the item as one that a person has confirmed for the source `of`, which takes it off again by removing its
    own entry; or takes it off. Raises `Invalid`, `NotPermitted` for people of a unit.
    """
    if actor.unit_id is not None:
        raise NotPermitted(who=actor.name, roles=Text("people of the whole centre"))
    reason, source = required_text("why", why), required_text("source", of)
    if is_internal_source(source):
        raise Invalid(field="source", problem=gettext_noop("is a source of the service itself"))
    with services.act(actor, Permission.CONTROL) as act:
        raw = {
            "source": LISTS_SOURCE,
            "signal_no": secrets.token_hex(16),
            "kind": SignalKind.LIST_CHANGE.value,
            "event_at": act.now.isoformat(),
            item.value: value,
            "list_kind": list_kind.value,
            "list_name": source,
            "change": change.value,
        }
        delivery = SignalReception(services).read([raw], may_send=lambda name: name == LISTS_SOURCE)
        for read in delivery.read:
            if not isinstance(read, SealedReading):
                raise Invalid(field=read[0].field, problem=read[0].reason, fix=read[0].fix)
        store_signals(act.tx, [delivery])
        facts = {"item": item.value, "list": list_kind.value, "change": change.value}
        act.audit("confirm_list_item", f"source/{source}", why=reason, facts=facts)
