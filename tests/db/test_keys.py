"""The key file: made once, private, and recognised again by the fingerprint alone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import threading
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import SecretStr

from dialer.core.values import Suite
from dialer.db.keys import (
    KEY_BYTES,
    Keys,
    KeySource,
    KeysRefused,
    KeyToken,
    KeyUse,
    create,
    load,
    render,
    save,
)

ONE = bytes([1]) * KEY_BYTES
TWO = bytes([2]) * KEY_BYTES
INDEX = bytes([9]) * KEY_BYTES


def keys(encryption: dict[int, bytes] | None = None, *, index: bytes = INDEX, current: int = 1) -> Keys:
    return Keys.of(encryption=encryption or {1: ONE}, index=index, current=current)


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_created_file_gives_the_same_keys_back(tmp_path: Path):
    made = create(tmp_path / "keys.toml")
    assert load(tmp_path / "keys.toml") == made
    assert made.current == 1
    assert [key.use for key in made.held.values()] == list(KeyUse)
    assert {len(key.secret) for key in made.held.values()} == {len(made.fixed)} == {KEY_BYTES}


def test_two_created_files_share_no_key(tmp_path: Path):
    first, second = create(tmp_path / "a"), create(tmp_path / "b")
    assert len({key.secret for ring in (first, second) for key in ring.held.values()}) == 6


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
def test_a_file_open_to_others_is_refused_and_says_how_to_fix_it(tmp_path: Path, mode: int):
    path = tmp_path / "keys.toml"
    create(path)
    path.chmod(mode)
    with pytest.raises(KeysRefused, match=f"{mode:04o}.*chmod 600") as caught:
        load(path)
    assert caught.value.source == path


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
    with pytest.raises(KeysRefused, match="cannot be written into its folder"):
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
        f'{{"format": 3, "fixed": "{ONE.hex()}", "key": []}}',
        f'{{"format": 2, "fixed": "{ONE.hex()}", "key": [{{"id": 1, "use": "sealing"}}]}}',
        f'{{"format": 2, "fixed": "{ONE.hex()}", "key": [], "else": 1}}',
        "[1]",
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
    with pytest.raises(KeysRefused, match="is not a key ring"):
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


SECOND = f"""format = 2
fixed = "{TWO.hex()}"
[[key]]
id = 1
use = "encryption"
suite = "sm4-gcm/sm3"
secret = "{ONE.hex()}"
[[key]]
id = 2
use = "index"
suite = "aes-gcm/blake2"
secret = "{INDEX.hex()}"
"""


def test_a_file_of_the_first_format_is_read_and_becomes_one_of_the_second(tmp_path: Path):
    """Its index key is also the fixed secret, and number 0."""
    text = f'current = 2\nindex = "{INDEX.hex()}"\n[encryption]\n1 = "{ONE.hex()}"\n2 = "{TWO.hex()}"\n'
    path = written(tmp_path / "keys.toml", text)
    held = load(path)
    assert held == keys({1: ONE, 2: TWO}, current=2)
    assert (held.fixed, held.ids(KeyUse.INDEX)) == (INDEX, [0])
    save(path, held)
    assert load(path) == held
    assert "format = 2" in path.read_text(encoding="utf-8")


def test_the_second_format_gives_each_key_its_use_and_suite(tmp_path: Path):
    held = load(written(tmp_path / "keys.toml", SECOND))
    assert [(key.use, key.suite) for key in held.held.values()] == [
        (KeyUse.ENCRYPTION, Suite.SM4_SM3),
        (KeyUse.INDEX, Suite.AES_BLAKE2),
    ]
    with pytest.raises(KeysRefused, match="no index key"):
        load(written(tmp_path / "other.toml", SECOND.replace('"index"', '"encryption"')))


def test_new_keys_have_new_numbers_and_the_ring_is_replaced_whole(tmp_path: Path):
    path = tmp_path / "keys.toml"
    first = create(path)
    ring, made = first.with_new([KeyUse.INDEX, KeyUse.ENCRYPTION], Suite.SM4_SM3)
    assert made == {KeyUse.INDEX: 4, KeyUse.ENCRYPTION: 5}
    assert (ring.current, ring.fixed, ring.held[4].suite) == (5, first.fixed, Suite.SM4_SM3)
    path.chmod(0o400)
    save(path, ring)
    assert load(path) == ring
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["keys.toml"]
    assert set(ring.without(1).held) == {2, 3, 4, 5}
    assert ring.only_for_audit(1).ids(KeyUse.AUDIT) == [1, 3]


def test_keys_show_no_key_and_cannot_be_changed():
    shown = repr(keys())
    assert "\\x01" not in shown
    assert ONE.hex() not in shown
    with pytest.raises(TypeError):
        keys().held[2] = keys().held[1]  # type: ignore[index]


def test_a_mark_names_a_key_and_tells_nothing_of_it():
    marks = keys({2: TWO, 1: ONE}).marks()
    assert list(marks) == [0, 1, 2]
    assert len(set(marks.values())) == 3
    for key in (ONE, TWO, INDEX):
        assert key.hex()[:12] not in str(marks)


def source(script: str, seconds: float = 10.0) -> KeySource:
    return KeySource(command=("/bin/sh", "-c", script), command_seconds=seconds)


def test_a_command_prints_the_ring_as_json_or_as_the_file_is(tmp_path: Path):
    plain = {
        "format": 2,
        "fixed": TWO.hex(),
        "key": [
            {"id": 1, "use": "encryption", "suite": "aes-gcm/blake2", "secret": ONE.hex()},
            {"id": 2, "use": "index", "suite": "aes-gcm/blake2", "secret": INDEX.hex()},
        ],
    }
    file = written(tmp_path / "ring.json", json.dumps(plain))
    assert source(f"cat {file}").load().held[1].secret == ONE
    made = create(tmp_path / "keys.toml")
    assert source(f"cat {tmp_path / 'keys.toml'}").load() == made
    with pytest.raises(KeysRefused, match="sh: is read only"):
        source("true").save(made)


@pytest.mark.parametrize(
    ("script", "seconds", "problem"),
    [
        ("echo secret-word; echo secret-word >&2; exit 3", 10.0, "ended with code 3"),
        ("true", 10.0, "printed nothing"),
        ("echo secret-word", 10.0, "is not a key ring"),
        ("exec sleep 60", 0.2, "did not end within 0.2 s"),
    ],
)
def test_a_command_that_fails_is_one_clear_line_without_what_it_printed(
    script: str, seconds: float, problem: str
):
    with pytest.raises(KeysRefused, match=problem) as caught:
        source(script, seconds).load()
    assert "secret-word" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_command_that_is_not_there_is_named():
    with pytest.raises(KeysRefused, match="no-such-program: cannot be started"):
        KeySource(command=("/nowhere/no-such-program", "argument")).load()


SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyToken:
    """A token with a wrapping key. SoftHSM reads its configuration once in a process."""
    if not SOFTHSM.exists() or find_spec("pkcs11") is None:
        pytest.skip("needs softhsm2 and the extra pkcs11")
    (tmp_path / "tokens").mkdir()
    config = written(tmp_path / "softhsm2.conf", f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    tool = (
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "centre",
        "--pin",
        "1234",
        "--so-pin",
        "4321",
    )
    subprocess.run(tool, check=True, capture_output=True)
    made = KeyToken(library=SOFTHSM, token="centre", key="dialer", pin=SecretStr("1234"))
    made.create_key()
    return made


def test_a_token_wraps_the_secrets_and_only_it_unwraps_them(tmp_path: Path, token: KeyToken):
    path = tmp_path / "keys.toml"
    made = create(path, token=token)
    text = path.read_text(encoding="utf-8")
    assert not any(
        secret.hex() in text for secret in (made.fixed, *(key.secret for key in made.held.values()))
    )
    assert load(path, token) == made
    with pytest.raises(KeysRefused, match="are wrapped"):
        load(path)
    moved = text.replace('id = 2\nuse = "index"', 'id = 7\nuse = "index"')
    with pytest.raises(KeysRefused, match="PKCS#11"):
        load(written(tmp_path / "moved.toml", moved), token)
    with pytest.raises(KeysRefused, match=r"PKCS#11.*NoSuchKey"):
        load(path, replace(token, key="other"))
    with pytest.raises(KeysRefused, match="PKCS#11") as caught:
        load(path, replace(token, pin=SecretStr("9999")))
    assert "9999" not in str(caught.value)
    # A plain file is read too, and wrapped when it is next written.
    plain = written(tmp_path / "plain.toml", render(made).decode())
    assert load(plain, token) == made
