"""Views of scripts: the list, one version as a graph with its sound, and a walk through it as in a call."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from audio.clips import RECORDED, Clip, audio_hash
from dialer.core.errors import Invalid
from dialer.core.values import FraudType, Tag
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.script_versions.actions import findings_of, script_in, sound_of
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, Turn, advance, start
from dialer.scripts.lint import LintFinding, good_path_seconds, longest_path_seconds
from dialer.scripts.model import (
    Ask,
    Origin,
    Prompt,
    Purpose,
    Script,
    arrows,
    asides,
    circles,
    prompt_of,
    with_defaults,
)
from dialer.scripts.reading import NODE_TYPES
from dialer.scripts.rendered import RenderedScript, durations_of
from dialer.scripts.store import Render, Version, get_script_version, script_versions_of, spoken_version


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptLine:
    """One script in the list. `live` is the number of the live version, None if there is none."""

    script_id: str
    title: Mapping[str, str]
    live: int | None
    live_hash: str
    live_since: datetime | None
    approved_by: str
    newest: int
    drafts: int
    """Versions without an approval."""
    purpose: Purpose
    fraud_types: tuple[FraudType, ...]
    tags: tuple[Tag, ...]
    languages: tuple[str, ...]
    sounded: tuple[str, ...]
    """Languages in which every prompt has its sound."""
    good_seconds: float
    """Seconds of the longest way to a success, in the script's default language."""
    longest_seconds: float
    in_trial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptText:
    """A prompt in one language: its text, and its sound file; '' if the network's voice would read the text."""

    language: str
    text: str
    file: str
    voice: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node as the pages show it. `kind` as in the file. `prompt_id` '' for a node that says nothing."""

    id: str
    kind: str
    prompt_id: str
    must_say: bool
    said: tuple[PromptText, ...]
    file: str
    line: int
    answer: str = ""
    contact: str = ""
    urgency: str = ""
    timeout_seconds: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A way from one node to another. `key` is what is pressed; `label` says what else leads there (next, otherwise, a
    tag).
    """

    start: str
    to: str
    key: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptPage:
    """One version with everything that its page shows."""

    version: Version
    script: Script
    nodes: tuple[NodeView, ...]
    edges: tuple[Edge, ...]
    common: tuple[NodeView, ...]
    """The prompts besides the nodes of the graph."""
    findings: tuple[LintFinding, ...]
    without_sound: tuple[str, ...]
    voices: Mapping[str, int]
    """The number of clips by voice: shows whether a mechanical voice is in use."""
    render: Render | None
    good_seconds: float
    longest_seconds: float
    newer_sound: bool
    """Sound was made after the approval: calls do not use it until the version is approved again."""


def list_scripts(services: Services) -> tuple[ScriptLine, ...]:
    """Every script that has a version, by id."""
    with services.store.begin() as tx:
        found = script_versions_of(tx)
    choice = services.rendered_scripts.now(services.real.now())
    tried = {script_id for script_id, _ in choice.shares}
    by_script = attrgetter("script_id")
    return tuple(
        _line(services, list(versions), choice.live.get(script_id), in_trial=script_id in tried)
        for script_id, versions in groupby(sorted(found, key=by_script), key=by_script)
    )


def script_versions(services: Services, script_id: str = "") -> tuple[Version, ...]:
    """The versions of one script, or of all, with their approvals, newest first within a script."""
    with services.store.begin() as tx:
        return tuple(script_versions_of(tx, script_id))


def show_script(
    services: Services, script_id: str, number: int | None = None, *, as_heard: bool = False
) -> ScriptPage:
    """The version with this number, else the live one, else the newest, with the sound that an approval would take;
    with `as_heard`, with the sound of its last approval, if it has one. Raises `NotFound`.
    """
    with services.store.begin() as tx:
        version = _chosen(tx, script_id, number)
        script = script_in(services, version)
        newest = sounded = sound_of(tx, version, script)
        if as_heard and version.audio_hash:
            clips = spoken_version(tx, version.id, version.audio_hash)[2]
            sounded = replace(newest, clips=clips, absent=())
    good, longest = _lengths(script, sounded.clips)
    return ScriptPage(
        version=version,
        script=script,
        nodes=node_views(script, sounded.clips),
        edges=tuple(
            Edge(start=node.id, to=arrow.to, key=arrow.choice.key if arrow.choice else "", label=arrow.label)
            for node in script.nodes.values()
            for arrow in arrows(script, node)
        ),
        common=tuple(
            _view(script, prompt.id, "say", prompt, script.origin, sounded.clips) for prompt in asides(script)
        ),
        findings=findings_of(services, version, script, sounded),
        without_sound=sounded.absent,
        voices=Counter(clip.voice for clip in sounded.clips),
        render=sounded.render,
        good_seconds=good,
        longest_seconds=longest,
        newer_sound=bool(version.audio_hash) and audio_hash(newest.clips) != version.audio_hash,
    )


