"""Sealed values open at their own place alone, and unchanged; blind indexes tell equal from unequal and no more."""

from __future__ import annotations

import threading
from itertools import pairwise
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.values import Suite
from dialer.db.keys import Key, Keys, KeysRefused, KeyUse
from dialer.db.vault import BLIND_BYTES, BlindKind, KeyMissing, KeyPlan, Tampered, Vault

ONE = bytes([1]) * 32
TWO = bytes([2]) * 32
INDEX = bytes([9]) * 32
PHONE = "+8613800138000"


def a_vault(encryption: dict[int, bytes] | None = None, *, index: bytes = INDEX, current: int = 1) -> Vault:
    return Vault(Keys.of(encryption=encryption or {1: ONE}, index=index, current=current))


def of_suite(suite: Suite) -> Vault:
    """A ring of the second format: every key of this suite."""
    held = {
        number: Key(id=number, use=use, suite=suite, secret=bytes([number]) * 32)
        for number, use in enumerate(KeyUse, start=1)
    }
    return Vault(Keys(held=held, fixed=INDEX, current=1))


VAULT = a_vault()
BY_SUITE = {suite: of_suite(suite) for suite in Suite}
SUITES = st.sampled_from(list(Suite))


def seal(plaintext: bytes = b"secret", vault: Vault = VAULT) -> bytes:
    return vault.seal(plaintext, table="person", column="sealed", row=7)


def opened(sealed: bytes, vault: Vault = VAULT) -> bytes:
    return vault.open(sealed, table="person", column="sealed", row=7)


@given(SUITES, st.binary(max_size=2000), st.integers() | st.text(max_size=20))
def test_what_was_sealed_comes_back(suite: Suite, plaintext: bytes, row: int | str):
    vault = BY_SUITE[suite]
    sealed = vault.seal(plaintext, table="person", column="sealed", row=row)
    assert vault.open(sealed, table="person", column="sealed", row=row) == plaintext
    assert len(sealed) == len(plaintext) + 31


@given(SUITES, st.binary(max_size=200), st.data())
def test_a_value_changed_in_any_byte_or_place_is_refused(suite: Suite, plaintext: bytes, data: st.DataObject):
    vault = BY_SUITE[suite]
    sealed = bytearray(vault.seal(plaintext, table="person", column="sealed", row=7))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((Tampered, KeyMissing)):
        opened(bytes(sealed), vault)
    with pytest.raises(Tampered):
        vault.open(seal(plaintext, vault), table="person", column="sealed", row=data.draw(st.integers(8)))


@given(st.binary(max_size=200))
def test_a_value_of_one_suite_is_opened_by_a_ring_that_has_rotated_to_the_other(plaintext: bytes):
    """The suite belongs to the key."""
    old = Key(id=1, use=KeyUse.ENCRYPTION, secret=ONE)
    new = Key(id=2, use=KeyUse.ENCRYPTION, suite=Suite.SM4_SM3, secret=TWO)
    index = Key(id=3, use=KeyUse.INDEX, suite=Suite.SM4_SM3, secret=INDEX)
    before = Vault(Keys(held={1: old, 3: index}, fixed=ONE, current=1))
    after = Vault(Keys(held={1: old, 2: new, 3: index}, fixed=ONE, current=2))
    sealed = seal(plaintext, before)
    again = after.reseal(sealed, table="person", column="sealed", row=7)
    assert (sealed[1:3], again[1:3]) == (b"\0\1", b"\0\2")
    assert opened(sealed, after) == opened(again, after) == plaintext
    with pytest.raises(KeyMissing, match="encryption key 2"):
        opened(again, before)


def test_an_audit_key_opens_lines_of_the_audit_alone():
    vault = BY_SUITE[Suite.SM4_SM3]
    sealed = vault.seal_reason("why", row="line")
    assert vault.open(sealed, table="audit", column="why_sealed", row="line") == b"why"
    held = {
        **vault.keys.held,
        1: Key(id=1, use=KeyUse.AUDIT, secret=ONE),
        4: Key(id=4, use=KeyUse.ENCRYPTION, secret=b"4" * 32),
    }
    with pytest.raises(KeyMissing):
        opened(seal(vault=a_vault()), Vault(Keys(held=held, fixed=INDEX, current=4)))


