//! A client's secrets stand in no file of the server.

use crate::process::{Directory, Server};

#[test]
fn a_password_in_a_transaction_does_not_come_into_the_log() {
    let directory = Directory::new("secrets");
    let server = Server::start(directory.path(), &["--appendfsync", "always"]);
    let mut client = server.client();
    for (request, wanted) in [
        (&["MULTI"][..], "+OK"),
        (&["SET", "before", "visible-value"], "+QUEUED"),
        (&["CONFIG", "SET", "requirepass", "hidden-word"], "+QUEUED"),
        (&["AUTH", "hidden-word"], "+QUEUED"),
        (&["HELLO", "2", "AUTH", "default", "hidden-word"], "+QUEUED"),
        (&["SET", "after", "visible-value"], "+QUEUED"),
    ] {
        assert_eq!(client.ask(request), wanted);
    }
    let reply = client.ask(&["EXEC"]);
    assert!(
        !reply.contains("ERR") && !reply.contains("WRONGPASS"),
        "{reply}"
    );
    let mut other = server.client();
    assert!(other.ask(&["PING"]).starts_with("-NOAUTH"));
    assert_eq!(other.ask(&["AUTH", "hidden-word"]), "+OK");
    drop((client, other));
    server.kill();
    let mut seen = false;
    for file in std::fs::read_dir(directory.path()).expect("the directory is there") {
        let path = file.expect("an entry").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let holds = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        assert!(!holds(b"hidden-word"), "{}", path.display());
        seen |= holds(b"visible-value");
    }
    assert!(seen);
}
