"""Blanks and what fills them, and the lines that a finding names."""

from __future__ import annotations

import pytest

from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, Position, advance, start
from dialer.scripts.model import (
    Script,
    fill_template,
    needs_verification,
    time_of_day,
    variable_names,
    with_defaults,
)
from dialer.scripts.reading import lines_of, prompt_list, read_script, shipped_texts

TEXTS = shipped_texts()
PERSON = '\n[variables.person]\nkind = "personal"\n'
HOUR = '\n[variables.hour]\nkind = "time_of_day"\n'


def script(more: str = "", *changes: tuple[str, str]) -> Script:
    own = TEXTS["loan"] + more
    for old, new in changes:
        assert old in own
        own = own.replace(old, new, 1)
    return read_script(own, file="loan.toml", bases={"common": ("common.toml", TEXTS["common"])})


@pytest.mark.parametrize(
    ("hour", "name"),
    [(0, "evening"), (4, "evening"), (5, "morning"), (10, "morning"), (11, "noon"), (12, "noon"), (13, "afternoon"),
     (17, "afternoon"), (18, "evening"), (23, "evening")],
)  # fmt: skip
def test_the_time_of_day(hour: int, name: str):
    assert time_of_day(hour) == name


class TestBlanks:
    def test_they_are_named(self):
        assert variable_names("这里是{bureau}，拨打{hotline}") == {"bureau", "hotline"}
        assert variable_names("没有空") == frozenset()

    def test_what_is_given_wins_over_the_default(self):
        text = "这里是{bureau}，拨打{hotline}"
        assert with_defaults(script(), text, "zh") == "这里是市公安局反诈中心，拨打96110"
        given = {"bureau": "临河区反诈中心"}
        assert fill_template(script(), text, "zh", given, 9) == "这里是临河区反诈中心，拨打96110"

    def test_a_language_has_its_own_default(self):
        assert with_defaults(script(), "This is {bureau}.", "en") == "This is the city anti-fraud centre."

    @pytest.mark.parametrize(
        ("language", "hour", "said"),
        [
            ("zh", 9, "早上好"),
            ("zh", 14, "下午好"),
            ("en", 20, "Good evening"),
            ("en", 12, "Good day"),
            ("mn", 9, "早上好"),
        ],
    )
    def test_the_greeting_is_of_the_hour_and_the_language(self, language: str, hour: int, said: str):
        assert fill_template(script(HOUR), "{hour}", language, {}, hour) == said


class TestPersonal:
    LATE = (("请注意", "{person}，请注意"),)

    def test_it_is_known_to_be_personal(self):
        assert needs_verification(script(PERSON), "您好，{person}")
        assert not needs_verification(script(PERSON), "您好，{bureau}")

    def test_it_is_said_after_the_identity_key(self):
        named = script(PERSON, *self.LATE)
        context = Context(variables={"person": "王女士"})
        turn = start(named, context)
        for key in ("1", "1"):
            assert turn.ask is not None
            assert all("王女士" not in said.text for said in turn.utterances)
            turn = advance(named, Position.decode(turn.position.encode()), Heard.keys(key), context)
        assert turn.utterances[0].text.startswith("王女士，请注意")

    def test_it_is_never_rendered_as_a_sound_file(self):
        named = script(PERSON, *self.LATE)
        assert "loan.warn" not in {item.key for item in prompt_list([named]) if item.language == "zh"}
        assert "loan.scene" in {item.key for item in prompt_list([named]) if item.language == "zh"}


class TestPromptList:
    def test_each_prompt_of_the_base_is_there_once(self):
        items = [(item.key, item.language, item.text) for item in prompt_list()]
        assert len(items) == len(set(items))
        assert sum(key == "common.goodbye" and language == "zh" for key, language, _ in items) == 1

    def test_no_blank_is_left_in_what_is_rendered(self):
        assert not [item for item in prompt_list() if "{" in item.text]

    def test_the_first_sentence_must_be_understood(self):
        first = {item.key: item.must_say for item in prompt_list() if item.key.endswith(".opening")}
        assert first
        assert all(first.values())


class TestLines:
    def test_tables_and_keys_stand_where_they_stand(self):
        node = '[nodes.a]\nkind = "say"\nzh = "b = c"\n[nodes.a.choices]\n1 = { next = "b" }\n'
        text = f'id = "x"\n\n# a note = 1\n{node}'
        lines = lines_of(text)
        assert lines["id"] == 1
        assert lines["nodes.a"] == 4
        assert lines["nodes.a.kind"] == 5
        assert lines["nodes.a.choices"] == 7
        assert lines["nodes.a.choices.1"] == 8
        assert "a note" not in lines

    def test_a_text_over_several_lines_hides_what_looks_like_a_table(self):
        text = '[a]\nzh = """\n[nodes.fake]\nx = 1\n"""\n[b]\n'
        assert lines_of(text) == {"a": 1, "a.zh": 2, "b": 6}

    def test_of_every_shipped_node(self):
        for text in TEXTS.values():
            lines = text.splitlines()
            for name, number in lines_of(text).items():
                if name.startswith("nodes.") and name.count(".") == 1:
                    assert lines[number - 1] == f"[{name}]"
