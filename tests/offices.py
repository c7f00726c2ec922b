"""A `tests.site.Site` that serves a LAN, with an authority in this process that says what it is told to say."""

from collections.abc import Sequence
from pathlib import Path

from chain.api import Certified
from gateway.authority import Line
from gateway.rest.certificates import Lan
from gateway.tls import Files
from tests.certificates import Pki
from tests.site import Site

HOUR_MS = 3_600_000


class Office:
    """An `Issuer` as the real one is from here: `refuses` is its answer, if it is one."""

    def __init__(self) -> None:
        self.refuses: Exception | None = None
        self.asked: list[tuple[str, str]] = []
        self.lines: list[Line] = []

    def certify(self, account: str, csr: str) -> Certified:
        self._answer("certify", account)
        assert csr
        return Certified(certificate="leaf", root="root", crl="crl", issued=1, until=2, crl_until=3, now=4)

    def renew(self, account: str) -> int:
        self._answer("renew", account)
        return 5

    def list(self, after: str, limit: int) -> tuple[Sequence[Line], str | None]:
        self._answer("list", after)
        rows = sorted((line for line in self.lines if line.account > after), key=lambda line: line.account)
        page = rows[:limit]
        return page, page[-1].account if len(rows) > limit else None

    def _answer(self, what: str, account: str) -> None:
        self.asked.append((what, account))
        if self.refuses is not None:
            raise self.refuses


class LanSite:
    """A `Site` that serves a LAN."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site = site
        self.office = Office()
        self.pki = Pki(Files(directory), site.world.gateway.id)
        site.lan = Lan(self.office, Files(directory))
        site.app = site.build()

    def line(self, account: str, *, until: int) -> Line:
        return Line(
            account=account, serial="1f", issued=until - HOUR_MS, until=until, revoked=False, renewable=None
        )
