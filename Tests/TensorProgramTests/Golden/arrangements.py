"""Cases of operators that move, repeat, convert or make elements."""

from graphs import *


def views():
    x = lambda: rand(2, 3, 4)
    for name in ["alias", "detach", "contiguous", "clone"]:
        op(name, self=x)
        op(name, "of i32", self=lambda: rand(3, dtype=i32))
    op("permute", self=x, dims=[2, 0, 1])
    op("permute", "negative", self=x, dims=[-1, 0, -2])
    op("permute", "scalar", self=lambda: rand(), dims=[])
    op("transpose.int", self=x, dim0=0, dim1=-1)
    op("t", self=lambda: rand(2, 3))
    op("t", "vector", self=lambda: rand(3))
    for name, key in [("view", "size"), ("_unsafe_view", "size"), ("reshape", "shape")]:
        for size in [[6, 4], [-1], [4, -1, 2], [2, 3, 1, 4], [1, 24, 1], [3, 8], [24, 1]]:
            op(name, f"{size}", self=x, **{key: size})
        op(name, "of scalar", self=lambda: rand(), **{key: [1, 1]})
        op(name, "to scalar", self=lambda: rand(1, 1), **{key: []})
        op(name, "unit extents", self=lambda: rand(1, 6, 1), **{key: [2, 1, 3]})
        op(name, "empty", self=lambda: rand(0, 3), **{key: [3, 0, 5]})
    op("flatten.using_ints", self=x)
    op("flatten.using_ints", "part", self=x, start_dim=1)
    op("flatten.using_ints", "negative", self=x, start_dim=-3, end_dim=-2)
    op("flatten.using_ints", "scalar", self=lambda: rand())
    op("expand", self=lambda: rand(3, 1), size=[2, 3, 4])
    op("expand", "keep", self=lambda: rand(3, 1), size=[-1, 4])
    op("expand", "scalar", self=lambda: rand(), size=[2, 3])
    op("expand", "to empty", self=lambda: rand(3, 1), size=[3, 0])
    long = lambda: rand(3, 10)
    for start, end, step in [(None, None, 1), (2, 7, 1), (-4, -1, 1), (1, 9, 3), (0, 2**63 - 1, 4),
                             (-100, 100, 2), (7, 3, 1), (20, 30, 1), (None, -2, 5)]:
        op("slice.Tensor", f"{start}:{end}:{step}", self=long, dim=1, start=start, end=end, step=step)
    op("slice.Tensor", "dim", self=x, dim=-2, start=1)
    op("slice.Tensor", "default", self=x)
    op("select.int", self=x, dim=1, index=2)
    op("select.int", "negative", self=x, dim=-1, index=-3)
    op("squeeze", self=lambda: rand(1, 3, 1))
    op("squeeze.dim", self=lambda: rand(1, 3, 1), dim=-1)
    op("squeeze.dim", "not 1", self=lambda: rand(1, 3, 1), dim=1)
    op("squeeze.dims", self=lambda: rand(1, 3, 1), dim=[0, 1])
    op("squeeze.dims", "scalar", self=lambda: rand(), dim=[0])
    for dim in [0, 1, 2, -1, -3]:
        op("unsqueeze", f"{dim}", self=lambda: rand(2, 3), dim=dim)
    op("split_with_sizes", self=lambda: rand(7, 2), split_sizes=[3, 0, 4])
    op("split_with_sizes", "dim", self=lambda: rand(2, 7), split_sizes=[1, 4, 2], dim=-1)
    op("unfold", self=lambda: rand(3, 9), dimension=1, size=3, step=2)
    op("unfold", "first", self=lambda: rand(7, 3), dimension=-2, size=4, step=3)
    op("unfold", "size 0", self=lambda: rand(7, 3), dimension=0, size=0, step=3)
    op("unfold", "of a scalar", self=lambda: rand(), dimension=0, size=1, step=3)
    refused("view", "size", self=torch.zeros(2, 3), size=[4, 2])
    refused("expand", "size", self=torch.zeros(2, 3), size=[4, 3])


