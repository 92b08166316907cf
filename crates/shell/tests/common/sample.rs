//! A made-up company for pictures and tests: one snapshot a screen.

use std::collections::BTreeMap;
use std::sync::Arc;

use offhook_model::{
    AudioSpec, Availability, Call, CallDirection, CallEnd, CallId, CallRecord, CallState, Chat,
    ChatKind, Contact, Delivery, Device, Devices, DnsFault, Endpoint, Fault, Jid, Link, Me,
    Message, MessageId, More, Outcome, Presence, Problem, ProblemId, Prompt, Security, Service,
    ServiceState, ServiceStatus, Services, Session, SessionState, Settings, Snapshot, Subscription,
    Theme, Timestamp, TlsFault, Toast, TraceStep,
};

/// 2026-11-20T10:43:12Z, a Friday.
pub const NOW: Timestamp = Timestamp(1_795_171_392_000);

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn ago(minutes: i64) -> Timestamp {
    Timestamp(NOW.0 - minutes * MINUTE)
}

/// An address of the made-up company.
pub fn jid(name: &str) -> Jid {
    format!("{name}@northwind.example").parse().expect("address")
}

fn step(
    step: &str,
    asked: &str,
    of: &str,
    answer: &str,
    ms: u64,
    end: (Outcome, &str),
) -> TraceStep {
    TraceStep {
        step: step.into(),
        asked: asked.into(),
        of: of.into(),
        answer: answer.into(),
        ms,
        outcome: end.0,
        why: end.1.into(),
    }
}

fn trace() -> Arc<Vec<TraceStep>> {
    let lost = (Outcome::Lost, "no such record");
    Arc::new(vec![
        step(
            "srv",
            "_cisco-uds._tcp.northwind.example SRV",
            "10.1.0.53:53",
            "no such name",
            12,
            lost,
        ),
        step(
            "srv",
            "_cuplogin._tcp.northwind.example SRV",
            "10.1.0.53:53",
            "no such name",
            11,
            lost,
        ),
        step(
            "srv",
            "_xmpp-client._tcp.northwind.example SRV",
            "10.1.0.53:53",
            "0 5 5222 chat.northwind.example",
            9,
            (Outcome::Won, "a standard account"),
        ),
        step(
            "srv",
            "_sips._tcp.northwind.example SRV",
            "10.1.0.53:53",
            "0 5 5061 voice.northwind.example",
            10,
            (Outcome::Won, "SIP over TLS"),
        ),
        step(
            "soapLogin",
            "POST https://imp1.northwind.example:8443/EPASSoap/service",
            "",
            "",
            0,
            (Outcome::Skipped, "no IM and Presence found"),
        ),
        step(
            "xmpp",
            "STARTTLS and SCRAM-SHA-256",
            "chat.northwind.example:5222",
            "bound as mary/offhook",
            184,
            (Outcome::Won, "accepted"),
        ),
        step(
            "sip",
            "REGISTER sip:northwind.example",
            "voice.northwind.example:5061",
            "200 OK, expires 600",
            61,
            (Outcome::Won, "registered"),
        ),
    ])
}

fn ready(address: &str, protocol: &str) -> ServiceStatus {
    ServiceStatus {
        state: ServiceState::Ready,
        address: Some(address.into()),
        protocol: Some(protocol.into()),
        tls: Some("TLSv1.3 AES-256-GCM".into()),
        error: None,
    }
}

fn missing() -> ServiceStatus {
    ServiceStatus { state: ServiceState::NotConfigured, ..ServiceStatus::default() }
}

fn session(state: SessionState) -> Session {
    Session {
        state,
        address: "mary.smith@northwind.example".parse().ok(),
        services: Services {
            im: ready("chat.northwind.example:5222", "XMPP"),
            phone: ready("voice.northwind.example:5061", "SIP/TLS"),
            voicemail: missing(),
            directory: missing(),
            edge: missing(),
            calendar: missing(),
        },
        trace: trace(),
        ..Session::default()
    }
}

