"""The conversation of a call: what an answer means, and the next turn. Pure, and without memory between turns.

All that a call has established stands in the `Position`, which travels in the webhook's address. Keys are stronger than
speech.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from dialer.core.errors import Invalid
from dialer.core.values import Answer, Contact, Tag
from dialer.language import Text
from dialer.scripts.model import (
    Ask,
    Branch,
    BranchOn,
    Choice,
    End,
    HandOver,
    Learned,
    Prompt,
    Say,
    Script,
    Target,
    Urgency,
    filled,
    needs_verification,
    time_of_day,
)

SURE_ENOUGH = 0.5
"""A recogniser's confidence below this is treated as not understood; the question is asked again."""

_NOISE = re.compile(r"[\s，。、！？；：,.!?;:'\"“”‘’…·-]+")
_PAUSE = re.compile(r"[，。、！？；,.!?;]+")
_WHOLE_ONLY = 2
"""Phrases up to this length count only as a whole clause."""
_FILLERS = re.compile(r"^[嗯啊呃哦喂那]+|[啊呀呢吧嘛哦]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One of three: `digits` pressed, `speech` recognised with its confidence, or neither: silence."""

    digits: str = ""
    speech: str = ""
    confidence: float = 1.0

    @classmethod
    def keys(cls, digits: str) -> Heard:
        return cls(digits=digits)

    @classmethod
    def silence(cls) -> Heard:
        return cls()

    @classmethod
    def said(cls, text: str, confidence: float = 1.0) -> Heard:
        return cls(speech=text, confidence=confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A choice, or digits typed for a fact, or neither. `wants_key`: said, but only its key counts."""

    choice: Choice | None = None
    digits: str = ""
    wants_key: bool = False


def meant(script: Script, node: Ask, heard: Heard, voices: Sequence[str]) -> Understood:
    """Keys win over speech. A question's own keys win over those that work anywhere."""
    choices = {**script.anywhere, **node.choices}
    if heard.digits:
        return _by_key(node, choices, heard.digits)
    if heard.speech and heard.confidence >= SURE_ENOUGH:
        return _by_phrase(choices, heard.speech, voices)
    return Understood()


def _by_key(node: Ask, choices: Mapping[str, Choice], pressed: str) -> Understood:
    digits = pressed.strip().rstrip("#")
    if digits in choices:
        return Understood(choice=choices[digits])
    is_typed = digits.isdecimal() and digits.isascii() and len(digits) <= node.max_digits
    return Understood(digits=digits) if node.collect and node.next and is_typed else Understood()


def _by_phrase(choices: Mapping[str, Choice], speech: str, voices: Sequence[str]) -> Understood:
    """The longest phrase that occurs wins, so that 不是 is not taken for 是; a tie of two is no answer.

    Short phrases (one or two signs) must be a whole clause: 是 also occurs inside 可是.
    """
    said = plain(speech)
    clauses = {plain(clause) for clause in _PAUSE.split(speech)} | {said}
    found: list[tuple[int, str]] = []
    for key, choice in choices.items():
        for voice in voices:
            for phrase in choice.phrases.get(voice, ()):
                wanted = plain(phrase)
                if wanted in clauses or (len(wanted) > _WHOLE_ONLY and wanted in said):
                    found.append((len(wanted), key))
    if not found:
        return Understood()
    longest = max(length for length, _ in found)
    keys = {key for length, key in found if length == longest}
    if len(keys) != 1:
        return Understood()
    choice = choices[keys.pop()]
    return Understood(wants_key=True) if choice.needs_key else Understood(choice=choice)


def plain(text: str) -> str:
    """Letters and signs alone, lower case, without punctuation, spaces and the small words people add."""
    bare = _NOISE.sub("", text).lower()
    return _FILLERS.sub("", bare) or bare


_POSITION = re.compile(r"^([a-z][a-z0-9_]{0,63})\.(\d{1,2})\.([a-z]+)\.([a-z_]+)$")
_RANK = {Contact.NONE: 0, Contact.UNVERIFIED: 1, Contact.VERIFIED: 2}
_NOT_IN_A_ROW = 64
"""More nodes than this without a question are a circle, which the lint refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a call stands: the node that waits, how often it was asked again, and what was learned before."""

    node: str
    tries: int = 0
    contact: Contact = Contact.UNVERIFIED
    answer: Answer = Answer.NONE

    def encode(self) -> str:
        """Fit for one segment of a URL's path; holds nothing personal."""
        return f"{self.node}.{self.tries}.{self.contact.value}.{self.answer.value}"

    @classmethod
    def decode(cls, segment: str) -> Position:
        """Raises `Invalid` when the segment was not written by `encode`."""
        found = _POSITION.match(segment)
        if found is None:
            raise Invalid(field="position", problem="is not one that a script wrote")
        node, tries, contact, answer = found.groups()
        try:
            return cls(node=node, tries=int(tries), contact=Contact(contact), answer=Answer(answer))
        except ValueError as error:
            raise Invalid(field="position", problem="is not one that a script wrote") from error

    @property
    def learned(self) -> Learned:
        return Learned(contact=self.contact, answer=self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The facts of a call that its words depend on.

    `clips` finds a sound file by language and text, `recordings` by language and prompt; a centre's own
    recording is preferred to a rendered voice. `local_hour` is the hour where the person is.
    """

    language: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[Tag] = frozenset()
    local_hour: int = 12
    clips: Mapping[tuple[str, str], str] = field(default_factory=dict)
    recordings: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One thing to say: play `audio` when there is any, else speak `text` in `language`."""

    prompt_id: str
    language: str
    text: str
    audio: tuple[str, ...] | None
    must_say: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTurn:
    """What to wait for after the utterances. Keys may be pressed while they are still being said.

    With `finish_on_key` set, that key closes up to `num_digits` digits; else exactly `num_digits` are taken.
    """

    num_digits: int
    timeout_seconds: int
    hints: tuple[str, ...]
    finish_on_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A fact that the person typed; `digits` only."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to do next in a call: there is an `ask`, or an `end`, which says how soon a person must look at the call.

    `position` is where the call stands after the utterances. With `hand_over`, an officer is called; `end` is what it
    is by then, and the call may `advance` from the position (with silence) when no officer takes it.
    """

    position: Position
    utterances: tuple[Utterance, ...]
    ask: AskTurn | None = None
    hand_over: bool = False
    end: Urgency | None = None
    collected: Collected | None = None

    @property
    def node(self) -> str:
        return self.position.node

    @property
    def learned(self) -> Learned:
        return self.position.learned

    @property
    def is_over(self) -> bool:
        """Whether the call ends after the utterances."""
        return self.end is not None and not self.hand_over


def start(script: Script, context: Context) -> Turn:
    """The first turn of an answered call. A person or a machine picked up, so the contact is unverified."""
    return _walk(script, script.start, Learned(contact=Contact.UNVERIFIED), context)


def advance(script: Script, position: Position, heard: Heard, context: Context) -> Turn:
    """The turn after what was heard at a position. Raises `Invalid` for one not of this script."""
    node = script.nodes.get(position.node)
    if isinstance(node, HandOver):
        return _walk(script, node.next, position.learned, context)
    if not isinstance(node, Ask):
        raise Invalid(
            field="position",
            problem=Text(
                "%(node)s waits for nothing in script %(script)s", node=position.node, script=script.id
            ),
        )
    understood = meant(script, node, heard, script.voices_of(context.language))
    if understood.choice is not None:
        choice = understood.choice
        if choice.next == Target.REPEAT:
            return _again(script, node, position, context, repeat=True)
        collected = Collected(name=node.collect, value=choice.key) if node.collect else None
        turn = _walk(script, choice.next, _taught(position.learned, choice), context)
        return replace(turn, collected=collected) if collected and choice.key in node.choices else turn
    if understood.digits:
        turn = _walk(script, node.next, position.learned, context)
        return replace(turn, collected=Collected(name=node.collect, value=understood.digits))
    return _again(script, node, position, context, confirm=understood.wants_key)


def _taught(learned: Learned, choice: Choice) -> Learned:
    """What is known after a choice. A later 'officer' does not replace 'already paid'."""
    answer = choice.answer if choice.answer is not None else learned.answer
    if learned.answer is Answer.ALREADY_PAID and answer is Answer.WANTS_OFFICER:
        answer = Answer.ALREADY_PAID
    return Learned(contact=choice.contact or learned.contact, answer=answer)


def _again(
    script: Script,
    node: Ask,
    position: Position,
    context: Context,
    *,
    repeat: bool = False,
    confirm: bool = False,
) -> Turn:
    """The question once more, or the way out when it was asked often enough."""
    if position.tries >= node.retries:
        return _walk(script, node.otherwise, position.learned, context)
    if repeat:
        return _walk(script, node.repeat_from, position.learned, context, tries={node.id: position.tries + 1})
    prompts = (script.confirm if confirm else script.again, node.prompt)
    said = tuple(_utterance(script, prompt, position.learned, context) for prompt in prompts)
    return _asking(script, node, position.learned, position.tries + 1, said, context)


def _walk(
    script: Script,
    node_id: str,
    learned: Learned,
    context: Context,
    *,
    tries: Mapping[str, int] | None = None,
) -> Turn:
    """Goes on saying and branching until a question, a hand-over or an end."""
    said: list[Utterance] = []
    for _ in range(_NOT_IN_A_ROW):
        node = script.nodes[node_id]
        match node:
            case Say():
                said.append(_utterance(script, node.prompt, learned, context))
                node_id = node.next
            case Branch():
                node_id = _branched(node, learned, context)
            case Ask():
                said.append(_utterance(script, node.prompt, learned, context))
                return _asking(script, node, learned, (tries or {}).get(node.id, 0), said, context)
            case HandOver() | End():
                if node.prompt is not None:
                    said.append(_utterance(script, node.prompt, learned, context))
                if isinstance(node, End):
                    learned = replace(
                        learned, contact=min(learned.contact, node.contact, key=_RANK.__getitem__)
                    )
                return Turn(
                    position=_position(node.id, 0, _outcome(learned, node.answer)),
                    utterances=tuple(said),
                    hand_over=isinstance(node, HandOver),
                    end=node.urgency,
                )
            case _:
                assert_never(node)
    raise Invalid(
        field="script",
        problem=Text(
            "%(script)s goes in a circle at %(node)s without asking", script=script.id, node=node_id
        ),
    )


def _outcome(learned: Learned, answer: Answer) -> Learned:
    """The answer at an end: 'already paid' stays, and only a verified person can acknowledge."""
    if learned.answer is Answer.ALREADY_PAID:
        return learned
    if answer is Answer.NONE:
        answer = learned.answer
    if answer in {Answer.ACKNOWLEDGED, Answer.SAW_THROUGH} and learned.contact is not Contact.VERIFIED:
        answer = Answer.DOUBTFUL
    return replace(learned, answer=answer)


def _asking(
    script: Script, node: Ask, learned: Learned, tries: int, said: Iterable[Utterance], context: Context
) -> Turn:
    choices = {**script.anywhere, **node.choices}
    voices = script.voices_of(context.language)
    # Where digits are typed, a noise taken for speech would cut them off.
    hints = tuple(
        p
        for c in (choices.values() if node.max_digits == 1 else ())
        for p in next((c.phrases[v] for v in voices if v in c.phrases), ())
    )
    return Turn(
        position=_position(node.id, tries, learned),
        utterances=tuple(said),
        ask=AskTurn(
            num_digits=node.max_digits,
            timeout_seconds=node.timeout_seconds,
            hints=hints,
            finish_on_key="#" if node.max_digits > 1 else "",
        ),
    )


def _branched(node: Branch, learned: Learned, context: Context) -> str:
    match node.on:
        case BranchOn.TAG:
            return next((to for tag, to in node.cases.items() if tag in context.tags), node.otherwise)
        case BranchOn.TIME_OF_DAY:
            return node.cases.get(time_of_day(context.local_hour), node.otherwise)
        case BranchOn.CONTACT:
            return node.cases.get(learned.contact.value, node.otherwise)
        case _:
            assert_never(node.on)


def _utterance(script: Script, prompt: Prompt, learned: Learned, context: Context) -> Utterance:
    """The prompt in the best language there is. A personal fact before verification is left unsaid."""
    may_be_personal = learned.contact is Contact.VERIFIED
    for language in script.voices_of(context.language):
        recorded = context.recordings.get((language, prompt.id))
        if language not in prompt.texts and recorded is None:
            continue
        spoken_in = language if language in prompt.texts else script.voices_of(language)[-1]
        template = prompt.texts[spoken_in]
        if needs_verification(script, template) and not may_be_personal:
            raise Invalid(
                field="script",
                problem=Text("%(prompt)s would say a personal fact before verification", prompt=prompt.id),
            )
        text = filled(script, template, spoken_in, context.variables, context.local_hour)
        clip = recorded or context.clips.get((language, text))
        return Utterance(
            prompt_id=prompt.id,
            language=spoken_in,
            text=text,
            audio=(clip,) if clip else None,
            must_say=prompt.must_say,
        )
    raise Invalid(
        field="script",
        problem=Text("%(prompt)s has no text in any language that can be spoken", prompt=prompt.id),
    )


def _position(node_id: str, tries: int, learned: Learned) -> Position:
    return Position(node=node_id, tries=tries, contact=learned.contact, answer=learned.answer)
