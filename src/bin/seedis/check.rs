//! `seedis check`: looks at a data directory that no server has open, and repairs it when told to.
#![expect(
    clippy::disallowed_types,
    reason = "an operator's tool at the disk, while no server runs"
)]

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use seedis::disk::{DiskDone, DiskOp, FileKind, FileName};
use seedis::node::inspect::{Damage, Found, Inspection, manifest_of_an_emptied_log};

use crate::disk::Directory;
use crate::lines::{complain, say};
use crate::lock::Lock;
use crate::replace::{replace, sync_directory};
use crate::{EXIT_USAGE, subcommand};

/// The exit code for a directory in which acknowledged data are damaged.
const EXIT_DAMAGED: u8 = 1;

/// Checks a data directory that no server has open, and reports damage.
#[derive(Debug, Parser)]
#[command(name = "seedis check", after_help = EXITS)]
struct Options {
    /// The data directory.
    dir: PathBuf,
    /// Cut a damaged log where the damage begins, after asking; the cut part is kept beside it.
    #[arg(long)]
    repair: bool,
    /// Do not ask.
    #[arg(long, requires = "repair")]
    yes: bool,
}

const EXITS: &str = "Exit: 0 not damaged (a torn tail is normal after a crash; the server cuts it \
    when it starts), 1 damaged, 2 no such directory, in use, or not repaired.";

/// Why there was nothing to look at, or nothing was repaired.
type Refusal = String;

