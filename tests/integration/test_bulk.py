"""`blockpost provision bulk`: join files for many devices, made once, and again where they are missing."""

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import durable
from chain.joincode import JoinCode
from chain.wire import Delivered
from device.errors import BadConfig
from device.joinfile import JoinFile
from provisioning import bulk, cli
from provisioning.admin import cli as admin
from provisioning.admin import codes
from provisioning.admin.requests import Requests
from provisioning.site import Site
from tests.sites import Done, added, client_of, enter, ran, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"n{abs(hash(request.node.nodeid)) % 10**12}"


def in_bulk(site: Site, folder: Path, *words: str | Path) -> Done:
    return ran(cli.main, "bulk", "--home", site.home("admin"), "--out", folder, *words)


def file_of(folder: Path, handle: str) -> Path:
    return folder / handle / bulk.FILE


def join(site: Site, folder: Path, handle: str) -> None:
    """As the device does whose card has the file, but for that the file stays: it was copied."""
    found = JoinFile.load(file_of(folder, handle))
    enter(site, handle, found.code, name=found.name)


def test_each_device_gets_a_file_that_lets_it_in(site: Site, name: str, tmp_path: Path) -> None:
    handles = [f"{name}-{number}" for number in range(3)]

    done = in_bulk(site, tmp_path / "cards", *handles)

    assert (done.code, done.out) == (
        0,
        f"3 of 3 join files made in {tmp_path / 'cards'}; the rest is there, or has joined\n",
    )
    for handle in handles:
        join(site, tmp_path / "cards", handle)
    listed = ran(admin.main, "--home", site.home("admin"), "devices").out
    assert all(handle in listed for handle in handles)


def test_a_file_is_for_its_owner_alone_and_its_code_is_printed_nowhere(
    site: Site, name: str, tmp_path: Path
) -> None:
    done = in_bulk(site, tmp_path, name)

    file = file_of(tmp_path, name)
    code = JoinFile.load(file).code.code
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert code not in done.out + done.err


def test_a_second_run_makes_only_what_is_missing(site: Site, name: str, tmp_path: Path) -> None:
    one, other = f"{name}-1", f"{name}-2"
    in_bulk(site, tmp_path, one)
    before = file_of(tmp_path, one).read_bytes()

    done = in_bulk(site, tmp_path, one, other)

    assert done.out.startswith("1 of 2 join files made")
    assert file_of(tmp_path, one).read_bytes() == before


