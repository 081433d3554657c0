"""The rules for what a script may say and must say, by language. Patterns only; the shape of the graph is elsewhere.

They hold the wording of the trade: stop first, name the bureau, ask for nothing, deny the safe account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dialer.domain.values import FraudType


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One language's patterns. `excused` makes a clause with a `risky` word harmless: a denial, or another's words."""

    sentence_end: re.Pattern[str]
    clause_end: re.Pattern[str]
    stop_transfer: re.Pattern[str]
    hang_up: re.Pattern[str]
    machine: re.Pattern[str]
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
    sentence_end=re.compile(r"[。！？]"),
    clause_end=re.compile(r"[，。！？；：,;:?!]"),
    stop_transfer=_any("(?:不要|停止|别|不再|勿)(?:再)?(?:转账|汇款|付款)"),
    hang_up=_any("挂断", "挂掉"),
    machine=_any("机器人", "自动语音", "语音系统"),
    caution=(
        _any("假警察", "冒充警察"),
        _any("挂断", "挂掉"),
        _any(r"区号.{0,4}(?:\{hotline\}|96110)"),
        _any("110"),
        _any("派出所"),
    ),
    risky=_any(
        "链接",
        "网址",
        "网站",
        "登录",
        "登陆",
        "注册",
        "下载",
        "安装",
        "密码",
        "验证码",
        "卡号",
        "扫码",
        "二维码",
        "屏幕共享",
        "共享屏幕",
        "转账",
        "汇款",
        "转到",
        "汇到",
        "打到",
        "转入",
        "身份证号",
    ),
    excused=_any(
        "不",
        "别",
        "勿",
        "没",
        "停",
        "从来",
        "谁也",
        "关掉",
        "退出",
        "让您",
        "要您",
        "叫您",
        "让你",
        "带您",
        "自称",
        "说您",
        "诈骗",
        "骗子",
        "之前",
        "已经",
        "金额",
        "记录",
        "的$",
    ),
    demand=_any(
        r"请(?:您|你)?(?:先|马上|现在|立即|尽快)?(?:点击|点开|打开链接|登录|登陆|下载|安装|扫码|转账|汇款|把.{0,8}(?:转|汇|打)(?:到|入|给))",
        r"(?:提供|告诉我|报一下|说一下|输入).{0,10}(?:密码|验证码|卡号|身份证)",
    ),
    safe_account=_any("安全账户", "资金清查"),
    denial=_any("没有", "绝不", "从不", "不存在", "绝没有", "哪有", "不会"),
    must_say={
        FraudType.FAKE_ORDER_REBATE: _any("先付钱的刷单.*诈骗.*小钱"),
        FraudType.INVESTMENT: _any("内幕.*(?:稳赚|保证赚钱).*回报.*诈骗"),
        FraudType.SHOPPING: _any("离开平台付款.*诈骗"),
        FraudType.FAKE_CUSTOMER_SERVICE: _any("退款.*不用.*卡号.*验证码.*关掉.*手机卡"),
        FraudType.LOAN: _any("放款之前.*诈骗"),
        FraudType.CREDIT: _any("征信.*不能.*转账"),
        FraudType.BOSS_OR_ACQUAINTANCE: _any("转账之前.*打电话给本人"),
        FraudType.POLICE_IMPERSONATION: _any("不会.*办案.*安全账户"),
        FraudType.ROMANCE: _any("没见过面.*诈骗.*家里人"),
        FraudType.GAME_TRADE: _any("游戏.*诈骗.*家长"),
    },
)
EN = Rules(
    sentence_end=re.compile(r"[.!?](?=\s|$)"),
    clause_end=re.compile(r"[.!?](?=\s|$)"),
    stop_transfer=_any(r"(?:do not|don't|stop|never) (?:transfer|pay)"),
    hang_up=_any(r"hang up"),
    machine=_any("automatic", "robot", "machine", "recorded voice"),
    caution=(
        _any("fake police"),
        _any("hang up"),
        _any(r"area code and (?:\{hotline\}|96110)"),
        _any(r"\b110\b"),
        _any("police station"),
    ),
    risky=_any(
        r"\blinks?\b",
        r"website",
        r"log ?in",
        r"sign in",
        r"install",
        r"download",
        r"password",
        r"(?<!area )\bcodes?\b",
        r"\bcard\b",
        r"transfer",
        r"\bpay\b",
        r"share your screen",
        r"QR",
    ),
    excused=_any(
        r"\bnot\b",
        r"\bnever\b",
        r"\bno\b",
        r"\bnobody\b",
        r"\banybody\b",
        r"\banyone\b",
        r"n't\b",
        r"\bstop\b",
        r"\bhas\b",
        r"\bdid\b",
        r"\basked?\b",
        r"fraud",
        r"\bcannot\b",
        r"\bbefore\b",
        r"keep the record",
        r"take out",
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
        FraudType.BOSS_OR_ACQUAINTANCE: _any("before any transfer, ring"),
        FraudType.POLICE_IMPERSONATION: _any("never handle a case by telephone.*no safe account"),
        FraudType.ROMANCE: _any("fraud.*family"),
        FraudType.GAME_TRADE: _any("fraud.*parents"),
    },
)
RULES: Mapping[str, Rules] = {"zh": ZH, "en": EN}


def first_sentence(text: str, rules: Rules) -> str:
    return rules.sentence_end.split(text, maxsplit=1)[0]


def asks_for(text: str, rules: Rules) -> str:
    """The clause that asks for what a script must never ask for; empty when there is none."""
    for clause in rules.clause_end.split(text):
        if rules.demand.search(clause) and not rules.denial.search(clause):
            return clause.strip()
        if rules.risky.search(clause) and not rules.excused.search(clause.strip()):
            return clause.strip()
    return ""


def affirms_safe_account(text: str, rules: Rules) -> bool:
    """Whether the words of the fraudsters are used other than to deny them."""
    return any(
        rules.safe_account.search(clause) and not rules.denial.search(clause)
        for clause in rules.clause_end.split(text)
    )
