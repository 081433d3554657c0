"""Reading a script's TOML: what is wrong is said with file, node and line, and a version is what it was."""

from __future__ import annotations

import json
import sys
import tomllib

import pytest

from dialer.core.errors import NotFound
from dialer.core.values import FraudType, Tag
from dialer.scripts.lint import lint_script
from dialer.scripts.model import Purpose
from dialer.scripts.reading import (
    GENERAL_SCRIPT,
    ScriptUnreadable,
    choose_script_id,
    line_of_fault,
    read_canonical,
    read_script,
    script_named,
    shipped_scripts,
    shipped_texts,
)

TEXTS = shipped_texts()
LOAN = TEXTS["loan"]


def read(text: str):
    return read_script(text, file="draft.toml", bases={"common": ("common.toml", TEXTS["common"])})


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), start=1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "problem", "part"),
    [
        ('kind = "ask"', 'kind = "query"', "kind query must be", 'kind = "query"'),
        ('next = "acknowledge"', 'next = "nowhere"', "leads to nowhere, which is not a node", "[nodes.warn]"),
        ("retries = 2\n", "", "retries is missing", "[nodes.scene]"),
        ("retries = 2", 'retries = "two"', "retries must be a whole number", 'retries = "two"'),
        ("retries = 2", "retires = 2", "does not know retires", "retires = 2"),
        ('phrases = "yes"', 'phrases = "oui"', "has no phrases oui", "[nodes.scene]"),
        ('answer = "already_paid"', 'answer = "paid"', "paid must be", "[nodes.scene]"),
        ("请注意", "{nobody}请注意", "uses {nobody}", "[nodes.warn]"),
        ('id = "loan"', 'id = "loan" x', "is not TOML", 'id = "loan" x'),
        ('id = "loan"', 'id = "../loan"', "id must be small letters", 'id = "../loan"'),
        ('id = "loan"', "id = 7", "id must be a text", "id = 7"),
        ('phrases = "yes"', "phrases = [1]", "choices 1 phrases must be a table", "[nodes.scene.choices]"),
        ('next = "acknowledge"', 'next = "repeat"', "leads to repeat, which is not a node", "[nodes.warn]"),
        ("must_say = true", "must_say = 1", "must_say must be true or false", "must_say = 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_file_node_and_line(old: str, new: str, problem: str, part: str):
    text = LOAN.replace(old, new, 1)
    with pytest.raises(ScriptUnreadable, match=problem) as refused:
        read(text)
    assert (refused.value.file, refused.value.line) == ("draft.toml", line_of(text, part))


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb = 2 x\n", 2), ("a = 1\n[t]\na = 1\n7 8 = 9\n", 4), ("a = [1, 2", 0)]
)
def test_the_line_of_what_is_no_toml_is_known(text: str, line: int):
    with pytest.raises(tomllib.TOMLDecodeError) as refused:
        tomllib.loads(text)
    # Python 3.14 tells the last line for the end of a file.
    assert line_of_fault(refused.value) == line or sys.version_info >= (3, 14)
    refused.value.lineno = 41
    assert line_of_fault(refused.value) == 41


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a=" + "[" * 50_000, "nested too deeply"),
        ("a=" + "{a=" * 5_000, "nested too deeply"),
        (".".join("a" * 20_000) + "=1", "too many parts"),
    ],
)
def test_what_is_made_to_do_harm_is_refused_at_once(text: str, problem: str):
    with pytest.raises(ScriptUnreadable, match=problem):
        read(text)


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ('kind = "say"\nnext = "acknowledge"', "has no text in any language"),
        ('kind = "say"\nzh = "话"', "next is missing"),
        ('kind = "say"\nzh = "话"\nnext = "acknowledge"\nchoices = {}', "does not know choices"),
        ('kind = "branch"\non = "weather"\ncases = {}\notherwise = "caution"', "weather must be"),
        ('kind = "branch"\non = "tag"\notherwise = "caution"', "cases is missing"),
        ('kind = "hand_over"\nzh = "话"', "next is missing"),
        ('kind = "hand_over"\nzh = "话"\nnext = "acknowledge"\nurgency = "later"', "later must be"),
        ('kind = "end"\nanswer = "none"\nurgency = "none"', "contact is missing"),
        ('kind = "end"\ncontact = "sure"\nanswer = "none"\nurgency = "none"', "sure must be"),
        (
            'kind = "ask"\nzh = "话"\ntimeout_seconds = true\nretries = 1\notherwise = "caution"',
            "must be a whole number",
        ),
        ('zh = "话"', "kind is missing"),
    ],
)
def test_each_kind_of_node_says_what_it_lacks(node: str, problem: str):
    with pytest.raises(ScriptUnreadable, match=problem) as refused:
        read(f"{LOAN}\n[nodes.odd]\n{node}\n")
    assert refused.value.node == "odd"
    assert refused.value.file == "draft.toml"
    assert refused.value.line > LOAN.count("\n")


WRONG_VALUES = ("1", "true", '"x"', '"repeat"', "[1]", "[]", "{}", "{ a = 1 }", "2020-01-01", "-1.5", '""')


def refusal(text: str) -> ScriptUnreadable | None:
    try:
        lint_script(read(text))
    except ScriptUnreadable as fault:
        return fault
    return None


