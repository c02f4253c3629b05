//! npz files: numpy arrays by key in a zip archive.
//!
//! An array is read as the type that the model wants, and nothing is converted: a bf16 array lies under `KEY__bf16`
//! as uint16 bit patterns, a float of eight bits or fewer under `KEY__TYPE` as uint8, two- and four-bit integers as
//! int8 or uint8, complex numbers as complex64 or complex128.

mod header;
mod reader;
mod writer;

pub use header::NpyHeader;
pub use reader::{NpzError, NpzFile};
pub use writer::NpzWriter;

use pygraph_artifact::dtype::DType;

/// How numpy spells the element type of an array that holds `dtype`: in a header, and in its own text.
fn numpy_type(dtype: DType) -> (&'static str, &'static str) {
    match dtype {
        DType::I1 => ("|b1", "bool"),
        DType::I2 | DType::I4 | DType::I8 => ("|i1", "int8"),
        DType::I16 => ("<i2", "int16"),
        DType::I32 => ("<i4", "int32"),
        DType::I64 => ("<i8", "int64"),
        DType::U2 | DType::U4 | DType::U8 => ("|u1", "uint8"),
        DType::U16 | DType::Bf16 => ("<u2", "uint16"),
        DType::U32 => ("<u4", "uint32"),
        DType::U64 => ("<u8", "uint64"),
        DType::F16 => ("<f2", "float16"),
        DType::F32 => ("<f4", "float32"),
        DType::F64 => ("<f8", "float64"),
        DType::C64 => ("<c8", "complex64"),
        DType::C128 => ("<c16", "complex128"),
        // The bit patterns of small floats.
        _ => ("|u1", "uint8"),
    }
}

/// The key without the suffix that [`typed_key`] adds.
pub fn plain_key(key: &str) -> &str {
    key.split_once("__").map_or(key, |(key, _)| key)
}

/// The key under which an array of that type lies.
pub fn typed_key(key: &str, dtype: DType) -> String {
    match dtype {
        DType::Bf16 => format!("{key}__bf16"),
        _ if dtype.minifloat().is_some() => format!("{key}__{dtype}"),
        _ => key.to_string(),
    }
}
