"""Safe display of user-supplied text such as names of columns, files and labels."""

from __future__ import annotations

import re

__all__ = ["UNFIT", "printable"]

# Control characters, including terminal escape codes; Unicode line separators; invisible characters
# and directional overrides; lone surrogates, as in file names that are not valid UTF-8. Joiners are
# kept, since emoji and several scripts need them.
UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\ud800-\udfff]"
)


def printable(text: object) -> str:
    r"""Format text as a single line, with control and invisible characters as backslash escapes.

    All other characters, of any language, are kept. Backslashes are not escaped, so the result is
    meant for display and cannot be parsed back.

    Examples
    --------
    >>> print(printable("größe [/x] \x1b[31mred\nnext"))
    größe [/x] \x1b[31mred\nnext
    """
    return UNFIT.sub(lambda found: ascii(found.group())[1:-1], str(text))
