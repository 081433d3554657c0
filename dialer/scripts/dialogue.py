"""The conversation of a call: what an answer means, and the next turn. Pure, and without memory between turns.

Everything that a call has established is in its `Position`, which is part of the webhook's address. Keys take
precedence over speech. What must be heard cannot be interrupted, and a key that confirms it counts only if it was heard
(`Context.hearing`); otherwise the missed prompts are spoken again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import assert_never

from dialer.core.errors import Invalid
from dialer.core.reach import Hearing
from dialer.core.text import Text
from dialer.core.values import Answer, Contact, Tag
from dialer.scripts.answers import OTHER_LANGUAGE, Heard, interpret_answer
from dialer.scripts.model import (
    SUCCESS_ANSWERS,
    Ask,
    Branch,
    BranchOn,
    Choice,
    End,
    EndUrgency,
    HandOver,
    Learned,
    Prompt,
    Say,
    Script,
    Target,
    asides,
    fill_template,
    first_questions,
    needs_verification,
    prompt_of,
    takes_language_key,
    time_of_day,
)

PAID_YUAN = "paid_yuan"
"""The name of the fact that a person who has paid says or types: the amount in yuan."""

_POSITION = re.compile(
    r"^([a-z][a-z0-9_]{0,63})\.(\d{1,2})\.([a-z]+)\.([a-z_]+)(?:\.(\d{1,15}))?(?:\.([a-z]{2,3}))?$"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANK = {Contact.NONE: 0, Contact.UNVERIFIED: 1, Contact.VERIFIED: 2}
_MOST_WITHOUT_QUESTION = 64
"""More nodes than this without a question are a circle, which the lint rejects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a call is: the node that waits for an answer, how often its question was asked again, what the call has
    established, when the turn was sent (service time, to the millisecond), and the language that was chosen by key (''
    for none).
    """

    node: str
    tries: int = 0
    contact: Contact = Contact.UNVERIFIED
    answer: Answer = Answer.NONE
    sent_at: datetime | None = None
    language: str = ""

    def encode(self) -> str:
        """The position as one segment of a URL path; it contains nothing personal."""
        place = f"{self.node}.{self.tries}.{self.contact.value}.{self.answer.value}"
        if self.sent_at is not None:
            place = f"{place}.{(self.sent_at - _EPOCH) // timedelta(milliseconds=1)}"
        return f"{place}.{self.language}" if self.language else place

    @classmethod
    def decode(cls, segment: str) -> Position:
        """The position that `encode` wrote. Raises `Invalid` for any other text."""
        found = _POSITION.match(segment)
        if found is None:
            raise Invalid(field="position", problem="is not one that a script wrote")
        node, tries, contact, answer, sent, language = found.groups()
        try:
            return cls(
                node=node,
                tries=int(tries),
                contact=Contact(contact),
                answer=Answer(answer),
                sent_at=None if sent is None else _EPOCH + timedelta(milliseconds=int(sent)),
                language=language or "",
            )
        except (ValueError, OverflowError) as error:
            raise Invalid(field="position", problem="is not one that a script wrote") from error

    @property
    def learned(self) -> Learned:
        """What the call has established so far."""
        return Learned(contact=self.contact, answer=self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The facts of a call that its words depend on.

    `language` is the call's own. `offered` are the others that the person can choose by key, in this order; the sound
    of each is complete. `chosen` is the one that the person chose, '' for none.

    `clips` gives a sound file by language and text, `recordings` by language and prompt; a centre's own recording is
    preferred to a rendered voice. `slow_clips` are the slow ones for people who are hard of hearing. `local_hour` is
    the hour where the person is. `now` is when the turn is sent. `hearing` is what the call has said and how much of it
    was heard; None: all of it.
    """

    language: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[Tag] = frozenset()
    local_hour: int = 12
    clips: Mapping[tuple[str, str], str] = field(default_factory=dict)
    slow_clips: Mapping[tuple[str, str], str] = field(default_factory=dict)
    recordings: Mapping[tuple[str, str], str] = field(default_factory=dict)
    now: datetime | None = None
    hearing: Hearing | None = None
    offered: tuple[str, ...] = ()
    chosen: str = ""
    is_recorded: bool = False
    """The call is recorded: its opening says so (`Script.recorded`)."""

    @property
    def spoken(self) -> str:
        """The language to speak now."""
        return self.chosen or self.language


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One thing to say: play `audio` if there is any, else speak `text` in `language`. `recorded_in` is the language of
    a recording without a text of its own: `text` is in another language.
    """

    prompt_id: str
    language: str
    text: str
    audio: tuple[str, ...] | None
    must_say: bool = False
    recorded_in: str = ""

    @property
    def heard_in(self) -> str:
        """The language that the person hears."""
        return self.recorded_in if self.audio and self.recorded_in else self.language


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTurn:
    """What to wait for after the utterances. The first `uninterrupted` of them are spoken to their end, whatever is
    pressed or said; keys and speech interrupt the rest. Keys count from the first utterance after `before_question`,
    also where they cannot interrupt it. The person answers in `language`; `LANGUAGE_KEY` chooses
    `other_language` if that is not ''.

    With `finish_on_key`, that key ends up to `num_digits` digits; without it exactly `num_digits` are taken.
    """

    uninterrupted: int
    before_question: int
    num_digits: int
    timeout_seconds: int
    hints: tuple[str, ...]
    language: str
    finish_on_key: str = ""
    other_language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A fact that the person typed or said; its value is digits."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to do next in a call: either `ask`, or `end`, which says how soon a person must deal with the call.

    `position` is where the call is after the utterances. With `hand_over`, an officer is called; `end` is then the
    urgency so far, and if no officer takes the call, it can `advance` from the position with silence.
    """

    position: Position
    utterances: tuple[Utterance, ...]
    ask: AskTurn | None = None
    hand_over: bool = False
    end: EndUrgency | None = None
    collected: Collected | None = None
    after_wrong_key: bool = False
    """The keys that the person pressed are no choice of the question."""

    @property
    def node(self) -> str:
        """The node that the call is at after this turn."""
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
    return _walk(script, script.start, Learned(contact=Contact.UNVERIFIED), context, opens=True)


