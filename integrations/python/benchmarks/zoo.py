"""Ten models with random weights, in evaluation mode, each with inputs.

Those of vision are torchvision's and the transformers are Hugging Face's, by their own definitions;
DLRM, the U-Net and the LSTM follow their papers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

# torchvision's compiled operators come for one build of PyTorch, and without them it does not even
# import, nor does transformers beside it. No model here needs them.
_operators = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, _name):
        _operators.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

Made = tuple[nn.Module, tuple[Any, ...]]


def vision(name: str) -> Callable[[], Made]:
    """A classifier of torchvision, with one image."""

    def make() -> Made:
        import torchvision

        model = getattr(torchvision.models, name)(weights=None)
        # ViT's last layer begins with zeros, which would hide everything before it.
        for parameter in model.parameters():
            if not parameter.any():
                nn.init.normal_(parameter, std=0.02)
        return model, (torch.randn(1, 3, 224, 224),)

    return make


class Output(nn.Module):
    """The first output of a model of Hugging Face."""

    def __init__(self, model: nn.Module, **arguments: Any) -> None:
        super().__init__()
        self.model, self.arguments = model, arguments

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tensor itself."""
        result: torch.Tensor = self.model(x, return_dict=False, **self.arguments)[0]
        return result


def bert() -> Made:
    """BERT-base on 128 tokens."""
    import transformers

    return Output(transformers.BertModel(transformers.BertConfig())), (
        torch.randint(30522, (1, 128)),
    )


def gpt2() -> Made:
    """GPT-2 small on 64 tokens."""
    import transformers

    model = transformers.GPT2LMHeadModel(transformers.GPT2Config())
    return Output(model, use_cache=False), (torch.randint(50257, (1, 64)),)


def llama() -> Made:
    """Two layers of Llama of width 1024 on 64 tokens."""
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=4096,
        hidden_size=1024,
        intermediate_size=2816,
        num_hidden_layers=2,
        num_attention_heads=16,
    )
    return Output(transformers.LlamaModel(config), use_cache=False), (torch.randint(4096, (1, 64)),)


def convolution(
    inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1, act: Any = nn.ReLU
) -> nn.Sequential:
    """Convolution, batch norm and activation."""
    layers = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([act()] if act else []))


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


def dlrm() -> Made:
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


def unet() -> Made:
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


def lstm() -> Made:
    """A batch of 8 with 64 steps."""
    return Lstm(), (torch.randn(8, 64, 128),)


makers: dict[str, Callable[[], Made]] = {
    "resnet50": vision("resnet50"),
    "mobilenet_v2": vision("mobilenet_v2"),
    "efficientnet_b0": vision("efficientnet_b0"),
    "vit_b_16": vision("vit_b_16"),
    "bert": bert,
    "gpt2": gpt2,
    "llama": llama,
    "dlrm": dlrm,
    "unet": unet,
    "lstm": lstm,
}


def made(name: str) -> Made:
    """A model of `makers` and its inputs, the same in every process."""
    torch.manual_seed(0)
    model, inputs = makers[name]()
    return model.eval(), inputs
