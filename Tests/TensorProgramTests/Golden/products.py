"""Cases of matrix products, attention, convolution and pooling."""

from graphs import *


def contractions():
    op("mm", self=lambda: rand(3, 4), mat2=lambda: rand(4, 5))
    op("mm", "f64", self=lambda: rand(3, 4, dtype=f64), mat2=lambda: rand(4, 5, dtype=f64))
    op("mm", "of i32", self=lambda: rand(3, 4, dtype=i32), mat2=lambda: rand(4, 5, dtype=i32))
    op("mm", "of i8", self=lambda: rand(3, 40, dtype=i8) * 9, mat2=lambda: rand(40, 2, dtype=i8) * 9)
    op("mm", "bf16", self=lambda: rand(3, 4, dtype=bf16), mat2=lambda: rand(4, 5, dtype=bf16))
    op("mm", "no inner", self=lambda: rand(3, 0), mat2=lambda: rand(0, 2))
    op("mm", "ones", self=lambda: rand(1, 1), mat2=lambda: rand(1, 1))
    op("bmm", self=lambda: rand(2, 3, 4), mat2=lambda: rand(2, 4, 5))
    op("addmm", self=lambda: rand(5), mat1=lambda: rand(3, 4), mat2=lambda: rand(4, 5))
    op("addmm", "factors", self=lambda: rand(3, 1), mat1=lambda: rand(3, 4),
       mat2=lambda: rand(4, 5), beta=0.5, alpha=-2.0)
    op("addmm", "beta 0 of NaN", self=torch.full((5,), nan), mat1=lambda: rand(3, 4),
       mat2=lambda: rand(4, 5), beta=0)
    op("addmm", "of integers", self=lambda: rand(5, dtype=i64), mat1=lambda: rand(3, 4, dtype=i64),
       mat2=lambda: rand(4, 5, dtype=i64), beta=2, alpha=3)
    op("baddbmm", self=lambda: rand(2, 1, 5), batch1=lambda: rand(2, 3, 4),
       batch2=lambda: rand(2, 4, 5), beta=0.5, alpha=2)
    op("baddbmm", "beta 0 of NaN", self=torch.full((3, 5), nan), batch1=lambda: rand(2, 3, 4),
       batch2=lambda: rand(2, 4, 5), beta=0)
    op("linear", input=lambda: rand(3, 4), weight=lambda: rand(5, 4))
    op("linear", "bias", input=lambda: rand(2, 3, 4), weight=lambda: rand(5, 4), bias=lambda: rand(5))
    op("linear", "vector", input=lambda: rand(4), weight=lambda: rand(5, 4), bias=lambda: rand(5))
    op("linear", "weight vector", input=lambda: rand(3, 4), weight=lambda: rand(4))
    op("linear", "bf16", input=lambda: rand(3, 4, dtype=bf16), weight=lambda: rand(5, 4, dtype=bf16),
       bias=lambda: rand(5, dtype=bf16))
    for one, two in [((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((3, 4), (4, 5)),
                     ((2, 3, 4), (4,)), ((4,), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)),
                     ((2, 3, 4), (4, 5))]:
        op("matmul", f"{list(one)} {list(two)}", self=lambda: rand(*one), other=lambda: rand(*two))
    op("matmul", "of integers", self=lambda: rand(3, 4, dtype=i64), other=lambda: rand(4, dtype=i64))
    refused("mm", "inner", self=torch.zeros(3, 4), mat2=torch.zeros(3, 4))
    refused("mm", "types", self=torch.zeros(3, 4), mat2=torch.zeros(4, 4, dtype=f64))
    attention()


def attention():
    q, k, v = (lambda: rand(2, 3, 5, 4)), (lambda: rand(2, 3, 6, 4)), (lambda: rand(2, 3, 6, 2))
    name = "scaled_dot_product_attention"
    op(name, query=q, key=k, value=v)
    op(name, "causal", query=q, key=k, value=v, is_causal=True)
    op(name, "causal tall", query=lambda: rand(1, 1, 7, 4), key=lambda: rand(1, 1, 3, 4),
       value=lambda: rand(1, 1, 3, 4), is_causal=True)
    op(name, "scale", query=q, key=k, value=v, scale=0.3)
    op(name, "scale 1", query=q, key=k, value=v, scale=1.0)
    op(name, "real mask", query=q, key=k, value=v, attn_mask=lambda: rand(5, 6))
    op(name, "bool mask", query=q, key=k, value=v, attn_mask=lambda: rand(2, 1, 5, 6) > -0.5)
    op(name, "rows hidden", query=q, key=k, value=v,
       attn_mask=torch.tensor([[True] * 6, [False] * 6, [True] * 6, [False] * 6, [True] + [False] * 5]))
    op(name, "rows of -inf", query=q, key=k, value=v,
       attn_mask=tensor([[0.0] * 6, [-inf] * 6, [0.5] * 6, [-inf] * 6, [1] + [-inf] * 5]))
    op(name, "rank 2", query=lambda: rand(5, 4), key=lambda: rand(6, 4), value=lambda: rand(6, 2))
    op(name, "rank 3 f64", query=lambda: rand(2, 5, 4, dtype=f64),
       key=lambda: rand(2, 6, 4, dtype=f64), value=lambda: rand(2, 6, 4, dtype=f64))
    op(name, "broadcast", query=lambda: rand(2, 3, 5, 4), key=lambda: rand(1, 3, 6, 4),
       value=lambda: rand(2, 1, 6, 2))
    op(name, "grouped", query=lambda: rand(2, 6, 5, 4), key=lambda: rand(2, 2, 6, 4),
       value=lambda: rand(2, 2, 6, 4), enable_gqa=True)
    op(name, "grouped causal", query=lambda: rand(1, 4, 5, 4), key=lambda: rand(1, 2, 5, 4),
       value=lambda: rand(1, 2, 5, 4), enable_gqa=True, is_causal=True)
    op(name, "grouped to one", query=lambda: rand(1, 4, 5, 4), key=lambda: rand(1, 1, 5, 4),
       value=lambda: rand(1, 1, 5, 4), enable_gqa=True)
    op(name, "bf16", query=lambda: q().to(bf16), key=lambda: k().to(bf16), value=lambda: v().to(bf16))


def convolutions():
    def conv(label, x, w, bias=None, **more):
        arguments = dict(stride=[1], padding=[0], dilation=[1], transposed=False,
                         output_padding=[0], groups=1)
        arguments.update(more)
        rank = len(x) - 2
        for key in ["stride", "padding", "dilation", "output_padding"]:
            if len(arguments[key]) == 1:
                arguments[key] = arguments[key] * rank
        op("convolution", label, input=lambda: rand(*x), weight=lambda: rand(*w),
           bias=(lambda: rand(bias)) if bias else None, **arguments)

    conv("1d", (2, 3, 7), (4, 3, 3), 4)
    conv("1d stride", (2, 3, 8), (4, 3, 3), stride=[2], padding=[2], dilation=[2])
    conv("1d groups", (2, 4, 7), (6, 2, 3), 6, groups=2, padding=[1])
    conv("2d", (1, 2, 5, 6), (3, 2, 3, 2), 3)
    conv("2d all", (2, 4, 6, 7), (4, 2, 2, 3), 4, stride=[2, 1], padding=[1, 2], dilation=[1, 2], groups=2)
    conv("2d depthwise", (1, 3, 5, 5), (6, 1, 3, 3), groups=3, padding=[1, 1])
    conv("2d pointwise", (2, 3, 2, 2), (4, 3, 1, 1), 4)
    conv("2d pad 0s", (1, 1, 2, 2), (1, 1, 3, 3), padding=[2, 2])
    conv("3d", (1, 2, 3, 4, 3), (2, 2, 2, 2, 2), 2)
    conv("3d all", (1, 2, 5, 4, 4), (2, 1, 2, 3, 2), stride=[2, 1, 2], padding=[1, 2, 0],
         dilation=[2, 1, 1], groups=2)
    conv("1d transposed", (2, 3, 4), (3, 4, 3), 4, transposed=True)
    conv("1d transposed all", (2, 4, 4), (4, 2, 3), 4, transposed=True, stride=[3], padding=[1],
         dilation=[2], output_padding=[1], groups=2)
    conv("1d transposed output_padding", (1, 1, 3), (1, 1, 2), transposed=True, stride=[3],
         output_padding=[2])
    conv("2d transposed", (1, 2, 3, 4), (2, 3, 2, 3), 3, transposed=True, stride=[2, 1])
    conv("2d transposed all", (1, 4, 3, 4), (4, 3, 3, 2), 6, transposed=True, stride=[2, 3],
         padding=[1, 0], dilation=[1, 2], output_padding=[1, 2], groups=2)
    conv("3d transposed", (1, 2, 2, 3, 2), (2, 2, 2, 2, 3), transposed=True, stride=[2, 1, 2],
         padding=[1, 0, 1], output_padding=[1, 0, 1])
    conv("3d transposed groups", (1, 2, 2, 2, 2), (2, 2, 2, 1, 2), 4, transposed=True, groups=2,
         dilation=[1, 1, 2])
    op("convolution", "f64", input=lambda: rand(1, 2, 5, dtype=f64), weight=lambda: rand(3, 2, 2, dtype=f64),
       bias=None, stride=[1], padding=[1], dilation=[1], transposed=False, output_padding=[0], groups=1)
    op("convolution", "bf16", input=lambda: rand(1, 2, 5, 5, dtype=bf16),
       weight=lambda: rand(3, 2, 2, 2, dtype=bf16), bias=lambda: rand(3, dtype=bf16), stride=[1, 1],
       padding=[1, 1], dilation=[1, 1], transposed=False, output_padding=[0, 0], groups=1)
    for rank in [1, 2, 3]:
        x, w = (2, 4) + (4,) * rank, (4, 2) + (2,) * rank
        op(f"conv{rank}d", input=lambda: rand(*x), weight=lambda: rand(4, 4, *w[2:]))
        op(f"conv{rank}d", "all", input=lambda: rand(*x), weight=lambda: rand(*w),
           bias=lambda: rand(4), stride=[2] * rank, padding=[1] * rank, dilation=[2] * rank, groups=2)
        overload = f"conv_transpose{rank}d" + (".input" if rank > 1 else "")
        op(overload, input=lambda: rand(*x), weight=lambda: rand(4, 3, *w[2:]))
        op(overload, "all", input=lambda: rand(*x), weight=lambda: rand(*w), bias=lambda: rand(4),
           stride=[2] * rank, padding=[1] * rank, output_padding=[1] * rank, groups=2,
           dilation=[2] * rank)
    refused("conv1d", "channels", input=torch.zeros(1, 2, 4), weight=torch.zeros(1, 3, 2))
    refused("conv1d", "kernel too large", input=torch.zeros(1, 2, 4), weight=torch.zeros(1, 2, 5))


def pooling():
    windows = [
        ("plain", {}), ("stride", dict(stride=2)), ("stride 1", dict(stride=1)),
        ("padding", dict(padding=1, stride=2)), ("ceil", dict(stride=2, ceil_mode=True)),
        ("ceil padding", dict(stride=3, padding=1, ceil_mode=True)),
    ]
    for rank in [1, 2, 3]:
        size = [(7,), (6, 7), (4, 5, 6)][rank - 1]
        for label, window in windows:
            lists = {k: [v] * rank if isinstance(v, int) and not isinstance(v, bool) else v
                     for k, v in window.items()}
            kernel = [3, 2, 3][:rank]
            op(f"avg_pool{rank}d", label, self=lambda: rand(1, 2, *size), kernel_size=kernel, **lists)
            op(f"avg_pool{rank}d", f"{label} exclude", self=lambda: rand(2, *size),
               kernel_size=kernel, count_include_pad=False, **lists)
            if rank > 1:
                op(f"avg_pool{rank}d", f"{label} divisor", self=lambda: rand(1, 1, *size),
                   kernel_size=kernel, divisor_override=5, **lists)
            op(f"max_pool{rank}d_with_indices", label, self=lambda: rand(1, 2, *size),
               kernel_size=kernel, **lists)
        op(f"max_pool{rank}d_with_indices", "dilation", self=lambda: rand(2, *size),
           kernel_size=[2] * rank, stride=[1] * rank, padding=[1] * rank, dilation=[2] * rank)
        nans = torch.arange(math.prod(size), dtype=f32).reshape(1, 1, *size)
        nans.reshape(-1)[[2, 5]] = nan
        op(f"max_pool{rank}d_with_indices", "NaN", self=nans, kernel_size=[2] * rank,
           stride=[1] * rank, padding=[1] * rank)
        op(f"max_pool{rank}d_with_indices", "-inf", self=torch.full((1, 1, *size), -inf),
           kernel_size=[3] * rank, stride=[2] * rank, padding=[1] * rank)
        op(f"max_pool{rank}d_with_indices", "ties", self=torch.ones(1, 1, *size),
           kernel_size=[3] * rank, stride=[1] * rank, padding=[1] * rank)
        op(f"max_pool{rank}d", self=lambda: rand(1, 2, *size), kernel_size=[2] * rank)
        op(f"max_pool{rank}d", "all", self=lambda: rand(2, *size), kernel_size=[3] * rank,
           stride=[2] * rank, padding=[1] * rank, dilation=[1] * rank, ceil_mode=True)
        op(f"adaptive_avg_pool{rank}d", self=lambda: rand(1, 2, *size), output_size=[3, 4, 5][:rank])
        op(f"adaptive_avg_pool{rank}d", "one", self=lambda: rand(2, *size), output_size=[1] * rank)
        op(f"adaptive_avg_pool{rank}d", "larger", self=lambda: rand(1, 1, *size),
           output_size=[9, 8, 7][:rank])
        if rank > 1:
            op(f"_adaptive_avg_pool{rank}d", self=lambda: rand(1, 2, *size),
               output_size=[2, 3, 4][:rank])
    for rank in [1, 2, 3]:
        for padding in [True, False]:
            op(f"avg_pool{rank}d", f"i64 {padding}", kernel_size=[3] * rank, stride=[2] * rank,
               self=lambda: rand(2, *[5] * rank, dtype=i64), padding=[1] * rank,
               count_include_pad=padding)
    op("avg_pool2d", "bf16", self=lambda: rand(1, 2, 4, 4, dtype=bf16), kernel_size=[2, 2])
    op("avg_pool2d", "negative divisor", self=lambda: rand(1, 2, 4, 4), kernel_size=[2, 2],
       divisor_override=-3)
    op("max_pool2d_with_indices", "of i64", self=lambda: rand(1, 2, 4, 4, dtype=i64),
       kernel_size=[2, 2], padding=[1, 1])
    op("max_pool2d_with_indices", "f64 one kernel", self=lambda: rand(1, 2, 4, 4, dtype=f64),
       kernel_size=[2])
    refused("max_pool2d", "padding", self=torch.zeros(1, 1, 4, 4), kernel_size=[2, 2], padding=[2, 2])
