//! Entry for fuzzers: any bytes as questions and answers of a stranger while transfers of each kind
//! go on, with an adapter that says yes to everything.

use std::time::{Duration, Instant};

use offhook_model::{Moment, Timestamp};
use offhook_ports::{StreamHost, TransferFact, TransferOrder};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::minidom::Element;

use crate::{Outgoing, Output, Servers, Source, Transfers};

/// Nesting that the stream reader lets pass.
const DEPTH: usize = 64;

/// Feeds the lines of `data` as questions; `@` answers the newest question of ours well, with what
/// follows as payload, `!` takes everything that is offered.
pub fn fuzz(data: &[u8], start: Instant) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let addresses = ["alice@example.com/d", "bob@example.com/x", "up.example.com"];
    let [Ok(full), Ok(bob), Ok(upload)] = addresses.map(str::parse) else { return };
    let full: offhook_model::Jid = full;
    let bob: offhook_model::Jid = bob;
    let mut now = Moment { at: start, wall: Timestamp(1_700_000_000_000) };
    let mut files = Transfers::new(full.clone(), 7, now);
    files.online(full, StreamHost { host: "im.example.com".into(), port: 5222 }, now);
    for upload in [None, Some((upload, Some(1_000)))] {
        files.servers(Servers { upload, proxy: None }, now);
        let wish = Outgoing {
            with: bob.bare(),
            room: false,
            addresses: vec![bob.clone()],
            source: Source::File("/tmp/a.txt".into()),
        };
        // Refused when too many go on.
        let _ = files.send(wish, now);
        drain(&mut files, now);
    }
    for line in text.lines().take(64) {
        now = now.plus(Duration::from_millis(300));
        if let Some(payload) = line.strip_prefix('@') {
            answer(&mut files, payload, now);
        } else if line.starts_with('!') {
            for transfer in files.list().iter() {
                let _ = files.accept(transfer.id, None, now);
            }
        } else if let Some(iq) = iq(line) {
            files.receive(&iq, now);
        }
        drain(&mut files, now);
        check(&files);
    }
    files.offline(now);
    drain(&mut files, now);
    for _ in 0..64 {
        now = now.plus(Duration::from_secs(100));
        files.handle_timeout(now);
        drain(&mut files, now);
    }
    assert_eq!(files.next_timeout(), None);
}

/// A question from its text.
pub fn iq(text: &str) -> Option<Iq> {
    if text.matches('<').count() > 4 * DEPTH {
        return None;
    }
    let element: Element = text.parse().ok()?;
    Iq::try_from(element).ok()
}

fn answer(files: &mut Transfers, payload: &str, now: Moment) {
    let Some((id, to)) = files.newest_question() else { return };
    let payload: Option<Element> = payload.parse().ok();
    let from = xmpp_parsers::jid::Jid::new(&to).ok();
    files.receive(&Iq::Result { from, to: None, id, payload }, now);
}

fn drain(files: &mut Transfers, now: Moment) {
    for _ in 0..10_000 {
        let Some(output) = files.poll() else { return };
        match output {
            Output::Order(id, order) => {
                if let Some(fact) = fact(&order) {
                    files.fact(id, fact, now);
                }
            }
            Output::Show { id, .. } => {
                files.shown(id, offhook_model::MessageId(format!("m{id}")));
            }
            Output::Send(_) | Output::Notice(_) | Output::Message { .. } => {}
        }
    }
    assert!(files.poll().is_none(), "it comes to rest");
}

fn fact(order: &TransferOrder) -> Option<TransferFact> {
    Some(match order {
        TransferOrder::Look(_) | TransferOrder::Capture { .. } => {
            TransferFact::Looked { name: "a.txt".into(), size: 5 }
        }
        TransferOrder::Put { .. } | TransferOrder::Send(_) => TransferFact::Sent { sha256: None },
        TransferOrder::Head(_) => TransferFact::Size(Some(5)),
        TransferOrder::Listen { .. } => TransferFact::Listening(None),
        TransferOrder::Dial { .. } => TransferFact::Dialled(0),
        TransferOrder::Get { .. } => TransferFact::Received { size: 5, sha256: [0; 32] },
        TransferOrder::Receive { size, .. } => {
            TransferFact::Received { size: *size, sha256: [0; 32] }
        }
        TransferOrder::ReadBlock(_) => TransferFact::Block { bytes: vec![], sha256: None },
        TransferOrder::WriteBlock { bytes, .. } => TransferFact::Written(bytes.len() as u64),
        TransferOrder::Keep => TransferFact::Kept("/tmp/a.txt".into()),
        TransferOrder::Stop { .. } | TransferOrder::End => return None,
    })
}

fn check(files: &Transfers) {
    for transfer in files.list().iter() {
        assert_eq!(offhook_model::safe_file_name(&transfer.name), transfer.name);
        assert!(transfer.name.len() <= 150);
    }
}
