//! The words of clients: each request, and whatever else they send, is told to those who judge.

use super::World;
use super::observed::Seen;
use crate::client::Batch;
use crate::decisions::decision::Deal;
use crate::goals::{Fault, Goal};
use crate::judge::Asked;
use crate::workload::mangled::{self, Rest};
use crate::workload::{Piece, Request};

impl World {
    /// Sends a batch, or only its first bytes.
    pub(super) fn say(&mut self, client: usize, conn: u64, batch: Batch, cut: usize) {
        for (piece, _) in &batch.pieces {
            self.did(client, || Deal::Ask(piece.clone()));
        }
        let mut start = 0;
        for (piece, end) in batch.pieces {
            if end > cut {
                match piece {
                    Piece::Request(words) | Piece::Inline(words) if start < cut => {
                        self.judge.cut(words.into());
                    }
                    // A line that ends the conversation at once is whole although more should
                    // have come after it.
                    Piece::Garbage {
                        bytes,
                        complaint,
                        limit,
                    } if complaint.is_empty() && has_line(&bytes[..cut.saturating_sub(start)]) => {
                        self.errs(conn, complaint, limit);
                    }
                    Piece::Mangled(bytes) => {
                        let whole = cut.saturating_sub(start);
                        self.says_mangled(client, (conn, start), &bytes[..whole]);
                    }
                    _ => {}
                }
                break;
            }
            self.tell(|| format!("c{conn} asks {piece}"));
            match piece {
                Piece::Request(words) | Piece::Inline(words) => {
                    self.requests(client, (conn, end), words);
                }
                Piece::Garbage {
                    complaint, limit, ..
                } => {
                    self.fired(Fault::Garbage);
                    self.counts(conn, end);
                    self.errs(conn, complaint, limit);
                    self.clients[client].pending.push_back(None);
                }
                Piece::Behind(words) => {
                    self.counts(conn, end);
                    self.judge
                        .asked(conn, Asked::Behind(words.into()), self.time);
                }
                Piece::Mangled(bytes) => self.says_mangled(client, (conn, start), &bytes),
            }
            start = end;
        }
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.said += cut as u64;
        }
        self.send_bytes(conn, true, &batch.bytes[..cut]);
    }

    /// Something is said that is to be answered; it ends so many bytes behind what was said before.
    fn counts(&mut self, conn: u64, end: usize) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.ends.push_back(connection.said + end as u64);
            connection.asked += 1;
        }
    }

    fn requests(&mut self, client: usize, (conn, end): (u64, usize), words: Request) {
        self.note(|| Seen::Asked {
            client,
            conn,
            words: words.clone(),
        });
        if !self.judge.is_to_be_answered(conn, &words) {
            self.judge.reached(Goal::Silenced);
            self.judge.asked_in_silence(conn, &words);
            return;
        }
        self.counts(conn, end);
        self.ledger.asked(conn, &words, self.time);
        self.elements.asked(conn, &words, self.time);
        self.judge
            .asked(conn, Asked::Request(words.clone().into()), self.time);
        self.clients[client].pending.push_back(Some(words));
    }

    fn errs(&mut self, conn: u64, complaint: String, limit: bool) {
        self.judge
            .asked(conn, Asked::Garbage { complaint, limit }, self.time);
    }

    /// Mangled bytes: what is left of requests is asked, and the rest is wrong or never whole.
    fn says_mangled(&mut self, client: usize, (conn, start): (u64, usize), bytes: &[u8]) {
        self.fired(Fault::Mangled);
        let reading = mangled::read(bytes);
        for (words, end) in reading.requests {
            self.requests(client, (conn, start + end), words);
        }
        if let Rest::Wrong(complaint) = reading.rest {
            self.counts(conn, start + bytes.len());
            self.errs(conn, complaint, false);
            self.clients[client].pending.push_back(None);
        }
    }
}

/// Returns true if bytes begin with a whole line that is a request by itself.
fn has_line(bytes: &[u8]) -> bool {
    !bytes.starts_with(b"*") && bytes.contains(&b'\n')
}
