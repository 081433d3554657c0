"""Plays TwiML to one leg: fetches documents, carries out their verbs in order, and asks their questions.

Durations of speech are estimated by language; durations of sound files come from the files, which are cached.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urljoin

from cachetools import LRUCache

from carrier.config import Timers
from carrier.lines import Clip, Leg
from carrier.lines.sound import BadSound, read_wav
from carrier.outbound import Reply
from carrier.speech_input import Hearing, Recognised, Speech
from carrier.twiml import (
    BadTwiml,
    Dial,
    Gather,
    Hangup,
    Pause,
    Play,
    Prompt,
    Redirect,
    Say,
    Verb,
    parse_twiml,
)
from carrier.webhooks import Messenger

_CJK = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z0-9]+")
_CJK_A_SECOND = 4.5
_WORDS_A_SECOND = 2.5
_KEEP_BYTES = 64 * 1024 * 1024


def say_seconds(text: str) -> float:
    """The approximate duration of the text in a calm voice."""
    return len(_CJK.findall(text)) / _CJK_A_SECOND + len(_WORD.findall(text)) / _WORDS_A_SECOND


OnClip = Callable[[Clip | None], None]


class SoundCache:
    """Fetches each sound once and caches those used last; a failure gives None and is not cached."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        self._clips = LRUCache[str, Clip](_KEEP_BYTES, getsizeof=lambda clip: len(clip.wav))
        self._waiting: dict[str, list[OnClip]] = {}

    def get(self, url: str, on_clip: OnClip) -> None:
        """Calls `on_clip` with the clip, at once if it is cached."""
        clip = self._clips.get(url)
        if clip is not None:
            on_clip(clip)
            return
        waiting = self._waiting.get(url)
        if waiting is not None:
            waiting.append(on_clip)
            return
        self._waiting[url] = [on_clip]
        self._messenger.send(url, "GET", {}, lambda reply: self._fetched(url, reply))

    def forget(self) -> None:
        """Empties the cache."""
        self._clips.clear()

    def _fetched(self, url: str, reply: Reply) -> None:
        clip: Clip | None = None
        if reply.is_success:
            with contextlib.suppress(BadSound):
                clip = Clip(seconds=read_wav(reply.body).seconds, wav=reply.body, name=url)
                self._clips[url] = clip
        for on_clip in self._waiting.pop(url, ()):
            on_clip(clip)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherResult:
    """The end of a question: keys and the key that ended them, or recognised speech, or nothing."""

    digits: str = ""
    finished_on: str = ""
    speech: Recognised | None = None


OnAnswer = Callable[[Gather, GatherResult], None]


