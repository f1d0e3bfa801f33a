//! CONFIG REWRITE: the configuration file says what is in force, and nothing of it is lost.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use seedis::node::options::rewrite::{Setting, rewritten};

use tokio::sync::mpsc::UnboundedSender;

use crate::config::files::{Disk, read_file};
use crate::replace::sync_parent;

/// A wish to write the file, and how it went.
pub(crate) type Done = (u64, Result<(), String>);

/// The configuration file, written by a thread of its own: nobody waits for its disk but the client
/// that asked.
#[derive(Debug)]
pub(crate) struct Configuration {
    wishes: Sender<(u64, Vec<Setting>)>,
}

impl Configuration {
    pub(crate) fn new(path: Option<PathBuf>, done: UnboundedSender<Done>) -> io::Result<Self> {
        // The process may change its directory; the file stays where it is.
        let path = path.map(|path| std::path::absolute(&path).unwrap_or(path));
        let (wishes, wished) = channel::<(u64, Vec<Setting>)>();
        let write = move || {
            for (number, settings) in wished {
                let outcome = match &path {
                    Some(path) => save(path, &settings),
                    None => Err("there is no configuration file".into()),
                };
                if let Err(why) = &outcome {
                    tracing::warn!("CONFIG REWRITE: {why}; the file is as it was");
                }
                if done.send((number, outcome)).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("configuration".into());
        thread.spawn(write)?;
        Ok(Self { wishes })
    }

    /// Has the file written, after all that was wished before.
    pub(crate) fn save(&self, number: u64, settings: Vec<Setting>) {
        // The thread lives as long as this does.
        let _ = self.wishes.send((number, settings));
    }
}

/// Sees to it that the file gives these values at the next start. An error leaves it as it was.
fn save(path: &Path, settings: &[Setting]) -> Result<(), String> {
    let source = read_file(path)?;
    let text = rewritten(&source, settings, &mut Disk)?;
    if text == source.text {
        return Ok(());
    }
    // A link stays one: what it points to is replaced.
    let target = fs::canonicalize(path).map_err(|error| error.to_string())?;
    replace(&target, &text).map_err(|error| error.to_string())
}

/// Puts a new text in the place of a file, which is never seen half written, and keeps its mode and
/// its owner.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let before = fs::metadata(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    // One that a crash has left.
    let _ = fs::remove_file(&beside);
    let written = write_beside(&beside, text, &before).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
        return written;
    }
    sync_parent(path)
}

fn write_beside(path: &Path, text: &[u8], before: &fs::Metadata) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (before.uid(), before.gid()) {
        // Only root may give a file away; the mode then still holds for what is ours.
        let _ = std::os::unix::fs::fchown(&file, Some(before.uid()), Some(before.gid()));
    }
    file.set_permissions(fs::Permissions::from_mode(before.mode() & 0o7777))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use seedis::node::options;

    use super::*;

    fn setting(name: &str, value: &str) -> Setting {
        let directive = options::find(name.as_bytes()).unwrap();
        (directive, value.as_bytes().to_vec())
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_link_stays_a_link() {
        let folder = std::env::temp_dir().join(format!("seedis-config-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("real.conf"), folder.join("link.conf"));
        fs::write(&file, "# mine\ntimeout 5\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink("real.conf", &link).unwrap();
        save(&link, &[setting("timeout", "9")]).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\ntimeout 9\n");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        fs::remove_dir_all(&folder).unwrap();
        save(&link, &[setting("timeout", "8")]).unwrap_err();
    }
}
