//! The container: a header, a table of sections with a checksum each, and the sections.
//!
//! ```text
//! 0   magic            8 bytes   \x89 P Y G \r \n \x1a \n
//! 8   format version   u32
//! 12  section count    u32
//! 16  file length      u64
//! 24  table checksum   u64       xxh3 of bytes 0 to 24 and of the table
//! 32  table            40 bytes a section: name (16, zero-padded), offset u64, length u64, xxh3 of its bytes u64
//! …   sections         each at the next multiple of 64; the bytes between are zero
//! ```
//!
//! Numbers are little-endian. There is one encoding of a plan and its constants: every byte is covered by a checksum
//! or has a fixed value. A change of any type in [`crate::plan`] is a change of [`FORMAT_VERSION`].

use std::{
    io::{self, Write},
    ops::Range,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::{
    atomic::write_atomically,
    bytes::{ALIGNMENT, AlignedBytes, FileBytes, OutOfMemory},
    device_code::{self, DeviceCode, InvalidDeviceCode},
    host_code::{self, HostCode, InvalidHostCode},
    plan::Plan,
    validate::{InvalidPlan, validate},
};

/// What every artifact begins with. A text mode transfer or a truncation to 7 bits breaks it.
pub const MAGIC: [u8; 8] = *b"\x89PYG\r\n\x1a\n";

/// The format that this build writes, and the only one that it reads.
pub const FORMAT_VERSION: u32 = 13;

/// The sections, in the order in which they lie in the file. All are required; those of code are empty without it.
const SECTIONS: [&str; 4] = ["plan", "constants", "host code", "device code"];

const HEADER_BYTES: usize = 32;
const ENTRY_BYTES: usize = 40;
const NAME_BYTES: usize = 16;
const TABLE_END: usize = HEADER_BYTES + SECTIONS.len() * ENTRY_BYTES;

/// A compiled model: its validated plan, its constants and its code. Immutable.
#[derive(Debug)]
pub struct Artifact {
    bytes: FileBytes,
    plan: Plan,
    constants: Range<usize>,
    host_code: Option<HostCode>,
    device_code: Option<DeviceCode>,
}

/// The code that an artifact holds beside its plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct Code<'a> {
    /// For the host device.
    pub host: Option<&'a HostCode>,
    /// For GPUs.
    pub device: Option<&'a DeviceCode>,
}

impl Code<'_> {
    fn validate(self, plan: &Plan) -> Result<(), InvalidCode> {
        host_code::validate(plan, self.host)?;
        Ok(device_code::validate(plan, self.device)?)
    }
}

impl Artifact {
    /// Maps and checks the artifact at `path`.
    pub fn open(path: &Path) -> Result<Artifact, OpenError> {
        let read = |source| OpenError::Read { path: path.to_path_buf(), source };
        let bytes = FileBytes::open(path).map_err(read)?;
        Artifact::from_file_bytes(bytes).map_err(|source| OpenError::Load { path: path.to_path_buf(), source })
    }

    /// Checks an artifact in memory, and copies it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Artifact, LoadError> {
        Artifact::from_file_bytes(FileBytes::Owned(AlignedBytes::copy_of(bytes)?))
    }

    fn from_file_bytes(bytes: FileBytes) -> Result<Artifact, LoadError> {
        let [plan, constants, host, device] = read_table(&bytes)?;
        let plan: Plan = decode(&bytes[plan]).map_err(|reason| LoadError::MalformedPlan { reason })?;
        let host_code: Option<HostCode> = decode_code(&bytes[host], "host")?;
        let device_code: Option<DeviceCode> = decode_code(&bytes[device], "device")?;
        validate(&plan, constants.len() as u64)?;
        Code { host: host_code.as_ref(), device: device_code.as_ref() }.validate(&plan)?;
        Ok(Artifact { bytes, plan, constants, host_code, device_code })
    }

    /// What a device executes. It has passed [`validate`].
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The constants that [`crate::plan::Place::Constant`] refers to, aligned to [`ALIGNMENT`].
    pub fn constants(&self) -> &[u8] {
        &self.bytes[self.constants.clone()]
    }

    /// Native code for the plan's loop nests, if it has any. It has passed [`host_code::validate`], which cannot know what
    /// the code does.
    pub fn host_code(&self) -> Option<&HostCode> {
        self.host_code.as_ref()
    }

    /// Code for a GPU, if it has any. It has passed [`device_code::validate`], which cannot know what the code does.
    pub fn device_code(&self) -> Option<&DeviceCode> {
        self.device_code.as_ref()
    }
}

/// Decodes a section of code; an empty one is none.
fn decode_code<T: DeserializeOwned>(section: &[u8], of: &'static str) -> Result<Option<T>, LoadError> {
    if section.is_empty() {
        return Ok(None);
    }
    decode(section).map(Some).map_err(|reason| LoadError::MalformedCode { of, reason })
}

