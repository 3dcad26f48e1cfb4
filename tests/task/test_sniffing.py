"""Detection of encodings and delimiters near its thresholds."""

import pytest

from automl_meta.exceptions import DataError
from automl_meta.task.sniffing import sniff_csv, sniff_encoding


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"abc", "utf-8"),
        (b"", "utf-8"),
        ("abc".encode("utf-16-le"), "utf-16-le"),
        ("abc".encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfea\x00", "utf-16"),
        (b"\xfe\xff\x00a", "utf-16"),
        ("Die Größe der Straße in der Stadt".encode("cp1252"), "cp1252"),
        ("Москва казань ЮГ".encode("cp1251"), "cp1251"),
        ("Москва казань".encode("koi8-r"), "koi8-r"),
        ("Αθήνα Πάτρα".encode("cp1253"), "cp1253"),
        (b"\xe9" + b"a" * 197 + b"\x01" * 2, "cp1252"),
        (b"\xe9\t\r\n" + b"a" * 96, "cp1252"),
    ],
)
def test_the_encoding_of_text(data: bytes, encoding: str) -> None:
    assert sniff_encoding("t.csv", data) == encoding


@pytest.mark.parametrize(
    "data", [b"\x00" * 100, b"a\x00b\x00\x00\x00", b"ab\x00cd\x00", b"\xe9" + b"a" * 196 + b"\x01" * 3]
)
def test_what_is_no_text_is_binary(data: bytes) -> None:
    with pytest.raises(DataError, match=r"t\.csv is a binary file"):
        sniff_encoding("t.csv", data)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b;c\n1,2;3\n", ","),
        ("a;b,c\n1;2,3\n1;2\n", ";"),
        ("a;b;c,d\n1;2;3,4\n", ";"),
        ("a|b\n1|2\n", "|"),
        ("a\tb\n1\t2\n", "\t"),
        ("a\n1\n2\n", ","),
        ("", ","),
        ("a;b\n" + "1;2\n" * 5000, ";"),
        ("x,y\n" + "1,2\n" * 60 + "1;2;3;4\n" * 500, ","),
    ],
)
def test_the_delimiter_is_that_by_which_the_rows_agree(text: str, delimiter: str) -> None:
    assert sniff_csv(text.encode(), "t.csv").delimiter == delimiter
