//! Entry points for fuzzing.

use offhook_model::Secret;

use crate::{Authentication, Enrolment, Output, Record};

/// A server's bytes: what can be read is written again byte for byte, and a phone that hears them
/// comes to one end at most.
pub fn record(data: &[u8]) {
    if let Ok(Some((record, length))) = Record::read(data) {
        assert!(length <= data.len());
        assert_eq!(record.write().as_deref(), Ok(&data[..length]));
        if let Some(der) = record.certificate() {
            assert!(der.len() <= length);
        }
    }
    for authentication in [
        Authentication::Null,
        Authentication::String(Secret::from("0123456789")),
        Authentication::Certificate(vec![0x30, 0]),
    ] {
        hear(Enrolment::new("CSFALICE", authentication), data);
    }
}

fn hear(mut phone: Enrolment, data: &[u8]) {
    let mut ends = 0;
    for piece in data.chunks(1 + data.len() / 3) {
        phone.receive(piece);
        while let Some(output) = phone.poll() {
            match output {
                Output::MakeKey(_) => phone.key_made(&[0x30, 0]),
                Output::Sign(_) => phone.signed(&[1], &[2]),
                Output::Over(_) => ends += 1,
                Output::Keep(_) => phone.kept(data.len().is_multiple_of(2)),
                Output::Send(_) | Output::Forget => {}
            }
        }
    }
    phone.closed();
    ends +=
        std::iter::from_fn(|| phone.poll()).filter(|one| matches!(one, Output::Over(_))).count();
    assert_eq!(ends, 1);
    assert!(phone.is_over());
}
