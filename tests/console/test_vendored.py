"""Files of others are the ones that NOTICE names, and their licences lie beside them."""

from __future__ import annotations

import hashlib
import re

from dialer.web.rendering import STATIC

VENDOR = STATIC / "vendor"


def test_every_file_of_others_is_the_one_that_is_noted():
    notice = (VENDOR / "NOTICE").read_text(encoding="utf-8")
    noted = dict(re.findall(r"^(\S+\.js) .*\nsha256 ([0-9a-f]{64})$", notice, re.MULTILINE))
    assert set(noted) == {path.name for path in VENDOR.glob("*.js")}
    for name, digest in noted.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
        assert (VENDOR / f"{name.partition('.')[0]}.LICENSE").is_file()


def test_own_files_ask_nothing_of_other_machines():
    for path in [*STATIC.rglob("*.css"), *STATIC.glob("console/*.js")]:
        text = path.read_text(encoding="utf-8")
        assert "http:" not in text, path.name
        assert "https:" not in text, path.name
        assert "@import" not in text, path.name
