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
import os

from arrangements import creations, empties, shapes, views
from gradients import gradients
from graphs import cases, wrapped
from indexing import indexing, orderings
from losses import losses
from pointwise import activations, binary, unary
from products import contractions, convolutions, pooling
from randoms import randoms
from recommendation import recommendation
from reductions import norms, reductions
from sampling import distances, fourier, paddings, sampling
from spellings import spellings
from together import together


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
    empties()
    gradients()
    sampling()
    paddings()
    indexing()
    orderings()
    distances()
    fourier()
    randoms()
    losses()
    recommendation()
    spellings()
    together()
    wrapped()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases, {os.path.getsize(path)} bytes")


main()
