//! What is told, shown and kept.

use offhook_core::{Effect, Event, StoreTag, XmppEvent};
use offhook_model::{
    Area, AudioSpec, Chat, ChatKind, Command, Delivery, Device, Devices, ErrorCode, Jid, Message,
    MessageId, NoticeBody, Owner, Problem, ProblemId, Reply, Role, Rule, Settings, Theme,
    Timestamp, ToneCountry,
};
use offhook_ports::{Loaded, MediaFact, StoreAnswer, StoreRequest};
use offhook_signin as signin;

use crate::bench::{ADDRESS, Bench, full, plain, secs};

fn bob() -> Jid {
    "bob@example.test".parse().expect("a JID")
}

fn from_bob(id: &str) -> Message {
    let me: Jid = ADDRESS.parse().expect("a JID");
    Message {
        id: MessageId(id.into()),
        with: bob(),
        from: bob(),
        to: me,
        body: "hello".into(),
        time: Timestamp(1),
        own: false,
        state: Delivery::Delivered,
        error: None,
        more: offhook_model::More::default(),
    }
}

fn loaded(with: &str) -> StoreAnswer {
    let with: Jid = with.parse().expect("a JID");
    let message = Message { with: with.clone(), from: with.clone(), ..from_bob("1") };
    let chat = Chat::new(with, "x".into(), ChatKind::Person);
    let chats = vec![Chat { last: Some(message), unread: 1, ..chat }];
    StoreAnswer::Loaded(Box::new(Loaded { chats, ..Loaded::default() }))
}

#[test]
fn the_session_is_told_only_when_it_changed() {
    let mut bench = Bench::up(full());
    bench.command(Command::RefreshDevices).expect("done");
    bench.advance(secs(60));
    assert!(bench.told().is_empty(), "{:?}", bench.notices);
    bench.command(Command::SignOut).expect("begun");
    assert!(!bench.told().is_empty());
}

#[test]
fn messages_and_calls_are_told() {
    let mut bench = Bench::new();
    bench.let_in(full());
    let (link, flow) = (bench.link().expect("a link"), bench.flow().expect("a flow"));
    bench.online(link);
    bench.registered(flow);
    bench.notices.clear();
    let text = "<message xmlns='jabber:client' from='bob@example.test/x' to='alice@example.test' \
                type='chat' id='m1'><body>hello</body></message>";
    let stanza = offhook_im::fuzzing::stanza(text).expect("a stanza");
    bench.send(Event::Xmpp(link, XmppEvent::Stanza(Box::new(stanza))));
    let told = |bench: &Bench, pick: fn(&NoticeBody) -> bool| {
        bench.notices.iter().filter(|notice| pick(&notice.body)).count()
    };
    assert_eq!(told(&bench, |body| matches!(body, NoticeBody::Chat { state: None, .. })), 1);
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::PutMessage(_))), 1);
    assert_eq!(bench.snapshot().chats.len(), 1);

    let sent = bench.command(Command::SendChat { to: bob(), body: "hi".into() }).expect("sent");
    assert!(matches!(sent, Reply::Message(_)));
    assert!(bench.count(|effect| matches!(effect, Effect::XmppSend(to, _) if *to == link)) >= 1);
    let empty = bench.command(Command::SendChat { to: bob(), body: "  ".into() });
    assert_eq!(empty.expect_err("empty").code, ErrorCode::InvalidParams);

    let to = || "2002".parse().expect("a number");
    let video = bench.command(Command::Dial { to: to(), video: true });
    assert_eq!(video.expect_err("not built").code, ErrorCode::NotPossible);
    let dialled = bench.command(Command::Dial { to: to(), video: false }).expect("dialled");
    let Reply::Call(id) = dialled else { panic!("{dialled:?}") };
    assert_eq!(told(&bench, |body| matches!(body, NoticeBody::Call { .. })), 1);
    assert_eq!(bench.snapshot().calls[0].id, id);
    assert_eq!(bench.count(|effect| matches!(effect, Effect::MediaReserve { .. })), 1);
    assert!(bench.begin(Command::CallStats(id)).is_none(), "answered by the media engine");
    bench.command(Command::HangUp(id)).expect("hung up");
    assert_eq!(bench.snapshot().call_log.len(), 1);
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::PutCall(_))), 1);
    assert!(bench.command(Command::CallStats(id)).is_err());
    bench.advance(secs(5));
    assert!(bench.snapshot().calls.is_empty());
}

