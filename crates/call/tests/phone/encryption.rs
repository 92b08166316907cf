//! Encrypted sound: when it is offered, taken, insisted on, and what the call then says of itself.

use offhook_model::{CallState, Link, Security, SrtpSuite};
use offhook_ports::MediaEncryption::{Fallback, Required, WherePossible};
use offhook_ports::{PhoneAccount, PhoneDialect};

use crate::stage::{Stage, account, bob, header, sdp};

/// Bob's description with a key of his.
fn keyed(protocol: &str, tag: u32) -> String {
    let key = "A".repeat(40);
    sdp("sendrecv").replace("RTP/AVP", protocol)
        + &format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n")
}

#[test]
fn over_an_encrypted_connection_keys_are_offered_beside_the_plain_transport() {
    let mut stage = Stage::encrypting(Link::Tls, WherePossible);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    assert!(invite.contains(" RTP/AVP ") && invite.contains("a=crypto:2 AES_CM_128"), "{invite}");
    stage.respond(&invite, "200 OK", "", &keyed("RTP/AVP", 2));
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.call(id).security), (CallState::Connected, Security::Full));
    let (_, plan) = stage.applied.last().expect("a plan");
    let srtp = plan.srtp.as_ref().expect("encrypted");
    assert_eq!((srtp.suite, srtp.receive.expose()), (SrtpSuite::AesCm128HmacSha1_80, &vec![0; 30]));
}

#[test]
fn who_does_not_encrypt_is_talked_to_all_the_same_and_the_call_says_so() {
    for encryption in [WherePossible, Fallback] {
        let mut stage = Stage::encrypting(Link::Tls, encryption);
        let (id, _) = stage.talking();
        assert_eq!(stage.call(id).security, Security::Signalling);
        assert!(stage.applied.last().is_some_and(|(_, plan)| plan.srtp.is_none()));
    }
}

#[test]
fn who_takes_keys_with_the_encrypted_transport_only_is_called_again_with_that() {
    let mut stage = Stage::encrypting(Link::Tls, WherePossible);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "488 Not Acceptable Here", "", "");
    stage.take("ACK ");
    let again = stage.take("INVITE ");
    assert!(again.contains(" RTP/SAVP ") && again.contains("a=crypto:2 "), "{again}");
    assert_ne!(header(&again, "Call-ID"), header(&invite, "Call-ID"));
    assert_eq!(stage.state(id), CallState::Dialing);
    stage.respond(&again, "200 OK", "", &keyed("RTP/SAVP", 2));
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.call(id).security), (CallState::Connected, Security::Full));
}

#[test]
fn who_refuses_both_is_called_no_third_time() {
    let mut stage = Stage::encrypting(Link::Tls, WherePossible);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    for _ in 0..2 {
        let invite = stage.take("INVITE ");
        stage.respond(&invite, "488 Not Acceptable Here", "", "");
        stage.take("ACK ");
    }
    stage.nothing_sent();
    assert_eq!(stage.end(id), ("failed", Some(488)));
}

#[test]
fn over_a_connection_in_clear_no_key_is_told_unasked() {
    let mut stage = Stage::encrypting(Link::Tcp, WherePossible);
    stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    assert!(!stage.take("INVITE ").contains("crypto"));
    // Theirs is answered, for else there would be no call; nothing is promised by it.
    stage.invite(&keyed("RTP/SAVP", 1));
    stage.take("SIP/2.0 100 ");
    stage.take("SIP/2.0 180 ");
    let id = stage.newest();
    stage.phone.answer(id, stage.now).expect("answered");
    stage.drain();
    assert!(stage.take("SIP/2.0 200 ").contains("RTP/SAVP"));
    assert!(stage.applied.last().is_some_and(|(_, plan)| plan.srtp.is_some()));
    assert_eq!(stage.call(id).security, Security::None);
}

#[test]
fn where_sound_must_be_encrypted_a_caller_in_clear_is_told_and_nothing_rings() {
    let mut stage = Stage::encrypting(Link::Tls, Required);
    stage.invite(&sdp("sendrecv"));
    stage.take("SIP/2.0 100 ");
    let refusal = stage.take("SIP/2.0 488 ");
    let warning = header(&refusal, "Warning");
    assert!(warning.starts_with("399 ") && warning.contains("SRTP"), "{warning}");
    let id = stage.newest();
    assert_eq!((stage.end(id), stage.tone), (("failed", Some(488)), None));
    let problem = stage.call(id).end.and_then(|end| end.problem).expect("a problem");
    assert!(problem.cause.contains("does not encrypt"), "{}", problem.cause);
    assert!(stage.records.last().expect("a record").missed, "somebody did call");
    assert!(stage.reserving.is_empty() && stage.applied.is_empty());
}

#[test]
fn where_sound_must_be_encrypted_an_answer_in_clear_ends_the_call() {
    let mut stage = Stage::encrypting(Link::Tls, Required);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    assert!(invite.contains(" RTP/SAVP "), "{invite}");
    stage.respond(&invite, "200 OK", "", &sdp("sendrecv"));
    stage.take("ACK ");
    stage.take("BYE ");
    assert_eq!(stage.end(id).0, "failed");
    assert!(stage.applied.is_empty(), "not a packet in clear");
}

#[test]
fn hold_and_resume_keep_the_keys() {
    let mut stage = Stage::encrypting(Link::Tls, Required);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "200 OK", "", &keyed("RTP/SAVP", 2));
    stage.take("ACK ");
    let before = stage.applied.last().and_then(|(_, plan)| plan.srtp.clone());
    stage.phone.hold(id, stage.now).expect("held");
    stage.drain();
    let again = stage.take("INVITE ");
    stage.respond(&again, "200 OK", "", &keyed("RTP/SAVP", 2).replace("sendrecv", "recvonly"));
    stage.take("ACK ");
    assert_eq!(stage.state(id), CallState::Held);
    assert_eq!(stage.applied.last().and_then(|(_, plan)| plan.srtp.clone()), before);
    assert!(before.is_some());
    assert_eq!(stage.call(id).security, Security::Full);
}

/// What the padlock says when our piece of the way is encrypted over this kind of connection, or is
/// not, and the call manager says this about the whole way.
#[track_caller]
fn padlock(link: Link, ours: bool, said: Option<&str>, expected: Security) {
    let dialect =
        PhoneDialect::Cucm { device: "CSFALICE".into(), model: 503, line_contact: "x".into() };
    let mut account = PhoneAccount { dialect, encryption: Fallback, ..account() };
    account.servers[0].link = link;
    let mut stage = Stage::of(account).in_service();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    let info = said.map_or_else(String::new, |said| {
        format!("Call-Info: <urn:x-cisco-remotecc:callinfo>; orientation=to; security={said}\r\n")
    });
    let answer = if ours { keyed("RTP/SAVP", 2) } else { sdp("sendrecv") };
    stage.respond(&invite, "200 OK", &info, &answer);
    stage.take("ACK ");
    assert_eq!(stage.call(id).security, expected, "{link:?} {ours} {said:?}");
}

#[test]
fn the_padlock_is_closed_only_where_the_whole_way_is_encrypted() {
    padlock(Link::Tls, true, None, Security::Full);
    padlock(Link::Tls, true, Some("Encrypted"), Security::Full);
    for less in ["Authenticated", "NotAuthenticated"] {
        padlock(Link::Tls, true, Some(less), Security::Signalling);
    }
    // The word of the call manager does not encrypt our own piece.
    padlock(Link::Tls, false, Some("Encrypted"), Security::Signalling);
    padlock(Link::Tcp, true, Some("Encrypted"), Security::None);
}
