"""The command `python -m emulator.anthropic`."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from emulator.anthropic.script import ScriptError
from emulator.anthropic.server import Server, Settings, SettingsError
from emulator.anthropic.words import lesson

ENDING_SIGNALS = {signal.SIGTERM, signal.SIGINT}

EPILOG = f"""\
Point the CLI at it:
  ANTHROPIC_BASE_URL=http://127.0.0.1:8010 ANTHROPIC_API_KEY=any-key claude -p "hello"

Without more it answers "You said: hello". Words in the prompt choose another answer; they add up:
{lesson()}

A script file chooses answers for prompts that have no such words:
  [{{"match": "weather", "reply": "Sunny."}}, {{"regex": "^deploy", "reply": "[[error 529]]"}}]

GET /requests lists what was asked and how it ended. Credentials are never stored.
"""


def parser() -> ArgumentParser:
    """Return the command line."""
    result = ArgumentParser(
        prog="python -m emulator.anthropic",
        description="A stand-in on this computer for the API the Claude Code CLI talks to.",
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    result.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    result.add_argument(
        "--port", type=int, default=8010, help="0 lets the system choose (default: %(default)s)"
    )
    result.add_argument("--script", type=Path, metavar="FILE", help="rules, as JSON")
    result.add_argument(
        "--tokens-per-second", type=float, default=0.0, metavar="N", help="typing speed (default: unlimited)"
    )
    result.add_argument("--log", type=Path, metavar="FILE", help="append each finished request as JSON")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return 0, or 2 when it cannot start."""
    # Blocked before the first thread exists, so that every thread inherits it and only `sigwait` takes them.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        server = Server(_settings(parser().parse_args(arguments)))
    except (SettingsError, ScriptError, OSError) as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 2
    with server:
        print(f"listening on {server.url}", flush=True)
        signal.sigwait(ENDING_SIGNALS)
    return 0


def _settings(options: Namespace) -> Settings:
    return Settings(**vars(options))


if __name__ == "__main__":
    sys.exit(main())
