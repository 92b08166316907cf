//! What a call manager offers by buttons and services of its own.

use offhook_model::{CallId, CallState, CallWish, DialString, Dnd, Forward, Mos, Pickup};
use offhook_ports::{Figures, MediaFact, Opinion, PhoneAccount, PhoneDialect, PhoneFeatures};

use crate::ladder::{Ladder, carol};
use crate::stage::{Leg, Stage, account, bob, header, sdp, secs};

/// A phone of a call manager.
pub fn manager_account() -> PhoneAccount {
    let features = PhoneFeatures {
        busy_trigger: Some(2),
        forward_service: Some("x-cisco-serviceuri-cfwdall".into()),
        pickup_service: Some("x-cisco-serviceuri-pickup".into()),
        group_pickup_service: Some("x-cisco-serviceuri-gpickup".into()),
        ..PhoneFeatures::default()
    };
    let dialect =
        PhoneDialect::Cucm { device: "CSFALICE".into(), model: 503, line_contact: "1f2e".into() };
    PhoneAccount { dialect, features, ..account() }
}

fn manager() -> Stage {
    Stage::of(manager_account()).in_service()
}

#[test]
fn call_manager() {
    let mut out = String::new();
    busy_trigger(&mut out);
    parked(&mut out);
    buttons(&mut out);
    bridge(&mut out);
    tones(&mut out);
    settings(&mut out);
    forward_at_server(&mut out);
    pickup(&mut out);
    at_the_bridge(&mut out);
    interrupted(&mut out);
    to_the_mailbox(&mut out);
    quiet_told(&mut out);
    controlled(&mut out);
    renamed(&mut out);
    figures(&mut out);
    key_presses(&mut out);
    crate::page(
        "call-manager.md",
        "Features of Communications Manager",
        "What a call manager offers by buttons and services of its own.",
        &out,
    );
}

fn busy_trigger(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "The busy trigger",
        "The line may have two calls; the third caller hears that we are busy, and the history has the call.",
    );
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.note();
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.newest("SIP/2.0 486");
    assert_eq!(ladder.stage.records.len(), 1);
    ladder.write(out);
}

/// The call manager tells what came of a button (reference sip-dialect.md section 3).
fn outcome(ladder: &mut Ladder, refer: &str, code: u16) {
    let mut leg = ladder.stage.leg_of(refer);
    ladder.answer(refer, "202 Accepted", "");
    let more = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n";
    let body = format!(
        "<x-cisco-remotecc-response><response><code>{code}</code></response></x-cisco-remotecc-response>"
    );
    ladder.request(&mut leg, "NOTIFY", more, &body);
}

/// The call manager asks for something.
fn asked(ladder: &mut Ladder, body: &str) {
    let more = "Require: norefersub\r\nRefer-To: <cid:1@x>\r\nContent-Id: <1@x>\r\n";
    let body = format!("<x-cisco-remotecc-request>{body}</x-cisco-remotecc-request>");
    ladder.stage.server_asks("REFER", more, &body);
    ladder.note();
}

fn parked(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Park and take back",
        "The call manager tells where the call waits; calling that number takes it back.",
    );
    let (id, mut leg) = ladder.talking("Bob", bob());
    ladder.wish("park", CallWish::Park(id));
    let refer = ladder.newest("REFER ");
    outcome(&mut ladder, &refer, 200);
    asked(
        &mut ladder,
        "<statuslineupdatereq><action>notify_display</action><statustext>Call park at 5001</statustext>\
         <displaytimeout>10</displaytimeout></statuslineupdatereq>",
    );
    ladder.request(&mut leg, "BYE", "", "");
    assert_eq!(ladder.stage.end(id).0, "parked");
    assert_eq!(ladder.stage.phone.state().parked[0].at, "5001");
    ladder.wait(secs(20));
    assert_eq!(ladder.stage.phone.state().status, None);
    let back = DialString::Number("5001".into());
    ladder.you("call 5001", |phone, now| phone.dial(back, now)).expect("dialled");
    assert!(ladder.stage.phone.state().parked.is_empty());
    ladder.write(out);
}

