from __future__ import annotations

import contextlib
import io

import pytest

from dialer.core.errors import UnusableFile
from dialer.intake.files import CHUNK, possible_encodings

TEXT = "姓名,手机号\n王伟,13800138000\n" * 20


@pytest.mark.parametrize(
    ("data", "first"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("gb18030"), "gb18030"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (b"name,phone\n", "utf-8"),
    ],
)
def test_the_likeliest_encoding_comes_first_and_the_stream_is_at_its_beginning(data: bytes, first: str):
    stream = io.BytesIO(data)
    assert possible_encodings(stream)[0] == first
    assert stream.tell() == 0


def test_a_character_cut_by_the_edge_of_a_chunk_is_no_damage():
    for shift in range(3):
        data = b"x" * shift + ("王伟\n" * (CHUNK // 7 + 10)).encode()
        assert possible_encodings(io.BytesIO(data)) == ("utf-8",)


def test_what_tells_utf8_from_gb18030_may_stand_at_the_very_end():
    data = b"a,b\n" * CHUNK + "王伟".encode("gb18030")
    assert possible_encodings(io.BytesIO(data))[0] == "gb18030"


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(UnusableFile, match="neither"):
        possible_encodings(io.BytesIO(bytes(range(256)) * 30))


@pytest.mark.parametrize("control", [*range(0x20), 0x7F])
def test_controls_that_texts_hold_are_no_reason_to_refuse_one_and_others_are(control: int):
    stream = io.BytesIO(b"name,phone\n" + bytes([control]) * 2000)
    if control in {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1A, 0x1B}:
        assert possible_encodings(stream)[0] == "utf-8"
    else:
        with pytest.raises(UnusableFile, match="neither"):
            possible_encodings(stream)


@pytest.mark.parametrize(("length", "most"), [(5000, 300), (1 << 16, 1310)])
def test_a_few_controls_are_a_damaged_row_and_more_are_another_kind_of_file(length: int, most: int):
    assert possible_encodings(io.BytesIO(b"\x01" * most + b"x" * (length - most)))
    with pytest.raises(UnusableFile, match="neither"):
        possible_encodings(io.BytesIO(b"\x01" * (most + 1) + b"x" * (length - most - 1)))


def test_a_few_damaged_characters_are_no_reason_to_refuse_a_text_and_more_are():
    assert possible_encodings(io.BytesIO(b"\xff" * 24 + b"x" * 976)) == ("utf-8", "gb18030")
    with pytest.raises(UnusableFile, match="neither"):
        possible_encodings(io.BytesIO(b"\xff" * 25 + b"x" * 975))


@pytest.mark.parametrize(("ascii_", "han"), [(4, 60), (60, 1940)])
def test_utf16_without_a_mark_is_known_by_the_zeros_of_its_ascii(ascii_: int, han: int):
    assert possible_encodings(io.BytesIO(("1" * ascii_ + "王" * han).encode("utf-16-le"))) == ("utf-16-le",)
    few = io.BytesIO(("1" * (ascii_ - 1) + "王" * (han + 1)).encode("utf-16-le"))
    with contextlib.suppress(UnusableFile):
        assert "utf-16-le" not in possible_encodings(few)
