"""Cases of operators that say in one what others say in several."""

from graphs import *
from recommendation import bag

OWN["aten._embedding_bag_forward_only.default"] = bag(aten._embedding_bag_forward_only.default)
OWN["aten.empty_permuted.default"] = lambda size, physical_layout: torch.zeros(size)
OWN["aten.native_batch_norm.default"] = lambda running_mean, running_var, **rest: (
    aten.native_batch_norm(
        running_mean=running_mean.clone(), running_var=running_var.clone(), **rest))


def spellings():
    statistics = dict(running_mean=lambda: rand(3), running_var=lambda: positive(3))
    affine = dict(input=lambda: rand(4, 3, 2), weight=lambda: rand(3), bias=lambda: rand(3))
    for training in [False, True]:
        op("native_batch_norm", f"{training}", **affine, **statistics, training=training,
           momentum=0.3, eps=1e-3)
    op("_batch_norm_with_update_functional", **affine, **statistics, momentum=0.3, eps=1e-3)
    op("var_mean.correction", self=lambda: rand(3, 5), dim=[1], correction=1)
    op("var_mean.correction", "all", self=lambda: rand(3, 5), correction=0, keepdim=True)
    op("empty_permuted", size=[2, 3], physical_layout=[1, 0])
    op("exp2", self=lambda: rand(3, 4))
    op("exp2", "of integers", self=tensor([-2, 0, 5], i32))
    for name in ["fmax", "fmin"]:
        op(name, self=tensor([1.0, nan, nan, -2, inf]), other=tensor([nan, 2.0, nan, -3, 5]))
        op(name, "of integers", self=lambda: rand(4, dtype=i64), other=lambda: rand(4, dtype=i64))
    op("permute_copy", self=lambda: rand(2, 3, 4), dims=[2, 0, 1])
    op("view_copy", self=lambda: rand(2, 6), size=[3, -1])
    op("as_strided_copy", self=lambda: rand(3, 4), size=[2, 3], stride=[2, 3])
    op("_embedding_bag_forward_only", weight=lambda: rand(6, 3),
       indices=tensor([0, 2, 4, 4, 1], i64), offsets=tensor([0, 3, 3], i64), mode=1)
    for decimals in [0, 2, -1]:
        for dtype in [f32, f64, bf16]:
            op("round.decimals", f"{NAMES[dtype]} {decimals}", decimals=decimals,
               self=lambda: rand(4, 5, dtype=dtype) * 20)
    op("round.decimals", "special", self=special(), decimals=1)
    for reduction in ["add", "multiply"]:
        for dtype in [f32, i64]:
            op("scatter.reduce", f"{reduction} {NAMES[dtype]}", self=lambda: rand(3, 5, dtype=dtype),
               dim=1, index=tensor([[0, 1, 1], [4, 4, 4]], i64),
               src=lambda: rand(2, 4, dtype=dtype), reduce=reduction)
            op("scatter.value_reduce", f"{reduction} {NAMES[dtype]}", dim=0, reduce=reduction,
               self=lambda: rand(3, 5, dtype=dtype), index=tensor([[0, 1, 1], [2, 2, 0]], i64),
               value=3)
