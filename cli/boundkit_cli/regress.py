"""``boundkit regress``: a line through many nets, or a ranking of measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from boundkit_cli import options as opt
from boundkit_cli import regress_options as own
from boundkit_cli.console import talk
from boundkit_cli.exits import DONE
from boundkit_cli.targets import deliver, targets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["regress"]


def regress(
    table: own.Table,
    x: own.X = "inverse_rho",
    y: own.Y = None,
    group: own.Group = None,
    by: own.By = None,
    log: own.Log = "none",
    mix: own.Mix = False,
    rank: own.Rank = False,
    measures: own.Measures = None,
    hyperparameters: own.Hyperparameters = None,
    test_size: own.TestSize = None,
    level: own.Level = 0.95,
    resamples: own.Resamples = 10_000,
    seed: own.Seed = 0,
    plot: own.PlotFile = None,
    bars: own.BarsFile = None,
    formats: own.Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Fit 1/rho, or any column, against the test error of many nets.

    TABLE is the folder of a sweep or a table file. With --rank, all measures of the
    table are ranked instead, by how well they order the errors of its nets.

    A correlation over these nets, not a bound.

    \b
    Example:
      boundkit regress results --by label_noise --group weight_decay --plot fit.png
      boundkit regress nets.csv --x log10_rho --y test_error --log y
      boundkit regress results --rank --test-size 2000

    \b
    Exit codes:
      0  done
      2  wrong usage, or architectures or training-set sizes are mixed without --mix
      3  the table cannot be read, lacks a column, or leaves no line to fit
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    own.require_fitting(rank, group, by, bars, measures, hyperparameters, test_size)
    for path in (plot, bars):
        if path is not None:
            own.check_figure(path, table)
    import boundkit
    from boundkit.regression.document import RANKING_FORMATS, REGRESSION_FORMATS

    if rank:
        wanted = targets(formats or [], output, [table], RANKING_FORMATS)
        ranking = boundkit.rank_measures(
            table,
            y,
            measures=own.names(measures),
            hyperparameters=own.names(hyperparameters),
            test_size=test_size,
            mix=mix,
            seed=seed,
        )
        _draw(ranking.plot, plot, quiet)
        deliver(ranking, wanted, quiet)
        return DONE
    shown = targets(formats or [], output, [table], REGRESSION_FORMATS)
    found = boundkit.regress(
        table,
        x,
        y,
        group=group,
        by=own.names(by),
        log=own.parse_log(log),
        mix=mix,
        level=level,
        resamples=resamples,
        seed=seed,
    )
    _draw(found.plot, plot, quiet)
    _draw(found.plot_bars, bars, quiet)
    deliver(found, shown, quiet)
    return DONE


def _draw(figure: Callable[[], Figure], path: Path | None, quiet: bool) -> None:
    if path is None:
        return
    from boundkit.plot import save

    save({path.stem: figure()}, path.parent, "svg" if path.suffix == ".svg" else "png")
    if not quiet:
        talk(f"wrote {path}")
