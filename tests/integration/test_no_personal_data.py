# SPDX-License-Identifier: Apache-2.0
"""No person's data, and no secret, in anything that is written: a run in which
all goes wrong that can, with a value of its own in each field of each payload,
and then a look for every value in every byte of the log, the state directory,
the metrics, and what else processes leave behind or show.

Not looked for: codes of value sets and countries, kinds and counts of doses,
which say nothing about anybody and are in the policy's file; and what is shorter
than six bytes.  Dates are looked for: those here are of years that stand nowhere
else."""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import ssl
import string
import subprocess
import time

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization

from conftest import BUILD, SLOW
from hsms import OneHsm
from test_attestation import Gateway
from written import SHORTEST, Values, forms_of

NDJSON, SEQ, CBOR = "application/x-ndjson", "application/cbor-seq", "application/cbor"
FORMS = ("application/json", CBOR, "application/cose", "text/plain", "image/png", "image/svg+xml")


def word(n=12):
    return "".join(random.choices(string.ascii_uppercase, k=n))


class People:
    """Payloads of nobody, each value of which is one of VALUES."""

    def __init__(self, values):
        self.values = values

    def new(self, what, value):
        return self.values.add(what, value)

    def date(self, what, first, last):
        return self.new(what, f"{random.randint(first, last)}-{random.randint(1, 12):02d}-"
                              f"{random.randint(1, 28):02d}")

    def name(self, what):
        """A name in Vietnamese letters, and its transliteration."""
        plain = word()
        self.new(what + "t", plain)
        return self.new(what, plain.capitalize().replace("e", "ễ").replace("o", "ộ")), plain

    def uvci(self, prefix="URN:UVCI:01:VN:"):
        return self.new("UVCI", prefix + word(18))

    def entry(self, kind):
        return {
            "v": lambda: dict(vp="1119349007", mp="EU/1/20/1528", ma="ORG-100030215", dn=2, sd=2,
                              dt=self.date("dt", 2021, 2021)),
            "t": lambda: dict(tt="LP6464-4", tr="260415000",
                              nm=self.new("nm", word() + " " + word()),
                              sc=self.new("sc", self.date("sc", 2021, 2021) +
                                          f"T08:{random.randint(10, 59)}:11Z"),
                              tc=self.new("tc", "Bệnh viện " + word() + " " + word())),
            "r": lambda: dict(fr=self.date("fr", 2021, 2021), df="2021-12-30", du="2022-06-01"),
        }[kind]()

    def dcc(self, kind="v", issuer="Bộ Y tế", prefix="URN:UVCI:01:VN:"):
        fn, fnt = self.name("fn")
        gn, gnt = self.name("gn")
        return {"ver": "1.3.3", "dob": self.date("dob", 1912, 1959),
                "nam": dict(fn=fn, fnt=fnt, gn=gn, gnt=gnt),
                kind: [dict(self.entry(kind), tg="840539006", co="VN", ci=self.uvci(prefix),
                            **{"is": issuer})]}

    def request(self, *arguments, **more):
        return {"dcc": self.dcc(*arguments, **more), "id": self.new("id", word(20))}