def shapes():
    op("cat", tensors=lambda: [rand(2, 3), rand(4, 3), rand(1, 3)])
    op("cat", "dim", tensors=lambda: [rand(2, 3), rand(2, 1)], dim=-1)
    op("cat", "types", tensors=lambda: [rand(2, dtype=i32), rand(3, dtype=f16), rand(1, dtype=i64)])
    op("cat", "empty", tensors=lambda: [rand(0, 3), rand(2, 3)])
    op("cat", "empty vector", tensors=lambda: [rand(0, dtype=f64), rand(2, 3), rand(0)], dim=1)
    op("cat", "integers", tensors=lambda: [rand(2, dtype=u8), rand(2, dtype=i8)])
    op("cat", "one", tensors=lambda: [rand(2, 3)])
    for dim in [0, 1, -1]:
        op("stack", f"{dim}", tensors=lambda: [rand(2, 3), rand(2, 3), rand(2, 3)], dim=dim)
    op("stack", "scalars", tensors=lambda: [rand(), rand()])
    for pad in [[1, 2], [0, 0, 1, 1], [1, 0, 2, 3], [-1, 0], [-1, 2, 1, -1], [2, -2], [-2, -1]]:
        op("constant_pad_nd", f"{pad}", self=lambda: rand(3, 5), pad=pad)
    op("constant_pad_nd", "value", self=lambda: rand(3, 2), pad=[1, 1], value=-inf)
    op("constant_pad_nd", "of i32", self=lambda: rand(3, 2, dtype=i32), pad=[1, 1], value=7)
    op("constant_pad_nd", "real of i32", self=lambda: rand(3, 2, dtype=i32), pad=[1, 1], value=7.6)
    op("constant_pad_nd", "bool", self=lambda: rand(3, dtype=bool_), pad=[1, 1], value=1)
    op("constant_pad_nd", "nothing left", self=lambda: rand(3), pad=[-1, -2])
    for dims in [[0], [-1], [0, 2], []]:
        op("flip", f"{dims}", self=lambda: rand(2, 3, 4), dims=dims)
    op("repeat", self=lambda: rand(2, 3), repeats=[2, 3])
    op("repeat", "leading", self=lambda: rand(2, 3), repeats=[2, 1, 2])
    op("repeat", "zero", self=lambda: rand(2, 3), repeats=[0, 2])
    op("repeat", "scalar", self=lambda: rand(), repeats=[3])
    conversions()
    op("embedding", weight=lambda: rand(5, 3), indices=tensor([[0, 4], [2, 2]], i64))
    op("embedding", "i32", weight=lambda: rand(5, 3), indices=tensor(3, i32))
    op("embedding", "padding", weight=lambda: rand(5, 3), indices=tensor([1, 2], i64), padding_idx=1)
    op("index_select", self=lambda: rand(4, 3), dim=0, index=tensor([3, 0, 3], i64))
    op("index_select", "last", self=lambda: rand(4, 3), dim=-1, index=tensor([2], i32))
    op("index_select", "of a scalar", self=lambda: rand(), dim=0, index=tensor([0], i64))
    op("index_select", "scalar index", self=lambda: rand(4, 3), dim=0, index=tensor(1, i64))
    op("gather", self=lambda: rand(3, 4), dim=1, index=tensor([[0, 3], [1, 1], [2, 0]], i64))
    op("gather", "smaller", self=lambda: rand(3, 4), dim=0, index=tensor([[2, 0]], i64))
    op("gather", "i32", self=lambda: rand(3, 4), dim=1, index=tensor([[0, 3], [1, 1]], i32))
    op("gather", "scalar", self=lambda: rand(), dim=0, index=tensor(0, i64))
    refused("cat", "shapes", tensors=[torch.zeros(2, 3), torch.zeros(2, 4)])


def conversions():
    reals = [0.0, -0.0, 1.7, -1.7, 100.4, nan]
    for target in [f64, f32, f16, bf16, bool_]:
        op("_to_copy", f"f32 to {NAMES[target]}", self=tensor(reals), dtype=target)
        op("_to_copy", f"i64 to {NAMES[target]}", self=tensor([0, -3, 300, 2**24 + 1], i64), dtype=target)
    for target in [i64, i32, i16, i8, u8]:
        op("_to_copy", f"f32 to {NAMES[target]}", self=tensor([0.0, 1.7, -0.7, 100.4]), dtype=target)
        op("_to_copy", f"i64 to {NAMES[target]}", self=tensor([0, -3, 300, 2**40 + 5], i64), dtype=target)
        op("_to_copy", f"bool to {NAMES[target]}", self=tensor([True, False], bool_), dtype=target)
    op("_to_copy", "rounds to even", self=tensor([1 + 2**-8, 1 + 3 * 2**-8, 1e39, 1e-40]), dtype=bf16)
    op("_to_copy", "f64 to f32", self=tensor([0.1, 1e300, 1e-50], f64), dtype=f32)
    op("_to_copy", "nothing", self=lambda: rand(3))
    op("copy", self=lambda: rand(2, 3), src=lambda: rand(3, dtype=f64))
    op("copy", "to integers", self=lambda: rand(2, dtype=i32), src=tensor([1.9, -1.9]))