/// Both calls were put on the bridge, or not; which of them is the conference.
fn merged(ladder: &mut Ladder, code: u16) -> (CallId, Leg) {
    let (id, other, _) = ladder.two_calls();
    let first = ladder.first("INVITE sip:2002@");
    let leg = ladder.stage.leg_of(&first);
    ladder.wish("merge", CallWish::Merge { id, other });
    let refer = ladder.newest("REFER ");
    assert!(refer.contains("<softkeyevent>Conference</softkeyevent>"), "{refer}");
    outcome(ladder, &refer, code);
    if code == 200 {
        // The call that is left comes back from hold by itself.
        let resume = ladder.newest("INVITE ");
        ladder.answer(&resume, "200 OK", &sdp("sendrecv"));
        assert_eq!(ladder.stage.state(id), CallState::Connected);
    }
    (id, leg)
}

fn bridge(out: &mut String) {
    for (title, code) in [("Conference at the bridge", 200), ("No conference can be made", 500)] {
        let mut ladder = Ladder::on(
            manager(),
            title,
            "The call manager puts both calls on a bridge of its own, by its button Conference.",
        );
        let (id, _) = merged(&mut ladder, code);
        let call = ladder.stage.call(id);
        assert_eq!(call.conference.is_some(), code == 200);
        assert_eq!(call.trouble.is_some(), code == 500);
        ladder.write(out);
    }
}

/// Who is at the bridge (RFC 4575).
fn roster(people: &[&str]) -> String {
    let user = |name: &&str| {
        format!(
            "<user entity=\"sip:{name}@example.test\"><display-text>{name}</display-text><endpoint \
             entity=\"sip:{name}@example.test\"><status>connected</status></endpoint></user>"
        )
    };
    let users: String = people.iter().map(user).collect();
    format!(
        "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" \
         entity=\"sip:b1@example.test\" state=\"full\" version=\"{}\"><users>{users}</users>\
         </conference-info>",
        10 - people.len()
    )
}

fn at_the_bridge(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Who is at the bridge, and out with the last",
        "INFO tells who is in the conference (RFC 4575); a button takes out who came last.",
    );
    let (id, mut leg) = merged(&mut ladder, 200);
    let more = "Info-Package: conference\r\nContent-Type: application/conference-info+xml\r\n";
    ladder.request_as_is(&mut leg, "INFO", more, &roster(&["alice", "Bob", "Carol"]));
    let people = ladder.stage.call(id).conference.expect("one").people;
    let last = people.iter().rfind(|one| !one.me).expect("somebody").id.clone();
    ladder.wish("take Carol out", CallWish::Expel { id, participant: last });
    let refer = ladder.newest("REFER ");
    assert!(refer.contains("<softkeyevent>RmLastConf</softkeyevent>"), "{refer}");
    outcome(&mut ladder, &refer, 200);
    ladder.request_as_is(&mut leg, "INFO", more, &roster(&["alice", "Bob"]));
    assert_eq!(ladder.stage.call(id).conference.expect("one").people.len(), 2);
    ladder.write(out);
}

fn interrupted(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Nobody answers the button Conference",
        "Both calls are as they were, with a sentence.",
    );
    let (id, other, _) = ladder.two_calls();
    ladder.wish("merge", CallWish::Merge { id, other });
    ladder.silence("nothing comes", secs(40));
    ladder.write(out);

    let mut ladder = Ladder::on(
        manager(),
        "The network breaks while a conference is made",
        "What is up stays up; what needs the server is refused until it is back.",
    );
    let (id, other, _) = ladder.two_calls();
    ladder.wish("merge", CallWish::Merge { id, other });
    ladder.lose();
    ladder.wait(secs(1));
    for id in [id, other] {
        assert!(ladder.stage.call(id).preserved);
        ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
    }
    ladder.write(out);
}

