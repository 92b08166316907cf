//! The corpus and the torture messages of RFC 4475.

use std::path::Path;

use offhook_sip::message::{Defect, Method, Name, Oddity, ParseError, Uri, parse, salvage};

fn folder(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("fixtures")
        .map(|entry| entry.expect("entry").path())
        .map(|path| {
            (
                path.file_name().expect("name").to_string_lossy().into_owned(),
                std::fs::read(&path).expect("read"),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_whole_corpus_is_taken() {
    let corpus = folder("corpus");
    assert_eq!(corpus.len(), 20);
    for (name, bytes) in corpus {
        let message = parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(message.defect(), None, "{name}");
        assert_eq!(message.oddities(), [], "{name}");
        for via in message.vias() {
            assert!(via.is_ok(), "{name}");
        }
        for header in [Name::From, Name::To] {
            assert!(
                message.party(header).and_then(|a| a.uri().ok()).is_some(),
                "{name} {header:?}"
            );
        }
        for header in
            [Name::Contact, Name::Route, Name::RecordRoute, Name::RemotePartyId, Name::ReferTo]
        {
            for address in message.addresses(header) {
                assert!(address.expect("address").uri().is_ok(), "{name} {header:?}");
            }
        }
        assert!(message.cseq().is_ok(), "{name}");
        let again = parse(&message.write()).expect("written");
        assert_eq!(again.headers().count(), message.headers().count(), "{name}");
        assert_eq!(again.body(), message.body(), "{name}");
    }
}

/// What RFC 4475 says should become of its messages, where it is sure.
#[derive(Debug, PartialEq)]
enum Fate {
    Good,
    Bad(&'static str),
    Unreadable(ParseError),
    Version,
    Scheme,
    Method,
}

fn fate(bytes: &[u8]) -> Fate {
    match parse(bytes) {
        Err(error) => Fate::Unreadable(error),
        Ok(message) => match message.defect() {
            None => Fate::Good,
            Some(Defect::BadRequest(what)) => Fate::Bad(what),
            Some(Defect::Version) => Fate::Version,
            Some(Defect::Scheme) => Fate::Scheme,
            Some(Defect::Method) => Fate::Method,
        },
    }
}

#[test]
fn torture_messages_meet_their_fate() {
    use Fate::{Bad, Good, Method, Scheme, Unreadable, Version};
    let expected: &[(&str, Fate)] = &[
        // Section 3.1.1: valid messages.
        ("wsinv", Good),
        ("intmeth", Good),
        ("esc01", Good),
        ("escnull", Good),
        ("esc02", Good),
        ("lwsdisp", Good),
        ("longreq", Good),
        ("dblreq", Good),
        ("semiuri", Good),
        ("transports", Good),
        ("mpart01", Good),
        ("unreason", Good),
        ("noreason", Good),
        // Section 3.1.2: invalid ones; liberal where the RFC allows it.
        ("badinv01", Bad("Via")),
        ("clerr", Unreadable(ParseError::Truncated)),
        ("ncl", Unreadable(ParseError::ContentLength)),
        ("scalar02", Bad("CSeq")),
        ("scalarlg", Bad("CSeq")),
        ("quotbal", Bad("To")),
        ("ltgtruri", Bad("request URI")),
        ("lwsruri", Unreadable(ParseError::StartLine)),
        ("lwsstart", Good),
        ("trws", Good),
        ("escruri", Good),
        ("baddate", Good),
        ("regbadct", Good),
        ("badaspec", Good),
        ("baddn", Good),
        ("badvers", Version),
        ("mismatch01", Bad("CSeq")),
        ("mismatch02", Method),
        ("bigcode", Unreadable(ParseError::StartLine)),
        // Section 3.2 and 3.3: transaction and application layer.
        ("badbranch", Good),
        ("insuf", Bad("From")),
        ("unkscm", Scheme),
        ("novelsc", Scheme),
        ("unksm2", Good),
        ("bext01", Good),
        ("invut", Good),
        ("regaut01", Good),
        ("multi01", Bad("From")),
        ("mcl01", Unreadable(ParseError::ContentLength)),
        ("bcast", Good),
        ("zeromf", Good),
        ("cparam01", Good),
        ("cparam02", Good),
        ("regescrt", Good),
        ("sdp01", Good),
        // Section 3.4: an RFC 2543 message.
        ("inv2543", Good),
    ];
    let files = folder("rfc4475");
    assert_eq!(files.len(), expected.len());
    let mut wrong = vec![];
    for (name, bytes) in &files {
        let stem = name.trim_end_matches(".dat");
        let (_, wanted) =
            expected.iter().find(|(n, _)| *n == stem).unwrap_or_else(|| panic!("{stem}"));
        let got = fate(bytes);
        if got != *wanted {
            wrong.push(format!("{stem}: wanted {wanted:?}, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn ipv6_references_are_read_as_rfc_5118_says() {
    let files = folder("rfc5118");
    assert_eq!(files.len(), 12);
    for (name, bytes) in &files {
        let wanted = if name == "ipv6-bad.dat" { Fate::Bad("request URI") } else { Fate::Good };
        assert_eq!(fate(bytes), wanted, "{name}");
    }
    let read = |name: &str| {
        let (_, bytes) = files.iter().find(|(n, _)| n.starts_with(name)).expect(name);
        parse(bytes).expect(name)
    };
    let target = |name: &str| {
        let message = read(name);
        let uri = Uri::parse(message.request_uri()).expect(name);
        (uri.host.to_owned(), uri.port)
    };
    assert_eq!(target("port-ambiguous"), ("[2001:db8::10:5070]".to_owned(), None));
    assert_eq!(target("port-unambiguous"), ("[2001:db8::10]".to_owned(), Some(5070)));
    assert_eq!(target("ipv6-bug"), ("[2001:db8:::192.0.2.1]".to_owned(), None));
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        let message = read(name);
        let via = message.via().expect(name);
        let received = via.received().expect(name).trim_matches(['[', ']']);
        assert_eq!(received, "2001:db8::9:255", "{name}");
    }
    let message = read("mult-ip-in-header");
    let hosts: Vec<_> = message.vias().map(|via| via.expect("via").host.to_owned()).collect();
    assert_eq!(hosts, ["[2001:db8::9:1]", "192.0.2.1", "[2001:db8::9:255]"]);
    assert_eq!(read("ipv4-mapped").via().expect("via").port, Some(19_823));
}

#[test]
fn what_cannot_be_read_can_still_be_refused() {
    for (name, bytes) in folder("rfc4475") {
        let Err(_) = parse(&bytes) else { continue };
        let request = salvage(&bytes);
        assert_eq!(request.is_some(), name != "bigcode.dat", "{name}");
        let Some(request) = request else { continue };
        assert!(request.method().is_some() && request.header(Name::Via).is_some(), "{name}");
        assert!(request.body().is_empty(), "{name}");
    }
}

fn torture(name: &str) -> offhook_sip::message::Message {
    let (_, bytes) = folder("rfc4475").into_iter().find(|(n, _)| n.starts_with(name)).expect(name);
    parse(&bytes).expect(name)
}

#[test]
fn a_short_torturous_invite_is_read_right() {
    let message = torture("wsinv");
    let vias: Vec<_> = message.vias().map(|via| via.expect("via")).collect();
    let hops: Vec<_> =
        vias.iter().map(|via| (via.transport, via.host, via.branch().unwrap_or(""))).collect();
    assert_eq!(
        hops,
        [
            ("UDP", "192.0.2.2", "390skdjuw"),
            ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
            ("UDP", "192.168.255.111", "z9hG4bK30239"),
        ]
    );
    assert_eq!(message.cseq().expect("cseq").number, 9);
    assert_eq!(message.number(Name::MaxForwards), Some(68));
    assert_eq!(message.tag(Name::To), Some("1918181833n"));
    assert_eq!(
        message.party(Name::From).and_then(|a| a.name()).as_deref(),
        Some("J Rosenberg \\\"")
    );
    let contact = message.address(Name::Contact).expect("contact");
    assert_eq!(contact.name().as_deref(), Some("Quoted string \"\""));
    assert_eq!(contact.params.get("newparam"), Some("newvalue"));
    assert_eq!(contact.params.get("q"), Some("0.33"));
    assert_eq!(
        message.address(Name::Route).map(|a| a.uri_text),
        Some("sip:services.example.com;lr;unknownwith=value;unknown-no-value")
    );
}

#[test]
fn escapes_are_not_resolved_where_they_mean_nothing() {
    let message = torture("esc02");
    assert_eq!(message.method(), Some(&Method::Other("RE%47IST%45R".into())));
    assert_eq!(message.all(Name::Contact).count(), 2, "C%6Fntact is another header");
    let message = torture("esc01");
    assert_eq!(
        Uri::parse(message.request_uri()).expect("uri").user_text().as_deref(),
        Some("sips:user@example.com")
    );
    assert_eq!(
        message
            .party(Name::To)
            .and_then(|a| a.uri().ok()?.user_text().map(|u| u.into_owned()))
            .as_deref(),
        Some("user")
    );
}

#[test]
fn binary_parts_are_kept() {
    let message = torture("mpart01");
    let parts = offhook_sip::message::parts(
        message.header(Name::ContentType).expect("type"),
        message.body(),
    );
    let types: Vec<_> = parts.iter().map(|part| part.media_type.as_str()).collect();
    assert_eq!(types, ["text/plain", "application/octet-stream"]);
    assert_eq!(parts[0].body, b"Hello");
}

#[test]
fn a_datagram_with_more_than_one_message_is_the_first() {
    let message = torture("dblreq");
    assert_eq!(message.method(), Some(&Method::Register));
    assert_eq!(message.oddities(), [Oddity::ExtraBytes]);
}
