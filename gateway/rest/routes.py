"""What every route reads and answers, and who may call it: the table that the OpenAPI document is made of."""

from http import HTTPStatus
from typing import Any, Literal

from msgspec import Struct

from chain import api, lists
from chain.entry import Count, EntryId
from chain.health import Health, Running
from chain.identity import AccountId
from chain.wire import Consistency, Delivered, Delivery, Parcel
from gateway.rest import (
    admin,
    audit,
    certificates,
    events,
    friends,
    inbox,
    ledger,
    login,
    lookup,
    messages,
    refusals,
    sessions,
)
from gateway.rest.alive import Alive
from gateway.rest.certificates import CERTIFICATE, PEM
from gateway.rest.documents import Empty
from gateway.rest.submission import Receipted

JSON = "application/json"
HTML = "text/html"
TEXT = "text/plain"
BYTES = "application/octet-stream"
ANY = "*/*"
LINES = "application/jsonl"
STREAM = "text/event-stream"

Tag = Literal[
    "The paper's Table I",
    "The page",
    "Joining and logging in",
    "Writing and reading",
    "Alerts and duty",
    "The chain",
    "Whether it works",
    "For admins",
]

LOGIN: Tag = "Joining and logging in"
PAPER: Tag = "The paper's Table I"
PAGE: Tag = "The page"
TALK: Tag = "Writing and reading"
ALERTS: Tag = "Alerts and duty"
CHAIN: Tag = "The chain"
WATCH: Tag = "Whether it works"
ADMIN: Tag = "For admins"


class Route(Struct, frozen=True, kw_only=True):
    """
    `who` may call it, and `does` says what for. `answer` is a struct, or the media type of what is no JSON; none is an
    answer without a body; `meanwhile` is that of a 202, where it may have to be asked for again. `problems` are those
    that not every route of its kind has.
    """

    tag: Tag
    does: str
    who: Literal["all", "account", "admin", "here"] = "account"
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    answer: type[Struct] | str | None = None
    status: HTTPStatus = HTTPStatus.OK
    meanwhile: type[Struct] | None = None
    problems: tuple[int, ...] = ()