/// Decodes a section whole, or says why not.
fn decode<T: DeserializeOwned>(section: &[u8]) -> Result<T, String> {
    let (value, rest) = postcard::take_from_bytes(section).map_err(|error| error.to_string())?;
    if rest.is_empty() { Ok(value) } else { Err(format!("{} bytes follow it", rest.len())) }
}

/// True if a file that begins like this is meant to be an artifact.
pub fn is_artifact(beginning: &[u8]) -> bool {
    beginning.starts_with(&MAGIC)
}

/// Writes an artifact to the file at `path`, whole or not at all.
pub fn write(path: &Path, plan: &Plan, constants: &[u8], code: Code) -> Result<(), WriteError> {
    let failed = |source| WriteError::Write { path: path.to_path_buf(), source };
    let parts = encode_parts(plan, constants, code)?;
    write_atomically(path, |file| {
        file.write_all(&parts.head)?;
        file.write_all(constants)?;
        file.write_all(&parts.tail)
    })
    .map_err(failed)
}

/// The artifact as bytes: what [`write()`] puts into a file.
pub fn encode(plan: &Plan, constants: &[u8], code: Code) -> Result<Vec<u8>, WriteError> {
    let parts = encode_parts(plan, constants, code)?;
    Ok([&parts.head, constants, &parts.tail].concat())
}

/// The bytes of an artifact before and after those of its constants.
struct Parts {
    head: Vec<u8>,
    tail: Vec<u8>,
}

fn encode_parts(plan: &Plan, constants: &[u8], code: Code) -> Result<Parts, WriteError> {
    validate(plan, constants.len() as u64)?;
    code.validate(plan)?;
    let failed = |error: postcard::Error| WriteError::Encode { reason: error.to_string() };
    let plan = postcard::to_stdvec(plan).map_err(failed)?;
    let host = code.host.map_or(Ok(Vec::new()), postcard::to_stdvec).map_err(failed)?;
    let device = code.device.map_or(Ok(Vec::new()), postcard::to_stdvec).map_err(failed)?;
    let plan_start = TABLE_END.next_multiple_of(ALIGNMENT);
    let constants_start = (plan_start + plan.len()).next_multiple_of(ALIGNMENT);
    let constants_end = constants_start + constants.len();
    let host_start = constants_end.next_multiple_of(ALIGNMENT);
    let host_end = host_start + host.len();
    let device_start = host_end.next_multiple_of(ALIGNMENT);

    let mut head = Vec::with_capacity(constants_start);
    head.extend_from_slice(&MAGIC);
    head.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    head.extend_from_slice(&(SECTIONS.len() as u32).to_le_bytes());
    head.extend_from_slice(&((device_start + device.len()) as u64).to_le_bytes());
    let mut table = Vec::with_capacity(SECTIONS.len() * ENTRY_BYTES);
    let sections = [
        (plan_start, plan.as_slice()),
        (constants_start, constants),
        (host_start, host.as_slice()),
        (device_start, device.as_slice()),
    ];
    for (name, (start, section)) in SECTIONS.iter().zip(sections) {
        let mut padded = [0; NAME_BYTES];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        table.extend_from_slice(&padded);
        for number in [start as u64, section.len() as u64, xxh3_64(section)] {
            table.extend_from_slice(&number.to_le_bytes());
        }
    }
    let checksum = table_checksum(&head, &table);
    head.extend_from_slice(&checksum.to_le_bytes());
    head.extend_from_slice(&table);
    head.resize(plan_start, 0);
    head.extend_from_slice(&plan);
    head.resize(constants_start, 0);
    let mut tail = vec![0; host_start - constants_end];
    tail.extend_from_slice(&host);
    tail.resize(device_start - constants_end, 0);
    tail.extend_from_slice(&device);
    Ok(Parts { head, tail })
}

fn table_checksum(header: &[u8], table: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(header);
    hash.update(table);
    hash.digest()
}

/// Compares checksums. A fuzz target sees what lies behind them: no mutation would get past.
fn differ(computed: u64, stored: u64) -> bool {
    !cfg!(fuzzing) && computed != stored
}

/// Checks all that lies outside the sections and every checksum; returns where the sections are.
fn read_table(bytes: &[u8]) -> Result<[Range<usize>; SECTIONS.len()], LoadError> {
    if bytes.len() < MAGIC.len() || !is_artifact(bytes) {
        return Err(LoadError::NotAnArtifact { length: bytes.len() as u64 });
    }
    let truncated = |needed: usize| LoadError::Truncated { expected: needed as u64, found: bytes.len() as u64 };
    let header = bytes.get(..HEADER_BYTES).ok_or_else(|| truncated(HEADER_BYTES))?;
    let version = u32_at(header, 8);
    if version != FORMAT_VERSION {
        return Err(LoadError::Version { found: version, supported: FORMAT_VERSION });
    }
    let table = bytes.get(HEADER_BYTES..TABLE_END).ok_or_else(|| truncated(TABLE_END))?;
    let section_count = u32_at(header, 12);
    if section_count as usize != SECTIONS.len() || differ(table_checksum(&header[..24], table), u64_at(header, 24)) {
        return Err(LoadError::Checksum { section: "header".to_string() });
    }
    let file_length = u64_at(header, 16);
    if file_length > bytes.len() as u64 {
        return Err(LoadError::Truncated { expected: file_length, found: bytes.len() as u64 });
    }
    if file_length < bytes.len() as u64 {
        return Err(LoadError::TrailingBytes { expected: file_length, found: bytes.len() as u64 });
    }

    let mut end = TABLE_END;
    let mut ranges = [const { 0..0 }; SECTIONS.len()];
    for ((name, entry), range) in SECTIONS.iter().zip(table.chunks_exact(ENTRY_BYTES)).zip(&mut ranges) {
        *range = read_entry(bytes, name, entry, end)?;
        end = range.end;
    }
    if end != bytes.len() {
        return Err(LoadError::SectionTable { section: SECTIONS[SECTIONS.len() - 1].to_string() });
    }
    Ok(ranges)
}

