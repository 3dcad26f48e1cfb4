"""Names that users can give to columns, labels, data sets, studies and files, and that mean something elsewhere."""

_MARKUP = (
    "[/x]", "e[red]x", "[bold]b[/bold]", "[link=file:///etc/passwd]x[/link]", "[", "]", "[[", "\\[x]", ":smile:", "[#ff0000]",
)  # fmt: skip
_TERMINAL = (
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b[2Jcleared", "\x9b31mred", "bell\x07", "back\x08space", "delete\x7f",
    "a\tb", "a\nb", "a\rb", "\nautoml-meta: all is well", "form\x0cfeed", "\x85next line", "\u2028line", "\u2029paragraph",
)  # fmt: skip
_CODE = (
    '"""', "'''", '"', "'", "`", "a\\x", "\\", "\\n", "\\N{BULLET}", 'x"); import os; os.abort(); ("', "# comment",
    "__import__('os').system('x')", "lambda: 0", "class", "def", "import", "self", "return", "__init__", "__class__",
    "a; b", "f(x)", "x = 1", "@x",
)  # fmt: skip
_FORMATS = (
    "{}",
    "{0}",
    "{x!r}",
    "{{",
    "}",
    "%s",
    "%(x)s",
    "%",
    "%n",
    "$x$",
    "$\\frac{$",
    "${HOME}",
    "$(id)",
    "~",
    "*",
    "?x#y",
)
_SHELL = (";rm -rf x", "&& x", "| x", "> x", "-x", "--help", "--", "!x")
_SQL = ("'; DROP TABLE runs; --", "' OR 1=1", "x_%", "select")
_WEB = ("<b>x</b>", "<script>alert(1)</script>", "&lt;", "</svg>", "javascript:alert(1)", "=1+1", "@SUM(A1)")
_PATHS = ("../../x", "/etc/passwd", "C:\\x", "a/b", "x.csv", "sklearn:iris")
_JSON = ("a:b", "a,b", '[]{}:,"', "null", "a.b")
_VALUES = ("nan", "None", "NA", "True", "1", "1.5", "1e5", "007", "inf", "-0", " ", " blank ", "Unnamed: 0")
_LANGUAGES = (
    "größe", "名前", "имя", "اسم", "🙂", "👨‍👩‍👧", "e\u0301", "\u202etxt.exe", "zero\u200bwidth", "\ufeffmark", "İ", "ß", "ﬁ", "𝒳",
)  # fmt: skip
_SCIKIT_LEARN = ("a__b", "text__x", "numbers", "model", "passthrough", "target", "_", "x" * 300)

HOSTILE_NAMES: tuple[str, ...] = (
    *_MARKUP, *_TERMINAL, *_CODE, *_FORMATS, *_SHELL, *_SQL, *_WEB, *_PATHS, *_JSON, *_VALUES, *_LANGUAGES, *_SCIKIT_LEARN,
)  # fmt: skip
"""All of them can stand in the header of a CSV file in UTF-8, in quotes."""

HOSTILE_FILE_NAMES: tuple[str, ...] = tuple(
    name for name in HOSTILE_NAMES if "/" not in name and len(name.encode()) < 200
)
"""Those that can be the name of a file on Linux."""

assert len(set(HOSTILE_NAMES)) == len(HOSTILE_NAMES) >= 100
