//! Puts to a group of etcd as fast as so many clients can, each with a connection of its own and
//! one put at a time. usage: SECONDS CLIENTS ENDPOINT; prints puts per second and the median in µs.

use std::time::{Duration, Instant};

use prost::Message;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic_prost::ProstCodec;

/// The fields of etcd's `PutRequest` that are needed (etcd's api/etcdserverpb/rpc.proto).
#[derive(Clone, PartialEq, Message)]
struct Put {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// The answer, of which nothing is needed.
#[derive(Clone, PartialEq, Message)]
struct Done {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut words = std::env::args().skip(1);
    let mut number = || -> u64 {
        let word = words.next().expect("SECONDS CLIENTS ENDPOINT");
        word.parse().expect("a number")
    };
    let (seconds, clients) = (number(), number());
    let endpoint = words.next().expect("an endpoint");
    let value = "v".repeat(64);
    let mut tasks = Vec::new();
    for client in 0..clients {
        let endpoint = Endpoint::from_shared(endpoint.clone()).expect("an endpoint");
        let mut connection = Grpc::new(endpoint.connect().await.expect("etcd"));
        let value = value.clone();
        tasks.push(async move {
            let begun = Instant::now();
            let mut took = Vec::new();
            let mut draw = client;
            while begun.elapsed() < Duration::from_secs(seconds) {
                draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let key = format!("key:{:012}", (draw >> 33) % 100_000);
                let asked = Instant::now();
                let put = Put {
                    key: key.into_bytes(),
                    value: value.clone().into_bytes(),
                };
                connection.ready().await.expect("a connection");
                let path = PathAndQuery::from_static("/etcdserverpb.KV/Put");
                let codec = ProstCodec::<Put, Done>::default();
                let done = connection.unary(tonic::Request::new(put), path, codec).await;
                done.expect("a put");
                took.push(asked.elapsed());
            }
            took
        });
    }
    let begun = Instant::now();
    let running: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut took = Vec::new();
    for task in running {
        took.append(&mut task.await.expect("a client"));
    }
    let elapsed = begun.elapsed().as_secs_f64();
    took.sort();
    let median = took[took.len() / 2].as_micros();
    println!("{:.0} {median}", took.len() as f64 / elapsed);
}
