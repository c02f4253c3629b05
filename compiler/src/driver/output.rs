//! Writing results: whole or not at all.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct OutputError {
    /// Where to.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Writes to standard output for `-` or nothing, else to the file, which appears whole or not at all.
pub fn write_output(path: Option<&Path>, bytes: &[u8]) -> Result<(), OutputError> {
    match path {
        Some(path) if path.as_os_str() != "-" => write_file(path, bytes),
        _ => match io::stdout().lock().write_all(bytes) {
            // A reader that has seen enough (`| head`) is no error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|source| OutputError { path: "<stdout>".into(), source }),
        },
    }
}

/// Writes a file beside its place and moves it there.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    write_beside(path, bytes).map_err(|source| OutputError { path: path.into(), source })
}

fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A device or a pipe (`/dev/null`) is written to, not replaced.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return fs::write(path, bytes);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pygraph-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out.mlir");
        write_file(&path, b"old").expect("the first writing");
        write_file(&path, b"new").expect("the second writing");
        assert_eq!(fs::read(&path).expect("the file"), b"new");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_file(Path::new("/nonexistent/out.mlir"), b"").expect_err("there is no such folder");
        assert!(error.to_string().starts_with("cannot write /nonexistent/out.mlir: "), "{error}");
    }

    #[test]
    fn devices_are_not_replaced() {
        write_file(Path::new("/dev/null"), b"gone").expect("a device takes it");
        assert!(!fs::metadata("/dev/null").expect("the device").is_file());
    }
}
