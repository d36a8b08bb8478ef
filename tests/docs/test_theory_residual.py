"""Numbers that docs/theory_residual.md prints are those that the code computes."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from boundkit.certify.ratio_grid import grid_cost, rounded_up

TEXT = (
    Path(__file__).parents[2].joinpath("docs", "theory_residual.md").read_text("utf-8")
)
RATIOS = (2.0**-8, 1 / 8, 1 / 2, 1, 8, 1000)


@pytest.mark.parametrize("per_octave", [1, 8])
def test_table_of_costs(per_octave):
    (line,) = re.findall(rf"\| \$m={per_octave}\$ \|(.*)\|", TEXT)
    printed = [float(cell) for cell in line.split("|")]
    numbers = [rounded_up(math.log(ratio), per_octave)[1] for ratio in RATIOS]

    np.testing.assert_allclose(
        printed,
        [grid_cost([k], per_octave) for k in numbers],
        atol=5.1e-3,  # printed with two decimals
        rtol=0,
    )
