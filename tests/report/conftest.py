from __future__ import annotations


def pytest_addoption(parser):
    parser.addoption(
        "--overwrite",
        action="store_true",
        help="write the golden text reports anew; review the difference",
    )
