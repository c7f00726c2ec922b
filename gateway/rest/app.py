"""The Flask application, put together from its parts."""

from pathlib import Path

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry
from werkzeug.exceptions import NotFound

from chain import wire
from gateway.auditor import Auditor
from gateway.joins import Joins
from gateway.relay import Relay
from gateway.rest import problems
from gateway.rest.accounts import accounts
from gateway.rest.admin import admin
from gateway.rest.alerts import alerts
from gateway.rest.alive import alive
from gateway.rest.audit import audit
from gateway.rest.certificates import Lan, certificates
from gateway.rest.contracts import contracts
from gateway.rest.desk import Desk
from gateway.rest.documents import Intake
from gateway.rest.duty import duty
from gateway.rest.entries import entries
from gateway.rest.events import Seats, events
from gateway.rest.friends import friends
from gateway.rest.health import health
from gateway.rest.inbox import inbox
from gateway.rest.intents import intents
from gateway.rest.invites import invites
from gateway.rest.joins import joins as open_joins
from gateway.rest.ledger import ledger
from gateway.rest.links import links
from gateway.rest.login import login
from gateway.rest.lookup import lookup
from gateway.rest.messages import messages
from gateway.rest.metrics import Expiring, Requests, Watched, metrics
from gateway.rest.openapi import openapi
from gateway.rest.page import page
from gateway.rest.profile import profile
from gateway.rest.refusals import refusals
from gateway.rest.sessions import sessions as open_sessions
from gateway.rest.site import site
from gateway.rest.snapshot import Chains
from gateway.rest.submission import Submissions
from gateway.rest.tiles import tiles
from gateway.rest.tries import Tries
from gateway.sessions import Clock, Sessions
from gateway.site import Settings


def create_app(
    *,
    chains: Chains,
    sessions: Sessions,
    joins: Joins,
    relay: Relay,
    settings: Settings,
    pin: str,
    static: Path,
    refused: Path,
    version: str,
    clock: Clock,
    lan: Lan | None = None,
) -> Flask:
    """
    `pin` is what join codes name this gateway by; `static` is where the page was built, `refused` the list of refusals;
    `clock` gives ms since 1970. `lan` is what there is besides where a LAN is served.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = wire.MAX_PARCEL_BYTES
    app.url_map.merge_slashes = False
    problems.register(app)
    registry, seats = CollectorRegistry(), Seats()
    Requests(registry).watch(app)
    app.before_request(_one_spelling)
    app.before_request(Intake().take)
    app.after_request(_guard)
    registry.register(
        Watched(
            chains=chains,
            sessions=sessions,
            pulses=relay.pulses,
            presence=relay.presence,
            seats=seats,
            clock=clock,
        )
    )
    if lan is not None:
        registry.register(Expiring(lan.files, clock))
    desk = Desk(chains, sessions, clock)
    submissions, tries = Submissions(chains, relay), Tries(clock)
    for views in (
        page(static),
        login(desk, sessions, tries),
        friends(desk, relay.presence, clock),
        messages(desk),
        lookup(desk, tries),
        profile(desk),
        open_sessions(desk, sessions),
        site(desk, settings, pin, version, clock),
        invites(desk, joins, tries, clock),
        accounts(desk, submissions, joins, tries, clock),
        entries(desk, submissions),
        intents(desk, clock),
        alerts(desk, clock),
        duty(desk, clock),
        contracts(desk, clock),
        inbox(desk),
        events(desk, chains, relay, seats, clock),
        tiles(desk),
        ledger(desk),
        admin(desk, relay.presence, joins, clock),
        open_joins(desk, joins, clock),
        links(desk),
        certificates(desk, lan, tries, clock),
        audit(desk),
        refusals(desk, refused),
        alive(relay.pulses, chains.file, lan.files if lan else None, clock),
        metrics(desk, registry),
        openapi(version),
        health(desk, chains, Auditor(chains.file, clock)),
    ):
        app.register_blueprint(views)
    return app


def _one_spelling() -> None:
    """`//check` is not `/check`: the framework takes any number of slashes in front for one."""
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound


def _guard(response: Response) -> Response:
    """What is said to one is kept by nobody, and is never taken for a page."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response
