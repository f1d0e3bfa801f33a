//! The first bytes of a connection between members: versions, proof of the secret, greetings.
//!
//! Each side proves that it knows the secret by a keyed sum (HMAC, RFC 2104) over all that was said
//! on the connection so far: both prefaces, with the versions and a fresh number each, the
//! greetings, and which side it is that speaks. Nothing that was overheard can be used again, nor
//! turned around, nor can anybody in between change a byte of it. The rest of the connection is not
//! protected: the network between members is to be trusted, or tunnelled.

use std::io;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use seedis::node::greeting::{GREETING_BYTES_MAX, Greeting, PREFACE_BYTES, Preface, Refusal};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::entropy;

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(3);
const PROOF_BYTES: usize = 32;
/// The purpose of the sums: no other use of the same secret makes the same.
const PURPOSE: &[u8] = b"seedis members 3";
/// The longest reason of a refusal, in bytes. It is not proven, and is put into the log.
const REASON_BYTES_MAX: usize = 1024;

/// Which side of the connection speaks: an answer must not pass for a question.
#[derive(Clone, Copy, Debug)]
enum Side {
    Dialler = 1,
    Answerer = 2,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The network, or what has come is not from a member.
    Lost(io::Error),
    /// This side refuses the other.
    Refused(Refusal),
    /// The other refuses this one, in its words.
    TurnedAway(String),
    /// The other cannot say anything yet, and why.
    NotYet(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The words said on a connection before it is accepted.
struct Talk<'a> {
    stream: &'a mut TcpStream,
    secret: &'a [u8],
    dialler: Preface,
    answerer: Preface,
    /// The dialler's part, once it has come.
    question: Vec<u8>,
}

/// Opens a connection that this side has made; what the other says of itself.
pub(crate) async fn dial(
    stream: &mut TcpStream,
    secret: &[u8],
    own: &Greeting,
) -> Result<Greeting, Failure> {
    within_patience(async {
        let (dialler, answerer) = exchange_prefaces(stream).await?;
        dialler.common_version(&answerer)?;
        let mut talk = Talk {
            stream,
            secret,
            dialler,
            answerer,
            question: Vec::new(),
        };
        talk.say(Side::Dialler, own.encode()).await?;
        talk.hear(Side::Answerer).await
    })
    .await
}

/// Opens a connection that the other side has made. `judge` says what is answered to whom.
pub(crate) async fn answer(
    stream: &mut TcpStream,
    secret: &[u8],
    judge: impl FnOnce(&Greeting) -> Result<Greeting, Refusal>,
) -> Result<Greeting, Failure> {
    within_patience(async {
        let (answerer, dialler) = exchange_prefaces(stream).await?;
        let version = answerer.common_version(&dialler);
        let mut talk = Talk {
            stream,
            secret,
            dialler,
            answerer,
            question: Vec::new(),
        };
        let heard = match version {
            Ok(_) => talk.hear(Side::Dialler).await,
            Err(refusal) => Err(refusal.into()),
        };
        let judged = match heard {
            Ok(greeting) => judge(&greeting).map(|own| (greeting, own)),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(other) => return Err(other),
        };
        match judged {
            Ok((greeting, own)) => {
                talk.say(Side::Answerer, own.encode()).await?;
                Ok(greeting)
            }
            Err(refusal) => {
                turn_away(talk.stream, &refusal).await?;
                Err(refusal.into())
            }
        }
    })
    .await
}

async fn within_patience(
    handshake: impl Future<Output = Result<Greeting, Failure>>,
) -> Result<Greeting, Failure> {
    let outcome = tokio::time::timeout(PATIENCE, handshake).await;
    outcome.unwrap_or_else(|_| Err(Failure::Lost(io::ErrorKind::TimedOut.into())))
}

async fn exchange_prefaces(stream: &mut TcpStream) -> Result<(Preface, Preface), Failure> {
    let ours = Preface {
        versions: seedis::node::greeting::VERSIONS,
        nonce: entropy::secret()?.to_le_bytes(),
    };
    stream.write_all(&ours.encode()).await?;
    let mut bytes = [0; PREFACE_BYTES];
    stream.read_exact(&mut bytes).await?;
    let theirs =
        Preface::decode(&bytes).ok_or_else(|| garbage("this is not the protocol of members"))?;
    if theirs.nonce == ours.nonce {
        return Err(garbage("it repeats the challenge that it was sent"));
    }
    Ok((ours, theirs))
}

fn garbage(what: &str) -> Failure {
    Failure::Lost(io::Error::new(io::ErrorKind::InvalidData, what))
}

impl Talk<'_> {
    /// The sum over all that was said, and what is said now.
    fn proof(&self, side: Side, said: &[u8]) -> Hmac<Sha256> {
        // A key of any length will do (RFC 2104).
        let mut proof =
            Hmac::<Sha256>::new_from_slice(self.secret).unwrap_or_else(|_| unreachable!());
        proof.update(PURPOSE);
        proof.update(&[side as u8]);
        proof.update(&self.dialler.encode());
        proof.update(&self.answerer.encode());
        for part in [&self.question[..], said] {
            proof.update(&(part.len() as u32).to_le_bytes());
            proof.update(part);
        }
        proof
    }

    /// Says something: its length, the bytes, the proof. A length of 0 stands before a refusal.
    async fn say(&mut self, side: Side, said: Vec<u8>) -> Result<(), Failure> {
        let sum = self.proof(side, &said).finalize().into_bytes();
        let len = (said.len() as u32).to_le_bytes();
        self.stream
            .write_all(&[&len[..], &said[..], &sum[..]].concat())
            .await?;
        self.question = said;
        Ok(())
    }

    async fn hear(&mut self, side: Side) -> Result<Greeting, Failure> {
        let said = heard_bytes(self.stream, GREETING_BYTES_MAX).await?;
        if said.is_empty() {
            let passes = self.stream.read_u8().await? != 0;
            let why = heard_bytes(self.stream, REASON_BYTES_MAX).await?;
            let why = printable(&why);
            return Err(if passes {
                Failure::NotYet(why)
            } else {
                Failure::TurnedAway(why)
            });
        }
        let mut sum = [0; PROOF_BYTES];
        self.stream.read_exact(&mut sum).await?;
        // In a time that does not depend on how much of it is right.
        if self.proof(side, &said).verify_slice(&sum).is_err() {
            return Err(Refusal::Secret.into());
        }
        let greeting = Greeting::decode(&said);
        self.question = said;
        greeting.ok_or_else(|| garbage("an invalid greeting"))
    }
}

/// The words of a peer that has proven nothing, made safe for a line of the log.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(shown).collect()
}

async fn turn_away(stream: &mut TcpStream, refusal: &Refusal) -> Result<(), Failure> {
    let text = refusal.to_string();
    let text = &text.as_bytes()[..text.len().min(REASON_BYTES_MAX)];
    let len = (text.len() as u32).to_le_bytes();
    let passes = [u8::from(refusal.passes())];
    let bytes = [&[0; 4], &passes[..], &len[..], text].concat();
    stream.write_all(&bytes).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn heard_bytes(stream: &mut TcpStream, most: usize) -> Result<Vec<u8>, Failure> {
    let mut len = [0; 4];
    stream.read_exact(&mut len).await?;
    let len = u32::from_le_bytes(len) as usize;
    if len > most {
        return Err(garbage("a greeting is too long"));
    }
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
