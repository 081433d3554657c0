"""A shard of the warning robot has one holder, whoever asks and whatever an earlier one still does."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.db import tables as t
from dialer.signals.store import SHARDS, release_shards, renew_shards, shard_holders, take_shards
from tests.control.scene import Scene


def test_two_processes_hold_different_shards(scene: Scene):
    with scene.tx() as tx:
        mine = take_shards(tx, holder="a", gone=[], most=5, seconds=30)
        theirs = take_shards(tx, holder="b", gone=[], most=SHARDS, seconds=30)
        assert take_shards(tx, holder="c", gone=[], most=SHARDS, seconds=30) == []
        assert take_shards(tx, holder="c", gone=["a", "b"], most=0, seconds=30) == []
    assert [shard.shard for shard in mine + theirs] == list(range(SHARDS))
    with scene.tx() as tx:
        assert sorted(shard_holders(tx)) == ["a", "b"]
        assert renew_shards(tx, [shard.claim for shard in mine], holder="a", seconds=30) == {0, 1, 2, 3, 4}


def test_who_has_lost_a_shard_neither_renews_nor_releases_it(scene: Scene):
    with scene.tx() as tx:
        lost = [shard.claim for shard in take_shards(tx, holder="a", gone=[], most=2, seconds=30)]
        taken = [shard.claim for shard in take_shards(tx, holder="b", gone=["a"], most=2, seconds=30)]
        assert [claim.key for claim in taken] == [0, 1]
        assert renew_shards(tx, lost, holder="a", seconds=30) == set()
        assert renew_shards(tx, lost, holder="b", seconds=30) == set()
        release_shards(tx, lost, holder="a")
        assert shard_holders(tx) == ["b"]
        release_shards(tx, taken, holder="b")
        assert shard_holders(tx) == []
        assert len(take_shards(tx, holder="c", gone=[], most=SHARDS, seconds=30)) == SHARDS


def test_a_process_of_the_release_before_takes_a_shard_without_a_new_token(scene: Scene):
    with scene.tx() as tx:
        [mine] = take_shards(tx, holder="a", gone=[], most=1, seconds=30)
        tx.execute(sa.update(t.robot_shard).where(t.robot_shard.c.shard == 0).values(holder="before"))
        assert renew_shards(tx, [mine.claim], holder="a", seconds=30) == set()


def test_a_lease_that_ended_is_anybodys(scene: Scene):
    with scene.tx() as tx:
        take_shards(tx, holder="a", gone=[], most=1, seconds=-1)
        [taken] = take_shards(tx, holder="b", gone=[], most=1, seconds=30)
    assert (taken.shard, taken.seq) == (0, 0)
