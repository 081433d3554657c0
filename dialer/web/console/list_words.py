"""What the fields of a list are called, and what is wrong with one, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dialer.domain.values import Grade
from dialer.errors import NoPhoneColumn, UnusableFile
from dialer.intake.records import Field, NoticeCode
from dialer.language import Lang, mark, say
from dialer.words import word

FIELDS: Mapping[Field, str] = {
    Field.INSTRUCTION_NO: mark("Instruction no."),
    Field.SOURCE: mark("Source"),
    Field.KIND: mark("Kind of warning"),
    Field.FRAUD_TYPE: mark("Fraud type"),
    Field.GRADE: mark("Grade"),
    Field.NAME: mark("Name"),
    Field.PHONE: mark("Phone"),
    Field.ID_NUMBER: mark("Id number"),
    Field.ADDRESS: mark("Home address"),
    Field.UNIT: mark("Area or unit"),
    Field.FAMILY_CONTACT: mark("Family contact"),
    Field.FRAUD_NUMBERS: mark("Fraud number"),
    Field.FRAUD_URL: mark("Fraud site"),
    Field.FRAUD_APP: mark("Fraud app"),
    Field.FRAUD_ACCOUNT: mark("Fraud account"),
    Field.TALK_SECONDS: mark("Talk time"),
    Field.AMOUNT_AT_RISK: mark("Amount at risk"),
    Field.AMOUNT_PAID: mark("Amount already paid"),
    Field.EVENT_AT: mark("Happened at"),
    Field.PRODUCED_AT: mark("Warned at"),
    Field.EXPIRES_AT: mark("Expires"),
    Field.TAGS: mark("Tags"),
    Field.REMARKS: mark("Remarks"),
    Field.ROW_NUMBER: mark("Row number (not kept)"),
    Field.REJECTION: mark("Reason of an earlier refusal (not kept)"),
}

NOTICES: Mapping[NoticeCode, str] = {
    NoticeCode.GRADE_DEFAULTED: mark("No grade: taken as %(grade)s."),
    NoticeCode.ID_INVALID: mark("The id number fails its check: nobody is recognised by it."),
    NoticeCode.ID_DIGITS_LOST: mark("The spreadsheet lost digits of the id number."),
    NoticeCode.FRAUD_TYPE_UNKNOWN: mark("A fraud type that is in no list of ours."),
    NoticeCode.KIND_UNKNOWN: mark("A kind of warning that is in no list of ours."),
    NoticeCode.UNIT_UNKNOWN: mark("A unit that is not registered: its cases wait to be sorted."),
    NoticeCode.PHONE_PART_UNUSABLE: mark("One of several numbers cannot be rung; the others are."),
    NoticeCode.TALK_UNREADABLE: mark("A talk time that cannot be read."),
    NoticeCode.TAG_UNKNOWN: mark("A tag that is in no list of ours."),
    NoticeCode.TIME_IN_FUTURE: mark("A time that has not come yet."),
    NoticeCode.MISSED: mark("Expired before it came, of a high grade: somebody must explain it."),
    NoticeCode.EXTRA_CELLS: mark("More cells than headings; they are kept in the remarks."),
}

UNUSABLE = (
    mark("the file is empty; export the list again and load that"),
    mark("the workbook is empty; export the list again and load that"),
    mark("the list has headings but no rows below them; nothing was loaded"),
    mark("the file is a picture, not a target list; save the list as xlsx or csv and load that"),
    mark("the file is a PDF, not a target list; save the list as xlsx or csv and load that"),
    mark("the file is an archive, not a target list; save the list as xlsx or csv and load that"),
    mark("the file is a web page, not a workbook; open it, save it as xlsx and load that"),
    mark("the workbook is protected by a password; save it without one and load it again"),
    mark("the workbook cannot be opened; open it in a spreadsheet program, save it as xlsx and load that"),
    mark("the workbook is too large to be opened; save the list as csv and load that"),
    mark("a workbook of the kind xlsb is not read; save it as xlsx and load that"),
    mark("a sheet has a stray cell far from its list; copy the list to a new sheet and load that"),
    mark("the file is neither a text list nor a workbook; save the list as xlsx or csv and load that"),
    mark("a line of the file is longer than a million characters; save the list as xlsx and load that"),
)
"""What the intake says of a file that is no list, for the catalogue."""

_NO_PHONE = mark(
    "the list has no phone column; name it 手机号 or phone in a heading row, or say below which column it is"
)
_BOTH = re.compile(r"(?s)(.+?) ?\(([^()]+)\)")


def unusable_words(fault: UnusableFile, lang: Lang) -> str:
    """One sentence with its mend."""
    return say(lang, _NO_PHONE if isinstance(fault, NoPhoneColumn) else str(fault))


def notice_words(code: NoticeCode, lang: Lang, *, default_grade: Grade) -> str:
    """Why accepted rows deserve a look."""
    facts = {"grade": word(default_grade, lang)} if code is NoticeCode.GRADE_DEFAULTED else {}
    return say(lang, NOTICES[code], **facts)


def reason_words(reason: str, lang: Lang) -> str:
    """A refusal of the intake is in both languages, for the office's own file; on a page it is in one."""
    found = [_BOTH.fullmatch(part) for part in reason.split("；")]
    parts = [match[1] if lang is Lang.ZH else match[2] for match in found if match is not None]
    return ("；" if lang is Lang.ZH else "; ").join(parts) if len(parts) == len(found) else reason
