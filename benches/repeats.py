#!/usr/bin/env python3
"""Runs `loadgen verify` again and again, each time with another seed, and prints how often each claim got which verdict.

No claim may hold in one run and be refuted in another, and at most one verdict of all may be inconclusive: exit 1
otherwise. Where both verdicts are honest (P4 on the documented protocol: whether a torn restore is met in its five
seconds is chance) a flip is marked and not held against it.

    python3 benches/repeats.py --runs 20 -- --protocol both
"""

import argparse
import collections
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

VERDICTS = ["holds", "refuted", "inconclusive", "untestable"]
EITHER = {("documented", "P4")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--loadgen", default="target/release/loadgen")
    parser.add_argument("--also", action="append", default=[], help="folder of a run that was made before, with a seed of its own")
    parser.add_argument("arguments", nargs="*", help="more arguments of verify, behind --")
    options = parser.parse_args()
    counts = collections.defaultdict(collections.Counter)
    runs = [verdicts(pathlib.Path(folder)) for folder in options.also]
    runs += [verify(options, seed) for seed in range(1, options.runs + 1)]
    for target, claim, verdict in itertools.chain.from_iterable(runs):
        counts[target, claim][verdict] += 1
    flips = report(counts, len(runs))
    undecided = sum(counter["inconclusive"] for counter in counts.values())
    print(f"\n{len(flips)} claims flipped; {undecided} verdicts of {sum(map(lambda c: c.total(), counts.values()))} inconclusive")
    sys.exit(1 if flips or undecided > 1 else 0)


def verify(options, seed):
    """The verdicts of one run: target, claim, verdict."""
    with tempfile.TemporaryDirectory() as out:
        command = [options.loadgen, "verify", "--seed", str(seed), "--out", out, *options.arguments]
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        print(f"seed {seed}: exit {code}", file=sys.stderr, flush=True)
        return verdicts(pathlib.Path(out))


def verdicts(folder):
    """The verdicts of a run's folder; what was not as expected is told at once."""
    found = []
    for target in json.loads((folder / "claims.json").read_text())["targets"]:
        for claim in target["claims"]:
            if claim["outcome"] != "as_expected":
                print(f"  {claim['id']} on {target['name']}: {claim['verdict']}: {claim['summary']}", file=sys.stderr, flush=True)
            found.append((target["name"], claim["id"], claim["verdict"]))
    return found


def report(counts, runs):
    """Prints the table, and answers what held in one run and was refuted in another."""
    print(f"| target | claim | {' | '.join(VERDICTS)} | of {runs} |\n|---|---|" + "---|" * (len(VERDICTS) + 1))
    flips = []
    for (target, claim), counter in counts.items():
        flipped = counter["holds"] and counter["refuted"]
        if flipped and (target, claim) not in EITHER:
            flips.append((target, claim))
        mark = "flips" if flipped else ""
        cells = " | ".join(str(counter[verdict] or "") for verdict in VERDICTS)
        print(f"| {target} | {claim} | {cells} | {mark} |")
    return flips


main()
