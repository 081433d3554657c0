"""A backup is whole or refused, and is restored as a whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dialer.backup.actions import (
    Installation,
    NothingToBackUp,
    NotPutBack,
    make_backup,
    restore_backup,
    verify_backup,
)
from dialer.backup.archive import CannotWrite, DamagedBackup, OtherKeys, open_backup
from dialer.backup.store import NotEmpty, take_snapshot
from dialer.calls.comparison import UNTIL_RESUMED
from dialer.core.access import unrestricted
from dialer.db.key_state import WrongKeys
from dialer.db.keys import Keys, load
from dialer.db.migrations import newest_revision
from dialer.db.system_state import read_restored
from tests.backup.conftest import KEYS, RECORDING
from tests.control.scene import Scene
from tests.outcomes.town import MORNING

_OTHERS = Keys.of(encryption={1: bytes([7]) * 32}, index=bytes([9]) * 32, current=1)
_CHUNK = (1 << 18) + 16


def rows(place: Installation, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(place.database_url.replace("+psycopg", "")) as connection:
        return connection.execute(statement.encode()).fetchall()


def _state_of(place: Installation) -> dict[str, list[tuple[Any, ...]]]:
    """What of the schema a restore takes away and puts back."""
    return {
        "triggers": rows(place, "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
                         " WHERE NOT tgisinternal ORDER BY 1, 2"),
        "indexes": rows(place, "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"),
        "constraints": rows(place, "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
                            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"),
    }  # fmt: skip


def test_what_is_restored_is_what_was_backed_up(old: Installation, new: Installation, file: Path):
    restored = restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"))

    assert restored.contents.tables["case"] == 5
    for table in ("case", "person", "person_phone", "attempt", "script_version", "sound_file"):
        assert rows(new, f'SELECT * FROM "{table}" ORDER BY 1') == rows(
            old, f'SELECT * FROM "{table}" ORDER BY 1'
        )
    assert _state_of(new) == _state_of(old)
    assert (new.data_dir / "recordings" / "zh" / "greeting.wav").read_bytes() == RECORDING
    ids = "SELECT nextval(pg_get_serial_sequence('\"case\"', 'id'))"
    assert rows(new, ids) == rows(old, ids)


def test_a_restored_database_is_paused_and_says_so(new: Installation, file: Path):
    restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"))

    scene = Scene(new.database_url)
    with scene.tx() as tx:
        restored = read_restored(tx)
    assert restored is not None
    assert (restored.backup_at, restored.restored_at, restored.compared_at) == (MORNING, MORNING, None)
    assert scene.group().paused_until == UNTIL_RESUMED
    assert scene.claim() == []
    scene.close()
    assert rows(new, "SELECT act, who, facts ->> 'backup_at' FROM audit") == [
        ("restore", "li", MORNING.isoformat())
    ]


def test_nobody_is_signed_in_and_no_process_alive_after_a_restore(
    scene: Scene, old: Installation, new: Installation, tmp_path: Path
):
    with psycopg.connect(old.database_url.replace("+psycopg", "")) as connection:
        connection.execute(
            "INSERT INTO heartbeat (process, kind, at, facts) VALUES ('web:x', 'web', now(), '{}')"
        )
    make_backup(old, tmp_path / "two.backup", real_now=MORNING)
    restore_backup(new, tmp_path / "two.backup", real_now=MORNING, actor=unrestricted("li"))
    assert rows(new, "SELECT * FROM heartbeat") == []


def test_a_backup_is_verified_in_a_server_of_its_own(old: Installation, file: Path, tmp_path: Path):
    assert verify_backup(file, KEYS, scratch=tmp_path / "scratch").contents.tables["case"] == 5
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_a_killed_verification_left_is_deleted_by_the_next_one_unless_it_is_in_use(
    file: Path, tmp_path: Path
):
    scratch = tmp_path / "scratch"
    left, used = scratch / ".verify-left", scratch / ".verify-used"
    for folder in (left / "data", used):
        folder.mkdir(parents=True)
    held = os.open(used, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        verify_backup(file, KEYS, scratch=scratch)
        assert list(scratch.iterdir()) == [used]
    finally:
        os.close(held)


def test_what_is_written_meanwhile_is_not_in_it(scene: Scene, old: Installation):
    with take_snapshot(old.database_url) as snapshot:
        counts = {}
        for table in snapshot.tables():
            scene.open_case()
            counts[table.name] = snapshot.copy_out(table, lambda _rows: None)
    assert (counts["case"], counts["attempt"], counts["person"]) == (5, 5, 5)


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _chunks(content: bytes) -> tuple[bytes, list[bytes]]:
    start = 12 + int.from_bytes(content[8:12], "big")
    return content[:start], [content[at : at + _CHUNK] for at in range(start, len(content), _CHUNK)]


def _swap(content: bytes) -> bytes:
    start, chunks = _chunks(content)
    chunks[0], chunks[1] = chunks[1], chunks[0]
    return start + b"".join(chunks)


def _drop_last(content: bytes) -> bytes:
    start, chunks = _chunks(content)
    return start + b"".join(chunks[:-1])


def _drop_first(content: bytes) -> bytes:
    start, chunks = _chunks(content)
    return start + b"".join(chunks[1:])


_DAMAGES = {
    "altered": _flip,
    "reordered": _swap,
    "cut at a chunk": _drop_last,
    "first chunk gone": _drop_first,
    "a byte less": lambda content: content[:-1],
    "a byte more": lambda content: content + b"x",
    "another head": lambda content: content.replace(b"2026-11-25", b"2026-11-26", 1),
    "another kind": lambda content: b"PK" + content,
    "a head alone": lambda content: content[:9],
    "empty": lambda _content: b"",
}


def test_a_damaged_backup_is_noticed(file: Path):
    whole = file.read_bytes()
    assert len(_chunks(whole)[1]) > 2
    for damage in _DAMAGES.values():
        file.write_bytes(damage(whole))
        with pytest.raises(DamagedBackup):
            _read(file)


def _read(file: Path) -> None:
    with open_backup(file, KEYS) as reader:
        for _, pieces in reader.entries():
            for _ in pieces:
                pass


def test_a_backup_that_was_cut_off_leaves_the_place_empty(new: Installation, file: Path):
    file.write_bytes(_drop_last(file.read_bytes()))
    with pytest.raises(DamagedBackup):
        restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"))
    assert rows(new, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []
    assert list(new.data_dir.iterdir()) == []


def test_other_keys_are_refused_before_anything(
    old: Installation, new: Installation, file: Path, tmp_path: Path
):
    with pytest.raises(OtherKeys, match="DIALER_KEYS__FILE"):
        restore_backup(replace(new, keys=_OTHERS), file, real_now=MORNING, actor=unrestricted("li"))
    with psycopg.connect(old.database_url.replace("+psycopg", "")) as connection:
        connection.execute("INSERT INTO meta VALUES ('keys_fingerprint', '\"index=0 1=0\"')")
    with pytest.raises(WrongKeys):
        make_backup(old, tmp_path / "two.backup", real_now=MORNING)


def test_a_place_that_holds_something_is_refused_by_its_name(
    old: Installation, new: Installation, file: Path
):
    with pytest.raises(NotEmpty) as refused:
        restore_backup(
            replace(new, database_url=old.database_url), file, real_now=MORNING, actor=unrestricted("li")
        )
    assert refused.value.found["case"] == 5
    (new.data_dir / "recordings").mkdir()
    (new.data_dir / "recordings" / "mine.wav").touch()
    with pytest.raises(NotEmpty, match="recordings"):
        restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"))


def test_folders_that_are_links_to_another_disk_get_their_files(
    new: Installation, file: Path, tmp_path: Path
):
    """As on a machine whose recordings have a disk of their own; what a killed restore left there is no obstacle."""
    disk = tmp_path / "disk"
    (disk / ".restoring" / "zh").mkdir(parents=True)
    (disk / ".restoring" / "zh" / "half.wav").write_bytes(b"half")
    (new.data_dir / "recordings").symlink_to(disk)
    restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"))
    assert [one for one in disk.rglob("*") if one.is_file()] == [disk / "zh" / "greeting.wav"]
    assert (new.data_dir / "recordings" / "zh" / "greeting.wav").read_bytes() == RECORDING


def test_files_that_cannot_be_put_in_their_place_are_kept_and_the_restore_says_where(
    new: Installation, file: Path, monkeypatch: pytest.MonkeyPatch
):
    """The database has committed: nobody can restore once more."""

    def fails(self: Path, _to: Path) -> Path:
        raise OSError(errno.EACCES, "Permission denied", str(self))

    place = new.data_dir / "recordings"
    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", fails)
        with pytest.raises(NotPutBack, match="Permission denied") as refused:
            restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"))
    assert (refused.value.draft, refused.value.place) == (place / ".restoring", place)
    assert rows(new, 'SELECT count(*) FROM "case"') == [(5,)]
    with pytest.raises(NotEmpty):
        restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"))
    assert (place / ".restoring" / "zh" / "greeting.wav").read_bytes() == RECORDING, "it is there still"


def test_there_is_no_half_file(old: Installation, tmp_path: Path):
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "there.backup").write_bytes(b"mine")
    with pytest.raises(CannotWrite, match="exists"):
        make_backup(old, folder / "there.backup", real_now=MORNING)
    with pytest.raises(CannotWrite, match="No such file"):
        make_backup(old, folder / "none" / "x.backup", real_now=MORNING)
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, most[1]))
    try:
        with pytest.raises(CannotWrite, match="too large"):
            make_backup(old, folder / "x.backup", real_now=MORNING)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert [(one.name, one.read_bytes()) for one in folder.iterdir()] == [("there.backup", b"mine")]


def test_an_empty_database_is_no_backup(new: Installation, tmp_path: Path):
    with pytest.raises(NothingToBackUp):
        make_backup(new, tmp_path / "two.backup", real_now=MORNING)
    assert not (tmp_path / "two.backup").exists()


def test_a_backup_of_an_older_version_is_restored_and_migrated(
    fresh_database: str, empty_database: str, tmp_path: Path
):
    data = Path(__file__).resolve().parents[1] / "db" / "data"
    (tmp_path / "keys.toml").write_bytes((data / "0024_keys.toml").read_bytes())
    (tmp_path / "keys.toml").chmod(0o600)
    older = Installation(
        database_url=fresh_database, owner_url=None, keys=load(tmp_path / "keys.toml"), data_dir=tmp_path
    )
    with psycopg.connect(fresh_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute((data / "0024.sql").read_bytes())
    made = make_backup(older, tmp_path / "older.backup", real_now=MORNING)
    assert made.schema == "0024"
    newer = replace(older, database_url=empty_database, data_dir=tmp_path / "new")
    restored = restore_backup(newer, tmp_path / "older.backup", real_now=MORNING, actor=unrestricted("li"))
    assert restored.contents == made.contents
    assert rows(newer, "SELECT version_num FROM alembic_version") == [(newest_revision(),)]
    assert rows(newer, 'SELECT id, grade FROM "case" ORDER BY 1') == rows(
        older, 'SELECT id, grade FROM "case" ORDER BY 1'
    )
    assert rows(newer, "SELECT until FROM hold WHERE ended_at IS NULL") == [(UNTIL_RESUMED,)]
