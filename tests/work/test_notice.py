"""The printed notice: complete in both languages, with its printing in the audit."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.errors import Invalid, NotFound
from dialer.core.values import FraudType
from dialer.db import tables as t
from dialer.work.desk import call_points, notice_text
from dialer.work.visits import print_notice
from tests.outcomes.town import ID_NUMBER, NAME
from tests.work.bureau import Bureau


def test_the_notice_of_a_case(bureau: Bureau):
    person = bureau.person(name=NAME, id_number=ID_NUMBER)
    case_id = bureau.open_case(person_id=person, fraud_type=FraudType.INVESTMENT, unit="临河分局")
    notice = print_notice(bureau.services, unrestricted("officer"), case_id)
    assert (notice.person.name, notice.person.id_number, notice.unit) == (NAME, ID_NUMBER, "临河分局")
    for language, bureau_name in {"zh": "某市公安局", "en": "City Police"}.items():
        kind, given = notice.fraud_type, {"name": NAME, "bureau": bureau_name, "hotline": "047896110"}
        text = "\n".join(notice_text(kind, language, **given).paragraphs)
        assert all(one in text for one in given.values())
        assert call_points(FraudType.INVESTMENT, language).must_say in text
    (line,) = bureau.rows(sa.select(t.audit))
    assert (line["who"], line["act"], line["subject"]) == ("officer", "print_notice", f"case/{case_id}")
    assert NAME not in str(dict(line))


def test_an_unknown_case_and_an_empty_name_are_refused(bureau: Bureau):
    with pytest.raises(NotFound):
        print_notice(bureau.services, unrestricted("officer"), 99)
    with pytest.raises(Invalid):
        print_notice(bureau.services, unrestricted(""), 99)
    assert bureau.audited() == []
