"""Kernels in models of ONNX Runtime on the CPU, as custom operators.

    spec = "softmax(x: f32[64,1000], dim: -1)"
    model = granary.onnx.replace(model, spec, ["logits"], ["probabilities"])
    session = granary.onnx.session(model)

The operator calls back into Python (onnxruntime-extensions), which costs some microseconds; it is
worth it for large parts of a model. The part that was replaced stays in the model and runs where
there is no kernel, or where the tensors have other shapes than the spec.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable, Sequence
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import numpy
import onnx
import onnxruntime
import onnxruntime_extensions
from onnx.utils import Extractor
from onnxruntime_extensions import PyCustomOpDef

from granary.errors import GranaryError
from granary.kernels import get
from granary.spec import Spec

_log = logging.getLogger("granary")
_domain = "ai.onnx.contrib"
_prefix = "Granary_"
_types = {
    onnx.TensorProto.DOUBLE: ("f64", PyCustomOpDef.dt_double),
    onnx.TensorProto.FLOAT: ("f32", PyCustomOpDef.dt_float),
    onnx.TensorProto.INT64: ("i64", PyCustomOpDef.dt_int64),
    onnx.TensorProto.INT32: ("i32", PyCustomOpDef.dt_int32),
    onnx.TensorProto.INT16: ("i16", PyCustomOpDef.dt_int16),
    onnx.TensorProto.INT8: ("i8", PyCustomOpDef.dt_int8),
    onnx.TensorProto.UINT8: ("u8", PyCustomOpDef.dt_uint8),
    onnx.TensorProto.BOOL: ("bool", PyCustomOpDef.dt_bool),
}
_by_name = dict(_types.values())


def replace(
    model: onnx.ModelProto, spec: str | Spec, inputs: Sequence[str], outputs: Sequence[str]
) -> onnx.ModelProto:
    """The model with one operator, which runs the kernel of a spec, in place of a part.

    Args:
        model: is not changed.
        spec: what the part computes, in text form, as JSON, or a `Spec`.
        inputs: the tensors that the part reads, in the order of the spec; initializers too.
        outputs: the tensors that the part gives, in the order of the spec.

    Raises:
        ValueError: when a tensor is not in the model, or has a type that kernels here cannot take.
    """
    typed = onnx.shape_inference.infer_shapes(model, data_prop=True)
    signature = "_".join(_dtype(typed, name) for name in inputs)
    results = "_".join(_dtype(typed, name) for name in outputs)
    part = _part(typed, inputs, outputs)
    kernel = onnx.helper.make_node(
        f"{_prefix}{signature}__{results}",
        list(inputs),
        list(outputs),
        domain=_domain,
        spec=spec.json() if isinstance(spec, Spec) else spec,
        part=base64.b64encode(part.SerializeToString()).decode(),
    )
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    _put(kernel, changed.graph)
    if all(known.domain != _domain for known in changed.opset_import):
        changed.opset_import.append(onnx.helper.make_opsetid(_domain, 1))
    return changed


def session(
    model: onnx.ModelProto | str | bytes,
    options: onnxruntime.SessionOptions | None = None,
    **settings: Any,
) -> onnxruntime.InferenceSession:
    """A session for a model in which kernels stand: the model, its file, or its bytes.

    Args:
        model: may come from another process.
        options: get the library of custom operators.
        settings: as `onnxruntime.InferenceSession` takes them.
    """
    loaded = onnx.load(model) if isinstance(model, str) else model
    if isinstance(loaded, bytes):
        loaded = onnx.load_model_from_string(loaded)
    for node in loaded.graph.node:
        if node.domain == _domain and node.op_type.startswith(_prefix):
            _register(node.op_type)
    options = options or onnxruntime.SessionOptions()
    options.register_custom_ops_library(onnxruntime_extensions.get_library_path())
    settings.setdefault("providers", ["CPUExecutionProvider"])
    given = model if isinstance(model, (str, bytes)) else model.SerializeToString()
    return onnxruntime.InferenceSession(given, options, **settings)


def _part(typed: onnx.ModelProto, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
    """What lies between the inputs and the outputs, as a model; changes the one that is given."""
    graph = typed.graph
    given = [tensor for tensor in graph.initializer if tensor.name in inputs]
    for tensor in given:
        graph.initializer.remove(tensor)
        info = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        graph.value_info.append(info)
    return Extractor(typed).extract_model(list(inputs), list(outputs))


def _dtype(model: onnx.ModelProto, name: str) -> str:
    graph = model.graph
    infos = [*graph.input, *graph.output, *graph.value_info]
    types = {info.name: info.type.tensor_type.elem_type for info in infos}
    types |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    if name not in types:
        raise ValueError(f"the model has no tensor '{name}' whose type is known")
    if types[name] not in _types:
        kind = onnx.TensorProto.DataType.Name(types[name])
        raise ValueError(f"'{name}' is {kind}; kernels in ONNX Runtime take {', '.join(_by_name)}")
    return _types[types[name]][0]


def _put(kernel: onnx.NodeProto, graph: onnx.GraphProto) -> None:
    """Keeps what the graph's outputs need, the kernel as the one that gives its outputs."""
    nodes = [node for node in graph.node if not set(node.output) & set(kernel.output)]
    lost = {name for node in graph.node for name in node.output} - set(kernel.output)
    lost -= {name for node in nodes for name in node.output}
    nodes.append(kernel)
    makers = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    sources = [{makers[name] for name in _reads(node) if name in makers} for node in nodes]
    needed = {makers[output.name] for output in graph.output if output.name in makers}
    waiting = list(needed)
    while waiting:
        fresh = sources[waiting.pop()] - needed
        needed |= fresh
        waiting += fresh
    read = {name for index in needed for name in _reads(nodes[index])}
    read |= {output.name for output in graph.output}
    if read & lost:
        raise ValueError(f"the part also gives {sorted(read & lost)}, which the model needs")
    order = TopologicalSorter({index: sources[index] for index in sorted(needed)}).static_order()
    kept = [nodes[index] for index in order]
    constants = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(constants)


def _reads(node: onnx.NodeProto) -> Iterable[str]:
    """The tensors that a node reads, in the graphs within it too."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            for inner in graph.node:
                yield from _reads(inner)


@cache
def _register(kind: str) -> None:
    """Declares the operator of a signature, such as `Granary_f32_f32__f32`."""
    inputs, _, outputs = kind.removeprefix(_prefix).partition("__")

    def run(*arrays: numpy.ndarray, spec: str, part: str) -> Any:
        try:
            return get(spec)(*arrays)
        except (GranaryError, TypeError, ValueError) as error:
            _note(spec, str(error))
        results = _original(part).run(None, _named(part, arrays))
        return results[0] if len(results) == 1 else tuple(results)

    onnxruntime_extensions.onnx_op(
        op_type=kind,
        inputs=[_by_name[name] for name in inputs.split("_")],
        outputs=[_by_name[name] for name in outputs.split("_")],
        attrs={"spec": PyCustomOpDef.dt_string, "part": PyCustomOpDef.dt_string},
    )(run)


def _named(part: str, arrays: Sequence[numpy.ndarray]) -> dict[str, numpy.ndarray]:
    return {
        info.name: array for info, array in zip(_original(part).get_inputs(), arrays, strict=True)
    }


@cache
def _original(part: str) -> onnxruntime.InferenceSession:
    model = base64.b64decode(part)
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


@cache
def _note(spec: str, reason: str) -> None:
    _log.warning("no kernel for %s, running the model's own part: %s", spec, reason)
