"""What Mosquitto is told, and which certificates it is told of: without starting it."""

from pathlib import Path

import pytest

from chain import durable, wire
from gateway import pulse
from gateway.broker import mosquitto
from gateway.broker.limits import Limits
from gateway.broker.material import Material, Step
from gateway.broker.mosquitto import Listener
from gateway.errors import BadConfig
from gateway.site import Settings, Site
from tests.lan import Papers

GATEWAY = "gateway" + "a" * 19
PATHS = {name: Path(f"/a site/{name}") for name in ("access", "authorities", "server", "revoked")}


def options(host: str = "0.0.0.0") -> dict[str, list[str]]:  # noqa: S104 - a LAN is served
    found: dict[str, list[str]] = {}
    for line in mosquitto.configuration(Listener(host=host, port=8883, **PATHS)).splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition(" ")
            found.setdefault(name, []).append(value)
    return found


def test_there_is_one_listener_and_it_is_on_the_address_of_the_settings() -> None:
    assert options()["listener"] == ["8883 0.0.0.0"]
    assert options("::")["listener"] == ["8883 ::"]
    assert not {"port", "bind_address", "include_dir", "per_listener_settings"} & set(options())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("require_certificate", "true"),
        ("use_identity_as_username", "true"),
        ("use_username_as_clientid", "true"),
        ("allow_anonymous", "false"),
        ("tls_version", "tlsv1.2"),
        ("crlfile", "/a site/revoked"),
        ("cafile", "/a site/authorities"),
        ("certfile", "/a site/server"),
        ("keyfile", "/a site/server"),
        ("acl_file", "/a site/access"),
        ("persistence", "false"),
        ("sys_interval", "0"),
        ("max_qos", "1"),
        ("max_packet_size", str(Limits().packet_bytes)),
    ],
)
def test_what_keeps_strangers_out_and_clients_apart_is_said_and_said_once(option: str, value: str) -> None:
    assert options()[option] == [value]


def test_the_longest_parcel_fits_into_a_packet() -> None:
    topic = wire.up_topic(GATEWAY, "entry")
    header = 1 + 4 + 2 + len(topic) + 2
    assert wire.MAX_PARCEL_BYTES + header <= int(options()["max_packet_size"][0])


def test_what_is_logged_holds_no_messages() -> None:
    assert set(options()["log_type"]) == {"error", "warning", "notice", "information"}
    assert options()["log_dest"] == ["stderr"]


def test_a_path_that_would_be_two_lines_is_refused() -> None:
    paths = PATHS | {"server": Path("/a\nallow_anonymous true")}
    with pytest.raises(BadConfig, match="line break"):
        mosquitto.configuration(Listener(host="::", port=8883, **paths))


def rights(text: str) -> dict[str, set[str]]:
    """Of each user; the patterns, which hold for everybody, under `%u`."""
    found: dict[str, set[str]] = {"%u": set()}
    user = ""
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "user":
            user = rest
            found[user] = set()
        elif word in ("topic", "pattern"):
            found[user if word == "topic" else "%u"].add(rest)
    return found


def test_a_device_writes_two_topics_and_reads_its_own_and_the_head() -> None:
    assert rights(mosquitto.access(GATEWAY))["%u"] == {
        "read blockpost/v1/gateway/head",
        "read blockpost/v1/down/%u/#",
        "write blockpost/v1/up/%u/entry",
        "write blockpost/v1/up/%u/status",
    }


