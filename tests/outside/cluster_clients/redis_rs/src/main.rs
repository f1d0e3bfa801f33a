//! Writes through the crate `redis` in cluster mode while the leader changes: SECONDS PORT...
//!
//! It is the asynchronous client: the blocking one (as of 1.8) never asks who leads now while the
//! former leader cannot be reached.

use std::time::{Duration, Instant};

use redis::AsyncCommands;
use redis::cluster::ClusterClient;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut words = std::env::args().skip(1);
    let seconds: u64 = words.next().expect("seconds").parse().expect("a number");
    let nodes: Vec<String> = words
        .map(|port| format!("redis://127.0.0.1:{port}"))
        .collect();
    let client = ClusterClient::builder(nodes)
        .response_timeout(Duration::from_secs(2))
        .connection_timeout(Duration::from_secs(1))
        .build()
        .expect("a client");
    let mut connection = client.get_async_connection().await.expect("a connection");
    let begun = Instant::now();
    let (mut number, mut acknowledged, mut gap, mut last) = (0_u64, 0, Duration::ZERO, begun);
    let mut errors = Vec::new();
    while begun.elapsed() < Duration::from_secs(seconds) {
        number += 1;
        let outcome: redis::RedisResult<()> = connection.set("redis-rs", number).await;
        match outcome {
            Ok(()) => {
                acknowledged = number;
                gap = gap.max(last.elapsed());
                last = Instant::now();
            }
            Err(error) => {
                errors.push(error.to_string());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    let found: u64 = connection.get("redis-rs").await.expect("an answer");
    assert!(found >= acknowledged, "{found} of {acknowledged}");
    let (errors_seen, gap_ms) = (errors.len(), gap.as_millis());
    println!("redis-rs writes={acknowledged} errors={errors_seen} gap_ms={gap_ms}");
    errors.iter().take(5).for_each(|error| eprintln!("{error}"));
}
