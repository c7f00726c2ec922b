"""
schemathesis, with all of its checks, finds nothing between the OpenAPI document that is served and what is answered.

It makes requests from the document, well-formed and ill-formed ones, for every operation there is, and holds each
answer against it. The gateway serves a LAN, where all of them have something to do. `EXAMPLES=200` makes more of them. A finding is printed with the request that shows it, and comes
again: the seed is fixed.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import urllib3

from chain import entry, token
from chain.encoding import b64url
from chain.entry import Contact
from device.client import Client
from device.login import choose, set_password
from provisioning.site import Site
from tests.sites import added, client_of, invited, running_site

EXAMPLES = os.environ.get("EXAMPLES", "5")
"""Of each operation, in each phase that makes them up."""

SECONDS = 1500

OTHER_SESSIONS = 6

Who = Literal["nobody", "member", "admin"]

ILL_FORMED = {400, 413, 415}
"""How a request is answered that does not fit the schema, and no other one."""

BEYOND_A_SCHEMA = {
    "POST /v1/accounts": "an entry is canonical JSON, signed, and bound to the body beside it",
    "POST /v1/certificates": "a certificate is requested in DER, by whom it names, signed",
    "POST /v1/entries": "an entry is canonical JSON, signed, and bound to the body beside it",
    "POST /v1/admin/contracts/check": "a guard is CEL, and speaks of what there is",
    "GET /v1/chain/consistency": "one size is at most the other, which is at most that of the log",
}
"""Where a request that fits the schema may be ill-formed nevertheless, and why."""

TURNED_AWAY: dict[Who, set[int]] = {"nobody": {401, 403}, "member": {401, 403}, "admin": {401}}
"""How else one that does not fit may end: before it is read. Everybody shows made-up credentials now and then."""

TELLING = ["dictionary_mismatch", "missing_deserializer", "unresolvable_reference", "unsupported_regex"]
"""Warnings that something was not checked."""


class Prepared:
    """A site where every kind of thing that a request may name is there once."""

    def __init__(self, site: Site, alice: Client, bob: Client, admin: Client) -> None:
        self.site = site
        self.root = site.directory / "gateway" / "tls" / "root.crt"
        self.pool = urllib3.PoolManager(ca_certs=str(self.root), retries=False)
        self.clients: dict[Who, Client] = {"member": alice, "admin": admin}
        self.friends: dict[Who, str] = {"member": bob.account, "admin": alice.account}
        _befriend(alice, bob)
        _befriend(admin, alice)
        self.chosen = choose("correct horse battery staple")
        set_password(alice, self.chosen)
        self.code = invited(site, "dora").code
        for _ in range(OTHER_SESSIONS):
            self.log_in()

    def log_in(self) -> None:
        """On another browser of the member's, to be ended by whoever may."""
        credentials = {"handle": "alice", "key": b64url(self.chosen.keys.auth)}
        made = self.pool.request("POST", f"{self.site.url}login", json=credentials)
        assert made.status == 200, made.data

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.get("openapi.json")))

    def get(self, path: str, who: Who = "nobody") -> bytes:
        headers = {}
        if who != "nobody":
            headers["Authorization"] = f"Bearer {self.clients[who].gateway.token(token.REST)}"
        answer = self.pool.request("GET", self.site.url + path, headers=headers)
        assert answer.status == 200, answer.data
        return answer.data

    def environment(self, who: Who) -> dict[str, str]:
        """Whom the hooks are to call as."""
        if who == "nobody":
            return {}
        made = {
            "FUZZ_URL": self.site.url,
            "FUZZ_ROOT": str(self.root),
            "FUZZ_HOME": str(self.clients[who].home.directory),
            "FUZZ_FRIEND": self.friends[who],
        }
        return made | ({"FUZZ_KEY": b64url(self.chosen.keys.auth)} if who == "member" else {})

    def names(self) -> dict[str, list[str]]:
        """What there is, by the parameter that names it."""
        invites = json.loads(self.get("v1/admin/invites", "admin"))["invites"]
        sessions = json.loads(self.get("v1/admin/sessions", "admin"))["sessions"]
        delivered = self.clients["admin"].gateway.inbox(-1).entries
        accounts = [client.account for client in self.clients.values()]
        return {
            "path.account": accounts,
            "path.entry_id": [entry.parse(each.entry.encode()).entry.id for each in delivered],
            "path.invite": [each["id"] for each in invites],
            "path.name": re.findall(r"assets/([\w.-]+)", self.get("").decode()),
            "path.session_id": [each["id"] for each in sessions],
            "body.code": [self.code],
            "body.friend": accounts,
            "body.handle": ["alice", "bob"],
            "body.to": ["alice", "bob", *accounts],
        }


def _befriend(one: Client, other: Client) -> None:
    one.say(Contact, action="request", peer=other.account)
    other.say(Contact, action="accept", peer=one.account)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with running_site(tmp_path_factory.mktemp("site"), lan=True) as site:
        added(site, "alice")
        added(site, "bob")
        with (
            client_of(site, "alice") as alice,
            client_of(site, "bob") as bob,
            client_of(site, "admin") as admin,
        ):
            yield Prepared(site, alice, bob, admin)


def settings_of(document: dict[str, Any], names: dict[str, list[str]], who: Who) -> str:
    """What schemathesis is to expect, as TOML."""
    made = {
        "generation.database": "none",
        "checks.negative_data_rejection.expected-statuses": sorted(ILL_FORMED | TURNED_AWAY[who] | {404}),
        "warnings.fail-on": TELLING,
    }
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in made.items())
    for parameter, values in names.items():
        text += f'[dictionaries."{parameter}"]\nvalues = {json.dumps(values)}\n'
    text += "[parameters]\n"
    for parameter in names:
        text += f'"{parameter}" = {{ dictionary = "{parameter}", probability = 0.5 }}\n'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            text += _of_operation(f"{method.upper()} {path}", operation, who)
    return text


def _of_operation(name: str, operation: dict[str, Any], who: Who) -> str:
    """A well-formed request is answered with what the document tells for it."""
    told = {int(status) for status in operation["responses"]}
    wrong = set() if name in BEYOND_A_SCHEMA else set(ILL_FORMED)
    if who != "nobody" and name != "POST /login":
        wrong.add(401)
    if who == "admin" and name.startswith("GET"):
        wrong.add(403)
    text = f'[[operations]]\ninclude-name = "{name}"\n'
    text += f"checks.positive_data_acceptance.expected-statuses = {sorted(told - wrong)}\n"
    if name == "GET /v1/events":
        # It never ends; and whoever comes back too often, before it is noticed that they left, is asked to wait.
        text += "max-stream-events = 1\nrequest-timeout = 5\n"
        text += 'checks.not_a_server_error.expected-statuses = ["2xx", "4xx", 503]\n'
    return text


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("who", ["nobody", "member", "admin"])
def test_it_finds_nothing(prepared: Prepared, tmp_path: Path, who: Who) -> None:
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(settings_of(prepared.document, prepared.names(), who))
    root = Path(__file__).parents[2]

    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)),
            *("run", f"{prepared.site.url}openapi.json", "--checks", "all", "--max-examples", EXAMPLES),
            *("--seed", "1", "--no-color", "--continue-on-failure"),
            *("--tls-verify", str(prepared.root)),
        ],
        env={**os.environ, "PYTHONPATH": str(root), "SCHEMATHESIS_HOOKS": "tests.fuzzed"}
        | prepared.environment(who),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
