"""How the gateway's own machine asks its web server."""

from http.client import HTTPConnection, HTTPSConnection

from gateway.site import Site, near
from gateway.tls import client_context


def connection_to(site: Site, seconds: float) -> HTTPConnection:
    """A connection that is not opened yet. In a LAN it believes this site's root alone."""
    host, port = near(site.settings.http_host), site.settings.http_port
    if not site.settings.is_lan:
        return HTTPConnection(host, port, timeout=seconds)
    return HTTPSConnection(host, port, timeout=seconds, context=client_context(site.certificates))
