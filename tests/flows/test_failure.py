"""What ends a flow whose stages have not all completed."""

from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Crashed, Failed, Pending

from components.errors import StageError
from flows.pipeline import check_completed

DONE = Completed()
WAITING: State[Any] = Pending(name="NotReady")


def failed(told: str) -> State[Any]:
    return Failed(data=StageError(told))


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([DONE, failed("stage b: odd"), WAITING], "stage b: odd"),
        ([WAITING, failed("stage b: odd"), DONE], "stage b: odd"),
        ([DONE, Cancelled(), WAITING], r"stage b: did not complete \(Cancelled\)"),
        ([WAITING, DONE, Cancelled()], r"stage c: did not complete \(Cancelled\)"),
        ([DONE, Pending(), DONE], r"stage b: did not complete \(Pending\)"),
        ([DONE, DONE, WAITING], r"stage c: did not complete \(NotReady\)"),
        ([failed("stage a: odd"), failed("stage b: odd"), WAITING], "stage a: odd"),
    ],
)
def test_the_first_cause_is_told(states: list[State[Any]], told: str) -> None:
    with pytest.raises(StageError, match=f"^{told}$"):
        check_completed(dict(zip("abc", states, strict=True)))


def test_a_crash_is_raised_as_it_was() -> None:
    with pytest.raises(OSError, match="no space"):
        check_completed({"a": Crashed(data=OSError("no space"))})


def test_what_has_completed_or_was_kept_goes_on() -> None:
    check_completed({"a": DONE, "b": Completed(name="Cached")})
