"""Every refusal is data, and has its sentence in both languages."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import dialer
from dialer.approvals.actions import SampleUnread
from dialer.backup.actions import NothingToBackUp, NotPutBack
from dialer.backup.archive import CannotWrite, DamagedBackup, OtherKeys
from dialer.backup.store import NotAsBackedUp, NotEmpty
from dialer.calls.comparison import CallsUnderWay, NotCompared, RecordsGone
from dialer.cli.terminal import NotSignedIn
from dialer.core.errors import (
    Conflict,
    CountsBusy,
    DialerError,
    FileFault,
    Invalid,
    NoPhoneColumn,
    NotFound,
    NotPermitted,
    Overtaken,
    Refusal,
    SettingsError,
    TooMany,
    Unavailable,
    UnreadableFile,
    UnusableFile,
)
from dialer.core.second_person import SamePerson, SamePlace
from dialer.core.text import Lang, Text
from dialer.core.units import UnitFault, UnitField
from dialer.core.values import OutcomeKind
from dialer.db.key_state import WrongKeys
from dialer.db.keys import KeysRefused, TokenRefused
from dialer.db.leases import ServiceRuns
from dialer.db.migration_locks import LockHolder, LocksNotObtained
from dialer.db.migrations import MayNotMigrate, NewerDatabase, NotMigrated, SchemaMoved
from dialer.db.system_state import OtherSettings, RealRecords, Restored, SettingDifference
from dialer.db.unit_of_work import ReadOnlyDatabase
from dialer.db.units import AliasTaken
from dialer.db.vault import KeyMissing, Tampered
from dialer.demo.practice import PracticeRunsAlready
from dialer.demo.run import DemoRunsAlready, NoSipStack
from dialer.duty.actions import UnusableRoster
from dialer.figures.rate_tables import NoParquet
from dialer.intake.duty_lists import RosterFault
from dialer.keys.actions import KeyInUse, KeysWaiting
from dialer.language.sentences import refusal_sentence
from dialer.language.words import bilingual, sentence, word_of
from dialer.org.accounts import LoginTaken
from dialer.org.tree import UnusableUnits
from dialer.outcomes.ledger import AmountsConflict, EvidenceUnread
from dialer.phone.pages import ActRefused
from dialer.practice.actions import NoPractice, TaskInHand
from dialer.retention.erasure_register import (
    CannotRegister,
    ErasedAreBack,
    NoRegister,
    NotRegistered,
    OldRegister,
    RegisterLacks,
    UnreadableRegister,
)
from dialer.script_versions.actions import NotApproved, NotRendered, SameWords
from dialer.scripts.reading import ScriptUnreadable
from dialer.scripts.rendered import RenderedScriptMissing
from dialer.scripts.store import Version
from dialer.signals.deliveries import TooManySignals
from dialer.signals.evaluation import SnapshotUnreadable
from dialer.signals.fitting import LearningMissing, TooFewLabels
from dialer.signals.rules import RuleUnreadable
from dialer.signals.scorecard import ScorecardUnreadable
from dialer.signals.versions import RulesNotApproved
from dialer.staff.passwords import SignInBusy
from dialer.staff.sign_in import PasswordExpired, ScopeMissing, SignInBlocked, SignInRefused, UnknownToken
from dialer.staff.token_store import TokenScope
from dialer.telephony.public_address import PublicAddressBlocked
from dialer.telephony.webhooks import BadSignature
from dialer.work.tasks import CALL_MISSING, NoCall, NotArrived

_PROGRAMS = ("__main__", "runtime.guard")
"""Modules that run when they are imported."""
ROOT = Path(dialer.__file__).resolve().parent
HAN = re.compile(r"[\u4e00-\u9fff]")
NOW = datetime(2026, 11, 26, tzinfo=UTC)
VERSION = Version(
    id=1,
    script_id="loan",
    number=2,
    content_hash="",
    file="loan.toml",
    source="",
    bases={},
    drafted_by="li",
    drafted_at=NOW,
)
EXAMPLES = [
    DialerError("is missing"),
    Refusal("is missing"),
    NotFound(kind="unit", key=7),
    NotFound(kind="link", key=""),
    NotPermitted(who="li", roles=Text("%(role)s", role="x")),
    Conflict("the stop payment is done already"),
    Overtaken(
        Text("%(who)s has reported it already: %(outcome)s", who="li", outcome=OutcomeKind.REFUSES),
        who="li",
        what="refuses",
    ),
    NoCall(field="no_call", problem=CALL_MISSING, least_seconds=20),
    Invalid(field="minutes", problem="is not a length of a pause", fix="above 0 minutes, at most seven days"),
    NothingToBackUp(),
    NoParquet(),
    NotArrived(),
    CannotWrite(file=Path("one.backup"), why="No space left on device"),
    NotPutBack(draft=Path("recordings/.restoring"), place=Path("recordings"), why="Permission denied"),
    DamagedBackup(file=Path("one.backup"), problem="it is cut off"),
    OtherKeys(file=Path("one.backup"), made_with="index=1 1=2", here="index=1 1=3"),
    NoRegister(Path("erasures.jsonl")),
    UnreadableRegister(file=Path("erasures.jsonl"), line=3),
    UnreadableRegister(file=Path("erasures.jsonl"), line=3, is_torn=True),
    NotRegistered(file=Path("erasures.jsonl"), why="No space left on device"),
    RegisterLacks(file=Path("erasures.jsonl"), count=2),
    OldRegister(file=Path("erasures.jsonl"), count=2),
    ErasedAreBack(file=Path("erasures.jsonl"), count=2),
    CannotRegister(file=Path("erasures.jsonl"), why="No space left on device"),
    NotEmpty({"case": 5}),
    NotAsBackedUp({"case": (5, 4)}),
    NotCompared(Restored(backup_at=NOW, restored_at=NOW)),
    NotCompared(Restored(backup_at=NOW, restored_at=NOW, failover=True)),
    RecordsGone(backup_at=NOW),
    CallsUnderWay(count=2),
    UnusableFile("the file is empty; export the list again and load that"),
    *(UnreadableFile(code) for code in FileFault),
    NoPhoneColumn(
        "the list has no phone column; name it 手机号 or phone in a heading row and load it again",
        headings=(),
    ),
    SettingsError(key="web.port", problem="is not known"),
    Unavailable(part="database", problem="every connection of this process is busy"),
    ReadOnlyDatabase(),
    CountsBusy(),
    UnknownToken(),
    ScopeMissing(scope=TokenScope.REPORT_READ),
    UnusableUnits(
        (UnitFault(line=2, field=UnitField.NAME, problem=Text("no name"), fix=Text("write its name")),), {}
    ),
    UnusableRoster((RosterFault(line=2, column="7", problem=Text("no name"), fix=Text("write its name")),)),
    NotApproved(script_id="loan", number=2, findings=()),
    NotRendered(script_id="loan", number=2, missing=3, render=None),
    RulesNotApproved(number=2, findings=()),
    RuleUnreadable(file="a.toml", rule="a", problem=Text("has no condition"), fix=Text("has no condition")),
    ScorecardUnreadable(Text("is not the JSON of a scorecard")),
    SnapshotUnreadable(),
    TooFewLabels(positive=3, negative=4),
    LearningMissing(),
    SameWords(VERSION),
    SampleUnread((7, 9), of=11),
    EvidenceUnread((7,)),
    AmountsConflict(9, (7,)),
    SignInRefused(),
    SignInBlocked(until=NOW),
    SignInBusy(),
    LoginTaken("zhao"),
    SamePerson(),
    SamePlace("zhang@server"),
    NotSignedIn("zhao"),
    AliasTaken("城关所"),
    TooManySignals("mobile", 12.5),
    TooMany(Text("you have %(n)s files that are not loaded yet: load or discard some first", n=20)),
    PasswordExpired(),
    RenderedScriptMissing(script_id="loan", version_id=None),
    BadSignature(reason="it has no signature"),
    PublicAddressBlocked(
        Text("%(url)s: %(why)s", url="https://calls.example.cn", why=Text("no connection")), fix="start"
    ),
    ActRefused("keys: only 0-9, * and #"),
    RuleUnreadable(
        file="app_listed.toml",
        rule="app_listed",
        problem=Text("has no condition"),
        fix=Text("write true or false"),
    ),
    ScorecardUnreadable(Text("is not the JSON of a scorecard")),
    TooFewLabels(positive=3, negative=400),
    LearningMissing(),
    SnapshotUnreadable(),
    ScriptUnreadable(file="loan.toml", line=3, node="warn", problem="has no text in the default language"),
    SchemaMoved(found="", built_for="0042"),
    NewerDatabase(found="0043", newest="0042"),
    MayNotMigrate(found="0041", newest="0042"),
    NotMigrated(found="0041", newest="0042"),
    LocksNotObtained(seconds=120, holder=None),
    LocksNotObtained(
        seconds=120,
        holder=LockHolder(
            pid=42,
            application_name="dialer backup",
            host="10.0.0.7",
            since=NOW,
            statement="COPY attempt TO STDOUT",
        ),
    ),
    WrongKeys(),
    RealRecords(),
    OtherSettings([SettingDifference(setting="centre.timezone", recorded="Asia/Shanghai", here="UTC")]),
    ServiceRuns(holder="station pid 42", since=NOW),
    KeysRefused(source=None, problem="two keys are the same"),
    KeysRefused(source="keys.toml", problem="is not a regular file"),
    KeyInUse(key_id=1, uses={"person.sealed": 3}),
    KeysWaiting(key_ids=[4, 5], processes=["web:host:12"]),
    TokenRefused("the extra pkcs11 is not installed: pip install 'dialer[pkcs11]'"),
    Tampered(table="person", column="sealed", row=7),
    KeyMissing(key_id=2, table="person", column="sealed", row=7),
    DemoRunsAlready(),
    NoPractice(),
    PracticeRunsAlready(),
    TaskInHand(),
    NoSipStack(),
]


def classes(kind: type[DialerError] = DialerError) -> Iterator[type[DialerError]]:
    """`kind` and every class below it that the product defines."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith("dialer."):
            yield from classes(below)


