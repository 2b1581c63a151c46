"""The command line: parses, calls, prints. User errors are one line on stderr and exit code 2."""

import shlex
import sys
from typing import Any

from .parsing import command_file, config_of, parser


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `eigenclock`."""
    try:
        _call(sys.argv[1:] if arguments is None else arguments)
    except ValueError as error:
        from ..checks import InputError

        if not isinstance(error, InputError):
            raise
        from .errors import one_line

        print(f"eigenclock: error: {one_line(str(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("eigenclock: interrupted; a run continues with --resume", file=sys.stderr)
        sys.exit(130)


def _call(given: list[str]) -> None:
    """Parse and do; nothing is imported for a command that is not called."""
    top, parsers = parser([word for word in given if not word.startswith("-")][:1])
    parsed = top.parse_args(given)
    from .call import Call

    name, file = parsed.subcommand, command_file(parsed.subcommand)
    options = dict(vars(_instantiate(top, parsed)[name]))
    options.pop("config", None)
    call = Call(parsers[name].dump(parsed[name]), shlex.join(["eigenclock", *given]))
    file.command(config_of(file)(**options), call)


def _instantiate(top: Any, parsed: Any) -> Any:
    """The parsed options as objects; an InputError that jsonargparse has wrapped in its own comes out again."""
    try:
        return top.instantiate(parsed)
    except (ValueError, TypeError) as error:
        from ..checks import InputError

        found: BaseException | None = error
        while found is not None and not isinstance(found, InputError):
            found = found.__cause__ or found.__context__
        if found is None:
            raise
        raise found from None
