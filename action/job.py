"""dynarc as a process: with its time limit, its exit code, its report, and its line in the job's summary."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any, Mapping

import github
import identity
import inputs
import summary
import workplace
from github import ActionError

# What a first SIGINT gives for finishing what is in flight, and a second one for the rest.
FINISH_SECONDS = 60
ABORT_SECONDS = 10


def run(request: Mapping[str, str], directory: str, program: str) -> int:
    """Runs the command, and returns its exit code."""
    path = _report_path(request, directory)
    begun = time.monotonic()
    with identity.Roles(request, directory) as roles:
        environment = roles.environment()
        try:
            report = workplace.create(path)
        except OSError as error:
            raise ActionError(f"{request.get('output', 'the report')}: {error.strerror}") from error
        with report, github.CommandsStopped():
            code, timed_out = _execute([program, *inputs.arguments(request)], environment, report, request)
    result = _result(request, path, time.monotonic() - begun)
    github.set_output("exit-code", str(code))
    github.set_output("result", json.dumps(result, ensure_ascii=True) if result else "")
    github.summarize(summary.markdown(request, result, code, timed_out))
    if timed_out:
        github.error(f"dynarc was stopped: its time was over (timeout-minutes: {request['timeout-minutes']})")
    return code


def _report_path(request: Mapping[str, str], directory: str) -> str:
    """Where standard output goes. Items never stand in the log, which more people read than the table."""
    if request["command"] == "query":
        return os.path.join(os.getcwd(), request["output"])
    return os.path.join(directory, "report.json")


def _execute(
    command: list[str], environment: dict[str, str], report: Any, request: Mapping[str, str]
) -> tuple[int, bool]:
    """The exit code, and whether the time was over."""
    process: subprocess.Popen | None = None
    cancelled = False

    def interrupt(*_: object) -> None:
        nonlocal cancelled
        cancelled = True
        if process:
            process.send_signal(signal.SIGINT)

    # A job that is cancelled gets SIGINT, and some seconds later SIGTERM.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        # Standard error goes the way of our own output, so that it stays between the commands around it.
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=report, stderr=sys.stdout.fileno(),
        )  # fmt: skip
    except OSError as error:
        raise ActionError(f"dynarc could not be run: {error.strerror}") from error
    if cancelled:
        interrupt()
    waits = [60 * int(request["timeout-minutes"]), FINISH_SECONDS, ABORT_SECONDS]
    for attempt, seconds in enumerate(waits):
        try:
            code = process.wait(timeout=seconds)
            return (code if code >= 0 else 128 - code), attempt > 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT if attempt < 2 else signal.SIGKILL)
    return 128 - process.wait(), True


def _result(request: Mapping[str, str], path: str, seconds: float) -> dict[str, Any] | None:
    """dynarc's report; None where there is none. Of a query, which has none, how much it gave."""
    with open(path, "rb") as file:
        if request["command"] == "query":
            lines = sum(1 for _ in file)
            return {"items": lines, "output": request["output"], "seconds": round(seconds, 3)}
        text = file.read()
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
