"""Display of database URLs without passwords."""

import pytest

from automl_meta._utils.databases import parse_url, shown_url, without_secrets
from automl_meta.exceptions import UsageError

WITH_PASSWORDS = [
    "postgresql+psycopg://me:hunter2@host/results",
    "postgresql+psycopg://me@host/results?password=hunter2",
    "postgresql+psycopg://me:x@host/results?sslpassword=hunter2&sslmode=require",
    "postgresql+psycopg://me@host/results?options=-c%20my.password%3Dhunter2",
    "postgresql+psycopg://me@host/results?options=-c%20a%3Db&options=-c%20my.password%3Dhunter2",
    "mysql://me:hunter2@host:3306/results?passwd=hunter2",
    "postgresql://me:hunter2@host:port/results",
    "postgresql://me:hunter2",
    "postgresql://me:a@hunter2@host/results",
    "nosuch://me:hunter2@host/results",
]


@pytest.mark.parametrize("text", WITH_PASSWORDS)
def test_a_password_is_never_shown(text: str) -> None:
    assert "hunter2" not in shown_url(text)
    assert "hunter2" not in without_secrets(f"no route to {text}", text)


@pytest.mark.parametrize("text", WITH_PASSWORDS[6:9])
def test_what_is_no_url_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(UsageError, match="is not a database URL") as caught:
        parse_url(text)
    assert "hunter2" not in str(caught.value)


def test_a_value_within_the_options_is_not_shown_either() -> None:
    url = "postgresql+psycopg://me@host/results?options=-c%20my.password%3Dhunter2"
    assert without_secrets('invalid value for "my.password": "hunter2"', url) == (
        'invalid value for "my.password": "***"'
    )


def test_what_is_no_url_or_has_no_password_is_shown_as_it_is() -> None:
    for text in ("mine.db", "sqlite:///mine.db", "postgresql://me@host:5432/results?sslmode=require"):
        assert shown_url(text) == text


def test_a_password_with_an_at_sign_is_refused_with_the_remedy() -> None:
    with pytest.raises(UsageError, match="escape @ : / as %40 %3A %2F"):
        parse_url("postgresql://me:p@ss@host/results")
    assert parse_url("postgresql://me:p%40ss@host/results").password == "p@ss"
