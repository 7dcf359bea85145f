"""The three engines (AR, FM, zero-shot FM), the codec and all they need.

Knows neither Gradio nor `editor/`. Importing the package loads no torch: import the
submodule you need.
"""
