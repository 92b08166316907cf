//! Somebody is not heard: what is named, when, and what is tried.

use std::net::IpAddr;
use std::time::Duration;

use offhook_model::{CallId, CallState, SilentLeg};
use offhook_ports::{Legs, MediaFact, Microphone};

use crate::ladder::Ladder;
use crate::stage::{bob, sdp, secs};

#[test]
fn unheard() {
    let mut out = String::new();
    still(&mut out);
    missing(&mut out);
    gone(&mut out);
    elsewhere(&mut out);
    unsent(&mut out);
    unreached(&mut out);
    unreceived(&mut out);
    silent_there(&mut out);
    no_fault(&mut out);
    crate::page(
        "unheard.md",
        "They cannot hear you",
        "A leg of the call's sound is silent. It is named within three seconds, and what can be mended is \
         mended while the call goes on; each repair is tried once or twice, then words say what to do.",
        &out,
    );
}

type Measure = dyn Fn(Duration) -> Legs;

/// The engine measures once a second, some part of a second after the fault began. Gives after how
/// long the leg was named.
fn measure(ladder: &mut Ladder, id: CallId, what: &str, seconds: u32, legs: &Measure) -> Duration {
    ladder.read_network(what);
    let (late, mut named) = (Duration::from_millis(870), None);
    for second in 0..seconds {
        let step = if second == 0 { late } else { secs(1) };
        ladder.wait(step);
        let since = late + Duration::from_secs(u64::from(second));
        tell(ladder, id, legs(since));
        named = named.or(ladder.stage.call(id).silence.map(|_| since));
    }
    named.unwrap_or(Duration::MAX)
}

fn tell(ladder: &mut Ladder, id: CallId, legs: Legs) {
    let now = ladder.stage.now;
    ladder.stage.phone.media(&MediaFact::Legs(id, legs), now);
    ladder.note();
}

fn leg(ladder: &Ladder, id: CallId) -> Option<SilentLeg> {
    ladder.stage.call(id).silence.map(|silence| silence.leg)
}

/// All is well again.
fn heal(ladder: &mut Ladder, id: CallId, what: &str) {
    ladder.read_network(what);
    tell(ladder, id, Legs::default());
    assert_eq!(leg(ladder, id), None);
    assert_eq!(ladder.stage.state(id), CallState::Connected);
}

const LIMIT: Duration = Duration::from_secs(3);

fn still(out: &mut String) {
    let words = "Zeros are no silence but no sound: it is switched off at the headset or in the system. It is \
                 opened anew once; another one is not taken in its place, for it may be off on purpose.";
    let mut ladder = Ladder::new("The microphone gives nothing", words);
    let (id, _) = ladder.talking("Bob", bob());
    let zeros = |time| Legs { microphone: Microphone::Still(time), ..Legs::default() };
    let after = measure(&mut ladder, id, "the microphone gives zeros", 9, &zeros);
    assert!(after <= LIMIT, "{after:?}");
    assert_eq!(leg(&ladder, id), Some(SilentLeg::MicrophoneSilent));
    assert_eq!(ladder.stage.reopened, 1);
    heal(&mut ladder, id, "the microphone gives sound");
    ladder.write(out);
}

fn missing(out: &mut String) {
    let mut ladder = Ladder::new("No microphone", "The call works one way, and says so.");
    let (id, _) = ladder.talking("Bob", bob());
    let none = |time| Legs { microphone: Microphone::Missing(time), ..Legs::default() };
    let after = measure(&mut ladder, id, "there is no microphone", 5, &none);
    assert!(after <= LIMIT, "{after:?}");
    assert_eq!(ladder.stage.sound(id), (true, true));
    heal(&mut ladder, id, "a headset is connected");
    ladder.write(out);
}

fn gone(out: &mut String) {
    let words = "The engine takes the system's choice in its place at once; only when there is none is it named.";
    let mut ladder = Ladder::new("The microphone is unplugged", words);
    let (id, _) = ladder.talking("Bob", bob());
    let gone = |time| Legs { microphone: Microphone::Gone(time), ..Legs::default() };
    let after = measure(&mut ladder, id, "the microphone is unplugged", 4, &gone);
    assert!(after <= LIMIT, "{after:?}");
    heal(&mut ladder, id, "it is plugged in again");
    ladder.write(out);
}

fn elsewhere(out: &mut String) {
    let words = "Packets to them leave from another address than the call was arranged for, as after a VPN \
                 came up. The sound moves there, and they are told (RFC 3264 section 8.3.1). What does not \
                 help twice is left alone.";
    let mut ladder = Ladder::new("The wrong interface", words);
    let (id, _) = ladder.talking("Bob", bob());
    let other = IpAddr::from([10, 8, 0, 5]);
    let wrong = move |time| Legs { unreceived: time, leaving: Some(other), ..Legs::default() };
    let after = measure(&mut ladder, id, "packets leave from 10.8.0.5", 3, &wrong);
    assert!(after <= LIMIT, "{after:?}");
    assert_eq!(leg(&ladder, id), Some(SilentLeg::WrongInterface));
    let offer = ladder.newest("INVITE ");
    assert!(offer.contains("c=IN IP4 10.8.0.5\r\n"), "{offer}");
    ladder.answer(&offer, "200 OK", &sdp("sendrecv"));
    heal(&mut ladder, id, "packets come and go");
    ladder.write(out);
}

