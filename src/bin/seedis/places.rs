//! Checks whether the addresses and ports of the options can be used at all: an error here is the
//! configuration's fault, and no directory is touched before.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStrExt;

use crate::config::Options;
use crate::listener::host_of;
use crate::peers::address;

/// The longest path of a Unix socket that Linux takes, in bytes.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Checks where clients are to come.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    let hosts: Vec<&str> = options.bind.iter().map(String::as_str).collect();
    check_hosts("bind", &hosts)?;
    if (options.port == 0 || hosts.is_empty()) && options.unixsocket.is_none() {
        return Err(
            "there is nothing to listen on: give --port and --bind, or --unixsocket".into(),
        );
    }
    if let Some(path) = &options.unixsocket
        && path.as_os_str().as_bytes().len() > SOCKET_PATH_BYTES_MAX
    {
        return Err(format!(
            "unixsocket {}: the path of a Unix socket has at most {SOCKET_PATH_BYTES_MAX} bytes",
            path.display()
        ));
    }
    Ok(())
}

/// Checks where other members are to come, and those that are known by the options alone.
pub(crate) fn check_members(options: &Options, port: u16, bind: &[String]) -> Result<(), String> {
    let hosts: Vec<&str> = bind.iter().map(String::as_str).collect();
    check_hosts("cluster-bind", &hosts)?;
    let overlaps = || {
        let mut pairs = options
            .bind
            .iter()
            .flat_map(|one| hosts.iter().map(move |other| (one, other)));
        pairs.any(|(one, other)| collide(host_of(one), host_of(other)))
    };
    if port == options.port && port != 0 && overlaps() {
        return Err(format!(
            "port {port} is given both for clients and for other members: change --port, or the \
             port for members (in --peers, or --cluster-port)"
        ));
    }
    for (at, (id, one)) in options.peers.iter().enumerate() {
        let twin = options.peers[..at]
            .iter()
            .find(|(_, other)| same(one, other));
        if let Some((other, _)) = twin {
            return Err(format!(
                "--peers gives {one} to member {other} and to member {id}: each member needs an \
                 address of its own"
            ));
        }
    }
    if let Some(door) = &options.join
        && door
            .rsplit_once(':')
            .is_some_and(|(_, text)| text.parse() == Ok(port))
        && address::all_here(door) == Some(true)
    {
        return Err(format!(
            "--join {door} is this server's own cluster port: give that of a member of the group"
        ));
    }
    Ok(())
}

/// Errors if a host cannot be one, or if two of them cannot be listened on together.
fn check_hosts(option: &str, hosts: &[&str]) -> Result<(), String> {
    for (at, host) in hosts.iter().enumerate() {
        let name = host_of(host);
        if let Some(why) = fault_of(name) {
            return Err(format!("{option} {host}: {why}"));
        }
        let mut before = hosts[..at].iter();
        if let Some(other) = before.find(|other| collide(name, host_of(other))) {
            return Err(format!(
                "{option} {other} {host}: the first address includes the second, and one port \
                 cannot be listened on twice"
            ));
        }
    }
    Ok(())
}

/// The fault of a host, by its letters alone: a name may be known later.
fn fault_of(host: &str) -> Option<&'static str> {
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    if address.parse::<IpAddr>().is_ok() {
        return None;
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if host.is_empty() {
        Some("an address is missing")
    } else if host.starts_with('[') {
        Some("write the address without brackets here")
    } else if host.contains(':') {
        Some("not an IPv6 address; the port is an option of its own")
    } else if host.bytes().all(is_number) {
        Some("not an IPv4 address")
    } else if !host.bytes().all(is_name) {
        Some("neither an address nor a host name")
    } else {
        None
    }
}

/// Returns true if two hosts cannot both be listened on at one port. Addresses of the two versions
/// can.
fn collide(one: &str, other: &str) -> bool {
    let ip = |host: &str| host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
    match (ip(one), ip(other)) {
        (Some(one), Some(other)) => {
            let is_any = one.is_unspecified() || other.is_unspecified();
            one == other || is_any && one.is_ipv4() == other.is_ipv4()
        }
        (None, None) => one.eq_ignore_ascii_case(other),
        _ => false,
    }
}

/// Returns true if two addresses with ports are the same, by their letters alone.
fn same(one: &str, other: &str) -> bool {
    let parsed = |text: &str| {
        let text = text
            .to_ascii_lowercase()
            .replace("localhost:", "127.0.0.1:");
        text.parse::<SocketAddr>().ok()
    };
    match (parsed(one), parsed(other)) {
        (Some(one), Some(other)) => {
            one.port() == other.port() && one.ip().to_canonical() == other.ip().to_canonical()
        }
        _ => one.eq_ignore_ascii_case(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fault of options, as far as this file looks: `port` is that of the members.
    fn wrong(words: &str, port: u16) -> Option<String> {
        let words = ["seedis"].into_iter().chain(words.split('|'));
        let options = Options::of(words.map(Into::into)).expect("options");
        let bind = options.cluster_bind.clone();
        let bind = bind.unwrap_or_else(|| "127.0.0.1 -::1".into());
        let bind: Vec<String> = bind.split(' ').map(str::to_owned).collect();
        check(&options)
            .and_then(|()| check_members(&options, port, &bind))
            .err()
    }

    #[test]
    fn what_can_never_be_listened_on_is_the_configurations_fault() {
        for words in [
            "--bind|1.2.3.4.5",
            "--bind|256.1.1.1",
            "--bind|127.0.0.1:6379",
            "--bind|[::1]",
            "--bind|::1::2",
            "--bind|a/b",
            "--bind|-",
            "--bind|127.0.0.1|127.0.0.1",
            "--bind|*|127.0.0.1",
            "--bind|10.0.0.1|-0.0.0.0",
            "--bind|::1|-::*",
            "--bind|redis.local|Redis.local",
            "--bind|127.0.0.1|::ffff:127.0.0.1",
            "--bind|",
            "--port|0",
            "--cluster-bind|1.2.3",
            "--cluster-bind|127.0.0.1 127.0.0.1",
            "--port|7000",
            "--port|7000|--bind|*",
            "--port|7000|--bind|10.0.0.1|--cluster-bind|*",
            "--peers|1=127.0.0.1:7001,2=127.0.0.1:7001",
            "--peers|1=localhost:7001,2=127.0.0.1:7001",
            "--peers|1=[::1]:7001,2=[0:0::1]:7001",
            "--peers|1=a.b:7001,2=A.b:7001",
            "--join|127.0.0.1:7000",
            "--join|localhost:7000",
        ] {
            assert!(wrong(words, 7000).is_some(), "{words}");
        }
        let long = format!("--unixsocket|/{}", "a".repeat(107));
        assert!(wrong(&long, 7000).is_some());
    }

    #[test]
    fn what_may_be_had_is_left_to_the_machine() {
        for words in [
            "--bind|*|-::*",
            "--bind|127.0.0.1|127.0.0.2|-::1",
            "--bind|redis_1.local",
            "--bind|fe80::1%eth0",
            "--port|0|--unixsocket|/tmp/s",
            "--port|7000|--bind|10.0.0.1|--cluster-bind|10.0.0.2",
            "--peers|1=127.0.0.1:7001,2=127.0.0.2:7001,3=127.0.0.1:7002",
            "--join|127.0.0.1:7001",
            "--join|10.0.0.1:7000",
        ] {
            assert_eq!(wrong(words, 7000), None, "{words}");
        }
    }
}
