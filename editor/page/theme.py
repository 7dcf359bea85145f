"""The page's dress: Gradio's variables in Inlay's tokens, and the style sheet with the font's address.

What the tokens are is in `assets/page/shell/page.css`. Knows no components.
"""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils.sizes import Size

from editor.page.timeline import MODULES, file_address
from engines.assets import ASSETS


def theme() -> gr.themes.Base:
    """Gradio's variables in Inlay's tokens; `page.css` does the rest."""
    colours = {
        "body_background_fill": "bg",
        "background_fill_primary": "surface",
        "background_fill_secondary": "surface",
        "body_text_color": "text",
        "body_text_color_subdued": "muted",
        "block_background_fill": "surface",
        "block_label_text_color": "muted",
        "block_title_text_color": "muted",
        "block_info_text_color": "muted",
        "border_color_primary": "line",
        "input_background_fill": "lane",
        "input_border_color": "line2",
        "input_border_color_focus": "text",
        "input_placeholder_color": "faint",
        "button_primary_background_fill": "text",
        "button_primary_text_color": "surface",
        "button_secondary_background_fill": "raised",
        "button_secondary_background_fill_hover": "hover",
        "button_secondary_text_color": "text",
        "checkbox_background_color": "lane",
        "checkbox_border_color": "line2",
        "checkbox_label_text_color": "text",
        "slider_color": "text",
        "error_text_color": "err",
        "color_accent_soft": "hover",
    }
    variables: dict[str, str] = {}
    for name, token in colours.items():
        variables[name] = f"var(--{token})"
        variables[f"{name}_dark"] = f"var(--{token})"
    base = gr.themes.Base(
        font=["Inter", "Helvetica Neue", "Segoe UI", "Arial", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
        text_size=Size("11px", "11px", "12px", "13px", "15px", "18px", "28px", name="inlay_text"),
        radius_size=Size("3px", "4px", "4px", "6px", "6px", "8px", "10px", name="inlay_radius"),
    )
    known = {name: value for name, value in variables.items() if hasattr(base, name)}
    return base.set(**known, block_border_width="0px", block_padding="0px", block_shadow="none")


def first_script() -> str:
    """What a page runs before Gradio's own modules, which take hold of what it changes."""
    return (MODULES / "parts" / "resting.js").read_text()


def stylesheet() -> str:
    """The page's and the panel's CSS with the font's address in it."""
    font = file_address(ASSETS / "fonts" / "InterVariable-subset.woff2")
    sheets = ((MODULES / "shell" / name).read_text("utf-8") for name in ("page.css", "panel.css"))
    return "\n".join(sheets).replace("__FONT__", font)