fn person(name: &str, user: &str, state: Availability, note: &str, number: &str) -> Arc<Contact> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Arc::new(Contact {
        contact: jid(user),
        name: name.into(),
        groups: vec![],
        subscription: Subscription::Both,
        wants_us: false,
        presence: Presence { availability: state, activity: None, note: some(note) },
        since: None,
        number: some(number),
        photo: None,
        alert: false,
        blocked: false,
    })
}

fn people() -> Vec<Arc<Contact>> {
    use Availability::{Available, Away, Dnd, Offline};
    vec![
        person("Amira Khalil", "amira", Available, "Network engineering", "4217"),
        person("Jonas Weber", "jonas", Available, "", "4302"),
        person("Lena Sommer", "lena", Away, "Back at two", "+49 30 5550 0142"),
        person("Pedro Barros", "pedro", Offline, "", "4410"),
        person("Ravi Menon", "ravi", Dnd, "On a call", "4188"),
        person("Sofia Lindqvist", "sofia", Available, "Please write first", ""),
    ]
}

fn message(with: &str, own: bool, minutes: i64, body: &str, state: Delivery) -> Message {
    let (me, them) = (jid("mary.smith"), jid(with));
    let (from, to) = if own { (me, them.clone()) } else { (them.clone(), me) };
    Message {
        id: MessageId(format!("{with}-{minutes}-{}", body.len())),
        with: them,
        from,
        to,
        body: body.into(),
        time: ago(minutes),
        own,
        state,
        error: None,
        more: More::default(),
    }
}

fn conversation() -> Vec<Message> {
    use Delivery::{Delivered, Read};
    vec![
        message("amira", true, 24 * 60 + 90, "The rollout note is out.", Read),
        message("amira", false, 24 * 60 + 82, "Thanks! I’ll read it tonight.", Delivered),
        message(
            "amira",
            false,
            12,
            "Morning! Did the new edge certificate reach all the nodes?",
            Delivered,
        ),
        message(
            "amira",
            true,
            7,
            "All but one. expre3 still shows the old name, I asked for it.",
            Read,
        ),
        message(
            "amira",
            true,
            7,
            "Here is what the connection status says about it: the certificate names expre3.old.example, and nobody trusts that here any more.",
            Read,
        ),
        message(
            "amira",
            false,
            1,
            "Clear enough even for me. I’ll send it to the certificate team.",
            Delivered,
        ),
        message("amira", false, 1, "Looks good. Call you in five?", Delivered),
    ]
}

fn chat(with: &str, name: &str, last: Message, unread: u32, typing: bool) -> Arc<Chat> {
    let plain = Chat::new(jid(with), name.into(), ChatKind::Person);
    Arc::new(Chat { last: Some(last), unread, typing, ..plain })
}

fn shown(messages: Vec<Message>) -> Arc<BTreeMap<Jid, Arc<Vec<Arc<Message>>>>> {
    let messages = messages.into_iter().map(Arc::new).collect();
    Arc::new(BTreeMap::from([(jid("amira"), Arc::new(messages))]))
}

fn chats(messages: &[Message]) -> Vec<Arc<Chat>> {
    use Delivery::{Delivered, Read};
    let amira = messages.last().expect("message").clone();
    let note = message("ravi", false, 26, "The slides are in the folder.", Delivered);
    let ops = message("ops", false, 45, "Jonas: switch maintenance at 18:00 tonight", Delivered);
    let thanks = message("lena", true, 26 * 60, "Thanks, saved the report", Read);
    let pedro = message("pedro", false, 3 * 24 * 60, "See you on Monday!", Delivered);
    vec![
        chat("amira", "Amira Khalil", amira, 0, false),
        chat("ravi", "Ravi Menon", note, 2, false),
        chat("ops", "Ops team", ops, 7, false),
        chat("lena", "Lena Sommer", thanks, 0, false),
        chat("pedro", "Pedro Barros", pedro, 0, false),
    ]
}

