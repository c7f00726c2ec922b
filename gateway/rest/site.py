"""`GET /v1/site`: what a newcomer needs to know before it has an account."""

from flask import Blueprint, Response

from chain.api import Site
from gateway.rest.desk import Desk
from gateway.rest.documents import answer
from gateway.sessions import Clock
from gateway.site import Settings


def site(desk: Desk, settings: Settings, pin: str, version: str, clock: Clock) -> Blueprint:
    views = Blueprint("site", __name__)

    @views.get("/v1/site")
    def read() -> Response:
        with desk.visitor() as now:
            (genesis,) = now.delivered([0])
            origin = now.chain.origin
        return answer(
            Site(
                origin=origin,
                gateway=genesis,
                now=clock(),
                mqtt_host=settings.hosts[0] if settings.is_lan else settings.mqtt_host,
                mqtt_port=settings.mqtt_port,
                version=version,
                pin=pin,
            )
        )

    return views
