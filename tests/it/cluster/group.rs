//! A group of processes, and a client that finds its leader.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::full_disk::Mount;
use crate::process::{Client, Directory, Server, free_port};

/// The options with which every member is started, the first time and again.
const ALWAYS: [&str; 2] = ["--enable-debug-command", "yes"];
/// The options by which a plain client can talk to any member.
pub(super) const PROXY: [&str; 2] = ["--follower-proxy", "yes"];
/// The variable by which a debug build is told which versions of entries it knows.
const ENTRY_VERSION: &str = "ENTRY_VERSION_FOR_TESTS";
/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// To which of these ports a reply sends its client.
pub(super) fn moved_to(reply: &str, ports: &[u16]) -> Option<usize> {
    let (_, port) = reply.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    ports.iter().position(|own| *own == port)
}

/// One member, running or not.
struct Member {
    /// It goes before the file system on which it writes, and that before the directory.
    server: Option<Server>,
    disk: Option<Mount>,
    directory: Directory,
    port: u16,
    cluster_port: u16,
    options: Vec<String>,
    /// The options when it is started again.
    again: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

/// The machines that members are started on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Machines {
    /// This one's disk and clock.
    Plain,
    /// Each has a disk of its own that can be filled, and a clock of its own that can be turned,
    /// where this machine can do that.
    Fragile {
        /// How large the disk is.
        mib: u32,
    },
}

/// The library that turns a process's clock (Debian's libfaketime).
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// Members of one group, by their places from 0 on.
pub(super) struct Group {
    name: String,
    members: Vec<Member>,
    always: Vec<&'static str>,
    machines: Machines,
}

impl Member {
    /// The file that says what its clock shows: beside its directory, which may be full.
    fn clock(&self) -> PathBuf {
        self.directory.path().with_extension("clock")
    }

    /// The file for its log lines, beside its directory too; it is kept when the test fails.
    fn log(&self) -> PathBuf {
        self.directory.path().with_extension("log")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.clock());
        if !std::thread::panicking() {
            let _ = std::fs::remove_file(self.log());
        }
    }
}

impl Group {
    /// A group of that many founders, which has a leader.
    pub(super) fn form(name: &str, members: usize) -> Self {
        Self::form_always(name, members, &[])
    }