def test_every_class_has_an_example():
    for module in pkgutil.walk_packages(dialer.__path__, "dialer."):
        if not module.name.endswith(_PROGRAMS):
            importlib.import_module(module.name)
    assert {type(one) for one in EXAMPLES} == set(classes())


@pytest.mark.parametrize("fault", EXAMPLES, ids=lambda fault: type(fault).__name__)
def test_every_refusal_has_its_sentence_in_both_languages(fault: DialerError):
    chinese, english = refusal_sentence(fault, Lang.ZH), refusal_sentence(fault, Lang.EN)
    assert HAN.search(chinese)
    assert not HAN.search(english.replace("手机号", ""))
    assert "%(" not in chinese + english
    assert HAN.search(sentence(fault.text, Lang.ZH))
    assert sentence(fault.text, Lang.EN) == english or isinstance(fault, Invalid | Overtaken)


def test_what_has_no_key_is_named_alone():
    missing = NotFound(kind="link", key="")
    assert refusal_sentence(missing, Lang.EN) == "link does not exist"
    assert refusal_sentence(missing, Lang.ZH) == "链接不存在"


def test_a_word_of_the_trade_is_one_in_each_language():
    fault = next(one for one in EXAMPLES if isinstance(one, Overtaken))
    assert refusal_sentence(fault, Lang.ZH) == "li 已反馈：" + word_of(OutcomeKind.REFUSES, Lang.ZH)
    assert refusal_sentence(fault, Lang.EN) == "li has reported it already: refuses"


