import torch
import torch.nn as nn


class Model(nn.Module):
    """A chain behind a product."""

    def __init__(self, in_features, out_features, scale_shape, negative_slope):
        super().__init__()
        self.gemm = nn.Linear(in_features, out_features)
        self.bn = nn.BatchNorm1d(out_features)
        self.scale = nn.Parameter(torch.randn(scale_shape))
        self.leaky_relu = nn.LeakyReLU(negative_slope)

    def forward(self, x):
        return self.leaky_relu(self.bn(self.gemm(x)) * self.scale)


batch_size = 16
in_features = 256
out_features = 128
scale_shape = (out_features,)
negative_slope = 0.1


def get_inputs():
    return [torch.rand(batch_size, in_features)]


def get_init_inputs():
    return [in_features, out_features, scale_shape, negative_slope]
