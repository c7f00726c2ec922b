"""A gateway in one file, and back: whole, of one moment, and never older than what is known."""

import multiprocessing
import shutil
import signal
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from chain.audit import Progress, audit
from chain.errors import Damaged, Unverified
from gateway import backup, cli, vault
from gateway.errors import BadBackup, BadConfig, RolledBack
from gateway.joins import Joins
from gateway.site import Key, Site
from tests.backups import (
    PASSPHRASE,
    Moment,
    back_up_and_die,
    grow,
    made,
    newest,
    quiet,
    restore_and_die,
    restored,
    with_certificates,
)
from tests.sites import ran


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "SCRYPT_N", 2)
    monkeypatch.setattr(backup, "PAGES", 4)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return made(tmp_path / "site")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "site.backup"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "restored"


def save(site: Site, file: Path, passphrase: str | None = PASSPHRASE) -> Path:
    backup.make(site, file, passphrase, quiet)
    return file


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None], ids=["sealed", "not sealed"])
def test_what_was_backed_up_is_restored(site: Site, file: Path, place: Path, passphrase: str | None) -> None:
    save(site, file, passphrase)

    again = restored(file, place)

    assert again.settings == site.settings
    assert again.key().public == site.key().public
    assert newest(again) == newest(site)
    assert audit(again.chain_file) == audit(site.chain_file)


def test_a_restored_gateway_goes_on(site: Site, file: Path, place: Path) -> None:
    again = restored(save(site, file), place)

    grow(again, 2)

    assert audit(again.chain_file).size == audit(site.chain_file).size + 2


def test_it_holds_one_moment_of_a_chain_that_grows_meanwhile(site: Site, file: Path, place: Path) -> None:
    grown = []

    def stages(things: str) -> Progress:
        def told(_done: int, _all: int) -> None:
            grow(site, 1)
            grown.append(things)

        return told

    before = newest(site)
    head = backup.make(site, file, None, stages)

    assert {"pages copied", "bytes written"} <= set(grown)
    assert len(grown) > 3
    assert newest(restored(file, place)) == before
    assert audit(place / "chain.db").size == head.size == audit(site.chain_file).size - len(grown)


def test_only_its_owner_can_read_any_of_it(site: Site, file: Path, place: Path) -> None:
    restored(save(site, file, None), place)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (file, place, *place.iterdir())}
    assert modes == {
        "site.backup": 0o600,
        "restored": 0o700,
        "chain.db": 0o600,
        "gateway.key": 0o600,
        "gateway.toml": 0o600,
    }


def certificates_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each file in `tls/`."""
    return {
        path.name: (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in (folder / "tls").iterdir()
    }


def test_the_certificates_of_a_lan_are_restored_as_they_were(site: Site, file: Path, place: Path) -> None:
    lan = with_certificates(site)
    (lan.directory / "tls" / "authority.sock").write_bytes(b"only while it runs")

    again = restored(save(lan, file), place)

    kept = {name: each for name, each in certificates_of(site.directory).items() if name != "authority.sock"}
    assert certificates_of(place) == kept
    assert len(kept) == 8
    assert stat.S_IMODE((place / "tls").stat().st_mode) == 0o700
    assert again.pin() == lan.pin()


def test_an_authority_that_issued_nothing_yet_has_no_list_of_it(site: Site, file: Path, place: Path) -> None:
    with_certificates(site).certificates.inventory.unlink()

    assert restored(save(Site.load(site.directory), file), place).settings.is_lan
    assert len(certificates_of(place)) == 7


@pytest.mark.parametrize("name", ["root.crt", "issuing.key", "server.pem", "crl.pem"])
def test_a_lan_without_all_of_its_certificates_is_not_backed_up(site: Site, file: Path, name: str) -> None:
    lan = with_certificates(site)
    (lan.directory / "tls" / name).unlink()

    with pytest.raises(FileNotFoundError, match=name):
        save(lan, file)

    assert not file.exists()


def forged(site: Site, file: Path, leave_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that says of itself that it is whole, and is not."""
    with monkeypatch.context() as patched:
        patched.setattr(backup, "UNLESS_NEVER_MADE", {*backup.UNLESS_NEVER_MADE, leave_out})
        save(site, file)


