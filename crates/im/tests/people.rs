//! People beyond the list: pictures, cards, blocking, alerts, temporary presence, clients.

mod support;

use std::sync::Arc;

use offhook_model::{
    Activity, Availability, ChatPolicy, ChatSettings, Jid, NoticeBody, PhotoId, Secret,
};
use offhook_ports::{Loaded, StoreRequest};
use support::{Bench, attribute, jid};

const BOB: &str = "<item jid='bob@example.com' name='Bob' subscription='both'/>\
                   <item jid='cara@example.com' name='Cara' subscription='to'/>";

/// A picture by its first bytes, and its hash and Base64, made with coreutils.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nall that follows";
const PNG_SHA1: &str = "ddef4a9a23be94bfc0029a5f7f3003983d87076d";
const PNG_BASE64: &str = "iVBORw0KGgphbGwgdGhhdCBmb2xsb3dz";

fn answer(bench: &mut Bench, needle: &str, from: &str, payload: &str) {
    let asked: Vec<String> =
        bench.sent.iter().filter(|sent| sent.contains(needle)).cloned().collect();
    let id = attribute(asked.last().expect("a question"), "id");
    bench.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'>{payload}</iq>"
    ));
}

fn refuse(bench: &mut Bench, needle: &str, from: &str) {
    let asked = bench.sent.iter().rfind(|sent| sent.contains(needle)).expect("a question");
    let id = attribute(asked, "id");
    bench.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}' from='{from}'><error type='cancel'>\
         <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
}

/// Online with Bob and Cara, on a server that can do `features`.
fn on_a_server(features: &[&str]) -> Bench {
    let mut bench = Bench::offline();
    bench.connect();
    answer(
        &mut bench,
        "jabber:iq:roster",
        "alice@example.com",
        &format!("<query xmlns='jabber:iq:roster'>{BOB}</query>"),
    );
    let features: String =
        features.iter().map(|feature| format!("<feature var='{feature}'/>")).collect();
    let info = format!("<query xmlns='http://jabber.org/protocol/disco#info'>{features}</query>");
    let asked: Vec<String> =
        bench.sent.iter().filter(|sent| sent.contains("disco#info'")).cloned().collect();
    for question in asked {
        let (id, to) = (attribute(&question, "id"), attribute(&question, "to"));
        bench.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{to}'>{info}</iq>"
        ));
    }
    let items = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
    answer(&mut bench, "disco#items'", "example.com", items);
    bench
}

fn present(bench: &mut Bench, from: &str, inner: &str) {
    bench.receive(&format!("<presence xmlns='jabber:client' from='{from}'>{inner}</presence>"));
}

fn metadata(from: &str, infos: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='headline' from='{from}'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='urn:xmpp:avatar:metadata'><item id='x'>\
         <metadata xmlns='urn:xmpp:avatar:metadata'>{infos}</metadata></item></items></event>\
         </message>"
    )
}

fn photo(bench: &Bench, who: &str) -> Option<String> {
    let contacts = bench.im.contacts();
    let contact = contacts.iter().find(|contact| contact.contact == jid(who))?;
    contact.photo.as_ref().map(|photo| photo.0.clone())
}

fn png_info(size: usize) -> String {
    format!("<info bytes='{size}' id='{PNG_SHA1}' type='image/png'/>")
}

fn data(bytes: &str) -> String {
    format!(
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'>\
         <item id='{PNG_SHA1}'><data xmlns='urn:xmpp:avatar:data'>{bytes}</data></item></items>\
         </pubsub>"
    )
}

fn want(bench: &mut Bench, who: &str) {
    let now = bench.now;
    bench.im.want_photo(&jid(who), now);
    bench.drain();
}

/// The store has no picture.
fn not_kept(bench: &mut Bench) {
    let now = bench.now;
    bench.im.photo_read(PhotoId(PNG_SHA1.into()), None, now);
    bench.drain();
}

