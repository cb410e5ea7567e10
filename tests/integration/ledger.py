# SPDX-License-Identifier: Apache-2.0
"""An independent reader of a ledger's directory (C2SP tlog-tiles, signed-note,
RFC 6962), over Python's hashlib and cryptography; nothing of signerd in it."""
import base64
import hashlib
import os
import pathlib

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256


class Broken(Exception):
    """The ledger is not what it should be."""


def sha(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part)
    return h.digest()


def leaf_hash(entry):
    return sha(b"\0", entry)


def node_hash(left, right):
    return sha(b"\1", left, right)


def root_of(hashes):
    """The root over leaf hashes, RFC 6962 s. 2.1, level by level: the last one
    of an odd level goes up as it is."""
    if not hashes:
        return sha(b"")
    while len(hashes) > 1:
        up = [node_hash(a, b) for a, b in zip(hashes[::2], hashes[1::2])]
        hashes = up + hashes[len(hashes) & ~1:]
    return hashes[0]


# -- notes -------------------------------------------------------------------

def parse_vkey(text):
    """(name, hash, type, public key)"""
    name, hexhash, b64 = text.strip().split("+", 2)
    raw = base64.b64decode(b64, validate=True)
    if sha(name.encode(), b"\n", raw)[:4].hex() != hexhash:
        raise Broken("the hash of the vkey is not its own")
    return name, bytes.fromhex(hexhash), raw[0], raw[1:]


def open_note(note, vkey):
    """The text of NOTE, signed by VKEY."""
    name, keyhash, kind, public = parse_vkey(vkey)
    text, _, tail = note.partition(b"\n\n")
    text += b"\n"
    for line in tail.decode().splitlines():
        dash, signer, b64 = line.split(" ")
        raw = base64.b64decode(b64, validate=True)
        if dash != "\u2014" or signer != name or raw[:4] != keyhash:
            continue
        if kind == 4:  # a witness: time and signature
            when = int.from_bytes(raw[4:12], "big")
            signed, signature = b"cosignature/v1\ntime %d\n" % when + text, raw[12:]
        else:
            signed, signature = text, raw[4:]
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
            return text
        except InvalidSignature:
            raise Broken("a signature does not verify")
    raise Broken(f"not signed by {name}")


def parse_checkpoint(text):
    """(origin, size, root)"""
    lines = text.decode().split("\n")
    return lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)


# -- the directory -------------------------------------------------------------

def grouped(n):
    digits = f"{n:03d}"
    digits = "0" * (-len(digits) % 3) + digits
    parts = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    return "/".join(["x" + p for p in parts[:-1]] + parts[-1:])


class Log:
    """A ledger's directory at the checkpoint that it has now."""

    def __init__(self, directory, vkey=None):
        self.dir = pathlib.Path(directory)
        self.vkey = vkey or (self.dir / "vkey").read_text()
        self.note = (self.dir / "checkpoint").read_bytes()
        self.origin, self.size, self.root = parse_checkpoint(
            open_note(self.note, self.vkey))

    def tile(self, level, n, width):
        """The bytes of a tile, or of a wider one that took its place."""
        path = self.dir / "tile" / str(level) / grouped(n)
        if width == WIDTH:
            return path.read_bytes()
        wider = [int(p.name) for p in path.with_name(path.name + ".p").glob("*")
                 if p.name.isdigit() and int(p.name) >= width]
        if wider:
            return (path.with_name(path.name + ".p") / str(min(wider))).read_bytes()
        return path.read_bytes()

    def entries(self):
        """All entries, as bytes."""
        out = []
        while len(out) < self.size:
            n, want = len(out) // WIDTH, min(WIDTH, self.size - len(out))
            data, at = self.tile("entries", n, want), 0
            for _ in range(want):
                size = int.from_bytes(data[at:at + 2], "big")
                if at + 2 + size > len(data):
                    raise Broken(f"bundle {n} is too short")
                out.append(data[at + 2:at + 2 + size])
                at += 2 + size
        return out

    def check(self):
        """Verify everything; return the entries, decoded."""
        entries = self.entries()
        hashes = [leaf_hash(e) for e in entries]
        if root_of(hashes) != self.root:
            raise Broken("the entries do not have the signed root")
        level, row = 0, hashes
        while row:
            for n in range((len(row) + WIDTH - 1) // WIDTH):
                part = row[n * WIDTH:(n + 1) * WIDTH]
                data = self.tile(level, n, len(part))
                if data[:32 * len(part)] != b"".join(part):
                    raise Broken(f"tile {level}/{n} differs")
            row = [root_of(row[i:i + WIDTH]) for i in range(0, len(row) // WIDTH * WIDTH, WIDTH)]
            level += 1
        return [cbor2.loads(e) for e in entries]

    def is_prefix_of(self, later):
        return root_of([leaf_hash(e) for e in later.entries()[:self.size]]) == self.root


def copy(source, target):
    """A copy of a ledger that may be written to meanwhile: the checkpoint first.
    What vanishes on the way is a partial tile whose full one has come."""
    source, target = pathlib.Path(source), pathlib.Path(target)
    target.mkdir()
    for name in ("checkpoint", "vkey"):
        (target / name).write_bytes((source / name).read_bytes())
    for folder, _, names in os.walk(source / "tile"):  # passes over what vanishes
        for path in [pathlib.Path(folder, name) for name in names]:
            to = target / path.relative_to(source)
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(data)
    return Log(target)


# -- proofs -----------------------------------------------------------------------

def check_inclusion(proof, size, index, leaf, root):
    """RFC 9162 s. 2.1.3.2"""
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise Broken("the proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or r != root:
        raise Broken("the proof does not lead to the root")


def open_proof(text, vkey):
    """(index, hashes, size, root, extra) of a C2SP tlog-proof."""
    head, _, note = text.partition(b"\n\n")
    lines = head.decode().split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Broken("no tlog-proof")
    extra = None
    if lines[0].startswith("extra "):
        extra = base64.b64decode(lines.pop(0)[6:], validate=True)
    word, number = lines.pop(0).split(" ")
    if word != "index":
        raise Broken("no index")
    hashes = [base64.b64decode(h, validate=True) for h in lines]
    _, size, root = parse_checkpoint(open_note(note, vkey))
    return int(number), hashes, size, root, extra


def check_consistency(proof, old, old_root, new, new_root):
    """RFC 9162 s. 2.1.4.2; for an old tree that is not empty."""
    if old == new:
        if proof or old_root != new_root:
            raise Broken("two roots of one size")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise Broken("no proof")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise Broken("the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if (fr, sr, sn) != (old_root, new_root, 0):
        raise Broken("the proof does not lead from root to root")
