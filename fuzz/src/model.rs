//! A naive Redis of a few commands: maps, and a queue for each client in a transaction.

use std::collections::BTreeMap;

use seedis::resp::value::Value;

use crate::bytes::Bytes;

/// One word of a request.
pub(crate) type Word = Vec<u8>;

/// The value of a key.
#[derive(Clone, Debug)]
enum Kept {
    Text(Word),
    Hash(BTreeMap<Word, Word>),
}

/// All keys, and what clients in a transaction have asked for.
#[derive(Debug, Default)]
pub(crate) struct Model {
    keys: BTreeMap<Word, Kept>,
    queues: BTreeMap<u64, Vec<Vec<Word>>>,
}

const KEYS: [&str; 4] = ["a", "b", "c", "longer:key:than:others:are:by:far"];
const FIELDS: [&str; 4] = ["f", "g", "", "another field"];
const VALUES: [&str; 6] = ["", "1", "-7", "9223372036854775807", "x y", "01"];

/// The names, and what each takes: a key, a field, a value.
const COMMANDS: [(&str, &str); 22] = [
    ("SET", "kv"),
    ("SET", "kv"),
    ("GET", "k"),
    ("GETDEL", "k"),
    ("GETSET", "kv"),
    ("SETNX", "kv"),
    ("DEL", "k"),
    ("DEL", "kk"),
    ("EXISTS", "kk"),
    ("TYPE", "k"),
    ("INCR", "k"),
    ("DECRBY", "kv"),
    ("APPEND", "kv"),
    ("STRLEN", "k"),
    ("HSET", "kfv"),
    ("HSET", "kfvfv"),
    ("HGET", "kf"),
    ("HDEL", "kf"),
    ("HLEN", "k"),
    ("HEXISTS", "kf"),
    ("HINCRBY", "kfv"),
    ("RENAME", "kk"),
];

/// One request that the model knows.
pub(crate) fn request(bytes: &mut Bytes<'_>) -> Vec<Word> {
    let choice = bytes.below(32);
    let Some((name, takes)) = COMMANDS.get(choice) else {
        let name = ["MULTI", "EXEC", "DISCARD", "EXEC", "GET"][(choice - COMMANDS.len()) % 5];
        return vec![name.into()];
    };
    let mut request = vec![name.as_bytes().to_vec()];
    for what in takes.bytes() {
        request.push(match what {
            b'k' => KEYS[bytes.below(4)].into(),
            b'f' => FIELDS[bytes.below(4)].into(),
            _ => match bytes.below(8) {
                6 => vec![b'v'; bytes.below(200)],
                7 => bytes.take(3).to_vec(),
                known => VALUES[known].into(),
            },
        });
    }
    request
}

fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

fn error(text: &str) -> Value {
    Value::Error(text.into())
}

fn count(number: usize) -> Value {
    Value::Integer(number as i64)
}

fn bulk(word: Option<&Word>) -> Value {
    word.map_or(Value::NullBulk, |word| Value::Bulk(word.clone()))
}

