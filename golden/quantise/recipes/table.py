"""The recipes by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from golden.base.names import lookup
from golden.exact.codebook import FloatArray
from golden.quantise.recipes.moments import InputMoments, Regard
from golden.quantise.recipes.refined import Steps, refine_weights
from golden.quantise.recipes.weights import WeightFit, paper_weights, weighted_weights


@dataclass(frozen=True)
class Recipe:
    """A way to find scales, codebook and indices of a weight matrix.

    Parameters
    ----------
    title : str
        What tables call it.
    plain : callable, optional
        Finds them at once, each weight its nearest centroid; the bias stays.
    steps : Steps
        How indices are searched for together, otherwise.
    regard : Regard
        What the moments take into account that the search minimises.
    bias : bool
        Whether the bias makes good mean errors, otherwise.
    """

    title: str
    plain: Callable[..., WeightFit] | None = None
    steps: Steps = field(default_factory=Steps)
    regard: Regard = field(default_factory=Regard)
    bias: bool = True

    @property
    def uniform(self) -> bool:
        """Whether both codebooks are uniform grids."""
        return self.steps.uniform

    @property
    def corrects(self) -> bool:
        """Whether the bias makes good what indices and table change in the mean."""
        return self.bias and not self.plain

    def fit(self, w: FloatArray, moments: InputMoments, bits: int, *, symmetric: bool) -> WeightFit:
        """Return weights (K, N), quantised; the product table may move the codebook yet."""
        if self.plain:
            return self.plain(w, moments, bits, symmetric=symmetric)
        return refine_weights(w, moments, bits, symmetric=symmetric, steps=self.steps)


DEFAULT = "refined"
# The first three are for use; the others leave something out, to see what it is good for.
RECIPES: Mapping[str, Recipe] = {
    "refined": Recipe("refined"),
    "weighted": Recipe("K-Means weighted by the inputs' energy", plain=weighted_weights),
    "paper": Recipe("the paper's K-Means", plain=paper_weights),
    "uniform": Recipe("a uniform grid, refined alike", steps=Steps(uniform=True)),
    "feedback": Recipe("error feedback alone", steps=Steps(sweeps=0)),
    "descent": Recipe("no error feedback to start with", steps=Steps(feedback=False)),
    "no_refits": Recipe("scales and codebook stay", steps=Steps(refits=0)),
    "no_regression": Recipe("weights aim at what they were", regard=Regard(regress=False)),
    "uncentred": Recipe("moments not centred", regard=Regard(centred=False)),
    "uneven": Recipe("loud tokens count more", regard=Regard(even=False)),
    "no_bias": Recipe("the bias stays; not centred", regard=Regard(centred=False), bias=False),
}


def require_recipe(name: str) -> Recipe:
    """Return a recipe; raise InputError, with the near matches, if there is none of that name."""
    return lookup("recipe", name, RECIPES)
