"""The page and its server: components, events, what they show."""

from editor import lean

lean.spare()  # every module of this package comes after it, and with them Gradio
