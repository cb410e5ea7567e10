# SPDX-License-Identifier: Apache-2.0
"""Holds every answer against tools/openapi.yaml: what the file does not state is
not answered.  All clients of the tests call it (conftest.py, streams.py), and
test_contract.py sees to it that all that is stated is answered, too.

Schemas are closed here: a member that no schema names is a fault.  The file says
to clients that members may be added, and the server may add none silently."""
import base64
import io
import json
import pathlib
import re
import xml.etree.ElementTree

import cbor2
import jsonschema
import yaml
from cryptography import x509

import hcert

PATH = pathlib.Path(__file__).resolve().parent.parent.parent / "tools/openapi.yaml"
METHODS = ("get", "head", "post")
# Which server of the file a listener is.
SERVERS = {"clients": "https://localhost:8443", "public": "http://localhost:8480",
           "ops": "http://127.0.0.1:9443"}
# HTTP's own, of every answer.
HTTP_FIELDS = {"date", "content-type", "content-length", "transfer-encoding", "connection"}
# The statuses whose answers are x-any-request's, not an operation's.
ANY = "any-request"


class Broken(AssertionError):
    """The server and its file do not agree."""


def resolve(node, root, used=None, path=()):
    """NODE without any $ref; USED gets those that there were."""
    if isinstance(node, list):
        return [resolve(n, root, used, path) for n in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {k: resolve(v, root, used, path) for k, v in node.items()}
    ref = node["$ref"]
    assert ref.startswith("#/") and ref not in path, ref
    target = root
    for part in ref[2:].split("/"):
        target = target[part]
    if used is not None:
        used.add(ref)
    more = {k: v for k, v in node.items() if k != "$ref"}
    return {**resolve(target, root, used, path + (ref,)), **resolve(more, root, used, path)}


def closed(node):
    """NODE, with objects that have no members but those that are named."""
    if isinstance(node, list):
        return [closed(n) for n in node]
    if not isinstance(node, dict):
        return node
    node = {k: closed(v) for k, v in node.items()}
    if isinstance(node.get("properties"), dict):
        node.setdefault("additionalProperties", False)
    return node


def pattern_of(template):
    """A path of the file as a pattern; the last part of a tile has slashes."""
    return re.compile("".join(
        ".+" if part == "{tile}" else "[^/]+" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]*\})", template)) + r"\Z")


class Operation:
    def __init__(self, template, method, item, operation, default):
        self.id, self.method = operation["operationId"], method.upper()
        self.pattern = pattern_of(template)
        servers = operation.get("servers", item.get("servers", default))
        self.servers = {s["url"] for s in servers}
        self.takes = set(operation.get("requestBody", {}).get("content", {}))
        self.responses = {int(s): r for s, r in operation["responses"].items()}


class File:
    def __init__(self, raw):
        self.raw, self.used = raw, set()
        whole = resolve(raw, raw, self.used)
        self.any = {int(s): r for s, r in whole["x-any-request"]["responses"].items()}
        for r in self.any.values():
            self._close(r)
        self.operations = []
        for template, item in whole["paths"].items():
            for method in METHODS:
                if method in item:
                    o = Operation(template, method, item, item[method], whole["servers"])
                    for r in o.responses.values():
                        self._close(r)
                    self.operations.append(o)
        # The one whose name is written out is meant before a parameter.
        self.operations.sort(key=lambda o: o.pattern.pattern.count("+"))

    @staticmethod
    def _close(response):
        for media in response.get("content", {}).values():
            media["schema"] = closed(media["schema"])
            media["check"] = jsonschema.Draft202012Validator(media["schema"])
            media["items"] = [(closed(s), jsonschema.Draft202012Validator(closed(s)))
                              for s in media.get("x-items", [])]

    def find(self, listener, method, target):
        """The operation, and whether there is one at the path at all."""
        path = target.partition("?")[0]
        at = [o for o in self.operations
              if SERVERS[listener] in o.servers and o.pattern.match(path)]
        at = [o for o in at if o.pattern == at[0].pattern]
        return next((o for o in at if o.method == method), None), bool(at)

    def stated(self):
        """{(operation, status, media type)}"""
        out = {(ANY, s, m) for s, r in self.any.items() for m in r["content"]}
        for o in self.operations:
            out |= {(o.id, s, m) for s, r in o.responses.items() for m in r["content"]}
        return out


FILE = File(yaml.safe_load(PATH.read_text()))
SEEN = set()


# -- bodies ----------------------------------------------------------------------

def textual(value, schema):
    """CBOR as the schema of its JSON has it: byte strings as text."""
    if isinstance(value, bytes):
        hexadecimal = schema.get("pattern", "").startswith("^[0-9a-f]")
        return value.hex() if hexadecimal else base64.b64encode(value).decode()
    if isinstance(value, dict):
        members = schema.get("properties", {})
        return {k: textual(v, members.get(k, {})) for k, v in value.items()}
    if isinstance(value, list):
        first, rest = schema.get("prefixItems", []), schema.get("items", {}) or {}
        return [textual(v, first[i] if i < len(first) else rest) for i, v in enumerate(value)]
    return value


