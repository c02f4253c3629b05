"""zeroed.py IN.npz OUT.npz KEY...: the same arrays, those of the keys filled with zeros."""
import sys, zipfile

source, target, *keys = sys.argv[1:]
with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w") as write:
    for name in read.namelist():
        data = read.read(name)
        if name.removesuffix(".npy") in keys:
            head = 10 + int.from_bytes(data[8:10], "little")
            data = data[:head] + bytes(len(data) - head)
        write.writestr(name, data)
