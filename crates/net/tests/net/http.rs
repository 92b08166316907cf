//! HTTP exchanges with servers that behave, and with those that do not.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_model::{DnsFault, Fault, Secret, TlsFault};
use offhook_ports::{Http, HttpRequest};

use crate::doubles::authority::{Authority, Days, self_signed};
use crate::doubles::web::{self, Web};
use crate::doubles::{closed_port, knowing};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn url(at: SocketAddr, path: &str) -> String {
    format!("http://uds.example.com:{}{path}", at.port())
}

/// Asks a server that writes `answer` and closes.
async fn ask(answer: &'static [u8], limit: usize) -> Result<(u16, Vec<u8>), Fault> {
    let at = web::server(None, move |stream| {
        web::request(stream);
        let _ = stream.write_all(answer);
    });
    let request = HttpRequest { limit, ..HttpRequest::get(url(at, "/")) };
    let answer = knowing(&["uds.example.com"], &[]).send(request).await;
    answer.map(|answer| (answer.status, answer.body))
}

async fn check(answer: &'static str, expected: Result<(u16, &str), Fault>) {
    let got = ask(answer.as_bytes(), 1000).await;
    let got = got.map(|(status, body)| (status, String::from_utf8_lossy(&body).into_owned()));
    assert_eq!(got, expected.map(|(status, body)| (status, body.to_owned())), "{answer:?}");
}

#[tokio::test]
async fn any_complete_answer_is_an_answer() {
    check(OK, Ok((200, "ok"))).await;
    check("HTTP/1.1 204 No Content\r\n\r\n", Ok((204, ""))).await;
    check("HTTP/1.1 200 OK\r\n\r\nuntil the end", Ok((200, "until the end"))).await;
    check("HTTP/1.0 200 OK\r\n\r\nold", Ok((200, "old"))).await;
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    check(chunked, Ok((200, "abcde"))).await;
    let page =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>";
    check(page, Ok((200, "<html></html>"))).await;
    let denied = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
    check(denied, Ok((401, ""))).await;
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example.com/\r\nContent-Length: 0\r\n\r\n";
    check(moved, Ok((302, ""))).await;
}

#[tokio::test]
async fn broken_answers_are_told_apart() {
    check("", Err(Fault::Closed)).await;
    check("HTTP/1.1 200 OK\r\nContent-Le", Err(Fault::Closed)).await;
    check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", Err(Fault::Closed)).await;
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc";
    check(cut, Err(Fault::Closed)).await;
    for nonsense in ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "\u{1}\u{2}\u{3}\r\n\r\n"] {
        let fault = ask(nonsense.as_bytes(), 1000).await;
        assert!(matches!(fault, Err(Fault::Nonsense(_))), "{fault:?}");
    }
}