# What can be wrong with a payload: each puts values where they do not belong.
def wrong(people):
    secret = lambda what: people.new("wrong " + what, word(16))
    entry = lambda d: d["dcc"]["v"][0]

    def long_name(d):
        d["dcc"]["nam"]["fn"] = people.new("long fn", word(200))

    return {
        "dob": lambda d: d["dcc"].update(dob=secret("dob")),
        "future": lambda d: entry(d).update(dt=people.new("dt", "2087-03-04")),
        "dob type": lambda d: d["dcc"].update(dob=[secret("list")]),
        "name": lambda d: d["dcc"]["nam"].update(fnt=secret("fnt")),
        "control": lambda d: d["dcc"]["nam"].update(gn=secret("gn") + "\n\u009b" + secret("gn")),
        "long": long_name,
        "untrimmed": lambda d: d["dcc"]["nam"].update(fn=" " + secret("fn")),
        "unknown field": lambda d: d["dcc"].update({secret("key"): secret("value")}),
        "unknown entry": lambda d: entry(d).update({secret("key"): {secret("k"): secret("v")}}),
        "value set": lambda d: entry(d).update(mp=secret("mp"), ma=secret("ma")),
        "doses": lambda d: entry(d).update(dn=people.new("dn", 82736451)),
        "UVCI form": lambda d: entry(d).update(ci=secret("ci")),
        "UVCI prefix": lambda d: entry(d).update(ci=people.uvci("URN:UVCI:01:NL:")),
        "UVCI checksum": lambda d: entry(d).update(ci=people.uvci() + "#Q"),
        "issuer": lambda d: entry(d).update({"is": secret("is")}),
        "country": lambda d: entry(d).update(co=secret("co")),
        "no entry": lambda d: d["dcc"].pop("v"),
        "exp": lambda d: d.update(exp=people.new("exp", 4102444811)),
        "exp type": lambda d: d.update(exp=secret("exp")),
        "attestation": lambda d: d.update(attestation=secret("attestation")),
        "id": lambda d: d.update(id=secret("id") + word(200)),
        "member": lambda d: d.update({secret("member"): secret("value")}),
        "signed": lambda d: d.update(signed=secret("signed")),
    }


def malformed(people):
    """[(type, body)]"""
    text = json.dumps(people.request(), ensure_ascii=False).encode()
    item = cbor2.dumps(people.request())
    secret = people.new("malformed", word(16)).encode()
    return [("application/json", text[:-4]), ("application/json", text + secret),
            ("application/json", b"\xff" + text), ("application/json", secret),
            ("application/json", b'{"%b":1,"%b":2}' % (secret, secret)),
            ("application/json", b"[" * 40 + b'"%b"' % secret),
            (CBOR, item[:-3]), (CBOR, item + secret), (CBOR, secret),
            ("application/cose", item), ("application/cose", cbor2.dumps(cbor2.CBORTag(18, secret))),
            (NDJSON, text[:-4] + b"\n" + secret + b"\n\n" + text + b"\n"),
            (SEQ, item + secret), (SEQ, secret),
            ("text/" + secret.decode().lower(), text)]


