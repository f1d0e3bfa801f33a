//! Counts instead of times: what a request costs on any machine, held to a file.
//!
//! Times differ from machine to machine and from hour to hour; counts hardly do. A count is *kept*,
//! which means that it stands in the file and may not become worse, if five runs on a busy machine
//! gave the same within two percent. The others are shown only. docs/PERFORMANCE.md says of each
//! why it is in or out.

mod count;
mod instructions;
mod memory;
mod ratchet;
mod system_calls;

use std::path::PathBuf;

pub use count::{Count, Counted};

use crate::cores::Cores;
use crate::failure::{Failure, Result};
use crate::programs::Program;
use crate::table::Table;

/// The arguments of `bench counts`.
#[derive(Debug, clap::Args)]
pub struct Asked {
    /// Our server; without it the one of this tree is built.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Fails if a count is more than ten percent worse than in this file.
    #[arg(long, value_name = "FILE", conflicts_with = "write")]
    check: Option<PathBuf>,
    /// Writes the counts that are kept to this file.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Only counts whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
}

/// How much work each count takes.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Requests of fifty clients under strace; a quarter of them of one client, sixteen times as
    /// many in pipelines.
    pub traced: u64,
    /// Keys whose memory is measured.
    pub keys: u64,
    /// Requests under valgrind.
    pub requests: u64,
}

impl Effort {
    /// Enough for counts that do not change from run to run.
    pub const FULL: Self = Self {
        traced: 8_000,
        keys: 200_000,
        requests: 16_000,
    };
}

/// Counts all that has this in its name and for which there are programs.
pub fn count(program: &Program, only: &str, effort: Effort) -> Result<Counted> {
    let cores = Cores::find()?;
    let mut counted = Counted::default();
    system_calls::count(program, only, effort.traced, cores, &mut counted)?;
    memory::count(program, only, effort.keys, cores, &mut counted)?;
    instructions::count(program, only, effort.requests, cores, &mut counted)?;
    Ok(counted)
}

/// Counts, prints, and holds the counts to the file or writes it.
pub fn run(asked: &Asked, say: &mut dyn FnMut(&str)) -> Result<()> {
    let program = Program::ours(asked.server.as_deref())?;
    let counted = count(&program, &asked.only, Effort::FULL)?;
    let file = asked.check.as_ref().or(asked.write.as_ref());
    let before = match file {
        Some(path) if asked.check.is_some() || path.exists() => ratchet::Kept::read(path)?,
        _ => ratchet::Kept::default(),
    };
    let mut table = Table::new(&["count"], &["now", "in the file"]);
    for count in &counted.counts {
        let kept = match before.counts.get(&count.name) {
            Some(kept) => format!("{kept:.3}"),
            None if count.is_kept => "new".to_owned(),
            None => "not kept".to_owned(),
        };
        table.row([count.name.clone(), format!("{:.3}", count.value), kept]);
    }
    say(&table.markdown());
    for sentence in &counted.skipped {
        say(&format!("skipped: {sentence}"));
    }
    if let Some(path) = &asked.write {
        ratchet::Kept::of(&counted.counts).write(path)?;
    }
    if asked.check.is_none() {
        return Ok(());
    }
    let verdict = before.judge(&counted.counts, &asked.only, !counted.skipped.is_empty());
    for sentence in &verdict.notes {
        say(sentence);
    }
    if verdict.worse.is_empty() {
        say("no count is worse than the file says");
        return Ok(());
    }
    Err(Failure::new(verdict.worse.join("\n")))
}
