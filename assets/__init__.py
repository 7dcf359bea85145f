"""The files that the program reads besides its code. No code; `inlay_assets` in a wheel."""
