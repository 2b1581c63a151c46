"""The command line: parses, calls, prints. User errors are one line on stderr and exit code 2."""

import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CONTINUED = {"run", "train", "predict"}
"""Commands that continue with --resume."""


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `eigenclock`."""
    given = sys.argv[1:] if arguments is None else [str(one) for one in arguments]
    for stream in (sys.stdout, sys.stderr):  # what a terminal's encoding cannot show is replaced
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        with _terminable(), _plain_warnings():
            _call(given)
        if sys.stdout is not None:
            sys.stdout.flush()
    except ValueError as error:
        from ..checks import InputError

        if not isinstance(error, InputError):
            raise
        _end(_words(error), 2)
    except MemoryError as error:
        reason = f" ({str(error).splitlines()[0]})" if str(error) else ""
        _end(f"error: out of memory{reason}: take fewer or smaller samples, --n or --image_size", 2)
    except BrokenPipeError:  # the reader of our output, such as head, has gone
        sys.stdout = None
        sys.exit(141)
    except OSError as error:  # the output itself: what files refuse has become an InputError
        sys.stdout = None
        _end(f"error: cannot write the output: {error.strerror or error}", 2)
    except KeyboardInterrupt as stop:
        terminated = isinstance(stop, Terminated)
        word = str(stop) or ("terminated" if terminated else "interrupted")
        command = given[0] if given else ""
        if command == "study":  # which has no --resume: what is there is not done again
            word = word.replace("--resume continues from there", "the same command goes on from there")
        more = "; --resume goes on after the last finished stage" if not str(stop) and command in CONTINUED else ""
        _end(f"{word}{more}", getattr(stop, "exit_code", 143 if terminated else 130))


def _words(error: ValueError) -> str:
    from .errors import one_line

    return f"error: {one_line(str(error))}"


def _end(words: str, code: int) -> None:
    print(f"eigenclock: {words}", file=sys.stderr)
    sys.exit(code)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends what is going on as Ctrl-C does, so that what is half written is taken away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """What is said of inputs as one line on stderr, once each."""
    with warnings.catch_warnings():
        usual, said = warnings.showwarning, set[str]()

        def show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
            if category.__name__ != "InputWarning":  # which is not imported for --help
                usual(message, category, filename, lineno, file, line)
            elif str(message) not in said:
                said.add(str(message))
                print(f"eigenclock: note: {' '.join(str(message).split())}", file=sys.stderr)

        warnings.showwarning = show
        yield


def _call(given: list[str]) -> None:
    """Parse and do; nothing is imported for a command that is not called, nor before Ctrl-C is heard."""
    from .parsing import command_file, config_of, normalised, parser

    words = normalised(given)
    _check_config_file(words)
    top, parsers = parser([word for word in words if not word.startswith("-")][:1])
    parsed = top.parse_args(words)
    from ..checks import InputWarning
    from .call import Call, kept_config

    name, file = parsed.subcommand, command_file(parsed.subcommand)
    for typed, other in (("resume", "overwrite"), ("overwrite", "resume")):  # what is typed wins over a config file
        if f"--{typed}" in words and f"--{other}" not in words and parsed[name].get(other):
            parsed[name][other] = False
    warnings.filterwarnings("always", category=InputWarning)
    options = dict(vars(_instantiate(top, parsed)[name]))
    options.pop("config", None)
    call = Call(kept_config(parsers[name], parsed[name]), shlex.join(["eigenclock", *given]))
    file.command(config_of(file)(**options), call)


def _check_config_file(words: list[str]) -> None:
    """What is wrong with a config file as a file is said before its content is read."""
    for i, word in enumerate(words):
        if word == "--config" or word.startswith("--config="):
            from ..checks import InputError
            from ..files import read_text, regular_file

            file = word.partition("=")[2] if "=" in word else words[i + 1] if i + 1 < len(words) else ""
            if not file:
                raise InputError("config must be a YAML file, got none")
            read_text(regular_file(file, "config"), "config")


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
            raise InputError(str(error)) from None
        raise found from None
