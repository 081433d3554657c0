"""A walk through a version of a script as a call would go, from its beginning, with what is pressed and said given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audio.clips import from_plain
from dialer.domain.values import Tag
from dialer.errors import Invalid
from dialer.scripts import model
from dialer.scripts.dialogue import Context, Turn, advance, start
from dialer.scripts.hearing import Heard
from dialer.scripts.model import Script
from dialer.store import scripts
from dialer.store.scripts import Version
from dialer.usecases.approve_script import sound_of
from dialer.usecases.draft_script import script_in
from dialer.usecases.editions import Edition, edition
from dialer.usecases.engine import Engine

SILENCE = "silence"
NOBODY = "nobody"
"""No officer takes the call."""
_SAID = re.compile(r"say([0-9*])")
_TYPED = re.compile(r"type([0-9]{1,12})")
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One turn; `step` is what led to it, '' for the first. `phrase` is what was said, where something was."""

    step: str
    turn: Turn
    phrase: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    version: Version
    script: Script
    language: str
    walked: tuple[Walked, ...]
    seconds: Mapping[str, float]
    """By sound file."""
    voices: Mapping[str, str]
    """By sound file."""
    is_over: bool

    @property
    def question(self) -> model.Ask | None:
        """What waits for an answer now."""
        last = self.walked[-1].turn
        node = self.script.nodes[last.node]
        return node if isinstance(node, model.Ask) and not self.is_over else None


def walk_script(
    engine: Engine,
    script_id: str,
    number: int | None = None,
    *,
    language: str = "",
    tags: frozenset[Tag] = frozenset(),
    local_hour: int = 10,
    steps: Sequence[str] = (),
) -> Walk:
    """`steps` are keys, `say1` (the phrase that key 1 has), `type500` (digits and #), `silence` and `nobody`. Those
    after the end are left out. Raises `NotFound` and `Invalid`.
    """
    version, script, spoken = _version(engine, script_id, number)
    chosen = language if language in script.languages else script.default_language
    context = Context(
        language=chosen,
        tags=tags,
        local_hour=local_hour,
        clips=spoken.by_text,
        recordings=spoken.recordings,
    )
    walked = [Walked(step="", turn=start(script, context))]
    for step in steps[:_MOST_STEPS]:
        turn = walked[-1].turn
        if _is_over(turn):
            break
        heard = _heard(script, turn, step, chosen)
        position = turn.ask.position if turn.ask is not None else turn.position
        assert position is not None
        walked.append(Walked(step=step, turn=advance(script, position, heard, context), phrase=heard.speech))
    return Walk(
        version=version,
        script=script,
        language=chosen,
        walked=tuple(walked),
        seconds=spoken.seconds,
        voices={clip.file: clip.voice for clip in spoken.clips},
        is_over=_is_over(walked[-1].turn),
    )


def _version(engine: Engine, script_id: str, number: int | None) -> tuple[Version, Script, Edition]:
    """With the sound that calls hear, or that would be approved."""
    with engine.store.begin() as tx:
        found = scripts.versions(tx, script_id)
        wanted = number or next((one.number for one in [*(v for v in found if v.is_live), *found]), 1)
        version = scripts.version(tx, script_id, wanted)
        script = script_in(version)
        clips = sound_of(tx, version, script).clips
        if version.audio_hash:
            clips = from_plain(scripts.spoken(tx, version.id, version.audio_hash)[2])
    return version, script, edition(script, clips)


def _is_over(turn: Turn) -> bool:
    return turn.end is not None and not turn.hand_over


def _heard(script: Script, turn: Turn, step: str, language: str) -> Heard:
    if step in {SILENCE, NOBODY}:
        return Heard.silence()
    said, typed = _SAID.fullmatch(step), _TYPED.fullmatch(step)
    if said is not None:
        return Heard.said(phrase_of(script, turn.node, said[1], language))
    if typed is not None:
        return Heard.keys(typed[1])
    if len(step) == 1 and step in "0123456789*#":
        return Heard.keys(step)
    raise Invalid(field="steps", problem="is no key and nothing that is said")


def phrase_of(script: Script, node_id: str, key: str, language: str) -> str:
    """The first phrase that means the same as a key in a question; '' where there is none."""
    node = script.nodes[node_id]
    own = node.choices if isinstance(node, model.Ask) else {}
    choice = {**script.anywhere, **own}.get(key)
    if choice is None:
        return ""
    for voice in script.voices_of(language):
        if choice.phrases.get(voice):
            return choice.phrases[voice][0]
    return ""
