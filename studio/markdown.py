"""Texts of strangers inside Markdown: in the pages, and in a model card."""

from __future__ import annotations

import re
from typing import Any


def plain(text: Any) -> str:
    """A text as Markdown that shows just this text: no HTML, no links, no pictures, no headings, no formulas."""
    text = re.sub(r"([\\`*_{}\[\]#!|<>~$&])", r"\\\1", " ".join(str(text).split()))
    text = re.sub(r"(:)(?=//)|(?<=www)(\.)", r"\\\g<0>", text)  # or a bare address would become a link
    text = re.sub(r"(?<=\w)@(?=\w)", r"\\@", text)  # and so would one of a mailbox
    return re.sub(r"^(\d{0,9})([-+.)])(?=\s|$)", r"\1\\\2", text)  # or a list would begin
