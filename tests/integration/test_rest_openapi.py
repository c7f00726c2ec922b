"""The OpenAPI document says what the routes do, and the page beside it shows it without a script."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from werkzeug.test import TestResponse

from gateway.rest.routes import ROUTES
from tests.certificates import request
from tests.offices import LanSite
from tests.site import Site, a_site, log_in, parcel_of
from tests.world import START, contracts_for

LEFT_OUT = {"HEAD", "OPTIONS"}
"""The framework answers them everywhere."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with a_site(folder) as made:
        LanSite(made, folder / "tls")
        yield made


@pytest.fixture
def document(site: Site) -> dict[str, Any]:
    answer = site.browser().get("/openapi.json")
    assert answer.status_code == 200
    return dict(json.loads(answer.data))


def in_braces(rule: str) -> str:
    return re.sub(r"<(?:path:)?([a-z_]+)>", r"{\1}", rule)


def test_it_is_a_valid_openapi_document(document: dict[str, Any]) -> None:
    validate(document, cls=OpenAPIV31SpecValidator)


def test_every_route_is_in_it_and_no_other(site: Site, document: dict[str, Any]) -> None:
    routes = {
        f"{method} {in_braces(rule.rule)}"
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - LEFT_OUT
    }

    told = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert told == routes


def test_no_two_operations_have_one_name(document: dict[str, Any]) -> None:
    names = [of["operationId"] for methods in document["paths"].values() for of in methods.values()]

    assert len(names) == len(set(names)) == len(ROUTES)


def test_who_may_call_is_what_the_gateway_does(site: Site) -> None:
    """Without a login, all that is not for everybody is answered with 401, and an admin's route to a member with 403."""
    fill = {
        "account": site.bob.id,
        "entry_id": "x",
        "height": "0",
        "invite": "x",
        "name": "x",
        "session_id": "x",
    }
    for name, route in ROUTES.items():
        method, path = name.split(" ")
        path = re.sub(r"<(?:path:)?(\w+)>", lambda match: fill[match[1]], path)
        asked = {"method": method, "json": {}} if method == "POST" else {"method": method}
        if route.query is not None and "chain/consistency" in path:
            path += "?from=0&to=1"

        stranger = site.browser().open(path, **asked, environ_base={"REMOTE_ADDR": "192.168.1.66"})
        member = site.browser().open(path, **asked, headers=site.bearer(site.carol), buffered=False)
        member.close()

        said = (stranger.status_code, member.status_code)
        if route.body is None or route.body.__struct_fields__ == ():
            assert (said[0] == 401) == (route.who != "all"), name
        assert (said[1] == 403) == (route.who == "admin"), name


def answers(site: Site) -> Iterator[tuple[str, TestResponse]]:
    """One good answer of every route that answers JSON by itself."""
    entry = site.alice.writes(site.bob.id)
    message = entry.signed.entry.id
    code = site.world.code()
    yield "POST /v1/entries", site.submit(site.alice, entry)
    site.commit(site.admin.invites(code, handle="dora"))
    alarm = site.fridge.alerts(site.on_call)
    site.commit(site.admin.installs("on-call", contracts_for(site.on_call)["escalate"]))
    site.commit(site.admin.plans(site.on_call, START, site.clock() + 1, account=site.alice.id))
    site.commit(alarm)
    yield "POST /v1/invites", site.post(site.alice, "/v1/invites", {"code": code})
    yield "POST /login", log_in(site.browser(), site.alice)
    yield "POST /v1/login/salt", site.post(site.alice, "/v1/login/salt", {"handle": "alice"})
    yield "POST /friendslist", site.post(site.alice, "/friendslist", {})
    yield "POST /messages", site.post(site.alice, "/messages", {"friend": site.bob.id})
    yield "POST /v1/lookup", site.post(site.alice, "/v1/lookup", {"handle": "bob"})
    yield "POST /v1/intents", site.post(site.alice, "/v1/intents", {"to": site.bob.id})
    header = {"kind": "physiological", "priority": "high"}
    yield "POST /v1/intents", site.post(site.fridge, "/v1/intents", {"to": "on call", "alert": header})
    yield "POST /v1/certificates", site.post(site.alice, "/v1/certificates", {"csr": request(site.alice.id)})
    renew = f"/v1/admin/certificates/{site.bob.id}/renew"
    yield "POST /v1/admin/certificates/<account>/renew", site.post(site.admin, renew, {})
    proposal = {"contract": "by-night", "terms": contracts_for(site.on_call)["escalate"]}
    check = "/v1/admin/contracts/check"
    yield f"POST {check}", site.post(site.admin, check, msgspec.to_builtins(proposal))
    yield "POST /v1/admin/chain/verify", site.post(site.admin, "/v1/admin/chain/verify", {})
    for path, name in {
        "/check": "/check",
        "/v1/site": "/v1/site",
        "/v1/sessions": "/v1/sessions",
        "/v1/profile": "/v1/profile",
        f"/v1/accounts/{site.bob.id}": "/v1/accounts/<account>",
        f"/v1/entries/{message}": "/v1/entries/<entry_id>",
        "/v1/inbox": "/v1/inbox",
        "/v1/alerts": "/v1/alerts",
        f"/v1/alerts/{alarm.signed.entry.id}/entries": "/v1/alerts/<entry_id>/entries",
        "/v1/alerts/load": "/v1/alerts/load",
        "/v1/duty": "/v1/duty",
        "/v1/contracts": "/v1/contracts",
        "/v1/chain/consistency?from=1&to=2": "/v1/chain/consistency",
        "/v1/chain/blocks/1": "/v1/chain/blocks/<height>",
        "/healthz": "/healthz",
        "/v1/admin/accounts": "/v1/admin/accounts",
        "/v1/admin/invites": "/v1/admin/invites",
        "/v1/admin/joins": "/v1/admin/joins",
        "/v1/admin/certificates": "/v1/admin/certificates",
        "/v1/admin/groups": "/v1/admin/groups",
        "/v1/admin/links": "/v1/admin/links",
        "/v1/admin/audit": "/v1/admin/audit",
        "/v1/admin/refusals": "/v1/admin/refusals",
        "/v1/admin/chain": "/v1/admin/chain",
        "/v1/admin/sessions": "/v1/admin/sessions",
    }.items():
        yield f"GET {name}", site.get(site.admin if "admin" in name else site.alice, path)