def advance(script: Script, position: Position, heard: Heard, context: Context) -> Turn:
    """The turn after an answer at a position. Raises `Invalid` for a position at which this script waits
    for nothing.
    """
    context = replace(context, chosen=position.language)
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
    offers = bool(_other_language(script, node, context))
    understood = interpret_answer(
        script, node, heard, script.voices_of(context.spoken), offers_language=offers
    )
    if understood.choice is not None:
        return _chosen(script, node, position, understood.choice, understood.paid_yuan, context)
    if understood.digits:
        turn = _walk(script, node.next, position.learned, context)
        return replace(turn, collected=Collected(name=node.collect, value=understood.digits))
    if understood.wants_key:
        before = script.confirm
    elif understood.is_greeting:
        before = script.greeting
    else:
        before = script.unclear if heard.speech else script.wrong_key if heard.digits else script.again
    turn = _again(script, node, position, context, before=before)
    return replace(turn, after_wrong_key=bool(heard.digits))


def _chosen(
    script: Script, node: Ask, position: Position, choice: Choice, paid_yuan: str, context: Context
) -> Turn:
    if missed := _missed(node, choice, context.hearing):
        return _hear_first(script, node, position, context, missed)
    if choice is OTHER_LANGUAGE:
        return _in_other_language(script, node, position, context)
    if choice.next == Target.REPEAT:
        return _again(script, node, position, context, repeat=True)
    turn = _walk(script, choice.next, _taught(position.learned, choice), context)
    if paid_yuan:
        return replace(turn, collected=Collected(name=PAID_YUAN, value=paid_yuan))
    if node.collect and choice.key in node.choices:
        return replace(turn, collected=Collected(name=node.collect, value=choice.key))
    return turn


def _missed(node: Ask, choice: Choice, hearing: Hearing | None) -> frozenset[str]:
    """The prompts that must be heard before this choice counts: the question itself if the choice verifies the person
    or needs its key; for a success, everything that must be heard.
    """
    if hearing is None or not _claims(choice):
        return frozenset()
    missed = {node.prompt.id} - hearing.whole
    return frozenset(missed.union(hearing.missed if choice.answer in SUCCESS_ANSWERS else ()))


