"""The known answers of entries, bodies, proofs and parties, which the page's tests read, too."""

import json
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from chain import body, checkpoint, entry, merkle
from chain.api import AlertHeader, IntentAnswer, Party
from chain.body import Body, Card, GroupName, Invitation
from chain.encoding import b64url, canonical, read, read_canonical, unb64url, unb64url_hash
from chain.entry import BodyRef
from chain.errors import ChainError, Malformed
from chain.identity import SigningKey
from chain.receipt import Receipt
from device.addressbook import AddressBook
from device.addressing import Directory, prove
from device.errors import Untrusted
from tests.vectors.people import vectors

if TYPE_CHECKING:
    from device.rest import Gateway
    from device.trust import Trust

Case = dict[str, Any]
ENTRIES: list[Case] = vectors("entries")
BODIES: list[Case] = vectors("bodies")
PROOFS: list[Case] = vectors("proofs")
PARTIES: list[Case] = vectors("parties")

READERS: dict[str, Callable[[Body], Card | GroupName | Invitation]] = {
    "card": lambda beside: beside.read(Card),
    "group": lambda beside: beside.read(GroupName),
    "invitation": lambda beside: beside.read(Invitation),
}


def holding(cases: list[Case], *kinds: str) -> list[Case]:
    return [case for case in cases if "refused" not in case and case.get("kind", "") in kinds]


def refused(cases: list[Case], *kinds: str) -> list[Case]:
    return [case for case in cases if "refused" in case and case.get("kind", "") in kinds]


def test_every_case_has_its_own_name() -> None:
    for cases in (ENTRIES, BODIES, PROOFS, PARTIES):
        assert len({(case["name"], "refused" in case) for case in cases}) == len(cases)


# Entries


@pytest.mark.parametrize("case", holding(ENTRIES, ""), ids=itemgetter("name"))
def test_an_entry_says_what_it_says(case: Case) -> None:
    signed = entry.parse(case["leaf"].encode())
    signed.verify(SigningKey(case["key"]))

    assert (signed.kid, json.loads(canonical(signed.entry))) == (case["kid"], case["says"])


@pytest.mark.parametrize("case", refused(ENTRIES, ""), ids=itemgetter("name"))
def test_a_malformed_entry_is_not_read_and_a_forged_one_does_not_verify(case: Case) -> None:
    if case["refused"] == "reading":
        with pytest.raises(Malformed):
            entry.parse(case["leaf"].encode())
        return
    signed = entry.parse(case["leaf"].encode())

    with pytest.raises(ChainError):
        signed.verify(SigningKey(case["key"]))


def test_every_type_of_entry_is_among_them() -> None:
    types = {kind.__struct_config__.tag for kind in entry.Entry.__args__}

    assert {case["says"]["type"] for case in holding(ENTRIES, "")} == types


# Bodies


def bound(case: Case) -> Body:
    ref = read_canonical(
        msgspec.json.Decoder(BodyRef),
        canonical({"digest": case["digest"], "size": case["size"]}),
        what="body",
    )
    content = case["content"] * case["times"]
    # What is no Unicode does not come off the wire.
    read(msgspec.json.Decoder(str), json.dumps(content), what="body")
    beside = body.salted(case["salt"], content)
    beside.check(ref)
    return beside


@pytest.mark.parametrize("case", holding(BODIES, "body"), ids=itemgetter("name"))
def test_a_body_is_the_one_that_its_digest_binds(case: Case) -> None:
    assert bound(case).ref == BodyRef(case["digest"], case["size"])


@pytest.mark.parametrize("case", refused(BODIES, "body"), ids=itemgetter("name"))
def test_another_body_is_refused(case: Case) -> None:
    with pytest.raises(ChainError):
        bound(case)


@pytest.mark.parametrize("case", holding(BODIES, *READERS), ids=itemgetter("name"))
def test_a_clear_document_says_what_it_says(case: Case) -> None:
    document = READERS[case["kind"]](Body(bytes(32), case["content"]))

    assert json.loads(canonical(document)) == case["says"]


@pytest.mark.parametrize("case", refused(BODIES, *READERS), ids=itemgetter("name"))
def test_what_is_no_clear_document_is_malformed(case: Case) -> None:
    with pytest.raises(Malformed):
        READERS[case["kind"]](Body(bytes(32), case["content"]))


# Proofs


