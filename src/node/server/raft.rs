//! RAFT: the group as an operator sees it and changes it.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::verb::RaftVerb;
use crate::ids::NodeId;
use crate::node::{Node, Phase};
use crate::raft::{ChangeRefused, Member, MembershipChange, RoleName, TransferRefused, Unfit};
use crate::resp::reply::Reply;
use crate::session::{Blocked, Reads};

use super::request::Request;

/// The levels of reads that are told by their names alone.
const LEVELS: [(&str, Reads); 5] = [
    ("default", Reads::Default),
    ("linearizable", Reads::Linearizable),
    ("lease", Reads::Lease),
    ("follower", Reads::Follower),
    ("local", Reads::Local),
];
/// The error that names the modes which RAFT READS takes.
const READS: &str =
    "the mode must be DEFAULT, LINEARIZABLE, LEASE, FOLLOWER, BOUNDED milliseconds or LOCAL";

impl Node {
    pub(super) fn raft_verb(&mut self, verb: RaftVerb, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            args,
            mut reply,
            ..
        } = request;
        let change = match verb {
            RaftVerb::Info => {
                reply.verbatim(*b"txt", &self.raft_info());
                return Ok(());
            }
            RaftVerb::Nodes => {
                reply.verbatim(*b"txt", &self.raft_nodes());
                return Ok(());
            }
            RaftVerb::Snapshot => {
                if self.replica.log().is_none() {
                    return Err(error("there is no log to make a base of: appendonly is no"));
                }
                self.ask_for_rewrite();
                reply.ok();
                return Ok(());
            }
            RaftVerb::Reads => return self.raft_reads(slot, args, reply),
            RaftVerb::Transfer => return self.raft_transfer(slot, args),
            RaftVerb::Promote => MembershipChange::Promote(member_of(args)?),
            RaftVerb::Remove => MembershipChange::Remove(member_of(args)?),
            RaftVerb::Add => {
                let id = member_of(args)?;
                // Another may know it.
                if self.replica.is_grouped() && self.leads().is_none() {
                    return Err(self.elsewhere_at(0));
                }
                let met = self.replica.met(id).ok_or_else(|| stranger(id))?;
                let incarnation = met.incarnation;
                MembershipChange::AddLearner(Member { id, incarnation })
            }
        };
        self.raft_change(slot, change)
    }

    /// Begins a change of membership; its client is answered when it is over.
    fn raft_change(&mut self, slot: u32, change: MembershipChange) -> Outcome {
        if !self.replica.is_grouped() {
            if self.replica.log().is_none() {
                return Err(error(
                    "a server without a log cannot be in a group: appendonly is no",
                ));
            }
            if self.replica.is_first_change_waiting() {
                return Err(change_error(ChangeRefused::Pending));
            }
            if !self.replica.is_synced() {
                self.replica.change_when_synced(change, &self.config);
                self.block(slot, Blocked::Change);
                return Ok(());
            }
        }
        self.begin_change(change)?;
        self.block(slot, Blocked::Change);
        Ok(())
    }

    /// The next step of a newcomer. A step that cannot be done now is asked for again.
    pub(in crate::node) fn begin_admission(&mut self, change: MembershipChange) {
        if !self.replica.is_grouped() && !self.replica.is_synced() {
            if !self.replica.is_first_change_waiting() {
                self.replica.change_when_synced(change, &self.config);
            }
            return;
        }
        let _ = self.begin_change(change);
    }

    /// Begins a change of membership, or says why not.
    pub(in crate::node) fn begin_change(&mut self, change: MembershipChange) -> Outcome {
        if let MembershipChange::AddLearner(member) = &change
            && let Some(why) = self
                .replica
                .refuses_member(member, self.replicated.version().number)
        {
            return Err(error(&why));
        }
        let Some(outcome) = self.replica.change(change) else {
            return Err(Error::CLUSTER_DOWN);
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(ChangeRefused::NotLeader { .. }) => Err(self.elsewhere_at(0)),
            Err(refused) => Err(change_error(refused)),
        }
    }

    /// Which reads a client wants, or has.
    fn raft_reads(&mut self, slot: u32, args: Args<'_>, mut reply: Reply<'_>) -> Outcome {
        let Some(session) = self.clients.get_mut(slot) else {
            return Ok(());
        };
        if args.len() == 2 {
            if let Reads::Bounded { ms } = session.reads {
                reply.bulk_fmt(format_args!("bounded {ms}"));
            } else {
                let level = LEVELS.iter().find(|(_, reads)| *reads == session.reads);
                reply.bulk(level.map_or("", |(name, _)| name).as_bytes());
            }
            return Ok(());
        }
        let reads = reads_of(args)?;
        if reads == Reads::Lease && !self.config.lease_reads {
            return Err(error(
                "lease reads are not allowed: this member was started with lease-reads no",
            ));
        }
        session.reads = reads;
        reply.ok();
        Ok(())
    }

    fn raft_transfer(&mut self, slot: u32, args: Args<'_>) -> Outcome {
        if args.len() > 3 {
            return Err(Error::arity("raft|transfer"));
        }
        let to = if args.len() > 2 {
            Some(member_of(args)?)
        } else {
            None
        };
        let Some(outcome) = self.replica.transfer(to) else {
            return Err(Error::CLUSTER_DOWN);
        };
        match outcome {
            Ok(()) => {
                self.block(slot, Blocked::Transfer);
                Ok(())
            }
            Err(TransferRefused::NotLeader { .. }) => Err(self.elsewhere(None, args)),
            Err(TransferRefused::Transferring) => Err(again("leadership is being transferred")),
            Err(TransferRefused::Unknown) => Err(error("no other voter has that number")),
        }
    }

    /// Returns the facts that this member knows of itself, a field a line.
    pub(super) fn raft_info(&self) -> String {
        let Some(raft) = self.replica.raft() else {
            return "role:recovering\r\nserves:0\r\n".into();
        };
        let role = match raft.role() {
            RoleName::Leader => "leader",
            RoleName::Follower => "follower",
            RoleName::PreCandidate => "pre-candidate",
            RoleName::Candidate => "candidate",
        };
        format!(
            "role:{role}\r\nserves:{}\r\nid:{}\r\nincarnation:{:016x}\r\nterm:{}\r\n\
             leader:{}\r\ncommit:{}\r\napplied:{}\r\nlast:{}\r\nbase:{}\r\n\
             changing:{}\r\njoint:{}\r\nrepairing:{}\r\n\
             contradicts_leader:{}\r\n\
             disk:{}\r\nentry_version:{}\r\nentry_version_of_all:{}\r\n",
            u8::from(self.is_master() && self.phase != Phase::Recovering),
            self.config.id.0,
            raft.incarnation().0,
            raft.term().0,
            raft.leader().map_or(0, |id| id.0),
            raft.commit().0,
            self.replica.applied().0,
            raft.last().0,
            self.replica.base_index().0,
            u8::from(raft.is_changing()),
            u8::from(raft.in_force().is_joint()),
            u8::from(raft.is_repairing()),
            u8::from(raft.contradicts_leader()),
            match (self.no_space(), self.replica.is_slow()) {
                (true, _) => "full",
                (false, true) => "slow",
                (false, false) => "ok",
            },
            self.replicated.version().number,
            self.replica.newest_of_all(&self.config).unwrap_or(0),
        )
    }

    /// The members, a line each: number, role, incarnation, where clients reach it; and for how
    /// long nothing was heard of it, where that is so long that it counts as gone.
    ///
    /// The members shown are the committed ones: whoever is told that three members vote may take
    /// one of them away. As long as a change is under way, the majority of the former voters is
    /// needed too, and those whom it brings or takes are shown as such.
    fn raft_nodes(&self) -> String {
        let Some(raft) = self.replica.raft() else {
            return String::new();
        };
        let (membership, leader) = (raft.membership(), raft.leader());
        let mut text = String::new();
        for member in membership.members() {
            let (votes, stays) = (
                membership.is_voter(member.id),
                membership.stays_voter(member.id),
            );
            let role = match (Some(member.id) == leader, votes, stays) {
                (true, ..) => "leader",
                (false, false, _) => "learner",
                (false, true, false) => "outgoing",
                (false, true, true) if membership.voted_before(member.id) => "voter",
                (false, true, true) => "incoming",
            };
            let met = self.replica.met(member.id);
            let address = met.map_or("", |met| &met.address);
            let (id, incarnation) = (member.id.0, member.incarnation.0);
            let _ = write!(text, "{id} {role} {incarnation:016x} {address}");
            if raft.is_contradicted_by(member.id) {
                text.push_str(" contradicts");
            } else if self.is_silent(member.id) {
                let unheard = raft.unheard(member.id, self.now.mono);
                let _ = match unheard {
                    Some(unheard) => write!(text, " silent {}s", unheard.as_secs()),
                    None => write!(text, " silent"),
                };
            }
            text.push_str("\r\n");
        }
        text
    }
}

