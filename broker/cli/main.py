"""The command `wordcam-broker`."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

from broker.cli import config_path, parser
from broker.config.errors import Failure
from foundation import log, terminal

TALKATIVE: Final = ("alembic", "httpcore", "httpx", "sqlalchemy", "twilio", "urllib3", "uvicorn.error")
"""Loggers of libraries that log every request or statement at level info."""

OLD_VERBS: Final = {"duty": "leader", "dead": "dead-letters"}
"""Verbs of version 0.1, which work for one release more."""


def console() -> None:
    """Run the command and leave with its exit code."""
    log.log_uncaught()
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run one verb: 0, 75 (try again) or 78 (fix the config)."""
    terminal.accept_every_character()
    arguments = parser.build().parse_args(_renamed(argv))
    level = logging.DEBUG if arguments.verbose else logging.INFO
    log.configure(arguments.verb_name, level=level, quiet=TALKATIVE)
    try:
        if arguments.needs_config:
            arguments.config = config_path.found(arguments.config)
        return _run(arguments)
    except Failure as error:
        print(f"wordcam-broker: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader of the output has gone (`| head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 0


def _renamed(argv: Sequence[str]) -> list[str]:
    """Return the arguments with the verb as it is called now."""
    verb = next((at for at, word in enumerate(argv) if not word.startswith("-")), None)
    return [OLD_VERBS.get(word, word) if at == verb else word for at, word in enumerate(argv)]


def _run(arguments: argparse.Namespace) -> int:  # noqa: PLR0911 - one branch a verb
    """Run the verb, importing what it works with: a database takes a second to import, a web framework another."""
    match arguments.verb_name:
        case "init":
            from broker.cli import init

            return init.run(arguments)
        case "setup" | "enroll" | "revoke":
            from broker.cli import enrolment

            return enrolment.run(arguments)
        case "advisories":
            from broker.cli import advisories

            return advisories.run(arguments)
        case "devices":
            from broker.cli import devices

            return devices.run(arguments)
        case "models":
            from broker.cli import models

            return models.run(arguments)
        case "run":
            from broker.cli import run

            return run.run(arguments)
        case "check":
            from broker.cli import check

            return check.run(arguments)
        case "migrate":
            from broker.cli import migrate

            return migrate.run(arguments)
        case "console" | "user":
            from broker.cli import users

            return users.run(arguments)
        case "send-test":
            from broker.cli import send_test

            return send_test.run(arguments)
    return _run_query(arguments)


def _run_query(arguments: argparse.Namespace) -> int:  # noqa: PLR0911 - as above
    """Run a verb that shows or changes what is in the database, or tries words."""
    match arguments.verb_name:
        case "leader":
            from broker.cli import leader

            return leader.run(arguments)
        case "away":
            from broker.cli import away

            return away.run(arguments)
        case "watch":
            from broker.cli import watch

            return watch.run(arguments)
        case "translate":
            from broker.cli import translate

            return translate.run(arguments)
        case "dead-letters":
            from broker.cli import dead_letters

            return dead_letters.run(arguments)
        case "export" | "forget":
            from broker.cli import data

            return data.run(arguments)
        case "rules":
            from broker.cli import rules

            return rules.run(arguments)
    from broker.cli import incidents

    return incidents.run(arguments)