def test_whatever_stands_behind_a_name_is_read_or_refused_in_words():
    lines = TEXTS["common"].splitlines()
    lines.insert(0, 'id = "alone"\ntitle = { zh = "题" }')
    named = [place for place, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    assert len(named) > 100
    without_line = []
    for turn, place in enumerate(named):
        for step in (turn, turn * 5 + 3):
            name = lines[place].partition(" = ")[0]
            value = WRONG_VALUES[step % len(WRONG_VALUES)]
            fault = refusal("\n".join([*lines[:place], f"{name} = {value}", *lines[place + 1 :]]))
            if fault is not None and not fault.line and "is missing" not in str(fault.problem):
                without_line.append(f"{name} = {value}: {fault}")
    assert "\n".join(without_line) == ""


@pytest.mark.parametrize("key", ["12", "a", "#", ""])
def test_a_choice_is_a_key_of_a_telephone(key: str):
    with pytest.raises(ScriptUnreadable, match="not a key of a telephone"):
        read(LOAN.replace("1 = { next", f'"{key}" = {{ next', 1))


def test_the_line_that_is_printed_is_one_line_with_its_place():
    with pytest.raises(ScriptUnreadable) as refused:
        read(LOAN.replace('next = "acknowledge"', 'next = "nowhere"'))
    said = str(refused.value)
    assert said.startswith("draft.toml:")
    assert "\n" not in said


def test_a_script_without_a_base_stands_by_itself():
    own = """
id = "small"
languages = ["zh"]
default_language = "zh"
start = "bye"
[title]
zh = "小"
[again]
zh = "再来"
[confirm]
zh = "按键"
[nodes.bye]
kind = "end"
contact = "unverified"
answer = "none"
urgency = "none"
"""
    script = read_script(own, file="small.toml")
    assert script.title_in("en") == "小"
    assert script.version == script.content_hash[:12]
    for name in ("id", "languages", "start", "title", "again"):
        lines = [line for line in own.splitlines() if not line.startswith(name)]
        with pytest.raises(ScriptUnreadable):
            read_script("\n".join(lines).replace(f"[{name}]", "[spare]"), file="small.toml")
    with pytest.raises(ScriptUnreadable, match="default language English"):
        read_script(own.replace('default_language = "zh"', 'default_language = "en"'), file="small.toml")


def test_a_fault_in_the_base_names_the_base():
    base = TEXTS["common"].replace('next = "officer_busy"', 'next = "nobody"')
    with pytest.raises(ScriptUnreadable) as refused:
        read_script(LOAN, file="loan.toml", bases={"common": ("common.toml", base)})
    assert (refused.value.file, refused.value.node) == ("common.toml", "officer")


def test_a_base_that_is_not_there():
    with pytest.raises(ScriptUnreadable, match="extends common"):
        read_script(LOAN, file="loan.toml")


@pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
def test_a_stored_version_is_read_back_as_the_same_script(script_id: str):
    script = shipped_scripts()[script_id]
    again = read_canonical(script.canonical)
    assert again.content_hash == script.content_hash
    assert again.nodes.keys() == script.nodes.keys()
    assert [again.nodes[n].prompt for n in again.nodes if hasattr(again.nodes[n], "prompt")] == [
        script.nodes[n].prompt for n in again.nodes if hasattr(script.nodes[n], "prompt")
    ]


def test_what_a_newer_version_adds_to_a_stored_script_is_passed_over():
    raw = json.loads(shipped_scripts()["loan"].canonical)
    raw["farewell"] = raw["again"]
    next(iter(raw["nodes"].values()))["mood"] = "calm"
    stored = json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    again = read_canonical(stored)
    assert again.nodes.keys() == shipped_scripts()["loan"].nodes.keys()
    assert again.canonical == stored
    with pytest.raises(ScriptUnreadable, match="does not know farewell"):
        read('farewell = "x"\n' + LOAN)


@pytest.mark.parametrize("stored", ["", "[]", "{}", "no json"])
def test_what_is_no_version_is_refused(stored: str):
    with pytest.raises(ScriptUnreadable):
        read_canonical(stored)


def test_any_word_changed_is_another_version():
    assert read(LOAN).content_hash != read(LOAN.replace("骗子", "骗局", 1)).content_hash
    base = TEXTS["common"].replace("谢谢您", "多谢您")
    changed = read_script(LOAN, file="loan.toml", bases={"common": ("common.toml", base)})
    assert changed.content_hash != read(LOAN).content_hash


def test_a_comment_changed_is_the_same_version():
    assert read("# a note\n" + LOAN).content_hash == read(LOAN).content_hash


class TestChoosing:
    @pytest.mark.parametrize("fraud_type", sorted(set(FraudType) - {FraudType.UNKNOWN}))
    def test_each_type_its_own(self, fraud_type: FraudType):
        assert choose_script_id(fraud_type) == fraud_type.value

    def test_unknown_gets_the_general_one(self):
        assert choose_script_id(FraudType.UNKNOWN) == GENERAL_SCRIPT

    def test_the_hard_of_hearing_get_the_warning_of_their_fraud_type(self):
        assert choose_script_id(FraudType.LOAN, [Tag.HEARING, Tag.ELDERLY]) == "loan"

    def test_a_tag_without_a_script_of_its_own_needs_no_record(self):
        assert choose_script_id(FraudType.LOAN, [Tag.ELDERLY]) == "loan"

    def test_a_look_back_is_no_warning(self):
        assert choose_script_id(FraudType.LOAN, purpose=Purpose.FOLLOW_UP) == "follow_up"

    def test_among_the_live_ones(self):
        live = {"loan_b": read(LOAN.replace('id = "loan"', 'id = "loan_b"'))}
        assert choose_script_id(FraudType.LOAN, among=live) == "loan_b"
        assert choose_script_id(FraudType.CREDIT, among=live) == GENERAL_SCRIPT

    def test_a_script_that_is_not_there(self):
        with pytest.raises(NotFound):
            script_named("nothing")