def no_duplicates(pairs):
    if len(dict(pairs)) != len(pairs):
        raise Broken(f"a key twice: {[k for k, _ in pairs]}")
    return dict(pairs)


def no_constant(name):
    raise Broken(f"{name} is no JSON")


def json_of(text):
    return json.loads(text, object_pairs_hook=no_duplicates, parse_constant=no_constant)


def fault_in(check, value):
    error = next(check.iter_errors(value), None)
    return error and f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:500]


def check_cose(body):
    message = cbor2.loads(body)
    assert message.tag == 18 and len(message.value) == 4


def check_key_set(body):
    assert all({1, 2, 3} <= set(key) for key in cbor2.loads(body))


def check_pem(body):
    for part in body.split(b"-----END CERTIFICATE-----\n")[:-1]:
        x509.load_pem_x509_certificate(part + b"-----END CERTIFICATE-----\n")


def check_png(body):
    assert body.startswith(b"\x89PNG\r\n\x1a\n") and body[-8:-4] == b"IEND"


PARSERS = {"application/cose": check_cose, "application/cose-key-set": check_key_set,
           "application/pem-certificate-chain": check_pem, "image/png": check_png,
           "image/svg+xml": xml.etree.ElementTree.fromstring,
           "application/octet-stream": len}


def check_body(media_type, media, status, body):
    if media_type in PARSERS:
        PARSERS[media_type](body)
        return
    if media["items"]:
        check_items(media_type, media, body)
        return
    if media_type == "text/plain":
        value = body.decode()
        if value.startswith("HC1:"):
            hcert.unwrap(value)
    elif media_type == "application/cbor":
        value = textual(cbor2.loads(body), media["schema"])
    else:
        value = json_of(body)
    fault = fault_in(media["check"], value)
    if fault is None and isinstance(value, dict) and value.get("status", status) != status:
        fault = f"status {status} comes with a problem of {value['status']}"
    if fault is not None:
        raise Broken(fault)


def check_item(media_type, media, value):
    """One answer of a stream."""
    faults = []
    for schema, check in media["items"]:
        fault = fault_in(check, textual(value, schema) if media_type == "application/cbor-seq"
                         else value)
        if fault is None:
            return
        faults.append(fault)
    raise Broken(f"an answer of a stream is none of what is stated: {faults}")


def check_items(media_type, media, body):
    if media_type == "application/x-ndjson":
        if body and not body.endswith(b"\n"):
            raise Broken("the last line has no end")
        values = [json_of(line) for line in body.splitlines()]
    else:
        f, values = io.BytesIO(body), []
        while f.tell() < len(body):
            values.append(cbor2.load(f))
    for value in values:
        check_item(media_type, media, value)


# -- answers ---------------------------------------------------------------------

def check_headers(stated, headers):
    stated = {k.lower(): v for k, v in stated.items()}
    for name, value in headers.items():
        if name in HTTP_FIELDS or name.startswith(":"):
            continue
        if name not in stated:
            raise Broken(f"the header {name} is not stated")
        schema = stated[name]["schema"]
        if schema.get("type") == "integer":
            value = int(value)
        fault = fault_in(jsonschema.Draft202012Validator(schema), value)
        if fault is not None:
            raise Broken(f"{name} {fault}")
    missing = {n for n, h in stated.items() if h.get("required")} - set(headers)
    if missing:
        raise Broken(f"without {sorted(missing)}")


def check_head(listener, method, target, sent_type, status, headers):
    """All but the body: (media type, what is stated of it)."""
    operation, known = FILE.find(listener, method, target)
    stated, name = FILE.any, ANY
    if operation is not None and (status in operation.responses or status not in (400, 408, 413)):
        stated, name = operation.responses, operation.id
    elif operation is None and status in (404, 405) and (status == 405) != known:
        # A method that HTTP/1.1's reader does not know is refused before the path.
        if known or method in ("GET", "HEAD", "POST"):
            raise Broken(f"{status} where the file has {'a' if known else 'no'} path")
    if status not in stated:
        raise Broken(f"the status is not stated for {name}")
    response = stated[status]
    media_type = headers.get("content-type", "").partition(";")[0]
    if media_type not in response["content"]:
        raise Broken(f"{media_type} is not stated")
    if operation is not None and operation.takes and status < 400 and \
            (sent_type or "").partition(";")[0] not in operation.takes:
        raise Broken(f"a body of {sent_type} was taken")
    check_headers(response.get("headers", {}), headers)
    SEEN.add((name, status, media_type))
    return media_type, response["content"][media_type]


def check(listener, method, target, sent_type, status, headers, body):
    """An answer of LISTENER ("clients", "public", "ops"), with its headers' names
    in lower case; raises Broken."""
    try:
        media_type, media = check_head(listener, method, target, sent_type, status, headers)
        if method == "HEAD":
            if body:
                raise Broken("HEAD with a body")
        else:
            check_body(media_type, media, status, body)
    except Broken as e:
        raise Broken(f"{listener} {method} {target} {status}: {e}; {headers}") from None
    return media_type
