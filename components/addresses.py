"""Addresses of servers that a user has named, and what is wrong with one that does not answer."""

import re
from urllib.parse import urlsplit

SECONDS_TO_ANSWER = 10
"""That a server gets when it is first asked."""


def without_password(address: str) -> str:
    """Returns an address as it may be shown."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", address)


def unreachable(variable: str, address: str, error: Exception, instead: str) -> str:
    """Returns one line about an address that cannot be used.

    Args:
        variable: of the environment, that holds it.
        address: what it holds.
        error: of the client that has tried.
        instead: what is used where the variable is not set.
    """
    problem = f"{variable}={without_password(address)}: {_why(address, error)}"
    return f"{problem}; correct it, start what it names, or unset it to use {instead}"


def _why(address: str, error: Exception) -> str:
    if not _well_formed(address):
        return "this is no address, such as http://HOST:PORT"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TimeoutError):
            return f"no answer in {SECONDS_TO_ANSWER} s"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    text = str(error).replace(address, without_password(address)).strip() or type(error).__name__
    text = text.splitlines()[0]
    if code := re.search(r"error (?:code )?'?(\d{3})\b", text):
        refused = "it does not let this client in" if code[1] in ("401", "403") else "another kind of server?"
        return f"it answers with HTTP {code[1]}: {refused}"
    return text[:200] if not address.startswith("http") else "it answers as another kind of server"


def _well_formed(address: str) -> bool:
    """Tells whether no scheme is missing; MLflow's `databricks` and `file:./mlruns` need none."""
    try:
        urlsplit(address)
    except ValueError:  # half an IPv6 address
        return False
    return not re.match(r"[^/]+:\d+(/|$)", address)
