"""The shape of a script, on small graphs drawn by hand."""

from __future__ import annotations

import pytest

from dialer.core.values import Answer, Contact, Tag
from dialer.scripts.dialogue import Context, start
from dialer.scripts.model import (
    SUCCESS_ANSWERS,
    Ask,
    End,
    HandOver,
    Prompt,
    Script,
    arrows,
    circles,
    contacts,
    first_said,
    longest,
    reachable,
)
from dialer.scripts.reading import read_script, shipped_scripts

HEAD = """
id = "drawn"
languages = ["zh"]
default_language = "zh"
start = "hello"
[title]
zh = "图"
[again]
zh = "再来"
[confirm]
zh = "按键"
"""
SAY = '[nodes.{name}]\nkind = "say"\nzh = "{name}"\nnext = "{next}"\n'
END = '[nodes.{name}]\nkind = "end"\nzh = "{name}"\ncontact = "verified"\nanswer = "{answer}"\nurgency = "none"\n'
ASK = """[nodes.{name}]
kind = "ask"
zh = "{name}"
timeout_seconds = 5
retries = 1
otherwise = "{otherwise}"
[nodes.{name}.choices]
{choices}
"""


def say(name: str, to: str) -> str:
    return SAY.format(name=name, next=to)


def end(name: str, answer: str = "none") -> str:
    return END.format(name=name, answer=answer)


def ask(name: str, otherwise: str, *choices: str) -> str:
    return ASK.format(name=name, otherwise=otherwise, choices="\n".join(choices))


def draw(*parts: str) -> Script:
    return read_script(HEAD + "\n".join(parts), file="drawn.toml")


def one_second_a_letter(prompt: Prompt) -> float:
    return float(len(prompt.texts["zh"]))


FORK = draw(
    say("hello", "who"),
    ask(
        "who",
        "lost",
        '1 = { next = "told", contact = "verified" }',
        '2 = { next = "lost" }',
        '9 = { next = "repeat" }',
    ),
    say("told", "bye"),
    end("bye", "acknowledged"),
    end("lost", "doubtful"),
    say("orphan", "bye"),
)


class TestArrows:
    def test_a_question_leads_where_its_keys_and_its_silence_do_and_again_leads_nowhere(self):
        found = arrows(FORK, FORK.nodes["who"])
        assert [(arrow.to, arrow.choice.key if arrow.choice else "") for arrow in found] == [
            ("told", "1"),
            ("lost", "2"),
            ("lost", ""),
        ]

    def test_an_end_leads_nowhere(self):
        assert arrows(FORK, FORK.nodes["bye"]) == ()

    def test_reachable(self):
        assert reachable(FORK, "hello") == {"hello", "who", "told", "bye", "lost"}
        assert reachable(FORK, "bye") == {"bye"}


class TestCircles:
    def test_none_in_a_tree(self):
        assert circles(FORK) == ()

    def test_a_node_that_leads_to_itself(self):
        assert circles(draw(say("hello", "hello"))) == ("hello",)

    def test_a_way_round_through_a_question(self):
        script = draw(say("hello", "who"), ask("who", "lost", '1 = { next = "hello" }'), end("lost"))
        assert set(circles(script)) == {"hello", "who"}

    def test_hearing_it_again_is_no_circle(self):
        script = draw(say("hello", "who"), ask("who", "lost", '9 = { next = "repeat" }'), end("lost"))
        assert circles(script) == ()


class TestContacts:
    def test_the_key_verifies_what_lies_behind_it_and_nothing_else(self):
        known = contacts(FORK)
        assert known["who"] == {Contact.UNVERIFIED}
        assert known["bye"] == {Contact.VERIFIED}
        assert known["lost"] == {Contact.UNVERIFIED}
        assert known["orphan"] == frozenset()

    def test_two_ways_in_are_both_remembered(self):
        script = draw(
            ask("hello", "lost", '1 = { next = "both", contact = "verified" }', '2 = { next = "both" }'),
            say("both", "lost"),
            end("lost"),
        )
        assert contacts(script)["both"] == {Contact.VERIFIED, Contact.UNVERIFIED}


class TestFirstSaid:
    def test_up_to_and_with_the_first_question(self):
        (run,) = first_said(FORK, "hello")
        assert [node.id for node in run] == ["hello", "who"]

    def test_every_way_of_a_branch(self):
        branch = (
            '[nodes.hello]\nkind = "branch"\non = "tag"\ncases = { minor = "young" }\notherwise = "grown"\n'
        )
        script = draw(branch, say("young", "bye"), say("grown", "bye"), end("bye"))
        assert [[node.id for node in run] for run in first_said(script, "hello")] == [
            ["young", "bye"],
            ["grown", "bye"],
        ]


class TestLongest:
    def test_the_longest_way_to_a_success_and_to_any_end(self):
        # hello(5) who(3) told(4) bye(3); the way to `lost` is shorter
        assert longest(FORK, one_second_a_letter, good=True) == 15
        assert longest(FORK, one_second_a_letter, good=False) == 15

    def test_a_long_failure_is_no_good_path(self):
        script = draw(
            ask("hello", "a_long_failure", '1 = { next = "bye" }'),
            end("a_long_failure", "doubtful"),
            end("bye", "acknowledged"),
        )
        assert longest(script, one_second_a_letter, good=True) == 8
        assert longest(script, one_second_a_letter, good=False) == 19

    def test_no_success_is_no_seconds(self):
        assert longest(draw(say("hello", "bye"), end("bye")), one_second_a_letter, good=True) == 0


@pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
class TestShipped:
    def test_every_question_leads_to_an_officer(self, script_id: str):
        script = shipped_scripts()[script_id]
        for node in script.nodes.values():
            if isinstance(node, Ask):
                assert any(isinstance(script.nodes[arrow.to], HandOver) for arrow in arrows(script, node))

    def test_every_success_is_a_verified_persons(self, script_id: str):
        script = shipped_scripts()[script_id]
        known = contacts(script)
        ends = [n for n in script.nodes.values() if isinstance(n, End) and n.answer in SUCCESS_ANSWERS]
        assert ends
        for node in ends:
            assert known[node.id] <= {Contact.VERIFIED}

    def test_every_answer_that_a_call_may_come_to_has_an_end(self, script_id: str):
        script = shipped_scripts()[script_id]
        seen = [script.nodes[name] for name in reachable(script, script.start)]
        answers = {node.answer for node in seen if isinstance(node, End)}
        assert {Answer.ACKNOWLEDGED, Answer.DOUBTFUL, Answer.WRONG_PERSON, Answer.ALREADY_PAID} <= answers
        assert {Answer.WANTS_OFFICER, Answer.REFUSES} <= answers

    def test_a_childs_phone_is_asked_for_the_guardian(self, script_id: str):
        script = shipped_scripts()[script_id]
        assert "guardian" in reachable(script, script.start)
        assert start(script, Context(tags=frozenset({Tag.MINOR}))).ask is not None
