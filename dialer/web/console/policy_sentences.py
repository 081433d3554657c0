"""A policy as people read it: every sentence is made of the policy's own numbers."""

from __future__ import annotations

from dialer.domain.policy import GradePolicy, Policy
from dialer.domain.values import Grade
from dialer.domain.window import Window
from dialer.language import Lang, mark, say
from dialer.web.console.formats import span
from dialer.words import word

_EVERYBODY = 100


def window_sentence(window: Window, lang: Lang) -> str:
    if window.opens == window.closes:
        return say(lang, "Robots ring at any hour.")
    facts = {"opens": f"{window.opens:%H:%M}", "closes": f"{window.closes:%H:%M}", "zone": window.zone}
    if window.opens > window.closes:
        return say(
            lang, "Robots ring from %(opens)s to %(closes)s of the next day, time of %(zone)s.", **facts
        )
    return say(lang, "Robots ring from %(opens)s to %(closes)s every day, time of %(zone)s.", **facts)


def grade_sentences(policy: Policy, grade: Grade, lang: Lang) -> list[str]:
    """What is done about a case of this grade, in the order in which it happens."""
    rules = policy.of(grade)
    told = [_ringing(rules, lang), _hours(rules, lang), _patience(rules, lang), _caller(rules, lang)]
    if not grade.is_high and rules.human_sample_percent < _EVERYBODY:
        told.append(_sample(rules, lang))
    told += [_officer(rules, lang), _clocks(rules, lang), *_messages(rules, lang)]
    return told


def common_sentences(policy: Policy, lang: Lang) -> list[str]:
    """What holds for every grade."""

    def told(text: str, seconds: int) -> str:
        return say(lang, text, span=span(seconds, lang))

    sentences = [
        told(
            mark(
                "Busy on a high grade: probably talking to the fraudster; the robot rings again after %(span)s."
            ),
            policy.busy_retry_seconds,
        ),
        say(
            lang,
            "A fault of our own line costs nobody a try: it rings again after %(span)s, and after %(faults)s in a row a"
            " person is asked.",
            span=span(policy.requeue_seconds, lang),
            faults=policy.max_own_faults,
        ),
        told(
            mark("One number rests %(span)s between two rings, whoever's case it is."),
            policy.number_spacing_seconds,
        ),
        say(
            lang,
            "An officer goes up to %(tries)s times, %(span)s apart; then the case ends as not found, with an alarm.",
            tries=policy.visit_tries,
            span=span(policy.visit_retry_seconds, lang),
        ),
        told(
            mark("A success is provisional for %(span)s; if no case is filed by then it is proven."),
            policy.watch_seconds,
        ),
    ]
    return [*sentences, *_order(policy, lang)]


def _order(policy: Policy, lang: Lang) -> list[str]:
    urgency = policy.urgency
    worth = [
        say(
            lang,
            "%(grade)s %(span)s",
            grade=word(grade, lang),
            span=span(urgency.grade_seconds.get(grade, 0), lang),
        )
        for grade in Grade
    ]
    return [
        say(
            lang,
            "In the queue a grade counts as so long a wait: %(worth)s.",
            worth=("，" if lang is Lang.ZH else ", ").join(worth),
        ),
        say(
            lang,
            "Ten times the amount at risk counts as %(span)s more; a warning that expires within %(horizon)s comes"
            " forward.",
            span=span(urgency.amount_seconds_per_tenfold, lang),
            horizon=span(urgency.expiry_horizon_seconds, lang),
        ),
    ]


def _ringing(rules: GradePolicy, lang: Lang) -> str:
    first = span(rules.first_attempt_seconds, lang)
    if rules.robot_tries == 1:
        return say(lang, "The robot is to ring within %(first)s, once.", first=first)
    return say(
        lang,
        "The robot is to ring within %(first)s, up to %(tries)s times, %(gap)s apart.",
        first=first,
        tries=rules.robot_tries,
        gap=span(rules.robot_gap_seconds, lang),
    )


def _hours(rules: GradePolicy, lang: Lang) -> str:
    if rules.windowed:
        return say(lang, "Outside the dialling window it waits.")
    return say(lang, "Outside the dialling window a person rings instead.")


def _patience(rules: GradePolicy, lang: Lang) -> str:
    return say(
        lang,
        "A ring that has not left after %(span)s goes to a person as well, with an alarm.",
        span=span(rules.robot_patience_seconds, lang),
    )


def _caller(rules: GradePolicy, lang: Lang) -> str:
    due = span(rules.human_due_seconds, lang)
    match rules.human_after_seconds:
        case None:
            return say(
                lang,
                "A caller rings only when the robot fails or the answer is doubtful, within %(due)s.",
                due=due,
            )
        case 0:
            return say(lang, "A caller rings at once beside the robot, within %(due)s.", due=due)
        case after:
            return say(
                lang,
                "Nobody reached after %(after)s: a caller rings, within %(due)s.",
                after=span(after, lang),
                due=due,
            )


def _sample(rules: GradePolicy, lang: Lang) -> str:
    if not rules.human_sample_percent:
        return say(
            lang, "Whom the robot does not reach is not rung by a person: the case ends as not found yet."
        )
    return say(
        lang,
        "Of those whom the robot does not reach a person rings %(percent)s %%; the others end as not found yet.",
        percent=rules.human_sample_percent,
    )


def _officer(rules: GradePolicy, lang: Lang) -> str:
    due = span(rules.visit_due_seconds, lang)
    match rules.visit_after_seconds:
        case 0:
            return say(lang, "An officer goes at once, within %(due)s.", due=due)
        case None if rules.visit_when_human_fails:
            return say(lang, "An officer goes when the call fails or is overdue, within %(due)s.", due=due)
        case None:
            return say(lang, "No officer goes by himself; a person may send one, within %(due)s.", due=due)
        case after:
            return say(
                lang,
                "Nobody reached after %(after)s: an officer goes, within %(due)s.",
                after=span(after, lang),
                due=due,
            )


def _clocks(rules: GradePolicy, lang: Lang) -> str:
    return say(
        lang,
        "Work is signed for within %(sign)s and reported within %(feedback)s.",
        sign=span(rules.sign_seconds, lang),
        feedback=span(rules.feedback_seconds, lang),
    )


def _messages(rules: GradePolicy, lang: Lang) -> list[str]:
    told = []
    if rules.message_when_unreachable:
        told.append(say(lang, "A message goes where the voice did not get through."))
    if rules.message_after_warning:
        told.append(say(lang, "A message goes to whoever was warned and said who they are."))
    return told
