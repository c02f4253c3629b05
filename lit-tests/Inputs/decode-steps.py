"""decode-steps.py OUT.npz TOKEN_KEY POSITION_KEY BATCH FIRST LAST [OFFSET...]: a token for each row and the next position, step by step.

With offsets, one for each row, every row has a position of its own: it is that much further."""
import struct, sys, zipfile

path, token, position, batch, first, last, *offsets = sys.argv[1:]
batch, first, last = int(batch), int(first), int(last)


def array(shape, values):
    head = f"{{'descr': '<i4', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(values)}i", *values)


with zipfile.ZipFile(path, "w") as write:
    for step, at in enumerate(range(first, last + 1), 1):
        tokens = [(37 * at + 11 * row) % 128 for row in range(batch)]
        write.writestr(f"step{step}_{token}.npy", array(f"({batch}, 1)", tokens))
        positions = [at + int(offset) for offset in offsets]
        write.writestr(f"step{step}_{position}.npy", array(f"({batch},)", positions) if offsets else array("()", [at]))
