//! A bug that a rule plants somewhere in the core, and its name.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::sites::{Site, sites};

/// A bug.
#[derive(Clone, Debug)]
pub(crate) struct Bug {
    /// The file, from the root of the project.
    pub(crate) file: String,
    pub(crate) site: Site,
    /// The same as long as the function around it has that name and the code that it changes stays
    /// as it is.
    pub(crate) name: String,
}

/// Finds all bugs under a path of the project, in the order of files and lines.
pub(crate) fn bugs(root: &Path, path: &str) -> io::Result<Vec<Bug>> {
    let mut files = Vec::new();
    list(root, path, &mut files)?;
    let mut bugs = Vec::new();
    for file in files {
        let source = fs::read_to_string(root.join(&file))?;
        let found = sites(&source).map_err(|error| io::Error::other(format!("{file}: {error}")))?;
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for site in found {
            let name = format!("{file} {}: {}", site.function, site.change);
            let nth = seen.entry(name.clone()).or_default();
            *nth += 1;
            let name = if *nth == 1 {
                name
            } else {
                format!("{name} #{nth}")
            };
            let file = file.clone();
            bugs.push(Bug { file, site, name });
        }
    }
    Ok(bugs)
}

/// The source files under a path, but those of tests.
fn list(root: &Path, path: &str, files: &mut Vec<String>) -> io::Result<()> {
    let whole = root.join(path);
    if whole.is_file() {
        let name = whole.file_name().unwrap_or_default().to_string_lossy();
        let is_source = name.ends_with(".rs") && name != "tests.rs";
        files.extend(is_source.then(|| path.to_owned()));
        return Ok(());
    }
    let mut names: Vec<_> = fs::read_dir(&whole)?.collect::<Result<_, _>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    for entry in names {
        let name = entry.file_name();
        if name != "tests" {
            list(root, &format!("{path}/{}", name.to_string_lossy()), files)?;
        }
    }
    Ok(())
}