def _chosen(tx: Tx, script_id: str, number: int | None) -> Version:
    """The version with this number, else the live one, else the newest. Raises `NotFound`."""
    if number is not None:
        return get_script_version(tx, script_id, number)
    found = script_versions_of(tx, script_id)
    live = [version for version in found if version.is_live]
    return (live or found)[0] if found else get_script_version(tx, script_id, 1)


def node_views(script: Script, clips: tuple[Clip, ...]) -> tuple[NodeView, ...]:
    """The nodes of a script with their sound, in the order of the file."""
    return tuple(
        replace(
            _view(script, node.id, _KINDS[type(node)], prompt_of(node), node.origin, clips),
            **{name: getattr(node, name) for name in _FACTS if hasattr(node, name)},
        )
        for node in script.nodes.values()
    )


_KINDS = {part: kind for kind, part in NODE_TYPES.items()}
_FACTS = ("answer", "contact", "urgency", "timeout_seconds", "retries")


def _line(
    services: Services, versions: list[Version], spoken: RenderedScript | None, *, in_trial: bool
) -> ScriptLine:
    live = next((version for version in versions if version.is_live), None)
    newest = versions[0]
    approval = (
        next((approval for approval in reversed(live.approvals) if approval.goes_live), None)
        if live
        else None
    )
    script, clips = (spoken.script, spoken.clips) if live and spoken else (script_in(services, newest), ())
    good, longest = _lengths(script, clips)
    return ScriptLine(
        script_id=newest.script_id,
        title=script.title,
        purpose=script.purpose,
        fraud_types=tuple(sorted(script.fraud_types)),
        tags=tuple(sorted(script.tags)),
        languages=script.languages,
        sounded=RenderedScript(script=script, clips=clips).languages,
        good_seconds=good,
        longest_seconds=longest,
        in_trial=in_trial,
        live=live.number if live else None,
        live_hash=live.content_hash if live else "",
        live_since=approval.at if approval else None,
        approved_by=approval.approved_by if approval else "",
        newest=newest.number,
        drafts=sum(not version.approvals for version in versions),
    )


def _lengths(script: Script, clips: tuple[Clip, ...]) -> tuple[float, float]:
    """Seconds of the longest way to a success and of the longest way; 0 for a script with a circle."""
    if circles(script):
        return 0.0, 0.0
    durations = durations_of(clips)
    language = script.default_language
    return good_path_seconds(script, language, durations), longest_path_seconds(script, language, durations)


def _view(
    script: Script, node_id: str, kind: str, prompt: Prompt | None, origin: Origin, clips: tuple[Clip, ...]
) -> NodeView:
    return NodeView(
        id=node_id,
        kind=kind,
        prompt_id=prompt.id if prompt else "",
        must_say=prompt.must_say if prompt else False,
        said=tuple(_said(script, prompt, clips)) if prompt else (),
        file=origin.file,
        line=origin.line,
    )


def _said(script: Script, prompt: Prompt, clips: tuple[Clip, ...]) -> Iterator[PromptText]:
    """A prompt in every language of the script; a language without text is a slot for a recording."""
    for language in script.languages:
        template = prompt.texts.get(language, "")
        text = with_defaults(script, template, language) if template else ""
        clip = _clip(clips, language, prompt.id, text)
        yield PromptText(
            language=language,
            text=text,
            file=clip.file if clip else "",
            voice=clip.voice if clip else "",
            seconds=clip.duration_seconds if clip else 0.0,
        )


