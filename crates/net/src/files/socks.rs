//! SOCKS5 as bytestreams use it (RFC 1928, XEP-0065 section 5.3.2): no authentication, CONNECT to a
//! domain name that is a hash, port 0.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use offhook_ports::StreamHost;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::{Net, own};

/// Ports on which the vendor's programs listen for files: the documented one and ten after it
/// (reference im-presence.md section 7, inferred there).
const PORTS: std::ops::RangeInclusive<u16> = 37_200..=37_210;

/// How long one place may take, from its name to the end of the negotiation.
const PATIENCE: Duration = Duration::from_secs(8);

/// How many callers are looked at; who does not know the hash is sent away.
const CALLERS: usize = 64;

/// Opens the first of these places that answers; its number.
pub(super) async fn dial(
    net: Arc<Net>,
    hosts: Vec<StreamHost>,
    key: String,
) -> Option<(usize, TcpStream)> {
    for (number, place) in hosts.iter().enumerate() {
        let opened = timeout(PATIENCE, async {
            let mut stream = net.connect_tcp(&place.host, place.port, PATIENCE).await.ok()?;
            ask(&mut stream, &key).await.ok()?;
            Some(stream)
        });
        if let Ok(Some(stream)) = opened.await {
            return Some((number, stream));
        }
    }
    None
}

/// Listens on the address from which `toward` is reached; nothing when no port is free.
pub(super) async fn listen(net: &Net, toward: &StreamHost) -> Option<TcpListener> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let targets = net.targets(&toward.host, toward.port, deadline).await.ok()?;
    let own = own::towards(*targets.first()?).ok()?;
    for port in PORTS {
        if let Ok(listener) = TcpListener::bind(SocketAddr::new(own, port)).await {
            return Some(listener);
        }
    }
    None
}

/// Waits for the caller who knows the hash. Nobody else gets past the negotiation.
pub(super) async fn accept(listener: TcpListener, key: String) -> Option<TcpStream> {
    for _ in 0..CALLERS {
        let (mut stream, _) = listener.accept().await.ok()?;
        if matches!(timeout(PATIENCE, answer(&mut stream, &key)).await, Ok(Ok(()))) {
            let _ = stream.set_nodelay(true);
            return Some(stream);
        }
    }
    None
}

/// The client's side.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), key: &str) -> io::Result<()> {
    stream.write_all(&[5, 1, 0]).await?;
    let mut method = [0; 2];
    stream.read_exact(&mut method).await?;
    if method != [5, 0] {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let length = u8::try_from(key.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut request = vec![5, 1, 0, 3, length];
    request.extend_from_slice(key.as_bytes());
    request.extend_from_slice(&[0, 0]);
    stream.write_all(&request).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [5, 0, _, kind] = head else { return Err(io::ErrorKind::ConnectionRefused.into()) };
    // Some servers answer with an address of another kind than was asked for.
    let length = match kind {
        1 => 4,
        3 => usize::from(stream.read_u8().await?),
        4 => 16,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let mut rest = vec![0; length + 2];
    stream.read_exact(&mut rest).await?;
    Ok(())
}

/// The server's side; an error for whoever does not name `key`.
async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), key: &str) -> io::Result<()> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await?;
    let [5, count] = head else { return Err(io::ErrorKind::InvalidData.into()) };
    let mut methods = vec![0; usize::from(count)];
    stream.read_exact(&mut methods).await?;
    if !methods.contains(&0) {
        stream.write_all(&[5, 0xff]).await?;
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    stream.write_all(&[5, 0]).await?;
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let [5, 1, _, 3, length] = head else { return Err(io::ErrorKind::InvalidData.into()) };
    let mut named = vec![0; usize::from(length) + 2];
    stream.read_exact(&mut named).await?;
    let known = named.get(..usize::from(length)) == Some(key.as_bytes());
    let mut reply = vec![5, if known { 0 } else { 2 }, 0, 3, length];
    reply.extend_from_slice(&named);
    stream.write_all(&reply).await?;
    if known { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// See [`super::fuzz_socks`].
pub(super) fn fuzz(data: &[u8]) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        let key = "0123456789012345678901234567890123456789";
        for as_server in [true, false] {
            let (mut ours, mut theirs) = tokio::io::duplex(4_096);
            let fed = data.get(..data.len().min(2_048)).unwrap_or_default();
            if theirs.write_all(fed).await.is_err() {
                return;
            }
            drop(theirs.shutdown().await);
            // Errors are what broken input gives.
            let _ =
                if as_server { answer(&mut ours, key).await } else { ask(&mut ours, key).await };
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{answer, ask};

    #[tokio::test]
    async fn who_knows_the_hash_gets_through_and_nobody_else() {
        for (asked, through) in [("right", true), ("wrong", false), ("", false)] {
            let (mut client, mut server) = tokio::io::duplex(1_024);
            let (a, b) = tokio::join!(ask(&mut client, asked), answer(&mut server, "right"));
            assert_eq!((a.is_ok(), b.is_ok()), (through, through), "{asked}");
        }
    }
}
