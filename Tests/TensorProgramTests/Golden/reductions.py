"""Cases of reductions, scans, statistics and norms."""

from graphs import *


def reductions():
    for name in ["sum.dim_IntList", "mean.dim"]:
        for dim in [[0], [-1], [0, 2], [], None, [1, -3]]:
            for keepdim in [False, True]:
                op(name, f"dim={dim} keepdim={keepdim}", self=lambda: rand(2, 3, 4), dim=dim,
                   keepdim=keepdim)
        op(name, "dtype", self=lambda: rand(3, 4), dim=[1], dtype=f64)
        op(name, "of i32 as f32", self=lambda: rand(3, 4, dtype=i32), dim=[1], dtype=f32)
        op(name, "scalar", self=lambda: rand(), dim=[0])
        op(name, "empty", self=lambda: rand(3, 0), dim=[1])
        op(name, "bf16", self=lambda: rand(3, 9, dtype=bf16), dim=[1])
        op(name, "special", self=special(), dim=[0])
    op("sum", self=lambda: rand(3, 4))
    op("sum", "of bool", self=lambda: rand(3, 4, dtype=bool_))
    op("sum", "of i8", self=tensor([100, 100, 100], i8))
    op("sum", "as i8", self=tensor([100, 100, 100], i32), dtype=i8)
    op("sum", "as i32", self=tensor([1.7, -2.6, 3.9]), dtype=i32)
    op("sum", "as f16", self=tensor([70000, -70000, 3], i32), dtype=f16)
    op("sum", "as bool", self=tensor([0.0, 2.0, 3.9]), dtype=bool_)
    op("mean", self=lambda: rand(3, 4))
    op("mean", "f16", self=lambda: rand(3, 4, dtype=f16))
    op("prod", self=lambda: rand(3, 4))
    op("prod", "of integers", self=tensor([3, -2, 7], i32))
    op("prod", "of bool", self=tensor([True, False], bool_))
    op("prod", "empty", self=lambda: rand(0))
    op("prod.dim_int", self=lambda: rand(3, 4), dim=-1)
    op("prod.dim_int", "keepdim", self=lambda: rand(3, 4), dim=0, keepdim=True, dtype=f64)
    for name in ["amax", "amin"]:
        op(name, self=lambda: rand(2, 3, 4), dim=[-1])
        op(name, "all", self=lambda: rand(2, 3, 4))
        op(name, "two keepdim", self=lambda: rand(2, 3, 4), dim=[0, -1], keepdim=True)
        op(name, "NaN", self=special().reshape(2, 7), dim=[1])
        op(name, "of i32", self=lambda: rand(3, 4, dtype=i32), dim=[0])
        op(name, "of i64 ends", self=tensor([2**63 - 1, -2**63], i64), dim=[0])
        op(name, "of u8", self=lambda: rand(3, 4, dtype=u8), dim=[0])
        op(name, "of bool", self=lambda: rand(3, 4, dtype=bool_), dim=[0])
        op(name, "infinities", self=tensor([[inf, inf], [-inf, -inf]]), dim=[1])
    for name in ["argmax", "argmin"]:
        op(name, self=lambda: rand(3, 4), dim=-1)
        op(name, "all", self=lambda: rand(3, 4))
        op(name, "keepdim", self=lambda: rand(3, 4), dim=0, keepdim=True)
        op(name, "all keepdim", self=lambda: rand(3, 4), keepdim=True)
        op(name, "ties", self=tensor([[1.0, 2, 2, 1], [3, 3, 3, 3]]), dim=1)
        op(name, "NaN", self=tensor([[1.0, nan, 2, nan], [3, 3, -inf, inf]]), dim=1)
        op(name, "infinities", self=tensor([[inf, inf], [-inf, -inf]]), dim=1)
        op(name, "of i32", self=lambda: rand(3, 4, dtype=i32), dim=1)
        op(name, "of i64 ends", self=tensor([[-2**63, -2**63], [2**63 - 1, 2**63 - 1]], i64), dim=1)
        op(name, "scalar", self=lambda: rand())
    for name in ["max", "min"]:
        op(name, self=lambda: rand(3, 4))
        op(name, "NaN", self=special())
        op(f"{name}.dim", self=lambda: rand(3, 4), dim=-1)
        op(f"{name}.dim", "keepdim", self=lambda: rand(2, 3, 4), dim=1, keepdim=True)
        op(f"{name}.dim", "NaN", self=tensor([[1.0, nan, 2, nan], [3, 3, -inf, inf]]), dim=1)
        op(f"{name}.dim", "of i64", self=lambda: rand(3, 4, dtype=i64), dim=0)
        op(f"{name}.dim", "of bool", self=lambda: rand(3, 4, dtype=bool_), dim=0)
        op(f"{name}.dim", "infinities", self=tensor([[inf, inf], [-inf, -inf]]), dim=1)
    statistics()
    refused("amax", "empty", self=torch.zeros(3, 0), dim=[1])
    refused("sum.dim_IntList", "no such dimension", self=torch.zeros(3), dim=[1])
    refused("sum.dim_IntList", "twice", self=torch.zeros(3, 2), dim=[1, -1])


