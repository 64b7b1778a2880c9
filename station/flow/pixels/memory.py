"""Memory that a compiled pass works in, prepared once: a structure of C, and the arrays that it points to."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

INT, LONG, FLOAT, DOUBLE, POINTER = ctypes.c_int, ctypes.c_ssize_t, ctypes.c_float, ctypes.c_double, ctypes.c_void_p
Fields = tuple[tuple[str, type], ...]


def fields(kind: type, *names: str) -> Fields:
    """Fields of one kind, as `_fields_` takes them."""
    return tuple((name, kind) for name in names)


class Memory(ctypes.Structure):
    """A structure of C whose arrays live as long as it does. A field `name_at` points to the array `name`."""

    def keep(self, name: str, shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array of this shape that the structure points to from now on."""
        array: NDArray[Any] = np.empty(shape, dtype)
        setattr(self, f"{name}_at", array.__array_interface__["data"][0])
        self.__dict__[name] = array
        return array
