"""The editor: projects, runs, page and command line over the engines."""
