"""Real servers: started, joined, adopted, and never left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import sqlalchemy as sa

from dialer.core.errors import Unavailable
from dialer.db.migrations import migrate_database
from dialer.runtime.embedded import EmbeddedServers, ensure_servers, erase_servers, wait_until
from dialer.runtime.local import settings_of_data
from dialer.runtime.location import ServerFolders, place_for, server_binaries
from dialer.runtime.settings import load_settings

Starter = Callable[[str], subprocess.Popen[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFolders]:
    """The place of a cluster that has run once; to make one takes 1 s of CPU."""
    folder = tmp_path_factory.mktemp("made")
    with ensure_servers(folder, valkey=False):
        place = place_for(folder)
    yield place
    erase_servers(folder)


@pytest.fixture
def used_dir(data_dir: Path, made: ServerFolders) -> Path:
    """A data folder with a copy of that cluster, whose port is free."""
    place = place_for(data_dir)
    cluster = place.folder("postgres")
    shutil.copytree(made.folder("postgres"), cluster)
    for password in made.notes.glob("password-*"):
        shutil.copy(password, place.notes)
    for path in [cluster, *cluster.rglob("*")]:
        place.account.own(path)
    return data_dir


def processes_about(data_dir: Path) -> list[psutil.Process]:
    servers = str(place_for(data_dir).servers)
    return [one for one in psutil.process_iter() if servers in command_line(one)]


def command_line(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        if process.status() != psutil.STATUS_ZOMBIE:
            return " ".join(process.cmdline())
    return ""


def connect(servers: EmbeddedServers) -> psycopg.Connection:
    return psycopg.connect(servers.owner_url.replace("+psycopg", ""), autocommit=True)


def connect_service(servers: EmbeddedServers) -> psycopg.Connection:
    return psycopg.connect(servers.database_url.replace("+psycopg", ""), autocommit=True)


def gone(data_dir: Path) -> bool:
    return wait_until(lambda: not processes_about(data_dir), seconds=60, step_seconds=0.1)


def holder(data_dir: Path) -> str:
    return f"""
        import signal, sys
        from pathlib import Path
        from dialer.runtime.embedded import ensure_servers
        # A test run that was put in the background passes on that SIGINT is ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with ensure_servers(Path({str(data_dir)!r})) as servers:
            print(servers.started, servers.database_url, flush=True)
            sys.stdin.readline()
        print("stopped", flush=True)
    """


def test_both_servers_work_as_the_product_needs_them(data_dir: Path):
    with ensure_servers(data_dir) as servers:
        assert servers.started
        with connect_service(servers) as connection:
            asked = connection.execute(
                "select current_setting('server_version_num')::int / 10000, current_setting('fsync'),"
                " current_setting('listen_addresses'), current_setting('timezone'), current_database(), current_user,"
                " datlocprovider, datlocale, pg_encoding_to_char(encoding), lower('ÄÖ'), rolsuper"
                " from pg_database join pg_roles on rolname = current_user where datname = current_database()"
            ).fetchone()
            expected = (18, "on", "127.0.0.1", "UTC", "dialer", "dialer", "b", "C.UTF-8", "UTF8", "äö", False)
            assert asked == expected
        with redis.Redis.from_url(servers.broker_url) as broker:
            assert broker.info("server")["valkey_version"].startswith("9.")
            assert broker.config_get("appendonly") == {"appendonly": "yes"}
    assert gone(data_dir)


def test_a_command_finds_the_data_of_a_demo_that_runs(used_dir: Path, tmp_path: Path):
    (tmp_path / "demo").symlink_to(used_dir)
    given = load_settings({"DIALER_DATA_DIR": str(tmp_path)})
    assert settings_of_data(given) is given
    with ensure_servers(used_dir):
        assert settings_of_data(given).data_dir == tmp_path / "demo"
        (used_dir / "settings.json").write_text('{"DIALER_TELEPHONY__LINES": "80"}')
        found = settings_of_data(given)
        assert (found.data_dir, found.telephony.lines) == (tmp_path / "demo", 80)
        named = load_settings(
            {"DIALER_DATA_DIR": str(tmp_path), "DIALER_DATABASE__URL": "postgresql://h/centre"}
        )
        assert settings_of_data(named) is named
        (tmp_path / "embedded").mkdir()
        assert settings_of_data(given) is given


def test_servers_are_not_roots(used_dir: Path):
    with ensure_servers(used_dir):
        running = [one for one in processes_about(used_dir) if one.name() in {"postgres", "valkey-server"}]
        assert len(running) >= 2
        assert all(one.uids().real != 0 for one in running)


def test_no_one_without_the_password_gets_in(data_dir: Path):
    with ensure_servers(data_dir) as servers:
        files = sorted((data_dir / "embedded").glob("password*"))
        assert [path.name for path in files] == [
            f"password-{whose}" for whose in ("broker", "owner", "service", "superuser")
        ]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        secrets = {path.name: path.read_text() for path in files}
        assert len(set(secrets.values())) == 4
        for secret in secrets.values():
            for whose, url in (("service", servers.database_url), ("owner", servers.owner_url)):
                right = secrets[f"password-{whose}"]
                if secret != right:
                    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                        psycopg.connect(url.replace("+psycopg", "").replace(right, secret))
            right = secrets["password-broker"]
            if secret != right:
                with (
                    redis.Redis.from_url(servers.broker_url.replace(right, secret)) as broker,
                    pytest.raises(redis.AuthenticationError),
                ):
                    broker.ping()
            assert not any(secret in command_line(one) for one in psutil.process_iter())


def test_the_service_s_role_owns_no_table_and_changes_none(used_dir: Path):
    with ensure_servers(used_dir, valkey=False) as servers:
        engine = sa.create_engine(servers.database_url)
        migrate_database(engine, owner_url=servers.owner_url)
        engine.dispose()
        with connect_service(servers) as service:
            assert service.execute(
                "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall() == [("dialer_owner",)]
            for statement in (
                "ALTER TABLE audit DISABLE TRIGGER append_only",
                "DROP TABLE audit",
                "TRUNCATE audit",
                "CREATE TABLE public.other (id int)",
                "CREATE ROLE other",
                "CREATE DATABASE other",
                "SET ROLE dialer_owner",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    service.execute(statement)
            service.execute("INSERT INTO meta VALUES ('x', '1')")
            service.execute("UPDATE meta SET value = '2' WHERE key = 'x'")
            service.execute("DELETE FROM meta WHERE key = 'x'")


def as_an_earlier_version(data_dir: Path) -> None:
    """One password for everything, and one role that owns the database and its tables."""
    notes = data_dir / "embedded"
    shared = "5" * 64
    with ensure_servers(data_dir, valkey=False) as servers:
        place = place_for(data_dir)
        port = place.port("postgres")
        url = f"postgresql://postgres:{place.password('superuser')}@127.0.0.1:{port}"
        with psycopg.connect(f"{url}/dialer", autocommit=True) as superuser:
            superuser.execute("CREATE TABLE kept (id int GENERATED ALWAYS AS IDENTITY)")
            superuser.execute("INSERT INTO kept DEFAULT VALUES")
            superuser.execute("ALTER TABLE kept OWNER TO dialer")
            superuser.execute("ALTER DATABASE dialer OWNER TO dialer")
            superuser.execute("COMMENT ON DATABASE dialer IS NULL")
            superuser.execute("DROP OWNED BY dialer_owner")
            superuser.execute("DROP ROLE dialer_owner")
            superuser.execute(f"ALTER ROLE dialer CREATEDB PASSWORD '{shared}'")
            superuser.execute(f"ALTER ROLE postgres PASSWORD '{shared}'")
        assert servers.started
    for path in notes.glob("password-*"):
        path.unlink()
    (notes / "password").write_text(shared)


def test_a_cluster_of_an_earlier_version_gets_its_roles_and_passwords(used_dir: Path):
    as_an_earlier_version(used_dir)
    shared = (used_dir / "embedded" / "password").read_text()
    for _ in range(2):
        with ensure_servers(used_dir) as servers:
            assert not (used_dir / "embedded" / "password").exists()
            with connect_service(servers) as service:
                assert service.execute(
                    "SELECT tableowner FROM pg_tables WHERE tablename = 'kept'"
                ).fetchall() == [("dialer_owner",)]
                service.execute("INSERT INTO kept DEFAULT VALUES")
            for role in ("postgres", "dialer", "dialer_owner"):
                url = f"postgresql://{role}:{shared}@127.0.0.1:{servers.database_url.rpartition(':')[2]}"
                with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                    psycopg.connect(url)


def test_a_kill_between_the_superuser_s_password_and_its_note_harms_nothing(used_dir: Path):
    with ensure_servers(used_dir, valkey=False):
        pass
    (used_dir / "embedded" / "password").write_text("5" * 64)
    with ensure_servers(used_dir, valkey=False) as servers, connect_service(servers) as service:
        assert service.execute("SELECT 1").fetchone() == (1,)
    assert not (used_dir / "embedded" / "password").exists()


def test_only_loopback_is_listened_on(used_dir: Path):
    with ensure_servers(used_dir):
        addresses = {
            connection.laddr.ip
            for one in processes_about(used_dir)
            if one.name() in {"postgres", "valkey-server"}
            for connection in one.net_connections("inet")
        }
    assert addresses == {"127.0.0.1"}


def test_existing_folders_keep_their_mode(tmp_path: Path, data_dir: Path):
    data_dir.mkdir(mode=0o750)
    data_dir.chmod(0o750)
    above = stat.S_IMODE(tmp_path.stat().st_mode)
    with ensure_servers(data_dir, valkey=False):
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o750
        assert stat.S_IMODE((data_dir / "embedded").stat().st_mode) == 0o700
        assert stat.S_IMODE(tmp_path.stat().st_mode) == above


def test_a_second_start_finds_the_rows_at_the_same_address(used_dir: Path):
    with ensure_servers(used_dir) as servers:
        first = (servers.database_url, servers.broker_url)
        with connect(servers) as connection:
            connection.execute("create table kept as select 7 as n")
        with redis.Redis.from_url(servers.broker_url) as broker:
            broker.set("kept", "7")
    with ensure_servers(used_dir) as servers:
        assert (servers.database_url, servers.broker_url) == first
        with connect(servers) as connection:
            assert connection.execute("select n from kept").fetchall() == [(7,)]
        with redis.Redis.from_url(servers.broker_url) as broker:
            assert broker.get("kept") == b"7"


def test_a_taken_port_is_given_up_for_a_free_one(used_dir: Path):
    with ensure_servers(used_dir, valkey=False) as servers:
        port = place_for(used_dir).port("postgres")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with ensure_servers(used_dir, valkey=False) as servers, connect(servers) as connection:
            assert connection.info.port != port


def test_a_joiner_leaves_the_servers_running(used_dir: Path):
    with ensure_servers(used_dir) as servers:
        with ensure_servers(used_dir) as joined:
            assert not joined.started
            assert (joined.database_url, joined.broker_url) == (servers.database_url, servers.broker_url)
        with connect(servers) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_the_starter_lets_a_joiner_finish_first(used_dir: Path, python: Starter):
    starter = python(holder(used_dir))
    assert starter.stdout.readline().startswith("True ")
    joined = ensure_servers(used_dir)
    assert not joined.started
    starter.stdin.write("go\n")
    starter.stdin.flush()
    with connect(joined) as connection:
        assert connection.execute("select pg_sleep(0.3) is null").fetchone() is not None
    joined.stop()
    assert starter.stdout.readline() == "stopped\n"
    assert gone(used_dir)


def test_many_at_once_start_one_server(data_dir: Path, python: Starter):
    waiting = [python(holder(data_dir)) for _ in range(4)]
    lines = [one.stdout.readline().split() for one in waiting]
    assert sorted(started for started, _ in lines) == ["False", "False", "False", "True"]
    assert len({url for _, url in lines}) == 1
    for started, one in sorted(
        zip((started for started, _ in lines), waiting, strict=True), key=lambda pair: pair[0]
    ):
        one.communicate("go\n")
        assert one.returncode == 0, started
    assert gone(data_dir)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_starter_is_killed(used_dir: Path, python: Starter, number: signal.Signals):
    starter = python(holder(used_dir))
    assert starter.stdout.readline().startswith("True ")
    assert len(processes_about(used_dir)) >= 2
    starter.send_signal(number)
    assert gone(used_dir)
    last = place_for(used_dir).last_log_line("postgres")
    assert "database system is shut down" in last, "in order, also after a kill"


def test_a_killed_starters_forked_child_does_not_keep_servers_alive(data_dir: Path, python: Starter):
    starter = python(f"""
        import os, sys, time
        from pathlib import Path
        from dialer.runtime.embedded import ensure_servers
        servers = ensure_servers(Path({str(data_dir)!r}), postgres=False)
        child = os.fork()
        if child == 0:
            servers.stop()
            sys.stdin.read()
            os._exit(0)
        print(child, flush=True)
        sys.stdin.read()
    """)
    child = int(starter.stdout.readline())
    try:
        assert processes_about(data_dir), "a forked copy must not stop what it did not start"
        starter.kill()
        assert gone(data_dir)
    finally:
        os.kill(child, signal.SIGKILL)


def test_committed_rows_survive_a_kill_of_the_database(used_dir: Path):
    with ensure_servers(used_dir, valkey=False) as servers:
        with connect(servers) as connection:
            connection.execute("create table kept (n int)")
            for n in range(200):
                connection.execute("insert into kept values (%s)", [n])
            postmaster = place_for(used_dir).folder("postgres") / "postmaster.pid"
            os.kill(int(postmaster.read_text().split("\n", 1)[0]), signal.SIGKILL)

        def all_there() -> bool:
            servers.restart_failed()
            try:
                with connect(servers) as again:
                    return again.execute("select count(*) from kept").fetchone() == (200,)
            except psycopg.OperationalError:
                return False

        assert wait_until(all_there, seconds=60, step_seconds=0.1), "it is started again on the same port"


def test_a_server_that_ends_soon_after_its_start_gets_growing_pauses(data_dir: Path):
    with ensure_servers(data_dir, postgres=False) as servers:

        def starts_within(seconds: float) -> bool:
            before = {process.pid for process in processes_about(data_dir)}
            for process in processes_about(data_dir):
                process.kill()

            def has_started() -> bool:
                servers.restart_failed()
                return bool({process.pid for process in processes_about(data_dir)} - before)

            return wait_until(has_started, seconds=seconds, step_seconds=0.01)

        assert starts_within(10)
        assert not starts_within(0.2)
        assert starts_within(10)


def test_a_recycled_process_number_does_not_pass_for_a_server(used_dir: Path):
    with ensure_servers(used_dir, valkey=False):
        pass
    note = place_for(used_dir).folder("postgres") / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{note.parent}\n1\n5432\n\n127.0.0.1\n1 1\nready\n")
    with ensure_servers(used_dir, valkey=False) as servers, connect(servers) as connection:
        assert servers.started
        assert connection.execute("select 1").fetchone() == (1,)


def valkey_of_another(data_dir: Path, script: Path) -> subprocess.Popen[str]:
    """A Valkey in a folder that this process has used, started by another one; the script waits for its end."""
    place = place_for(data_dir)
    user = place.account.user or (os.getuid(), os.getgid())
    argv = [str(server_binaries(place.account).valkey_server), str(place.folder("valkey") / "valkey.conf")]
    script.write_text(
        "import subprocess\n"
        f"server = subprocess.Popen({argv}, user={user[0]}, group={user[1]}, stdout=subprocess.DEVNULL)\n"
        "print(server.wait())\n"
    )
    starter = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert wait_until(lambda: bool(processes_about(data_dir)), seconds=60, step_seconds=0.1)
    return starter


def test_a_stray_server_that_nobody_keeps_is_replaced(data_dir: Path, tmp_path: Path):
    with ensure_servers(data_dir, postgres=False):
        pass
    starter = valkey_of_another(data_dir, tmp_path / "other.py")
    with ensure_servers(data_dir, postgres=False) as servers:
        assert servers.started
        assert starter.communicate(timeout=60)[0] == "0\n"


def test_a_server_of_a_release_before_is_joined(data_dir: Path, tmp_path: Path):
    with ensure_servers(data_dir, postgres=False):
        pass
    note = data_dir / "embedded" / "valkey.json"
    port = json.loads(note.read_text())["port"]
    note.write_text(json.dumps({"port": port, "folder": str(place_for(data_dir).folder("valkey"))}))
    starter = valkey_of_another(data_dir, tmp_path / "guard.py")
    with ensure_servers(data_dir, postgres=False) as servers:
        assert not servers.started
    (server,) = processes_about(data_dir)
    server.terminate()
    assert starter.communicate(timeout=60)[0] == "0\n"


def test_ephemeral_servers_take_their_files_with_them(data_dir: Path):
    with ensure_servers(data_dir, ephemeral=True):
        folder = place_for(data_dir).folder("postgres")
        assert folder.is_dir()
    assert not folder.exists()
    assert not (data_dir / "embedded").exists()


def test_erase_refuses_what_is_in_use_and_then_leaves_nothing(data_dir: Path):
    servers = ensure_servers(data_dir, postgres=False)
    place = place_for(data_dir)
    with pytest.raises(Unavailable, match="is in use by another process"):
        erase_servers(data_dir)
    servers.stop()
    erase_servers(data_dir)
    assert not place.servers.exists()
    assert not (data_dir / "embedded").exists()


def test_what_was_not_asked_for_has_no_address(data_dir: Path):
    with (
        ensure_servers(data_dir, postgres=False) as servers,
        pytest.raises(Unavailable, match="was not asked for"),
    ):
        _ = servers.database_url


def test_data_of_another_version_are_refused_in_one_line(used_dir: Path):
    with ensure_servers(used_dir, valkey=False):
        pass
    (place_for(used_dir).folder("postgres") / "PG_VERSION").write_text("17\n")
    with pytest.raises(Unavailable, match="its data are of version 17, the program is 18"):
        ensure_servers(used_dir, valkey=False)
    assert gone(used_dir)


def test_a_setting_of_postgres_can_be_given(used_dir: Path):
    with ensure_servers(used_dir, valkey=False, postgres_options={"work_mem": "9MB"}) as servers:
        url = servers.owner_url.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(url) as connection:
            assert connection.execute("show work_mem").fetchone() == ("9MB",)
            assert connection.execute("show fsync").fetchone() == ("on",)
