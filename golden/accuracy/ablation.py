"""What each part of the default recipe is good for: runs in which one thing is different."""

from dataclasses import replace

from golden.accuracy.options import EvalOptions
from golden.quantise.recipes.table import DEFAULT, RECIPES

# A default recipe calibrated on so many times fewer texts.
FEWER = (2, 4)
SHARES = (0.0, 0.01)


def variants(base: EvalOptions) -> list[tuple[str, EvalOptions]]:
    """Return a label and the options of each run, the recipe as it is first."""
    runs = [("as it is", replace(base, recipe=DEFAULT))]
    runs += [
        (recipe.title, replace(base, recipe=name))
        for name, recipe in RECIPES.items()
        if name != DEFAULT
    ]
    other = "plain codebooks" if base.symmetric else "symmetric codebooks"
    runs.append((other, replace(base, symmetric=not base.symmetric)))
    runs += [
        (f"{100 * share:g} % outliers a side", replace(base, outlier_share=share))
        for share in SHARES
        if share != base.outlier_share
    ]
    runs += [
        (f"calibrated on {base.calibration // part} texts", replace(base, calibration=few))
        for part in FEWER
        if (few := base.calibration // part)
    ]
    return runs