#[tokio::test]
async fn large_answers_are_cut_off() {
    let limit = |text: &'static str, limit| ask(text.as_bytes(), limit);
    assert_eq!(limit(OK, 2).await, Ok((200, b"ok".to_vec())));
    assert_eq!(limit(OK, 1).await, Err(Fault::TooLarge(1)));
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
    assert_eq!(limit(chunked, 5).await, Err(Fault::TooLarge(5)));
    assert_eq!(limit(chunked, 6).await, Ok((200, b"abcdef".to_vec())));
    // Ten megabytes without a length: the client hangs up long before the end.
    let at = web::server(None, |stream| {
        web::request(stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        for _ in 0..10_240 {
            if stream.write_all(&[b'x'; 1024]).is_err() {
                return;
            }
        }
    });
    let request = HttpRequest::get(url(at, "/"));
    let fault = knowing(&["uds.example.com"], &[]).send(request).await.err();
    assert_eq!(fault, Some(Fault::TooLarge(1 << 20)));
}

#[tokio::test]
async fn slow_is_not_the_same_as_away() {
    let deaf = web::server(None, |stream| {
        web::request(stream);
        let _ = stream.read(&mut [0]);
    });
    let halting = web::server(None, |stream| {
        web::request(stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome");
        let _ = stream.read(&mut [0]);
    });
    let net = knowing(&["uds.example.com"], &[]);
    let timeout = Duration::from_millis(200);
    for at in [deaf, halting] {
        let request = HttpRequest { timeout, ..HttpRequest::get(url(at, "/")) };
        assert_eq!(net.send(request).await.err(), Some(Fault::AnswerTimeout));
    }
    let refused = HttpRequest::get(url(closed_port(), "/"));
    assert_eq!(net.send(refused).await.err(), Some(Fault::PortRefused));
    let unknown = HttpRequest::get("http://nobody.example.com/");
    assert_eq!(net.send(unknown).await.err(), Some(Fault::Dns(DnsFault::Silence)));
}

#[tokio::test]
async fn requests_say_what_they_should() {
    let web = Web::new(None, &[OK]);
    let net = knowing(&["uds.example.com"], &[]);
    let password = Secret::from("pässword");
    let mut request = HttpRequest::post(
        url(web.at, "/a b".replace(' ', "%20").as_str()),
        "text/xml",
        b"<x/>".to_vec(),
    )
    .with_basic("alice", &password);
    request.headers.push(("Accept".to_owned(), "text/xml".to_owned()));
    let answer = net.send(request).await.expect("an answer");
    assert_eq!((answer.peer, answer.tls), (Some(web.at), None));
    let heard = web.heard().remove(0);
    let host = format!("host: uds.example.com:{}\r\n", web.at.port());
    for part in [
        "POST /a%20b HTTP/1.1\r\n",
        &host,
        "content-type: text/xml\r\n",
        "accept: text/xml\r\n",
        "content-length: 4\r\n",
        "authorization: Basic YWxpY2U6cMOkc3N3b3Jk\r\n",
        "connection: close\r\n",
        "\r\n\r\n<x/>",
    ] {
        assert!(heard.contains(part), "{part:?} is not in {heard:?}");
    }
    assert!(!heard.contains("cookie"), "{heard}");
}

#[tokio::test]
async fn cookies_are_kept_until_forgotten() {
    let setting = "HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=12AB; Path=/; HttpOnly\r\n\
                   Set-Cookie: other=1; Path=/cucm-uds\r\nContent-Length: 0\r\n\r\n";
    let web = Web::new(None, &[setting, OK]);
    let net = knowing(&["uds.example.com", "two.example.com"], &[]);
    let get = |host: &str| HttpRequest::get(format!("http://{host}:{}/cucm-uds/x", web.at.port()));
    net.send(get("uds.example.com")).await.expect("an answer");
    net.send(get("uds.example.com")).await.expect("an answer");
    net.send(get("two.example.com")).await.expect("an answer");
    net.forget();
    net.send(get("uds.example.com")).await.expect("an answer");
    let sent: Vec<bool> = web
        .heard()
        .iter()
        .map(|request| request.contains("cookie: other=1; JSESSIONID=12AB\r\n"))
        .collect();
    assert_eq!(sent, [false, true, false, false]);
}

#[tokio::test]
async fn https_uses_the_same_trust() {
    let authority = Authority::new("web authority");
    let good = authority.issue(&["uds.example.com", "127.0.0.1"], Days::Now);
    let web = Web::new(Some(good.config()), &[OK]);
    let own = Web::new(Some(self_signed(&["uds.example.com"], Days::Now, true).config()), &[OK]);
    let net = knowing(&["uds.example.com", "other.example.com"], &[&authority.file.0]);
    let get = |host: &str, at: SocketAddr| {
        net.send(HttpRequest::get(format!("https://{host}:{}/", at.port())))
    };
    for host in ["uds.example.com", "127.0.0.1"] {
        let answer = get(host, web.at).await.expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
        assert!(answer.tls.is_some_and(|tls| tls.starts_with("TLSv1.3 ")));
    }
    let wrong = TlsFault::WrongName {
        wanted: "other.example.com".to_owned(),
        present: vec!["uds.example.com".to_owned(), "127.0.0.1".to_owned()],
    };
    let fault = get("other.example.com", web.at).await.err();
    assert_eq!(fault, Some(Fault::Tls(wrong)));
    let fault = get("uds.example.com", own.at).await.err();
    assert_eq!(fault, Some(Fault::Tls(TlsFault::SelfSigned)));
    let clear = web::server(None, |stream| {
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(OK.as_bytes());
    });
    let fault = get("uds.example.com", clear).await.err();
    assert!(matches!(fault, Some(Fault::Tls(TlsFault::Handshake(_)))), "{fault:?}");
}

#[tokio::test]
async fn only_web_addresses_are_asked() {
    let net = knowing(&[], &[]);
    for url in ["", "/path", "ftp://host/", "http://", "https://[::1", "http://a b/"] {
        let fault = net.send(HttpRequest::get(url)).await.err();
        assert!(matches!(fault, Some(Fault::Nonsense(_))), "{url}: {fault:?}");
    }
}
