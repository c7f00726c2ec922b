"""The units that are written: for what lies in the directory, judged by systemd itself."""

import grp
import shutil
import subprocess
from pathlib import Path

import pytest

from device.errors import BadConfig
from gateway.site import Settings
from provisioning import cli, systemd
from tests.sites import ran

PYTHON = Path("/opt/blockpost/bin/python")
SERVING = ("broker", "web", "welcome")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(systemd, "STATE", tmp_path)
    return tmp_path


@pytest.fixture
def gateway(state: Path) -> Path:
    (state / "ward-3").mkdir()
    (state / "ward-3" / "gateway.toml").touch()
    return state / "ward-3"


@pytest.fixture
def lan(gateway: Path) -> Path:
    """The same, for a LAN."""
    written_settings(gateway)
    return gateway


def written_settings(directory: Path, *, host: str = "::", http_port: int = 8443) -> None:
    settings = Settings(
        hosts=("ward-3.local",), http_host=host, http_port=http_port, mqtt_host=host, mqtt_port=8883
    )
    (directory / "gateway.toml").write_text(settings.to_toml(), "utf-8")


def value_of(unit: str, name: str) -> list[str]:
    """The words of a unit's setting."""
    (line,) = (line for line in unit.splitlines() if line.startswith(f"{name}="))
    return line.removeprefix(f"{name}=").split()


@pytest.fixture
def home(state: Path) -> Path:
    (state / "fridge-2").mkdir()
    (state / "fridge-2" / "addressbook.json").touch()
    return state / "fridge-2"


@pytest.fixture
def annunciator(state: Path) -> Path:
    (state / "bell-1").mkdir()
    (state / "bell-1" / "addressbook.json").touch()
    (state / "bell-1" / "annunciator.toml").touch()
    return state / "bell-1"


def test_a_gateway_has_a_unit_for_each_process(gateway: Path) -> None:
    units = systemd.units(gateway, python=PYTHON)

    assert set(units) == {"ward-3-broker.service", "ward-3-commit.service", "ward-3-web.service"}
    for name, text in units.items():
        part = name.removeprefix("ward-3-").removesuffix(".service")
        assert f'ExecStart="{PYTHON}" -m provisioning gateway {part} {gateway}\n' in text


def test_a_devices_agent_has_one(home: Path) -> None:
    ((name, text),) = systemd.units(home, python=PYTHON).items()

    assert name == "fridge-2-agent.service"
    assert f"device --home {home} --verbose run\n" in text


def test_an_annunciator_has_one_and_may_use_what_sounds(
    annunciator: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grp, "getgrnam", {"audio": object()}.__getitem__)

    ((name, text),) = systemd.units(annunciator, python=PYTHON).items()

    assert name == "bell-1-annunciator.service"
    assert f"device --home {annunciator} --verbose annunciate\n" in text
    assert (
        "\nPrivateDevices=no\nDevicePolicy=closed\nDeviceAllow=char-gpiochip rw\nDeviceAllow=char-alsa rw\n"
        "SupplementaryGroups=audio\n"
    ) in text


def test_a_machine_without_those_groups_has_a_unit_all_the_same(
    annunciator: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grp, "getgrnam", {}.__getitem__)

    (text,) = systemd.units(annunciator, python=PYTHON).values()

    assert "SupplementaryGroups" not in text


def test_nobody_else_sees_a_device(lan: Path, home: Path) -> None:
    for directory in (lan, home):
        for text in systemd.units(directory, python=PYTHON).values():
            assert value_of(text, "PrivateDevices") == ["yes"]


def test_an_account_is_an_agents_or_an_annunciators(annunciator: Path) -> None:
    (annunciator / "agent.toml").touch()

    with pytest.raises(BadConfig, match="got both"):
        systemd.units(annunciator, python=PYTHON)


def test_a_gateway_for_a_lan_has_an_authority_and_a_welcome_page_besides(lan: Path) -> None:
    units = systemd.units(lan, python=PYTHON)

    assert list(units) == [
        f"ward-3-{part}.service" for part in ("authority", "broker", "commit", "web", "welcome")
    ]
    assert f'"{PYTHON}" -m provisioning authority run {lan}\n' in units["ward-3-authority.service"]
    for part in ("broker", "commit", "web", "welcome"):
        assert f'"{PYTHON}" -m provisioning gateway {part} {lan}\n' in units[f"ward-3-{part}.service"]


def test_only_those_that_the_lan_speaks_to_hear_it(lan: Path) -> None:
    units = systemd.units(lan, python=PYTHON)

    for part, others in (("authority", []), ("commit", []), *((name, [*systemd.LAN]) for name in SERVING)):
        unit = units[f"ward-3-{part}.service"]
        assert value_of(unit, "IPAddressDeny") == ["any"]
        assert value_of(unit, "IPAddressAllow") == ["localhost", *others]


def test_parts_reach_each_other_at_an_address_of_the_gateways_own(lan: Path) -> None:
    """A broker that listens at one address only is spoken to from that very address."""
    written_settings(lan, host="203.0.113.7")

    units = systemd.units(lan, python=PYTHON)

    assert value_of(units["ward-3-commit.service"], "IPAddressAllow") == ["localhost", "203.0.113.7"]


