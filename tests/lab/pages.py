"""README.md of the lab and the lab say the same: calls, faults, rules, kinds of the books."""
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

print("\n".join(bad))
sys.exit(bool(bad))
