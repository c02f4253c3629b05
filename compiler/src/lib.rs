//! Reads a model graph as MLIR text and compiles it into an artifact. Never opens a device.