def _claims(choice: Choice) -> bool:
    return choice.needs_key or choice.contact is not None


def _hear_first(
    script: Script, node: Ask, position: Position, context: Context, missed: frozenset[str]
) -> Turn:
    """The missed prompts and the question, all of it uninterrupted; or the node `otherwise` if it was asked often
    enough.
    """
    if position.tries >= node.retries:
        return _walk(script, node.otherwise, position.learned, context)
    prompts = {item.id: item for other in script.nodes.values() if (item := prompt_of(other)) is not None}
    prompts |= {prompt.id: prompt for prompt in asides(script)}
    assert context.hearing is not None
    again = dict.fromkeys(
        prompt.id for prompt in context.hearing.prompts if prompt.id in missed and prompt.id != node.prompt.id
    )
    said = [_utterance(script, prompts[name], position.learned, context) for name in again if name in prompts]
    said.append(_utterance(script, node.prompt, position.learned, context))
    return _asking(script, node, position.learned, position.tries + 1, said, context)


def _taught(learned: Learned, choice: Choice) -> Learned:
    """What is established after a choice. A later 'officer' does not replace 'already paid', and only 'already paid'
    replaces 'in contact again'.
    """
    answer = choice.answer if choice.answer is not None else learned.answer
    if learned.answer is Answer.ALREADY_PAID and answer is Answer.WANTS_OFFICER:
        answer = Answer.ALREADY_PAID
    if learned.answer is Answer.IN_CONTACT and answer is not Answer.ALREADY_PAID:
        answer = Answer.IN_CONTACT
    return Learned(contact=choice.contact or learned.contact, answer=answer)


def _again(
    script: Script,
    node: Ask,
    position: Position,
    context: Context,
    *,
    repeat: bool = False,
    before: Prompt | None = None,
) -> Turn:
    """The question once more, or the node `otherwise` if it was asked often enough."""
    if position.tries >= node.retries:
        return _walk(script, node.otherwise, position.learned, context)
    if repeat:
        return _walk(script, node.repeat_from, position.learned, context, tries={node.id: position.tries + 1})
    prompts = (before or script.again, node.prompt)
    said = tuple(_utterance(script, prompt, position.learned, context) for prompt in prompts)
    turn = _asking(script, node, position.learned, position.tries + 1, said, context)
    if turn.ask is None or (context.hearing is not None and node.prompt.id not in context.hearing.whole):
        return turn
    # The question has been heard: a key that is pressed before it is repeated answers it.
    return replace(turn, ask=replace(turn.ask, before_question=0))


def _other_language(script: Script, node: Ask, context: Context) -> str:
    """The language that a question offers by key: the next of those offered and, after the last, the call's own. '' for
    none: it is not the first question of the call, or no other language is offered.
    """
    if script.other_language is None or node not in first_questions(script):
        return ""
    if not takes_language_key(script, node):
        return ""
    ring = tuple(dict.fromkeys((context.language, *context.offered)))
    place = ring.index(context.spoken) + 1 if context.spoken in ring else 0
    return next((language for language in (*ring[place:], *ring[:place]) if language != context.spoken), "")


def _in_other_language(script: Script, node: Ask, position: Position, context: Context) -> Turn:
    """The call from its start in the language that was offered. The first change is always granted; each further one
    counts as asking again, so that every call ends.
    """
    if position.language and position.tries >= node.retries:
        return _walk(script, node.otherwise, position.learned, context)
    tries = position.tries + (1 if position.language else 0)
    chosen = replace(context, chosen=_other_language(script, node, context))
    return _walk(script, script.start, position.learned, chosen, tries={node.id: tries}, opens=True)


