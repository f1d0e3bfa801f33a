//! Instructions per request in user space: valgrind counts them one by one.

use std::path::Path;
use std::process::Command;

use super::count::{Count, Counted, GET, KEYS, SET, Shape, shape, wanted};
use crate::cores::Cores;
use crate::failure::{Failure, Result};
use crate::load::closed;
use crate::load::requests::{Numbers, Template};
use crate::programs::{Program, on_path};
use crate::server::{Log, Server};

const SHAPES: [Shape; 6] = [
    shape("GET, one client", GET, 1, 1),
    shape("SET, one client", SET, 1, 1),
    shape("GET, 50 clients, pipeline 16", GET, 50, 16),
    shape("SET, 50 clients, pipeline 16", SET, 50, 16),
    shape("GET, 50 clients, pipeline 64", GET, 50, 64),
    shape("SET, 50 clients, pipeline 64", SET, 50, 64),
];

/// Adds these counts.
pub(super) fn count(
    program: &Program,
    only: &str,
    requests: u64,
    cores: Option<Cores>,
    counted: &mut Counted,
) -> Result<()> {
    let wanted = wanted("instructions", &SHAPES, only);
    if wanted.is_empty() {
        return Ok(());
    }
    if on_path("valgrind").is_none() || on_path("vgdb").is_none() {
        let words = "instructions: valgrind is missing (apt-get install valgrind)";
        counted.skipped.push(words.to_owned());
        return Ok(());
    }
    let watcher = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=callgrind.%p",
        "--quiet",
    ];
    let watcher = watcher.map(str::to_owned);
    let server = Server::start_under(&watcher, program, Log::Off, cores)
        .map_err(|failure| failure.during("under valgrind"))?;
    server.fill(&Template::new(SET), KEYS)?;
    let mut dumps = 0;
    for (name, shape) in wanted {
        let requests = requests * if shape.pipeline == 1 { 1 } else { 4 };
        let mut numbers = Numbers::uniform(KEYS, 1);
        let how = closed::Closed::of(shape.clients, shape.pipeline, requests);
        tell(&server, "zero")?;
        let measured = closed::run(
            server.address,
            &Template::new(shape.request),
            &mut numbers,
            how,
        )?;
        tell(&server, "dump")?;
        dumps += 1;
        let process = server.process();
        let dump = server
            .directory()
            .join(format!("callgrind.{process}.{dumps}"));
        counted.counts.push(Count {
            name,
            value: read(&dump)? as f64 / measured.requests as f64,
            is_kept: true,
            is_of_compiler: true,
        });
    }
    Ok(())
}

/// Tells callgrind to do something.
fn tell(server: &Server, what: &str) -> Result<()> {
    let process = format!("--pid={}", server.process());
    let output = Command::new("vgdb").args([&process, what]).output()?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(words.trim()).during("valgrind does not listen"))
}

/// The sum of a dump.
fn read(dump: &Path) -> Result<u64> {
    let text = std::fs::read_to_string(dump)
        .map_err(|error| Failure::from(error).during(&dump.display().to_string()))?;
    total(&text).ok_or_else(|| Failure::new("callgrind's dump has no total"))
}

fn total(dump: &str) -> Option<u64> {
    let line = dump.lines().rev().find_map(|line| {
        line.strip_prefix("totals:")
            .or_else(|| line.strip_prefix("summary:"))
    });
    line?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_dump_is_read() {
        let dump = "# callgrind format\nevents: Ir\nsummary: 11\n\nfn=x\n1 5\n\ntotals: 12\n";
        assert_eq!(total(dump), Some(12));
        assert_eq!(total("summary: 11\n"), Some(11));
        assert_eq!(total("fn=x\n"), None);
    }
}
