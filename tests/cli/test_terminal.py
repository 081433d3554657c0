"""At a terminal it is known who acts: by the password and the second factor, or by the user of the machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.bootstrap import application, assemble
from dialer.cli.control import check_security_administrators
from dialer.cli.terminal import NotSignedIn, command_actor, machine_user, terminal_name
from dialer.core.access import OF_PERSONS, TERMINAL_NAME, Permission, Role, StaffChangeKind, unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotPermitted, Refusal
from dialer.core.events import AlarmCode
from dialer.core.second_person import SamePlace
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm
from dialer.db.keys import create
from dialer.db.second_person import require_second_person
from dialer.db.system_state import OtherSettings
from dialer.org.account_changes import confirm_change, list_changes
from dialer.org.accounts import disable_staff
from dialer.org.factors import confirm_totp, offer_totp
from dialer.org.tokens import waiting_tokens
from dialer.runtime.services import ProcessPurpose
from dialer.runtime.settings import load_settings
from dialer.staff.sign_in import SignedIn, SignInRefused, recognise, sign_in
from tests.accounts import add_account
from tests.outcomes.town import Scenario

app = build_command_line()
PASSWORD = "correct horse battery"
ERASE = ("person", "erase", "--case", "1", "--why", "本人要求")


@pytest.fixture
def env(fresh_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    create(tmp_path / "keys.json")
    made = {
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
        "HOME": str(tmp_path),
    }
    with application(load_settings(made)) as opened:
        Scenario.on(opened.services).case(status=CaseStatus.CLOSED)
        for login in ("li", "zhao"):
            add_account(opened.services.store, login, role=Role.SUPERVISOR, password=PASSWORD)
    return made


@pytest.fixture
def run(env: dict[str, str]) -> Callable[..., Result]:
    def ran(*words: str, typed: str = "", **more: str) -> Result:
        return CliRunner().invoke(app, words, env=env | more, input=typed, catch_exceptions=False)

    return ran


def test_who_is_only_named_asks_for_nothing_and_decides_nothing(run: Callable[..., Result]):
    for words in (
        (*ERASE, "--by", "zhao"),
        ("person", "confirm", "1", "--by", "zhao"),
        ("outcome", "approve", "1", "--by", "zhao"),
        ("loads", "approve", "1", "--by", "li"),
        ("scripts", "approve", "loan", "2", "--by", "li", "--reason", "x"),
        ("signals", "rules", "approve", "2", "--by", "li", "--reason", "x"),
        ("case", "1", "--reveal-by", "li", "--why", "x"),
    ):
        with pytest.raises(NotSignedIn, match=r"run `dialer sign-in (li|zhao)` first"):
            run(*words)


def test_one_user_of_the_machine_is_not_two_people(run: Callable[..., Result]):
    assert run("sign-in", "li", typed=f"{PASSWORD}\n").exit_code == 0
    assert run(*ERASE, "--by", "li").exit_code == 0
    with pytest.raises(NotSignedIn):
        run("person", "confirm", "1", "--by", "zhao")


def test_who_is_signed_in_need_not_be_named_and_signs(run: Callable[..., Result], env: dict[str, str]):
    with pytest.raises(SignInRefused):
        run("sign-in", "li", typed="wrong\n")
    assert run("sign-in", "LI", typed=f"{PASSWORD}\n").stdout.endswith("已登录 li signed in\n")
    assert (Path(env["HOME"]) / ".dialer-session").stat().st_mode & 0o777 == 0o600
    assert run(*ERASE).exit_code == 0
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        [request] = tx.rows(sa.select(t.erasure))
        [line] = tx.rows(sa.select(t.audit).where(t.audit.c.act == "erase_asked"))
    assert request["asked_by"] == line["who"] == "li"
    assert line["facts"]["terminal"] == terminal_name()
    assert terminal_name().startswith(f"{machine_user()}@")
    assert run("sign-out").exit_code == 0
    with pytest.raises(NotSignedIn, match="nobody is signed in here: run `dialer sign-in`"):
        run(*ERASE)
    with pytest.raises(NotSignedIn):
        run(*ERASE, "--by", "li")


def test_a_second_factor_is_asked_for(run: Callable[..., Result], env: dict[str, str]):
    with application(load_settings(env)) as made:
        services = made.services
        entered = sign_in(services, login="li", password=PASSWORD, address="desk")
        assert isinstance(entered, SignedIn)
        found = recognise(services, entered.token)
        assert found is not None
        secret = offer_totp(services, entered.member).secret.replace(" ", "")
        now = int(services.real.now().timestamp())
        codes = confirm_totp(services, found[0], pyotp.TOTP(secret).at(now))
    with pytest.raises(SignInRefused):
        run("sign-in", "li", typed=f"{PASSWORD}\n000000\n")
    assert not (Path(env["HOME"]) / ".dialer-session").exists()
    assert run("sign-in", "li", typed=f"{PASSWORD}\n{codes[0]}\n").exit_code == 0
    assert run(*ERASE, "--by", "li").exit_code == 0


def test_a_role_that_needs_a_second_factor_does_not_sign_in_without_one(run: Callable[..., Result]):
    roles = json.dumps(["supervisor"])
    needed = {
        "DIALER_CONSOLE__SECOND_FACTOR_ROLES": roles,
        "DIALER_CONSOLE__SECOND_FACTOR_GRACE_SECONDS": "0",
    }
    with pytest.raises(Refusal, match="set it up in the console first"):
        run("sign-in", "li", typed=f"{PASSWORD}\n", **needed)
    with pytest.raises(NotSignedIn):
        run(*ERASE, "--by", "li")


def test_a_second_factor_may_be_missing_for_a_while_and_the_terminal_says_so(
    run: Callable[..., Result], env: dict[str, str]
):
    entered = run("sign-in", "li", typed=f"{PASSWORD}\n")
    assert (entered.exit_code, "set one up in the console by" in entered.output) == (0, True)
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        tx.execute(sa.update(t.staff).values(factor_missing_at=made.services.real.now() - timedelta(days=7)))
    with pytest.raises(Refusal, match="set it up in the console first"):
        run("sign-in", "li", typed=f"{PASSWORD}\n")


def test_a_password_that_was_given_out_signs_nothing(run: Callable[..., Result], env: dict[str, str]):
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        tx.execute(sa.update(t.staff).where(t.staff.c.login == "li").values(must_change=True))
    with pytest.raises(Refusal, match="choose your own in the console first"):
        run("sign-in", "li", typed=f"{PASSWORD}\n")
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        ended = tx.rows(sa.select(t.staff_session.c.ended_at))
    assert [row["ended_at"] is not None for row in ended] == [True]


def test_an_account_that_is_only_named_has_no_right_of_persons(env: dict[str, str]):
    """Also where a command asks for no right beforehand."""
    with application(load_settings(env)) as made:
        named = command_actor(made, "li")
        unnamed = command_actor(made, TERMINAL_NAME)
    assert named.may(Permission.CONTROL)
    assert not named.rights & OF_PERSONS
    assert not unnamed.rights & OF_PERSONS
    assert named.terminal == unnamed.terminal == terminal_name()


def test_a_session_that_others_can_read_is_none(run: Callable[..., Result], env: dict[str, str]):
    run("sign-in", "li", typed=f"{PASSWORD}\n")
    (Path(env["HOME"]) / ".dialer-session").chmod(0o640)
    with pytest.raises(NotSignedIn):
        run(*ERASE, "--by", "li")


def test_a_user_of_the_machine_can_be_an_account(run: Callable[..., Result]):
    mapped = {"DIALER_CONSOLE__TERMINAL_ACCOUNTS": json.dumps([f"{machine_user()}=li", "other=zhao"])}
    assert run(*ERASE, "--by", "li", **mapped).exit_code == 0
    with pytest.raises(NotSignedIn):
        run("person", "confirm", "1", "--by", "zhao", **mapped)


@pytest.mark.parametrize(
    "words",
    [
        ("pause", "--minutes", "5", "--why", "检修"),
        ("resume",),
        ("keys", "rotate", "--why", "检修"),
        ("keys", "retire", "0", "--why", "检修"),
        ("audit", "restored", "--why", "检修"),
        ("audit", "checkpoint", "1", "--why", "检修"),
    ],
)
def test_what_stops_the_service_or_its_watch_needs_somebody_who_is_known(
    run: Callable[..., Result], words: tuple[str, ...]
):
    for login in ("zhao", "cli"):
        with pytest.raises(NotSignedIn):
            run(*words, "--by", login)


def test_what_needs_no_known_person_says_where_it_was_done(run: Callable[..., Result], env: dict[str, str]):
    with application(load_settings(env)) as made:
        services = made.services
        with services.store.begin() as tx:
            raise_alarm(tx, AlarmCode.CARRIER_DOWN, now=services.clock.now(), facts={"codes": [20429]})
            [alarm] = tx.rows(sa.select(t.alarm))
    assert run("alarms", "acknowledge", str(alarm["id"]), "--by", "zhao").exit_code == 0
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        [line] = tx.rows(sa.select(t.audit).where(t.audit.c.subject == f"alarm/{alarm['id']}"))
    assert line["who"] == "cli", "zhao has done nothing"
    assert (line["facts"]["terminal"], line["facts"]["named"]) == (terminal_name(), "zhao")


ADD = ("staff", "add", "wang", "--name", "王强", "--role", "officer")


def test_accounts_and_tokens_are_changed_by_somebody_who_is_known(
    run: Callable[..., Result], env: dict[str, str]
):
    """Anybody who had a shell made an account of any role, and took over the others by new passwords."""
    with application(load_settings(env)) as made:
        add_account(made.services.store, "root", role=Role.ADMINISTRATOR, password=PASSWORD)
    changes = (
        ADD,
        ("staff", "reset", "li"),
        ("staff", "reset-factors", "li"),
        ("staff", "disable", "li"),
        ("staff", "enable", "li"),
        ("staff", "sessions", "li", "--end"),
        ("token", "add", "bank", "--scope", "cases:read"),
        ("token", "revoke", "bank"),
    )
    for words in changes:
        for named in ((), ("--by", "root")):
            with pytest.raises(NotSignedIn):
                run(*words, *named)
    assert run("sign-in", "li", typed=f"{PASSWORD}\n").exit_code == 0
    with pytest.raises(NotPermitted):
        run(*ADD)
    assert run("sign-in", "root", typed=f"{PASSWORD}\n").exit_code == 0
    assert run("staff", "add", "wang", "--name", "王强", "--role", "clerk").exit_code == 0, "as on the page"
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        [line] = tx.rows(sa.select(t.audit).where(t.audit.c.act == "staff_add"))
    assert (line["who"], line["facts"]["terminal"]) == ("root", terminal_name())


ALONE = ("--alone", "--why", "值班急用")
WHY = ("--why", "新到岗")
CONFIRMED = (
    (ADD, StaffChangeKind.ADD),
    (("staff", "reset", "li"), StaffChangeKind.RESET_PASSWORD),
    (("staff", "reset-factors", "zhao"), StaffChangeKind.RESET_FACTORS),
    (("staff", "enable", "away"), StaffChangeKind.ENABLE),
)
"""Commands, and the changes of accounts that they ask for."""
TOKEN = ("token", "add", "bank", "--scope", "cases:read")


@pytest.fixture
def as_root(run: Callable[..., Result], env: dict[str, str]) -> dict[str, str]:
    """Settings by which this user of the machine is a system administrator."""
    with application(load_settings(env)) as made:
        add_account(made.services.store, "root", role=Role.ADMINISTRATOR)
        away = add_account(made.services.store, "away", role=Role.OFFICER)
        disable_staff(made.services, unrestricted("test"), away.login)
    return other_settings("root")


@pytest.mark.parametrize(("words", "kind"), CONFIRMED)
def test_nobody_changes_accounts_alone_at_a_terminal(
    words: tuple[str, ...],
    kind: StaffChangeKind,
    run: Callable[..., Result],
    env: dict[str, str],
    as_root: dict[str, str],
):
    """A system administrator with a shell made a second account alone, and was the second person with it."""
    with application(load_settings(env)) as made:
        add_account(made.services.store, "guard", role=Role.SECURITY_ADMINISTRATOR)
    with pytest.raises(Invalid):
        run(*words, **as_root)
    with pytest.raises(Conflict, match="guard can confirm this"):
        run(*words, *ALONE, **as_root)
    said = run(*words, *WHY, **as_root)
    assert (said.exit_code, said.stdout) == (0, "")
    assert "a security administrator must confirm it" in said.stderr
    with application(load_settings(env)) as made:
        [waiting] = list_changes(made.services, visible_to=None)
        assert (waiting.change.kind, waiting.change.asked_by, waiting.change.why) == (kind, "root", "新到岗")
        with made.services.store.begin() as tx:
            assert tx.rows(sa.select(t.audit).where(t.audit.c.act.in_(["staff_add", "staff_reset"]))) == []
            assert tx.rows(sa.select(t.alarm)) == []
        confirm_change(made.services, unrestricted("guard"), waiting.change.id)
        with made.services.store.begin() as tx:
            [line] = tx.rows(sa.select(t.audit).where(t.audit.c.act == "staff_change_confirmed"))
    assert line["who"] == "guard"


@pytest.mark.parametrize(("words", "kind"), CONFIRMED)
def test_where_nobody_can_confirm_it_a_change_alone_is_an_alarm(
    words: tuple[str, ...],
    kind: StaffChangeKind,
    run: Callable[..., Result],
    env: dict[str, str],
    as_root: dict[str, str],
):
    with pytest.raises(Conflict, match="a security administrator must confirm this"):
        run(*words, *WHY, **as_root)
    with pytest.raises(Invalid):
        run(*words, "--alone", **as_root)
    said = run(*words, *ALONE, **as_root)
    assert said.exit_code == 0
    assert bool(said.stderr) == (kind in {StaffChangeKind.ADD, StaffChangeKind.RESET_PASSWORD})
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        [alarm] = tx.rows(sa.select(t.alarm))
        [line] = tx.rows(sa.select(t.audit).where(t.audit.c.act == "changed_alone"))
    assert (alarm["code"], alarm["facts"]["who"], alarm["facts"]["change"]) == ("changed_alone", "root", kind)
    assert alarm["facts"]["name"] in words
    assert (line["who"], line["facts"]["terminal"]) == ("root", terminal_name())


def test_the_only_security_administrator_who_is_locked_out_is_let_in(
    run: Callable[..., Result], env: dict[str, str], as_root: dict[str, str]
):
    with application(load_settings(env)) as made:
        add_account(made.services.store, "guard", role=Role.SECURITY_ADMINISTRATOR)
        second = add_account(made.services.store, "second", role=Role.SECURITY_ADMINISTRATOR)
    with pytest.raises(Conflict, match="second can confirm this"):
        run("staff", "reset", "guard", *ALONE, **as_root)
    with application(load_settings(env)) as made:
        disable_staff(made.services, unrestricted("test"), second.login)
    assert run("staff", "reset", "guard", *ALONE, **as_root).exit_code == 0
    assert run("staff", "reset-factors", "guard", *ALONE, **as_root).exit_code == 0


def test_a_token_is_asked_for_at_a_terminal(
    run: Callable[..., Result], env: dict[str, str], as_root: dict[str, str]
):
    with pytest.raises(Conflict, match="a security administrator must confirm this"):
        run(*TOKEN, *WHY, **as_root)
    assert len(run(*TOKEN, *ALONE, **as_root).stdout.split()) == 1, "the secret"
    with application(load_settings(env)) as made:
        add_account(made.services.store, "guard", role=Role.SECURITY_ADMINISTRATOR)
        with made.services.store.begin() as tx:
            [alarm] = tx.rows(sa.select(t.alarm))
    assert (alarm["facts"]["change"], alarm["facts"]["name"]) == ("token", "bank")
    other = ("token", "add", "other", "--scope", "cases:read")
    with pytest.raises(Conflict, match="guard can confirm this"):
        run(*other, *ALONE, **as_root)
    said = run(*other, *WHY, **as_root)
    assert (said.stdout, "a security administrator must confirm it" in said.stderr) == ("", True)
    with application(load_settings(env)) as made:
        [request] = waiting_tokens(made.services)
        assert (request.name, request.asked_by, request.why) == ("other", "root", "新到岗")


def test_the_doctor_says_when_one_person_alone_could_change_accounts(
    run: Callable[..., Result], env: dict[str, str], as_root: dict[str, str]
):
    with application(load_settings(env)) as made:
        for login in ("", "guard", "second"):
            if login:
                add_account(made.services.store, login, role=Role.SECURITY_ADMINISTRATOR)
            if login == "second":
                assert str(check_security_administrators(made.services)) == "2"
            else:
                with pytest.raises(Refusal, match="one" if login else "none"):
                    check_security_administrators(made.services)


def test_the_first_account_is_made_by_nobody_known_and_no_second_one(
    fresh_database: str, broker_url: str, tmp_path: Path
):
    create(tmp_path / "keys.json")
    empty = {
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
        "HOME": str(tmp_path),
    }

    def add(login: str) -> Result:
        words = ("staff", "add", login, "--name", "王强", "--role", "administrator")
        return CliRunner().invoke(app, words, env=empty, catch_exceptions=False)

    assert add("first").exit_code == 0
    with pytest.raises(NotSignedIn):
        add("second")
    with application(load_settings(empty)) as made, made.services.store.begin() as tx:
        [line] = tx.rows(sa.select(t.audit).where(t.audit.c.act == "staff_add"))
    assert (line["who"], line["facts"]["terminal"]) == (TERMINAL_NAME, terminal_name())


def test_settings_are_changed_by_somebody_who_is_known(run: Callable[..., Result]):
    other = {"DIALER_CENTRE__AREA_CODE": "0471"}
    adopt = ("settings", "adopt", "--why", "更换线路", "--by")
    for login in ("zhao", TERMINAL_NAME):
        with pytest.raises(NotSignedIn):
            run(*adopt, login, **other)
        with pytest.raises(NotSignedIn):
            run("pace", "--lines", "2", "--why", "检修", "--by", login)
    assert run("sign-in", "zhao", typed=f"{PASSWORD}\n", **other).exit_code == 0
    assert run(*adopt, "zhao", **other).exit_code == 0
    assert run("pace", "--lines", "2", "--why", "检修", "--by", "zhao", **other).exit_code == 0


def other_settings(login: str) -> dict[str, str]:
    return {"DIALER_CONSOLE__TERMINAL_ACCOUNTS": json.dumps([f"{machine_user()}={login}"])}


def test_who_a_user_of_the_machine_is_stands_in_the_database(run: Callable[..., Result], env: dict[str, str]):
    """Anybody with a shell gives a command other settings, and would be whoever these say."""
    with application(load_settings(env | other_settings("li")), ProcessPurpose.SERVE):
        pass
    assert run(*ERASE, "--by", "li", **other_settings("zhao")).exit_code == 0
    with pytest.raises(NotSignedIn):
        run("person", "confirm", "1", "--by", "zhao", **other_settings("zhao"))


def test_the_service_does_not_start_where_users_of_the_machine_are_others(env: dict[str, str]):
    with application(load_settings(env), ProcessPurpose.SERVE):
        pass
    with pytest.raises(OtherSettings, match=r"console\.terminal_accounts root=li ≠ -"):
        assemble(
            load_settings(env | {"DIALER_CONSOLE__TERMINAL_ACCOUNTS": json.dumps(["root=li"])}),
            ProcessPurpose.SERVE,
        )


def test_who_signs_in_may_change_who_the_users_of_the_machine_are(
    run: Callable[..., Result], env: dict[str, str]
):
    with application(load_settings(env), ProcessPurpose.SERVE):
        pass
    adopt = ("settings", "adopt", "--why", "换人")
    with pytest.raises(NotSignedIn):
        run(*adopt, "--by", "li", **other_settings("li"))
    assert run("sign-in", "zhao", typed=f"{PASSWORD}\n").exit_code == 0
    assert run(*adopt, "--by", "zhao", **other_settings("li")).stdout == (
        f"console.terminal_accounts: - > {machine_user()}=li\n"
    )
    assert run("sign-out").exit_code == 0
    assert run(*ERASE, "--by", "li").exit_code == 0


def test_who_asked_and_who_decides_are_at_two_places(run: Callable[..., Result], env: dict[str, str]):
    """Somebody who knows two passwords is one person; the second decides elsewhere."""
    assert run("sign-in", "li", typed=f"{PASSWORD}\n").exit_code == 0
    assert run(*ERASE).exit_code == 0
    assert run("sign-out").exit_code == 0
    assert run("sign-in", "zhao", typed=f"{PASSWORD}\n").exit_code == 0
    with pytest.raises(SamePlace, match=f"has worked as {terminal_name().partition(' ')[0]} too"):
        run("person", "confirm", "1")
    place = terminal_name().partition(" ")[0]
    with application(load_settings(env)) as made:
        for terminals, is_same in (({f"{place} pts/9"}, True), ({f"{place}2"}, False), (set(), False)):
            with made.services.store.begin() as tx:
                tx.at_terminals.update(terminals)
                with pytest.raises(SamePlace) if is_same else nullcontext():
                    require_second_person(tx, "zhao", "LI")
                with pytest.raises(SamePlace) if is_same else nullcontext():
                    require_second_person(tx, "zhao", None, "li")
                require_second_person(tx, "zhao", "wang")


def test_who_has_only_signed_in_here_was_here(run: Callable[..., Result], env: dict[str, str]):
    assert run("sign-in", "li", typed=f"{PASSWORD}\n").exit_code == 0
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        tx.at_terminals.add(terminal_name())
        with pytest.raises(SamePlace):
            require_second_person(tx, "zhao", "li")
        require_second_person(tx, "li", "zhao")