def statistics():
    for correction in [None, 0, 1, 2, 1.5]:
        op("var.correction", f"{correction}", self=lambda: rand(3, 5), dim=[1], correction=correction)
    op("var.correction", "large mean", self=lambda: rand(3, 50) * 0.01 + 100, dim=[1], rtol=2e-3)
    op("var.correction", "one element", self=lambda: rand(3, 1), dim=[1])
    op("var.correction", "too large correction", self=lambda: rand(3, 2), dim=[1], correction=4)
    op("var.correction", "all keepdim", self=lambda: rand(3, 5), keepdim=True)
    op("var.correction", "two", self=lambda: rand(3, 5, 2), dim=[0, -1])
    op("var.dim", self=lambda: rand(3, 5), dim=[0])
    op("var.dim", "biased", self=lambda: rand(3, 5), dim=[-1], unbiased=False, keepdim=True)
    op("var", self=lambda: rand(3, 5))
    op("var", "biased", self=lambda: rand(3, 5), unbiased=False)
    op("any.dims", self=lambda: rand(3, 4, 2) > 0.8, dim=[0, -1])
    op("any.dims", "none", self=tensor([[False, True]], bool_))
    op("any.dim", self=tensor([[0.0, nan], [0, -0.0]]), dim=1)
    op("any.dim", "keepdim", self=lambda: rand(3, 4, dtype=i32), dim=-1, keepdim=True)
    op("any.dim", "u8", self=tensor([[0, 7], [0, 0]], u8), dim=1)
    op("any", self=lambda: rand(3, 4, dtype=bool_))
    op("any", "empty", self=rand(0, dtype=bool_))
    op("logsumexp", self=lambda: rand(3, 4), dim=[1])
    op("logsumexp", "large", self=tensor([[1e4, 1e4], [-1e4, -1e4]]), dim=[-1], keepdim=True)
    op("logsumexp", "infinities", self=tensor([[-inf, -inf], [inf, 1], [-inf, 0], [nan, 0]]), dim=[1])
    op("logsumexp", "two", self=lambda: rand(3, 4, 2, dtype=f64), dim=[0, 2])
    op("logsumexp", "of integers", self=lambda: rand(3, 4, dtype=i64), dim=[1])
    for ord in [0, 1, 2, 3, inf, -inf, -1, 0.5, 2.5]:
        op("linalg_vector_norm", f"{ord}", self=lambda: rand(3, 4), ord=ord, dim=[1])
    op("linalg_vector_norm", "all", self=lambda: rand(3, 4))
    op("linalg_vector_norm", "keepdim", self=lambda: rand(2, 3, 4), dim=[0, 2], keepdim=True)
    op("linalg_vector_norm", "dtype", self=lambda: rand(3, 4, dtype=f16), dim=[1], dtype=f32)
    op("linalg_vector_norm", "NaN", self=tensor([[1.0, nan], [inf, 1]]), dim=[1], ord=inf)
    op("cumsum", "as f16", self=tensor([3, 70000, -70000, 3], i64), dim=0, dtype=f16)
    for name in ["cumsum", "cumprod"]:
        for dim in [0, 1, -1]:
            op(name, f"{dim}", self=lambda: rand(2, 3, 4), dim=dim)
        op(name, "of i32", self=tensor([3, -2, 5, 2**30], i32), dim=0)
        op(name, "of bool", self=tensor([True, False, True], bool_), dim=0)
        op(name, "dtype", self=lambda: rand(4), dim=0, dtype=f64)
        op(name, "as i8", self=tensor([100, 100, 3], i32), dim=0, dtype=i8)
        op(name, "scalar", self=lambda: rand(), dim=0)
        op(name, "special", self=tensor([1.0, inf, -inf, 1]), dim=0)
        op(name, "empty", self=lambda: rand(0, 2), dim=0)


