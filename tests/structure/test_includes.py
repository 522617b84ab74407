"""Enforces the table of rooms in ARCHITECTURE.md: who may include whom, that only src/tls sees
OpenSSL and only src/ring liburing, a short README in each room, and files of a readable length.

    test_includes.py        checks the tree that this file is in
"""

import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Room: what it may include besides itself; "room" for any header of it, "room/file.h" for one.
LEVEL_1 = {"base", "ring", "tls", "stats"}
ROOMS = {
    "base": set(),
    "ring": {"base"},
    "tls": {"base"},
    "stats": {"base"},
    "sandbox": {"base"},
    "conn": LEVEL_1,
    "service": LEVEL_1 | {"conn/conn.h", "conn/service.h"},
    "server": LEVEL_1 | {"conn", "service"},
    "load": LEVEL_1 | {"conn", "service"},
    "report": {"base", "stats", "load/plan.h", "load/result.h"},
    "sweep": {"base", "stats", "report", "load/plan.h", "load/result.h"},
    "cli": {"base", "ring", "tls", "stats", "sandbox", "service", "server", "load", "report", "sweep"},
    "api": LEVEL_1 | {"conn", "service", "server"},
}

# What the library gives to other programs; it is in no room.
PUBLIC = {"tlsdyno.h": {"api", "cli"}}

# Outside headers that one room alone may see.
GUARDED = {"openssl/": "tls", "liburing.h": "ring", "liburing/": "ring", "mpi.h": "cli"}

README_LINES_MAX = 40
FILE_LINES_MAX = 500

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def include_violations(path, room):
    """Sentences about the includes of one file that its room does not allow."""
    allowed = ROOMS[room] | {room}
    for bracket, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        for guarded, keeper in GUARDED.items():
            if name.startswith(guarded) and room != keeper:
                yield f"{path}: includes <{name}>, which only src/{keeper} may"
        if bracket == '"':
            target, slash, _ = name.partition("/")
            if room in PUBLIC.get(name, ()):
                continue
            if not slash:
                yield f'{path}: "{name}" does not say its room'
            elif target not in ROOMS:
                yield f'{path}: "{name}" is in no room'
            elif target not in allowed and name not in allowed:
                yield f'{path}: src/{room} may not include "{name}"'
        elif name.partition("/")[0] in ROOMS:
            yield f"{path}: <{name}> is the project's own and belongs in quotation marks"


def readme_violations(room_path):
    readme = room_path / "README.md"
    if not readme.is_file():
        yield f"{room_path}: has no README.md"
        return
    lines = len(readme.read_text(encoding="utf-8").splitlines())
    if lines > README_LINES_MAX:
        yield f"{readme}: {lines} lines, {README_LINES_MAX} are allowed"


def length_violations(root):
    for folder in ("src", "tests", "tools", "bench"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".c", ".h", ".py", ".js", ".sh"):
                continue
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > FILE_LINES_MAX:
                yield f"{path}: {lines} lines, {FILE_LINES_MAX} are allowed"


def violations(root):
    """All of them, one sentence each."""
    found = []
    for room_path in sorted(path for path in (root / "src").iterdir() if path.is_dir()):
        if room_path.name not in ROOMS:
            found.append(f"{room_path}: is no room of the table")
            continue
        found += readme_violations(room_path)
        for path in sorted(room_path.rglob("*.[ch]")):
            found += include_violations(path, room_path.name)
    found += length_violations(root)
    return found


class Tree(unittest.TestCase):
    def test_this_tree_keeps_to_the_table(self):
        found = violations(ROOT)
        self.assertFalse(found, "\n" + "\n".join(found).replace(f"{ROOT}/", ""))

    def test_the_table_has_no_circle(self):
        rooms = {room: {name.partition("/")[0] for name in names} for room, names in ROOMS.items()}
        while rooms:
            leaves = [room for room, names in rooms.items() if not names & rooms.keys()]
            self.assertTrue(leaves, f"a circle among {sorted(rooms)}")
            for room in leaves:
                del rooms[room]


class MadeUpTree(unittest.TestCase):
    """The checker finds what it is for: each test breaks one rule of an otherwise good tree."""

    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for room in ROOMS:
            self.write(f"{room}/README.md", "A room.\n")
        self.write("tls/engine.c", '#include "tls/engine.h"\n#include <openssl/ssl.h>\n')
        self.write("ring/ring.c", '#include <liburing.h>\n#include "base/error.h"\n')
        self.write("service/echo.c", '#include "conn/conn.h"\n#include <string.h>\n')

    def write(self, name, text):
        path = self.root / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def check_found(self, *words):
        found = violations(self.root)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_a_good_tree_has_no_violation(self):
        self.assertEqual(violations(self.root), [])

    def test_an_include_upwards_is_found(self):
        self.write("base/error.c", '#include "tls/engine.h"\n')
        self.check_found("src/base", "tls/engine.h")

    def test_an_include_of_a_rooms_private_header_is_found(self):
        self.write("service/http.c", '#include "conn/reactor.h"\n')
        self.check_found("src/service", "conn/reactor.h")

    def test_server_and_load_are_kept_apart(self):
        self.write("server/worker.c", '#include "load/plan.h"\n')
        self.check_found("src/server", "load/plan.h")

    def test_openssl_outside_its_room_is_found(self):
        self.write("conn/handshake.c", "  #  include <openssl/err.h>\n")
        self.check_found("openssl/err.h", "src/tls")

    def test_liburing_outside_its_room_is_found(self):
        self.write("conn/send.c", "#include <liburing.h>\n")
        self.check_found("liburing.h", "src/ring")

    def test_an_include_without_a_room_is_found(self):
        self.write("conn/send.c", '#include "send.h"\n')
        self.check_found("send.h", "room")

    def test_a_room_that_the_table_does_not_know_is_found(self):
        self.write("attic/old.c", "")
        self.check_found("attic", "no room")

    def test_a_room_without_a_readme_is_found(self):
        (self.root / "src/load/README.md").unlink()
        self.check_found("load", "README.md")

    def test_a_long_readme_is_found(self):
        self.write("load/README.md", "line\n" * (README_LINES_MAX + 1))
        self.check_found("load/README.md", str(README_LINES_MAX))

    def test_a_long_file_is_found(self):
        self.write("load/load.c", "\n" * (FILE_LINES_MAX + 1))
        self.check_found("load/load.c", str(FILE_LINES_MAX))


if __name__ == "__main__":
    unittest.main()
