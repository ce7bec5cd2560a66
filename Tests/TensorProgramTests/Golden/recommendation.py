"""Cases of bags, buckets, jagged tensors and recurrent networks."""

from graphs import *


def bag(op_name):
    """The bag of each position always, where PyTorch sometimes leaves it out."""
    def run(weight, indices, offsets, **rest):
        results = list(op_name(weight, indices, offsets, **rest))
        starts = offsets[1:].tolist()
        results[1] = tensor([sum(s <= i for s in starts) for i in range(len(indices))], indices.dtype)
        return results
    return run


OWN["aten._embedding_bag.default"] = bag(aten._embedding_bag.default)
OWN["aten.embedding_bag.default"] = bag(aten.embedding_bag.default)
OWN["aten.embedding_bag.padding_idx"] = bag(aten.embedding_bag.padding_idx)


def own_padded(values, offsets, max_lengths, padding_value=0.0):
    starts, (most,) = offsets[0].tolist(), max_lengths
    result = torch.full([len(starts) - 1, most, *values.shape[1:]], padding_value, dtype=values.dtype)
    for row, (start, end) in enumerate(zip(starts, starts[1:])):
        count = min(end - start, most)
        result[row, :count] = values[start:start + count]
    return result


def own_jagged(dense, offsets, total_L):
    starts = offsets[0].tolist()
    result = torch.zeros([total_L, *dense.shape[2:]], dtype=dense.dtype)
    for row, (start, end) in enumerate(zip(starts, starts[1:])):
        count = min(end - start, dense.shape[1])
        result[start:start + count] = dense[row, :count]
    return result


OWN["aten._jagged_to_padded_dense_forward.default"] = own_padded
OWN["aten._padded_dense_to_jagged_forward.default"] = own_jagged


def segments(offsets, limit):
    """Where the rows of each batch begin and end, of which there are `limit` at most."""
    starts = offsets.tolist()
    return [(start, min(end, start + limit)) for start, end in zip(starts, starts[1:])]


def own_jagged_softmax(values, x_offsets, max_L):
    result = torch.zeros_like(values)
    for start, end in segments(x_offsets, max_L):
        result[start:end] = torch.softmax(values[start:end], 0)
    return result, x_offsets


def own_jagged_dense_bmm(x_values, x_offsets, y, max_L):
    result = torch.zeros([len(x_values), y.shape[2]], dtype=y.dtype)
    for batch, (start, end) in enumerate(segments(x_offsets, max_L)):
        result[start:end] = x_values[start:end] @ y[batch]
    return result, x_offsets


def own_jagged_jagged_bmm(x_values, y_values, x_offsets, max_L):
    return torch.stack([
        x_values[start:end].T @ y_values[start:end] for start, end in segments(x_offsets, max_L)])


def own_map_id(ids, keys, values, default=-1):
    known = dict(zip(keys.tolist(), values.tolist()))
    flat = [known.get(key, default) for key in ids.reshape(-1).tolist()]
    return tensor(flat, values.dtype).reshape(ids.shape)


def own_merge_bucketize_dense(features, boundaries, right=False):
    columns, count = torch.cat(features, 1).T, boundaries.shape[1] + 1
    return torch.stack([
        torch.bucketize(column, row, right=right) + place * count
        for place, (column, row) in enumerate(zip(columns.contiguous(), boundaries))], 1)


def own_batch_event_truncate(values, offsets, max_length, keep_last=False):
    starts, kept, ends = offsets.tolist(), [], [0]
    for start, end in zip(starts, starts[1:]):
        rows = values[start:end]
        kept.append(rows[-max_length:] if keep_last else rows[:max_length])
        ends.append(ends[-1] + len(kept[-1]))
    count = min(len(values), (len(starts) - 1) * max_length)
    result = torch.zeros([count, *values.shape[1:]], dtype=values.dtype)
    result[:ends[-1]] = torch.cat(kept)
    return result, tensor(ends, i64)


OWN["fbgemm.jagged_softmax.default"] = own_jagged_softmax
OWN["fbgemm.jagged_dense_bmm.default"] = own_jagged_dense_bmm
OWN["fbgemm.jagged_jagged_bmm.default"] = own_jagged_jagged_bmm
OWN["granary.fm_interaction.default"] = lambda x, y: torch.matmul(x @ x.mT, y)
OWN["granary.map_id.default"] = own_map_id
OWN["granary.merge_bucketize_dense.default"] = own_merge_bucketize_dense
OWN["granary.class_position.default"] = lambda target, classes, ignore_index=-100: torch.where(
    target == ignore_index, 0, target)