/// Runs `seedis check` with the words behind it.
pub(crate) fn run(words: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let options: Options = match subcommand("seedis check", words) {
        Ok(options) => options,
        Err(code) => return code,
    };
    match check(&options) {
        Ok(code) => ExitCode::from(code),
        Err(refusal) => {
            complain(&refusal);
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn check(options: &Options) -> Result<u8, Refusal> {
    let dir = &options.dir;
    let _lock = lock(dir)?;
    let files = list(dir)?;
    let found = look(dir);
    tell(&found, &files);
    let Some(why) = &found.refused else {
        say(&verdict(&found));
        return Ok(0);
    };
    if found.unreadable {
        return Err(why.clone());
    }
    say(&format!("DAMAGED: {why}"));
    if !options.repair {
        return Ok(EXIT_DAMAGED);
    }
    if found.grouped {
        return Err(
            "this is a member of a group, and entries that it has acknowledged must not be cut: \
             start it, and it fetches what is damaged from the others; or replace it with an empty \
             member"
                .into(),
        );
    }
    let damage = found.damage.filter(|d| d.file.kind() == FileKind::Log);
    let Some(damage) = damage else {
        return Err("this cannot be repaired by cutting: restore the directory from a copy".into());
    };
    repair(options, &found, damage, &files)?;
    let found = look(dir);
    if let Some(why) = found.refused {
        return Err(format!("the directory is still damaged: {why}"));
    }
    say(&format!("repaired: {}", verdict(&found)));
    Ok(0)
}

/// Keeps a server from opening the directory meanwhile.
fn lock(dir: &Path) -> Result<Option<Lock>, Refusal> {
    let shown = dir.display();
    match Lock::of(dir) {
        Ok(lock) => Ok(Some(lock)),
        // There is no directory: whoever lists it says so.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(format!("{shown} is in use by a server: stop it first"))
        }
        Err(error) => Err(format!("cannot lock {shown}: {error}")),
    }
}

fn list(dir: &Path) -> Result<Vec<(FileName, u64)>, Refusal> {
    match Directory::read_only(dir).perform(DiskOp::List) {
        Ok(DiskDone::Listed { files }) if files.is_empty() => Err(format!(
            "{} is not a data directory of Seedis",
            dir.display()
        )),
        Ok(DiskDone::Listed { files }) => Ok(files),
        _ => Err(format!("cannot read the directory {}", dir.display())),
    }
}

fn look(dir: &Path) -> Found {
    let mut directory = Directory::read_only(dir);
    let (mut inspection, mut asked) = Inspection::new();
    while let Some((ticket, op)) = asked {
        asked = inspection.completed(ticket, directory.perform(op));
    }
    inspection.found()
}

/// Prints what stands in the directory.
fn tell(found: &Found, files: &[(FileName, u64)]) {
    let line = |name: &str, text: String| say(&format!("{name:<10}{text}"));
    if let Some(member) = found.member {
        let vote = found.vote.map_or("nobody".into(), |vote| vote.to_string());
        let (term, commit) = (found.term, found.commit);
        line("member", format!("{member}, {term}, vote {vote}, {commit}"));
    }
    for (file, bytes) in files {
        line("file", format!("{file}, {bytes} bytes"));
    }
    if let Some((index, term)) = found.base {
        let keys = found.base_keys;
        line(
            "base",
            format!("{keys} keys, the state at entry {index} of {term}"),
        );
    }
    if let Some(end) = found.end {
        let (records, entries) = (found.records, found.entries);
        let span = found.span.map_or(String::new(), |(first, last)| {
            format!(" ({first} to {last})")
        });
        let end = place(end);
        line(
            "log",
            format!("{records} records with {entries} entries{span}, up to {end}"),
        );
    }
    if let Some(synced) = found.synced {
        line("synced", format!("at least up to {}", place(synced)));
    }
}

fn place((file, offset): (impl Display, u64)) -> String {
    format!("{file} at offset {offset}")
}

fn verdict(found: &Found) -> String {
    match found.damage {
        None => "whole".into(),
        Some(Damage { file, offset, .. }) => format!(
            "torn tail: the data in {} was never known to be synced; the server cuts it when it \
             starts",
            place((file, offset))
        ),
    }
}

/// Cuts the log at the damage. A copy of the file that is cut, and the files behind it, stay under
/// names that no server reads.
fn repair(
    options: &Options,
    found: &Found,
    damage: Damage,
    files: &[(FileName, u64)],
) -> Result<(), Refusal> {
    let kept = found.span.or(found.base.map(|(index, _)| (index, index)));
    let kept = kept.map_or("nothing".into(), |(_, last)| {
        format!("entries up to {last}")
    });
    let later: Vec<FileName> = files
        .iter()
        .map(|(file, _)| *file)
        .filter(|file| file.kind() == FileKind::Log && file.number() > damage.file.number())
        .collect();
    say(&format!(
        "To repair it, {} is cut at offset {}{}. Kept: {kept}. Lost: all writes after that, some \
         of which were acknowledged.",
        damage.file,
        damage.offset,
        if later.is_empty() {
            String::new()
        } else {
            format!(" and {} later segments are set aside", later.len())
        }
    ));
    if !options.yes && !agreed()? {
        return Err("nothing was changed".into());
    }
    let io = |error: io::Error| format!("the repair failed: {error}");
    let path = |file: FileName| options.dir.join(file.to_string());
    let aside = |file: FileName| options.dir.join(format!("{file}.damaged"));
    let (cut, copy) = (path(damage.file), aside(damage.file));
    if later
        .iter()
        .copied()
        .map(aside)
        .chain([copy.clone()])
        .any(|path| path.exists())
    {
        return Err(format!(
            "{} keeps files of an earlier repair (*.damaged): move them elsewhere first",
            options.dir.display()
        ));
    }
    // The copy is durable before anything is cut.
    fs::copy(&cut, &copy).map_err(io)?;
    File::open(&copy)
        .and_then(|file| file.sync_all())
        .map_err(io)?;
    sync_directory(&options.dir).map_err(io)?;
    // From the last to the first: whatever a crash leaves is damaged as before, or repaired.
    for file in later.into_iter().rev() {
        fs::rename(path(file), aside(file)).map_err(io)?;
        sync_directory(&options.dir).map_err(io)?;
    }
    let file = OpenOptions::new().write(true).open(&cut).map_err(io)?;
    file.set_len(damage.offset)
        .and_then(|()| file.sync_all())
        .map_err(io)?;
    sync_directory(&options.dir).map_err(io)?;
    if damage.offset == 0 {
        count_on_nothing(&options.dir)?;
    }
    say(&format!(
        "what was cut is kept in {}/*.damaged",
        options.dir.display()
    ));
    Ok(())
}

/// The manifest no longer counts on a record at the beginning of the log.
fn count_on_nothing(dir: &Path) -> Result<(), Refusal> {
    let path = |file: FileName| dir.join(file.to_string());
    let (manifest, new) = (path(FileName::MANIFEST), path(FileName::MANIFEST_TMP));
    let bytes = fs::read(&manifest).map_err(|error| format!("the repair failed: {error}"))?;
    let bytes = manifest_of_an_emptied_log(&bytes);
    let bytes = bytes.ok_or("the repair failed: the manifest is damaged")?;
    replace(&manifest, &new, &bytes).map_err(|error| format!("the repair failed: {error}"))
}

/// Asks whoever sits at the terminal.
fn agreed() -> Result<bool, Refusal> {
    let input = io::stdin();
    if !input.is_terminal() {
        return Err("standard input is not a terminal, so nobody can be asked: add --yes".into());
    }
    say("Repair? [y/N]");
    let mut answer = String::new();
    input
        .lock()
        .read_line(&mut answer)
        .map_err(|error| format!("no answer: {error}"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
