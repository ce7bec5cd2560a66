"""Cases of operators on single elements."""

from graphs import *


def unary():
    real = [
        "exp", "expm1", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "asinh", "sigmoid",
        "erf",
    ]
    limited = ["log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "acosh"]
    unit = ["asin", "acos", "atanh"]
    for name in real + limited + unit:
        make = (lambda: rand(3, 4)) if name in real else (lambda: positive(3, 4) + 1)
        if name in unit:
            make = lambda: torch.tanh(rand(3, 4))
        op(name, self=make)
        op(name, "special", self=special())
        op(name, "f64 special", self=special(f64))
        op(name, "of integers", self=tensor([0, 1, 2, 3, -1], i32))
        op(name, "of bool", self=tensor([True, False], bool_))
        op(name, "bf16", self=lambda: make().to(bf16))
    for name in ["neg", "abs", "floor", "ceil", "round", "trunc"]:
        op(name, self=lambda: rand(3, 4) * 4)
        op(name, "special", self=special())
        op(name, "of i64", self=lambda: rand(5, dtype=i64))
        op(name, "of i8", self=tensor([-128, 127, 0, -1], i8))
        op(name, "of u8", self=tensor([0, 1, 200, 255], u8))
        op(name, "f16", self=lambda: rand(5, dtype=f16) * 3)
    for name in ["isnan", "isinf", "logical_not"]:
        op(name, "special", self=special())
        op(name, "of i32", self=tensor([0, 1, -1], i32))
        op(name, "of bool", self=tensor([True, False], bool_))
    op("sign", "special", self=special())
    op("sign", "of i64", self=tensor([-5, 0, 5], i64))
    op("sign", "of bool", self=tensor([True, False], bool_))
    op("sign", "of u8", self=tensor([0, 200], u8))
    op("bitwise_not", "of i32", self=tensor([0, -1, 7], i32))
    op("bitwise_not", "of u8", self=tensor([0, 255, 7], u8))
    op("bitwise_not", "of bool", self=tensor([True, False], bool_))
    op("exp", "scalar", self=lambda: rand())
    op("exp", "empty", self=lambda: rand(0, 3))
    refused("neg", "of bool", self=tensor([True], bool_))
    refused("bitwise_not", "of f32", self=tensor([1.0]))


def activations():
    for name in [
        "relu", "leaky_relu", "elu", "silu", "mish", "softplus", "hardswish", "hardsigmoid",
        "gelu", "hardtanh", "relu6",
    ]:
        op(name, self=lambda: rand(3, 5) * 4)
        op(name, "f64", self=lambda: rand(3, 5, dtype=f64) * 4)
        # PyTorch's gelu of an infinite f32 is NaN where it is vectorised, unlike that of f64.
        op(name, "special", self=special(f64 if name == "gelu" else f32))
        op(name, "bf16", self=lambda: rand(7, dtype=bf16))
    op("relu", "of i32", self=lambda: rand(5, dtype=i32))
    op("leaky_relu", "slope", self=lambda: rand(9), negative_slope=-0.3)
    op("elu", "all", self=lambda: rand(9), alpha=0.7, scale=1.3, input_scale=2.0)
    op("elu", "inf", self=special(f64), alpha=2.0)
    op("softplus", "beta", self=lambda: rand(9) * 5, beta=2.0, threshold=3.0)
    op("softplus", "large", self=tensor([-50, -20, 19.9, 20.1, 50], f64))
    op("gelu", "tanh", self=lambda: rand(9), approximate="tanh")
    op("gelu", "tanh special", self=special(), approximate="tanh")
    op("gelu", "tanh f64", self=lambda: rand(9, dtype=f64) * 3, approximate="tanh")
    op("hardtanh", "bounds", self=lambda: rand(9), min_val=-0.5, max_val=0.25)
    op("hardtanh", "of i32", self=lambda: rand(9, dtype=i32), min_val=-2, max_val=3)
    op("clamp", self=lambda: rand(9), min=-0.5, max=0.5)
    op("clamp", "min", self=lambda: rand(9), min=0.1)
    op("clamp", "max", self=lambda: rand(9), max=0.1)
    op("clamp", "crossed", self=lambda: rand(9), min=1.0, max=-1.0)
    op("clamp", "special", self=special(), min=-1, max=1.25)
    op("clamp", "of integers by reals", self=lambda: rand(9, dtype=i32), min=-1.5, max=2.5)
    op("clamp", "of integers", self=lambda: rand(9, dtype=i64), min=-1, max=2)
    op("clamp.Tensor", self=lambda: rand(3, 4), min=lambda: rand(4) - 1, max=lambda: rand(3, 1) + 1)
    op("clamp.Tensor", "min", self=lambda: rand(3, 4), min=lambda: rand(4))
    op("clamp.Tensor", "NaN bound", self=special(), min=tensor(nan), max=tensor(1.0))
    op("clamp.Tensor", "types", self=lambda: rand(4, dtype=i32), max=lambda: rand(4, dtype=f64))
    op("where.self", condition=lambda: rand(3, 1, dtype=bool_), self=lambda: rand(4),
       other=lambda: rand(3, 4))
    op("where.self", "types", condition=tensor([True, False], bool_),
       self=lambda: rand(2, dtype=i32), other=tensor(2.5))
    op("where.self", "nan not taken", condition=tensor([True, False], bool_),
       self=tensor([1.0, nan]), other=tensor([nan, 2.0]))
    op("where.self", "bf16", condition=tensor([True, False], bool_),
       self=lambda: rand(2, dtype=bf16), other=lambda: rand(2, dtype=f16))


def binary():
    for name in ["add", "sub", "mul", "div", "fmod", "remainder"]:
        full, scalar = f"{name}.Tensor", f"{name}.Scalar"
        op(full, "broadcast", self=lambda: rand(3, 1, 4), other=lambda: positive(2, 1))
        op(full, "scalar tensor", self=lambda: rand(3), other=tensor(1.5, f64))
        op(full, "integer and real", self=lambda: rand(4, dtype=i32), other=lambda: positive(4))
        op(full, "integer and scalar tensor", self=lambda: rand(4, dtype=i16),
           other=tensor(2, i64))
        op(full, "integer and real scalar tensor", self=lambda: rand(4, dtype=i64),
           other=tensor(1.5, f64))
        op(full, "bf16 and f16", self=lambda: rand(4, dtype=bf16),
           other=lambda: positive(4, dtype=f16) + 1)
        op(full, "u8 and i8", self=tensor([1, 200, 255, 7], u8), other=tensor([-3, 5, -7, 100], i8))
        op(full, "special", self=special().reshape(-1, 1), other=special().reshape(1, -1))
        op(full, "number", self=lambda: rand(4), other=2.5)
        op(full, "negative number", self=lambda: rand(6) * 9, other=-2.5)
        op(full, "integers by number", self=lambda: rand(6, dtype=i32), other=-3)
        op(full, "integers by real", self=lambda: rand(6, dtype=i32), other=2.5)
        op(full, "empty", self=lambda: rand(0, 3), other=lambda: rand(3))
        op(scalar, self=lambda: rand(4), other=1.5)
        op(scalar, "of i8", self=tensor([100, -100, 7, -7], i8), other=3)
        op(full, "bf16", self=lambda: rand(8, dtype=bf16), other=lambda: positive(8, dtype=bf16))
    for name in ["add", "sub"]:
        op(f"{name}.Tensor", "alpha", self=lambda: rand(4), other=lambda: rand(4), alpha=-0.3)
        op(f"{name}.Tensor", "alpha of integers", self=lambda: rand(4, dtype=i64),
           other=lambda: rand(4, dtype=i64), alpha=3)
        op(f"{name}.Scalar", "alpha", self=lambda: rand(4), other=2, alpha=2.5)
        op(f"{name}.Tensor", "overflow", self=tensor([127, -128, 100], i8),
           other=tensor([1, -1, 100], i8))
        op(f"{name}.Tensor", "u8 overflow", self=tensor([0, 255, 3], u8),
           other=tensor([1, 2, 5], u8))
        op(f"{name}.Tensor", "number first", self=2.5, other=lambda: rand(4))
    op("add.Tensor", "bool", self=tensor([True, True, False], bool_),
       other=tensor([True, False, False], bool_))
    op("add.Tensor", "bool and number", self=tensor([True, False], bool_), other=2)
    op("mul.Tensor", "bool", self=tensor([True, True, False], bool_),
       other=tensor([True, False, False], bool_))
    op("mul.Tensor", "i32 overflow", self=tensor([2**30, -2**31], i32), other=tensor([4, -1], i32))
    op("mul.Tensor", "i64 overflow", self=tensor([2**62, 3], i64), other=tensor([4, -1], i64))
    op("div.Tensor", "bool", self=tensor([True, False], bool_), other=tensor([True, True], bool_))
    op("div.Tensor", "integers", self=lambda: rand(6, dtype=i64), other=tensor([1, 2, 3, 4, 0, -3], i64))
    for mode in ["floor", "trunc", None]:
        for label, make in [("real", lambda: rand(3, 4) * 9), ("f64", lambda: rand(3, 4, dtype=f64) * 9)]:
            op("div.Tensor_mode", f"{mode} {label}", self=make, other=lambda: rand(4),
               rounding_mode=mode)
        op("div.Tensor_mode", f"{mode} integers", self=tensor([7, -7, 7, -7, 6], i32),
           other=tensor([2, 2, -2, -2, -3], i32), rounding_mode=mode)
        op("div.Tensor_mode", f"{mode} special", self=special().reshape(-1, 1),
           other=special().reshape(1, -1), rounding_mode=mode)
        op("div.Scalar_mode", f"{mode}", self=lambda: rand(7) * 9, other=-0.7, rounding_mode=mode)
        op("div.Scalar_mode", f"{mode} of integers", self=lambda: rand(7, dtype=i32), other=-4,
           rounding_mode=mode)
        op("div.Tensor_mode", f"{mode} bf16", self=lambda: rand(7, dtype=bf16) * 9,
           other=tensor([2.0] * 7, bf16), rounding_mode=mode)
    op("fmod.Tensor", "integers", self=tensor([7, -7, 7, -7], i64), other=tensor([3, 3, -3, -3], i64))
    op("remainder.Tensor", "integers", self=tensor([7, -7, 7, -7], i64),
       other=tensor([3, 3, -3, -3], i64))
    op("remainder.Tensor", "number first", self=7, other=tensor([2, 3, -4], i32))
    refused("sub.Tensor", "of bool", self=tensor([True], bool_), other=tensor([True], bool_))
    refused("add.Tensor", "of shapes", self=torch.zeros(3), other=torch.zeros(2))
    refused("add.Tensor", "real alpha", self=tensor([1], i32), other=tensor([1], i32), alpha=0.5)
    integers()
    powers()
    comparisons()
    promotions()


def promotions():
    """Operands of another type are rounded to the common one before anything is computed."""
    halves = tensor([inf, -inf, 1.5, -0.0, 60000, -60000], f16).reshape(-1, 1)
    beyond = tensor([70000, -70000, 65519, 2**30, 3], i32)
    for name in ["add", "sub", "mul", "div", "remainder", "eq", "lt", "ge"]:
        op(f"{name}.Tensor", "f16 and integers beyond its range", self=halves, other=beyond)
    op("atan2", "f16 and integers beyond its range", self=halves, other=beyond)
    op("pow.Tensor_Tensor", "integers beyond the range of their f16 exponent",
       self=beyond.reshape(-1, 1), exponent=tensor([0.5, -0.5, 2.0**-14], f16))
    near = tensor([1.1, -1.1, 0.1, 2.5, 7.0], bf16)
    for name in ["eq", "lt"]:
        op(f"{name}.Tensor", "bf16 and a real tensor without dimensions", self=near,
           other=tensor(1.1))
        op(f"{name}.Tensor", "bf16 and integers", self=tensor([256.0, 258.0], bf16),
           other=tensor([257, 257], i64))
    # 1.1 is 1.1015625 in bf16, so that these are exact; as factors and divisors, numbers keep their digits.
    exact = {"rtol": 1e-6, "atol": 1e-7}
    for name in ["add", "sub", "fmod", "remainder"]:
        op(f"{name}.Scalar", "of bf16 by a number that it rounds", self=near, other=1.1, **exact)
        op(f"{name}.Tensor", "bf16 and a real tensor without dimensions", self=near,
           other=tensor(1.1), **exact)
    for name in ["add", "sub"]:
        op(f"{name}.Tensor", "bf16 alpha that it rounds", self=near,
           other=tensor([1.0, 1, 1, 1, 1], bf16), alpha=1.1, **exact)
    op("mul.Scalar", "of bf16 by a number that it rounds", self=near, other=100.1, rtol=4e-3)
    op("div.Scalar_mode", "of bf16 by a number that it rounds", self=near, other=0.3,
       rounding_mode="trunc", **exact)
    op("pow.Tensor_Scalar", "bf16 by a number that it rounds", self=near, exponent=100.1)
    op("pow.Scalar", "bf16 of a number that it rounds", self=1.1, exponent=near * 16)


def integers():
    for name in ["bitwise_and", "bitwise_or", "bitwise_xor"]:
        op(f"{name}.Tensor", self=lambda: rand(3, 1, dtype=i32), other=lambda: rand(4, dtype=i32))
        op(f"{name}.Tensor", "bool", self=tensor([True, True, False], bool_),
           other=tensor([True, False, False], bool_))
        op(f"{name}.Tensor", "types", self=tensor([200, 3], u8), other=tensor([-1, -2], i8))
        op(f"{name}.Tensor", "bool and integer", self=tensor([True, False], bool_),
           other=tensor([6, 7], i16))
        op(f"{name}.Scalar", self=lambda: rand(4, dtype=i64), other=5)
        op(f"{name}.Scalar", "of bool", self=tensor([True, False], bool_), other=True)
    for name in ["maximum", "minimum"]:
        op(name, self=lambda: rand(3, 1), other=lambda: rand(4))
        op(name, "special", self=special().reshape(-1, 1), other=special().reshape(1, -1))
        op(name, "types", self=lambda: rand(4, dtype=i32), other=lambda: rand(4, dtype=i64))
        op(name, "bool", self=tensor([True, False], bool_), other=tensor([False, False], bool_))
    op("atan2", self=lambda: rand(3, 1), other=lambda: rand(4))
    op("atan2", "special", self=special().reshape(-1, 1), other=special().reshape(1, -1))
    op("atan2", "integers", self=lambda: rand(4, dtype=i32), other=lambda: rand(4, dtype=i32))


def powers():
    op("pow.Tensor_Tensor", self=lambda: positive(3, 1), exponent=lambda: rand(4))
    op("pow.Tensor_Tensor", "special", self=special(f64).reshape(-1, 1),
       exponent=special(f64).reshape(1, -1))
    op("pow.Tensor_Tensor", "integers", self=tensor([2, -3, 0, 10], i32),
       exponent=tensor([10, 3, 0, 12], i32))
    op("pow.Tensor_Tensor", "negative integers", self=tensor([1, -1, -1, 2], i64),
       exponent=tensor([-2, -2, -3, -1], i64))
    op("pow.Tensor_Tensor", "types", self=tensor([2, 3], i32), exponent=tensor([0.5, 2.0]))
    op("pow.Scalar", self=2.5, exponent=lambda: rand(5))
    op("pow.Scalar", "integers", self=2, exponent=tensor([0, 1, 5], i64))
    op("pow.Scalar", "integer of reals", self=2, exponent=lambda: rand(5))
    op("pow.Scalar", "one", self=1, exponent=special())
    for exponent in [0, 1, 2, 3, 4, -1, -2, 0.5, -0.5, 1.5, -3, 2.0, inf]:
        op("pow.Tensor_Scalar", f"{exponent}", self=special(f64), exponent=exponent)
    for exponent in [0, 1, 2, 3, 5]:
        op("pow.Tensor_Scalar", f"of integers {exponent}", self=tensor([-7, 2, 100], i8),
           exponent=exponent)
    op("pow.Tensor_Scalar", "of integers real", self=tensor([4, 2, 9], i32), exponent=0.5)
    op("pow.Tensor_Scalar", "of integers real 2", self=tensor([4, 2, 9], i32), exponent=2.0)
    op("pow.Tensor_Scalar", "bf16", self=lambda: positive(7, dtype=bf16), exponent=3)
    refused("pow.Tensor_Scalar", "negative", self=tensor([2], i32), exponent=-1)


def comparisons():
    for name in ["eq", "ne", "lt", "le", "gt", "ge"]:
        op(f"{name}.Tensor", "special", self=special().reshape(-1, 1), other=special().reshape(1, -1))
        op(f"{name}.Tensor", "types", self=tensor([1, 2, 3], i32), other=tensor([1.0, 2.5, 2.0]))
        op(f"{name}.Tensor", "u8 and i8", self=tensor([255, 1, 3], u8), other=tensor([-1, 1, 4], i8))
        op(f"{name}.Scalar", self=tensor([1.0, 2.5, nan, -inf]), other=2.5)
        op(f"{name}.Scalar", "of integers by real", self=tensor([1, 2, 3], i32), other=2.5)
        op(f"{name}.Scalar", "not exact in f32", self=tensor([0.1, 0.2]), other=0.1)
        op(f"{name}.Scalar", "of bf16", self=tensor([0.1, 0.2], bf16), other=0.1)
        op(f"{name}.Tensor", "large integers", self=tensor([2**53 + 1, 2**53], i64),
           other=tensor([2**53, 2**53], i64))
    for name in ["logical_and", "logical_or", "logical_xor"]:
        op(name, self=special().reshape(-1, 1), other=special().reshape(1, -1))
        op(name, "types", self=tensor([0, 1, 2], i32), other=tensor([0.0, 0.5, nan]))