fn to_the_mailbox(out: &mut String) {
    for (title, code, cause) in [
        ("A ringing call to voicemail", 200, Some("diverted")),
        ("The mailbox does not take a call", 500, None),
    ] {
        let mut ladder =
            Ladder::on(manager(), title, "The button iDivert: the call manager sends it on.");
        let mut leg = ladder.stage.invite(&sdp("sendrecv"));
        ladder.note();
        let id = ladder.stage.newest();
        ladder.wish("to voicemail", CallWish::Divert(id));
        let refer = ladder.newest("REFER ");
        assert!(refer.contains("<softkeyevent>IDivert</softkeyevent>"), "{refer}");
        outcome(&mut ladder, &refer, code);
        match cause {
            Some(cause) => {
                ladder.request(&mut leg, "CANCEL", "", "");
                assert_eq!(ladder.stage.end(id).0, cause);
            }
            None => assert_eq!(ladder.stage.state(id), CallState::Incoming),
        }
        ladder.write(out);
    }
}

fn quiet_told(out: &mut String) {
    for (title, status) in [
        ("Do not disturb is told to the server", "200 OK"),
        ("The server takes no word of it", "489 Bad Event"),
    ] {
        let mut ladder = Ladder::on(
            manager(),
            title,
            "By PUBLISH, so that the other phones of the line know; it holds here in any case.",
        );
        ladder.wish("do not disturb, refuse", CallWish::DoNotDisturb(Some(Dnd::Reject)));
        let publish = ladder.newest("PUBLISH ");
        ladder.answer(&publish, status, "");
        let state = ladder.stage.phone.state();
        assert_eq!((state.dnd, state.trouble.is_some()), (Some(Dnd::Reject), status != "200 OK"));
        ladder.write(out);
    }
}

fn controlled(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Called and answered for you",
        "The call manager has this phone call somebody (click to dial), and answer (a headset elsewhere).",
    );
    asked(&mut ladder, "<initiatecallreq><dialstring>2002</dialstring></initiatecallreq>");
    let invite = ladder.newest("INVITE sip:2002@");
    ladder.answer(&invite, "486 Busy Here", "");
    ladder.wait(secs(5));
    let leg = ladder.stage.invite(&sdp("sendrecv"));
    let ringing = ladder.newest("SIP/2.0 180");
    let (call, _, theirs) = Stage::dialog_of(&leg);
    let ours = header(&ringing, "To").rsplit(";tag=").next().unwrap_or("").to_owned();
    let dialog = format!(
        "<dialogid><callid>{call}</callid><localtag>{ours}</localtag><remotetag>{theirs}</remotetag></dialogid>"
    );
    asked(&mut ladder, &format!("<answercallreq>{dialog}</answercallreq>"));
    ladder.wait(secs(1));
    assert_eq!(ladder.stage.state(ladder.stage.newest()), CallState::Connected);
    ladder.write(out);
}

fn figures(out: &mut String) {
    for (title, by_us) in [
        ("The figures of the sound go with our BYE", true),
        ("Or with our answer to theirs", false),
    ] {
        let mut account = manager_account();
        account.features.call_stats = true;
        let stage = Stage::of(account).in_service();
        let words =
            "Where the device file wants it (`callStats`), as they were a second ago at most.";
        let mut ladder = Ladder::on(stage, title, words);
        let (id, mut leg) = ladder.talking("Bob", bob());
        ladder.wait(secs(10));
        let sent = Figures { time: secs(10), packets: 443, bytes: 70_880, ..Figures::default() };
        let jitter = std::time::Duration::from_micros(180);
        let opinion = Opinion { now: Mos(441), mean: Mos(438), least: Mos(402), most: Mos(441) };
        let received = Figures {
            time: secs(10),
            packets: 454,
            bytes: 72_640,
            late: 0,
            lost: 0,
            jitter,
            due: (454, 3),
            opinion: Some(opinion),
        };
        ladder
            .stage
            .phone
            .media(&MediaFact::Figures { call: id, received, sent }, ladder.stage.now);
        let last = if by_us {
            ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
            ladder.newest("BYE ")
        } else {
            ladder.request(&mut leg, "BYE", "", "");
            ladder.newest("SIP/2.0 200")
        };
        // Names and order as in the example of the vendor's serviceability guide.
        assert_eq!(
            header(&last, "RTP-RxStat"),
            "Dur=10,Pkt=454,Oct=72640,LatePkt=0,LostPkt=0,AvgJit=0.18,\
             VQMetrics=\"MLQK=4.4100;MLQKav=4.3800;MLQKmn=4.0200;MLQKmx=4.4100;CCR=0.0066\""
        );
        assert_eq!(header(&last, "RTP-TxStat"), "Dur=10,Pkt=443,Oct=70880");
        ladder.write(out);
    }
}

