"""Every turn that the shipped scripts can take, whatever is pressed, is TwiML that Twilio would play."""

from __future__ import annotations

from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrier.twiml import Gather, Hangup, Redirect, parse_twiml
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, Position, Turn, advance, start
from dialer.scripts.reading import shipped_scripts
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.webhooks import write_turn

ATTEMPT = UUID("0197c1a2-3b4c-7d5e-8f90-a1b2c3d4e5f6")
CONFIG = TelephonyConfig(
    base_url=None, account_sid="AC1", auth_token="t", caller_number="047896110", public_url="https://a.cn"
)
SCRIPTS = sorted(shipped_scripts())
KEYS = st.lists(st.sampled_from(["", "0", "1", "2", "3", "8", "9", "#", "5"]), max_size=25)


def document(turn: Turn, step: int) -> str:
    return write_turn(
        turn, attempt_id=ATTEMPT, step=step, config=CONFIG, audio_url=lambda name: f"https://a.cn/{name}"
    )


def next_position(text: str) -> Position | None:
    """Where the carrier would go on, read from the document alone, as the carrier has nothing else."""
    for verb in parse_twiml(text.encode()):
        url = verb.action if isinstance(verb, Gather) else verb.url if isinstance(verb, Redirect) else ""
        if url:
            return Position.decode(url.partition("#")[0].rpartition("/")[2])
    return None


@pytest.mark.parametrize("script_id", SCRIPTS)
@given(
    keys=KEYS,
    language=st.sampled_from(["zh", "en", "mn", ""]),
    offered=st.sampled_from([(), ("en",), ("en", "mn")]),
)
def test_a_conversation_runs_to_its_end_on_documents_alone(
    script_id: str, keys: list[str], language: str, offered: tuple[str, ...]
):
    script = shipped_scripts()[script_id]
    context = Context(language=language, offered=offered)
    turn = start(script, context)
    pressed = iter(keys)
    for step in range(200):
        text = document(turn, step)
        verbs = parse_twiml(text.encode())
        position = next_position(text)
        if position is None:
            assert isinstance(verbs[-1], Hangup)
            assert turn.end is not None
            return
        assert position == turn.position
        turn = advance(script, position, Heard(digits=next(pressed, "")), context)
    pytest.fail("the conversation never ends")


@pytest.mark.parametrize("script_id", SCRIPTS)
def test_the_first_words_of_every_call_warn(script_id: str):
    root = ET.fromstring(document(start(shipped_scripts()[script_id], Context()), 0))
    first = next(iter(root.iter("Say"))).text or ""
    assert "有人让您转账，不要转" in first
