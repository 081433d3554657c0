"""Messages of before there were channels went by SMS; an id of a message is unique in its channel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from dialer.db.migrations import script_location


class Old:
    """The messages of a database at 0027, and its way to 0028 and back."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.config = Config()
        self.config.set_main_option("script_location", str(script_location()))
        self.config.set_main_option("path_separator", "os")
        self.config.attributes["connection"] = connection
        command.upgrade(self.config, "0027")
        # Of messages alone: their cases and persons do not matter here.
        for parent in ("case", "person"):
            connection.execute(sa.text(f"ALTER TABLE message DROP CONSTRAINT fk_message_{parent}_id"))
        self.add(1, sid="SM1")

    def upgrade(self) -> None:
        command.upgrade(self.config, "0028")

    def downgrade(self) -> None:
        command.downgrade(self.config, "0027")

    def add(self, case_id: int, *, sid: str, **columns: str) -> None:
        row = {"case_id": case_id, "sid": sid, **columns}
        put = (
            f"INSERT INTO message ({', '.join(row)}, id, person_id, number, purpose, state, planned_at, not_before,"
            f" drill) VALUES ({', '.join(f':{name}' for name in row)}, gen_random_uuid(), 1, 0, 'unreachable',"
            " 'sent', now(), now(), false)"
        )
        with self.connection.begin_nested():
            self.connection.execute(sa.text(put), row)

    def channels(self) -> list[str]:
        return list(self.connection.scalars(sa.text("SELECT channel FROM message ORDER BY case_id")))


@pytest.fixture
def old(empty_database: str) -> Iterator[Old]:
    engine = sa.create_engine(empty_database)
    with engine.begin() as connection:
        yield Old(connection)
    engine.dispose()


def test_messages_of_before_went_by_sms_and_so_do_those_of_an_older_process(old: Old):
    old.upgrade()
    old.add(2, sid="SM2")
    assert old.channels() == ["sms", "sms"]


def test_an_id_is_taken_once_in_a_channel_and_may_be_anothers_too(old: Old):
    old.upgrade()
    old.add(2, sid="SM1", channel="letter")
    with pytest.raises(sa.exc.IntegrityError, match="uq_message_channel_sid"):
        old.add(3, sid="SM1")
    assert old.channels() == ["sms", "letter"]


def test_the_way_back_and_forth_keeps_every_message(old: Old):
    old.upgrade()
    old.downgrade()
    with pytest.raises(sa.exc.IntegrityError, match="uq_message_sid"):
        old.add(2, sid="SM1")
    old.upgrade()
    assert old.channels() == ["sms"]