def test_the_web_server_has_less_than_the_committer() -> None:
    has = rights(mosquitto.access(GATEWAY))

    assert set(has) == {GATEWAY, f"{GATEWAY}.web", "%u"}
    assert f"write {pulse.TOPIC}" in has[GATEWAY]
    assert {each for each in has[f"{GATEWAY}.web"] if each.startswith("write")} == {
        f"write blockpost/v1/up/{GATEWAY}/entry"
    }


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("mosquitto version 2.0.11\n\nmosquitto is an MQTT v5.0/v3.1.1/v3.1 broker.", "2.0.11"),
        ("mosquitto version 2.1.2 \n", "2.1.2"),
        ("mosquitto version 10.0.0", "10.0.0"),
    ],
)
def test_from_version_two_on_it_will_do(told: str, version: str) -> None:
    assert mosquitto.checked_version(told) == version


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("mosquitto version 1.6.12\n", "want version 2.0.0 or newer, got 1.6.12: upgrade it"),
        ("", "want it to tell its version, got ''"),
        ("something else", "got 'something else'"),
    ],
)
def test_an_older_one_or_another_program_is_refused_in_words(told: str, message: str) -> None:
    with pytest.raises(BadConfig, match=message):
        mosquitto.checked_version(told)


@pytest.mark.parametrize(
    "line",
    [
        "New connection from 127.0.0.1:41626 on port 8883.",
        "Client <unknown> disconnected due to protocol error.",
        "OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading",
        "Warning: ACL pattern 'blockpost/v1/gateway/head' does not contain '%c' or '%u'.",
    ],
)
def test_lines_that_say_nothing_are_left_out(line: str) -> None:
    assert mosquitto.is_noise(line)


@pytest.mark.parametrize(
    "line",
    [
        "New client connected from 10.0.0.7:41626 as a (p2, c1, k20, u'a').",
        "Client a disconnected.",
        "Client a already connected, closing old connection.",
        "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed",
        "Outgoing messages are being dropped for client a.",
        "Error: Address already in use",
    ],
)
def test_lines_that_say_something_are_not(line: str) -> None:
    assert not mosquitto.is_noise(line)


# Certificates


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(Site(tmp_path, Settings(hosts=("ward-7.example",))), GATEWAY)


def test_nothing_new_needs_nothing(papers: Papers) -> None:
    assert Material.read(papers.files).step_from(Material.read(papers.files)) is Step.NOTHING


def test_a_new_list_and_a_new_server_certificate_are_reloaded(papers: Papers) -> None:
    first = Material.read(papers.files)
    papers.revoke(papers.client("a"))
    second = Material.read(papers.files)
    papers.renew_server()

    assert second.step_from(first) is Step.RELOAD
    assert Material.read(papers.files).step_from(second) is Step.RELOAD


def test_another_authority_needs_a_new_start(papers: Papers) -> None:
    before = Material.read(papers.files)
    papers.replace_authority()

    assert Material.read(papers.files).step_from(before) is Step.RESTART


@pytest.mark.parametrize(
    "junk", [b"", b"\n", b"junk", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"]
)
@pytest.mark.parametrize("name", ["crl.pem", "server.pem", "root.crt"])
def test_what_mosquitto_could_not_read_is_refused(papers: Papers, name: str, junk: bytes) -> None:
    durable.write(papers.files.directory / name, junk)

    with pytest.raises(BadConfig):
        Material.read(papers.files)


def test_a_whole_list_with_something_behind_it_is_refused(papers: Papers) -> None:
    durable.write(papers.files.crl, papers.files.crl.read_bytes() + b"junk")

    with pytest.raises(BadConfig, match=r"crl\.pem holds something else"):
        Material.read(papers.files)


def test_a_list_that_somebody_else_signed_is_refused(papers: Papers, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = Papers(Site(tmp_path / "elsewhere", Settings(hosts=("ward-7.example",))), GATEWAY)
    durable.write(papers.files.crl, other.files.crl.read_bytes())

    with pytest.raises(BadConfig, match="not signed by an authority of this site"):
        Material.read(papers.files)


def test_a_server_certificate_without_its_key_is_refused(papers: Papers) -> None:
    pem = papers.files.server.read_bytes()
    durable.write(papers.files.server, pem[pem.index(b"-----BEGIN CERT") :])

    with pytest.raises(BadConfig, match=r"server\.pem: want a key and its certificates"):
        Material.read(papers.files)
