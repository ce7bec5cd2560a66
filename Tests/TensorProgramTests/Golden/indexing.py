"""Cases of operators that read and write where data says, and of sorting."""

from graphs import *


def padded_nonzero(self):
    """As many rows as elements, those beyond the positions zero, and how many positions there are."""
    found = aten.nonzero(self)
    rows = torch.zeros(self.numel(), self.dim(), dtype=i64)
    rows[: found.shape[0]] = found
    return rows, tensor(found.shape[0], i64)


def resized(self, size):
    flat = torch.zeros(math.prod(size), dtype=self.dtype)
    kept = self.reshape(-1)[: flat.numel()]
    flat[: kept.numel()] = kept
    return flat.reshape(size)


OWN["aten.nonzero.default"] = padded_nonzero
OWN["aten.resize_.default"] = resized
OWN["aten._local_scalar_dense.default"] = lambda self: self.reshape([])
OWN["aten.empty.memory_format"] = lambda size, dtype=f32: torch.zeros(size, dtype=dtype)
OWN["aten.empty_strided.default"] = lambda size, stride, dtype=f32: torch.zeros(size, dtype=dtype)


def indexing():
    several()
    scatters()
    masks()
    parts()


def several():
    first, second = tensor([0, -1, 2], i64), tensor([[1], [0]], i64)
    op("index.Tensor", self=lambda: rand(3, 4), indices=[first])
    op("index.Tensor", "two", self=lambda: rand(3, 4), indices=[first, second])
    op("index.Tensor", "neighbours", self=lambda: rand(2, 3, 4, 2), indices=[None, first, second])
    op("index.Tensor", "apart", self=lambda: rand(3, 2, 4), indices=[first, None, second])
    op("index.Tensor", "last", self=lambda: rand(2, 3, 4, dtype=i32), indices=[None, None, first])
    op("index.Tensor", "scalar", self=lambda: rand(3, 4), indices=[tensor(1, i64)])
    op("index.Tensor", "nothing", self=lambda: rand(3, 4), indices=[tensor([], i64)])
    graph("index.Tensor computed", {"x": rand(5, 3), "i": tensor([1, 0, -1], i64)},
          [("j", "aten.add.Tensor", {"self": "%i", "other": 1}),
           ("r", "aten.index.Tensor", {"self": "%x", "indices": ["%j", "%i"]})])
    op("index_put", self=lambda: rand(3, 4), indices=[first], values=lambda: rand(3, 4))
    op("index_put", "broadcast", self=lambda: rand(3, 4), indices=[first, tensor(1, i64)],
       values=lambda: rand(1))
    for index in [tensor([2, 0, 2, -1], i64), tensor([1, 1, 1, 1], i64)]:
        op("index_put", "accumulate", self=lambda: rand(3, 4), indices=[index],
           values=lambda: rand(4, 4), accumulate=True)
    op("index_put", "apart", self=lambda: rand(3, 2, 4), indices=[first, None, second],
       values=lambda: rand(2, 3, 2), accumulate=True)
    op("index_put", "columns bf16", self=lambda: rand(3, 4, dtype=bf16), indices=[None, first],
       values=lambda: rand(3, 3, dtype=bf16), accumulate=True)
    op("index_put", "i32", self=lambda: rand(4, dtype=i32), indices=[tensor([1, 1, 0], i64)],
       values=tensor([2**31 - 1, 5, 6], i32), accumulate=True)
    for accumulate in [False, True]:
        op("index_put", f"mask {accumulate}", self=lambda: rand(3, 4),
           indices=[tensor([True, False, True], bool_)], values=tensor(7.5), accumulate=accumulate)


def scatters():
    index = tensor([[0, 2, 1, 2], [2, 0, 0, 1]], i64)
    distinct = tensor([[0, 2, 1, 2], [2, 0, 0, 1]], i64)
    for dim, own in [(0, (3, 4)), (1, (2, 5)), (-2, (4, 6))]:
        op("scatter.src", f"{dim}", self=lambda: rand(*own), dim=dim, index=distinct
           if dim != 1 else tensor([[0, 4, 1, 2], [3, 0, 2, 1]], i64), src=lambda: rand(2, 4))
        op("scatter.value", f"{dim}", self=lambda: rand(*own), dim=dim, index=index, value=2.5)
        op("scatter_add", f"{dim}", self=lambda: rand(*own), dim=dim, index=index,
           src=lambda: rand(3, 5))
        for reduce in ["sum", "prod", "mean", "amax", "amin"]:
            for inside in [False, True]:
                op("scatter_reduce.two", f"{reduce} {dim} {inside}", self=lambda: rand(*own), dim=dim,
                   index=index, src=lambda: rand(2, 4), reduce=reduce, include_self=inside)
    op("scatter_add", "i8", self=lambda: rand(3, dtype=i8), dim=0, index=tensor([1, 1, 1], i64),
       src=tensor([100, 100, 100], i8))
    op("scatter_add", "f16", self=lambda: rand(2, 3, dtype=f16), dim=1,
       index=tensor([[1, 1, 1], [0, 2, 0]], i64), src=lambda: rand(2, 3, dtype=f16))
    op("scatter_add", "scalar", self=lambda: rand(), dim=0, index=tensor(0, i64), src=lambda: rand())
    op("scatter_add", "nothing", self=lambda: rand(3, 2), dim=0, index=torch.zeros(0, 2, dtype=i64),
       src=lambda: rand(0, 2))
    op("scatter.value", "i64", self=lambda: rand(3, 2, dtype=i64), dim=0,
       index=tensor([[1, 2]], i64), value=-7)
    op("scatter_reduce.two", "mean of i64", self=tensor([-5, 3, 8], i64), dim=0,
       index=tensor([0, 0, 1, 1], i64), src=tensor([-2, -2, 4, 4], i64), reduce="mean")
    op("scatter_reduce.two", "NaN", self=tensor([1.0, 2, nan]), dim=0,
       index=tensor([0, 0, 1, 2], i64), src=tensor([nan, 3, inf, 1]), reduce="amax")


