"""Writes a small npz without numpy: `npz.py FILE KEY=ELEMENT:SHAPE:VALUES...`, as in `arg0=f4:2x3:1,2,3,4,5,6` or `arg1=i4::7`.

ELEMENT is numpy's: b1, i1 … i8, u1 … u8, f4, f8. One value is repeated as often as the shape needs it."""
import math
import struct
import sys
import zipfile

FORMATS = {"b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "f4": "f", "f8": "d"}


def npy(element, shape, values):
    numbers = [int(size) for size in shape.split("x") if size]
    count = math.prod(numbers)
    given = [float(value) if element[0] == "f" else int(value) for value in values.split(",") if value]
    given = given * count if len(given) == 1 else given
    descr = ("|" if element in ("b1", "i1", "u1") else "<") + element
    text = repr({"descr": descr, "fortran_order": False, "shape": tuple(numbers)})
    header = text + " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{count}{FORMATS[element]}", *given)


with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for argument in sys.argv[2:]:
        key, _, array = argument.partition("=")
        archive.writestr(key + ".npy", npy(*array.split(":")))