class Question:
    """One Gather under way: keys and speech interrupt its prompts, and silence ends it. Calls `done` once at most.
    A key that is pressed while speech is being recognised is the answer. Without barge-in keys are kept until the
    prompts are over, and speech has no effect until then.
    """

    def __init__(
        self, verb: Gather, *, player: Player, hearing: Hearing, timers: Timers, done: OnAnswer
    ) -> None:
        self._verb = verb
        self._hearing = hearing
        self._player = player
        self._timers = timers
        self._done = done
        self._digits = ""
        self._prompt_at = 0
        self._talking = True
        self._over = False
        self._finished_on: str | None = None
        """The key that completed the answer; '' where it is as long as expected, None while it is not complete."""
        self._silence: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Plays the next prompt; after the last one the wait for a key begins."""
        if self._over or not self._talking:
            return
        prompts = self._verb.prompts
        if self._prompt_at < len(prompts):
            prompt = prompts[self._prompt_at]
            self._prompt_at += 1
            self._player.prompt(prompt, self.start)
        else:
            self._talking = False
            if not self._verb.barge_in:
                self._player.listen()
            self._go_on()

    def pressed(self, key: str) -> None:
        """A key stops the prompt; the answer is complete at the finishing key or at the expected number of keys."""
        if self._over or self._finished_on is not None:
            return
        if key in self._verb.finish_on_key:
            self._finished_on = key
        else:
            self._digits += key
            if self._verb.num_digits is not None and len(self._digits) >= self._verb.num_digits:
                self._finished_on = ""
        if self._verb.barge_in:
            self._interrupt()
        if not self._talking:
            self._go_on()

    def said(self, speech: Speech) -> None:
        """Stops the prompt and has the speech recognised. Where nothing recognises sound, the wait begins anew."""
        if (
            self._over
            or not self._verb.hears_speech
            or self._digits
            or (self._talking and not self._verb.barge_in)
        ):
            return
        self._interrupt()
        self._stop_waiting()
        verb = self._verb
        self._hearing.understand(speech, hints=verb.hints, language=verb.language, then=self._understood)

    def stop(self) -> None:
        """Ends the question without an answer."""
        self._over = True
        self._stop_waiting()

    def _understood(self, found: Recognised | None) -> None:
        if self._over or self._digits:
            return
        if found is None:
            self._await_key()
            return
        self.stop()
        self._done(self._verb, GatherResult(speech=found))

    def _interrupt(self) -> None:
        if self._talking:
            self._talking = False
            self._player.stop_speaking()

    def _go_on(self) -> None:
        if self._finished_on is not None:
            self._finish(self._finished_on)
        else:
            self._await_key()

    def _await_key(self) -> None:
        self._stop_waiting()
        self._silence = self._timers.later(self._verb.timeout_seconds, lambda: self._finish(""))

    def _stop_waiting(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _finish(self, key: str) -> None:
        self.stop()
        self._done(self._verb, GatherResult(digits=self._digits, finished_on=key))


UNPLAYED = "X-Unplayed"
UNFETCHED = "X-Unfetched"
"""A parameter of our own, in the request for the next document and in the status callback of the end."""
HTTP_RETRIEVAL_FAILURE = 11200
HTTP_CONNECTION_FAILURE = 11205
_APOLOGY_SECONDS = 3.0
_ENDLESS = 1000
_MAX_DOCUMENTS = 200


class PlayedCall(Protocol):
    """The live call as the player uses it."""

    @property
    def leg(self) -> Leg: ...

    def params(self) -> dict[str, str]:
        """The parameters of every request for a document."""

    def skips_fetch(self) -> bool:
        """Whether an injected fault makes this fetch fail unsent."""

    def fallback(self) -> tuple[str, str]:
        """FallbackUrl, which may be empty, and its method."""

    def error(self, code: int) -> None:
        """Records a Twilio error code of the call."""

    def finished(self) -> None:
        """The document is over: the call is hung up, or connected if it was the second leg of a Dial."""

    def hang_up(self) -> None:
        """The document ends the call, or cannot be fetched."""

    def dial(
        self, verb: Dial, done: Callable[[dict[str, str]], None], left: Callable[[dict[str, str]], None]
    ) -> None:
        """Calls another phone and joins it. `done` gets the DialCall parameters; `left` gets them if the caller left
        first.
        """


class Player:
    """The player of one call. After `stop` no callback has an effect."""

    def __init__(
        self, call: PlayedCall, *, messenger: Messenger, sounds: SoundCache, hearing: Hearing, timers: Timers
    ) -> None:
        self._call = call
        self._hearing = hearing
        self._messenger = messenger
        self._sounds = sounds
        self._timers = timers
        self._verbs: tuple[Verb, ...] = ()
        self._at = 0
        self._base = ""
        self._generation = 0
        self._documents = 0
        self._questions = 0
        self._question: Question | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._fell_back = False
        self.has_unplayed = False
        """Whether part of the present document was not played: the application must not count it as spoken."""
        self.unfetched = ""
        """The address of a sound of the present document that could not be fetched."""

    def fetch(self, url: str, method: str, extras: dict[str, str] | None = None) -> None:
        """Fetches the document at `url` and plays it in place of the present one."""
        self.stop()
        self._documents += 1
        if self._documents > _MAX_DOCUMENTS:
            # Documents that redirect to each other would hold a line for ever.
            self._call.hang_up()
            return
        generation = self._generation
        params = self._call.params() | (extras or {})
        params |= self.missing()
        if self._call.skips_fetch():
            self._timers.soon(lambda: self._fetched(generation, url, Reply(0, "", b"", "ct")))
            return
        self._messenger.send(url, method, params, lambda reply: self._fetched(generation, url, reply))

    def missing(self) -> dict[str, str]:
        """The parameters that say what of the present document was not played; none if all of it was."""
        unfetched = {UNFETCHED: self.unfetched} if self.unfetched else {}
        return {UNPLAYED: "true"} | unfetched if self.has_unplayed else {}

    def play(self, body: bytes) -> None:
        """Plays this document in place of the present one."""
        self.stop()
        self._run(body, "")

    def pressed(self, key: str) -> None:
        """Passes a key to the open question; without one it has no effect."""
        if self._question is not None:
            self._question.pressed(key)

    def said(self, speech: Speech) -> None:
        """Passes speech to the open question; without one that accepts speech it has no effect."""
        if self._question is not None:
            self._question.said(speech)

    def stop(self) -> None:
        """Stops what plays; a reply that is still under way has no effect."""
        if self._question is not None:
            self._question.stop()
            self._question = None
        self.stop_speaking()

    def _fetched(self, generation: int, url: str, reply: Reply) -> None:
        if generation != self._generation:
            return
        if reply.is_success and reply.content_type.startswith("audio/"):
            # A sound in place of a document, as Twilio takes it.
            self._play((Play(url=url),), url.partition("#")[0])
        elif reply.is_success:
            self._run(reply.body, url.partition("#")[0])
        else:
            self._fail(HTTP_CONNECTION_FAILURE if reply.failure else HTTP_RETRIEVAL_FAILURE, url)

    def _run(self, body: bytes, base: str) -> None:
        try:
            verbs = parse_twiml(body)
        except BadTwiml as problem:
            self._fail(problem.code, base)
            return
        self._play(verbs, base)

    def _play(self, verbs: tuple[Verb, ...], base: str) -> None:
        self._verbs = verbs
        self._at = 0
        self._base = base
        self.has_unplayed = False
        self.unfetched = ""
        self._next()

    def _fail(self, code: int, url: str) -> None:
        self._call.error(code)
        fallback, method = self._call.fallback()
        if fallback and not self._fell_back:
            self._fell_back = True
            self.fetch(fallback, method, {"ErrorCode": str(code), "ErrorUrl": url.partition("#")[0]})
            return
        self.stop()
        self._speak(
            Clip(seconds=_APOLOGY_SECONDS, text="An application error has occurred. Goodbye."),
            self._call.hang_up,
        )

    def _speak(self, clip: Clip, then: Callable[[], None]) -> None:
        generation = self._generation

        def heard() -> None:
            if generation == self._generation:
                then()

        self._call.leg.speak(clip, heard)

    def _next(self) -> None:
        if self._at >= len(self._verbs):
            self._call.finished()
            return
        verb = self._verbs[self._at]
        self._at += 1
        match verb:
            case Say() | Play() | Pause():
                self.prompt(verb, self._next)
            case Gather():
                self._ask(verb)
            case Redirect():
                self.fetch(self._absolute(verb.url), verb.method)
            case Dial():
                self._dial(verb)
            case Hangup():
                self._call.hang_up()

    def prompt(self, prompt: Prompt, then: Callable[[], None]) -> None:
        """Plays one prompt; a sound file that cannot be fetched is recorded (11200) and skipped."""
        generation = self._generation
        match prompt:
            case Pause():
                self._pause = self._timers.later(prompt.seconds, then)
            case Say():
                loop = prompt.loop or _ENDLESS
                seconds = say_seconds(prompt.text) * loop
                self._speak(Clip(seconds=seconds, text=prompt.text, times=loop), then)
            case Play():
                loop = prompt.loop or _ENDLESS

                def got(clip: Clip | None) -> None:
                    if generation != self._generation:
                        return
                    if clip is None:
                        self._call.error(HTTP_RETRIEVAL_FAILURE)
                        self.has_unplayed = True
                        self.unfetched = self._absolute(prompt.url)
                        # Through the event loop: a document of broken prompts must not nest.
                        self._pause = self._timers.later(0.0, then)
                    else:
                        played = clip if loop == 1 else replace(clip, seconds=clip.seconds * loop, times=loop)
                        self._speak(played, then)

                self._sounds.get(self._absolute(prompt.url), got)

    def stop_speaking(self) -> None:
        """Interrupts the prompt that plays."""
        self._generation += 1
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._call.leg.stop_speaking()

    def _ask(self, verb: Gather) -> None:
        self._questions += 1
        question = Question(
            verb, player=self, hearing=self._hearing, timers=self._timers, done=self._answered
        )
        self._question = question
        if verb.barge_in:
            self.listen()
        question.start()

    def listen(self) -> None:
        """The telephone may answer the open question from now on; keys count from its beginning."""
        self._call.leg.listen(self._questions)

    def _answered(self, verb: Gather, answer: GatherResult) -> None:
        self._question = None
        self._call.leg.stop_listening()
        if answer == GatherResult() and not verb.action_on_empty:
            self._next()
            return
        if answer.speech is not None:
            extras = {
                "SpeechResult": answer.speech.text,
                "Confidence": str(answer.speech.confidence),
                "Language": verb.language,
            }
        else:
            extras = {"Digits": answer.digits, "msg": "Gather End"}
            if answer.finished_on:
                extras["FinishedOnKey"] = answer.finished_on
        self.fetch(self._absolute(verb.action), verb.method, extras)

    def _dial(self, verb: Dial) -> None:
        generation = self._generation

        def over(result: dict[str, str]) -> None:
            if generation != self._generation:
                return
            if verb.action:
                self.fetch(self._absolute(verb.action), verb.method, result)
            else:
                self._next()

        def left(result: dict[str, str]) -> None:
            """The application gets the result; its answer is not played."""
            if verb.action:
                url = self._absolute(verb.action)
                self._messenger.send(url, verb.method, self._call.params() | result, _ignored)

        url = self._absolute(verb.url) if verb.url else ""
        self._call.dial(replace(verb, url=url), over, left)

    def _absolute(self, url: str) -> str:
        if url.startswith(("http://", "https://")):
            return url
        return urljoin(self._base, url) if url else self._base


def _ignored(_reply: Reply) -> None:
    """The call is over: the answer has no effect."""
