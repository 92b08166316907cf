//! Certificates of every kind, and what is said of them.

use std::path::{Path, PathBuf};

use offhook_model::{Fault, TlsFault};
use offhook_net::{Net, NetOptions, Wanted};

use crate::doubles::authority::{Authority, Days, Identity, TempFile, self_signed};
use crate::doubles::{PATIENCE, knowing, uds, web};

const HOST: &str = "cucm1.example.com";

/// Shakes hands with a server that shows `identity`, trusting `authorities`.
async fn shake(
    identity: &Identity,
    authorities: &[&Path],
    names: &[&str],
) -> Result<String, Fault> {
    let at = web::server(Some(identity.config()), |stream| {
        let _ = stream.write_all(b"hello").and_then(|()| stream.flush());
    });
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let net = knowing(&[], authorities);
    let endpoint = uds("127.0.0.1", at.port());
    let stream = net.connect_tcp("127.0.0.1", at.port(), PATIENCE).await?;
    let wanted = Wanted { names: &names, ..Wanted::host(&endpoint) };
    Ok(net.tls(stream, &wanted, PATIENCE).await.map(|(_, words)| words)?)
}

async fn check(identity: &Identity, authorities: &[&Path], names: &[&str], expected: TlsFault) {
    let result = shake(identity, authorities, names).await;
    assert_eq!(result, Err(Fault::Tls(expected)));
}

fn wrong(wanted: &str, present: &[&str]) -> TlsFault {
    let present = present.iter().map(|name| (*name).to_owned()).collect();
    TlsFault::WrongName { wanted: wanted.to_owned(), present }
}

#[tokio::test]
async fn a_trusted_certificate_with_any_of_the_names_is_accepted() {
    let authority = Authority::new("good authority");
    let identity =
        authority.issue(&["imp1.example.com", "10.1.2.3", "*.wild.example.com"], Days::Now);
    let trusted = [authority.file.0.as_path()];
    for names in [
        &["imp1.example.com"][..],
        &["example.com", "imp1.example.com"],
        &["IMP1.example.com."],
        &["10.1.2.3"],
        &["a.wild.example.com"],
    ] {
        let words = shake(&identity, &trusted, names).await.expect("accepted");
        assert!(words.starts_with("TLSv1.3 TLS13_"), "{words}");
    }
}

#[tokio::test]
async fn older_servers_speak_tls_1_2() {
    let authority = Authority::new("old authority");
    let config = authority.issue(&[HOST], Days::Now).speaking(&[&rustls::version::TLS12]);
    let at = web::server(Some(config), |stream| {
        let _ = stream.write_all(b"hello").and_then(|()| stream.flush());
    });
    let net = knowing(&[], &[&authority.file.0]);
    let stream = net.connect_tcp("127.0.0.1", at.port(), PATIENCE).await.expect("connected");
    let endpoint = uds(HOST, at.port());
    let shaken = net.tls(stream, &Wanted::host(&endpoint), PATIENCE).await;
    let (_, words) = shaken.expect("accepted");
    assert!(words.starts_with("TLSv1.2 TLS_ECDHE_"), "{words}");
}

#[tokio::test]
async fn nobody_vouches() {
    let authority = Authority::new("good authority");
    let stranger = Authority::new("strange authority");
    let namesake = Authority::new("good authority");
    let trusted = [authority.file.0.as_path()];
    let identity = stranger.issue(&[HOST], Days::Now);
    check(&identity, &trusted, &[HOST], TlsFault::UnknownIssuer).await;
    check(&identity, &[], &[HOST], TlsFault::UnknownIssuer).await;
    // Without trust the name does not matter.
    check(&identity, &trusted, &["other.example.com"], TlsFault::UnknownIssuer).await;
    // An authority rebuilt under its old name, as laboratories do.
    let identity = namesake.issue(&[HOST], Days::Now);
    check(&identity, &trusted, &[HOST], TlsFault::UnknownIssuer).await;
}

#[tokio::test]
async fn who_signs_for_himself_is_not_believed_unless_given() {
    for authority in [false, true] {
        let identity = self_signed(&[HOST], Days::Now, authority);
        check(&identity, &[], &[HOST], TlsFault::SelfSigned).await;
        let file = identity.file();
        shake(&identity, &[&file.0], &[HOST]).await.expect("the administrator gave it");
        check(&identity, &[&file.0], &["x.org"], wrong("x.org", &[HOST])).await;
    }
}

