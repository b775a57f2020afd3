"""Nonlinear operations on 4-bit indices."""

from functools import partial

from gateware.point import Point, listed
from golden.quantise.index_fit import THRESHOLDS
from hw.index.index_histogram import IndexHistogram
from hw.index.index_map import IndexMap
from hw.index.index_mean_square import IndexMeanSquare
from hw.index.index_softmax import IndexSoftmax
from hw.index.index_squares import IndexSquares
from hw.index.index_sum import IndexSum
from hw.index.score_quantizer import ScoreQuantizer

QUANTIZER = partial(ScoreQuantizer, thresholds=THRESHOLDS)
SOFTMAX = partial(IndexSoftmax, thresholds=THRESHOLDS)

POINTS = (
    # Small ones first: proofs take the first of each kind.
    Point("score_quantizer_l1", partial(QUANTIZER, 1, 20)),
    Point("index_softmax_l4", partial(SOFTMAX, 4, 9)),
    Point("score_quantizer_l4", partial(QUANTIZER, 4, 65)),
    Point("index_histogram_l4", partial(IndexHistogram, 4, 64)),
    Point("index_histogram_l1", partial(IndexHistogram, 1, 9)),
    Point("index_sum_l4", partial(IndexSum, 4, 64)),
    Point("index_squares_k64", partial(IndexSquares, 64)),
    Point("index_mean_square_l4", partial(IndexMeanSquare, 4, 64)),
    Point("index_map_l4", partial(IndexMap, 4)),
    listed(
        "score_quantizer",
        partial(QUANTIZER, 16, 256),
        "indices of softmax's powers, 16 scores a cycle",
        bench="index.bench_score_quantizer",
    ),
    listed(
        "index_softmax",
        partial(SOFTMAX, 16, 256),
        "indices of softmax's powers and their sum, 16 scores a cycle",
        bench="index.bench_index_softmax",
    ),
    listed(
        "index_histogram",
        partial(IndexHistogram, 16, 4096),
        "how often each index occurs in a vector, 16 indices a cycle",
        bench="index.bench_index_histogram",
    ),
    listed(
        "index_sum",
        partial(IndexSum, 16, 4096),
        "sum of any function of a vector on indices, 16 indices a cycle",
        bench="index.bench_index_sum",
    ),
    listed(
        "index_squares",
        partial(IndexSquares, 4096),
        "sum of squares of outliers and of what indices count for, digit by digit",
    ),
    listed(
        "index_mean_square",
        partial(IndexMeanSquare, 16, 4096),
        "sum of squares of a vector on indices and its outliers, 16 indices a cycle",
        bench="index.bench_index_mean_square",
    ),
    listed(
        "index_map",
        partial(IndexMap, 16),
        "FP16 values that indices stand for, 16 a cycle",
    ),
)
