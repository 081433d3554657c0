"""Lists of signals: tables with headings in Chinese or English become raw records by the names of the fields of a
signal. Pure. `SignalReader` reads the fields themselves, by the same rules for all sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dialer.core.errors import UnusableFile
from dialer.intake.cells import cleaned, folded, is_blank
from dialer.intake.headings import KnownTable, Row, SourceTable, heading_row, known_tables
from dialer.intake.records import Column

_HEADINGS: Final = {
    "signal_no": "信号编号 编号 流水号 序列号 话单号 signalno signalid number_of_signal id",
    "source": "来源 数据来源 信号来源 source",
    "kind": "类型 信号类型 种类 kind type signaltype",
    "event_at": "时间 发生时间 事件时间 通话时间 交易时间 开始时间 eventat time eventtime occurredat",
    "phone": "手机号 手机号码 电话 用户号码 本机号码 当事人电话 受害人电话 phone mobile subscriber",
    "id_number": "证件号 证件号码 身份证号 身份证号码 idnumber idcard idno",
    "number": "对方号码 对端号码 涉诈号码 主叫号码 号码 number othernumber peer caller",
    "domain": "域名 网址 网站 涉诈网址 domain url site",
    "app": "应用 软件 包名 涉诈应用 应用名称 app package",
    "account": "账号 账户 收款账号 收款账户 对方账号 涉诈账户 银行卡号 account payee payeeaccount",
    "amount": "金额 金额元 交易金额 交易金额元 转账金额 转账金额元 amount amountyuan",
    "amount_fen": "金额分 amountfen",
    "direction": "方向 呼叫方向 direction",
    "duration_seconds": "时长 通话时长 时长秒 durationseconds duration seconds",
    "overseas": "境外 是否境外 overseas",
    "new_payee": "首次收款人 新收款人 newpayee",
    "screen_sharing": "屏幕共享 screensharing",
    "from_store": "应用商店 fromstore",
    "new_device": "新设备 newdevice",
    "failed": "失败 是否失败 failed",
    "has_link": "含链接 带链接 haslink",
    "topic": "主题 内容类别 topic",
    "fraud_type": "诈骗类型 fraudtype",
    "grade": "等级 预警等级 grade",
    "reporter": "报告人 举报人类别 reporter",
    "list_kind": "名单类型 名单性质 listkind",
    "list_name": "名单名称 名单 listname list",
    "change": "变更 变更类型 change",
}
_KNOWN: Final = {word: field for field, words in _HEADINGS.items() for word in words.split()}
_KNOWN.update({field.replace("_", ""): field for field in _HEADINGS})
_NOISE: Final = str.maketrans("", "", " _-:：.·()（）[]【】/*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSignal:
    """One row: its line as a person counts it, and its cells by field name, without blank cells."""

    line: int
    cells: Mapping[str, str]
    raw: tuple[str, ...]
    table: KnownTable[str]


class SignalRows:
    """The rows of all tables of a file that are lists of signals. After the last row, `columns` tells how the columns
    were read.
    """

    def __init__(self, tables: Iterator[SourceTable]) -> None:
        self.columns: tuple[Column, ...] = ()
        self._tables = tables

    def __iter__(self) -> Iterator[RawSignal]:
        """Every row with a value. Raises `UnusableFile` if no table is a list of signals."""
        for table in known_tables(self._tables, signal_heading):
            self.columns += table.columns
            for line, cells in table.rows:
                held = {
                    field: text
                    for field, place in table.fields.items()
                    if place < len(cells) and not is_blank(folded(text := cleaned(cells[place])))
                }
                if held:
                    yield RawSignal(line=line, cells=held, raw=tuple(cells), table=table)
        if not self.columns:
            raise UnusableFile(
                "no list of signals: head the columns 类型 or kind, 时间 or event_at, and 信号编号 or signal_no"
            )


def signal_heading(rows: Sequence[Row]) -> tuple[int, dict[str, int]] | None:
    """Like `heading_row`, for tables with the kind, the time and the number of a signal."""
    return heading_row(
        rows,
        lambda heading: _KNOWN.get(folded(heading).translate(_NOISE)),
        lambda known: {"kind", "event_at", "signal_no"} <= set(known),
    )