/// Where one section lies, after a check of its place, of the zeros before it and of its checksum.
fn read_entry(bytes: &[u8], name: &str, entry: &[u8], end_before: usize) -> Result<Range<usize>, LoadError> {
    let misplaced = || LoadError::SectionTable { section: name.to_string() };
    let (name_field, numbers) = entry.split_at(NAME_BYTES);
    let (offset, length, checksum) = (u64_at(numbers, 0), u64_at(numbers, 8), u64_at(numbers, 16));
    let start = end_before.next_multiple_of(ALIGNMENT);
    let has_name = name_field.starts_with(name.as_bytes()) && name_field[name.len()..].iter().all(|byte| *byte == 0);
    let end = offset.checked_add(length).filter(|end| *end <= bytes.len() as u64).ok_or_else(misplaced)? as usize;
    if !has_name || offset != start as u64 {
        return Err(misplaced());
    }
    if bytes[end_before..start].iter().any(|byte| *byte != 0) {
        return Err(LoadError::Padding { section: name.to_string() });
    }
    if differ(xxh3_64(&bytes[start..end]), checksum) {
        return Err(LoadError::Checksum { section: name.to_string() });
    }
    Ok(start..end)
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(number)
}

/// Why bytes are not an artifact that this build can run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The magic is missing.
    #[error("not a pygraph artifact ({length} bytes that do not begin with its magic)")]
    NotAnArtifact {
        /// Length of what was given.
        length: u64,
    },
    /// Written by another version.
    #[error("format version is {found}, this build reads {supported}: compile the model again")]
    Version {
        /// The file's version.
        found: u32,
        /// This build's version.
        supported: u32,
    },
    /// Bytes are missing at the end.
    #[error("truncated: {found} bytes of at least {expected}")]
    Truncated {
        /// Bytes that there must be.
        expected: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// Bytes follow the last section.
    #[error("{found} bytes where the header says {expected}")]
    TrailingBytes {
        /// Bytes that the header says.
        expected: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// Bytes of a section, or of the header and its table, have changed.
    #[error("checksum of the {section} does not match: the file is damaged")]
    Checksum {
        /// The section's name, or `header`.
        section: String,
    },
    /// Bytes between sections are not zero.
    #[error("bytes before section {section} are not zero: the file is damaged")]
    Padding {
        /// The section that follows them.
        section: String,
    },
    /// A section's entry has another name or place than the format says.
    #[error("the entry of section {section} has a wrong name, offset or length")]
    SectionTable {
        /// The section's name.
        section: String,
    },
    /// The plan's bytes do not decode.
    #[error("malformed plan: {reason}")]
    MalformedPlan {
        /// What the decoder says.
        reason: String,
    },
    /// The code's bytes do not decode.
    #[error("malformed {of} code: {reason}")]
    MalformedCode {
        /// Of which device.
        of: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// The plan decodes and cannot be run.
    #[error("invalid plan: {0}")]
    InvalidPlan(#[from] InvalidPlan),
    /// The code decodes and does not fit the plan.
    #[error(transparent)]
    InvalidCode(#[from] InvalidCode),
    /// No memory for a copy.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
}

/// Code that must not run with the plan beside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCode {
    /// That of the host device.
    #[error("invalid host code: {0}")]
    Host(#[from] InvalidHostCode),
    /// That of a GPU.
    #[error("invalid device code: {0}")]
    Device(#[from] InvalidDeviceCode),
}

/// Why a file cannot be opened as an artifact.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no good artifact.
    #[error("cannot load {}: {source}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LoadError,
    },
}

/// Why an artifact was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The plan would be refused on loading. A mistake of the compiler.
    #[error("invalid plan: {0}")]
    InvalidPlan(#[from] InvalidPlan),
    /// The code would be refused on loading. A mistake of the compiler.
    #[error(transparent)]
    InvalidCode(#[from] InvalidCode),
    /// The plan does not encode.
    #[error("cannot encode the plan: {reason}")]
    Encode {
        /// What the encoder says.
        reason: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
