"""PDFs by LibreOffice: few at a time, so that no page waits for them."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from dialer.core.errors import Unavailable
from dialer.web.documents import as_pdf


def test_who_finds_three_waiting_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    go = tmp_path / "go"
    program = tmp_path / "soffice"
    program.write_text(f"#!/bin/sh\nwhile [ ! -e {go} ]; do sleep 0.02; done\ncp $0 ${{8%/*}}/document.pdf\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with ThreadPoolExecutor(4) as threads:
        made = [threads.submit(as_pdf, b"docx") for _ in range(4)]
        done, others = wait(made, return_when=FIRST_COMPLETED)
        go.touch()
        [refused] = done
        with pytest.raises(Unavailable, match="other documents are being made"):
            refused.result()
        assert all(other.result() == program.read_bytes() for other in others)
    assert as_pdf(b"docx") == program.read_bytes()
