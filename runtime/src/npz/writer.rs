//! Writes arrays into an npz file, stored and not deflated, as numpy's `savez` does.

use std::io::{self, Seek, Write};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{NpyHeader, numpy_type, typed_key};
use crate::tensor::TensorView;

/// An npz file that is being written. It is complete after [`NpzWriter::finish`].
#[derive(Debug)]
pub struct NpzWriter<W: Write + Seek> {
    archive: ZipWriter<W>,
}

impl<W: Write + Seek> NpzWriter<W> {
    /// Begins a file.
    pub fn new(writer: W) -> NpzWriter<W> {
        NpzWriter { archive: ZipWriter::new(writer) }
    }

    /// Adds an array; a bf16 array goes under `KEY__bf16`.
    pub fn add(&mut self, key: &str, array: TensorView) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(array.bytes.len() as u64 > u64::from(u32::MAX / 2));
        self.archive.start_file(format!("{}.npy", typed_key(key, array.dtype)), options)?;
        self.archive.write_all(&NpyHeader::encode(numpy_type(array.dtype).0, array.shape))?;
        self.archive.write_all(array.bytes)
    }

    /// Writes the directory.
    pub fn finish(self) -> io::Result<W> {
        Ok(self.archive.finish()?)
    }
}
