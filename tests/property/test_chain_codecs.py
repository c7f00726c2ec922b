"""
The three laws of every codec of the chain: it reads back what it wrote; any other input is `Malformed`
(or `Unverified`, where there is a signature) and nothing else; and so is one flipped bit.
"""

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain import body, checkpoint, entry, jws, token, wire
from chain.block import ContractRun, Header, read_header
from chain.body import Body, Card, GroupName, Invitation, Login
from chain.checkpoint import Checkpoint
from chain.contracts.terms import (
    Access,
    Escalate,
    EscalateParams,
    Nothing,
    Quorum,
    QuorumParams,
    Rate,
    RateParams,
    Retain,
    RetainParams,
    Step,
)
from chain.encoding import b64url, canonical, unb64url
from chain.entry import (
    Account,
    Alert,
    Approve,
    BodyRef,
    Common,
    Contact,
    Contract,
    Deed,
    Group,
    Invite,
    Key,
    Message,
    Profile,
    Redact,
    Revoke,
    Seen,
    Shift,
    Status,
    Tick,
)
from chain.errors import Malformed, Rule, Unverified
from chain.identity import SealingKey, SigningKey
from chain.joincode import JoinCode
from chain.receipt import Receipt
from chain.wire import Consistency, Delivered, Delivery, ReceiptOf, Receipts, Refusal
from tests.world import ORIGIN, Keys, Source

KEYS = Keys(Source("codecs"))
OTHERS = Keys(Source("mallory"))

bounded = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

# What there is to write

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
accounts = st.text(BASE32, min_size=26, max_size=26)
groups = accounts.map("g-{}".format)
parties = accounts | groups
hashes = st.binary(min_size=32, max_size=32).map(b64url)
streams = st.binary(min_size=16, max_size=16).map(b64url)
numbers = st.integers(0, 2**53 - 1)
positive = st.integers(1, 2**53 - 1)
ids = st.builds(
    lambda now, noise: entry.new_id(now, lambda _: noise),
    st.integers(0, 2**48 - 1),
    st.binary(min_size=10, max_size=10),
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
handles = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True)
origins = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,40}/[a-z0-9]{1,64}", fullmatch=True)
signing_keys = st.builds(SigningKey, hashes)
sealing_keys = st.binary(min_size=382, max_size=382).map(
    lambda middle: SealingKey(b64url(b"\xc0" + middle + b"\x01"))
)
references = st.builds(BodyRef, digest=hashes, size=st.integers(0, body.MAX_BODY_BYTES))
alerts = st.builds(
    Alert,
    episode=streams,
    kind=st.sampled_from(["physiological", "technical"]),
    priority=st.sampled_from(["high", "medium", "low", "info"]),
    state=st.sampled_from(["start", "continue", "end"]),
)
contracts = st.from_regex(r"[a-z][a-z0-9-]{0,63}", fullmatch=True)
guards = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
delays = st.integers(1, 604_800)
steps = st.builds(Step, to=parties, after=delays)
terms = st.one_of(
    st.builds(Access, version=st.just(1), when=guards, params=st.just(Nothing())),
    st.builds(
        Rate,
        version=st.just(1),
        when=guards,
        params=st.builds(
            RateParams,
            count=st.integers(1, 1_000_000),
            seconds=delays,
            per=st.sampled_from(["author", "to", "all"]),
        ),
    ),
    st.builds(
        Quorum,
        version=st.just(1),
        when=guards,
        params=st.builds(QuorumParams, need=st.integers(2, 8), seconds=st.integers(60, 604_800)),
    ),
    st.builds(
        Escalate,
        version=st.just(1),
        when=guards,
        params=st.builds(
            EscalateParams,
            steps=st.lists(steps, min_size=1, max_size=4),
            wait=delays,
            laps=st.integers(1, 100),
            resolve_within=st.none() | delays,
        ),
    ),
    st.builds(
        Retain,
        version=st.just(1),
        when=guards,
        params=st.builds(RetainParams, seconds=st.integers(60, 604_800)),
    ),
)
deeds = st.builds(
    Deed,
    contract=contracts,
    did=st.sampled_from(["step", "nobody", "overdue", "woken", "erased"]),
    about=ids,
    step=st.none() | st.integers(0, 15),
    to=st.none() | parties,
)
kinds = st.sampled_from(["person", "device", "service"])
roles = st.sampled_from(["admin", "member", "gateway"])