#[test]
fn the_contact_list_cannot_be_changed_without_a_connection() {
    let mut bench = Bench::new();
    bench.let_in(plain(true, true));
    let code = |bench: &mut Bench, command| bench.command(command).expect_err("refused").code;
    let add = || Command::RosterAdd { contact: bob(), name: None, groups: None };
    let answer = || Command::RosterAnswer { contact: bob(), allow: true };
    let remove = || Command::RosterRemove { contact: bob() };
    for command in [add(), answer(), remove()] {
        assert_eq!(code(&mut bench, command), ErrorCode::NotPossible);
    }
    let link = bench.link().expect("a link");
    bench.online(link);
    bench.command(add()).expect("added");
    assert_eq!(code(&mut bench, answer()), ErrorCode::NoSuchObject);
    assert_eq!(code(&mut bench, remove()), ErrorCode::NoSuchObject);
}

#[test]
fn history_comes_when_the_store_answers() {
    let mut bench = Bench::up(plain(true, false));
    let ask = |limit| Command::ChatHistory { with: bob(), before: None, limit };
    for limit in [0, 1_001] {
        let error = bench.command(ask(limit)).expect_err("out of range");
        assert_eq!(error.code, ErrorCode::InvalidParams);
    }
    assert!(bench.begin(ask(10)).is_none());
    let tags: Vec<StoreTag> = bench
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Store(tag @ StoreTag::Query(_), _) => Some(tag.clone()),
            _ => None,
        })
        .collect();
    let [StoreTag::Query(ticket)] = tags[..] else { panic!("{tags:?}") };
    let answer = StoreAnswer::Messages { items: vec![from_bob("1")], more: true };
    bench.core.handle(Event::Store(StoreTag::Query(ticket), answer), bench.now);
    let reply = bench.core.poll_effect().expect("a reply");
    let Effect::Reply(to, Ok(Reply::Messages { items, more: true })) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!((to, items.len()), (ticket, 1));
}

#[test]
fn the_history_of_one_who_left_is_not_shown_to_the_next() {
    let mut bench = Bench::up(plain(true, false));
    bench.command(Command::OpenChat { with: bob() }).expect("begun");
    bench.command(Command::SignOut).expect("begun");
    bench.advance(secs(3));
    bench.let_in(plain(true, false));
    bench.all_online();
    // The first session's answers come late, in order.
    bench.send(Event::Store(StoreTag::Loaded, loaded("old@example.test")));
    let items = vec![from_bob("1")];
    let late = StoreAnswer::Messages { items, more: false };
    bench.send(Event::Store(StoreTag::OpenChat(bob()), late));
    assert!(bench.snapshot().chats.is_empty() && bench.snapshot().messages.is_empty());
    bench.send(Event::Store(StoreTag::Loaded, loaded("new@example.test")));
    let chats = bench.snapshot().chats;
    assert_eq!(
        chats.iter().map(|chat| chat.with.to_string()).collect::<Vec<_>>(),
        ["new@example.test"]
    );
}

