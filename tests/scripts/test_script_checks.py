"""The lint of scripts: each rule broken once in a good script, and found with its file, node and line."""

from __future__ import annotations

import json

import pytest

from dialer.core.values import Answer, Contact, FraudType
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, advance, start
from dialer.scripts.lint import (
    RULES,
    acknowledged_seconds,
    good_path_seconds,
    lint_script,
    longest_path_seconds,
)
from dialer.scripts.model import Ask, End, HandOver, Say, Script, with_defaults
from dialer.scripts.reading import (
    prompt_list,
    prompts_of,
    read_canonical,
    read_script,
    shipped_scripts,
    shipped_texts,
)

POLICE = "police_impersonation"
TEXTS = shipped_texts()
EVERY_SECOND = {(item.language, item.text): 5.0 for item in prompt_list()}


def broken(
    *changes: tuple[str, str], script: str = POLICE, base: tuple[tuple[str, str], ...] = (), more: str = ""
):
    """A shipped script with a few words changed, in its own file or in the common one."""
    own, common = TEXTS[script] + more, TEXTS["common"]
    for old, new in changes:
        assert old in own, f"{script} no longer says {old}"
        own = own.replace(old, new, 1)
    for old, new in base:
        assert old in common, f"the common base no longer says {old}"
        common = common.replace(old, new)
    return read_script(own, file=f"{script}.toml", bases={"common": ("common.toml", common)})


def rules(script: Script, **kinds: object) -> set[str]:
    return {finding.rule for finding in lint_script(script, **kinds)}  # type: ignore[arg-type]


class TestShipped:
    @pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
    def test_nothing_is_found(self, script_id: str):
        assert [str(finding) for finding in lint_script(shipped_scripts()[script_id])] == []

    def test_every_fraud_type_has_its_own_script(self):
        own = {
            kind for script in shipped_scripts().values() if not script.tags for kind in script.fraud_types
        }
        assert own == set(FraudType) - {FraudType.UNKNOWN}

    @pytest.mark.parametrize("lang", sorted(RULES))
    def test_every_fraud_type_has_a_sentence_that_its_script_must_say(self, lang: str):
        assert set(RULES[lang].must_say) == set(FraudType) - {FraudType.UNKNOWN}

    @pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
    def test_both_languages_are_complete(self, script_id: str):
        script = shipped_scripts()[script_id]
        items = [item for item in prompt_list([script]) if item.text]
        keys = {language: {i.key for i in items if i.language == language} for language in ("zh", "en")}
        assert keys["zh"]
        assert keys["zh"] == keys["en"]

    def test_mongolian_is_declared_and_falls_back_to_mandarin(self):
        assert all(script.voices_of("mn") == ("mn", "zh") for script in shipped_scripts().values())

    def test_every_prompt_has_a_slot_for_a_mongolian_recording(self):
        slots = {item.key for item in prompt_list() if item.language == "mn"}
        assert slots == {item.key for item in prompt_list() if item.language == "zh"}


class TestShape:
    def test_a_node_that_nothing_leads_to(self):
        orphan = '\n[nodes.orphan]\nkind = "say"\nzh = "没有人听"\nen = "unheard"\nnext = "acknowledge"\n'
        found = [f for f in lint_script(broken(more=orphan)) if f.rule == "reachable"]
        assert [(f.file, f.node) for f in found] == [("police_impersonation.toml", "orphan")]
        lines = (TEXTS[POLICE] + orphan).splitlines()
        assert lines[found[0].line - 1] == "[nodes.orphan]"

    def test_a_way_that_goes_round(self):
        assert rules(broken(('next = "acknowledge"', 'next = "scene"'))) == {"ends"}

    def test_retries_without_a_sensible_bound(self):
        assert "bounded" in rules(broken(("retries = 2", "retries = 9")))
        assert "bounded" in rules(broken(("timeout_seconds = 8", "timeout_seconds = 90")))

    def test_hearing_it_again_must_not_pass_another_question(self):
        script = broken(base=(('repeat_from = "warn"', 'repeat_from = "scene"'),))
        assert "bounded" in rules(script)

    def test_an_answer_must_lead_on(self):
        lost = ('2 = { next = "warn", phrases = "no" }\n', "")
        gone = ('1 = { next = "warn", phrases = "yes" }\n', "")
        paid = ('3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }\n', "")
        assert "answers" in rules(broken(lost, gone, paid))

    def test_an_officer_is_always_one_key_away(self):
        assert "officer" in rules(
            broken(base=(('0 = { next = "officer", answer = "wants_officer", phrases = "officer" }\n', ""),))
        )


