"""The caller's own profile, whole: a browser that is new to its person gets the key backups from it."""

from flask import Blueprint, Response

from chain.errors import Missing
from gateway.rest.desk import Desk
from gateway.rest.documents import answer


def profile(desk: Desk) -> Blueprint:
    views = Blueprint("profile", __name__, url_prefix="/v1/profile")

    @views.get("")
    def read() -> Response:
        with desk.caller() as me:
            index = me.now.state.profile_index(me.id)
            if index is None:
                raise Missing("profile: this account has none yet")
            (newest,) = me.now.delivered([index])
        return answer(newest)

    return views
