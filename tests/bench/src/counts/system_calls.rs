//! System calls per request, and syncs per thousand writes: strace counts them.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::count::{Count, Counted, GET, KEYS, SET, Shape, shape, wanted};
use crate::cores::Cores;
use crate::failure::{Failure, Result};
use crate::load::closed;
use crate::load::requests::{Numbers, Template};
use crate::programs::{Program, on_path};
use crate::server::{Log, Server};

/// How long strace may take to take hold of a server.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(20);

#[rustfmt::skip]
const SHAPES: [Shape; 8] = [
    shape("GET, one client", GET, 1, 1),
    shape("SET, one client", SET, 1, 1),
    shape("GET, 50 clients", GET, 50, 1),
    shape("SET, 50 clients", SET, 50, 1),
    shape("GET, 50 clients, pipeline 16", GET, 50, 16),
    shape("SET, 50 clients, pipeline 16", SET, 50, 16),
    shape("SET everysec, 50 clients, pipeline 16", SET, 50, 16).with(Log::Everysec),
    shape("SET always, 50 clients", SET, 50, 1).with(Log::Always),
];

/// The calls of one run.
#[derive(Debug, Default, PartialEq)]
struct Calls {
    all: u64,
    syncs: u64,
}

/// Adds these counts.
pub(super) fn count(
    program: &Program,
    only: &str,
    requests: u64,
    cores: Option<Cores>,
    counted: &mut Counted,
) -> Result<()> {
    let wanted = wanted("system calls", &SHAPES, only);
    if wanted.is_empty() {
        return Ok(());
    }
    if on_path("strace").is_none() {
        let words = "system calls: strace is missing (apt-get install strace)";
        counted.skipped.push(words.to_owned());
        return Ok(());
    }
    for (name, shape) in wanted {
        let requests = if shape.clients == 1 {
            requests / 4
        } else {
            requests * shape.pipeline as u64
        };
        let calls = match traced(program, shape, requests, cores) {
            Ok(calls) => calls,
            Err(failure) => return Err(failure.during(&name)),
        };
        let Some(calls) = calls else {
            let words = "system calls: strace may not look at a process here (ptrace is forbidden)";
            counted.skipped.push(words.to_owned());
            return Ok(());
        };
        counted.counts.push(Count {
            name,
            value: calls.all as f64 / requests as f64,
            // How often one client's next request comes before the server has looked for it is
            // a matter of time.
            is_kept: shape.log == Log::Off && shape.clients > 1,
            is_of_compiler: false,
        });
        if shape.log == Log::Always {
            counted.counts.push(Count {
                name: format!("syncs per 1,000 of {}", shape.name),
                value: calls.syncs as f64 * 1e3 / requests as f64,
                is_kept: false,
                is_of_compiler: false,
            });
        }
    }
    Ok(())
}

fn traced(
    program: &Program,
    shape: &Shape,
    requests: u64,
    cores: Option<Cores>,
) -> Result<Option<Calls>> {
    let server = Server::start(program, shape.log, cores)?;
    server.fill(&Template::new(SET), KEYS)?;
    let summary = server.directory().join("strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-q", "-o"]).arg(&summary);
    strace.args(["-p", &server.process().to_string()]);
    strace.stdin(Stdio::null()).stderr(Stdio::null());
    let mut strace = Watcher(strace.spawn()?);
    if !strace.holds(&server)? {
        return Ok(None);
    }
    let mut numbers = Numbers::uniform(KEYS, 1);
    let how = closed::Closed::of(shape.clients, shape.pipeline, requests);
    closed::run(
        server.address,
        &Template::new(shape.request),
        &mut numbers,
        how,
    )?;
    strace.end()?;
    Ok(Some(read(&std::fs::read_to_string(summary)?)?))
}

/// A strace that is gone at the end, whatever happens.
struct Watcher(Child);

impl Watcher {
    /// Waits until all threads of the server are traced. False if it cannot be.
    fn holds(&mut self, server: &Server) -> Result<bool> {
        let began = Instant::now();
        let threads = format!("/proc/{}/task", server.process());
        loop {
            let mut traced = true;
            for thread in std::fs::read_dir(&threads)? {
                let status = std::fs::read_to_string(thread?.path().join("status"))?;
                traced &= !status.contains("TracerPid:\t0\n");
            }
            if traced {
                return Ok(true);
            }
            if self.0.try_wait()?.is_some() {
                return Ok(false);
            }
            if began.elapsed() > ATTACH_TIMEOUT {
                return Err(Failure::new("strace does not take hold of the server"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets the server go, and waits until the summary is written.
    fn end(&mut self) -> Result<()> {
        let process = Pid::from_raw(self.0.id() as i32);
        let process = process.ok_or_else(|| Failure::new("strace has no process"))?;
        kill_process(process, Signal::INT).map_err(std::io::Error::from)?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads the table that strace writes: the fourth column counts the calls of the last.
fn read(summary: &str) -> Result<Calls> {
    let mut calls = Calls::default();
    for line in summary.lines() {
        let columns = line.split_whitespace().collect::<Vec<_>>();
        let (Some(times), Some(name)) = (columns.get(3), columns.last()) else {
            continue;
        };
        let Ok(times) = times.parse::<u64>() else {
            continue;
        };
        if *name == "total" {
            continue;
        }
        calls.all += times;
        if matches!(*name, "fsync" | "fdatasync" | "sync_file_range") {
            calls.syncs += times;
        }
    }
    if calls.all == 0 {
        return Err(Failure::new("strace has counted nothing"));
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_strace_is_read() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.010000           5      2000           epoll_wait
 30.00    0.005000           5      1000        10 recvfrom
 10.00    0.001000         100        10           fdatasync
------ ----------- ----------- --------- --------- ----------------
100.00    0.016000           5      3010        10 total
";
        let calls = Calls {
            all: 3010,
            syncs: 10,
        };
        assert_eq!(read(summary).unwrap(), calls);
        assert!(read("").is_err());
    }
}
