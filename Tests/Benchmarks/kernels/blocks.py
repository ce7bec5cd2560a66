"""Whole blocks of models that inference servers run: one spec each, and the same in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from operators import Input, Operator


def _weight(*shape: int) -> Input:
    return Input(shape, is_weight=True)


def _plain(*shape: int) -> Input:
    return Input(shape)


def _variance(size: int) -> Input:
    """Of a batch norm: positive."""
    return Input((size,), is_weight=True, make=lambda random, shape: random.random(shape) + 0.5)


def _edges(features: int, count: int) -> Input:
    """Boundaries of buckets, which rise."""

    def make(random: Any, shape: tuple[int, ...]) -> Any:
        values = random.standard_normal(shape)
        values.sort(axis=-1)
        return values

    return Input((features, count), is_weight=True, make=make)


def _keys(count: int) -> Input:
    """Identifiers that a map knows: every second."""
    return Input(
        (count,), is_weight=True, below=2 * count, make=lambda _, shape: _counted(shape, 2)
    )


def _offsets(batches: int, rows: int) -> Input:
    """Where the rows of each batch begin, and the end of the last."""

    def make(random: Any, shape: tuple[int, ...]) -> Any:
        values = random.integers(0, rows + 1, size=shape)
        values[0], values[-1] = 0, rows
        values.sort()
        return values

    return Input((batches + 1,), below=rows + 1, make=make)


def _pairs(features: int) -> Input:
    """The places of the pairs of different features in a square matrix."""

    def make(_: Any, shape: tuple[int, ...]) -> Any:
        import numpy

        rows, columns = numpy.tril_indices(features, -1)
        return rows * features + columns

    count = features * (features - 1) // 2
    return Input((count,), is_weight=True, below=features * features, make=make)


def _counted(shape: tuple[int, ...], step: int) -> Any:
    import numpy

    return numpy.arange(math.prod(shape), dtype=numpy.int64).reshape(shape) * step


def _block(
    name: str,
    inputs: dict[str, Input],
    body: str,
    output: tuple[int, ...],
    function: Callable[..., Any],
    **more: Any,
) -> Operator:
    """A block whose spec declares the inputs, in their order, and then has `body`."""
    types = {
        name: f"{'f32' if input.below is None else 'i64'}{list(input.shape)}".replace(" ", "")
        for name, input in inputs.items()
    }
    declared = " ".join(f"{name}: {type};" for name, type in types.items())
    return Operator(
        name, f"{declared} {body}", tuple(inputs.values()), output, function, **more
    )


# MARK: Transformers


def _bert(torch: Any, x: Any, *weights: Any) -> Any:
    wq, bq, wk, bk, wv, bv, wo, bo, g1, b1, w1, c1, w2, c2, g2, b2 = weights
    F = torch.nn.functional

    def heads(value: Any) -> Any:
        return value.view(1, 128, 12, 64).transpose(1, 2)

    q, k, v = heads(F.linear(x, wq, bq)), heads(F.linear(x, wk, bk)), heads(F.linear(x, wv, bv))
    a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(1, 128, 768)
    h = F.layer_norm(x + F.linear(a, wo, bo), (768,), g1, b1, 1e-12)
    f = F.linear(F.gelu(F.linear(h, w1, c1)), w2, c2)
    return F.layer_norm(h + f, (768,), g2, b2, 1e-12)


_HEADS = "transpose(view(linear(x, w{0}, b{0}), [1,128,12,64]), 1, 2)"

BERT = _block(
    "BERT-base layer, 128 tokens",
    {
        "x": _plain(1, 128, 768),
        **{
            name: _weight(*shape)
            for part in "qkvo"
            for name, shape in ((f"w{part}", (768, 768)), (f"b{part}", (768,)))
        },
        "g1": _weight(768),
        "b1": _weight(768),
        "w1": _weight(3072, 768),
        "c1": _weight(3072),
        "w2": _weight(768, 3072),
        "c2": _weight(768),
        "g2": _weight(768),
        "b2": _weight(768),
    },
    f"q = {_HEADS.format('q')}; k = {_HEADS.format('k')}; v = {_HEADS.format('v')}; "
    "a = reshape(transpose(scaled_dot_product_attention(q, k, v), 1, 2), [1,128,768]); "
    "h = layer_norm(add(x, linear(a, wo, bo)), [768], g1, b1, 1e-12); "
    "f = linear(gelu(linear(h, w1, c1)), w2, c2); "
    "layer_norm(add(h, f), [768], g2, b2, 1e-12)",
    (1, 128, 768),
    _bert,
    flops=2 * 128 * 768 * (4 * 768 + 2 * 3072) + 4 * 12 * 128 * 128 * 64,
)

LLAMA = _block(
    "Llama MLP 64×2048×5632",
    {
        "x": _plain(64, 2048),
        "g": _weight(5632, 2048),
        "u": _weight(5632, 2048),
        "d": _weight(2048, 5632),
    },
    "linear(mul(silu(linear(x, g)), linear(x, u)), d)",
    (64, 2048),
    lambda torch, x, g, u, d: torch.nn.functional.linear(
        torch.nn.functional.silu(torch.nn.functional.linear(x, g))
        * torch.nn.functional.linear(x, u),
        d,
    ),
    flops=2 * 64 * 3 * 2048 * 5632,
)


# MARK: Vision


def _norms(sizes: dict[int, int]) -> dict[str, Input]:
    """The batch norm of each position, of so many channels: weight, bias, mean and variance."""
    return {
        name: input
        for position, size in sizes.items()
        for name, input in (
            (f"g{position}", _weight(size)),
            (f"b{position}", _weight(size)),
            (f"m{position}", _weight(size)),
            (f"v{position}", _variance(size)),
        )
    }


def _normed(convolution: str, position: int) -> str:
    names = ", ".join(f"{letter}{position}" for letter in "gbmv")
    return f"_native_batch_norm_legit_no_training({convolution}, {names}, 0.1, 1e-5)#0"


def _norm(torch: Any, value: Any, norm: Any) -> Any:
    g, b, m, v = norm
    return torch.nn.functional.batch_norm(value, m, v, g, b, eps=1e-5)


def _bottleneck(torch: Any, x: Any, w1: Any, w2: Any, w3: Any, *norms: Any) -> Any:
    conv, relu = torch.nn.functional.conv2d, torch.relu
    a = relu(_norm(torch, conv(x, w1), norms[:4]))
    b = relu(_norm(torch, conv(a, w2, padding=1), norms[4:8]))
    return relu(_norm(torch, conv(b, w3), norms[8:]) + x)


BOTTLENECK = _block(
    "ResNet-50 bottleneck 1×256×56×56",
    {
        "x": _plain(1, 256, 56, 56),
        "w1": _weight(64, 256, 1, 1),
        "w2": _weight(64, 64, 3, 3),
        "w3": _weight(256, 64, 1, 1),
        **_norms({1: 64, 2: 64, 3: 256}),
    },
    f"a = relu({_normed('conv2d(x, w1)', 1)}); "
    f"b = relu({_normed('conv2d(a, w2, padding: [1,1])', 2)}); "
    f"relu(add({_normed('conv2d(b, w3)', 3)}, x))",
    (1, 256, 56, 56),
    _bottleneck,
    flops=2 * 56 * 56 * (2 * 64 * 256 + 9 * 64 * 64),
)


def _residual(torch: Any, x: Any, w1: Any, w2: Any, w3: Any, *norms: Any) -> Any:
    conv, relu6 = torch.nn.functional.conv2d, torch.nn.functional.relu6
    a = relu6(_norm(torch, conv(x, w1), norms[:4]))
    b = relu6(_norm(torch, conv(a, w2, padding=1, groups=192), norms[4:8]))
    return _norm(torch, conv(b, w3), norms[8:]) + x


RESIDUAL = _block(
    "MobileNetV2 inverted residual 1×32×28×28",
    {
        "x": _plain(1, 32, 28, 28),
        "w1": _weight(192, 32, 1, 1),
        "w2": _weight(192, 1, 3, 3),
        "w3": _weight(32, 192, 1, 1),
        **_norms({1: 192, 2: 192, 3: 32}),
    },
    f"a = clamp({_normed('conv2d(x, w1)', 1)}, 0, 6); "
    f"b = clamp({_normed('conv2d(a, w2, padding: [1,1], groups: 192)', 2)}, 0, 6); "
    f"add({_normed('conv2d(b, w3)', 3)}, x)",
    (1, 32, 28, 28),
    _residual,
    flops=2 * 28 * 28 * 192 * (2 * 32 + 9),
)

CONV1D = _block(
    "conv1d 256×96×200, k3, 96",
    {"x": _plain(256, 96, 200), "w": _weight(96, 96, 3), "b": _weight(96)},
    "conv1d(x, w, b, padding: [1])",
    (256, 96, 200),
    lambda torch, x, w, b: torch.nn.functional.conv1d(x, w, b, padding=1),
    flops=2 * 256 * 96 * 96 * 3 * 200,
)


# MARK: Recommendation


def _dlrm(torch: Any, d: Any, t: Any, i: Any, p: Any) -> Any:
    e = torch.nn.functional.embedding(i, t)
    z = torch.cat([d.unsqueeze(1), e], 1)
    pairs = torch.bmm(z, z.transpose(1, 2)).view(512, 729)
    return torch.cat([d, pairs.index_select(1, p)], 1)


DLRM = _block(
    "DLRM interaction, 26 tables",
    {
        "d": _plain(512, 64),
        "t": _weight(260_000, 64),
        "i": Input((512, 26), below=260_000),
        "p": _pairs(27),
    },
    "z = cat([unsqueeze(d, 1), embedding(t, i)], 1); "
    "m = view(bmm(z, transpose(z, 1, 2)), [512,729]); "
    "cat([d, index_select(m, 1, p)], 1)",
    (512, 415),
    _dlrm,
    flops=2 * 512 * 27 * 27 * 64,
    read=512 * 27 * 64 * 4,
)


def _pffn(torch: Any, x: Any, s: Any, w: Any) -> Any:
    own = torch.nn.functional.linear(s, w).view(128, 96, 96)
    return torch.nn.functional.gelu(torch.bmm(x, own))


PFFN = _block(
    "PFFN 128×150×96×96",
    {"x": _plain(128, 150, 96), "s": _plain(128, 64), "w": _weight(9216, 64)},
    "gelu(bmm(x, view(linear(s, w), [128,96,96])))",
    (128, 150, 96),
    _pffn,
    flops=2 * 128 * 96 * 96 * (150 + 64),
)


def _buckets(torch: Any, a: Any, b: Any, e: Any) -> Any:
    features = torch.cat([a, b], 1).t().contiguous()
    first = torch.arange(e.shape[0]).unsqueeze(1) * (e.shape[1] + 1)
    return (torch.searchsorted(e, features) + first).t()


MBDT = _block(
    "MBDT 4096×64, 100 boundaries",
    {"a": _plain(4096, 13), "b": _plain(4096, 51), "e": _edges(64, 100)},
    "granary.merge_bucketize_dense([a, b], e)",
    (4096, 64),
    _buckets,
    width=8,
)


def _mapped(torch: Any, i: Any, k: Any, v: Any) -> Any:
    place = torch.searchsorted(k, i).clamp(max=k.shape[0] - 1)
    return torch.where(k[place] == i, v[place], -1)


MAP_ID = _block(
    "MapId 10000 of 50000",
    {"i": Input((10_000,), below=100_000), "k": _keys(50_000), "v": Input((50_000,), below=1 << 20)},
    "granary.map_id(i, k, v)",
    (10_000,),
    _mapped,
    width=8,
)


def _truncated(torch: Any, v: Any, o: Any) -> Any:
    place = torch.arange(v.shape[0])
    batch = torch.searchsorted(o, place, right=True) - 1
    kept = place >= o[batch + 1] - 50
    count = min(v.shape[0], (o.shape[0] - 1) * 50)
    target = torch.where(kept, kept.cumsum(0) - 1, count)
    return torch.zeros(count + 1, v.shape[1]).index_copy(0, target, v)[:count]


TRUNCATE = _block(
    "batch event truncate 1024×50 of 65536×64",
    {"v": _plain(65_536, 64), "o": _offsets(1024, 65_536)},
    "granary.batch_event_truncate(v, o, max_length: 50, keep_last: true)#0",
    (51_200, 64),
    _truncated,
)

BLOCKS = [
    BERT,
    BOTTLENECK,
    RESIDUAL,
    LLAMA,
    DLRM,
    CONV1D,
    PFFN,
    MBDT,
    MAP_ID,
    TRUNCATE,
]
