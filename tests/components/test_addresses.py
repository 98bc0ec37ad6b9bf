"""What is said of an address that cannot be used."""

import pytest

from components.addresses import unreachable

NO_ADDRESS = "this is no address, such as http://HOST:PORT; "


@pytest.mark.parametrize("address", ["127.0.0.1:5000", "host.example:80/api", "http://[::1"])
def test_a_web_servers_address_without_its_scheme_is_none(address: str) -> None:
    assert unreachable("NAME", address, OSError(), "nothing").startswith(f"NAME={address}: {NO_ADDRESS}")


@pytest.mark.parametrize(
    "address", ["databricks", "databricks://me", "file:./mlruns", "file:/5/mlruns", "uc"]
)
def test_what_else_mlflow_takes_is_an_address(address: str) -> None:
    told = unreachable("NAME", address, ValueError("no such profile\nmore"), "nothing")
    assert told.startswith(f"NAME={address}: no such profile; ")


@pytest.mark.parametrize("text", ["", " \n"])
@pytest.mark.parametrize("address", ["databricks", "sqlite:///x.db"])
def test_an_error_without_words_is_told_by_its_name(address: str, text: str) -> None:
    assert unreachable("NAME", address, KeyError(), "nothing").startswith(f"NAME={address}: KeyError; ")
    assert unreachable("NAME", address, ValueError(text), "").startswith(f"NAME={address}: ValueError; ")
