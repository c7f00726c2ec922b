"""Sessions: a person sees where they are logged in, an admin where everybody is, and either ends what should not be."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response
from msgspec import Struct

from chain.errors import Missing
from chain.lists import SessionLine, SessionPage
from gateway.rest.admin import Page
from gateway.rest.desk import Caller, Desk, SessionCredential, still_fits
from gateway.rest.documents import Empty, answer, read_body, read_query
from gateway.sessions import Session, Sessions


class OwnSessions(Struct, frozen=True):
    sessions: list[SessionLine]


_empty = msgspec.json.Decoder(Empty)


def sessions(desk: Desk, kept: Sessions) -> Blueprint:
    views = Blueprint("sessions", __name__, url_prefix="/v1")

    @views.get("/sessions")
    def own() -> Response:
        with desk.caller() as me:
            found = _in_force(me, kept.of(me.id))
            return answer(OwnSessions([_line(me, session) for session in found]))

    @views.post("/sessions/<session_id>/end")
    def end(session_id: str) -> Response:
        read_body(_empty)
        with desk.caller() as me:
            session = kept.named(session_id)
            if session is None or session.account != me.id:
                raise Missing("session: you have none with this id")
        return _ended(kept, session)

    @views.get("/admin/sessions")
    def everybodys() -> Response:
        wanted = read_query(Page)
        with desk.caller() as me:
            me.need_admin()
            found = _in_force(me, kept.after(wanted.after))
            page = found[: wanted.limit]
            following = page[-1].number if len(page) < len(found) else None
            return answer(SessionPage([_line(me, session) for session in page], following))

    @views.post("/admin/sessions/<session_id>/end")
    def end_anybodys(session_id: str) -> Response:
        read_body(_empty)
        with desk.caller() as me:
            me.need_admin()
        session = kept.named(session_id)
        if session is None:
            raise Missing("session: there is none with this id")
        return _ended(kept, session)

    return views


def _in_force(me: Caller, found: list[Session]) -> list[Session]:
    """Those that still open something: an account may have ended since, or changed its login."""
    return [each for each in found if me.now.state.is_live(each.account) and still_fits(me.now, each)]


def _line(me: Caller, session: Session) -> SessionLine:
    credential = me.credential
    return SessionLine(
        id=session.id,
        account=session.account,
        handle=me.now.state.handle(session.account),
        begun=session.begun,
        used=session.used,
        expires=session.expires,
        agent=session.agent,
        current=isinstance(credential, SessionCredential) and credential.id == session.id,
    )


def _ended(kept: Sessions, session: Session) -> Response:
    kept.end_named(session.id)
    return Response(status=HTTPStatus.NO_CONTENT)
