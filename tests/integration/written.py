# SPDX-License-Identifier: Apache-2.0
"""What must not be found in anything that is written: values, each in all the
forms in which it might be."""
import base64
import json
import re
import urllib.parse

# What is shorter says nothing about anybody, and is found in any random bytes.
SHORTEST = 6
PART, LONGEST = 12, 300


def base64_cores(value):
    """The parts of VALUE's base64 that are the same wherever it begins."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value + b"\0" * 3).decode()
        first = (before * 8 + 5) // 6
        last = (before + len(value)) * 8 // 6
        yield whole[first:last]


def forms_of(value):
    """[(form, bytes)] of VALUE, bytes, for files without capital letters, and
    for files as they are."""
    text = value.decode(errors="replace")
    small = {"plain": value, "hex": value.hex().encode(),
             "percent": urllib.parse.quote(value, safe="").encode()}
    if not text.isascii():
        small["escaped"] = json.dumps(text)[1:-1].encode()
        small["UTF-16"] = text.encode("utf-16-le")
    yield from ((form, True, n.lower()) for form, n in small.items())
    for core in base64_cores(value):
        yield "base64", False, core.encode()
        yield "base64url", False, core.replace("+", "-").replace("/", "_").encode()


class Values:
    def __init__(self):
        self.values = {}  # bytes -> what it is

    def add(self, what, value):
        """VALUE, which is returned, is not to be found."""
        data = value if isinstance(value, bytes) else str(value).encode()
        assert len(data) >= SHORTEST, (what, value)
        self.values.setdefault(data, what)
        # Who cuts it, writes a part of it: words of random letters say enough.
        for run in re.findall(rb"[A-Za-z]{%d,}" % PART, data[:LONGEST]):
            for i in range(0, len(run) - PART + 1, PART):
                self.values.setdefault(run[i:i + PART], "part of " + what)
        return value

    def found_in(self, data):
        """[(what, form)] of those that are in DATA."""
        small = data.lower()
        return sorted({(what, form) for value, what in self.values.items()
                       for form, lowered, needle in forms_of(value)
                       if needle in (small if lowered else data)})
