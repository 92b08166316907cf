//! Rooms in the vendor's dialect, by raw bytes.

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::im::signed_in;
use super::{Conversation, lab};

type Stream = Conversation<TlsStream<TcpStream>>;

const HOST: &str = "conference-1-standalonecluster0a1b2.lab.example";
const SECOND: &str = "conference-2-standalonecluster0a1b2.lab.example";
const CANTEEN: &str = "pchatroom1001@conference-1-standalonecluster0a1b2.lab.example";
const ADHOC: &str = "chat123@conference-1-standalonecluster0a1b2.lab.example";

async fn ask(stream: &mut Stream, kind: &str, to: &str, payload: &str) -> String {
    stream.say(&format!("<iq type='{kind}' id='q' to='{to}'>{payload}</iq>")).await;
    stream.until("</iq>").await
}

/// Changes something; what came until that was answered.
async fn change(stream: &mut Stream, to: &str, payload: &str) -> String {
    stream.say(&format!("<iq type='set' id='c' to='{to}'>{payload}</iq>")).await;
    stream.until("<iq type='result' id='c'").await
}

async fn enter(stream: &mut Stream, room: &str, nick: &str) -> String {
    stream
        .say(&format!(
            "<presence to='{room}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        ))
        .await;
    stream.until("</subject></message>").await
}

/// Makes an ad hoc room and opens it.
async fn make(stream: &mut Stream, nick: &str) -> String {
    stream
        .say(&format!(
            "<presence to='{ADHOC}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>\
             <iq type='set' id='o' to='{ADHOC}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'/></query></iq>"
        ))
        .await;
    stream.until("id='o'").await
}

const INFO: &str = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
const ITEMS: &str = "<query xmlns='http://jabber.org/protocol/disco#items'/>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_and_rooms_say_what_they_are() {
    let lab = lab(&[]).await;
    let mut alice = signed_in(&lab, "alice").await;
    let items = ask(&mut alice, "get", "lab.example", ITEMS).await;
    assert!(items.contains(&format!("jid='{HOST}'")), "{items}");
    assert!(items.contains(&format!("jid='{SECOND}'")), "{items}");
    let info = ask(&mut alice, "get", HOST, INFO).await;
    for part in [
        "category='conference' type='text'",
        "var='http://jabber.org/protocol/muc'",
        "var='jabber:iq:search'",
        "var='http://www.jabber.com/protocol/muc#history'",
        "var='http://www.jabber.com/schemas/muc#persistent'",
    ] {
        assert!(info.contains(part), "{part}: {info}");
    }
    let listed = ask(&mut alice, "get", HOST, ITEMS).await;
    assert!(listed.contains(&format!("jid='{CANTEEN}' name='Canteen'")), "{listed}");
    let info = ask(&mut alice, "get", CANTEEN, INFO).await;
    assert!(info.contains("var='muc_persistent'"), "{info}");
    let missing = ask(&mut alice, "get", ADHOC, INFO).await;
    assert!(missing.contains("code='404'><item-not-found "), "{missing}");
    // The standard domain has no such hosts, and no room has another name.
    alice
        .say(&format!(
            "<presence to='lunch@{HOST}/a'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        ))
        .await;
    alice.until("<item-not-found ").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_missing_leaves_the_other_alone() {
    let lab = lab(&["room-host-missing"]).await;
    let mut alice = signed_in(&lab, "alice").await;
    for payload in [INFO, ITEMS] {
        let answer = ask(&mut alice, "get", SECOND, payload).await;
        assert!(answer.contains("code='404'><item-not-found "), "{answer}");
        let answer = ask(&mut alice, "get", HOST, payload).await;
        assert!(answer.contains("type='result'"), "{answer}");
    }
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ad_hoc_room_is_made_entered_spoken_in_and_ends() {
    let lab = lab(&[]).await;
    let mut alice = signed_in(&lab, "alice").await;
    let mut carol = signed_in(&lab, "carol").await;
    carol.say("<presence/>").await;
    let made = make(&mut alice, "alice@lab.example").await;
    assert!(made.contains("<status code='201'/>"), "{made}");
    assert!(made.contains("affiliation='owner' role='moderator'"), "{made}");
    alice
        .say(&format!(
            "<message to='{ADHOC}'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <invite to='carol@lab.example'><reason>Plan</reason></invite></x></message>"
        ))
        .await;
    let invited = carol.until("</message>").await;
    assert!(invited.contains("<invite from='alice@lab.example'><reason>Plan<"), "{invited}");
    assert!(invited.contains(&format!("<x xmlns='jabber:x:conference' jid='{ADHOC}'>")));
    let in_it = enter(&mut carol, ADHOC, "carol@lab.example/raw").await;
    assert!(in_it.contains(&format!("from='{ADHOC}/alice@lab.example'")), "{in_it}");
    assert!(in_it.contains("<status code='110'/>"), "{in_it}");
    let seen = alice.until("carol@lab.example/raw'").await;
    assert!(!seen.contains("<status code='201'/></x></presence><presence"), "{seen}");
    carol
        .say(&format!(
            "<message to='{ADHOC}' type='groupchat' id='m7'><body>hi</body>\
             <delay xmlns='urn:xmpp:delay' from='{ADHOC}' stamp='2001-01-01T00:00:00Z'/></message>"
        ))
        .await;
    for stream in [&mut alice, &mut carol] {
        let said = stream.until("<body>hi</body></message>").await;
        assert!(said.contains("id='m7'"), "{said}");
    }
    // Put out, and entered again: the replay names the writer.
    let kick = "<query xmlns='http://jabber.org/protocol/muc#admin'>\
         <item nick='carol@lab.example/raw' role='none'/></query>";
    let refused = ask(&mut carol, "set", ADHOC, kick).await;
    assert!(refused.contains("<forbidden "), "{refused}");
    change(&mut alice, ADHOC, kick).await;
    let out = carol.until("</presence>").await;
    assert!(out.contains("<status code='307'/>") && out.contains("<actor "), "{out}");
    let again = enter(&mut carol, ADHOC, "carol@lab.example/raw").await;
    for part in [
        "<delay xmlns='urn:xmpp:delay' ",
        "<x xmlns='jabber:x:delay' ",
        "<x xmlns='http://jabber.org/protocol/muc#user'><item jid='carol@lab.example'/></x>",
        "<x xmlns='http://www.jabber.com/protocol/muc#history'/>",
    ] {
        assert!(again.contains(part), "{part}: {again}");
    }
    // It ends with the last one.
    for (stream, nick) in [(&mut carol, "carol@lab.example/raw"), (&mut alice, "alice@lab.example")]
    {
        stream.say(&format!("<presence type='unavailable' to='{ADHOC}/{nick}'/>")).await;
        stream.until("<status code='110'/></x></presence>").await;
    }
    let missing = ask(&mut alice, "get", ADHOC, INFO).await;
    assert!(missing.contains("<item-not-found "), "{missing}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_robot_answers_in_its_room_and_asks_into_another() {
    let lab = lab(&[]).await;
    let mut alice = signed_in(&lab, "alice").await;
    alice.say("<presence/>").await;
    let inside = enter(&mut alice, CANTEEN, "alice@lab.example").await;
    assert!(inside.contains(&format!("from='{CANTEEN}/bob@lab.example'")), "{inside}");
    alice
        .say(&format!(
            "<message to='{CANTEEN}' type='groupchat' id='1'><body>soup?</body></message>"
        ))
        .await;
    alice.until("<body>You said: soup?</body>").await;
    alice.say("<message to='bob@lab.example' type='chat'><body>invite me</body></message>").await;
    let invited = alice.until("</invite>").await;
    let room = invited.rsplit("from='chat").next().unwrap().split('\'').next().unwrap();
    enter(&mut alice, &format!("chat{room}"), "alice@lab.example").await;
    alice.until("<body>Good that you are here.</body>").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_topics_and_nicknames_follow_the_owner() {
    let lab = lab(&[]).await;
    let mut alice = signed_in(&lab, "alice").await;
    let mut carol = signed_in(&lab, "carol").await;
    make(&mut alice, "a").await;
    let owner = "http://jabber.org/protocol/muc#owner";
    let form = ask(&mut alice, "get", ADHOC, &format!("<query xmlns='{owner}'/>")).await;
    for name in ["roomname", "persistentroom", "membersonly"] {
        assert!(form.contains(&format!("var='muc#roomconfig_{name}'")), "{form}");
    }
    let closed = format!(
        "<query xmlns='{owner}'><x xmlns='jabber:x:data' type='submit'>\
         <field var='muc#roomconfig_membersonly'><value>1</value></field></x></query>"
    );
    change(&mut alice, ADHOC, &closed).await;
    let knock = format!(
        "<presence to='{ADHOC}/NICK'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    );
    carol.say(&knock.replace("NICK", "c")).await;
    let refused = carol.until("</presence>").await;
    assert!(refused.contains("code='407'><registration-required "), "{refused}");
    let member = "<query xmlns='http://jabber.org/protocol/muc#admin'>\
         <item jid='carol@lab.example' affiliation='member'/></query>";
    change(&mut alice, ADHOC, member).await;
    carol.say(&knock.replace("NICK", "a")).await;
    let taken = carol.until("</presence>").await;
    assert!(taken.contains("code='409'><conflict "), "{taken}");
    alice
        .say(&format!("<message to='{ADHOC}' type='groupchat'><subject>Plan B</subject></message>"))
        .await;
    alice.until("<subject>Plan B</subject>").await;
    let inside = enter(&mut carol, ADHOC, "c").await;
    assert!(inside.contains("<subject>Plan B</subject>"), "{inside}");
    carol.say(&format!("<presence to='{ADHOC}/d'/>")).await;
    let renamed = carol.until("<status code='303'/>").await;
    assert!(renamed.contains("nick='d'"), "{renamed}");
    let out = member.replace("'member'", "'none'");
    change(&mut alice, ADHOC, &out).await;
    carol.until("<status code='321'/>").await;
    let end = format!("<query xmlns='{owner}'><destroy><reason>over</reason></destroy></query>");
    let gone = change(&mut alice, ADHOC, &end).await;
    assert!(gone.contains("<destroy><reason>over</reason></destroy>"), "{gone}");
    lab.stop().await;
}
