"""README.md of the lab and the lab say the same: calls, faults, rules, kinds of the books."""
import importlib
import os
import re
import sys

lab = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../peers/lab")
sys.path.insert(0, lab)
sys.dont_write_bytecode = True
import books                            # noqa: E402
import control                          # noqa: E402
import lab as program                   # noqa: E402
import fault_conn                       # noqa: E402
import fault_request                    # noqa: E402
import fault_world                      # noqa: E402

assert program
source = "".join(open(os.path.join(lab, n)).read() for n in sorted(os.listdir(lab)) if n.endswith(".py"))
page = open(os.path.join(lab, "README.md")).read()
bad = []


def section(title):
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def differ(what, there, said):
    bad.extend(f"{what}: {x} is not in README.md" for x in sorted(there - said))
    bad.extend(f"{what}: {x} is in README.md only" for x in sorted(said - there))


# `GET /lab/config`, `POST`: the method alone stands for the path before it; `/delete` for a last part
calls = set()
for row in section("Control API").splitlines():
    path = method = None
    for word in re.findall(r"`([^`]*)`", row.split("|")[1]) if row.startswith("| `") else []:
        m = re.fullmatch(r"(GET|POST|DELETE)?\s*(/[\w/]+)?", word)
        method = m[1] or method
        path = path.rsplit("/", 1)[0] + m[2] if m[2] and not m[2].startswith("/lab") else m[2] or path
        calls.add((method, path))
differ("call", {(m, p) for m, p in control.ROUTES if p != "/lab"}, calls)

deeds = set()
for row in section("Faults").splitlines():
    if row.startswith("| `"):
        deeds |= {w.split()[0] for w in re.findall(r"`([a-z0-9][^`]*)`", row.split("|")[1])}
differ("fault", set(fault_conn.DEEDS) | set(fault_request.DEEDS) | set(fault_world.DEEDS), deeds)

rules = set(re.findall(r'violation\("([a-z-]+)"', source)) | set(re.findall(r'by_rule="([a-z-]+)"', source)) | \
    set(re.findall(r'refuse\(conn, .*, "([a-z-]+)"\)', source)) | {"old-socket-left", "reconnect-missed"}
# Names that stand by themselves, not those of settings and kinds
text = section("Rules").split("Written down, and no violation")[0]
differ("rule", rules, set(re.findall(r"`([a-z-]+)`", text)) - {"violation"})

kinds = set(re.findall(r'\.(?:note|count)\("([a-z-]+)"', source)) | {"noack", "zombie", "halfopen"}
differ("KINDS", kinds - {"identifies", "invalid-request"}, set(books.KINDS))
counted = {"discord-request", "helix-request", "oauth-request"}
differ("kind", kinds | counted, {w for w in re.findall(r"`([a-z-]+)`", section("The books"))} - {"lab_closed"})

# Every fault, and every value of its words, is met in a test.
mjs = [n for n in os.listdir(os.path.dirname(os.path.abspath(__file__))) if n.endswith((".py", ".bats", ".mjs"))]
tests = "".join(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), n)).read() for n in mjs)
for table in (fault_conn.DEEDS, fault_request.DEEDS, fault_world.DEEDS):
    for name, (_, _, words) in table.spec.items():
        if not re.search(rf"""[:"'\s(]{re.escape(name)}[\s"',\\]""", tests):
            bad.append(f"no test has the fault {name}")
        for word, values in words.items():
            for value in values if isinstance(values, tuple) else ("",):
                # false is what stands there otherwise
                if value != "false" and f"{word}={value}" not in tests and not (value and re.search(rf"""["']{re.escape(value)}["']""", tests)):
                    bad.append(f"no test has the fault {name} {word}={value}")

# RULES.md: every rule has its place and its test, and these are there.
text = open(os.path.join(lab, "RULES.md")).read()
rows = [r for r in text.splitlines() if re.match(r"\| [0-9]", r)]
differ("rule of RULES.md", rules, {w for r in rows for w in re.findall(r"`([a-z]+(?:-[a-z]+)*)`", r.split("|")[2])})
here = os.path.dirname(os.path.abspath(__file__))
scripts = "".join(open(os.path.join(here, n)).read() for n in os.listdir(here) if n.endswith(".bats"))
for row in rows:
    cells = row.split("|")
    for name in re.findall(r"`([^`]*)`", cells[3]):
        at = importlib.import_module(name.split(".")[0])
        for part in name.split(".")[1:]:
            at = getattr(at, part, None) or bad.append(f"RULES.md: there is no {name}")
    for name in re.findall(r"`([^`]*)`", cells[4]):
        file, case = name.split(".")
        if f"\ndef {case}(l):" not in open(os.path.join(here, file + ".py")).read() or not re.search(rf"cases {file} .*\b{case}\b", scripts):
            bad.append(f"RULES.md: no test runs {name}")
    if not re.search("`", cells[3]) or not re.search("`", cells[4]):
        bad.append(f"RULES.md: where, or which test: {cells[1]}")

print("\n".join(bad))
sys.exit(bool(bad))
