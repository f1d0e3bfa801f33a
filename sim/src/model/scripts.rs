//! Scripts and functions: a few that clients use, each with its effect written down a second time.
//!
//! No Lua is run here. A text that is none of these is not known, and its reply is anything.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};

use super::libraries::{self, Library};
use super::{Answer, Call, Called, Want, find};

/// The scripts that the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// So many requests in a window of time.
    Limiter,
    /// A lock goes only if it is the caller's.
    Unlock,
    /// Items go from one list to another.
    Move,
    /// Fields of a hash are counted up.
    Counters,
    /// An error is caught, and told otherwise.
    Guarded,
    /// A number by chance becomes a member.
    Chance,
    /// The time becomes a value.
    Clock,
    /// The members of a set, in order, become a value.
    Collect,
    /// A key is written that the request does not name as such.
    Undeclared,
    /// Items are pushed.
    Push,
    /// A value is read.
    Get,
    /// A loop without end behind a write.
    Endless,
    /// A sum that takes a while.
    Sum,
    /// No script at all.
    Broken,
}

impl Template {
    pub(crate) const ALL: [Self; 14] = [
        Self::Limiter,
        Self::Unlock,
        Self::Move,
        Self::Counters,
        Self::Guarded,
        Self::Chance,
        Self::Clock,
        Self::Collect,
        Self::Undeclared,
        Self::Push,
        Self::Get,
        Self::Endless,
        Self::Sum,
        Self::Broken,
    ];

    /// Its text, on one line.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Limiter => {
                "local n = redis.call('INCR', KEYS[1]) \
                 if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end \
                 if n > tonumber(ARGV[2]) then return 0 end \
                 return n"
            }
            Self::Unlock => {
                "if redis.call('GET', KEYS[1]) == ARGV[1] then \
                 return redis.call('DEL', KEYS[1]) else return 0 end"
            }
            Self::Move => {
                "local moved = 0 while moved < tonumber(ARGV[1]) do \
                 local item = redis.call('RPOP', KEYS[1]) if not item then break end \
                 redis.call('LPUSH', KEYS[2], item) moved = moved + 1 end return moved"
            }
            Self::Counters => {
                "local sum = 0 redis.log(redis.LOG_NOTICE, KEYS[1]) \
                 for place, field in ipairs(ARGV) do \
                 sum = sum + redis.call('HINCRBY', KEYS[1], field, place) \
                 redis.log(redis.LOG_WARNING, field, sum) end \
                 return {sum, #ARGV, 'n' .. sum, false, true, nil, 7}"
            }
            Self::Guarded => {
                "local r = redis.pcall('LPUSH', KEYS[1], ARGV[1]) \
                 if type(r) == 'table' and r.err then redis.call('SET', KEYS[2], r.err) \
                 return redis.error_reply('GUARDED ' .. ARGV[1]) end return r"
            }
            Self::Chance => {
                "local n = tostring(math.random(1, 1000000)) \
                 redis.call('SADD', KEYS[1], n) return n"
            }
            Self::Clock => {
                "local t = redis.call('TIME') \
                 redis.call('SET', KEYS[1], t[1] .. '.' .. t[2]) return t"
            }
            Self::Collect => {
                "local all, s = redis.call('SMEMBERS', KEYS[1]), '' \
                 for place, member in ipairs(all) do \
                 if place > 1 then s = s .. ',' end s = s .. member end \
                 redis.call('SET', KEYS[2], s) return all"
            }
            Self::Undeclared => {
                "redis.call('SET', ARGV[1], ARGV[2]) return redis.status_reply('DONE')"
            }
            Self::Push => "return redis.call('RPUSH', KEYS[1], unpack(ARGV))",
            Self::Get => "return redis.call('GET', KEYS[1])",
            Self::Endless => {
                "redis.call('SET', KEYS[1], ARGV[1]) while true do redis.log(1, ARGV[1]) end"
            }
            Self::Sum => {
                "local s = 0 for i = 1, tonumber(ARGV[1]) do s = s + i * i end \
                 redis.call('INCRBY', KEYS[1], s) return s"
            }
            Self::Broken => "return )",
        }
    }

    /// The name by which EVALSHA calls it.
    pub(crate) fn sha(self) -> String {
        sha(self.text().as_bytes())
    }

    fn of(text: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|template| template.text().as_bytes() == text)
    }

    /// Returns true if what it writes is by chance: its reply tells.
    pub(crate) fn draws(words: &[Vec<u8>]) -> bool {
        let is = |place: usize, text: &str| {
            let word = words.get(place);
            word.is_some_and(|word| word.eq_ignore_ascii_case(text.as_bytes()))
        };
        let text = words.get(1).map_or(&[][..], |word| word);
        is(0, "eval") && Self::of(text) == Some(Self::Chance)
            || is(0, "evalsha") && is(1, &Self::Chance.sha())
    }
}

