"""The head of the audit is noted outside the database: in a file, at a syslog server, with a time stamp."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest.mock import ANY

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dialer.audit import trail
from dialer.audit.trail import (
    anchor_trail,
    check_new_lines,
    note_restore,
    read_anchors,
    read_trail_state,
    recent_anchors,
    stamped_at,
    verify_trail,
)
from dialer.core.access import unrestricted
from dialer.core.errors import Invalid, SettingsError
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.db.audit import check_trail
from dialer.runtime.sections import AuditSettings
from dialer.runtime.settings import load_settings
from tests.audit.test_audit_trail import alarm_codes, found, owner, write
from tests.control.scene import Assemble, Scene
from tests.full_disk import files_of_at_most

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ten(scene: Scene) -> Scene:
    write(scene.store, 10)
    return scene


@pytest.fixture
def anchored(ten: Scene, tmp_path: Path) -> AuditSettings:
    """Ten lines, anchored at the eighth and at the tenth."""
    settings = AuditSettings(anchor_file=tmp_path / "anchors")
    anchor_trail(ten.services, settings)
    write(ten.store, 2)
    anchor_trail(ten.services, settings)
    return settings


def against(scene: Scene, text: str) -> list[tuple[str, int | None, int | None]]:
    anchors, foreign = read_anchors(scene.store.vault, text)
    assert not foreign
    with scene.store.begin() as tx:
        return found(check_trail(tx, anchors=anchors))


def test_the_file_grows_by_a_line_when_the_head_has_moved(ten: Scene, anchored: AuditSettings):
    assert anchored.anchor_file is not None
    anchor_trail(ten.services, anchored)
    lines = anchored.anchor_file.read_text().splitlines()
    assert [json.loads(line)["audit_anchor"]["number"] for line in lines] == [10, 12]
    assert anchored.anchor_file.stat().st_mode & 0o777 == 0o600
    assert against(ten, anchored.anchor_file.read_text()) == []
    anchor_trail(ten.services, anchored, always=True)
    assert len(anchored.anchor_file.read_text().splitlines()) == 3


def test_an_anchor_that_the_disk_took_in_part_is_no_line(ten: Scene, anchored: AuditSettings):
    """It made the next one unreadable, and two lines that were none of ours."""
    file = anchored.anchor_file
    assert file is not None
    text = file.read_text()
    with files_of_at_most(len(text) + 60):
        _, faults = anchor_trail(ten.services, anchored, always=True)
    assert "file" in faults
    assert file.read_text() == text
    assert anchor_trail(ten.services, anchored, always=True)[1] == {}
    anchors, foreign = read_anchors(ten.store.vault, file.read_text())
    assert (len(anchors), foreign) == (3, 0)


def test_lines_cut_off_at_the_end_are_named_by_the_anchor(ten: Scene, anchored: AuditSettings):
    """Whoever cut them off has set the head back, so that the database alone shows nothing."""
    assert anchored.anchor_file is not None
    text = anchored.anchor_file.read_text()
    kept = ten.rows(sa.select(t.audit.c.chain).where(t.audit.c.number == 9))[0]["chain"]
    owner(ten, "DELETE FROM audit WHERE number > 9")
    ten.do(sa.update(t.audit_head).values(number=9, chain=kept))
    assert against(ten, "") == []
    assert against(ten, text) == [("missing", 10, 12), ("anchor", 12, None)]
    write(ten.store, 5)
    assert against(ten, text) == [("anchor", 10, None), ("anchor", 12, None)]


def test_the_next_round_finds_that_the_end_was_cut_off(ten: Scene, anchored: AuditSettings):
    """Also where what the last round reached was set back with the head."""
    vault = ten.store.vault
    owner(ten, "DELETE FROM audit WHERE number > 9")
    owner(ten, "UPDATE audit_head SET number = 9, chain = (SELECT chain FROM audit WHERE number = 9)")
    ten.do(sa.delete(t.heartbeat))
    assert recent_anchors(vault, None) == recent_anchors(vault, Path("/nowhere")) == []
    anchors = recent_anchors(vault, anchored.anchor_file)
    for _ in range(2):
        verdict = check_new_lines(ten.services, anchors=anchors)
        assert found(verdict) == [("missing", 10, 12), ("anchor", 12, None)]
    write(ten.store, 5)
    for _ in range(2):
        assert ("anchor", 10, None) in found(check_new_lines(ten.services, anchors=anchors))
    with ten.store.begin() as tx:
        assert read_trail_state(tx).found == 3 + 2
    owner(ten, "DELETE FROM audit WHERE number = 10")
    assert ("missing", 10, None) in [
        (one.flaw.value, one.number, one.of)
        for one in check_new_lines(ten.services, anchors=anchors).findings
    ]


def test_everything_deleted_is_named_by_the_anchor(ten: Scene, anchored: AuditSettings):
    assert anchored.anchor_file is not None
    owner(ten, "DELETE FROM audit")
    ten.do(sa.update(t.audit_head).values(number=0, chain=b""))
    assert against(ten, "") == []
    assert against(ten, anchored.anchor_file.read_text()) == [("missing", 1, 12), ("anchor", 12, None)]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"number": 12', '"number": 11'), ('"at": "2', '"at": "1'), ('"seal": "01', '"seal": "02')],
)
def test_a_forged_anchor_is_none_of_ours(ten: Scene, anchored: AuditSettings, old: str, new: str):
    assert anchored.anchor_file is not None
    text = anchored.anchor_file.read_text().splitlines()[1]
    assert old in text
    assert read_anchors(ten.store.vault, text.replace(old, new)) == ([], 1)
    assert read_anchors(ten.store.vault, '{"audit_anchor": {}}\n{"audit_anchor": 7}\nelse') == ([], 2)


@pytest.mark.parametrize("scheme", ["udp", "tcp", "unix"])
def test_a_syslog_server_gets_a_message_that_is_an_anchor(ten: Scene, tmp_path: Path, scheme: str):
    kind = socket.SOCK_STREAM if scheme == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_UNIX if scheme == "unix" else socket.AF_INET, kind) as server:
        if scheme == "unix":
            server.bind(str(tmp_path / "log"))
            address = f"unix://{tmp_path / 'log'}"
        else:
            server.bind(("127.0.0.1", 0))
            address = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        if scheme == "tcp":
            server.listen(1)
        _, faults = anchor_trail(ten.services, AuditSettings(anchor_syslog=address))
        assert not faults
        if scheme == "tcp":
            connection, _ = server.accept()
            with connection:
                length, _, message = connection.recv(65536).partition(b" ")
            assert len(message) == int(length)
        else:
            message = server.recv(65536)
    assert message.startswith(b"<109>1 ")
    [anchor], _ = read_anchors(ten.store.vault, message.decode())
    assert anchor.number == 10


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"anchor_file": Path("/proc/nowhere/anchors")}, "file"),
        ({"anchor_syslog": "tcp://127.0.0.1:1"}, "syslog"),
        ({"anchor_file": Path("anchors"), "anchor_tsa_url": "http://127.0.0.1:1/"}, "tsa"),
    ],
)
def test_a_place_that_takes_nothing_raises_an_alarm_and_is_tried_again(
    ten: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], place: str
):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        anchor, faults = anchor_trail(ten.services, AuditSettings(**settings))
        assert anchor is not None
        assert list(faults) == [place]
    assert alarm_codes(ten) == {AlarmCode.ANCHOR_FAILED}
    if place == "tsa":
        assert len((tmp_path / "anchors").read_text().splitlines()) == 2


def test_a_place_that_fails_in_a_way_nobody_expected_does_not_count_as_written(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(trail, "_writing", {})
    faults: dict[str, str] = {}

    def write() -> None:
        raise ZeroDivisionError

    trail._within("file", write, faults)
    assert faults == {"file": "ZeroDivisionError"}


def test_storage_that_hangs_delays_the_other_places_once(
    ten: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A named pipe that nobody reads: to open it for writing waits for ever."""
    monkeypatch.setattr(trail, "_PLACE_SECONDS", 0.2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        settings = AuditSettings(anchor_file=pipe, anchor_syslog=f"udp://127.0.0.1:{server.getsockname()[1]}")
        for problem in ("no answer", "the last write has not ended"):
            _, faults = anchor_trail(ten.services, settings)
            assert faults == {"file": problem}
            assert server.recv(65536)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    trail._writing["file"].join(10)
    os.close(reader)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUDIT__ANCHOR_SYSLOG", "host:514"),
        ("AUDIT__ANCHOR_SYSLOG", "tcp://host"),
        ("AUDIT__ANCHOR_TSA_URL", "https://tsa.example.cn"),
        ("AUDIT__ANCHOR_SECONDS", "1"),
    ],
)
def test_settings_that_anchor_nothing_are_refused(name: str, value: str):
    with pytest.raises(SettingsError):
        load_settings({f"DIALER_{name}": value}, ROOT / "settings.toml")


