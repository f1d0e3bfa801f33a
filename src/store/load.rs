//! Loading a base, record by record.

use alloc::boxed::Box;

use super::Store;
use super::big::{Big, BigValue};
use super::dict::Dict;
use super::digest::Tally;
use super::entry::{Draft, Kind, Stored};
use super::record::{self, Begun, Fields, Name, Record};
use super::value::hash::put_field;
use super::value::packed;
use crate::time::Stamp;

/// Why a piece of a base cannot be loaded; the store is then of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The piece ends within a record.
    Cut,
    /// The piece holds a record or a value that this version does not know, or that cannot be.
    Malformed,
    /// What was loaded is not what the base says was written.
    Differs,
}

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
                Record::Key(name, expiry, begun) => self.load_key(name, expiry, begun)?,
                Record::More {
                    name,
                    offset,
                    bytes,
                } => self.load_more(name, offset, bytes)?,
                Record::Fields { name, fields } => self.load_fields(name, fields)?,
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
        begun: Begun<'_>,
    ) -> Result<(), LoadError> {
        let hash = self.absent(name)?;
        let number;
        let (kind, value): (_, &[u8]) = match begun {
            Begun::Integer(value) => {
                number = value.to_le_bytes();
                (Kind::Integer, &number)
            }
            Begun::Bytes(bytes) => (Kind::Bytes, bytes),
            Begun::Raw(bytes) if Kind::of_written(bytes.len()) == Kind::Raw => (Kind::Raw, bytes),
            Begun::Packed(fields) if packed::valid(fields) => (Kind::Packed, fields),
            Begun::Raw(_) | Begun::Packed(_) => return Err(LoadError::Malformed),
            Begun::Table => {
                let fields = Dict::new(self.tables);
                let value = BigValue::Table(Box::new(fields));
                let big = Big::new(name.key, expiry, self.epoch, value);
                self.dict_mut(name.db).insert_big(hash, big);
                self.changes += 1;
                return Ok(());
            }
        };
        let draft = Draft {
            kind,
            epoch: self.epoch,
            expiry,
            key: name.key,
            value,
        };
        self.put(name.db, hash, None, &draft);
        self.changes += 1;
        Ok(())
    }

    fn absent(&self, name: Name<'_>) -> Result<u64, LoadError> {
        let dict = self.dict(name.db);
        let hash = dict.hash(name.key);
        match dict.find(hash, name.key) {
            None => Ok(hash),
            Some(_) => Err(LoadError::Malformed),
        }
    }

    /// Lets a change go on at a value that is there as a box.
    fn load_into(
        &mut self,
        name: Name<'_>,
        change: impl FnOnce(&mut BigValue, u8) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        let epoch = self.epoch;
        let place = self.find(name.db, name.key).ok_or(LoadError::Malformed)?;
        let dict = self.dict_mut(name.db);
        if dict.view(place).big.is_none() {
            return Err(LoadError::Malformed);
        }
        dict.change_big(place, |big| change(&mut big.value, epoch))
    }

    fn load_more(&mut self, name: Name<'_>, offset: u64, bytes: &[u8]) -> Result<(), LoadError> {
        let place = self.find(name.db, name.key).ok_or(LoadError::Malformed)?;
        let view = self.dict(name.db).view(place);
        let (expiry, boxed) = (view.expiry, view.big.is_some());
        let begun: &[u8] = match view.stored {
            Stored::Bytes(begun) if begun.len() as u64 == offset => begun,
            Stored::Rope(begun) if begun.len() as u64 == offset => &[],
            _ => return Err(LoadError::Malformed),
        };
        if !boxed {
            // It was begun with so little that it became a block.
            let value = [begun, bytes].concat();
            self.take(name.db, place);
            return self.load_key(name, expiry, Begun::Bytes(&value));
        }
        self.load_into(name, |value, _| match value {
            BigValue::Bytes(_) | BigValue::Rope(_) => {
                value.write(offset as usize, bytes);
                Ok(())
            }
            _ => Err(LoadError::Malformed),
        })
    }

    fn load_fields(&mut self, name: Name<'_>, fields: Fields<'_>) -> Result<(), LoadError> {
        self.load_into(name, |value, epoch| {
            let BigValue::Table(table) = value else {
                return Err(LoadError::Malformed);
            };
            for (field, value) in fields.iter() {
                let hash = table.hash(field);
                if table.find(hash, field).is_some() {
                    return Err(LoadError::Malformed);
                }
                put_field(table, hash, None, field, value, epoch);
            }
            Ok(())
        })
    }
}
