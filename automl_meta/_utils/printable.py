"""Text that users name, such as columns, files and labels, made fit to be shown."""

from __future__ import annotations

import re

__all__ = ["UNFIT", "printable"]

# Control characters, among them those that terminals obey; the line ends of Unicode; what is
# invisible or overrides the direction of the text around it; halves of characters, as in file names
# that are no UTF-8. Joiners stay: emoji and whole scripts need them.
UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\ud800-\udfff]"
)


def printable(text: object) -> str:
    r"""Show a text in one line: what would command a terminal, or hide, becomes a backslash escape.

    All other characters of all languages stay as they are. A backslash stays one, so the result is
    for people and not to be read back.

    Examples
    --------
    >>> print(printable("größe [/x] \x1b[31mred\nnext"))
    größe [/x] \x1b[31mred\nnext
    """
    return UNFIT.sub(lambda found: ascii(found.group())[1:-1], str(text))