def test_only_who_opens_a_low_port_may(lan: Path) -> None:
    for port, expected in ((8443, {"welcome"}), (443, {"welcome", "web"})):
        written_settings(lan, http_port=port)

        units = systemd.units(lan, python=PYTHON)

        able = {name for name, unit in units.items() if value_of(unit, "CapabilityBoundingSet")}
        assert able == {f"ward-3-{part}.service" for part in expected}
        for name, unit in units.items():
            given = ["CAP_NET_BIND_SERVICE"] if name in able else []
            assert value_of(unit, "AmbientCapabilities") == given
            # Among users of its own a capability would open nothing of the machine's.
            assert value_of(unit, "PrivateUsers") == ["no" if name in able else "yes"]


def test_settings_that_are_none_are_refused(gateway: Path) -> None:
    (gateway / "gateway.toml").write_text("http_port = 0\n", "utf-8")

    with pytest.raises(BadConfig, match="http_port"):
        systemd.units(gateway, python=PYTHON)


def test_a_device_that_has_not_joined_yet_has_one_too(state: Path) -> None:
    """It came up with an SD card that has its join file."""
    (state / "fridge-3").mkdir()
    (state / "fridge-3" / "join.toml").touch()

    assert list(systemd.units(state / "fridge-3", python=PYTHON)) == ["fridge-3-agent.service"]


def test_an_agent_may_give_its_sensors_a_leash(home: Path) -> None:
    """`setpriv` sets the capabilities of what it starts, even where there are none, and fails if it may not."""
    (unit,) = systemd.units(home, python=PYTHON).values()

    assert "SystemCallFilter=~@privileged\nSystemCallFilter=capset\n" in unit


def test_what_a_part_logs_has_its_name(lan: Path) -> None:
    for name, unit in systemd.units(lan, python=PYTHON).items():
        assert value_of(unit, "SyslogIdentifier") == [name.removesuffix(".service")]


def test_each_part_starts_after_those_that_it_needs(gateway: Path) -> None:
    units = systemd.units(gateway, python=PYTHON)

    assert (
        "\nAfter=network-online.target ward-3-broker.service ward-3-commit.service\n"
        in units["ward-3-web.service"]
    )


def test_the_broker_of_a_lan_starts_once_its_certificates_are_new(lan: Path) -> None:
    unit = systemd.units(lan, python=PYTHON)["ward-3-broker.service"]

    assert value_of(unit, "After") == ["network-online.target", "ward-3-authority.service"]


def test_all_parts_of_a_gateway_are_one_user_in_one_directory(lan: Path) -> None:
    for text in systemd.units(lan, python=PYTHON).values():
        assert "\nDynamicUser=yes\nUser=ward-3\nStateDirectory=ward-3\n" in text


@pytest.fixture(params=["gateway", "lan", "home", "annunciator"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """Units that systemd itself is asked about, where Python is one that exists."""
    directory: Path = request.getfixturevalue(request.param)
    out = tmp_path / "units"
    out.mkdir()
    files = []
    for name, text in systemd.units(directory, python=Path("/bin/true")).items():
        (out / name).write_text(text, "utf-8")
        files.append(out / name)
    return files


def asked(*words: str | Path) -> subprocess.CompletedProcess[str]:
    assert shutil.which("systemd-analyze"), "make systemd installs it"
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def test_systemd_understands_every_line(written: list[Path]) -> None:
    done = asked("verify", *written)

    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_them_hardly_exposed(written: list[Path]) -> None:
    for file in written:
        done = asked("security", "--offline=true", "--threshold=20", "--no-pager", file)
        assert done.returncode == 0, done.stdout


def test_systemd_would_say_so_of_one_that_is(tmp_path: Path) -> None:
    (tmp_path / "bare.service").write_text("[Service]\nExecStart=/bin/true\n", "utf-8")

    assert (
        asked(
            "security", "--offline=true", "--threshold=20", "--no-pager", tmp_path / "bare.service"
        ).returncode
        != 0
    )


def test_a_directory_that_is_neither_is_refused(state: Path) -> None:
    (state / "other").mkdir()

    with pytest.raises(BadConfig, match="neither a gateway nor"):
        systemd.units(state / "other", python=PYTHON)


@pytest.mark.parametrize("place", ["nested/ward-3", "Ward 3", "..", "ward-3%n"])
def test_a_directory_that_systemd_cannot_give_is_refused(state: Path, place: str) -> None:
    with pytest.raises(BadConfig, match="want a directory right below"):
        systemd.units(state / place, python=PYTHON)


@pytest.mark.parametrize("python", ["/home/lee/.venv/bin/python", "/root/.venv/bin/python"])
def test_a_python_in_a_home_is_refused(gateway: Path, python: str) -> None:
    with pytest.raises(BadConfig, match="sees no home"):
        systemd.units(gateway, python=Path(python))


def test_the_command_writes_them(gateway: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(PYTHON))
    out = tmp_path / "etc" / "units"

    done = ran(cli.main, "systemd", gateway, "--out", out)

    files = sorted(out.iterdir())
    assert done.code == 0
    assert sorted(done.out.splitlines()) == [str(file) for file in files]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o644] * 3
    assert f'ExecStart="{PYTHON}"' in files[0].read_text("utf-8")


def test_what_is_wrong_is_one_line(state: Path, tmp_path: Path) -> None:
    done = ran(cli.main, "systemd", tmp_path / "a" / "b", "--out", tmp_path)

    assert done.code == 1
    assert done.err.startswith("blockpost provision systemd: ")
