"""Copies a file with one byte changed: `flip-byte.py FROM TO OFFSET`; a negative offset counts from the end."""
import sys

content = bytearray(open(sys.argv[1], "rb").read())
content[int(sys.argv[3])] ^= 0x40
open(sys.argv[2], "wb").write(content)
