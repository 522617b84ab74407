"""tlsdyno report: pages from results of real runs, and from files that are none."""

import json
import os
import re
import unittest
import xml.dom.minidom

from dyno import Directory, Server, load, needs, tlsdyno

SMALL = ("--insecure", "-t", 1, "-c", 2, "-m", 64)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(Directory())
        cls.files = []
        with Server(threads=1) as server:
            for name, options in (("closed", ("-n", 200)),
                                  ("open", ("-R", 500, "-d", "1s"))):
                path = cls.directory / f"{name}.json"
                path.write_text(json.dumps(load(server.target, *SMALL, "--mode", "rr", *options)),
                                encoding="utf-8")
                cls.files.append(path)

    def page(self, *arguments, **options):
        path = self.directory / "page.html"
        done = tlsdyno("report", "-o", path, *arguments, **options)
        return done, path.read_text(encoding="utf-8")

    @needs("gnuplot")
    def test_pictures_are_in_the_page(self):
        done, page = self.page(*self.files, check=0)
        self.assertRegex(done.stdout, r"2 files, \d+ pictures")
        self.assertEqual(done.stderr, "")
        pictures = re.findall(r'<div class="(?:wide|narrow)">(<svg.*?</svg>)', page, re.DOTALL)
        self.assertGreaterEqual(len(pictures), 8)
        for picture in pictures:
            xml.dom.minidom.parseString(picture)  # well formed
            self.assertIn("<path", picture)
        self.assertNotIn("<script", page)
        self.assertIsNone(re.search(r'(?:src|href)="?\'?https?:', page))

    def test_without_gnuplot_the_tables_are_there_and_the_way_to_get_it(self):
        nowhere = {**os.environ, "PATH": str(self.directory)}
        done, page = self.page(*self.files, check=0, env=nowhere)
        self.assertIn("install gnuplot-nox", done.stderr)
        self.assertIn("install gnuplot-nox", page)
        self.assertIn("<h2>Figures</h2>", page)
        self.assertNotIn("<figure>", page)

    def test_a_gnuplot_that_fails_costs_the_pictures_alone(self):
        fake = self.directory / "bin"
        fake.mkdir(exist_ok=True)
        (fake / "gnuplot").write_text("#!/bin/sh\nread line || exit 0\necho broken >&2\nexit 1\n")
        (fake / "gnuplot").chmod(0o755)
        done, page = self.page(*self.files, check=0,
                               env={**os.environ, "PATH": f"{fake}:/usr/bin:/bin"})
        self.assertIn("gnuplot failed: broken", done.stderr)
        self.assertIn("gnuplot failed: broken", page)
        self.assertIn("<h2>Figures</h2>", page)

    def test_standard_output_has_nothing_but_the_page(self):
        done = tlsdyno("report", "--no-pictures", "-o", "-", self.files[0], check=0)
        self.assertTrue(done.stdout.startswith("<!doctype html>"))
        self.assertTrue(done.stdout.rstrip().endswith("</html>"))
        self.assertEqual(done.stderr, "")

    def test_a_name_cannot_be_markup(self):
        path = self.directory / "<img src=x onerror=alert(1)>.json"
        path.write_bytes(self.files[0].read_bytes())
        _, page = self.page("--title", "<script>1</script>", path, check=0)
        self.assertNotIn("<img", page)
        self.assertNotIn("<script", page)

    def test_what_cannot_be_read_is_named(self):
        for text, words in (("{", "is no JSON: line 1"),
                            ("[]", "there is no schema"),
                            ('{"schema": "tlsdyno-load/9"}', "'tlsdyno-load/9'"),
                            ('{"schema": "tlsdyno-load/1"}', "plan or environment"),
                            ('{"schema": "tlsdyno-sweep/1"}', "cells is missing")):
            with self.subTest(text=text):
                path = self.directory / "bad.json"
                path.write_text(text, encoding="utf-8")
                done = tlsdyno("report", "-o", self.directory / "no.html", path, check=2)
                self.assertIn(str(path), done.stderr)
                self.assertIn(words, done.stderr)
                self.assertFalse((self.directory / "no.html").exists())

    def test_wrong_use_ends_with_2_and_a_failure_with_1(self):
        self.assertIn("report needs results", tlsdyno("report", check=2).stderr)
        self.assertIn("one too many", tlsdyno("report", *[self.files[0]] * 9, check=2).stderr)
        done = tlsdyno("report", "--no-pictures", "-o", "/nowhere/page.html", self.files[0],
                       check=1)
        self.assertIn("cannot write /nowhere/page.html", done.stderr)


class Hostile(unittest.TestCase):
    """Real results, one byte or value of which somebody changed: a page or a sentence, no crash."""

    def test_changed_values_are_refused_or_shown(self):
        directory = self.enterContext(Directory())
        with Server(threads=1) as server:
            report = dict(load(server.target, *SMALL, "--mode", "rr", "-n", 50))
        path = directory / "changed.json"
        for key in report:
            if key == "schema":
                continue
            for value in (None, -1, 1e308, "x", [], {}, [[1]], {"buckets": [[2, 1], [1, 1]]}):
                path.write_text(json.dumps({**report, key: value}), encoding="utf-8")
                done = tlsdyno("report", "--no-pictures", "-o", directory / "page.html", path)
                self.assertIn(done.returncode, (0, 2), f"{key}: {value}: {done.stderr}")


if __name__ == "__main__":
    unittest.main()
