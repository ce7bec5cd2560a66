"""Writes cases.json: what PyTorch computes for every operator that a spec may use.

Usage: python generate.py            (with torch 2.13 and numpy; takes seconds)

Each case is one small graph of ATen operators, run in eager PyTorch on the CPU:

    {"name": …,
     "spec": the spec as JSON text, just as a user would write it,
     "inputs": ["hex", …],           the bytes of each input, row-major, little-endian
     "outputs": [["f32[2,3]", "hex"], …],  the type and the bytes of each expected output
     "rtol": …, "atol": …,           for floating-point outputs; integers must be equal
     "anyZero": …}                   whether zeros of different signs count as equal

or, with "refused": true in place of the outputs, a graph that PyTorch refuses and that checking must refuse.
Values are bytes because NaN, signed zeros and all digits must survive. Inputs depend on the case's name only,
so that a new case changes no other. A case that PyTorch refuses though it should not ends the script.
"""

import json
import math
import os
import zlib

import torch

aten = torch.ops.aten
nan, inf = math.nan, math.inf
NAMES = {
    torch.float64: "f64", torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16",
    torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8",
    torch.uint8: "u8", torch.bool: "bool",
}
f64, f32, f16, bf16, i64, i32, i16, i8, u8, bool_ = NAMES
TOLERANCES = {f64: (1e-10, 1e-12), f32: (2e-5, 2e-6), f16: (4e-3, 4e-3), bf16: (3e-2, 3e-2)}

# Of two zeros of different signs, which of them these give depends on the instructions that PyTorch is built for.
CHOOSE_ZERO = {
    "relu", "relu6", "hardtanh", "clamp", "maximum", "minimum", "hardswish", "hardsigmoid",
}

cases = []
names = set()
# The first single-operator case of each operator on floating-point numbers, for `wrapped`.
wrappable = {}


def seed(name):
    torch.manual_seed(zlib.crc32(name.encode()))


def rand(*shape, dtype=f32):
    """Numbers around zero; small integers; random truth values."""
    if dtype == bool_:
        return torch.rand(shape) > 0.5
    if dtype.is_floating_point:
        return torch.randn(shape, dtype=f64).to(dtype)
    return torch.randint(0 if dtype == u8 else -9, 10, shape).to(dtype)


def positive(*shape, dtype=f32):
    return (torch.rand(shape, dtype=f64) * 3 + 0.1).to(dtype)


def tensor(values, dtype=f32):
    return torch.tensor(values, dtype=dtype)


def special(dtype=f32):
    return tensor([nan, inf, -inf, 0.0, -0.0, 1, -1, 0.5, 2.5, -2.5, 1.5, -0.5, 30, -30], dtype)


def type_of(value):
    return f"{NAMES[value.dtype]}[{','.join(map(str, value.shape))}]"


def data(value):
    flat = value.detach().reshape(-1).clone(memory_format=torch.contiguous_format)
    return flat.view(u8).numpy().tobytes().hex() if flat.numel() else ""


def written(argument):
    """The argument as a spec writes it."""
    if isinstance(argument, torch.dtype):
        return NAMES[argument]
    if isinstance(argument, (list, tuple)):
        return [written(element) for element in argument]
    if isinstance(argument, float) and not math.isfinite(argument):
        return "nan" if math.isnan(argument) else "inf" if argument > 0 else "-inf"
    return argument


def resolved(argument, values):
    if isinstance(argument, str) and argument.startswith("%"):
        name, _, result = argument[1:].partition("#")
        return values[name][int(result or 0)]
    if isinstance(argument, (list, tuple)):
        return [resolved(element, values) for element in argument]
    return argument


def find(op):
    _, base, overload = op.split(".")
    return getattr(getattr(aten, base), overload)


