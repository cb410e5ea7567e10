# SPDX-License-Identifier: Apache-2.0
"""The ledger over HTTP, verified with nothing of the project's own."""
import base64
import hashlib
import http.client
import json
import re
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import hcert
from conftest import SLOW, answer_of, free_port, record

FOREVER = "max-age=31536000, immutable"


def get(demo, path, client="issuer", status=200):
    r = demo.request("GET", "/v1/ledger/" + path, client=client)
    assert r.status == status, (path, r)
    return r


def get_soon(demo, path, client="issuer"):
    """PATH, of which a 503 says that it is there in a moment."""
    end = time.monotonic() + 20 * SLOW
    while True:
        r = demo.request("GET", "/v1/ledger/" + path, client=client)
        if r.status != 503:
            return r
        assert int(r.headers["retry-after"]) >= 1
        assert time.monotonic() < end, r
        time.sleep(0.1)


# -- C2SP, from the specifications ---------------------------------------------

def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree(hashes):
    """RFC 6962, section 2.1."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return node(tree(hashes[:k]), tree(hashes[k:]))


def open_note(note, vkey):
    """The text of NOTE, which VKEY has signed."""
    name, key_id, key = vkey.rstrip("\n").split("+", 2)
    raw = base64.b64decode(key)
    assert raw[0] == 1 and len(raw) == 33
    assert hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] == key_id
    text, signatures = note.split("\n\n")
    for line in signatures.splitlines():
        dash, who, signature = line.split(" ")
        assert dash == "\N{EM DASH}"
        signature = base64.b64decode(signature)
        if who == name and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(raw[1:]).verify(
                signature[4:], (text + "\n").encode())
            return text + "\n"
    raise AssertionError("the log has not signed its checkpoint")


def open_checkpoint(note, vkey):
    """(origin, size, root)"""
    origin, size, root = open_note(note, vkey).splitlines()[:3]
    assert origin == vkey.split("+")[0]
    return origin, int(size), base64.b64decode(root)


def checkpoint(demo):
    vkey = get(demo, "vkey").body.decode()
    return open_checkpoint(get(demo, "checkpoint").body.decode(), vkey)


def root_of_proof(index, size, leaf, hashes):
    """RFC 9162, section 2.1.3.2."""
    fn, sn, r = index, size - 1, leaf
    for h in hashes:
        assert sn != 0
        if fn & 1 or fn == sn:
            r = node(h, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, h)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return r


def tile_path(n):
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03d}")
    return "/".join(groups)


def tiles_of(size):
    """(path, width) of level 0."""
    for n in range((size + 255) // 256):
        width = min(256, size - 256 * n)
        yield tile_path(n) + (f".p/{width}" if width < 256 else ""), width


def split_bundle(bundle):
    entries = []
    while bundle:
        n = int.from_bytes(bundle[:2], "big")
        assert len(bundle) >= 2 + n
        entries.append(bundle[2:2 + n])
        bundle = bundle[2 + n:]
    return entries


def entry_at(demo, index, size):
    path, _ = list(tiles_of(size))[index // 256]
    bundle = get(demo, "tile/entries/" + path, "auditor").body
    return split_bundle(bundle)[index % 256]


def issue_some(demo, n):
    """The answers to N new records, in one stream."""
    lines = "".join(json.dumps({"dcc": record()}) + "\n" for _ in range(n))
    r = demo.request("POST", "/v1/certificates", lines.encode(),
                     {"Content-Type": "application/x-ndjson"})
    assert r.status == 200
    answers = [json.loads(line) for line in r.body.splitlines()]
    assert len(answers) == n and all("hcert" in a for a in answers), answers[:3]
    return answers


def issue_covered(demo, n):
    """Issue N records, wait until a checkpoint has them all: the newest index."""
    top = max(a["ledger"]["index"] for a in issue_some(demo, n))
    assert get_soon(demo, f"proof?index={top}").status == 200
    return top


def prove(demo, answer, client="issuer"):
    """The proof of ANSWER's entry, verified but for its leaf: (index, size,
    root, hashes)."""
    index = answer["ledger"]["index"]
    r = get_soon(demo, f"proof?index={index}", client)
    assert r.status == 200, r
    assert r.headers["content-type"] == "text/plain; charset=utf-8"
    head, note = r.body.decode().split("\n\n", 1)
    first, second, *hashes = head.splitlines()
    assert first == "c2sp.org/tlog-proof@v1"
    if client == "issuer":  # its own entry comes along
        assert second.startswith("extra ")
        second = hashes.pop(0)
    assert second == f"index {index}"
    vkey = get(demo, "vkey").body.decode()
    origin, size, root = open_checkpoint(note, vkey)
    assert origin == answer["ledger"]["origin"] and size > index
    return index, size, root, [base64.b64decode(h) for h in hashes]


# -- tests -----------------------------------------------------------------------

def test_answers_name_their_entry(demo):
    dcc = record()
    first = demo.issue(dcc)
    assert first.status == 200
    ledger = first.json["ledger"]
    assert set(ledger) == {"origin", "index"} and ledger["index"] >= 0
    assert "replayed" not in first.json
    again = demo.issue(dcc)
    assert again.json == dict(first.json, replayed=True)
    bare = demo.issue(dcc, headers={"Accept": "text/plain"})
    assert bare.body.decode() == first.json["hcert"]
    assert bare.headers["signer-ledger-index"] == str(ledger["index"])
    line = (json.dumps({"dcc": dcc}) + "\n").encode()
    stream = demo.request("POST", "/v1/certificates", line,
                          {"Content-Type": "application/x-ndjson"})
    assert json.loads(stream.body) == again.json


def test_proof(demo):
    answer = demo.issue(record()).json
    index, size, root, hashes = prove(demo, answer)
    entry = entry_at(demo, index, size)
    assert root_of_proof(index, size, leaf_hash(entry), hashes) == root
    # What was signed is what is on record.
    cose = hcert.unwrap(answer["hcert"])
    signature = cose[-64:] if answer["alg"] == "ES256" else cose[-256:]
    want = hashlib.sha256(signature + answer["uvci"].encode()).digest()
    assert want in entry
    assert answer["uvci"].encode() not in entry


def test_proof_of_what_is_not_there(demo):
    top = issue_some(demo, 1)[0]["ledger"]["index"]
    get(demo, f"proof?index={top + 10 ** 9}", status=404)
    for query in ("", "?index=", "?index=-1", "?index=01", "?index=1&x=2",
                  "?index=18446744073709551616"):
        r = get(demo, "proof" + query, status=400)
        assert r.json["type"] == "/problems/malformed"


def test_tiles_and_entries(demo):
    top = issue_covered(demo, 300)
    _, size, root = checkpoint(demo)
    assert size > top
    hashes = []
    for path, width in tiles_of(size):
        r = get(demo, "tile/0/" + path)
        assert r.headers["content-type"] == "application/octet-stream"
        assert (FOREVER in r.headers["cache-control"]) == (width == 256)
        assert len(r.body) == 32 * width
        hashes += [r.body[i:i + 32] for i in range(0, len(r.body), 32)]
        r = get(demo, "tile/entries/" + path, "auditor")
        assert r.headers["cache-control"].startswith("private")
        entries = split_bundle(r.body)
        assert [leaf_hash(e) for e in entries] == hashes[-width:]
    assert tree(hashes) == root
    # The level above has the roots of the full tiles.
    full = size // 256
    assert full >= 1
    above = b"".join(get(demo, "tile/1/" + path).body for path, _ in tiles_of(full))
    for n in range(full):
        assert above[32 * n:32 * n + 32] == tree(hashes[256 * n:256 * n + 256])


def test_partial_after_full(demo):
    """A tile that was partial in a checkpoint is given when it is full."""
    issue_covered(demo, 257)
    whole = get(demo, "tile/0/000").body
    bundle = get(demo, "tile/entries/000", "auditor").body
    for width in (1, 7, 255):
        assert get(demo, f"tile/0/000.p/{width}").body == whole[:32 * width]
        part = get(demo, f"tile/entries/000.p/{width}", "auditor").body
        assert bundle.startswith(part) and len(split_bundle(part)) == width


def test_who_may(demo):
    issue_covered(demo, 1)
    for client in ("issuer", "auditor", "officer-1"):
        get(demo, "checkpoint", client)
        get(demo, "vkey", client)
    for path in ("tile/entries/000", "tile/entries/000.p/1"):
        r = get(demo, path, "issuer", 403)
        assert r.json["type"] == "/problems/forbidden"
        assert "audit" in r.json["detail"]
    for path in ("checkpoint", "vkey", "tile/0/000", "tile/entries/000",
                 "proof?index=0"):
        get(demo, path, "stranger", 403)


@pytest.mark.parametrize("path", [
    "", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/64/000",
    "tile/0/x000/000", "tile/0/000.p/0", "tile/0/000.p/256",
    "tile/../checkpoint", "tile/0/../../checkpoint", "checkpoint/",
    "tile/entries/..%2f..%2fcheckpoint", "../journal/00000000000000000000",
    "tile/0/000.tmp", "checkpoint.tmp"])
def test_no_other_file(demo, path):
    get(demo, path, "auditor", 404)


def test_head(demo):
    issue_some(demo, 1)
    r = demo.request("HEAD", "/v1/ledger/vkey")
    assert r.status == 200 and r.body == b""
    assert int(r.headers["content-length"]) == len(get(demo, "vkey").body)
    assert demo.request("POST", "/v1/ledger/vkey", {}).status == 405


# -- the public listener ---------------------------------------------------------

def public_get(port, path, method="GET"):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20 * SLOW)
    try:
        c.request(method, path)
        return answer_of(c, "public", method, path)
    finally:
        c.close()


def test_public(own):
    port = free_port()
    config = own.dir / "signerd.yaml"
    text, n = re.subn(r"(?m)^ledger:$", f"ledger:\n  public: 127.0.0.1:{port}",
                      config.read_text())
    assert n == 1
    config.write_text(text)
    own.start()
    answer = own.issue(record()).json
    index, size, root, hashes = prove(own, answer)
    # The same, for anybody.
    note = public_get(port, "/v1/ledger/checkpoint")
    assert note.headers["cache-control"] == "no-cache"
    vkey = public_get(port, "/v1/ledger/vkey").body.decode()
    assert open_checkpoint(note.body.decode(), vkey)[1] >= size
    proof = public_get(port, f"/v1/ledger/proof?index={index}")
    assert proof.status == 200 and proof.body.startswith(b"c2sp.org/tlog-proof@v1\n")
    path, width = list(tiles_of(size))[index // 256]
    tile = public_get(port, "/v1/ledger/tile/0/" + path)
    assert len(tile.body) == 32 * width
    leaf = tile.body[32 * (index % 256):][:32]
    assert root_of_proof(index, size, leaf, hashes) == root
    # And nothing else.
    for other in ("/v1/ledger/tile/entries/" + path, "/v1/keys", "/v1/policy",
                  "/livez", "/readyz", "/metrics", "/"):
        r = public_get(port, other)
        assert r.status == 404, other
        assert r.headers["cache-control"] == "no-store"
    assert public_get(port, "/v1/certificates", "POST").status == 404
    # What is open there does not hold up the end.
    held = http.client.HTTPConnection("127.0.0.1", port, timeout=20 * SLOW)
    held.request("GET", "/v1/ledger/vkey")
    assert held.getresponse().read()
    assert own.stop() == 0
    held.close()
