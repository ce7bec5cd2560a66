import torch
import torch.nn as nn


class Model(nn.Module):
    """Sums of large terms that cancel: their order decides the result."""

    def forward(self, x):
        return torch.sum((x - 0.5) * 1e8, dim=1)


batch_size = 4
features = 512


def get_inputs():
    x = torch.rand(batch_size, features)
    return [torch.cat([x, 1 - x], dim=1)[:, torch.randperm(2 * features)]]


def get_init_inputs():
    return []