class TestClaims:
    def test_no_success_for_somebody_unverified(self):
        script = broken(base=((', contact = "verified", phrases = "owner"', ', phrases = "owner"'),))
        assert {f.node for f in lint_script(script) if f.rule == "verified"} == {"goodbye"}

    def test_no_success_on_a_spoken_answer_alone(self):
        old = 'answer = "acknowledged", needs_key = true'
        assert "key" in rules(broken(base=((old, 'answer = "acknowledged"'),)))

    def test_no_personal_fact_before_verification(self):
        name = '\n[variables.person]\nkind = "personal"\n'
        early = broken(
            base=(('zh = "这个号码是您本人', 'zh = "您是{person}吗，这个号码是您本人'),), more=name
        )
        assert {f.node for f in lint_script(early) if f.rule == "personal"} == {"identity"}
        late = broken(('zh = "请注意', 'zh = "{person}，请注意'), more=name)
        assert "personal" not in rules(late)


class TestWording:
    @pytest.mark.parametrize(
        ("old", "new", "rule"),
        [
            ("，马上挂断他的电话", "", "stop"),
            ("不要转，马上", "马上", "stop"),
            ("我是{bureau}机器人", "我是机器人", "bureau"),
            ("{bureau}机器人", "{bureau}", "machine"),
            ("他会说我们是假警察，", "", "caution"),
            ("{area_code} {hotline}，{area_code} {hotline}", "打给我们", "caution"),
            ("{area_code} {hotline}，{area_code} {hotline}", "{area_code} {hotline}", "caution"),
            (
                "您自己打：{area_code} {hotline}，{area_code} {hotline}。",
                "您自己先打{area_code}，然后打{hotline}。",
                "caution",
            ),
            ("或者打110，打110。", "", "caution"),
            ("或者打110，打110。", "或者打110。", "caution"),
            ("must_say = true", "must_say = false", "stop"),
            ("，正在录音", "", "recorded"),
            ('next = "caution"', 'next = "identity"', "caution"),
            ("警察很快会", "请登录网站核实，警察很快会", "asks"),
            ("警察很快会", "请把钱转到指定账户，警察很快会", "asks"),
            ("警察很快会", "请告诉我您的验证码，警察很快会", "asks"),
            ("警察很快会", "把钱放进安全账户，警察很快会", "safe_account"),
            ("警察很快会", "我们要做资金清查，警察很快会", "safe_account"),
        ],
    )
    def test_what_must_be_said_and_what_must_not(self, old: str, new: str, rule: str):
        assert rule in rules(broken(base=((old, new),)))

    @pytest.mark.parametrize(
        ("new", "rule"),
        [
            ("Please log in to our website. One will call", "asks"),
            ("Please tell us your bank code. One will call", "asks"),
            ("Use the safe account. One will call", "safe_account"),
        ],
    )
    def test_the_same_in_english(self, new: str, rule: str):
        assert rule in rules(broken(base=(("One will call", new),)))

    def test_the_line_of_the_fraud_type_is_missed(self):
        assert "must_say" in rules(broken(("绝不会在电话里、微信里让您转钱", "很忙")))

    def test_the_machine_notice_is_missed(self):
        quiet = broken(base=(("{bureau}机器人", "{bureau}"), ("the robot of {bureau}", "{bureau}")))
        assert "machine" in rules(quiet)

    @pytest.mark.parametrize("more", ["详见www.example.cn。", "请拨打96110。", "请点击查看。"])
    def test_a_message_holds_no_link_and_no_number(self, more: str):
        assert "message" in rules(broken(base=(("本短信无需回复。", more),)))


class TestSound:
    def test_all_there_is_nothing_found(self):
        assert rules(shipped_scripts()[POLICE], durations=EVERY_SECOND) == set()

    def test_one_prompt_without_sound_is_named(self):
        less = dict(EVERY_SECOND)
        text = shipped_scripts()[POLICE].nodes["warn"].prompt.texts["zh"]  # type: ignore[union-attr]
        del less["zh", text]
        (found,) = lint_script(shipped_scripts()[POLICE], durations=less)
        assert (found.rule, found.node) == ("sound", "warn")
        assert str(found).startswith("police_impersonation.toml:")

    def test_a_language_without_text_needs_a_fallback(self):
        script = broken(base=(('fallbacks = { mn = "zh" }\n', ""),))
        assert "text" in rules(script)

    def test_the_longest_good_path_is_measured(self):
        # opening, caution, identity, scene or the guardian, warn, acknowledge, goodbye
        assert good_path_seconds(shipped_scripts()[POLICE], "zh", EVERY_SECOND) == 7 * 5.0
        assert acknowledged_seconds(shipped_scripts()[POLICE], "zh", EVERY_SECOND) == 6 * 5.0
        assert longest_path_seconds(shipped_scripts()[POLICE], "zh", EVERY_SECOND) > 7 * 5.0
        slow = dict.fromkeys(EVERY_SECOND, 9.0)
        assert good_path_seconds(shipped_scripts()[POLICE], "mn", slow) == 7 * 9.0

    @pytest.mark.parametrize(
        ("node", "seconds", "problem"),
        [
            ("opening", 8.1, "the opening takes 8.1 s in Mandarin; 8 is allowed"),
            ("caution", 14.1, "the first question begins after 19.1 s in Mandarin; 19 is allowed"),
            ("warn", 25.1, "the last question is over after 50.1 s in Mandarin; 50 is allowed"),
            ("goodbye", 35.1, "takes 65.1 s to a good end in Mandarin; 65 is allowed"),
        ],
    )
    def test_the_warning_is_short(self, node: str, seconds: float, problem: str):
        script = shipped_scripts()[POLICE]
        text = with_defaults(script, script.nodes[node].prompt.texts["zh"], "zh")  # type: ignore[union-attr]
        lasting = EVERY_SECOND | {("zh", text): seconds}
        if node == "opening":
            caution = with_defaults(script, script.nodes["caution"].prompt.texts["zh"], "zh")  # type: ignore[union-attr]
            lasting |= {("zh", caution): 4.0}
        found = {str(f.problem) for f in lint_script(script, durations=lasting) if f.rule == "length"}
        assert problem in found
        assert found <= {problem, problem.replace("in Mandarin", "in Mongolian")}


