"""Chinese words that were given up for another one: what is said to people has none of them. Each has one word in its
place, so that a reader of a page, a command and a document meets the same one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.words import CATALOGUE, GLOSSARY

ROOT = Path(__file__).resolve().parents[2]
INSTEAD = {
    "未阅报警": "未阅告警",
    "逾期报警": "告警",
    "压住": "暂停期间待拨",
    "无回音": "通话状态核对",
    "后续步骤": "待办巡检",
    "我方线路": "本方线路",
    "立卷": "建单",
    "结案": "办结",
    "虚拟截止": "排队优先时间",
    "紧急度": "排队优先时间",
    "新立案": "新建预警单",
    "拒绝行": "未通过数据",
    "按此理解": "应用列对应关系",
    "今日本人": "我的今日",
    "见到谁": "见面对象",
    "当面必须讲": "当面告知要点",
    "劝住": "劝阻成功",
    "核身": "核实本人",
    "暂定": "待确认",
    "暂计": "待确认",
    "九成以内": "90分位",
    "(?<!任)何人": "操作人",
    "脚本 script": "话术",
    "漏处": "漏办",
    "漏劝": "漏办",
    "漏掉": "遗漏",
    "已上报|未上报": "反馈",
    "串并": "匹配",
    "转给谁": "接办人",
    "无人签收，已升": "提级",
    "转派": "移交",
    "转办": "移交",
    "坐席人员": "劝阻员",
    "拟转": "涉险金额",
    "API 令牌": "接口令牌",
    "审核": "审批",
    "批准": "审批",
    "电话网络": "电话网",
    "线路通话记录": "电话网通话记录",
    "线路中断，": "电话网中断",
    "什么都": "任何内容",
    "什么也": "任何内容",
    "看一眼": "核对",
    "弄清": "试验目的",
    "动静": "操作",
}
"""What is not said any more, as a pattern, and what is said in its place."""


def catalogue() -> Iterator[tuple[str, str]]:
    for number, line in enumerate(CATALOGUE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("msgstr"):
            yield f"{CATALOGUE.name}:{number}", line


def commands() -> Iterator[tuple[str, str]]:
    """The literals of the commands: headings in two languages, answers, and docstrings, which are their help."""
    for path in sorted((ROOT / "dialer" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.name}:{node.lineno}", node.value


def glossary() -> Iterator[tuple[str, str]]:
    for number, line in enumerate(GLOSSARY.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("|"):
            yield f"{GLOSSARY.name}:{number}", line


def front_page() -> Iterator[tuple[str, str]]:
    text = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        yield f"README.zh-CN.md:{number}", line


@pytest.mark.parametrize("said", [catalogue, commands, glossary, front_page])
def test_nobody_is_told_a_word_that_was_given_up(said: Callable[[], Iterator[tuple[str, str]]]):
    lines = list(said())
    assert any(re.search("[一-鿿]", text) for _place, text in lines), "nothing Chinese was read"
    found = [
        f"{place}: say {instead}: {text.strip()}"
        for given_up, instead in INSTEAD.items()
        for place, text in lines
        if re.search(given_up, text)
    ]
    assert not found, "\n".join(found)
