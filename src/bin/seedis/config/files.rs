//! Configuration files as they lie on the disk, and those that they include.

#![expect(
    clippy::disallowed_types,
    reason = "options are read before there is a server"
)]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use seedis::limits::CONFIG_FILE_BYTES_MAX;
use seedis::node::options;
use seedis::node::options::settings::{Files, Source};

/// A configuration file with all its bytes; `-` is standard input. An error names the file.
pub(crate) fn read_file(path: &Path) -> Result<Source, String> {
    let shown = path.display();
    let failed =
        |error: std::io::Error| format!("cannot read the configuration file {shown}: {error}");
    if path == Path::new("-") {
        let name = "standard input".to_owned();
        return read_whole(std::io::stdin(), &name).map(|text| Source { name, text });
    }
    let kind = std::fs::metadata(path).map_err(failed)?;
    if !kind.is_file() {
        return Err(format!(
            "cannot read the configuration file {shown}: it is not a regular file"
        ));
    }
    let file = File::open(path).map_err(failed)?;
    let name = std::fs::canonicalize(path).map_err(failed)?;
    let name = name.display().to_string();
    let text = read_whole(file, &shown.to_string())?;
    Ok(Source { name, text })
}

fn read_whole(from: impl Read, shown: &str) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = from.take(CONFIG_FILE_BYTES_MAX + 1).read_to_end(&mut text);
    read.map_err(|error| format!("cannot read the configuration file {shown}: {error}"))?;
    if text.len() as u64 > CONFIG_FILE_BYTES_MAX {
        return Err(format!(
            "cannot read the configuration file {shown}: it is larger than \
             {CONFIG_FILE_BYTES_MAX} bytes"
        ));
    }
    Ok(text)
}

/// The files of this machine, for `include`.
#[derive(Debug)]
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&mut self, pattern: &[u8]) -> Result<Vec<Source>, String> {
        let path = Path::new(OsStr::from_bytes(pattern));
        if !pattern.iter().any(|byte| b"*?[".contains(byte)) {
            return read_file(path).map(|source| vec![source]);
        }
        matching(path)?.iter().map(|path| read_file(path)).collect()
    }
}

/// The files that a pattern names, sorted; only its last part may have wildcards, and there may be
/// none.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = match pattern.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let last = pattern.file_name().unwrap_or_default().as_bytes();
    if folder
        .as_os_str()
        .as_bytes()
        .iter()
        .any(|byte| b"*?[".contains(byte))
    {
        return Err("only the last part of a path may have wildcards".into());
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("cannot read {}: {error}", folder.display())),
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    // As for a shell's wildcards, a name that begins with a dot is meant only by one that does.
    let is_meant = |name: &OsString| {
        let name = name.as_bytes();
        (name[0] != b'.' || last.starts_with(b".")) && options::matches(last, name)
    };
    let mut paths: Vec<PathBuf> = names
        .filter(is_meant)
        .map(|name| folder.join(name))
        .collect();
    paths.sort();
    Ok(paths)
}
