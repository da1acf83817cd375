"""Values of small constants of an ONNX network, as the file has them and as arrays."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from harness.graphs.onnx_dtypes import STORED, fills, has_values, n_stated_bytes
from harness.schema.cost import STORED_BITS

MOST_VALUES: Final = 1024
"""Elements of the largest constant whose values are kept; shapes, axes and limits are far smaller."""
_BITS_OF_BYTE: Final = 8


class SmallValues:
    """Values of constants by name; of the two forms, the one that is not kept is made when it is first asked for."""

    def __init__(self) -> None:
        """Begin without any."""
        self._arrays: dict[str, NDArray[Any]] = {}
        self._tensors: dict[str, TensorProto] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._arrays or name in self._tensors

    def array(self, name: str) -> NDArray[Any]:
        """Values of a constant that is kept."""
        if name not in self._arrays:
            self._arrays[name] = numpy_helper.to_array(self._tensors[name])
        return self._arrays[name]

    def tensor(self, name: str) -> TensorProto:
        """Values of a constant that is kept, as shape inference takes them."""
        if name not in self._tensors:
            self._tensors[name] = numpy_helper.from_array(self._arrays[name])
        return self._tensors[name]

    def keep(self, name: str, values: object) -> None:
        """Keep an array, unless it is large, or none of numbers."""
        if isinstance(values, np.ndarray | np.generic) and values.size <= MOST_VALUES and values.dtype != object:
            self._arrays[name] = np.asarray(values)
            self._tensors.pop(name, None)

    def keep_stored(self, name: str, tensor: TensorProto) -> None:
        """Keep the values that a file has, unless they are many or outside the file.

        Args:
            name: name of the constant.
            tensor: the constant; its extents are such as a device can have.

        Raises:
            ValueError: the values do not fill the extents, or are of a type that there is not.
        """
        n_bytes = n_stated_bytes(tensor)
        if n_bytes and not fills(tensor, n_bytes):
            raise ValueError(f"{n_bytes} bytes do not fill its extents")
        if math.prod(tensor.dims) > MOST_VALUES or not has_values(tensor, n_bytes):
            return
        stored = STORED.get(tensor.data_type)
        # Elements that share bytes are not counted here.
        is_counted = n_bytes > 0 and stored is not None and STORED_BITS[stored] >= _BITS_OF_BYTE
        if is_counted and not tensor.HasField("segment"):
            self._tensors[name] = tensor
            self._arrays.pop(name, None)
            return
        try:
            self.keep(name, numpy_helper.to_array(tensor))
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error

    def alias(self, name: str, of: str) -> None:
        """Keep the values of a constant, if they are, under a second name."""
        if of in self:
            self.keep(name, self.array(of))
