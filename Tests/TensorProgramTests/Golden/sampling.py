"""Cases of resampling, padding by reflection, distances and Fourier transforms."""

from graphs import *

# Complex numbers are pairs of real ones.
OWN["aten._fft_r2c.default"] = lambda **a: torch.view_as_real(aten._fft_r2c(**a)).contiguous()
OWN["aten._fft_c2r.default"] = lambda self, **a: aten._fft_c2r(torch.view_as_complex(self), **a)
OWN["aten._fft_c2c.default"] = lambda self, **a: torch.view_as_real(
    aten._fft_c2c(torch.view_as_complex(self), **a)).contiguous()


def sampling():
    image = lambda: rand(2, 3, 4, 5)
    for label, size in [("twice", [8, 10]), ("other", [7, 3]), ("same", [4, 5])]:
        op("upsample_nearest2d", label, self=image, output_size=size)
        op("_upsample_nearest_exact2d", label, self=image, output_size=size)
        for corners in [False, True]:
            op("upsample_bilinear2d", f"{label} {corners}", self=image, output_size=size,
               align_corners=corners)
            op("upsample_bicubic2d", f"{label} {corners}", self=image, output_size=size,
               align_corners=corners, atol=1e-5)
    op("upsample_nearest2d", "41 times", self=lambda: rand(1, 1, 3, 1), output_size=[123, 1])
    op("upsample_nearest2d.vec", "size", input=image, output_size=[5, 9], scale_factors=None)
    op("upsample_nearest2d.vec", "factors", input=image, output_size=None, scale_factors=[1.5, 2.3])
    op("_upsample_nearest_exact2d.vec", input=image, output_size=None, scale_factors=[1.5, 0.7])
    op("upsample_bilinear2d.vec", "size", input=image, output_size=[5, 9], align_corners=True,
       scale_factors=None)
    op("upsample_bilinear2d.vec", "factors", input=image, output_size=None, align_corners=False,
       scale_factors=[1.5, 2.3])
    op("upsample_bicubic2d.vec", input=image, output_size=None, align_corners=False,
       scale_factors=[2.0, 0.5], atol=1e-5)
    for name in ["upsample_nearest1d", "_upsample_nearest_exact1d"]:
        op(name, self=lambda: rand(2, 3, 5), output_size=[9])
        op(f"{name}.vec", input=lambda: rand(2, 3, 5), output_size=None, scale_factors=[2.5])
    for name in ["upsample_nearest3d", "_upsample_nearest_exact3d"]:
        op(name, self=lambda: rand(1, 2, 2, 3, 2), output_size=[3, 6, 5])
        op(f"{name}.vec", input=lambda: rand(1, 2, 2, 3, 2), output_size=None,
           scale_factors=[2.0, 1.5, 2.0])
    op("upsample_linear1d", self=lambda: rand(2, 3, 5), output_size=[9], align_corners=False)
    op("upsample_linear1d.vec", input=lambda: rand(2, 3, 5, dtype=f64), output_size=None,
       align_corners=False, scale_factors=[2.5])
    op("upsample_trilinear3d", self=lambda: rand(1, 2, 2, 3, 2), output_size=[3, 6, 5],
       align_corners=False)
    op("upsample_trilinear3d.vec", input=lambda: rand(1, 2, 2, 3, 2), output_size=None,
       align_corners=True, scale_factors=[2.0, 1.5, 2.0])
    op("upsample_bilinear2d", "bf16", self=lambda: rand(1, 2, 3, 3, dtype=bf16),
       output_size=[5, 5], align_corners=False)
    for mode in [0, 1, 2]:
        for padding in [0, 1, 2]:
            for corners in [False, True]:
                op("grid_sampler_2d", f"{mode} {padding} {corners}", input=lambda: rand(2, 2, 4, 5),
                   grid=lambda: rand(2, 3, 4, 2) * 0.9, interpolation_mode=mode,
                   padding_mode=padding, align_corners=corners, rtol=1e-4, atol=2e-5)
    op("grid_sampler_2d", "far", input=lambda: rand(1, 1, 4, 5),
       grid=tensor([[[[-7.0, 3.3], [9.1, -12.2], [1.0, 1.0], [-1.0, -1.0]]]]),
       interpolation_mode=0, padding_mode=2, align_corners=False, rtol=1e-4, atol=2e-5)
    for padding in [1, 2]:
        op("grid_sampler_2d", f"NaN {padding}", input=lambda: rand(1, 1, 4, 5),
           grid=tensor([[[[nan, 0.3], [0.1, nan], [nan, nan], [inf, -inf]]]]),
           interpolation_mode=0, padding_mode=padding, align_corners=True, rtol=1e-4, atol=2e-5)


