"""Cases of the gradients that are operators of their own."""

from graphs import *


def gradients():
    convolutions()
    norms()
    pools()
    embeddings()


def convolution(label, input, weight, groups=1, mask=(True, True, True), transposed=False,
                dtype=f32, **window):
    spatial = len(input) - 2
    arguments = dict(
        stride=[1] * spatial, padding=[0] * spatial, dilation=[1] * spatial,
        output_padding=[0] * spatial)
    arguments.update(window)
    channels = weight[1] * groups if transposed else weight[0]
    shape = aten.convolution(
        torch.zeros(input), torch.zeros(weight), None, arguments["stride"], arguments["padding"],
        arguments["dilation"], transposed, arguments["output_padding"], groups).shape
    op("convolution_backward", label, grad_output=lambda: rand(*shape, dtype=dtype),
       input=lambda: rand(*input, dtype=dtype), weight=lambda: rand(*weight, dtype=dtype),
       bias_sizes=[channels], transposed=transposed, groups=groups, output_mask=list(mask),
       **arguments)


def convolutions():
    convolution("", (2, 3, 5, 6), (4, 3, 3, 2))
    convolution("stride and padding", (2, 3, 7, 6), (4, 3, 3, 3), stride=[2, 3], padding=[1, 2])
    convolution("dilation", (1, 2, 9, 8), (3, 2, 3, 2), stride=[2, 1], dilation=[2, 3], padding=[2, 0])
    convolution("groups", (2, 4, 5, 5), (6, 2, 3, 3), groups=2, padding=[1, 1])
    convolution("depthwise", (2, 3, 6), (3, 1, 3), groups=3, stride=[2])
    convolution("volume", (1, 2, 4, 3, 5), (2, 2, 2, 2, 3), stride=[1, 1, 2])
    convolution("transposed", (2, 4, 3, 4), (4, 3, 3, 2), transposed=True, stride=[2, 1],
                padding=[1, 0], output_padding=[1, 0])
    convolution("transposed groups", (1, 4, 5), (4, 2, 3), transposed=True, groups=2, dilation=[2])
    convolution("input alone", (2, 3, 5), (4, 3, 3), mask=(True, False, False))
    convolution("weight alone f64", (2, 3, 5), (4, 3, 3), mask=(False, True, False), dtype=f64)


def norms():
    for mask in [[True, True, True], [True, False, True]]:
        op("native_layer_norm_backward", f"{mask}", grad_out=lambda: rand(3, 2, 5),
           input=lambda: rand(3, 2, 5), normalized_shape=[2, 5], mean=lambda: rand(3, 1, 1),
           rstd=lambda: positive(3, 1, 1), weight=lambda: rand(2, 5), bias=lambda: rand(2, 5),
           output_mask=mask)
        op("native_group_norm_backward", f"{mask}", grad_out=lambda: rand(2, 6, 2, 3),
           input=lambda: rand(2, 6, 2, 3), mean=lambda: rand(2, 3), rstd=lambda: positive(2, 3),
           weight=lambda: rand(6), N=2, C=6, HxW=6, group=3, output_mask=mask)
    op("native_layer_norm_backward", "no weight", grad_out=lambda: rand(4, 5, dtype=f64),
       input=lambda: rand(4, 5, dtype=f64), normalized_shape=[5], mean=lambda: rand(4, 1, dtype=f64),
       rstd=lambda: positive(4, 1, dtype=f64), weight=None, bias=None,
       output_mask=[True, False, False])
    op("native_group_norm_backward", "no weight", grad_out=lambda: rand(2, 4, 3),
       input=lambda: rand(2, 4, 3), mean=lambda: rand(2, 2), rstd=lambda: positive(2, 2),
       weight=None, N=2, C=4, HxW=3, group=2, output_mask=[True, False, False])


def pools():
    windows = [
        ("", dict(kernel_size=[2, 2], stride=[2, 2], padding=[0, 0])),
        ("overlap", dict(kernel_size=[3, 2], stride=[2, 1], padding=[1, 1])),
        ("ceiling", dict(kernel_size=[3, 3], stride=[2, 2], padding=[1, 1], ceil_mode=True)),
    ]
    for label, window in windows:
        for dilation in [[1, 1], [2, 1]]:
            forward = {**window, "dilation": dilation}
            forward.setdefault("ceil_mode", False)
            seed(label)
            image = rand(2, 3, 8, 7)
            result, indices = aten.max_pool2d_with_indices(image, **forward)
            op("max_pool2d_with_indices_backward", f"{label} {dilation}",
               grad_output=lambda: rand(*result.shape), self=image, **forward, indices=indices)
        for counts in [False, True]:
            average = {"ceil_mode": False, **window, "count_include_pad": counts}
            shape = aten.avg_pool2d(torch.zeros(2, 3, 8, 7), **average).shape
            op("avg_pool2d_backward", f"{label} {counts}", grad_output=lambda: rand(*shape),
               self=lambda: rand(2, 3, 8, 7), **average, divisor_override=None)
    op("avg_pool2d_backward", "divisor", grad_output=lambda: rand(3, 4, 3),
       self=lambda: rand(3, 8, 7), kernel_size=[2, 2], stride=[], padding=[0, 0], ceil_mode=False,
       count_include_pad=True, divisor_override=3)
    op("avg_pool3d_backward", grad_output=lambda: rand(1, 2, 3, 2, 2), self=lambda: rand(1, 2, 5, 4, 4),
       kernel_size=[3, 2, 2], stride=[2, 2, 2], padding=[1, 0, 0], ceil_mode=False,
       count_include_pad=False, divisor_override=None)
    seed("volume")
    volume = rand(1, 2, 5, 4, 4)
    result, indices = aten.max_pool3d_with_indices(volume, [3, 2, 2], [2, 2, 2], [1, 0, 0])
    op("max_pool3d_with_indices_backward", grad_output=lambda: rand(*result.shape), self=volume,
       kernel_size=[3, 2, 2], stride=[2, 2, 2], padding=[1, 0, 0], dilation=[1, 1, 1],
       ceil_mode=False, indices=indices)
    for shape, size in [((2, 3, 8, 7), (3, 2)), ((2, 2, 4, 6), (2, 3)), ((1, 3, 5), (7, 2))]:
        image = shape if len(shape) == 4 else (2,) + shape
        op("_adaptive_avg_pool2d_backward", f"{shape} {size}",
           grad_output=lambda: rand(*image[:2], *size), self=lambda: rand(*image))
    op("_adaptive_avg_pool3d_backward", grad_output=lambda: rand(2, 3, 2, 3, 4),
       self=lambda: rand(2, 3, 5, 6, 3))


def embeddings():
    for scale in [False, True]:
        op("embedding_dense_backward", f"{scale}", grad_output=lambda: rand(2, 4, 3),
           indices=tensor([[0, 2, 2, 4], [2, 1, 0, 4]], i64), num_weights=6, padding_idx=4,
           scale_grad_by_freq=scale)
    op("embedding_dense_backward", "f64", grad_output=lambda: rand(5, 2, dtype=f64),
       indices=tensor([3, 3, 3, 0, 1], i64), num_weights=4, padding_idx=-1,
       scale_grad_by_freq=False)
    op("embedding_dense_backward", "of nothing", grad_output=lambda: rand(0, 2),
       indices=tensor([], i64), num_weights=3, padding_idx=-1, scale_grad_by_freq=False)