OWN["granary.batch_event_truncate.default"] = own_batch_event_truncate


def beyond_aten():
    starts, bounds = tensor([0, 3, 3, 4, 9], i64), tensor([[-1.0, 0, 1], [-2, 0, 0], [0, 0.5, 9]])
    for dtype in [f32, f64, bf16]:
        name = NAMES[dtype]
        op("fbgemm::jagged_softmax", name, values=lambda: rand(9, 4, dtype=dtype), x_offsets=starts,
           max_L=5)
        op("fbgemm::jagged_dense_bmm", name, x_values=lambda: rand(9, 4, dtype=dtype),
           x_offsets=starts, y=lambda: rand(4, 4, 3, dtype=dtype), max_L=5)
        op("fbgemm::jagged_jagged_bmm", name, x_values=lambda: rand(9, 4, dtype=dtype),
           y_values=lambda: rand(9, 2, dtype=dtype), x_offsets=starts, max_L=5)
    op("fbgemm::jagged_softmax", "cut", values=lambda: rand(9, 2), x_offsets=starts, max_L=2)
    op("fbgemm::jagged_dense_bmm", "cut", x_values=lambda: rand(9, 4), x_offsets=starts,
       y=lambda: rand(4, 4, 3), max_L=2)
    op("fbgemm::jagged_jagged_bmm", "cut", x_values=lambda: rand(9, 4), y_values=lambda: rand(9, 2),
       x_offsets=starts, max_L=2)
    for label, shape in [("", [2, 5, 4]), ("one y", [5, 4])]:
        op("granary::fm_interaction", label, x=lambda: rand(2, 5, 3), y=lambda: rand(*shape),
           rtol=1e-4, atol=1e-5)
    keys = tensor([-5, 0, 3, 2**40], i64)
    ids = tensor([[3, 4, -5], [2**40, 2**62, -(2**62)]], i64)
    op("granary::map_id", ids=ids, keys=keys, values=tensor([7, -1, 2, 0], i64))
    op("granary::map_id", "real values", ids=ids, keys=keys, values=lambda: rand(4), default=0.5)
    op("granary::map_id", "i32", ids=tensor([1, 2, 9], i32), keys=tensor([2], i32),
       values=tensor([5], i64), default=100)
    for right in [False, True]:
        op("granary::merge_bucketize_dense", f"{right}", right=right, boundaries=bounds,
           features=[tensor([[-1.0, 7], [0, nan], [1, -2]]), tensor([[0.0], [0.5], [inf]])])
    op("granary::class_position", target=tensor([[0, 4], [-100, 2]], i64), classes=5)
    op("granary::class_position", "ignored class", target=tensor([0, 3, 1], i64), classes=4,
       ignore_index=3)
    for last in [False, True]:
        op("granary::batch_event_truncate", f"last {last}", values=lambda: rand(9, 2),
           offsets=starts, max_length=2, keep_last=last)
        op("granary::batch_event_truncate", f"integers last {last}", offsets=starts,
           values=lambda: rand(9, dtype=i64), max_length=4, keep_last=last)


