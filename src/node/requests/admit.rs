//! The decision whether a request may be run, and by whom.

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::flag::Flag;
use crate::command::row::{Kind, Row};
use crate::command::scripting::run::ScriptBounds;
use crate::command::table;
use crate::command::verb::{ClientVerb, ServerVerb, SessionVerb};
use crate::node::clients::Paused;
use crate::node::requests::evicting::choice;
use crate::node::requests::lookup::{
    is_for_listeners, is_transaction_verb, needs_leader, row_of, unknown_command,
};
use crate::node::requests::outcome::Trouble;
use crate::node::{Node, Phase};
use crate::resp::reply::Reply;
use crate::session::Session;

/// The fate of a request that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It was run, queued, parked or proposed.
    Done,
    /// Nothing was done: it is looked at again when a pause is over, if its client is still there.
    Postponed,
}

impl Node {
    /// Decides whether a request may be run, and by whom. `found` is the row of its name.
    pub(super) fn admit(
        &mut self,
        slot: u32,
        found: Option<&'static Row>,
        args: Args<'_>,
    ) -> Result<Admitted, Trouble> {
        let Some(row) = found.filter(|row| !self.config.takes_away(row.name)) else {
            return Err(unknown_command(args).into());
        };
        let row = table::called(row, args)?;
        let Some(session) = self.clients.get_mut(slot) else {
            return Ok(Admitted::Done);
        };
        session.last_command = Some(row);
        let is_refused = if !row.takes(args.len()) {
            Some(Error::arity(row.name))
        } else if !session.authenticated && !row.has(Flag::NoAuth) {
            Some(Error::NO_AUTH)
        } else {
            None
        };
        let is_exec = matches!(row.kind, Kind::Session(SessionVerb::Exec));
        if let Some(error) = is_refused {
            if is_exec {
                self.abandon_transaction(slot);
                return Err(error.aborts_exec().into());
            }
            return Err(error.into());
        }
        let in_transaction = session.transaction.is_some();
        let client = Some((slot, session.conn));
        let (proposed, db) = (session.proposed, session.db);
        if session.only_listens() && !is_for_listeners(row) {
            let error = Error::only_listens(row.name);
            if is_exec {
                self.abandon_transaction(slot);
                return Err(error.aborts_exec().into());
            }
            return Err(error.into());
        }
        self.may_debug(row)?;
        if self.phase != Phase::Serving && !row.has(Flag::Loading) {
            return Err(Error::LOADING.into());
        }
        if !self.serves() && needs_leader(row) && !self.is_done_here(slot, row) {
            if is_exec {
                self.abandon_transaction(slot);
            }
            return Err(self.elsewhere(Some(row), args).into());
        }
        if row.is_write()
            && let Some(why) = self.refuses_writes()
        {
            return Err(Error::log_refuses(why).into());
        }
        // As in Redis a queue takes memory whatever stands in it.
        let queues = in_transaction && !is_transaction_verb(row);
        if self.is_out_of_memory() && (queues || row.has(Flag::DenyOom)) {
            return Err(Error::OUT_OF_MEMORY.into());
        }
        if self.clients.monitors(slot) && is_about_data(row) {
            return Err(Error::ONLY_MONITORS.into());
        }
        if self.is_paused(slot, row) {
            // What it has asked before is answered first, and is not kept from that.
            let is_busy = self.clients.get(slot).is_some_and(Session::is_busy);
            let waits = is_busy || self.clients.postpone(slot, self.now.mono);
            if !waits {
                // It sends nothing more, and has waited as long as it may.
                self.clients.close(slot);
            }
            return Ok(Admitted::Postponed);
        }
        if queues {
            self.queue(slot, row, args)?;
            return Ok(Admitted::Done);
        }
        if is_exec {
            if let Some(session) = self.clients.get_mut(slot)
                && let Ok(word) = args.name().try_into()
            {
                session.exec_word = word;
            }
            let outcome = self.exec(slot, row);
            // What the log runs is shown when it does.
            let is_over = |one: &Session| one.proposed == proposed;
            if self.clients.get(slot).is_some_and(is_over) {
                self.show((row, db), args, client);
            }
            outcome?;
            return Ok(Admitted::Done);
        }
        self.metrics.called(row);
        match row.kind {
            Kind::Write(_) => match row.waits {
                None => self.propose_command(slot, row, args),
                Some(waits) => {
                    let wait = waits(args).map_err(Trouble::Failed)?;
                    self.take_or_wait(slot, row, args, wait);
                }
            },
            // What it wants of replies counts from here on, not from when the log has caught up.
            Kind::Server(ServerVerb::Client(ClientVerb::Reply)) => {
                let outcome = self.client_reply(slot, args);
                self.has_run((row, db), args, client, 0);
                outcome.map_err(Trouble::Failed)?;
            }
            Kind::Server(ServerVerb::Publish(topic)) => self.publish(slot, row, topic, args),
            Kind::Script(verb) if !verb.only_reads => self.propose_command(slot, row, args),
            Kind::Read(_) | Kind::Script(_) | Kind::Server(_) => {
                self.run_or_park(slot, row, args);
            }
            Kind::Session(verb) => {
                let outcome = self.session_verb(slot, verb, args);
                // As in Redis SELECT is shown in the database that it selects.
                let db = self.clients.get(slot).map_or(db, |session| session.db);
                if !row.has(Flag::SkipSlowlog) {
                    self.has_run((row, db), args, client, 0);
                }
                outcome.map_err(Trouble::Failed)?;
            }
            Kind::Container => return Err(Error::arity(row.name).into()),
        }
        Ok(Admitted::Done)
    }