fn integer(word: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(word).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const NO_INTEGER: &str = "ERR value is not an integer or out of range";
const OVERFLOW: &str = "ERR increment or decrement would overflow";

impl Model {
    /// The reply to a client's request.
    pub(crate) fn answer(&mut self, client: u64, request: &[Word]) -> Value {
        let is_queueing = self.queues.contains_key(&client);
        match (&request[0][..], is_queueing) {
            (b"MULTI", false) => {
                self.queues.insert(client, Vec::new());
                ok()
            }
            (b"MULTI", true) => error("ERR MULTI calls can not be nested"),
            (b"DISCARD", true) => {
                self.queues.remove(&client);
                ok()
            }
            (b"EXEC", true) => {
                let queue = self.queues.remove(&client).unwrap_or_default();
                if queue.iter().any(|request| request.len() == 1) {
                    return error("EXECABORT Transaction discarded because of previous errors.");
                }
                Value::Array(queue.iter().map(|request| self.run(request)).collect())
            }
            (b"EXEC", false) => error("ERR EXEC without MULTI"),
            (b"DISCARD", false) => error("ERR DISCARD without MULTI"),
            (b"GET", _) if request.len() == 1 => {
                self.queue(client, request);
                error("ERR wrong number of arguments for 'get' command")
            }
            (_, true) => {
                self.queue(client, request);
                Value::Simple(b"QUEUED".to_vec())
            }
            (_, false) => self.run(request),
        }
    }

    fn queue(&mut self, client: u64, request: &[Word]) {
        if let Some(queue) = self.queues.get_mut(&client) {
            queue.push(request.to_vec());
        }
    }

    fn run(&mut self, request: &[Word]) -> Value {
        self.outcome(request).unwrap_or_else(error)
    }

    fn outcome(&mut self, request: &[Word]) -> Result<Value, &'static str> {
        let (key, rest) = (&request[1], &request[2..]);
        Ok(match &request[0][..] {
            b"SET" => {
                self.keys.insert(key.clone(), Kept::Text(rest[0].clone()));
                ok()
            }
            b"GET" => bulk(self.text(key)?),
            b"GETDEL" => {
                let reply = bulk(self.text(key)?);
                self.keys.remove(key);
                reply
            }
            b"GETSET" => {
                let reply = bulk(self.text(key)?);
                self.keys.insert(key.clone(), Kept::Text(rest[0].clone()));
                reply
            }
            b"SETNX" => {
                let is_new = !self.keys.contains_key(key);
                if is_new {
                    self.keys.insert(key.clone(), Kept::Text(rest[0].clone()));
                }
                count(is_new.into())
            }
            b"DEL" => {
                let keys = request[1..].iter();
                count(keys.filter(|key| self.keys.remove(*key).is_some()).count())
            }
            b"EXISTS" => {
                let keys = request[1..].iter();
                count(keys.filter(|key| self.keys.contains_key(*key)).count())
            }
            b"TYPE" => Value::Simple(match self.keys.get(key) {
                None => b"none".to_vec(),
                Some(Kept::Text(_)) => b"string".to_vec(),
                Some(Kept::Hash(_)) => b"hash".to_vec(),
            }),
            b"INCR" => self.add(key, Some(1))?,
            b"DECRBY" => {
                let by = integer(&rest[0]).ok_or(NO_INTEGER)?;
                if by == i64::MIN {
                    return Err("ERR decrement would overflow");
                }
                self.add(key, by.checked_neg())?
            }
            b"APPEND" => {
                let mut text = self.text(key)?.cloned().unwrap_or_default();
                text.extend_from_slice(&rest[0]);
                let reply = count(text.len());
                self.keys.insert(key.clone(), Kept::Text(text));
                reply
            }
            b"STRLEN" => count(self.text(key)?.map_or(0, Vec::len)),
            b"RENAME" => {
                let kept = self.keys.remove(key).ok_or("ERR no such key")?;
                self.keys.insert(rest[0].clone(), kept);
                ok()
            }
            _ => return self.hash_outcome(&request[0], key, rest),
        })
    }

    fn hash_outcome(
        &mut self,
        name: &[u8],
        key: &Word,
        rest: &[Word],
    ) -> Result<Value, &'static str> {
        let by = match name {
            b"HINCRBY" => integer(&rest[1]).ok_or(NO_INTEGER)?,
            _ => 0,
        };
        let mut hash = match self.keys.get(key) {
            None => BTreeMap::new(),
            Some(Kept::Hash(hash)) => hash.clone(),
            Some(Kept::Text(_)) => return Err(WRONG_TYPE),
        };
        let reply = match name {
            b"HSET" => {
                let before = hash.len();
                for pair in rest.chunks(2) {
                    hash.insert(pair[0].clone(), pair[1].clone());
                }
                count(hash.len() - before)
            }
            b"HGET" => bulk(hash.get(&rest[0])),
            b"HDEL" => count(hash.remove(&rest[0]).is_some().into()),
            b"HLEN" => count(hash.len()),
            b"HEXISTS" => count(hash.contains_key(&rest[0]).into()),
            _ => {
                let old = hash.get(&rest[0]).map_or(Some(0), |text| integer(text));
                let old = old.ok_or("ERR hash value is not an integer")?;
                let new = old.checked_add(by).ok_or(OVERFLOW)?;
                hash.insert(rest[0].clone(), new.to_string().into_bytes());
                Value::Integer(new)
            }
        };
        if hash.is_empty() {
            self.keys.remove(key);
        } else {
            self.keys.insert(key.clone(), Kept::Hash(hash));
        }
        Ok(reply)
    }

    fn text(&self, key: &Word) -> Result<Option<&Word>, &'static str> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Kept::Text(text)) => Ok(Some(text)),
            Some(Kept::Hash(_)) => Err(WRONG_TYPE),
        }
    }

    fn add(&mut self, key: &Word, by: Option<i64>) -> Result<Value, &'static str> {
        let old = self.text(key)?.map_or(Some(0), |text| integer(text));
        let old = old.ok_or(NO_INTEGER)?;
        let new = by.and_then(|by| old.checked_add(by)).ok_or(OVERFLOW)?;
        let text = new.to_string().into_bytes();
        self.keys.insert(key.clone(), Kept::Text(text));
        Ok(Value::Integer(new))
    }
}
