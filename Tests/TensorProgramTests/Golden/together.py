"""Cases of several operators, as fusion meets them."""

from graphs import *


def together():
    """Graphs of several operators, as fusion meets them."""
    def made(name, shapes, nodes, outputs=None, dtype=f32, **more):
        seed(name)
        inputs = {key: rand(*shape, dtype=dtype) for key, shape in shapes.items()}
        graph(name, inputs, [(i, f"aten.{o}" if "." in o else f"aten.{o}.default", a)
                             for i, o, a in nodes], outputs, **more)

    for dtype in [f32, f64, bf16, f16]:
        label = NAMES[dtype]
        made(f"linear, gelu and residual {label}", {"x": (3, 4), "w": (5, 4), "b": (5,), "y": (3, 5)}, [
            ("l", "linear", {"input": "%x", "weight": "%w", "bias": "%b"}),
            ("g", "gelu", {"self": "%l"}),
            ("s", "add.Tensor", {"self": "%g", "other": "%y"})], dtype=dtype)
        made(f"rounds between operators {label}", {"x": (16,), "y": (16,)}, [
            ("a", "add.Tensor", {"self": "%x", "other": "%y"}),
            ("b", "sub.Tensor", {"self": "%a", "other": "%x"}),
            ("c", "mul.Tensor", {"self": "%b", "other": 1.5})], dtype=dtype)
        made(f"softmax of a product {label}", {"x": (3, 4), "y": (4, 6)}, [
            ("m", "mm", {"self": "%x", "mat2": "%y"}),
            ("s", "_softmax", {"self": "%m", "dim": -1, "half_to_float": False})], dtype=dtype)
    made("cast down and up", {"x": (9,)}, [
        ("d", "_to_copy", {"self": "%x", "dtype": bf16}),
        ("u", "_to_copy", {"self": "%d", "dtype": f32})], rtol=0, atol=0)
    for dtype in [bf16, f16]:
        label = NAMES[dtype]
        made(f"computed in {label}, seen as f32", {"x": (9,), "y": (9,)}, [
            ("d", "_to_copy", {"self": "%x", "dtype": dtype}),
            ("m", "mul.Tensor", {"self": "%d", "other": "%d"}),
            ("e", "exp", {"self": "%m"}),
            ("u", "_to_copy", {"self": "%e", "dtype": f32}),
            ("s", "sub.Tensor", {"self": "%u", "other": "%x"}),
            ("t", "mul.Tensor", {"self": "%e", "other": "%y"})], ["%s", "%t"], rtol=1e-6, atol=1e-6)
        made(f"a result in {label} that is read in f32", {"x": (4, 5), "w": (3, 5)}, [
            ("l", "linear", {"input": "%x", "weight": "%w", "bias": None}),
            ("u", "_to_copy", {"self": "%l", "dtype": f32}),
            ("m", "mul.Tensor", {"self": "%u", "other": 3})], ["%m", "%l"], dtype=dtype, rtol=1e-6,
            atol=1e-6)
    made("cast of f64 through f32", {"x": (9,)}, [
        ("d", "_to_copy", {"self": "%x", "dtype": f32}),
        ("u", "_to_copy", {"self": "%d", "dtype": f64}),
        ("s", "sub.Tensor", {"self": "%u", "other": "%x"})], dtype=f64, rtol=1e-9, atol=0)
    made("cast to integers and back", {"x": (9,)}, [
        ("m", "mul.Tensor", {"self": "%x", "other": 3}),
        ("d", "_to_copy", {"self": "%m", "dtype": i32}),
        ("u", "_to_copy", {"self": "%d", "dtype": f32})])
    made("cast through u8", {"x": (9,)}, [
        ("d", "_to_copy", {"self": "%x", "dtype": u8}),
        ("u", "_to_copy", {"self": "%d", "dtype": i64})], dtype=i64)
    made("adding zero keeps no negative zero", {}, [
        ("z", "full", {"size": [2], "fill_value": -0.0}),
        ("a", "add.Tensor", {"self": "%z", "other": 0.0})], rtol=0, atol=0)
    made("views of a view", {"x": (2, 3, 4)}, [
        ("p", "permute", {"self": "%x", "dims": [2, 0, 1]}),
        ("r", "reshape", {"self": "%p", "shape": [6, 4]}),
        ("s", "slice.Tensor", {"self": "%r", "dim": 0, "start": 1, "end": 6, "step": 2}),
        ("f", "flip", {"self": "%s", "dims": [1]}),
        ("e", "reshape", {"self": "%f", "shape": [2, 1, 6]})])
    made("sum of a padded slice", {"x": (4, 6)}, [
        ("s", "slice.Tensor", {"self": "%x", "dim": 1, "start": -5, "end": -1}),
        ("p", "constant_pad_nd", {"self": "%s", "pad": [2, 1], "value": 1.5}),
        ("r", "sum.dim_IntList", {"self": "%p", "dim": [1]})])
    made("norm by hand", {"x": (3, 8), "w": (8,)}, [
        ("q", "pow.Tensor_Scalar", {"self": "%x", "exponent": 2}),
        ("m", "mean.dim", {"self": "%q", "dim": [-1], "keepdim": True}),
        ("e", "add.Tensor", {"self": "%m", "other": 1e-5}),
        ("r", "rsqrt", {"self": "%e"}),
        ("n", "mul.Tensor", {"self": "%x", "other": "%r"}),
        ("o", "mul.Tensor", {"self": "%n", "other": "%w"})])
    made("convolution, norm, activation and pool",
         {"x": (1, 2, 6, 6), "w": (4, 2, 3, 3), "g": (4,), "b": (4,), "m": (4,), "v": (4,)}, [
        ("c", "conv2d", {"input": "%x", "weight": "%w", "bias": None, "padding": [1, 1]}),
        ("a", "abs", {"self": "%v"}),
        ("n", "_native_batch_norm_legit_no_training", {
            "input": "%c", "weight": "%g", "bias": "%b", "running_mean": "%m", "running_var": "%a",
            "momentum": 0.1, "eps": 1e-3}),
        ("r", "relu", {"self": "%n"}),
        ("p", "max_pool2d", {"self": "%r", "kernel_size": [2, 2]})])
    made("several outputs share their work", {"x": (3, 4)}, [
        ("e", "exp", {"self": "%x"}),
        ("s", "sum.dim_IntList", {"self": "%e", "dim": [1], "keepdim": True}),
        ("d", "div.Tensor", {"self": "%e", "other": "%s"}),
        ("t", "sum.dim_IntList", {"self": "%e", "dim": [0]})], ["%d", "%s", "%t", "%e", "%x", "%d"])
    made("product of products", {"x": (3, 4), "y": (4, 5), "z": (5, 2)}, [
        ("m", "mm", {"self": "%x", "mat2": "%y"}),
        ("r", "relu", {"self": "%m"}),
        ("n", "mm", {"self": "%r", "mat2": "%z"})], ["%n", "%m"])
    made("cat of computed parts", {"x": (3, 4), "y": (3, 2)}, [
        ("a", "exp", {"self": "%x"}), ("b", "neg", {"self": "%y"}),
        ("c", "cat", {"tensors": ["%a", "%b", "%x"], "dim": 1}),
        ("s", "cumsum", {"self": "%c", "dim": 1})])
    made("second result of a split", {"x": (3, 7)}, [
        ("s", "split_with_sizes", {"self": "%x", "split_sizes": [2, 4, 1], "dim": 1}),
        ("r", "mul.Tensor", {"self": "%s#1", "other": "%s#2"})])
    made("index read from data", {"x": (5, 3)}, [
        ("i", "argmax", {"self": "%x", "dim": 0}),
        ("g", "index_select", {"self": "%x", "dim": 0, "index": "%i"}),
        ("r", "add.Tensor", {"self": "%g", "other": 1})])
    made("window mean of a scan", {"x": (2, 9)}, [
        ("c", "cumsum", {"self": "%x", "dim": -1}),
        ("u", "unfold", {"self": "%c", "dimension": 1, "size": 3, "step": 2}),
        ("m", "mean.dim", {"self": "%u", "dim": [2]})])
