"""The webhook of a message is verified, kept and applied; an unknown message is refused."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from dialer.db import tables as t
from tests.outcomes.town import MORNING
from tests.server.switchboard import Request, Switchboard, codes


def message(board: Switchboard) -> uuid.UUID:
    case_id = board.case()
    message_id = uuid.uuid4()
    with board.store.begin() as tx:
        person_id = tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == case_id))
        tx.execute(
            sa.insert(t.message).values(
                id=message_id,
                case_id=case_id,
                person_id=person_id,
                number=0,
                purpose="unreachable",
                state="sending",
                planned_at=MORNING,
                not_before=MORNING,
                drill=False,
            )
        )
    return message_id


def state(board: Switchboard, message_id: uuid.UUID) -> str:
    with board.store.begin() as tx:
        return str(tx.scalar(sa.select(t.message.c.state).where(t.message.c.id == message_id)))


def news(message_id: uuid.UUID, word: str) -> Request:
    form = {"MessageSid": "SM1", "MessageStatus": word, "To": "+8613900000001"}
    return f"/hooks/message/{message_id}", form


def test_news_of_a_message_is_applied_by_the_time_it_is_answered(board: Switchboard) -> None:
    one = message(board)
    assert codes(board.ask(news(one, "sent"))) == [204]
    assert state(board, one) == "sent"
    assert board.events(one) == ["message.sent"]


def test_its_repeat_and_late_news_change_nothing(board: Switchboard) -> None:
    one = message(board)
    assert codes(board.ask(news(one, "delivered"))) == [204]
    assert codes(board.ask(news(one, "delivered"))) == [204]
    assert codes(board.ask(news(one, "queued"))) == [204]
    assert state(board, one) == "delivered"


def test_what_another_token_signed_is_refused_and_a_stranger_s_is_not_found(board: Switchboard) -> None:
    one = message(board)
    assert codes(board.ask(news(one, "sent"), token="somebody else's")) == [403]
    assert codes(board.ask(news(uuid.UUID(int=7), "sent"))) == [404]
    assert codes(board.ask(news(one, "eaten"))) == [400]
    assert state(board, one) == "sending"
