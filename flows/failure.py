"""How a mistake that a user can mend, or Ctrl-C, ends a flow or a task: in one line, with no traceback."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Task
from prefect.client.schemas.objects import State
from prefect.exceptions import CancelledRun
from prefect.states import Cancelled, Failed

from components.errors import UnmaskError

P = ParamSpec("P")
R = TypeVar("R")


def fails_in_one_line(function: Callable[P, R]) -> Callable[P, R]:
    """Turns an `UnmaskError` into a Failed state that carries it, an interruption into a Cancelled one.

    Whoever asks for the result gets the error raised, or `CancelledRun`.

    Prefect logs a traceback for every exception that leaves a flow or a task; other exceptions still leave.
    """

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | State[Any]:
        try:
            return function(*args, **kwargs)
        except UnmaskError as error:
            return Failed(message=str(error), data=error)
        except (KeyboardInterrupt, CancelledRun):
            return Cancelled(message="interrupted")

    # To callers it still returns R: Prefect raises a Failed state's error where the result is asked for.
    return cast(Callable[P, R], guarded)


def call(step: Task[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs a task inside its flow, and raises what made it fail.

    Called by itself, a task that ends in a Failed state hands that state out as if it were a result.
    """
    state: State[R] = step(*args, **kwargs, return_state=True)
    return state.result()