COMMON: dict[str, st.SearchStrategy[Any]] = {
    "v": st.just(1),
    "chain": origins,
    "id": ids,
    "author": accounts,
    "stream": streams,
    "seq": positive,
    "at": numbers,
    "clock": st.sampled_from(["synced", "free"]),
    "seen": st.builds(Seen, size=numbers, root=hashes),
}


def says(type_: type[Common], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(type_, **COMMON, **fields)


entries: st.SearchStrategy[Any] = st.one_of(
    says(Invite, code_hash=hashes, kind=kinds, role=roles, expires=numbers, body=references),
    says(
        Account,
        kind=kinds,
        role=roles,
        sign=signing_keys,
        seal=st.none() | sealing_keys,
        invite=st.none() | ids,
        code=st.none() | st.text(BASE32, min_size=16, max_size=16),
    ),
    says(Profile, body=references),
    says(Key, account=accounts, sign=signing_keys, seal=sealing_keys),
    says(
        Revoke,
        account=accounts,
        reason=st.sampled_from(["left", "lost", "compromised", "retired"]),
        key=st.none() | hashes,
    ),
    says(
        Contact,
        action=st.sampled_from(["request", "accept", "remove", "link", "unlink"]),
        peer=parties,
        of=st.none() | accounts,
    ),
    says(
        Group,
        group=groups,
        members=st.sets(accounts, max_size=8).map(sorted),
        body=st.none() | references,
    ),
    says(
        Message,
        to=parties,
        commitment=hashes,
        body=references,
        re=st.none() | ids,
        alert=st.none() | alerts,
    ),
    says(
        Status,
        about=ids,
        state=st.sampled_from(["seen", "taken", "released", "resolved", "snoozed"]),
        until=st.none() | numbers,
        reason=st.none() | st.sampled_from(["care", "transport", "repair", "known", "test", "other"]),
    ),
    says(Redact, about=ids, reason=st.sampled_from(["mistake", "privacy", "retention", "legal"])),
    says(
        Contract,
        action=st.sampled_from(["install", "remove"]),
        contract=contracts,
        terms=st.none() | terms,
    ),
    says(Approve, deed=hashes),
    says(Shift, party=groups, begins=numbers, ends=numbers, account=accounts, instead=st.none() | accounts),
    says(Tick, now=numbers, did=st.lists(deeds, min_size=1, max_size=4)),
)
headers = st.builds(
    Header,
    v=st.just(1),
    id=numbers,
    timestamp=numbers,
    previous_hash=hashes,
    first=numbers,
    count=numbers,
    contracts=st.lists(
        st.builds(ContractRun, id=texts, hash=hashes, effects=st.lists(texts, max_size=3)), max_size=3
    ),
    nonce=streams,
    size=numbers,
    root=hashes,
    gateway=hashes,
    engine=st.none() | texts,
)
cards = st.builds(
    Card,
    handle=handles,
    name=names,
    login=st.none() | st.builds(Login, salt=streams, verifier=hashes, recovery=st.none() | hashes),
    backups=st.lists(texts, max_size=4),
)
heads = st.builds(
    Checkpoint, origin=origins, size=st.integers(0, 2**63 - 1), root=st.binary(min_size=32, max_size=32)
)
notes = heads.map(lambda head: checkpoint.sign(head, key=KEYS.public, signer=KEYS.sign))
receipts = st.builds(
    Receipt,
    index=st.integers(0, 2**63),
    path=st.lists(st.binary(min_size=32, max_size=32), max_size=20).map(tuple),
    note=notes,
)
bodies = st.builds(
    Body, salt=st.binary(min_size=32, max_size=32).filter(any), content=texts | st.just("") | names
)


@st.composite
def bound(draw: st.DrawFn) -> tuple[bytes, Body]:
    """A message and the body that it binds."""
    beside = draw(bodies)
    message = draw(
        says(Message, to=parties, commitment=hashes, body=st.just(beside.ref), alert=st.none() | alerts)
    )
    return signed(message), beside


consistencies = st.builds(Consistency, size=numbers, path=st.lists(hashes, max_size=4))
deliveries = st.builds(
    Delivery,
    previous=st.integers(-1, 2**53),
    entries=st.lists(
        st.builds(
            Delivered,
            index=numbers,
            entry=texts,
            receipt=texts,
            salt=st.none() | hashes,
            body=st.none() | texts,
        ),
        max_size=3,
    ),
    consistency=st.none() | consistencies,
)
answers = st.builds(
    Receipts,
    receipts=st.lists(st.builds(ReceiptOf, id=ids, receipt=texts), max_size=3),
    consistency=st.none() | consistencies,
)
refusals = st.builds(
    Refusal,
    chain=st.just(ORIGIN),
    rule=st.sampled_from(get_args(Rule)),
    reason=texts,
    digest=hashes,
    at=numbers,
    id=st.none() | ids,
    stream=st.none() | streams,
    seq=st.none() | numbers,
)

# What else may come

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 2**53, 2**63, 2**64, 10**40, 10**400, 1.0, 1e3, -0.0, 0.5])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "a\udfff", "\0", "a\nb", "\n"])
    | hashes
    | ids
    | accounts,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=4), some, max_size=3),
    max_leaves=6,
)
spellings = st.builds(
    lambda ascii_, spaces, ordered: (
        lambda value: json.dumps(
            value,
            ensure_ascii=ascii_,
            separators=(", ", ": ") if spaces else (",", ":"),
            sort_keys=ordered,
        ).encode("utf-8", "surrogatepass")
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@st.composite
def other_json(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> bytes:
    """
    A document that nearly says the same: with a field more, less or other, or in another spelling.

    Or with a field twice, cut short, or nested beyond reason.
    """
    document = json.loads(canonical(draw(documents)))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*document, "zeal"]) | st.text(max_size=5))
        if draw(st.booleans()):
            document[name] = draw(anything)
        else:
            document.pop(name, None)
    text: bytes = draw(spellings)(document)
    turn = draw(st.integers(0, 9))
    if turn == 0:
        return text.replace(b"{", b'{"v":1,', 1)
    if turn == 1:
        return text[: draw(st.integers(0, len(text)))]
    if turn == 2:
        return text.replace(b":", b":" + b"[" * draw(st.sampled_from([1, 200, 20_000])), 1)
    if turn == 3:
        place = draw(st.integers(0, len(text)))
        return text[:place] + draw(st.binary(min_size=1, max_size=3)) + text[place:]
    return text