fn held(bench: &Bench) -> Option<Vec<u8>> {
    bench.im.photos().get(&PhotoId(PNG_SHA1.into())).map(|bytes| bytes.to_vec())
}

#[test]
fn a_published_picture_is_fetched_when_it_is_wanted_and_kept() {
    let mut bench = Bench::with_contacts(BOB);
    bench.receive(&metadata("bob@example.com", &png_info(PNG.len())));
    assert_eq!(photo(&bench, "bob@example.com").as_deref(), Some(PNG_SHA1));
    assert!(bench.sent.is_empty(), "nobody looks yet");
    for _ in 0..3 {
        want(&mut bench, "bob@example.com");
    }
    let reads = |bench: &Bench| {
        bench.stored.iter().filter(|it| matches!(it, StoreRequest::GetPhoto(_))).count()
    };
    assert_eq!(reads(&bench), 1, "the store is asked first, and once");
    not_kept(&mut bench);
    // Somebody else does not answer for Bob.
    answer(&mut bench, "urn:xmpp:avatar:data", "mallory@evil.example", &data(PNG_BASE64));
    assert_eq!(held(&bench), None);
    answer(&mut bench, "urn:xmpp:avatar:data", "bob@example.com", &data(PNG_BASE64));
    assert_eq!(held(&bench).as_deref(), Some(PNG));
    let kept = |it: &&StoreRequest| matches!(it, StoreRequest::PutPhoto(_, bytes) if bytes == PNG);
    assert_eq!(bench.stored.iter().filter(kept).count(), 1);
    want(&mut bench, "bob@example.com");
    assert_eq!(reads(&bench), 1);
    bench.receive(&metadata("bob@example.com", ""));
    assert_eq!(photo(&bench, "bob@example.com"), None, "an empty list is no picture");
}

#[test]
fn pictures_that_are_not_what_was_said_are_refused() {
    for wrong in ["iVBORw0KGgphbGwgdGhhdCBmb2xsb3d6", "!!!", "", "PCFET0NUWVBFIGh0bWw+"] {
        let mut bench = Bench::with_contacts(BOB);
        bench.receive(&metadata("bob@example.com", &png_info(PNG.len())));
        want(&mut bench, "bob@example.com");
        not_kept(&mut bench);
        answer(&mut bench, "urn:xmpp:avatar:data", "bob@example.com", &data(wrong));
        // The card is the second place to look.
        let card = format!(
            "<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>{wrong}</BINVAL>\
             </PHOTO></vCard>"
        );
        answer(&mut bench, "vcard-temp", "bob@example.com", &card);
        assert_eq!(held(&bench), None, "{wrong}");
        bench.forget();
        want(&mut bench, "bob@example.com");
        assert!(bench.sent.is_empty() && bench.stored.is_empty(), "not asked for ever");
    }
}

#[test]
fn pictures_that_are_too_large_on_the_web_or_of_strangers_are_passed_over() {
    let web = format!("<info bytes='1' id='{PNG_SHA1}' type='image/png' url='https://x/'/>");
    let mut bench = Bench::with_contacts(BOB);
    for (from, infos) in [
        ("bob@example.com", png_info(1024 * 1024 + 1)),
        ("bob@example.com", web),
        ("bob@example.com", "<info bytes='1' id='../../etc' type='image/png'/>".to_owned()),
        ("bob@example.com", "<info bytes='-1' id='x'/>".to_owned()),
        ("mallory@evil.example", png_info(10)),
        ("bob@example.com/desk", png_info(10)),
    ] {
        bench.receive(&metadata(from, &infos));
        assert_eq!(photo(&bench, "bob@example.com"), None, "{from} {infos}");
    }
    assert_eq!(bench.im.contacts().len(), 2);
    let own = bench.im.own_photo().cloned();
    bench.receive(&metadata("mallory@evil.example", &png_info(10)));
    assert_eq!(bench.im.own_photo().cloned(), own);
}

