"""The intents of what people say, and what the service does with each. Pure.

A sentence never proves anything: an intent starts what harms nobody if it was misheard (an officer, the warning again),
and what would end the matter is asked again for its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dialer.core.values import Answer, Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What follows from an intent at any question: the call continues at `node` of its script, whose words were
    approved; `answer` is what `decide` is told at once ('' for what only repeats words).

    With `by_phrases`, the question's own choice of these phrases is taken, with its key where it needs one.
    """

    node: str = ""
    answer: Answer = Answer.NONE
    by_phrases: tuple[str, ...] = ()


RESPONSES: Final[Mapping[Intent, Response]] = {
    Intent.AFFIRM: Response(by_phrases=("owner", "yes", "understood", "guardian")),
    Intent.DENY: Response(by_phrases=("no",)),
    Intent.NOT_THE_PERSON: Response(by_phrases=("not_owner", "no_guardian")),
    Intent.ASK_IDENTITY: Response(node="repeat"),
    Intent.ACCUSE: Response(node="officer_doubt", answer=Answer.REFUSES),
    Intent.PAID: Response(node="officer_paid", answer=Answer.ALREADY_PAID),
    Intent.ABOUT_TO_PAY: Response(node="officer", answer=Answer.WANTS_OFFICER),
    Intent.WITH_FALSE_POLICE: Response(node="officer", answer=Answer.WANTS_OFFICER),
    Intent.SCREEN_SHARED: Response(node="officer", answer=Answer.WANTS_OFFICER),
    Intent.CANNOT_HEAR: Response(node="repeat"),
    Intent.CALL_LATER: Response(node="unsure"),
    Intent.WANTS_PERSON: Response(node="officer", answer=Answer.WANTS_OFFICER),
    Intent.OTHER_LANGUAGE: Response(node="officer", answer=Answer.WANTS_OFFICER),
    Intent.HOSTILE: Response(node="officer_doubt", answer=Answer.REFUSES),
    Intent.DISTRESSED: Response(node="officer", answer=Answer.WANTS_OFFICER),
    Intent.UNCLEAR: Response(),
}