class Run:
    def __init__(self, demo):
        self.demo, self.values = demo, Values()
        self.people = People(self.values)
        self.shown = []  # beside files: [(name, bytes)]
        self.statuses = set()

    def post(self, path, body, kind="application/json", client="issuer", **headers):
        if not isinstance(body, bytes):
            body = cbor2.dumps(body) if kind == CBOR else json.dumps(body).encode()
        r = self.demo.request("POST", path, body, {"Content-Type": kind, **headers}, client)
        self.statuses.add(r.status)
        return r

    def look(self):
        """What can be seen while it runs."""
        self.shown.append(("metrics", self.demo.ops("/metrics").body))
        for name, pid in self.demo.roles().items():
            for file in ("cmdline", "environ", "comm"):
                with contextlib.suppress(OSError):  # it may have ended
                    data = pathlib.Path(f"/proc/{pid}/{file}").read_bytes()
                    self.shown.append((f"{name} {file}", data))

    # -- what is done ---------------------------------------------------------
    def good(self):
        p = self.people
        issued = []
        for kind in "vtr":
            for sent in ("application/json", CBOR):
                request = p.request(kind)
                r = self.post("/v1/certificates", request, sent, Accept="application/json")
                assert r.status == 200, r
                issued.append((request, p.new("HC1", r.json["hcert"])))
                assert self.post("/v1/certificates", request, sent).status == 200  # once more
                assert self.post("/v1/validations", request, sent).status == 200
        for form in FORMS:
            assert self.post("/v1/certificates", p.request(), Accept=form).status == 200
        foreign = p.request(issuer=p.new("is", "Ministry of " + word()))
        assert self.post("/v1/certificates", foreign, client="any-country").status == 200
        return issued

    def attested(self):
        request = self.people.request()
        gateway = Gateway.of(self.demo)
        claims = gateway.claims(request["dcc"])
        for n in (2, 3, 4):
            self.values.add(f"attestation {n}", claims[n])
        request["attestation"] = base64.b64encode(
            self.values.add("attestation", gateway.sign(claims))).decode()
        assert self.post("/v1/certificates", request, client="attested").status == 200
        self.people.request()
        request["dcc"]["nam"]["fnt"] = self.people.new("fnt", word())
        assert self.post("/v1/certificates", request, client="attested").status in (409, 422)

    def refused(self):
        p = self.people
        lines = []
        for what, change in wrong(p).items():
            for path in ("/v1/certificates", "/v1/validations"):
                request = p.request()
                change(request)
                status = self.post(path, request).status
                assert status in (200, 400, 413, 422), (what, status)
                lines.append(request)
        body = b"".join(json.dumps(l).encode() + b"\n" for l in lines)
        assert self.post("/v1/certificates", body, NDJSON).status == 200
        assert self.post("/v1/validations", b"".join(map(cbor2.dumps, lines)), SEQ).status == 200
        for kind, body in malformed(p):
            for path in ("/v1/certificates", "/v1/validations", "/v1/renewals"):
                assert self.post(path, body, kind).status in (200, 400, 415, 422)
        for client in ("auditor", "stranger"):
            assert self.post("/v1/certificates", p.request(), client=client).status == 403

    def conflicts(self, issued):
        for request, _ in issued:
            other = json.loads(json.dumps(request))
            other["dcc"]["nam"]["fn"], other["dcc"]["nam"]["fnt"] = self.people.name("fn")
            assert self.post("/v1/certificates", other).status == 409
            assert self.post("/v1/certificates", request, client="any-country").status == 409

    def renewals(self, issued):
        p = self.people
        bodies = [{"hcert": hc1} for _, hc1 in issued] + [{"dcc": r["dcc"]} for r, _ in issued]
        bodies += [{"dcc": p.dcc()}, {"hcert": p.new("bad HC1", "HC1:" + word(60))},
                   {"hcert": issued[0][1][:-20]}, {p.new("member", word()): 1}]
        for body in bodies:
            self.post("/v1/renewals", body)
        lines = b"".join(json.dumps(b).encode() + b"\n" for b in bodies)
        assert self.post("/v1/renewals", lines, NDJSON).status == 200

    def http(self):
        """Where a client can put what it likes, but for the body."""
        p = self.people
        new = lambda what: p.new(what, word(16))
        for path in ("/" + new("path"), "/v1/certificates/" + new("path"), "/v1/keys?" + new("query"),
                     "/v1/ledger/proof?index=" + new("query"), "/v1/ledger/tile/0/" + new("tile")):
            self.statuses.add(self.demo.request("GET", path).status)
        for header in ("Accept", "Accept-Language", "Content-Encoding", "User-Agent", "Expect",
                       "Cookie", "Authorization", "X-" + new("header")):
            with contextlib.suppress(AssertionError):  # 417 and its like
                self.post("/v1/certificates", p.request(), **{header: new("header")})
        large = json.dumps(p.request()).encode()[:-1] + b',"x":"' + b"x" * 70000 + b'"}'
        assert self.post("/v1/certificates", large).status == 413
        assert self.post("/v1/certificates", large + b"\n", NDJSON).status == 200
        for raw in (b"POST /v1/certificates HTTP/1.1\r\n%b\r\n\r\n" % new("bad head").encode(),
                    b"\x16\x03" + new("no TLS").encode(), new("method").encode() + b" / HTTP/1.1\r\n\r\n"):
            with contextlib.suppress(OSError), self.demo.tls() as s:
                s.sendall(raw)
                s.recv(4096)

    def slow(self):
        """A request that does not come to its end in time."""
        body = json.dumps(self.people.request()).encode()
        with self.demo.tls(timeout=60) as s:
            s.sendall(b"POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                      b"\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body[:-9]))
            assert b" 408 " in s.recv(4096).split(b"\r\n")[0]

    def hsm_fails(self):
        for event, fault in (("signing-failed", "fail=C_Sign:1-8:CKR_FUNCTION_FAILED"),
                             ("signature-wrong", "forge=C_Sign:1-3")):
            end = time.monotonic() + 60 * SLOW
            while f" {event} " not in self.demo.log():
                assert time.monotonic() < end, event
                self.demo.control(fault)
                self.until_good()
        # Each attempt of each process, for longer than a request may take.
        self.demo.control("fail=C_Sign:1-:CKR_DEVICE_ERROR")
        bad = [self.post("/v1/certificates", self.people.request()).status for _ in range(3)]
        lines = b"".join(json.dumps(self.people.request()).encode() + b"\n" for _ in range(20))
        self.post("/v1/certificates", lines, NDJSON)
        assert set(bad) <= {503, 504}, bad
        self.demo.control("")
        self.until_good()

    def until_good(self):
        end = time.monotonic() + 60 * SLOW
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.post("/v1/certificates", self.people.request()).status == 200:
                    return
            assert time.monotonic() < end
            time.sleep(0.2)

    def kill(self, role, sig):
        """ROLE dies with requests in it."""
        lines = b"".join(json.dumps(self.people.request()).encode() + b"\n" for _ in range(200))
        c = self.demo.connect()
        c.request("POST", "/v1/certificates", lines, {"Content-Type": NDJSON})
        os.kill(self.demo.roles()[role], sig)
        with contextlib.suppress(OSError, http.client.HTTPException, ssl.SSLError):
            c.getresponse().read()
        c.close()
        self.until_good()
        self.up_again(role)

    def up_again(self, role):
        """SoftHSM2 loses a token whose user dies while it logs in."""
        end = time.monotonic() + 60 * SLOW
        while role not in self.demo.roles():
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(2 * SLOW)

    def tools(self, folder):
        """Our own client's standard error."""
        p, d = self.people, self.demo.dir
        env = dict(os.environ, SIGNER_SERVER=f"https://localhost:{self.demo.port}",
                   SIGNER_CA=str(d / "ca.pem"), SIGNER_CERT=str(d / "clients/issuer.pem"),
                   SIGNER_KEY=str(d / "clients/issuer.key"))
        bad = p.request()
        wrong(p)["dob"](bad)
        (folder / "one.json").write_text(json.dumps(p.request()))
        (folder / "bad.json").write_text(json.dumps(bad))
        (folder / "no.json").write_text(json.dumps(p.request())[:-5])
        (folder / "many.ndjson").write_text("".join(
            json.dumps(r) + "\n" for r in (p.request(), bad, p.request())))
        for arguments in (["issue", "one.json"], ["issue", "bad.json"], ["issue", "no.json"],
                          ["validate", "many.ndjson"], ["bulk", "many.ndjson", "out.ndjson"],
                          ["renew", "many.ndjson", "renewed.ndjson"], ["show", "no.json"]):
            r = subprocess.run([BUILD / "signer-issuer", *arguments], cwd=folder, env=env,
                               capture_output=True, timeout=60 * SLOW)
            self.shown.append(("signer-issuer " + " ".join(arguments), r.stderr))

    # -- what it has left -----------------------------------------------------
    def written(self):
        """[(name, bytes)] of all that there is."""
        files = [(str(f.relative_to(self.demo.dir)), f.read_bytes())
                 for f in sorted(self.demo.dir.rglob("*")) if f.is_file() and not f.is_symlink()]
        cores = [(str(f), f.read_bytes()) for f in pathlib.Path.cwd().glob("core*") if f.is_file()]
        return files + cores + self.shown