def operation(document: dict[str, Any], name: str) -> dict[str, Any]:
    method, path = name.split(" ")
    return dict(document["paths"][in_braces(path)][method.lower()])


def fits(document: dict[str, Any], said: dict[str, Any], value: Any) -> None:
    (schema,) = [each["schema"] for each in said["content"].values()]
    # A reference is one into the document, which is therefore a part of the schema.
    OAS31Validator({**schema, "components": document["components"]}).validate(value)


def test_real_answers_are_of_the_form_that_it_says(site: Site, document: dict[str, Any]) -> None:
    names = set()
    for name, answer in answers(site):
        said = operation(document, name)["responses"]
        assert str(answer.status_code) in said, (name, answer.text)
        assert answer.status_code < 300, (name, answer.text)
        fits(document, said[str(answer.status_code)], answer.json)
        names.add(name)

    without = {"GET /openapi.json", "POST /v1/accounts"}  # any JSON; and the same answer as for an entry
    json_routes = {name for name, route in ROUTES.items() if isinstance(route.answer, type)}
    assert json_routes - without == names


def test_a_real_problem_is_of_the_form_that_it_says(site: Site, document: dict[str, Any]) -> None:
    said = operation(document, "GET /check")["responses"]
    answer = site.browser().get("/check")

    assert answer.content_type in said["401"]["content"]
    fits(document, said["401"], answer.json)


def test_a_real_request_is_of_the_form_that_it_says_and_no_other_is(
    site: Site, document: dict[str, Any]
) -> None:
    (content,) = operation(document, "POST /v1/entries")["requestBody"]["content"].values()
    validator = OAS31Validator({**content["schema"], "components": document["components"]})
    parcel = parcel_of(site.alice.writes(site.bob.id))

    assert validator.is_valid(parcel)
    assert not validator.is_valid(parcel | {"more": 1})
    assert not validator.is_valid(parcel | {"salt": "A"})


def test_no_expression_is_one_that_only_python_reads(document: dict[str, Any]) -> None:
    text = json.dumps(document)

    assert '"pattern"' in text
    assert not re.search(r"\\\\[AZ]|\(\?P", text)


# GET /docs


class Seen(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id" and value:
                self.ids.append(value)
            if name in ("href", "src") and value:
                self.links.add(value)


def test_the_page_shows_every_operation_and_every_document(site: Site, document: dict[str, Any]) -> None:
    answer = site.browser().get("/docs")
    seen = Seen(answer.text)

    operations = [of["operationId"] for methods in document["paths"].values() for of in methods.values()]
    assert answer.content_type == "text/html; charset=utf-8"
    assert sorted(seen.ids) == sorted([*operations, *document["components"]["schemas"], "schemas"])


def test_the_page_runs_and_loads_nothing(site: Site) -> None:
    answer = site.browser().get("/docs")
    seen = Seen(answer.text)

    assert seen.tags.isdisjoint({"script", "img", "link", "iframe", "object"})
    assert "`" not in answer.text
    assert not any(name.startswith("on") or name == "style" for name in seen.attributes)
    assert {link for link in seen.links if not link.startswith("#")} == {"openapi.json"}
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


def test_every_link_of_the_page_leads_somewhere(site: Site) -> None:
    seen = Seen(site.browser().get("/docs").text)

    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)
