"""Packed files and checkpoints written and changed by hand, with the checksums that include/tbn/file.h specifies."""

import json
import pathlib
import struct


def crc32c(content):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xffffffff
    for byte in content:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def sealed(content):
    """The file with both of its checksums as include/tbn/file.h says, whatever was changed in it."""
    (length,) = struct.unpack("<Q", content[:8])
    head, data = bytearray(content[:8 + length]), content[8 + length:]
    at = head.index(b'"tbn.crc32c":"') + len(b'"tbn.crc32c":"')
    head[at:at + 8] = b"%08x" % crc32c(data)
    head[46:54] = b"00000000"
    head[46:54] = b"%08x" % crc32c(head)
    return bytes(head) + data


def read_parts(path):
    """The header of a file, and its data."""
    content = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8:8 + length]), content[8 + length:]


def of_parts(header, data):
    """The file of a header and its data, sealed."""
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % 64)
    return sealed(struct.pack("<Q", len(text)) + text + data)


def with_metadata(path, changes):
    """The file with these entries of its metadata; None takes one out."""
    header, data = read_parts(path)
    metadata = {**header["__metadata__"], **changes}
    header["__metadata__"] = {key: text for key, text in metadata.items() if text is not None}
    return of_parts(header, data)


def with_shape(path, name, shape):
    """The file with another shape, of as many elements, of one tensor."""
    header, data = read_parts(path)
    header[name]["shape"] = shape
    return of_parts(header, data)


def read_tensors(path):
    """The metadata of a file, and {name: (dtype, shape, bytes)}."""
    header, data = read_parts(path)
    metadata = header.pop("__metadata__")
    return metadata, {name: (each["dtype"], each["shape"], data[slice(*each["data_offsets"])])
                      for name, each in header.items()}


def of_tensors(metadata, tensors):
    """The file of what read_tensors() returns."""
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return of_parts(header, data)


def packed(graph, tensors, **metadata):
    """A file of a graph and [(name, dtype, array of numpy)], as docs/format.md says."""
    header = {"__metadata__": {"tbn.header_crc32c": "00000000", "tbn.crc32c": "00000000", "tbn.features": "",
                               "tbn.format": "1.2", "tbn.graph": json.dumps(graph), **metadata}}
    data = b""
    for name, dtype, values in tensors:
        content = values.tobytes()
        header[name] = {"dtype": dtype, "shape": list(values.shape),
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    return sealed(struct.pack("<Q", len(text)) + text + data)
