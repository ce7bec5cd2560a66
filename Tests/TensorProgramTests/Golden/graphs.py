"""Cases of single operators and of graphs: how they are run in PyTorch and written down."""

import json
import math
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

# Of two zeros of different signs, these give one or the other, depending on the instructions that PyTorch uses.
CHOOSE_ZERO = {"maximum", "minimum", "hardswish", "hardsigmoid"}

# Operators whose results differ in form from PyTorch's: Python functions that give ours.
OWN = {}

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
    if op in OWN:
        return OWN[op](**arguments)
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
        results = list(result) if isinstance(result, (list, tuple)) else [result]
        # A result that was not asked for has no elements here.
        kind = next((r.dtype for r in results if r is not None), f32)
        values[name] = [torch.empty(0, dtype=kind) if r is None else r for r in results]
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


def op(overload, label="", rtol=None, atol=None, outputs=None, **arguments):
    """A case of one operator. Arguments that are functions make their tensor after seeding."""
    library, _, overload = overload.rpartition("::")
    full = f"{library or 'aten'}.{overload}{'' if '.' in overload else '.default'}"
    name = unique(f"{full.removeprefix('aten.')}{' ' + label if label else ''}")
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
