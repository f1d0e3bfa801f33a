//! Loading a base, record by record.

use alloc::boxed::Box;

use super::Store;
use super::digest::Tally;
use super::encoding::Encoding;
use super::entry::Draft;
use super::kind::Kind;
use super::record::{self, LoadError, Name, Record};
use super::value::{self, Large};
use crate::time::Stamp;

impl Store {
    /// Loads into an empty store one piece as one `base_step` wrote it (or several, joined in
    /// order). When all are loaded the state is that which the writing store had at `base_begin`,
    /// and `base_digest` says so.
    pub fn load_piece(&mut self, mut piece: &[u8]) -> Result<(), LoadError> {
        while !piece.is_empty() {
            let record = record::take(&mut piece)?;
            match (record, &mut self.loading) {
                (Record::Opening { at }, None) if self.base_digest.is_none() => {
                    self.loading = Some(Box::new(Tally::new(at)));
                    self.upkeep.happened();
                    self.using.now = at;
                    continue;
                }
                (Record::Closing { digest }, Some(tally)) => {
                    if tally.sum() != digest {
                        return Err(LoadError::Differs);
                    }
                    (self.base_digest, self.loading) = (Some(digest), None);
                    continue;
                }
                (Record::Opening { .. } | Record::Closing { .. }, _) | (_, None) => {
                    return Err(LoadError::Malformed);
                }
                _ => {}
            }
            match record {
                Record::Begin {
                    name,
                    expiry,
                    kind,
                    body,
                } => self.load_key(name, expiry, kind, body)?,
                Record::Part { name, kind, body } => self.load_part(name, kind, body)?,
                Record::Opening { .. } | Record::Closing { .. } => {}
            }
            if let Some(tally) = &mut self.loading {
                tally.add(&record);
            }
        }
        Ok(())
    }

    fn load_key(
        &mut self,
        name: Name<'_>,
        expiry: Option<Stamp>,
        kind: u8,
        body: &[u8],
    ) -> Result<(), LoadError> {
        let dict = self.dict(name.db);
        let hash = dict.hash(name.key);
        if dict.find(hash, name.key).is_some() {
            return Err(LoadError::Malformed);
        }
        let (form, encoding) = Encoding::of_begin_byte(kind);
        if let Some(large) = Large::empty(form, self.tables) {
            self.put_large(name.db, None, name.key, expiry, (large, encoding));
        } else {
            let kind = Kind::of_byte(kind).filter(|kind| value::is_sound(*kind, body));
            let draft = Draft {
                kind: kind.ok_or(LoadError::Malformed)?,
                epoch: self.epoch,
                expiry,
                heat: None,
                key: name.key,
                value: body,
            };
            self.put(name.db, hash, None, &draft);
        }
        self.changes += 1;
        Ok(())
    }

    fn load_part(&mut self, name: Name<'_>, kind: u8, body: &[u8]) -> Result<(), LoadError> {
        let epoch = self.epoch;
        let place = self.find(name.db, name.key).ok_or(LoadError::Malformed)?;
        if !place.is_boxed() {
            return Err(LoadError::Malformed);
        }
        let loaded = self.change_parts(name.db, place, |large, _| {
            let is_same = large.byte() == kind;
            is_same.then(|| large.load_part(body, epoch))?
        });
        loaded.flatten().ok_or(LoadError::Malformed)
    }
}