#[test]
fn the_hash_in_presence_leads_to_the_card() {
    let mut bench = Bench::with_contacts(BOB);
    let update = |text: &str| format!("<x xmlns='vcard-temp:x:update'>{text}</x>");
    let photo_of = |hash: &str| update(&format!("<photo>{hash}</photo>"));
    present(&mut bench, "bob@example.com/a", &photo_of(&PNG_SHA1.to_uppercase()));
    assert_eq!(photo(&bench, "bob@example.com").as_deref(), Some(PNG_SHA1));
    present(&mut bench, "bob@example.com/b", &update(""));
    assert!(photo(&bench, "bob@example.com").is_some(), "a client that does not know yet");
    present(&mut bench, "mallory@evil.example/x", &photo_of(PNG_SHA1));
    want(&mut bench, "bob@example.com");
    not_kept(&mut bench);
    refuse(&mut bench, "urn:xmpp:avatar:data", "bob@example.com");
    let card = format!(
        "<vCard xmlns='vcard-temp'><FN>Bob</FN><PHOTO><BINVAL>\n {PNG_BASE64}\n</BINVAL></PHOTO>\
         </vCard>"
    );
    answer(&mut bench, "vcard-temp", "bob@example.com", &card);
    assert_eq!(held(&bench).as_deref(), Some(PNG));
    present(&mut bench, "bob@example.com/a", &photo_of(""));
    assert_eq!(photo(&bench, "bob@example.com"), None);
    // Who publishes is believed there alone (XEP-0398).
    bench.receive(&metadata("bob@example.com", &png_info(PNG.len())));
    present(&mut bench, "bob@example.com/a", &photo_of(""));
    assert!(photo(&bench, "bob@example.com").is_some());
}

#[test]
fn memory_holds_a_bounded_number_of_pictures() {
    let mut bench = Bench::with_contacts("");
    let now = bench.now;
    for n in 0..200 {
        let who = format!("s{n}@example.com");
        want(&mut bench, &who);
        let card = format!(
            "<vCard xmlns='vcard-temp'><PHOTO><BINVAL>iVBORw0KGgo{}</BINVAL></PHOTO></vCard>",
            // Each another one: the last four letters are its number.
            format!("{:A>5}", format!("{n:03}")).replace('=', "A")
        );
        answer(&mut bench, "vcard-temp", &who, &card);
        bench.forget();
    }
    assert_eq!(bench.im.photos().len(), 64);
    let before = bench.im.photos();
    bench.im.want_photo(&jid("s0@example.com"), now);
    bench.drain();
    assert!(bench.stored.is_empty(), "one that had to go rests for a while");
    assert_eq!(*bench.im.photos(), *before);
    bench.wait(61);
    want(&mut bench, "s0@example.com");
    assert_eq!(bench.stored.len(), 1);
}

#[test]
fn our_own_picture_is_published_in_both_ways() {
    let mut bench = on_a_server(&[]);
    bench.forget();
    let now = bench.now;
    bench.im.publish_photo(Some(PNG.to_vec()), now).expect("taken");
    bench.drain();
    assert!(bench.sent_with("<publish node='urn:xmpp:avatar:data'").contains(PNG_BASE64));
    let metadata = bench.sent_with("<publish node='urn:xmpp:avatar:metadata'");
    assert!(metadata.contains(PNG_SHA1) && metadata.contains("type='image/png'"));
    assert!(bench.sent_with("vcard-temp:x:update").contains(PNG_SHA1), "in our presence");
    let card =
        "<vCard xmlns='vcard-temp'><FN>Alice</FN><PHOTO><BINVAL>AAAA</BINVAL></PHOTO></vCard>";
    answer(&mut bench, "<vCard ", "alice@example.com", card);
    let set = bench.sent_with("<BINVAL");
    assert!(set.contains("<FN>Alice</FN>") && set.contains(PNG_BASE64) && !set.contains("AAAA"));
    assert_eq!(held(&bench).as_deref(), Some(PNG));
    bench.forget();
    refuse_last_set(&mut bench);

    let conversion = "urn:xmpp:pep-vcard-conversion:0";
    let mut bench = on_a_server(&[conversion]);
    bench.forget();
    bench.im.publish_photo(Some(PNG.to_vec()), now).expect("taken");
    bench.im.publish_photo(None, now).expect("taken away");
    bench.drain();
    assert!(!bench.sent.iter().any(|sent| sent.contains("<vCard")), "the server does it");
    assert_eq!(bench.im.own_photo(), None);
}

