//! Entry points for fuzzing: each runs a parser over arbitrary bytes and checks what must hold.

pub mod operations;

/// Messages: what can be read can be written, and reads the same again.
pub mod message {
    use crate::message::{Message, Name, parse};

    /// One input.
    pub fn fuzz(data: &[u8]) {
        let Ok(message) = parse(data) else { return };
        look(&message);
        let written = message.write();
        // The version of a request with an unknown one is not kept; all else is.
        if let Ok(again) = parse(&written) {
            assert_eq!(again.method(), message.method());
            assert_eq!(again.status(), message.status());
            assert_eq!(again.request_uri(), message.request_uri());
            assert_eq!(again.body(), message.body());
            assert_eq!(again.header(Name::CallId), message.header(Name::CallId));
        } else {
            assert!(written.len() > crate::message::MAX_HEAD, "written but unreadable");
        }
    }

    fn look(message: &Message) {
        let _ = (message.defect(), message.sdp(), message.explanation(), message.via());
        for name in [Name::From, Name::To, Name::Contact, Name::Route, Name::RemotePartyId] {
            for address in message.addresses(name).flatten() {
                let _ = (address.uri().map(|uri| uri.to_string()), address.name(), address.tag());
            }
        }
        for via in message.vias().flatten() {
            let _ = (via.branch(), via.rport());
        }
        for value in message.all(Name::WwwAuthenticate) {
            let _ = crate::digest::Challenge::parse(value);
        }
        let _ = crate::identity::Identity::of_sender(message);
        crate::agent::look(message);
        let _ = crate::remote::wishes(message);
    }
}

/// Streams: the same bytes are cut the same whether they come in one piece or in two.
pub mod framing {
    use crate::message::{Frame, Framer};

    /// One input; its first byte says where it is divided.
    pub fn fuzz(data: &[u8]) {
        let Some((at, stream)) = data.split_first() else { return };
        let at = usize::from(*at).min(stream.len());
        let whole = run(&[stream]);
        let divided = run(&[&stream[..at], &stream[at..]]);
        assert_eq!(whole, divided);
    }

    fn run(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
        let mut framer = Framer::new();
        let mut messages = vec![];
        for piece in pieces {
            framer.push(piece);
            loop {
                match framer.next_frame() {
                    Ok(Some(Frame::Message(bytes))) => messages.push(bytes),
                    Ok(Some(Frame::Ping | Frame::Pong)) => {}
                    Ok(None) => break,
                    Err(_) => return (messages, false),
                }
            }
        }
        (messages, true)
    }
}

/// URIs and addresses: what can be read and written reads the same again.
pub mod uri {
    use crate::message::{Address, Uri};

    /// One input.
    pub fn fuzz(data: &[u8]) {
        let Ok(text) = std::str::from_utf8(data) else { return };
        if let Ok(uri) = Uri::parse(text) {
            let written = uri.to_string();
            let again = Uri::parse(&written).map(|uri| uri.to_string());
            assert_eq!(again.as_deref(), Ok(written.as_str()));
            let _ = uri.user_text();
        }
        if let Ok(address) = Address::parse(text) {
            let _ = (address.uri(), address.name(), address.params.iter().count());
        }
    }
}

/// Bodies of several parts: each part is a piece of the body, and there are not too many.
pub mod multipart {
    use crate::message::parts;

    /// One input: a line with the media type, then the body.
    pub fn fuzz(data: &[u8]) {
        let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
        let (kind, body) = data.split_at(end);
        let body = body.get(1..).unwrap_or_default();
        let kind = String::from_utf8_lossy(kind);
        let found = parts(&kind, body);
        assert!(found.len() <= 32);
        assert!(found.iter().map(|part| part.body.len()).sum::<usize>() <= body.len());
    }
}

/// Bodies of the call manager and of subscriptions: the first line is the media type, the rest the
/// body.
pub mod body {
    use crate::lines::{self, Dialogs};
    use crate::message::parse;
    use crate::remote::wishes;
    use crate::xml;

    /// One input.
    pub fn fuzz(data: &[u8]) {
        let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
        let (kind, body) = data.split_at(at);
        let body = body.get(1..).unwrap_or_default();
        if let Some(root) = xml::parse(body) {
            check(&root, 1);
        }
        let Ok(kind) = std::str::from_utf8(kind) else { return };
        let kind: String = kind.chars().filter(|c| !c.is_control()).collect();
        let head = format!(
            "NOTIFY sip:a SIP/2.0\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let Ok(message) = parse(&[head.as_bytes(), body].concat()) else { return };
        assert!(wishes(&message).len() <= 32);
        let mut known = Dialogs::default();
        let _ = (lines::read(&message, &mut known), lines::read(&message, &mut known));
    }

    fn check(element: &xml::Element, depth: usize) {
        assert!(depth <= xml::MAX_DEPTH + 1 && !element.name.is_empty());
        element.children.iter().for_each(|child| check(child, depth + 1));
    }
}

/// What is said in calls: the first line is the media type, the rest the body.
pub mod talk {
    /// One input.
    pub fn fuzz(data: &[u8]) {
        let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
        let body = data.get(at + 1..).unwrap_or_default();
        let mut roster = crate::conference::Roster::default();
        for _ in 0..2 {
            let _ = roster.apply(body);
            assert!(roster.people().len() <= 200);
        }
        crate::agent::look_at_body(body);
    }
}
