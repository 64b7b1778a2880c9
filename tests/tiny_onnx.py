"""Writes small ONNX files without the onnx package: the few messages of its format that a small graph needs.

Source: onnx.proto, IR version 10; a field is (number << 3 | wire type), then a varint or a length and as many bytes.
"""

import numpy as np

UINT8, FLOAT, INT64 = 2, 1, 7
TYPE_OF = {np.dtype(np.uint8): UINT8, np.dtype(np.float32): FLOAT, np.dtype(np.int64): INT64}

Node = tuple[str, tuple[str, ...], str, dict[str, int]]
"""Operator, inputs, output, integer attributes."""


def onnx_graph(
    input_shape: tuple[int, ...], output_shape: tuple[int, ...], nodes: list[Node], constants: dict[str, np.ndarray]
) -> bytes:
    """A model from `patches`, uint8, to `probabilities`, float32."""
    return onnx_model({"patches": input_shape}, {"probabilities": output_shape}, nodes, constants)


def onnx_model(
    inputs: dict[str, tuple[int, ...]],
    outputs: dict[str, tuple[int, ...]],
    nodes: list[Node],
    constants: dict[str, np.ndarray],
) -> bytes:
    """A model from inputs, uint8, to outputs, float32."""
    graph = b"".join(_bytes(1, _node(*node)) for node in nodes)
    graph += _bytes(2, b"tiny")
    graph += b"".join(_bytes(5, _tensor(name, value)) for name, value in constants.items())
    graph += b"".join(_bytes(11, _port(name, UINT8, shape)) for name, shape in inputs.items())
    graph += b"".join(_bytes(12, _port(name, FLOAT, shape)) for name, shape in outputs.items())
    return _int(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, b"") + _int(2, 17))


def _node(operator: str, inputs: tuple[str, ...], output: str, attributes: dict[str, int]) -> bytes:
    content = b"".join(_bytes(1, name.encode()) for name in inputs) + _bytes(2, output.encode())
    content += _bytes(4, operator.encode())
    for name, value in attributes.items():
        content += _bytes(5, _bytes(1, name.encode()) + _int(3, value) + _int(20, 2))
    return content


def _tensor(name: str, value: np.ndarray) -> bytes:
    dims = b"".join(_int(1, size) for size in value.shape)
    return dims + _int(2, TYPE_OF[value.dtype]) + _bytes(8, name.encode()) + _bytes(9, value.tobytes())


def _port(name: str, element: int, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_bytes(1, _int(1, size)) for size in shape)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _int(1, element) + _bytes(2, dims)))


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    rest, digits = value, bytearray()
    while rest >= 0x80:
        digits.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*digits, rest])