def _walk(
    script: Script,
    node_id: str,
    learned: Learned,
    context: Context,
    *,
    tries: Mapping[str, int] | None = None,
    opens: bool = False,
) -> Turn:
    """Follows the script until a question, a hand-over or an end. `opens`: the call begins here, in its language; if it
    is recorded, the opening that says so replaces the usual one, or a notice follows the usual one.
    """
    said: list[Utterance] = []
    opening = script.recorded if opens and context.is_recorded else None
    for _ in range(_MOST_WITHOUT_QUESTION):
        node = script.nodes[node_id]
        match node:
            case Say():
                prompts = [node.prompt] if opening is None or script.recorded_follows else []
                prompts += [opening] if opening is not None else []
                opening = None
                said += [_utterance(script, prompt, learned, context) for prompt in prompts]
                if _is_said_twice(node, learned, context):
                    said.append(said[-len(prompts)])
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
                    position=_position(node.id, 0, _outcome(learned, node.answer), context),
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


def _is_said_twice(node: Say, learned: Learned, context: Context) -> bool:
    """Whether to repeat a prompt that must be understood: for a person who is hard of hearing, once they
    are verified.
    """
    return node.prompt.must_say and Tag.HEARING in context.tags and learned.contact is Contact.VERIFIED


def _outcome(learned: Learned, answer: Answer) -> Learned:
    """What is established at an end: 'already paid' and 'in contact again' stay, and only a verified person can
    acknowledge.
    """
    if learned.answer in {Answer.ALREADY_PAID, Answer.IN_CONTACT}:
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
    voices = script.voices_of(context.spoken)
    # While digits are typed, a noise mistaken for speech would cut them off.
    expected = [*(c.phrases for c in choices.values()), _greetings(script)] if node.max_digits == 1 else []
    hints = tuple(p for phrases in expected for p in next((phrases[v] for v in voices if v in phrases), ()))
    said = tuple(said)
    language = said[-1].language
    other = _other_language(script, node, context)
    if other and script.other_language is not None:
        offer = replace(context, chosen=other)
        said = (*said, _utterance(script, script.other_language, learned, offer))
    needs_hearing = any(_claims(choice) for choice in node.choices.values())
    must_end = [
        utterance.must_say or (needs_hearing and utterance.prompt_id == node.prompt.id) for utterance in said
    ]
    uninterrupted = max((place for place, must in enumerate(must_end, start=1) if must), default=0)
    asked_at = next(
        (place for place, utterance in enumerate(said) if utterance.prompt_id == node.prompt.id), len(said)
    )
    return Turn(
        position=_position(node.id, tries, learned, context),
        utterances=said,
        ask=AskTurn(
            uninterrupted=uninterrupted,
            before_question=min(asked_at, uninterrupted),
            num_digits=node.max_digits,
            timeout_seconds=node.timeout_seconds,
            hints=hints,
            language=language,
            other_language=other,
            finish_on_key="#" if node.max_digits > 1 else "",
        ),
    )


def _greetings(script: Script) -> Mapping[str, tuple[str, ...]]:
    """The greetings to expect in recognition, by language."""
    return {language: _distinct_greetings(tuple(said)) for language, said in script.greetings.items()}


@lru_cache(maxsize=64)
def _distinct_greetings(said: tuple[str, ...]) -> tuple[str, ...]:
    """These greetings without those that begin with another one, such as 喂喂 with 喂: the recogniser hears such a
    greeting in 是.
    """
    return tuple(
        greeting
        for greeting in said
        if not any(greeting != other and greeting.startswith(other) for other in said)
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
    """The prompt in the best available language. Raises `Invalid` for a personal fact before verification, and for a
    prompt without text in any of its languages.
    """
    may_be_personal = learned.contact is Contact.VERIFIED
    for language in script.voices_of(context.spoken):
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
        text = fill_template(script, template, spoken_in, context.variables, context.local_hour)
        slow = context.slow_clips.get((language, text)) if Tag.HEARING in context.tags else None
        clip = recorded or slow or context.clips.get((language, text))
        return Utterance(
            prompt_id=prompt.id,
            language=spoken_in,
            text=text,
            audio=(clip,) if clip else None,
            must_say=prompt.must_say,
            recorded_in=language if language != spoken_in else "",
        )
    raise Invalid(
        field="script",
        problem=Text("%(prompt)s has no text in any language that can be spoken", prompt=prompt.id),
    )


def _position(node_id: str, tries: int, learned: Learned, context: Context) -> Position:
    return Position(
        node=node_id,
        tries=tries,
        contact=learned.contact,
        answer=learned.answer,
        sent_at=context.now,
        language=context.chosen,
    )
