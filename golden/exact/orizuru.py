"""How many comparisons Orizuru makes, the paper's outlier engine: two trees over the same leaves.

Which outliers it finds says :func:`golden.exact.outliers.select_outliers`. Here are the comparisons
(arXiv 2507.23035, section on Orizuru) of one large tree on each side, and of the same trees made
of units that look ahead.
"""

UNIT_INPUTS = 16


def tree_comparisons(inputs: int, k: int) -> int:
    """Return how many comparisons the trees make: 1.5 N + 2 k log2 N, but for small terms.

    Building takes N/2 comparisons of neighbouring leaves, which serve both trees, and N/2 - 1
    more in each tree. A pop compares anew on the levels above its leaf, log2 N - 1 of them: next
    to the leaf there is nothing to compare, as a popped leaf loses. After the last pop of a side
    nobody asks who would be next. So, N a power of two of at least 2 and k of at least 1, it is

        N/2 + 2 (N/2 - 1) + 2 (k - 1) (log2 N - 1)  =  1.5 N + 2 k log2 N - 2 k - 2 log2 N

    Other numbers of leaves are filled up to the next power of two with leaves that lose to all;
    their comparisons count, as hardware makes them.

    Parameters
    ----------
    inputs : int
        N, at least 1.
    k : int
        Pops on each side, 0 to N.
    """
    most = leaves(inputs)
    levels = most.bit_length() - 1
    build = most // 2 + 2 * (most // 2 - 1)
    return build + 2 * max(k - 1, 0) * (levels - 1)


def hierarchy(inputs: int) -> list[tuple[int, int]]:
    """Return how many units each level has, the lowest first, and how many inputs each of these.

    Units have ``UNIT_INPUTS`` inputs; the root has as many as it needs, a power of two. For 4096
    inputs that is 256 + 16 + 1 units.
    """
    levels = []
    while inputs > UNIT_INPUTS:
        levels.append((-(-inputs // UNIT_INPUTS), UNIT_INPUTS))
        inputs = levels[-1][0]
    return [*levels, (1, leaves(inputs))]


def hierarchy_comparisons(inputs: int, k: int) -> int:
    """Return how many comparisons the trees make when they consist of units that look ahead.

    Each unit below the root takes its best key out of its tree and shows it to the unit above,
    so it looks once more for a next key than it is asked for one. With u units below the root on
    the way from a leaf (u = 256 + 16 on the lowest of three levels, 16 on the one above) a level
    makes u + k - 1 pops on each side, and the root k - 1 that matter. Each pop compares on all
    levels of its unit, but for the leaves' own. For N = 4096 and k of at least 1:

        256 (8 + 2 * 7) + 2 * 17 * 15  +  2 (3 (272 + k - 1) + 4 (16 + k - 1) + 4 (k - 1))

    where one large tree would make as many to build it, and 2 * 11 (k - 1). What looking ahead
    costs is the difference, 2 (3 * 272 + 4 * 16) = 1760, whatever k. Units that are not full
    count as if they were.

    Parameters
    ----------
    inputs : int
        N, at least 1.
    k : int
        Pops on each side, 0 to N.
    """
    total, pops = 0, k - 1
    for level, (units, unit_inputs) in reversed([*enumerate(hierarchy(inputs))]):
        own = unit_inputs // 2 if level == 0 else 0  # neighbouring leaves: once for both trees
        total += units * (own + 2 * (unit_inputs - 1 - own))
        if k:
            pops += 0 if units == 1 else units
            total += 2 * pops * ((unit_inputs - 1).bit_length() - (level == 0))
    return total


def leaves(inputs: int) -> int:
    """Return the next power of two, at least 2."""
    return max(2, 1 << (inputs - 1).bit_length())
