"""What a gateway writes to its log: one line for each thing that happened, and nothing that opens anything."""

import http.client
import json
import re
from pathlib import Path
from typing import Any

from chain.encoding import b64url
from device import cli, login
from provisioning.site import Site
from tests.sites import client_of, enter, invited, ran, running_site

SECRET = "correct horse battery staple"
WRONG = b64url(b"a wrong key that nobody may see.")
WORDS = "the patient in bed seven"
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?:INFO|WARNING) gateway(?:\.\w+)+ [a-z][\w ]+(?: \w+=.+)*"
)


def ask(site: Site, path: str, document: Any, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=30)
    try:
        connection.request(
            "POST", path, json.dumps(document), {"Content-Type": "application/json", **headers}
        )
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def logged_in(site: Site, handle: str, key: bytes) -> str:
    """The session's cookie."""
    answer = ask(site, "/login", {"handle": handle, "key": b64url(key)})
    assert answer.status == 200
    cookie = answer.getheader("Set-Cookie")
    assert cookie is not None
    return cookie.partition(";")[0].partition("=")[2]


def test_nothing_that_opens_anything_is_in_the_log(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        code = invited(site, "dr.lee")
        shown = ask(site, "/v1/invites", {"code": code.code})
        enter(site, "dr.lee", code)
        chosen = login.choose(SECRET)
        with client_of(site, "dr.lee") as lee:
            recovery = login.set_password(lee, chosen)
            bearer = lee.gateway.token("rest")
        cookie = logged_in(site, "dr.lee", chosen.keys.auth)
        wrong = ask(site, "/login", {"handle": "dr.lee", "key": WRONG})
        parcel = {"entry": WORDS, "body": WORDS}
        junk = ask(site, "/v1/entries", parcel, Authorization=f"Bearer {bearer}")
        sent = ran(cli.main, "--home", site.home("dr.lee"), "send", "admin", WORDS)
        site.stop()
        log = (tmp_path / "gateway.log").read_text("utf-8")

    assert (shown.status, wrong.status, junk.status, sent.code) == (200, 401, 400, 1)  # not in contact
    secrets = {
        "join code": code.code,
        "join code as shown": code.to_text(),
        "password": SECRET,
        "key of the password": b64url(chosen.keys.auth),
        "wrong key": WRONG,
        "recovery code": recovery,
        "session": cookie,
        "token": bearer,
        "what was said": WORDS,
    }
    assert {name for name, secret in secrets.items() if secret in log} == set()
    assert "dr.lee" not in log


def test_every_line_of_the_log_is_an_event_and_its_values(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        site.stop()
        lines = (tmp_path / "gateway.log").read_text("utf-8").splitlines()

    assert lines
    assert [line for line in lines if not LINE.fullmatch(line)] == []