fn record(
    remote: &str,
    way: CallDirection,
    minutes: i64,
    seconds: u32,
    missed: bool,
) -> CallRecord {
    CallRecord {
        remote: remote.into(),
        name: None,
        direction: way,
        started: ago(minutes),
        seconds,
        missed,
        mos: None,
    }
}

fn log() -> Vec<CallRecord> {
    use CallDirection::{Incoming, Outgoing};
    vec![
        record("4302", Incoming, 38, 0, true),
        record("4217", Outgoing, 95, 754, false),
        record("+49 30 5550 0142", Incoming, 26 * 60, 61, false),
        record("+43 1 5550 0199", Incoming, 50 * 60, 0, true),
        record("4188", Outgoing, 75 * 60, 1803, false),
    ]
}

/// A call with this person in this state.
pub fn call(id: u32, remote: &str, state: CallState) -> Call {
    let live = !matches!(state, CallState::Incoming | CallState::Dialing | CallState::Ringing);
    Call {
        id: CallId(id),
        direction: if state == CallState::Incoming {
            CallDirection::Incoming
        } else {
            CallDirection::Outgoing
        },
        remote: remote.into(),
        name: None,
        state,
        muted: false,
        started: Timestamp(NOW.0 - 260_000),
        connected: live.then_some(Timestamp(NOW.0 - 252_000)),
        end: None,
        security: if live { Security::Full } else { Security::Signalling },
        digits: String::new(),
        sound: live.then(|| "good".to_owned()),
        conference: None,
        parked_at: None,
        desk: None,
        diverted_by: None,
        preserved: false,
        trouble: None,
        silence: None,
        can: offhook_model::CallAbilities {
            hold: live,
            transfer: live,
            merge: live,
            park: live,
            divert: state == CallState::Incoming,
        },
    }
}

fn devices() -> Devices {
    let device = |name: &str, input, output, is_default| Device {
        name: name.into(),
        input,
        output,
        is_default,
        ..Device::default()
    };
    Devices {
        items: vec![
            device("Built-in audio", true, true, true),
            device("Jabra Evolve2 65", true, true, false),
            device("HDMI monitor", false, true, false),
        ],
        input: AudioSpec::Device("Jabra Evolve2 65".into()),
        output: AudioSpec::Device("Jabra Evolve2 65".into()),
        ringer: AudioSpec::Default,
        problem: None,
        advice: None,
        test: None,
    }
}

/// A Bluetooth headset whose microphone was tried.
pub fn tried(test: offhook_model::SoundTest) -> Snapshot {
    let advice = Some(Devices::headset_profile("Jabra Evolve2 65"));
    let devices = Arc::new(Devices { advice, test: Some(test), ..devices() });
    Snapshot { devices, ..hub() }
}

/// Signed in, with people, conversations and calls.
pub fn hub() -> Snapshot {
    let messages = conversation();
    let chats = chats(&messages);
    Snapshot {
        revision: 1,
        session: session(SessionState::SignedIn),
        me: Me {
            address: Some("mary.smith@northwind.example".into()),
            name: "Mary Smith".into(),
            presence: Presence {
                activity: None,
                availability: Availability::Available,
                note: Some("Ready for the launch".into()),
            },
            photo: None,
            number: Some("4200".into()),
        },
        contacts: Arc::new(people()),
        chats: Arc::new(chats),
        messages: shown(messages),
        call_log: Arc::new(log().into_iter().map(Arc::new).collect()),
        devices: Arc::new(devices()),
        ..Snapshot::default()
    }
}

/// The same with other messages of Amira's conversation.
pub fn with_messages(mut snapshot: Snapshot, edit: impl FnOnce(&mut Vec<Message>)) -> Snapshot {
    let mut messages = conversation();
    edit(&mut messages);
    snapshot.messages = shown(messages);
    snapshot
}

/// Nobody is signed in.
pub fn first_run() -> Snapshot {
    Snapshot::default()
}

/// The services are being looked for.
pub fn discovering() -> Snapshot {
    let mut session = session(SessionState::Discovering);
    session.step = Some("Asking _xmpp-client._tcp.northwind.example".into());
    session.trace = Arc::new(trace().iter().take(3).cloned().collect());
    Snapshot { session, ..Snapshot::default() }
}