@st.composite
def with_a_flipped_bit(draw: st.DrawFn, data: st.SearchStrategy[bytes]) -> tuple[bytes, bytes]:
    """Some bytes, and the same with one bit flipped."""
    good = draw(data)
    bit = draw(st.integers(0, len(good) * 8 - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8
    return good, bytes(bad)


@st.composite
def edited(draw: st.DrawFn, text: str) -> str:
    """Some of it taken out, something else put in."""
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 3)))
    return text[:start] + draw(st.text(max_size=3) | st.sampled_from(["\n", "0", "=", "+"])) + text[end:]


def signed(made: Common) -> bytes:
    return entry.sign(made, kid=KEYS.kid, signer=KEYS.sign)


def signed_json(payload: bytes, typ: str) -> bytes:
    return jws.sign(payload, typ=typ, kid=KEYS.kid, signer=KEYS.sign)


def refused(read: Callable[[], object]) -> bool:
    """Whether reading raised what it may raise; anything else comes through."""
    try:
        read()
    except (Malformed, Unverified):
        return True
    return False


def as_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# Encodings


@bounded
@given(st.binary())
def test_base64url_reads_back(data: bytes) -> None:
    assert unb64url(b64url(data)) == data


@bounded
@given(st.text() | st.text("AQgw-_=+/ \n", max_size=9))
def test_any_other_base64url_is_malformed(text: str) -> None:
    try:
        data = unb64url(text)
    except Malformed:
        return
    assert b64url(data) == text


# Entries


@settings(bounded, max_examples=100)
@given(entries)
def test_an_entry_reads_back(made: Common) -> None:
    leaf = signed(made)

    parsed = entry.parse(leaf)

    assert (parsed.entry, parsed.leaf, parsed.signed.payload) == (made, leaf, canonical(made))
    parsed.verify(KEYS.public)


@bounded
@given(entries)
def test_an_entry_has_the_canonical_form_that_others_compute(made: Common) -> None:
    """RFC 8785, for what is used of JSON here, is what Python's own encoder writes."""
    document = json.loads(canonical(made))

    others = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert canonical(made) == others.encode()


