"""The recipes by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from golden.errors import InputError
from golden.recipes.refined import refine_weights
from golden.recipes.weights import WeightFit, paper_weights, weighted_weights
from golden.tensor_file import near


@dataclass(frozen=True)
class Recipe:
    """A way to find scales, codebook and indices of a weight matrix.

    Parameters
    ----------
    title : str
        What tables call it.
    fit : callable
        Takes weights (K, N), :class:`golden.recipes.moments.InputMoments`, bits, and whether the
        codebook is symmetric.
    together : bool
        Whether indices are chosen for their common error, and the bias makes good its mean; else
        each weight becomes its nearest centroid and the bias stays.
    """

    title: str
    fit: Callable[..., WeightFit]
    together: bool


DEFAULT = "refined"
RECIPES: Mapping[str, Recipe] = {
    "refined": Recipe("indices refined together", refine_weights, together=True),
    "weighted": Recipe("K-Means weighted by energy", weighted_weights, together=False),
    "paper": Recipe("the paper's K-Means", paper_weights, together=False),
}


def require_recipe(name: str) -> Recipe:
    """Return a recipe; raise InputError, with the near matches, if there is none of that name."""
    if name not in RECIPES:
        raise InputError(f"there is no recipe {name!r}{near(name, RECIPES)}")
    return RECIPES[name]
