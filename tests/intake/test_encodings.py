from __future__ import annotations

import io

import pytest

from dialer.core.errors import UnusableFile
from dialer.intake.files import CHUNK, candidates

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
    assert candidates(stream)[0] == first
    assert stream.tell() == 0


def test_a_character_cut_by_the_edge_of_a_chunk_is_no_damage():
    for shift in range(3):
        data = b"x" * shift + ("王伟\n" * (CHUNK // 7 + 10)).encode()
        assert candidates(io.BytesIO(data)) == ("utf-8",)


def test_what_tells_utf8_from_gb18030_may_stand_at_the_very_end():
    data = b"a,b\n" * CHUNK + "王伟".encode("gb18030")
    assert candidates(io.BytesIO(data))[0] == "gb18030"


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(UnusableFile, match="neither"):
        candidates(io.BytesIO(bytes(range(256)) * 30))