def test_the_format_of_sm4_and_sm3_is_the_one_that_is_written_down():
    """Keys are derived by HMAC with SM3; then SM4-GCM, and HMAC with SM3."""

    def hmac(key: bytes, content: bytes) -> bytes:
        mac = HMAC(key, SM3())
        mac.update(content)
        return mac.finalize()

    vault = BY_SUITE[Suite.SM4_SM3]
    sealed = seal(vault=vault)
    key = hmac(b"\1" * 32, b"sm4-gcm")[:16]
    run = Cipher(SM4(key), GCM(sealed[3:15], sealed[-16:])).decryptor()
    run.authenticate_additional_data(sealed[:3] + b"person\0sealed\0" + b"7")
    assert run.update(sealed[15:-16]) + run.finalize() == b"secret"
    blind = hmac(hmac(b"\2" * 32, b"index\0phone"), PHONE.encode())[:16]
    assert vault.blind(PHONE, kind=BlindKind.PHONE) == b"\0\2" + blind
    signed = vault.sign(b"line", purpose="p")
    assert signed == b"\2\0\3" + hmac(hmac(b"\3" * 32, b"seal\0p"), b"line")
    assert vault.verify_seal(signed, b"line", purpose="p")
    assert not vault.verify_seal(signed, b"line", purpose="q")


def test_while_the_index_is_made_again_a_value_has_the_blind_index_of_each_key():
    held = {**VAULT.keys.held, 2: Key(id=2, use=KeyUse.INDEX, secret=TWO)}
    keys = Keys(held=held, fixed=INDEX, current=1)
    vault = Vault(keys, KeyPlan(encryption=1, audit=1, index=(2, 0)))
    new, old = vault.blinds(PHONE, kind=BlindKind.PHONE)
    assert (new, old) == (vault.blind(PHONE, kind=BlindKind.PHONE), VAULT.blind(PHONE, kind=BlindKind.PHONE))
    assert (len(new), new[:2]) == (BLIND_BYTES + 2, b"\0\2")
    # What cannot be made again keeps its hash.
    code = BlindKind.RECOVERY_CODE
    assert vault.blinds("code", kind=code) == VAULT.blinds("code", kind=code)


def test_a_vault_follows_a_later_plan_and_no_earlier_one():
    ring = Keys.of(encryption={1: ONE, 2: TWO}, index=INDEX, current=1)
    vault = Vault(ring)
    vault.renew(ring, KeyPlan(encryption=2, audit=1, index=(0,), revision=2))
    vault.renew(ring, KeyPlan(encryption=1, audit=1, index=(0,), revision=1))
    assert seal(vault=vault)[1:3] == b"\0\2"
    with pytest.raises(KeysRefused, match="key 3 is in use and not in the key ring"):
        vault.renew(ring, KeyPlan(encryption=3, audit=1, index=(0,), revision=3))
    assert seal(vault=vault)[1:3] == b"\0\2"


def test_a_driver_s_memoryview_opens_too():
    assert opened(memoryview(seal())) == b"secret"  # type: ignore[arg-type]


def test_every_flipped_bit_is_refused():
    sealed = seal()
    for position in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises((Tampered, KeyMissing)):
            opened(bytes(changed))


def test_every_cut_and_every_longer_value_is_refused():
    sealed = seal()
    for length in range(len(sealed)):
        with pytest.raises(Tampered):
            opened(sealed[:length])
    with pytest.raises(Tampered):
        opened(sealed + b"\0")


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [
        ("warning", "sealed", 7),
        ("person", "other", 7),
        ("person", "sealed", 8),
        ("person", "sealed", "x7"),
        ("personsealed", "7", 7),
        ("perso", "nsealed", 7),
    ],
)
def test_a_value_moved_to_another_place_is_refused(table: str, column: str, row: int | str):
    with pytest.raises(Tampered, match=f"in {table}.{column} of row {row} "):
        VAULT.open(seal(), table=table, column=column, row=row)


def test_no_place_can_be_spelt_in_two_ways():
    sealed = VAULT.seal(b"x", table="a", column="b", row="c\0d")
    with pytest.raises(ValueError, match="named table"):
        VAULT.open(sealed, table="a", column="b\0c", row="d")
    with pytest.raises(ValueError, match="named table"):
        VAULT.seal(b"x", table="", column="b", row=1)