fn refuse_last_set(bench: &mut Bench) {
    assert!(bench.notices.iter().all(|it| !matches!(it, NoticeBody::Diagnostic { .. })));
}

#[test]
fn pictures_that_cannot_be_shown_by_others_are_refused_with_the_remedy() {
    let mut bench = Bench::online();
    let now = bench.now;
    let mut large = PNG.to_vec();
    large.resize(300 * 1024, 0);
    for (bytes, word) in [(large, "smaller"), (b"GIF89a".to_vec(), "PNG"), (vec![], "PNG")] {
        let why = bench.im.publish_photo(Some(bytes), now).expect_err("refused");
        assert!(why.contains(word), "{why}");
    }
    bench.drain();
    assert!(bench.sent.is_empty());
    bench.disconnect();
    assert!(bench.im.publish_photo(None, now).is_err());
}

fn push(from: &str, inner: &str) -> String {
    format!("<iq xmlns='jabber:client' type='set' id='b1'{from}>{inner}</iq>")
}

#[test]
fn the_servers_list_decides_who_is_blocked() {
    let mut bench = on_a_server(&["urn:xmpp:blocking"]);
    bench.hear("m0", "before", "");
    answer(
        &mut bench,
        "<blocklist",
        "alice@example.com",
        "<blocklist xmlns='urn:xmpp:blocking'><item jid='evil.example'/></blocklist>",
    );
    assert_eq!(*bench.im.blocked(), [jid("evil.example")]);
    bench.forget();
    assert!(bench.im.block(&jid("bob@example.com/desk"), true));
    bench.drain();
    assert!(bench.sent_with("<block ").contains("<item jid='bob@example.com'"));
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='bob@example.com'/></block>";
    // A stranger blocks nobody.
    bench.receive(&push(" from='mallory@evil.example'", block));
    assert_eq!(bench.im.blocked().len(), 1);
    bench.receive(&push("", block));
    assert_eq!(bench.im.blocked().len(), 2);
    assert!(bench.sent_with("type='result'").contains("b1"));
    let bob = |bench: &Bench| bench.im.contacts().iter().any(|c| c.name == "Bob" && c.blocked);
    assert!(bob(&bench) && bench.im.chats()[0].blocked);

    bench.hear("m1", "hello?", "");
    bench.receive(
        "<message xmlns='jabber:client' type='chat' from='m@evil.example/x'><body>hi</body></message>",
    );
    bench.receive("<presence xmlns='jabber:client' type='subscribe' from='m@evil.example'/>");
    assert_eq!(bench.bodies("bob@example.com"), ["before"]);
    assert_eq!((bench.im.chats().len(), bench.im.contacts().len()), (1, 2));

    let unblock = "<unblock xmlns='urn:xmpp:blocking'/>";
    bench.receive(&push(" from='example.com'", unblock));
    assert!(bench.im.blocked().is_empty() && !bob(&bench));
    bench.hear("m2", "again", "");
    assert_eq!(bench.bodies("bob@example.com"), ["before", "again"]);
}

