"""What is wrong with a script, in the reader's language. The lint and the reader of scripts speak English with facts in
it; each of their sentences is here once with its places.
"""

from __future__ import annotations

import re
from functools import cache

from dialer.language import Lang, mark, say

KNOWN = (
    # The graph
    mark("a way leads back here, so that a call may never end"),
    mark("no way leads here"),
    mark("%(case)s is no %(kind)s"),
    mark("no answer leads on"),
    mark("takes digits without a name to keep them under"),
    mark("is asked again %(times)s times; at most %(most)s is allowed"),
    mark("waits %(seconds)s s for silence; %(least)s to %(most)s is allowed"),
    mark("hearing it again from %(node)s comes to another question first"),
    mark("no key leads to an officer"),
    # What it claims
    mark("may claim %(answer)s for somebody not verified"),
    mark("says a personal fact before verification"),
    mark("key %(key)s is a success that a spoken answer alone could make"),
    mark("key %(key)s verifies on a spoken answer alone"),
    # Wording
    mark("the message in %(language)s %(fault)s"),
    mark("has no message in %(language)s"),
    mark("the first sentence does not name the bureau (%(language)s)"),
    mark("the first sentence does not say to stop the transfer (%(language)s)"),
    mark("the first sentence does not say to hang up on the other caller (%(language)s)"),
    mark("nothing says that a machine is speaking (%(language)s)"),
    mark("does not say what %(kind)s needs (%(language)s)"),
    mark("can be reached without the caution about fake police (%(language)s)"),
    mark("asks for what a script never asks for: %(what)s"),
    mark("uses the fraudsters' words other than to deny them (%(language)s)"),
    mark("says nothing"),
    mark("does not name the bureau"),
    mark("holds a link, or asks to open something"),
    mark("holds a number"),
    mark("does not say that no reply is needed"),
    mark("asks for a reply"),
    mark("asks for what must never be asked for"),
    mark("uses the fraudsters' words other than to deny them"),
    mark("takes %(parts)s parts; %(most)s are allowed"),
    # Sound
    mark("%(prompt)s has no text in %(language)s, and %(same)s has no fallback"),
    mark("has no text in %(language)s, and %(same)s has no fallback"),
    mark("%(prompt)s has no sound in %(language)s"),
    mark("has no sound in %(language)s"),
    mark("takes %(seconds)s s to a good end in %(language)s; %(most)s is allowed"),
    mark("its sound in %(language)s (%(file)s) %(fault)s"),
    mark("is missing, or not what was rendered"),
    mark("is sampled at %(rate)s Hz, not %(wanted)s"),
    mark("lasts %(seconds)s s, too short to say anything"),
    mark("speaks at %(level)s dBFS, not %(wanted)s"),
    mark("is silent"),
    mark("peaks at %(level)s dBFS, above %(most)s"),
    mark("%(prompt)s in %(language)s: %(fault)s"),
    mark("no voice speaks %(language)s; record its prompts, or install the extra 'speech'"),
    mark("espeak-ng is not installed (Debian: apt-get install espeak-ng)"),
    mark("espeak-ng cannot speak %(language)s"),
    mark("the disk refuses it"),
    # The file
    mark("is not TOML: %(why)s"),
    mark("extends %(base)s, which is not there"),
    mark("id must be small letters, digits and _, such as loan_students"),
    mark("kind %(kind)s is none of say, ask, branch, hand_over, end"),
    mark("%(key)s is not a key of a telephone"),
    mark("has no phrases %(name)s"),
    mark("has no text in any language of the script"),
    mark("must be texts by language"),
    mark("default language %(language)s is none of its languages"),
    mark("has no text in the default language"),
    mark("leads to %(node)s, which is no node"),
    mark("uses %(name)s, which is no variable of the script"),
    mark("does not know %(name)s"),
    mark("%(name)s is missing"),
    mark("%(name)s must be a table"),
    mark("%(name)s must be a text"),
    mark("%(name)s must be a whole number"),
    mark("%(name)s must be a list"),
    mark("%(name)s must be a list of texts"),
    mark("%(name)s must be true or false"),
    mark("%(value)s is none of %(allowed)s"),
    mark("is too long to be one"),
)
_PLACE = re.compile(r"%\((\w+)\)s")


def problem_in(lang: Lang, problem: str) -> str:
    """One that nobody has put into words here stays as it is."""
    if lang is Lang.EN:
        return problem
    for pattern, text in _patterns():
        found = pattern.fullmatch(problem)
        if found:
            facts = found.groupdict()
            if "fault" in facts:
                facts["fault"] = problem_in(lang, facts["fault"])
            return say(lang, text, **facts)
    return problem


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Those with fewer places first: they say more."""
    ordered = sorted(KNOWN, key=lambda text: (len(_PLACE.findall(text)), -len(text)))
    return tuple((re.compile(_pattern(text), re.DOTALL), text) for text in ordered)


def _pattern(text: str) -> str:
    parts = _PLACE.split(text)
    return "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
