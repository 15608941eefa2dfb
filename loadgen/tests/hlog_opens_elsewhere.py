#!/usr/bin/env python3
"""Opens latency.hlog files with Python's HdrHistogram, code that shares nothing with ours.

    python3 -m venv venv && venv/bin/pip install hdrhistogram
    venv/bin/python loadgen/tests/hlog_opens_elsewhere.py reports/RUN/latency.hlog

Prints tag, count, p50, p99 and max (µs) of the sum of all intervals, by tag. Exit code 1 if a file cannot be read, 2 if
none was given.
"""

import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

LOWEST_US, HIGHEST_US, DIGITS = 1, 600_000_000, 3


def sums_by_tag(path):
    """The reader passes over what it cannot make sense of, so the lines that it should have read are counted."""
    with open(path, encoding="utf-8") as file:
        expected = sum(line[:1] not in ("#", '"') for line in file)
    reader = HistogramLogReader(path, HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS))
    sums, read = {}, 0
    while (interval := reader.get_next_interval_histogram()) is not None:
        read += 1
        tag = interval.get_tag() or ""
        sums.setdefault(tag, HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)).add(interval)
    reader.close()
    if read != expected:
        raise ValueError(f"{expected} intervals are written, {read} are read")
    if not read:
        raise ValueError("no interval in it")
    return sums


def main(paths):
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    failed = False
    for path in paths:
        try:
            for tag, histogram in sorted(sums_by_tag(path).items()):
                figures = [histogram.get_value_at_percentile(percentile) for percentile in (50, 99)]
                print(tag, histogram.get_total_count(), *figures, histogram.get_max_value())
        except Exception as error:  # whatever a library makes of a damaged file
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
