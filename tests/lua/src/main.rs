//! Random programs, run by the machine of Seedis and by C Lua 5.1: both must say the same.
//!
//! `lua-differ --programs 100000 --seed 1` runs programs of these seeds, one after the other, and
//! prints each on which the two differ. No program of the grammar shows what is decided to differ,
//! such as the order in which tables are walked (docs/SCRIPTS.md).
#![allow(clippy::print_stdout, reason = "it is a program for people")]

mod grammar;
mod judges;

use std::process::ExitCode;

use clap::Parser;

use judges::{Judges, Said};

/// Runs random programs by the machine of Seedis and by C Lua 5.1.
#[derive(Parser)]
struct Options {
    /// How many programs are run.
    #[arg(long, default_value_t = 10_000)]
    programs: u64,
    /// The seed of the first; the next has the next.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// So many differences are printed at most.
    #[arg(long, default_value_t = 20)]
    shown: u64,
    /// Print the programs as well on which both agree.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut judges = Judges::new();
    let (mut differ, mut refused, mut failed, mut long) = (0_u64, 0_u64, 0_u64, 0_u64);
    for seed in options.seed..options.seed.saturating_add(options.programs) {
        let program = grammar::program(seed);
        let ours = judges.ours(&program);
        if ours == Said::TooLong {
            long += 1;
            continue;
        }
        let theirs = judges.theirs(&program);
        match &theirs {
            Said::Refused(_) => refused += 1,
            Said::Failed(_) => failed += 1,
            Said::Returned(_) | Said::TooLong => {}
        }
        let is_same = ours == theirs;
        differ += u64::from(!is_same);
        if options.all || !is_same && differ <= options.shown {
            let word = if is_same { "agree on" } else { "differ on" };
            println!("-- both {word} seed {seed}\n{program}");
            println!("-- C Lua:  {theirs}\n-- Seedis: {ours}\n");
        }
    }
    println!(
        "{} programs from seed {}: {differ} differ; {refused} were no programs, {failed} ended \
         with an error, {long} were too long",
        options.programs, options.seed
    );
    if differ == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