fn unsent(out: &mut String) {
    let mut ladder =
        Ladder::new("The network takes nothing", "There is nothing to be mended from here.");
    let (id, _) = ladder.talking("Bob", bob());
    let refused = |time| Legs { unsent: time, ..Legs::default() };
    let after = measure(&mut ladder, id, "no packet can be sent", 8, &refused);
    assert!(after <= LIMIT, "{after:?}");
    assert_eq!(leg(&ladder, id), Some(SilentLeg::NotSent));
    heal(&mut ladder, id, "packets can be sent");
    ladder.write(out);
}

fn unreached(out: &mut String) {
    let words = "Their reports (RFC 3550 section 6.4) say that nothing of ours arrives: named with the first \
                 that says so. They are told once more where the sound goes.";
    let mut ladder = Ladder::new("Nothing of ours arrives", words);
    let (id, _) = ladder.talking("Bob", bob());
    ladder.read_network("their report has seen nothing of ours for 4 s");
    let lost = Legs { unreached: secs(4), ..Legs::default() };
    tell(&mut ladder, id, lost);
    assert_eq!(leg(&ladder, id), Some(SilentLeg::NotArriving));
    let offer = ladder.newest("INVITE ");
    ladder.answer(&offer, "200 OK", &sdp("sendrecv"));
    ladder.wait(secs(5));
    tell(&mut ladder, id, lost);
    assert_eq!(ladder.stage.call(id).silence.and_then(|silence| silence.repair), None);
    ladder.write(out);
}

fn unreceived(out: &mut String) {
    let words = "Whether they send at all is known by their report only. After five seconds they are told once \
                 more where the sound goes, which opens firewalls that had closed.";
    let mut ladder = Ladder::new("Nothing comes", words);
    let (id, _) = ladder.talking("Bob", bob());
    let nothing = |time| Legs {
        unreceived: time,
        they_send: (time > secs(6)).then_some(true),
        ..Legs::default()
    };
    let after = measure(&mut ladder, id, "no packet comes", 6, &nothing);
    assert!(after <= LIMIT, "{after:?}");
    assert_eq!(leg(&ladder, id), Some(SilentLeg::NothingReceived));
    let offer = ladder.newest("INVITE ");
    ladder.answer(&offer, "488 Not Acceptable Here", "");
    ladder.read_network("their report counts what they send");
    ladder.wait(secs(1));
    tell(&mut ladder, id, nothing(secs(7)));
    assert_eq!(leg(&ladder, id), Some(SilentLeg::ReceptionBlocked));
    heal(&mut ladder, id, "packets come");
    ladder.write(out);
}

fn silent_there(out: &mut String) {
    let mut ladder = Ladder::new("They send nothing", "By their own report. Nobody is bothered.");
    let (id, _) = ladder.talking("Bob", bob());
    let nothing = |time| Legs { unreceived: time, they_send: Some(false), ..Legs::default() };
    measure(&mut ladder, id, "no packet comes, and they report that they send none", 8, &nothing);
    assert_eq!(leg(&ladder, id), Some(SilentLeg::FarEndSilent));
    heal(&mut ladder, id, "packets come");
    ladder.write(out);
}

fn no_fault(out: &mut String) {
    let words = "A switched-off microphone is wished for, and so is hold, whoever holds.";
    let mut ladder = Ladder::new("What is no fault", words);
    let (id, mut theirs) = ladder.talking("Bob", bob());
    let all = |time| Legs {
        microphone: Microphone::Still(time),
        unreceived: time,
        unsent: time,
        unreached: time,
        ..Legs::default()
    };
    let zeros = |time| Legs { microphone: Microphone::Still(time), ..Legs::default() };
    ladder.you("mute", |phone, _| phone.mute(id, true)).expect("muted");
    measure(&mut ladder, id, "the microphone gives zeros", 5, &zeros);
    assert_eq!(leg(&ladder, id), None);
    ladder.you("unmute", |phone, _| phone.mute(id, false)).expect("unmuted");
    ladder.you("hold", |phone, now| phone.hold(id, now)).expect("held");
    measure(&mut ladder, id, "nothing comes or goes", 5, &all);
    assert_eq!(leg(&ladder, id), None);
    let offer = ladder.newest("INVITE ");
    ladder.answer(&offer, "200 OK", &sdp("recvonly"));
    ladder.you("resume", |phone, now| phone.resume(id, now)).expect("resumed");
    let offer = ladder.newest("INVITE ");
    ladder.answer(&offer, "200 OK", &sdp("sendrecv"));
    for direction in ["sendonly", "recvonly", "inactive"] {
        ladder.request(&mut theirs, "INVITE", "", &sdp(direction));
        ladder.request(&mut theirs, "ACK", "", "");
        let ways = ladder.stage.sound(id);
        let theirs_only = move |time| {
            let both = all(time);
            let unreceived = if ways.1 { Duration::ZERO } else { both.unreceived };
            Legs { unreceived, ..both }
        };
        let what = format!("what is not agreed does not go ({direction})");
        measure(&mut ladder, id, &what, 4, &theirs_only);
        if !ways.0 {
            assert_eq!(leg(&ladder, id), None, "{direction}");
        }
    }
    ladder.write(out);
}