def check_proof(case: Case) -> tuple[int, str] | None:
    """What a checkpoint or receipt says; raise if the case does not hold."""
    match case["kind"]:
        case "inclusion":
            leaf = merkle.leaf_hash(case["leaf"].encode())
            merkle.verify_inclusion(leaf, case["index"], case["size"], path_of(case), unb64url(case["root"]))
        case "consistency":
            merkle.verify_consistency(
                case["old_size"],
                case["new_size"],
                path_of(case),
                unb64url(case["old_root"]),
                unb64url(case["new_root"]),
            )
        case "checkpoint":
            head = checkpoint.verify(case["note"], origin=case["origin"], key=SigningKey(case["key"]))
            return head.size, b64url(head.root)
        case "receipt":
            receipt = Receipt.from_text(case["receipt"])
            head = receipt.verify(case["leaf"].encode(), origin=case["origin"], key=SigningKey(case["key"]))
            assert "index" not in case or receipt.index == case["index"]
            return head.size, b64url(head.root)
    return None


def path_of(case: Case) -> Sequence[bytes]:
    return [unb64url_hash(value, what="path") for value in case["path"]]


@pytest.mark.parametrize("case", holding(PROOFS, "inclusion", "consistency"), ids=itemgetter("name"))
def test_a_proof_holds(case: Case) -> None:
    assert check_proof(case) is None


@pytest.mark.parametrize("case", holding(PROOFS, "checkpoint", "receipt"), ids=itemgetter("name"))
def test_a_checkpoint_is_of_one_size_and_root(case: Case) -> None:
    assert check_proof(case) == (case["size"], case["root"])


@pytest.mark.parametrize(
    "case",
    refused(PROOFS, "inclusion", "consistency", "checkpoint", "receipt"),
    ids=itemgetter("name"),
)
def test_an_altered_proof_is_refused(case: Case) -> None:
    with pytest.raises(ChainError):
        check_proof(case)


# Parties


class Receipts:
    """What of `Trust` needs no history: it believes every checkpoint that the gateway signed."""

    def __init__(self, case: Case) -> None:
        self._origin: str = case["origin"]
        self._key = SigningKey(case["key"])

    def accept_receipt(self, text: str, leaf: bytes) -> Receipt:
        receipt = Receipt.from_text(text)
        receipt.verify(leaf, origin=self._origin, key=self._key)
        return receipt


def trust_of(case: Case) -> "Trust":
    return cast("Trust", Receipts(case))


@pytest.mark.parametrize("case", holding(PARTIES, "party"), ids=itemgetter("name"))
def test_a_party_is_proven_by_its_entries(case: Case) -> None:
    party = msgspec.convert(case["party"], Party)
    proven, wanted = prove(party, trust_of(case)), case["proven"]

    assert (proven.role, proven.sign.x) == (wanted["role"], wanted["sign"])
    assert (proven.seal and proven.seal.n) == wanted["seal"]
    assert list(proven.lineage) == wanted["lineage"]
    assert [key.thumbprint for key in proven.ever] == [held["kid"] for held in wanted["ever"]]


@pytest.mark.parametrize("case", refused(PARTIES, "party"), ids=itemgetter("name"))
def test_a_party_that_its_entries_do_not_prove_is_refused(case: Case) -> None:
    with pytest.raises(Untrusted):
        prove(msgspec.convert(case["party"], Party), trust_of(case))


class Answers:
    """A gateway that gives one answer."""

    def __init__(self, case: Case) -> None:
        self._answer = msgspec.convert(case["answer"], IntentAnswer)

    def intent(self, _to: str, _alert: AlertHeader | None, _re: str | None) -> IntentAnswer:
        return self._answer


def addressed(case: Case, folder: Path) -> str:
    book = AddressBook(folder / "addressbook.json")
    return Directory(book, cast("Gateway", Answers(case)), trust_of(case)).addressee("whoever").to


@pytest.mark.parametrize("case", holding(PARTIES, "answer"), ids=itemgetter("name"))
def test_addressees_that_the_chain_names_are_taken(case: Case, tmp_path: Path) -> None:
    assert addressed(case, tmp_path) == case["answer"]["to"]


@pytest.mark.parametrize("case", refused(PARTIES, "answer"), ids=itemgetter("name"))
def test_addressees_that_the_chain_does_not_name_are_refused(case: Case, tmp_path: Path) -> None:
    with pytest.raises(Untrusted):
        addressed(case, tmp_path)
