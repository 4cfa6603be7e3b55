"""Prints the class that a packed network sees in a raw file of bytes or floats, its values in the order of
the input's shape, through libtbn and Python's own ctypes:

  python classify.py models/pretrained/fashion_mnist_resnet_p4.tbn image.raw [path of libtbn.so]

A program of your own imports Network from it: load, picture, run, classes.
"""

import array
import ctypes
import os
import sys


class Network:
    """A packed file, ready to run; tbn/tbn_c.h describes the calls."""

    def __init__(self, path, library="libtbn.so.0.1", threads=1):
        self.lib = ctypes.CDLL(str(library))
        self.lib.tbn_last_error.restype = ctypes.c_char_p
        self.network, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.inputs, self.outputs = ctypes.c_size_t(), ctypes.c_size_t()
        self.check(self.lib.tbn_network_load(os.fsencode(path), ctypes.byref(self.network)))
        self.check(self.lib.tbn_network_input_count(self.network, ctypes.byref(self.inputs)))
        self.check(self.lib.tbn_network_output_count(self.network, ctypes.byref(self.outputs)))
        exact = 0  # TBN_BACKEND_EXACT
        self.check(self.lib.tbn_session_create(self.network, exact, threads, ctypes.byref(self.session)))

    def __del__(self):
        if getattr(self, "session", None):
            self.lib.tbn_session_free(self.session)
        if getattr(self, "network", None):
            self.lib.tbn_network_free(self.network)

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.lib.tbn_last_error().decode(errors="replace"))

    def classes(self):
        """What the outputs are called; empty where the file does not say."""
        names, name = [], ctypes.c_char_p()
        while True:
            self.check(self.lib.tbn_network_class_name(
                self.network, ctypes.c_size_t(len(names)), ctypes.byref(name)))
            if name.value is None:
                return names
            names.append(name.value.decode())

    def picture(self, pixels, height, width, channels=3):
        """The input that tbn-eval makes of such a picture, [channels, rows, columns] of the network's size. The
        picture is bytes of any size: `height` rows of `width` pixels, the channels of a pixel side by side."""
        made = (ctypes.c_uint8 * self.inputs.value)()
        self.check(self.lib.tbn_prepare_image(
            self.network, pixels, ctypes.c_size_t(len(pixels)), ctypes.c_int64(height), ctypes.c_int64(width),
            channels, 1, 0, made, ctypes.c_size_t(len(made))))
        return list(made)

    def run(self, values):
        """The outputs of one or more examples: floats, one example after the other."""
        given = (ctypes.c_float * len(values))(*values)
        batch = len(values) // self.inputs.value
        taken = (ctypes.c_float * (batch * self.outputs.value))()
        self.check(self.lib.tbn_session_run(
            self.session, given, ctypes.c_size_t(len(given)), ctypes.c_int64(batch), taken,
            ctypes.c_size_t(len(taken))))
        return list(taken)


def read_values(path, count):
    """`count` bytes or floats."""
    with open(path, "rb") as file:
        content = file.read()
    if len(content) not in (count, count * 4):
        raise RuntimeError("the input is missing or has a wrong size")
    return list(content) if len(content) == count else list(array.array("f", content))


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: classify.py <network.tbn> <input.raw> [libtbn.so]")
    try:
        network = Network(sys.argv[1], *sys.argv[3:])
        logits = network.run(read_values(sys.argv[2], network.inputs.value))
    except (OSError, RuntimeError) as error:
        sys.exit(f"classify: {error}")
    print(logits.index(max(logits)))


if __name__ == "__main__":
    main()
