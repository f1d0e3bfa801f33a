//! Loading a base, record by record.

use alloc::boxed::Box;

use super::dict::{Dict, Hasher};
use super::entry::{Big, BigValue, Draft, Kind, Stored};
use super::hash::put_field;
use super::record::{Head, Name, Tag, take, take_bytes, take_head};
use super::{Store, packed};

/// Why a piece of a base cannot be loaded; the store is then of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The piece ends within a record.
    Cut,
    /// The piece holds a record or a value that this version does not know, or that cannot be.
    Malformed,
}

impl Store {
    /// An empty store, to be filled with `load_piece`. The seed must be that of the store that
    /// wrote the base.
    #[must_use]
    pub fn load_begin(hash_seed: u64) -> Self {
        Self::new(hash_seed)
    }

    /// Loads one piece as one `base_step` wrote it (or several, joined in order). When all are
    /// loaded the state is that which the writing store had at `base_begin`.
    pub fn load_piece(&mut self, mut piece: &[u8]) -> Result<(), LoadError> {
        while !piece.is_empty() {
            let head = take_head(&mut piece)?;
            match head.tag {
                Tag::Integer => {
                    let (number, rest) = piece.split_first_chunk::<8>().ok_or(LoadError::Cut)?;
                    piece = rest;
                    self.load_value(&head, Kind::Integer, number)?;
                }
                Tag::Bytes => self.load_value(&head, Kind::Bytes, take_bytes(&mut piece)?)?,
                Tag::Packed => {
                    let fields = take_bytes(&mut piece)?;
                    if !packed::valid(fields) {
                        return Err(LoadError::Malformed);
                    }
                    self.load_value(&head, Kind::Packed, fields)?;
                }
                Tag::Table => self.load_table(&head)?,
                Tag::More => self.load_more(head.name, take_bytes(&mut piece)?)?,
                Tag::Fields => self.load_fields(head.name, &mut piece)?,
            }
        }
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

    fn load_value(&mut self, head: &Head<'_>, kind: Kind, value: &[u8]) -> Result<(), LoadError> {
        let hash = self.absent(head.name)?;
        let draft = Draft {
            kind,
            epoch: self.epoch,
            expiry: head.expiry,
            key: head.name.key,
            value,
        };
        self.put(head.name.db, hash, None, &draft);
        self.changes += 1;
        Ok(())
    }

    fn load_table(&mut self, head: &Head<'_>) -> Result<(), LoadError> {
        let hash = self.absent(head.name)?;
        let fields = Dict::new(Hasher::new(self.hash_seed));
        let value = BigValue::Table(Box::new(fields));
        let big = Big::new(head.name.key, head.expiry, self.epoch, value);
        self.dict_mut(head.name.db).insert_big(hash, big);
        self.changes += 1;
        Ok(())
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

    fn load_more(&mut self, name: Name<'_>, bytes: &[u8]) -> Result<(), LoadError> {
        let place = self.find(name.db, name.key).ok_or(LoadError::Malformed)?;
        let view = self.dict(name.db).view(place);
        let (expiry, boxed) = (view.expiry, view.big.is_some());
        let Stored::Bytes(begun) = view.stored else {
            return Err(LoadError::Malformed);
        };
        if !boxed {
            // It was begun with so little that it became a block.
            let value = [begun, bytes].concat();
            self.take(name.db, place);
            let head = Head {
                tag: Tag::Bytes,
                name,
                expiry,
            };
            return self.load_value(&head, Kind::Bytes, &value);
        }
        self.load_into(name, |value, _| match value {
            BigValue::Bytes(text) => {
                text.extend_from_slice(bytes);
                Ok(())
            }
            BigValue::Packed(_) | BigValue::Table(_) => Err(LoadError::Malformed),
        })
    }

    fn load_fields(&mut self, name: Name<'_>, piece: &mut &[u8]) -> Result<(), LoadError> {
        self.load_into(name, |value, epoch| {
            let BigValue::Table(table) = value else {
                return Err(LoadError::Malformed);
            };
            for _ in 0..take(piece)? {
                let field = take_bytes(piece)?;
                let value = take_bytes(piece)?;
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
