"""The key file: made once, private, and recognised again by the fingerprint alone."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from dialer.db.vault import KEY_BYTES, Keys, KeysRefused, agrees, create, fingerprint, load

ONE = bytes([1]) * KEY_BYTES
TWO = bytes([2]) * KEY_BYTES
INDEX = bytes([9]) * KEY_BYTES


def keys(encryption: dict[int, bytes] | None = None, *, index: bytes = INDEX, current: int = 1) -> Keys:
    return Keys(encryption=encryption or {1: ONE}, index=index, current=current)


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def rotated(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("current = 1", "current = 2") + f'2 = "{TWO.hex()}"\n'


def test_a_created_file_gives_the_same_keys_back(tmp_path: Path):
    made = create(tmp_path / "keys.toml")
    assert load(tmp_path / "keys.toml") == made
    assert made.current == 1
    assert len(made.encryption[1]) == len(made.index) == KEY_BYTES


def test_two_created_files_share_no_key(tmp_path: Path):
    first, second = create(tmp_path / "a"), create(tmp_path / "b")
    assert len({first.index, second.index, first.encryption[1], second.encryption[1]}) == 4


def test_a_created_file_is_the_owner_s_alone_whatever_the_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        create(tmp_path / "keys.toml")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys.toml").stat().st_mode) == 0o600


def test_nothing_but_the_file_is_left_beside_it(tmp_path: Path):
    create(tmp_path / "keys.toml")
    with pytest.raises(KeysRefused):
        create(tmp_path / "keys.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["keys.toml"]


def test_an_existing_file_is_never_touched(tmp_path: Path):
    path = written(tmp_path / "keys.toml", "mine")
    with pytest.raises(KeysRefused, match="already exists"):
        create(path)
    assert path.read_text(encoding="utf-8") == "mine"


def test_of_many_that_create_at_once_one_wins_and_all_can_load_its_keys(tmp_path: Path):
    path = tmp_path / "keys.toml"
    start = threading.Barrier(8)
    made: list[Keys] = []
    refused: list[KeysRefused] = []

    def attempt() -> None:
        start.wait()
        try:
            made.append(create(path))
        except KeysRefused as error:
            refused.append(error)
            load(path)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(refused) == 7
    assert load(path) == made[0]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_open_to_others_is_refused_and_says_how_to_mend_it(tmp_path: Path, mode: int):
    path = tmp_path / "keys.toml"
    create(path)
    path.chmod(mode)
    with pytest.raises(KeysRefused, match=f"{mode:04o}.*chmod 600") as caught:
        load(path)
    assert caught.value.path == path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read(tmp_path: Path, mode: int):
    path = tmp_path / "keys.toml"
    create(path)
    path.chmod(mode)
    assert load(path).current == 1


def test_a_missing_file_and_a_folder_are_one_clear_line(tmp_path: Path):
    with pytest.raises(KeysRefused, match="No such file"):
        load(tmp_path / "none")
    with pytest.raises(KeysRefused, match="directory"):
        load(tmp_path)
    with pytest.raises(KeysRefused, match="cannot be created"):
        create(tmp_path / "no folder" / "keys.toml")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "current = 1",
        "not = [toml",
        f'current = 1\nindex = "{INDEX.hex()}"\n[encryption]\n1 = "xyz"\n',
        f'current = 1\nindex = "{INDEX.hex()}"\n[encryption]\n1 = 5\n',
        f'current = 1\nindex = "{INDEX.hex()}"\nencryption = 3\n',
        f'current = "1"\nindex = "{INDEX.hex()}"\n[encryption]\n1 = "{ONE.hex()}"\n',
        f'current = true\nindex = "{INDEX.hex()}"\n[encryption]\n1 = "{ONE.hex()}"\n',
        f'current = 1\nindex = "{INDEX.hex()}"\n[encryption]\none = "{ONE.hex()}"\n',
        f'current = 1\nindex = "{INDEX.hex()}"\n[encryption]\n1 = "{ONE.hex()}"\n01 = "{TWO.hex()}"\n',
        f'current = 1\nindex = "{INDEX.hex()}"\nindx = "a"\n[encryption]\n1 = "{ONE.hex()}"\n',
    ],
)
def test_a_damaged_file_is_refused_without_quoting_it(tmp_path: Path, text: str):
    path = written(tmp_path / "keys.toml", text)
    with pytest.raises(KeysRefused) as caught:
        load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    assert ONE.hex()[:8] not in line
    assert caught.value.__cause__ is None


def test_a_file_that_is_not_text_is_refused(tmp_path: Path):
    path = tmp_path / "keys.toml"
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(KeysRefused, match="no key file"):
        load(path)


@pytest.mark.parametrize(
    ("encryption", "index", "current", "problem"),
    [
        ({1: ONE[:16]}, INDEX, 1, "32 bytes"),
        ({1: ONE}, INDEX[:-1], 1, "32 bytes"),
        ({1: ONE}, INDEX, 2, "current key 2"),
        ({0: ONE}, INDEX, 0, "from 1 to"),
        ({70000: ONE}, INDEX, 70000, "from 1 to"),
        ({1: ONE, 2: ONE}, INDEX, 1, "the same"),
        ({1: ONE}, ONE, 1, "the same"),
    ],
)
def test_impossible_keys_are_refused(encryption: dict[int, bytes], index: bytes, current: int, problem: str):
    with pytest.raises(KeysRefused, match=problem):
        keys(encryption, index=index, current=current)


def test_a_key_added_by_hand_becomes_the_current_one(tmp_path: Path):
    path = tmp_path / "keys.toml"
    before = create(path)
    written(path, rotated(path))
    after = load(path)
    assert after.current == 2
    assert after.encryption == {1: before.encryption[1], 2: TWO}
    assert after.index == before.index


def test_keys_show_no_key_and_cannot_be_changed():
    shown = repr(keys())
    assert "\\x01" not in shown
    assert ONE.hex() not in shown
    with pytest.raises(TypeError):
        keys().encryption[2] = TWO  # type: ignore[index]


def test_a_later_change_of_the_given_mapping_changes_no_keys():
    given = {1: ONE}
    held = keys(given)
    given[2] = TWO
    assert dict(held.encryption) == {1: ONE}


def test_the_fingerprint_names_every_key_and_tells_none():
    line = fingerprint(keys({2: TWO, 1: ONE}))
    assert [part.split("=")[0] for part in line.split()] == ["index", "1", "2"]
    for key in (ONE, TWO, INDEX):
        assert key.hex()[:12] not in line
    assert line == fingerprint(keys({1: ONE, 2: TWO}, current=2))


def test_the_same_keys_agree_with_their_fingerprint_and_so_do_rotated_ones():
    stored = fingerprint(keys())
    assert agrees(stored=stored, keys=keys())
    assert agrees(stored=stored, keys=keys({1: ONE, 2: TWO}, current=2))


@pytest.mark.parametrize(
    "other", [keys({1: TWO}), keys(index=TWO), keys({2: ONE}, current=2), keys({1: TWO, 2: ONE})]
)
def test_other_keys_do_not_agree(other: Keys):
    assert not agrees(stored=fingerprint(keys()), keys=other)


def test_a_key_that_the_database_knows_must_not_be_dropped():
    stored = fingerprint(keys({1: ONE, 2: TWO}, current=2))
    assert not agrees(stored=stored, keys=keys({2: TWO}, current=2))


def test_an_empty_fingerprint_agrees_with_nothing():
    assert not agrees(stored="", keys=keys())
