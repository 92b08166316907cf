//! Ways of a call's sound: what is waited for before a description is written, and what is said.

use std::net::SocketAddr;

use offhook_model::{CallId, CallState, CandidateKind};
use offhook_ports::{HelperFault, IceAccount, IceCandidate, IceFact, MediaFact, PhoneAccount};

use crate::stage::{Stage, account, bob, sdp};

fn stage(relay_only: bool) -> Stage {
    let ice = Some(IceAccount { helpers: vec![], relay_only });
    Stage::of(PhoneAccount { ice, ..account() }).in_service()
}

fn host(component: u8, address: &str) -> IceCandidate {
    let address: SocketAddr = address.parse().expect("an address");
    IceCandidate {
        foundation: "1".to_owned(),
        component,
        priority: 2_130_706_432 - u32::from(component),
        address,
        kind: CandidateKind::Host,
        related: None,
    }
}

fn tell(stage: &mut Stage, id: CallId, fact: IceFact) {
    stage.phone.media(&MediaFact::Way(id, fact), stage.now);
    stage.drain();
}

fn candidates() -> IceFact {
    IceFact::Candidates(vec![host(1, "10.0.0.1:20002"), host(2, "10.0.0.1:20003")])
}

fn theirs() -> String {
    sdp("sendrecv")
        + "a=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n\
           a=candidate:1 1 UDP 2130706431 10.0.0.2 5000 typ host\r\n"
}

#[test]
fn the_offer_waits_for_our_addresses_and_names_them() {
    let mut stage = stage(false);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    stage.nothing_sent();
    tell(&mut stage, id, candidates());
    let invite = stage.take("INVITE ");
    assert!(
        invite.contains("a=candidate:1 1 UDP 2130706431 10.0.0.1 20002 typ host\r\n"),
        "{invite}"
    );
    stage.respond(&invite, "200 OK", "", &theirs());
    stage.take("ACK ");
    let (_, plan) = stage.applied.last().expect("a plan");
    let ice = plan.ice.as_ref().expect("ways");
    assert!(ice.controlling && ice.candidates.len() == 1);
    assert!(invite.contains(&format!("a=ice-ufrag:{}\r\n", ice.local.fragment)));
}

#[test]
fn the_order_of_ports_and_addresses_does_not_matter() {
    let mut stage = stage(false);
    stage.ports_at_once = false;
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    tell(&mut stage, id, candidates());
    stage.nothing_sent();
    stage.give_ports(id);
    stage.take("INVITE ");
}

#[test]
fn who_knows_nothing_of_it_is_answered_without_waiting() {
    let mut stage = stage(false);
    let (id, _) = stage.ringing_here();
    stage.phone.answer(id, stage.now).expect("answered");
    stage.drain();
    let answers: Vec<_> = stage.sent.iter().filter(|it| it.starts_with("SIP/2.0 200")).collect();
    assert_eq!(answers.len(), 1);
    assert!(!answers[0].contains("a=ice-"), "{answers:?}");
    assert_eq!(stage.applied.last().expect("a plan").1.ice, None);
}

#[test]
fn troubles_are_said_and_go_when_a_way_is_found() {
    let mut stage = stage(false);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    let fault = HelperFault::Login;
    tell(&mut stage, id, IceFact::Unhelped { relay: true, fault });
    let cause = stage.call(id).trouble.expect("trouble").cause;
    assert!(cause.contains("(TURN) does not know the user"), "{cause}");
    tell(&mut stage, id, candidates());
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "200 OK", "", &theirs());
    tell(&mut stage, id, IceFact::NoWay { tried: 1 });
    assert!(stage.call(id).trouble.expect("trouble").cause.contains("No way"));
    let host = CandidateKind::Host;
    tell(&mut stage, id, IceFact::Found { local: host, remote: host });
    assert_eq!(stage.call(id).trouble, None);
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[test]
fn a_way_that_is_lost_is_looked_for_anew() {
    let mut stage = stage(false);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    tell(&mut stage, id, candidates());
    let first = stage.take("INVITE ");
    stage.respond(&first, "200 OK", "", &theirs());
    stage.take("ACK ");
    let host_way = IceFact::Found { local: CandidateKind::Host, remote: CandidateKind::Host };
    tell(&mut stage, id, host_way.clone());
    tell(&mut stage, id, IceFact::Lost);
    let trouble = stage.call(id).trouble.expect("words");
    assert!(trouble.cause.contains("Another one is looked for"), "{}", trouble.cause);
    // What is told waits for the new addresses, and is asked for once.
    stage.nothing_sent();
    tell(&mut stage, id, IceFact::Candidates(vec![host(1, "10.0.0.1:20004")]));
    let again = stage.take("INVITE ");
    assert!(again.contains("10.0.0.1 20004 typ host"), "{again}");
    for name in ["a=ice-ufrag:", "a=ice-pwd:"] {
        assert_ne!(value(&first, name), value(&again, name), "names of before are used up");
    }
    let others = theirs().replace("a=ice-ufrag:abcd", "a=ice-ufrag:efgh");
    stage.respond(&again, "200 OK", "", &others);
    stage.take("ACK ");
    let (_, plan) = stage.applied.last().expect("a plan");
    let ice = plan.ice.as_ref().expect("ways");
    assert_eq!(ice.remote.fragment, "efgh");
    assert_eq!(value(&again, "a=ice-ufrag:"), ice.local.fragment);
    tell(&mut stage, id, host_way);
    assert_eq!(stage.call(id).trouble, None);
    assert_eq!(stage.state(id), CallState::Connected);
    stage.nothing_sent();
}

#[test]
fn after_a_few_searches_in_vain_it_is_left_at_that() {
    let mut stage = stage(false);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    tell(&mut stage, id, candidates());
    let first = stage.take("INVITE ");
    stage.respond(&first, "200 OK", "", &theirs());
    stage.take("ACK ");
    tell(
        &mut stage,
        id,
        IceFact::Found { local: CandidateKind::Host, remote: CandidateKind::Host },
    );
    for fact in [IceFact::Lost, IceFact::NoWay { tried: 1 }, IceFact::NoWay { tried: 1 }] {
        tell(&mut stage, id, fact);
        tell(&mut stage, id, candidates());
        let again = stage.take("INVITE ");
        stage.respond(&again, "488 Not Acceptable Here", "", "");
        stage.take("ACK ");
        assert_eq!(stage.state(id), CallState::Connected);
    }
    tell(&mut stage, id, IceFact::NoWay { tried: 1 });
    stage.nothing_sent();
    assert!(stage.call(id).trouble.expect("words").cause.contains("No way"));
}

#[test]
fn without_a_relay_nobody_learns_where_we_are() {
    let mut stage = stage(true);
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let fault = HelperFault::Silent;
    tell(&mut stage, id, IceFact::Unhelped { relay: true, fault });
    tell(&mut stage, id, IceFact::Candidates(vec![]));
    stage.nothing_sent();
    assert_eq!(stage.state(id), CallState::Ended);
    let end = stage.call(id).end.expect("an end");
    assert!(end.problem.expect("a problem").cause.contains("does not answer"));
    assert_eq!(stage.released, [id]);
}

#[test]
fn ports_of_a_call_that_is_over_are_given_back() {
    let mut stage = stage(false);
    stage.ports_at_once = false;
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    stage.phone.hang_up(id, stage.now).expect("hung up");
    stage.drain();
    assert_eq!(stage.released, [id]);
    stage.give_ports(id);
    assert_eq!(stage.released, [id, id]);
}
