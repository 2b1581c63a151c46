"""What a generated input may do to the library: answer, or refuse it in one line, in time and in memory."""

import io
import resource
import signal
import warnings
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field

SECONDS = 20
"""A call that takes longer hangs."""

MOST_MEMORY = 2**30
"""Bytes by which a call may raise the peak of the process."""


class Hang(BaseException):
    """A call took too long."""


@dataclass
class Tally:
    """How many inputs were tried, how they ended, and those that should have ended otherwise."""

    ends: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)

    @property
    def tried(self):
        return sum(self.ends.values())

    def add(self, what, end, fault=""):
        self.ends[end] += 1
        if fault:
            self.faults.append(f"{what}: {fault}")

    def __str__(self):
        ends = ", ".join(f"{count:,} {end}" for end, count in self.ends.most_common())
        return f"{self.tried:,} tried: {ends}; {len(self.faults)} faults"


def limit_memory(extra=6 * 2**30):
    """Ask for more than this beyond what is mapped now is a MemoryError, not the machine's end."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra, resource.RLIM_INFINITY))


def judge(tally, what, call, type_errors=True):
    """Call it, and put down how it ended. InputError in one line is right, so is Python's TypeError for a wrong call."""
    from eigenclock.checks import InputError

    def ring(*_):
        raise Hang

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            call()
        end, fault = "answered", ""
    except InputError as error:
        end, fault = "refused", "" if "\n" not in str(error) else f"more than one line: {str(error)[:80]!r}"
    except TypeError as error:
        wrong_call = type_errors and error.__traceback__.tb_next is not None and "argument" in str(error)
        end, fault = (
            "TypeError",
            "" if wrong_call and raised_here(error) else f"TypeError: {str(error)[:120]}{where(error)}",
        )
    except Hang as error:
        end, fault = "hung", f"took more than {SECONDS} s{where(error)}"
    except Exception as error:
        end, fault = type(error).__name__, f"{type(error).__name__}: {str(error)[:120]}{where(error)}"
    finally:
        signal.alarm(0)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    if grown > MOST_MEMORY:
        fault = fault or f"took {grown / 2**30:.1f} GiB"
    tally.add(what, end, fault)


def raised_here(error):
    """Whether the call itself could not be made: nothing of the library is on the stack."""
    trace = error.__traceback__
    while trace is not None:
        if "eigenclock" in trace.tb_frame.f_code.co_filename and "robustness" not in trace.tb_frame.f_code.co_filename:
            return False
        trace = trace.tb_next
    return True


def where(error):
    """The last line of the library on the stack."""
    trace, last = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "/eigenclock/" in name:
            last = f" [{name.rsplit('/eigenclock/', 1)[1]}:{trace.tb_lineno}]"
        trace = trace.tb_next
    return last
