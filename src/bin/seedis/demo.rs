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
use tokio::sync::oneshot;
use tokio::task;

use crate::config::Options;
use crate::peers::start::{self, PORT_OFFSET};
use crate::{complain, say, subcommand};

/// How long a killed member stays away.
const AWAY: Duration = Duration::from_secs(2);

/// A group in one process, for learning: it elects, its members die, it goes on. Its data are gone
/// when it ends.
#[derive(Debug, Parser)]
#[command(name = "seedis demo")]
struct Demo {
    /// How many members.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=7))]
    nodes: u16,
    /// Let the member that leads die so often, such as 5s or 500ms; 0: never.
    #[arg(long, default_value = "5s", value_parser = duration)]
    kill_every: Duration,
    /// The first member's port; the others' follow.
    #[arg(long, default_value_t = 6379, value_parser = clap::value_parser!(u16).range(1..=55_000))]
    port: u16,
}

fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("", 1000)];
    let parsed = units.iter().find_map(|(unit, factor)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*factor).map(Duration::from_millis)
    });
    parsed.ok_or_else(|| format!("'{text}' is no time such as 5s"))
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
    let directory = std::env::temp_dir().join(format!("seedis-demo-{}", std::process::id()));
    let ports = |id: u16| (demo.port + id - 1, demo.port + id - 1 + PORT_OFFSET);
    let peers: Vec<String> = (1..=demo.nodes)
        .map(|id| format!("{id}=127.0.0.1:{}", ports(id).1))
        .collect();
    let begin = |id: u16| Member::start(id, ports(id).0, &peers.join(","), &directory);
    say(&format!(
        "\n  {} members, clients on {} to {}\n  \
         next       redis-cli -c -p {} set greeting hello\n  \
         end        Ctrl-C\n",
        demo.nodes,
        demo.port,
        ports(demo.nodes).0,
        demo.port
    ));
    tracing_subscriber::fmt().with_target(false).init();
    let mut members: Vec<Member> = (1..=demo.nodes).map(begin).collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    let rests = |length: Duration| {
        runtime.block_on(async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => false,
                () = tokio::time::sleep(length) => true,
            }
        })
    };
    let never = demo.kill_every.is_zero();
    let pause = if never {
        Duration::MAX
    } else {
        demo.kill_every
    };
    while rests(pause) {
        let leader = (1..=demo.nodes).find(|id| leads(ports(*id).0));
        let Some(leader) = leader else {
            continue;
        };
        let place = usize::from(leader - 1);
        tracing::warn!("member {leader} leads and is killed");
        let victim = members.remove(place);
        let _ = victim.die.send(());
        let _ = victim.thread.join();
        let goes_on = rests(AWAY);
        if !goes_on {
            break;
        }
        tracing::warn!("member {leader} starts again");
        members.insert(place, begin(leader)?);
    }
    for member in members {
        let _ = member.die.send(());
        let _ = member.thread.join();
    }
    std::fs::remove_dir_all(&directory)
        .map_err(|error| format!("cannot remove {}: {error}", directory.display()))
}

/// Whether the member whose clients come to this port says that it leads.
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
    fn start(id: u16, port: u16, peers: &str, directory: &Path) -> Result<Self, String> {
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
        let options = Options::read(words).map_err(|error| error.to_string())?;
        let plan = start::plan(&options)?;
        let (die, dies) = oneshot::channel();
        let live = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else {
                return;
            };
            let span = tracing::info_span!("", member = id);
            let _entered = span.enter();
            let local = task::LocalSet::new();
            local.block_on(&runtime, async {
                tokio::select! {
                    ended = crate::serve(&options, plan, false) => {
                        if let Err(error) = ended {
                            tracing::error!("{error}");
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