def test_a_refusal_shows_nothing_of_the_value():
    with pytest.raises(Tampered) as caught:
        VAULT.open(seal(b"13800138000"), table="person", column="sealed", row=8)
    assert "138" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_after_a_rotation_new_values_use_the_new_key_and_old_ones_open():
    old = seal()
    rotated = a_vault({1: ONE, 2: TWO}, current=2)
    new = seal(b"new", rotated)
    assert opened(old, rotated) == b"secret"
    assert opened(new, rotated) == b"new"
    with pytest.raises(KeyMissing, match="encryption key 2"):
        opened(new, a_vault({1: ONE}))


def test_a_value_of_a_key_that_is_not_held_names_the_key():
    sealed = seal(vault=a_vault({300: TWO}, current=300))
    with pytest.raises(KeyMissing, match="encryption key 300"):
        opened(sealed)


def test_another_key_under_the_same_id_opens_nothing():
    with pytest.raises(Tampered):
        opened(seal(), a_vault({1: TWO}))


def test_relabelling_a_value_with_another_held_key_is_refused():
    both = a_vault({1: ONE, 2: TWO})
    sealed = seal(vault=both)
    with pytest.raises(Tampered):
        opened(sealed[:1] + (2).to_bytes(2, "big") + sealed[3:], both)


def test_the_format_is_the_one_that_is_written_down():
    """Version, key id, nonce, then AES-256-GCM with header and place as associated data: a value must outlive us."""
    sealed = seal()
    assert sealed[:3] == b"\x01\x00\x01"
    bound = sealed[:3] + b"person\0sealed\0" + b"7"
    assert AESGCM(ONE).decrypt(sealed[3:15], sealed[15:], bound) == b"secret"


def test_no_nonce_is_ever_given_twice_even_by_many_threads():
    seen: list[bytes] = []

    def work() -> None:
        seen.extend(seal()[3:15] for _ in range(3000))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == len(seen) == 12000


def test_a_record_comes_back_as_it_was():
    record = {"name": "张三", "phones": [PHONE, "+864788888888"], "amount_fen": 3_000_000, "remarks": None}
    sealed = VAULT.seal_record(record, table="person", column="sealed", row="7")
    assert VAULT.open_record(sealed, table="person", column="sealed", row=7) == record
    assert "张三".encode() not in sealed
    assert PHONE[3:].encode() not in sealed


def test_a_record_may_be_any_mapping():
    sealed = VAULT.seal_record(MappingProxyType({"a": 1}), table="t", column="c", row=1)
    assert VAULT.open_record(sealed, table="t", column="c", row=1) == {"a": 1}


def test_equal_values_of_a_kind_have_equal_blind_indexes_in_every_process():
    assert VAULT.blind(PHONE, kind=BlindKind.PHONE) == a_vault().blind(PHONE, kind=BlindKind.PHONE)
    assert len(VAULT.blind(PHONE, kind=BlindKind.PHONE)) == BLIND_BYTES == 16
    assert VAULT.blind(PHONE, kind=BlindKind.PHONE).hex() == "e58a4fcb9f06c889ba943cf95bcbc489"


def test_unequal_values_and_unequal_kinds_have_unequal_blind_indexes():
    values = ["", "8000", PHONE, PHONE + "0", "张三", "张三 "]
    indexes = [VAULT.blind(value, kind=kind) for value in values for kind in BlindKind]
    assert len(set(indexes)) == len(values) * len(BlindKind)


def test_a_blind_index_needs_the_index_key_and_not_the_encryption_key():
    assert a_vault(index=TWO).blind(PHONE, kind=BlindKind.PHONE) != VAULT.blind(PHONE, kind=BlindKind.PHONE)
    assert a_vault({1: TWO}).blind(PHONE, kind=BlindKind.PHONE) == VAULT.blind(PHONE, kind=BlindKind.PHONE)


def test_one_blinding_leaves_nothing_behind_for_the_next():
    results = [VAULT.blind("1234", kind=BlindKind.PHONE_LAST4) for _ in range(3)]
    assert all(first == second for first, second in pairwise(results))
