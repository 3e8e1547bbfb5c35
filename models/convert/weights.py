"""Reads the weight files of TensorFlow.js: one description in JSON beside one or several packed binary files."""

import numpy as np

_STORED = {"float32": "<f4", "int32": "<i4"}
_QUANTISED = {"uint8": "u1", "uint16": "<u2", "float16": "<f2"}


def read_weights(groups, folder):
    """Every tensor by name, dequantised to float32 (or int32), in the layout of the file.

    A quantised tensor holds codes q that mean q * scale + min; `float16` is stored plainly.
    """
    tensors = {}
    for group in groups:
        packed = b"".join((folder / part).read_bytes() for part in group["paths"])
        offset = 0
        for entry in group["weights"]:
            quantisation = entry.get("quantization")
            stored_as = _QUANTISED[quantisation["dtype"]] if quantisation else _STORED[entry["dtype"]]
            stored_as = np.dtype(stored_as)
            count = int(np.prod(entry["shape"], dtype=np.int64))
            values = np.frombuffer(packed, stored_as, count, offset)
            offset += count * stored_as.itemsize
            if quantisation and "scale" in quantisation:
                scale, minimum = np.float32(quantisation["scale"]), np.float32(quantisation["min"])
                values = values.astype(np.float32) * scale + minimum
            elif quantisation:
                values = values.astype(np.float32)
            tensors[entry["name"]] = values.reshape(entry["shape"])
        if offset != len(packed):
            raise ValueError(f"{group['paths']}: {len(packed)} bytes, of which the description explains {offset}")
    return tensors