def creations():
    op("full", size=[2, 3], fill_value=1.5)
    op("full", "integer", size=[2], fill_value=7)
    op("full", "bool", size=[2], fill_value=True)
    op("full", "dtype", size=[], fill_value=3, dtype=f16)
    op("full", "inf", size=[2], fill_value=-inf, dtype=f32)
    op("full", "truncates", size=[2], fill_value=2.9, dtype=i32)
    op("full", "not exact", size=[2], fill_value=0.1, dtype=bf16, rtol=0, atol=0)
    op("full", "empty", size=[0, 2], fill_value=1)
    op("full_like", self=lambda: rand(2, 3), fill_value=2)
    op("full_like", "dtype", self=lambda: rand(2, dtype=i32), fill_value=2.5, dtype=f64)
    op("full_like", "of integers", self=lambda: rand(2, dtype=i32), fill_value=2)
    for name in ["zeros_like", "ones_like"]:
        op(name, self=lambda: rand(2, 3))
        op(name, "dtype", self=lambda: rand(2, 3), dtype=i64)
    for name in ["zeros", "ones"]:
        op(name, size=[2, 3])
        op(name, "dtype", size=[3], dtype=bool_)
    op("scalar_tensor", s=2.5)
    op("scalar_tensor", "integer", s=2)
    op("scalar_tensor", "dtype", s=2, dtype=i32)
    op("arange", end=5)
    op("arange", "real", end=3.5)
    op("arange", "empty", end=0)
    op("arange", "dtype", end=5, dtype=f32)
    op("arange.start", start=2, end=7)
    op("arange.start", "real", start=0.5, end=4)
    op("arange.start_step", start=1, end=10, step=3)
    op("arange.start_step", "negative", start=5, end=-5, step=-2)
    op("arange.start_step", "real", start=0, end=1, step=0.1)
    op("arange.start_step", "f64", start=0.0, end=1.0, step=0.1, dtype=f64)
    for dtype in (i64, i32, u8):
        op("arange.start_step", f"{dtype} of reals", start=0.9, end=8.000001, step=2.7, dtype=dtype)
        op("arange.start_step", f"{dtype} from below", start=-0.9, end=2.1, step=2.0, dtype=dtype)
    op("arange.start_step", "i32 down", start=2.1, end=-2.9, step=-1.0, dtype=i32)
    op("arange.start_step", "of bf16", start=0, end=9, step=2, dtype=bf16)


def empties():
    """Tensors without elements, whose extents of 0 must divide nothing."""
    op("permute", "empty", self=lambda: rand(2, 0, 3), dims=[2, 0, 1])
    op("flip", "empty", self=lambda: rand(2, 0), dims=[1])
    op("repeat", "empty", self=lambda: rand(2, 0), repeats=[3, 2])
    op("slice.Tensor", "empty", self=lambda: rand(0, 3), dim=0, start=1, end=2)
    op("unfold", "empty", self=lambda: rand(0, 3), dimension=1, size=2, step=1)
    op("constant_pad_nd", "empty", self=lambda: rand(0, 2), pad=[0, 0, 1, 2], value=4)
    op("stack", "empty", tensors=lambda: [rand(0, 2), rand(0, 2)], dim=1)
    op("index_select", "no index", self=lambda: rand(3, 2), dim=0, index=tensor([], i64))
    op("gather", "no index", self=lambda: rand(3, 2), dim=0, index=torch.zeros(0, 2, dtype=i64))
    op("embedding", "no index", weight=lambda: rand(3, 2), indices=torch.zeros(0, 2, dtype=i64))
    for name in ["sum.dim_IntList", "mean.dim", "var.correction", "logsumexp"]:
        op(name, "empty rows", self=lambda: rand(0, 3), dim=[1])
        op(name, "nothing to combine", self=lambda: rand(2, 0), dim=[1])
    op("linalg_vector_norm", "nothing to combine", self=lambda: rand(2, 0), dim=[1])
    op("_softmax", "empty", self=lambda: rand(2, 0), dim=1, half_to_float=False)
    op("_softmax", "empty rows", self=lambda: rand(0, 2), dim=1, half_to_float=False)
    op("argmax", "empty rows", self=lambda: rand(0, 2), dim=1)
    op("mm", "no rows", self=lambda: rand(0, 2), mat2=lambda: rand(2, 3))
    op("addmm", "no inner", self=lambda: rand(3), mat1=lambda: rand(2, 0), mat2=lambda: rand(0, 3))
    op("layer_norm", "no rows", input=lambda: rand(0, 3), normalized_shape=[3])
    op("rms_norm", "no rows", input=lambda: rand(0, 3), normalized_shape=[3])
    op("group_norm", "no batch", input=lambda: rand(0, 4, 2), num_groups=2)
    op("convolution", "no batch", input=lambda: rand(0, 2, 4), weight=lambda: rand(3, 2, 2),
       bias=None, stride=[1], padding=[0], dilation=[1], transposed=False, output_padding=[0],
       groups=1)
    op("avg_pool2d", "no batch", self=lambda: rand(0, 2, 4, 4), kernel_size=[2, 2])
    op("max_pool2d_with_indices", "no batch", self=lambda: rand(0, 2, 4, 4), kernel_size=[2, 2])
    op("adaptive_avg_pool2d", "no batch", self=lambda: rand(0, 2, 4, 4), output_size=[3, 3])
    op("scaled_dot_product_attention", "no batch", query=lambda: rand(0, 2, 3, 4),
       key=lambda: rand(0, 2, 3, 4), value=lambda: rand(0, 2, 3, 4))
    graph("views of nothing", {"x": rand(2, 0, 3)}, [
        ("s", "aten.slice.Tensor", {"self": "%x", "dim": 2, "start": 1}),
        ("r", "aten.reshape.default", {"self": "%s", "shape": [0, 4]}),
        ("p", "aten.repeat.default", {"self": "%r", "repeats": [2, 2]}),
        ("q", "aten.sum.dim_IntList", {"self": "%p", "dim": [0]})])
