//! The first bytes of a connection between members: versions, proof of the secret, greetings.
//!
//! Each side proves that it knows the secret by a keyed sum (HMAC, RFC 2104) over what it says and
//! the other's fresh number, so that nothing that was overheard can be used again. What follows on
//! the connection is not protected: the network between members is to be trusted, or tunnelled.

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

/// Opens a connection that this side has made; what the other says of itself.
pub(crate) async fn dial(
    stream: &mut TcpStream,
    secret: &[u8],
    own: &Greeting,
) -> Result<Greeting, Failure> {
    within_patience(async {
        let (ours, theirs) = exchange_prefaces(stream).await?;
        ours.common_version(&theirs)?;
        say(stream, secret, Side::Dialler, &theirs, &own.encode()).await?;
        hear(stream, secret, Side::Answerer, &ours).await
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
        let (ours, theirs) = exchange_prefaces(stream).await?;
        let heard = match ours.common_version(&theirs) {
            Ok(_) => hear(stream, secret, Side::Dialler, &ours).await,
            Err(refusal) => Err(refusal.into()),
        };
        let judged = match heard {
            Ok(greeting) => judge(&greeting).map(|own| (greeting, own)),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(other) => return Err(other),
        };
        match judged {
            Ok((greeting, own)) => {
                say(stream, secret, Side::Answerer, &theirs, &own.encode()).await?;
                Ok(greeting)
            }
            // Who comes too early finds the door shut and comes again.
            Err(refusal) if refusal.passes() => Err(refusal.into()),
            Err(refusal) => {
                turn_away(stream, &refusal).await?;
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
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&entropy().to_le_bytes());
    nonce[8..].copy_from_slice(&entropy().to_le_bytes());
    let ours = Preface {
        versions: seedis::node::greeting::VERSIONS,
        nonce,
    };
    stream.write_all(&ours.encode()).await?;
    let mut bytes = [0; PREFACE_BYTES];
    stream.read_exact(&mut bytes).await?;
    let theirs =
        Preface::decode(&bytes).ok_or_else(|| garbage("no member of a group speaks so"))?;
    Ok((ours, theirs))
}

fn garbage(what: &str) -> Failure {
    Failure::Lost(io::Error::new(io::ErrorKind::InvalidData, what))
}

fn proof(secret: &[u8], side: Side, hearer: &Preface, said: &[u8]) -> Hmac<Sha256> {
    // A key of any length will do (RFC 2104).
    let mut proof = Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| unreachable!());
    proof.update(&[side as u8]);
    proof.update(&hearer.nonce);
    proof.update(said);
    proof
}

/// Says something: its length, the bytes, the proof. A length of 0 stands before a refusal.
async fn say(
    stream: &mut TcpStream,
    secret: &[u8],
    side: Side,
    hearer: &Preface,
    said: &[u8],
) -> Result<(), Failure> {
    let sum = proof(secret, side, hearer, said).finalize().into_bytes();
    let len = (said.len() as u32).to_le_bytes();
    stream
        .write_all(&[&len[..], said, &sum[..]].concat())
        .await?;
    Ok(())
}

async fn turn_away(stream: &mut TcpStream, refusal: &Refusal) -> Result<(), Failure> {
    let text = refusal.to_string();
    let len = (text.len() as u32).to_le_bytes();
    let bytes = [&[0; 4], &len[..], text.as_bytes()].concat();
    stream.write_all(&bytes).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn hear(
    stream: &mut TcpStream,
    secret: &[u8],
    side: Side,
    hearer: &Preface,
) -> Result<Greeting, Failure> {
    let said = heard_bytes(stream).await?;
    if said.is_empty() {
        let why = heard_bytes(stream).await?;
        return Err(Failure::TurnedAway(
            String::from_utf8_lossy(&why).into_owned(),
        ));
    }
    let mut sum = [0; PROOF_BYTES];
    stream.read_exact(&mut sum).await?;
    let is_proven = proof(secret, side, hearer, &said)
        .verify_slice(&sum)
        .is_ok();
    if !is_proven {
        return Err(Refusal::Secret.into());
    }
    Greeting::decode(&said).ok_or_else(|| garbage("a greeting that is none"))
}

async fn heard_bytes(stream: &mut TcpStream) -> Result<Vec<u8>, Failure> {
    let mut len = [0; 4];
    stream.read_exact(&mut len).await?;
    let len = u32::from_le_bytes(len) as usize;
    if len > GREETING_BYTES_MAX {
        return Err(garbage("a greeting that is too long"));
    }
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
