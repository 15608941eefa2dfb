#!/usr/bin/env python3
"""Compares load generators: processor time for each request, and throughput.

Each round runs every generator once, in turns, so that all of them meet the same noise; figures are medians over the
rounds, and ratios are medians of each round's own. Processor time is that of the whole process, user and system, as the
system accounts it when the process has ended, over all the requests that it sent.

Two tables: nginx answering 58 bytes of JSON, and the reference server (hardened) restoring documents of 2.7 KB. loadgen
reads and verifies every answer, and writes histograms and history; the others look at the status at most.

    cargo build --release
    python3 benches/generators/compare.py [--rounds 5] [--seconds 4] [--connections 100]

Needs nginx, wrk, ab (apache2-utils) and hey from Debian, oha (cargo install oha --locked); what is not
there is left out and said so.
"""

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LOADGEN = os.path.join(ROOT, "target", "release", "loadgen")
STATE_BYTES = 2700


def main():
    options = argparse.ArgumentParser(description="Compares load generators.")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--connections", type=int, default=100)
    options.add_argument("--port", type=int, default=8099)
    options = options.parse_args()
    generators = {name: run for name, run in GENERATORS.items() if shutil.which(run.program)}
    missing = sorted(set(GENERATORS) - set(generators))
    if missing:
        print(f"Left out, as they are not installed: {', '.join(missing)}.\n")
    with tempfile.TemporaryDirectory(prefix="claimcheck-generators-") as folder:
        if shutil.which("nginx"):
            with Nginx(folder, options.port) as server:
                compare("nginx, 58 bytes of JSON", server, generators, options, folder)
        else:
            print("nginx is not installed: its table is left out.\n")
        with ReferenceServer(folder) as server:
            compare(f"reference server (hardened), restores of {STATE_BYTES} bytes", server, generators, options, folder)


def compare(title, server, generators, options, folder):
    results = {name: [] for name in generators}
    names = list(generators)
    for round_number in range(options.rounds):
        # Whoever comes first changes from round to round.
        for name in names[round_number % len(names):] + names[:round_number % len(names)]:
            results[name].append(generators[name](server, options, folder))
    print(f"**{title}**, {options.connections} connections, {options.seconds} s each, {options.rounds} rounds\n")
    print("| generator | CPU time a request, µs | × wrk | requests a second | × oha |")
    print("|---|---|---|---|---|")
    for name in names:
        cpu_us = statistics.median(result.cpu_us for result in results[name])
        per_s = statistics.median(result.per_s for result in results[name])
        to_wrk = ratio(results, name, "wrk", lambda result: result.cpu_us)
        to_oha = ratio(results, name, "oha", lambda result: result.per_s)
        print(f"| {name} | {cpu_us:.1f} | {to_wrk} | {per_s:,.0f} | {to_oha} |")
    print(flush=True)


def ratio(results, name, other, figure):
    if other not in results:
        return "–"
    pairs = zip(results[name], results[other])
    return f"{statistics.median(figure(one) / figure(two) for one, two in pairs):.2f}"


class Result:
    def __init__(self, requests, cpu_s, seconds):
        self.cpu_us = cpu_s * 1e6 / requests
        self.per_s = requests / seconds


