"""A new issuing authority under the same root: after somebody broke in, or near the end of the one before."""

from contextlib import closing
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from chain import durable
from gateway import tls
from gateway.errors import BadConfig
from gateway.lock import exclusive
from gateway.site import Site
from provisioning.authority import certificates, root
from provisioning.authority.certificates import Issuer
from provisioning.authority.inventory import Inventory
from provisioning.authority.office import Office
from provisioning.authority.stock import Owner, Stock


def reissue(site: Site, key: EllipticCurvePrivateKey, now: datetime, *, trust_old: bool) -> None:
    """
    Begin with a new authority and new certificates for the gateway itself, while no authority runs.

    With `trust_old`, what the one before signed holds until it ends; without, no more. Raises `BadConfig` if the key is
    another root's, `Busy` if an authority runs.
    """
    stock = Stock(site.certificates, Owner.of(site.settings, site.key().account))
    with exclusive(site.directory / "authority.lock"), closing(site.read_chain()) as chain:
        name, _, _ = chain.origin.rpartition("/")
        durable.make_directory(stock.files.directory)
        stock.succeed(_root(stock, key, name, now), now, trust_old=trust_old)
        Office(stock, Inventory(stock.files.inventory), chain, lambda: now).tend()


def _root(stock: Stock, key: EllipticCurvePrivateKey, name: str, now: datetime) -> Issuer:
    """The root as it was; made anew if its certificate is lost, for devices know it by its key."""
    if not stock.files.root.exists():
        return certificates.make_root(key, name, now)
    known = stock.root()
    if tls.pin(known) != root.pin(key):
        raise BadConfig(
            f"this is the key of another root: {root.pin(key)}, while the devices know {tls.pin(known)}"
        )
    return Issuer(known, key)
