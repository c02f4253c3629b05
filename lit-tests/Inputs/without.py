"""without.py IN.npz OUT.npz KEY...: the same arrays but for those of the keys, at every step."""
import sys, zipfile

source, target, *keys = sys.argv[1:]
with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w") as write:
    for name in read.namelist():
        if name.removesuffix(".npy").split("_")[-1] not in keys:
            write.writestr(name, read.read(name))
