#!/usr/bin/env python3
"""Opens JUnit XML files with Python's junitparser, code that shares nothing with ours.

    python3 -m venv venv && venv/bin/pip install junitparser
    venv/bin/python loadgen/tests/junit_opens_elsewhere.py reports/RUN/junit.xml reports/RUN/gate.xml

Prints each suite's counts, and holds them to its cases. Exit code 1 if a file cannot be read or counts differ, 2 if none
was given.
"""

import sys

from junitparser import Error, Failure, JUnitXml


def main(paths):
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    for path in paths:
        for suite in JUnitXml.fromfile(path):
            results = [result for case in suite for result in case.result]
            counted = (len(list(suite)), sum(isinstance(r, Failure) for r in results), sum(isinstance(r, Error) for r in results))
            told = (suite.tests, suite.failures, suite.errors)
            print(f"{path}: {suite.name}: {told[0]} tests, {told[1]} failures, {told[2]} errors")
            if counted != told:
                print(f"  but its cases are {counted}", file=sys.stderr)
                return 1
    return 0


sys.exit(main(sys.argv[1:]))