def measured(command, count, seconds):
    """Runs a command; its processor time over what it says that it sent."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    try:
        requests, seconds = count(run.stdout + run.stderr, seconds)
    except (AttributeError, OSError, KeyError, ValueError):
        sys.exit(f"{' '.join(command)} said, with exit code {run.returncode}:\n{run.stdout}{run.stderr}")
    return Result(requests, cpu_s, seconds)


def found(pattern, text):
    return float(re.search(pattern, text).group(1))


class Wrk:
    program = "wrk"

    def __call__(self, server, options, folder):
        command = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", server.url]
        count = lambda text, _: (found(r"(\d+) requests in", text), found(r"requests in ([\d.]+)s", text))
        return measured(command, count, options.seconds)


class Oha:
    program = "oha"

    def __call__(self, server, options, folder):
        command = ["oha", "--no-tui", "-z", f"{options.seconds}s", "-c", str(options.connections), server.url]
        count = lambda text, seconds: (found(r"Requests/sec:\s+([\d.]+)", text) * seconds, seconds)
        return measured(command, count, options.seconds)


class Hey:
    program = "hey"

    def __call__(self, server, options, folder):
        command = ["hey", "-z", f"{options.seconds}s", "-c", str(options.connections), server.url]
        count = lambda text, seconds: (found(r"Requests/sec:\s+([\d.]+)", text) * seconds, seconds)
        return measured(command, count, options.seconds)


class Ab:
    program = "ab"

    def __call__(self, server, options, folder):
        many = "100000000"
        command = ["ab", "-q", "-k", "-t", str(options.seconds), "-n", many, "-c", str(options.connections), server.url]
        count = lambda text, _: (found(r"Complete requests:\s+(\d+)", text), found(r"tests:\s+([\d.]+) sec", text))
        return measured(command, count, options.seconds)


class Loadgen:
    program = LOADGEN

    def __init__(self, threads):
        self.threads = threads

    def __call__(self, server, options, folder):
        out = os.path.join(folder, "loadgen")
        command = [LOADGEN, "run", "--target", server.base, "--path-template", server.template, "--yes", "--quiet"]
        command += ["--scenario", server.scenario, "--mix", "restore=1", "--users", str(options.connections)]
        command += ["--duration", f"{options.seconds}s", "--warm-up", "0s", "--no-ceiling", "--no-judge", "--out", out]
        command += ["--threads", str(self.threads)]

        def count(_, seconds):
            with open(os.path.join(out, "run.json"), encoding="utf-8") as file:
                total = json.load(file)["total"]
            if total["verified"] != total["sent"]:
                raise ValueError("not every answer was verified")
            return total["sent"], seconds

        return measured(command, count, options.seconds)


GENERATORS = {
    "loadgen, 1 thread": Loadgen(1),
    "loadgen, 2 threads": Loadgen(2),
    "wrk": Wrk(),
    "oha": Oha(),
    "ab": Ab(),
    "hey": Hey(),
}


class Server:
    process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Nginx(Server):
    scenario, template = "keygen-burst", "/api/{op}"

    def __init__(self, folder, port):
        prefix = os.path.join(folder, "nginx")
        os.makedirs(os.path.join(prefix, "logs"))
        with open(os.path.join(HERE, "nginx.conf"), encoding="utf-8") as template:
            conf = template.read().replace("PORT", str(port))
        with open(os.path.join(prefix, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(conf)
        self.base = f"http://127.0.0.1:{port}"
        self.url = f"{self.base}/api/generate-key"
        command = ["nginx", "-p", prefix, "-c", os.path.join(prefix, "nginx.conf")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_for(self.url)


class ReferenceServer(Server):
    scenario, template = "same-session", "/php/api/{op}.php"

    def __init__(self, folder):
        saves = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else folder)
        command = [LOADGEN, "serve", "--listen", "127.0.0.1:0", "--saves", saves, "--log", "error"]
        self.saves = saves
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.base = self.process.stdout.readline().strip().rsplit(" ", 1)[-1]
        state = {"sidePanel": "x", "notes": {f"textarea-{n}": "y" * 100 for n in range(STATE_BYTES // 120)}}
        body = json.dumps({"sessionKey": "A4K", "typeSlug": "word", "state": state}).encode()
        request = urllib.request.Request(f"{self.base}/api/instantiate", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).read()
        self.url = f"{self.base}/php/api/restore.php?sessionKey=A4K"
        wait_for(self.url)

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        shutil.rmtree(self.saves)


def wait_for(url):
    for _ in range(100):
        try:
            urllib.request.urlopen(url).read()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nobody answers at {url}")


if __name__ == "__main__":
    main()