def paddings():
    shapes = {1: ((2, 3, 5), (2, 4)), 2: ((2, 3, 4, 5), (2, 1, 3, 0)),
              3: ((1, 2, 3, 4, 5), (1, 2, 3, 1, 0, 2))}
    for rank, (shape, padding) in shapes.items():
        for name in ["reflection", "replication"]:
            op(f"{name}_pad{rank}d", self=lambda: rand(*shape), padding=list(padding))
            op(f"{name}_pad{rank}d", "no batch", self=lambda: rand(*shape[1:]), padding=list(padding))
    op("replication_pad2d", "wide", self=lambda: rand(1, 2, 3), padding=[7, 5, 4, 3])
    op("replication_pad2d", "narrower", self=lambda: rand(1, 5, 6), padding=[-1, 2, 1, -2])
    op("reflection_pad1d", "narrower", self=lambda: rand(1, 6), padding=[-2, 3])
    op("reflection_pad2d", "of i64", self=lambda: rand(1, 3, 3, dtype=i64), padding=[1, 1, 1, 1])
    refused("reflection_pad1d", "too wide", self=torch.zeros(1, 3), padding=[3, 0])
    window = dict(kernel_size=[2, 3], dilation=[1, 2], padding=[1, 0], stride=[2, 1])
    columns = aten.im2col(torch.zeros(2, 3, 5, 7), **window).shape
    op("im2col", self=lambda: rand(2, 3, 5, 7), **window)
    op("im2col", "no batch", self=lambda: rand(3, 5, 7), **window)
    op("col2im", self=lambda: rand(*columns), output_size=[5, 7], **window)
    op("col2im", "no batch", self=lambda: rand(*columns[1:]), output_size=[5, 7], **window)


def distances():
    for p in [0.0, 1.0, 2.0, 3.0, inf, 0.5]:
        op("_cdist_forward", f"{p}", x1=lambda: rand(2, 4, 3), x2=lambda: rand(2, 5, 3), p=p,
           compute_mode=None)
        op("_pdist_forward", f"{p}", self=lambda: rand(5, 3), p=p)
    op("_cdist_forward", "broadcast", x1=lambda: rand(3, 1, 4, 3, dtype=f64),
       x2=lambda: rand(2, 5, 3, dtype=f64), p=2.0, compute_mode=2)
    op("_cdist_forward", "equal rows", x1=torch.ones(2, 3), x2=torch.ones(3, 3), p=2.0, compute_mode=2)
    op("_pdist_forward", "many", self=lambda: rand(40, 1), p=1.0)
    op("_pdist_forward", "one", self=lambda: rand(1, 3), p=2.0)


def fourier():
    for size in [1, 2, 5, 8, 12]:
        for norm in [0, 1, 2]:
            if norm and size != 8:
                continue
            op("_fft_r2c", f"{size} {norm}", self=lambda: rand(3, size), dim=[1],
               normalization=norm, onesided=True, atol=2e-5)
            op("_fft_c2c", f"{size} {norm}", self=lambda: rand(3, size, 2), dim=[1],
               normalization=norm, forward=norm == 0, atol=2e-5)
        op("_fft_c2r", f"{size}", self=lambda: rand(3, size // 2 + 1, 2), dim=[1],
           normalization=2, last_dim_size=size, atol=2e-5)
    op("_fft_r2c", "both sides", self=lambda: rand(4, 6, dtype=f64), dim=[0], normalization=0,
       onesided=False)
    op("_fft_r2c", "two", self=lambda: rand(2, 4, 6, dtype=f64), dim=[1, 2], normalization=1,
       onesided=True)
    op("_fft_c2c", "two", self=lambda: rand(4, 3, 5, 2, dtype=f64), dim=[0, 2], normalization=2,
       forward=False)
    op("_fft_c2r", "two", self=lambda: rand(4, 3, 4, 2, dtype=f64), dim=[1, 2], normalization=1,
       last_dim_size=7)