def _clip(clips: tuple[Clip, ...], language: str, prompt_id: str, text: str) -> Clip | None:
    """The clip that a call would play: a recording of the prompt, else one that says the text."""
    here = [clip for clip in clips if clip.language == language and not clip.slow]
    recorded = (clip for clip in here if clip.voice == RECORDED and clip.prompt_id == prompt_id)
    spoken = (clip for clip in here if clip.voice != RECORDED and clip.text == text and text)
    return next(recorded, None) or next(spoken, None)


SILENCE = "silence"
NOBODY = "nobody"
"""No officer takes the call."""
GREETING = "greeting"
"""A greeting is said, such as 喂."""
_SAID = re.compile(r"say([0-9*])")
_TYPED = re.compile(r"type([0-9]{1,12})")
_MOST_STEPS = 100
_WALKED_AT_HOUR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One turn of a walk; `step` led to it, '' for the first. `phrase` is what was said, '' if nothing was."""

    step: str
    turn: Turn
    phrase: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A walk through a version, as far as it has got."""

    version: Version
    script: Script
    language: str
    walked: tuple[Walked, ...]
    seconds: Mapping[str, float]
    """By sound file."""

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self.walked[-1].turn.is_over

    @property
    def question(self) -> Ask | None:
        """What waits for an answer now."""
        node = self.script.nodes[self.walked[-1].turn.node]
        return node if isinstance(node, Ask) else None


def walk_script(
    services: Services,
    script_id: str,
    number: int | None = None,
    *,
    language: str = "",
    tags: frozenset[Tag] = frozenset(),
    steps: Sequence[str] = (),
) -> Walk:
    """Walks through a version without a call. `steps` are keys, `say1` (the phrase of key 1), `type500` (digits and #),
    `greeting`, `silence` and `nobody`; those after the end are ignored. Raises `NotFound` and `Invalid`.
    """
    with services.store.begin() as tx:
        version = _chosen(tx, script_id, number)
        script = script_in(services, version)
        clips = (
            spoken_version(tx, version.id, version.audio_hash)[2]
            if version.audio_hash
            else sound_of(tx, version, script).clips
        )
    spoken = RenderedScript(script=script, clips=clips)
    chosen = language if language in script.languages else script.default_language
    context = Context(
        language=chosen,
        tags=tags,
        local_hour=_WALKED_AT_HOUR,
        clips=spoken.files_by_text,
        recordings=spoken.recordings,
        offered=spoken.offers(services.centre.languages, chosen),
    )
    walked = [Walked(step="", turn=start(script, context))]
    for step in steps[:_MOST_STEPS]:
        turn = walked[-1].turn
        if turn.is_over:
            break
        heard = _heard(script, turn, step, chosen)
        walked.append(
            Walked(step=step, turn=advance(script, turn.position, heard, context), phrase=heard.speech)
        )
    return Walk(
        version=version,
        script=script,
        language=chosen,
        walked=tuple(walked),
        seconds=spoken.seconds,
    )


def _heard(script: Script, turn: Turn, step: str, language: str) -> Heard:
    if step in {SILENCE, NOBODY}:
        return Heard.silence()
    if step == GREETING:
        return Heard.said(greeting_of(script, language))
    said, typed = _SAID.fullmatch(step), _TYPED.fullmatch(step)
    if said is not None:
        return Heard.said(phrase_of(script, turn.node, said[1], language))
    if typed is not None:
        return Heard.keys(typed[1])
    if len(step) == 1 and step in "0123456789*#":
        return Heard.keys(step)
    raise Invalid(field="steps", problem="is neither a key nor anything that is said")


def phrase_of(script: Script, node_id: str, key: str, language: str) -> str:
    """The first phrase with the same meaning as a key in a question; '' without one."""
    node = script.nodes[node_id]
    own = node.choices if isinstance(node, Ask) else {}
    choice = {**script.anywhere, **own}.get(key)
    phrases = choice.phrases if choice else {}
    return next((phrases[voice][0] for voice in script.voices_of(language) if phrases.get(voice)), "")


def greeting_of(script: Script, language: str) -> str:
    """The first greeting that the script answers; '' without one."""
    known = script.greetings
    return next((known[voice][0] for voice in script.voices_of(language) if known.get(voice)), "")
