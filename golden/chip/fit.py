"""The language model in the chip's numbers: what is chosen offline, on training text."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from golden.accuracy.lm_eval import quantised_model
from golden.accuracy.options import EvalOptions
from golden.chip.decoder import LINEARS, Decoder, DecoderLayer, DecoderShape
from golden.chip.layer_image import SCALE_SPAN
from golden.exact import fp16
from golden.exact.linear import QuantizedLinear
from golden.exact.spec import IntArray
from golden.exact.token_scale import Scale
from golden.models.lm.checkpoint import EMBEDDING, HEAD
from golden.models.lm.config import ATTENTION, FEED_FORWARD, Config
from golden.models.lm.model import LanguageModel
from golden.models.lm.tokens import Tokens
from golden.quantise.cache_fit import fit_cache
from golden.quantise.methods.grid import Floats
from golden.quantise.methods.hadamard import hadamard
from golden.quantise.methods.kllm import IntegerLayer
from golden.quantise.methods.layer import Array
from golden.quantise.quantize import quantize_linear, to_fp16, to_scale

NAMES = dict(zip(LINEARS, ATTENTION + FEED_FORWARD, strict=True))
HEAD_OUTLIERS = 0.01


@dataclass(frozen=True)
class Heads:
    """Queries, keys and values (T, heads * width) of a layer on calibration text."""

    query: Array
    key: Array
    value: Array


def fit_decoder(
    model: LanguageModel,
    options: EvalOptions,
    calibration: Tokens,
    report: Callable[[str, float], object] = lambda name, share: None,
) -> Decoder:
    """Return the model in integers, calibrated on windows of text.

    ``report`` is told what is done, and which share of all.
    """
    count = len(model.layer_names) + 1
    done = iter(range(1, count + 1))

    def told(name: str) -> None:
        report(name, next(done) / count)

    quantised = quantised_model(model, options, calibration, told)
    seen = _heads(quantised, calibration)
    hidden = np.concatenate([quantised.run(row[None]) for row in calibration])
    head = fit_head(quantised.tensors.get(HEAD, quantised.tensors[EMBEDDING]).T, hidden)
    told("output head")
    shape = shape_of(quantised.config)
    layers = tuple(_layer(quantised, shape, n, seen[n]) for n in range(shape.layers))
    return Decoder(
        shape=shape,
        embedding=to_fp16("the turned embedding", quantised.tensors[EMBEDDING]),
        layers=layers,
        head=tuple(within_span(times(part, shape.hidden**0.5)) for part in head),
        score_outliers=1,
        mix_outliers=4,
    )


def shape_of(config: Config) -> DecoderShape:
    """Return the sizes of a model's decoder."""
    return DecoderShape(**{one.name: getattr(config, one.name) for one in fields(DecoderShape)})


def fit_head(weight: Floats, hidden: Floats) -> tuple[QuantizedLinear, QuantizedLinear]:
    """Return the output head in two layers, which give logits together.

    The second has the weights and the bias that the first has lost. One layer of 4 bits alone would
    lose about as much as all other layers do.

    Parameters
    ----------
    weight : (hidden, vocabulary) float
    hidden : (T, hidden) float
        What it reads on calibration text.
    """
    known = {"activation_bits": 8, "symmetric": True, "outlier_share": HEAD_OUTLIERS}
    first = quantize_linear(weight, np.zeros(weight.shape[1]), hidden, **known)
    kept = first.w_codebook()[first.w_index] * first.w_scale.value()
    lost = -first.bias.view(np.float16).astype(np.float64)
    return first, quantize_linear(weight - kept, lost, hidden, **known)


def _heads(model: LanguageModel, text: Tokens) -> list[Heads]:
    """Return what attention reads in each layer, behind rotary positions."""
    found: list[list[Heads]] = [[] for _ in range(model.config.layers)]
    calls = iter(range(10**9))

    def cache(query, key, value, turn):
        turned = turn(query), turn(key), value
        by_token = (part.transpose(0, 2, 1, 3) for part in turned)
        flat = (part.reshape(-1, part.shape[2] * part.shape[3]) for part in by_token)
        found[next(calls) % len(found)].append(Heads(*flat))
        return turned

    for row in text:
        replace(model, cache=cache).run(row[None])
    parts = ("query", "key", "value")
    return [
        Heads(*(np.concatenate([getattr(one, part) for one in layer]) for part in parts))
        for layer in found
    ]


def _layer(model: LanguageModel, shape: DecoderShape, n: int, seen: Heads) -> DecoderLayer:
    linears = {}
    for name, place in NAMES.items():
        linear = model.linears[f"model.layers.{n}.{place}"]
        assert isinstance(linear, IntegerLayer)
        linears[name] = linear.layer
    width = shape.head_width
    order = np.concatenate([paired(width) + width * head for head in range(shape.heads)])
    of_keys = order[: shape.kv_heads * width]
    root = shape.hidden**0.5
    linears["query"] = reordered(linears["query"], order)
    linears["key"] = reordered(linears["key"], of_keys)
    for name in ("query", "key", "value", "gate", "up"):
        linears[name] = times(linears[name], root)
    linears["query"] = times(linears["query"], width**-0.5, biased=True)
    keys, queries = seen.key[:, of_keys], seen.query[:, order]
    spread = hadamard(width)
    offset = fp16.to_bits(-keys.mean(axis=0))
    centred = (keys + offset.view(np.float16)).reshape(-1, width)
    return DecoderLayer(
        **{name: within_span(linear) for name, linear in linears.items()},
        key_offset=offset,
        keys=fit_cache(centred @ spread, queries.reshape(-1, width) @ spread),
        values=fit_cache(seen.value.reshape(-1, width)),
    )


def paired(width: int) -> IntArray:
    """Return the order of a head's dimensions in which pairs that turn together are neighbours."""
    return np.arange(width).reshape(2, -1).T.ravel()


def times(layer: QuantizedLinear, factor: float, *, biased: bool = False) -> QuantizedLinear:
    """Return a layer whose outputs are so many times as large; the bias stays unless ``biased``.

    A factor that a token brings along does not multiply the bias, so what makes good for it must
    leave the bias as it is.
    """
    layer = replace(layer, w_scale=to_scale(layer.w_scale.value() * factor))
    if not biased:
        return layer
    bias = fp16.to_bits(layer.bias.view(np.float16) * factor)
    return replace(layer, bias=bias, offset=layer.offset * factor)


def within_span(layer: QuantizedLinear) -> QuantizedLinear:
    """Return a layer whose channels' scales are as near to each other as a chip holds them.

    A channel of weights that are zeros, as tables have that are filled up to a round size, has the
    least scale that there is; it gets the least that can stand beside the largest.
    """
    exponent = layer.w_scale.exponent
    least = np.maximum(exponent, exponent.max() - SCALE_SPAN)
    return replace(layer, w_scale=Scale(layer.w_scale.mantissa, least))


def reordered(layer: QuantizedLinear, order: npt.NDArray[np.integer]) -> QuantizedLinear:
    """Return a layer with its output channels in another order."""
    scale = Scale(layer.w_scale.mantissa[order], layer.w_scale.exponent[order])
    return replace(
        layer, w_index=layer.w_index[:, order], w_scale=scale, bias=layer.bias[order], offset=0.0
    )
