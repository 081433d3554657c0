"""What people ask and must say exists for every fraud type in both languages; the notice has no blank left."""

from __future__ import annotations

import re

import pytest

from dialer.core.values import FraudType
from dialer.work.desk import call_points, notice_text

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("fraud_type", FraudType)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_fraud_type_has_its_points(fraud_type: FraudType, language: str):
    points = call_points(fraud_type, language)
    for text in (points.title, points.question, points.must_say):
        assert text
        assert bool(HAN.search(text)) is (language == "zh")


@pytest.mark.parametrize("fraud_type", FraudType)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_notice_is_addressed_and_has_no_blank_left(fraud_type: FraudType, language: str):
    notice = notice_text(fraud_type, language, name="王小明", bureau="某局", hotline="047896110")
    text = "\n".join(notice.paragraphs)
    assert "王小明" in notice.paragraphs[0]
    assert call_points(fraud_type, language).must_say in notice.paragraphs
    assert "047896110" in text
    assert "110" in text
    assert not re.search(r"[{}]", text)


def test_a_safe_account_is_only_ever_denied():
    for fraud_type in FraudType:
        for text in (call_points(fraud_type, "zh").must_say,):
            assert "安全账户" not in text or "没有" in text
