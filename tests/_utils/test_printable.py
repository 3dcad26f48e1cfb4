import pytest
from hostile_names import HOSTILE_NAMES

from automl_meta._utils.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("half \udcff", "half \\udcff"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("[/x] C:\\x {0} $x$", "[/x] C:\\x {0} $x$"),
        ("größe 名前 اسم 👨‍👩‍👧 e\u0301", "größe 名前 اسم 👨‍👩‍👧 e\u0301"),
    ],
)
def test_only_what_commands_or_hides_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_escaping_twice_is_escaping_once(name: str) -> None:
    assert printable(printable(name)) == printable(name)
