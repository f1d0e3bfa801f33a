//! The network between two members: a relay that can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// One direction of dialling: whoever connects here is connected there.
pub(super) struct Proxy {
    pub(super) port: u16,
    is_cut: Arc<AtomicBool>,
}

impl Proxy {
    /// A relay to a port of this machine.
    pub(super) fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_cut);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let cut = Arc::clone(&cut);
                thread::spawn(move || relay(&stream, target, &cut));
            }
        });
        Self { port, is_cut }
    }

    /// Blocks the relay from now on, or lets it pass again. Bytes on their way wait, as in a
    /// network that loses packets: nobody is told.
    pub(super) fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
    }
}

fn relay(stream: &TcpStream, target: u16, is_cut: &Arc<AtomicBool>) {
    let Ok(other) = TcpStream::connect(("127.0.0.1", target)) else {
        return;
    };
    let (Ok(from), Ok(to)) = (stream.try_clone(), other.try_clone()) else {
        return;
    };
    let cut = Arc::clone(is_cut);
    let back = thread::spawn(move || pump(&to, &from, &cut));
    pump(stream, &other, is_cut);
    let _ = back.join();
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, is_cut: &AtomicBool) {
    let _ = to.set_nodelay(true);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        while is_cut.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
