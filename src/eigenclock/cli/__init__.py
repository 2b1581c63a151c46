"""The command line: parses, calls, prints. User errors are one line on stderr and exit code 2."""

import shlex
import sys
from typing import Any

from .parsing import command_file, config_of, parser


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `eigenclock`."""
    given = sys.argv[1:] if arguments is None else arguments
    called = [word for word in given if not word.startswith("-")][:1]
    from ..checks import InputError

    try:
        top, parsers = parser(called)
        parsed = top.parse_args(given)
        from .call import Call

        name = parsed.subcommand
        file = command_file(name)
        options = dict(vars(_instantiate(top, parsed)[name]))
        options.pop("config", None)
        call = Call(parsers[name].dump(parsed[name]), shlex.join(["eigenclock", *given]))
        file.command(config_of(file)(**options), call)
    except InputError as error:
        from .errors import one_line

        print(f"eigenclock: error: {one_line(str(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("eigenclock: interrupted; a run continues with --resume", file=sys.stderr)
        sys.exit(130)


def _instantiate(top: Any, parsed: Any) -> Any:
    """The parsed options as objects; an InputError that jsonargparse has wrapped in its own comes out again."""
    from ..checks import InputError

    try:
        return top.instantiate(parsed)
    except (ValueError, TypeError) as error:
        found: BaseException | None = error
        while found is not None and not isinstance(found, InputError):
            found = found.__cause__ or found.__context__
        if found is None:
            raise
        raise found from None
