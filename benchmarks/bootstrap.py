"""Bootstrap of least squares by counts, against a loop over ``statsmodels.api.OLS``.

``python benchmarks/bootstrap.py``: 10,000 resamples of 2,000 rows and 4 columns. The loop
runs over some of the same resamples and is scaled up; its coefficients are compared.
"""

from __future__ import annotations

from machine import cpu_seconds, description, settle

_ROWS, _COLUMNS, _RESAMPLES, _LOOPED = 2000, 4, 10_000, 100
_TARGET, _RATIO, _AGREEMENT = 0.5, 15.0, 1e-9


def main() -> None:
    """Time both and print what was promised beside what was measured."""
    import numpy as np
    from statsmodels.api import OLS

    from boundkit.regression.resampling import bootstrap

    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(_ROWS), rng.normal(size=(_ROWS, _COLUMNS - 1))])
    response = design @ rng.normal(size=_COLUMNS) + rng.normal(size=_ROWS)
    drawn = np.random.default_rng(7)
    # The same draws as bootstrap's own, whose blocks are rows of one stream.
    some = drawn.integers(0, _ROWS, (_LOOPED, _ROWS), dtype=np.int32)

    def loop() -> list[object]:
        return [OLS(response[rows], design[rows]).fit().params for rows in some]

    def ours() -> object:
        return bootstrap(design, response, _RESAMPLES, 7)

    (fast, least), (slow, _) = cpu_seconds([ours, loop])
    slow *= _RESAMPLES / _LOOPED
    found = bootstrap(design, response, _LOOPED, 7)
    expected = np.array(loop())
    worst = float((np.abs(found - expected) / np.abs(expected)).max())
    print(description())
    print(
        f"{_RESAMPLES:,} resamples of {_ROWS:,} x {_COLUMNS}, CPU seconds, medians of 5"
    )
    print(f"by counts, drawing included  {fast:8.3f} (least {least:.3f})", end="  ")
    print(f"at most {_TARGET}: {'met' if fast <= _TARGET else 'MISSED'}")
    print(f"loop over OLS, scaled        {slow:8.2f}")
    ratio = slow / fast
    print(f"ratio                        {ratio:8.1f}", end="  ")
    print(f"at least {_RATIO:.0f}: {'met' if ratio >= _RATIO else 'MISSED'}")
    print(f"largest relative difference  {worst:8.1e}", end="  ")
    print(f"at most {_AGREEMENT}: {'met' if worst <= _AGREEMENT else 'MISSED'}")


if __name__ == "__main__":
    settle()
    main()
