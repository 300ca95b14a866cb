#!/usr/bin/env python3
"""dynarc's benchmarks; docs/performance.md says what they measure."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "Support"))

from harness import datasets, suite
from harness.measure import BenchmarkError
from harness.pageserver import PageServer
from servers import end_with_signals


def add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, default=64, help="MiB of each data set (default 64)")
    parser.add_argument(
        "--pages-per-mib", type=int, default=1, help="pages in a MiB, 64 for small ones (default 1)"
    )


def generate(arguments: argparse.Namespace) -> list[datasets.DataSet]:
    return [
        datasets.ensure(name, arguments.size, arguments.pages_per_mib) for name in datasets.KINDS
    ]


def show(arguments: argparse.Namespace) -> None:
    for data in generate(arguments):
        print(
            f"{data.path}: {data.items:,} items, {data.page_bytes:,} bytes in {len(data.pages)} pages"
        )


def serve(arguments: argparse.Namespace) -> None:
    options = {
        "times": arguments.times,
        "latency": arguments.latency / 1000,
        "unprocessed_every": arguments.unprocessed_every,
        "log": arguments.log,
    }
    with PageServer(generate(arguments), **options) as server:
        for name, value in server.environment().items():
            print(f"export {name}={value}")
        print(f"# TLS: {server.tls_endpoint}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


def parts(arguments: argparse.Namespace) -> None:
    sets = [datasets.ensure(name, 64).path for name in datasets.KINDS]
    with tempfile.TemporaryDirectory(prefix="run.", dir=datasets.CACHE) as scratch:
        sys.exit(subprocess.run([arguments.binary, scratch, *sets]).returncode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("generate", help="make the data sets")
    add_data_options(command)
    command.set_defaults(run=show)

    command = commands.add_parser(
        "serve", help="run the page server until interrupted; prints the environment for clients"
    )
    add_data_options(command)
    command.add_argument("--times", type=int, default=1, help="serve each page so often")
    command.add_argument("--latency", type=float, default=0, help="milliseconds before an answer")
    command.add_argument("--unprocessed-every", type=int, help="50 returns 2%% of puts unprocessed")
    command.add_argument("--log", type=Path, help="a file for the batches that arrive")
    command.set_defaults(run=serve)

    for name, measure in (("full", suite.full), ("short", suite.short)):
        command = commands.add_parser(name, help=measure.__doc__)
        command.add_argument("binary", type=Path, help="dynarc, a release build")
        command.set_defaults(
            run=lambda arguments, measure=measure: measure(arguments.binary.resolve())
        )

    command = commands.add_parser("diff", help=suite.diff.__doc__)
    command.add_argument("binary", type=Path, help="dynarc, a release build")
    command.add_argument("--size", type=int, default=512, help="MiB of each side (default 512)")
    command.set_defaults(run=lambda arguments: suite.diff(arguments.binary.resolve(), arguments.size))

    command = commands.add_parser("parts", help="measure dynarc's parts, each by itself")
    command.add_argument("binary", type=Path, help="bench-parts, a release build")
    command.set_defaults(run=parts)

    arguments = parser.parse_args()
    end_with_signals()
    try:
        arguments.run(arguments)
    except BenchmarkError as error:
        sys.exit(f"bench: error: {error}")


if __name__ == "__main__":
    main()
