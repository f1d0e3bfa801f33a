//! Arguments, environment and files make the options of a process.

use seedis::node::config::Fsync;

use super::*;

fn asked(args: &[&str], environment: &[(&str, &str)]) -> Result<Options, String> {
    let args = std::iter::once("seedis").chain(args.iter().copied());
    let environment = environment
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    match Asked::read(args.map(OsString::from), environment)? {
        Asked::Serve(options) => Ok(*options),
        other => panic!("{other:?}"),
    }
}

fn read(args: &[&str]) -> Result<Options, String> {
    asked(args, &[])
}

#[test]
fn it_starts_as_redis_server_does() {
    let line = [
        "--port",
        "7000",
        "--bind",
        "127.0.0.1",
        "::1",
        "--save",
        "",
        "--appendonly",
        "NO",
        "--appendfsync",
        "Always",
        "--requirepass",
        "secret",
        "--enable-debug-command",
        "yes",
        "--protected-mode",
        "no",
        "--daemonize",
        "no",
        "--auto-aof-rewrite-min-size",
        "1mb",
    ];
    let options = read(&line).unwrap();
    assert_eq!(options.port, 7000);
    assert_eq!(options.bind, ["127.0.0.1", "::1"]);
    let node = options.node();
    assert_eq!(node.rewrite_min_bytes, 1 << 20);
    assert!(!node.append_only && node.debug_command && !node.protected_mode);
    assert_eq!(
        (node.fsync, &node.requirepass[..]),
        (Fsync::Always, &b"secret"[..])
    );
}

#[test]
fn an_unknown_option_names_the_nearest_one() {
    let error = read(&["--appendfsink", "always"]).unwrap_err();
    assert!(error.contains("did you mean 'appendfsync'?"), "{error}");
}

#[test]
fn addresses_end_where_the_next_option_begins() {
    let line = [
        "--bind",
        "127.0.0.1",
        "-::1",
        "--dir",
        "here",
        "--port",
        "7",
    ];
    let options = read(&line).unwrap();
    assert_eq!(options.bind, ["127.0.0.1", "-::1"]);
    assert_eq!((options.port, options.dir.to_str()), (7, Some("here")));
    assert_eq!(read(&["--bind", "::1"]).unwrap().bind, ["::1"]);
    let twice = read(&["--bind", "::1", "--bind", "-::2"]).unwrap();
    assert_eq!(twice.bind, ["-::2"]);
}

#[test]
fn an_environment_that_an_orchestrator_has_made_is_no_error() {
    let links = [
        ("SEEDIS_PORT", "tcp://10.0.0.1:6379"),
        ("SEEDIS_SERVICE_HOST", "10.0.0.1"),
        ("SEEDIS_SERVICE_PORT", "6379"),
        ("SEEDIS_SERVICE_PORT_CLIENTS", "6379"),
        ("SEEDIS_PORT_6379_TCP", "tcp://10.0.0.1:6379"),
        ("SEEDIS_PORT_6379_TCP_PROTO", "tcp"),
        ("SEEDIS_PORT_6379_TCP_PORT", "6379"),
        ("SEEDIS_PORT_6379_TCP_ADDR", "10.0.0.1"),
        ("SEEDIS_CLUSTER_PORT", "tcp://10.0.0.2:16379"),
        ("SEEDIS_CLUSTER_SERVICE_PORT", "16379"),
        ("SEEDIS_REQUIREPASS", ""),
        ("SEEDIS_MAXCLIENTS", "77"),
        ("SEEDIS_APPENDONLY", "No"),
        ("SEEDIS_VERSION", "1.2"),
    ];
    let options = asked(&[], &links).unwrap();
    assert_eq!((options.port, options.cluster_port), (6379, None));
    let node = options.node();
    assert!(!node.append_only && node.requirepass.is_empty());
    assert_eq!(node.clients_max, 77);
    let [ignored, unknown] = options.warnings.try_into().unwrap();
    assert!(
        ignored.contains("SEEDIS_PORT, SEEDIS_PORT_6379_TCP,"),
        "{ignored}"
    );
    assert!(
        unknown.ends_with("not options: SEEDIS_VERSION"),
        "{unknown}"
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_where() {
    let environment = [("SEEDIS_MAXCLIENTS", "many"), ("SEEDIS_PORT", "65536")];
    let error = asked(
        &["--port", "70000", "--appendonly", "perhaps"],
        &environment,
    );
    let error = error.unwrap_err();
    for part in [
        "in 4 places",
        "variable SEEDIS_MAXCLIENTS: 'maxclients many': argument couldn't be parsed",
        "variable SEEDIS_PORT: 'port 65536': argument must be between 0 and 65535",
        "argument: 'port 70000': argument must be between 0 and 65535",
        "argument: 'appendonly perhaps': argument must be 'yes' or 'no'",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn every_acting_option_is_in_the_help() {
    let help = help();
    for name in [
        "port",
        "maxmemory",
        "cluster-secret",
        "include",
        "daemonize",
    ] {
        assert!(help.contains(&format!("  --{name} ")), "{name}: {help}");
    }
}