def test_a_code_that_ends_soon_is_made_anew(
    site: Site, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(codes, "MS_PER_HOUR", 1000)
        in_bulk(site, tmp_path, name)
    before = JoinFile.load(file_of(tmp_path, name)).code

    done = in_bulk(site, tmp_path, name)

    assert done.out.startswith("1 of 1 join files made")
    assert JoinFile.load(file_of(tmp_path, name)).code != before


def test_a_code_that_an_admin_stopped_is_made_anew(site: Site, name: str, tmp_path: Path) -> None:
    in_bulk(site, tmp_path, name)
    assert ran(admin.main, "--home", site.home("admin"), "codes", "--cancel", name).code == 0

    assert in_bulk(site, tmp_path, name).out.startswith("1 of 1 join files made")


@pytest.mark.parametrize("damage", [b"", b'code = "half', b"\xff"], ids=["empty", "half", "no text"])
def test_a_file_that_is_none_is_made_anew(site: Site, name: str, tmp_path: Path, damage: bytes) -> None:
    in_bulk(site, tmp_path, name)
    file_of(tmp_path, name).write_bytes(damage)

    assert in_bulk(site, tmp_path, name).out.startswith("1 of 1 join files made")
    join(site, tmp_path, name)


class PowerCutError(BaseException):
    """Nothing answers this."""


@pytest.mark.parametrize("cut", ["before the invite", "before the file"])
def test_a_run_that_was_cut_off_is_gone_on_with(
    site: Site, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    handles = [f"{name}-{number}" for number in range(3)]
    target, attribute = (bulk, "invite") if cut == "before the invite" else (durable, "write")
    real, calls = getattr(target, attribute), []

    def power_cut(*given: object, **named: object) -> object:
        # Only join files are counted: the admin's own documents are written the same way.
        if attribute == "invite" or Path(str(given[0])).name == bulk.FILE:
            calls.append(given)
        if len(calls) == 2:
            raise PowerCutError
        return real(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(target, attribute, power_cut)
        with pytest.raises(PowerCutError):
            in_bulk(site, tmp_path, *handles)
    assert file_of(tmp_path, handles[0]).exists()
    assert not file_of(tmp_path, handles[1]).exists()

    assert in_bulk(site, tmp_path, *handles).out.startswith("2 of 3 join files made")

    for handle in handles:
        join(site, tmp_path, handle)
    with client_of(site, "admin") as client:
        unused = [
            line for line in Requests(client.gateway).invites() if line.handle in handles and not line.used_by
        ]
    assert len(unused) == (1 if cut == "before the file" else 0)


def test_the_file_of_a_device_that_has_joined_is_destroyed_here_too(
    site: Site, name: str, tmp_path: Path
) -> None:
    in_bulk(site, tmp_path, name)
    join(site, tmp_path, name)

    done = in_bulk(site, tmp_path, name)

    assert done.out.startswith("0 of 1 join files made")
    assert not file_of(tmp_path, name).exists()


def test_whoever_has_joined_is_linked_and_put_into_the_group(site: Site, name: str, tmp_path: Path) -> None:
    one, other, group = f"{name}-1", f"{name}-2", f"{name}-group"
    words = (one, other, "--link", "admin", "--group", group)
    assert in_bulk(site, tmp_path, *words).code == 0
    join(site, tmp_path, one)

    in_bulk(site, tmp_path, *words)
    first = linked(site, group)
    join(site, tmp_path, other)
    in_bulk(site, tmp_path, *words)
    size = chain_size(site)
    in_bulk(site, tmp_path, *words)

    assert first == ([one], [one])
    assert linked(site, group) == ([one, other], [one, other])
    assert chain_size(site) == size


def linked(site: Site, group: str) -> tuple[list[str], list[str]]:
    """The handles in contact with the first admin, of those in the group; and those in the group."""
    with client_of(site, "admin") as client:
        requests = Requests(client.gateway)
        handles = {line.account: line.handle or "" for line in requests.accounts()}
        (members,) = [view.members for view in requests.groups() if view.name == group]
        contacts = {frozenset((line.one, line.other)) for line in requests.links()}
        to_admin = [each for each in members if frozenset((each, client.account)) in contacts]
    return sorted(map(handles.__getitem__, to_admin)), sorted(map(handles.__getitem__, members))


def chain_size(site: Site) -> int:
    with client_of(site, "admin") as client:
        return Requests(client.gateway).health().size


def test_a_group_that_would_be_too_large_is_refused_in_words(
    site: Site, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_MEMBERS", 0)
    added(site, name, kind="device")

    done = in_bulk(site, tmp_path, name, "--group", "fridges")

    assert (done.code, done.err) == (
        1,
        "blockpost provision bulk: fridges: a group has at most 0 members, this would be 1\n",
    )


def test_it_waits_until_all_have_joined(
    site: Site, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop:
        def wait(self, _seconds: float) -> bool:
            join(site, tmp_path, name)
            return False

    monkeypatch.setattr("chain.console.until_signalled", Stop)

    done = in_bulk(site, tmp_path, name, "--wait")

    assert done.out.endswith("all 1 have joined\n")


def test_who_stops_waiting_is_told_how_many_are_missing(
    site: Site, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped:
        def wait(self, _seconds: float) -> bool:
            return True

    monkeypatch.setattr("chain.console.until_signalled", Stopped)

    done = in_bulk(site, tmp_path, name, "--wait")

    assert done.code == 1
    assert "ended while 1 of 1 had not joined" in done.err


def test_a_person_s_handle_is_not_for_a_device(site: Site, tmp_path: Path) -> None:
    done = in_bulk(site, tmp_path, "admin")

    assert (done.code, done.err) == (1, "blockpost provision bulk: admin: a person has this handle\n")
    assert not file_of(tmp_path, "admin").exists()


def test_a_peer_that_is_not_there_is_found_out_before_anything_is_made(
    site: Site, name: str, tmp_path: Path
) -> None:
    done = in_bulk(site, tmp_path, name, "--link", "nobody-at-all")

    assert done.code == 1
    assert "nobody-at-all: no live account has this handle or id" in done.err
    assert not file_of(tmp_path, name).exists()


def test_six_digits_may_be_asked_for(site: Site, name: str, tmp_path: Path) -> None:
    in_bulk(site, tmp_path, name, "--match")

    with client_of(site, "admin") as client:
        (line,) = [each for each in Requests(client.gateway).invites() if each.handle == name]
        invite = client.gateway.ask("GET", f"/v1/entries/{line.id}", Delivered)
    assert invite.body == f'{{"handle":"{name}","match":true}}'


# The list


def wanted(tmp_path: Path, text: str | bytes) -> list[tuple[str, str]]:
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(each.handle, each.name) for each in bulk.wanted_of([], path)]


@pytest.mark.parametrize(
    "text",
    [
        "fridge-1,Fridge 1\nfridge-2,Fridge 2\n",
        "handle,name\nfridge-1,Fridge 1\nfridge-2,Fridge 2",
        "\ufeffHandle, Name\r\nfridge-1, Fridge 1\r\n\r\nfridge-2,Fridge 2,\r\n",
        '"fridge-1","Fridge 1"\n  fridge-2 ,  Fridge 2\n,\n',
    ],
)
def test_a_list_has_handles_and_names(tmp_path: Path, text: str) -> None:
    assert wanted(tmp_path, text) == [("fridge-1", "Fridge 1"), ("fridge-2", "Fridge 2")]


def test_without_a_name_the_handle_is_one(tmp_path: Path) -> None:
    assert wanted(tmp_path, "fridge-1\nfridge-2,\n") == [("fridge-1", "fridge-1"), ("fridge-2", "fridge-2")]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Fridge 1\n", "line 1: 'Fridge 1': want a handle"),
        ("fridge-1\n../../etc\n", "line 2: '../../etc': want a handle"),
        ("fridge-1," + "n" * 81, "line 1"),
        ("fridge-1,Fridge,one too many\n", "line 1: want HANDLE or HANDLE,NAME, got 3 cells"),
        ("fridge-1\nfridge-2\nfridge-1\n", "line 3: fridge-1 is there twice"),
        (b"\xff\xfe", "want text in UTF-8"),
        ("", "want at least one handle"),
        ("handle,name\n", "want at least one handle"),
    ],
)
def test_a_bad_list_is_refused_by_its_first_bad_line(tmp_path: Path, text: str | bytes, wrong: str) -> None:
    with pytest.raises(BadConfig, match=wrong.replace(".", r"\.")):
        wanted(tmp_path, text)


@pytest.mark.parametrize(
    "name", ["Fridge 2", 'a "quoted" \\ name', "Kühlschrank \U0001f9ca", "tab\tdel\x7f\x01"]
)
def test_a_join_file_reads_back_whatever_the_name(tmp_path: Path, name: str) -> None:
    code = JoinCode("gateway.local", 8443, "a" * 52, "b" * 16)
    file = tmp_path / bulk.FILE
    file.write_text(bulk.to_text(code, name), "utf-8")

    assert tomllib.loads(file.read_text("utf-8")) == {"code": code.to_text(), "name": name}
    assert JoinFile.load(file) == JoinFile(code, name)
