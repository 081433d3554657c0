"""A practice attempt is judged by what is true about its case, what was said, and what was recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.case import PersonMet
from dialer.core.text import Lang
from dialer.core.values import Contact, OutcomeKind, ScammerContact
from dialer.practice.model import (
    DETAILS,
    GUIDE,
    LINES,
    Course,
    Line,
    PersonKind,
    PracticeCase,
    case_of,
    course,
    hear,
    kinds_of,
    line_of_words,
    own_lines,
    true_outcome,
)
from dialer.practice.scoring import PASS_PERCENT, POINTS, Criterion, Recorded, Score, score
from dialer.work.desk import call_points
from dialer.work.desk_view import call_checklist
from tests.practice.callers import well_said

EVERY = tuple(case for of in Course for case in course(of))
CASES = st.sampled_from(EVERY)
SAID = st.lists(st.sampled_from(Line), max_size=14).map(tuple)


def well_recorded(case: PracticeCase, said: tuple[Line, ...] = ()) -> Recorded:
    said = said or well_said(case)
    return Recorded(
        said=said,
        seconds=60,
        outcome=true_outcome(case, said),
        contact=Contact.VERIFIED if case.is_person else Contact.UNVERIFIED,
        scammer=case.scammer if case.is_person else None,
        ticked=frozenset(line.value for line in said if line in GUIDE),
        stop_asked=case.kind is PersonKind.PAID,
        met=case.met if case.course is Course.VISITS else None,
    )


RECORDS = st.builds(
    Recorded,
    said=SAID,
    seconds=st.floats(0, 3600),
    outcome=st.sampled_from(OutcomeKind),
    contact=st.sampled_from(Contact),
    scammer=st.none() | st.sampled_from(ScammerContact),
    ticked=st.frozensets(st.sampled_from([*(line.value for line in GUIDE), "beside"])),
    stop_asked=st.booleans(),
    met=st.none() | st.sampled_from(PersonMet),
)


def met(made: Score, criterion: Criterion) -> bool:
    [mark] = [mark for mark in made.marks if mark.criterion is criterion]
    return mark.is_met


def reason(made: Score, criterion: Criterion) -> str:
    return next(str(mark.reason) for mark in made.marks if mark.criterion is criterion)


def test_the_course_has_ten_cases_two_of_each_kind():
    assert len(course()) == 10
    assert sorted(case.kind for case in course()) == sorted(2 * kinds_of(Course.CALLS))
    assert len({(case.key, case.name) for case in course()}) == 10
    assert case_of(course()[3].key) is course()[3]
    assert case_of("nobody") is None
    assert all((case.paid_yuan > 0) == (case.kind is PersonKind.PAID) for case in EVERY)
    assert len({(case.key, case.name) for case in EVERY}) == len(EVERY)
    assert [case.kind for case in course(Course.VISITS)] == list(kinds_of(Course.VISITS))
    assert {*kinds_of(Course.CALLS), *kinds_of(Course.VISITS)} == {*PersonKind}


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.key)
def test_who_does_everything_right_has_all_points(case: PracticeCase):
    made = score(case, well_recorded(case))
    assert [mark for mark in made.marks if not mark.is_met] == []
    assert (made.percent, made.is_passed, made.true_outcome) == (100, True, case.won)
    assert hear(case, well_said(case)).is_won


@given(case=CASES, recorded=RECORDS)
def test_a_score_is_between_nothing_and_a_hundred_with_a_reason_for_each_criterion(
    case: PracticeCase, recorded: Recorded
):
    made = score(case, recorded)
    criteria = [mark.criterion for mark in made.marks]
    assert 0 <= made.percent <= 100
    assert (made.percent == 100) == all(mark.is_met for mark in made.marks)
    assert len(criteria) == len(set(criteria))
    assert all(mark.reason and mark.points == POINTS[mark.criterion] for mark in made.marks)
    assert (Criterion.WITHHELD in criteria) != (Criterion.RULE in criteria)
    if made.is_passed:
        assert made.percent >= PASS_PERCENT
        assert met(made, Criterion.IDENTITY)


@given(case=CASES, recorded=RECORDS)
def test_no_detail_is_named_before_the_identity_was_asked(case: PracticeCase, recorded: Recorded):
    first = [*recorded.said, Line.WHO].index(Line.WHO)
    before = DETAILS.intersection(recorded.said[:first])
    assert met(score(case, recorded), Criterion.IDENTITY) == (Line.WHO in recorded.said and not before)


@given(case=CASES, recorded=RECORDS, line=st.sampled_from([Line.SAID, Line.POLICE, Line.REPEAT]))
def test_one_more_sentence_that_must_be_said_never_takes_its_point_away(
    case: PracticeCase, recorded: Recorded, line: Line
):
    if not case.is_person:
        return
    more = replace(recorded, said=(*recorded.said, line))
    for criterion in (Criterion.RULE, Criterion.POLICE, Criterion.REPEATED):
        assert met(score(case, more), criterion) >= met(score(case, recorded), criterion)


@given(case=CASES, said=SAID)
def test_a_person_answers_each_line_and_forgets_nothing(case: PracticeCase, said: tuple[Line, ...]):
    heard = hear(case, said)
    assert len(heard.answers) == len(said)
    assert Line.OTHER not in heard.taken_in
    for length in range(len(said)):
        part = hear(case, said[:length])
        assert part.taken_in <= heard.taken_in
        assert part.answers == heard.answers[:length]
        assert part.is_won <= heard.is_won
    assert true_outcome(case, said) is (case.won if heard.is_won else case.lost)


@given(case=CASES, recorded=RECORDS)
def test_right_entries_are_worth_no_less_than_any_others(case: PracticeCase, recorded: Recorded):
    right = replace(
        well_recorded(case, recorded.said or (Line.OTHER,)),
        said=recorded.said,
        outcome=true_outcome(case, recorded.said),
        contact=Contact.VERIFIED if case.is_person and Line.WHO in recorded.said else Contact.UNVERIFIED,
        seconds=0,
    )
    scored = score(case, right), score(case, replace(recorded, scammer=right.scammer))
    assert scored[0].percent >= scored[1].percent


def test_a_person_who_does_not_listen_yet_takes_in_nothing():
    angry = next(case for case in course() if case.kind is PersonKind.ANGRY)
    said = (Line.OPEN, Line.WHO, Line.SAID, Line.CALM)
    assert hear(angry, said).answers[2] == angry.answers["blocked"]
    made = score(angry, well_recorded(angry, said))
    assert reason(made, Criterion.RULE) == "It was said before the person listened, and not again."
    assert made.true_outcome is OutcomeKind.REFUSES
    assert score(angry, well_recorded(angry, (*said, Line.SAID))).true_outcome is OutcomeKind.SAW_THROUGH_IT


def test_who_was_not_won_says_so_when_asked_to_repeat():
    elderly = next(case for case in course() if case.kind is PersonKind.ELDERLY)
    said = (Line.OPEN, Line.WHO, Line.SLOWLY, Line.SAID, Line.REPEAT)
    assert hear(elderly, said).answers[-1] == elderly.answers["lost"]
    assert score(elderly, well_recorded(elderly, said)).true_outcome is OutcomeKind.HALF_BELIEVES
    won = (*said[:-1], Line.FAMILY, Line.REPEAT)
    assert hear(elderly, won).answers[-1] == elderly.answers["repeat"]


def test_the_scammers_own_telephone_is_told_nothing():
    case = next(case for case in course() if case.kind is PersonKind.SCAMMER)
    told = score(case, well_recorded(case, (Line.OPEN, Line.WHO, Line.ASKED)))
    assert not met(told, Criterion.WITHHELD)
    assert not told.is_passed
    verified = score(case, replace(well_recorded(case), contact=Contact.VERIFIED))
    assert reason(verified, Criterion.CONTACT) == "The identity is recorded as verified, and it was not."


def test_money_that_was_sent_is_stopped():
    case = next(case for case in course() if case.kind is PersonKind.PAID)
    right = well_recorded(case)
    assert "press “Money sent" in reason(score(case, replace(right, stop_asked=False)), Criterion.STOPPED)
    unasked = replace(right, said=tuple(line for line in right.said if line is not Line.PAYMENT))
    assert "when and how much" in reason(score(case, unasked), Criterion.STOPPED)


def test_reasons_say_what_went_wrong():
    case = course()[0]
    nothing = Recorded(
        said=(Line.ASKED, Line.WHO),
        seconds=case.most_seconds + 1,
        outcome=OutcomeKind.REFUSES,
        contact=Contact.UNVERIFIED,
        scammer=ScammerContact.NO,
        ticked=frozenset({"open", "police", "who"}),
        stop_asked=False,
    )
    made = score(case, nothing)
    assert (made.percent, made.is_passed) == (0, False)
    assert "before the identity" in reason(made, Criterion.IDENTITY)
    assert reason(made, Criterion.TICKED) == "Ticked and not said: 2. Said and not ticked: 1."
    assert reason(made, Criterion.OUTCOME) == "The outcome was half_believes, and refuses is recorded."
    assert "the report does not say so" in reason(made, Criterion.CONTACT)
    assert "301 seconds" in reason(made, Criterion.SECONDS)
    assert "Nobody asked who" in reason(score(case, replace(nothing, said=())), Criterion.IDENTITY)


def test_without_the_identity_eighty_points_are_not_enough():
    case = course()[0]
    right = well_recorded(case)
    late = (Line.OPEN, Line.ASKED, Line.WHO, *right.said[2:])
    made = score(case, replace(right, said=late))
    assert made.percent == 80
    assert not made.is_passed


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.key)
def test_the_sentences_of_the_call_guide_are_understood_when_typed(case: PracticeCase, lang: Lang):
    spoken = {
        point.key: point.text
        for point in call_checklist(case.fraud_type, lang, bureau="Bureau 反诈中心", hotline="0478-96110")
    }
    spoken |= {line.value: text for line, text in own_lines(lang).items()}
    among = LINES[case.course]
    sentences = {line: spoken[line.value] for line in among}
    for line, text in sentences.items():
        assert line_of_words(f" {text.upper()}!", sentences, among) is line
    assert call_points(case.fraud_type, lang.value).question
    assert case.about[lang]
    assert case.hello[lang]


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("请问您叫什么名字，身份证后四位是多少", Line.WHO),
        ("有没有人让您垫钱？", Line.ASKED),
        ("今天天气不错", Line.OTHER),
        ("", Line.OTHER),
        ("I UNDERSTAND, sorry to call again", Line.CALM),
        ("Please speak with your daughter", Line.FAMILY),
    ],
)
def test_typed_words_are_understood_by_their_signs(typed: str, line: Line):
    assert line_of_words(typed, {}) is line


@pytest.mark.parametrize(
    "words", ["您能不能自己说一遍接下来怎么做", "那您打算怎么做？", "请用自己的话说说，接下来准备怎么做？"]
)
def test_the_question_what_the_person_will_do_is_known_in_other_words(words: str):
    assert line_of_words(words, {}) is Line.REPEAT


def test_a_visit_is_judged_by_the_card_who_was_met_and_how_the_person_is_reached():
    family = next(case for case in course(Course.VISITS) if case.kind is PersonKind.FAMILY)
    right = well_recorded(family)
    made = score(family, replace(right, said=(Line.WHO,), met=PersonMet.PERSON))
    assert "show the police card" in reason(made, Criterion.CARD)
    assert "how to reach them" in reason(made, Criterion.WHERE)
    assert reason(made, Criterion.MET) == "Met: the truth is family, and person is recorded."
    assert "press Arrived" in reason(score(family, replace(right, met=None)), Criterion.MET)
    told = score(family, replace(right, said=(*right.said, Line.SAID)))
    assert not told.is_passed
    assert reason(told, Criterion.WITHHELD) == "The case was told to somebody who is not the person."
    claimed = score(family, replace(right, outcome=OutcomeKind.DISSUADED_IN_PERSON))
    assert reason(claimed, Criterion.OUTCOME) == (
        "The outcome was cannot_find_yet, and dissuaded_in_person is recorded."
    )
    criteria = {mark.criterion for mark in score(family, right).marks}
    assert criteria.isdisjoint({Criterion.OPENED, Criterion.TICKED, Criterion.SECONDS, Criterion.SCAMMER})


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("我们是派出所的民警，这是警察证", Line.CARD),
        ("他什么时候回来？", Line.WHERE),
        ("Where is your husband?", Line.WHERE),
    ],
)
def test_typed_words_at_the_door_are_understood(typed: str, line: Line):
    assert line_of_words(typed, {}, LINES[Course.VISITS]) is line