/// The server asks for a password; `again` when the first was wrong.
pub fn password(again: bool) -> Snapshot {
    let mut session = session(SessionState::SigningIn);
    let error = Fault::BadCredentials.problem(&endpoint(Service::Xmpp, 5222, Link::StartTls));
    session.prompt = Some(Prompt {
        username: "mary.smith".into(),
        of: "chat.northwind.example".into(),
        error: again.then_some(error),
    });
    Snapshot { session, ..Snapshot::default() }
}

fn endpoint(service: Service, port: u16, link: Link) -> Endpoint {
    Endpoint { service, host: "chat.northwind.example".into(), port, link }
}

/// Nothing was found.
pub fn failure() -> Snapshot {
    let mut session = session(SessionState::Failed);
    let at = Endpoint {
        service: Service::Dns,
        host: "northwind.example".into(),
        port: 53,
        link: Link::Udp,
    };
    session.error = Some(Fault::Dns(DnsFault::NoName).problem(&at));
    let all = trace();
    let lost = all.iter().take(2).cloned();
    let more = [
        step(
            "srv",
            "_xmpp-client._tcp.northwind.example SRV",
            "10.1.0.53:53",
            "no such name",
            9,
            (Outcome::Lost, "no such record"),
        ),
        step(
            "srv",
            "_sip._udp.northwind.example SRV",
            "10.1.0.53:53",
            "no answer in 5 s",
            5004,
            (Outcome::Failed, "the name server said nothing"),
        ),
    ];
    session.trace = Arc::new(lost.chain(more).collect());
    Snapshot { session, ..Snapshot::default() }
}

/// The certificate of the phone service is wrong, chat works.
pub fn phone_broken() -> Snapshot {
    let mut snapshot = hub();
    let fault = Fault::Tls(TlsFault::WrongName {
        wanted: "voice.northwind.example".into(),
        present: vec!["voice.old.example".into()],
    });
    let mut at = endpoint(Service::Sip, 5061, Link::Tls);
    at.host = "voice.northwind.example".into();
    let phone = &mut snapshot.session.services.phone;
    phone.state = ServiceState::Failed;
    phone.tls = None;
    phone.error = Some(fault.problem(&at));
    snapshot
}

/// With a problem on the screen.
pub fn toast() -> Snapshot {
    let mut snapshot = phone_broken();
    let problem: Problem = snapshot.session.services.phone.error.clone().expect("error");
    snapshot.toasts = Arc::new(vec![Toast { id: ProblemId(1), problem }]);
    snapshot
}

/// With these calls.
pub fn calling(calls: Vec<Call>) -> Snapshot {
    Snapshot { calls: Arc::new(calls), ..hub() }
}

/// A call that ended for this reason.
pub fn ended(cause: &'static str) -> Snapshot {
    let mut over = call(1, "4188", CallState::Ended);
    over.end = Some(CallEnd { cause, sip_status: Some(486), problem: None });
    calling(vec![over])
}

/// Somebody asks to see our presence.
pub fn request() -> Snapshot {
    let mut snapshot = hub();
    let mut people = people();
    let mut asks = Contact::clone(&person("Tomas Novak", "tomas", Availability::Offline, "", ""));
    asks.wants_us = true;
    asks.subscription = Subscription::None;
    people.push(Arc::new(asks));
    snapshot.contacts = Arc::new(people);
    snapshot
}

/// Ten thousand people.
pub fn crowd() -> Snapshot {
    let mut snapshot = hub();
    let many = (0..10_000).map(|at| {
        let user = format!("user{at:05}");
        let name = format!("Person {at:05}");
        person(&name, &user, Availability::Available, "", &format!("7{at:05}"))
    });
    snapshot.contacts = Arc::new(many.collect());
    snapshot
}

