"""Writes the HDF5 files beside this one with h5py, that is with the format's own library.

    pip install h5py && python3 tests/unit/hdf5/make.py

The values follow formulas that tests/unit/data_points_hdf5.cpp repeats.
"""
import pathlib

import h5py
import numpy

HERE = pathlib.Path(__file__).parent
FORMS = {"v0": ("earliest", "v108"), "v2": ("v108", "v108"), "latest": ("latest", "latest")}

for name, libver in FORMS.items():
    with h5py.File(HERE / f"{name}.h5", "w", libver=libver) as file:
        index = numpy.arange(5 * 18 * 3).reshape(5, 18, 3)
        file.create_dataset("data", data=(index * 0.25 - 8).astype("f4"), chunks=(2, 7, 2),
                            compression="gzip", shuffle=True)
        file.create_dataset("label", data=numpy.array([[3], [1], [4], [1], [5]], "u1"),
                            compression="gzip", compression_opts=1)
        file.create_dataset("normal", data=(index % 7 / 8.0).astype("f8"))
        file.create_dataset("pid", data=(index[:, :, 0] % 50).astype("i8"), chunks=(5, 5))
