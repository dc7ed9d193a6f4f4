//! A service that answers whatever a story wants: it gives the key back, never ends, sends too much.

mod key;
mod limits;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::scene::Scene;
use crate::service::KEY;

/// A request as received: `GET /path?query HTTP/1.1` and the headers.
pub(crate) type Head = String;

/// An answer, in parts.
pub(crate) enum Part {
    Bytes(Vec<u8>),
    Wait(Duration),
}

/// Listens on a port of its own, as the service and as its storage.
pub(crate) struct Hostile {
    address: String,
    heads: Arc<Mutex<Vec<Head>>>,
}

impl Hostile {
    /// `answer` is given the head of a request and the base of the server's own addresses.
    pub(crate) fn new(answer: impl Fn(&str, &str) -> Vec<Part> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (answer, base, kept) = (Arc::new(answer), address.clone(), Arc::clone(&heads));
        // It ends with the process.
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answer, base, kept) = (Arc::clone(&answer), base.clone(), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let Some((connection, head)) = received(connection) else { return };
                    let parts = answer(&head, &base);
                    kept.lock().unwrap().push(head);
                    send(connection, parts);
                });
            }
        });
        Self { address, heads }
    }

    /// A scene whose next command is told this service.
    pub(crate) fn scene(&self) -> Scene {
        self.serve(Scene::new())
    }

    pub(crate) fn serve(&self, scene: Scene) -> Scene {
        scene
            .environment("DASHSCOPE_API_KEY", KEY)
            .environment("DASHSCOPE_HTTP_BASE_URL", &format!("{}/api/v1", self.address))
            .environment("DASHSCOPE_REGION", "cn")
            .environment("NO_PROXY", "127.0.0.1")
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<Head> {
        self.heads.lock().unwrap().clone()
    }
}

/// The head of a request, whose body is read and dropped.
fn received(mut connection: TcpStream) -> Option<(TcpStream, Head)> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).ok()?;
        bytes.extend(byte);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    connection.read_exact(&mut vec![0; length.unwrap_or(0)]).ok()?;
    Some((connection, head))
}

fn send(mut connection: TcpStream, parts: Vec<Part>) {
    for part in parts {
        match part {
            Part::Bytes(bytes) if connection.write_all(&bytes).is_err() => return,
            Part::Bytes(_) => {}
            Part::Wait(long) => wait(long),
        }
    }
}

/// A server may be slow.
#[expect(clippy::disallowed_methods, reason = "a story of a slow server has to wait")]
fn wait(long: Duration) {
    std::thread::sleep(long);
}

/// A whole answer; `headers` end their lines with CRLF.
pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<Part> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    vec![Part::Bytes([head.as_bytes(), body].concat())]
}

pub(crate) fn json(body: impl AsRef<[u8]>) -> Vec<Part> {
    answer("200 OK", "Content-Type: application/json\r\n", body)
}
