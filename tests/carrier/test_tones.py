"""Keys as tones in the sound: found in noise and in any position, and never in speech."""

from __future__ import annotations

import audioop
import math
import random
import struct
from pathlib import Path

import pytest

from carrier.lines.sound import FRAME_BYTES, RATE, telephone_samples
from carrier.lines.tones import KeyTones

_AUDIO = Path(__file__).resolve().parents[2] / "audio"
_KEYS = "123A456B789C*0#D"
_LOW, _HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def tone_of_key(
    key: str, *, seconds: float, level: float = 0.1, off: float = 1.0, twist: float = 1.0
) -> list[float]:
    """The samples of a key. `off`: both pitches are off by this factor; `twist`: the higher one is so much louder."""
    row, column = divmod(_KEYS.index(key), 4)
    return [
        32_767
        * level
        * (
            math.sin(2 * math.pi * _LOW[row] * off * n / RATE)
            + twist * math.sin(2 * math.pi * _HIGH[column] * off * n / RATE)
        )
        for n in range(round(seconds * RATE))
    ]


def on_the_line(samples: list[float]) -> bytes:
    """The samples after A-law."""
    packed = struct.pack(f"={len(samples)}h", *(max(-32_768, min(32_767, round(one))) for one in samples))
    return audioop.alaw2lin(audioop.lin2alaw(packed, 2), 2)


def keys_in(samples: bytes) -> str:
    tones = KeyTones()
    return "".join(
        tones.feed(samples[at : at + FRAME_BYTES])
        for at in range(0, len(samples) - FRAME_BYTES + 1, FRAME_BYTES)
    )


def silence(seconds: float) -> list[float]:
    return [0.0] * round(seconds * RATE)


@pytest.mark.parametrize("off", [0.985, 1.0, 1.015])
@pytest.mark.parametrize("lead", [0.1, 0.105, 0.11, 0.115])
def test_every_key_of_60_ms_is_found_once_wherever_it_begins(off: float, lead: float):
    for key in _KEYS:
        assert (
            keys_in(on_the_line([*silence(lead), *tone_of_key(key, seconds=0.06, off=off), *silence(0.1)]))
            == key
        )


@pytest.mark.parametrize("twist", [0.5, 2.0])
@pytest.mark.parametrize("level", [0.01, 0.3])
def test_a_quiet_or_uneven_key_is_found(level: float, twist: float):
    for key in _KEYS:
        made = tone_of_key(key, seconds=0.1, level=level, twist=twist)
        assert keys_in(on_the_line([*silence(0.1), *made, *silence(0.1)])) == key


def test_a_key_is_found_in_noise_10_db_below_it():
    draw = random.Random(1)
    for key in _KEYS:
        tone = tone_of_key(key, seconds=0.1)
        noise = math.sqrt(sum(one * one for one in tone) / len(tone)) / math.sqrt(10)
        heard = [one + draw.gauss(0, noise) for one in (*silence(0.1), *tone, *silence(0.1))]
        assert keys_in(on_the_line(heard)) == key


def test_two_keys_are_two_and_a_lost_packet_makes_none():
    five, six = tone_of_key("5", seconds=0.08), tone_of_key("6", seconds=0.08)
    gap = silence(0.06)
    assert keys_in(on_the_line([*five, *gap, *five, *gap, *six, *gap])) == "556"
    assert keys_in(on_the_line([*five, *silence(0.02), *five, *gap])) == "5"


def test_a_single_tone_and_noise_are_no_key():
    draw = random.Random(2)
    assert keys_in(on_the_line([draw.gauss(0, 3000) for _ in range(60 * RATE)])) == ""
    for hertz in (350, 440, 450, 697, 941, 1000, 1209, 1633, 2100):
        assert (
            keys_in(on_the_line([3000 * math.sin(2 * math.pi * hertz * n / RATE) for n in range(RATE)])) == ""
        )


@pytest.mark.parametrize("name", sorted(path.name for path in (_AUDIO / "prompts").glob("*.wav"))[::4])
def test_no_prompt_and_no_echo_of_one_is_a_key(name: str):
    """A quarter of them. In all, at four positions: no single frame of 231,033 was one (2026-12-01)."""
    said = telephone_samples((_AUDIO / "prompts" / name).read_bytes())
    for loudness in (1.0, 0.1):
        assert keys_in(audioop.alaw2lin(audioop.lin2alaw(audioop.mul(said, 2, loudness), 2), 2)) == ""
