//! Loads an artifact and runs it. Knows no MLIR.
