//! Files that are there whole or not at all.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Writes the file at `path` through `fill`: into a temporary file beside it, renamed when all is written.
///
/// If `fill` fails, the file at `path` is as it was. A path that is there and is no regular file (`/dev/stdout`,
/// a pipe) is written directly, since renaming would replace the device.
pub fn write_atomically<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let is_special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    if is_special {
        let mut writer = BufWriter::new(OpenOptions::new().write(true).open(path)?);
        fill(&mut writer)?;
        return Ok(writer.flush()?);
    }
    // A link is followed, so that what it points to is replaced and not the link.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = match target.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let temporary = tempfile::Builder::new()
        .prefix(".pygraph-")
        .permissions(Permissions::from_mode(0o666)) // less the umask, as any new file
        .tempfile_in(folder)?;
    let mut writer = BufWriter::new(temporary.as_file().try_clone()?);
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    temporary.persist(&target).map_err(|error| error.error)?;
    Ok(())
}