def test_a_lan_without_all_of_its_certificates_is_not_restored(
    site: Site, file: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lan = with_certificates(site)
    lan.certificates.web.unlink()
    forged(lan, file, "tls/web.pem", monkeypatch)

    with pytest.raises(BadBackup, match=r"do not go together: tls/web\.pem"):
        restored(file, place)

    assert names(file.parent) == {"site", "site.backup"}


def test_certificates_without_a_lan_are_not_restored(site: Site, file: Path, place: Path) -> None:
    lan = with_certificates(site)
    settings = structs.replace(lan.settings, hosts=())
    (lan.directory / "gateway.toml").write_text(settings.to_toml(), "utf-8")
    save(lan, file)

    with pytest.raises(BadBackup, match="do not go together"):
        restored(file, place)


@pytest.mark.parametrize("running", [True, False])
def test_a_dead_join_code_does_not_live_again(site: Site, file: Path, place: Path, *, running: bool) -> None:
    joins = Joins.open(site.joins_file, clock=lambda: 0)
    joins.stop("stopped")
    joins.fail("tried")
    before = joins.known()
    if not running:
        joins.close()

    again = restored(save(site, file), place)

    with closing(Joins.open(again.joins_file, clock=lambda: 0)) as kept:
        assert kept.known() == before
    assert stat.S_IMODE(again.joins_file.stat().st_mode) == 0o600
    if running:
        joins.close()


def test_joins_that_cannot_be_read_are_not_restored(site: Site, file: Path, place: Path) -> None:
    with closing(sqlite3.connect(site.joins_file)) as db:
        db.execute("CREATE TABLE code (something TEXT)")
        db.execute("INSERT INTO code VALUES ('else')")
        db.commit()
    save(site, file)

    with pytest.raises(BadBackup, match=r"joins\.db: "):
        restored(file, place)

    assert names(file.parent) == {"site", "site.backup"}


def test_neither_the_key_nor_a_name_can_be_read_in_a_sealed_one(site: Site, file: Path) -> None:
    save(site, file)

    text = file.read_bytes()
    assert (site.directory / "gateway.key").read_bytes() not in text
    assert b"ward7.example" not in text
    assert b"gateway.toml" not in text


def test_sessions_and_refusals_stay_where_they_are(site: Site, file: Path, place: Path) -> None:
    for name in ("sessions.db", "refusals.db", "commit.lock"):
        (site.directory / name).write_bytes(b"something")

    restored(save(site, file), place)

    assert names(place) == {"chain.db", "gateway.key", "gateway.toml"}


def test_nothing_is_left_beside_it(site: Site, file: Path, place: Path) -> None:
    before = names(site.directory)

    restored(save(site, file), place)

    assert names(file.parent) == {"site", "site.backup", "restored"}
    assert names(site.directory) - {"chain.db-shm", "chain.db-wal"} == before - {
        "chain.db-shm",
        "chain.db-wal",
    }


def test_a_backup_never_replaces_another(site: Site, file: Path) -> None:
    file.write_bytes(b"the only good one")

    with pytest.raises(FileExistsError, match="never replaces"):
        save(site, file)

    assert file.read_bytes() == b"the only good one"


def test_a_gateway_with_another_key_is_not_backed_up(site: Site, file: Path) -> None:
    (site.directory / "gateway.key").unlink()
    Key.create(site.directory / "gateway.key")

    with pytest.raises(BadConfig, match="not the key"):
        save(site, file)

    assert not file.exists()


def test_a_wrong_passphrase_restores_nothing(site: Site, file: Path, place: Path) -> None:
    save(site, file)

    with pytest.raises(BadBackup, match="passphrase is not the one"):
        restored(file, place, passphrase="something else")

    assert names(file.parent) == {"site", "site.backup"}


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None], ids=["sealed", "not sealed"])
@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.6, 0.999])
def test_a_flipped_bit_anywhere_is_refused(
    site: Site, file: Path, place: Path, part: float, passphrase: str | None
) -> None:
    damaged = bytearray(save(site, file, passphrase).read_bytes())
    damaged[int(part * len(damaged))] ^= 0x10
    file.write_bytes(damaged)

    with pytest.raises(BadBackup, match=r"site\.backup: "):
        restored(file, place)

    assert names(file.parent) == {"site", "site.backup"}


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None], ids=["sealed", "not sealed"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_what_is_cut_short_is_refused(
    site: Site, file: Path, place: Path, part: float, passphrase: str | None
) -> None:
    whole = save(site, file, passphrase).read_bytes()
    file.write_bytes(whole[: int(part * len(whole))])

    with pytest.raises(BadBackup):
        restored(file, place)

    assert not place.exists()


def test_a_checkpoint_that_it_reaches_is_no_hindrance(site: Site, file: Path, place: Path) -> None:
    early = newest(site)
    grow(site, 2)
    save(site, file)

    restored(file, place, notes=[early, newest(site)])

    assert newest(Site.load(place)) == newest(site)


def test_a_backup_older_than_a_checkpoint_is_not_restored(site: Site, file: Path, place: Path) -> None:
    save(site, file)
    grow(site, 2)

    with pytest.raises(RolledBack, match="would take 2 receipted entries back"):
        restored(file, place, notes=[newest(site)])

    assert names(file.parent) == {"site", "site.backup"}


@pytest.mark.parametrize("more", [0, 3], ids=["as long", "longer"])
def test_a_backup_of_another_history_is_not_restored(
    tmp_path: Path, site: Site, file: Path, place: Path, more: int
) -> None:
    shutil.copytree(site.directory, tmp_path / "fork")
    fork = Site.load(tmp_path / "fork")
    grow(site, 1)
    grow(fork, 1 + more, name="Ward 8")
    save(fork, file)

    with pytest.raises(RolledBack, match="not those"):
        restored(file, place, notes=[newest(site)])

    assert not place.exists()


def test_one_checkpoint_of_several_is_enough_to_refuse(site: Site, file: Path, place: Path) -> None:
    early = newest(site)
    save(site, file)
    grow(site, 1)

    with pytest.raises(RolledBack):
        restored(file, place, notes=[early, newest(site)])


def test_a_checkpoint_of_another_gateway_says_nothing(
    tmp_path: Path, site: Site, file: Path, place: Path
) -> None:
    other = made(tmp_path / "other")

    with pytest.raises(Unverified):
        restored(save(site, file), place, notes=[newest(other)])

    assert not place.exists()


def test_a_damaged_chain_is_not_restored(site: Site, file: Path, place: Path) -> None:
    with closing(sqlite3.connect(site.chain_file)) as db, db:
        db.execute("UPDATE entry SET leaf = CAST(replace(leaf, 'a', 'b') AS BLOB) WHERE idx = 4")
    save(site, file)

    with pytest.raises(Damaged, match="block"):
        restored(file, place)

    assert names(file.parent) == {"site", "site.backup"}


def test_what_is_there_is_not_touched(site: Site, file: Path) -> None:
    save(site, file)
    grow(site, 1)
    before = newest(site)

    with pytest.raises(BadConfig, match="not empty"):
        restored(file, site.directory)

    assert newest(site) == before


def test_an_empty_directory_will_do(site: Site, file: Path, place: Path) -> None:
    place.mkdir()

    restored(save(site, file), place)

    assert audit(place / "chain.db").size == audit(site.chain_file).size


def died(process: Callable[..., None], *args: Any) -> None:
    child = multiprocessing.get_context("spawn").Process(target=process, args=args)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("stage", "moment"),
    [("pages copied", "first"), ("pages copied", "last"), ("bytes written", "first")],
    ids=["the first pages", "all pages", "before its end"],
)
def test_a_backup_that_is_killed_leaves_no_backup(
    site: Site, file: Path, place: Path, stage: str, moment: Moment
) -> None:
    died(back_up_and_die, site.directory, file, stage, moment)

    assert not file.exists()
    assert not [name for name in names(site.directory) if name.startswith(".backup-")]
    restored(save(site, file), place)  # what was left is not in the way
    assert names(file.parent) == {"site", "site.backup", "restored"}


