//! CLIENT REPLY: which requests are answered, by the order in which they were asked alone.

use super::Judge;
use super::channels::subscribes;
use super::dialogue::Silence;
use super::history::fingerprint;

impl Judge {
    /// Returns true if a client wants a reply to its next request, and takes note of what that says
    /// of replies.
    pub(crate) fn is_to_be_answered(&mut self, conn: u64, words: &[Vec<u8>]) -> bool {
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return true;
        };
        dialogue.silence = match dialogue.silence {
            Silence::Present => Silence::None,
            Silence::Next => Silence::Present,
            same => same,
        };
        let is = |place: usize, word: &str| words[place].eq_ignore_ascii_case(word.as_bytes());
        let says = words.len() == 3 && is(0, "client") && is(1, "reply");
        if says && is(2, "on") {
            dialogue.silence = Silence::None;
        } else if says && is(2, "off") {
            dialogue.silence = Silence::All;
        } else if says && is(2, "skip") && dialogue.silence != Silence::All {
            dialogue.silence = Silence::Next;
        }
        // A listener is told also in silence what it listens to.
        dialogue.silence == Silence::None || subscribes(words).is_some()
    }

    /// A client has sent a request, and wants no reply to it.
    pub(crate) fn asked_in_silence(&mut self, conn: u64, words: &[Vec<u8>]) {
        self.may_be_shown(conn, words);
        let known = fingerprint(words);
        *self.outstanding.entry(known).or_default() += 1;
        self.is_asked_again(known);
    }
}