@bounded
@given(st.binary() | st.builds(b".".join, st.lists(st.binary(max_size=9), max_size=4)))
def test_any_other_leaf_is_malformed(data: bytes) -> None:
    assert refused(lambda: entry.parse(data))


@settings(bounded, max_examples=200)
@given(other_json(entries))
def test_any_other_json_of_an_entry_is_malformed_whoever_signed_it(payload: bytes) -> None:
    leaf = signed_json(payload, entry.TYP)
    try:
        parsed = entry.parse(leaf)
    except Malformed:
        return
    assert canonical(parsed.entry) == payload


@settings(bounded, max_examples=100)
@given(with_a_flipped_bit(entries.map(signed)))
def test_one_flipped_bit_of_an_entry_is_refused(pair: tuple[bytes, bytes]) -> None:
    _, bad = pair

    assert refused(lambda: entry.parse(bad).verify(KEYS.public))


# Any compact JWS


@bounded
@given(st.binary(), st.text(st.characters(exclude_categories=["Cs"]), max_size=9))
def test_a_jws_reads_back(payload: bytes, typ: str) -> None:
    text = jws.sign(payload, typ=typ, kid=KEYS.kid, signer=KEYS.sign)

    parsed = jws.parse(text, typ=typ)

    assert (parsed.payload, parsed.header.typ, parsed.header.kid) == (payload, typ, KEYS.kid)
    parsed.verify(KEYS.public)
    assert refused(lambda: parsed.verify(OTHERS.public))


@bounded
@given(other_json(st.just(jws.Header(kid=KEYS.kid, typ="t"))))
def test_any_other_header_of_a_jws_is_malformed(header: bytes) -> None:
    good = jws.sign(b"payload", typ="t", kid=KEYS.kid, signer=KEYS.sign)
    text = b".".join([b64url(header).encode(), *good.split(b".")[1:]])

    assert refused(lambda: jws.parse(text, typ="t")) == (text != good)


# Tokens


@bounded
@given(accounts, numbers, origins)
def test_a_token_reads_back(account: str, now: int, origin: str) -> None:
    text = token.make(
        account, audience=token.audience(origin, token.MQTT), now=now, kid=KEYS.kid, signer=KEYS.sign
    )

    parsed = token.parse(text)

    assert (parsed.account, parsed.claims.iat, parsed.kid) == (account, now, KEYS.kid)
    parsed.verify(KEYS.public, audience=f"{origin}/mqtt", now=now)


@bounded
@given(st.text() | st.binary().map(as_text))
def test_any_other_token_is_malformed(text: str) -> None:
    assert refused(lambda: token.parse(text))


claims = st.builds(
    token.Claims,
    aud=texts,
    exp=st.integers(0, 10**30),
    iat=st.integers(0, 10**30),
    iss=accounts,
    sub=accounts,
)


@bounded
@given(other_json(claims))
def test_any_other_claims_are_malformed_whoever_signed_them(payload: bytes) -> None:
    text = signed_json(payload, token.TYP).decode()
    try:
        parsed = token.parse(text)
    except Malformed:
        return
    assert canonical(parsed.claims) == payload
    assert refused(lambda: parsed.verify(KEYS.public, audience="nobody", now=0))


@bounded
@given(
    with_a_flipped_bit(
        accounts.map(
            lambda account: token.make(account, audience="a", now=5, kid=KEYS.kid, signer=KEYS.sign).encode()
        )
    )
)
def test_one_flipped_bit_of_a_token_is_refused(pair: tuple[bytes, bytes]) -> None:
    text = as_text(pair[1])

    assert refused(lambda: token.parse(text).verify(KEYS.public, audience="a", now=5))


# Checkpoints and receipts


@bounded
@given(heads)
def test_a_checkpoint_reads_back(head: Checkpoint) -> None:
    assert Checkpoint.from_text(head.to_text()) == head
    note = checkpoint.sign(head, key=KEYS.public, signer=KEYS.sign)
    assert checkpoint.verify(note, origin=head.origin, key=KEYS.public) == head


@bounded
@given(st.text() | st.lists(st.text(max_size=5), max_size=5).map("\n".join))
def test_any_other_checkpoint_is_malformed(text: str) -> None:
    try:
        head = Checkpoint.from_text(text)
    except Malformed:
        return
    assert head.to_text() == text