fn renamed(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Somebody else is there now",
        "The call manager says by UPDATE who is connected, after a transfer on the other side.",
    );
    let (id, mut leg) = ladder.talking("Bob", bob());
    let more = "Remote-Party-ID: \"Carol\" <sip:2003@example.test>;party=calling\r\n";
    ladder.request(&mut leg, "UPDATE", more, "");
    assert_eq!(ladder.stage.call(id).name.as_deref(), Some("Carol"));
    ladder.write(out);
}

fn key_presses(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Digits that the call manager asks for",
        "While an outside number is not complete (RFC 4730).",
    );
    let (id, invite) = ladder.dial("Bob", bob());
    ladder.answer(&invite, "183 Session Progress", "");
    let mut leg = ladder.stage.leg_of(&invite);
    let request = "<kpml-request xmlns=\"urn:ietf:params:xml:ns:kpml-request\" version=\"1.0\">\
                   <pattern persist=\"persist\"><regex tag=\"digits\">[x*#ABCD]</regex></pattern></kpml-request>";
    let more = "Event: kpml\r\nExpires: 7200\r\nContent-Type: application/kpml-request+xml\r\n";
    ladder.request_as_is(&mut leg, "SUBSCRIBE", more, request);
    let first = ladder.newest("NOTIFY ");
    ladder.answer(&first, "200 OK", "");
    ladder.you("press 5", |phone, now| phone.dtmf(id, "5", now)).expect("sent");
    let told = ladder.newest("NOTIFY ");
    assert!(told.contains("digits=\"5\""), "{told}");
    ladder.answer(&told, "200 OK", "");
    ladder.write(out);
}

fn tones(out: &mut String) {
    for (title, tone, cause) in [
        ("Busy, said by a tone", "DtLineBusyTone", "busy"),
        ("No way there, said by a tone", "DtReorderTone", "failed"),
    ] {
        let mut ladder = Ladder::on(
            manager(),
            title,
            "A call manager may let a tone be played where others answer with a status.",
        );
        let (id, invite) = ladder.dial("Bob", bob());
        ladder.answer(&invite, "183 Session Progress", "");
        let body = format!(
            "<playtonereq><tonetype>{tone}</tonetype><direction>all</direction></playtonereq>"
        );
        asked(&mut ladder, &body);
        assert!(ladder.stage.tone.is_some());
        ladder.wait(secs(3));
        ladder.answer(&invite, "487 Request Terminated", "");
        assert_eq!(ladder.stage.end(id).0, cause);
        ladder.wait(secs(5));
        assert_eq!(ladder.stage.tone, None);
        ladder.write(out);
    }
}

fn settings(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Set elsewhere",
        "Forwarding and do not disturb that were set at the desk phone or in the portal.",
    );
    asked(&mut ladder, "<dndupdate><state>enable</state><option>ringeroff</option></dndupdate>");
    assert_eq!(ladder.stage.phone.state().dnd, Some(Dnd::RingerOff));
    asked(
        &mut ladder,
        "<cfwdallupdate><linenumber>1</linenumber><fwdaddress>2003</fwdaddress><tovoicemail>off</tovoicemail></cfwdallupdate>",
    );
    assert_eq!(ladder.stage.phone.state().forward, Some(Forward::To(carol())));
    ladder.write(out);
}

fn buttons(out: &mut String) {
    for (title, outcome) in
        [("Park is refused", "603 Decline"), ("Park is not known", "501 Not Implemented")]
    {
        let mut ladder = Ladder::on(manager(), title, "The call goes on, with a sentence.");
        let (id, _) = ladder.talking("Bob", bob());
        ladder.wish("park", CallWish::Park(id));
        let refer = ladder.newest("REFER ");
        assert!(refer.contains("<softkeyevent>Park</softkeyevent>"), "{refer}");
        ladder.answer(&refer, outcome, "");
        assert!(ladder.stage.call(id).trouble.is_some());
        assert_eq!(ladder.stage.state(id), CallState::Connected);
        ladder.write(out);
    }
}

