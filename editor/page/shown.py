"""What the page shows as HTML: words are escaped here, and only what was written as `Markup` is not.

Words go into markup by `Markup("<b>{}</b>").format(words)`, which escapes them. Knows no sessions.
"""

from __future__ import annotations

import gradio as gr
from markupsafe import Markup, escape

__all__ = ["Markup", "Shown"]


class Shown(gr.HTML):
    """HTML whose value is `Markup`; any other string is shown as the words that it is."""

    def postprocess(self, value: str | None) -> str | None:
        """The value for the page, escaped unless it is markup."""
        return None if value is None else str(escape(value))