def masks():
    mask = tensor([[True, False, True], [False, True, True]], bool_)
    op("masked_scatter", self=lambda: rand(2, 3), mask=mask, source=lambda: rand(7))
    op("masked_scatter", "broadcast", self=lambda: rand(2, 1), mask=mask, source=lambda: rand(2, 3))
    op("masked_scatter", "i32", self=lambda: rand(2, 3, dtype=i32), mask=mask,
       source=lambda: rand(4, dtype=i32))
    op("nonzero", self=tensor([[0.0, 2, nan], [-0.0, 0, 1]]))
    op("nonzero", "bool", self=lambda: rand(3, 2, 4, dtype=bool_))
    op("nonzero", "vector", self=lambda: rand(9, dtype=i32))
    op("nonzero", "none", self=torch.zeros(3))
    op("nonzero", "all", self=torch.ones(3, 1, dtype=i8))


def parts():
    op("slice_scatter", self=lambda: rand(5, 3), src=lambda: rand(2, 3), dim=0, start=1, end=4, step=2)
    op("slice_scatter", "negative", self=lambda: rand(3, 5), src=lambda: rand(3, 2), dim=-1, start=-2)
    op("slice_scatter", "all", self=lambda: rand(3, 5), src=lambda: rand(3, 5))
    op("slice_scatter", "nothing", self=lambda: rand(3, 5), src=lambda: rand(0, 5), start=2, end=2)
    op("select_scatter", self=lambda: rand(3, 4), src=lambda: rand(4), dim=0, index=-1)
    op("select_scatter", "column", self=lambda: rand(2, 3, dtype=i64),
       src=lambda: rand(2, dtype=i64), dim=1, index=1)
    for offset in [-2, -1, 0, 1, 3, 5]:
        op("diagonal", f"{offset}", self=lambda: rand(3, 4), offset=offset)
    op("diagonal", "dimensions", self=lambda: rand(2, 3, 4), offset=1, dim1=-1, dim2=0)
    op("as_strided", self=lambda: rand(3, 4), size=[2, 3], stride=[2, 3])
    op("as_strided", "offset", self=lambda: rand(20), size=[3, 4], stride=[1, 2], storage_offset=5)
    op("as_strided", "repeated", self=lambda: rand(2, 3), size=[3, 2], stride=[0, 1])
    op("resize_", "smaller", self=lambda: rand(3, 4), size=[2, 5])
    op("resize_", "larger", self=lambda: rand(3), size=[2, 2])
    op("_local_scalar_dense", self=lambda: rand(1, 1))
    op("fill.Scalar", self=lambda: rand(2, 3), value=4)
    op("fill.Tensor", self=lambda: rand(2, 3), value=tensor(4, i64))
    op("empty.memory_format", size=[2, 3])
    op("empty_strided", size=[2, 3], stride=[1, 2], dtype=i64)


def orderings():
    for descending in [False, True]:
        op("sort", f"{descending}", self=lambda: rand(3, 7), descending=descending)
        op("sort", f"first {descending}", self=lambda: rand(4, 3, dtype=f64), dim=0,
           descending=descending)
        op("sort", f"middle {descending}", self=lambda: rand(2, 5, 3), dim=1, descending=descending)
        op("sort", f"special {descending}", self=special(), descending=descending)
        op("sort", f"bool {descending}", self=lambda: rand(6, dtype=bool_), descending=descending)
        op("sort.stable", f"{descending}", self=lambda: rand(2, 30, dtype=i8), stable=True, dim=1,
           descending=descending)
        op("argsort", f"{descending}", self=lambda: rand(3, 5), dim=-1, descending=descending)
        op("topk", f"{descending}", self=lambda: rand(3, 9), k=4, largest=descending)
        op("topk", f"first {descending}", self=lambda: rand(6, 2), k=1, dim=0, largest=descending)
        op("topk", f"all {descending}", self=lambda: rand(2, 6, dtype=f64), k=6, largest=descending)
    op("sort", "ends", self=tensor([2**63 - 1, -2**63, 0, -1], i64))
    op("sort", "scalar", self=lambda: rand())
    op("sort", "of nothing", self=lambda: rand(3, 0))
    op("sort", "bf16", self=lambda: rand(2, 9, dtype=bf16), dim=1)
    op("topk", "none", self=lambda: rand(3, 4), k=0)
    op("topk", "NaN", self=tensor([1.0, nan, 3, -inf, 2]), k=3)
    op("topk", "i32", self=tensor([4, -2, 9, 7, 1], i32), k=2, largest=False)
    refused("topk", "too many", self=torch.zeros(3), k=4)