@bounded
@given(st.text() | st.lists(st.text("\u2014 a1+=\n", max_size=9), max_size=6).map("\n".join))
def test_any_other_note_is_refused(text: str) -> None:
    assert refused(lambda: checkpoint.verify(text, origin=ORIGIN, key=KEYS.public))


@settings(bounded, max_examples=80)
@given(heads, st.data())
def test_one_flipped_bit_of_a_note_is_refused(head: Checkpoint, data: st.DataObject) -> None:
    note = checkpoint.sign(head, key=KEYS.public, signer=KEYS.sign).encode()
    _, bad = data.draw(with_a_flipped_bit(st.just(note)))

    assert refused(lambda: checkpoint.verify(as_text(bad), origin=head.origin, key=KEYS.public))


@bounded
@given(receipts)
def test_a_receipt_reads_back(receipt: Receipt) -> None:
    assert Receipt.from_text(receipt.to_text()) == receipt


@bounded
@given(st.text() | receipts.flatmap(lambda receipt: edited(receipt.to_text())))
def test_any_other_receipt_is_malformed(text: str) -> None:
    try:
        receipt = Receipt.from_text(text)
    except Malformed:
        return
    assert receipt.to_text() == text


@bounded
@given(st.text())
def test_any_other_verifier_key_is_malformed(text: str) -> None:
    assert refused(lambda: checkpoint.read_verifier_key(text))
    assert refused(lambda: checkpoint.read_verifier_key(text + checkpoint.verifier_key("", KEYS.public)[9:]))


@bounded
@given(st.from_regex(r"[^\s+\x00-\x1f\ud800-\udfff]+", fullmatch=True))
def test_a_verifier_key_reads_back(name: str) -> None:
    text = checkpoint.verifier_key(name, KEYS.public)

    assert checkpoint.read_verifier_key(text) == (name, KEYS.public)


# Blocks and bodies


@bounded
@given(headers)
def test_a_block_header_reads_back(header: Header) -> None:
    assert read_header(canonical(header)) == header


@settings(bounded, max_examples=80)
@given(other_json(headers) | st.binary())
def test_any_other_block_header_is_malformed(data: bytes) -> None:
    try:
        header = read_header(data)
    except Malformed:
        return
    assert canonical(header) == data


@bounded
@given(cards)
def test_a_card_reads_back(card: Card) -> None:
    made = body.document(card, Source("salt"))

    assert made.read(Card) == card
    made.check(made.ref)


@bounded
@given(other_json(cards))
def test_any_other_card_is_malformed(data: bytes) -> None:
    made = Body(bytes(32), data.decode("utf-8", "replace"))
    try:
        card = made.read(Card)
    except Malformed:
        return
    assert canonical(card) == made.content.encode()


@bounded
@given(handles, names, st.booleans())
def test_invitations_and_names_of_groups_read_back(
    handle: str,
    name: str,
    match: bool,  # noqa: FBT001 - a case, not a flag
) -> None:
    invitation = Invitation(handle, match)
    assert body.document(invitation, Source("salt")).read(Invitation) == invitation
    assert body.document(GroupName(name), Source("salt")).read(GroupName).name == name


@bounded
@given(bodies, st.data())
def test_one_flipped_bit_of_a_body_or_its_salt_is_unverified(made: Body, data: st.DataObject) -> None:
    _, salt = data.draw(with_a_flipped_bit(st.just(made.salt)))
    longer = Body(made.salt, made.content + "\0")

    for wrong in (Body(salt, made.content), longer):
        with pytest.raises(Unverified):
            wrong.check(made.ref)


# What travels


@bounded
@given(bound(), st.none() | numbers)
def test_a_parcel_reads_back(made: tuple[bytes, Body], after: int | None) -> None:
    leaf, beside = made

    submission = wire.read_parcel(wire.encode(wire.parcel(leaf, beside, after=after))).load()

    assert (submission.signed.leaf, submission.body, submission.after) == (leaf, beside, after)


@settings(bounded, max_examples=100)
@given(st.binary() | other_json(bound().map(lambda made: wire.parcel(*made))))
def test_any_other_parcel_is_refused_or_still_brings_an_entry_and_its_body(data: bytes) -> None:
    """A parcel is signed inside, so its spelling is free; what it brings is not."""
    try:
        submission = wire.read_parcel(data).load()
    except (Malformed, Unverified):
        return
    submission.signed.verify(KEYS.public)
    assert submission.body is not None
    assert submission.body.ref == submission.signed.body


