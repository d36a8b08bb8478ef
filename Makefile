# The door: `make check` before every commit. Tools come from `pip install -e '.[dev]'`.
.PHONY: check fmt lint types imports test slow docs

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
	python -m pytest -q

slow:
	python -m pytest -q -m "slow or property"

docs:
	python docs/generate_cli.py --check
