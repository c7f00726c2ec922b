"""Inclusion and consistency proofs, checkpoints and receipts, with what is to be refused of each."""

from collections.abc import Iterator, Sequence

from chain import checkpoint, merkle
from chain.checkpoint import Checkpoint, b64
from chain.encoding import b64url
from chain.merkle import Tree
from chain.receipt import Receipt
from tests.vectors import ledger, tampered
from tests.vectors.forge import Json
from tests.vectors.tampered import signature_line
from tests.world import ORIGIN, Keys, Source, World

LARGEST = 33
"""Every form that a proof can have occurs in trees of up to 33 leaves."""

ALL_BELOW = 10
LEAVES = [f"leaf {number}" for number in range(LARGEST)]

KEYS = Keys(Source("checkpoint"))
OTHERS = Keys(Source("a witness"))
HEAD = Checkpoint(ORIGIN, 7, bytes(range(32)))


def cases() -> list[Json]:
    tree = _grown()
    with ledger.opened() as world:
        return [
            *_inclusions(tree),
            *_altered_inclusions(tree),
            *_consistencies(tree),
            *_altered_consistencies(tree),
            *_checkpoints(),
            *_refused_checkpoints(),
            *_receipts(world),
            *_refused_receipts(world),
        ]


def _grown() -> Tree:
    nodes: list[bytes] = []
    tree = Tree(0, nodes.__getitem__)
    for leaf in LEAVES:
        nodes += tree.append(merkle.leaf_hash(leaf.encode()))
    return tree


# Inclusion


def _inclusion(tree: Tree, index: int, size: int) -> Json:
    return {
        "index": index,
        "kind": "inclusion",
        "leaf": LEAVES[index],
        "name": f"inclusion: {index} of {size}",
        "path": _spelled(tree.inclusion(index, size)),
        "root": b64url(tree.root(size)),
        "size": size,
    }


def _inclusions(tree: Tree) -> Iterator[Json]:
    for size in range(1, LARGEST + 1):
        for index in _telling(size, range(size)):
            yield _inclusion(tree, index, size)