    /// The same, with options of its own.
    pub(super) fn form_always(name: &str, members: usize, always: &[&'static str]) -> Self {
        Self::form_on(Machines::Plain, name, members, always)
    }

    /// The same, on machines of one kind.
    pub(super) fn form_on(
        machines: Machines,
        name: &str,
        members: usize,
        always: &[&'static str],
    ) -> Self {
        let ports: Vec<u16> = (0..members).map(|_| free_port()).collect();
        let address = |(at, port): (usize, &u16)| format!("{}=127.0.0.1:{port}", at + 1);
        let peers: Vec<String> = ports.iter().enumerate().map(address).collect();
        let peers = peers.join(",");
        Self::form_with(name, &ports, always, machines, |_| peers.clone())
    }

    /// The same, where each member has a list of peers of its own.
    pub(super) fn form_with(
        name: &str,
        ports: &[u16],
        always: &[&'static str],
        machines: Machines,
        peers: impl Fn(usize) -> String,
    ) -> Self {
        let mut group = Self::empty(name, always);
        group.machines = machines;
        for (at, port) in ports.iter().enumerate() {
            let id = (at + 1).to_string();
            let options = ["--id", &id, "--peers", &peers(at)].map(str::to_owned);
            group.add(*port, options.to_vec());
        }
        group.leader();
        group
    }

    fn empty(name: &str, always: &[&'static str]) -> Self {
        Self {
            name: name.to_owned(),
            members: Vec::new(),
            always: ALWAYS.iter().chain(always).copied().collect(),
            machines: Machines::Plain,
        }
    }

    /// A server of its own that others may join.
    pub(super) fn alone(name: &str) -> Self {
        Self::alone_in(name, Directory::new(name))
    }

    /// The same, on a directory that has data already.
    pub(super) fn alone_in(name: &str, directory: Directory) -> Self {
        let mut group = Self::empty(name, &[]);
        let port = free_port();
        let options = vec!["--cluster-port".into(), port.to_string()];
        group.add_in(directory, port, options);
        group.leader();
        group
    }

    /// Starts somebody new, who knocks at a member's door; the place of the newcomer.
    pub(super) fn join(&mut self, at: usize) -> usize {
        let door = self.door(at);
        self.join_at(&door)
    }

    /// The same, at an address.
    pub(super) fn join_at(&mut self, door: &str) -> usize {
        let port = free_port();
        let options = ["--join", door, "--cluster-port", &port.to_string()];
        self.add(port, options.map(str::to_owned).to_vec())
    }

    fn add(&mut self, cluster_port: u16, options: Vec<String>) -> usize {
        let directory = Directory::new(&format!("{}-{}", self.name, self.members.len()));
        self.add_in(directory, cluster_port, options)
    }

    fn add_in(&mut self, directory: Directory, cluster_port: u16, options: Vec<String>) -> usize {
        let place = self.members.len();
        let mut member = Member {
            server: None,
            disk: None,
            directory,
            port: free_port(),
            cluster_port,
            options,
            again: Vec::new(),
            environment: Vec::new(),
        };
        if let Machines::Fragile { mib } = self.machines {
            member.disk = Mount::new(member.directory.path(), mib);
            if Path::new(FAKETIME).exists() {
                let clock = member.clock();
                std::fs::write(&clock, "+0").expect("a file for the clock");
                member.environment = vec![
                    ("LD_PRELOAD", FAKETIME.into()),
                    ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
                    ("FAKETIME_CACHE_DURATION", "1".into()),
                    ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
                ];
            }
        }
        self.members.push(member);
        let options = self.members[place].options.clone();
        self.spawn(place, &options);
        place
    }

    fn spawn(&mut self, at: usize, options: &[String]) {
        let member = &mut self.members[at];
        let options = options.iter().map(String::as_str);
        let mut options: Vec<&str> = options.chain(self.always.iter().copied()).collect();
        let log = member.log().display().to_string();
        if self.machines != Machines::Plain {
            options.extend(["--logfile", &log]);
        }
        let Member {
            environment,
            directory,
            port,
            ..
        } = &*member;
        let server = Server::spawn_within(environment, directory.path(), *port, &options);
        member.server = Some(server);
    }

    /// Starts a member again, from its directory.
    pub(super) fn start(&mut self, at: usize) {
        let again = self.members[at].again.clone();
        self.spawn(at, &again);
    }

    /// Sets the options of a member for whenever it is started again.
    pub(super) fn tell_again(&mut self, at: usize, options: &[&str]) {
        self.members[at].again = options.iter().copied().map(str::to_owned).collect();
    }

    /// From its next start on a member is of a binary that knows versions of entries up to this.
    pub(super) fn install(&mut self, at: usize, newest: u8) {
        let environment = &mut self.members[at].environment;
        environment.retain(|(name, _)| *name != ENTRY_VERSION);
        environment.push((ENTRY_VERSION, newest.to_string()));
    }

    /// The member of that number is removed.
    pub(super) fn remove(&self, id: &str) {
        self.wait_until("it is removed", |group| {
            let nodes = group.ask(&["RAFT", "NODES"]);
            let is_member = |line: &str| line.starts_with(&format!("{id} "));
            let is_gone = !nodes.lines().any(is_member);
            if !is_gone {
                // Where another leads meanwhile, or a change is not over, it is said again.
                let mut leader = group.client(group.leader());
                if let Ok(answer) = leader.try_ask(&["RAFT", "REMOVE", id]) {
                    let again = ["-MOVED ", "-CLUSTERDOWN ", "-TRYAGAIN ", "-UNCERTAIN "];
                    let is_said_again = again.iter().any(|code| answer.starts_with(code));
                    assert!(answer == "+OK" || is_said_again, "{answer}");
                }
            }
            is_gone
        });
    }

    /// A member's disk is lost: it is removed, and somebody new comes in its place, under its
    /// number.
    pub(super) fn replace(&mut self, at: usize) {
        let mut id = None;
        // One that was started just now does not listen yet.
        self.wait_until("it says its number", |group| {
            id = group.info(at, "id");
            id.is_some()
        });
        let id = id.unwrap_or_default();
        self.kill(at);
        self.remove(&id);
        for entry in std::fs::read_dir(self.directory(at).path()).expect("its directory") {
            let path = entry.expect("a file").path();
            std::fs::remove_file(path).expect("a file that nobody needs");
        }
        let door = self.door(self.leader());
        let port = self.members[at].cluster_port.to_string();
        let options = ["--join", &door, "--cluster-port", &port, "--id", &id];
        self.spawn(at, &options.map(str::to_owned));
        self.wait_for_voters(self.len());
    }

    /// Returns true if members have disks of their own.
    pub(super) fn has_disks(&self) -> bool {
        self.members.iter().all(|member| member.disk.is_some())
    }

    /// Fills a member's disk to the last byte; nothing where it has none of its own.
    pub(super) fn fill_disk(&self, at: usize) -> Option<PathBuf> {
        self.members[at].disk.as_ref()?;
        let ballast = self.directory(at).path().join("ballast");
        let mut file = std::fs::File::create(&ballast).ok()?;
        let piece = vec![1; 1 << 20];
        while file.write_all(&piece).is_ok() {}
        Some(ballast)
    }

    /// Turns a member's wall clock to so many seconds before or after the true time; false where it
    /// has none of its own.
    pub(super) fn turn_clock(&self, at: usize, seconds: i64) -> bool {
        let member = &self.members[at];
        let has_clock = !member.environment.is_empty();
        if has_clock {
            std::fs::write(member.clock(), format!("{seconds:+}")).expect("its clock");
        }
        has_clock
    }

    pub(super) fn kill(&mut self, at: usize) {
        if let Some(server) = self.members[at].server.take() {
            server.kill();
        }
    }

    /// Asks a member to stop in good order; its exit code.
    pub(super) fn stop(&mut self, at: usize) -> Option<i32> {
        let server = self.members[at].server.take()?;
        server.signal("TERM");
        server.wait()
    }

    /// Waits until a member has ended by itself; its exit code.
    pub(super) fn wait(&mut self, at: usize) -> Option<i32> {
        self.members[at].server.take()?.wait()
    }

    pub(super) fn signal(&self, at: usize, signal: &str) {
        if let Some(server) = &self.members[at].server {
            server.signal(signal);
        }
    }

    /// From its next start on a member's log goes where `log` finds it.
    pub(super) fn log_again(&mut self, at: usize) {
        let log = self.members[at].log().display().to_string();
        self.tell_again(at, &["--logfile", &log]);
    }

    /// The log lines of a member.
    pub(super) fn log(&self, at: usize) -> String {
        std::fs::read_to_string(self.members[at].log()).unwrap_or_default()
    }

    /// Returns true if the process of a member is running.
    pub(super) fn is_running(&self, at: usize) -> bool {
        self.members[at].server.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn port(&self, at: usize) -> u16 {
        self.members[at].port
    }

    pub(super) fn cluster_port(&self, at: usize) -> u16 {
        self.members[at].cluster_port
    }

    /// The resident memory of a running member, in KiB.
    pub(super) fn resident_kib(&self, at: usize) -> u64 {
        let pid = self.members[at].server.as_ref().map_or(0, Server::pid);
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
        kib.unwrap_or_default()
    }

    /// The address at which other members reach one.
    pub(super) fn door(&self, at: usize) -> String {
        format!("127.0.0.1:{}", self.members[at].cluster_port)
    }

    pub(super) fn directory(&self, at: usize) -> &Directory {
        &self.members[at].directory
    }

    /// A client of one member, which takes clients within a moment.
    pub(super) fn client(&self, at: usize) -> Client {
        let begun = Instant::now();
        loop {
            match Client::try_connect(self.port(at)) {
                Ok(client) => return client,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "member {at}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A field of RAFT INFO, where the member answers.
    pub(super) fn info(&self, at: usize, field: &str) -> Option<String> {
        let mut client = Client::try_connect(self.members[at].server.as_ref()?.port).ok()?;
        let text = client.try_ask(&["RAFT", "INFO"]).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|rest| rest.strip_prefix(':'))
            .map(str::to_owned)
    }

    /// A digest of a member's state, where the member answers.
    pub(super) fn digest(&self, at: usize) -> Option<String> {
        let mut client = Client::try_connect(self.members[at].server.as_ref()?.port).ok()?;
        let answer = client.try_ask(&["DEBUG", "DIGEST"]).ok()?;
        answer.starts_with('+').then_some(answer)
    }

    /// The leader.
    pub(super) fn leader(&self) -> usize {
        let mut leader = 0;
        self.wait_until("somebody leads", |group| {
            let leads = |at: &usize| {
                let mut client = Client::try_connect(group.port(*at)).ok()?;
                client
                    .try_ask(&["DBSIZE"])
                    .ok()
                    .filter(|reply| reply.starts_with(':'))
            };
            let found = (0..group.len()).find(|at| group.is_running(*at) && leads(at).is_some());
            leader = found.unwrap_or_default();
            found.is_some()
        });
        leader
    }

    /// Asks whoever leads, until it answers.
    pub(super) fn ask(&self, words: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let reply = self.client(self.leader()).try_ask(words);
            let passes = ["-MOVED", "-CLUSTERDOWN", "-TRYAGAIN", "-LOADING"];
            match reply {
                Ok(reply) if !passes.iter().any(|word| reply.starts_with(word)) => return reply,
                _ => assert!(
                    begun.elapsed() < PATIENCE,
                    "{words:?}: {reply:?}\n{}",
                    self.portrait()
                ),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn wait_for_voters(&self, count: usize) {
        let begun = Instant::now();
        loop {
            let nodes = self.ask(&["RAFT", "NODES"]);
            let members = nodes.lines().filter(|line| !line.is_empty());
            let votes = |line: &str| line.contains(" voter ") || line.contains(" leader ");
            if members.clone().count() == count && members.clone().all(votes) {
                return;
            }
            let waited = begun.elapsed();
            assert!(
                waited < PATIENCE,
                "{count} members do not vote:\n{nodes}\n{}",
                self.portrait()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn wait_until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(
                begun.elapsed() < PATIENCE,
                "not within 30 s: {what}\n{}",
                self.portrait()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The words of every member about itself and the others, and the content of its directory: for
    /// people who ask why something has not come about.
    fn portrait(&self) -> String {
        let members = (0..self.len()).map(|at| {
            let asked = [
                &["RAFT", "INFO"][..],
                &["RAFT", "NODES"],
                &["INFO", "persistence"],
            ];
            let said = asked.map(|words| self.says(at, words));
            let files = self.files(at);
            let log = self.members[at].log();
            let log = log.display();
            format!("member {at}, log {log}:\n{}\n{files}", said.join("\n"))
        });
        members.collect::<Vec<_>>().join("\n\n")
    }

    /// A member's answer, or why there is none.
    pub(super) fn says(&self, at: usize, words: &[&str]) -> String {
        if !self.is_running(at) {
            return "it does not run".into();
        }
        let asked = Client::try_connect(self.port(at)).and_then(|mut client| {
            client.set_patience(Duration::from_secs(1));
            client.try_ask(words)
        });
        asked.unwrap_or_else(|error| format!("{words:?}: {error}"))
    }

    /// The names and sizes of the files in a member's directory.
    fn files(&self, at: usize) -> String {
        let entries = std::fs::read_dir(self.directory(at).path());
        let entries = entries.into_iter().flatten().flatten();
        let described = entries.map(|entry| {
            let bytes = entry.metadata().map_or(0, |data| data.len());
            format!("{} {bytes}", entry.file_name().display())
        });
        described.collect::<Vec<_>>().join(", ")
    }
}
