"""Encoders of BERT's kind in the chip's numbers: what is chosen offline, on calibration text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

import numpy as np

from golden.accuracy.options import EvalOptions
from golden.chip.encoder import LINEARS, Encoder, EncoderLayer, EncoderShape, Norm
from golden.chip.fit import Heads, times
from golden.exact import fp16
from golden.exact.linear import QuantizedLinear
from golden.models import bert_config
from golden.models.bert_config import BertConfig
from golden.models.minilm import MiniLM
from golden.models.model import quantise
from golden.models.operations import Exact
from golden.quantise.cache_fit import fit_cache
from golden.quantise.methods.hadamard import hadamard
from golden.quantise.methods.kllm import IntegerLayer
from golden.quantise.methods.layer import Array

NAMES = dict(zip(LINEARS, bert_config.LINEARS, strict=True))
SCORE_OUTLIERS, MIX_OUTLIERS = 1, 4


class _Watch(Exact):
    """Keeps what attention reads, by layer."""

    def __init__(self) -> None:
        self.seen: dict[str, list[Heads]] = {}

    def heads(
        self, name: str, query: Array, key: Array, value: Array
    ) -> tuple[Array, Array, Array]:
        """Keep them (T, heads * width), and return them as they are."""
        flat = (part.transpose(1, 0, 2).reshape(part.shape[1], -1) for part in (query, key, value))
        self.seen.setdefault(name, []).append(Heads(*flat))
        return query, key, value


def fit_encoder(
    model: MiniLM,
    options: EvalOptions,
    calibration: list[str],
    report: Callable[[str, float], object] = lambda name, share: None,
) -> Encoder:
    """Return MiniLM in integers, calibrated on texts.

    ``report`` is told what is done, and which share of all.
    """
    turned = _turned(model, _heads(model, calibration))

    def prepare(weight: Array, bias: Array, tokens: Array) -> IntegerLayer:
        make = options.prepare()
        bits = {"bits_w": options.bits_w, "bits_a": options.bits_a, "seed": options.seed}
        found = make(weight, bias, tokens, **bits)
        assert isinstance(found, IntegerLayer)
        return found

    count = len(model.layer_names)
    done = iter(range(1, count + 1))
    quantised = quantise(
        turned, lambda name: prepare, calibration, lambda name: report(name, next(done) / count)
    )
    seen = _heads(quantised, calibration)
    width = shape_of(model.config).head_width
    layers = []
    for n in range(model.config.layers):
        linears = {name: _layer(quantised, n, place) for name, place in NAMES.items()}
        linears["query"] = times(linears["query"], width**-0.5, biased=True)
        heads = seen[_place(n)]
        query, key, value = (
            part.reshape(-1, width) for part in (heads.query, heads.key, heads.value)
        )
        attended, fed = layer_norms(model, n)
        layers.append(
            EncoderLayer(
                **linears,
                keys=fit_cache(key, query),
                values=fit_cache(value),
                attended=attended,
                fed=fed,
            )
        )
    return whole_encoder(model, tuple(layers))


def shape_of(config: BertConfig) -> EncoderShape:
    """Return the sizes of a model's encoder."""
    return EncoderShape(**{one.name: getattr(config, one.name) for one in fields(EncoderShape)})


def whole_encoder(model: MiniLM, layers: tuple[EncoderLayer, ...]) -> Encoder:
    """Return the encoder of these layers: what stands before them is rounded to FP16."""
    words, places, kinds = (
        model.tensor(f"embeddings.{name}_embeddings.weight")
        for name in ("word", "position", "token_type")
    )
    return Encoder(
        shape=shape_of(model.config),
        words=fp16.to_bits(words),
        places=fp16.to_bits(places + kinds[0]),
        norm=_norm(model, "embeddings"),
        layers=layers,
        score_outliers=SCORE_OUTLIERS,
        mix_outliers=MIX_OUTLIERS,
    )


def layer_norms(model: MiniLM, n: int) -> tuple[Norm, Norm]:
    """Return the norms of a layer, behind attention and behind the feed-forward part."""
    return _norm(model, f"{_place(n)}.attention.output"), _norm(model, f"{_place(n)}.output")


def _norm(model: MiniLM, name: str) -> Norm:
    gain, shift = (model.tensor(f"{name}.LayerNorm.{part}") for part in ("weight", "bias"))
    return Norm(gain=fp16.to_bits(gain * len(gain) ** 0.5), shift=fp16.to_bits(shift))


def _heads(model: MiniLM, texts: Sequence[str]) -> Mapping[str, Heads]:
    """Return what attention reads in each layer."""
    watch = _Watch()
    model.with_operations(watch).run(texts)
    parts = ("query", "key", "value")
    return {
        name: Heads(*(np.concatenate([getattr(one, part) for one in found]) for part in parts))
        for name, found in watch.seen.items()
    }


def _turned(model: MiniLM, seen: Mapping[str, Heads]) -> MiniLM:
    """Return a model that computes the same, but for rounding.

    Its queries and keys are turned, and the keys' mean on calibration text is taken off: that adds
    the same to all scores of a row.
    """
    turn = hadamard(shape_of(model.config).head_width).astype(np.float32)
    tensors = {}
    for n in range(model.config.layers):
        for part in ("query", "key"):
            stem = f"{_place(n)}.{NAMES[part]}"
            weight, bias = (model.tensor(f"{stem}.{what}") for what in ("weight", "bias"))
            if part == "key":
                bias = bias - seen[_place(n)].key.mean(axis=0)
            for what, tensor in (("weight", weight), ("bias", bias)):
                heads = tensor.reshape(-1, len(turn), tensor.size // len(weight))
                tensors[f"{stem}.{what}"] = (turn @ heads).reshape(tensor.shape)
    return model.with_tensors(tensors)


def _layer(model: MiniLM, n: int, place: str) -> QuantizedLinear:
    linear = model.linears[f"{_place(n)}.{place}"]
    assert isinstance(linear, IntegerLayer)
    return linear.layer


def _place(n: int) -> str:
    return f"encoder.layer.{n}"