def norms():
    for name in ["_softmax", "_log_softmax"]:
        op(name, self=lambda: rand(2, 3, 4), dim=1, half_to_float=False)
        op(name, "last", self=lambda: rand(3, 4, dtype=f64), dim=-1, half_to_float=False)
        op(name, "scalar", self=lambda: rand(), dim=0, half_to_float=False)
        op(name, "infinities", self=tensor([[-inf, 0, 1], [-inf, -inf, -inf], [inf, 0, 0]]), dim=1,
           half_to_float=False)
        op(name, "bf16", self=lambda: rand(3, 4, dtype=bf16), dim=1, half_to_float=False)
        op(f"{name[1:]}.int", self=lambda: rand(3, 4), dim=0)
        op(f"{name[1:]}.int", "dtype", self=lambda: rand(3, 4, dtype=f16), dim=-1, dtype=f32)
        op(f"{name[1:]}.int", "of integers", self=lambda: rand(3, 4, dtype=i32), dim=-1, dtype=f32)
    shapes = [("rows", (3, 5), [5]), ("images", (2, 3, 4), [3, 4]), ("one", (4, 1), [1])]
    for label, shape, inner in shapes:
        op("native_layer_norm", label, input=lambda: rand(*shape), normalized_shape=inner,
           weight=lambda: rand(*inner), bias=lambda: rand(*inner), eps=1e-5)
        op("native_layer_norm", f"{label} no affine", input=lambda: rand(*shape),
           normalized_shape=inner, weight=None, bias=None, eps=0.1)
        op("layer_norm", label, input=lambda: rand(*shape), normalized_shape=inner,
           weight=lambda: rand(*inner))
        op("rms_norm", label, input=lambda: rand(*shape), normalized_shape=inner,
           weight=lambda: rand(*inner), eps=1e-2)
        op("rms_norm", f"{label} no weight", input=lambda: rand(*shape) * 1e-3,
           normalized_shape=inner)
    op("rms_norm", "f64 no eps", input=lambda: rand(3, 4, dtype=f64) * 1e-8, normalized_shape=[4])
    op("rms_norm", "bf16 no eps", input=lambda: rand(3, 4, dtype=bf16) * 1e-4, normalized_shape=[4])
    op("rms_norm", "f16 no eps", input=lambda: rand(3, 4, dtype=f16) * 0.01, normalized_shape=[4])
    op("layer_norm", "bias", input=lambda: rand(3, 5), normalized_shape=[5],
       weight=lambda: rand(5), bias=lambda: rand(5), eps=1e-3)
    op("native_layer_norm", "bf16", input=lambda: rand(3, 5, dtype=bf16), normalized_shape=[5],
       weight=lambda: rand(5, dtype=bf16), bias=lambda: rand(5, dtype=bf16), eps=1e-5)
    op("native_layer_norm", "bf16 with f32 weights", input=lambda: rand(3, 5, dtype=bf16),
       normalized_shape=[5], weight=lambda: rand(5), bias=lambda: rand(5), eps=1e-5)
    for label, affine in [("", True), ("no affine", False)]:
        weights = dict(weight=(lambda: rand(6)) if affine else None,
                       bias=(lambda: rand(6)) if affine else None)
        op("native_group_norm", label, input=lambda: rand(2, 6, 2, 3), **weights, N=2, C=6, HxW=6,
           group=3, eps=1e-5)
        op("group_norm", label, input=lambda: rand(2, 6, 4), num_groups=2, **weights)
        op("group_norm", f"rank 2 {label}", input=lambda: rand(3, 6), num_groups=3, **weights)
        op("_native_batch_norm_legit_no_training", label, input=lambda: rand(2, 6, 3), **weights,
           running_mean=lambda: rand(6), running_var=lambda: positive(6), momentum=0.1, eps=1e-3)
        op("_native_batch_norm_legit.no_stats", label, input=lambda: rand(4, 6, 2), **weights,
           training=True, momentum=0.1, eps=1e-5)
        op("batch_norm", f"of the batch {label}", input=lambda: rand(4, 6, 2, 2), **weights,
           running_mean=None, running_var=None, training=True, momentum=0.1, eps=1e-5,
           cudnn_enabled=False)
        op("batch_norm", label, input=lambda: rand(4, 6), **weights, running_mean=lambda: rand(6),
           running_var=lambda: positive(6), training=False, momentum=0.1, eps=1e-5,
           cudnn_enabled=False)
