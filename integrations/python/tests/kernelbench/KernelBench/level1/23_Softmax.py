import torch
import torch.nn as nn


class Model(nn.Module):
    """Softmax over rows so long that zeros are near its values."""

    def forward(self, x):
        return torch.softmax(x, dim=1)


batch_size = 4
dim = 32768


def get_inputs():
    return [torch.rand(batch_size, dim)]


def get_init_inputs():
    return []
