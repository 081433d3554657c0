"""Reading a script's TOML: what is wrong is said with file, node and line, and a version is what it was."""

from __future__ import annotations

import pytest

from dialer.domain.values import FraudType, Tag
from dialer.errors import NotFound
from dialer.scripts.catalogue import GENERAL, choose, script_named, shipped, shipped_texts
from dialer.scripts.reading import ScriptUnreadable, read_canonical, read_script

TEXTS = shipped_texts()
LOAN = TEXTS["loan"]


def read(text: str):
    return read_script(text, file="draft.toml", bases={"common": ("common.toml", TEXTS["common"])})


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), start=1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "problem", "part"),
    [
        ('kind = "ask"', 'kind = "query"', "kind query is none of", 'kind = "query"'),
        ('next = "caution"', 'next = "nowhere"', "leads to nowhere, which is no node", "[nodes.warn]"),
        ("retries = 2\n", "", "retries is missing", "[nodes.scene]"),
        ("retries = 2", 'retries = "two"', "retries must be a int", 'retries = "two"'),
        ("retries = 2", "retires = 2", "does not know retires", "retires = 2"),
        ('phrases = "yes"', 'phrases = "oui"', "has no phrases oui", "[nodes.scene]"),
        ('answer = "already_paid"', 'answer = "paid"', "paid is none of", "[nodes.scene]"),
        ("请您听好", "{nobody}请您听好", "uses {nobody}", "[nodes.warn]"),
        ('id = "loan"', 'id = "loan" x', "is not TOML", 'id = "loan" x'),
    ],
)
def test_what_is_wrong_is_said_with_its_file_node_and_line(old: str, new: str, problem: str, part: str):
    text = LOAN.replace(old, new, 1)
    with pytest.raises(ScriptUnreadable, match=problem) as refused:
        read(text)
    assert (refused.value.file, refused.value.line) == ("draft.toml", line_of(text, part))


def test_a_fault_in_the_base_names_the_base():
    base = TEXTS["common"].replace('next = "officer_busy"', 'next = "nobody"')
    with pytest.raises(ScriptUnreadable) as refused:
        read_script(LOAN, file="loan.toml", bases={"common": ("common.toml", base)})
    assert (refused.value.file, refused.value.node) == ("common.toml", "officer")


def test_a_base_that_is_not_there():
    with pytest.raises(ScriptUnreadable, match="extends common"):
        read_script(LOAN, file="loan.toml")


@pytest.mark.parametrize("script_id", sorted(shipped()))
def test_a_stored_version_is_read_back_as_the_same_script(script_id: str):
    script = shipped()[script_id]
    again = read_canonical(script.canonical)
    assert again.content_hash == script.content_hash
    assert again.nodes.keys() == script.nodes.keys()
    assert [again.nodes[n].prompt for n in again.nodes if hasattr(again.nodes[n], "prompt")] == [
        script.nodes[n].prompt for n in again.nodes if hasattr(script.nodes[n], "prompt")
    ]


@pytest.mark.parametrize("stored", ["", "[]", "{}", "no json"])
def test_what_is_no_version_is_refused(stored: str):
    with pytest.raises(ScriptUnreadable):
        read_canonical(stored)


def test_any_word_changed_is_another_version():
    assert read(LOAN).content_hash != read(LOAN.replace("诈骗", "骗局", 1)).content_hash
    base = TEXTS["common"].replace("谢谢您", "多谢您")
    changed = read_script(LOAN, file="loan.toml", bases={"common": ("common.toml", base)})
    assert changed.content_hash != read(LOAN).content_hash


def test_a_comment_changed_is_the_same_version():
    assert read("# a note\n" + LOAN).content_hash == read(LOAN).content_hash


class TestChoosing:
    @pytest.mark.parametrize("fraud_type", sorted(set(FraudType) - {FraudType.UNKNOWN}))
    def test_each_type_its_own(self, fraud_type: FraudType):
        assert choose(fraud_type) == fraud_type.value

    def test_unknown_gets_the_general_one(self):
        assert choose(FraudType.UNKNOWN) == GENERAL

    def test_the_hard_of_hearing_get_theirs_whatever_the_type(self):
        assert choose(FraudType.LOAN, [Tag.HEARING, Tag.ELDERLY]) == "hearing"

    def test_a_tag_without_a_script_of_its_own_changes_nothing(self):
        assert choose(FraudType.LOAN, [Tag.ELDERLY]) == "loan"

    def test_a_look_back_is_no_warning(self):
        assert choose(FraudType.LOAN, purpose="follow_up") == "follow_up"

    def test_among_the_live_ones(self):
        live = {"loan_b": read(LOAN.replace('id = "loan"', 'id = "loan_b"'))}
        assert choose(FraudType.LOAN, among=live) == "loan_b"
        assert choose(FraudType.CREDIT, among=live) == GENERAL

    def test_a_script_that_is_not_there(self):
        with pytest.raises(NotFound):
            script_named("nothing")
