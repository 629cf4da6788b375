#!/usr/bin/env python3
"""schema.py PAGE: reads lines of penstock and says where one's data is not what PAGE, man/penstock-events.5, promises of its type: a required
field is missing, a field has another JSON type than the page says, a field that a program of ours made is not on the page. Exit code 1 if any is so.
Prints how many lines of each type there were. What stands below raw, or in an object without fields of its own on the page, is free."""
import json
import re
import sys
from collections import Counter

TYPES = {"string": str, "strings": str, "number": (int, float), "boolean": bool, "object": dict, "array": list, "any": object}


def page(path):
    """{type: {field: (JSON type, required)}}; under None what any event may have."""
    schema, of = {None: {}}, None
    title = ""
    for line in open(path, encoding="utf-8"):
        word = line.split()
        if line.startswith(".Sh "):
            title, of = word[1], None
        elif line.startswith(".Ss ") and title == "TYPES":
            of = word[1]
            schema[of] = {}
        elif line.startswith(".It Va ") and title in ("TYPES", "DESCRIPTION"):
            names, _, said = line[len(".It Va "):].partition(" Pq ")
            words = said.split() or ["any"]
            required = words[0] == "required"
            kind = words[1] if required else words[0]
            for name in re.split(r" , (?:Va )?", names.strip()):
                schema[of][name] = (kind, required)
    return schema


def is_of(value, kind):
    return isinstance(value, TYPES[kind]) and not (kind == "number" and isinstance(value, bool))


def fields(value, known, path=""):
    """Paths with their values, down to what the page knows as a whole."""
    for name, v in value.items():
        at = path + name
        below = any(k.startswith(at + ".") for k in known)
        if isinstance(v, dict) and below:
            yield from fields(v, known, at + ".")
        else:
            yield at, v


def faults(line, schema):
    event = json.loads(line)
    known = schema.get(event["type"])
    if known is None:
        yield "the type is not on the page"
        return
    known = {**schema[None], **known}
    seen = {}
    for at, value in fields(event.get("data", {}), known):
        seen[at] = value
        if at not in known:
            yield f"{at} is not on the page"
        elif not is_of(value, known[at][0]):
            yield f"{at} is no {known[at][0]}: {value!r}"
        elif known[at][0] == "array" and not all(isinstance(v, str) for v in value):
            yield f"{at} is no array of strings: {value!r}"
    for at, (_, required) in known.items():
        if required and at not in seen:
            yield f"{at} is missing"


def main():
    schema, count, bad = page(sys.argv[1]), Counter(), Counter()
    for line in sys.stdin:
        kind = json.loads(line)["type"]
        count[kind] += 1
        for fault in faults(line, schema):
            bad[f"{kind}: {fault}"] += 1
            if bad[f"{kind}: {fault}"] == 1:
                print(f"{kind}: {fault}\n  {line.strip()}", file=sys.stderr)
    for kind, n in sorted(count.items()):
        print(kind, n)
    return 1 if bad or not count else 0


sys.exit(main())