#[test]
fn a_problem_is_shown_once_until_it_is_dismissed() {
    let mut bench = Bench::new();
    let lost = || Event::Media(MediaFact::DeviceLost("the headset is gone".into()));
    bench.send(lost());
    bench.send(lost());
    let toasts = bench.snapshot().toasts;
    assert_eq!(toasts.len(), 1);
    let told = |bench: &Bench| {
        let diagnostic = |body: &NoticeBody| matches!(body, NoticeBody::Diagnostic { .. });
        bench.notices.iter().filter(|notice| diagnostic(&notice.body)).count()
    };
    assert_eq!(told(&bench), 1);
    bench.command(Command::Dismiss(toasts[0].id)).expect("dismissed");
    assert!(bench.snapshot().toasts.is_empty());
    assert!(bench.command(Command::Dismiss(ProblemId(1))).is_err());
    bench.send(lost());
    assert_eq!((bench.snapshot().toasts.len(), told(&bench)), (1, 2));
    for n in 0..100 {
        bench.send(Event::Store(StoreTag::Nothing, StoreAnswer::Failed(format!("fault {n}"))));
    }
    assert!(bench.snapshot().toasts.len() <= 20);
}

#[test]
fn settings_are_kept_and_devices_chosen() {
    let mut bench = Bench::new();
    let settings =
        Settings { theme: Theme::Dark, audio_input: AudioSpec::Silence, ..Settings::default() };
    bench.command(Command::SetSettings(Box::new(settings.clone()))).expect("kept");
    assert_eq!(*bench.snapshot().settings, settings);
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::PutSettings(_))), 1);
    let selected = |bench: &Bench| bench.count(|effect| matches!(effect, Effect::MediaSelect(..)));
    assert_eq!(selected(&bench), 1, "only what changed");
    let select = |role, spec| Command::SelectDevice { role, spec };
    bench.command(select(Role::Ringer, AudioSpec::Null)).expect("chosen");
    assert_eq!(
        (selected(&bench), bench.snapshot().settings.ringer_output.clone()),
        (2, AudioSpec::Null)
    );
    let bad = bench.command(select(Role::Output, AudioSpec::Tone(440.0))).expect_err("no output");
    assert_eq!(bad.code, ErrorCode::InvalidParams);
    let bad = Settings { audio_output: AudioSpec::Silence, ..settings };
    assert!(bench.command(Command::SetSettings(Box::new(bad))).is_err());
    assert_eq!(bench.snapshot().settings.theme, Theme::Dark);
}

#[test]
fn devices_are_told_when_they_changed() {
    let mut bench = Bench::new();
    bench.send(Event::Media(MediaFact::DevicesChanged));
    assert_eq!(bench.count(|effect| matches!(effect, Effect::MediaDevices)), 1);
    let devices = Devices { problem: Some("no sound server".into()), ..Devices::default() };
    bench.send(Event::Devices(devices.clone()));
    bench.send(Event::Devices(devices.clone()));
    assert_eq!(bench.notices.len(), 1);
    assert_eq!(*bench.snapshot().devices, devices);
}

fn devices(names: &[&str], bench: &mut Bench) -> Devices {
    let device = |name: &&str| Device { name: (*name).into(), input: true, ..Device::default() };
    let now = bench.snapshot().settings;
    Devices {
        items: names.iter().map(device).collect(),
        input: now.audio_input.clone(),
        output: now.audio_output.clone(),
        ringer: now.ringer_output.clone(),
        ..Devices::default()
    }
}

#[test]
fn a_headset_that_comes_back_is_used_as_it_was_chosen() {
    let mut bench = Bench::new();
    let arrive = |bench: &mut Bench, names: &[&str]| {
        let devices = devices(names, bench);
        bench.send(Event::Devices(devices));
        bench.snapshot().settings.audio_input.to_string()
    };
    let choose = |bench: &mut Bench, name: &str| {
        let spec = AudioSpec::Device(name.into());
        bench.command(Command::SelectDevice { role: Role::Input, spec }).expect("chosen");
    };
    assert_eq!(arrive(&mut bench, &["Built-in", "Headset"]), "default");
    choose(&mut bench, "Headset");
    // On the way: what is chosen there is for there.
    assert_eq!(arrive(&mut bench, &["Built-in"]), "device:Headset");
    choose(&mut bench, "Built-in");
    let selected = bench.count(|effect| matches!(effect, Effect::MediaSelect(..)));
    assert_eq!(arrive(&mut bench, &["Headset", "Built-in"]), "device:Headset");
    assert_eq!(bench.count(|effect| matches!(effect, Effect::MediaSelect(..))), selected + 1);
    assert_eq!(arrive(&mut bench, &["Built-in"]), "device:Built-in");
    // Nothing is known of these.
    assert_eq!(arrive(&mut bench, &["Other"]), "device:Built-in");
    assert_eq!(bench.snapshot().settings.device_sets.len(), 2);
}