_SENTENCES = {"Refusal": 0, "Conflict": 0, "UnusableFile": 0, "Overtaken": 0, "NoPhoneColumn": 0, "Text": 0}
_NAMED = {"Invalid", "SettingsError", "Unavailable", "ScriptUnreadable", "KeysRefused", "UnitFault"}


def test_every_template_is_a_literal():
    """A sentence that is put together first would have no Chinese."""
    made = []
    for path in sorted(ROOT.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func)
            given = [call.args[_SENTENCES[name]]] if name in _SENTENCES and call.args else []
            given += [one.value for one in call.keywords if name in _NAMED and one.arg in {"problem", "fix"}]
            made += [
                f"{path.relative_to(ROOT)}:{one.lineno} {ast.unparse(one)}"
                for one in given
                if isinstance(one, ast.JoinedStr | ast.BinOp | ast.Call) and not _is_text(one)
            ]
    assert made == []


def _is_text(given: ast.expr) -> bool:
    return isinstance(given, ast.Call) and ast.unparse(given.func) in {
        "Text",
        "Text.load",
        "Text.of",
        "gettext_noop",
        "sound_flaw",
        "_unknown",
        "_short",
    }


def test_a_text_comes_back_from_a_column_as_it_was():
    text = Text("%(first)s; %(next)s", first=Text("no name"), next=Text("is missing"))
    assert Text.load(text.dump()) == text
    assert str(Text.load("the file is empty; export the list again and load that")).startswith(
        "the file is empty"
    )


@pytest.mark.parametrize("stored", ["12", "null", '"x"', "[1]", "99 %", "{}", '{"text": 1}'])
def test_any_other_string_of_a_column_is_a_text_without_places(stored: str):
    assert str(Text.load(stored)) == stored


def test_both_languages_stand_side_by_side_where_the_reader_is_not_known():
    assert bilingual("no name") == "单位名称为空 (no name)"
    assert bilingual("never translated") == "never translated"
