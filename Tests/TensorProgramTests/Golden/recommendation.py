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


def recommendation():
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
        for label, layers, both, biases, first in [
                ("", 1, False, True, False), ("deep", 2, True, True, True),
                ("no biases", 2, False, False, False)]:
            directions, width, size = 2 if both else 1, 3, 4
            parameters = []
            for layer in range(layers):
                for _ in range(directions):
                    columns = size if layer == 0 else directions * width
                    shapes = [[gates * width, columns], [gates * width, width]]
                    shapes += [[gates * width]] * 2 if biases else []
                    parameters += shapes
            seed(f"{name} {label}")
            parameters = [rand(*shape) for shape in parameters]
            state = [rand(layers * directions, 2, width) for _ in range(2)]
            shape = (2, 5, size) if first else (5, 2, size)
            op(f"{name}.input", label, input=lambda: rand(*shape),
               hx=state if name == "lstm" else state[0], params=parameters, has_biases=biases,
               num_layers=layers, dropout=0.0, train=False, bidirectional=both, batch_first=first)