#[test]
fn what_is_chosen_for_this_run_alone_stays() {
    let mut bench = Bench::new();
    let there = devices(&["Built-in"], &mut bench);
    bench.send(Event::Devices(there.clone()));
    let spec = AudioSpec::Device("Built-in".into());
    bench.command(Command::SelectDevice { role: Role::Input, spec }).expect("chosen");
    let by_command_line = |names: &[&str], bench: &mut Bench| Devices {
        input: AudioSpec::Tone(440.0),
        ..devices(names, bench)
    };
    let other = by_command_line(&["Other"], &mut bench);
    bench.send(Event::Devices(other));
    let selected = bench.count(|effect| matches!(effect, Effect::MediaSelect(..)));
    let again = by_command_line(&["Built-in"], &mut bench);
    bench.send(Event::Devices(again));
    assert_eq!(bench.count(|effect| matches!(effect, Effect::MediaSelect(..))), selected);
}

#[test]
fn a_device_is_tried_when_nobody_talks() {
    let mut bench = Bench::new();
    bench.command(Command::TestDevice(Role::Ringer)).expect("tried");
    assert_eq!(bench.count(|effect| matches!(effect, Effect::MediaTest(Role::Ringer))), 1);
}

#[test]
fn every_picture_has_its_number() {
    let mut bench = Bench::new();
    let first = bench.snapshot().revision;
    assert!(bench.snapshot().revision > first);
}

#[test]
fn what_was_found_out_before_the_beginning_is_shown_once() {
    let mut bench = Bench::new();
    let problem = Problem::new(Area::Provisioning, Owner::Admin, "Too late.", "Write CLEAR=1.");
    let told = vec![problem.clone().with_rule(23), problem.clone().with_rule(23), problem];
    bench.send(Event::Told(told));
    let rules: Vec<_> =
        bench.core.snapshot().toasts.iter().map(|toast| toast.problem.rule).collect();
    assert_eq!(rules, [Some(Rule(23)), None]);
}

#[test]
fn tones_are_those_of_the_phones_country_unless_others_were_chosen() {
    let of = |country: Option<ToneCountry>| {
        let mut grant = full();
        let signin::Service::Ready(phone) = &mut grant.phone else { panic!("a phone") };
        phone.features.tones = country;
        grant
    };
    let told = |bench: &Bench| {
        bench.effects.iter().rev().find_map(|effect| match effect {
            Effect::MediaSound(sound) => Some(sound.tones),
            _ => None,
        })
    };
    let choose = |bench: &mut Bench, tones| {
        let mut settings = (*bench.snapshot().settings).clone();
        settings.sound.tones = tones;
        bench.command(Command::SetSettings(Box::new(settings))).expect("set");
    };
    let mut bench = Bench::new();
    bench.let_in(of(Some(ToneCountry::Jp)));
    assert_eq!(told(&bench), Some(Some(ToneCountry::Jp)));
    choose(&mut bench, Some(ToneCountry::Fr));
    assert_eq!(told(&bench), Some(Some(ToneCountry::Fr)));
    choose(&mut bench, None);
    assert_eq!(told(&bench), Some(Some(ToneCountry::Jp)));
    // Who chose is not disturbed by the next phone.
    let mut bench = Bench::new();
    choose(&mut bench, Some(ToneCountry::Fr));
    let before = bench.count(|effect| matches!(effect, Effect::MediaSound(..)));
    bench.let_in(of(Some(ToneCountry::Jp)));
    assert_eq!(bench.count(|effect| matches!(effect, Effect::MediaSound(..))), before);
}
