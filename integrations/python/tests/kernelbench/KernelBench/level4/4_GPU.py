import torch
import torch.nn as nn

offset = torch.ones(1, device="cuda")


class Model(nn.Module):
    """Names the device of its tensors."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1).to("cuda:0"))

    def forward(self, x, y):
        return x * self.scale + y


def get_inputs():
    y = torch.rand(8192, 8192, device=torch.device("cuda"), dtype=torch.float16)
    return [torch.rand(8192, 8192, dtype=torch.float16).cuda(), y + offset.half()]


def get_init_inputs():
    return []