#[test]
fn where_the_server_cannot_block_nothing_pretends_to() {
    let mut bench = on_a_server(&[]);
    bench.forget();
    assert!(!bench.im.can_block() && !bench.im.block(&jid("bob@example.com"), true));
    bench.drain();
    assert!(bench.sent.is_empty());
    let mut bench = on_a_server(&["urn:xmpp:blocking"]);
    assert!(!bench.im.block(&jid("alice@example.com"), true), "nobody blocks themselves");
}

fn available(bench: &Bench) -> Vec<Jid> {
    let who = |notice: &NoticeBody| match notice {
        NoticeBody::Available { contact } => Some(contact.clone()),
        _ => None,
    };
    bench.notices.iter().filter_map(who).collect()
}

#[test]
fn an_alert_comes_once_and_is_kept_over_a_restart() {
    let mut bench = Bench::with_contacts(BOB);
    assert!(bench.im.alert(&jid("bob@example.com"), true));
    assert!(!bench.im.alert(&jid("nobody@example.com"), true), "not on the list");
    bench.drain();
    let kept = bench.stored.iter().rev().find_map(|request| match request {
        StoreRequest::PutValue(name, Some(value)) => Some((name.clone(), value.expose().clone())),
        _ => None,
    });
    let (name, value) = kept.expect("kept");

    let mut bench = Bench::offline();
    let values = vec![(name, Secret::new(value))];
    bench.im.loaded(Loaded { values, ..Loaded::default() });
    bench.connect();
    answer(
        &mut bench,
        "jabber:iq:roster",
        "alice@example.com",
        &format!("<query xmlns='jabber:iq:roster'>{BOB}</query>"),
    );
    assert!(bench.im.contacts().iter().any(|contact| contact.name == "Bob" && contact.alert));
    present(&mut bench, "bob@example.com/desk", "<show>dnd</show>");
    assert!(available(&bench).is_empty());
    present(&mut bench, "bob@example.com/desk", "");
    present(&mut bench, "bob@example.com/desk", "<show>away</show>");
    present(&mut bench, "bob@example.com/desk", "");
    assert_eq!(available(&bench), [jid("bob@example.com")]);
    let forgotten = |it: &StoreRequest| matches!(it, StoreRequest::PutValue(_, None));
    assert!(bench.stored.iter().any(forgotten));
    assert!(!bench.im.contacts().iter().any(|contact| contact.alert));
    assert!(!bench.im.alert(&jid("bob@example.com"), true), "who is here is not waited for");
}

fn watch(bench: &mut Bench, who: &str, on: bool) {
    let now = bench.now;
    bench.im.watch(&jid(who), on, now);
    bench.drain();
}

fn temporary(from: &str, id: &str, inner: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='headline' from='{from}'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='http://webex.com/connect/temp-presence'><item id='{id}'>\
         <presence xmlns='jabber:client' from='{id}'>{inner}</presence></item></items></event>\
         </message>"
    )
}

fn seen(bench: &Bench, who: &str) -> Option<Availability> {
    bench.im.details().get(&jid(who))?.presence.as_ref().map(|presence| presence.availability)
}

