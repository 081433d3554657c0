"""The page of outgoing webhooks: who receives what, the log of messages, and sending again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Form, Path, Query
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid
from dialer.core.text import gettext_noop
from dialer.core.values import DeliveryState, WebhookEvent
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import typed_word
from dialer.web.rendering import PlaceGroup
from dialer.webhooks.actions import (
    NewWebhook,
    add_webhook,
    end_webhook,
    list_deliveries,
    list_webhooks,
    redeliver,
)

webhook_pages = PageSection()
_PATH, _TEMPLATE = "/webhooks", "console/webhooks.html"
_UNFIT, _TAKEN = 422, 409
_PAGE = 50
_MANAGE = Permission.MANAGE_WEBHOOKS
Number = Annotated[int, Path(ge=1, lt=2**63)]
Name = Annotated[str, Path(max_length=64)]


@webhook_pages.get(
    _PATH,
    act=_MANAGE,
    nav=gettext_noop("Webhooks"),
    order=92,
    group=PlaceGroup.ADMINISTRATION,
    whole_centre=True,
)
def show_webhooks(
    request: CurrentRequest,
    name: Annotated[str, Query(max_length=64)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> Response:
    return _show(request, name=name, state=state, before=before)


@webhook_pages.post(_PATH, act=_MANAGE)
def add(
    request: CurrentRequest,
    name: Annotated[str, Form(max_length=64)] = "",
    url: Annotated[str, Form(max_length=500)] = "",
    case_settled: Annotated[str, Form(max_length=1)] = "",
    high_missed: Annotated[str, Form(max_length=1)] = "",
    case_filed: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """Adds a webhook. Its secret is shown on the page that answers, and nowhere else."""
    request.check_sees_whole_centre()
    ticked = {
        WebhookEvent.CASE_SETTLED: case_settled,
        WebhookEvent.HIGH_MISSED: high_missed,
        WebhookEvent.CASE_FILED: case_filed,
    }
    events = [event.value for event, tick in ticked.items() if tick]
    typed = {"name": name, "url": url, "events": events}
    try:
        new = add_webhook(request.services, request.actor, name=name.strip(), url=url, events=events)
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show(request, typed=typed, wrong=wrong, status=_UNFIT)
    except Conflict as fault:
        wrong = {"name": request.refusal(fault)}
        return _show(request, typed=typed, wrong=wrong, status=_TAKEN)
    return _show(request, new=new)


@webhook_pages.post("/webhooks/{name}/end", act=_MANAGE)
def end(request: CurrentRequest, name: Name) -> Response:
    """Ends a webhook: nothing more is sent to its receiver."""
    request.check_sees_whole_centre()
    end_webhook(request.services, request.actor, name)
    return request.redirect_to(_PATH, notice=gettext_noop("The webhook has ended: it is told nothing more."))


@webhook_pages.post("/webhooks/{name}/again", act=_MANAGE)
def send_given_up_again(request: CurrentRequest, name: Name) -> Response:
    """Sends every message of the webhook that was given up again."""
    request.check_sees_whole_centre()
    redeliver(request.services, request.actor, webhook=name)
    return request.redirect_to(_PATH, notice=gettext_noop("The deliveries are sent again."))


@webhook_pages.post("/webhooks/deliveries/{delivery_id}/again", act=_MANAGE)
def send_again(request: CurrentRequest, delivery_id: Number) -> Response:
    request.check_sees_whole_centre()
    try:
        redeliver(request.services, request.actor, delivery_id=delivery_id)
    except Conflict as fault:
        return _show(request, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(_PATH, notice=gettext_noop("The delivery is sent again."))


def _show(
    request: RequestContext,
    *,
    name: str = "",
    state: str = "",
    before: int | None = None,
    typed: Mapping[str, object] | None = None,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
    new: NewWebhook | None = None,
    status: int = 200,
) -> Response:
    request.check_sees_whole_centre()
    services = request.services
    chosen = typed_word(DeliveryState, state)
    found = list_deliveries(services, webhook=name, state=chosen, before_id=before, limit=_PAGE + 1)
    return request.page(
        _TEMPLATE,
        status=status,
        webhooks=list_webhooks(services),
        deliveries=found[:_PAGE],
        older=found[_PAGE - 1].id if len(found) > _PAGE else None,
        before=before,
        name=name,
        chosen=chosen,
        states=list(DeliveryState),
        events=list(WebhookEvent),
        networks=services.webhooks.networks,
        most_tries=services.webhooks.tries,
        typed=typed or {},
        wrong=wrong or {},
        refused=refused,
        new=new,
    )
