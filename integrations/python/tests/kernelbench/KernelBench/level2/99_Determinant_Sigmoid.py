import torch
import torch.nn as nn


class Model(nn.Module):
    """An operator without a kernel between others that have one."""

    def forward(self, x):
        return torch.sigmoid(torch.linalg.det(torch.relu(x) + 1) * 3)


def get_inputs():
    return [torch.rand(64, 3, 3)]


def get_init_inputs():
    return []