#[tokio::test]
async fn dates_come_first() {
    let authority = Authority::new("good authority");
    let trusted = [authority.file.0.as_path()];
    let expired = || TlsFault::Expired(Some("2021-02-03".to_owned()));
    let early = || TlsFault::NotYetValid(Some("2098-03-04".to_owned()));
    let old = authority.issue(&[HOST], Days::Past);
    check(&old, &trusted, &[HOST], expired()).await;
    check(&old, &trusted, &["other.example.com"], expired()).await;
    check(&old, &[], &[HOST], expired()).await;
    let young = authority.issue(&[HOST], Days::Future);
    check(&young, &trusted, &[HOST], early()).await;
    check(&young, &[], &[HOST], early()).await;
    let own = self_signed(&[HOST], Days::Past, true);
    check(&own, &[], &[HOST], expired()).await;
    let file = own.file();
    check(&own, &[&file.0], &[HOST], expired()).await;
}

#[tokio::test]
async fn a_chain_is_as_good_as_its_links() {
    let authority = Authority::new("good authority");
    let trusted = [authority.file.0.as_path()];
    let good = authority.deputy("deputy", Days::Now).issue(&[HOST], Days::Now);
    shake(&good, &trusted, &[HOST]).await.expect("accepted");
    check(&good, &[], &[HOST], TlsFault::UnknownIssuer).await;
    let stale = authority.deputy("deputy", Days::Past).issue(&[HOST], Days::Now);
    check(&stale, &trusted, &[HOST], TlsFault::Expired(Some("2021-02-03".to_owned()))).await;
}

#[tokio::test]
async fn a_wrong_name_tells_both_sides() {
    let authority = Authority::new("good authority");
    let trusted = [authority.file.0.as_path()];
    let identity = authority.issue(&["a.example.com", "10.1.2.3"], Days::Now);
    let present = ["a.example.com", "10.1.2.3"];
    check(&identity, &trusted, &[HOST], wrong(HOST, &present)).await;
    check(&identity, &trusted, &["10.1.2.4"], wrong("10.1.2.4", &present)).await;
    let either = wrong("example.com or cucm1.example.com", &present);
    check(&identity, &trusted, &["example.com", HOST], either).await;
    let unnamed = authority.issue(&[], Days::Now);
    check(&unnamed, &trusted, &[HOST], wrong(HOST, &["offhook test leaf"])).await;
}

#[tokio::test]
async fn a_port_without_tls_is_a_failed_handshake() {
    let net = knowing(&[], &[]);
    let endpoint = uds(HOST, 8443);
    for serve in [
        |stream: &mut dyn web::Stream| {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n");
        },
        |stream: &mut dyn web::Stream| {
            let _ = stream.read(&mut [0; 512]);
        },
    ] {
        let at = web::server(None, serve);
        let stream = net.connect_tcp("127.0.0.1", at.port(), PATIENCE).await.expect("connected");
        let refused = net.tls(stream, &Wanted::host(&endpoint), PATIENCE).await.err();
        let fault = refused.map(Fault::from);
        assert!(matches!(fault, Some(Fault::Tls(TlsFault::Handshake(_)))), "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_times_out() {
    let at = web::server(None, |stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.read(&mut [0; 4096]);
    });
    let net = knowing(&[], &[]);
    let stream = net.connect_tcp("127.0.0.1", at.port(), PATIENCE).await.expect("connected");
    let soon = std::time::Duration::from_millis(50);
    let endpoint = uds(HOST, at.port());
    let refused = net.tls(stream, &Wanted::host(&endpoint), soon).await.err();
    assert_eq!(refused.map(Fault::from), Some(Fault::AnswerTimeout));
}

#[tokio::test]
async fn names_that_no_certificate_can_hold_are_refused() {
    let identity = self_signed(&[HOST], Days::Now, false);
    for names in [&[""][..], &["not a name"]] {
        let fault = shake(&identity, &[], names).await.err();
        assert!(matches!(fault, Some(Fault::Tls(TlsFault::Handshake(_)))), "{fault:?}");
    }
}

fn refused(file: &Path) -> String {
    let options = NetOptions { ca_files: vec![PathBuf::from(file)], ..NetOptions::default() };
    Net::new(options).expect_err("it cannot be used")
}

#[test]
fn an_authority_file_that_cannot_be_used_is_named() {
    let missing = refused(Path::new("/nowhere/ca.pem"));
    assert!(missing.contains("/nowhere/ca.pem") && missing.contains("--ca-file"), "{missing}");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no certificate", broken] {
        let file = TempFile::new(text);
        let sentence = refused(&file.0);
        assert!(sentence.contains(&*file.0.to_string_lossy()), "{sentence}");
        assert!(sentence.contains("PEM"), "{sentence}");
    }
}