def of_a_key(path):
    """What is secret of a private key, an EC one: its number, whole and in parts,
    as a line of a PEM may have them."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    number = key.private_numbers().private_value.to_bytes(key.key_size // 8, "big")
    return [number, number[:16], number[-16:], number[8:24]]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    demo = OneHsm()
    try:
        config = demo.dir / "signerd.yaml"
        config.write_text(config.read_text() + "log: debug\nlog_requests: true\nverify: {ecdsa: all}\n"
                          f"limits: {{body: {2 * SLOW:.0f}s, request: {3 * SLOW:.0f}s}}\n")
        demo.start()
        demo.wait_all_up()
        r = Run(demo)
        issued = r.good()
        r.attested()
        r.refused()
        r.conflicts(issued)
        r.renewals(issued)
        r.http()
        r.slow()
        r.tools(tmp_path_factory.mktemp("client"))
        r.look()
        r.hsm_fails()
        demo.wait_all_up()
        for role, sig in (("front/0", signal.SIGKILL), ("core/0", signal.SIGSEGV),
                          ("front/0", signal.SIGABRT), ("hsm/0", signal.SIGKILL),
                          ("core/0", signal.SIGKILL)):
            r.kill(role, sig)
        demo.reload()
        r.good()
        r.look()
        assert demo.stop() == 0
        yield r
    finally:
        demo.remove()


def test_the_run_was_a_full_one(run):
    """Else there would be little to find."""
    assert run.statuses >= {200, 400, 403, 404, 406, 409, 413, 415, 422}, run.statuses
    log = run.demo.log()
    for event in ("client-connected", "request-answered", "request-done", "request-failed",
                  "signing-failed", "sign-failed", "signature-wrong", "client-forbidden",
                  "process-ended", "reload-done", "core-gone"):
        assert f" {event} " in log, event
    assert len(run.values.values) > 1000


def test_what_is_written_is_found():
    """The search itself finds a value in each of its forms, wherever it begins."""
    values = Values()
    value = values.add("name", "Nguyễn Thị Lụa")
    assert values.found_in(b"nobody") == []
    for before in range(3):
        for form, data in (("plain", value.upper().encode()), ("base64", None), ("hex", None)):
            data = (b"x" * before + value.encode() + b"yz") if data is None else data
            data = {"plain": data, "base64": base64.b64encode(data), "hex": data.hex().encode()}[form]
            if form != "plain" or "ễ".upper() not in data.decode():
                assert ("name", form) in values.found_in(b"?" + data + b"?"), (form, before)
    for form, _, needle in forms_of(value.encode()):
        assert ("name", form) in values.found_in(b"..." + needle + b"...")
    values.add("long", "of QWERTYUIOPASDFGHJKLZXCVB")
    assert ("part of long", "plain") in values.found_in(b"asdfghjklzxcvb")  # cut
    with pytest.raises(AssertionError):
        values.add("short", "x" * (SHORTEST - 1))


def test_no_personal_data(run):
    found = {name: f for name, data in run.written() if (f := run.values.found_in(data))}
    assert not found, {n: f[:8] for n, f in found.items()}


def test_no_secrets(run):
    """PINs and keys are in their own files, and nowhere else."""
    d, values = run.demo.dir, Values()
    values.add("PIN", (d / "pin").read_text().strip())
    for key in d / "tls/server.key", d / "gateway.key", d / "clients/issuer.key":
        for value in of_a_key(key):
            values.add(key.name, value)
    own = [name for name, data in run.written() if name.endswith(".key") and values.found_in(data)]
    assert len(own) == 3  # so the search knows one when it sees it
    found = {name: f for name, data in run.written()
             if not name.endswith(".key") and name != "pin" and (f := values.found_in(data))}
    assert not found, found


def test_a_request_can_be_followed(run):
    """From the connection to the ledger's entry, by its name alone."""
    demo = run.demo
    lines = demo.log().splitlines()
    done = next(l for l in lines if " request-done " in l and "outcome=issued" in l
                and ":" not in l.partition("request=")[2].split()[0])
    name = done.partition("request=")[2].split()[0]
    (answered,) = [l for l in lines if f"request-answered request={name} " in l]
    assert " core/0 " in done and " front/0 " in answered and "status=200" in answered
    assert int(done.partition("index=")[2].split()[0]) > 0
    connection = name.partition(".")[0]
    assert [l for l in lines if f"client-connected connection={connection} " in l]
    # Each name is one request's, over all restarts of the front.
    names = [l.partition("request=")[2].split()[0] for l in lines if " request-answered " in l]
    assert len(names) == len(set(names)) > 200
    # What an HSM could not sign is somebody's request, in both processes.
    for event in (" signing-failed ", " sign-failed "):
        assert any("request=0" in l for l in lines if event in l), event
