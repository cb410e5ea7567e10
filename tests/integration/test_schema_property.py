# SPDX-License-Identifier: Apache-2.0
"""Whatever a payload looks like: what the JSON Schema refuses is never accepted,
by the client that is held to the schema alone and by the one that is held to
every rule."""
import copy
import json
import os
import random

import pytest

from conftest import SLOW, record, shared
from test_conformance import SCHEMA

N = int(4000 / SLOW)
# What a value may become.
VALUES = ["", " ", "x", "VN", "vn", "2021-02-30", "1984-13", "A" * 81, "Đ", "\u0000", 0, 1, -1, 2.5,
          3.0, 10**18, True, None, [], {}, ["x"], {"y": 1}, "NGUYEN", "1.3", "URN:UVCI:01:VN:1"]


def places(value, path=()):
    """The paths of all members and items of VALUE."""
    items = value.items() if isinstance(value, dict) else \
        enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield path + (key,)
        yield from places(inner, path + (key,))


def holder(dcc, path):
    for step in path[:-1]:
        dcc = dcc[step]
    return dcc


def mutated(rng):
    """A sound payload with one to three edits."""
    dcc = record(rng.choice("vtr"))
    for _ in range(rng.randint(1, 3)):
        path = rng.choice(list(places(dcc)) or [None])
        if path is None:
            break
        inside, key = holder(dcc, path), path[-1]
        edit = rng.randrange(4)
        if edit == 0:
            del inside[key]
        elif edit == 1 and isinstance(inside, list):
            inside.append(copy.deepcopy(inside[key]))
        elif edit == 2 and isinstance(inside, dict):
            inside[rng.choice(["x", "dn", "nam", "v", "t", "co"])] = copy.deepcopy(rng.choice(VALUES))
        else:
            inside[key] = copy.deepcopy(rng.choice(VALUES))
    return dcc


def validate(demo, payloads, client):
    body = b"".join(json.dumps({"dcc": p}).encode() + b"\n" for p in payloads)
    r = demo.request("POST", "/v1/validations", body,
                     {"Content-Type": "application/x-ndjson"}, client)
    assert r.status == 200, r
    return [json.loads(line) for line in r.body.splitlines()]


@pytest.mark.parametrize("client", ["any-country", "issuer"])
def test_never_yes_where_the_schema_says_no(demo, client):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(shared(SCHEMA).read_text())
    validator = jsonschema.Draft202012Validator(schema)
    seed = int(os.environ.get("SCHEMA_SEED", "1"))
    rng = random.Random(f"{seed} {client}")
    payloads = [mutated(rng) for _ in range(N)]
    answers = [a for i in range(0, N, 1000) for a in validate(demo, payloads[i:i + 1000], client)]
    assert len(answers) == N
    accepted = refused = 0
    for dcc, a in zip(payloads, answers):
        yes = a.get("verdict") == "accept"
        assert yes or a["status"] == 422, (dcc, a)
        sound = validator.is_valid(dcc)
        if not sound:
            assert not yes, (dcc, a)
            refused += 1
        accepted += yes
    # The test tests something.
    assert refused > N / 4
    assert accepted > (N / 50 if client == "any-country" else 0)
