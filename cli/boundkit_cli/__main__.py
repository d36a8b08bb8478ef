"""``python -m boundkit_cli`` is the command ``boundkit``."""

from __future__ import annotations

from boundkit_cli.app import main

__all__: list[str] = []

main()