def _altered_inclusions(tree: Tree) -> Iterator[Json]:
    for index, size in ((0, 1), (3, 8), (4, 5), (12, 13), (20, 33), (32, 33)):
        good = _inclusion(tree, index, size)
        path: list[str] = good["path"]
        faults: dict[str, Json] = {
            "the next index": {"index": index + 1},
            "the index before": {"index": index - 1},
            "an index of the size": {"index": size},
            "an index beyond 32 bits": {"index": index + 2**32},
            "no size": {"size": 0},
            "another leaf": {"leaf": "leaf x"},
            "the root of another size": {"root": b64url(tree.root(size - 1))},
            "a hash more": {"path": [*path, good["root"]]},
            "a hash more at first": {"path": [good["root"], *path]},
        }
        if path:
            faults |= {
                "a hash less": {"path": path[:-1]},
                "a hash less at first": {"path": path[1:]},
                "no path": {"path": []},
                "a flipped bit": {"path": [*path[:-1], _flipped(path[-1])]},
                "half the size": {"size": (size + 1) // 2},
            }
        if len(path) > 1:
            faults["the path in reverse"] = {"path": path[::-1]}
        for name, fault in faults.items():
            yield good | fault | {"name": f"{good['name']}: {name}", "refused": True}


# Consistency


def _consistency(tree: Tree, old: int, size: int) -> Json:
    return {
        "kind": "consistency",
        "name": f"consistency: {old} to {size}",
        "new_root": b64url(tree.root(size)),
        "new_size": size,
        "old_root": b64url(tree.root(old)),
        "old_size": old,
        "path": _spelled(tree.consistency(old, size)),
    }


def _consistencies(tree: Tree) -> Iterator[Json]:
    for size in range(LARGEST + 1):
        for old in _telling(size, range(size + 1)):
            yield _consistency(tree, old, size)


def _altered_consistencies(tree: Tree) -> Iterator[Json]:
    other = b64url(merkle.leaf_hash(b"another history"))
    for old, size in ((0, 5), (3, 3), (1, 2), (4, 8), (6, 8), (7, 13), (16, 33), (31, 33)):
        good = _consistency(tree, old, size)
        path: list[str] = good["path"]
        faults: dict[str, Json] = {
            "another old root": {"old_root": other},
            "a hash more": {"path": [*path, other]},
            "sizes exchanged": {"new_size": old - 1, "old_size": size},
        }
        if old:
            # No tree of any size proves what the empty one says: everything continues it.
            faults["another new root"] = {"new_root": other}
        if path:
            faults |= {
                "a hash less": {"path": path[:-1]},
                "no path": {"path": []},
                "a flipped bit": {"path": [*path[:-1], _flipped(path[-1])]},
                "another hash at first": {"path": [other, *path[1:]]},
                "a larger size": {"new_size": 2 * size + 1},
                "a size beyond 32 bits": {"new_size": size + 2**32},
            }
        for name, fault in faults.items():
            yield good | fault | {"name": f"{good['name']}: {name}", "refused": True}


# Checkpoints


def _note(head: Checkpoint = HEAD, keys: Keys = KEYS) -> str:
    return checkpoint.sign(head, key=keys.public, signer=keys.sign)


def _signed(name: str, note: str) -> Json:
    return {
        "key": KEYS.public.x,
        "kind": "checkpoint",
        "name": f"checkpoint: {name}",
        "note": note,
        "origin": ORIGIN,
    }


def _holding(name: str, note: str, head: Checkpoint = HEAD) -> Json:
    return _signed(name, note) | {"root": b64url(head.root), "size": head.size}


def _checkpoints() -> Iterator[Json]:
    text, _, ours = _note().partition("\n\n")
    witness = signature_line("witness.example", b"\x01\x02\x03\x04" + bytes(72))
    same_name = signature_line(ORIGIN, b"\x01\x02\x03\x04" + bytes(64))
    nameless = signature_line("\ufeff", bytes(68))
    yield _holding("as signed", _note())
    yield _holding("a witness signed too", _note() + witness)
    yield _holding("others signed before", f"{text}\n\n{witness}{same_name}{ours}")
    yield _holding("a name that looks like none", _note() + nameless)
    yield _holding("a short signature of another", _note() + signature_line("w", b""))
    for size in (0, 1, 2**32, 2**53 - 1):
        head = Checkpoint(ORIGIN, size, HEAD.root)
        yield _holding(f"of {size} entries", _note(head), head)


def _refused_checkpoints() -> Iterator[Json]:
    text, _, ours = _note().partition("\n\n")
    key_id = checkpoint.key_id(ORIGIN, KEYS.public)
    signature = KEYS.sign(HEAD.to_text().encode())
    faults = {
        **tampered.notes(_note(), HEAD),
        "another key": _note(keys=OTHERS),
        "another origin": _note(Checkpoint("ward8.example/abc123", 7, HEAD.root)),
        "another name": f"{text}\n\n{ours.replace(ORIGIN, 'ward8.example/abc123')}",
        "a key id that collides": f"{text}\n\n"
        + signature_line(ORIGIN, key_id + OTHERS.sign(HEAD.to_text().encode())),
        "a signature cut short": f"{text}\n\n{signature_line(ORIGIN, key_id + signature[:-1])}",
        "a signature with a byte more": f"{text}\n\n{signature_line(ORIGIN, key_id + signature + bytes(1))}",
        "a key id alone": f"{text}\n\n{signature_line(ORIGIN, key_id)}",
        "another size": _note().replace("\n7\n", "\n8\n"),
        "another root": _note().replace("AAEC", "AAED"),
        "a next line in another's key name": _note() + signature_line("wit\x85ness", bytes(68)),
    }
    for name, note in faults.items():
        yield _signed(name, note) | {"refused": True}
    for name, wrong in _wrong_texts().items():
        note = f"{wrong}\n{signature_line(ORIGIN, key_id + KEYS.sign(wrong.encode()))}"
        yield _signed(f"signed with {name}", note) | {"refused": True}


def _wrong_texts() -> dict[str, str]:
    """What the gateway itself would have to sign: nothing but the form of the text, or its origin, is wrong."""
    text = HEAD.to_text()
    root = b64(HEAD.root)
    return {
        "another origin": text.replace("ward7", "ward8"),
        "no origin": text.removeprefix(ORIGIN),
        "a leading zero": text.replace("\n7\n", "\n07\n"),
        "a sign": text.replace("\n7\n", "\n+7\n"),
        "a negative size": text.replace("\n7\n", "\n-7\n"),
        "a space": text.replace("\n7\n", "\n 7\n"),
        "a float": text.replace("\n7\n", "\n7.0\n"),
        "an exponent": text.replace("\n7\n", "\n7e0\n"),
        "another script's digit": text.replace("\n7\n", "\n\u0667\n"),
        "no size": text.replace("\n7\n", "\n\n"),
        "a root of 29 bytes": text.replace(root, b64(HEAD.root[3:])),
        "a root without padding": text.replace("8=\n", "8\n"),
        "a root with trailing bits": text.replace("8=\n", "9=\n"),
        "an extension line": text + "extension\n",
        "an empty line": text.replace("\n7\n", "\n7\n\n"),
    }


# Receipts


def _receipts(world: World) -> Iterator[Json]:
    last = world.chain.head.size - 1
    for index in (0, 1, 5, last // 2, last):
        yield _proven(world, f"{index} of {last + 1}", world.chain.receipts([index])[0])
    heights = world.chain.store.db.execute("SELECT checkpoint FROM signature ORDER BY height").fetchall()
    for height in (0, 3, len(heights) // 2):
        (receipt,) = world.chain.receipts([1], note=heights[height][0].decode())
        yield _proven(world, f"1 under the checkpoint of block {height}", receipt)
    (receipt,) = world.chain.receipts([5])
    witnessed = receipt.to_text() + signature_line("witness.example", bytes(68))
    yield _proven(world, "a witness signed too", receipt) | {"receipt": witnessed}
    leaf = b"only"
    alone = Receipt(0, (), _note(Checkpoint(ORIGIN, 1, merkle.leaf_hash(leaf))))
    yield {
        "index": 0,
        "key": KEYS.public.x,
        "kind": "receipt",
        "leaf": leaf.decode(),
        "name": "receipt: of a log of one entry",
        "origin": ORIGIN,
        "receipt": alone.to_text(),
        "root": b64url(merkle.leaf_hash(leaf)),
        "size": 1,
    }


def _received(world: World, name: str, text: str, leaf: bytes) -> Json:
    return ledger.checked_by(world) | {
        "kind": "receipt",
        "leaf": leaf.decode(),
        "name": f"receipt: {name}",
        "receipt": text,
    }


def _proven(world: World, name: str, receipt: Receipt) -> Json:
    head = world.chain.verified(receipt.note)
    return _received(world, name, receipt.to_text(), world.chain.store.leaf(receipt.index)) | {
        "index": receipt.index,
        "root": b64url(head.root),
        "size": head.size,
    }


def _refused_receipts(world: World) -> Iterator[Json]:
    (receipt,) = world.chain.receipts([5])
    leaf, text = world.chain.store.leaf(5), receipt.to_text()
    faults = {
        **tampered.receipts(receipt, world),
        "extra data": text.replace("index", "extra AAAA\nindex"),
        "more than is read": text + signature_line("witness.example", bytes(3000)) * 6,
    }
    for name, fault in faults.items():
        yield _received(world, name, fault, leaf) | {"refused": True}
    for name, other in {
        "another entry": world.chain.store.leaf(6),
        "an entry cut short": leaf[:-1],
        "an entry and a newline": leaf + b"\n",
    }.items():
        yield _received(world, name, text, other) | {"refused": True}


def _telling(size: int, all_: Sequence[int]) -> list[int]:
    """All of a small tree; of a larger one the ends, and both sides of where it is cut."""
    if size < ALL_BELOW:
        return list(all_)
    cut = 1 << (size - 1).bit_length() - 1
    return sorted({0, 1, cut - 1, cut, cut + 1, size // 2, size - 2, size - 1, size} & set(all_))


def _spelled(path: Sequence[bytes]) -> list[str]:
    return [b64url(value) for value in path]


def _flipped(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]
