"""`docs/protocol.md` says what the code does: each of its tables is held against what it describes."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec
import pytest
from msgspec import Struct

import chain.api
import chain.block
import chain.body
import chain.contracts.terms
import chain.contracts.variables
import chain.entry
import chain.export
import chain.health
import chain.identity
import chain.jws
import chain.lists
import chain.receipt
import chain.state
import chain.store
import chain.token
import chain.wire
import device.addressbook
import device.attachment
import device.content
import device.identity
import device.keys
import device.link
import device.outbox
import device.reading
import device.sealing
import gateway.authority
import gateway.backup
import gateway.halt
import gateway.joins
import gateway.pulse
import gateway.refusals
import gateway.rest.admin
import gateway.rest.alive
import gateway.rest.audit
import gateway.rest.certificates
import gateway.rest.desk
import gateway.rest.entries
import gateway.rest.events
import gateway.rest.friends
import gateway.rest.inbox
import gateway.rest.ledger
import gateway.rest.login
import gateway.rest.lookup
import gateway.rest.messages
import gateway.rest.page
import gateway.rest.refusals
import gateway.rest.sessions
import gateway.rest.submission
import gateway.sessions
import gateway.site
import gateway.vault
import provisioning.authority.inventory
import provisioning.authority.root
import provisioning.inventory
from chain.entry import Common
from chain.errors import Rule
from gateway.broker.limits import Limits
from gateway.joins import Joins
from gateway.presence import Presence
from gateway.pulse import Pulses
from gateway.relay import Answer, Heads
from gateway.rest.app import create_app
from gateway.rest.problems import STATUS
from gateway.rest.snapshot import Chains
from gateway.rest.tries import ALLOWED
from gateway.sessions import Sessions
from gateway.site import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "protocol.md").read_text("utf-8")

# Modules of which every document is written down, but for what never leaves its process.
DOCUMENTED = (
    chain.api,
    chain.block,
    chain.body,
    chain.contracts.terms,
    chain.entry,
    chain.export,
    chain.health,
    chain.identity,
    chain.jws,
    chain.lists,
    chain.token,
    chain.wire,
    device.addressbook,
    device.attachment,
    device.content,
    device.identity,
    device.keys,
    device.sealing,
    gateway.authority,
    gateway.backup,
    gateway.halt,
    gateway.pulse,
    gateway.rest.admin,
    gateway.rest.alive,
    gateway.rest.audit,
    gateway.rest.certificates,
    gateway.rest.entries,
    gateway.rest.events,
    gateway.rest.friends,
    gateway.rest.inbox,
    gateway.rest.ledger,
    gateway.rest.login,
    gateway.rest.lookup,
    gateway.rest.messages,
    gateway.rest.sessions,
    gateway.rest.refusals,
    gateway.rest.submission,
    provisioning.authority.inventory,
    provisioning.inventory,
)
INTERNAL = {
    "Block",
    "Body",
    "Jws",
    "SignedEntry",
    "Submission",
    "Token",
    "_Held",
    "_Key",
    "_Private",
    "_Small",
    "_Terms",
}
NAMES = {
    chain.block.Header: "Block header",
    chain.jws.Header: "JWS header",
    device.content.FaultNote: "Fault",
    device.identity._Document: "Key file",
    device.sealing._Header: "JWE recipient header",
    device.sealing._Jwe: "JWE",
    device.sealing._Plaintext: "JWE plaintext",
    device.sealing._Protected: "JWE header",
    device.sealing._Recipient: "JWE recipient",
    gateway.authority.Refusal: "Authority's refusal",
}

# Modules of which every number is written down.
NUMBERED = (
    "chain.body",
    "chain.chain",
    "chain.contracts.terms",
    "chain.entry",
    "chain.token",
    "chain.wire",
    "device.window",
    "gateway.arrivals",
    "gateway.backup",
    "gateway.broker.mosquitto",
    "gateway.committer",
    "gateway.genesis",
    "gateway.joins",
    "gateway.halt",
    "gateway.journal",
    "gateway.pulse",
    "gateway.refusals",
    "gateway.rest.alive",
    "gateway.rest.documents",
    "gateway.rest.events",
    "gateway.rest.health",
    "gateway.rest.problems",
    "gateway.rest.tries",
    "gateway.vault",
    "provisioning.authority.certificates",
    "provisioning.authority.policy",
)

SCHEMAS = (
    chain.store.SCHEMA,
    chain.state.SCHEMA,
    device.outbox.SCHEMA,
    gateway.joins.SCHEMA,
    gateway.refusals.SCHEMA,
    gateway.sessions.SCHEMA,
)


def read_tables() -> dict[str, dict[str, list[str]]]:
    """Of each heading in code: the names in the first column of what follows it, and the other cells of their rows."""
    tables: dict[str, dict[str, list[str]]] = {}
    rows: dict[str, list[str]] = {}
    for line in TEXT.splitlines():
        if line.startswith("#"):
            heading = re.fullmatch(r"#### `(.+)`", line)
            rows = tables.setdefault(heading[1], {}) if heading else {}
        elif line.startswith("| `"):
            first, *rest = (cell.strip() for cell in line.strip("|").split("|"))
            rows.update(dict.fromkeys(re.findall(r"`([^`]+)`", first), rest))
    return tables


TABLES = read_tables()


def structs(module: ModuleType) -> Iterator[type[Struct]]:
    for value in vars(module).values():
        if (
            inspect.isclass(value)
            and issubclass(value, Struct)
            and value.__module__ == module.__name__
            and value.__name__ not in INTERNAL
        ):
            yield value


def name_of(kind: type[Struct]) -> str:
    if issubclass(kind, Common) and kind is not Common:
        return chain.entry.type_of(kind)  # type: ignore[arg-type] # its configuration is the class's
    return NAMES.get(kind, kind.__name__)


def members(kind: type[Struct]) -> dict[str, bool]:
    """The members of a document as they are spelt outside, and whether each may be left out."""
    found = {field.encode_name: not field.required for field in msgspec.structs.fields(kind)}
    if kind is Common:
        return {"type": False, **found}
    if issubclass(kind, Common):
        return {name: optional for name, optional in found.items() if name not in members(Common)}
    config = kind.__struct_config__
    return {config.tag_field: False, **found} if config.tag_field else found


KINDS: list[type[Struct]] = [
    *(kind for module in DOCUMENTED for kind in structs(module) if kind is not device.sealing._Header),
    device.reading.Reading,
    gateway.site.Settings,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_document_has_a_table_of_exactly_its_members(kind: type[Struct]) -> None:
    assert set(TABLES[name_of(kind)]) == set(members(kind))


@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS if kind.__struct_config__.omit_defaults],
    ids=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
def test_what_may_be_left_out_is_marked(kind: type[Struct]) -> None:
    marked = {name for name, rest in TABLES[name_of(kind)].items() if rest[0].startswith("*opt.*")}

    assert marked == {name for name, optional in members(kind).items() if optional}


def test_every_variable_of_a_guard_is_there_with_its_kind() -> None:
    kinds = {"bool": "bool", "int": "int", "string": "string", "strings": "list of strings"}
    declared = chain.contracts.variables.MESSAGE | chain.contracts.variables.ADMIN

    assert {name: row[0] for name, row in TABLES["Variables"].items()} == {
        name: kinds[kind] for name, kind in declared.items()
    }


def test_every_type_of_entry_is_there() -> None:
    types = {chain.entry.type_of(kind) for kind in get_args(chain.entry.Entry)}

    assert types <= set(TABLES)


def test_every_rule_is_there_with_its_status() -> None:
    told = {rule: int(rest[0]) for rule, rest in TABLES["Rules"].items()}

    assert told == {rule: STATUS[rule] for rule in get_args(Rule)}


def test_every_problem_is_there_with_its_status() -> None:
    told = {name: rest[0] for name, rest in TABLES["Problems"].items()}
    wanted = {"urn:blockpost:problem:refused": "by `rule`"}
    for error, status in STATUS.items():
        if not isinstance(error, str):
            wanted[f"urn:blockpost:problem:{error.__name__.lower()}"] = str(HTTPStatus(status).value)

    assert told == wanted


class NoRelay:
    """A relay that nobody asks."""

    heads = Heads()
    presence = Presence(lambda _: False)
    pulses = Pulses()

    def submit(self, parcel: bytes, entry_id: str) -> Answer:
        raise NotImplementedError


def test_every_kind_of_try_is_there_with_how_many_there_are() -> None:
    told = {kind: rest[0].strip("`") for kind, rest in TABLES["Tries"].items()}

    assert told == ALLOWED


def test_every_route_is_there_and_no_other(tmp_path: Path) -> None:
    sessions = Sessions.open(tmp_path / "sessions.db", clock=lambda: 0, idle_ms=1)
    joins = Joins.open(tmp_path / "joins.db", clock=lambda: 0)
    app = create_app(
        chains=Chains(tmp_path / "chain.db"),
        sessions=sessions,
        joins=joins,
        relay=NoRelay(),
        settings=Settings(),
        pin="a" * 26,
        static=tmp_path / "static",
        refused=tmp_path / "refusals.db",
        version="0",
        clock=lambda: 0,
    )
    sessions.close()
    joins.close()
    routes = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {name for name in TABLES if " /" in name} == routes


def test_the_policy_of_the_page_is_there_word_for_word() -> None:
    assert gateway.rest.page.DOCUMENT["Content-Security-Policy"] in " ".join(TEXT.split())


def test_every_topic_is_there_and_no_other() -> None:
    up = {chain.wire.up_topic("<account>", lane) for lane in ("entry", "status")}
    down = {chain.wire.down_topic("<account>", lane) for lane in get_args(chain.wire.Lane)}
    topics = {*up, *down, chain.wire.HEAD_TOPIC, gateway.pulse.TOPIC}

    assert set(TABLES["Topics"]) == topics
    for named in re.findall(rf"`({chain.wire.PREFIX}/[^`]*)`", TEXT):
        assert any(topic.startswith(named) for topic in topics), named


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_table_on_disk_is_there_word_for_word(schema: str) -> None:
    assert schema.strip() in TEXT


def test_every_table_on_disk_is_explained() -> None:
    created = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")
    names = {name for schema in SCHEMAS for name in created.findall(schema)}

    assert set(TABLES["Tables"]) == names


def number(text: str) -> float:
    return float(text.replace(",", ""))


def value_of(name: str) -> Any:
    place, _, constant = name.rpartition(".")
    return getattr(Limits() if place == "Limits" else importlib.import_module(place), constant)


@pytest.mark.parametrize("name", TABLES["Numbers"])
def test_every_number_is_the_codes(name: str) -> None:
    assert number(TABLES["Numbers"][name][0]) == value_of(name)


def numbers_of(name: str) -> set[str]:
    """The numbers that a module itself says."""
    module = importlib.import_module(name)
    said = ast.parse(inspect.getsource(module)).body
    targets = {
        target.id
        for line in said
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }
    return {f"{name}.{each}" for each in targets if isinstance(getattr(module, each), int | float)}


@pytest.mark.parametrize("module", NUMBERED)
def test_no_number_of_the_wire_is_left_out(module: str) -> None:
    assert numbers_of(module) <= set(TABLES["Numbers"])


def test_no_limit_of_the_broker_is_left_out() -> None:
    assert {f"Limits.{field.name}" for field in fields(Limits)} <= set(TABLES["Numbers"])


@pytest.mark.parametrize(
    "words",
    [
        chain.entry.TYP,
        chain.token.TYP,
        chain.wire.REFUSAL_TYP,
        chain.block.SIGNATURE_CONTEXT.decode().strip(),
        "blockpost/join/v1",
        "blockpost/safety/v1",
        "blockpost/sheet/v1",
        provisioning.authority.root.INFO.decode(),
        "blockpost/auth",
        "blockpost/wrap",
        "blockpost/recovery/auth",
        "blockpost/recovery/wrap",
        gateway.rest.desk.COOKIE,
        device.link.ONLINE.decode(),
        device.link.OFFLINE.decode(),
        chain.receipt.MAGIC,
        gateway.vault.MAGIC.decode().strip(),
        *(device.content.READING, device.content.EPISODE, device.content.GAP, device.content.HEARTBEAT),
        *(device.content.FAULT, device.content.FILE, device.content.LIMITS, device.content.SETTINGS),
        *(device.content.FORWARD, device.content.DRILL),
    ],
)
def test_what_separates_one_use_of_a_key_from_another_is_there(words: str) -> None:
    assert words in TEXT


def test_every_link_within_the_document_leads_somewhere() -> None:
    headings = [line.lstrip("# ") for line in TEXT.splitlines() if line.startswith("#")]
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors
