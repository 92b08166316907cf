//! Encrypted audio in offers and answers (RFC 4568), from the offer to sealed packets.

use std::net::Ipv4Addr;
use std::time::Duration;

use offhook_model::{AudioCodec, Secret, SrtpSuite};
use offhook_ports::{MediaPlan, SrtpPlan};
use offhook_rtp::sdp::{Encryption, LocalMedia, Negotiator, SdpError};
use offhook_rtp::srtp::{OVERHEAD, Receiver, Sender};

const CUCM: &str = include_str!("fixtures/cucm-secure.sdp");
const KEY_30: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn side(secret: u8, encryption: Encryption) -> Negotiator {
    let local = LocalMedia {
        address: Ipv4Addr::LOCALHOST.into(),
        rtp_port: 16_384,
        rtcp_port: 16_385,
        codecs: vec![AudioCodec::Pcmu],
        quiet: false,
        packet_time: Duration::from_millis(20),
        redundancy: false,
        dscp: 46,
        cname: "name".to_owned(),
        hold: false,
        encryption,
        secret: Secret::new([secret; 32]),
        ice: None,
    };
    Negotiator::new(secret.into(), local)
}

fn agree(a: &mut Negotiator, b: &mut Negotiator) -> Result<(MediaPlan, MediaPlan), SdpError> {
    let (answer, theirs) = b.answer(&a.offer())?;
    Ok((a.accept_answer(&answer)?, theirs))
}

fn keys(plan: &MediaPlan) -> &SrtpPlan {
    plan.srtp.as_ref().expect("encrypted")
}

fn offer(protocol: &str, lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("a=crypto:{line}\r\n")).collect();
    format!("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 5000 {protocol} 0\r\n{lines}")
}

#[test]
fn both_sides_hold_each_others_key_and_understand_each_other() {
    use Encryption::{Accepted, Fallback, Offered, Required};
    for (a, b) in
        [(Offered, Accepted), (Required, Accepted), (Fallback, Required), (Offered, Offered)]
    {
        let (mine, theirs) = agree(&mut side(1, a), &mut side(2, b)).expect("agreed");
        let (mine, theirs) = (keys(&mine), keys(&theirs));
        assert_eq!(
            (mine.suite, theirs.suite),
            (SrtpSuite::AeadAes256Gcm, SrtpSuite::AeadAes256Gcm)
        );
        assert_eq!((&mine.send, &mine.receive), (&theirs.receive, &theirs.send));
        assert_ne!(mine.send, mine.receive);
        let mut sender = Sender::new(mine.suite, mine.send.expose()).expect("our key");
        let mut receiver = Receiver::new(theirs.suite, theirs.receive.expose()).expect("its twin");
        let mut packet = vec![0x80; 40 + OVERHEAD];
        let length = sender.protect(&mut packet, 40).expect("sealed");
        assert_eq!(receiver.unprotect(&mut packet[..length]), Ok(40));
    }
}

#[test]
fn who_offers_nothing_and_is_offered_nothing_talks_in_clear() {
    let (mut a, mut b) = (side(1, Encryption::Accepted), side(2, Encryption::Accepted));
    let (mine, theirs) = agree(&mut a, &mut b).expect("agreed");
    assert_eq!((mine.srtp, theirs.srtp), (None, None));
    assert!(!a.offer().contains("crypto"));
}

#[test]
fn the_transport_says_how_much_is_insisted_on() {
    let line = |encryption| side(1, encryption).offer();
    assert!(line(Encryption::Offered).contains("m=audio 16384 RTP/AVP "));
    assert!(line(Encryption::Fallback).contains("m=audio 16384 RTP/SAVP "));
    assert!(line(Encryption::Required).contains("m=audio 16384 RTP/SAVP "));
    let offer = line(Encryption::Required);
    for name in ["1 AEAD_AES_256_GCM", "2 AES_CM_128_HMAC_SHA1_80", "3 AES_CM_128_HMAC_SHA1_32"] {
        assert!(offer.contains(&format!("a=crypto:{name} inline:")), "{offer}");
    }
}

#[test]
fn a_call_manager_is_answered_under_its_own_tag() {
    let (answer, plan) = side(1, Encryption::Accepted).answer(CUCM).expect("an answer");
    assert!(answer.contains("m=audio 16384 RTP/SAVP 0"), "{answer}");
    assert!(answer.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), "{answer}");
    assert_eq!(keys(&plan).suite, SrtpSuite::AesCm128HmacSha1_80);
    assert_eq!(keys(&plan).receive.expose(), &vec![0; 30]);
}

