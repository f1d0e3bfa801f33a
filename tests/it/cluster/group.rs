//! A group of processes, and a client that finds its leader.

use std::time::{Duration, Instant};

use crate::process::{Client, Directory, Server, free_port};

/// What every member is started with, the first time and again.
const ALWAYS: [&str; 2] = ["--enable-debug-command", "yes"];
/// What lets a plain client talk to any member.
pub(super) const PROXY: [&str; 2] = ["--follower-proxy", "yes"];
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
    directory: Directory,
    port: u16,
    cluster_port: u16,
    options: Vec<String>,
    server: Option<Server>,
}

/// Members of one group, by their places from 0 on.
pub(super) struct Group {
    name: String,
    members: Vec<Member>,
    always: Vec<&'static str>,
}

impl Group {
    /// A group of that many founders, which has a leader.
    pub(super) fn form(name: &str, members: usize) -> Self {
        Self::form_always(name, members, &[])
    }

    /// The same, with options of its own.
    pub(super) fn form_always(name: &str, members: usize, always: &[&'static str]) -> Self {
        let ports: Vec<u16> = (0..members).map(|_| free_port()).collect();
        let address = |(at, port): (usize, &u16)| format!("{}=127.0.0.1:{port}", at + 1);
        let peers: Vec<String> = ports.iter().enumerate().map(address).collect();
        let peers = peers.join(",");
        Self::form_with(name, &ports, always, |_| peers.clone())
    }

    /// The same, where each member has a list of peers of its own.
    pub(super) fn form_with(
        name: &str,
        ports: &[u16],
        always: &[&'static str],
        peers: impl Fn(usize) -> String,
    ) -> Self {
        let mut group = Self::empty(name, always);
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
        let port = free_port();
        let options = [
            "--join",
            &self.door(at),
            "--cluster-port",
            &port.to_string(),
        ];
        self.add(port, options.map(str::to_owned).to_vec())
    }

    fn add(&mut self, cluster_port: u16, options: Vec<String>) -> usize {
        let directory = Directory::new(&format!("{}-{}", self.name, self.members.len()));
        self.add_in(directory, cluster_port, options)
    }

    fn add_in(&mut self, directory: Directory, cluster_port: u16, options: Vec<String>) -> usize {
        let place = self.members.len();
        self.members.push(Member {
            directory,
            port: free_port(),
            cluster_port,
            options,
            server: None,
        });
        let member = &mut self.members[place];
        let first = member.options.iter().map(String::as_str);
        let options: Vec<&str> = first.chain(self.always.iter().copied()).collect();
        let server = Server::spawn(member.directory.path(), member.port, &options);
        member.server = Some(server);
        place
    }

    /// Starts a member again, from its directory.
    pub(super) fn start(&mut self, at: usize) {
        let member = &mut self.members[at];
        member.server = Some(Server::spawn(
            member.directory.path(),
            member.port,
            &self.always,
        ));
    }

    pub(super) fn kill(&mut self, at: usize) {
        if let Some(server) = self.members[at].server.take() {
            server.kill();
        }
    }

    pub(super) fn signal(&self, at: usize, signal: &str) {
        if let Some(server) = &self.members[at].server {
            server.signal(signal);
        }
    }

    pub(super) fn is_running(&self, at: usize) -> bool {
        self.members[at].server.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn port(&self, at: usize) -> u16 {
        self.members[at].port
    }

    /// Where other members reach one.
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

    /// Who leads.
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
                _ => assert!(begun.elapsed() < PATIENCE, "{words:?}: {reply:?}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn wait_for_voters(&self, count: usize) {
        self.wait_until(&format!("{count} members vote"), |group| {
            let nodes = group.ask(&["RAFT", "NODES"]);
            let votes = |line: &&str| line.contains(" voter ") || line.contains(" leader ");
            let members = nodes.lines().filter(|line| !line.is_empty());
            let members: Vec<&str> = members.collect();
            members.len() == count && members.iter().all(votes)
        });
    }

    pub(super) fn wait_until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "not within 30 s: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