def test_investment_and_romance_hand_over_on_the_first_yes():
    for script_id in ("investment", "romance"):
        scene = shipped_scripts()[script_id].nodes["scene"]
        assert isinstance(scene, Ask)
        warned = shipped_scripts()[script_id].nodes[scene.choices["1"].next]
        assert isinstance(warned, Say)
        assert isinstance(shipped_scripts()[script_id].nodes[warned.next], HandOver)


def test_the_deaf_are_never_counted_as_reached():
    end = shipped_scripts()["general"].nodes["by_text"]
    assert isinstance(end, End)
    assert (end.contact, end.answer) == (Contact.UNVERIFIED, Answer.LANGUAGE_OR_HEARING)


class TestOtherLanguage:
    TAKES_8 = '\n8 = { next = "audience" }\n2 = { next = "wrong_person"'

    def test_the_first_question_leaves_key_8_alone_while_languages_are_offered(self):
        script = broken(base=(('\n2 = { next = "wrong_person"', self.TAKES_8),))
        assert "language" not in rules(script)
        found = [one for one in lint_script(script, offered=("en",)) if one.rule == "language"]
        assert [one.node for one in found] == ["identity"]

    @pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
    def test_no_shipped_script_takes_it(self, script_id: str):
        assert lint_script(shipped_scripts()[script_id], offered=("en", "mn")) == ()

    def test_the_offer_names_its_key(self):
        script = broken(base=(("For English, press 8.", "For English, press 7."),))
        assert rules(script) == {"language"}

    def test_a_question_that_takes_key_8_offers_no_language(self):
        script = broken(base=(('\n2 = { next = "wrong_person"', self.TAKES_8),))
        turn = start(script, Context(language="zh", offered=("en",)))
        assert {one.language for one in turn.utterances} == {"zh"}
        assert advance(script, turn.position, Heard.keys("8"), Context(offered=("en",))).node == "scene"

    def test_a_version_from_before_there_was_an_offer_makes_none(self):
        own = shipped_scripts()[POLICE]
        raw = json.loads(own.canonical)
        del raw["other_language"], raw["said_in"]["other_language"]
        before = read_canonical(json.dumps(raw))
        assert before.other_language is None
        turn = start(before, Context(language="zh", offered=("en",)))
        assert {one.language for one in turn.utterances} == {"zh"}

    def test_the_name_of_the_key_may_be_said(self):
        script = shipped_scripts()[POLICE]
        context = Context(language="zh", offered=("en",))
        turn = advance(script, start(script, context).position, Heard.said("按八"), context)
        assert turn.position.language == "en"

    def test_several_languages_are_offered_one_after_the_other(self):
        script = shipped_scripts()[POLICE]
        recorded = {("mn", prompt.id): "mn.wav" for prompt in prompts_of(script)}
        context = Context(language="zh", offered=("en", "mn"), recordings=recorded)
        turn, heard = start(script, context), []
        for _ in range(4):
            heard.append((turn.utterances[0].heard_in, turn.utterances[-1].heard_in))
            turn = advance(script, turn.position, Heard.keys("8"), context)
        assert heard[:3] == [("zh", "en"), ("en", "mn"), ("mn", "zh")]

    def test_a_node_may_have_any_name(self):
        old = ('next = "wrong_person"', "[nodes.wrong_person]")
        script = broken(base=tuple((one, one.replace("wrong_person", "other_language")) for one in old))
        context = Context(language="zh", offered=("en",))
        turn = advance(script, start(script, context).position, Heard.keys("2"), context)
        assert (turn.node, turn.position.language) == ("other_language", "")


def test_a_notice_of_an_older_version_follows_the_opening_and_replaces_no_warning():
    old = "我是{bureau}机器人，正在录音。有人让您转账，不要转，马上挂断他的电话。"
    older = broken(base=((old, "本次通话会录音。"),))
    said = start(older, Context(language="zh", is_recorded=True)).utterances
    assert [one.prompt_id.rpartition(".")[2] for one in said[:3]] == ["opening", "recorded", "caution"]
    shipped = broken()
    said = start(shipped, Context(language="zh", is_recorded=True)).utterances
    assert [one.prompt_id.rpartition(".")[2] for one in said[:2]] == ["recorded", "caution"]
