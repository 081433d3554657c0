"""The wheel has everything that runs: installed without a checkout beside it, the service finds its files in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import dialer

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("dialer", "carrier", "audio")
_SHIPPED = {
    "alembic": "dialer/_shipped/alembic",
    "settings.toml": "dialer/_shipped/settings.toml",
    "docs/manual": "dialer/_shipped/docs/manual",
    "docs/images": "dialer/_shipped/docs/images",
}
_LOOKS = """
import json, sys
sys.path[:0] = [sys.argv[1]]
from dialer.core.text import Lang
from dialer.db.migrations import newest_revision
from dialer.help.reading import chapters
from dialer.language.catalogue import say
from dialer.runtime.settings import settings_file
from dialer.scripts.reading import shipped_scripts
import dialer
print(json.dumps({
    "from": dialer.__file__,
    "settings": str(settings_file({})),
    "chapters": len(chapters(Lang.ZH)),
    "word": say(Lang.ZH, "Search the manual"),
    "scripts": len(shipped_scripts()),
    "revision": newest_revision(),
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [made] = folder.glob("*.whl")
    return made


def test_every_file_of_the_packages_is_in_it(wheel: Path):
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {path.relative_to(ROOT).as_posix() for name in _PACKAGES for path in (ROOT / name).rglob("*.*")}
    for name, shipped in _SHIPPED.items():
        paths = [ROOT / name, *(ROOT / name).rglob("*.*")]
        wanted |= {shipped + path.as_posix().removeprefix((ROOT / name).as_posix()) for path in paths}
    wanted = {path for path in wanted if "__pycache__" not in path and "." in path.rpartition("/")[2]}
    assert sorted(wanted - inside - {"audio/README.md", "carrier/README.md"}) == []


def test_installed_in_an_empty_environment_its_command_runs(wheel: Path, tmp_path: Path):
    """What it depends on comes from here, since tests have no network; the package itself from the wheel alone."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    install = ("-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "-q", str(wheel))
    subprocess.run([sys.executable, *install], check=True, capture_output=True)
    [packages] = (tmp_path / "env" / "lib").glob("python*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    def said(*argv: str) -> str:
        env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
        command = [str(tmp_path / "env" / "bin" / argv[0]), *argv[1:]]
        done = subprocess.run(
            command, cwd=tmp_path, env=env, check=False, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert said("python", "-c", "import dialer; print(dialer.__file__)").startswith(str(packages))
    assert said("dialer", "--version") == said("dialer", "version") == f"{dialer.__version__}\n"
    assert "--until-settled" in said("dialer", "demo", "--help")


def test_the_version_is_the_same_wherever_it_stands():
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["version"] == dialer.__version__
    released = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released[:2] == ["Unreleased", dialer.__version__]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_both_readmes_name_the_second_way_in(name: str):
    text = (ROOT / name).read_text(encoding="utf-8")
    [line] = [line for line in text.splitlines() if "`pip install`" in line]
    assert "`dialer demo`" in line


def test_without_a_checkout_it_finds_its_settings_migrations_scripts_words_and_manual(
    wheel: Path, tmp_path: Path
):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    found = subprocess.run(
        [sys.executable, "-c", _LOOKS, str(tmp_path / "site")],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    looked = json.loads(found.stdout)
    assert looked["from"].startswith(str(tmp_path / "site"))
    assert looked["settings"] == str(tmp_path / "site/dialer/_shipped/settings.toml")
    assert looked["word"] == "查手册"
    assert looked["chapters"] > 10
    assert looked["scripts"] > 5
    migrations = (ROOT / "alembic" / "versions").glob("[0-9]*.py")
    assert looked["revision"] == max(path.name for path in migrations)[:4]