    /// Returns true if CLIENT PAUSE keeps a request waiting.
    pub(super) fn is_paused(&self, slot: u32, row: &Row) -> bool {
        let writes = || match row.kind {
            Kind::Session(SessionVerb::Exec) => {
                let session = self.clients.get(slot);
                let transaction = session.and_then(|one| one.transaction.as_ref());
                transaction.is_some_and(|one| one.writes || one.tells)
            }
            _ => row.is_write() || row.has(Flag::Tells),
        };
        match self.clients.paused() {
            Paused::Nothing => false,
            Paused::Writes => writes(),
            Paused::All => true,
        }
    }

    /// Returns true if a member that does not lead does something all the same that looks at keys:
    /// because its client does not mind an old state, or because there is nothing to be looked at.
    fn is_done_here(&mut self, slot: u32, row: &Row) -> bool {
        let Some(session) = self.clients.get(slot) else {
            return false;
        };
        let reads = session.reads;
        match (row.kind, &session.transaction) {
            // It is refused.
            (Kind::Session(SessionVerb::Exec), None) => return true,
            (Kind::Session(SessionVerb::Exec), Some(transaction)) if transaction.failed => {
                return true;
            }
            // What the client asked of this member as of a leader may not be answered yet.
            (Kind::Session(SessionVerb::Exec | SessionVerb::Watch), _) if session.is_busy() => {
                return false;
            }
            (Kind::Session(SessionVerb::Exec), Some(transaction)) if !transaction.looks => {
                return true;
            }
            (Kind::Session(SessionVerb::Exec), Some(transaction)) if transaction.writes => {
                return false;
            }
            // How old the state is counts when it is looked at.
            _ if row.is_write() => return false,
            (Kind::Read(_) | Kind::Script(_), Some(_)) => return reads.are_here(),
            (Kind::Session(SessionVerb::Exec | SessionVerb::Watch), _)
            | (Kind::Read(_) | Kind::Script(_), None) => {}
            (Kind::Write(_) | Kind::Server(_) | Kind::Container | Kind::Session(_), _) => {
                return false;
            }
        }
        reads.are_here() && self.may_read_here(reads)
    }

    /// Returns true if writes that take memory are to be refused.
    pub(super) fn is_out_of_memory(&self) -> bool {
        let most = self.config.memory_max;
        let is_short = most > 0 && self.used_memory() as u64 > most;
        is_short && !self.may_evict()
    }

    /// Returns true if there is something to evict.
    fn may_evict(&self) -> bool {
        let choice = choice(self.config.memory_policy);
        let has = |choice| self.store.has_evictable(choice);
        !self.requests.evicting.is_exhausted() && choice.is_some_and(has)
    }

    /// The memory that `maxmemory` bounds, in bytes: that of the store and of the clients.
    pub fn used_memory(&self) -> usize {
        self.store.memory() + self.clients.memory()
    }

    /// The bounds of scripts that this member proposes, or runs for itself.
    pub(super) fn script_bounds(&self) -> ScriptBounds {
        ScriptBounds {
            instructions: self.config.script_instructions,
            memory_bytes: self.config.script_memory_bytes,
            is_out_of_memory: self.is_out_of_memory(),
            is_queued: false,
        }
    }