#[test]
fn a_plain_answer_is_taken_only_where_it_may_be() {
    let plain = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 5000 RTP/AVP 0\r\n";
    for (encryption, allowed) in
        [(Encryption::Offered, true), (Encryption::Fallback, true), (Encryption::Required, false)]
    {
        let mut ours = side(1, encryption);
        ours.offer();
        let plan = ours.accept_answer(plain);
        assert_eq!(plan.is_ok(), allowed, "{encryption:?}");
        assert!(plan.is_err() || plan.is_ok_and(|plan| plan.srtp.is_none()));
        let answer = side(1, encryption).answer(plain).map(|_| ());
        assert_eq!(answer, if allowed { Ok(()) } else { Err(SdpError::InClear) });
    }
}

#[test]
fn the_strongest_of_theirs_is_chosen_and_what_is_not_understood_passed_over() {
    let good = format!("7 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30}|2^31");
    let weak = format!("3 AES_CM_128_HMAC_SHA1_32 inline:{KEY_30}");
    let (answer, _) = side(1, Encryption::Accepted)
        .answer(&offer("RTP/SAVP", &[weak.clone(), good]))
        .expect("an answer");
    assert!(answer.contains("a=crypto:7 AES_CM_128_HMAC_SHA1_80"), "{answer}");
    for odd in [
        format!("1 F8_128_HMAC_SHA1_80 inline:{KEY_30}"),
        format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30}|2^20|1:4"),
        format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30};inline:{KEY_30}"),
        format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30} UNENCRYPTED_SRTP"),
        format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30} KDR=1"),
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA".to_owned(),
        "1 AEAD_AES_256_GCM inline:%%%%".to_owned(),
        "x AES_CM_128_HMAC_SHA1_80 inline:".to_owned(),
        "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
        String::new(),
    ] {
        let alone =
            side(1, Encryption::Accepted).answer(&offer("RTP/SAVP", std::slice::from_ref(&odd)));
        assert_eq!(alone.map(|_| ()), Err(SdpError::SecureOnly), "{odd}");
        let both = side(1, Encryption::Accepted).answer(&offer("RTP/SAVP", &[odd, weak.clone()]));
        assert!(both.expect("the other is good").0.contains("a=crypto:3 "));
    }
}

#[test]
fn an_answer_must_refer_to_what_was_offered() {
    for line in ["2 AEAD_AES_256_GCM", "9 AES_CM_128_HMAC_SHA1_80", "1 AES_CM_128_HMAC_SHA1_32"] {
        let mut ours = side(1, Encryption::Required);
        ours.offer();
        let answer = offer("RTP/SAVP", &[format!("{line} inline:{KEY_30}")]);
        assert_eq!(ours.accept_answer(&answer), Err(SdpError::SecureOnly), "{line}");
    }
    // Keys that nobody asked for mean nothing.
    let mut ours = side(1, Encryption::Accepted);
    ours.offer();
    let answer = offer("RTP/AVP", &[format!("2 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30}")]);
    assert_eq!(ours.accept_answer(&answer).expect("in clear").srtp, None);
}

#[test]
fn a_later_offer_keeps_the_keys() {
    let (mut a, mut b) = (side(1, Encryption::Offered), side(2, Encryption::Accepted));
    let first = agree(&mut a, &mut b).expect("agreed");
    // From the other side, which offered no keys at first.
    a.set_hold(true);
    let (theirs, mine) = agree(&mut b, &mut a).expect("agreed again");
    assert_eq!((first.0.srtp, first.1.srtp), (mine.srtp, theirs.srtp));
}

#[test]
fn encrypted_comes_before_clear_and_nothing_shows_a_key() {
    let both = format!(
        "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 5000 RTP/AVP 0\r\nm=audio 5002 RTP/SAVP 0\r\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30}\r\n"
    );
    let mut ours = side(1, Encryption::Accepted);
    let (_, plan) = ours.answer(&both).expect("an answer");
    assert_eq!(plan.remote.port(), 5_002);
    let shown = format!("{ours:?} {plan:?}");
    assert!(!shown.contains("inline") && !shown.contains(KEY_30), "{shown}");
}
