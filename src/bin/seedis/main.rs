//! The shell: the only code that meets the machine.

mod allocator;
mod background;
mod backup;
mod check;
mod clock;
mod config;
mod configuration;
mod demo;
mod descriptors;
mod disk;
mod entropy;
mod fault;
mod lines;
mod listener;
mod lock;
mod manager;
mod peers;
mod places;
mod proxy;
mod replace;
mod sample;
mod serve;
mod signals;
mod stream;
mod versions;

use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use seedis::node::Node;
use seedis::node::config::{Config, Process};
use seedis::node::input::Input;
use tokio::task;

use clock::Clock;
use config::{Asked, Options};
use configuration::Configuration;
use disk::Disk;
use lines::{announce, complain, say};
use manager::Manager;
use peers::beat;
use peers::start::{self, Plan};
use serve::Server;
use signals::Stops;

/// The exit code of a server that cannot go on.
const EXIT_FAILURE: i32 = 1;
/// The exit code for a configuration that cannot be.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    allocator::fit(0);
    fault::is_the_end();
    let code = begin();
    lines::finish();
    code
}

fn begin() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next().as_deref().and_then(std::ffi::OsStr::to_str) {
        Some("backup") => return backup::run(words),
        Some("restore") => return backup::run_restore(words),
        Some("check") => return check::run(words),
        Some("demo") => return demo::run(words),
        Some(word) if is_no_subcommand(word) => {
            complain(&format!(
                "there is no subcommand '{word}', and no configuration file of that name; the \
                 subcommands are backup, restore, check and demo"
            ));
            return ExitCode::from(EXIT_USAGE);
        }
        _ => {}
    }
    let options = match Asked::read(std::env::args_os(), std::env::vars_os()) {
        Ok(Asked::Serve(options)) => options,
        Ok(Asked::Help) => {
            say(config::help().trim_end());
            return ExitCode::SUCCESS;
        }
        Ok(Asked::Version) => {
            say(&format!(
                "Redis server v={} sha=00000000:0 malloc=mimalloc bits=64 build=seedis\nSeedis {}",
                seedis::node::REDIS_VERSION,
                env!("CARGO_PKG_VERSION")
            ));
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            complain(&error);
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let plan = match start::plan(&options) {
        Ok(plan) => plan,
        Err(error) => {
            complain(&error);
            return ExitCode::from(EXIT_USAGE);
        }
    };
    if background::is_wanted(&options) {
        return match background::leave(&options) {
            Ok(code) => code,
            Err(error) => {
                complain(&error);
                ExitCode::FAILURE
            }
        };
    }
    background::settle();
    match run(&options, plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Returns true if a first word looks like a subcommand, and is neither one nor a file.
fn is_no_subcommand(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.bytes().all(is_letter)
        && !Path::new(word).exists()
}

/// Tells what is wrong with the options, or what was asked for about them; the exit code.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if !error.use_stderr() {
        say(text.trim_end());
        return ExitCode::SUCCESS;
    }
    complain(text.trim_start_matches("error: ").trim_end());
    ExitCode::from(EXIT_USAGE)
}

/// The options of a subcommand, from the words behind it; otherwise the exit code.
fn subcommand<T: clap::Parser>(
    name: &'static str,
    words: impl Iterator<Item = std::ffi::OsString>,
) -> Result<T, ExitCode> {
    let name = std::ffi::OsString::from(name);
    T::try_parse_from([name].into_iter().chain(words)).map_err(|error| usage(&error))
}

fn run(options: &Options, plan: Plan) -> Result<(), String> {
    lines::start(options)?;
    for warning in &options.warnings {
        tracing::warn!("{warning}");
    }
    let mut stops = signals::listen()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(beat::loop_sleeps)
        .on_thread_unpark(beat::loop_wakes)
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    let local = task::LocalSet::new();
    local.block_on(&runtime, serve(options, plan, Some(&mut stops)))
}

/// Serves until it is told to stop, or cannot go on. One of several servers of a process is told by
/// nobody, and says nothing on standard output.
async fn serve(options: &Options, plan: Plan, mut stops: Option<&mut Stops>) -> Result<(), String> {
    let clock = Clock::start();
    let mut config = complete(options.node(), options).map_err(|error| error.to_string())?;
    config.entry_versions = versions::known();
    let is_member = !matches!(plan, Plan::Alone);
    config.clients_limit = descriptors::for_clients(options, config.clients_max, is_member)?;
    config.clients_max = config.clients_max.min(config.clients_limit);
    let manager = match stops {
        Some(_) => Manager::find(options.supervised),
        None => Manager::default(),
    };
    let manager = Rc::new(manager);
    task::spawn_local(Rc::clone(&manager).keep_alive());
    task::spawn_local(allocator::give_back());
    let (done, outcomes) = tokio::sync::mpsc::unbounded_channel();
    let dir = options.dir.display();
    let disk = if config.append_only {
        let delay = Duration::from_micros(options.debug_sync_delay_us);
        let opened = Disk::open(&options.dir, done, delay).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => {
                format!("the data directory {dir} is in use by another server (its lock is held)")
            }
            _ => format!("cannot open the data directory {dir}: {error}"),
        })?;
        Some(opened)
    } else {
        None
    };
    let peers = match plan {
        Plan::Alone => None,
        Plan::Member(roster, secret) => tokio::select! {
            entered = start::enter(options, roster, secret, &mut config) => Some(entered?),
            () = next(&mut stops) => return Ok(()),
            () = manager.has_patience() => None,
        },
    };
    let mut listeners = Vec::new();
    if options.port != 0 {
        for address in &options.bind {
            let listening = listener::listen(address, options.port);
            listeners.append(&mut listening.map_err(|error| error.to_string())?);
        }
    }
    let unix = match &options.unixsocket {
        None => None,
        Some(path) => {
            let listening = listener::listen_unix(path, options.unixsocketperm);
            let path = path.display().to_string();
            let failed = |error| format!("cannot listen on the Unix socket {path}: {error}");
            Some((listening.map_err(failed)?, path.clone()))
        }
    };
    if listeners.is_empty() && unix.is_none() {
        return Err("there is nothing to listen on: this machine has none of the addresses".into());
    }
    if stops.is_some() {
        announce(&format!(" PID: {}", std::process::id()));
        banner(options, &listeners);
    }
    let _pid_file = options.pidfile.as_deref().map(background::PidFile::write);
    background::is_ready();
    let (rewritten, rewrites) = tokio::sync::mpsc::unbounded_channel();
    let configuration = Configuration::new(options.config_file.clone(), rewritten)
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    let node = Node::new(config, clock.now());
    let server = Server::new(
        node,
        disk,
        configuration,
        clock,
        peers.clone(),
        Rc::clone(&manager),
    );
    if let Some(peers) = peers {
        peers.serve(&server);
    }
    task::spawn_local(Rc::clone(&server).flusher());
    task::spawn_local(Rc::clone(&server).disk_outcomes(outcomes));
    task::spawn_local(sample::watch(Rc::clone(&server)));
    task::spawn_local(Rc::clone(&server).configuration_outcomes(rewrites));
    let keepalive_s = listener::keepalive_s(options.tcp_keepalive);
    for listener in listeners {
        task::spawn_local(listener::accept(Rc::clone(&server), listener, keepalive_s));
    }
    if let Some((listener, path)) = unix {
        task::spawn_local(listener::accept_unix(Rc::clone(&server), listener, path));
    }
    loop {
        tokio::select! {
            () = next(&mut stops) => {
                manager.stopping();
                server.tell(Input::Stop);
            }
            () = server.stopped.notified() => break,
        }
    }
    if let Some(path) = &options.unixsocket {
        let _ = std::fs::remove_file(path);
    }
    server.failure().map_or(Ok(()), Err)
}

