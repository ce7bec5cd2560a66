"""Models through `torch.compile(backend="granary")`: results, shares, and times beside eager.

    python benchmarks/models.py [NAME...] [--inductor] [--json] [--policy tuned]  # needs a daemon

Definitions follow the models' papers, with random weights and a batch of one.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

import granary.torch


def convolution(
    inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1, act: Any = nn.ReLU
) -> nn.Sequential:
    """Convolution, batch norm and activation."""
    layers = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([act()] if act else []))


class Residual(nn.Module):
    """Adds what a module gives to what it takes."""

    def __init__(
        self, module: nn.Module, shortcut: nn.Module | None = None, last: Any = None
    ) -> None:
        super().__init__()
        self.module, self.shortcut = module, shortcut or nn.Identity()
        self.last = last or nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Both ways."""
        return self.last(self.module(x) + self.shortcut(x))


def resnet50() -> tuple[nn.Module, tuple[Any, ...]]:
    """He et al. 2015."""
    layers: list[nn.Module] = [convolution(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(count):
            step, outputs = stride if index == 0 else 1, 4 * width
            body = nn.Sequential(
                convolution(inputs, width, 1),
                convolution(width, width, 3, step),
                convolution(width, outputs, 1, act=None),
            )
            short = convolution(inputs, outputs, 1, step, act=None) if index == 0 else None
            layers.append(Residual(body, short, nn.ReLU()))
            inputs = outputs
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000)]
    return nn.Sequential(*layers, *head), (torch.randn(1, 3, 224, 224),)


class Squeeze(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weighs the channels."""
        mean = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.up(F.silu(self.down(mean))))


def inverted(plan: Any, first: int, last: int, size: int, act: Any, squeeze: bool) -> nn.Module:
    """The stages of MobileNetV2 and EfficientNet."""
    layers: list[nn.Module] = [convolution(3, first, 3, 2, act=act)]
    inputs = first
    for expand, outputs, count, stride, kernel in plan:
        for index in range(count):
            step, inner = stride if index == 0 else 1, inputs * expand
            body = [] if expand == 1 else [convolution(inputs, inner, 1, act=act)]
            body.append(convolution(inner, inner, kernel, step, inner, act))
            if squeeze:
                body.append(Squeeze(inner, max(1, inputs // 4)))
            body.append(convolution(inner, outputs, 1, act=None))
            whole = nn.Sequential(*body)
            layers.append(Residual(whole) if step == 1 and inputs == outputs else whole)
            inputs = outputs
    layers += [convolution(inputs, last, 1, act=act), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(last, 1000))


def mobilenetv2() -> tuple[nn.Module, tuple[Any, ...]]:
    """Sandler et al. 2018."""
    plan = [
        (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3),
        (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3),
    ]  # fmt: skip
    return inverted(plan, 32, 1280, 3, nn.ReLU6, False), (torch.randn(1, 3, 224, 224),)


def efficientnetb0() -> tuple[nn.Module, tuple[Any, ...]]:
    """Tan and Le 2019."""
    plan = [
        (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
    ]  # fmt: skip
    return inverted(plan, 32, 1280, 3, nn.SiLU, True), (torch.randn(1, 3, 224, 224),)


class Attention(nn.Module):
    """Self-attention with one product for queries, keys and values."""

    def __init__(self, width: int, heads: int, causal: bool = False) -> None:
        super().__init__()
        self.inward, self.outward = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads, self.causal = heads, causal

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mixes positions."""
        batch, length, width = x.shape
        parts = self.inward(x).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.outward(mixed.transpose(1, 2).reshape(x.shape))


def encoder(width: int, heads: int, causal: bool = False, act: Any = nn.GELU) -> nn.Module:
    """A layer with its norms in front."""
    mlp = nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, 4 * width), act(), nn.Linear(4 * width, width)
    )
    mixing = nn.Sequential(nn.LayerNorm(width), Attention(width, heads, causal))
    return nn.Sequential(Residual(mixing), Residual(mlp))


