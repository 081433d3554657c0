"""The lint of scripts and of messages: what they must say, must not say, and the shape that a graph must have.

The patterns are the required wording by language: stop the transfer first, name the bureau, ask for nothing, deny the
safe account. A message also follows the rules for warning messages (12381): no link, no number, no reply, so that
nobody can mistake it for the fraud. A script without findings reaches every node and always ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audio.wave_file import Flaw
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Contact, FraudType
from dialer.scripts.model import (
    LANGUAGE_KEY,
    SUCCESS_ANSWERS,
    Ask,
    Branch,
    BranchOn,
    Choice,
    End,
    HandOver,
    Node,
    Prompt,
    Script,
    Target,
    arrows,
    circles,
    contacts,
    first_questions,
    first_said,
    language_text,
    longest,
    needs_verification,
    prompt_of,
    quickest,
    reachable,
    takes_language_key,
    with_defaults,
)
from dialer.scripts.reading import prompts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """One fault and its place. `rule` is the short name of the rule; `node` is empty for the script as a whole."""

    file: str
    line: int
    node: str
    rule: str
    problem: Text

    @property
    def text(self) -> Text:
        """The finding with its place, in one line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        place = f"{place}: {self.node}" if self.node else place
        return Text(_FINDING, place=place, problem=self.problem, rule=self.rule)

    def __str__(self) -> str:
        return str(self.text)


_FINDING = "%(place)s: %(problem)s [%(rule)s]"
"""Without words, so the same in both languages."""


def at(part: Node | Script, rule: str, problem: str | Text, /, **values: object) -> LintFinding:
    """A finding at a node, or at the script as a whole; `values` fill the placeholders of the template `problem`."""
    return LintFinding(
        file=part.origin.file,
        line=part.origin.line,
        node="" if isinstance(part, Script) else part.id,
        rule=rule,
        problem=problem if isinstance(problem, Text) else Text(problem, **values),
    )


