//! CONNECT (RFC 9110 section 9.3.6): a tunnel through a proxy.

use std::io;

use offhook_model::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bound on the proxy's answer in bytes; those of companies carry long headers.
const HEAD: usize = 16 * 1024;

/// What a proxy's answer says so far.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    /// It is not over.
    More,
    /// Its status code.
    Status(u16),
    /// It is no HTTP.
    Nonsense,
}

/// Asks for a tunnel. The proxy does not speak again before the other end does, so nothing that
/// belongs to the tunnel is read here.
///
/// # Errors
/// [`Fault::Proxy`] with the reason.
pub(crate) async fn tunnel(stream: &mut TcpStream, host: &str, port: u16) -> Result<(), Fault> {
    let place = place(host, port);
    let request = format!(
        "CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: offhook/{}\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    let gone = |_: io::Error| Fault::Proxy("it closed the connection".to_owned());
    stream.write_all(request.as_bytes()).await.map_err(gone)?;
    let mut head = vec![];
    loop {
        match read(&head) {
            Read::Status(status) => return status_fault(status, host),
            Read::More if head.len() < HEAD => {}
            Read::More | Read::Nonsense => {
                return Err(Fault::Proxy("what answers there is no proxy".to_owned()));
            }
        }
        // Byte by byte: the system buffers, and a tunnel is opened rarely.
        let byte = stream.read_u8().await.map_err(gone)?;
        head.push(byte);
    }
}

/// `host:port`, with the brackets of an IPv6 address.
pub(super) fn place(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// What the status of an answer to CONNECT means.
fn status_fault(status: u16, host: &str) -> Result<(), Fault> {
    let what = match status {
        200..=299 => return Ok(()),
        407 => return Err(wants_password()),
        502..=504 => format!("it cannot reach {host} (status {status})"),
        _ => format!("it does not let us through to {host} (status {status})"),
    };
    Err(Fault::Proxy(what))
}

/// No password is ever given to a proxy (reference discovery.md section 2).
pub(crate) fn wants_password() -> Fault {
    Fault::Proxy("it wants a user name and password, and proxies are not given any".to_owned())
}

fn read(head: &[u8]) -> Read {
    let begin = b"HTTP/1.";
    if !head.iter().zip(begin).all(|(one, other)| one == other) {
        return Read::Nonsense;
    }
    if !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        return Read::More;
    }
    // `HTTP/1.1 200 words`
    let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    let parted = head.get(8) == Some(&b' ');
    match status.and_then(|digits| digits.parse().ok()) {
        Some(status) if parted && (100..=599).contains(&status) => Read::Status(status),
        Some(_) | None => Read::Nonsense,
    }
}

/// Reads `data` as an answer, as it grows.
pub(crate) fn fuzz(data: &[u8]) {
    let data = data.get(..data.len().min(HEAD)).unwrap_or_default();
    if let Read::Status(status) = read(data) {
        assert!((100..=599).contains(&status));
        let _ = status_fault(status, "x");
    }
}

#[cfg(test)]
mod tests {
    use super::{Read, read};

    #[test]
    fn answers_are_read_to_their_end_and_no_further() {
        let check = |text: &str, expected| assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        check("", Read::More);
        check("HTTP/1.1 200 OK\r\nVia: x\r\n", Read::More);
        check("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n", Read::Status(200));
        check("HTTP/1.0 407\n\n", Read::Status(407));
        check("SSH", Read::Nonsense);
        check("HTTP/1.1 999 x\r\n\r\n", Read::Nonsense);
        check("HTTP/1.1200 x\r\n\r\n", Read::Nonsense);
    }
}