#[test]
fn strangers_are_watched_on_the_vendors_servers_only() {
    let mut bench = Bench::with_contacts(BOB);
    watch(&mut bench, "dan@example.com", true);
    assert!(bench.sent.is_empty(), "a stranger does not learn that we are there");
    let details = bench.im.details();
    let why = details[&jid("dan@example.com")].error.clone().expect("a reason");
    assert!(why.contains("cannot be seen on this server"), "{why}");

    let policy = ChatPolicy { vendor: true, ..ChatPolicy::default() };
    let now = bench.now;
    bench.im.configure(Arc::new(policy), ChatSettings::default(), now);
    bench.drain();
    bench.forget();
    watch(&mut bench, "dan@example.com", true);
    watch(&mut bench, "dan@example.com", true);
    let directed = bench.sent_with("to='dan@example.com'").to_owned();
    // The server asks what these caps are; the feature is there and nowhere else.
    let ask = |bench: &mut Bench, node: &str| {
        bench.forget();
        bench.receive(&format!(
            "<iq xmlns='jabber:client' type='get' id='q' from='example.com'>\
             <query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/></iq>"
        ));
        bench.sent_with("id='q'").contains("temp-presence+notify")
    };
    let node = |xml: &str| {
        let (node, ver) = (attribute(xml, "node"), attribute(xml, "ver"));
        format!("{node}#{ver}")
    };
    assert!(ask(&mut bench, &node(&directed)));
    bench.forget();
    watch(&mut bench, "dan@example.com", false);
    let ends = node(bench.sent_with("to='dan@example.com'"));
    assert!(!ask(&mut bench, &ends));
    watch(&mut bench, "dan@example.com", true);

    for forged in ["mallory@evil.example", "evil.example", "bob@example.com"] {
        bench.receive(&temporary(forged, "dan@example.com/x", ""));
        assert_eq!(seen(&bench, "dan@example.com"), Some(Availability::Offline), "{forged}");
    }
    bench.receive(&temporary("example.com", "dan@example.com/x", "<show>dnd</show>"));
    assert_eq!(seen(&bench, "dan@example.com"), Some(Availability::Dnd));
    bench.receive(&temporary("example.com", "eve@example.com/x", ""));
    assert_eq!(seen(&bench, "eve@example.com"), None, "nobody looks at her");
    watch(&mut bench, "dan@example.com", false);
    assert_eq!(seen(&bench, "dan@example.com"), None);
}

#[test]
fn details_are_asked_for_and_read() {
    let mut bench = Bench::with_contacts(BOB);
    present(&mut bench, "bob@example.com/desk", "");
    bench.forget();
    assert!(bench.im.ask_details(&jid("bob@example.com")));
    assert!(bench.im.ask_details(&jid("bob@example.com")), "asked once while it is under way");
    bench.drain();
    let of = |bench: &Bench| bench.im.details()[&jid("bob@example.com")].clone();
    assert!(of(&bench).busy);
    let card = "<vCard xmlns='vcard-temp'><FN> Bob  Stone </FN><TITLE>Smith</TITLE>\
        <ORG><ORGNAME>Forge</ORGNAME><ORGUNIT>Anvil</ORGUNIT></ORG>\
        <EMAIL><INTERNET/><USERID>bob@forge.example</USERID></EMAIL>\
        <TEL><WORK/><VOICE/><NUMBER>+1 555 0100</NUMBER></TEL>\
        <TEL><CELL/><NUMBER/></TEL><TEL><NUMBER>77</NUMBER></TEL></vCard>";
    answer(&mut bench, "vcard-temp", "bob@example.com", card);
    answer(
        &mut bench,
        "jabber:iq:last",
        "bob@example.com",
        "<query xmlns='jabber:iq:last' seconds='3600'/>",
    );
    answer(
        &mut bench,
        "jabber:iq:version",
        "bob@example.com/desk",
        "<query xmlns='jabber:iq:version'><name>Profanity</name><version>0.17</version></query>",
    );
    let details = of(&bench);
    assert!(!details.busy && details.error.is_none());
    assert_eq!(details.name.as_deref(), Some("Bob  Stone"));
    assert_eq!(details.organisation.as_deref(), Some("Forge"));
    assert_eq!(details.mail, ["bob@forge.example"]);
    let numbers = [("work", "+1 555 0100"), ("other", "77")];
    assert_eq!(details.numbers, numbers.map(|(kind, it)| (kind.to_owned(), it.to_owned())));
    assert_eq!(details.clients, ["Profanity 0.17"]);
    let hour = bench.now.wall.0 - details.last_seen.expect("known").0;
    assert_eq!(hour, 3_600_000);
}

