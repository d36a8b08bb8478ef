"""What to think of a ranking, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.regression.mixing import mixture

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["environment_words", "mixture_words", "trust_words"]

#: Measures in 20 of which one reaches it by chance.
_LEVEL = 0.05


def mixture_words(frame: pd.DataFrame, mix: bool) -> list[str]:
    """Return what is to be said of nets of several kinds.

    Args:
        frame: The rows that are ranked by.
        mix: Whether the caller asked for a mixture.
    """
    unlike = mixture(frame) if mix else None
    if unlike is None:
        return []
    return [f"the nets mix {unlike.what} ({unlike.column}: {unlike.shown}), as asked"]


def environment_words(
    hyperparameters: Sequence[str], guessed: bool, found: int, counted: int
) -> list[str]:
    """Return what is to be said of hyperparameters and pairs of settings.

    Args:
        hyperparameters: That were varied.
        guessed: Whether they were taken from the table.
        found: Pairs of settings that differ in one.
        counted: Those with enough pairs of nets.
    """
    if not hyperparameters:
        return [
            (
                "no hyperparameter is known, so only correlations over all pairs are "
                "given; name them with --hyperparameters"
            )
        ]
    names = ", ".join(hyperparameters)
    remarks = []
    if guessed:
        remarks.append(
            f"taken for hyperparameters, because their values repeat: {names}"
        )
    if not found:
        remarks.append(
            "no two nets differ in one hyperparameter alone, so there is no sign error"
        )
    elif not counted:
        remarks.append(
            "no two settings that differ in one hyperparameter have enough pairs, so "
            "there is no sign error"
        )
    elif counted < found:
        remarks.append(
            f"{found - counted} of {found} pairs of settings have too few trusted pairs "
            "of nets and are not counted"
        )
    return remarks


def trust_words(
    hyperparameters: Sequence[str], test_size: int | None, measures: int
) -> list[str]:
    """Return what is to be said of noise and of chance.

    Args:
        hyperparameters: That were varied.
        test_size: Samples of the test data, or None.
        measures: That are ranked.
    """
    remarks = []
    if hyperparameters and test_size is None:
        remarks.append(
            "every difference of errors is trusted; --test-size lets those that are "
            "noise count less"
        )
    likely = round(_LEVEL * measures)
    if likely:
        remarks.append(
            f"of {measures} measures about {likely} would reach p < 0.05 by chance"
        )
    return remarks
