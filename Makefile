# The door: `make check` before every commit. Tools come from `pip install -e '.[dev]'`.
.PHONY: check fmt lint types imports test slow browser trackers docs serve

check: lint types imports docs test

fmt:
	ruff check --fix .
	ruff format .

lint:
	ruff check .
	ruff format --check .

types:
	mypy

imports:
	lint-imports

test:
	python -m pytest -q -n 2 --dist loadfile

slow:
	python -m pytest -q -n 2 --dist loadfile -m "slow or property"

browser: # needs chromium and chromedriver
	python -m pytest -q -m browser

trackers: # needs pip install -e '.[trackers]'
	python -m pytest -q -m trackers

docs:
	python docs/generate_cli.py --check
	python docs/generate_schema.py --check
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

serve:
	NO_MKDOCS_2_WARNING=1 mkdocs serve