def sound_flaw(flaw: Flaw) -> Text:
    """A flaw that the `audio` package found, as a translatable text."""
    values: dict[str, object] = {
        name: sound_flaw(value) if isinstance(value, Flaw) else value for name, value in flaw.values.items()
    }
    if "language" in values:
        values["language"] = language_text(str(values["language"]))
    return Text(flaw.template, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The patterns of one language. `excused` makes a clause with a `risky` word harmless: a denial, or a report of
    what others say.
    """

    clause_end: re.Pattern[str]
    stop_transfer: re.Pattern[str]
    hang_up: re.Pattern[str]
    machine: re.Pattern[str]
    recorded: re.Pattern[str]
    caution: tuple[re.Pattern[str], ...]
    risky: re.Pattern[str]
    excused: re.Pattern[str]
    demand: re.Pattern[str]
    safe_account: re.Pattern[str]
    denial: re.Pattern[str]
    must_say: Mapping[FraudType, re.Pattern[str]]


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


ZH = Rules(
    clause_end=re.compile(r"[，。！？；：,;:?!]"),
    stop_transfer=_any("(?:不要|停止|别|不再|勿)(?:再)?(?:转|汇款|付款)"),
    hang_up=_any("挂断", "挂掉"),
    machine=_any("机器人", "自动语音", "语音系统"),
    recorded=_any("录音"),
    caution=(
        _any("假警察", "冒充警察"),
        _any(r"[拨打]：?\{area_code\} ?\{hotline\}，\{area_code\} ?\{hotline\}"),
        _any(r"[拨打]：?110，[拨打]?110"),
    ),
    risky=_any(
        "链接|网址|网站|登录|登陆|注册|下载|安装|密码|验证码|卡号|扫码|二维码|屏幕共享|共享屏幕|转账|"
        "汇款|转到|汇到|打到|转入|身份证号"
    ),
    excused=_any(
        "不|别|勿|没|停|从来|谁也|关掉|退出|让您|要您|叫您|让你|带您|自称|说您|诈骗|骗子|之前|已经|"
        "金额|记录|的$"
    ),
    demand=_any(
        r"请(?:您|你)?(?:先|马上|现在|立即|尽快)?(?:点击|点开|打开链接|登录|登陆|下载|安装|扫码|转账|汇款|把.{0,8}(?:转|汇|打)(?:到|入|给))",
        r"(?:提供|告诉我|报一下|说一下|输入).{0,10}(?:密码|验证码|卡号|身份证)",
    ),
    safe_account=_any("安全账户", "资金清查"),
    denial=_any("没有", "绝不", "从不", "不存在", "绝没有", "哪有", "不会"),
    must_say={
        FraudType.FAKE_ORDER_REBATE: _any("先付钱.*骗子.*小钱"),
        FraudType.INVESTMENT: _any("(?:稳赚|保证赚钱).*骗子"),
        FraudType.SHOPPING: _any("离开平台.*骗子"),
        FraudType.FAKE_CUSTOMER_SERVICE: _any("退款.*不用.*卡号.*验证码.*关掉.*(?:拔卡|手机卡)"),
        FraudType.LOAN: _any("先要手续费.*骗子"),
        FraudType.CREDIT: _any("征信.*不能.*转账"),
        FraudType.BOSS_OR_ACQUAINTANCE: _any("转账之前.*本人打电话"),
        FraudType.POLICE_IMPERSONATION: _any("警察.*不会.*转钱.*安全账户"),
        FraudType.ROMANCE: _any("没见过面.*骗子.*家里人"),
        FraudType.GAME_TRADE: _any("游戏.*骗子.*家长"),
    },
)
EN = Rules(
    clause_end=re.compile(r"[.!?](?=\s|$)"),
    stop_transfer=_any(r"(?:do not|don't|stop|never) (?:transfer|pay)"),
    hang_up=_any(r"hang up"),
    machine=_any("automatic", "robot", "machine", "recorded voice"),
    recorded=_any("recorded (?:call|line)", "call is recorded", "we record"),
    caution=(
        _any("(?:false|fake) police"),
        _any(r"dial:? \{area_code\} \{hotline\}, \{area_code\} \{hotline\}"),
        _any(r"\b110, 110\b"),
    ),
    risky=_any(
        r"\blinks?\b|website|log ?in|sign in|install|download|password|(?<!area )\bcodes?\b|\bcard\b|"
        r"transfer|\bpay\b|share your screen|QR"
    ),
    excused=_any(
        r"\bnot\b|\bnever\b|\bno\b|\bnobody\b|\banybody\b|\banyone\b|n't\b|\bstop\b|\bhas\b|\bdid\b|"
        r"\basked?\b|fraud|\bcannot\b|\bbefore\b|keep the record|take out"
    ),
    demand=_any(
        r"please (?:click|open|log ?in|sign in|download|install|transfer|pay|send)\b",
        r"(?:give|tell|type|enter|send)(?: me| us)? (?:the|your) (?:\w+ )?(?:password|code|card|pin)\b",
    ),
    safe_account=_any(r"safe account", r"funds? (?:check|inspection|verification)"),
    denial=_any(r"\bno\b", r"\bnever\b", r"\bnot\b"),
    must_say={
        FraudType.FAKE_ORDER_REBATE: _any("in advance is fraud.*bait"),
        FraudType.INVESTMENT: _any("sure profit.*fraud"),
        FraudType.SHOPPING: _any("outside the platform is a fraud"),
        FraudType.FAKE_CUSTOMER_SERVICE: _any("never needs.*code.*SIM"),
        FraudType.LOAN: _any("fee before the loan.*fraud"),
        FraudType.CREDIT: _any("nobody can mend a credit record"),
        FraudType.BOSS_OR_ACQUAINTANCE: _any("before any transfer, call"),
        FraudType.POLICE_IMPERSONATION: _any("police never ask for money.*no safe account"),
        FraudType.ROMANCE: _any("fraud.*family"),
        FraudType.GAME_TRADE: _any("fraud.*parents"),
    },
)
RULES: Mapping[str, Rules] = {"zh": ZH, "en": EN}


def asks_for(text: str, rules: Rules) -> str:
    """The clause that asks for what a script must never ask for; empty without one."""
    for clause in rules.clause_end.split(text):
        if rules.demand.search(clause) and not rules.denial.search(clause):
            return clause.strip()
        if rules.risky.search(clause) and not rules.excused.search(clause.strip()):
            return clause.strip()
    return ""


def affirms_safe_account(text: str, rules: Rules) -> bool:
    """Whether the text uses the fraudsters' words, such as a safe account, other than to deny them."""
    return any(
        rules.safe_account.search(clause) and not rules.denial.search(clause)
        for clause in rules.clause_end.split(text)
    )


MOST_PARTS = 2
_GSM_ONE, _GSM_MORE = 160, 153
_UCS2_ONE, _UCS2_MORE = 70, 67
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")
"""Characters that take two places (GSM 03.38)."""

_LINK = re.compile(
    r"[a-z0-9+.-]://|www\.|[a-z0-9-]\.(?:com|cn|net|org|cc|top|xyz|vip|info|me|io|app|link)\b|[@#]\w"
    r"|二维码|点击|扫码|链接|微信|QQ",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d|[〇零一二两三四五六七八九幺](?:[〇零一二两三四五六七八九幺]){2,}")
"""Any digit of any writing system, and three or more in words: a number to call, however it is written."""
_NO_REPLY = {"zh": re.compile(r"(?:无需|不必|不用|请勿)回复"), "en": re.compile(r"no reply", re.IGNORECASE)}
_ASKS_REPLY = re.compile(
    r"(?<!无需)(?<!不必)(?<!不用)(?<!请勿)回复|回电|reply (?:with|to)|call back", re.IGNORECASE
)


def message_findings(text: str, language: str, *, bureau: str) -> tuple[Text, ...]:
    """Every fault of a message as it would be sent; empty when it may be sent."""
    if not text.strip():
        return (Text("says nothing"),)
    rules = RULES.get(language)
    count = parts(text)
    checks = (
        (not bureau or bureau not in text, Text("does not name the bureau")),
        (_LINK.search(text), Text("holds a link, or asks to open something")),
        (_NUMBER.search(text), Text("holds a number")),
        (
            not _NO_REPLY.get(language, _NO_REPLY["en"]).search(text),
            Text("does not say that no reply is needed"),
        ),
        (_ASKS_REPLY.search(text), Text("asks for a reply")),
        (rules and asks_for(text, rules), Text("asks for what must never be asked for")),
        (
            rules and affirms_safe_account(text, rules),
            Text("uses the fraudsters' words other than to deny them"),
        ),
        (
            count > MOST_PARTS,
            Text("takes %(parts)s parts; %(most)s are allowed", parts=count, most=MOST_PARTS),
        ),
    )
    return tuple(fault for is_wrong, fault in checks if is_wrong)


def parts(text: str) -> int:
    """How many messages a text takes: 160 or 70 characters in a single one, 153 or 67 in each of several."""
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        length, one, more = sum(2 if letter in _GSM_TWICE else 1 for letter in text), _GSM_ONE, _GSM_MORE
    else:
        length, one, more = len(text.encode("utf-16-be")) // 2, _UCS2_ONE, _UCS2_MORE
    return 1 if length <= one else -(-length // more)


Durations = Mapping[tuple[str, str], float]
"""Seconds by language and text, as the shipped recordings say it."""


_LONGEST_OPENING_SECONDS = 8.0
LATEST_QUESTION_SECONDS = 19.0
_LATEST_ACKNOWLEDGEMENT_SECONDS = 50.0
_LONGEST_GOOD_PATH_SECONDS = 65.0
_MOST_RETRIES = 3
_TIMEOUT_SECONDS = (3, 30)
_CASES: Mapping[BranchOn, frozenset[str]] = {
    BranchOn.TAG: frozenset({"minor", "elderly", "hearing", "mongolian"}),
    BranchOn.TIME_OF_DAY: frozenset({"morning", "noon", "afternoon", "evening"}),
    BranchOn.CONTACT: frozenset(contact.value for contact in Contact),
}
"""The cases that a branch may have."""
_BRANCHES_ON: Mapping[BranchOn, Text] = {
    BranchOn.TAG: Text("tag"),
    BranchOn.TIME_OF_DAY: Text("time of day"),
    BranchOn.CONTACT: Text("contact"),
}


def lint_script(
    script: Script, *, durations: Durations | None = None, offered: Collection[str] = ()
) -> tuple[LintFinding, ...]:
    """Everything wrong with a script. With `durations`, missing sound and paths that are too long are findings too;
    with `offered`, the languages that a person can choose, so is a first question that takes the key of that choice.
    """
    looping = circles(script)
    if looping:
        return tuple(
            at(script.nodes[n], "ends", "a way leads back here, so that a call may never end")
            for n in looping
        )
    found = [*_graph(script), *_questions(script), *_claims(script), *_texts(script)]
    found += _other_language(script, offered)
    for language in script.languages:
        if rules := RULES.get(language):
            found += [*_wording(script, language, rules), *_message(script, language)]
    if durations is not None:
        found += [*_sound(script, durations), *_length(script, durations)]
    return tuple(
        sorted(found, key=lambda finding: (finding.file, finding.line, finding.rule, str(finding.problem)))
    )


def good_path_seconds(script: Script, language: str, durations: Durations) -> float:
    """Seconds of speech on the longest way to a success, in a language."""
    return longest(script, lambda prompt: _seconds(script, prompt, language, durations), good=True)


def acknowledged_seconds(script: Script, language: str, durations: Durations) -> float:
    """Seconds of speech until the end of the question that is acknowledged, every question answered the
    shortest way.
    """
    return quickest(script, lambda prompt: _seconds(script, prompt, language, durations))


def longest_path_seconds(script: Script, language: str, durations: Durations) -> float:
    """Seconds of speech on the longest way to any end, every question asked once."""
    return longest(script, lambda prompt: _seconds(script, prompt, language, durations), good=False)


def _graph(script: Script) -> Iterator[LintFinding]:
    seen = reachable(script, script.start)
    for name, node in script.nodes.items():
        if name not in seen and node.origin.file == script.origin.file:
            yield at(node, "reachable", "no way leads here")
        if isinstance(node, Branch):
            for case in sorted(set(node.cases) - _CASES[node.on]):
                yield at(
                    node, "answers", "%(case)s is not a valid %(kind)s", case=case, kind=_BRANCHES_ON[node.on]
                )


def _questions(script: Script) -> Iterator[LintFinding]:
    for node in script.nodes.values():
        if not isinstance(node, Ask):
            continue
        if not node.choices and not node.next:
            yield at(node, "answers", "no answer leads on")
        if node.next and not node.collect:
            yield at(node, "answers", "takes digits without a name to keep them under")
        if not 0 <= node.retries <= _MOST_RETRIES:
            text = gettext_noop("is asked again %(times)s times; at most %(most)s is allowed")
            yield at(node, "bounded", text, times=node.retries, most=_MOST_RETRIES)
        least, most = _TIMEOUT_SECONDS
        if not least <= node.timeout_seconds <= most:
            text = gettext_noop("waits %(seconds)s s for silence; %(least)s to %(most)s is allowed")
            yield at(node, "bounded", text, seconds=node.timeout_seconds, least=least, most=most)
        if any(run[-1].id != node.id for run in first_said(script, node.repeat_from)):
            text = gettext_noop("hearing it again from %(node)s comes to another question first")
            yield at(node, "bounded", text, node=node.repeat_from)
        if not any(
            isinstance(script.nodes[arrow.to], HandOver) for arrow in arrows(script, node) if arrow.choice
        ):
            yield at(node, "officer", "no key leads to an officer")


def _other_language(script: Script, offered: Collection[str]) -> Iterator[LintFinding]:
    """Faults of the offer of another language: it must name its key, and the first question must not use that key."""
    offer = script.other_language
    if offer is None:
        return
    for language, said in offer.texts.items():
        if LANGUAGE_KEY not in said:
            text = gettext_noop("the offer of another language does not name key %(key)s (%(language)s)")
            yield at(script, "language", text, key=LANGUAGE_KEY, language=language_text(language))
    for node in first_questions(script) if offered else ():
        if not takes_language_key(script, node):
            text = gettext_noop("takes key %(key)s, with which the caller chooses another language")
            yield at(node, "language", text, key=LANGUAGE_KEY)


def _claims(script: Script) -> Iterator[LintFinding]:
    """Faults of claims: no success without a verified person and a key, and nothing personal before verification."""
    known = contacts(script)
    for node in script.nodes.values():
        unverified = known[node.id] - {Contact.VERIFIED}
        if unverified and isinstance(node, End) and node.answer in SUCCESS_ANSWERS:
            text = gettext_noop("may claim %(answer)s for somebody not verified")
            yield at(node, "verified", text, answer=node.answer)
        prompt = prompt_of(node)
        if unverified and prompt and any(needs_verification(script, text) for text in prompt.texts.values()):
            yield at(node, "personal", "says a personal fact before verification")
        if isinstance(node, Ask):
            choices = {**script.anywhere, **node.choices}.values()
            for choice in (choice for choice in choices if not choice.needs_key):
                if choice.next != Target.REPEAT and _is_success(script, choice):
                    text = gettext_noop("key %(key)s is a success that a spoken answer alone could make")
                    yield at(node, "key", text, key=choice.key)
                if choice.contact is Contact.VERIFIED:
                    yield at(node, "key", "key %(key)s verifies on a spoken answer alone", key=choice.key)


def _is_success(script: Script, choice: Choice) -> bool:
    end = script.nodes[choice.next]
    return choice.answer in SUCCESS_ANSWERS or (isinstance(end, End) and end.answer in SUCCESS_ANSWERS)


def _said(node: Node, language: str) -> str:
    """What a node says in a language; '' for nothing."""
    prompt = prompt_of(node)
    return prompt.texts.get(language, "") if prompt else ""


def _wording(script: Script, language: str, rules: Rules) -> Iterator[LintFinding]:
    """Faults of the wording: what the first words and the fraud type's own sentence must say, and what no
    node may say.
    """
    for run in first_said(script, script.start):
        said = [node for node in run if prompt_of(node)]
        if said and _said(said[0], language):
            yield from _opening(said, language, rules)
    if script.recorded is not None and (words := script.recorded.texts.get(language, "")):
        needed = (rules.stop_transfer, rules.hang_up, rules.machine, rules.recorded)
        if "{bureau}" not in words or not all(part.search(words) for part in needed):
            text = gettext_noop(
                "the opening of a recorded call lacks something of the usual one, or that it is recorded"
                " (%(language)s)"
            )
            yield at(script, "recorded", text, language=language_text(language))
    must_say = [prompt.texts.get(language, "") for prompt in prompts_of(script) if prompt.must_say]
    for fraud_type in sorted(script.fraud_types):
        wanted = rules.must_say.get(fraud_type)
        if wanted is not None and not any(wanted.search(text) for text in must_say):
            text = gettext_noop("does not say what %(kind)s needs (%(language)s)")
            yield at(script, "must_say", text, kind=fraud_type, language=language_text(language))
    for node in script.nodes.values():
        if asked := asks_for(_said(node, language), rules):
            yield at(node, "asks", "asks for what a script never asks for: %(what)s", what=asked)
        if affirms_safe_account(_said(node, language), rules):
            text = gettext_noop("uses the fraudsters' words other than to deny them (%(language)s)")
            yield at(node, "safe_account", text, language=language_text(language))


def _opening(said: Sequence[Node], language: str, rules: Rules) -> Iterator[LintFinding]:
    """Faults of the opening. `said`: the nodes that speak up to and including the first question. The warning comes
    before that question, where no key and no voice can cut it off.
    """
    node, first = said[0], _said(said[0], language)
    checks = (
        ("bureau", "{bureau}" in first, gettext_noop("the opening does not name the bureau (%(language)s)")),
        (
            "stop",
            rules.stop_transfer.search(first),
            gettext_noop("the opening does not say to stop the transfer (%(language)s)"),
        ),
        (
            "stop",
            rules.hang_up.search(first),
            gettext_noop("the opening does not say to hang up on the other caller (%(language)s)"),
        ),
        (
            "machine",
            any(rules.machine.search(_said(node, language)) for node in said[:2]),
            gettext_noop("nothing says that a machine is speaking (%(language)s)"),
        ),
        (
            "caution",
            any(all(part.search(_said(node, language)) for part in rules.caution) for node in said[:-1]),
            gettext_noop("no caution about false police comes before the first question (%(language)s)"),
        ),
        (
            "stop",
            all((prompt := prompt_of(node)) and prompt.must_say for node in said[:-1]),
            gettext_noop("what comes before the first question can be cut off (%(language)s)"),
        ),
    )
    for rule, is_good, text in checks:
        if not is_good:
            yield at(node, rule, text, language=language_text(language))


def _message(script: Script, language: str) -> Iterator[LintFinding]:
    message = script.message.get(language, "")
    if not message:
        yield at(script, "message", "has no message in %(language)s", language=language_text(language))
        return
    bureau = script.variables["bureau"].defaults.get(language, "") if "bureau" in script.variables else ""
    for fault in message_findings(message.replace("{bureau}", bureau), language, bureau=bureau):
        text = gettext_noop("the message in %(language)s %(fault)s")
        yield at(script, "message", text, language=language_text(language), fault=fault)


def _texts(script: Script) -> Iterator[LintFinding]:
    """Prompts without words in a language that has no declared fallback."""
    for prompt in prompts_of(script):
        for language in script.languages:
            if language not in prompt.texts and language not in script.fallbacks:
                text = Text(
                    "has no text in %(language)s, and %(language)s has no fallback",
                    language=language_text(language),
                )
                yield _at_prompt(script, prompt, "text", text)


def _sound(script: Script, durations: Durations) -> Iterator[LintFinding]:
    """Prompts without sound in a language that they have words in."""
    for prompt in prompts_of(script):
        if any(needs_verification(script, text) for text in prompt.texts.values()):
            continue
        for language in script.languages:
            if language in prompt.texts and _spoken(script, prompt, language) not in durations:
                text = Text("has no sound in %(language)s", language=language_text(language))
                yield _at_prompt(script, prompt, "sound", text)


def _at_prompt(script: Script, prompt: Prompt, rule: str, problem: Text) -> LintFinding:
    node = next((node for node in script.nodes.values() if prompt_of(node) == prompt), None)
    if node is not None:
        return at(node, rule, problem)
    return at(script, rule, "%(prompt)s %(problem)s", prompt=prompt.id, problem=problem)


def _length(script: Script, durations: Durations) -> Iterator[LintFinding]:
    """Speech that takes too long: a person with a fraudster on another line does not listen for long."""
    texts = {
        _LONGEST_OPENING_SECONDS: gettext_noop(
            "the opening takes %(seconds)s s in %(language)s; %(most)s is allowed"
        ),
        LATEST_QUESTION_SECONDS: gettext_noop(
            "the first question begins after %(seconds)s s in %(language)s; %(most)s is allowed"
        ),
        _LATEST_ACKNOWLEDGEMENT_SECONDS: gettext_noop(
            "the last question is over after %(seconds)s s in %(language)s; %(most)s is allowed"
        ),
        _LONGEST_GOOD_PATH_SECONDS: gettext_noop(
            "takes %(seconds)s s to a good end in %(language)s; %(most)s is allowed"
        ),
    }
    for language in script.languages:
        before = [
            [
                _seconds(script, prompt, language, durations)
                for node in run[:-1]
                if (prompt := prompt_of(node))
            ]
            for run in first_said(script, script.start)
        ]
        if script.recorded is not None:
            recorded = _seconds(script, script.recorded, language, durations)
            before += [[recorded, *run[1:]] for run in before if run]
        found = (
            (_LONGEST_OPENING_SECONDS, max((run[0] for run in before if run), default=0.0)),
            (LATEST_QUESTION_SECONDS, max(map(sum, before), default=0.0)),
            (_LATEST_ACKNOWLEDGEMENT_SECONDS, acknowledged_seconds(script, language, durations)),
            (_LONGEST_GOOD_PATH_SECONDS, good_path_seconds(script, language, durations)),
        )
        for most, seconds in found:
            if seconds > most:
                values = {
                    "seconds": f"{seconds:.1f}",
                    "language": language_text(language),
                    "most": f"{most:.0f}",
                }
                yield at(script, "length", texts[most], **values)


def _seconds(script: Script, prompt: Prompt, language: str, durations: Durations) -> float:
    voice = next((voice for voice in script.voices_of(language) if voice in prompt.texts), None)
    return durations.get(_spoken(script, prompt, voice), 0.0) if voice else 0.0


def _spoken(script: Script, prompt: Prompt, language: str) -> tuple[str, str]:
    return language, with_defaults(script, prompt.texts[language], language)