/// Ends when the process is told to stop.
async fn next(stops: &mut Option<&mut Stops>) {
    match stops {
        Some(stops) => stops.next().await,
        None => std::future::pending().await,
    }
}

/// Adds what only the machine knows: random numbers, and the figures of the process for INFO.
fn complete(config: Config, options: &Options) -> std::io::Result<Config> {
    let text = |path: &Path| path.display().to_string();
    let absolute =
        |path: &Path| std::path::absolute(path).map_or_else(|_| text(path), |path| text(&path));
    Ok(Config {
        seed: entropy::number()?,
        hash_seed: entropy::secret()?,
        process: Process {
            port: options.port,
            cluster_port: 0,
            has_voted: false,
            was_removed: false,
            pid: std::process::id(),
            os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            executable: std::env::current_exe()
                .map(|path| text(&path))
                .unwrap_or_default(),
            config_file: options
                .config_file
                .as_deref()
                .map(absolute)
                .unwrap_or_default(),
            dir: absolute(&options.dir),
            bind: options.bind.join(" "),
            run_id: format!(
                "{:032x}{:08x}",
                entropy::secret()?,
                entropy::number()? as u32
            ),
        },
        ..config
    })
}

fn banner(options: &Options, listeners: &[tokio::net::TcpListener]) {
    let addresses: Vec<String> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .map(|address| address.to_string())
        .collect();
    let data = if options.appendonly.is_on() {
        std::path::absolute(&options.dir)
            .unwrap_or_else(|_| options.dir.clone())
            .display()
            .to_string()
    } else {
        "in memory only".into()
    };
    announce(&format!(
        "\n  Seedis {}, compatible with Redis {}\n  listening  {}\n  data       {data}\n  \
         next       redis-cli -p {} ping\n",
        env!("CARGO_PKG_VERSION"),
        seedis::node::REDIS_VERSION,
        addresses.join(", "),
        options.port,
    ));
}