ROUTES = {
    "GET /check": Route(tag=PAPER, does="Who is logged in", answer=login.Me),
    "POST /login": Route(
        tag=PAPER,
        who="all",
        does="Log a browser in",
        body=login.Credentials,
        answer=login.Me,
        problems=(401, 429),
    ),
    "POST /logout": Route(tag=PAPER, does="Log this browser out", body=Empty, status=HTTPStatus.NO_CONTENT),
    "POST /friendslist": Route(
        tag=PAPER, does="Everybody the caller talks to, or is asked to", body=Empty, answer=friends.Friends
    ),
    "POST /messages": Route(
        tag=PAPER,
        does="A conversation, newest page first",
        body=messages.Wanted,
        answer=messages.History,
        problems=(403, 409),
    ),
    "GET /": Route(tag=PAGE, who="all", does="The page that people use", answer=HTML, problems=(503,)),
    "GET /assets/<name>": Route(
        tag=PAGE, who="all", does="What the page is made of", answer=ANY, problems=(404,)
    ),
    "GET /v1/site": Route(tag=LOGIN, who="all", does="What a newcomer needs to know", answer=api.Site),
    "POST /v1/invites": Route(
        tag=LOGIN,
        who="all",
        does="What a join code is for",
        body=api.ShowCode,
        answer=api.Invited,
        problems=(404, 429),
    ),
    "POST /v1/accounts": Route(
        tag=LOGIN,
        who="all",
        does="Join: hand in an account entry",
        body=Parcel,
        answer=Receipted,
        status=HTTPStatus.CREATED,
        meanwhile=api.Match,
        problems=(403, 409, 429, 503),
    ),
    "POST /v1/login/salt": Route(
        tag=LOGIN,
        who="all",
        does="The salt of a handle's password",
        body=login.SaltOf,
        answer=login.Salt,
        problems=(429,),
    ),
    "GET /v1/sessions": Route(tag=LOGIN, does="Where the caller is logged in", answer=sessions.OwnSessions),
    "POST /v1/sessions/<session_id>/end": Route(
        tag=LOGIN,
        does="End one of the caller's sessions",
        body=Empty,
        status=HTTPStatus.NO_CONTENT,
        problems=(404,),
    ),
    "GET /v1/profile": Route(
        tag=TALK, does="The caller's own profile, whole", answer=Delivered, problems=(404,)
    ),
    "POST /v1/lookup": Route(
        tag=TALK,
        does="Whom a handle stands for",
        body=lookup.LookUp,
        answer=lookup.Found,
        problems=(404, 429),
    ),
    "GET /v1/accounts/<account>": Route(
        tag=TALK, does="An account and the proof of its keys", answer=api.Party, problems=(404,)
    ),
    "POST /v1/intents": Route(
        tag=TALK,
        does="Whom a name means, and under which keys",
        body=api.Intent,
        answer=api.IntentAnswer,
        problems=(403, 409),
    ),
    "POST /v1/entries": Route(
        tag=TALK,
        does="Hand in an entry, and wait for its receipt",
        body=Parcel,
        answer=Receipted,
        status=HTTPStatus.CREATED,
        problems=(403, 409, 503),
    ),
    "GET /v1/entries/<entry_id>": Route(
        tag=TALK, does="An entry with its body and receipt", answer=Delivered, problems=(404,)
    ),
    "GET /v1/entries/<entry_id>/receipt": Route(
        tag=TALK, does="An entry's receipt alone", answer=TEXT, problems=(404,)
    ),
    "GET /v1/inbox": Route(
        tag=TALK, does="What others addressed to the caller", query=inbox.Since, answer=Delivery
    ),
    "GET /v1/events": Route(
        tag=TALK,
        does="The same as it happens: server-sent events",
        query=inbox.Since,
        answer=STREAM,
        problems=(503,),
    ),
    "GET /v1/alerts": Route(
        tag=ALERTS, does="The alerts that concern the caller, open or until lately", answer=api.AlertPage
    ),
    "GET /v1/alerts/<entry_id>/entries": Route(
        tag=ALERTS,
        does="The messages of an alert, and what was answered",
        answer=api.AlertEntries,
        problems=(404,),
    ),
    "GET /v1/alerts/load": Route(
        tag=ALERTS, does="How many alerts there were, by week and author", answer=api.LoadPage
    ),
    "GET /v1/duty": Route(
        tag=ALERTS,
        does="Who is on duty, and the shifts that are planned",
        query=admin.Page,
        answer=api.DutyPage,
    ),
    "GET /v1/contracts": Route(tag=ALERTS, does="The contracts in force, in words", answer=api.ContractPage),
    "POST /v1/certificates": Route(
        tag=LOGIN,
        does="A certificate for the caller, who shows a token",
        body=api.CertificateRequest,
        answer=api.Certified,
        status=HTTPStatus.CREATED,
        problems=(403, 404, 429, 503),
    ),
    "GET /v1/crl": Route(
        tag=LOGIN, who="all", does="The list of revoked certificates", answer=PEM, problems=(404,)
    ),
    "GET /root.crt": Route(
        tag=LOGIN, who="all", does="The root's certificate", answer=CERTIFICATE, problems=(404,)
    ),
    "GET /checkpoint": Route(tag=CHAIN, does="The newest checkpoint (C2SP tlog-checkpoint)", answer=TEXT),
    "GET /tile/<path:name>": Route(
        tag=CHAIN,
        does="A tile of the log (C2SP tlog-tiles); its name has slashes",
        answer=BYTES,
        problems=(404,),
    ),
    "GET /v1/chain/consistency": Route(
        tag=CHAIN,
        does="The proof that one checkpoint continues another",
        query=ledger.Sizes,
        answer=Consistency,
    ),
    "GET /v1/chain/blocks/<height>": Route(tag=CHAIN, does="A block", answer=api.BlockView, problems=(404,)),
    "GET /healthz": Route(
        tag=WATCH, who="all", does="Whether entries are committed", answer=Alive, problems=(503,)
    ),
    "GET /metrics": Route(tag=WATCH, who="here", does="Counts and times, for Prometheus", answer=TEXT),
    "GET /openapi.json": Route(tag=WATCH, who="all", does="This document", answer=JSON),
    "GET /docs": Route(tag=WATCH, who="all", does="The same, to read", answer=HTML),
    "GET /v1/admin/accounts": Route(
        tag=ADMIN, who="admin", does="Everybody", query=admin.Page, answer=api.AccountPage
    ),
    "GET /v1/admin/invites": Route(
        tag=ADMIN, who="admin", does="Every invite", query=admin.Page, answer=lists.InvitePage
    ),
    "GET /v1/admin/joins": Route(
        tag=ADMIN, who="admin", does="Who waits to be let in", query=admin.Page, answer=lists.JoinPage
    ),
    "POST /v1/admin/joins/<invite>/confirm": Route(
        tag=ADMIN,
        who="admin",
        does="Let somebody in whose six digits match",
        body=api.Digits,
        status=HTTPStatus.NO_CONTENT,
        problems=(404,),
    ),
    "POST /v1/admin/joins/<invite>/cancel": Route(
        tag=ADMIN,
        who="admin",
        does="Make a join code that was not used good for nothing",
        body=Empty,
        status=HTTPStatus.NO_CONTENT,
        problems=(404,),
    ),
    "GET /v1/admin/groups": Route(
        tag=ADMIN, who="admin", does="Every group", query=admin.Page, answer=api.GroupPage
    ),
    "GET /v1/admin/links": Route(
        tag=ADMIN, who="admin", does="Who is in contact with whom", query=admin.Page, answer=lists.LinkPage
    ),
    "GET /v1/admin/certificates": Route(
        tag=ADMIN,
        who="admin",
        does="Everybody's newest certificate",
        query=certificates.After,
        answer=lists.CertificatePage,
        problems=(404, 503),
    ),
    "POST /v1/admin/certificates/<account>/renew": Route(
        tag=ADMIN,
        who="admin",
        does="Let an account renew a certificate that has expired",
        body=Empty,
        answer=lists.Renewed,
        problems=(404, 503),
    ),
    "GET /v1/admin/audit": Route(
        tag=ADMIN, who="admin", does="What was done, newest first", query=audit.Acts, answer=lists.AuditPage
    ),
    "GET /v1/admin/refusals": Route(
        tag=ADMIN,
        who="admin",
        does="What was refused, newest first",
        query=refusals.Earlier,
        answer=lists.RefusalPage,
        problems=(503,),
    ),
    "POST /v1/admin/contracts/check": Route(
        tag=ADMIN,
        who="admin",
        does="What a contract says, and what it would have done",
        body=api.Proposal,
        answer=api.Explained,
        problems=(409,),
    ),
    "GET /v1/admin/chain": Route(tag=ADMIN, who="admin", does="How the chain is", answer=Health),
    "POST /v1/admin/chain/verify": Route(
        tag=ADMIN,
        who="admin",
        does="Have the whole chain checked",
        body=Empty,
        answer=Running,
        status=HTTPStatus.ACCEPTED,
    ),
    "GET /v1/admin/chain/download": Route(
        tag=ADMIN, who="admin", does="The log to take away, without bodies", answer=LINES, problems=(503,)
    ),
    "GET /v1/admin/sessions": Route(
        tag=ADMIN, who="admin", does="Everybody's sessions", query=admin.Page, answer=lists.SessionPage
    ),
    "POST /v1/admin/sessions/<session_id>/end": Route(
        tag=ADMIN,
        who="admin",
        does="End anybody's session",
        body=Empty,
        status=HTTPStatus.NO_CONTENT,
        problems=(404,),
    ),
}

IN_PATH: dict[str, Any] = {
    "account": AccountId,
    "entry_id": EntryId,
    "height": Count,
    "invite": EntryId,
    "name": str,
    "session_id": str,
}
"""What stands between slashes, by its name in a route."""

IN_STREAM = {"entry": Delivered, "head": events.Head, "presence": events.PresenceOf, "end": events.End}
"""The data of the events of `GET /v1/events`, by their names."""
