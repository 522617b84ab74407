"""What bench/peers prints."""

import platform
import re
import time


BUSY = 0.97  # of a CPU: has nothing left to give


def environment(context, cpus):
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        model = re.search(r"^model name\s*: (.*)$", cpuinfo.read(), re.MULTILINE)
    return {
        "date": time.strftime("%Y-%m-%d"), "cpu": model.group(1) if model else platform.machine(),
        "cpus": len(cpus), "kernel": platform.release(),
        "distribution": platform.freedesktop_os_release().get("PRETTY_NAME", "?"),
        "server_cpus": context.settings.server_cpus,
        "load": "pinned to " + context.on_load_cpu[-1] if context.on_load_cpu else "not pinned",
        "rounds": context.rounds, "seconds": context.seconds,
    }


def columns(header, rows, left):
    """Rows of text under a header; the columns numbered in `left` are words."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(f"{cell:<{width}}" if i in left else f"{cell:>{width}}"
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def ratio(spread):
    return f"{spread['median']:.2f} ({spread['low']:.2f}-{spread['high']:.2f})"


def busy(side):
    return f"{side['server_busy']:.0%} {side['client_busy']:.0%}"


def work_rows(result):
    """A row for us, with the ceiling, and one for each peer, with the ratio."""
    ours = result["sides"]["ours"]
    ceiling = result.get("ceiling")
    yield (result["goal"], result["work"], "ours", f"{ours['rate']['median']:,.0f}", "",
           f"{ceiling['rate']['median']:,.0f}" if ceiling else "",
           ratio(ceiling["efficiency"]) if ceiling else "", busy(ours))
    for peer, found in result["against"].items():
        side = result["sides"][peer]
        yield ("", "", peer, f"{side['rate']['median']:,.0f}",
               ratio(found["ratio"]) if found["comparable"] else "not comparable", "", "",
               busy(side))


def notes(works):
    for fact in sorted({fact for work in works for fact in work["negotiated"].values()}):
        print(f"negotiated: {fact}")
    versions = [version for work in works for version in work["openssl"].values()]
    print(f"OpenSSL: {'; '.join(dict.fromkeys(versions))}")
    limited = []
    for work in works:
        for peer, found in work["against"].items():
            if not found["comparable"]:
                print(f"{work['work']}: ours negotiated {work['negotiated']['ours']}, "
                      f"{peer} {work['negotiated'][peer]}")
        for name, side in work["sides"].items():
            if side["errors"]:
                print(f"{work['work']}: {side['errors']} errors against {name}")
            if side["client_busy"] > BUSY > side["server_busy"]:
                limited.append(f"{work['work']} ({name})")
    if limited:
        print("the load was the limit of the rate, though not of the figure per server CPU "
              f"second, in: {', '.join(limited)}")


def show(results):
    where = results["environment"]
    print(f"\n{where['date']}, {where['cpu']}, {where['cpus']} CPUs, Linux {where['kernel']}, "
          f"{where['distribution']}.\nServer on CPU {where['server_cpus']}, load "
          f"{where['load']}; {where['rounds']} rounds of {where['seconds']:g} s each, in turns; "
          "64 connections and depth 1\nunless the name says otherwise (-c, -d). Figures are per "
          "CPU second of the server (P8: of the load\ngenerator); medians, and (lowest-highest) "
          "of the rounds. Busy: server, load.\n")
    if results["works"]:
        header = ("goal", "work", "who", "a CPU second", "ours/theirs", "ceiling", "efficiency",
                  "busy")
        columns(header, [row for work in results["works"] for row in work_rows(work)], (0, 1, 2))
        print()
        notes(results["works"])
    for experiment in results["experiments"].values():
        print(f"\n{experiment['goal']}: {experiment['title']}\n")
        columns(experiment["header"], experiment["rows"], (0,))
        for note in experiment["notes"]:
            print(note)
