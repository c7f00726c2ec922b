"""What somebody might make of a good entry, checkpoint or receipt: one fault each, and all of it is to be refused."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from chain import checkpoint, entry, jws
from chain.checkpoint import Checkpoint
from chain.encoding import b64url, unb64url
from chain.receipt import Receipt
from tests.vectors.forge import Json
from tests.world import Keys, World

ANOTHER_VERSION = "0197b2c4-5d6e-4f80-9a1b-2c3d4e5f6071"


def signed_as(payload: bytes, keys: Keys, *, typ: str = entry.TYP) -> bytes:
    """A leaf with any payload, and a signature that holds."""
    return jws.sign(payload, typ=typ, kid=keys.kid, signer=keys.sign)


def spelled(document: Any, *, separators: tuple[str, str] = (",", ":"), sort_keys: bool = True) -> bytes:
    text = json.dumps(document, separators=separators, sort_keys=sort_keys, ensure_ascii=False)
    return text.encode()


def changed(document: Json, **changes: Any) -> bytes:
    return spelled(document | changes)


def without(document: Json, member: str) -> bytes:
    return spelled({name: value for name, value in document.items() if name != member})


def payloads(says: Json) -> dict[str, bytes]:
    """What is not the one permitted text of an entry (an alert), whoever signed it."""
    return _members(says) | _spellings(says, spelled(says))


def _members(says: Json) -> dict[str, bytes]:
    return {
        "another version": changed(says, v=2),
        "no version": without(says, "v"),
        "a missing member": without(says, "stream"),
        "an unknown member": changed(says, zeal=1),
        "an unknown member of another realm": changed(says, __proto__={}),
        "an unknown type": changed(says, type="telegram"),
        "a type that every object has": changed(says, type="constructor"),
        "no type": without(says, "type"),
        "a member of another type": changed(says, code="a" * 16),
        "null for a member left out": changed(says, re=None),
        "a number as text": changed(says, seq=str(says["seq"])),
        "a boolean for a number": changed(says, v=True),
        "a negative seq": changed(says, seq=-1),
        "a seq of nothing": changed(says, seq=0),
        "an integer beyond the exact ones": changed(says, at=2**53),
        "an integer beyond 64 bits": changed(says, at=2**64),
        "an integer of a thousand digits": changed(says, at=10**1000),
        "an id of another version": changed(says, id=ANOTHER_VERSION),
        "an id in capitals": changed(says, id=says["id"].upper()),
        "an id in braces": changed(says, id="{" + says["id"] + "}"),
        "an id and a newline": changed(says, id=says["id"] + "\n"),
        "an author and a newline": changed(says, author=says["author"] + "\n"),
        "an author in capitals": changed(says, author=says["author"].upper()),
        "a short author": changed(says, author=says["author"][:-1]),
        "a stream and a newline": changed(says, stream=says["stream"] + "\n"),
        "an origin and a newline": changed(says, chain=says["chain"] + "\n"),
        "an origin of nothing": changed(says, chain=""),
        "an origin without an account": changed(says, chain="ward7.example"),
        "an origin of 201 characters": changed(says, chain="w" * 194 + "/abc123"),
        "an addressee and a newline": changed(says, to=says["to"] + "\n"),
        "an addressee of another form": changed(says, to="everyone"),
        "a clock of another kind": changed(says, clock="sundial"),
        "an alert of another kind": changed(says, alert=says["alert"] | {"priority": "urgent"}),
        "an alert with a member more": changed(says, alert=says["alert"] | {"text": "help"}),
        "an oversize body": changed(says, body=says["body"] | {"size": 262_145}),
        "a body of less than nothing": changed(says, body=says["body"] | {"size": -1}),
        "a digest that is short": changed(says, body=says["body"] | {"digest": "abc"}),
        "a commitment in the other alphabet": changed(says, commitment="+" * 43),
        "seen twice": changed(says, seen=[says["seen"], says["seen"]]),
    }


def _spellings(says: Json, text: bytes) -> dict[str, bytes]:
    return {
        "nothing": b"",
        "a space": spelled(says, separators=(", ", ":")),
        "a newline at the end": text + b"\n",
        "unsorted": spelled(dict(reversed(says.items())), sort_keys=False),
        "escaped needlessly": text.replace(b'"message"', b'"\\u006dessage"'),
        "an escaped slash": text.replace(b"/", b"\\/"),
        "a member twice": text.replace(b'"at":', b'"at":1,"at":'),
        "the same member twice": text.replace(b'"v":1', b'"v":1,"v":1'),
        "a float": text.replace(b'"seq":', b'"seq":1.0,"x":'),
        "a number as a float": changed(says, at=float(says["at"])),
        "an exponent": text.replace(f'"seq":{says["seq"]}'.encode(), b'"seq":1e3'),
        "a leading zero": text.replace(b'"seq":', b'"seq":0'),
        "a minus zero": changed(says, at=0).replace(b'"at":0', b'"at":-0'),
        "an integer of ten thousand digits": text.replace(b'"seq":', b'"seq":' + b"9" * 10_000),
        "deep nesting": text.replace(b'"seen":', b'"seen":' + b"[" * 20_000),
        "deep nesting that ends": text.replace(
            b'"seen":', b'"seen":' + b"[" * 9_000 + b"]" * 9_000 + b',"x":'
        ),
        "deep objects": text.replace(b'"seen":', b'"seen":' + b'{"a":' * 8_000),
        "a lone surrogate": text.replace(b'"message"', b'"\\ud800"'),
        "a lone surrogate in an origin": text.replace(b"ward7", b"ward\\udfff"),
        "an encoded surrogate": text.replace(b"ward7", b"ward\xed\xa0\x80"),
        "not UTF-8": text.replace(b"ward7", b"ward\xff"),
        "NUL": text.replace(b"ward7", b"ward\x00"),
        "an escaped NUL": text.replace(b"ward7", b"ward\\u0000"),
        "a byte order mark": b"\xef\xbb\xbf" + text,
        "UTF-16": text.decode().encode("utf-16-le"),
        "cut short": text[:-1],
        "a list": b"[" + text + b"]",
        "a string": spelled(text.decode()),
        "null": b"null",
    }


def leaves(leaf: bytes, keys: Keys) -> dict[str, bytes]:
    """What is no leaf, although its payload is an entry."""
    header, payload, signature = leaf.split(b".")
    claims = json.loads(unb64url(header.decode()))
    says = unb64url(payload.decode())

    def headed(data: bytes) -> bytes:
        return b64url(data).encode() + b"." + payload + b"." + signature

    return {
        "two parts": header + b"." + payload,
        "four parts": leaf + b".",
        "a newline": leaf + b"\n",
        "padding": leaf + b"=",
        "the other alphabet": leaf.replace(b"-", b"+").replace(b"_", b"/") + b"+",
        "a short signature": leaf[:-4],
        "a long signature": leaf + b"AAAA",
        "no signature": header + b"." + payload + b".",
        "stray bits in the signature": leaf[:-1] + bytes([leaf[-1] ^ 1]),
        "not ASCII": leaf.replace(b".", "\u00b7.".encode(), 1),
        "no algorithm": headed(spelled({k: v for k, v in claims.items() if k != "alg"})),
        "the algorithm none": headed(spelled(claims | {"alg": "none"})),
        "the older name of the algorithm": headed(spelled(claims | {"alg": "EdDSA"})),
        "a symmetric algorithm": headed(spelled(claims | {"alg": "HS256"})),
        "a critical extension": headed(spelled(claims | {"crit": ["b64"], "b64": False})),
        "a key of its own": headed(spelled(claims | {"jwk": {}})),
        "a header with a space": headed(spelled(claims, separators=(", ", ":"))),
        "an unsorted header": headed(spelled(dict(reversed(claims.items())), sort_keys=False)),
        "a header that is no JSON": headed(b"{"),
        "a kid and a newline": headed(spelled(claims | {"kid": claims["kid"] + "\n"})),
        "a token": signed_as(says, keys, typ="blockpost-token+jwt"),
        "a refusal": signed_as(says, keys, typ="blockpost-refusal"),
        "a type of no ASCII": signed_as(says, keys, typ="\u00e9"),
        "more than is read": signed_as(says + b" " * 50_000, keys),
    }


def signature_line(name: str, data: bytes) -> str:
    return f"\u2014 {name} {base64.b64encode(data).decode()}\n"


def notes(signed: str, head: Checkpoint) -> dict[str, str]:
    """What is no signed note of a checkpoint; `signed` is a good one of `head`."""
    size = f"\n{head.size}\n"
    root = base64.b64encode(head.root).decode()
    text = head.to_text()

    def sized(other: str) -> str:
        return signed.replace(size, f"\n{other}\n", 1)

    def rooted(other: str) -> str:
        return signed.replace(root, other, 1)

    return {
        "empty": "",
        "no signature": text,
        "an empty line and no signature": f"{text}\n",
        "no newline at the end": signed[:-1],
        "an empty line at the end": signed + "\n",
        "a hyphen for the dash": signed.replace("\u2014", "-"),
        "carriage returns": signed.replace("\n", "\r\n"),
        "a leading zero": sized(f"0{head.size}"),
        "a sign": sized(f"+{head.size}"),
        "an underscore": sized(f"{head.size}_0"),
        "another script's digit": sized("\u0667"),
        "a superscript": sized("\u00b2"),
        "a negative size": sized(f"-{head.size}"),
        "a size as a float": sized(f"{head.size}.0"),
        "a size in hexadecimal": sized(f"0x{head.size:x}"),
        "a size of many digits": sized("7" * 5000),
        "no size": sized(""),
        "an extension line": rooted(f"{root}\nextension"),
        "a short root": rooted(base64.b64encode(head.root[3:]).decode()),
        "a root without padding": rooted(root[:-1]),
        "a root with trailing bits": rooted(root[:-2] + chr(ord(root[-2]) + 1) + "="),
        "a root with a line break": rooted(f"{root[:3]}\n{root[3:]}"),
        "a signature that is not base64": signed[:-3] + "*\n",
        "a signature with trailing bits": signed[:-1] + "=\n",
        "something that is no signature line": signed + "witness\n",
        "no origin": signed.removeprefix(head.origin),
        "a nameless signature": signed + signature_line("", bytes(68)),
        "a space in another's key name": signed + signature_line("wit ness", bytes(68)),
        "a plus in another's key name": signed + signature_line("wit+ness", bytes(68)),
        "a control character in another's key name": signed + signature_line("wit\x07ness", bytes(68)),
        "a lone surrogate in another's key name": signed + signature_line("wit\ud800ness", bytes(68)),
    }


def receipts(receipt: Receipt, world: World) -> Mapping[str, str]:
    """What somebody might make of the receipt of an entry of `world`, that is not its last."""
    return _indices(receipt, world) | _paths(receipt, world) | _checkpoints(receipt, world)


def _indices(receipt: Receipt, world: World) -> dict[str, str]:
    text, path, note = receipt.to_text(), receipt.path, receipt.note
    return {
        "the next index": Receipt(receipt.index + 1, path, note).to_text(),
        "the index before": Receipt(receipt.index - 1, path, note).to_text(),
        "an index beyond the log": Receipt(world.chain.head.size, path, note).to_text(),
        "a huge index": Receipt(10**30, path, note).to_text(),
        "a leading zero": text.replace("index ", "index 0"),
        "a signed index": text.replace("index ", "index +"),
        "a negative index": text.replace("index ", "index -"),
        "an index with a space": text.replace("index ", "index  "),
        "an index as a float": text.replace(f"index {receipt.index}", f"index {receipt.index}.0"),
        "another script's digit": text.replace(f"index {receipt.index}", "index \u0665"),
        "no index": text.replace(f"index {receipt.index}\n", ""),
    }


def _paths(receipt: Receipt, world: World) -> dict[str, str]:
    text, path = receipt.to_text(), receipt.path
    lines = text.split("\n")
    first, second = lines[2], lines[3]
    (neighbour,) = world.chain.receipts([receipt.index + 1])
    return {
        "another entry's path": Receipt(receipt.index, neighbour.path, receipt.note).to_text(),
        "a shorter path": text.replace(f"{first}\n", ""),
        "a longer path": text.replace(first, f"{first}\n{first}"),
        "a path of 64 hashes": Receipt(receipt.index, path[:1] * 64, receipt.note).to_text(),
        "no path": Receipt(receipt.index, (), receipt.note).to_text(),
        "two hashes swapped": text.replace(f"{first}\n{second}", f"{second}\n{first}"),
        "a hash cut short": text.replace(first, base64.b64encode(path[0][:31]).decode()),
        "a hash with trailing bits": text.replace(first, first[:-2] + chr(ord(first[-2]) + 1) + "="),
        "a hash without padding": text.replace(first, first[:-1]),
        "another magic": text.replace("@v1", "@v2"),
        "no magic": text.partition("\n")[2],
        "nothing": "",
    }


def _checkpoints(receipt: Receipt, world: World) -> dict[str, str]:
    text, head, keys = receipt.to_text(), world.chain.head, world.gateway.keys
    older = world.chain.store.db.execute("SELECT checkpoint FROM signature WHERE height = 3").fetchone()[0]
    foreign = Checkpoint("ward8.example/abc123", head.size, head.root)
    own = Checkpoint(world.origin, head.size, head.root)
    stranger = world.stranger("mallory").keys

    def under(note: str) -> str:
        return Receipt(receipt.index, receipt.path, note).to_text()

    return {
        "no checkpoint": text.partition("\n\n")[0],
        "no checkpoint, with its empty line": text.partition("\n\n")[0] + "\n\n",
        "an older checkpoint": under(older.decode()),
        "a checkpoint of another log": under(checkpoint.sign(foreign, key=keys.public, signer=keys.sign)),
        "a checkpoint of another key": under(checkpoint.sign(own, key=stranger.public, signer=stranger.sign)),
        "another size in the checkpoint": text.replace(f"\n{head.size}\n", "\n999\n"),
        "no newline at the end": text[:-1],
        "an empty line at the end": text + "\n",
        "something after the signature": text + "and more\n",
        "carriage returns": text.replace("\n", "\r\n"),
        "a control character": text.replace("\u2014", "\u2014\x00"),
    }
