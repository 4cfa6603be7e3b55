"""Draws a small set of pictures to try tbn on, with nothing but Python: circles, squares and triangles of any
colour on noise, in folders as tbn reads them.

  python3 examples/python/draw_shapes.py pictures

writes pictures/train/<class>/*.png (200 of each class), pictures/val/<class>/*.png (50) and, as a camera
would deliver them, pictures/new/<class>.rgb: 32 rows of 32 pixels, three bytes each. The same on every run.
"""

import pathlib
import random
import struct
import sys
import zlib

SIDE = 32
CLASSES = ("circle", "square", "triangle")


def inside(shape, x, y, radius):
    """Whether the point, seen from the shape's centre, is in it."""
    if shape == "circle":
        return x * x + y * y <= radius * radius
    if shape == "square":
        return max(abs(x), abs(y)) <= 0.85 * radius
    return -radius <= y <= 0.7 * radius and abs(x) <= 0.6 * (y + radius)


def draw(shape, rng):
    """One picture: SIDE x SIDE x RGB bytes."""
    def between(low, high):
        return low + (high - low) * rng.random()

    radius = between(6, 11)
    left, top = between(radius, SIDE - radius), between(radius, SIDE - radius)
    ground, ink = between(30, 110), [between(120, 255) for _ in range(3)]
    pixels = bytearray()
    for y in range(SIDE):
        for x in range(SIDE):
            covered = inside(shape, x + 0.5 - left, y + 0.5 - top, radius)
            pixels += bytes(int(max(0, min(255, (ink[c] if covered else ground) + between(-40, 40)))) for c in range(3))
    return bytes(pixels)


def png(pixels):
    """A file in the format PNG: RGB, 8 bits a channel."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + pixels[3 * SIDE * y:3 * SIDE * (y + 1)] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: draw_shapes.py <folder>")
    root, rng = pathlib.Path(sys.argv[1]), random.Random(1)
    for split, count in (("train", 200), ("val", 50)):
        for shape in CLASSES:
            folder = root / split / shape
            folder.mkdir(parents=True, exist_ok=True)
            for i in range(count):
                (folder / f"{i:03}.png").write_bytes(png(draw(shape, rng)))
    (root / "new").mkdir(exist_ok=True)
    for shape in CLASSES:
        (root / "new" / f"{shape}.rgb").write_bytes(draw(shape, rng))


if __name__ == "__main__":
    main()