@settings(bounded, max_examples=100)
@given(bound(), st.data())
def test_one_flipped_bit_of_a_parcel_is_refused_or_changes_nothing_that_is_signed(
    made: tuple[bytes, Body], data: st.DataObject
) -> None:
    _, bad = data.draw(with_a_flipped_bit(st.just(wire.encode(wire.parcel(*made, after=77)))))
    try:
        submission = wire.read_parcel(bad).load()
        submission.signed.verify(KEYS.public)
    except (Malformed, Unverified):
        return
    assert (submission.signed.leaf, submission.body) == made
    assert submission.after != 77


@bounded
@given(answers)
def test_receipts_on_their_way_read_back(made: Receipts) -> None:
    assert wire.read_receipts(wire.encode(made)) == made


@bounded
@given(deliveries)
def test_a_delivery_reads_back(made: Delivery) -> None:
    assert wire.read_delivery(wire.encode(made)) == made


@settings(bounded, max_examples=80)
@given(st.binary() | other_json(answers) | other_json(deliveries))
def test_any_other_answer_is_malformed(data: bytes) -> None:
    for read in (wire.read_receipts, wire.read_delivery):
        try:
            found = read(data)
        except Malformed:
            continue
        assert read(wire.encode(found)) == found


@bounded
@given(refusals)
def test_a_refusal_reads_back(made: Refusal) -> None:
    data = wire.sign_refusal(made, kid=KEYS.kid, signer=KEYS.sign)

    assert wire.read_refusal(data, key=KEYS.public, origin=ORIGIN) == made
    assert refused(lambda: wire.read_refusal(data, key=OTHERS.public, origin=ORIGIN))
    assert refused(lambda: wire.read_refusal(data, key=KEYS.public, origin="ward8.example/abc123"))


@settings(bounded, max_examples=80)
@given(other_json(refusals) | st.binary())
def test_any_other_refusal_is_refused(payload: bytes) -> None:
    data = signed_json(payload, wire.REFUSAL_TYP)
    try:
        found = wire.read_refusal(data, key=KEYS.public, origin=ORIGIN)
    except (Malformed, Unverified):
        return
    assert canonical(found) == payload


@bounded
@given(with_a_flipped_bit(refusals.map(lambda made: wire.sign_refusal(made, kid=KEYS.kid, signer=KEYS.sign))))
def test_one_flipped_bit_of_a_refusal_is_refused(pair: tuple[bytes, bytes]) -> None:
    assert refused(lambda: wire.read_refusal(pair[1], key=KEYS.public, origin=ORIGIN))


@bounded
@given(accounts)
def test_an_accounts_own_topic_reads_back(account: str) -> None:
    assert wire.account_of(wire.up_topic(account, "entry")) == account


@bounded
@given(st.text() | accounts.flatmap(lambda account: edited(wire.up_topic(account, "entry"))))
def test_any_other_topic_is_malformed(topic: str) -> None:
    try:
        account = wire.account_of(topic)
    except Malformed:
        return
    assert wire.up_topic(account, "entry") == topic


# Join codes

hosts = st.from_regex(r"[A-Za-z0-9.-]+", fullmatch=True) | st.ip_addresses(v=6).map("[{}]".format)
join_codes = st.builds(
    JoinCode,
    host=hosts,
    port=st.integers(1, 2**16 - 1),
    pin=accounts | st.text(BASE32, min_size=52, max_size=52),
    code=st.text(BASE32, min_size=16, max_size=16),
)


@bounded
@given(join_codes)
def test_a_join_code_reads_back(made: JoinCode) -> None:
    assert JoinCode.from_text(made.to_text()) == made
    assert JoinCode.from_text(f" {made.to_text()}\n") == made


@bounded
@given(st.text() | join_codes.flatmap(lambda made: edited(made.to_text())))
def test_any_other_join_code_is_malformed(text: str) -> None:
    try:
        made = JoinCode.from_text(text)
    except Malformed:
        return
    assert made.to_text() == text.strip()


def test_a_join_code_is_shown_nowhere() -> None:
    made = JoinCode("127.0.0.1", 8080, "a" * 26, "secretsecretsecr")

    assert made.code not in f"{made!r} {made}"
    with pytest.raises(Malformed) as refused:
        JoinCode.from_text(made.to_text() + "x")
    assert made.code not in str(refused.value)