class Patches(nn.Module):
    """Patches of an image with a class token and positions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(3, width, 16, 16)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 197, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As a sequence."""
        patches = self.cut(x).flatten(2).transpose(1, 2)
        return torch.cat([self.token, patches], 1) + self.places


def vitb16() -> tuple[nn.Module, tuple[Any, ...]]:
    """Dosovitskiy et al. 2020."""
    layers = [encoder(768, 12) for _ in range(12)]
    model = nn.Sequential(Patches(768), *layers, nn.LayerNorm(768))
    return model, (torch.randn(1, 3, 224, 224),)


class Text(nn.Module):
    """Words and positions as a sequence."""

    def __init__(self, words: int, width: int, length: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Sums both."""
        return self.words(x) + self.places(torch.arange(x.shape[1]))


class Bert(nn.Module):
    """An encoder layer with its norms behind."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention, self.first = Attention(width, heads), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.second = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Attention, then the two layers."""
        x = self.first(x + self.attention(x))
        return self.second(x + self.down(F.gelu(self.up(x))))


def bertbase() -> tuple[nn.Module, tuple[Any, ...]]:
    """Devlin et al. 2018."""
    layers = [Bert(768, 12) for _ in range(12)]
    model = nn.Sequential(Text(30522, 768, 512), nn.LayerNorm(768), *layers)
    return model, (torch.randint(30522, (1, 128)),)


def gpt2() -> tuple[nn.Module, tuple[Any, ...]]:
    """Radford et al. 2019, small."""
    layers = [encoder(768, 12, True) for _ in range(12)]
    head = nn.Linear(768, 50257, bias=False)
    model = nn.Sequential(Text(50257, 768, 1024), *layers, nn.LayerNorm(768), head)
    return model, (torch.randint(50257, (1, 64)),)


class Llama(nn.Module):
    """A block of Touvron et al. 2023: RMS norm, rotary positions, gated layers."""

    def __init__(self, width: int = 1024, heads: int = 16) -> None:
        super().__init__()
        self.norm, self.second = nn.RMSNorm(width), nn.RMSNorm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(width, 2816, bias=False) for _ in range(2))
        self.down, self.heads = nn.Linear(2816, width, bias=False), heads

    def _turned(self, x: torch.Tensor) -> torch.Tensor:
        length, half = x.shape[2], x.shape[3] // 2
        rates = 10000 ** (-torch.arange(half) / half)
        angles = torch.arange(length)[:, None] * rates
        one, two = x[..., :half], x[..., half:]
        sin, cos = angles.sin(), angles.cos()
        return torch.cat([one * cos - two * sin, one * sin + two * cos], -1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Attention, then the gated layers."""
        y = self.norm(x)
        shape = (*x.shape[:2], self.heads, -1)
        q, k, v = (part(y).view(shape).transpose(1, 2) for part in (self.q, self.k, self.v))
        q, k = self._turned(q), self._turned(k)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
        x = x + self.o(mixed.reshape(x.shape))
        y = self.second(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


def llama() -> tuple[nn.Module, tuple[Any, ...]]:
    """Two blocks."""
    return nn.Sequential(Llama(), Llama()), (torch.randn(1, 64, 1024),)


class Dlrm(nn.Module):
    """Naumov et al. 2019: embedding bags, and products of all pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.bags = nn.ModuleList(nn.EmbeddingBag(10000, 64, mode="sum") for _ in range(8))
        self.bottom = nn.Sequential(nn.Linear(13, 512), nn.ReLU(), nn.Linear(512, 64), nn.ReLU())
        self.top = nn.Sequential(nn.Linear(64 + 36, 512), nn.ReLU(), nn.Linear(512, 1))
        self.register_buffer("pairs", torch.tril_indices(9, 9, -1))

    def forward(self, dense: torch.Tensor, sparse: torch.Tensor) -> torch.Tensor:
        """The chance of a click."""
        x = self.bottom(dense)
        parts = [x] + [bag(sparse[:, i]) for i, bag in enumerate(self.bags)]
        stacked = torch.stack(parts, 1)
        products = torch.bmm(stacked, stacked.transpose(1, 2))
        crossed = products[:, self.pairs[0], self.pairs[1]]
        return torch.sigmoid(self.top(torch.cat([x, crossed], 1)))


def dlrm() -> tuple[nn.Module, tuple[Any, ...]]:
    """A batch of 128."""
    return Dlrm(), (torch.randn(128, 13), torch.randint(10000, (128, 8, 4)))


class UNet(nn.Module):
    """Ronneberger et al. 2015, with three levels of a quarter of the width."""

    def __init__(self) -> None:
        super().__init__()
        self.downs = nn.ModuleList([self._two(1, 16), self._two(16, 32), self._two(32, 64)])
        self.middle = self._two(64, 128)
        self.rises = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, 2) for width in (64, 32, 16)
        )
        self.ups = nn.ModuleList(self._two(2 * width, width) for width in (64, 32, 16))
        self.last = nn.Conv2d(16, 2, 1)

    @staticmethod
    def _two(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(convolution(inputs, outputs), convolution(outputs, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Down and up again."""
        kept = []
        for down in self.downs:
            x = down(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for rise, up in zip(self.rises, self.ups, strict=True):
            x = up(torch.cat([kept.pop(), rise(x)], 1))
        return self.last(x)


def unet() -> tuple[nn.Module, tuple[Any, ...]]:
    """An image of 128 by 128."""
    return UNet(), (torch.randn(1, 1, 128, 128),)


class Lstm(nn.Module):
    """Two layers and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(128, 256, 2, batch_first=True), nn.Linear(256, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The last step's classes."""
        return self.head(self.lstm(x)[0][:, -1])


def lstm() -> tuple[nn.Module, tuple[Any, ...]]:
    """A batch of 8 with 64 steps."""
    return Lstm(), (torch.randn(8, 64, 128),)


makers: dict[str, Callable[[], tuple[nn.Module, tuple[Any, ...]]]] = {
    maker.__name__: maker
    for maker in (
        resnet50, mobilenetv2, efficientnetb0, vitb16, bertbase, gpt2, llama, dlrm, unet, lstm,
    )
}  # fmt: skip


def milliseconds(functions: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The median time of each, run in turns."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(times.values()))) < 3:
        for name, function in functions.items():
            began = time.perf_counter()
            function()
            times[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(taken) for name, taken in times.items()}


def try_model(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Compiles, compares and times one model."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    model, inputs = makers[name]()
    model.eval()
    chosen = {"policy": options.policy, "deadline": 600}
    run = torch.compile(model, backend=granary.torch.granary_backend, options=chosen)
    before = granary.torch.report()
    with torch.no_grad():
        expected = model(*inputs)
        began = time.perf_counter()
        given = run(*inputs)
        first = time.perf_counter() - began
        functions = {"eager": lambda: model(*inputs), "granary": lambda: run(*inputs)}
        if options.inductor:
            inductor = torch.compile(model)
            inductor(*inputs)
            functions["inductor"] = lambda: inductor(*inputs)
        times = milliseconds(functions, options.seconds)
    report = granary.torch.report()
    error = (given - expected).abs().max() / expected.abs().max()
    return {
        "model": name,
        "relative_error": float(error),
        "operators": report.operators - before.operators,
        "in_kernels": report.operators_in_kernels - before.operators_in_kernels,
        "first_seconds": first,
        "milliseconds": times,
        "reasons": report.reasons,
    }


def main() -> None:
    """Prints a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*makers, []])
    parser.add_argument("--inductor", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--policy")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    for name in options.names or makers:
        result = try_model(name, options)
        if options.json:
            print(json.dumps(result), flush=True)
            continue
        times = "  ".join(f"{key} {taken:8.2f}" for key, taken in result["milliseconds"].items())
        shares = f"{result['in_kernels']:4} of {result['operators']:4} operators"
        print(f"{name:15} error {result['relative_error']:.1e}  {shares}  ms: {times}", flush=True)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
