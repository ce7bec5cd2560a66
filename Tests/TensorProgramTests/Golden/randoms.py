"""Cases of random operators, from an implementation of Philox4x32-10 of their own: PyTorch's streams differ.

Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
"""

from graphs import *

MASK = 2**32 - 1


def philox(key, counter):
    keys = [key & MASK, key >> 32 & MASK]
    words = [counter & MASK, counter >> 32 & MASK, 0, 0]
    for _ in range(10):
        first, second = words[0] * 0xD2511F53, words[2] * 0xCD9E8D57
        words = [second >> 32 ^ words[1] ^ keys[0], second & MASK,
                 first >> 32 ^ words[3] ^ keys[1], first & MASK]
        keys = [keys[0] + 0x9E3779B9 & MASK, keys[1] + 0xBB67AE85 & MASK]
    return words[0] | words[1] << 32


assert philox(0, 0) == 0xE169C58D6627E8D5, "the known answer of the authors"


def bits(count, seed, offset, draws=1):
    key = int(seed.reshape(())) % 2**64
    return [philox(key, (offset << 40) + i) for i in range(count * draws)]


def uniform(size, seed, offset=0, dtype=f32):
    digits = {f64: 53, f32: 24, f16: 11, bf16: 8}[dtype]
    values = [(b >> 64 - digits) / 2**digits for b in bits(math.prod(size), seed, offset)]
    return torch.tensor(values, dtype=f64).reshape(size).to(dtype)


def normal(size, seed, offset=0, dtype=f32):
    count = math.prod(size)
    if dtype == f64:
        draws = [(b >> 11) / 2**53 for b in bits(count, seed, offset, 2)]
        pairs = list(zip(draws[::2], draws[1::2]))
    else:
        pairs = [((b >> 32) / 2**32, (b & MASK) / 2**32) for b in bits(count, seed, offset)]
    values = [math.sqrt(-2 * math.log1p(-u)) * math.cos(2 * math.pi * v) for u, v in pairs]
    return torch.tensor(values, dtype=f64).reshape(size).to(dtype)


def permutation(n, seed, offset=0, dtype=i64):
    keys = [b - 2**64 if b >= 2**63 else b for b in bits(n, seed, offset)]
    return torch.tensor(sorted(range(n), key=lambda i: keys[i]), dtype=dtype)


def dropout(input, p, train, seed=None, offset=0):
    if train is False or p == 0:
        return input.clone(), torch.ones(input.shape, dtype=bool_)
    if p == 1:
        return input * 0, torch.zeros(input.shape, dtype=bool_)
    values = [(b >> 40) / 2**24 < 1 - p for b in bits(input.numel(), seed, offset)]
    mask = torch.tensor(values, dtype=bool_).reshape(input.shape)
    return (input.to(f64) * mask / (1 - p)).to(input.dtype), mask


OWN["aten.rand.default"] = uniform
OWN["aten.randn.default"] = normal
OWN["aten.randperm.default"] = permutation
OWN["aten.native_dropout.default"] = dropout


def randoms():
    for number, offset in [(0, 0), (-5, 3), (2**62 + 12345, 2**23 - 1)]:
        key = tensor(number, i64)
        op("rand", f"{number}", size=[3, 7], seed=key, offset=offset)
        op("randn", f"{number}", size=[3, 7], seed=key, offset=offset)
        op("randperm", f"{number}", n=20, seed=key, offset=offset)
        op("native_dropout", f"{number}", input=lambda: rand(4, 6), p=0.3, train=True, seed=key,
           offset=offset)
    for dtype in [f64, f16, bf16]:
        op("rand", f"{dtype}", size=[9], seed=tensor([7], i64), dtype=dtype)
        op("randn", f"{dtype}", size=[9], seed=tensor([7], i64), dtype=dtype)
    op("rand", "scalar", size=[], seed=tensor(7, i64))
    op("randperm", "none", n=0, seed=tensor(7, i64))
    op("randperm", "i32", n=5, seed=tensor(7, i64), dtype=i32)
    op("native_dropout", "evaluation", input=lambda: rand(4, 6), p=0.3, train=False)
    op("native_dropout", "nothing kept", input=lambda: rand(4, 6), p=1.0, train=True)
    op("native_dropout", "all kept", input=lambda: rand(4, 6), p=0.0, train=None)