@pytest.mark.parametrize(
    ("stage", "moment"),
    [
        ("bytes read", "first"),
        ("bytes read", "last"),
        ("entries checked", "first"),
        ("entries checked", "last"),
    ],
    ids=["the first bytes", "all bytes", "before the check", "in the check"],
)
def test_a_restore_that_is_killed_leaves_no_gateway(
    site: Site, file: Path, place: Path, stage: str, moment: Moment
) -> None:
    save(site, file, None)

    died(restore_and_die, file, place, stage, moment)

    assert not place.exists()
    (left,) = [folder for folder in file.parent.iterdir() if folder.name.startswith(".restored.restoring-")]
    with pytest.raises(BadConfig, match="no gateway here"):
        Site.load(left)
    restored(file, place)


# At the command line


def test_the_command_backs_up_and_restores(site: Site, file: Path, place: Path) -> None:
    saved = ran(cli.main, "backup", site.directory, file, "--stdin", stdin=f"{PASSPHRASE}\n")
    held = file.with_name("held")
    held.write_text(newest(site), "utf-8")
    back = ran(cli.main, "restore", file, place, "--newest", held, "--stdin", stdin=f"{PASSPHRASE}\n")

    size = audit(site.chain_file).size
    assert (saved.code, saved.err) == (back.code, back.err) == (0, "")
    assert f"with {size} entries" in saved.out
    assert f"restored {size} entries in " in back.out


def test_the_command_refuses_an_older_backup_with_one_line(site: Site, file: Path, place: Path) -> None:
    ran(cli.main, "backup", site.directory, file, "--no-passphrase")
    grow(site, 1)
    held = file.with_name("held")
    held.write_text(newest(site), "utf-8")

    done = ran(cli.main, "restore", file, place, "--newest", held)

    assert done.code == 1
    assert done.err.startswith("blockpost gateway restore: it ends with ")
    assert done.err.count("\n") == 1


def test_the_loss_has_to_be_accepted_in_so_many_words(site: Site, file: Path, place: Path) -> None:
    ran(cli.main, "backup", site.directory, file, "--no-passphrase")

    with pytest.raises(SystemExit, match="2"):
        ran(cli.main, "restore", file, place)

    assert ran(cli.main, "restore", file, place, "--accept-loss").code == 0


def test_a_passphrase_that_is_soon_guessed_is_refused(site: Site, file: Path) -> None:
    done = ran(cli.main, "backup", site.directory, file, "--stdin", stdin="ward7\n")

    assert done.code == 1
    assert "want 12 characters or more, got 5" in done.err
    assert not file.exists()


@pytest.mark.parametrize(("second", "code"), [(PASSPHRASE, 0), ("something else", 1)], ids=["same", "other"])
def test_a_passphrase_is_asked_for_twice(
    site: Site, file: Path, monkeypatch: pytest.MonkeyPatch, second: str, code: int
) -> None:
    typed = iter([PASSPHRASE, second])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))

    assert ran(cli.main, "backup", site.directory, file).code == code
    assert file.exists() == (code == 0)