/// The same picture in this theme.
pub fn themed(mut snapshot: Snapshot, theme: Theme) -> Snapshot {
    let mut settings = Settings::clone(&snapshot.settings);
    settings.theme = theme;
    snapshot.settings = Arc::new(settings);
    snapshot
}

/// Days in milliseconds, for tests that move time.
pub const ONE_DAY: i64 = DAY;

/// A conference mixed here, a call that is to be transferred, and a phone with news.
pub fn controlled() -> Snapshot {
    let person = |id: &str, name: &str, me| offhook_model::Participant {
        id: id.into(),
        name: name.into(),
        me,
    };
    let people = vec![
        person("me", "Jonas Weber", true),
        person("c1", "Amira Haddad", false),
        person("c2", "+49 30 5550 0142", false),
    ];
    let conference = offhook_model::Conference { local: true, people };
    let mut first = call(1, "4217", CallState::Connected);
    first.conference = Some(conference.clone());
    first.trouble = Some(offhook_model::Problem::new(
        offhook_model::Area::Registration,
        offhook_model::Owner::User,
        "The call was not transferred: the other phone is busy. It is with you again.",
        "Talk on, or transfer it to somebody else.",
    ));
    let mut second = call(2, "+49 30 5550 0142", CallState::Connected);
    second.conference = Some(conference);
    let mut snapshot = calling(vec![first, second]);
    snapshot.phone = Arc::new(phone());
    snapshot
}

/// A call in which we are not heard.
pub fn unheard(leg: offhook_model::SilentLeg, repair: Option<offhook_model::Repair>) -> Snapshot {
    let mut one = call(1, "4217", CallState::Connected);
    one.silence = Some(offhook_model::Silence { leg, repair, problem: leg.problem() });
    calling(vec![one])
}

/// A phone that forwards its calls, with voice messages, a parked call and all a server may offer.
pub fn phone() -> offhook_model::PhoneState {
    offhook_model::PhoneState {
        forward: Some(offhook_model::Forward::To(offhook_model::DialString::Number("4302".into()))),
        messages: offhook_model::MessagesWaiting { waiting: true, new: Some(3), old: None },
        parked: vec![offhook_model::ParkedCall { at: "5001".into(), who: "Lena Brandt".into() }],
        can: offhook_model::PhoneAbilities {
            park: true,
            pickup: true,
            forward: true,
            divert: true,
        },
        ..offhook_model::PhoneState::default()
    }
}

/// The same with one more favourite.
pub fn favourite(mut snapshot: Snapshot, user: &str) -> Snapshot {
    let mut contacts = Vec::clone(&snapshot.contacts);
    for one in contacts.iter_mut().filter(|one| one.contact == jid(user)) {
        Arc::make_mut(one).groups.push("Favorites".into());
    }
    snapshot.contacts = contacts.into();
    snapshot
}

/// Favourites, one of whom is on the phone.
pub fn favourites() -> Snapshot {
    let line = |number: &str, state| offhook_model::WatchedLine { number: number.into(), state };
    let lines = vec![
        line("4188", offhook_model::LineState::Busy),
        line("4217", offhook_model::LineState::Idle),
    ];
    let phone = Arc::new(offhook_model::PhoneState { lines, ..Default::default() });
    let snapshot = ["amira", "ravi", "lena"].into_iter().fold(hub(), favourite);
    Snapshot { phone, ..snapshot }
}

/// Somebody outside every call wants us to call somebody.
pub fn asked_to_call() -> Snapshot {
    let phone = offhook_model::PhoneState {
        asked: vec![offhook_model::AskedToCall {
            id: 7,
            by: "Lena Brandt (4188)".into(),
            to: "4302".into(),
        }],
        ..offhook_model::PhoneState::default()
    };
    Snapshot { phone: Arc::new(phone), ..hub() }
}

/// Another client has the phone.
pub fn elsewhere() -> Snapshot {
    let phone = offhook_model::PhoneState {
        elsewhere: Some("Device already registered".into()),
        ..offhook_model::PhoneState::default()
    };
    Snapshot { phone: Arc::new(phone), ..hub() }
}
