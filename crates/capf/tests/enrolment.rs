//! Conversations with a server, record for record. The bytes are written by hand after the layout
//! that public programs show, so that reading and writing cannot agree on the same mistake.

use std::path::Path;

use offhook_capf::{Authentication, Enrolment, KeyKind, Output};
use offhook_model::{EnrolFault, Secret};

/// A certificate as far as the protocol goes.
const DER: [u8; 4] = [0x30, 0x02, 0x05, 0x00];

/// A server's record of session `0x01020304`.
fn record(command: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        vec![0x55, command, 1, 2, 3, 4, 0, u8::try_from(body.len()).expect("a short body")];
    bytes.extend(body);
    bytes
}

fn hello() -> Vec<u8> {
    record(1, &[7, 0, 1, 3])
}

fn by_string() -> Enrolment {
    Enrolment::new("CSFALICE", Authentication::String(Secret::from("12345")))
}

fn sent(phone: &mut Enrolment) -> Vec<u8> {
    match phone.poll() {
        Some(Output::Send(bytes)) => bytes.expose().clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn ends(mut phone: Enrolment, said: &[Vec<u8>], expected: Result<(), EnrolFault>) {
    said.iter().for_each(|bytes| phone.receive(bytes));
    let mut last = None;
    while let Some(output) = phone.poll() {
        if let Output::Over(how) = output {
            last = Some(how);
        }
    }
    assert_eq!(last, Some(expected));
    assert!(phone.is_over());
}

#[test]
fn an_authentication_string_brings_a_certificate() {
    let mut phone = by_string();
    // In pieces, as a stream may bring it.
    let hello = hello();
    phone.receive(&hello[..5]);
    assert!(phone.poll().is_none());
    phone.receive(&hello[5..]);
    let mut body = vec![1, 0, 1, 1, 7, 0, 1, 2, 13, 0, 9];
    body.extend(b"CSFALICE\0");
    body.extend([11, 0, 6]);
    body.extend(b"12345\0");
    assert_eq!(sent(&mut phone), record(2, &body));
    phone.receive(&record(3, &[10, 0, 2, 8, 0]));
    assert!(matches!(phone.poll(), Some(Output::MakeKey(KeyKind::Rsa(2048)))));
    phone.key_made(&[0x30, 0]);
    assert_eq!(sent(&mut phone), record(4, &[9, 0, 2, 0x30, 0]));
    let mut body = vec![3, 0, 1, 1, 4, 0, 9, 1, 0, 6, 0, 1];
    body.extend(DER);
    phone.receive(&record(9, &body));
    assert!(matches!(phone.poll(), Some(Output::Keep(der)) if der == DER));
    assert!(phone.poll().is_none(), "its receipt is not confirmed before it is kept");
    phone.kept(true);
    assert_eq!(sent(&mut phone), record(10, &[1, 0, 1, 1]));
    phone.receive(&record(15, &[1, 0, 1, 1]));
    assert!(matches!(phone.poll(), Some(Output::Over(Ok(())))));
}

#[test]
fn a_certificate_that_cannot_be_kept_is_not_confirmed() {
    let mut phone = by_string();
    phone.receive(&hello());
    drop(sent(&mut phone));
    phone.receive(&record(3, &[]));
    drop(phone.poll());
    phone.key_made(&[0x30, 0]);
    drop(sent(&mut phone));
    let body = [[4, 0, 9, 1, 0, 6, 0, 1].as_slice(), &DER].concat();
    phone.receive(&record(9, &body));
    assert!(matches!(phone.poll(), Some(Output::Keep(_))));
    phone.kept(false);
    assert!(matches!(phone.poll(), Some(Output::Over(Err(EnrolFault::NotKept)))));
    assert!(phone.poll().is_none() && phone.is_over());
}

#[test]
fn the_present_certificate_vouches_for_the_next() {
    let mut phone = Enrolment::new("CSFALICE", Authentication::Certificate(DER.to_vec()));
    phone.receive(&hello());
    let Some(Output::Sign(what)) = phone.poll() else { panic!("nothing to sign") };
    assert_eq!(what, [b"CSFALICE\0".as_slice(), &DER].concat());
    phone.signed(&[1, 1], &[2, 2, 2]);
    let mut body = vec![1, 0, 1, 1, 7, 0, 1, 2, 13, 0, 9];
    body.extend(b"CSFALICE\0");
    body.extend([4, 0, 9, 1, 0, 6, 0, 1]);
    body.extend(DER);
    body.extend([6, 0, 2, 1, 1, 20, 0, 6, 2, 0, 3, 2, 2, 2]);
    assert_eq!(sent(&mut phone), record(2, &body));
}

#[test]
fn a_certificate_can_be_taken_back_and_looked_at() {
    let mut phone = by_string();
    phone.receive(&hello());
    drop(sent(&mut phone));
    phone.receive(&record(13, &[]));
    assert!(matches!(phone.poll(), Some(Output::Forget)));
    assert_eq!(sent(&mut phone), record(14, &[1, 0, 1, 1]));
    phone.receive(&record(15, &[1, 0, 1, 1]));
    assert!(matches!(phone.poll(), Some(Output::Over(Ok(())))));
    ends(by_string(), &[hello(), record(11, &[]), record(15, &[])], Ok(()));
}

#[test]
fn other_kinds_of_keys_are_asked_for() {
    let kind = |body: &[u8]| {
        let mut phone = by_string();
        phone.receive(&hello());
        drop(sent(&mut phone));
        phone.receive(&record(3, body));
        std::iter::from_fn(|| phone.poll()).find_map(|output| match output {
            Output::MakeKey(kind) => Some(kind),
            _ => None,
        })
    };
    assert_eq!(kind(&[]), Some(KeyKind::Rsa(2048)));
    assert_eq!(kind(&[10, 0, 2, 16, 0]), Some(KeyKind::Rsa(4096)));
    assert_eq!(kind(&[17, 0, 1, 1, 18, 0, 1, 0]), Some(KeyKind::P256));
    assert_eq!(kind(&[17, 0, 1, 1, 18, 0, 1, 1]), Some(KeyKind::P384));
    assert_eq!(kind(&[17, 0, 1, 1, 18, 0, 1, 2]), None);
    assert_eq!(kind(&[10, 0, 2, 2, 0]), None);
}

#[test]
fn refusals_are_told_apart() {
    let end = |reason| record(15, &[1, 0, 1, reason]);
    let null = || Enrolment::new("CSFALICE", Authentication::Null);
    ends(by_string(), &[hello(), end(7)], Err(EnrolFault::WrongString));
    ends(null(), &[hello(), end(7)], Err(EnrolFault::NothingPending));
    ends(by_string(), &[hello(), end(0)], Err(EnrolFault::NothingPending));
    ends(by_string(), &[hello(), end(9)], Err(EnrolFault::UnknownDevice));
    ends(by_string(), &[hello(), end(5)], Err(EnrolFault::Reason(5)));
    let later = record(16, &[12, 0, 2, 0, 30]);
    ends(by_string(), &[hello(), later], Err(EnrolFault::Later(Some(30))));
    ends(null(), &[record(1, &[7, 0, 1, 3, 8, 0, 1, 1])], Err(EnrolFault::StringWanted));
    let short = record(3, &[10, 0, 2, 4, 0]);
    ends(by_string(), &[hello(), short], Err(EnrolFault::Key(Some(1024))));
}

#[test]
fn nonsense_ends_the_conversation() {
    let nonsense = |said: &[Vec<u8>]| {
        let mut phone = by_string();
        said.iter().for_each(|bytes| phone.receive(bytes));
        let over = std::iter::from_fn(|| phone.poll()).last();
        assert!(matches!(over, Some(Output::Over(Err(EnrolFault::Nonsense(_))))), "{over:?}");
    };
    nonsense(&[b"HTTP/1.1 200 OK\r\n".to_vec()]);
    nonsense(&[hello(), hello()]);
    nonsense(&[hello(), record(9, &[])]);
    nonsense(&[hello(), record(3, &[10, 0, 9, 8, 0])]);
    let mut other = record(3, &[10, 0, 2, 8, 0]);
    other[2] = 9;
    nonsense(&[hello(), other]);
    nonsense(&[hello(), std::iter::repeat_n(record(17, &[]), 70).flatten().collect()]);
}

#[test]
fn the_string_is_in_no_debug_output() {
    let mut phone = by_string();
    phone.receive(&hello());
    let shown = format!("{phone:?} {:?}", phone.poll());
    assert!(!shown.contains("12345") && !shown.contains("49, 50, 51"), "{shown}");
}

#[test]
fn the_corpus_and_its_mutations_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/record");
    let files =
        offhook_testkit::corpus::replay(&folder, 4000, 0xcaf, offhook_capf::fuzzing::record);
    assert!(files >= 6, "{files}");
}
