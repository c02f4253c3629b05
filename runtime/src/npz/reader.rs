//! Reads arrays of a known type out of an npz file.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use pygraph_artifact::{bytes::AlignedBytes, dtype::DType, validate::array_bytes};
use zip::{ZipArchive, result::ZipError};

use super::{NpyHeader, numpy_type, typed_key};
use crate::tensor::{Tensor, TensorError, check_elements, type_text};

/// An open npz file. Its directory is read; arrays are read when asked for.
#[derive(Debug)]
pub struct NpzFile {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl NpzFile {
    /// Opens the file at `path` and reads its directory.
    pub fn open(path: &Path) -> Result<NpzFile, NpzError> {
        let file = File::open(path).map_err(|source| NpzError::Open { path: path.to_path_buf(), source })?;
        let archive = ZipArchive::new(BufReader::with_capacity(1 << 20, file))
            .map_err(|source| NpzError::NotAnNpz { path: path.to_path_buf(), source })?;
        Ok(NpzFile { path: path.to_path_buf(), archive })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All keys, as they are (`arg0__bf16`), in no order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.archive.file_names().filter_map(|name| name.strip_suffix(".npy"))
    }

    /// True if there is an array of that key, of whatever type.
    pub fn contains(&self, key: &str) -> bool {
        let has_entry = |dtype: &DType| self.archive.index_for_name(&entry_name(key, *dtype)).is_some();
        DType::ALL.iter().any(has_entry)
    }

    /// The array under `key`, which must have that type and shape.
    pub fn read(&mut self, key: &str, dtype: DType, shape: &[u64]) -> Result<Tensor, NpzError> {
        let full_key = typed_key(key, dtype);
        let path = self.path.clone();
        let fail = |cause| NpzError::Array { path: path.clone(), key: full_key.clone(), cause };
        if self.archive.index_for_name(&entry_name(key, dtype)).is_none() {
            let other = self.contains(key);
            return Err(if other { fail(ArrayError::OtherKey { dtype }) } else { fail(ArrayError::Missing) });
        }
        self.read_entry(&entry_name(key, dtype), dtype, shape).map_err(fail)
    }

    fn read_entry(&mut self, entry: &str, dtype: DType, shape: &[u64]) -> Result<Tensor, ArrayError> {
        let mut entry = self.archive.by_name(entry).map_err(ArrayError::Zip)?;
        let header = NpyHeader::read(&mut entry).map_err(|reason| ArrayError::Header { reason })?;
        check_header(&header, dtype, shape)?;
        let size = array_bytes(dtype, shape)
            .ok_or_else(|| ArrayError::Tensor(TensorError::TooLarge { dtype, shape: shape.to_vec() }))?;
        // Nothing is allocated before the type, the shape and the archive agree on the size.
        if entry.size() != header.header_bytes.saturating_add(size) {
            return Err(ArrayError::Size { found: entry.size().saturating_sub(header.header_bytes), expected: size });
        }
        let mut bytes = AlignedBytes::zeroed(size).map_err(|error| ArrayError::Tensor(error.into()))?;
        entry.read_exact(&mut bytes).map_err(ArrayError::Read)?;
        // The checksum is compared when the end is met.
        io::copy(&mut entry, &mut io::sink()).map_err(ArrayError::Read)?;
        check_elements(dtype, &bytes).map_err(ArrayError::Tensor)?;
        Tensor::new(dtype, shape, bytes).map_err(ArrayError::Tensor)
    }
}

/// The file in the archive that holds an array of that type.
fn entry_name(key: &str, dtype: DType) -> String {
    typed_key(key, dtype) + ".npy"
}

fn check_header(header: &NpyHeader, dtype: DType, shape: &[u64]) -> Result<(), ArrayError> {
    let (descr, name) = numpy_type(dtype);
    if header.descr != descr {
        return Err(ArrayError::ElementType { found: describe_descr(&header.descr), expected: name, dtype });
    }
    if header.shape != shape {
        return Err(ArrayError::Shape { found: header.shape.clone(), expected: type_text(dtype, shape) });
    }
    if header.fortran_order {
        return Err(ArrayError::FortranOrder);
    }
    Ok(())
}

fn describe_descr(descr: &str) -> String {
    match DType::ALL.iter().map(|dtype| numpy_type(*dtype)).find(|(known, _)| *known == descr) {
        Some((_, name)) => name.to_string(),
        None if descr.starts_with('>') => format!("big-endian {descr}"),
        None => descr.to_string(),
    }
}

/// Why an array cannot be read from an npz file.
#[derive(Debug, thiserror::Error)]
pub enum NpzError {
    /// The file cannot be opened.
    #[error("cannot read {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no archive.
    #[error("{} is not an npz file: {source}", path.display())]
    NotAnNpz {
        /// The file.
        path: PathBuf,
        /// What the archive's reader says.
        source: ZipError,
    },
    /// One array is wrong.
    #[error("{}: {key}: {cause}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// The key that was looked for.
        key: String,
        /// What is wrong with it.
        cause: ArrayError,
    },
}

/// What is wrong with one array.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// There is none.
    #[error("no such key")]
    Missing,
    /// There is an array of that key, but of a type that has keys of its own, or the other way round.
    #[error(
        "no such key, but one of another element type, the model has {dtype}: \
         types that numpy lacks, and only these, lie as bit patterns under KEY__TYPE, as in arg0__bf16"
    )]
    OtherKey {
        /// What the model wants.
        dtype: DType,
    },
    /// The header is broken.
    #[error("not a numpy array: {reason}")]
    Header {
        /// Why.
        reason: String,
    },
    /// Another element type.
    #[error("element type {found}, expected {expected} for the model's {dtype}")]
    ElementType {
        /// The array's.
        found: String,
        /// numpy's name of what is wanted.
        expected: &'static str,
        /// The model's.
        dtype: DType,
    },
    /// Another shape.
    #[error("shape {found:?}, expected {expected}")]
    Shape {
        /// The array's.
        found: Vec<u64>,
        /// The model's type.
        expected: String,
    },
    /// Columns first.
    #[error("the array is in Fortran order: save numpy.ascontiguousarray(array)")]
    FortranOrder,
    /// More or fewer bytes than the header says.
    #[error("{found} bytes of elements, expected {expected}")]
    Size {
        /// Bytes that there are.
        found: u64,
        /// Bytes that there should be.
        expected: u64,
    },
    /// The archive's entry is broken.
    #[error("{0}")]
    Zip(ZipError),
    /// The bytes cannot be read, or their checksum is wrong.
    #[error("{0}")]
    Read(io::Error),
    /// An element is no value of its type, or there is no memory.
    #[error("{0}")]
    Tensor(TensorError),
}
