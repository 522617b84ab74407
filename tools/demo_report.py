"""One table from the JSON reports of several `tlsdyno load` runs against one server.

    demo_report.py REPORT.json...       a row each; the file's name is the row's
"""

import json
import pathlib
import sys

COLUMNS = ("work", "rate", "p50", "p99", "server CPU each", "client CPU each", "limited by")

# The verdict's kinds as answers to "limited by".
LIMITS = {
    "client-bound": "client",
    "server-bound": "server",
    "client- and server-bound": "both",
    "machine-bound": "machine",
}


def with_unit(value, units):
    """Three significant digits in the unit that fits: 0.000123 -> "123 us"."""
    if value is None:
        return "-"
    for factor, unit in units:
        if abs(value) >= factor:
            break
    value /= factor
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {unit}".rstrip()


def format_seconds(value):
    return with_unit(value, ((1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")))


def format_rate(value):
    return with_unit(value, ((1e9, "G/s"), (1e6, "M/s"), (1e3, "k/s"), (1, "/s")))


def describe(name, report):
    """One row of the table."""
    is_handshake = report["plan"]["mode"] == "handshake"
    done = report["handshakes"] if is_handshake else report["messages"]
    each = "cpu_seconds_per_handshake" if is_handshake else "cpu_seconds_per_message"
    if is_handshake:
        resumed = report["plan"]["resume"] != "none"
        phase = report["latency"]["handshake_resumed" if resumed else "handshake_full"]
    else:
        phase = report["latency"]["message"]
    phase = phase or {}
    server = report["server"] or {"cost": {}}
    return (
        name,
        format_rate(done["per_second"]),
        *(format_seconds(phase[key] / 1e9 if key in phase else None)
          for key in ("p50_ns", "p99_ns")),
        format_seconds(server["cost"].get(each)),
        format_seconds(report["client"]["cost"].get(each)),
        LIMITS.get(report["verdict"]["kind"], report["verdict"]["kind"]),
    )


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [f"{cell:<{width}}" if i in (0, len(row) - 1) else f"{cell:>{width}}"
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())


def print_notes(reports):
    """What the figures hold for, and whatever went wrong."""
    first = next(iter(reports.values()))
    facts = {}
    for report in reports.values():
        for row in report["negotiated"]["combinations"]:
            words = [row[key] for key in ("version", "suite", "group") if row[key]]
            facts.setdefault(", ".join(words), set()).add(row["certificate"])
    print()
    for text, certificates in sorted(facts.items()):
        print(f"Negotiated: {text}; certificate {' / '.join(sorted(filter(None, certificates)))}")
    environment = first["environment"]
    server = first["server"] or {}
    print(f"Machine: {environment['cpu_model']}, {environment['cpu_count']} CPUs, "
          f"{environment['kernel']}")
    print(f"Load generator: {environment['openssl']}; server: {server.get('openssl', 'unknown')}")
    for name, report in reports.items():
        offered = report["handshakes"]["sessions_offered"]
        if report["plan"]["resume"] != "none":
            share = report["handshakes"]["resumed_share_of_offered"] or 0
            print(f"{name}: {share:.1%} of {offered:,} sessions offered were resumed")
        if report["errors"]["count"]:
            reasons = "; ".join(f"{error['count']} x {error['phase']}: {error['reason']}"
                                for error in report["errors"]["by_reason"])
            print(f"{name}: ERRORS: {reasons}")


def main(paths):
    reports = {pathlib.Path(path).stem: json.loads(pathlib.Path(path).read_text("utf-8"))
               for path in paths}
    print_table([COLUMNS, *(describe(name, report) for name, report in reports.items())])
    print_notes(reports)
    return 1 if any(not report["succeeded"] for report in reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
