//! A disk that is a map of files, and a recovery that runs over it to its end.

use std::collections::BTreeMap;

use seedis::aof::{Event, Log, Op, Policy, Recovery, Restated, Settings};
use seedis::disk::{DiskDone, DiskError, DiskOp, FileName};
use seedis::time::{Mono, Now};

/// No file of a fuzzed directory grows beyond this, in bytes.
const FILE_BYTES_MAX: u64 = 8 << 20;
/// A recovery that asks for more operations than this does not end.
const OPS_MAX: usize = 10_000;

/// The files of a directory; all that is written is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk(pub BTreeMap<FileName, Vec<u8>>);

impl Disk {
    /// Does an operation at once; a file that grows too large finds no space.
    pub fn perform(&mut self, op: DiskOp) -> Result<DiskDone, DiskError> {
        match op {
            DiskOp::Create { file, size } => {
                self.0.insert(file, vec![0; bounded(size)?]);
            }
            DiskOp::WriteAt {
                file,
                offset,
                bytes,
            } => {
                let end = bounded(offset.saturating_add(bytes.len() as u64))?;
                let content = self.0.get_mut(&file).ok_or(DiskError::NotFound)?;
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[end - bytes.len()..end].copy_from_slice(&bytes);
                return Ok(DiskDone::Written { bytes });
            }
            DiskOp::WriteShared {
                file,
                offset,
                bytes,
            } => {
                let bytes = bytes.to_vec();
                self.perform(DiskOp::WriteAt {
                    file,
                    offset,
                    bytes,
                })?;
            }
            DiskOp::Sync { file } => {
                self.0.get(&file).ok_or(DiskError::NotFound)?;
            }
            DiskOp::Read { file, offset, len } => {
                let content = self.0.get(&file).ok_or(DiskError::NotFound)?;
                let from = content.len().min(offset as usize);
                let to = content.len().min(from.saturating_add(len as usize));
                return Ok(DiskDone::Read {
                    bytes: content[from..to].to_vec(),
                });
            }
            DiskOp::Truncate { file, len } => {
                let len = bounded(len)?;
                let content = self.0.get_mut(&file).ok_or(DiskError::NotFound)?;
                content.resize(len, 0);
            }
            DiskOp::Rename { from, to } => {
                let content = self.0.remove(&from).ok_or(DiskError::NotFound)?;
                self.0.insert(to, content);
            }
            DiskOp::Remove { file } => {
                self.0.remove(&file);
            }
            DiskOp::SyncDir => {}
            DiskOp::List => {
                let files = self.0.iter().map(|(name, b)| (*name, b.len() as u64));
                return Ok(DiskDone::Listed {
                    files: files.collect(),
                });
            }
        }
        Ok(DiskDone::Done)
    }
}

fn bounded(size: u64) -> Result<usize, DiskError> {
    if size > FILE_BYTES_MAX {
        return Err(DiskError::NoSpace { bytes: Vec::new() });
    }
    Ok(size as usize)
}

/// A moment at which the fuzzed log lives.
pub(crate) fn at(millis: u64) -> Now {
    Now {
        mono: Mono::from_millis(millis),
        wall_us: 0,
    }
}

/// The settings of a fuzzed log.
pub(crate) fn settings(policy: Policy) -> Settings {
    Settings {
        policy,
        segment_bytes: 4096,
        piece_bytes: 64,
        read_bytes: seedis::limits::READ_BYTES,
        identity: b"me".to_vec(),
    }
}

/// The results of a recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) identity: Vec<u8>,
    /// The base's head and pieces.
    pub(crate) base: Vec<Vec<u8>>,
    /// The restated values and the body of each record.
    pub(crate) records: Vec<(Restated, Vec<u8>)>,
}

/// How a recovery has ended.
#[derive(Debug)]
pub(crate) enum End {
    /// With a log.
    Done(Box<Log>),
    /// With a reason, which is never empty.
    Refused(String),
}

/// Runs a recovery to its end.
pub(crate) fn recover(disk: &mut Disk, policy: Policy) -> (Seen, End) {
    let (seen, recovery, end) = run(disk, Recovery::new(settings(policy)));
    match end {
        Ok(()) => (seen, End::Done(Box::new(recovery.into_log(at(0))))),
        Err(why) => (seen, End::Refused(why)),
    }
}

/// Runs a recovery that only looks, and says whether it was content.
pub(crate) fn look(disk: &Disk) -> (Seen, Result<(), String>) {
    let mut copy = disk.clone();
    let recovery = Recovery::read_only(settings(Policy::Always));
    let (seen, _, end) = run(&mut copy, recovery);
    assert!(copy == *disk, "a look changes nothing");
    (seen, end)
}

fn run(disk: &mut Disk, mut recovery: Recovery) -> (Seen, Recovery, Result<(), String>) {
    let (mut seen, mut ops, mut end) = (Seen::default(), Vec::new(), None);
    recovery.start(&mut ops);
    for _ in 0..OPS_MAX {
        let Some(Op { ticket, op }) = ops.pop() else {
            break;
        };
        assert!(end.is_none(), "{op:?} is asked for behind the end");
        let outcome = disk.perform(op);
        recovery.completed(ticket, outcome, &mut ops, &mut |event| {
            assert!(end.is_none(), "{event:?} comes behind the end");
            match event {
                Event::Identity(identity) => seen.identity = identity.to_vec(),
                Event::BaseHead(bytes) | Event::BasePiece(bytes) => {
                    seen.base.push(bytes.to_vec());
                }
                Event::Record { restated, body, .. } => {
                    seen.records.push((restated, body.to_vec()));
                }
                Event::Note(note) => assert!(!note.is_empty()),
                Event::Stray { .. } | Event::InDebt(_) => {}
                Event::Refused(why) => end = Some(Err(why)),
                Event::Damaged { why, advice, .. } => end = Some(Err(why + advice)),
                Event::Done => end = Some(Ok(())),
            }
        });
    }
    let end = end.expect("a recovery ends");
    if let Err(why) = &end {
        assert!(!why.is_empty());
    }
    (seen, recovery, end)
}