/// The level that a client names.
fn reads_of(args: Args<'_>) -> Result<Reads, Error> {
    let bounded = args.is(2, "bounded");
    if args.len() != if bounded { 4 } else { 3 } {
        return Err(error(READS));
    }
    if bounded {
        let ms = u64::try_from(args.integer(3)?).ok().filter(|ms| *ms > 0);
        let bounded = ms.map(|ms| Reads::Bounded { ms });
        return bounded.ok_or_else(|| error("the age in milliseconds must be above 0"));
    }
    let level = LEVELS.iter().find(|(name, _)| args.is(2, name));
    level.map(|(_, level)| *level).ok_or_else(|| error(READS))
}

fn member_of(args: Args<'_>) -> Result<NodeId, Error> {
    let id = u64::try_from(args.integer(2)?).ok().filter(|id| *id > 0);
    id.map(NodeId)
        .ok_or_else(|| error("a member's number must be above 0"))
}

fn error(words: &str) -> Error {
    Error::text(format!("ERR {words}"))
}

/// The request has not happened, and may succeed later.
fn again(words: &str) -> Error {
    Error::text(format!("TRYAGAIN {words}"))
}

fn stranger(id: NodeId) -> Error {
    let id = id.0;
    error(&format!(
        "member {id} is not known here: start it first, so that it connects to this one"
    ))
}

fn change_error(refused: ChangeRefused) -> Error {
    match refused {
        ChangeRefused::NotLeader { .. } => Error::CLUSTER_DOWN,
        ChangeRefused::TooEarly => again("this leader is not ready yet"),
        ChangeRefused::Pending | ChangeRefused::Unfit(Unfit::Joint) => {
            again("another change of membership is under way")
        }
        ChangeRefused::Transferring => again("leadership is being transferred"),
        ChangeRefused::Lagging(id) => again(&format!("member {} has not caught up yet", id.0)),
        ChangeRefused::TooFew(id) => error(&format!(
            "member {} does not answer, and too few others would be left for a majority: bring it \
             back, or remove it first",
            id.0
        )),
        ChangeRefused::Unfit(Unfit::Taken(id)) => error(&format!("{} is a member", id.0)),
        ChangeRefused::Unfit(Unfit::Unknown(id)) => error(&format!(
            "{} is not a member, or its role does not allow this",
            id.0
        )),
        ChangeRefused::Unfit(Unfit::Size) => {
            error("a group has at least one voter and at most 31 members")
        }
        ChangeRefused::Unfit(Unfit::Nothing) => error("this would change nothing"),
    }
}