fn forward_at_server(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Forward all calls",
        "A call without sound to a service of the call manager [I: how the number is written].",
    );
    ladder.wish("forward all calls to 2003", CallWish::Forward(Some(Forward::To(carol()))));
    let invite = ladder.newest("INVITE sip:x-cisco-serviceuri-cfwdall-2003@");
    ladder.answer(&invite, "200 OK", &sdp("inactive"));
    assert_eq!(ladder.stage.phone.state().forward, Some(Forward::To(carol())));
    assert!(ladder.stage.phone.calls().is_empty());
    ladder.write(out);

    let mut ladder = Ladder::on(manager(), "Forwarding is refused", "Nothing is changed.");
    ladder.wish("forward all calls to 2003", CallWish::Forward(Some(Forward::To(carol()))));
    let invite = ladder.newest("INVITE sip:x-cisco-serviceuri-cfwdall-2003@");
    ladder.answer(&invite, "403 Forbidden", "");
    let state = ladder.stage.phone.state();
    assert!(state.forward.is_none() && state.trouble.is_some());
    ladder.write(out);
}

fn pickup(out: &mut String) {
    let mut ladder = Ladder::on(manager(), "Pickup", "A call that rings in our group is taken.");
    ladder.wish("pick up", CallWish::Pickup(Pickup::Group));
    let invite = ladder.newest("INVITE sip:x-cisco-serviceuri-pickup@");
    ladder.answer(&invite, "200 OK", &sdp("sendrecv"));
    assert_eq!(ladder.stage.state(ladder.stage.newest()), CallState::Connected);
    ladder.write(out);

    let number = |text: &str| DialString::Number(text.into());
    for (title, wish, to) in [
        ("Pickup in another group", Pickup::OtherGroup(number("6001")), "gpickup-6001@"),
        ("Pickup of one number", Pickup::Directed(number("2003")), "gpickup-2003@"),
    ] {
        let mut ladder =
            Ladder::on(manager(), title, "By the group's number, or the ringing one [I].");
        ladder.wish("pick up", CallWish::Pickup(wish));
        let invite = ladder.newest(&format!("INVITE sip:x-cisco-serviceuri-{to}"));
        ladder.answer(&invite, "200 OK", &sdp("sendrecv"));
        ladder.write(out);
    }

    let mut ladder =
        Ladder::on(manager(), "Nothing rings there", "The call manager refuses the pickup.");
    ladder.wish("pick up", CallWish::Pickup(Pickup::Group));
    let invite = ladder.newest("INVITE sip:x-cisco-serviceuri-pickup@");
    ladder.answer(&invite, "404 Not Found", "");
    ladder.write(out);

    let mut ladder =
        Ladder::new("Pickup where there is none", "Other servers have codes of their own for it.");
    ladder.wish("pick up", CallWish::Pickup(Pickup::Directed(DialString::Number("2003".into()))));
    ladder.stage.nothing_sent();
    ladder.write(out);
}

#[test]
fn do_not_disturb_that_met_no_connection_is_told_again() {
    let mut ladder = Ladder::on(manager(), "", "");
    ladder.wish("do not disturb", CallWish::DoNotDisturb(Some(Dnd::RingerOff)));
    let first = ladder.newest("PUBLISH ");
    ladder.lose();
    assert!(ladder.stage.phone.state().trouble.is_some(), "the server does not know");
    let mut again = first.clone();
    for _ in 0..30 {
        ladder.stage.advance(secs(2));
        ladder.serve(&[]);
        again = ladder.newest("PUBLISH ");
        if again != first {
            break;
        }
    }
    assert!(again != first && again.contains("<ce:dnd/>"), "{again}");
    ladder.answer(&again, "200 OK", "");
    let state = ladder.stage.phone.state();
    assert_eq!((state.dnd, &state.trouble), (Some(Dnd::RingerOff), &None));
}
