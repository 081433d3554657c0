"""Commands for outgoing webhooks: receivers, the log of deliveries, and sending again."""

from __future__ import annotations

from typing import Annotated

import typer

from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    fields_of,
    one_of,
    print_found,
    signed_application,
)
from dialer.core.access import Permission
from dialer.core.errors import Invalid
from dialer.core.values import DeliveryState
from dialer.webhooks.actions import (
    WebhookDelivery,
    WebhookReceiver,
    add_webhook,
    end_webhook,
    list_deliveries,
    list_webhooks,
    redeliver,
)

webhook = typer.Typer(help="Other systems that are told of cases 外发通知.", no_args_is_help=True)
_MOST = 1000


@webhook.command("add")
def add_command(
    name: Annotated[str, typer.Argument(help="whose it is, such as the bureau's platform")],
    url: Annotated[str, typer.Argument(help="https, in one of the networks of webhooks.networks")],
    event: Annotated[list[str], typer.Option(help="case_settled, high_missed, case_filed; may be repeated")],
    by: By = "cli",
) -> None:
    """Tell another system about events. The secret is printed once, on standard output."""
    with signed_application("webhook", by, Permission.MANAGE_WEBHOOKS) as (app, actor):
        new = add_webhook(app.services, actor, name=name, url=url, events=event)
    typer.echo(new.secret)
    typer.echo(f"webhook {name} added; this secret is not shown again", err=True)


@webhook.command("list")
def list_command(*, as_json: AsJson = False) -> None:
    """Receivers with how many deliveries wait, were delivered and were given up; never their secrets."""
    with command_application("webhook") as app:
        found = list_webhooks(app.services, ended=True)
    print_found(
        found,
        as_json=as_json,
        plain=_webhook,
        columns={
            "名称 name": lambda receiver: receiver.name,
            "地址 url": lambda receiver: receiver.url,
            "事件 events": lambda receiver: " ".join(receiver.events),
            "待发 waiting": lambda receiver: receiver.waiting,
            "已送达 delivered": lambda receiver: receiver.delivered,
            "已放弃 given up": lambda receiver: receiver.given_up,
            "停用 ended": lambda receiver: centre_time(receiver.ended_at, app) if receiver.ended_at else "",
        },
        empty="no other system is told anything",
    )


def _webhook(receiver: WebhookReceiver) -> dict[str, object]:
    names = (
        "name",
        "url",
        "added_by",
        "added_at",
        "ended_by",
        "ended_at",
        "waiting",
        "delivered",
        "given_up",
    )
    # `dead` is the name of before.
    events = [event.value for event in receiver.events]
    return fields_of(receiver, *names) | {"events": events, "dead": receiver.given_up}


@webhook.command("log")
def log_command(
    name: Annotated[str, typer.Argument(help="only of this receiver")] = "",
    state: Annotated[str, typer.Option(help="waiting, delivered, given_up or dropped")] = "",
    limit: Annotated[int, typer.Option(min=1, max=_MOST)] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Deliveries with every try, newest first."""
    wanted = one_of(DeliveryState, state, field="--state") if state else None
    with command_application("webhook") as app:
        found = list_deliveries(app.services, webhook=name, state=wanted, limit=limit)
    print_found(
        found,
        as_json=as_json,
        plain=_delivery,
        columns={
            "编号 id": lambda delivery: delivery.id,
            "接收方 to": lambda delivery: delivery.webhook,
            "事件 event": lambda delivery: delivery.event.value,
            "预警单 case": lambda delivery: delivery.case_id,
            "状态 state": lambda delivery: delivery.state.value,
            "次数 tries": lambda delivery: len(delivery.tries),
            "最近应答 answer": _answer,
        },
        empty="no deliveries",
    )


def _answer(delivery: WebhookDelivery) -> object:
    if not delivery.tries:
        return ""
    last = delivery.tries[0]
    return last.status or (last.fault.value if last.fault else "")


def _delivery(delivery: WebhookDelivery) -> dict[str, object]:
    names = ("id", "webhook", "case_id", "occurred_at", "queued_at", "due_at")
    return fields_of(delivery, *names) | {
        "message_id": str(delivery.message_id),
        "event": delivery.event.value,
        "state": delivery.state.value,
        "tries": [
            {
                "at": each.at,
                "status": each.status,
                "fault": each.fault.value if each.fault else None,
                "took_ms": each.took_ms,
            }
            for each in delivery.tries
        ],
    }


@webhook.command("again")
def again_command(
    delivery: Annotated[int | None, typer.Option(min=1, help="this delivery, whatever became of it")] = None,
    name: Annotated[str, typer.Option(help="every delivery to this receiver that was given up")] = "",
    by: By = "cli",
) -> None:
    """Send deliveries again. A receiver recognises a repeated one by its id."""
    if (delivery is None) != bool(name):
        raise Invalid(field="--delivery", problem="is one of two", fix="give --delivery or --name")
    with signed_application("webhook", by, Permission.MANAGE_WEBHOOKS) as (app, actor):
        count = redeliver(app.services, actor, delivery_id=delivery, webhook=name)
    typer.echo(f"{count} sent again")


@webhook.command("end")
def end_command(name: str, by: By = "cli") -> None:
    """Stop telling a system about events; deliveries that wait are dropped."""
    with signed_application("webhook", by, Permission.MANAGE_WEBHOOKS) as (app, actor):
        end_webhook(app.services, actor, name)
    typer.echo(f"webhook {name} ended")
