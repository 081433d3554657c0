"""What the fields of a list are called, and what is wrong with one, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.domain.values import Grade
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


def notice_words(code: NoticeCode, lang: Lang, *, default_grade: Grade) -> str:
    """Why accepted rows deserve a look."""
    facts = {"grade": word(default_grade, lang)} if code is NoticeCode.GRADE_DEFAULTED else {}
    return say(lang, NOTICES[code], **facts)
