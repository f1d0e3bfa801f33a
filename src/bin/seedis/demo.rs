//! `seedis demo`: a group in one process, for learning, whose leader dies again and again.

#![expect(
    clippy::disallowed_types,
    reason = "the demo stands beside its members, and asks them as a client does"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::Parser;
use tokio::sync::{mpsc, oneshot};
use tokio::task;

use crate::config::Options;
use crate::lines::{self, announce, complain};
use crate::peers::start::{self, PORT_OFFSET};
use crate::signals::{self, Stops};
use crate::{entropy, subcommand};

/// How long a killed member stays away.
const AWAY: Duration = Duration::from_secs(2);

/// Runs a group in one process, for learning: it elects a leader, and elects again when members are
/// killed. Its data is deleted when it ends.
#[derive(Debug, Parser)]
#[command(name = "seedis demo")]
struct Demo {
    /// Number of members.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=7))]
    nodes: u16,
    /// How often the leader is killed, such as 5s or 500ms; 0: never.
    #[arg(long, default_value = "5s", value_parser = duration)]
    kill_every: Duration,
    /// Port of the first member; the others use the ports after it.
    #[arg(long, default_value_t = 6379, value_parser = clap::value_parser!(u16).range(1..=55_000))]
    port: u16,
}

fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("", 1000)];
    let parsed = units.iter().find_map(|(unit, factor)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*factor).map(Duration::from_millis)
    });
    parsed.ok_or_else(|| format!("'{text}' is not a duration such as 5s or 500ms"))
}

/// One member: a thread with a runtime of its own, which ends when it is told to die.
struct Member {
    thread: JoinHandle<()>,
    die: oneshot::Sender<()>,
}

/// Runs until the process is ended.
pub(crate) fn run(words: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let demo: Demo = match subcommand("seedis demo", words) {
        Ok(demo) => demo,
        Err(code) => return code,
    };
    match play(&demo) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn play(demo: &Demo) -> Result<(), String> {
    lines::start_on_output()?;
    let stops = signals::listen()?;
    // Nobody else's, however long ago it was made: it is removed with all that is in it.
    let number = entropy::number().map_err(|error| error.to_string())?;
    let name = format!("seedis-demo-{number:016x}");
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir(&directory)
        .map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    let (failed, failures) = mpsc::unbounded_channel();
    let mut stage = Stage {
        demo,
        directory: &directory,
        members: Vec::new(),
        failed,
    };
    let ended = runtime.block_on(stage.live(stops, failures));
    for member in stage.members {
        let _ = member.die.send(());
        let _ = member.thread.join();
    }
    let removed = std::fs::remove_dir_all(&directory);
    ended?;
    removed.map_err(|error| format!("cannot remove {}: {error}", directory.display()))
}

/// The group's members, and the means to start and kill them.
struct Stage<'a> {
    demo: &'a Demo,
    directory: &'a Path,
    members: Vec<Member>,
    /// The channel by which a member says why it has stopped.
    failed: mpsc::UnboundedSender<String>,
}

impl Stage<'_> {
    /// Goes on until it is told to stop, at whatever moment, or a member cannot go on.
    async fn live(
        &mut self,
        mut stops: Stops,
        mut failures: mpsc::UnboundedReceiver<String>,
    ) -> Result<(), String> {
        tokio::select! {
            ended = self.kill_and_start() => ended,
            () = stops.next() => Ok(()),
            failure = failures.recv() => Err(failure.unwrap_or_default()),
        }
    }

    fn ports(&self, id: u16) -> (u16, u16) {
        let port = self.demo.port + id - 1;
        (port, port + PORT_OFFSET)
    }

    fn begin(&self, id: u16) -> Result<Member, String> {
        let peers: Vec<String> = (1..=self.demo.nodes)
            .map(|id| format!("{id}=127.0.0.1:{}", self.ports(id).1))
            .collect();
        let (port, failed) = (self.ports(id).0, self.failed.clone());
        Member::start(id, port, &peers.join(","), self.directory, failed)
    }

    async fn kill_and_start(&mut self) -> Result<(), String> {
        let Demo { nodes, port, .. } = *self.demo;
        announce(&format!(
            "\n  {nodes} members, clients on {port} to {}\n  \
             next       redis-cli -c -p {port} set greeting hello\n  \
             end        Ctrl-C\n",
            self.ports(nodes).0,
        ));
        for id in 1..=nodes {
            let member = self.begin(id)?;
            self.members.push(member);
        }
        let every = self.demo.kill_every;
        if every.is_zero() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(every).await;
            let Some(leader) = (1..=nodes).find(|id| leads(self.ports(*id).0)) else {
                continue;
            };
            let place = usize::from(leader - 1);
            tracing::warn!("member {leader} leads and is killed");
            let victim = self.members.remove(place);
            let _ = victim.die.send(());
            let _ = victim.thread.join();
            tokio::time::sleep(AWAY).await;
            tracing::warn!("member {leader} starts again");
            let member = self.begin(leader)?;
            self.members.insert(place, member);
        }
    }
}

/// Returns true if the member with this port for clients says that it leads.
fn leads(port: u16) -> bool {
    use std::io::{Read, Write};
    let ask = || -> std::io::Result<bool> {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        stream.write_all(b"ROLE\r\n")?;
        let mut answer = [0; 20];
        let count = stream.read(&mut answer)?;
        Ok(answer[..count].windows(6).any(|part| part == b"master"))
    };
    ask().unwrap_or(false)
}

impl Member {
    fn start(
        id: u16,
        port: u16,
        peers: &str,
        directory: &Path,
        failed: mpsc::UnboundedSender<String>,
    ) -> Result<Self, String> {
        let own: PathBuf = directory.join(id.to_string());
        let words = [
            "seedis",
            "--id",
            &id.to_string(),
            "--port",
            &port.to_string(),
        ];
        let words = words.into_iter().chain(["--peers", peers, "--dir"]);
        let words = words.map(std::ffi::OsString::from).chain([own.into()]);
        let options = Options::of(words)?;
        let plan = start::plan(&options)?;
        let (die, dies) = oneshot::channel();
        let live = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = failed.send(format!("cannot start the runtime: {error}"));
                    return;
                }
            };
            let span = tracing::info_span!("", member = id);
            let _entered = span.enter();
            let local = task::LocalSet::new();
            local.block_on(&runtime, async {
                tokio::select! {
                    ended = crate::serve(&options, plan, None) => {
                        if let Err(error) = ended {
                            tracing::error!("{error}");
                            let _ = failed.send(format!("member {id} stopped: {error}"));
                        }
                    }
                    _ = dies => {}
                }
            });
        };
        let thread = thread::Builder::new()
            .name(format!("member {id}"))
            .spawn(live);
        let thread = thread.map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Self { thread, die })
    }
}
