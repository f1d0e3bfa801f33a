//! A server's answers while its disk has not been read yet.

use seedis::ids::{ConnId, Incarnation, NodeId};
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::time::Now;

use crate::bare::{self, opened};

const CLIENT: ConnId = ConnId(1);

/// A node whose disk does not answer, and one client.
fn loading(config: Config) -> Node {
    let mut node = Node::new(config, Now::default());
    node.handle(Now::default(), opened(CLIENT, "127.0.0.1:1"));
    node.flush(Now::default(), &mut Vec::new());
    node
}

fn ask(node: &mut Node, request: &str) -> String {
    bare::ask(node, Now::default(), CLIENT, request)
}

#[test]
fn a_lone_server_that_loads_is_a_master_that_loads() {
    let mut node = loading(Config::default());
    assert!(ask(&mut node, "ROLE").contains("master"));
    assert!(ask(&mut node, "INFO replication").contains("role:master"));
    assert!(ask(&mut node, "HELLO").contains("master"));
    assert!(ask(&mut node, "INFO persistence").contains("loading:1"));
}

#[test]
fn a_member_that_loads_is_no_master() {
    let founders = (1..=3).map(|id| (NodeId(id), Incarnation(id))).collect();
    let member = Config {
        founders,
        ..Config::default()
    };
    let mut joinable = Config::default();
    joinable.process.cluster_port = 17000;
    for config in [member, joinable] {
        let mut node = loading(config);
        for question in ["ROLE", "INFO", "HELLO", "CLUSTER NODES", "CLUSTER INFO"] {
            let answer = ask(&mut node, question);
            let says = ["master\r\n", "master,", "cluster_state:ok"];
            let is_slave = answer.contains("master_link_status:down");
            let lies = says.iter().any(|word| answer.contains(word));
            assert!(!lies || is_slave, "{question}: {answer}");
        }
        let info = ask(&mut node, "INFO");
        for line in [
            "role:slave",
            "loading:1",
            "master_link_status:down",
            "master_sync_in_progress:1",
            "raft_serves:0",
        ] {
            assert!(info.contains(line), "{line}: {info}");
        }
    }
}

#[test]
fn a_server_that_loads_says_so_and_not_that_nobody_leads() {
    let mut node = loading(Config::default());
    let loading = "-LOADING Redis is loading the dataset in memory\r\n";
    for request in ["PING", "GET k", "SET k v", "DBSIZE", "SCAN 0"] {
        assert_eq!(ask(&mut node, request), loading, "{request}");
    }
    assert_eq!(ask(&mut node, "WATCH k"), "+OK\r\n");
    assert_eq!(ask(&mut node, "MULTI"), "+OK\r\n");
    assert_eq!(ask(&mut node, "EXEC"), loading);
    assert_eq!(ask(&mut node, "MULTI"), "+OK\r\n");
    assert_eq!(ask(&mut node, "SET k v"), loading);
    let aborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";
    assert_eq!(ask(&mut node, "EXEC"), aborted);
}