fn sha(text: &[u8]) -> String {
    let mut name = String::new();
    for byte in Sha1::digest(text) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// One script that is run.
struct Script<'c, 'a> {
    call: &'c mut Call<'a>,
    keys: Vec<Vec<u8>>,
    others: Vec<Vec<u8>>,
    only_reads: bool,
}

impl<'c, 'a> Script<'c, 'a> {
    /// One with a single key.
    fn with_key(call: &'c mut Call<'a>, key: &[u8], only_reads: bool) -> Self {
        Self {
            call,
            keys: vec![key.to_vec()],
            others: Vec::new(),
            only_reads,
        }
    }
}

impl Script<'_, '_> {
    /// Runs a command; its error is not told where it stands yet.
    fn run(&mut self, words: &[&[u8]]) -> Answer {
        let row = find(words[0]).ok_or("ERR Unknown Redis command called from script")?;
        if self.only_reads && row.class == super::Class::Write {
            return Err("ERR Write commands are not allowed from read-only scripts.".to_owned());
        }
        let mut inner = Call {
            model: self.call.model,
            db: self.call.db,
            moment: self.call.moment,
            args: words,
            drawn: &[],
        };
        let answer = (row.run)(&mut inner);
        let (model, at) = (&mut *self.call.model, self.call.moment.at);
        let written = model.take_written();
        let is_gone = |(db, key): &&(u32, Vec<u8>)| model.get(*db, key, at).is_none();
        let gone = written.iter().filter(is_gone).cloned().collect();
        if !written.is_empty() {
            model.called.push(Called {
                db: self.call.db,
                words: words.iter().map(|word| word.to_vec()).collect(),
                written,
                gone,
            });
        }
        answer
    }

    fn key(&self, place: usize) -> Vec<u8> {
        self.keys.get(place).cloned().unwrap_or_default()
    }

    fn other(&self, place: usize) -> Vec<u8> {
        self.others.get(place).cloned().unwrap_or_default()
    }

    fn count(&self, place: usize) -> i64 {
        super::integer(&self.other(place)).unwrap_or_default()
    }

    fn play(&mut self, template: Template) -> Answer {
        let (first, second) = (self.key(0), self.key(1));
        match template {
            Template::Limiter => {
                let Want::Integer(n) = self.run(&[b"INCR", &first])? else {
                    return Ok(Want::Anything);
                };
                if n == 1 {
                    self.run(&[b"PEXPIRE", &first, &self.other(0)])?;
                }
                Ok(Want::Integer(if n > self.count(1) { 0 } else { n }))
            }
            Template::Unlock => {
                let held = self.run(&[b"GET", &first])?;
                if held == Want::Bulk(self.other(0)) {
                    return self.run(&[b"DEL", &first]);
                }
                Ok(Want::Integer(0))
            }
            Template::Move => {
                let mut moved = 0;
                while moved < self.count(0) {
                    let Want::Bulk(item) = self.run(&[b"RPOP", &first])? else {
                        break;
                    };
                    self.run(&[b"LPUSH", &second, &item])?;
                    moved += 1;
                }
                Ok(Want::Integer(moved))
            }
            Template::Counters => {
                let mut sum = 0;
                for (place, field) in (1..).zip(self.others.clone()) {
                    let by = format!("{place}");
                    let done = self.run(&[b"HINCRBY", &first, &field, by.as_bytes()])?;
                    if let Want::Integer(n) = done {
                        sum += n;
                    }
                }
                let spelled = format!("n{sum}");
                Ok(Want::Array(vec![
                    Want::Integer(sum),
                    Want::Integer(self.others.len() as i64),
                    Want::Bulk(spelled.into_bytes()),
                    Want::Null,
                    Want::Integer(1),
                ]))
            }
            Template::Guarded => match self.run(&[b"LPUSH", &first, &self.other(0)]) {
                Err(text) => {
                    self.run(&[b"SET", &second, text.as_bytes()])?;
                    let told = String::from_utf8_lossy(&self.other(0)).into_owned();
                    Ok(Want::Error(format!("GUARDED {told}")))
                }
                pushed => pushed,
            },
            Template::Chance => {
                let Some(drawn) = self.call.drawn.first().cloned() else {
                    return self.run(&[b"SADD", &first, b"0"]).map(|_| Want::Anything);
                };
                self.run(&[b"SADD", &first, &drawn])?;
                Ok(Want::Bulk(drawn))
            }
            Template::Clock => {
                let moment = self.call.moment;
                let ms = moment.at.saturating_add_signed(moment.offset);
                let (seconds, us) = (ms / 1000, ms % 1000 * 1000);
                let spelled = format!("{seconds}.{us}");
                self.run(&[b"SET", &first, spelled.as_bytes()])?;
                let parts = [seconds, us].map(|part| Want::Bulk(part.to_string().into_bytes()));
                Ok(Want::Array(parts.to_vec()))
            }
            Template::Collect => {
                let members = self.call.set(&first)?;
                let members: Vec<Vec<u8>> = members.into_iter().flatten().cloned().collect();
                self.run(&[b"SET", &second, &members.join(&b","[..])])?;
                Ok(Want::Array(members.into_iter().map(Want::Bulk).collect()))
            }
            Template::Undeclared => {
                self.run(&[b"SET", &self.other(0), &self.other(1)])?;
                Ok(Want::Simple("DONE"))
            }
            Template::Push => {
                let mut words = vec![b"RPUSH".to_vec(), first];
                words.extend(self.others.iter().cloned());
                let words: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
                self.run(&words)
            }
            Template::Get => self.run(&[b"GET", &first]),
            Template::Endless => {
                self.run(&[b"SET", &first, &self.other(0)])?;
                Ok(Want::ErrorCode(
                    "ERR Error running script: it has taken more than ",
                ))
            }
            Template::Sum => {
                let sum: i64 = (1..=self.count(0)).map(|i| i * i).sum();
                self.run(&[b"INCRBY", &first, sum.to_string().as_bytes()])?;
                Ok(Want::Integer(sum))
            }
            Template::Broken => Err(String::new()),
        }
    }
}

/// EVAL, EVALSHA and those of them that only read.
pub(super) fn eval(call: &mut Call<'_>) -> Answer {
    let name = call.name();
    let only_reads = name.ends_with("_ro");
    let keys = call.integer(2)?;
    let keys = usize::try_from(keys).map_err(|_| "ERR Number of keys can't be negative")?;
    let behind = 3 + keys;
    if behind > call.args.len() {
        return Err("ERR Number of keys can't be greater than number of args".to_owned());
    }
    let text = if name.starts_with("evalsha") {
        let sha = call.word(1);
        let kept = call.model.scripts.get(&sha).cloned();
        kept.ok_or("NOSCRIPT No matching script. Please use EVAL.")?
    } else {
        call.arg(1)
    };
    let Some(template) = Template::of(&text) else {
        return Ok(Want::whatever());
    };
    if template == Template::Broken {
        let code = "ERR Error compiling script (new function): user_script:1: ";
        return Ok(Want::ErrorCode(code));
    }
    if !only_reads {
        call.model.keep_script(&text);
    }
    let take = |range: std::ops::Range<usize>| -> Vec<Vec<u8>> {
        call.args[range].iter().map(|arg| arg.to_vec()).collect()
    };
    let (keys, others) = (take(3..behind), take(behind..call.args.len()));
    let mut script = Script {
        call,
        keys,
        others,
        only_reads,
    };
    script.play(template).map_err(|text| {
        let sha = sha(template.text().as_bytes());
        format!("{text} script: {sha}, on @user_script:1.")
    })
}

/// SCRIPT LOAD and SCRIPT FLUSH.
#[expect(clippy::unnecessary_wraps, reason = "all commands have one type")]
pub(super) fn script(call: &mut Call<'_>) -> Answer {
    match &call.word(1)[..] {
        "load" => {
            let text = call.arg(2);
            if Template::of(&text) == Some(Template::Broken) {
                let code = "ERR Error compiling script (new function): user_script:1: ";
                return Ok(Want::ErrorCode(code));
            }
            call.model.keep_script(&text);
            Ok(Want::Bulk(sha(&text).into_bytes()))
        }
        "flush" => {
            call.model.scripts.clear();
            Ok(Want::OK)
        }
        "exists" => {
            let known = |word: &&[u8]| {
                let sha = String::from_utf8_lossy(word).to_ascii_lowercase();
                Want::flag(call.model.scripts.contains_key(&sha))
            };
            Ok(Want::Array(call.args[2..].iter().map(known).collect()))
        }
        _ => Ok(Want::whatever()),
    }
}

/// FUNCTION LOAD, DELETE, FLUSH, RESTORE, LIST and STATS.
pub(super) fn function(call: &mut Call<'_>) -> Answer {
    match &call.word(1)[..] {
        "load" => {
            let Some(library) = Library::of(&call.arg(call.args.len() - 1)) else {
                return Ok(Want::whatever());
            };
            let replaces = call.word(2) == "replace";
            libraries::load(&mut call.model.libraries, library, replaces)?;
            Ok(Want::Bulk(library.name().into_bytes()))
        }
        "delete" => {
            let name = call.word(2);
            let number = name.strip_prefix("lib").and_then(|text| text.parse().ok());
            let was = number.and_then(|number: u64| call.model.libraries.remove(&number));
            was.map(|_| Want::OK)
                .ok_or("ERR Library not found".to_owned())
        }
        "flush" => {
            call.model.libraries.clear();
            Ok(Want::OK)
        }
        "restore" => {
            let (payload, policy) = (call.arg(2), call.word(3));
            match libraries::restore(&mut call.model.libraries, &payload, &policy) {
                None => Ok(Want::whatever()),
                Some(done) => done.map(|()| Want::OK),
            }
        }
        "list" if call.args.len() == 2 => Ok(Want::Items(call.model.libraries.len())),
        "dump" => {
            let all = call.model.libraries.iter();
            let all = all.map(|(number, version)| Library {
                number: *number,
                version: *version,
            });
            Ok(Want::Bulk(libraries::payload(&all.collect::<Vec<_>>())))
        }
        _ => Ok(Want::whatever()),
    }
}

/// FCALL and FCALL_RO.
pub(super) fn fcall(call: &mut Call<'_>) -> Answer {
    let only_reads = call.name().ends_with("_ro");
    let name = call.word(1);
    let loaded = call.model.libraries.clone();
    let own = |prefix: &str| {
        let number: u64 = name.strip_prefix(prefix)?.parse().ok()?;
        Some((number, *loaded.get(&number)?))
    };
    let shared = loaded
        .iter()
        .find(|(_, version)| **version == libraries::SHARES);
    let shared = shared.filter(|_| name == "shared");
    let (bump, read) = (own("bump"), own("read"));
    let Some((number, version)) = bump.or(read).or(shared.map(|(one, two)| (*one, *two))) else {
        return Err("ERR Function not found".to_owned());
    };
    if only_reads && read.is_none() {
        let text = "ERR Can not execute a script with write flag using *_ro command.";
        return Err(text.to_owned());
    }
    let key = call.arg(3);
    let mut script = Script::with_key(call, &key, only_reads || read.is_some());
    let step = version as i64 + 1;
    let done = if read.is_some() {
        script.run(&[b"GET", &key]).map(|found| {
            let found = [
                Want::Integer(1),
                found,
                Want::Integer(step),
                Want::Integer(1),
            ];
            Want::Array(found.to_vec())
        })
    } else if bump.is_some() {
        script.run(&[b"INCRBY", &key, step.to_string().as_bytes()])
    } else {
        script.run(&[b"RPUSH", &key, format!("lib{number}").as_bytes()])
    };
    done.map_err(|text| format!("{text} script: {name}, on @user_function:2."))
}

impl super::Model {
    fn keep_script(&mut self, text: &[u8]) {
        self.scripts.insert(sha(text), text.to_vec());
    }
}
