"""A conference of three real SIP phones: each hears the others, and on hold only our sound."""

from __future__ import annotations

import audioop
import math
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from carrier.lines.sound import BYTES_A_SECOND, RATE, sine_tone, telephone_samples, wav_of
from tests.carrier.stage import FROM, DeskView
from tests.sip.conftest import MakePerson, OnTrunks, trunk_to
from tests.sip.peers import Person, until

DESK, PERSON, BANK = "+8613700137000", "+8613800138000", "+8613900139000"
TONES = {DESK: 500.0, PERSON: 800.0, BANK: 1250.0}
HOLD = 1900.0


def strength(samples: bytes, hertz: float) -> float:
    """The share of the power of the samples that a tone of this pitch has, 0 to 1 (Goertzel)."""
    values = struct.unpack(f"<{len(samples) // 2}h", samples)
    whole = sum(value * value for value in values)
    if not whole:
        return 0.0
    turn = 2 * math.pi * hertz / RATE
    real = sum(value * math.cos(turn * n) for n, value in enumerate(values))
    imaginary = sum(value * math.sin(turn * n) for n, value in enumerate(values))
    return 2 * (real * real + imaginary * imaginary) / (whole * len(values))


def heard(one: Person) -> list[frozenset[float]]:
    """Which tones are in each fifth of a second that this phone heard."""
    samples = telephone_samples(one.heard.read_bytes())
    piece = BYTES_A_SECOND // 5
    pieces = [samples[at : at + piece] for at in range(0, len(samples) - piece, piece)]
    return [
        frozenset(tone for tone in (*TONES.values(), HOLD) if strength(each, tone) > 0.15)
        if audioop.rms(each, 2) > 100
        else frozenset()
        for each in pieces
    ]


@pytest.fixture
async def conference(
    tmp_path: Path, person: MakePerson, on_trunks: OnTrunks
) -> tuple[DeskView, dict[str, Person]]:
    """A carrier with a trunk to each of three phones, each of which sounds a tone of its own while it is up."""
    phones = {}
    for number, hertz in TONES.items():
        says = tmp_path / f"{number}.wav"
        says.write_bytes(wav_of(sine_tone(hertz, 60.0, level=6000)))
        phones[number] = await person(says=says)
    view = await on_trunks(
        *(
            trunk_to(phone, name=f"to{number[-4:]}", prefixes={number[:6]: number[3:6]})
            for number, phone in phones.items()
        )
    )
    app = view.app
    app.documents["/hold.wav"] = wav_of(sine_tone(HOLD, 20.0, level=6000))
    room = (
        f"<Response><Dial><Conference beep='false' waitUrl='' statusCallback='{app.base}/conference'"
        " statusCallbackEvent='start join leave hold'>three</Conference></Dial></Response>"
    )
    app.documents["/start"] = f"<Response><Dial action='{app.base}/dialled'>{PERSON}</Dial></Response>"
    app.documents["/dialled"] = app.documents["/room"] = room
    return view, phones


def longest(pieces: list[frozenset[float]], wanted: Callable[[frozenset[float]], bool]) -> int:
    """The most pieces in a row that are as wanted."""
    most = run = 0
    for piece in pieces:
        run = run + 1 if wanted(piece) else 0
        most = max(most, run)
    return most


async def test_three_phones_hear_each_other_and_on_hold_our_sound_alone(
    conference: tuple[DeskView, dict[str, Person]],
):
    view, phones = conference
    app, client = view.app, view.client

    async def joined(count: int) -> None:
        def enough() -> bool:
            told = [one.params["StatusCallbackEvent"] for one in app.at("/conference")]
            return told.count("participant-join") >= count

        await app.until(enough)

    desk = await view.call(DESK)
    await app.until(lambda: "in-progress" in app.statuses_of(desk))

    async def second_leg() -> str:
        found = await client.calls.list_async(parent_call_sid=desk, status="in-progress")
        return str(found[0].sid) if found else ""

    child = ""
    while not child:
        child = await second_leg()
    await client.calls(child).update_async(url=f"{app.base}/room")
    await joined(2)
    bank = await client.conferences("three").participants.create_async(from_=FROM, to=BANK, beep="false")
    await joined(3)
    line = view.carrier.line
    marks = {"three": line.timers.monotonic()}  # type: ignore[attr-defined]
    await until(lambda: line.timers.monotonic() - marks["three"] > 3.0, "three talk")  # type: ignore[attr-defined]
    ear = client.conferences("three").participants(child)
    await ear.update_async(hold=True, hold_url=f"{app.base}/hold.wav")
    marks["hold"] = line.timers.monotonic()  # type: ignore[attr-defined]
    await until(lambda: line.timers.monotonic() - marks["hold"] > 3.0, "one is on hold")  # type: ignore[attr-defined]
    await ear.update_async(hold=False)
    marks["back"] = line.timers.monotonic()  # type: ignore[attr-defined]
    await until(lambda: line.timers.monotonic() - marks["back"] > 2.0, "three talk again")  # type: ignore[attr-defined]
    for sid in (desk, child, str(bank.call_sid)):
        await client.calls(sid).update_async(status="completed")
    for phone in phones.values():
        await until(phone.heard_whole, "baresip has written what it heard")
    at_desk, at_person, at_bank = (heard(phones[number]) for number in (DESK, PERSON, BANK))
    # At a busy machine a piece may have a gap: the longest run counts, of 15, 15 and 10 pieces.
    both = {TONES[DESK], TONES[BANK]}
    assert longest(at_person, lambda piece: piece == both) >= 5, at_person
    assert longest(at_person, lambda piece: piece == {HOLD}) >= 5, at_person
    assert at_person.index(frozenset({HOLD})) < len(at_person) - 1 - at_person[::-1].index(both), at_person
    assert longest(at_desk, lambda piece: piece == {TONES[PERSON], TONES[BANK]}) >= 5, at_desk
    assert longest(at_desk, lambda piece: piece == {TONES[BANK]}) >= 5, at_desk
    assert longest(at_bank, lambda piece: piece == {TONES[PERSON], TONES[DESK]}) >= 5, at_bank
    assert longest(at_bank, lambda piece: piece == {TONES[DESK]}) >= 5, at_bank
    for number, pieces in ((DESK, at_desk), (PERSON, at_person), (BANK, at_bank)):
        assert not any(TONES[number] in piece for piece in pieces), f"{number} hears itself"
