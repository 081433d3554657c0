"""The lint of scripts: a script without findings reaches every node, always ends, and says what it must and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dialer.domain.values import Answer, Contact
from dialer.language import Text
from dialer.scripts import model
from dialer.scripts.findings import Finding, at, of
from dialer.scripts.graph import (
    SUCCESSES,
    arrows,
    circles,
    contacts,
    first_said,
    longest,
    prompt_of,
    reachable,
)
from dialer.scripts.message_rules import message_findings
from dialer.scripts.model import Prompt, Script, Target
from dialer.scripts.prompts import prompts_of
from dialer.scripts.texts import needs_verification, with_defaults
from dialer.scripts.wording import (
    RULES,
    Rules,
    affirms_safe_account,
    asks_for,
    first_sentence,
)

Durations = Mapping[tuple[str, str], float]
"""Seconds by language and text, as the shipped recordings say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a centre may choose. `answer_seconds` is how long a person takes to press a key."""

    longest_good_path_seconds: float = 60.0
    most_retries: int = 3
    timeout_seconds: tuple[int, int] = field(default=(3, 30))
    answer_seconds: float = 0.0
    machine_notice: bool = True


def check(
    script: Script, *, durations: Durations | None = None, limits: Limits | None = None
) -> tuple[Finding, ...]:
    """Everything wrong with a script. With `durations`, missing sound and over-long paths are findings too."""
    limits = limits or Limits()
    looping = circles(script)
    if looping:
        return tuple(
            at(script.nodes[n], "ends", "a way leads back here, so that a call may never end")
            for n in looping
        )
    found = [
        *_graph(script),
        *_questions(script, limits),
        *_claims(script),
        *_texts(script),
        *_wording(script, limits),
    ]
    if durations is not None:
        found += [*_sound(script, durations), *_length(script, durations, limits)]
    return tuple(
        sorted(found, key=lambda finding: (finding.file, finding.line, finding.rule, str(finding.problem)))
    )


def good_path_seconds(script: Script, language: str, durations: Durations) -> float:
    """Seconds of speech on the longest way to a success, in a language."""
    return longest(script, lambda prompt: _seconds(script, prompt, language, durations), good=True)


def longest_path_seconds(script: Script, language: str, durations: Durations) -> float:
    """Seconds of speech on the longest way to any end, every question asked once."""
    return longest(script, lambda prompt: _seconds(script, prompt, language, durations), good=False)


def _graph(script: Script) -> Iterator[Finding]:
    seen = reachable(script, script.start)
    for name, node in script.nodes.items():
        if name not in seen and node.origin.file == script.origin.file:
            yield at(node, "reachable", "no way leads here")
    for node in script.nodes.values():
        if isinstance(node, model.Branch):
            yield from _branch(node)


def _branch(node: model.Branch) -> Iterator[Finding]:
    known = {
        model.BranchOn.TAG: {"minor", "elderly", "hearing", "mongolian"},
        model.BranchOn.TIME_OF_DAY: {"morning", "noon", "afternoon", "evening"},
        model.BranchOn.CONTACT: {contact.value for contact in Contact},
    }[node.on]
    for case in node.cases:
        if case not in known:
            yield at(node, "answers", Text("%(case)s is no %(kind)s", case=case, kind=node.on.value))


def _questions(script: Script, limits: Limits) -> Iterator[Finding]:
    for node in script.nodes.values():
        if not isinstance(node, model.Ask):
            continue
        if not node.choices and not node.next:
            yield at(node, "answers", "no answer leads on")
        if node.next and not node.collect:
            yield at(node, "answers", "takes digits without a name to keep them under")
        if not 0 <= node.retries <= limits.most_retries:
            yield at(
                node,
                "bounded",
                Text(
                    "is asked again %(times)s times; at most %(most)s is allowed",
                    times=node.retries,
                    most=limits.most_retries,
                ),
            )
        least, most = limits.timeout_seconds
        if not least <= node.timeout_seconds <= most:
            yield at(
                node,
                "bounded",
                Text(
                    "waits %(seconds)s s for silence; %(least)s to %(most)s is allowed",
                    seconds=node.timeout_seconds,
                    least=least,
                    most=most,
                ),
            )
        if _asks_other(script, node):
            yield at(
                node,
                "bounded",
                Text(
                    "hearing it again from %(node)s comes to another question first",
                    node=node.repeat_from,
                ),
            )
        if not any(
            isinstance(script.nodes[arrow.to], model.HandOver)
            for arrow in arrows(script, node)
            if arrow.choice
        ):
            yield at(node, "officer", "no key leads to an officer")


def _asks_other(script: Script, node: model.Ask) -> bool:
    return any(run[-1].id != node.id for run in first_said(script, node.repeat_from))


def _claims(script: Script) -> Iterator[Finding]:
    """No success without a verified person and a key; nothing personal before verification."""
    known = contacts(script)
    for node in script.nodes.values():
        if isinstance(node, model.End) and node.answer in SUCCESSES and known[node.id] - {Contact.VERIFIED}:
            yield at(
                node,
                "verified",
                Text("may claim %(answer)s for somebody not verified", answer=node.answer.value),
            )
        prompt = prompt_of(node)
        personal = prompt is not None and any(
            needs_verification(script, text) for text in prompt.texts.values()
        )
        if personal and known[node.id] - {Contact.VERIFIED}:
            yield at(node, "personal", "says a personal fact before verification")
        if isinstance(node, model.Ask):
            for choice in {**script.anywhere, **node.choices}.values():
                if choice.next != Target.REPEAT and _is_success(script, choice) and not choice.needs_key:
                    yield at(
                        node,
                        "key",
                        Text(
                            "key %(key)s is a success that a spoken answer alone could make", key=choice.key
                        ),
                    )
                if choice.contact is Contact.VERIFIED and not choice.needs_key:
                    yield at(
                        node, "key", Text("key %(key)s verifies on a spoken answer alone", key=choice.key)
                    )


def _is_success(script: Script, choice: model.Choice) -> bool:
    end = script.nodes[choice.next]
    return choice.answer in SUCCESSES or (isinstance(end, model.End) and end.answer in SUCCESSES)


def _wording(script: Script, limits: Limits) -> Iterator[Finding]:
    for language in script.languages:
        rules = RULES.get(language)
        if rules is None:
            continue
        yield from _opening(script, language, rules, limits)
        yield from _must_say(script, language, rules)
        yield from _caution(script, language, rules)
        yield from _asks(script, language, rules)
        message = script.message.get(language, "")
        if not message:
            yield of(script, "message", Text("has no message in %(language)s", language=language))
            continue
        bureau = script.variables["bureau"].defaults.get(language, "") if "bureau" in script.variables else ""
        for fault in message_findings(message.replace("{bureau}", bureau), language, bureau=bureau):
            yield of(
                script,
                "message",
                Text("the message in %(language)s %(fault)s", language=language, fault=fault),
            )


def _opening(script: Script, language: str, rules: Rules, limits: Limits) -> Iterator[Finding]:
    for run in first_said(script, script.start):
        said = [(node, prompt.texts.get(language, "")) for node in run if (prompt := prompt_of(node))]
        if not said or not said[0][1]:
            continue
        node, text = said[0]
        first = first_sentence(text, rules)
        if "{bureau}" not in first:
            yield at(
                node,
                "bureau",
                Text("the first sentence does not name the bureau (%(language)s)", language=language),
            )
        if not rules.stop_transfer.search(first):
            yield at(
                node,
                "stop",
                Text(
                    "the first sentence does not say to stop the transfer (%(language)s)", language=language
                ),
            )
        if not rules.hang_up.search(first):
            yield at(
                node,
                "stop",
                Text(
                    "the first sentence does not say to hang up on the other caller (%(language)s)",
                    language=language,
                ),
            )
        if limits.machine_notice and not any(rules.machine.search(text) for _, text in said):
            yield at(
                node,
                "machine",
                Text("nothing says that a machine is speaking (%(language)s)", language=language),
            )


def _must_say(script: Script, language: str, rules: Rules) -> Iterator[Finding]:
    said = [prompt.texts.get(language, "") for prompt in prompts_of(script) if prompt.must_say]
    for fraud_type in sorted(script.fraud_types):
        wanted = rules.must_say.get(fraud_type)
        if wanted is not None and not any(wanted.search(text) for text in said):
            yield of(
                script,
                "must_say",
                Text(
                    "does not say what %(kind)s needs (%(language)s)",
                    kind=fraud_type.value,
                    language=language,
                ),
            )


def _caution(script: Script, language: str, rules: Rules) -> Iterator[Finding]:
    """Every way to an acknowledgement hears that fraudsters call us fake, and how to ring back."""
    cautions = frozenset(
        node.id
        for node in script.nodes.values()
        if (prompt := prompt_of(node))
        and all(part.search(prompt.texts.get(language, "")) for part in rules.caution)
    )
    missed = reachable(script, script.start, without=cautions)
    for node in script.nodes.values():
        if isinstance(node, model.End) and node.answer is Answer.ACKNOWLEDGED and node.id in missed:
            yield at(
                node,
                "caution",
                Text(
                    "can be reached without the caution about fake police (%(language)s)", language=language
                ),
            )


def _asks(script: Script, language: str, rules: Rules) -> Iterator[Finding]:
    for node in script.nodes.values():
        prompt = prompt_of(node)
        text = prompt.texts.get(language, "") if prompt else ""
        asked = asks_for(text, rules)
        if asked:
            yield at(node, "asks", Text("asks for what a script never asks for: %(what)s", what=asked))
        if affirms_safe_account(text, rules):
            yield at(
                node,
                "safe_account",
                Text("uses the fraudsters' words other than to deny them (%(language)s)", language=language),
            )


def _texts(script: Script) -> Iterator[Finding]:
    """Each prompt has words in every language, or a declared fallback."""
    for prompt in prompts_of(script):
        for language in script.languages:
            if language not in prompt.texts and language not in script.fallbacks:
                problem = Text(
                    "has no text in %(language)s, and %(language)s has no fallback", language=language
                )
                yield _at_prompt(script, prompt, "text", problem)


def _sound(script: Script, durations: Durations) -> Iterator[Finding]:
    """Each prompt has its sound in every language that it has words in."""
    for prompt in prompts_of(script):
        if any(needs_verification(script, text) for text in prompt.texts.values()):
            continue
        for language in script.languages:
            if language in prompt.texts and _spoken(script, prompt, language) not in durations:
                yield _at_prompt(
                    script, prompt, "sound", Text("has no sound in %(language)s", language=language)
                )


def _at_prompt(script: Script, prompt: Prompt, rule: str, problem: Text) -> Finding:
    node = next((node for node in script.nodes.values() if prompt_of(node) == prompt), None)
    return (
        at(node, rule, problem)
        if node
        else of(script, rule, Text("%(prompt)s %(problem)s", prompt=prompt.id, problem=problem))
    )


def _length(script: Script, durations: Durations, limits: Limits) -> Iterator[Finding]:
    for language in script.languages:
        questions = 3
        seconds = good_path_seconds(script, language, durations) + questions * limits.answer_seconds
        if seconds > limits.longest_good_path_seconds:
            limit = limits.longest_good_path_seconds
            yield of(
                script,
                "length",
                Text(
                    "takes %(seconds)s s to a good end in %(language)s; %(most)s is allowed",
                    seconds=f"{seconds:.0f}",
                    language=language,
                    most=f"{limit:.0f}",
                ),
            )


def _seconds(script: Script, prompt: Prompt, language: str, durations: Durations) -> float:
    for voice in script.voices_of(language):
        if voice in prompt.texts:
            return durations.get(_spoken(script, prompt, voice), 0.0)
    return 0.0


def _spoken(script: Script, prompt: Prompt, language: str) -> tuple[str, str]:
    return language, with_defaults(script, prompt.texts[language], language)
