# The lit suite. Run it with `make test PARTS=lit`, or one file with lit itself:
#     PYGRAPH_BINARIES=target/debug /usr/lib/llvm-22/bin/lit -v lit-tests/passes/inline-calls.mlir
#
# Folders: passes (one file a pass), pipelines, invalid (rejected input and its whole message), run (answers),
# tools (the manners of the programs). models and suites hold real input for scripts/corpus.py, and mlir-reader is a crate.

import os
import shutil

import lit.formats

config.name = "pygraph"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["models", "suites", "mlir-reader", "Inputs"]
config.test_source_root = os.path.dirname(__file__)

_root = os.path.dirname(config.test_source_root)
_binaries = os.path.abspath(os.environ.get("PYGRAPH_BINARIES", os.path.join(_root, "target", "debug")))
_llvm = os.environ.get("LLVM_PREFIX", "/usr/lib/llvm-22")
config.test_exec_root = os.path.join(_root, "target", "lit-tests")

config.environment["PATH"] = os.pathsep.join([os.path.join(_llvm, "bin"), os.environ.get("PATH", "")])

for _program in ("pygraph-opt", "pygraph-compile", "pygraph-run"):
    _path = os.path.join(_binaries, _program)
    config.substitutions.append(("%" + _program, _path))
    if os.path.exists(_path):
        config.available_features.add(_program)
for _script in ("npz", "flip-byte", "zeroed", "without", "decode-steps"):
    _command = f"/usr/bin/python3 {os.path.join(config.test_source_root, 'Inputs', _script + '.py')}"
    config.substitutions.append(("%" + _script, _command))
config.substitutions.append(
    ("%attention", f"sh {os.path.join(config.test_source_root, 'Inputs', 'attention.sh')} {_binaries}")
)
_inputs = os.path.join(config.test_source_root, "Inputs")
config.substitutions.append(("%near-miss", f"sh {_inputs}/near-miss.sh {_binaries} {_inputs}/npz.py"))
config.substitutions.append(("%models", os.path.join(config.test_source_root, "models")))

if shutil.which("nvidia-smi"):
    config.available_features.add("cuda")
