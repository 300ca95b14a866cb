"""The steps of action.yml: `check`, `get`, `run`, `clean`. Python 3.9 and nothing else.

`check` takes the inputs, and leaves what is to be done in a directory of its own (mode 0700), which the
other steps are told. Whatever is wrong ends in one error, before anything is run or written.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 9):
    sys.exit("dynarc's action needs Python 3.9 or later")

import os

import binary
import github
import inputs
import job
import workplace


def check() -> int:
    request = inputs.read(os.environ)
    directory = workplace.make()
    workplace.save(directory, request)
    github.set_output("directory", directory)
    return 0


def get() -> int:
    github.set_output("program", binary.get(workplace.load(workplace.find())))
    return 0


def run() -> int:
    directory = workplace.find()
    return job.run(workplace.load(directory), directory, os.environ["DYNARC_PROGRAM"])


def clean() -> int:
    workplace.remove()
    return 0


def main() -> int:
    steps = {"check": check, "get": get, "run": run, "clean": clean}
    try:
        return steps[sys.argv[1]]()
    except github.ActionError as error:
        github.error(str(error))
        return error.code


sys.exit(main())