#[test]
fn who_tells_nothing_is_said_to_tell_nothing() {
    let mut bench = Bench::with_contacts(BOB);
    assert!(bench.im.ask_details(&jid("cara@example.com")));
    bench.drain();
    refuse(&mut bench, "vcard-temp", "cara@example.com");
    bench.wait(61);
    let details = bench.im.details();
    let cara = &details[&jid("cara@example.com")];
    assert!(!cara.busy && cara.error.is_some());
    for n in 0..500 {
        bench.im.ask_details(&jid(&format!("n{n}@example.com")));
    }
    assert!(bench.im.details().len() <= 200);
}

#[test]
fn a_kind_of_client_is_asked_once_and_only_when_somebody_looks() {
    let mut bench = Bench::with_contacts(BOB);
    let caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' \
                node='http://psi-im.org' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/>";
    present(&mut bench, "bob@example.com/desk", caps);
    present(&mut bench, "cara@example.com/desk", caps);
    assert!(bench.sent.is_empty());
    bench.im.ask_details(&jid("bob@example.com"));
    bench.im.ask_details(&jid("cara@example.com"));
    bench.drain();
    bench.sent_with("node='http://psi-im.org#");
}

#[test]
fn what_goes_on_is_told_in_words_and_to_machines() {
    let mut bench = Bench::online();
    let now = bench.now;
    bench.im.set_presence(Availability::Available, Some("until five".into()), now);
    bench.im.set_calls(true, now);
    bench.drain();
    let told = bench.sent_with("customstatus").to_owned();
    assert!(told.contains("<show>away</show>") && told.contains("var='on-call'"), "{told}");
    assert!(told.contains(">On a call - until five</status>"), "{told}");
    assert_eq!(bench.im.own_presence().activity, Some(Activity::OnCall));
    assert_eq!(bench.im.own_presence().note.as_deref(), Some("until five"));
    bench.forget();
    bench.im.set_calls(true, now);
    bench.drain();
    assert!(bench.sent.is_empty(), "no news is not told");
    bench.im.set_calls(false, now);
    bench.drain();
    assert!(!bench.sent_with("<presence").contains("show"));
}

#[test]
fn a_desk_that_is_left_is_told_when_its_time_has_come() {
    let mut bench = Bench::online();
    let now = bench.now;
    bench.im.set_desk(Some(now.wall), false, now);
    bench.drain();
    bench.wait(14 * 60);
    assert!(bench.sent.is_empty());
    bench.wait(60);
    let told = bench.sent_with("<presence");
    assert!(told.contains("<show>away</show>") && told.contains("<priority>2</priority>"));
    assert!(told.contains("since='2026-11-22T12:00:00"), "{told}");
    bench.forget();
    let now = bench.now;
    bench.im.set_desk(None, false, now);
    bench.drain();
    let told = bench.sent_with("<presence");
    assert!(told.contains("<priority>5</priority>") && !told.contains("urn:xmpp:idle:1"));
}

#[test]
fn groups_are_changed_and_renamed() {
    let mut bench = Bench::with_contacts(
        "<item jid='bob@example.com' name='Bob'><group>A</group><group>B</group></item>\
         <item jid='cara@example.com'><group>B</group></item><item jid='dan@example.com'/>",
    );
    let groups = vec![" X ".to_owned(), "X".to_owned(), String::new(), "Y".to_owned()];
    assert!(bench.im.roster_groups(&jid("dan@example.com"), groups));
    bench.drain();
    let sent = bench.sent_with("dan@example.com");
    assert!(sent.contains("<group>X</group><group>Y</group></item>"), "{sent}");
    bench.forget();
    assert_eq!(bench.im.rename_group("B", "A"), 2);
    bench.drain();
    let bob = bench.sent_with("bob@example.com");
    assert!(bob.contains("name='Bob'") && bob.matches("<group>A</group>").count() == 1, "{bob}");
    assert_eq!(bench.im.rename_group("C", "D"), 0);
    assert!(!bench.im.roster_groups(&jid("nobody@example.com"), vec![]));
}