    /// Returns true if a script is proposed and not applied: it may write whatever keys it wants.
    pub(super) fn is_script_under_way(&self) -> bool {
        self.requests.hold.last_script > self.replicated.commands_applied()
    }

    /// Returns true if a request must wait for scripts, or for a client that does: EXEC depends on
    /// what they have written to watched keys. Others propose no script before it,
    /// or there might be one under way for ever.
    pub(super) fn waits_for_scripts(&self, slot: u32, args: Args<'_>) -> bool {
        let hold = &self.requests.hold;
        let is_quiet = hold.last_script == 0 && hold.ahead.is_none();
        if is_quiet || self.phase != Phase::Serving || !self.serves() {
            return false;
        }
        let (Ok(row), Some(session)) = (row_of(args), self.clients.get(slot)) else {
            return false;
        };
        let is_other_ahead = hold
            .ahead
            .is_some_and(|ahead| ahead != (slot, session.conn));
        match (row.kind, &session.transaction) {
            (Kind::Session(SessionVerb::Exec), Some(_)) if !session.watches.is_empty() => {
                self.is_script_under_way()
            }
            (Kind::Session(SessionVerb::Exec), Some(queued)) => {
                queued.runs_scripts && is_other_ahead
            }
            (Kind::Script(verb), None) => !verb.only_reads && is_other_ahead,
            _ => false,
        }
    }

    /// A request waits: if it does so for scripts, no other script comes before it.
    pub(super) fn goes_ahead(&mut self, slot: u32, args: Args<'_>) {
        let is_exec =
            row_of(args).is_ok_and(|row| matches!(row.kind, Kind::Session(SessionVerb::Exec)));
        if is_exec
            && self.is_script_under_way()
            && let Some(session) = self.clients.get(slot)
            && !session.watches.is_empty()
        {
            let conn = session.conn;
            self.requests.hold.ahead.get_or_insert((slot, conn));
        }
    }

    /// EXEC of a client is run: others go on that have let it go first.
    pub(super) fn is_ahead_no_more(&mut self, slot: u32) {
        if self.requests.hold.ahead.is_some_and(|(of, _)| of == slot) {
            self.requests.hold.ahead = None;
            self.requests.let_go();
        }
    }

    /// A command was applied: who waits for scripts is looked at again when that was the last one.
    pub(super) fn let_go_behind_scripts(&mut self) {
        if self.requests.hold.last_script != 0 && !self.is_script_under_way() {
            self.no_script_is_under_way();
        }
    }

    /// No script is under way, or none that this member has proposed counts any more.
    pub(in crate::node) fn no_script_is_under_way(&mut self) {
        self.requests.hold.last_script = 0;
        if self.requests.hold.ahead.is_some() {
            self.requests.let_go();
        }
    }

    /// Behind a turn: a client that others let go first may be gone.
    pub(in crate::node) fn look_for_the_one_ahead(&mut self) {
        let Some((slot, conn)) = self.requests.hold.ahead else {
            return;
        };
        let session = self.clients.same(slot, conn);
        if !session.is_some_and(|session| session.queued && !session.closing) {
            self.requests.hold.ahead = None;
            self.requests.let_go();
        }
    }

    /// SCRIPT KILL and FUNCTION KILL: only what is read for a client of this member can be ended
    /// here alone.
    pub(in crate::node) fn kill(&mut self, a_function: bool, mut reply: Reply<'_>) -> Outcome {
        let hold = &mut self.requests.hold;
        if !hold.scripts.is_running() {
            return Err(Error::NOT_BUSY);
        }
        match (a_function, hold.scripts.function()) {
            (true, None) => return Err(Error::SCRIPT_RUNS),
            (false, Some(_)) => return Err(Error::FUNCTION_RUNS),
            (true, Some(_)) | (false, None) => {}
        }
        if hold.reading.is_none() {
            return Err(Error::UNKILLABLE);
        }
        hold.scripts.kill();
        reply.ok();
        Ok(())
    }
}

/// Returns true if a request is none for a client that MONITOR shows all requests.
fn is_about_data(row: &Row) -> bool {
    let publishes = matches!(row.kind, Kind::Server(ServerVerb::Publish(_)));
    publishes || row.has(Flag::ReadOnly) || row.has(Flag::Write)
}
