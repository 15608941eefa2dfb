#!/usr/bin/env python3
"""What the live page costs the generator: the share of its processor time that is spent for those who watch.

Runs `loadgen run --live 127.0.0.1:0` with some programs reading /events, and samples the processor time (user and system)
of every thread from /proc while the load runs: the thread named "live" serves the page, those named "load-N" run the
users, and the others gather the seconds, write the history and the log. The server is a process of its own, and not
counted. What is gathered for the page is done beside the thread "live"; so the same load is run once more without --live,
and the others' processor time of both is printed, per operation, to see that they do not differ by more than noise.

    cargo build --release
    python3 benches/live/cost.py [--users 10000] [--scenario journey] [--seconds 30] [--readers 3] [--no-compare] [LOADGEN]

Exits 1 where the thread "live" takes 1 % or more of the process's processor time, 2 where the run itself fails. Linux
only. Shares hardly depend on what else the machine does; times do.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

LIMIT = 0.01
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SAMPLE_S = 0.5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("loadgen", nargs="?", default="target/release/loadgen")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--scenario", default="journey")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--no-compare", action="store_true", help="leave the run without --live out")
    options = parser.parse_args()
    watched = run(options, is_watched=True)
    show(f"with --live and {options.readers} readers", watched)
    if not options.no_compare:
        show("without --live", run(options, is_watched=False))
    share = watched.cpu_s["live"] / sum(watched.cpu_s.values())
    print(f"\nThe live thread takes {share:.3%} of the generator's processor time ({LIMIT:.0%} is the limit).")
    sys.exit(0 if share < LIMIT else 1)


class Outcome:
    def __init__(self, cpu_s, operations, events):
        self.cpu_s, self.operations, self.events = cpu_s, operations, events


def show(title, outcome):
    print(f"{title}: {outcome.operations:,} operations, {sum(outcome.events):,} events read")
    total_s = sum(outcome.cpu_s.values())
    for group, time_s in outcome.cpu_s.items():
        per_operation_us = time_s * 1e6 / max(outcome.operations, 1)
        print(f"    {group:<7} {time_s:8.3f} s of CPU {time_s / total_s:9.3%} {per_operation_us:9.3f} µs an operation", flush=True)


def run(options, is_watched):
    """Runs a load to its end; answers the processor time of its threads by group."""
    with tempfile.TemporaryDirectory(prefix="claimcheck-live-") as folder:
        # The judge works when the load is over: its time is not the generator's.
        command = [options.loadgen, "run", "--users", str(options.users), "--scenario", options.scenario, "--duration",
                   f"{options.seconds}s", "--no-ceiling", "--no-judge", "--quiet", "--seed", "1", "--out", folder]
        if is_watched:
            command += ["--live", "127.0.0.1:0"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        readers = []
        if is_watched:
            line = process.stderr.readline()
            url = re.fullmatch(r"live: (http://\S+/)\n", line)
            if not url:
                sys.exit(fail(f"loadgen said {line!r} in place of where its page is: {process.stderr.read()}"))
            readers = [Reader(url[1] + "events") for _ in range(options.readers)]
        by_thread = sample(process)
        said = process.stderr.read()
        report = pathlib.Path(folder, "run.json")
        if process.returncode not in (0, 1, 3) or not report.exists():
            sys.exit(fail(f"the run ended with {process.returncode}: {said}"))
        for reader in readers:
            reader.join()
            if not reader.has_heard_the_end:
                sys.exit(fail("a reader did not get the last event"))
        operations = json.loads(report.read_text())["total"]["sent"]
    return Outcome(grouped(by_thread), operations, [reader.events for reader in readers])


def fail(why):
    print(why, file=sys.stderr)
    return 2


class Reader(threading.Thread):
    """Reads events to their end, as a page does."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.events, self.has_heard_the_end = url, 0, False
        self.start()

    def run(self):
        with urllib.request.urlopen(self.url) as answer:
            for line in answer:
                self.events += line.startswith(b"data: ")
                self.has_heard_the_end |= line == b"event: ended\n"


def sample(process):
    """Processor time of every thread that there was, by its number, at the last look at it."""
    seen = {}
    while process.poll() is None:
        for task in pathlib.Path(f"/proc/{process.pid}/task").glob("*"):
            try:
                seen[task.name] = ((task / "comm").read_text().rstrip("\n"), cpu_s(task))
            except OSError:
                continue  # It has ended meanwhile.
        time.sleep(SAMPLE_S)
    return seen


def cpu_s(task):
    """Processor time of a thread, user and system. Its "stat" counts in ticks of 10 ms, which a thread that works for a
    millisecond at a time hardly ever meets; the scheduler's own count is in ns, where the kernel has it."""
    schedstat = task / "schedstat"
    if schedstat.exists():
        return int(schedstat.read_text().split()[0]) / 1e9
    # The name may have blanks and brackets in it: fields are counted from behind it.
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def grouped(by_thread):
    groups = {"load-*": 0.0, "live": 0.0, "others": 0.0}
    for name, time_s in by_thread.values():
        groups["load-*" if name.startswith("load-") else "live" if name == "live" else "others"] += time_s
    return groups


if __name__ == "__main__":
    main()