class Authority:
    """A time-stamping authority: certificates of its own, and openssl that signs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        key, root = _certificate("root", None)
        signing, leaf = _certificate("tsa", (key, root))
        self.root = folder / "root.pem"
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.key").write_bytes(
            signing.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (folder / "serial").write_text("01")
        (folder / "tsa.cnf").write_text(
            "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\nsigner_cert = tsa.pem\nsigner_key = tsa.key\n"
            "signer_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\n"
            "ess_cert_id_alg = sha256\n"
        )

    def answer(self, request: bytes) -> bytes:
        (self.folder / "request").write_bytes(request)
        subprocess.run(
            ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "request", "-out", "answer"],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )
        return (self.folder / "answer").read_bytes()


def _certificate(
    name: str, issuer: tuple[rsa.RSAPrivateKey, x509.Certificate] | None
) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signer = issuer[0] if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if issuer is not None:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return key, builder.sign(signer, hashes.SHA256())


@contextmanager
def serving(authority: Authority, *, replayed: bytes = b"") -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            answer = replayed or authority.answer(request)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)


def test_an_anchor_is_stamped_and_the_stamp_is_checked(ten: Scene, tmp_path: Path, authority: Authority):
    file = tmp_path / "anchors"
    with serving(authority) as url:
        settings = AuditSettings(anchor_file=file, anchor_tsa_url=url, anchor_tsa_certificate=authority.root)
        _, faults = anchor_trail(ten.services, settings)
    assert not faults
    [anchor], _ = read_anchors(ten.store.vault, file.read_text())
    at = stamped_at(anchor.stamp, anchor.seal, certificate=authority.root)
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=5)
    with pytest.raises(ValueError, match="another content"):
        stamped_at(anchor.stamp, anchor.chain, certificate=None)
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match="signature"):
        stamped_at(anchor.stamp, anchor.seal, certificate=Authority(tmp_path / "other").root)
    write(ten.store)
    with serving(authority, replayed=anchor.stamp) as url:
        _, faults = anchor_trail(ten.services, settings.model_copy(update={"anchor_tsa_url": url}))
    assert faults == {"tsa": "the stamp is of another content"}


def verified(environment: dict[str, str], *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "dialer", "audit", *words],
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_head_is_anchored_in_the_data_folder_unless_another_file_is_set(tmp_path: Path):
    folder = {"DIALER_DATA_DIR": str(tmp_path)}
    assert (
        load_settings(folder, ROOT / "settings.toml").audit_places().anchor_file == tmp_path / "audit-anchors"
    )
    elsewhere = folder | {
        "DIALER_AUDIT__ANCHOR_FILE": "/mnt/anchors",
        "DIALER_AUDIT__ANCHOR_SYSLOG": "udp://h:514",
    }
    places = load_settings(elsewhere, ROOT / "settings.toml").audit_places()
    assert (places.anchor_file, places.anchor_syslog) == (Path("/mnt/anchors"), "udp://h:514")


def alarm_of_the_audit(scene: Scene) -> tuple[int, list[str]]:
    [row] = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == AlarmCode.AUDIT_BROKEN.value))
    return row["times"], row["facts"]["names"]


def test_a_later_finding_raises_the_open_alarm_again(ten: Scene, anchored: AuditSettings):
    owner(ten, "UPDATE audit SET who = 'li' WHERE number = 3")
    verify_trail(ten.services)
    assert alarm_of_the_audit(ten) == (1, ["altered:3"])
    verify_trail(ten.services)
    assert alarm_of_the_audit(ten) == (1, ["altered:3"])
    owner(ten, "DELETE FROM audit WHERE number > 9")
    owner(ten, "UPDATE audit_head SET number = 9, chain = (SELECT chain FROM audit WHERE number = 9)")
    check_new_lines(ten.services, anchors=recent_anchors(ten.store.vault, anchored.anchor_file))
    times, names = alarm_of_the_audit(ten)
    assert times == 2
    assert names == ["altered:3", "anchor:12", "head:9", "missing:10-12"]


def test_what_a_restore_took_back_is_no_finding(ten: Scene, anchored: AuditSettings):
    anchors = recent_anchors(ten.store.vault, anchored.anchor_file)
    owner(ten, "DELETE FROM audit WHERE number > 9")
    owner(ten, "UPDATE audit_head SET number = 9, chain = (SELECT chain FROM audit WHERE number = 9)")
    ten.do(sa.delete(t.heartbeat))
    assert note_restore(ten.services, unrestricted("zhao"), why="the primary burned") == 9
    verdict = verify_trail(ten.services, anchors=anchors)
    assert (verdict.findings, verdict.anchors) == ((), 0)
    write(ten.store, 5)
    assert check_new_lines(ten.services, anchors=anchors).findings == ()
    ten.clock.advance(60)
    anchor_trail(ten.services, anchored)
    later = recent_anchors(ten.store.vault, anchored.anchor_file)
    assert verify_trail(ten.services, anchors=later).anchors == 1
    assert alarm_codes(ten) == set()
    with pytest.raises(Invalid):
        note_restore(ten.services, unrestricted("zhao"), why=" ")


def test_a_line_that_says_so_counts_only_if_the_service_wrote_it(ten: Scene, anchored: AuditSettings):
    anchors = recent_anchors(ten.store.vault, anchored.anchor_file)
    owner(ten, "DELETE FROM audit WHERE number > 9")
    owner(
        ten,
        "UPDATE audit SET act = 'restore', facts = jsonb_build_object('restored_at', '2099-01-01T00:00:00+00:00',"
        " 'audit_number', 8) WHERE number = 9",
    )
    owner(ten, "UPDATE audit_head SET number = 9, chain = (SELECT chain FROM audit WHERE number = 9)")
    assert ("missing", 10, 12) in found(verify_trail(ten.services, anchors=anchors))


@pytest.mark.story
def test_the_command_names_what_is_missing_and_ends_with_one(
    assembled: Assemble, environment: dict[str, str], tmp_path: Path
):
    app = assembled()
    environment |= {"DIALER_AUDIT__ANCHOR_FILE": str(tmp_path / "anchors")}
    write(app.services.store, 5)
    code, told = verified(environment, "anchor")
    assert (code, told) == (0, "line 5\n")
    code, told = verified(environment, "verify")
    assert code == 0
    assert "完整 whole: 5 lines, last number 5" in told
    code, told = verified(environment, "verify", "--json")
    assert json.loads(told) == {
        "whole": True,
        "lines": 5,
        "last": 5,
        "anchors": 1,
        "last_anchor": {"number": 5, **dict.fromkeys(("chain", "at"), ANY)},
        "counts": {},
        "findings": [],
    }
    with app.services.store.begin() as tx:
        tx.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        tx.execute(sa.text("DELETE FROM audit WHERE number = 2 OR number > 4"))
        tx.execute(
            sa.text("UPDATE audit_head SET number = 4, chain = (SELECT chain FROM audit WHERE number = 4)")
        )
    code, told = verified(environment, "verify")
    assert code == 1
    assert "第 2 条 line 2: 缺失 missing" in told
    assert "第 5 条 line 5: 缺失 missing" in told
    assert "不完整 NOT whole: 3 lines, last number 4" in told
    assert "names line 5 with head " in told
    assert "the database ends at 4" in told
    code, told = verified(environment, "verify", "--anchor", str(tmp_path / "anchors"), "--json")
    assert code == 1
    assert json.loads(told)["counts"] == {"missing": 2, "anchor": 1}
    (tmp_path / "empty").touch()
    code, told = verified(environment, "verify", "--anchor", str(tmp_path / "empty"))
    assert code == 1
    assert "holds no anchor" in told
