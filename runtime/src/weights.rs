//! Weights files: safetensors, read in place from a mapping, or npz; arrays by the parameter's name.

use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use pygraph_artifact::{bytes::FileBytes, dtype::DType};
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::{
    npz::{NpzError, NpzFile},
    tensor::{Tensor, TensorError, check_elements, type_text},
};

/// An open weights file.
#[derive(Debug)]
pub enum Weights {
    /// safetensors.
    Safetensors(SafetensorsFile),
    /// npz.
    Npz(NpzFile),
}

impl Weights {
    /// Opens the file at `path`; one whose name ends in `.npz` is an npz file, any other is safetensors.
    pub fn open(path: &Path) -> Result<Weights, WeightsError> {
        if path.extension().is_some_and(|extension| extension == "npz") {
            return Ok(Weights::Npz(NpzFile::open(path)?));
        }
        SafetensorsFile::open(path).map(Weights::Safetensors)
    }

    /// True if there is an array of that name.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Weights::Safetensors(file) => file.entries.contains_key(name),
            Weights::Npz(file) => file.contains(name),
        }
    }

    /// The array of that name, which must have that type and shape.
    pub fn read(&mut self, name: &str, dtype: DType, shape: &[u64]) -> Result<Tensor, WeightsError> {
        match self {
            Weights::Safetensors(file) => file.read(name, dtype, shape),
            Weights::Npz(file) => Ok(file.read(name, dtype, shape)?),
        }
    }
}

/// A mapped safetensors file.
#[derive(Debug)]
pub struct SafetensorsFile {
    path: PathBuf,
    bytes: Arc<FileBytes>,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    dtype: Dtype,
    shape: Vec<u64>,
    range: Range<usize>,
}

impl SafetensorsFile {
    fn open(path: &Path) -> Result<SafetensorsFile, WeightsError> {
        let bytes = FileBytes::open(path).map_err(|source| WeightsError::Open { path: path.to_path_buf(), source })?;
        let (header_bytes, metadata) = SafeTensors::read_metadata(&bytes)
            .map_err(|source| WeightsError::NotSafetensors { path: path.to_path_buf(), source })?;
        let start = 8 + header_bytes;
        let entries = metadata
            .tensors()
            .into_iter()
            .map(|(name, tensor)| {
                let (begin, end) = tensor.data_offsets;
                let shape = tensor.shape.iter().map(|extent| *extent as u64).collect();
                (name, Entry { dtype: tensor.dtype, shape, range: start + begin..start + end })
            })
            .collect();
        Ok(SafetensorsFile { path: path.to_path_buf(), bytes: Arc::new(bytes), entries })
    }

    fn read(&self, name: &str, dtype: DType, shape: &[u64]) -> Result<Tensor, WeightsError> {
        let fail = |cause| WeightsError::Array { path: self.path.clone(), name: name.to_string(), cause };
        let entry = self.entries.get(name).ok_or_else(|| fail(WeightError::Missing))?;
        if safetensors_type(dtype) != Some(entry.dtype) {
            return Err(fail(WeightError::ElementType { found: format!("{:?}", entry.dtype), expected: dtype }));
        }
        if entry.shape != shape {
            let expected = type_text(dtype, shape);
            return Err(fail(WeightError::Shape { found: entry.shape.clone(), expected }));
        }
        let tensor = Tensor::in_file(dtype, shape, &self.bytes, entry.range.clone())
            .map_err(|error| fail(WeightError::Tensor(error)))?;
        check_elements(dtype, tensor.bytes()).map_err(|error| fail(WeightError::Tensor(error)))?;
        Ok(tensor)
    }
}

/// The element type under which safetensors holds `dtype`.
fn safetensors_type(dtype: DType) -> Option<Dtype> {
    Some(match dtype {
        DType::I1 => Dtype::BOOL,
        DType::I2 | DType::I4 | DType::I8 => Dtype::I8,
        DType::I16 => Dtype::I16,
        DType::I32 => Dtype::I32,
        DType::I64 => Dtype::I64,
        DType::U2 | DType::U4 | DType::U8 => Dtype::U8,
        DType::U16 => Dtype::U16,
        DType::U32 => Dtype::U32,
        DType::U64 => Dtype::U64,
        DType::Bf16 => Dtype::BF16,
        DType::F16 => Dtype::F16,
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
        DType::C64 => Dtype::C64,
        DType::F8E4M3Fn => Dtype::F8_E4M3,
        DType::F8E5M2 => Dtype::F8_E5M2,
        _ => return None,
    })
}

/// Why weights cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be opened.
    #[error("cannot read {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{} is not a safetensors file: {source}", path.display())]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What its reader says.
        source: SafeTensorError,
    },
    /// An npz file is wrong.
    #[error(transparent)]
    Npz(#[from] NpzError),
    /// One array is wrong.
    #[error("{}: {name}: {cause}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// The parameter's name.
        name: String,
        /// What is wrong with it.
        cause: WeightError,
    },
}

/// What is wrong with one array.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// There is none.
    #[error("no such tensor")]
    Missing,
    /// Another element type.
    #[error("element type {found}, the model has {expected}")]
    ElementType {
        /// The file's.
        found: String,
        /// The model's.
        expected: DType,
    },
    /// Another shape.
    #[error("shape {found:?}, expected {expected}")]
    Shape {
        /// The file's.
        found: Vec<u64>,
        /// The model's type.
        expected: String,
    },
    /// An element is no value of its type, or there is no memory.
    #[error("{0}")]
    Tensor(TensorError),
}