def recommendation():
    beyond_aten()
    indices, offsets = tensor([0, 2, 4, 4, 1, 3, 5], i64), tensor([0, 3, 3, 5], i64)
    for mode in [0, 1, 2]:
        for padding in [-1, 4]:
            op("_embedding_bag", f"{mode} {padding}", weight=lambda: rand(6, 3), indices=indices,
               offsets=offsets, mode=mode, padding_idx=padding)
    op("_embedding_bag", "weighted", weight=lambda: rand(6, 3), indices=indices, offsets=offsets,
       per_sample_weights=lambda: rand(7))
    op("_embedding_bag", "last offset", weight=lambda: rand(6, 3), indices=indices,
       offsets=tensor([0, 3, 3, 7], i64), mode=1, include_last_offset=True)
    op("embedding_bag", weight=lambda: rand(6, 3), indices=indices, offsets=offsets)
    op("embedding_bag.padding_idx", weight=lambda: rand(6, 3), indices=indices, offsets=offsets,
       scale_grad_by_freq=False, mode=1, sparse=False, per_sample_weights=None,
       include_last_offset=False, padding_idx=4)
    bounds = tensor([-1.0, 0, 0, 1.5])
    for right in [False, True]:
        op("bucketize.Tensor", f"{right}", self=tensor([[-2.0, -1, 0], [1.5, 7, nan]]),
           boundaries=bounds, right=right)
        op("searchsorted.Tensor", f"{right}", sorted_sequence=bounds, self=lambda: rand(3, 2),
           right=right)
        op("searchsorted.Tensor", f"rows {right}", sorted_sequence=tensor([[1, 3, 5], [2, 4, 6]], i64),
           self=tensor([[3, 6], [0, 4]], i64), right=right, out_int32=True)
    op("bucketize.Tensor", "integers", self=lambda: rand(6, dtype=i64),
       boundaries=tensor([-3, 0, 2], i64), out_int32=True)
    op("searchsorted.Tensor", "NaN last", sorted_sequence=tensor([-1.0, 0, 1, 2, inf, nan, nan]),
       self=tensor([-2.0, -1, 0.5, 1, nan]))
    op("searchsorted.Tensor", "sorter", sorted_sequence=tensor([3.0, 1, 2]), self=tensor([1.5, 3]),
       sorter=tensor([1, 2, 0], i64), side="right")
    starts = [tensor([0, 2, 2, 5], i64)]
    op("_jagged_to_padded_dense_forward", values=lambda: rand(5, 2), offsets=starts,
       max_lengths=[4], padding_value=-1.0)
    op("_jagged_to_padded_dense_forward", "cut", values=lambda: rand(5), offsets=starts,
       max_lengths=[2])
    op("_padded_dense_to_jagged_forward", dense=lambda: rand(3, 4, 2), offsets=starts, total_L=5)
    op("_padded_dense_to_jagged_forward", "cut", dense=lambda: rand(3, 2), offsets=starts, total_L=5)
    for dim in [0, -1]:
        op("logcumsumexp", f"{dim}", self=lambda: rand(3, 5), dim=dim)
    op("logcumsumexp", "special", self=tensor([-inf, -inf, 1, 800, -800, inf, 0]), dim=0)
    op("logcumsumexp", "scalar", self=lambda: rand(), dim=0)
    networks()


def networks():
    for name, gates in [("lstm", 4), ("gru", 3), ("rnn_tanh", 1), ("rnn_relu", 1)]:
        for label, layers, both, biases, first, (steps, batch, size, width), dtype in [
                ("", 1, False, True, False, (5, 2, 4, 3), f32),
                ("deep", 2, True, True, True, (5, 2, 4, 3), f32),
                ("no biases", 2, False, False, False, (5, 2, 4, 3), f32),
                ("many steps", 1, False, True, False, (40, 3, 5, 6), f32),
                ("many steps both ways", 2, True, True, True, (40, 2, 3, 17), f32),
                ("one row", 1, True, True, False, (9, 1, 4, 8), f32),
                ("one step", 1, True, False, False, (1, 2, 4, 3), f32),
                ("f64", 2, True, True, False, (7, 3, 4, 5), f64),
                ("bf16", 1, True, True, True, (7, 3, 4, 5), bf16),
                ("no rows", 1, False, True, False, (4, 0, 4, 3), f32)]:
            directions = 2 if both else 1
            shapes = []
            for layer in range(layers):
                for _ in range(directions):
                    columns = size if layer == 0 else directions * width
                    shapes += [[gates * width, columns], [gates * width, width]]
                    shapes += [[gates * width]] * 2 if biases else []
            seed(f"{name} {label}")
            parameters = [rand(*shape, dtype=dtype) for shape in shapes]
            if steps > 5:
                # Weights as in a new layer: with larger ones rounding errors grow from step to step.
                parameters = [value / width**0.5 for value in parameters]
            state = [rand(layers * directions, batch, width, dtype=dtype) for _ in range(2)]
            shape = (batch, steps, size) if first else (steps, batch, size)
            op(f"{name}.input", label, input=lambda: rand(*shape, dtype=dtype),
               hx=state if name == "lstm" else state[0], params=parameters, has_biases=biases,
               num_layers=layers, dropout=0.0, train=False, bidirectional=both, batch_first=first)