def call(op, arguments):
    """A plain number in place of a tensor goes through the function of `torch`, which wraps it."""
    numbers = [arguments[k] for k in ("self", "other") if k in arguments]
    takesTensors = any(
        str(a.type) == "Tensor" and isinstance(arguments.get(a.name), (int, float))
        for a in find(op)._schema.arguments)
    if not takesTensors:
        return find(op)(**arguments)
    rest = {k: v for k, v in arguments.items() if k not in ("self", "other")}
    base = op.split(".")[1]
    if base in ("add", "sub", "mul", "div") and not isinstance(numbers[0], torch.Tensor):
        return find(op)(**arguments)
    return getattr(torch, base)(*numbers, **rest)


def evaluate(inputs, nodes):
    values = {name: [value] for name, value in inputs.items()}
    for name, op, arguments in nodes:
        result = call(op, {key: resolved(a, values) for key, a in arguments.items()})
        values[name] = list(result) if isinstance(result, (list, tuple)) else [result]
    return values


def spec_text(inputs, nodes, outputs):
    return json.dumps({
        "granary_spec": 1,
        "inputs": [{"name": n, "type": type_of(v)} for n, v in inputs.items()],
        "nodes": [
            {"id": n, "op": op, "args": {k: written(a) for k, a in args.items()}}
            for n, op, args in nodes
        ],
        "outputs": outputs,
    })


def graph(name, inputs, nodes, outputs=None, rtol=None, atol=None):
    """A case of several operators; without `outputs`, all results of the last node count."""
    assert name not in names, name
    names.add(name)
    values = evaluate(inputs, nodes)
    if outputs is None:
        last = nodes[-1][0]
        outputs = [f"%{last}#{i}" if i else f"%{last}" for i in range(len(values[last]))]
    expected = [resolved(output, values) for output in outputs]
    used = [v.dtype for v in list(inputs.values()) + expected if v.dtype.is_floating_point]
    coarsest = max(used, key=lambda d: TOLERANCES[d], default=f64)
    default = TOLERANCES[coarsest]
    cases.append({
        "name": name, "spec": spec_text(inputs, nodes, outputs),
        "inputs": [data(v) for v in inputs.values()],
        "outputs": [[type_of(v), data(v)] for v in expected],
        "rtol": default[0] if rtol is None else rtol,
        "atol": default[1] if atol is None else atol,
        "anyZero": any(op.split(".")[1] in CHOOSE_ZERO for _, op, _ in nodes),
    })


def separated(arguments):
    """The tensors among the arguments as inputs, and references in their places."""
    inputs = {}

    def take(argument):
        if isinstance(argument, torch.Tensor):
            name = f"x{len(inputs)}"
            inputs[name] = argument
            return f"%{name}"
        if isinstance(argument, (list, tuple)):
            return [take(element) for element in argument]
        return argument

    return inputs, {key: take(value) for key, value in arguments.items()}


def unique(name):
    count = sum(1 for known in names if known == name or known.startswith(name + " #"))
    return f"{name} #{count + 1}" if count else name


def op(overload, label="", make=None, rtol=None, atol=None, outputs=None, **arguments):
    """A case of one operator. Arguments that are functions make their tensor after seeding."""
    full = f"aten.{overload}" if "." in overload else f"aten.{overload}.default"
    name = unique(f"{full[5:]}{' ' + label if label else ''}")
    seed(name)
    arguments = {
        key: value() if callable(value) and not isinstance(value, torch.dtype) else value
        for key, value in arguments.items()
    }
    inputs, references = separated(arguments)
    graph(name, inputs, [("r", full, references)], outputs=outputs, rtol=rtol, atol=atol)
    isFloat = any(v.dtype in (f32, f64) and v.numel() for v in inputs.values())
    if isFloat and len(wrappable.setdefault(full, [])) < 2:
        wrappable[full].append((name, inputs, full, references, rtol, atol))


