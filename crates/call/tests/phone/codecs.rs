//! Which codecs a call names, and in which order.

use offhook_model::AudioCodec;
use offhook_ports::{PhoneAccount, PhoneFeatures};

use crate::stage::{Stage, account, bob};

/// The payload types of the offer's audio stream.
fn offered(features: PhoneFeatures, low_bandwidth: bool) -> (Vec<u8>, String) {
    let mut stage = Stage::of(PhoneAccount { features, ..account() }).in_service();
    stage.phone.save_bandwidth(low_bandwidth);
    stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    let line = invite.lines().find(|line| line.starts_with("m=audio")).expect("a stream");
    let numbers = line.split_whitespace().skip(3).map(|word| word.parse().expect("a number"));
    (numbers.collect(), invite)
}

fn usual(codec: AudioCodec) -> u8 {
    codec.usual_payload_type()
}

#[test]
fn everything_is_offered_the_best_first() {
    let (numbers, _) = offered(PhoneFeatures::default(), false);
    let codecs = AudioCodec::ALL.map(usual);
    assert!(numbers.starts_with(&[&codecs[..], &[101, 102]].concat()), "{numbers:?}");
}

#[test]
fn low_bandwidth_leaves_one_codec() {
    let (numbers, invite) = offered(PhoneFeatures::default(), true);
    assert_eq!(numbers, [18, 101]);
    assert!(invite.contains("a=fmtp:18 annexb=no"), "{invite}");
}

#[test]
fn the_device_file_decides_on_some() {
    let features = PhoneFeatures {
        without_g722: true,
        preferred_codec: Some(AudioCodec::Pcma),
        leave_out_silence: true,
        ..PhoneFeatures::default()
    };
    let (numbers, invite) = offered(features, false);
    assert_eq!(numbers.first(), Some(&usual(AudioCodec::Pcma)));
    assert!(!numbers.contains(&usual(AudioCodec::G722)) && numbers.contains(&13), "{numbers:?}");
    assert!(invite.contains("a=fmtp:18 annexb=yes"), "{invite}");
}