def refused(overload, label, **arguments):
    """A case that PyTorch refuses, and that checking must refuse too."""
    full = f"aten.{overload}" if "." in overload else f"aten.{overload}.default"
    name = f"refused: {full[5:]} {label}"
    seed(name)
    inputs, references = separated(arguments)
    nodes = [("r", full, references)]
    try:
        evaluate(inputs, nodes)
    except (RuntimeError, IndexError, ValueError):
        cases.append({"name": name, "spec": spec_text(inputs, nodes, ["%r"]), "refused": True})
        return
    raise SystemExit(f"{name}: PyTorch does not refuse it")


def wrapped():
    """Every operator between pointwise ones, which fusion must join without changing values."""
    for full, found in sorted(wrappable.items()):
        for name, inputs, _, references, rtol, atol in found:
            nodes, renamed = [], {}
            for key, value in inputs.items():
                if value.dtype in (f32, f64):
                    nodes.append((f"p{key}", "aten.mul.Tensor", {"self": f"%{key}", "other": 0.75}))
                    renamed[f"%{key}"] = f"%p{key}"

            def rename(argument):
                if isinstance(argument, (list, tuple)):
                    return [rename(element) for element in argument]
                return renamed.get(argument, argument) if isinstance(argument, str) else argument

            nodes.append(("r", full, {key: rename(value) for key, value in references.items()}))
            values = evaluate(inputs, nodes)
            outputs = []
            for position, value in enumerate(values["r"]):
                reference = f"%r#{position}" if position else "%r"
                if value.dtype not in (f32, f64):
                    outputs.append(reference)
                    continue
                nodes.append((f"t{position}", "aten.tanh.default", {"self": reference}))
                nodes.append(
                    (f"e{position}", "aten.add.Tensor",
                     {"self": f"%t{position}", "other": reference, "alpha": 2}))
                outputs.append(f"%e{position}")
            graph(
                f"between pointwise: {name}", inputs, nodes, outputs,
                rtol=max(rtol or 0, 5e-5), atol=max(atol or 0, 5e-6))


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
    op("avg_pool2d", "bf16", self=lambda: rand(1, 2, 4, 4, dtype=bf16), kernel_size=[2, 2])
    op("avg_pool2d", "negative divisor", self=lambda: rand(1, 2, 4, 4), kernel_size=[2, 2],
       divisor_override=-3)
    op("max_pool2d_with_indices", "of i64", self=lambda: rand(1, 2, 4, 4, dtype=i64),
       kernel_size=[2, 2], padding=[1, 1])
    op("max_pool2d_with_indices", "f64 one kernel", self=lambda: rand(1, 2, 4, 4, dtype=f64),
       kernel_size=[2])
    refused("max_pool2d", "padding", self=torch.zeros(1, 1, 4, 4), kernel_size=[2, 2], padding=[2, 2])


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
    refused("view", "size", self=torch.zeros(2, 3), size=[4, 2])
    refused("expand", "size", self=torch.zeros(2, 3), size=[4, 3])


def shapes():
    op("cat", tensors=[rand(2, 3), rand(4, 3), rand(1, 3)])
    op("cat", "dim", tensors=lambda: [rand(2, 3), rand(2, 1)], dim=-1)
    op("cat", "types", tensors=lambda: [rand(2, dtype=i32), rand(3, dtype=f16), rand(1, dtype=i64)])
    op("cat", "empty", tensors=lambda: [rand(0, 3), rand(2, 3)])
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
    op("index_select", "scalar index", self=lambda: rand(4, 3), dim=0, index=tensor(1, i64))
    op("gather", self=lambda: rand(3, 4), dim=1, index=tensor([[0, 3], [1, 1], [2, 0]], i64))
    op("gather", "smaller", self=lambda: rand(3, 4), dim=0, index=tensor([[2, 0]], i64))
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
    op("arange.start_step", "of bf16", start=0, end=9, step=2, dtype=bf16)


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


def main():
    unary()
    activations()
    binary()
    reductions()
    norms()
    contractions()
    convolutions()
    pooling()
    views()
    shapes()
    creations()
    together()
    wrapped()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases, {os.path.getsize(path)} bytes")


main()
